//! The vault: the only room that sees key bytes.
//!
//! A root key from outside the store wraps the ring's keys. From a ring key come, by HKDF (RFC 5869), one key per
//! purpose (and client); from the root of a session's values, a data key of its own, wrapped by the ring. All
//! sealing is AES-256-GCM with 96-bit random nonces and associated data that names purpose and owner: a value that
//! is moved, swapped or used for another purpose does not open.

pub mod keyring;
pub mod ring;
pub mod sealed;
pub mod session_token;
pub mod ticket;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::random::Random;

pub use keyring::KeyRing;
pub use ring::{KeyId, Ring, RootKey};
pub use sealed::SessionVault;
pub use session_token::TokenSeal;
pub use ticket::TicketSeal;

/// Why something did not seal or open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The value was made with a key that this ring does not hold.
    #[error("sealed with a key that is not in the ring")]
    UnknownKey,
    /// The value was altered, belongs to something else, or was made for another purpose.
    #[error("does not open: altered, or sealed for something else")]
    DoesNotOpen,
    /// The opened value is not what this version writes.
    #[error("opened, but its content is not readable")]
    Unreadable,
    /// The root key is not 32 bytes of base64.
    #[error("the root key must be 32 bytes in base64; make one with: head -c 32 /dev/urandom | base64")]
    BadRootKey,
}

const NONCE_LEN: usize = 12;

/// 256 bits that seal and open.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Key([u8; 32]);

impl Key {
    pub(crate) const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn fresh(random: &dyn Random) -> Self {
        Self(random.bytes())
    }

    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key of `N` bytes for one purpose.
    #[expect(clippy::expect_used, reason = "HKDF-SHA-256 gives up to 255 * 32 bytes; N is 32 or 64 here")]
    fn derive<const N: usize>(&self, purpose: &Bound) -> Zeroizing<[u8; N]> {
        struct Length(usize);
        impl hkdf::KeyType for Length {
            fn len(&self) -> usize {
                self.0
            }
        }
        let mut out = Zeroizing::new([0; N]);
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"cloakroom 1");
        salt.extract(&self.0)
            .expand(&[&purpose.0], Length(N))
            .and_then(|okm| okm.fill(out.as_mut_slice()))
            .expect("HKDF gives this many bytes");
        out
    }

    pub(crate) fn derive_key(&self, purpose: &Bound) -> Self {
        Self(*self.derive::<32>(purpose))
    }

    pub(crate) fn derive_cookie_key(&self, purpose: &Bound) -> cookie::Key {
        cookie::Key::from(self.derive::<64>(purpose).as_slice())
    }

    #[expect(clippy::expect_used, reason = "32 bytes are an AES-256 key")]
    fn aead(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.0).expect("32 bytes are an AES-256 key"))
    }

    /// Nonce, ciphertext and tag.
    #[expect(clippy::expect_used, reason = "AES-GCM seals anything under 64 GiB")]
    pub(crate) fn seal(&self, aad: &Bound, plain: &[u8], random: &dyn Random) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = random.bytes();
        let mut body = plain.to_vec();
        self.aead()
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&aad.0), &mut body)
            .expect("AES-GCM seals anything under 64 GiB");
        [nonce.as_slice(), &body].concat()
    }

    pub(crate) fn open(&self, aad: &Bound, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::DoesNotOpen)?;
        let mut body = Zeroizing::new(body.to_vec());
        let plain = self
            .aead()
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(&aad.0), body.as_mut_slice())
            .map_err(|_| VaultError::DoesNotOpen)?
            .len();
        body.truncate(plain);
        Ok(body)
    }

    /// HMAC-SHA-256.
    pub(crate) fn keyed_hash(&self, message: &Bound) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), &message.0).as_ref());
        out
    }
}

/// Parts joined with their lengths in front (8 bytes each): no two lists of parts share their bytes.
pub(crate) struct Bound(Vec<u8>);

impl Bound {
    pub(crate) fn new(parts: &[&[u8]]) -> Self {
        let mut joined = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
        for part in parts {
            joined.extend_from_slice(&(part.len() as u64).to_be_bytes());
            joined.extend_from_slice(part);
        }
        Self(joined)
    }
}
