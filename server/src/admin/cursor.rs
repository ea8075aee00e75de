//! Cursors: a sealed place in one list, worthless for any other.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::random::Random;
use cloakroom_core::session::id::SessionId;
use cloakroom_core::store::{AuditPlace, Place};
use cloakroom_core::vault::Ring;
use cloakroom_core::vault::ring::Purpose;

use crate::edge::problem::Refusal;

/// The cursor that leads to `place` in the list that `list` describes.
#[must_use]
pub fn seal(ring: &Ring, random: &dyn Random, list: &[&[u8]], place: Place) -> String {
    seal_parts(ring, random, list, place.at, place.id.as_bytes(), place.backwards)
}

/// The cursor that leads to `place` in the audit log, as far as `list` describes it.
#[must_use]
pub fn seal_event(ring: &Ring, random: &dyn Random, list: &[&[u8]], place: AuditPlace) -> String {
    seal_parts(ring, random, list, place.at, &place.place.to_be_bytes(), place.backwards)
}

fn seal_parts(ring: &Ring, random: &dyn Random, list: &[&[u8]], at: UnixMs, row: &[u8], backwards: bool) -> String {
    let plain = [&at.0.to_be_bytes(), row, &[u8::from(backwards)]].concat();
    URL_SAFE_NO_PAD.encode(ring.seal(Purpose::Cursor, list, &plain, random))
}

/// Reads a cursor back.
///
/// # Errors
/// [`Refusal::BadParameter`] for a forged one, or one of another list (S13).
pub fn open(ring: &Ring, list: &[&[u8]], cursor: &str) -> Result<Place, Refusal> {
    let (at, id, backwards) = open_parts(ring, list, cursor)?;
    Ok(Place { at, id: SessionId::from_bytes(id), backwards })
}

/// Reads a cursor of the audit log back.
///
/// # Errors
/// As [`open`].
pub fn open_event(ring: &Ring, list: &[&[u8]], cursor: &str) -> Result<AuditPlace, Refusal> {
    let (at, place, backwards) = open_parts(ring, list, cursor)?;
    Ok(AuditPlace { at, place: i64::from_be_bytes(place), backwards })
}

fn open_parts<const N: usize>(ring: &Ring, list: &[&[u8]], cursor: &str) -> Result<(UnixMs, [u8; N], bool), Refusal> {
    let refusal = || Refusal::BadParameter {
        name: "cursor".into(),
        what: "does not belong to this list; start again without it",
    };
    let sealed = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refusal())?;
    let plain = ring.open_sealed(Purpose::Cursor, list, &sealed).map_err(|_| refusal())?;
    let (at, rest) = plain.split_first_chunk::<8>().ok_or_else(refusal)?;
    let (row, backwards) = rest.split_first_chunk::<N>().ok_or_else(refusal)?;
    Ok((UnixMs(i64::from_be_bytes(*at)), *row, backwards == [1]))
}
