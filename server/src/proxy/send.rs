//! Sends one permitted request upstream and brings the answer back. Nothing is sent without a [`Permit`].

use std::net::IpAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Response};
use hyper::body::{Body as _, Incoming};

use cloakroom_core::policy::{Access, Permit};

use super::hygiene::{self, Forward};
use super::route::{Route, Target};
use super::upgrade::{self, Asked};
use super::upstream::body::Watch;
use super::upstream::exchange::{RequestBody, exchange};
use crate::edge::body::Body;
use crate::edge::client::Site;
use crate::edge::connection::Connection;
use crate::edge::problem::Refusal;
use crate::edge::worker::Worker;

/// What is known of a call when it is sent.
#[derive(Debug)]
pub(crate) struct Call<'a> {
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
    /// The WebSocket handshake that it is, if it is one.
    pub handshake: Option<Asked>,
}

/// Sends it.
///
/// # Errors
/// [`Refusal::BodyTooLong`] and [`Refusal::Upstream`].
pub(crate) async fn send(
    connection: &Connection,
    call: Call<'_>,
    parts: &Parts,
    body: Incoming,
) -> Result<Response<Body>, Refusal> {
    let Call { permit, site, route, peer, id, authorization, handshake } = call;
    let worker = &connection.worker;
    let upstream = match &route.to {
        Target::Upstream(upstream) => upstream,
        Target::Folder(folder) => {
            let mut response = folder.serve(parts).await?;
            hygiene::finish(response.headers_mut(), route.rule.access == Access::SignedIn, route.documents);
            return Ok(response);
        }
        Target::Outside => return Err(Refusal::NotFound),
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
        websocket: handshake.is_some(),
    };
    let write_head = |out: &mut Vec<u8>| hygiene::write_head(out, parts, &forward);
    let mut response = if let Some(asked) = handshake {
        upgrade::switch(connection, upstream, asked, watch(&permit, worker), write_head).await?
    } else {
        let (head, body) = exchange(&worker.pool, upstream, &parts.method, write_head, body).await?;
        head.response(body)
    };
    if let Body::Upstream(stream) = response.body_mut()
        && let Some(watch) = watch(&permit, worker)
    {
        stream.only_while(watch);
    }
    hygiene::finish(response.headers_mut(), authorization.is_some(), route.documents);
    Ok(response)
}

/// Says whether what was permitted still is: the session lives, the machine's token is good (P11).
fn watch(permit: &Permit, worker: &Worker) -> Option<Watch> {
    let gateway = Arc::clone(&worker.gateway);
    if let Some(live) = permit.session() {
        let live = Arc::clone(live);
        return Some(Box::new(move || live.may_go_on(gateway.now())));
    }
    let ends = permit.machine()?.expires_at?;
    Some(Box::new(move || gateway.now() < ends))
}
