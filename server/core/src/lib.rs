//! Cloakroom's domain: sessions, OpenID Connect, vault, policy, audit.
//!
//! Knows no HTTP framework, no SQL and no socket: time, randomness, outbound HTTP and storage come in
//! as [`clock::Clock`], [`random::Random`], [`http::HttpClient`] and [`store::Store`].
#![forbid(unsafe_code)]

pub mod accounts;
pub mod audit;
pub mod clock;
pub mod dpop;
pub mod figures;
pub mod grant;
pub mod http;
pub mod identity;
pub mod keys;
pub mod machine;
pub mod oidc;
pub mod policy;
pub mod random;
pub mod rate;
pub mod session;
pub mod store;
pub mod vault;
