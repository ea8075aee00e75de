//! What `[server]` says of the proxies in front of the gateway.

use cloakroom_core::policy::Network;
use secrecy::SecretString;

use super::Outside;
use crate::config::mask::quoted;
use crate::config::reader::Reader;
use crate::config::secret::{self, Use};
use crate::edge::forwarded::{ForwardedHeader, TrustedProxies};

pub(super) fn proxies(reader: &Reader<'_>) -> TrustedProxies {
    let mut networks = Vec::new();
    for found in reader.texts("trusted_proxies").unwrap_or_default() {
        match Network::parse(found.value) {
            Ok(network) => networks.push(network),
            Err(why) => {
                let what = format!("{} in {} {why}", quoted(found.value), reader.name("trusted_proxies"));
                reader.wrong(&found.place, what, "allowed: addresses and networks, such as \"10.0.0.0/8\" or \"::1\"");
            }
        }
        if found.value.ends_with("/0") {
            let what = "server.trusted_proxies trusts everybody, so every caller can choose the address that counts";
            reader.warn(&found.place, what, "name the networks of your proxies");
        }
    }
    let headers = [("x-forwarded-for", ForwardedHeader::XForwardedFor), ("forwarded", ForwardedHeader::Forwarded)];
    let header = reader.one_of("forwarded_header", &headers, ForwardedHeader::default());
    let proxy_protocol = reader.flag("proxy_protocol");
    let needy = [
        ("forwarded_header", reader.has("forwarded_header"), &header.place),
        ("proxy_protocol", proxy_protocol.value, &proxy_protocol.place),
    ];
    for (key, _, place) in needy.into_iter().filter(|(_, set, _)| *set && !reader.has("trusted_proxies")) {
        let what = format!("server.{key} changes nothing without server.trusted_proxies");
        reader.clash(place, what, "name the networks of your proxies: trusted_proxies = [\"10.0.0.0/8\"]");
    }
    TrustedProxies { networks, header: header.value, proxy_protocol: proxy_protocol.value }
}

/// What a proxy shows that asks before it forwards by itself. It must be a trusted one, for it tells of others'
/// requests (S1), and must not hide its own address behind theirs.
pub(super) fn forward_auth(
    reader: &Reader<'_>,
    proxies: &TrustedProxies,
    outside: &Outside<'_>,
) -> Option<SecretString> {
    let found = reader.text("forward_auth_secret")?;
    if proxies.networks.is_empty() && !reader.has("trusted_proxies") {
        let what = "server.forward_auth_secret changes nothing without server.trusted_proxies: nobody may ask";
        reader.clash(&found.place, what, "name the networks of your proxies: trusted_proxies = [\"10.0.0.0/8\"]");
    }
    if proxies.proxy_protocol {
        let what = "server.forward_auth_secret does not go with server.proxy_protocol: every question would seem to come from the caller";
        reader.clash(&found.place, what, "leave one of them out");
    }
    match secret::resolve(found.value, Use::ClientSecret, outside) {
        Ok(read) => Some(read.text),
        Err(told) => {
            reader.wrong(&found.place, format!("{}: {}", reader.name("forward_auth_secret"), told.what), told.help);
            None
        }
    }
}
