//! `POST /admin/api/v1/explain`: what becomes of a call, and why.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;

use cloakroom_api::{Explanation, Permission};

use super::Administrator;
use crate::edge::own::json;
use crate::edge::problem::Refusal;
use crate::explain::{Explain, NoQuestion};
use crate::gateway::Gateway;

/// What becomes of a call: which route, which rule, why, and what would help. Nobody is called.
#[utoipa::path(
    post, path = "/admin/api/v1/explain", tag = "explain",
    extensions(("x-least-role" = json!("viewer"))),
    request_body(content = Explain, example = json!({
        "method": "GET", "url": "https://app.example.com/api/orders", "caller": "session", "claims": { "groups": ["staff"] },
    })),
    responses(
        (status = 200, body = Explanation),
        (status = 400, description = "The question cannot be understood", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    admin: Administrator,
    body: Bytes,
) -> Result<Response, Refusal> {
    admin.may(Permission::SessionsRead)?;
    let example =
        "the body must be JSON such as {\"method\": \"GET\", \"url\": \"https://app.example.com/api/orders\"}";
    let ask: Explain = serde_json::from_slice(&body).map_err(|_| Refusal::BadRequest(example))?;
    let told = gateway.explainer.explain(&ask, gateway.now(), |tenant| admin.fence.shows(tenant));
    Ok(json(&told.map_err(|error| {
        Refusal::BadRequest(match error {
            NoQuestion::Method => "the method is none",
            NoQuestion::Url => "the url must be whole, such as https://app.example.com/api/orders",
            NoQuestion::Caller => "the caller is anonymous, session or machine",
            NoQuestion::Address => "the address is no IP address",
        })
    })?))
}
