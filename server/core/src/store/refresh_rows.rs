//! What goes into a store and comes back when a token set is refreshed.

use crate::clock::UnixMs;
use crate::session::id::SessionId;
use crate::store::{SessionRow, StoredTokens};

/// What to do where an earlier attempt with the present generation has no known outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Tell the caller: [`BeginRefresh::InDoubt`].
    Tell,
    /// Grant all the same: the provider takes the refresh token once more.
    SendAgain,
}

/// What [`super::Store::begin_refresh`] answers.
#[derive(Clone, Debug)]
pub enum BeginRefresh {
    /// The lease is the caller's and the attempt is committed.
    Granted(Box<RefreshGrant>),
    /// Somebody else is refreshing until then at most.
    Held {
        /// The end of the other's lease.
        until: UnixMs,
    },
    /// An earlier attempt with this generation has no known outcome. No lease was taken.
    InDoubt {
        /// When the first such attempt began.
        since: UnixMs,
    },
    /// The session has ended, or its token set is forgotten.
    Over,
}

/// The right to refresh one generation of one session's token set.
#[derive(Clone, Debug)]
pub struct RefreshGrant {
    /// Goes up with every lease; a later holder's is larger.
    pub fence: i64,
    /// The session as it stands.
    pub session: SessionRow,
    /// The token set as it stands.
    pub tokens: StoredTokens,
}

/// The unit of work that adopts a refreshed token set.
#[derive(Debug)]
pub struct CommitRefresh {
    /// Which session.
    pub id: SessionId,
    /// The lease's fence.
    pub fence: i64,
    /// The generation that was refreshed; the new one is one more.
    pub from_generation: i64,
    /// The new token set.
    pub tokens: StoredTokens,
    /// The session's sealed values, which name the new generation.
    pub sealed: Vec<u8>,
}
