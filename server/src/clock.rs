//! The machine's clock, behind `core::clock`.

use std::time::UNIX_EPOCH;

use cloakroom_core::clock::{Clock, UnixMs};

/// The wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the machine's time comes in")]
    fn now(&self) -> UnixMs {
        let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
