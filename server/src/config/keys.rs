//! The names of keys: which section each belongs to, and which was meant by a misspelt one.

/// How near a name must be to be offered.
const NEAR: f64 = 0.8;

/// Every section with its keys. The readers decide what is taken; a test holds that this says the same.
pub(super) const SECTIONS: &[(&str, &[&str])] = &[
    (
        "[server]",
        &[
            "listen",
            "management",
            "workers",
            "drain_secs",
            "cached_sessions",
            "max_connections",
            "head_timeout_secs",
            "body_idle_timeout_secs",
            "keep_alive_secs",
            "trusted_proxies",
            "forwarded_header",
            "proxy_protocol",
            "forward_auth_secret",
            "tls",
        ],
    ),
    ("[server.tls]", &["min_version", "handshake_timeout_ms", "max_handshakes", "reload_secs", "certificates"]),
    ("[[server.tls.certificates]]", &["cert", "key"]),
    ("[store]", &["url", "witness", "keep_ended_days", "reread_secs", "pool_size", "tls", "tls_ca"]),
    ("[keys]", &["root"]),
    ("[log]", &["format", "filter"]),
    ("[limits]", &["address", "session", "machine", "login", "refused"]),
    (
        "[providers.ID]",
        &[
            "issuer",
            "preset",
            "kind",
            "authorization_endpoint",
            "token_endpoint",
            "userinfo_endpoint",
            "emails_endpoint",
            "subject",
            "name",
            "mail_domains",
            "callback",
            "clock_skew_secs",
            "refresh_reuse",
            "timeout_secs",
            "id_token_hint",
            "logout_redirect_parameter",
            "ca",
            "proxy",
            "claims",
            "registrations",
        ],
    ),
    (
        "[providers.ID.registrations.ID]",
        &[
            "client_id",
            "client_secret",
            "client_auth",
            "private_key",
            "private_key_id",
            "scopes",
            "extra_authorize",
            "login_parameters",
            "response_mode",
            "userinfo",
        ],
    ),
    (
        "[clients.ID]",
        &[
            "kind",
            "name",
            "logo",
            "colour",
            "tenant",
            "registrations",
            "same_site",
            "absolute_secs",
            "idle_secs",
            "step_up_grace_secs",
            "recent_login_secs",
            "max_sessions",
            "when_full",
            "return_urls",
            "trusted_origins",
            "post_logout_path",
            "limit",
        ],
    ),
    (
        "[clients.ID] of a mobile app",
        &[
            "kind",
            "name",
            "tenant",
            "registrations",
            "issuer_site",
            "sites",
            "redirect_uris",
            "post_logout_redirect_uris",
            "access_secs",
            "absolute_secs",
            "idle_secs",
            "max_sessions",
            "when_full",
            "dpop",
            "device_grant",
            "introspection_secret",
            "limit",
        ],
    ),
    ("[sites.ID]", &["origin", "client", "base_path", "diagnostics"]),
    (
        "[upstreams.ID]",
        &[
            "url",
            "connect_timeout_ms",
            "response_timeout_ms",
            "idle_timeout_ms",
            "allow_plain_http",
            "ca",
            "client_cert",
            "client_key",
            "pins",
        ],
    ),
    (
        "[machines.ID]",
        &[
            "issuer",
            "audience",
            "scopes",
            "subject",
            "jwks_uri",
            "algorithms",
            "introspection_endpoint",
            "client_id",
            "client_auth",
            "client_secret",
        ],
    ),
    (
        "[policies.ID]",
        &[
            "scopes",
            "role_claim",
            "group_claim",
            "roles",
            "groups",
            "providers",
            "machines",
            "acr",
            "claims",
            "mail_domains",
            "tenant",
            "max_age_secs",
            "networks",
            "any",
        ],
    ),
    (
        "[[routes]]",
        &[
            "site",
            "forward_auth",
            "folder",
            "upstream",
            "path",
            "methods",
            "kind",
            "forms",
            "csrf_on_get",
            "documents",
            "token",
            "access",
            "callers",
            "policy",
            "body_limit_bytes",
            "limit",
        ],
    ),
    ("[admin]", &["site", "role_claim", "tenant_claim", "roles", "owners", "recent_login_secs"]),
];

/// The section of a key that has only one.
pub(super) fn home(key: &str) -> Option<&'static str> {
    let mut homes = SECTIONS.iter().filter(|(_, keys)| keys.contains(&key)).map(|(section, _)| *section);
    // A client's keys are at home with clients, of whatever kind.
    homes.next().filter(|first| homes.all(|other| other.starts_with(first)))
}

/// The name that was meant, if one is near enough.
pub(super) fn nearest<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let text = text.to_lowercase().replace('-', "_");
    let near = known.map(|known| (strsim::jaro_winkler(&known.replace('-', "_"), &text), known));
    near.filter(|(near, _)| *near >= NEAR).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u24_near_names_are_offered_and_far_ones_are_not() {
        let known = ["listen", "management", "workers", "drain_secs", "idle_secs", "path", "site", "kind"];
        let cases = [
            ("lisen", Some("listen")),
            ("Listen", Some("listen")),
            ("drain_seconds", Some("drain_secs")),
            ("idle-secs", Some("idle_secs")),
            ("worker", Some("workers")),
            ("port", None),
            ("tls", None),
            ("zzzz", None),
        ];
        for (text, expected) in cases {
            assert_eq!(nearest(text, known.into_iter()), expected, "{text}");
        }
        assert_eq!(home("extra_authorize"), Some("[providers.ID.registrations.ID]"));
        assert_eq!(home("url"), None, "of two sections");
    }
}
