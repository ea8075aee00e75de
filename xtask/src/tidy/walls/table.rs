//! The walls and their doors. This is the page to read and to change.

/// Files under `inside` must not mention `banned`.
pub(super) struct Wall {
    pub(super) rule: &'static str,
    /// Where it stands: a folder and the file that names it (`a/b` is `a/b.rs` and `a/b/…`). Empty: everywhere.
    pub(super) inside: &'static str,
    /// Rooms to which it does not apply, named as above.
    pub(super) but: &'static [&'static str],
    /// Paths by their beginning, or a dependency's name in a manifest. `crate::` is the crate of the file.
    pub(super) banned: &'static [&'static str],
    pub(super) instead: &'static str,
}

/// A place where a wall has a door. One that nobody uses is a finding too.
pub(super) struct Door {
    pub(super) file: &'static str,
    pub(super) banned: &'static str,
    pub(super) reason: &'static str,
}

pub(super) const DOORS: [Door; 2] = [
    Door { file: "server/src/config/load.rs", banned: "std::env", reason: "reads the environment, once, for all" },
    Door { file: "server/src/outbound.rs", banned: "reqwest", reason: "implements core::http, with its limits" },
];

const MEET: &str = "web, mobile, admin and proxy meet in core and edge: move there what both need";
const KEYS: &str = "only core/vault sees key bytes: ask it to seal, open or derive";

pub(super) const WALLS: [Wall; 14] = [
    Wall {
        rule: "wall-rooms",
        inside: "server/src/web",
        but: &[],
        banned: &["crate::admin", "crate::proxy", "crate::mobile"],
        instead: MEET,
    },
    Wall {
        rule: "wall-rooms",
        inside: "server/src/mobile",
        but: &[],
        banned: &["crate::admin", "crate::proxy", "crate::web"],
        instead: MEET,
    },
    Wall {
        rule: "wall-rooms",
        inside: "server/src/admin",
        but: &[],
        banned: &["crate::web", "crate::proxy", "crate::mobile"],
        instead: MEET,
    },
    Wall {
        rule: "wall-rooms",
        inside: "server/src/proxy",
        but: &[],
        banned: &["crate::web", "crate::admin", "crate::mobile"],
        instead: MEET,
    },
    Wall {
        rule: "wall-core",
        inside: "server/core",
        but: &[],
        banned: &[
            "axum",
            "hyper",
            "hyper-util",
            "hyper_util",
            "reqwest",
            "redis",
            "socket2",
            "tokio::fs",
            "tokio::net",
            "tokio::process",
            "std::fs",
            "std::net::TcpListener",
            "std::net::TcpStream",
            "std::net::UdpSocket",
        ],
        instead: "the domain knows no framework, no file and no socket: take a trait as an argument",
    },
    Wall {
        rule: "wall-sql",
        inside: "",
        but: &["Cargo.toml", "server/store", "tests"],
        banned: &["sqlx"],
        instead: "store alone speaks SQL: add a unit of work to core's store trait",
    },
    Wall {
        rule: "wall-demo",
        inside: "server/demo",
        but: &[],
        banned: &["cloakroom_core", "cloakroom-core", "cloakroom_store", "cloakroom-store"],
        instead: "the demo stands outside the gateway, as a provider and an API would",
    },
    Wall {
        rule: "wall-keys",
        inside: "server",
        but: &["server/core/src/vault"],
        banned: &["aws_lc_rs::aead", "cookie::Key"],
        instead: KEYS,
    },
    Wall {
        rule: "wall-environment",
        inside: "server/src",
        but: &[],
        banned: &["std::env"],
        instead: "the environment is read in config/load.rs alone: pass the value in",
    },
    Wall {
        rule: "wall-outbound",
        inside: "server/src",
        but: &[],
        banned: &["reqwest"],
        instead: "outbound calls go through core::http",
    },
    Wall {
        rule: "wall-ui",
        inside: "frontend/src/ui",
        but: &[],
        banned: &["crate::api", "crate::domain", "cloakroom_api"],
        instead: "ui knows neither the API nor the domain: pass plain values in, or move it to domain",
    },
    Wall {
        rule: "wall-fetch",
        inside: "frontend/src",
        but: &["frontend/src/api"],
        banned: &[
            "gloo_net",
            "fetch_with_request",
            "fetch_with_request_and_init",
            "fetch_with_str",
            "fetch_with_str_and_init",
            "web_sys::EventSource",
            "web_sys::Request",
            "web_sys::WebSocket",
            "web_sys::XmlHttpRequest",
        ],
        instead: "only api fetches: it knows the anti-forgery header and what a 401 means",
    },
    Wall {
        rule: "wall-tasks",
        inside: "frontend/src",
        but: &["frontend/src/state/spawn"],
        banned: &["leptos::task", "wasm_bindgen_futures::spawn_local"],
        instead: "tasks start in state::spawn::scoped: they end with their view, and read no signal of one that is gone",
    },
    Wall {
        rule: "wall-api",
        inside: "api",
        but: &[],
        banned: &["axum", "cloakroom-core", "leptos", "sqlx", "tokio"],
        instead: "wire types are shared with WebAssembly: serde only",
    },
];

/// Crates that no manifest of ours names.
pub(super) const CRATES: [(&str, &str); 3] = [
    ("native-tls", "TLS is rustls over aws-lc-rs, one provider of cryptography for all"),
    ("openssl", "cryptography is aws-lc-rs, one provider for all"),
    ("ring", "cryptography is aws-lc-rs, one provider for all"),
];
