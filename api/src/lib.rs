//! Wire types of the admin API (`/admin/api/v1`), shared by gateway and console.
//!
//! One file per resource. Plain serde types only: the crate also builds for WebAssembly, where each dependency is
//! weight on the wire. Moments are RFC 3339 strings in UTC, durations carry their unit in the name. No type here can
//! hold a token or a session's secret.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /me` | [`Me`] |
//! | `GET /overview` | [`Overview`] |
//! | `GET /figures?range=&client=&provider=` | [`Figures`] |
//! | `GET /sessions?state=&client=&q=&sort=&limit=&cursor=` | [`Page`] of [`Session`] |
//! | `GET /sessions/{id}` | [`SessionDetail`] |
//! | `POST /sessions/{id}/revoke` with [`Revoke`] | [`Revoked`] |
//! | `GET /routes` | [`RouteList`] |
//! | `POST /revocations/preview` with [`PreviewRevocation`] | [`RevocationPreview`] |
//! | `POST /revocations` with [`DecideRevocation`] | [`RevocationReport`] |
//! | `GET /revocations?limit=&cursor=` | [`Page`] of [`RevocationReport`] |
//! | `GET /revocations/{id}` | [`RevocationReport`] |
//! | `POST /locks` with [`SetLock`] | [`Lock`] |
//! | `GET /locks?state=&limit=&cursor=` | [`Page`] of [`Lock`] |
//! | `POST /locks/{id}/lift` with [`LiftLock`] | [`Lock`] |
//! | `POST /explain` with a call | [`Explanation`] |
//! | `GET /users?state=&sub=&q=&limit=&cursor=` | [`Page`] of [`User`] |
//! | `GET /users/{id}` | [`UserDetail`] |
//! | `POST /users/{id}/exports` | [`ExportTicket`] for a [`UserExport`] |
//! | `POST /users/{id}/erase` with [`EraseUser`] | [`UserErased`] |
//! | `GET /service-accounts` | [`Page`] of [`ServiceAccount`] |
//! | `POST /service-accounts` with [`MakeServiceAccount`] | [`ServiceAccountToken`] |
//! | `POST /service-accounts/{id}/rotate` with [`RotateServiceAccount`] | [`ServiceAccountToken`] |
//! | `POST /service-accounts/{id}/disable` with [`DisableServiceAccount`] | [`ServiceAccount`] |
//! | `GET /clients`, `GET /clients/{id}` | [`Page`] of [`Client`], [`Client`] |
//! | `GET /providers` | [`Page`] of [`Provider`] |
//! | `GET /upstreams` | [`Page`] of [`Upstream`] |
//! | `GET /keys`, `GET /nodes`, `GET /configuration` | [`Page`] of [`RingKey`], of [`Node`]; [`Configuration`] |
//! | `GET /audit/events?subject=&actor=&session=&address=&kind=&from=&until=&limit=&cursor=` | [`Page`] of [`AuditEvent`] |
//! | `GET /audit/events/{id}` | [`AuditEvent`] |
//! | `GET /audit/tail` with the list's filters | `text/event-stream`: each `data:` an [`AuditEvent`] |
//! | `GET /audit/chain`, `POST /audit/verify` | [`AuditChain`] |
//! | `POST /audit/exports` with [`AuditExport`] | [`ExportTicket`] |
//!
//! Every refusal is a [`Problem`] (RFC 9457, `application/problem+json`).

mod account;
mod audit;
mod client;
mod event;
mod explain;
mod figures;
mod lock;
mod me;
mod operation;
mod overview;
mod page;
mod problem;
mod provider;
mod revocation;
mod revoke;
mod routes;
mod session;
mod upstream;
mod user;

pub use account::{
    ACCOUNT_NAME_MAX_CHARS, DisableServiceAccount, MakeServiceAccount, RotateServiceAccount, ServiceAccount,
    ServiceAccountToken,
};
pub use audit::{
    AuditChain, AuditEvent, AuditExport, AuditFilter, ChainPoint, ExportFormat, ExportTicket, Fact, Verification,
    VerificationState, Who,
};
pub use client::{Client, Source};
pub use event::Event;
pub use explain::{ExplainedTest, Explanation};
pub use figures::Figures;
pub use lock::{LiftLock, Lock, SetLock};
pub use me::{Me, Permission, Role};
pub use operation::{Configuration, Node, RingKey};
pub use overview::{Named, Overview, Totals};
pub use page::{Count, Page};
pub use problem::Problem;
pub use provider::{Provider, ProviderTrouble, Registration};
pub use revocation::{
    DecideRevocation, OwnSession, PreviewRevocation, ProviderFailure, ProviderProgress, RevocationFilter,
    RevocationPreview, RevocationReport, RevocationState, UpstreamSession, UserRef,
};
pub use revoke::{ProviderRevocation, REASON_MAX_CHARS, ReasonError, Revoke, Revoked, checked_reason};
pub use routes::{RouteFacts, RouteList};
pub use session::{
    Claim, Ended, Kind, LIMITS, Session, SessionDetail, SessionState, Sort, StateFilter, TokenFacts, UnknownCode,
};
pub use upstream::Upstream;
pub use user::{EraseUser, User, UserDetail, UserDevice, UserErased, UserExport};
