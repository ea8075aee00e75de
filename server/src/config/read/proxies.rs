//! What `[server]` says of the proxies in front of the gateway.

use cloakroom_core::policy::Network;

use crate::config::mask::quoted;
use crate::config::reader::Reader;
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
