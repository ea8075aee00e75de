//! Figures for `/metrics` (`OpenMetrics` text). Workers count in cells of their own, summed when somebody asks.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use cloakroom_core::session::Sessions;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LoginLabels {
    provider: String,
    outcome: &'static str,
}

/// One worker's counts of answers by their status' first digit. Only that worker writes them.
#[derive(Debug, Default)]
pub struct WorkerCounts {
    answers: [AtomicU64; 6],
}

impl WorkerCounts {
    /// Counts an answer.
    pub fn answered(&self, status: http::StatusCode) {
        if let Some(cell) = self.answers.get(usize::from(status.as_u16() / 100)) {
            // One writer: a plain add, not a locked one.
            cell.store(cell.load(Relaxed) + 1, Relaxed);
        }
    }
}

/// Every figure.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    logins: Family<LoginLabels, Counter>,
    logout_tokens: Family<LoginLabels, Counter>,
    limited: Family<[(&'static str, &'static str); 1], Counter>,
    refused: Family<[(&'static str, String); 2], Counter>,
}

impl Metrics {
    /// Figures over the workers' cells and the session cache.
    #[must_use]
    pub fn new(workers: Vec<Arc<WorkerCounts>>, sessions: Arc<Sessions>) -> Self {
        let mut registry = Registry::with_prefix("cloakroom");
        let logins = Family::default();
        registry.register("logins", "Logins by provider and outcome", logins.clone());
        let logout_tokens = Family::default();
        registry.register("logout_tokens", "Logout tokens by provider and outcome", logout_tokens.clone());
        let limited = Family::default();
        registry.register("limited", "Requests that a limit refused, by limit", limited.clone());
        let refused = Family::default();
        registry.register("refused", "Requests that were refused, by site and the refusal's code", refused.clone());
        registry.register_collector(Box::new(Cells { workers, sessions }));
        Self { registry: Mutex::new(registry), logins, logout_tokens, limited, refused }
    }

    /// Counts what a limit refuses.
    #[must_use]
    pub fn limited(&self, limit: &'static str) -> Counter {
        self.limited.get_or_create(&[("limit", limit)]).clone()
    }

    /// A request was refused; `site` is empty where it was for none.
    pub fn refused(&self, code: &'static str, site: &str) {
        self.refused.get_or_create(&[("site", site.to_owned()), ("code", code.to_owned())]).inc();
    }

    /// A login started a session.
    pub fn login_succeeded(&self, provider: &str) {
        self.login(provider, "ok");
    }

    /// A login was refused after the provider's answer.
    pub fn login_failed(&self, provider: &str) {
        self.login(provider, "refused");
    }

    /// A provider's logout token was taken.
    pub fn logout_token_taken(&self, provider: &str) {
        self.logout_token(provider, "ok");
    }

    /// A logout token was refused; `provider` is the one that it claims to be from, or `unknown`.
    pub fn logout_token_refused(&self, provider: &str) {
        self.logout_token(provider, "refused");
    }

    fn logout_token(&self, provider: &str, outcome: &'static str) {
        self.logout_tokens.get_or_create(&LoginLabels { provider: provider.to_owned(), outcome }).inc();
    }

    fn login(&self, provider: &str, outcome: &'static str) {
        self.logins.get_or_create(&LoginLabels { provider: provider.to_owned(), outcome }).inc();
    }

    /// The text of `/metrics`.
    ///
    /// # Errors
    /// Never in practice: the text grows in memory.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry.lock())?;
        Ok(text)
    }
}

/// What is read where it stands when somebody asks.
#[derive(Debug)]
struct Cells {
    workers: Vec<Arc<WorkerCounts>>,
    sessions: Arc<Sessions>,
}

impl Collector for Cells {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
        let answers = ConstCounter::new(0_u64);
        let mut answers =
            encoder.encode_descriptor("answers", "Answers by status class", None, answers.metric_type())?;
        for (class, label) in (1..).zip(CLASSES) {
            let n: u64 = self.workers.iter().filter_map(|w| w.answers.get(class)).map(|cell| cell.load(Relaxed)).sum();
            ConstCounter::new(n).encode(answers.encode_family(&[("status", label)])?)?;
        }
        let cached = ConstGauge::new(i64::try_from(self.sessions.cached_count()).unwrap_or(i64::MAX));
        let gauge = encoder.encode_descriptor(
            "sessions_cached",
            "Sessions in memory on this node",
            None,
            cached.metric_type(),
        )?;
        cached.encode(gauge)
    }
}
