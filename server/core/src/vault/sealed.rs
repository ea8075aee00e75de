//! A session's sealed values: what decisions read, and the token set.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::ring::Purpose;
use super::{Bound, Key, KeyRing, Ring, VaultError};
use crate::random::Random;
use crate::session::id::{SecretHash, SessionId};
use crate::session::record::{SealedSession, TokenSet};
use crate::store::{SessionRow, SessionSummary, StoredTokens};

/// Whose values these are: bound to every ciphertext as associated data, so that a row whose columns were edited,
/// swapped or copied to another session does not open (V1).
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// Tenant label.
    pub tenant: &'a str,
    /// Client.
    pub client_id: &'a str,
    /// Session.
    pub id: SessionId,
    /// Hash of the session's secret.
    pub secret_hash: SecretHash,
    /// Issuer.
    pub issuer: &'a str,
    /// Person at the issuer.
    pub sub: &'a str,
    /// Provider: where tokens are refreshed and revoked.
    pub provider_id: &'a str,
    /// The provider's registration.
    pub registration_id: &'a str,
}

impl<'a> Owner<'a> {
    /// The owner that a stored row's columns claim.
    #[must_use]
    pub fn of(row: &'a SessionRow) -> Self {
        let SessionSummary { id, tenant, client_id, issuer, sub, provider_id, .. } = &row.summary;
        let (secret_hash, registration_id) = (row.secret_hash, &row.registration_id);
        Self { tenant, client_id, id: *id, secret_hash, issuer, sub, provider_id, registration_id }
    }

    fn bound(&self, what: &[u8], generation: i64) -> Bound {
        Bound::new(&[
            what,
            self.tenant.as_bytes(),
            self.client_id.as_bytes(),
            self.id.as_bytes(),
            &self.secret_hash.0,
            self.issuer.as_bytes(),
            self.sub.as_bytes(),
            self.provider_id.as_bytes(),
            self.registration_id.as_bytes(),
            &generation.to_be_bytes(),
        ])
    }
}

/// Seals and opens sessions' values. Shared by all.
#[derive(Clone, Debug)]
pub struct SessionVault {
    ring: Arc<KeyRing>,
    random: Arc<dyn Random>,
}

impl std::fmt::Debug for dyn Random {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Random")
    }
}

/// A session's data key with its wrapped form, as a row keeps it.
pub struct DataKey {
    key: Key,
    /// The ring key that wraps it.
    pub key_id: String,
    /// The wrapped form.
    pub wrapped: Vec<u8>,
}

impl SessionVault {
    /// A vault over a ring.
    #[must_use]
    pub fn new(ring: Arc<KeyRing>, random: Arc<dyn Random>) -> Self {
        Self { ring, random }
    }

    /// The ring behind it, as it stands.
    #[must_use]
    pub fn ring(&self) -> Arc<Ring> {
        self.ring.current()
    }

    /// The ring as it changes.
    #[must_use]
    pub const fn key_ring(&self) -> &Arc<KeyRing> {
        &self.ring
    }

    /// A fresh data key for a new session.
    #[must_use]
    pub fn new_data_key(&self, id: SessionId) -> DataKey {
        let key = Key::fresh(&*self.random);
        let ring = self.ring();
        let wrapped = ring.seal(Purpose::DataKey, &[id.as_bytes()], key.bytes(), &*self.random);
        DataKey { key, key_id: ring.newest().to_string(), wrapped }
    }

    /// The data key of a stored session.
    ///
    /// # Errors
    /// [`VaultError`] when the ring does not hold its key, or the row was altered.
    pub fn data_key(&self, row: &SessionRow) -> Result<DataKey, VaultError> {
        let bytes = self.ring().open_sealed(Purpose::DataKey, &[row.summary.id.as_bytes()], &row.wrapped_key)?;
        let key = Key::new(bytes.as_slice().try_into().map_err(|_| VaultError::Unreadable)?);
        Ok(DataKey { key, key_id: row.key_id.clone(), wrapped: row.wrapped_key.clone() })
    }

    /// Seals what decisions read.
    #[must_use]
    pub fn seal_session(&self, key: &DataKey, owner: Owner<'_>, values: &SealedSession) -> Vec<u8> {
        self.seal(key, &owner.bound(b"session", 0), values)
    }

    /// Opens what decisions read.
    ///
    /// # Errors
    /// [`VaultError::DoesNotOpen`] when any bound column was altered.
    pub fn open_session(&self, key: &DataKey, row: &SessionRow) -> Result<SealedSession, VaultError> {
        open(key, &Owner::of(row).bound(b"session", 0), &row.sealed)
    }

    /// Seals a token set of one generation.
    #[must_use]
    pub fn seal_tokens(&self, key: &DataKey, owner: Owner<'_>, generation: i64, tokens: &TokenSet) -> Vec<u8> {
        self.seal(key, &owner.bound(b"tokens", generation), tokens)
    }

    /// Opens a token set.
    ///
    /// # Errors
    /// [`VaultError::DoesNotOpen`] when it is another session's or another generation's.
    pub fn open_tokens(&self, key: &DataKey, row: &SessionRow, tokens: &StoredTokens) -> Result<TokenSet, VaultError> {
        open(key, &Owner::of(row).bound(b"tokens", tokens.generation), &tokens.sealed)
    }

    #[expect(clippy::expect_used, reason = "these types have string keys and no failing serializer")]
    fn seal(&self, key: &DataKey, bound: &Bound, value: &impl Serialize) -> Vec<u8> {
        let plain = Zeroizing::new(serde_json::to_vec(value).expect("plain values become JSON"));
        key.key.seal(bound, &plain, &*self.random)
    }
}

fn open<T: DeserializeOwned>(key: &DataKey, bound: &Bound, sealed: &[u8]) -> Result<T, VaultError> {
    let plain = key.key.open(bound, sealed)?;
    serde_json::from_slice(&plain).map_err(|_| VaultError::Unreadable)
}
