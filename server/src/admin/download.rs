//! Files taken out: first a ticket, by a POST; then the download, which a plain link can do: once, by the session that
//! asked, within a minute.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures_util::stream::Stream;
use http::{HeaderValue, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use cloakroom_api::ExportTicket;
use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::sha256;
use cloakroom_core::vault::ring::Purpose;

use super::Administrator;
use crate::edge::page;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// How long a ticket is good for.
const TICKET_SECS: i64 = 60;

/// What a ticket carries, sealed.
#[derive(Serialize, Deserialize)]
struct Sealed<T> {
    what: T,
    expires_at: UnixMs,
}

/// A ticket belongs to one kind of file, and to whoever asked for it.
fn owner<'a>(admin: &'a Administrator, kind: &'a str) -> [&'a [u8]; 2] {
    [kind.as_bytes(), admin.bound()]
}

/// A ticket for `what`, to be fetched at `path`, a slash and the ticket.
pub(super) fn ticket(
    gateway: &Gateway,
    admin: &Administrator,
    kind: &str,
    path: &str,
    what: impl Serialize,
) -> Result<ExportTicket, Refusal> {
    let expires_at = gateway.now().plus_secs(TICKET_SECS);
    let plain = serde_json::to_vec(&Sealed { what, expires_at }).map_err(|_| Refusal::Broken)?;
    let ring = gateway.sessions.vault().ring();
    let sealed = ring.seal(Purpose::Download, &owner(admin, kind), &plain, &*gateway.random);
    let path = format!("/admin/api/v1{path}/{}", URL_SAFE_NO_PAD.encode(sealed));
    Ok(ExportTicket { path, expires_at: expires_at.rfc3339() })
}

/// Uses a ticket up; what it was for.
///
/// # Errors
/// [`Refusal::NotFound`] for one of another session or kind, a used one and an expired one; or as the store's.
pub(super) async fn redeem<T: DeserializeOwned>(
    gateway: &Gateway,
    admin: &Administrator,
    kind: &str,
    ticket: &str,
) -> Result<T, Refusal> {
    let open = || {
        let sealed = URL_SAFE_NO_PAD.decode(ticket).ok()?;
        let ring = gateway.sessions.vault().ring();
        let plain = ring.open_sealed(Purpose::Download, &owner(admin, kind), &sealed).ok()?;
        serde_json::from_slice::<Sealed<T>>(&plain).ok()
    };
    let Sealed { what, expires_at } = open().ok_or(Refusal::NotFound)?;
    let now = gateway.now();
    if now >= expires_at || !gateway.sessions.store().use_once(sha256(ticket.as_bytes()), expires_at, now).await? {
        return Err(Refusal::NotFound);
    }
    Ok(what)
}

/// A file as it comes.
pub(super) fn file(
    content_type: &'static str,
    disposition: &'static str,
    pieces: impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static,
) -> Response {
    let mut response = Response::new(axum::body::Body::from_stream(pieces));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(disposition));
    page::harden(response.headers_mut());
    response
}
