//! `GET /api/slow?ms=N`: ten lines spread over N milliseconds, to see an answer stream through.

use std::time::Duration;

use axum::{
    body::Body,
    extract::RawQuery,
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use http::{StatusCode, header::CONTENT_TYPE};
use url::form_urlencoded;

use super::problem::problem;

const LINES: u32 = 10;
const DEFAULT_MS: u64 = 1000;
const LIMIT_MS: u64 = 60_000;

pub(super) async fn slow(RawQuery(query): RawQuery) -> Response {
    let Some(total) = total(query.as_deref().unwrap_or_default()) else {
        return problem(StatusCode::BAD_REQUEST, "ms is a number from 0 to 60000");
    };
    let lines = stream::unfold(1, move |line| async move {
        if line > LINES {
            return None;
        }
        tokio::time::sleep(total / LINES).await;
        let text = format!("line {line} of {LINES}\n");
        Some((Ok::<_, std::convert::Infallible>(text), line + 1))
    });
    let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
    (headers, Body::from_stream(lines)).into_response()
}

fn total(query: &str) -> Option<Duration> {
    let ms = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "ms")
        .map_or(Some(DEFAULT_MS), |(_, value)| value.parse().ok())?;
    (ms <= LIMIT_MS).then(|| Duration::from_millis(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_bounded() {
        assert_eq!(total(""), Some(Duration::from_secs(1)));
        assert_eq!(total("ms=250"), Some(Duration::from_millis(250)));
        for bad in ["ms=", "ms=-1", "ms=1e3", "ms=60001", "ms=99999999999999999999"] {
            assert_eq!(total(bad), None, "{bad}");
        }
    }
}
