//! The session API of mobile apps: a small authorization server (RFC 6749, 8252, 7636), one endpoint a file.
//!
//! What each endpoint checks, in this order; the first that fails answers.
//!
//! | endpoint | checks |
//! | --- | --- |
//! | `GET /oauth/authorize` | navigation, parameters once, pushed request, client, redirect URI: a page. Then [`authorize::CHECKS`]: told to the app |
//! | `POST /oauth/authorize` | as above, and a page of the own origin sent it: the click |
//! | `GET /oauth/callback` | transaction of this browser, issuer: a page. Then the provider's error, the code, the ID token: told to the app |
//! | `POST /oauth/par` | form, client, DPoP, what `authorize` checks, proof not used before |
//! | `POST /oauth/device_authorization` | form, client, its use of the device grant |
//! | `/oauth/device` | parameters once, user code; to decide: a page of the own origin sent it: the click |
//! | `POST /oauth/token` | form, grant type, client, DPoP, tag, proof not used before, client of the token, use, redirect URI, PKCE, device key |
//! | `POST /oauth/revoke` | form, client, tag, client of the token |
//! | `POST /oauth/introspect` | form, the client's introspection secret, tag, client of the token |
//! | `GET /oauth/logout` | parameters once, client, where to come back to, logout hint |
//! | `/oauth/userinfo`, `/session/v1/…` | tag, expiry, session, client of the token, device key, proof not used before, scope |

pub mod authorize;
mod begin;
pub mod callback;
pub mod device;
pub mod devices;
pub mod form;
pub mod introspect;
pub mod logout;
pub mod me;
pub mod metadata;
pub mod par;
pub mod revoke;
pub mod token;
pub mod userinfo;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, patch, post};

use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// Every endpoint of the session API.
pub(crate) fn router() -> Router<Arc<Gateway>> {
    Router::new()
        .route(crate::edge::own::METADATA[0], get(metadata::handle))
        .route(crate::edge::own::METADATA[1], get(metadata::openid))
        .route("/oauth/jwks.json", get(metadata::no_keys))
        .route("/oauth/authorize", get(authorize::handle).post(authorize::allowed))
        .route("/oauth/callback", get(callback::handle))
        .route("/oauth/callback/{provider}", get(callback::handle))
        .route("/oauth/device_authorization", post(device::handle))
        .route("/oauth/device", get(device::page).post(device::decided))
        .route("/oauth/par", post(par::handle))
        .route("/oauth/token", post(token::handle))
        .route("/oauth/revoke", post(revoke::handle))
        .route("/oauth/introspect", post(introspect::handle))
        .route("/oauth/logout", get(logout::handle))
        .route("/oauth/signed-out", get(logout::signed_out))
        .route("/oauth/userinfo", get(userinfo::handle).post(userinfo::handle))
        .route("/session/v1/me", get(me::handle))
        .route("/session/v1/step-up", get(me::step_up))
        .route("/session/v1/session", axum::routing::delete(devices::end_own))
        .route("/session/v1/devices", get(devices::list))
        .route("/session/v1/devices/{id}", patch(devices::rename).delete(devices::end_one))
        .fallback(|| async { Refusal::NotFound })
        .method_not_allowed_fallback(|| async {
            Refusal::MethodNotAllowed { allow: http::HeaderValue::from_static("GET, POST, PATCH, DELETE") }
        })
}
