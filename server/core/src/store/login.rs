//! What a store is told of a login beside the session itself, and what it answers.

use super::locks::Lock;
use super::rows::EndOutcome;
use crate::clock::UnixMs;

/// Whether a login was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginOutcome {
    /// It was.
    Started {
        /// The replaced session's outcome, where there was one.
        replaced: Option<EndOutcome>,
    },
    /// Its transaction had been used before: nothing was kept.
    Replayed,
    /// The provider had logged the person out meanwhile: the transaction is used up, nothing else was kept.
    LoggedOut,
    /// A revocation was decided while it was on its way: the transaction is used up, nothing else was kept.
    Revoked,
    /// A lock keeps the person out: the transaction is used up, nothing else was kept.
    Locked(Box<Lock>),
    /// The person has as many sessions as they may: the transaction is used up, nothing else was kept.
    Full,
    /// Others would have to make room than the caller thought: nothing was kept.
    Changed,
}

/// When a login was proven, and by what names a provider's logout would have called it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Keyed hash of (issuer, the provider's `sid`), where the ID token had one.
    pub upstream_sid: Option<[u8; 32]>,
    /// Keyed hash of (issuer, sub).
    pub subject: [u8; 32],
    /// When the ID token was issued, by the provider's clock.
    pub issued_at: UnixMs,
    /// When the person proved who they are, by the provider's clock; [`UnixMs`] 0 where it did not say.
    pub auth_time: UnixMs,
    /// When the login began, by ours.
    pub begun_at: UnixMs,
}
