//! Cursors: a sealed place in one list, worthless for any other.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::random::Random;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::Place;
use cloakroom_core::vault::Ring;
use cloakroom_core::vault::ring::Purpose;

use crate::edge::problem::Refusal;

/// The cursor that leads to `place` in the list that `list` describes.
#[must_use]
pub fn seal(ring: &Ring, random: &dyn Random, list: &[&[u8]], place: Place) -> String {
    let mut plain = Vec::with_capacity(25);
    plain.extend_from_slice(&place.at.0.to_be_bytes());
    plain.extend_from_slice(place.id.as_bytes());
    plain.push(u8::from(place.backwards));
    URL_SAFE_NO_PAD.encode(ring.seal(Purpose::Cursor, list, &plain, random))
}

/// Reads a cursor back.
///
/// # Errors
/// [`Refusal::BadParameter`] for a forged one, or one of another list (S13).
pub fn open(ring: &Ring, list: &[&[u8]], cursor: &str) -> Result<Place, Refusal> {
    let refusal = || Refusal::BadParameter {
        name: "cursor".into(),
        what: "does not belong to this list; start again without it",
    };
    let sealed = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refusal())?;
    let plain = ring.open_sealed(Purpose::Cursor, list, &sealed).map_err(|_| refusal())?;
    let (at, rest) = plain.split_first_chunk::<8>().ok_or_else(refusal)?;
    let (id, backwards) = rest.split_first_chunk::<16>().ok_or_else(refusal)?;
    Ok(Place { at: UnixMs(i64::from_be_bytes(*at)), id: SessionId::from_bytes(*id), backwards: backwards == [1] })
}
