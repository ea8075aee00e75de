//! Figures by the minute: counted in memory where something happens, written by each node every few seconds, and summed
//! in the store, so that every node tells the same.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::clock::UnixMs;
use crate::store::{Figure, FigureKey, Measure};

/// Milliseconds of a minute.
pub const MINUTE_MS: i64 = 60_000;

/// What was counted since it was last written.
#[derive(Debug, Default)]
pub struct Figures(Mutex<HashMap<FigureKey, u64>>);

impl Figures {
    /// Counts `n` of something.
    pub fn count(&self, now: UnixMs, measure: Measure, (tenant, client_id, provider_id): (&str, &str, &str), n: u64) {
        let (tenant, client_id, provider_id) = (tenant.to_owned(), client_id.to_owned(), provider_id.to_owned());
        let key = FigureKey { minute: now.0.div_euclid(MINUTE_MS), measure, tenant, client_id, provider_id };
        *self.0.lock().entry(key).or_default() += n;
    }

    /// Takes what was counted.
    #[must_use]
    pub fn take(&self) -> Vec<Figure> {
        let taken = std::mem::take(&mut *self.0.lock());
        taken.into_iter().map(|(key, n)| Figure { key, n }).collect()
    }

    /// Gives back what could not be written.
    pub fn give_back(&self, figures: Vec<Figure>) {
        let mut counts = self.0.lock();
        for Figure { key, n } in figures {
            *counts.entry(key).or_default() += n;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_written_is_counted_once() {
        let figures = Figures::default();
        let of = ("acme", "app", "main");
        figures.count(UnixMs(59_999), Measure::Login, of, 1);
        figures.count(UnixMs(60_000), Measure::Login, of, 1);
        let taken = figures.take();
        assert_eq!(taken.len(), 2);
        assert!(figures.take().is_empty());
        figures.count(UnixMs(60_001), Measure::Login, of, 2);
        figures.give_back(taken);
        let mut again: Vec<_> = figures.take().into_iter().map(|figure| (figure.key.minute, figure.n)).collect();
        again.sort_unstable();
        assert_eq!(again, [(0, 1), (1, 3)]);
    }
}
