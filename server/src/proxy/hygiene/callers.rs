//! Which of a caller's headers may reach an upstream.

/// Whether a header may go on. Three kinds do not: what is for this hop alone or is written anew; what a proxy vouches
/// for a caller with, which a caller could forge (P1); what makes of a request another one (P6).
///
/// A name of anything but letters, digits and `-` never goes on, as with nginx: many servers read `_`, `.` and `-` as
/// the same, and no registered header needs the others. (`http` has made names lower-case.)
pub(super) fn is_forwarded(name: &str) -> bool {
    // By the first letter before anything is compared: most headers leave after one look.
    let bytes = name.as_bytes();
    let dropped = match bytes.first() {
        Some(b'a') => name.starts_with("auth"),
        Some(b'c') => {
            matches!(name, "cookie" | "cookie2" | "connection" | "content-length") || starts(name, &["client-", "cf-"])
        }
        Some(b'd') => name == "dpop",
        Some(b'e') => name == "expect",
        Some(b'f') => name == "front-end-https" || starts(name, &["forwarded", "fastly-"]),
        Some(b'h') => matches!(name, "host" | "http2-settings"),
        Some(b'i') => starts(name, &["iv-", "incap-"]),
        Some(b'k') => name == "keep-alive",
        Some(b'o') => name.starts_with("oidc-"),
        Some(b'p') => name == "proxy" || name.starts_with("proxy-"),
        Some(b'r') => name.starts_with("remote-"),
        Some(b's') => matches!(name, "script-name" | "service-worker") || starts(name, &["ssl-", "sm-"]),
        Some(b't') => {
            // `traceparent` is checked and written by itself.
            matches!(name, "te" | "trailer" | "transfer-encoding" | "traceparent" | "true-client-ip")
                || name.starts_with("tailscale-")
        }
        Some(b'u') => {
            matches!(name, "upgrade" | "user" | "username") || name.starts_with("user-") && name != "user-agent"
        }
        Some(b'w') => name.starts_with("webauth"),
        Some(b'x') => is_forgeable_x(name),
        _ => false,
    };
    !dropped && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
}

fn starts(name: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// `x-` headers by which gateways and single sign-on products vouch for callers, rewrite targets, name files to send, or
/// override methods.
fn is_forgeable_x(name: &str) -> bool {
    match name.as_bytes().get(2) {
        Some(b'a') => {
            name == "x-access-token"
                || starts(
                    name,
                    &["x-auth", "x-accel-", "x-amzn-oidc-", "x-anonymous-", "x-apigateway-", "x-appengine-", "x-arr-"],
                )
        }
        Some(b'c') => {
            let harmless = matches!(name, "x-client-data" | "x-client-info" | "x-client-version");
            name == "x-csrf" || starts(name, &["x-client", "x-cluster-", "x-consumer-", "x-credential-"]) && !harmless
        }
        Some(b'e') => starts(name, &["x-email", "x-envoy-", "x-endpoint-api-"]),
        Some(b'f') => name.starts_with("x-forward"),
        Some(b'g') => starts(name, &["x-group", "x-goog-authenticated", "x-goog-iap-"]),
        Some(b'h') => name == "x-host" || name.starts_with("x-http-"),
        Some(b'i') => name == "x-id-token" || starts(name, &["x-identity", "x-iv-"]),
        Some(b'j') => name.starts_with("x-jwt"),
        Some(b'l') => name.starts_with("x-ldap"),
        Some(b'm') => starts(name, &["x-method", "x-middleware-", "x-ms-client-principal", "x-ms-token-"]),
        Some(b'o') => name.starts_with("x-origin"),
        Some(b'p') => matches!(name, "x-port" | "x-proto") || starts(name, &["x-proxy", "x-pomerium-", "x-principal"]),
        Some(b'r') => {
            matches!(name, "x-real-ip" | "x-request-id") || starts(name, &["x-remote", "x-rewrite", "x-role"])
        }
        Some(b's') => {
            matches!(name, "x-scheme" | "x-script-name") || starts(name, &["x-ssl", "x-sso", "x-saml", "x-sendfile"])
        }
        Some(b't') => matches!(name, "x-token" | "x-true-client-ip") || name.starts_with("x-tls-"),
        Some(b'u') => name == "x-url-scheme" || name.starts_with("x-user") && name != "x-user-agent",
        Some(b'v') => name.starts_with("x-vouch-"),
        Some(b'w') => name.starts_with("x-webauth"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What proxies, gateways and single sign-on products are known to trust.
    const FORGEABLE: &[&str] = &[
        "authorization",
        "auth-user",
        "cf-access-authenticated-user-email",
        "cf-connecting-ip",
        "client-cert",
        "client-cert-chain",
        "client-ip",
        "cookie",
        "dpop",
        "fastly-client-ip",
        "forwarded",
        "front-end-https",
        "iv-groups",
        "iv-user",
        "oidc-claim-sub",
        "proxy",
        "proxy-authorization",
        "remote-addr",
        "remote-groups",
        "remote-user",
        "script-name",
        "sm-user",
        "ssl-client-cert",
        "ssl-client-verify",
        "tailscale-user-login",
        "true-client-ip",
        "user",
        "webauth-user",
        "x-accel-mapping",
        "x-access-token",
        "x-amzn-oidc-data",
        "x-appengine-user-email",
        "x-arr-clientcert",
        "x-auth-request-email",
        "x-auth-request-user",
        "x-authenticated-userid",
        "x-authentik-username",
        "x-client-cert",
        "x-client-ip",
        "x-client-verify",
        "x-cluster-client-ip",
        "x-consumer-username",
        "x-credential-identifier",
        "x-csrf",
        "x-email",
        "x-endpoint-api-userinfo",
        "x-envoy-external-address",
        "x-envoy-original-path",
        "x-forwarded-access-token",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-preferred-username",
        "x-forwarded-prefix",
        "x-forwarded-proto",
        "x-forwarded-user",
        "x-goog-authenticated-user-email",
        "x-goog-iap-jwt-assertion",
        "x-groups",
        "x-host",
        "x-http-method",
        "x-http-method-override",
        "x-id-token",
        "x-jwt-assertion",
        "x-method-override",
        "x-middleware-subrequest",
        "x-ms-client-principal-name",
        "x-ms-token-aad-access-token",
        "x-original-host",
        "x-original-method",
        "x-original-uri",
        "x-original-url",
        "x-originating-ip",
        "x-pomerium-jwt-assertion",
        "x-proxy-user",
        "x-real-ip",
        "x-remote-addr",
        "x-remote-group",
        "x-remote-user",
        "x-request-id",
        "x-rewrite-url",
        "x-roles",
        "x-scheme",
        "x-script-name",
        "x-sendfile-type",
        "x-ssl-client-s-dn",
        "x-tls-client-cert",
        "x-token",
        "x-true-client-ip",
        "x-url-scheme",
        "x-user",
        "x-user-id",
        "x-userinfo",
        "x-username",
        "x-vouch-user",
        "x-webauth-user",
    ];

    #[test]
    fn p01_p06_what_a_caller_could_forge_stays_here_in_every_spelling() {
        for name in FORGEABLE {
            assert!(!is_forwarded(name), "{name}");
            for other in ["_", "."] {
                let spelling = name.replace('-', other);
                assert!(!name.contains('-') || !is_forwarded(&spelling), "{spelling}");
            }
        }
    }

    #[test]
    fn p03_what_is_for_this_hop_alone_stays_here() {
        let hop = [
            "connection",
            "content-length",
            "cookie2",
            "expect",
            "host",
            "http2-settings",
            "keep-alive",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
        ];
        for name in hop {
            assert!(!is_forwarded(name), "{name}");
        }
    }

    #[test]
    fn p01_ordinary_headers_go_on() {
        let ordinary = [
            "accept",
            "accept-encoding",
            "accept-language",
            "access-control-request-method",
            "baggage",
            "cache-control",
            "content-encoding",
            "content-language",
            "content-type",
            "date",
            "dnt",
            "etag",
            "if-match",
            "if-modified-since",
            "if-none-match",
            "if-range",
            "last-event-id",
            "max-forwards",
            "origin",
            "pragma",
            "prefer",
            "priority",
            "range",
            "referer",
            "sec-ch-ua",
            "sec-fetch-dest",
            "sec-fetch-site",
            "tracestate",
            "upgrade-insecure-requests",
            "user-agent",
            "via",
            "x-api-key",
            "x-client-info",
            "x-csrf-token",
            "x-grpc-web",
            "x-requested-with",
            "x-tenant-id",
            "x-user-agent",
            "x-xsrf-token",
        ];
        for name in ordinary {
            assert!(is_forwarded(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn p01_f08_only_letters_digits_and_hyphens_go_on(name in "[a-z0-9!#$%&'*+.^_`|~-]{1,24}") {
            if is_forwarded(&name) {
                prop_assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
            }
        }
    }
}
