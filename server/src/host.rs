//! What a person with a shell on the host may ask: of the running gateway through a socket that only its owner can
//! use, or of the store itself while no gateway runs. The same acts either way (docs/decisions/0012).

pub mod act;
pub mod ask;
mod break_glass;
pub mod desk;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The socket of the gateway that holds this store.
#[must_use]
pub fn socket_of(store: &Path) -> PathBuf {
    let mut name = store.canonicalize().unwrap_or_else(|_| store.to_owned()).into_os_string();
    name.push(".sock");
    PathBuf::from(name)
}

/// What is asked.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Ask {
    /// The key ring.
    ListKeys,
    /// A new key.
    RotateKey,
    /// An old key's end.
    RetireKey {
        /// Which.
        key: String,
    },
    /// The end of a key that others may know, and of every session of its time.
    BurnKey {
        /// Which.
        key: String,
    },
    /// No more writes to the store, or writes again.
    Freeze {
        /// Which of both.
        frozen: bool,
    },
    /// An act of emergency.
    BreakGlass {
        /// Which.
        act: Emergency,
        /// Why, for the audit log.
        reason: String,
    },
}

/// What is done when no administrator can sign in, or none may be trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "emergency", rename_all = "snake_case")]
pub enum Emergency {
    /// Ends sessions; with nothing set, all.
    Revoke {
        /// Only this person's: issuer and sub.
        user: Option<(String, String)>,
        /// Only this client's.
        client: Option<String>,
        /// Only those of this provider.
        provider: Option<String>,
    },
    /// Nobody whom this provider signs in is served any more.
    BlockProvider {
        /// Which.
        provider: String,
    },
    /// They are again.
    UnblockProvider {
        /// Which.
        provider: String,
    },
    /// Makes a person an owner, whatever their claims say.
    GrantOwner {
        /// The provider's issuer.
        issuer: String,
        /// The person's id there.
        sub: String,
    },
}

/// What is answered.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The ring, oldest key first.
    Keys(Vec<Key>),
    /// The new key's id.
    Rotated(String),
    /// The key is gone.
    Retired,
    /// The key is gone, and so many sessions with it.
    Burned(u64),
    /// A revocation took effect.
    Revoked {
        /// Its id.
        id: String,
        /// How many sessions it has ended so far.
        ended: u64,
        /// Whether there are more, which the running gateway goes on to end.
        more: bool,
    },
    /// Done, and whether it had not been so before.
    Done(bool),
    /// Nothing was done, and why.
    Refused(String),
}

/// One key of the ring.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// Since when it seals, or sealed (RFC 3339).
    pub since: String,
    /// Whether it seals now.
    pub active: bool,
    /// Sessions that are sealed under it.
    pub sessions: u64,
    /// Persons' audit keys that are sealed under it.
    pub audit_keys: u64,
    /// Live sessions that burning it would end.
    pub live_of_its_time: u64,
    /// Those of them that were not seen since it was replaced: their cookies are still under it.
    pub not_seen_since: u64,
}
