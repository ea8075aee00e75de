//! Making the tokens of an answer.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    Provider,
    access_token::ACCESS_TOKEN_TYPE,
    claims,
    config::User,
    hint::ID_TOKEN_TYPE,
    oauth_error::{ErrorCode, OAuthError},
    state::Authorization,
};

/// ID tokens are read once, right away.
const ID_TOKEN_SECS: u64 = 300;

/// The answer of the token endpoint without a refresh token (RFC 6749, 5.1). `nonce` only at the
/// first one: a refreshed ID token should carry none (OpenID Connect Core, 12.2).
pub(super) fn issue(
    provider: &Provider,
    authorization: &Authorization,
    scope: &[String],
    nonce: Option<&str>,
) -> Result<Value, OAuthError> {
    let user = provider
        .config
        .user_by_sub(&authorization.sub)
        .ok_or_else(|| OAuthError::invalid_grant("the person is gone"))?;
    let access_token = access_token(provider, authorization, user, scope)?;
    let id_token = id_token(provider, authorization, user, scope, nonce, &access_token)?;
    Ok(json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": provider.config.access_token_secs,
        "scope": scope.join(" "),
        "id_token": id_token,
    }))
}

/// RFC 9068, 2.2. The audience names the sample API and the provider itself, for userinfo.
fn access_token(
    provider: &Provider,
    authorization: &Authorization,
    user: &User,
    scope: &[String],
) -> Result<String, OAuthError> {
    let now = provider.sources.now_secs();
    let claims = json!({
        "iss": provider.issuer,
        "aud": [provider.config.audience, provider.issuer],
        "sub": user.sub,
        "client_id": authorization.client_id,
        "scope": scope.join(" "),
        "iat": now,
        "exp": now + provider.config.access_token_secs,
        "jti": provider.sources.id(),
        "auth_time": authorization.auth_time,
        "acr": authorization.assurance.acr(),
        "roles": user.roles,
        "groups": user.groups,
    });
    sign(provider, ACCESS_TOKEN_TYPE, &claims)
}

/// OpenID Connect Core, 2 and 3.1.3.6.
fn id_token(
    provider: &Provider,
    authorization: &Authorization,
    user: &User,
    scope: &[String],
    nonce: Option<&str>,
    access_token: &str,
) -> Result<String, OAuthError> {
    let now = provider.sources.now_secs();
    let hash = digest(&SHA256, access_token.as_bytes());
    let (left_half, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    let mut claims = claims::released(user, scope);
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("iss", json!(provider.issuer));
    put("aud", json!(authorization.client_id));
    put("iat", json!(now));
    put("exp", json!(now + ID_TOKEN_SECS));
    put("auth_time", json!(authorization.auth_time));
    put("acr", json!(authorization.assurance.acr()));
    put("amr", json!(authorization.assurance.amr()));
    put("sid", json!(authorization.sid));
    put("at_hash", json!(URL_SAFE_NO_PAD.encode(left_half)));
    if let Some(nonce) = nonce {
        put("nonce", json!(nonce));
    }
    sign(provider, ID_TOKEN_TYPE, &claims)
}

fn sign(provider: &Provider, typ: &str, claims: &impl serde::Serialize) -> Result<String, OAuthError> {
    provider.key.sign(typ, claims).map_err(|error| {
        tracing::error!(%error, typ, "a token could not be signed");
        OAuthError::new(ErrorCode::ServerError, "the token could not be signed")
    })
}
