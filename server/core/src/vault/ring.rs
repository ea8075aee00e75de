//! The key ring: keys wrapped by the root key, the newest of them seals, all of them open.

use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::{Bound, Key, VaultError};
use crate::clock::UnixMs;
use crate::random::Random;
use crate::session::id::SecretHash;
use crate::store::{SubjectKeyRow, WrappedKeyRow, WrappedOwner};

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
#[derive(Clone)]
pub struct RootKey(Key);

/// The id of the row that holds the index key: no ring key's.
pub const INDEX_ID: &str = "index";

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
        self.wrap(id, now, &key, random)
    }

    pub(super) fn wrap_index(&self, ring: &Ring, random: &dyn Random) -> WrappedKeyRow {
        self.wrap(INDEX_ID.to_owned(), UnixMs(0), &ring.index, random)
    }

    fn wrap(&self, id: String, created_at: UnixMs, key: &Key, random: &dyn Random) -> WrappedKeyRow {
        let wrapped = self.0.seal(&wrapping(&id, created_at), key.bytes(), random);
        WrappedKeyRow { id, wrapped, created_at }
    }

    fn unwrap(&self, row: &WrappedKeyRow) -> Result<Key, VaultError> {
        let bytes = self.0.open(&wrapping(&row.id, row.created_at), &row.wrapped)?;
        Ok(Key::new(bytes.as_slice().try_into().map_err(|_| VaultError::Unreadable)?))
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(..)")
    }
}

/// The moment is bound too: it decides which key seals, and a writer of the database must not (V1).
fn wrapping(id: &str, created_at: UnixMs) -> Bound {
    Bound::new(&[b"ring key", id.as_bytes(), &created_at.0.to_be_bytes()])
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| char::from(*DIGITS.get(usize::from(n)).unwrap_or(&b'0'));
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// The ring's keys, unwrapped.
pub struct Ring {
    keys: Vec<(KeyId, Key, UnixMs)>,
    /// Makes the keyed hashes that columns are looked up by. It is derived from the first key and stored beside the
    /// ring, so that neither a rotation nor the first key's retirement moves a person's hash.
    index: Key,
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

impl Ring {
    /// Unwraps a stored ring, oldest key first.
    ///
    /// # Errors
    /// [`VaultError::DoesNotOpen`] when the root key is another than the one that wrapped it, or a row was altered;
    /// [`VaultError::UnknownKey`] for an empty ring.
    pub fn open(root: &RootKey, rows: &[WrappedKeyRow]) -> Result<Self, VaultError> {
        let mut keys = Vec::with_capacity(rows.len());
        let mut index = None;
        for row in rows {
            let key = root.unwrap(row)?;
            if row.id == INDEX_ID {
                index = Some(key);
            } else {
                keys.push((KeyId(row.id.clone()), key, row.created_at));
            }
        }
        keys.sort_by(|(a, _, a_at), (b, _, b_at)| (a_at, &a.0).cmp(&(b_at, &b.0)));
        let (_, oldest, _) = keys.first().ok_or(VaultError::UnknownKey)?;
        let index = index.unwrap_or_else(|| oldest.derive_key(&Bound::new(&[b"index"])));
        Ok(Self { keys, index })
    }

    /// The id of the key that seals.
    #[must_use]
    #[expect(clippy::expect_used, reason = "open() refuses an empty ring")]
    pub fn newest(&self) -> &KeyId {
        &self.keys.last().expect("a ring holds a key").0
    }

    /// Since when the newest key has sealed.
    #[must_use]
    pub fn newest_since(&self) -> UnixMs {
        self.keys.last().map_or(UnixMs(0), |(_, _, since)| *since)
    }

    /// Every key's id, oldest first.
    #[must_use]
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = &KeyId> {
        self.keys.iter().map(|(id, ..)| id)
    }

    /// Whether the ring holds this key.
    #[must_use]
    pub fn holds(&self, id: &str) -> bool {
        self.key(id).is_ok()
    }

    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = (&KeyId, &Key)> {
        self.keys.iter().map(|(id, key, _)| (id, key))
    }

    /// Each key with the moment from which it seals, oldest first.
    pub(crate) fn dated_keys(&self) -> impl Iterator<Item = (&KeyId, &Key, UnixMs)> {
        self.keys.iter().map(|(id, key, since)| (id, key, *since))
    }

    fn key(&self, id: &str) -> Result<&Key, VaultError> {
        self.keys().find(|(known, _)| known.0 == id).map(|(_, key)| key).ok_or(VaultError::UnknownKey)
    }

    /// The key inside a wrapped value, wrapped anew under the newest key; nothing else about it changes.
    ///
    /// # Errors
    /// As [`Ring::open_sealed`].
    pub fn rewrap(&self, owner: &WrappedOwner, wrapped: &[u8], random: &dyn Random) -> Result<Vec<u8>, VaultError> {
        let (purpose, owner): (_, &[u8]) = match owner {
            WrappedOwner::Session(id) => (Purpose::DataKey, id.as_bytes()),
            WrappedOwner::Subject(subject) => (Purpose::SubjectKey, subject),
        };
        let plain = self.open_sealed(purpose, &[owner], wrapped)?;
        Ok(self.seal(purpose, &[owner], &plain, random))
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

    /// The keyed hash by which events from a network address are found.
    #[must_use]
    pub fn address(&self, address: &str) -> [u8; 32] {
        let canonical = address.parse::<IpAddr>().map(|address| address.to_canonical().to_string());
        let address = canonical.as_deref().unwrap_or(address);
        self.index.keyed_hash(&Bound::new(&[b"address", address.as_bytes()]))
    }

    /// What a checkpoint of the audit log is known by.
    #[must_use]
    pub fn audit_checkpoint(&self, seq: i64, hash: &str, at: &str) -> [u8; 32] {
        let owner = Bound::new(&[b"audit checkpoint", &seq.to_be_bytes(), hash.as_bytes(), at.as_bytes()]);
        self.index.keyed_hash(&owner)
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

    /// A keyed mark of a value for one purpose, which nobody else can make.
    #[must_use]
    pub fn mark(&self, purpose: Purpose, value: &[u8]) -> [u8; 32] {
        self.index.derive_key(&purpose.bound()).keyed_hash(&Bound::new(&[value]))
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
    /// A nonce for proofs of possession.
    DpopNonce,
    /// An authorization request that an app pushed.
    PushedRequest,
    /// Where an app wants the browser back after a sign-out.
    AppSignOut,
    /// A device code, and the session's code that it is for.
    DeviceCode,
    /// The right to fetch a file once.
    Download,
    /// What an administrator saw before they decide to do it.
    Preview,
    /// What a service account may do.
    ServiceAccount,
    /// A service account's token.
    AccountToken,
}

impl Purpose {
    fn bound(self) -> Bound {
        Bound::new(&[match self {
            Self::Transaction => b"transaction".as_slice(),
            Self::Answer => b"answer",
            Self::DataKey => b"data key",
            Self::SubjectKey => b"subject key",
            Self::Cursor => b"cursor",
            Self::DpopNonce => b"dpop nonce",
            Self::PushedRequest => b"pushed request",
            Self::AppSignOut => b"app sign-out",
            Self::DeviceCode => b"device code",
            Self::Download => b"download",
            Self::Preview => b"preview",
            Self::ServiceAccount => b"service account",
            Self::AccountToken => b"account token",
        }])
    }
}

#[cfg(test)]
pub(crate) mod tests;
