//! Sessions: a page of the list, one in detail, ending one.

use cloakroom_api::{Page, Revoke, Revoked, Session, SessionDetail};
use web_sys::AbortSignal;

use super::client::{self, Failure};
use crate::state::list_query::ListQuery;
use crate::state::query_string::encode;

const SESSIONS: &str = "/admin/api/v1/sessions";

/// A page of the list.
pub(crate) async fn list(query: ListQuery, signal: AbortSignal) -> Result<Page<Session>, Failure> {
    client::get(&format!("{SESSIONS}?{}", query.api_search()), Some(&signal)).await
}

/// One session.
pub(crate) async fn detail(id: String, signal: AbortSignal) -> Result<SessionDetail, Failure> {
    client::get(&format!("{SESSIONS}/{}", encode(&id)), Some(&signal)).await
}

/// Ends one.
pub(crate) async fn revoke(id: &str, revoke: &Revoke) -> Result<Revoked, Failure> {
    client::post(&format!("{SESSIONS}/{}/revoke", encode(id)), revoke).await
}
