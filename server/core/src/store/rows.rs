//! What goes into a store and comes back: plain values, sealed where they matter.

use super::login::Proven;
use crate::audit::AuditRow;
use crate::clock::UnixMs;
use crate::session::id::{SecretHash, SessionId};
use crate::store::Room;

/// A key of the ring, wrapped by the root key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKeyRow {
    /// The key's id: 8 lower-case hexadecimal digits.
    pub id: String,
    /// The key, sealed under the root key.
    pub wrapped: Vec<u8>,
    /// When it was made.
    pub created_at: UnixMs,
}

/// The key that seals one person's fields in the audit log; destroying it erases them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectKeyRow {
    /// Keyed hash of (issuer, sub).
    pub subject: [u8; 32],
    /// The ring key that wraps it.
    pub key_id: String,
    /// The key, sealed.
    pub wrapped: Vec<u8>,
}

/// A session as stored. `sealed` holds what decisions read; the other fields serve look-ups and lists.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// What lists show.
    pub summary: SessionSummary,
    /// SHA-256 of the session's secret.
    pub secret_hash: SecretHash,
    /// Keyed hash of (issuer, sub).
    pub subject: [u8; 32],
    /// Keyed hash of (issuer, the provider's `sid`), where the ID token had one.
    pub upstream_sid: Option<[u8; 32]>,
    /// The provider's registration that the session was started with.
    pub registration_id: String,
    /// Goes up by one with every change but last-seen.
    pub version: i64,
    /// The ring key that wraps `wrapped_key`.
    pub key_id: String,
    /// The session's own data key, sealed under the ring key.
    pub wrapped_key: Vec<u8>,
    /// [`crate::session::record::SealedSession`], sealed under the data key.
    pub sealed: Vec<u8>,
}

/// A session's columns: enough for a list, no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSummary {
    /// Public id.
    pub id: SessionId,
    /// Tenant label.
    pub tenant: String,
    /// Client.
    pub client_id: String,
    /// Provider.
    pub provider_id: String,
    /// `web` or `mobile`.
    pub kind: String,
    /// The provider's issuer.
    pub issuer: String,
    /// The person's id at the provider.
    pub sub: String,
    /// The person's name as the provider gave it.
    pub name: Option<String>,
    /// The person's mail address as the provider gave it.
    pub email: Option<String>,
    /// The name that its owner gave the device.
    pub device_name: Option<String>,
    /// Network address at sign-in.
    pub address: Option<String>,
    /// User agent at sign-in, at most 512 bytes.
    pub user_agent: Option<String>,
    /// Sign-in.
    pub created_at: UnixMs,
    /// Last use, late by at most a minute.
    pub last_seen_at: UnixMs,
    /// When it ends if it is not used.
    pub idle_expires_at: UnixMs,
    /// When it ends in any case.
    pub expires_at: UnixMs,
    /// How it ended, if it was ended.
    pub ended: Option<Ended>,
}

/// How a session came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: UnixMs,
    /// Why, as a code: `signed_out`, `revoked`, `replaced`, `refused_by_provider`, `ended_by_user`,
    /// `logged_out_by_provider`, `key_burned`, `erased`.
    pub reason: String,
    /// Why, in an administrator's words.
    pub text: Option<String>,
    /// Who, for people to read: an administrator's name or sub.
    pub by: Option<String>,
}

/// A token set as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTokens {
    /// How often the set was renewed: 1 after login, one more with each refresh.
    pub generation: i64,
    /// [`crate::session::record::TokenSet`], sealed under the session's data key.
    pub sealed: Vec<u8>,
    /// When this generation came.
    pub refreshed_at: UnixMs,
    /// Whether a refresh of this generation was begun and its outcome is not known.
    pub in_doubt: bool,
}

/// The unit of work that ends a login.
#[derive(Debug)]
pub struct CommitLogin {
    /// Hash of the login transaction's state: used once, then refused.
    pub transaction: [u8; 32],
    /// Until when the used transaction must be remembered.
    pub transaction_expires_at: UnixMs,
    /// The new session.
    pub session: SessionRow,
    /// Its token set, generation 1.
    pub tokens: StoredTokens,
    /// The browser's old session, ended by this login.
    pub replaces: Option<End>,
    /// Until when that one still counts, where this login steps it up.
    pub good_until: Option<UnixMs>,
    /// How many sessions the person may have at the client; `None` for any number.
    pub room: Option<Room>,
    /// What a logout that came first is told by.
    pub proven: Proven,
    /// Until when the code of a mobile app's session may be redeemed; `None` for a browser's session.
    pub code_expires_at: Option<UnixMs>,
    /// The audit event of the login.
    pub event: AuditRow,
}

/// The sessions that a provider's logout names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// By what.
    pub by: NamedBy,
    /// Only this client's.
    pub client_id: Option<String>,
    /// Those that had not ended or expired by then.
    pub alive_after: UnixMs,
}

/// By what a provider's logout names sessions: keyed hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// The provider's own session, whoever's.
    Sid([u8; 32]),
    /// The person.
    Subject([u8; 32]),
    /// The provider's own session, if it is this person's.
    SidOfSubject {
        /// The provider's session.
        sid: [u8; 32],
        /// The person.
        subject: [u8; 32],
    },
}

/// The unit of work of a provider's logout.
#[derive(Clone, Debug)]
pub struct CommitLogout {
    /// Keyed hash of the logout token: used once, then refused.
    pub token: [u8; 32],
    /// Until when the used token must be remembered.
    pub token_expires_at: UnixMs,
    /// The present moment.
    pub now: UnixMs,
    /// Whom it names.
    pub named: Named,
    /// The ends of all sessions that are named.
    pub ends: Vec<End>,
    /// What logins that come later are told by.
    pub tombstone: Tombstone,
    /// The audit event of the logout itself.
    pub event: AuditRow,
}

/// Remembers a logout for logins that are still on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// Keyed hash of the provider's session, or of the person.
    pub name: [u8; 32],
    /// When the logout token was issued, by the provider's clock.
    pub issued_at: UnixMs,
    /// Until when it is remembered.
    pub expires_at: UnixMs,
}

/// What a [`CommitLogout`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogoutOutcome {
    /// All of it; the ends' outcomes in the order asked.
    Done(Vec<EndOutcome>),
    /// Nothing: the token had been used before.
    Replayed,
    /// Nothing: a session that is named has started meanwhile.
    Changed,
}

/// The unit of work that ends a session.
#[derive(Clone, Debug)]
pub struct End {
    /// Which.
    pub id: SessionId,
    /// How.
    pub ended: Ended,
    /// The audit event; appended only if this call ends the session.
    pub event: AuditRow,
}

/// What an [`End`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndOutcome {
    /// The session ran until now.
    Ended,
    /// It had ended before, in this way.
    AlreadyEnded(Ended),
    /// There is no such session.
    NotFound,
}

/// What a session's row says of its life at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Runs.
    Live,
    /// Ended or expired.
    Over,
    /// Any.
    All,
}

/// The order of a list, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// By sign-in.
    Created,
    /// By last use.
    LastSeen,
}

/// A place in a sorted list: the row with this moment and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The sorted column's value.
    pub at: UnixMs,
    /// The row's id.
    pub id: SessionId,
    /// Read the page before the place instead of the one after it.
    pub backwards: bool,
}

/// What an administrator asks of the list of sessions.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// Only this tenant's; `None` sees all.
    pub tenant: Option<String>,
    /// Live, over, or all.
    pub state: SessionState,
    /// Only this client's.
    pub client_id: Option<String>,
    /// Only this person's id at any provider.
    pub sub: Option<String>,
    /// Free text: a part of sub, name, mail address, network address or user agent, or a whole session id.
    pub text: Option<String>,
    /// Order.
    pub sort: Sort,
    /// Where the page starts; `None` for the first page.
    pub place: Option<Place>,
    /// Rows a page, 1 to 100.
    pub limit: u32,
    /// The present moment, which tells live from expired.
    pub now: UnixMs,
}

/// One page of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPage {
    /// The rows in order.
    pub rows: Vec<SessionSummary>,
    /// Whether there are rows after these.
    pub more_after: bool,
    /// Whether there are rows before these.
    pub more_before: bool,
    /// How many rows match in all.
    pub count: Count,
}

/// A count that says whether it is exact: counting stops at 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The number, or the number at which counting stopped.
    pub n: u64,
    /// Whether counting went to the end.
    pub exact: bool,
}

/// Figures for the overview.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Live sessions.
    pub live: u64,
    /// Live sessions by client id.
    pub by_client: Vec<(String, u64)>,
    /// Live sessions by provider id.
    pub by_provider: Vec<(String, u64)>,
    /// Audit events by kind.
    pub events: Vec<(String, u64)>,
}
