//! What a connection's gate tells the worker that watches it, and the other way round. One thread writes it: plain
//! loads and stores, no locked instruction.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering::Relaxed};

use super::refused::Refused;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// For us: a request is being answered.
    Busy,
    /// For the next request.
    Idle,
    /// For the rest of a head.
    Head,
    /// For more of a body.
    Body,
    /// For the client to take more of an answer.
    Writing,
    /// For the client to close, after an answer that closes the connection.
    Closing,
}

impl Phase {
    const ALL: [Self; 6] = [Self::Busy, Self::Idle, Self::Head, Self::Body, Self::Writing, Self::Closing];

    fn of(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Busy)
    }
}

/// One connection's record.
#[derive(Debug)]
pub(crate) struct Record {
    /// Heads that went on to hyper.
    heads: AtomicU32,
    /// Requests whose answer has gone, its body included.
    answered: AtomicU32,
    /// What reading waits for, as a [`Phase`].
    reading: AtomicU8,
    /// Whether the client takes no more for now.
    writing_waits: AtomicBool,
    /// Counts each move of bytes.
    moves: AtomicU32,
    /// The [`Phase`] that took too long.
    overdue: AtomicU8,
    refused: OnceLock<Refused>,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            heads: AtomicU32::new(0),
            answered: AtomicU32::new(0),
            reading: AtomicU8::new(Phase::Idle as u8),
            writing_waits: AtomicBool::new(false),
            moves: AtomicU32::new(0),
            overdue: AtomicU8::new(Phase::Busy as u8),
            refused: OnceLock::new(),
        }
    }
}

fn add(cell: &AtomicU32, n: u32) {
    cell.store(cell.load(Relaxed).wrapping_add(n), Relaxed);
}

impl Record {
    /// What the connection waits for.
    pub(crate) fn phase(&self) -> Phase {
        match Phase::of(self.reading.load(Relaxed)) {
            Phase::Idle | Phase::Busy if self.writing_waits.load(Relaxed) => Phase::Writing,
            Phase::Idle if !self.all_answered() => Phase::Busy,
            phase => phase,
        }
    }

    /// How many moves of bytes and how many heads there were: what changes as a connection goes on.
    pub(crate) fn progress(&self) -> (u32, u32) {
        (self.moves.load(Relaxed), self.heads.load(Relaxed))
    }

    /// A phase took too long.
    pub(crate) fn call_overdue(&self, phase: Phase) {
        self.overdue.store(phase as u8, Relaxed);
    }

    /// Whether `phase` took too long. Said once.
    pub(crate) fn is_overdue(&self, phase: Phase) -> bool {
        if self.overdue.load(Relaxed) != phase as u8 {
            return false;
        }
        self.overdue.store(Phase::Busy as u8, Relaxed);
        true
    }

    /// Reading waits.
    pub(crate) fn waits_for(&self, phase: Phase) {
        self.reading.store(phase as u8, Relaxed);
    }

    /// Writing waits, or no longer.
    pub(crate) fn writing_waits(&self, waits: bool) {
        self.writing_waits.store(waits, Relaxed);
    }

    /// Bytes moved: nothing is overdue.
    pub(crate) fn moved(&self) {
        add(&self.moves, 1);
        self.overdue.store(Phase::Busy as u8, Relaxed);
    }

    /// Heads went on.
    pub(super) fn went_on(&self, heads: u32) {
        add(&self.heads, heads);
    }

    /// Whether every request that went on is answered.
    pub(super) fn all_answered(&self) -> bool {
        self.heads.load(Relaxed) == self.answered.load(Relaxed)
    }

    /// An answer has gone.
    pub(crate) fn answered(&self) {
        add(&self.answered, 1);
    }

    /// Nothing more of this client goes on.
    pub(super) fn refuse(&self, refused: Refused) {
        // The first reason is the one that counts.
        self.refused.get_or_init(|| refused);
    }

    /// Why nothing more of this client goes on.
    pub(crate) fn refused(&self) -> Option<Refused> {
        self.refused.get().copied()
    }
}
