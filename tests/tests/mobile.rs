//! Mobile apps: codes, session tokens, refreshes, and who tries to get at them.

mod clients;
mod code;
mod conformance;
mod device;
mod dpop;
mod limits;
mod session;
mod sign_out;
mod tokens;

use cloakroom_tests::{Answer, Gateway, Setup};

async fn gateway() -> Gateway {
    Setup::default().phone("").start().await
}

/// An OAuth error as clients read it.
#[track_caller]
fn assert_error(what: &str, answer: Answer, status: u16, error: &str) {
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}: {answer:?}");
    let body = answer.expect(status).json();
    assert_eq!(body["error"], error, "{what}: {body}");
    assert!(body["error_description"].is_string(), "{what}: {body}");
}
