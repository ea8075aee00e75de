//! What a step-up leaves behind: which session took the place of another, and until when the old one counts (C14).

use crate::audit::AuditRow;
use crate::clock::UnixMs;
use crate::session::id::SessionId;

/// A session whose place another took by a step-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Succession {
    /// The session that took its place.
    pub successor: SessionId,
    /// Until when the old session counts, if the successor runs.
    pub good_until: UnixMs,
    /// When its secret was first used after that.
    pub reused_at: Option<UnixMs>,
}

/// The unit of work that notes the use of a secret whose time is over.
#[derive(Debug)]
pub struct NoteReuse {
    /// The old session.
    pub id: SessionId,
    /// When.
    pub at: UnixMs,
    /// The audit event; appended only with the first use.
    pub event: AuditRow,
}
