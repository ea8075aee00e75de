//! Calls with a session token: `Authorization: Bearer crs_at_…`, or `DPoP crs_at_…` with a proof. The session decides
//! whether it lives, as for a cookie.

use std::sync::Arc;

use http::request::Parts;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::dpop::Expected;
use cloakroom_core::session::open::{Live, Opened};

use super::client::Site;
use super::mobile_client::{DpopMode, MobileClient};
use super::oauth_error::OAuthError;
use super::over_text;
use super::problem::Refusal;
use super::ticket::{self, Claimed, Presented, Scheme};
use crate::gateway::Gateway;

impl Scheme {
    const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

fn refused(presented: &Presented<'_>, text: impl Into<String>) -> Refusal {
    OAuthError::token(presented.scheme.name(), "invalid_token", text).into()
}

/// No token came at all.
#[must_use]
pub fn missing() -> OAuthError {
    OAuthError::token("Bearer", "", "send the access token as Authorization: Bearer crs_at_…")
}

/// What a presented token says, if it is ours and has not expired (M7).
///
/// # Errors
/// [`Refusal::OAuth`] with `invalid_token`.
pub fn claimed(found: Option<Claimed>, presented: &Presented<'_>, now: UnixMs) -> Result<Claimed, Refusal> {
    match found {
        Some(claimed) if now < claimed.expires_at => Ok(claimed),
        Some(_) => Err(refused(presented, "the access token has expired: refresh it")),
        None => Err(refused(presented, "this is no access token of this gateway")),
    }
}

/// What becomes of a token whose session is not there any more.
#[must_use]
pub fn over(presented: &Presented<'_>, opened: &Opened) -> Refusal {
    match opened {
        Opened::Over(ended) => refused(presented, over_text(ended.as_ref())),
        Opened::Live(_) | Opened::Unknown => refused(presented, "this is no access token of this gateway"),
    }
}

/// Whether the token's app may call here, and shows what its tokens are bound to (M6, M11).
///
/// # Errors
/// [`Refusal::OAuth`].
pub fn check<'a>(
    gateway: &Gateway,
    site: &Site,
    apps: &'a [Arc<MobileClient>],
    live: &Live,
    presented: &Presented<'_>,
    parts: &Parts,
) -> Result<&'a Arc<MobileClient>, Refusal> {
    let Some(app) = apps.iter().find(|app| app.id == live.client_id) else {
        return Err(refused(presented, "this app may not call here"));
    };
    let values = live.values();
    let bound = values.mobile.as_ref().and_then(|mobile| mobile.jkt.as_deref());
    match (bound, presented.scheme) {
        (None, Scheme::Bearer) if app.dpop == DpopMode::Required => {
            Err(OAuthError::token("DPoP", "invalid_token", "this app's tokens must be bound to a device key").into())
        }
        (None, Scheme::Bearer) => Ok(app),
        (None, Scheme::Dpop) => Err(refused(presented, "this token is bound to no device key: send it as Bearer")),
        (Some(_), Scheme::Bearer) => {
            let text = "this token is bound to a device key: send it as DPoP, with a proof";
            Err(OAuthError::token("DPoP", "invalid_token", text).into())
        }
        (Some(jkt), Scheme::Dpop) => {
            let url = format!("{}{}", site.origin, parts.uri.path());
            let expected =
                Expected { method: parts.method.as_str(), url: &url, token: Some(presented.text), now: gateway.now() };
            let proof = gateway.proofs.check_call(&parts.headers, &expected, &gateway.sessions.vault().ring())?;
            if proof.jkt == jkt {
                Ok(app)
            } else {
                Err(refused(presented, "the DPoP proof is by another key than the token is bound to"))
            }
        }
    }
}

/// The session of a call to an own endpoint of the session API.
///
/// # Errors
/// [`Refusal::OAuth`] with what is wrong about its token; the store's.
pub async fn signed_in(
    gateway: &Gateway,
    site: &Site,
    parts: &Parts,
) -> Result<(Arc<MobileClient>, Arc<Live>), Refusal> {
    let Some(presented) = ticket::presented(&parts.headers) else {
        return Err(missing().into());
    };
    let found = ticket::read_token(gateway.sessions.token_seal(), presented.text);
    let claimed = claimed(found, &presented, gateway.now())?;
    let opened = gateway.sessions.open(claimed.id, &claimed.secret).await?;
    let Opened::Live(live) = opened else { return Err(over(&presented, &opened)) };
    let app = check(gateway, site, &site.issues, &live, &presented, parts)?;
    gateway.sessions.seen(&live, gateway.now());
    Ok((Arc::clone(app), live))
}
