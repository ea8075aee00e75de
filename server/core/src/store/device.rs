//! Sign-ins that a device without a browser asked for (RFC 8628), as stored: hashes, never codes.

use crate::clock::UnixMs;

/// What a device asked for, and whence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceGrant {
    /// SHA-256 of the device code.
    pub device: [u8; 32],
    /// SHA-256 of the user code.
    pub user_code: [u8; 32],
    /// The app.
    pub client_id: String,
    /// Granted scopes, space-separated.
    pub scopes: String,
    /// Whence it was asked: the person is told.
    pub address: String,
    /// The device's name of itself.
    pub user_agent: Option<String>,
    /// When it was asked.
    pub created_at: UnixMs,
    /// Until when a person may answer, and the device fetch the answer.
    pub expires_at: UnixMs,
    /// How long the device must wait between two questions, in milliseconds.
    pub interval_ms: i64,
}

/// How a device's sign-in stands when the device asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevicePoll {
    /// The app.
    pub client_id: String,
    /// Until when the answer may be fetched.
    pub expires_at: UnixMs,
    /// Whether the device asks too often (RFC 8628 section 3.5); from then on it must wait 5 s longer.
    pub too_soon: bool,
    /// The person said no.
    pub denied: bool,
    /// The person said yes: the session's code, sealed.
    pub code: Option<Vec<u8>>,
}
