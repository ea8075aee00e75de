//! How often something may happen: the generic cell rate algorithm (GCRA), one number for each thing that is counted.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use crate::clock::UnixMs;

/// So many in a span of time, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What one costs, in nanoseconds.
    each_ns: i64,
    /// How many may come at once after a pause.
    burst: i64,
}

/// The text is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no number of 1 to 1000000 and a span, such as 100/s, 60/min or 1000/h")]
pub struct NotARate;

impl Rate {
    /// Reads `100/s`, `60/min` or `1000/h`; the burst is that number, until another one is set.
    ///
    /// # Errors
    /// [`NotARate`].
    pub fn parse(text: &str) -> Result<Self, NotARate> {
        let (number, span) = text.split_once('/').ok_or(NotARate)?;
        let span_ns = match span {
            "s" => 1_000_000_000,
            "min" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return Err(NotARate),
        };
        let digits = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
        let number: i64 = number.parse().ok().filter(|number| digits && *number <= 1_000_000).ok_or(NotARate)?;
        Ok(Self { each_ns: span_ns / number, burst: number })
    }

    /// The same, with another burst.
    #[must_use]
    pub const fn with_burst(self, burst: u32) -> Self {
        Self { burst: burst as i64, ..self }
    }

    /// How many may come at once.
    #[must_use]
    pub const fn burst(&self) -> i64 {
        self.burst
    }

    /// After how long, in seconds and rounded up, a burst may come again.
    #[must_use]
    pub const fn window_secs(&self) -> i64 {
        secs(self.most_ns())
    }

    const fn most_ns(&self) -> i64 {
        self.each_ns.saturating_mul(self.burst)
    }
}

/// Rounded up.
const fn secs(ns: i64) -> i64 {
    ns.saturating_add(999_999_999) / 1_000_000_000
}

/// What has come so far, as the moment when all of it is worked off (the "theoretical arrival time").
#[derive(Debug, Default)]
pub struct Pace(AtomicI64);

/// What a [`Pace`] says of one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may pass.
    pub passes: bool,
    /// How many more would pass at once.
    pub left: i64,
    /// When there is more, in seconds and rounded up: the next one after a refusal, a whole burst otherwise.
    pub reset_secs: i64,
}

impl Pace {
    /// Whether the next one would pass at `now`; it is not counted.
    pub fn look(&self, rate: &Rate, now: UnixMs) -> Verdict {
        Self(AtomicI64::new(self.0.load(Relaxed))).take(rate, now)
    }

    /// One more at `now`. Exact however many ask at once: each that passes has moved the number itself.
    pub fn take(&self, rate: &Rate, now: UnixMs) -> Verdict {
        let (now_ns, most_ns) = (now.0.saturating_mul(1_000_000), rate.most_ns());
        let mut before = self.0.load(Relaxed);
        loop {
            let last = now_ns.saturating_add(most_ns);
            if before > last {
                // The clock went back: nobody waits for more than a full burst to be worked off.
                before = self.0.compare_exchange(before, last, Relaxed, Relaxed).map_or_else(|other| other, |_| last);
                continue;
            }
            let from = before.max(now_ns);
            let after = from.saturating_add(rate.each_ns);
            let over_ns = after.saturating_sub(now_ns).saturating_sub(most_ns);
            if over_ns > 0 {
                return Verdict { passes: false, left: 0, reset_secs: secs(over_ns).max(1) };
            }
            match self.0.compare_exchange_weak(before, after, Relaxed, Relaxed) {
                Ok(_) => {
                    let used_ns = after.saturating_sub(now_ns);
                    let left = most_ns.saturating_sub(used_ns) / rate.each_ns.max(1);
                    return Verdict { passes: true, left, reset_secs: secs(used_ns) };
                }
                Err(other) => before = other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p14_rates_are_read_strictly() {
        for (text, each_ns, burst) in
            [("700000/s", 1_428, 700_000), ("60/min", 1_000_000_000, 60), ("1/h", 3_600_000_000_000, 1)]
        {
            assert_eq!(Rate::parse(text), Ok(Rate { each_ns, burst }), "{text}");
        }
        for bad in
            ["", "100", "/s", "0/s", "-1/s", "+1/s", "1.5/s", "1000001/s", "1 /s", "1/ s", "1/sec", "1/d", "01/s"]
        {
            assert_eq!(Rate::parse(bad), Err(NotARate), "{bad}");
        }
    }

    #[test]
    fn p14_a_burst_passes_then_one_at_a_time_to_the_millisecond() {
        let rate = Rate::parse("10/s").expect("a rate").with_burst(3);
        let (pace, at) = (Pace::default(), |ms: i64| UnixMs(1_795_517_665_000 + ms));
        let left: Vec<_> = (0..3).map(|_| pace.take(&rate, at(0)).left).collect();
        assert_eq!(left, [2, 1, 0]);
        assert_eq!(pace.take(&rate, at(0)), Verdict { passes: false, left: 0, reset_secs: 1 });
        assert!(!pace.take(&rate, at(99)).passes);
        assert!(pace.take(&rate, at(100)).passes && !pace.take(&rate, at(100)).passes);
        assert_eq!(pace.take(&rate, at(10_000)), Verdict { passes: true, left: 2, reset_secs: 1 });
        // The clock goes back by an hour: nobody waits for that hour.
        assert!((0..4).any(|tenth| pace.take(&rate, at(-3_600_000 + 100 * tenth)).passes));
    }

    #[test]
    fn p14_exactly_the_burst_passes_however_many_ask_at_once() {
        let rate = Rate::parse("1/h").expect("a rate").with_burst(2_000);
        for _ in 0..20 {
            let (pace, together) = (Pace::default(), std::sync::Barrier::new(4));
            let ask = || {
                together.wait();
                (0..1_000).filter(|_| pace.take(&rate, UnixMs(1_795_517_665_000)).passes).count()
            };
            let passed: usize = std::thread::scope(|threads| {
                let asking: Vec<_> = (0..4).map(|_| threads.spawn(ask)).collect();
                asking.into_iter().map(|thread| thread.join().expect("a thread")).sum()
            });
            assert_eq!(passed, 2_000);
        }
    }
}
