//! Session tokens of mobile apps: opaque, prefixed, and with a keyed tag, so that a forged one is told from the text
//! alone and never reaches the store (M7, M14).
//!
//! `crs_at_`, `crs_rt_` or `crs_ac_`, then base64url of: the ring key's id (8 bytes), the session's id (16) and secret
//! (32), what the kind adds, and 16 bytes of HMAC-SHA-256 over kind and all of that.

use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{Bound, Key, KeyRing, VaultError};
use crate::clock::UnixMs;
use crate::random::Random;
use crate::session::id::{SessionId, Ticket, sha256};

const KEY_ID: usize = 8;
const TAG: usize = 16;
const TICKET: usize = 48;

/// What a session token is for. One never passes for another (S5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionTokenKind {
    /// An authorization code.
    Code,
    /// An access token; it adds when it expires.
    Access,
    /// A refresh token; it adds a secret of its own.
    Refresh,
}

impl SessionTokenKind {
    /// What its text starts with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Code => "crs_ac_",
            Self::Access => "crs_at_",
            Self::Refresh => "crs_rt_",
        }
    }

    /// How many bytes it adds to the ticket.
    const fn added(self) -> usize {
        match self {
            Self::Code => 0,
            Self::Access => 8,
            Self::Refresh => 32,
        }
    }
}

/// Makes and reads session tokens.
pub struct TokenSeal {
    ring: Arc<KeyRing>,
    derived: ArcSwap<Derived>,
}

/// The keys of one generation of the ring, newest last.
struct Derived {
    generation: u64,
    keys: Vec<(Box<str>, Key)>,
}

impl Derived {
    fn of(ring: &KeyRing) -> Self {
        // Read first: a ring that changes meanwhile makes this out of date, never the other way round.
        let generation = ring.generation();
        let purpose = Bound::new(&[b"session token"]);
        let keys = ring.current().keys().map(|(id, key)| (Box::from(id.as_str()), key.derive_key(&purpose))).collect();
        Self { generation, keys }
    }
}

impl std::fmt::Debug for TokenSeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.derived.load().keys.iter().map(|(id, _)| id)).finish()
    }
}

/// A session token whose tag is ours.
pub struct OpenedToken {
    /// Which session, and the secret that proves it.
    pub ticket: Ticket,
    added: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for OpenedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OpenedToken").field(&self.ticket.id).finish()
    }
}

impl OpenedToken {
    /// When an access token expires.
    #[must_use]
    pub fn expires_at(&self) -> UnixMs {
        UnixMs(self.added.first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes)))
    }

    /// What the store keeps of a refresh token.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        sha256(&self.added)
    }
}

impl TokenSeal {
    /// The seal over a ring's keys.
    #[must_use]
    pub fn new(ring: &Arc<KeyRing>) -> Self {
        Self { derived: ArcSwap::from_pointee(Derived::of(ring)), ring: Arc::clone(ring) }
    }

    /// The generation of the ring: what was read under an earlier one must be read anew.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.ring.generation()
    }

    fn derived(&self) -> Arc<Derived> {
        let derived = self.derived.load();
        if derived.generation == self.ring.generation() {
            return Arc::clone(&derived);
        }
        let derived = Arc::new(Derived::of(&self.ring));
        self.derived.store(Arc::clone(&derived));
        derived
    }

    /// The code that stands for a session until it is redeemed.
    #[must_use]
    pub fn code(&self, ticket: &Ticket) -> Zeroizing<String> {
        self.make(SessionTokenKind::Code, ticket, &[])
    }

    /// An access token.
    #[must_use]
    pub fn access(&self, ticket: &Ticket, expires_at: UnixMs) -> Zeroizing<String> {
        self.make(SessionTokenKind::Access, ticket, &expires_at.0.to_be_bytes())
    }

    /// A refresh token with a secret of its own.
    #[must_use]
    pub fn refresh(&self, ticket: &Ticket, secret: &[u8; 32]) -> Zeroizing<String> {
        self.make(SessionTokenKind::Refresh, ticket, secret)
    }

    #[expect(clippy::expect_used, reason = "a ring holds a key")]
    fn make(&self, kind: SessionTokenKind, ticket: &Ticket, added: &[u8]) -> Zeroizing<String> {
        let derived = self.derived();
        let (id, key) = derived.keys.last().expect("a ring holds a key");
        let mut bytes = Zeroizing::new([id.as_bytes(), ticket.to_bytes().as_slice(), added].concat());
        let tag = tag(key, kind, &bytes);
        bytes.extend_from_slice(&tag);
        let mut text = Zeroizing::new(String::with_capacity(160));
        text.push_str(kind.prefix());
        URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut text);
        text
    }

    /// Reads a token of one kind; `None` for whatever was not made here, and for other kinds.
    #[must_use]
    pub fn open(&self, kind: SessionTokenKind, text: &str) -> Option<OpenedToken> {
        let encoded = text.strip_prefix(kind.prefix())?;
        let length = KEY_ID + TICKET + kind.added() + TAG;
        let mut bytes = Zeroizing::new([0_u8; KEY_ID + TICKET + 32 + TAG]);
        let bytes = bytes.get_mut(..length)?;
        if URL_SAFE_NO_PAD.decode_slice(encoded, bytes).ok()? != length {
            return None;
        }
        let (body, theirs) = bytes.split_at(length - TAG);
        let (id, rest) = body.split_first_chunk::<KEY_ID>()?;
        let derived = self.derived();
        let (_, key) = derived.keys.iter().find(|(known, _)| known.as_bytes() == id)?;
        if !bool::from(tag(key, kind, body).ct_eq(theirs)) {
            return None;
        }
        let (ticket, added) = rest.split_first_chunk::<TICKET>()?;
        Some(OpenedToken { ticket: Ticket::from_bytes(ticket)?, added: Zeroizing::new(added.to_vec()) })
    }

    /// Seals an answer under a key that only the holder of the presented token can make again (M13).
    #[must_use]
    pub fn seal_answer(&self, presented: &str, id: SessionId, plain: &[u8], random: &dyn Random) -> Vec<u8> {
        answer_key(presented).seal(&Bound::new(&[b"refresh answer", id.as_bytes()]), plain, random)
    }

    /// Opens what [`TokenSeal::seal_answer`] made.
    ///
    /// # Errors
    /// [`VaultError::DoesNotOpen`] with any other token.
    pub fn open_answer(&self, presented: &str, id: SessionId, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        answer_key(presented).open(&Bound::new(&[b"refresh answer", id.as_bytes()]), sealed)
    }
}

fn answer_key(presented: &str) -> Key {
    Key::new(sha256(presented.as_bytes())).derive_key(&Bound::new(&[b"refresh answer"]))
}

fn tag(key: &Key, kind: SessionTokenKind, body: &[u8]) -> [u8; TAG] {
    let whole = key.keyed_hash(&Bound::new(&[kind.prefix().as_bytes(), body]));
    *whole.first_chunk().unwrap_or(&[0; TAG])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;
    use crate::session::id::SessionSecret;
    use crate::vault::ring::tests::keyring;

    fn ticket() -> Ticket {
        Ticket { id: SessionId::new(UnixMs(1), &SystemRandom), secret: SessionSecret::new(&SystemRandom) }
    }

    #[test]
    fn m14_a_token_reads_back_and_no_other_text_does() {
        let (seal, ticket) = (TokenSeal::new(&Arc::new(keyring())), ticket());
        let text = seal.access(&ticket, UnixMs(77));
        let opened = seal.open(SessionTokenKind::Access, &text).expect("reads back");
        assert_eq!((opened.ticket.id, opened.expires_at()), (ticket.id, UnixMs(77)));
        for i in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[i] = if bytes[i] == b'A' { b'B' } else { b'A' };
            let flipped = String::from_utf8(bytes).expect("ASCII");
            assert!(seal.open(SessionTokenKind::Access, &flipped).is_none(), "byte {i}");
            assert!(seal.open(SessionTokenKind::Access, text.get(..i).unwrap_or_default()).is_none(), "cut at {i}");
        }
        assert!(seal.open(SessionTokenKind::Access, &format!("{}A", text.as_str())).is_none());
    }

    #[test]
    fn s05_kinds_do_not_stand_for_one_another() {
        let (seal, ticket) = (TokenSeal::new(&Arc::new(keyring())), ticket());
        let texts = [seal.code(&ticket), seal.access(&ticket, UnixMs(1)), seal.refresh(&ticket, &[3; 32])];
        let kinds = [SessionTokenKind::Code, SessionTokenKind::Access, SessionTokenKind::Refresh];
        for (i, text) in texts.iter().enumerate() {
            for (j, kind) in kinds.into_iter().enumerate() {
                assert_eq!(seal.open(kind, text).is_some(), i == j, "{i} as {j}");
                let renamed = format!("{}{}", kind.prefix(), text.get(7..).unwrap_or_default());
                assert_eq!(seal.open(kind, &renamed).is_some(), i == j, "{i} renamed to {j}");
            }
        }
    }

    #[test]
    fn m13_an_answer_opens_with_the_presented_token_alone() {
        let (seal, ticket) = (TokenSeal::new(&Arc::new(keyring())), ticket());
        let sealed = seal.seal_answer("crs_rt_old", ticket.id, b"answer", &SystemRandom);
        assert_eq!(seal.open_answer("crs_rt_old", ticket.id, &sealed).expect("opens").as_slice(), b"answer");
        assert!(seal.open_answer("crs_rt_new", ticket.id, &sealed).is_err());
    }
}
