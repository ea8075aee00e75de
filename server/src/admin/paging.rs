//! Pages of lists: how long they are, and what of the rows that the store found belongs to one.

use cloakroom_core::random::Random;
use cloakroom_core::store::Place;
use cloakroom_core::vault::Ring;

use super::cursor;
use crate::edge::params::Params;
use crate::edge::problem::Refusal;

/// Rows of a page where nothing is asked.
const LIMIT: u32 = 50;
/// Rows of a page at most.
const LIMIT_MAX: u32 = 100;

/// The parameter `limit`.
///
/// # Errors
/// [`Refusal::BadParameter`].
pub(super) fn limit(params: &Params) -> Result<u32, Refusal> {
    match params.get("limit").map(str::parse) {
        None => Ok(LIMIT),
        Some(Ok(n @ 1..=LIMIT_MAX)) => Ok(n),
        Some(_) => Err(Refusal::BadParameter { name: "limit".into(), what: "must be a number from 1 to 100" }),
    }
}

/// A page of a list that the store reads by place, one row more than the page takes.
#[derive(Debug)]
pub(super) struct Cut<T> {
    /// The page's rows.
    pub(super) rows: Vec<T>,
    more_before: bool,
    more_after: bool,
    /// Whether the page is the whole list.
    pub(super) whole: bool,
}

impl<T> Cut<T> {
    /// Takes the row too many away, at the end that the list was walked towards.
    pub(super) fn of(mut rows: Vec<T>, limit: u32, place: Option<Place>) -> Self {
        let backwards = place.is_some_and(|place| place.backwards);
        let more = rows.len() > limit as usize;
        if more && backwards {
            rows.remove(0);
        }
        rows.truncate(limit as usize);
        let more_before = if backwards { more } else { place.is_some() };
        Self { rows, more_before, more_after: backwards || more, whole: place.is_none() && !more }
    }

    /// The cursors of the next page and of the one before, where there are such pages. `place` says where a row stands;
    /// `list` is what a cursor is bound to.
    pub(super) fn cursors(
        &self,
        (ring, random): (&Ring, &dyn Random),
        list: &[&[u8]],
        place: impl Fn(&T, bool) -> Place,
    ) -> (Option<String>, Option<String>) {
        let to = |row: Option<&T>, there: bool, backwards: bool| {
            row.filter(|_| there).map(|row| cursor::seal(ring, random, list, place(row, backwards)))
        };
        (to(self.rows.last(), self.more_after, false), to(self.rows.first(), self.more_before, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloakroom_core::clock::UnixMs;
    use cloakroom_core::session::id::SessionId;

    #[test]
    fn the_row_too_many_goes_where_the_list_was_walked_to() {
        let at = |backwards| Some(Place { at: UnixMs(1), id: SessionId::from_bytes([0; 16]), backwards });
        for (found, place, kept, before, after, whole) in [
            (vec![1, 2], None, vec![1, 2], false, false, true),
            (vec![1, 2, 3], None, vec![1, 2], false, true, false),
            (vec![1, 2], at(false), vec![1, 2], true, false, false),
            (vec![1, 2, 3], at(false), vec![1, 2], true, true, false),
            (vec![1, 2], at(true), vec![1, 2], false, true, false),
            (vec![1, 2, 3], at(true), vec![2, 3], true, true, false),
        ] {
            let cut = Cut::of(found, 2, place);
            let told = (cut.more_before, cut.more_after, cut.whole);
            assert_eq!((cut.rows, told), (kept, (before, after, whole)), "{place:?}");
        }
    }
}
