//! `GET /admin/api/v1/audit/chain`, `POST /admin/api/v1/audit/verify`: how the chain stands. A verification walks the
//! whole log in the background, one at a time; who asks waits a moment for it and can look again.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use tokio::runtime::Handle;
use tokio::sync::watch;

use cloakroom_api::{AuditChain, ChainPoint, Permission, Verification, VerificationState};
use cloakroom_core::audit::chain::{self, Verdict};
use cloakroom_core::store::StoreResult;
use cloakroom_core::vault::ring::hex;

use crate::admin::Administrator;
use crate::admin::roles::Fence;
use crate::edge::own::json;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// How long a caller waits for a verification to end.
const PATIENCE: Duration = Duration::from_secs(1);

/// The last verification of this node.
#[derive(Debug)]
pub struct Verifier(watch::Sender<Verification>);

impl Default for Verifier {
    fn default() -> Self {
        Self(watch::Sender::new(Verification::default()))
    }
}

impl Verifier {
    /// Begins a verification, unless one is under way.
    fn begin(&self, gateway: &Arc<Gateway>) {
        let started_at = gateway.now().rfc3339();
        let begun = self.0.send_if_modified(|last| {
            let idle = last.state != VerificationState::Running;
            if idle {
                *last = Verification {
                    state: VerificationState::Running,
                    started_at: Some(started_at),
                    ..Verification::default()
                };
            }
            idle
        });
        if begun {
            let gateway = Arc::clone(gateway);
            drop(Handle::current().spawn(async move {
                let verifier = &gateway.verifier.0;
                let store = gateway.sessions.store();
                let step = |head: cloakroom_core::audit::ChainHead| {
                    verifier.send_modify(|last| last.up_to = u64::try_from(head.seq).ok());
                };
                let verdict = chain::walk(&**store, step).await;
                let ended_at = gateway.now().rfc3339();
                verifier.send_modify(|last| found(last, verdict, ended_at));
            }));
        }
    }

    /// The last verification, once it has ended or a moment has passed.
    async fn waited(&self) -> Verification {
        let mut last = self.0.subscribe();
        let ended = last.wait_for(|last| last.state != VerificationState::Running);
        drop(tokio::time::timeout(PATIENCE, ended).await);
        self.0.borrow().clone()
    }
}

fn found(last: &mut Verification, verdict: StoreResult<Verdict>, ended_at: String) {
    last.ended_at = Some(ended_at);
    last.state = match verdict {
        Ok(Verdict::Whole { head, .. }) => {
            last.up_to = u64::try_from(head.seq).ok();
            VerificationState::Whole
        }
        Ok(Verdict::Broken { seq, what }) => {
            tracing::error!(seq, what, "the audit log is broken");
            last.up_to = u64::try_from(seq - 1).ok();
            last.what = Some(format!("event {seq}: {what}"));
            VerificationState::Broken
        }
        Err(error) => {
            tracing::warn!(%error, "the audit log was not verified");
            VerificationState::Failed
        }
    };
}

/// How the chain stands: its end, and what the last verification found.
#[utoipa::path(
    get, path = "/admin/api/v1/audit/chain", tag = "audit",
    extensions(("x-least-role" = json!("viewer"))),
    responses(
        (status = 200, body = AuditChain),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn chain(State(gateway): State<Arc<Gateway>>, admin: Administrator) -> Result<Response, Refusal> {
    admin.may(Permission::AuditRead)?;
    let last = gateway.verifier.0.borrow().clone();
    told(&gateway, &admin, last).await
}

/// Verifies the chain from its start: begins a walk, or joins the one under way, and answers once it has ended or a
/// second has passed.
#[utoipa::path(
    post, path = "/admin/api/v1/audit/verify", tag = "audit",
    extensions(("x-least-role" = json!("viewer"))),
    responses(
        (status = 200, body = AuditChain),
        (status = 401, description = "Not signed in", body = cloakroom_api::Problem, content_type = "application/problem+json"),
        (status = 403, description = "The role viewer is needed", body = cloakroom_api::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn verify(State(gateway): State<Arc<Gateway>>, admin: Administrator) -> Result<Response, Refusal> {
    admin.may(Permission::AuditRead)?;
    gateway.verifier.begin(&gateway);
    let last = gateway.verifier.waited().await;
    told(&gateway, &admin, last).await
}

/// Numbers count every tenant's events: they are for those who see every tenant (A10).
async fn told(gateway: &Gateway, admin: &Administrator, last: Verification) -> Result<Response, Refusal> {
    let (head, _) = gateway.sessions.store().unchained(1).await?;
    let all = admin.fence == Fence::None;
    let head = ChainPoint { seq: u64::try_from(head.seq).unwrap_or_default(), hash: hex(&head.hash) };
    Ok(json(&AuditChain {
        head: all.then_some(head),
        verification: if all { last } else { Verification { up_to: None, what: None, ..last } },
        as_of: gateway.now().rfc3339(),
    }))
}
