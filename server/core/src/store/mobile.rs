//! What stands for a mobile app's session, as stored: hashes, never tokens.

use crate::clock::UnixMs;
use crate::session::id::SessionId;

/// A mobile app's grant. Its session's row holds everything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MobileGrant {
    /// Until when the code may be redeemed.
    pub code_expires_at: UnixMs,
    /// When it was.
    pub redeemed_at: Option<UnixMs>,
    /// SHA-256 of the present refresh token's secret.
    pub refresh: Option<[u8; 32]>,
    /// SHA-256 of the one before.
    pub previous: Option<[u8; 32]>,
    /// The answer that rotated it, sealed under a key derived from the one before.
    pub answer: Option<Vec<u8>>,
    /// Until when that answer may be given again.
    pub answer_until: Option<UnixMs>,
}

/// The unit of work that redeems a code.
#[derive(Clone, Debug)]
pub struct RedeemCode {
    /// Whose.
    pub id: SessionId,
    /// The present moment.
    pub now: UnixMs,
    /// The session's sealed values, with their full life.
    pub sealed: Vec<u8>,
    /// How long the session may go unused, in milliseconds.
    pub idle_ms: i64,
    /// SHA-256 of the first refresh token's secret.
    pub refresh: [u8; 32],
}

/// The unit of work that rotates a refresh token.
#[derive(Clone, Debug)]
pub struct RotateRefresh {
    /// Whose.
    pub id: SessionId,
    /// The present moment.
    pub now: UnixMs,
    /// SHA-256 of the presented one's secret.
    pub from: [u8; 32],
    /// SHA-256 of its successor's.
    pub to: [u8; 32],
    /// The answer, sealed under a key derived from the presented one.
    pub answer: Vec<u8>,
    /// Until when it may be given again.
    pub answer_until: UnixMs,
}
