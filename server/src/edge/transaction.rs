//! The login transaction: what must survive the trip to the provider, sealed into a cookie of its own.
//!
//! It is a `tower_sessions::Session` over [`CookieStore`], without the crate's layer: ten tabs hold ten cookies, each
//! named by its state's hash. Nothing is written on the server before the state has come back (L18).

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use tower_sessions::session::{Id, Record};
use tower_sessions::{Expiry, Session, SessionStore, session_store};

use cloakroom_core::clock::UnixMs;
use cloakroom_core::vault::ring::Purpose;
use cloakroom_core::vault::{Ring, SessionVault};

use super::ticket::{cookie_values, own_cookie};

/// What every transaction cookie's name starts with; eight hexadecimal digits of the state's hash follow.
pub const COOKIE_PREFIX: &str = "__Host-Http-crt-";
/// How long a person may take at the provider.
pub const LIFE_SECS: i64 = 900;
/// The transactions of one browser take no more of its Cookie header than this; the oldest give way (L12, pain 4).
const TOGETHER_BYTES: usize = 6_000;
const KEY: &str = "l";

/// One login on its way. Its fields have short names on the wire: ten of these share a Cookie header.
#[derive(Clone, Serialize, Deserialize)]
pub struct Transaction {
    /// Ties the provider's answer to this browser (RFC 6749 section 10.12).
    #[serde(rename = "s")]
    pub state: String,
    /// Ties the ID token to this login (OIDC Core section 3.1.2.1).
    #[serde(rename = "n")]
    pub nonce: String,
    /// Proves that whoever redeems the code began the login (RFC 7636).
    #[serde(rename = "v")]
    pub pkce_verifier: String,
    /// Where to go when it is done.
    #[serde(rename = "r")]
    pub return_to: String,
    /// Provider.
    #[serde(rename = "p")]
    pub provider_id: String,
    /// Registration.
    #[serde(rename = "g")]
    pub registration_id: String,
    /// The `max_age` that was asked for, in seconds.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub max_age_secs: Option<u64>,
    /// The `acr_values` that were asked for.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub acr_values: Option<String>,
    /// When the transaction is too old.
    #[serde(rename = "x")]
    pub expires_at: UnixMs,
    /// Whether a page of another site led to the login: then it replaces nobody's session without a click (L17).
    #[serde(rename = "e", default, skip_serializing_if = "std::ops::Not::not")]
    pub begun_elsewhere: bool,
    /// Whose session this is to confirm: nobody else may come back (L17).
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub whose: Option<String>,
    /// How the login answers, where it must ask the person nothing.
    #[serde(rename = "q", default, skip_serializing_if = "Option::is_none")]
    pub silent: Option<Silent>,
    /// What a mobile app asked for; then there is nowhere to return to but its redirect URI.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub app: Option<AppAsk>,
}

/// How a silent login answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Silent {
    /// By a message to the page that framed it.
    #[serde(rename = "f")]
    Frame,
    /// By coming back to `return_to`, signed in or not.
    #[serde(rename = "r")]
    Redirect,
}

/// What a mobile app asked for, as its authorization request was checked.
#[derive(Clone, Serialize, Deserialize)]
pub struct AppAsk {
    /// Where the code goes.
    #[serde(rename = "r")]
    pub redirect_uri: String,
    /// The app's own state, echoed.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The PKCE challenge, S256.
    #[serde(rename = "c")]
    pub challenge: String,
    /// The device key that it named beforehand.
    #[serde(rename = "j", default, skip_serializing_if = "Option::is_none")]
    pub jkt: Option<String>,
    /// Granted scopes.
    #[serde(rename = "p", default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").field("provider_id", &self.provider_id).finish_non_exhaustive()
    }
}

/// What a transaction is called: by its state's hash, so that the name tells nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    hash: [u8; 32],
    suffix: String,
}

impl Name {
    /// The name of the transaction with this state.
    #[must_use]
    pub fn of_state(state: &str) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, state.as_bytes()).as_ref());
        let suffix = hash.first_chunk().map(|first| format!("{:08x}", u32::from_be_bytes(*first))).unwrap_or_default();
        Self { hash, suffix }
    }

    /// The suffix that an own URL carries: eight hexadecimal digits.
    #[must_use]
    pub fn suffix(&self) -> &str {
        &self.suffix
    }

    /// The state's whole hash, by which the store remembers that the transaction was used.
    #[must_use]
    pub const fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// The same, borrowed.
    #[must_use]
    pub const fn hash_bytes(&self) -> &[u8] {
        &self.hash
    }
}

fn cookie_name(suffix: &str) -> String {
    format!("{COOKIE_PREFIX}{suffix}")
}

/// Opens and seals the transactions of one client's browsers.
#[derive(Debug)]
pub struct Transactions<'a> {
    client_id: &'a str,
    vault: &'a SessionVault,
    random: &'a Arc<dyn cloakroom_core::random::Random>,
}

impl<'a> Transactions<'a> {
    /// Transactions of one client.
    #[must_use]
    pub const fn new(
        client_id: &'a str,
        vault: &'a SessionVault,
        random: &'a Arc<dyn cloakroom_core::random::Random>,
    ) -> Self {
        Self { client_id, vault, random }
    }

    /// The `Set-Cookie` lines that keep a transaction, and drop the oldest ones where they would be too many.
    ///
    /// # Errors
    /// What the session library says when a value does not become JSON.
    pub async fn keep(
        &self,
        transaction: &Transaction,
        present: &HeaderMap,
    ) -> Result<Vec<HeaderValue>, tower_sessions::session::Error> {
        let name = Name::of_state(&transaction.state);
        let store = Arc::new(self.store(&name.suffix, None));
        let expires_at = time::OffsetDateTime::from_unix_timestamp(transaction.expires_at.secs())
            .unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
        let session = Session::new(None, Arc::clone(&store), Some(Expiry::AtDateTime(expires_at)));
        session.insert(KEY, transaction).await?;
        session.save().await?;
        let sealed = store.sealed().unwrap_or_default();
        let value = format!("{}.{sealed}", transaction.expires_at.secs());
        let mut lines: Vec<String> =
            crowded_out(present, &name.suffix, value.len()).iter().map(|suffix| gone(suffix)).collect();
        lines.push(own_cookie(&cookie_name(&name.suffix), &value, cookie::SameSite::Lax, Some(LIFE_SECS)));
        Ok(lines.iter().filter_map(|line| HeaderValue::try_from(line).ok()).collect())
    }

    /// The transaction whose cookie ends in `suffix`, if this browser holds it, it opens, and its time is not over.
    pub async fn find(&self, suffix: &str, present: &HeaderMap, now: UnixMs) -> Option<Transaction> {
        let well_formed = suffix.len() == 8 && suffix.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !well_formed {
            return None;
        }
        let name = cookie_name(suffix);
        // Two values at most: a planted duplicate must not hide the real one.
        for value in cookie_values(present, name.as_bytes()).take(2) {
            let (_, sealed) = str::from_utf8(value).ok()?.split_once('.')?;
            let store = Arc::new(self.store(suffix, Some(sealed.to_owned())));
            let session = Session::new(Some(store.id()), store, None);
            if let Ok(Some(transaction)) = session.get::<Transaction>(KEY).await
                && transaction.expires_at > now
                && Name::of_state(&transaction.state).suffix == suffix
            {
                return Some(transaction);
            }
        }
        None
    }

    fn store(&self, suffix: &str, sealed: Option<String>) -> CookieStore {
        CookieStore {
            vault: self.vault.clone(),
            random: Arc::clone(self.random),
            client_id: self.client_id.into(),
            suffix: suffix.into(),
            sealed: Mutex::new(sealed),
        }
    }
}

/// The `Set-Cookie` line that takes a transaction away.
#[must_use]
pub fn gone(suffix: &str) -> String {
    own_cookie(&cookie_name(suffix), "", cookie::SameSite::Lax, Some(0))
}

/// The suffixes of the oldest transactions that must go, so that all together stay within [`TOGETHER_BYTES`].
fn crowded_out(present: &HeaderMap, own_suffix: &str, own_len: usize) -> Vec<String> {
    let mut others: Vec<(i64, String, usize)> = Vec::new();
    for line in present.get_all(header::COOKIE) {
        for pair in line.to_str().unwrap_or_default().split(';') {
            let Some((name, value)) = pair.trim().split_once('=') else { continue };
            let Some(suffix) = name.strip_prefix(COOKIE_PREFIX) else { continue };
            if suffix != own_suffix {
                let expires = value.split('.').next().and_then(|secs| secs.parse().ok()).unwrap_or(0);
                others.push((expires, suffix.to_owned(), pair.len()));
            }
        }
    }
    // Browsers send the older of two first (RFC 6265bis section 5.8.3), which tells those of one second apart.
    others.reverse();
    others.sort_by_key(|(expires, ..)| std::cmp::Reverse(*expires));
    let mut room = TOGETHER_BYTES.saturating_sub(own_len);
    let mut out = Vec::new();
    for (_, suffix, len) in others {
        if len > room {
            room = 0;
            out.push(suffix);
        } else {
            room -= len;
        }
    }
    out
}

/// A `tower_sessions` store whose only record lives in a sealed cookie value.
struct CookieStore {
    vault: SessionVault,
    random: Arc<dyn cloakroom_core::random::Random>,
    client_id: Box<str>,
    suffix: Box<str>,
    sealed: Mutex<Option<String>>,
}

impl std::fmt::Debug for CookieStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CookieStore")
    }
}

impl CookieStore {
    /// The record's id is its cookie's name.
    fn id(&self) -> Id {
        Id(i128::from_str_radix(&self.suffix, 16).unwrap_or_default())
    }

    fn sealed(&self) -> Option<String> {
        self.sealed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn ring(&self) -> Arc<Ring> {
        self.vault.ring()
    }

    fn owner(&self) -> [&[u8]; 2] {
        [self.client_id.as_bytes(), self.suffix.as_bytes()]
    }
}

#[async_trait]
impl SessionStore for CookieStore {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        record.id = self.id();
        self.save(record).await
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let plain = serde_json::to_vec(record).map_err(|error| session_store::Error::Encode(error.to_string()))?;
        let sealed = self.ring().seal(Purpose::Transaction, &self.owner(), &plain, &*self.random);
        *self.sealed.lock().unwrap_or_else(PoisonError::into_inner) = Some(URL_SAFE_NO_PAD.encode(sealed));
        Ok(())
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let Some(sealed) = self.sealed() else { return Ok(None) };
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(sealed) else { return Ok(None) };
        let Ok(plain) = self.ring().open_sealed(Purpose::Transaction, &self.owner(), &bytes) else { return Ok(None) };
        let record: Record =
            serde_json::from_slice(&plain).map_err(|error| session_store::Error::Decode(error.to_string()))?;
        Ok((record.id == *id).then_some(record))
    }

    async fn delete(&self, _: &Id) -> session_store::Result<()> {
        *self.sealed.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
