//! The machine's clock, behind `core::clock`: the wall clock, without its jumps.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use rustix::time::{ClockId, clock_gettime};

use cloakroom_core::clock::{Clock, UnixMs};

/// By so much the wall clock may be off at a look to be followed at once: it is being adjusted.
const ADJUSTED_MS: i64 = 2_000;
/// A jump that stands for so long is taken for the truth.
const STANDS_MS: i64 = 60_000;

/// The wall clock as it was at the start, carried on by one that nobody sets and that counts suspends. Sessions so neither
/// expire nor live longer because somebody set the machine's clock for a moment.
#[derive(Debug)]
pub struct SystemClock {
    /// From the time since the machine started to the wall clock's.
    offset_ms: AtomicI64,
    jumped: Mutex<Option<Jump>>,
}

/// The wall clock shows another time than it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Jump {
    offset_ms: i64,
    /// When that was first seen.
    seen_ms: i64,
}

/// What a look at the wall clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// It goes on as it should, to the bit by which it is adjusted.
    Follow(i64),
    /// It has jumped.
    Jumped(Jump),
    /// It still shows what it jumped to.
    Waits,
    /// It has done so for long enough.
    Believe(i64),
}

fn look(known_ms: i64, jumped: Option<Jump>, offset_ms: i64, now_ms: i64) -> Look {
    let near = |other: i64| offset_ms.saturating_sub(other).saturating_abs() <= ADJUSTED_MS;
    match jumped {
        _ if near(known_ms) => Look::Follow(offset_ms),
        Some(jump) if near(jump.offset_ms) && now_ms.saturating_sub(jump.seen_ms) < STANDS_MS => Look::Waits,
        Some(jump) if near(jump.offset_ms) => Look::Believe(offset_ms),
        _ => Look::Jumped(Jump { offset_ms, seen_ms: now_ms }),
    }
}

impl SystemClock {
    /// A clock that shows what the wall clock shows now.
    #[must_use]
    pub fn new() -> Self {
        Self { offset_ms: AtomicI64::new(wall_ms().saturating_sub(since_boot_ms())), jumped: Mutex::new(None) }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> UnixMs {
        UnixMs(since_boot_ms().saturating_add(self.offset_ms.load(Relaxed)))
    }

    fn follow(&self) {
        let now_ms = since_boot_ms();
        let mut jumped = self.jumped.lock().unwrap_or_else(PoisonError::into_inner);
        let known_ms = self.offset_ms.load(Relaxed);
        match look(known_ms, *jumped, wall_ms().saturating_sub(now_ms), now_ms) {
            Look::Waits => {}
            Look::Follow(offset_ms) => {
                self.offset_ms.store(offset_ms, Relaxed);
                if jumped.take().is_some() {
                    tracing::warn!("the machine's clock is back where it was");
                }
            }
            Look::Jumped(jump) => {
                let by_ms = jump.offset_ms.saturating_sub(known_ms);
                tracing::warn!(by_ms, "the machine's clock jumped; that counts once it has stood for a minute");
                *jumped = Some(jump);
            }
            Look::Believe(offset_ms) => {
                tracing::warn!(
                    by_ms = offset_ms.saturating_sub(known_ms),
                    "the machine's clock is followed after its jump"
                );
                self.offset_ms.store(offset_ms, Relaxed);
                *jumped = None;
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where the machine's time comes in")]
fn wall_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn since_boot_ms() -> i64 {
    let since = clock_gettime(ClockId::Boottime);
    since.tv_sec.saturating_mul(1_000).saturating_add(since.tv_nsec / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f04_jump_counts_once_it_has_stood_and_an_adjustment_at_once() {
        let (known, hour) = (1_000_000, 3_600_000);
        for by in [0, 2_000, -2_000] {
            assert_eq!(look(known, None, known + by, 5), Look::Follow(known + by));
        }
        for by in [hour, -hour, 2_001] {
            let jump = Jump { offset_ms: known + by, seen_ms: 5 };
            assert_eq!(look(known, None, known + by, 5), Look::Jumped(jump));
            assert_eq!(look(known, Some(jump), known + by, 60_004), Look::Waits);
            assert_eq!(look(known, Some(jump), known + by, 60_005), Look::Believe(known + by));
            assert_eq!(look(known, Some(jump), known, 60_005), Look::Follow(known));
            // Another jump is another matter.
            let again = Jump { offset_ms: known + by * 3, seen_ms: 60_005 };
            assert_eq!(look(known, Some(jump), known + by * 3, 60_005), Look::Jumped(again));
        }
    }
}
