//! OpenID Connect Back-Channel Logout 1.0: telling clients that a sign-in has ended.

use serde_json::json;
use url::Url;

use super::{Provider, state::Login};

/// Media type of logout tokens (Back-Channel Logout 1.0, 2.4).
const LOGOUT_TOKEN_TYPE: &str = "logout+jwt";
/// The one event a logout token must carry.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// Lifetime of a logout token: short, as the specification asks (2.4).
const LOGOUT_TOKEN_SECS: u64 = 120;

/// Something to send: `POST uri` with the form field `logout_token`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutNotice {
    /// The client's registered `backchannel_logout_uri`.
    pub uri: Url,
    /// The signed logout token.
    pub logout_token: String,
}

/// The caller's way out.
pub(super) type LogoutSender = Box<dyn Fn(LogoutNotice) + Send + Sync>;

/// Hands a notice to the caller for each client of the sign-in that takes them.
pub(super) fn announce(provider: &Provider, login: &Login) {
    let Some(send) = &provider.send_logout else {
        return;
    };
    let now = provider.sources.now_secs();
    for client_id in &login.clients {
        let client = provider.config.client(client_id);
        let Some(uri) = client.and_then(|client| client.backchannel_logout_uri.clone()) else {
            continue;
        };
        let claims = json!({
            "iss": provider.issuer,
            "aud": client_id,
            "iat": now,
            "exp": now + LOGOUT_TOKEN_SECS,
            "jti": provider.sources.id(),
            "sub": login.sub,
            "sid": login.sid,
            "events": { EVENT: {} },
        });
        match provider.key.sign(LOGOUT_TOKEN_TYPE, &claims) {
            Ok(logout_token) => send(LogoutNotice { uri, logout_token }),
            Err(error) => tracing::error!(%error, client_id, "a logout token could not be signed"),
        }
    }
}
