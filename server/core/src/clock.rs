//! Time as an argument: nothing in the domain reads the machine's clock by itself.

use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMs(pub i64);

impl UnixMs {
    /// The moment `secs` seconds later; saturates at the end of time.
    #[must_use]
    pub const fn plus_secs(self, secs: i64) -> Self {
        Self(self.0.saturating_add(secs.saturating_mul(1000)))
    }

    /// Whole seconds since 1970, rounded down, as JWTs count (RFC 7519 section 2, `NumericDate`).
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The moment that a JWT's `NumericDate` names.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Seconds from `now` to this moment, rounded down; 0 once it has passed.
    #[must_use]
    pub const fn secs_after(self, now: Self) -> i64 {
        let left = self.0.saturating_sub(now.0);
        if left <= 0 { 0 } else { left / 1000 }
    }

    /// Reads RFC 3339, with any offset; `None` for anything else.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let at = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).ok().map(Self)
    }

    /// RFC 3339 in UTC with milliseconds, such as `2026-11-24T10:54:25.000Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let format =
            time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .ok()
            .and_then(|at| at.format(format).ok())
            .unwrap_or_default()
    }
}

/// Where the domain's time comes from: the machine's clock in the gateway, a held one in tests.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> UnixMs;

    /// Compares itself with what it was set by; to be called each second.
    fn follow(&self) {}
}

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub struct HeldClock(std::sync::atomic::AtomicI64);

impl HeldClock {
    /// A clock standing at `at`.
    #[must_use]
    pub const fn at(at: UnixMs) -> Self {
        Self(std::sync::atomic::AtomicI64::new(at.0))
    }

    /// Sets the clock.
    pub fn set(&self, at: UnixMs) {
        self.0.store(at.0, std::sync::atomic::Ordering::SeqCst);
    }

    /// Moves the clock forward (or, with a negative number, back).
    pub fn advance_secs(&self, secs: i64) {
        self.0.fetch_add(secs.saturating_mul(1000), std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for HeldClock {
    fn now(&self) -> UnixMs {
        UnixMs(self.0.load(std::sync::atomic::Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_print_as_rfc_3339() {
        assert_eq!(UnixMs(1_795_517_665_042).rfc3339(), "2026-11-24T10:54:25.042Z");
        assert_eq!(UnixMs(0).rfc3339(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn moments_are_read_back_whatever_their_offset() {
        for text in ["2026-11-24T10:54:25.042Z", "2026-11-24T12:54:25.042+02:00", "2026-11-24T10:54:25.0425Z"] {
            assert_eq!(UnixMs::parse_rfc3339(text), Some(UnixMs(1_795_517_665_042)), "{text}");
        }
        for odd in ["", "2026-11-24", "2026-11-24T10:54:25", "1795517665", "2026-13-24T10:54:25Z"] {
            assert_eq!(UnixMs::parse_rfc3339(odd), None, "{odd}");
        }
    }

    #[test]
    fn seconds_left_never_go_below_zero() {
        assert_eq!(UnixMs(5_999).secs_after(UnixMs(1_000)), 4);
        assert_eq!(UnixMs(1_000).secs_after(UnixMs(5_000)), 0);
    }
}
