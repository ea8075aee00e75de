//! The overview's figures.

use cloakroom_api::Overview;
use web_sys::AbortSignal;

use super::client::{self, Failure};

/// How things stand.
pub(crate) async fn get(signal: AbortSignal) -> Result<Overview, Failure> {
    client::get("/admin/api/v1/overview", Some(&signal)).await
}
