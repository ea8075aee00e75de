//! `/oauth/userinfo`: what `openid` yields (OIDC Core section 5.3). `sub` always, the mail address with `email`, the other
//! claims with `profile`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use serde_json::{Map, Value, json};

use crate::edge::app_token;
use crate::edge::oauth_error::OAuthError;
use crate::edge::own::{Context, json as json_response};
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    parts: Parts,
) -> Result<Response, Refusal> {
    let (_, live) = app_token::signed_in(&gateway, &context.site, &parts).await?;
    let values = live.values();
    let scopes = values.mobile.as_ref().map(|mobile| mobile.scopes.as_slice()).unwrap_or_default();
    let has = |scope: &str| scopes.iter().any(|granted| granted == scope);
    if !has("openid") {
        let text = "userinfo needs the scope openid: ask for it at /oauth/authorize";
        return Err(OAuthError::token("Bearer", "insufficient_scope", text).into());
    }
    let shown = |name: &str| if matches!(name, "email" | "email_verified") { has("email") } else { has("profile") };
    let mut claims: Map<String, Value> = values
        .claims
        .iter()
        .filter(|(name, _)| shown(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    claims.insert("sub".into(), json!(values.sub));
    Ok(json_response(&claims))
}
