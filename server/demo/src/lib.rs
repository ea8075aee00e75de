//! Everything `cloakroom demo` puts around the gateway: an `OpenID` provider, a sample API and a
//! sample web app. Never in the serving path, and never reachable from it: this crate does not
//! depend on the gateway, and only the `demo` command depends on this crate.
//!
//! ```text
//! listening::bind ─> an origin with its port ─> Provider::new ─> provider::router ─> Bound::serve
//!                                                    └─ access_tokens() ─> api::router
//! ```

pub mod api;
pub mod app;
pub mod listening;
pub mod provider;
pub mod sources;
