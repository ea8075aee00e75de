//! Whose word about a caller's address counts. Nobody's by default: a header that says where a call came from is
//! believed only from a configured proxy (U25), and of such a header nothing but the address is read. Scheme and host
//! come from configuration always (S2).

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, header};

use cloakroom_core::policy::Network;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The header in which trusted proxies say where a call came from. The other one is never read: a proxy that sets
/// one of them hands on whatever a caller wrote into the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, to whose end each proxy adds the address that it was called from.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The proxies in front of the gateway.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    /// Where they are; empty: there are none.
    pub networks: Vec<Network>,
    /// How they say where a call came from.
    pub header: ForwardedHeader,
    /// Whether their connections begin with the PROXY protocol.
    pub proxy_protocol: bool,
}

impl TrustedProxies {
    /// Whether an address is a trusted proxy's.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.holds(address))
    }

    /// The address that a call came from: of the connection, or, where that is a trusted proxy's, the one that the
    /// proxies name. Each proxy adds to the list's end, so it is the last one that is no proxy; what stands before it
    /// the caller may have written.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(peer) {
            return peer;
        }
        let named = match self.header {
            ForwardedHeader::XForwardedFor => {
                let lines = headers.get_all(X_FORWARDED_FOR).iter();
                self.walk(lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b',')), address)
            }
            ForwardedHeader::Forwarded => {
                let lines = headers.get_all(header::FORWARDED).iter();
                self.walk(lines.flat_map(|line| outside_quotes(line.as_bytes(), b',')), element)
            }
        };
        named.unwrap_or(peer)
    }

    /// What a walk from the list's end over trusted hops comes to, told in one pass from its beginning: an untrusted hop
    /// hides all before it, an unreadable one is as far as the walk gets.
    fn walk<'a>(&self, hops: impl Iterator<Item = &'a [u8]>, read: fn(&[u8]) -> Option<IpAddr>) -> Option<IpAddr> {
        hops.map(<[u8]>::trim_ascii).filter(|hop| !hop.is_empty()).fold(None, |found, hop| match read(hop) {
            Some(hop) if self.trusts(hop) => found.or(Some(hop)),
            hop => hop,
        })
    }
}

/// An address, with or without brackets and a port.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?;
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let parsed = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    parsed.ok().map(|address: IpAddr| address.to_canonical())
}

/// The address of a forwarded-element (RFC 7239 section 4): its one `for`, unless it is `unknown` or a made-up name.
fn element(text: &[u8]) -> Option<IpAddr> {
    let mut said = outside_quotes(text, b';').filter_map(|pair| {
        let at = memchr::memchr(b'=', pair)?;
        let (name, value) = pair.split_at_checked(at)?;
        name.trim_ascii().eq_ignore_ascii_case(b"for").then_some(value.get(1..)?.trim_ascii())
    });
    let (Some(node), None) = (said.next(), said.next()) else { return None };
    address(node.strip_prefix(b"\"").and_then(|node| node.strip_suffix(b"\"")).unwrap_or(node))
}

/// The parts of a line between separators that stand outside quotes.
fn outside_quotes(line: &[u8], between: u8) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    line.split(move |&byte| {
        quoted ^= byte == b'"';
        byte == between && !quoted
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn proxies(header: ForwardedHeader) -> TrustedProxies {
        let networks = ["10.0.0.0/8", "2001:db8:1::/48"].map(|text| Network::parse(text).expect("a network"));
        TrustedProxies { networks: networks.to_vec(), header, proxy_protocol: false }
    }

    fn client(header: ForwardedHeader, peer: &str, lines: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().expect("a value"));
        }
        proxies(header).client(peer.parse().expect("an address"), &headers).to_string()
    }

    #[test]
    fn u25_only_a_listed_peer_is_believed_and_only_as_far_as_proxies_wrote() {
        let name = "x-forwarded-for";
        let rows: &[(&str, &[&str], &str)] = &[
            ("192.0.2.9", &["203.0.113.7"], "192.0.2.9"),
            ("2001:db8:2::9", &["203.0.113.7"], "2001:db8:2::9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.7"], "203.0.113.7"),
            ("2001:db8:1::1", &["203.0.113.7"], "203.0.113.7"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.7"], "203.0.113.7"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.7, 10.9.9.9"], "203.0.113.7"),
            ("10.0.0.1", &["1.1.1.1", "203.0.113.7, 10.9.9.9", "10.2.2.2"], "203.0.113.7"),
            ("10.0.0.1", &["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
            ("10.0.0.1", &["1.1.1.1, unknown, 10.2.2.2"], "10.2.2.2"),
            ("10.0.0.1", &["1.1.1.1, rubbish"], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.7:4711"], "203.0.113.7"),
            ("10.0.0.1", &["[2001:db8:2::7]:4711"], "2001:db8:2::7"),
            ("10.0.0.1", &["[2001:db8:2::7]"], "2001:db8:2::7"),
            ("10.0.0.1", &["2001:db8:2::7"], "2001:db8:2::7"),
            ("10.0.0.1", &["::ffff:203.0.113.7"], "203.0.113.7"),
            ("10.0.0.1", &["203.0.113.7, , ,"], "203.0.113.7"),
            ("10.0.0.1", &["203.0.113.007"], "10.0.0.1"),
            ("10.0.0.1", &["\"1.1.1.1, 203.0.113.7"], "203.0.113.7"),
        ];
        for (peer, lines, expected) in rows {
            let lines: Vec<_> = lines.iter().map(|line| (name, *line)).collect();
            assert_eq!(client(ForwardedHeader::XForwardedFor, peer, &lines), *expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn u25_forwarded_is_read_as_rfc_7239_writes_it() {
        let rows: &[(&[&str], &str)] = &[
            (&["for=203.0.113.7"], "203.0.113.7"),
            (&["For=\"[2001:db8:2::7]:4711\""], "2001:db8:2::7"),
            (&["for=1.1.1.1, for=203.0.113.7;proto=http;by=10.2.2.2, for=10.2.2.2"], "203.0.113.7"),
            (&["proto=https;for=203.0.113.7;host=evil"], "203.0.113.7"),
            (&["for=1.1.1.1", "for=203.0.113.7"], "203.0.113.7"),
            (&["host=\"a,for=1.1.1.1\";for=203.0.113.7"], "203.0.113.7"),
            (&["for=1.1.1.1, for=_hidden, for=10.2.2.2"], "10.2.2.2"),
            (&["for=1.1.1.1, for=unknown"], "10.0.0.1"),
            (&["for=1.1.1.1;for=2.2.2.2"], "10.0.0.1"),
            (&["proto=https"], "10.0.0.1"),
            // An open quote of the caller's swallows what the proxy added: then the proxy itself is the caller.
            (&["for=\"1.1.1.1, for=203.0.113.7"], "10.0.0.1"),
            (&["for=\"1.1.1.1, for=\"[2001:db8:2::7]\""], "10.0.0.1"),
        ];
        for (lines, expected) in rows {
            let lines: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
            assert_eq!(client(ForwardedHeader::Forwarded, "10.0.0.1", &lines), *expected, "{lines:?}");
        }
    }

    #[test]
    fn u25_the_header_that_is_not_configured_says_nothing() {
        let both = [("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=198.51.100.1"), ("x-real-ip", "1.1.1.1")];
        assert_eq!(client(ForwardedHeader::XForwardedFor, "10.0.0.1", &both), "203.0.113.7");
        assert_eq!(client(ForwardedHeader::Forwarded, "10.0.0.1", &both), "198.51.100.1");
        let nobody = TrustedProxies::default();
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("203.0.113.7"));
        let peer = IpAddr::from([127, 0, 0, 1]);
        assert_eq!(nobody.client(peer, &headers), peer);
    }

    proptest! {
        /// Whatever a caller writes before it, what the proxy adds decides.
        #[test]
        fn u25_f08_nothing_before_a_proxys_entry_counts(forged in "[ -~]{0,40}") {
            let line = format!("{forged}, 203.0.113.7");
            let lines = [("x-forwarded-for", line.as_str()), ("x-forwarded-for", "10.2.2.2")];
            prop_assert_eq!(client(ForwardedHeader::XForwardedFor, "10.0.0.1", &lines), "203.0.113.7");
            let line = format!("{}, for=203.0.113.7", forged.replace('"', ""));
            prop_assert_eq!(client(ForwardedHeader::Forwarded, "10.0.0.1", &[("forwarded", &line)]), "203.0.113.7");
        }
    }
}
