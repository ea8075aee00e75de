//! The admin API's own description (`OpenAPI` 3.1): served, committed as `docs/openapi.json`, and held by tests: every
//! operation names the least role that may (`x-least-role`), and the black-box tests try each with every role.

use axum::response::Response;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::edge::own::json;
use crate::edge::ticket;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cloakroom admin API",
        description = "What the console does, machines can do too. Requests come from a console session (the session cookie, and the header `X-CSRF: 1`) or from a service account (`Authorization: Bearer crs_sa_…`), at the console's site.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        super::me::handle,
        super::overview::handle,
        super::figures::handle,
        super::sessions::list,
        super::sessions::one,
        super::sessions::revoke,
        super::users::list,
        super::users::one,
        super::users::erase::handle,
        super::users::export::prepare,
        super::users::export::download,
        super::accounts::list,
        super::accounts::make,
        super::accounts::rotate,
        super::accounts::disable,
        super::routes::handle,
        super::revocations::preview,
        super::revocations::decide,
        super::revocations::list,
        super::revocations::one,
        super::locks::set,
        super::locks::list,
        super::locks::lift,
        super::explain::handle,
        super::clients::list,
        super::clients::one,
        super::providers::list,
        super::upstreams::list,
        super::operation::keys,
        super::operation::nodes,
        super::operation::configuration,
        super::audit::list,
        super::audit::one,
        super::audit::tail::handle,
        super::audit::verify::chain,
        super::audit::verify::verify,
        super::audit::export::prepare,
        super::audit::export::download,
        handle,
    ),
    security(("console_session" = []), ("service_account" = [])),
    modifiers(&Callers)
)]
struct Document;

/// How callers prove who they are.
struct Callers;

impl Modify for Callers {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let what = "The session cookie of the console's site. Every call also carries the header `X-CSRF: 1`.";
        let cookie = ApiKey::Cookie(ApiKeyValue::with_description(ticket::COOKIE, what));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("console_session", SecurityScheme::ApiKey(cookie));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
            "A service account's token. It may do what the account's scopes say; `x-least-role` is for people.",
        ));
        components.add_security_scheme("service_account", SecurityScheme::Http(bearer.build()));
    }
}

/// The document as pretty JSON with a newline at its end.
#[must_use]
pub fn document() -> String {
    let mut text = Document::openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// This document.
#[utoipa::path(
    get, path = "/admin/api/v1/openapi.json", tag = "openapi",
    extensions(("x-least-role" = json!("viewer"))),
    responses(
        (status = 200, description = "The document, OpenAPI 3.1", content_type = "application/json"),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
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
