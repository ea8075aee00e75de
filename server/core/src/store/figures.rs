//! Figures by the minute, kept for a day, and by the hour, kept for eight.

use async_trait::async_trait;

use super::StoreResult;

/// Minutes that are kept one by one.
pub const MINUTES_KEPT: i64 = 25 * 60;
/// Minutes for which hours are kept.
pub const HOURS_KEPT_MINUTES: i64 = 8 * 24 * 60;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// A login started a session.
    Login,
    /// A login was refused after the provider's answer.
    LoginFailed,
    /// A provider renewed a token set.
    Refresh,
    /// A provider did not.
    RefreshFailed,
    /// An administrator ended a session.
    Revocation,
}

impl Measure {
    /// Every measure.
    pub const ALL: [Self; 5] = [Self::Login, Self::LoginFailed, Self::Refresh, Self::RefreshFailed, Self::Revocation];

    /// Its name in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::LoginFailed => "login_failed",
            Self::Refresh => "refresh",
            Self::RefreshFailed => "refresh_failed",
            Self::Revocation => "revocation",
        }
    }

    /// The measure of a name; `None` for a later version's.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.name() == name)
    }
}

/// What a figure is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FigureKey {
    /// Minutes since 1970.
    pub minute: i64,
    /// What.
    pub measure: Measure,
    /// Tenant label.
    pub tenant: String,
    /// Client.
    pub client_id: String,
    /// Provider.
    pub provider_id: String,
}

/// So many of something within a minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Of what.
    pub key: FigureKey,
    /// How many.
    pub n: u64,
}

/// What is asked of the figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FigureQuery {
    /// Only this tenant's; `None`: all.
    pub tenant: Option<String>,
    /// Only this client's.
    pub client_id: Option<String>,
    /// Only this provider's.
    pub provider_id: Option<String>,
    /// Minutes of each number: a multiple of 60 is answered from the hours, anything else from the minutes.
    pub step: i64,
    /// The first minute, a multiple of the step.
    pub from: i64,
}

/// The sum of a measure over a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// The first minute of the step.
    pub minute: i64,
    /// What.
    pub measure: Measure,
    /// How many.
    pub n: u64,
}

/// The part of a store that keeps figures.
#[async_trait]
pub trait FigureStore: Send + Sync {
    /// Adds to what is kept, and lets go of minutes and hours that are too old at `minute`.
    async fn add_figures(&self, figures: Vec<Figure>, minute: i64) -> StoreResult<()>;

    /// Sums by step and measure, in no order.
    async fn figures(&self, query: FigureQuery) -> StoreResult<Vec<Sum>>;
}
