//! Tickets: only what was sealed opens, byte for byte, and only as what it was sealed for.

use std::sync::{Arc, LazyLock};

use cloakroom_core::clock::UnixMs;
use cloakroom_core::random::SystemRandom;
use cloakroom_core::session::id::Ticket;
use cloakroom_core::vault::{KeyRing, RootKey, TicketSeal};

const NAME: &str = "__Host-Http-crs";

struct Sealed {
    app: TicketSeal,
    other: TicketSeal,
    values: Vec<String>,
}

static SEALED: LazyLock<Sealed> = LazyLock::new(|| {
    let root = RootKey::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    let rows = [root.new_ring_key(UnixMs(0), &SystemRandom)];
    let ring = Arc::new(KeyRing::open(root, &rows).unwrap());
    let (app, other) = (TicketSeal::new(&ring, "app"), TicketSeal::new(&ring, "other"));
    let ticket = |letter: &str| Ticket::from_text(&letter.repeat(64)).unwrap();
    let values = ["A", "b", "3", "-"].map(|letter| app.seal(NAME, &ticket(letter))).to_vec();
    Sealed { app, other, values }
});

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    SEALED.values.iter().map(|value| value.clone().into_bytes()).collect()
}

pub(crate) fn try_one(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let known = SEALED.values.iter().any(|value| value == text);
    assert_eq!(SEALED.app.open(NAME, text).is_some(), known, "{text:?}");
    assert!(SEALED.other.open(NAME, text).is_none() && SEALED.app.open("__Host-Http-crt", text).is_none(), "{text:?}");
}
