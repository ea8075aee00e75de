//! Sessions: a page of the list, one in detail, ending one.

use cloakroom_api::Revoked;

use super::client::{self, Failure};
use super::json::Json;
use crate::state::list_query::ListQuery;
use crate::state::query_string::encode;

const SESSIONS: &str = "/admin/api/v1/sessions";

/// A page of the list.
pub(crate) fn list(query: &ListQuery) -> String {
    format!("{SESSIONS}?{}", query.api_search())
}

/// One session.
pub(crate) fn one(id: &str) -> String {
    format!("{SESSIONS}/{}", encode(id))
}

/// Ends one.
pub(crate) async fn revoke(id: &str, reason: &str) -> Result<Revoked, Failure> {
    let body = Json::map([("reason", Json::text(reason))]);
    client::post(&format!("{}/revoke", one(id)), &body).await
}
