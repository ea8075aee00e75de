//! The harness of the black-box tests: the released binary as an operator starts it, a certified provider, an API
//! that records what reached it, and a browser that obeys the rules of cookies and fetch metadata.
//!
//! Nothing here links the gateway's code: a story knows only what a browser, an API or an operator can see.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a harness fails its test by a panic, and that is its way to report"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the bans keep time, randomness, tasks and the environment out of the gateway; a test stands outside it"
)]

pub mod adversary;
pub mod browser;
pub mod demo;
pub mod gateway;
pub mod line;
pub mod nginx;
pub mod phone;
pub mod plain;
pub mod postgres;
mod provider;
pub mod relay;
pub mod secure;
pub mod store;
pub mod upstream;
pub mod websocket;
pub mod wire;

pub use adversary::Adversary;
pub use browser::Browser;
pub use gateway::{Gateway, Setup};
pub use nginx::Nginx;
pub use phone::Phone;
pub use provider::Provider;
pub use upstream::{Script, Upstream};
pub use wire::Answer;

use std::path::PathBuf;
use std::time::Duration;

/// The folder of this crate: asked of cargo at run time, since two checkouts may share one folder of build results.
pub fn folder() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()).into()
}

/// The name of the session cookie.
pub const SESSION_COOKIE: &str = "__Host-Http-crs";
/// How the names of login transactions begin.
pub const TRANSACTION_PREFIX: &str = "__Host-Http-crt-";

/// How often a fault is tried: a few times, or by `cargo xtask test --long`, which sets `CLOAKROOM_LONG`, many.
pub fn rounds(few: usize, many: usize) -> usize {
    if std::env::var("CLOAKROOM_LONG").is_ok_and(|value| value == "1") { many } else { few }
}

/// Waits until `check` gives something, for at most ten seconds; `what` names the missing thing in the failure.
pub async fn eventually<T>(what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let until = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(found) = check().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < until, "waited ten seconds for: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
