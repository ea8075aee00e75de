//! The key ring: keys wrapped by the root key, the newest of them seals, all of them open.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::{Bound, Key, VaultError};
use crate::clock::UnixMs;
use crate::random::Random;
use crate::session::id::SecretHash;
use crate::store::{SubjectKeyRow, WrappedKeyRow};

/// A ring key's id: 8 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct KeyId(String);

impl KeyId {
    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key that wraps the ring's keys. It comes from outside the store: a dump of the store opens nothing.
pub struct RootKey(Key);

impl RootKey {
    /// Reads 32 bytes in base64, as `head -c 32 /dev/urandom | base64` prints them.
    ///
    /// # Errors
    /// [`VaultError::BadRootKey`] for anything else.
    pub fn parse(text: &str) -> Result<Self, VaultError> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| VaultError::BadRootKey)?);
        Ok(Self(Key::new(bytes.as_slice().try_into().map_err(|_| VaultError::BadRootKey)?)))
    }

    /// A new ring key, wrapped.
    #[must_use]
    pub fn new_ring_key(&self, now: UnixMs, random: &dyn Random) -> WrappedKeyRow {
        let id = hex(&random.bytes::<4>());
        let key = Key::fresh(random);
        let wrapped = self.0.seal(&wrapping(&id), key.bytes(), random);
        WrappedKeyRow { id, wrapped, created_at: now }
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(..)")
    }
}

fn wrapping(id: &str) -> Bound {
    Bound::new(&[b"ring key", id.as_bytes()])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| char::from(*DIGITS.get(usize::from(n)).unwrap_or(&b'0'));
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// The ring's keys, unwrapped.
pub struct Ring {
    keys: Vec<(KeyId, Key)>,
    /// Makes the keyed hashes that columns are looked up by. It stays with the oldest key, so that a rotation
    /// does not move a person's hash.
    index: Key,
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(id, _)| id)).finish()
    }
}

impl Ring {
    /// Unwraps a stored ring, oldest key first.
    ///
    /// # Errors
    /// [`VaultError::DoesNotOpen`] when the root key is another than the one that wrapped it, or a row was altered;
    /// [`VaultError::UnknownKey`] for an empty ring.
    pub fn open(root: &RootKey, rows: &[WrappedKeyRow]) -> Result<Self, VaultError> {
        let keys = rows
            .iter()
            .map(|row| {
                let bytes = root.0.open(&wrapping(&row.id), &row.wrapped)?;
                let key = Key::new(bytes.as_slice().try_into().map_err(|_| VaultError::Unreadable)?);
                Ok((KeyId(row.id.clone()), key))
            })
            .collect::<Result<Vec<_>, VaultError>>()?;
        let (_, oldest) = keys.first().ok_or(VaultError::UnknownKey)?;
        let index = oldest.derive_key(&Bound::new(&[b"index"]));
        Ok(Self { keys, index })
    }

    /// The id of the key that seals.
    #[must_use]
    #[expect(clippy::expect_used, reason = "open() refuses an empty ring")]
    pub fn newest(&self) -> &KeyId {
        &self.keys.last().expect("a ring holds a key").0
    }

    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = &(KeyId, Key)> {
        self.keys.iter()
    }

    fn key(&self, id: &str) -> Result<&Key, VaultError> {
        self.keys.iter().find(|(known, _)| known.0 == id).map(|(_, key)| key).ok_or(VaultError::UnknownKey)
    }

    /// Seals `plain` for one purpose; `owner` is bound to it. The newest key's id stands in front.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the newest key is in the ring")]
    pub fn seal(&self, purpose: Purpose, owner: &[&[u8]], plain: &[u8], random: &dyn Random) -> Vec<u8> {
        let id = self.newest().as_str();
        let key = self.key(id).expect("the newest key is in the ring").derive_key(&purpose.bound());
        [id.as_bytes(), &key.seal(&Bound::new(owner), plain, random)].concat()
    }

    /// Opens what [`Ring::seal`] made for the same purpose and owner.
    ///
    /// # Errors
    /// [`VaultError::UnknownKey`] or [`VaultError::DoesNotOpen`].
    pub fn open_sealed(
        &self,
        purpose: Purpose,
        owner: &[&[u8]],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (id, body) = sealed.split_first_chunk::<8>().ok_or(VaultError::DoesNotOpen)?;
        let id = str::from_utf8(id).map_err(|_| VaultError::DoesNotOpen)?;
        self.key(id)?.derive_key(&purpose.bound()).open(&Bound::new(owner), body)
    }

    /// The keyed hash by which a person's rows are found: identity is (issuer, sub).
    #[must_use]
    pub fn subject(&self, issuer: &str, sub: &str) -> [u8; 32] {
        self.index.keyed_hash(&Bound::new(&[b"subject", issuer.as_bytes(), sub.as_bytes()]))
    }

    /// The keyed hash by which sessions of a provider's own session are found.
    #[must_use]
    pub fn upstream_sid(&self, issuer: &str, sid: &str) -> [u8; 32] {
        self.index.keyed_hash(&Bound::new(&[b"sid", issuer.as_bytes(), sid.as_bytes()]))
    }

    /// What a used logout token is remembered by.
    #[must_use]
    pub fn logout_token(&self, issuer: &str, jti: &str) -> [u8; 32] {
        self.index.keyed_hash(&Bound::new(&[b"logout token", issuer.as_bytes(), jti.as_bytes()]))
    }

    /// What a sign-out link carries, so that no other page can make one: an HMAC over the session's secret hash.
    #[must_use]
    pub fn logout_proof(&self, client_id: &str, secret: &SecretHash) -> [u8; 32] {
        self.index.keyed_hash(&Bound::new(&[b"sign-out", client_id.as_bytes(), &secret.0]))
    }

    /// A candidate for the key that seals one person's fields in the audit log.
    #[must_use]
    pub fn new_subject_key(&self, subject: [u8; 32], random: &dyn Random) -> SubjectKeyRow {
        let wrapped = self.seal(Purpose::SubjectKey, &[&subject], Key::fresh(random).bytes(), random);
        SubjectKeyRow { subject, key_id: self.newest().to_string(), wrapped }
    }

    /// Seals one person's fields under that person's key; `event` is bound to them.
    ///
    /// # Errors
    /// As [`Ring::open_sealed`], when the person's key does not open.
    pub fn seal_personal(
        &self,
        key: &SubjectKeyRow,
        event: &[u8; 16],
        plain: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, VaultError> {
        Ok(self.subject_key(key)?.seal(&Bound::new(&[b"audit", event]), plain, random))
    }

    /// Opens what [`Ring::seal_personal`] made.
    ///
    /// # Errors
    /// As [`Ring::open_sealed`].
    pub fn open_personal(
        &self,
        key: &SubjectKeyRow,
        event: &[u8; 16],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        self.subject_key(key)?.open(&Bound::new(&[b"audit", event]), sealed)
    }

    fn subject_key(&self, row: &SubjectKeyRow) -> Result<Key, VaultError> {
        let bytes = self.open_sealed(Purpose::SubjectKey, &[&row.subject], &row.wrapped)?;
        Ok(Key::new(bytes.as_slice().try_into().map_err(|_| VaultError::Unreadable)?))
    }
}

/// What a value was sealed for. Values of one purpose never open as another's (S5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A login transaction's cookie.
    Transaction,
    /// A provider's answer, on its way from a form to the page that takes it.
    Answer,
    /// A session's data key.
    DataKey,
    /// A person's audit key.
    SubjectKey,
    /// A list's cursor.
    Cursor,
}

impl Purpose {
    fn bound(self) -> Bound {
        Bound::new(&[match self {
            Self::Transaction => b"transaction".as_slice(),
            Self::Answer => b"answer",
            Self::DataKey => b"data key",
            Self::SubjectKey => b"subject key",
            Self::Cursor => b"cursor",
        }])
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::random::SystemRandom;

    pub(crate) fn ring() -> Ring {
        let root = RootKey::parse(&STANDARD.encode([7; 32])).expect("a root key");
        Ring::open(&root, &[root.new_ring_key(UnixMs(0), &SystemRandom)]).expect("opens")
    }

    #[test]
    fn v02_another_root_key_opens_nothing() {
        let root = RootKey::parse(&STANDARD.encode([7; 32])).expect("a root key");
        let row = root.new_ring_key(UnixMs(0), &SystemRandom);
        let other = RootKey::parse(&STANDARD.encode([8; 32])).expect("a root key");
        assert_eq!(Ring::open(&other, std::slice::from_ref(&row)).err(), Some(VaultError::DoesNotOpen));
        let renamed = WrappedKeyRow { id: "00000000".into(), ..row };
        assert_eq!(Ring::open(&root, &[renamed]).err(), Some(VaultError::DoesNotOpen));
    }

    #[test]
    fn s05_purposes_and_owners_do_not_stand_for_one_another() {
        let ring = ring();
        let sealed = ring.seal(Purpose::Cursor, &[b"a", b"bc"], b"value", &SystemRandom);
        assert_eq!(ring.open_sealed(Purpose::Cursor, &[b"a", b"bc"], &sealed).expect("opens").as_slice(), b"value");
        assert!(ring.open_sealed(Purpose::Transaction, &[b"a", b"bc"], &sealed).is_err());
        assert!(ring.open_sealed(Purpose::Cursor, &[b"ab", b"c"], &sealed).is_err(), "owners are not joined strings");
        for i in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[i] ^= 1;
            assert!(ring.open_sealed(Purpose::Cursor, &[b"a", b"bc"], &flipped).is_err(), "byte {i}");
        }
    }

    #[test]
    fn c06_an_older_key_still_opens_and_the_newest_seals() {
        let root = RootKey::parse(&STANDARD.encode([7; 32])).expect("a root key");
        let old = root.new_ring_key(UnixMs(0), &SystemRandom);
        let new = root.new_ring_key(UnixMs(1), &SystemRandom);
        let before = Ring::open(&root, std::slice::from_ref(&old)).expect("opens");
        let sealed = before.seal(Purpose::Cursor, &[], b"value", &SystemRandom);
        let after = Ring::open(&root, &[old, new.clone()]).expect("opens");
        assert!(after.open_sealed(Purpose::Cursor, &[], &sealed).is_ok());
        assert_eq!(after.newest().as_str(), new.id);
        assert_eq!(after.subject("i", "s"), before.subject("i", "s"), "a rotation does not move a person's hash");
        let retired = Ring::open(&root, &[new]).expect("opens");
        assert_eq!(retired.open_sealed(Purpose::Cursor, &[], &sealed).err(), Some(VaultError::UnknownKey));
    }

    #[test]
    fn a_bad_root_key_says_how_to_make_one() {
        for odd in ["", "short", &STANDARD.encode([1; 31]), &STANDARD.encode([1; 33])] {
            assert_eq!(RootKey::parse(odd).err(), Some(VaultError::BadRootKey));
        }
    }
}
