//! The browser's ticket: the session's id and secret, sealed into a cookie value by the `cookie` crate under a key
//! derived per ring key and client, with the ring key's id in front.

use std::sync::Arc;

use cookie::{Cookie, CookieJar};

use super::{Bound, Ring};
use crate::session::id::Ticket;

/// Seals and opens the tickets of one client.
pub struct TicketSeal {
    /// The keys of this client, newest last.
    keys: Vec<(Box<str>, cookie::Key)>,
}

impl std::fmt::Debug for TicketSeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(id, _)| id)).finish()
    }
}

/// A ticket that opened.
#[derive(Debug)]
pub struct OpenedTicket {
    /// The ticket.
    pub ticket: Ticket,
    /// Whether an older key sealed it: the cookie should be sent anew.
    pub reseal: bool,
}

impl TicketSeal {
    /// The seal of one client's tickets.
    #[must_use]
    pub fn new(ring: &Arc<Ring>, client_id: &str) -> Self {
        let purpose = Bound::new(&[b"ticket", client_id.as_bytes()]);
        let keys = ring.keys().map(|(id, key)| (Box::from(id.as_str()), key.derive_cookie_key(&purpose))).collect();
        Self { keys }
    }

    /// The cookie value that carries the ticket: under 200 bytes, whatever the claims.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a ring holds a key, and the jar holds what was just added")]
    pub fn seal(&self, cookie_name: &'static str, ticket: &Ticket) -> String {
        let (id, key) = self.keys.last().expect("a ring holds a key");
        let mut jar = CookieJar::new();
        jar.private_mut(key).add(Cookie::new(cookie_name, ticket.to_text().to_string()));
        format!("{id}.{}", jar.get(cookie_name).expect("was just added").value())
    }

    /// Reads a cookie value; `None` when it was altered, belongs to another client or cookie, or its key is retired.
    #[must_use]
    pub fn open(&self, cookie_name: &'static str, value: &str) -> Option<OpenedTicket> {
        let (id, sealed) = value.split_once('.')?;
        let place = self.keys.iter().position(|(known, _)| **known == *id)?;
        let (_, key) = self.keys.get(place)?;
        let opened = CookieJar::new().private(key).decrypt(Cookie::new(cookie_name, sealed.to_owned()))?;
        let ticket = Ticket::from_text(opened.value())?;
        Some(OpenedTicket { ticket, reseal: place + 1 != self.keys.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixMs;
    use crate::random::SystemRandom;
    use crate::session::id::{SessionId, SessionSecret};
    use crate::vault::ring::tests::ring;

    const NAME: &str = "__Host-Http-crs";

    fn ticket() -> Ticket {
        Ticket { id: SessionId::new(UnixMs(1), &SystemRandom), secret: SessionSecret::new(&SystemRandom) }
    }

    #[test]
    fn u03_the_cookie_stays_small() {
        let seal = TicketSeal::new(&Arc::new(ring()), "app");
        let value = seal.seal(NAME, &ticket());
        assert!(value.len() < 200, "{}", value.len());
        assert!(
            value.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)),
            "RFC 6265 section 4.1.1"
        );
    }

    #[test]
    fn c01_altered_foreign_or_renamed_tickets_do_not_open() {
        let ring = Arc::new(ring());
        let seal = TicketSeal::new(&ring, "app");
        let ticket = ticket();
        let value = seal.seal(NAME, &ticket);
        let opened = seal.open(NAME, &value).expect("opens");
        assert_eq!(opened.ticket.id, ticket.id);
        assert!(!opened.reseal);
        assert!(TicketSeal::new(&ring, "other").open(NAME, &value).is_none(), "another client's");
        assert!(seal.open("__Host-Http-other", &value).is_none(), "another cookie's");
        for i in 0..value.len() {
            let mut bytes = value.clone().into_bytes();
            bytes[i] = if bytes[i] == b'A' { b'B' } else { b'A' };
            let flipped = String::from_utf8(bytes).expect("ASCII");
            assert!(seal.open(NAME, &flipped).is_none(), "byte {i}");
            assert!(seal.open(NAME, value.get(..i).unwrap_or_default()).is_none(), "cut at {i}");
        }
    }
}
