//! Values to store.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use cloakroom_core::audit::AuditRow;
use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::id::{SecretHash, SessionId};
use cloakroom_core::store::{
    BeginRefresh, CommitLogin, CommitRefresh, Doubt, End, Ended, ListQuery, LoginOutcome, Proven, RefreshGrant,
    SessionRow, SessionState, SessionSummary, Sort, Store, StoredTokens, Told, ToldOutcome,
};

pub(crate) const NOW: UnixMs = UnixMs(1_800_000_000_000);
/// Of every session made here.
pub(crate) const IDLE_SECS: i64 = 3_600;
pub(crate) const ABSOLUTE_SECS: i64 = 36_000;

/// The session id of a number; larger numbers sort later.
pub(crate) fn id(n: u64) -> SessionId {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&n.to_be_bytes());
    SessionId::from_bytes(bytes)
}

fn hash(domain: u8, n: u64) -> [u8; 32] {
    let mut bytes = [domain; 32];
    bytes[24..].copy_from_slice(&n.to_be_bytes());
    bytes
}

/// The keyed hash of person `n`.
pub(crate) fn subject(n: u64) -> [u8; 32] {
    hash(b's', n)
}

/// The keyed hash of the provider's session `n`.
pub(crate) fn sid(n: u64) -> [u8; 32] {
    hash(b'i', n)
}

/// A session of person `n`, signed in now.
pub(crate) fn session(n: u64) -> SessionRow {
    session_at(n, NOW)
}

pub(crate) fn session_at(n: u64, at: UnixMs) -> SessionRow {
    SessionRow {
        summary: SessionSummary {
            id: id(n),
            tenant: "default".into(),
            client_id: "app".into(),
            provider_id: "main".into(),
            kind: "web".into(),
            issuer: "https://id.example.com".into(),
            sub: format!("sub-{n}"),
            name: Some(format!("Person {n}")),
            email: None,
            device_name: None,
            address: Some("192.0.2.7".into()),
            user_agent: Some("Browser/1.0".into()),
            created_at: at,
            last_seen_at: at,
            idle_expires_at: at.plus_secs(IDLE_SECS),
            expires_at: at.plus_secs(ABSOLUTE_SECS),
            ended: None,
        },
        secret_hash: SecretHash(hash(b'h', n)),
        subject: subject(n),
        upstream_sid: None,
        registration_id: "main.web".into(),
        version: 1,
        key_id: "0a1b2c3d".into(),
        wrapped_key: vec![7; 60],
        sealed: b"sealed, generation 1".to_vec(),
    }
}

/// The login that starts a session; its transaction has the session's number.
pub(crate) fn login(session: SessionRow) -> CommitLogin {
    let id = session.summary.id;
    let n = u64::from_be_bytes(id.as_bytes()[8..].try_into().expect("8 bytes"));
    CommitLogin {
        transaction: hash(b't', n),
        transaction_expires_at: session.summary.created_at.plus_secs(600),
        tokens: StoredTokens {
            generation: 1,
            sealed: b"tokens 1".to_vec(),
            refreshed_at: session.summary.created_at,
            in_doubt: false,
        },
        event: event("session.started", Some(id)),
        replaces: None,
        code_expires_at: None,
        good_until: None,
        room: None,
        proven: Proven {
            upstream_sid: session.upstream_sid,
            subject: session.subject,
            issued_at: session.summary.created_at,
            auth_time: UnixMs(0),
            begun_at: session.summary.created_at.plus_secs(-30),
        },
        session,
    }
}

/// Stores a session.
pub(crate) async fn start(store: &dyn Store, session: SessionRow) {
    let outcome = store.commit_login(login(session)).await.expect("committed");
    assert_eq!(outcome, LoginOutcome::Started { replaced: None });
}

/// An event with an id of its own.
pub(crate) fn event(kind: &str, session: Option<SessionId>) -> AuditRow {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut id = [0xee; 16];
    id[8..].copy_from_slice(&NEXT.fetch_add(1, Relaxed).to_be_bytes());
    AuditRow {
        id,
        version: 1,
        tenant: "default".into(),
        at: NOW,
        kind: kind.into(),
        session,
        client_id: Some("app".into()),
        provider_id: None,
        subject: Some(subject(1)),
        address: None,
        subject_sealed: b"sealed person".to_vec(),
        actor: None,
        actor_sealed: Vec::new(),
        facts: r#"{"reason":"test"}"#.into(),
    }
}

/// How a session ends a second after [`NOW`].
pub(crate) fn ended(reason: &str) -> Ended {
    Ended { at: NOW.plus_secs(1), reason: reason.into(), text: None, by: None }
}

/// The provider of session `n` was told, and said that it is done.
pub(crate) fn told(n: u64) -> Told {
    Told { id: id(n), outcome: ToldOutcome::Done, access_until: None, event: event("provider.revoked", Some(id(n))) }
}

pub(crate) fn end(id: SessionId, reason: &str) -> End {
    End { id, ended: ended(reason), event: event("session.ended", Some(id)) }
}

/// Asks for the lease of a session for 60 s.
pub(crate) async fn begin(store: &dyn Store, id: SessionId, now: UnixMs, doubt: Doubt) -> BeginRefresh {
    store.begin_refresh(id, "node", now, now.plus_secs(60), doubt).await.expect("answered")
}

/// The lease of a session for 60 s, which nobody else holds.
pub(crate) async fn grant(store: &dyn Store, id: SessionId, now: UnixMs, doubt: Doubt) -> RefreshGrant {
    match begin(store, id, now, doubt).await {
        BeginRefresh::Granted(grant) => *grant,
        other => panic!("granted is expected, not {other:?}"),
    }
}

/// The answer to a granted refresh, come at `at`.
pub(crate) fn answer(grant: &RefreshGrant, at: UnixMs) -> CommitRefresh {
    let generation = grant.tokens.generation + 1;
    CommitRefresh {
        id: grant.session.summary.id,
        fence: grant.fence,
        from_generation: grant.tokens.generation,
        tokens: StoredTokens {
            generation,
            sealed: format!("tokens {generation} by {}", grant.fence).into_bytes(),
            refreshed_at: at,
            in_doubt: false,
        },
        sealed: format!("sealed, generation {generation}").into_bytes(),
    }
}

/// Everything, newest sign-in first, a hundred rows a page.
pub(crate) fn everything() -> ListQuery {
    ListQuery {
        tenant: Some("default".into()),
        state: SessionState::All,
        client_id: None,
        sub: None,
        text: None,
        sort: Sort::Created,
        place: None,
        limit: 100,
        now: NOW,
    }
}
