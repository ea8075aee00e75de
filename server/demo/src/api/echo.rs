//! `/api/echo`: the request as it arrived here. The `authorization` header is shown as it is: that
//! the token arrives and the cookie does not is the point of the demo.

use std::sync::Arc;

use axum::{Json, body::Body, extract::State, response::IntoResponse as _, response::Response};
use futures_util::StreamExt as _;
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Map, Value, json};

use super::{Api, problem::problem};

pub(super) async fn echo(State(api): State<Arc<Api>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let Some(body_bytes) = length(body).await else {
        return problem(StatusCode::BAD_REQUEST, "the body broke off");
    };
    let echo = json!({
        "method": parts.method.as_str(),
        "path": parts.uri.path(),
        "query": parts.uri.query(),
        "headers": headers(&parts.headers),
        "body_bytes": body_bytes,
        "token": token(&api, &parts.headers),
    });
    Json(echo).into_response()
}

/// A header sent once is a string, one sent several times an array in the order of arrival.
fn headers(map: &HeaderMap) -> Map<String, Value> {
    let text = |bytes: &[u8]| Value::String(String::from_utf8_lossy(bytes).into_owned());
    map.keys()
        .map(|name| {
            let mut values: Vec<Value> = map.get_all(name).iter().map(|value| text(value.as_bytes())).collect();
            let shown = match values.len() {
                1 => values.remove(0),
                _ => Value::Array(values),
            };
            (name.as_str().to_owned(), shown)
        })
        .collect()
}

fn token(api: &Api, headers: &HeaderMap) -> Value {
    match api.tokens.verify_bearer(headers) {
        Ok(token) => json!({
            "valid": true,
            "sub": token.sub,
            "jti": token.jti,
            "exp": token.exp,
            "expires_in": api.tokens.expires_in_secs(&token),
        }),
        Err(error) => json!({ "valid": false, "reason": error.to_string() }),
    }
}

/// Reads the body through without keeping it, however large it is.
async fn length(body: Body) -> Option<u64> {
    let mut bytes: u64 = 0;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        bytes = bytes.saturating_add(u64::try_from(chunk.ok()?.len()).ok()?);
    }
    Some(bytes)
}
