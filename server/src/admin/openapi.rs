//! The admin API's own description (`OpenAPI` 3.1): served, committed as `docs/openapi.json`, and held by a test.

use axum::response::Response;
use utoipa::OpenApi;

use crate::edge::own::json;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cloakroom admin API",
        description = "What the console does, machines can do too. Requests come from a console session: the session cookie, and the header `X-CSRF: 1`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        super::me::handle,
        super::overview::handle,
        super::sessions::list,
        super::sessions::one,
        super::sessions::revoke,
    )
)]
struct Document;

/// The document as pretty JSON with a newline at its end.
#[must_use]
pub fn document() -> String {
    let mut text = Document::openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// `GET /admin/api/v1/openapi.json`, for anybody with a role.
pub(crate) async fn handle(_admin: super::Administrator) -> Response {
    json(&Document::openapi())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_document_is_what_is_served() {
        let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
        let committed = std::fs::read_to_string(committed).unwrap_or_default();
        assert!(
            committed == super::document(),
            "docs/openapi.json is stale; renew it with: cargo run -p cloakroom -- openapi > docs/openapi.json"
        );
    }
}
