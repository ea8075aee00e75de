//! Proofs of possession at the gateway: what `core::dpop` leaves to memory, replay and nonces (RFC 9449 sections 8, 11.1).
//!
//! For API calls the memory is this node's: two spans of proofs, each as long as a proof may live. A proof made before
//! the node started may have been used then: it is asked to come again with a nonce of this run. Between nodes, a proof
//! can be used once at each within its 30 s.

use std::collections::HashSet;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use parking_lot::Mutex;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::dpop::{self, Expected, Proof, WINDOW_SECS};
use cloakroom_core::vault::Ring;
use cloakroom_core::vault::ring::Purpose;

use super::oauth_error::OAuthError;

/// How long a nonce may be used, in seconds.
const NONCE_SECS: i64 = 300;
/// A proof's whole life: its window both ways.
const SPAN_SECS: i64 = 2 * WINDOW_SECS + 1;
/// Proofs remembered in one span; beyond them, proofs must carry a nonce, and then are refused.
const MOST: usize = 1_000_000;

/// Nonces and the memory of proofs.
pub struct Proofs {
    started_at: UnixMs,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    until: UnixMs,
    young: HashSet<[u8; 32]>,
    old: HashSet<[u8; 32]>,
}

impl std::fmt::Debug for Proofs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proofs").field("started_at", &self.started_at).finish_non_exhaustive()
    }
}

impl Proofs {
    /// An empty memory of a node that starts at `now`.
    #[must_use]
    pub fn new(now: UnixMs) -> Self {
        Self { started_at: now, seen: Mutex::default() }
    }

    /// Checks the proof of an API call, and that it was not used before at this node.
    ///
    /// # Errors
    /// [`OAuthError`], with a nonce where one is needed.
    pub fn check_call(&self, headers: &HeaderMap, expected: &Expected<'_>, ring: &Ring) -> Result<Proof, OAuthError> {
        let fault = |text: &str| OAuthError::token("DPoP", "invalid_dpop_proof", text);
        let proof = read(headers, expected, ring).map_err(|error| OAuthError { challenge: Some("DPoP"), ..error })?;
        let made_before = proof.iat <= self.started_at.secs();
        let of_this_run = proof.nonce.as_deref().and_then(|nonce| nonce_made_at(ring, nonce));
        if made_before && of_this_run.is_none_or(|made_at| made_at < self.started_at) {
            return Err(ask_for_nonce(ring, expected.now, Some("DPoP")));
        }
        let is_new = self.seen.lock().remember(proof.once, expected.now);
        if is_new { Ok(proof) } else { Err(fault("this DPoP proof was used before")) }
    }
}

impl Seen {
    /// Whether it was not there before.
    fn remember(&mut self, once: [u8; 32], now: UnixMs) -> bool {
        if now >= self.until {
            let gone = now >= self.until.plus_secs(SPAN_SECS);
            self.old = if gone { HashSet::new() } else { std::mem::take(&mut self.young) };
            self.young.clear();
            self.until = now.plus_secs(SPAN_SECS);
        }
        !self.old.contains(&once) && self.young.len() < MOST && self.young.insert(once)
    }
}

/// Reads the one proof of a request, and checks everything but replay.
///
/// # Errors
/// [`OAuthError`], with a fresh nonce where its own is not ours or too old.
pub fn read(headers: &HeaderMap, expected: &Expected<'_>, ring: &Ring) -> Result<Proof, OAuthError> {
    let fault = |text: String| OAuthError {
        status: http::StatusCode::UNAUTHORIZED,
        ..OAuthError::bad("invalid_dpop_proof", text)
    };
    let mut sent = headers.get_all("dpop").iter();
    let (Some(proof), None) = (sent.next(), sent.next()) else {
        return Err(fault("exactly one DPoP header is needed".into()));
    };
    let proof = dpop::verify(proof.to_str().unwrap_or_default(), expected).map_err(|error| fault(error.to_string()))?;
    if let Some(nonce) = &proof.nonce {
        let fresh = nonce_made_at(ring, nonce)
            .is_some_and(|made_at| made_at <= expected.now && expected.now < made_at.plus_secs(NONCE_SECS));
        if !fresh {
            return Err(ask_for_nonce(ring, expected.now, None));
        }
    }
    Ok(proof)
}

fn ask_for_nonce(ring: &Ring, now: UnixMs, challenge: Option<&'static str>) -> OAuthError {
    let status = http::StatusCode::UNAUTHORIZED;
    let text = "send the proof again with the nonce of the header DPoP-Nonce";
    let error = OAuthError { status, challenge, ..OAuthError::bad("use_dpop_nonce", text) };
    error.with_nonce(Some(make_nonce(ring, now)))
}

/// A nonce that says when it was made, and that no one else can make.
fn make_nonce(ring: &Ring, now: UnixMs) -> String {
    let time = now.0.to_be_bytes();
    URL_SAFE_NO_PAD.encode([time.as_slice(), &tag(ring, time)].concat())
}

fn nonce_made_at(ring: &Ring, nonce: &str) -> Option<UnixMs> {
    let bytes = URL_SAFE_NO_PAD.decode(nonce).ok()?;
    let (time, theirs) = bytes.split_first_chunk::<8>()?;
    let ours = tag(ring, *time);
    bool::from(subtle::ConstantTimeEq::ct_eq(ours.as_slice(), theirs)).then(|| UnixMs(i64::from_be_bytes(*time)))
}

fn tag(ring: &Ring, time: [u8; 8]) -> [u8; 16] {
    *ring.mark(Purpose::DpopNonce, &time).first_chunk().unwrap_or(&[0; 16])
}

/// What the store remembers of a value that may be used once, apart from all others.
#[must_use]
pub fn once(kind: &str, value: &[u8]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(kind.as_bytes());
    context.update(&[0]);
    context.update(value);
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}
