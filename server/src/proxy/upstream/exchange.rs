//! One request and its answer.

use std::rc::Rc;

use bytes::BytesMut;
use http::{Method, StatusCode};

use super::body::UpstreamBody;
use super::connect::{Stream, connect};
use super::deadline::within;
use super::head::{Framing, Head};
use super::pool::{Connection, Pool};
use super::sending::SMALL_BYTES;
use super::wire::{READ_BYTES, Wire};
use super::{Upstream, UpstreamError};
use crate::edge::body::Body;

pub(crate) use super::sending::RequestBody;

/// Sends a request whose head is written by `write_head` into the connection's buffer, and reads the answer. Dropped
/// half-way, it closes its connection.
///
/// # Errors
/// [`UpstreamError`]; the connection is closed then.
pub(crate) async fn exchange(
    pool: &Rc<Pool>,
    upstream: &Upstream,
    method: &Method,
    write_head: impl Fn(&mut Vec<u8>),
    body: RequestBody,
) -> Result<(Head, Body), UpstreamError> {
    let repeatable = is_repeatable(method);
    let mut connection = match pool.take(upstream.number, repeatable) {
        Some(connection) => connection,
        None => open(pool, upstream).await?,
    };
    write_head(&mut connection.output);
    let mut wire = Wire::new(connection, body);
    let head = match wire.head(pool, upstream, method).await {
        Ok(head) => head,
        // The upstream closed an idle connection as the request went out. It is sent once more, on a new one; never for
        // a method that changes something (P9; RFC 9110 section 9.2.2).
        Err(UpstreamError::Broken(_)) if repeatable && wire.is_stale() => {
            let mut connection = open(pool, upstream).await?;
            write_head(&mut connection.output);
            wire = Wire::new(connection, RequestBody::None);
            wire.head(pool, upstream, method).await?
        }
        Err(error) => return Err(error),
    };
    let body = answer_body(pool, upstream, wire, &head).await?;
    Ok((head, body))
}

/// How an upstream answered a handshake.
#[derive(Debug)]
pub(crate) enum Handshake {
    /// With 101: the stream, and what came behind the answer.
    Switched(Stream, BytesMut),
    /// With another answer.
    Answered(Body),
}

/// Sends a handshake, as [`exchange`] does a request, on a connection of its own.
///
/// # Errors
/// [`UpstreamError`]; the connection is closed then.
pub(crate) async fn handshake(
    pool: &Rc<Pool>,
    upstream: &Upstream,
    write_head: impl Fn(&mut Vec<u8>),
) -> Result<(Head, Handshake), UpstreamError> {
    let mut connection = open(pool, upstream).await?;
    write_head(&mut connection.output);
    let mut wire = Wire::switching(connection);
    let head = wire.head(pool, upstream, &Method::GET).await?;
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        let (stream, input) = wire.into_stream();
        return Ok((head, Handshake::Switched(stream, input)));
    }
    let body = answer_body(pool, upstream, wire, &head).await?;
    Ok((head, Handshake::Answered(body)))
}

fn is_repeatable(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

async fn open(pool: &Rc<Pool>, upstream: &Upstream) -> Result<Connection, UpstreamError> {
    let connecting = connect(upstream, &pool.ticks);
    let stream = within(&pool.ticks, upstream.connect_timeout, connecting).await.ok_or(UpstreamError::Timeout)?;
    Ok(Connection {
        stream: stream.map_err(UpstreamError::Connect)?,
        input: BytesMut::with_capacity(READ_BYTES),
        output: Vec::with_capacity(2 * 1024),
        used: false,
    })
}

/// A small body is read whole, so that it leaves in one write with its head; any other is streamed.
async fn answer_body(pool: &Rc<Pool>, upstream: &Upstream, mut wire: Wire, head: &Head) -> Result<Body, UpstreamError> {
    let length = match head.framing {
        Framing::Length(length) if length <= SMALL_BYTES => usize::try_from(length).unwrap_or(usize::MAX),
        Framing::Length(_) | Framing::Chunked | Framing::Close => {
            return Ok(Body::Upstream(Box::new(UpstreamBody::new(pool, upstream, head, wire))));
        }
    };
    wire.fill(pool, upstream, length).await?;
    let body = wire.input().split_to(length).freeze();
    if head.keep_alive
        && let Some(connection) = wire.into_idle()
    {
        pool.give(upstream.number, connection);
    }
    Ok(Body::full(body))
}
