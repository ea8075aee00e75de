//! What became of a session that somebody asked for.

use std::sync::Arc;

use super::open::Live;
use crate::store::Ended;

/// What opening a session found.
#[derive(Debug)]
pub enum Opened {
    /// A live session.
    Live(Arc<Live>),
    /// It ended in this way, is locked, or expired (`None`).
    Over(Option<Ended>),
    /// There is none of that id, its secret is another, or its row was altered.
    Unknown,
}

impl Opened {
    /// Which of two that one request presents counts: whichever lives, or else was once; of two alike the first (C3).
    #[must_use]
    pub fn or(self, next: Self) -> Self {
        match (&self, &next) {
            (Self::Live(_), _) | (Self::Over(_), Self::Over(_) | Self::Unknown) | (Self::Unknown, Self::Unknown) => {
                self
            }
            (Self::Over(_) | Self::Unknown, Self::Live(_)) | (Self::Unknown, Self::Over(_)) => next,
        }
    }
}
