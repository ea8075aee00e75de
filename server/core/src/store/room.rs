//! How many sessions a person may have at a client at once (C9).

use super::End;
use crate::session::id::SessionId;

/// What a login must keep to.
#[derive(Clone, Debug)]
pub struct Room {
    /// The most sessions of the person at the client, the new one among them.
    pub most: u32,
    /// What is done where there would be more.
    pub when_full: WhenFull,
}

/// Whether a login keeps to it.
#[derive(Clone, Copy, Debug)]
pub enum Verdict<'a> {
    /// It does, once these have ended.
    Fits(&'a [End]),
    /// It is one too many.
    Full,
    /// Others would have to make room than the caller thought.
    Changed,
}

impl Room {
    /// What a login may do that finds these sessions of the person, oldest first, without the one that it replaces.
    #[must_use]
    pub fn verdict(&self, running: &[SessionId]) -> Verdict<'_> {
        let too_many = (running.len() + 1).saturating_sub(usize::try_from(self.most).unwrap_or(usize::MAX));
        let oldest = running.get(..too_many).unwrap_or(running);
        match &self.when_full {
            WhenFull::Refuse if oldest.is_empty() => Verdict::Fits(&[]),
            WhenFull::Refuse => Verdict::Full,
            WhenFull::EndOldest(ends) if ends.iter().map(|end| end.id).eq(oldest.iter().copied()) => {
                Verdict::Fits(ends)
            }
            WhenFull::EndOldest(_) => Verdict::Changed,
        }
    }

    /// Who ends for it.
    #[must_use]
    pub fn makes_room(&self) -> Vec<SessionId> {
        match &self.when_full {
            WhenFull::Refuse => Vec::new(),
            WhenFull::EndOldest(ends) => ends.iter().map(|end| end.id).collect(),
        }
    }
}

/// What is done where a login would be one too many.
#[derive(Clone, Debug)]
pub enum WhenFull {
    /// It is refused.
    Refuse,
    /// The oldest end: exactly these, oldest first, or nothing is done.
    EndOldest(Vec<End>),
}
