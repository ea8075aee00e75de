//! Sends one permitted request upstream and brings the answer back. Nothing is sent without a [`Permit`].

use std::net::IpAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Response};
use hyper::body::{Body as _, Incoming};

use cloakroom_core::policy::{Access, Permit};

use super::hygiene::{self, Forward};
use super::route::{Route, Target};
use super::upstream::exchange::{RequestBody, exchange};
use crate::edge::body::Body;
use crate::edge::client::Site;
use crate::edge::problem::Refusal;
use crate::edge::worker::Worker;

/// What is known of a call when it is sent.
#[derive(Debug)]
pub struct Call<'a> {
    /// The right to send it.
    pub permit: Permit,
    /// The site that was called.
    pub site: &'a Site,
    /// The route.
    pub route: &'a Route,
    /// The caller's address.
    pub peer: IpAddr,
    /// The call's id.
    pub id: &'a [u8; 32],
    /// `Bearer …` of the permit's session, where the route attaches it.
    pub authorization: Option<HeaderValue>,
}

/// Sends it.
///
/// # Errors
/// [`Refusal::BodyTooLong`] and [`Refusal::Upstream`].
pub async fn send(worker: &Worker, call: Call<'_>, parts: &Parts, body: Incoming) -> Result<Response<Body>, Refusal> {
    let Call { permit, site, route, peer, id, authorization } = call;
    let upstream = match &route.to {
        Target::Upstream(upstream) => upstream,
        Target::Folder(folder) => {
            let mut response = folder.serve(parts).await?;
            hygiene::finish(response.headers_mut(), route.rule.access == Access::SignedIn, route.documents);
            return Ok(response);
        }
    };
    let limit = route.body_limit_bytes;
    let (body, body_len) = match body.size_hint().exact() {
        Some(0) => (RequestBody::None, Some(0)),
        Some(length) if length > limit => return Err(Refusal::BodyTooLong { limit }),
        Some(length) => (RequestBody::Known { body, length }, Some(length)),
        None => (RequestBody::Chunked { body, limit }, None),
    };
    let forward = Forward {
        host: upstream.authority.as_bytes(),
        authorization: authorization.as_ref(),
        peer,
        site: (&site.authority, &site.scheme),
        request_id: id,
        body_len,
    };
    let write_head = |out: &mut Vec<u8>| hygiene::write_head(out, parts, &forward);
    let (head, mut body) = exchange(&worker.pool, upstream, &parts.method, write_head, body).await?;
    if let (Body::Upstream(stream), Some(live)) = (&mut body, permit.session()) {
        let (live, gateway) = (Arc::clone(live), Arc::clone(&worker.gateway));
        stream.only_while(move || !live.is_over(gateway.now()));
    }
    if let (Body::Upstream(stream), Some(ends)) = (&mut body, permit.machine().and_then(|machine| machine.expires_at)) {
        let gateway = Arc::clone(&worker.gateway);
        stream.only_while(move || gateway.now() < ends);
    }
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    hygiene::finish(response.headers_mut(), authorization.is_some(), route.documents);
    Ok(response)
}
