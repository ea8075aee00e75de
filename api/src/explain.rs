//! What becomes of a call, and why.

use serde::{Deserialize, Serialize};

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Explanation {
    /// The site, by its id.
    pub site: Option<String>,
    /// The route, by its site and path.
    pub route: Option<String>,
    /// Where it leads.
    pub to: Option<String>,
    /// Which token its calls carry.
    pub token: Option<String>,
    /// The policy's name, if it has one.
    pub policy: Option<String>,
    /// Whether the call goes up.
    pub allowed: bool,
    /// The status of a refusal, or 200.
    pub status: u16,
    /// Why, in a sentence.
    pub why: String,
    /// What the policy asks, one by one.
    pub tests: Vec<ExplainedTest>,
    /// What would help, or is to be known.
    pub helps: Vec<String>,
}

/// One thing that a policy asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExplainedTest {
    /// What is asked.
    pub asks: String,
    /// Whether it holds.
    pub holds: bool,
}
