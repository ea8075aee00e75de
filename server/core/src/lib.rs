//! The domain: sessions, OpenID Connect, vault, policy, audit. No axum, no SQL, no sockets.
