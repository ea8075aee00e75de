//! Time and randomness, handed in by the caller so that a test can hold both.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Where the demo's rooms take time and randomness from.
#[derive(Clone)]
pub struct Sources {
    now_secs: Arc<dyn Fn() -> u64 + Send + Sync>,
    fill_random: Arc<FillRandom>,
}

type FillRandom = dyn Fn(&mut [u8]) + Send + Sync;

impl Sources {
    /// `now_secs` answers seconds since the Unix epoch; `fill_random` fills the whole slice with
    /// bytes nobody can guess.
    pub fn new(
        now_secs: impl Fn() -> u64 + Send + Sync + 'static,
        fill_random: impl Fn(&mut [u8]) + Send + Sync + 'static,
    ) -> Self {
        Self { now_secs: Arc::new(now_secs), fill_random: Arc::new(fill_random) }
    }

    pub(crate) fn now_secs(&self) -> u64 {
        (self.now_secs)()
    }

    /// 256 random bits as base64url: codes, refresh tokens, cookies, ids.
    pub(crate) fn token(&self) -> String {
        let mut bytes = [0; 32];
        (self.fill_random)(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// 128 random bits as base64url: ids that are not secrets (`jti`, `sid`, `kid`).
    pub(crate) fn id(&self) -> String {
        let mut bytes = [0; 16];
        (self.fill_random)(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

#[cfg(test)]
pub(crate) mod held {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::{Arc, Sources};

    /// A clock that stands still until a test moves it.
    #[derive(Clone)]
    pub(crate) struct Clock(Arc<AtomicU64>);

    impl Clock {
        pub(crate) fn forward(&self, secs: u64) {
            self.0.fetch_add(secs, Ordering::Relaxed);
        }

        pub(crate) fn now_secs(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    /// Held time, and bytes that count upwards: unique, repeatable, not random.
    pub(crate) fn sources() -> (Sources, Clock) {
        let clock = Clock(Arc::new(AtomicU64::new(1_800_000_000)));
        let counter = AtomicU64::new(1);
        let read = clock.clone();
        let sources = Sources::new(
            move || read.now_secs(),
            move |bytes| {
                let next = counter.fetch_add(1, Ordering::Relaxed).to_be_bytes();
                for (to, from) in bytes.iter_mut().zip(next.iter().cycle()) {
                    *to = *from;
                }
            },
        );
        (sources, clock)
    }
}
