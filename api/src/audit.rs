//! The audit log: events, what is searched for, the state of the chain, and files taken out of it.

use serde::{Deserialize, Serialize};

/// One event of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEvent {
    /// The event's id, a lower-case UUID.
    pub id: String,
    /// When (RFC 3339, UTC).
    pub at: String,
    /// What, as a code such as `session.started`.
    pub kind: String,
    /// One sentence for people.
    pub text: String,
    /// Tenant label; empty for what concerns the whole gateway.
    pub tenant: String,
    /// The person it happened to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Who>,
    /// Whether it happened to a person who was erased since.
    #[serde(default)]
    pub subject_erased: bool,
    /// Who did it; absent when the gateway itself did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Who>,
    /// Whether a person who was erased since did it.
    #[serde(default)]
    pub actor_erased: bool,
    /// The session it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The client it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The provider it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// What else is to be known, by name. Names nobody.
    pub facts: Vec<Fact>,
    /// Its number in the chain, once it has one. Only for administrators of every tenant: a tenant's gaps would tell of
    /// the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Its hash in the chain, in hexadecimal, once it has one. Covers the event and every one before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

/// A person in an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Who {
    /// The provider's issuer.
    pub issuer: String,
    /// The person's id there.
    pub sub: String,
    /// Name, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Mail address, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Network address, where it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// User agent, where it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

impl Who {
    /// The name for people to read: name, else mail address, else `sub`.
    #[must_use]
    pub fn display(&self) -> &str {
        self.name.as_deref().or(self.email.as_deref()).unwrap_or(&self.sub)
    }
}

/// One fact of an event, as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fact {
    /// Its name.
    pub name: String,
    /// Its value: a string as it is, anything else as JSON.
    pub value: String,
}

/// What is searched for; all of it must hold, and what is absent asks nothing. The list takes the same names as
/// parameters, with the kinds joined by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AuditFilter {
    /// Events about this person's id, at any configured provider unless `subject_issuer` says which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The provider's issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_issuer: Option<String>,
    /// Events done by this administrator's id, at any configured provider unless `actor_issuer` says which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The provider's issuer, or `operating-system:HOST` for somebody with a shell on the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_issuer: Option<String>,
    /// Events about this session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Events whose person came from this network address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Events of these kinds, at most 8.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kind: Vec<String>,
    /// Not before this moment (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Before this moment (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// How the chain stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditChain {
    /// Its end. Only for administrators of every tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<ChainPoint>,
    /// What the last verification found, on this node and since it started.
    pub verification: Verification,
    /// The moment this was read (RFC 3339, UTC).
    pub as_of: String,
}

/// A place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChainPoint {
    /// The event's number.
    pub seq: u64,
    /// Its hash in hexadecimal.
    pub hash: String,
}

/// A walk over the whole chain that recomputes every link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Verification {
    /// How far it is, or what it found.
    pub state: VerificationState,
    /// When it began (RFC 3339, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// The number up to which every link holds. Only for administrators of every tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<u64>,
    /// What is wrong, and where. Only for administrators of every tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
}

/// The state of a verification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum VerificationState {
    /// None since this node started.
    #[default]
    Never,
    /// Under way.
    Running,
    /// Every link holds.
    Whole,
    /// An event is missing, altered or out of place.
    Broken,
    /// The store did not answer; ask again.
    Failed,
}

/// What is to be taken out as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AuditExport {
    /// The file's format.
    pub format: ExportFormat,
    /// Which events.
    #[serde(default)]
    pub filter: AuditFilter,
}

/// A file's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// Comma-separated, for spreadsheets: no cell is ever a formula.
    Csv,
    /// One JSON object a line, each an [`AuditEvent`].
    Ndjson,
}

/// Where the file can be had, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportTicket {
    /// Same origin; for the session that asked, once.
    pub path: String,
    /// Until when (RFC 3339, UTC).
    pub expires_at: String,
}
