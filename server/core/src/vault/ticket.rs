//! The browser's ticket: the session's id and secret, sealed into a cookie value by the `cookie` crate under a key
//! derived per ring key and client, with the ring key's id in front.

use std::sync::Arc;

use arc_swap::ArcSwap;
use cookie::{Cookie, CookieJar};

use super::{Bound, KeyRing};
use crate::session::id::Ticket;

/// Seals and opens the tickets of one client.
pub struct TicketSeal {
    ring: Arc<KeyRing>,
    client_id: Box<str>,
    derived: ArcSwap<Derived>,
}

/// The keys of one client, newest last, as they follow from one generation of the ring.
struct Derived {
    generation: u64,
    keys: Vec<(Box<str>, cookie::Key)>,
}

impl Derived {
    fn of(ring: &KeyRing, client_id: &str) -> Self {
        // Read first: a ring that changes meanwhile makes this out of date, never the other way round.
        let generation = ring.generation();
        let purpose = Bound::new(&[b"ticket", client_id.as_bytes()]);
        let keys =
            ring.current().keys().map(|(id, key)| (Box::from(id.as_str()), key.derive_cookie_key(&purpose))).collect();
        Self { generation, keys }
    }
}

impl std::fmt::Debug for TicketSeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.derived.load().keys.iter().map(|(id, _)| id)).finish()
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
    pub fn new(ring: &Arc<KeyRing>, client_id: &str) -> Self {
        let derived = ArcSwap::from_pointee(Derived::of(ring, client_id));
        Self { ring: Arc::clone(ring), client_id: client_id.into(), derived }
    }

    /// The generation of the ring: what was opened under an earlier one must be opened anew.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.ring.generation()
    }

    /// Whether older keys than the newest open as well: cookies may have to be sent anew.
    #[must_use]
    pub fn rotated(&self) -> bool {
        self.derived().keys.len() > 1
    }

    fn derived(&self) -> Arc<Derived> {
        let derived = self.derived.load();
        if derived.generation == self.ring.generation() {
            return Arc::clone(&derived);
        }
        let derived = Arc::new(Derived::of(&self.ring, &self.client_id));
        self.derived.store(Arc::clone(&derived));
        derived
    }

    /// The cookie value that carries the ticket: under 200 bytes, whatever the claims.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a ring holds a key, and the jar holds what was just added")]
    pub fn seal(&self, cookie_name: &'static str, ticket: &Ticket) -> String {
        let derived = self.derived();
        let (id, key) = derived.keys.last().expect("a ring holds a key");
        let mut jar = CookieJar::new();
        jar.private_mut(key).add(Cookie::new(cookie_name, ticket.to_text().to_string()));
        format!("{id}.{}", jar.get(cookie_name).expect("was just added").value())
    }

    /// Reads a cookie value; `None` when it was altered, belongs to another client or cookie, or its key is retired.
    #[must_use]
    pub fn open(&self, cookie_name: &'static str, value: &str) -> Option<OpenedTicket> {
        let (id, sealed) = value.split_once('.')?;
        let derived = self.derived();
        let place = derived.keys.iter().position(|(known, _)| **known == *id)?;
        let (_, key) = derived.keys.get(place)?;
        let opened = CookieJar::new().private(key).decrypt(Cookie::new(cookie_name, sealed.to_owned()))?;
        let ticket = Ticket::from_text(opened.value())?;
        Some(OpenedTicket { ticket, reseal: place + 1 != derived.keys.len() })
    }

    /// Whether a value names a key that this ring does not hold: another node may have made it a moment ago.
    #[must_use]
    pub fn names_unknown_key(&self, value: &str) -> bool {
        let Some((id, _)) = value.split_once('.') else { return false };
        let well_formed = id.len() == 8 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        well_formed && !self.derived().keys.iter().any(|(known, _)| **known == *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixMs;
    use crate::random::SystemRandom;
    use crate::session::id::{SessionId, SessionSecret};
    use crate::vault::ring::tests::keyring;

    const NAME: &str = "__Host-Http-crs";

    fn ticket() -> Ticket {
        Ticket { id: SessionId::new(UnixMs(1), &SystemRandom), secret: SessionSecret::new(&SystemRandom) }
    }

    #[test]
    fn u03_the_cookie_stays_small() {
        let seal = TicketSeal::new(&Arc::new(keyring()), "app");
        let value = seal.seal(NAME, &ticket());
        assert!(value.len() < 200, "{}", value.len());
        assert!(
            value.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)),
            "RFC 6265 section 4.1.1"
        );
    }

    #[test]
    fn c01_altered_foreign_or_renamed_tickets_do_not_open() {
        let ring = Arc::new(keyring());
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

    #[test]
    fn c06_an_old_ticket_is_sealed_anew_and_dies_with_its_key() {
        let ring = Arc::new(keyring());
        let seal = TicketSeal::new(&ring, "app");
        let value = seal.seal(NAME, &ticket());
        let index = ring.index_row(&SystemRandom);
        let new = ring.successor(UnixMs(0), &SystemRandom);
        let old = crate::vault::ring::tests::first_key();
        ring.adopt(&[index.clone(), old, new.clone()]).expect("opens");
        let opened = seal.open(NAME, &value).expect("still opens");
        assert!(opened.reseal && !seal.names_unknown_key(&value));
        let renewed = seal.seal(NAME, &opened.ticket);
        ring.adopt(&[index, new]).expect("opens");
        assert!(seal.open(NAME, &value).is_none() && seal.names_unknown_key(&value), "its key is retired");
        assert!(!seal.open(NAME, &renewed).expect("opens").reseal);
    }

    proptest::proptest! {
        #[test]
        fn f08_no_text_opens_as_a_ticket_or_breaks_the_reader(text in ".{0,300}", tail in "[A-Za-z0-9+/=_.-]{0,300}") {
            let ring = Arc::new(keyring());
            let seal = TicketSeal::new(&ring, "app");
            let id = seal.seal(NAME, &ticket()).split_once('.').expect("an id").0.to_owned();
            for value in [text.clone(), tail.clone(), format!("{id}.{text}"), format!("{id}.{tail}")] {
                assert!(seal.open(NAME, &value).is_none());
                assert!(!(value.starts_with(&id) && seal.names_unknown_key(&value)));
            }
        }
    }
}
