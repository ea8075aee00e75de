//! Watches a worker's connections: once a second each one's record is looked at, and who keeps us waiting for too long
//! is told so (P13). No connection has a timer of its own.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use super::gate::{Phase, Record};

/// Ticks from one look to the next.
const LOOK_TICKS: u64 = 10;
/// How long a client is given to close, after an answer that closes the connection.
const CLOSING_SECS: u64 = 2;
/// How long an idle connection may stay where others wait for its place, or the process drains.
const CROWDED_SECS: u64 = 1;

/// How long connections may keep us waiting.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From a head's first byte to its end.
    pub head_secs: u64,
    /// For more of a body, and for a client to take more of an answer.
    pub body_idle_secs: u64,
    /// For the next request.
    pub keep_alive_secs: u64,
}

impl Limits {
    fn secs(&self, phase: Phase, crowded: bool) -> Option<u64> {
        match phase {
            Phase::Busy => None,
            Phase::Idle if crowded => Some(CROWDED_SECS.min(self.keep_alive_secs)),
            Phase::Idle => Some(self.keep_alive_secs),
            Phase::Head => Some(self.head_secs),
            Phase::Body | Phase::Writing => Some(self.body_idle_secs),
            Phase::Closing => Some(CLOSING_SECS),
        }
    }
}

/// One connection under watch.
#[derive(Debug)]
struct Entry {
    record: Arc<Record>,
    /// Wakes its task.
    waker: Waker,
    phase: Phase,
    progress: (u32, u32),
    /// The look at which this began.
    since: u64,
}

impl Entry {
    /// Whether the connection has kept us waiting for longer than it may.
    fn look(&mut self, look: u64, limits: &Limits, crowded: bool) -> bool {
        let (phase, progress) = (self.record.phase(), self.record.progress());
        // A head must be whole in time, however often a byte of it comes.
        let stuck = phase == self.phase
            && if phase == Phase::Head { progress.1 == self.progress.1 } else { progress == self.progress };
        if !stuck {
            (self.phase, self.progress, self.since) = (phase, progress, look);
        }
        limits.secs(phase, crowded).is_some_and(|secs| look - self.since >= secs)
    }
}

/// A worker's connections.
#[derive(Debug, Default)]
pub struct Watch {
    entries: RefCell<Vec<Option<Entry>>>,
    free: RefCell<Vec<usize>>,
}

impl Watch {
    /// To be called on every tick, with the number of the tick; `crowded` where connections wait for a place.
    pub(crate) fn tick(&self, tick: u64, limits: &Limits, crowded: bool) {
        if !tick.is_multiple_of(LOOK_TICKS) {
            return;
        }
        let look = tick / LOOK_TICKS;
        for entry in self.entries.borrow_mut().iter_mut().flatten() {
            if entry.look(look, limits, crowded) {
                entry.record.call_overdue(entry.phase);
                entry.waker.wake_by_ref();
            }
        }
    }

    /// Watches a connection until what is given back goes.
    pub(crate) fn over(self: &Rc<Self>, record: &Arc<Record>, waker: &Waker, tick: u64) -> Watched {
        let entry = Entry {
            record: Arc::clone(record),
            waker: waker.clone(),
            phase: record.phase(),
            progress: record.progress(),
            since: tick / LOOK_TICKS + 1,
        };
        let mut entries = self.entries.borrow_mut();
        let place = self.free.borrow_mut().pop().unwrap_or(entries.len());
        match entries.get_mut(place) {
            Some(slot) => *slot = Some(entry),
            None => entries.push(Some(entry)),
        }
        Watched { watch: Rc::clone(self), place }
    }
}

/// A connection is watched as long as this lives.
#[derive(Debug)]
pub(crate) struct Watched {
    watch: Rc<Watch>,
    place: usize,
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(slot) = self.watch.entries.borrow_mut().get_mut(self.place) {
            *slot = None;
        }
        self.watch.free.borrow_mut().push(self.place);
    }
}
