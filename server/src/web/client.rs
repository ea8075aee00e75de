//! `GET /bff/client.js`: a small helper for web apps, and its types. No dependency, no build step.

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};

use crate::edge::page;

/// The module, an ES module.
const MODULE: &str = include_str!("client/client.js");
/// Its types, for TypeScript.
const TYPES: &str = include_str!("client/client.d.ts");

pub(crate) async fn module() -> Response {
    file("text/javascript; charset=utf-8", MODULE)
}

pub(crate) async fn types() -> Response {
    file("application/typescript; charset=utf-8", TYPES)
}

/// The same for everybody, but of this version: asked for again after five minutes.
fn file(kind: &'static str, text: &'static str) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    page::harden(headers);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
