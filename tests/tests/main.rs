//! Black-box stories about the real binary, by room. Each name begins with the rule it holds (docs/attacks.md).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a story fails by a panic; helpers of stories are not marked as tests themselves"
)]
#![expect(clippy::disallowed_methods, reason = "the bans keep time, tasks and the environment out of the gateway")]

mod admin;
mod audit;
mod break_glass;
mod conformance;
mod cross_site;
mod demo;
mod devices;
mod events;
mod faults;
mod first_day;
mod folder;
mod forward_auth;
mod harness;
mod locks;
mod login;
mod logout;
mod looks;
mod mobile;
mod moving;
mod nodes;
mod operation;
mod pages;
mod policies;
mod postgres;
mod providers;
mod proxy;
mod refresh;
mod remote;
mod revocations;
mod session;
mod store;
mod tls;
