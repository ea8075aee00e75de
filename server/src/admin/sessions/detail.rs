//! A session on the wire.

use serde_json::Value;

use cloakroom_api::{Claim, Ended, Kind, Session, SessionDetail, SessionState, TokenFacts};
use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::record::SealedSession;
use cloakroom_core::store::{ERASED, SessionRow, SessionSummary, sweep};

use crate::admin::{Administrator, events};
use crate::edge::device;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

pub(in crate::admin) fn row(gateway: &Gateway, admin: &Administrator, row: &SessionSummary, now: UnixMs) -> Session {
    let names = gateway.client_names();
    let over = now >= row.expires_at || now >= row.idle_expires_at;
    Session {
        id: row.id.to_string(),
        sub: row.sub.clone(),
        issuer: row.issuer.clone(),
        client_id: row.client_id.clone(),
        client_name: names.get(row.client_id.as_str()).map_or_else(|| row.client_id.clone(), |name| (*name).to_owned()),
        kind: if row.kind == "mobile" { Kind::Mobile } else { Kind::Web },
        provider_id: row.provider_id.clone(),
        name: row.name.clone(),
        email: row.email.clone(),
        tenant: row.tenant.clone(),
        address: row.address.clone(),
        user_agent: row.user_agent.clone(),
        device: row.user_agent.as_deref().map(device::name),
        created_at: row.created_at.rfc3339(),
        last_seen_at: row.last_seen_at.rfc3339(),
        idle_expires_at: row.idle_expires_at.rfc3339(),
        expires_at: row.expires_at.rfc3339(),
        state: match &row.ended {
            Some(ended) => SessionState::from_reason(&ended.reason),
            None if over => SessionState::Expired,
            None => SessionState::Live,
        },
        // What expired was ended by nobody, whether or not it was swept since.
        ended: row.ended.as_ref().filter(|ended| ended.reason != sweep::EXPIRED).map(|ended| Ended {
            at: ended.at.rfc3339(),
            reason_code: ended.reason.clone(),
            reason_text: ended.text.clone(),
            by: ended.by.clone(),
        }),
        is_current: admin.session().is_some_and(|live| live.id == row.id),
    }
}

pub(super) async fn whole(
    gateway: &Gateway,
    admin: &Administrator,
    stored: &SessionRow,
) -> Result<SessionDetail, Refusal> {
    let vault = gateway.sessions.vault();
    let latest = gateway.sessions.store().events_of_session(stored.summary.id).await?;
    let events = events::in_words(gateway.sessions.journal(), &latest).await?;
    // An erased person's claims are gone before the row is.
    if stored.summary.ended.as_ref().is_some_and(|ended| ended.reason == ERASED) {
        return Ok(SessionDetail { events, ..kept(gateway, admin, stored).await? });
    }
    let values = vault.data_key(stored).and_then(|key| vault.open_session(&key, stored)).map_err(|error| {
        tracing::error!(session = %stored.summary.id, %error, "a stored session does not open");
        Refusal::Broken
    })?;
    Ok(SessionDetail { events, ..told(gateway, admin, stored, &values).await? })
}

/// What is kept of a session beside its events. Of one whose key is gone, only its row tells.
pub(in crate::admin) async fn kept(
    gateway: &Gateway,
    admin: &Administrator,
    stored: &SessionRow,
) -> Result<SessionDetail, Refusal> {
    let vault = gateway.sessions.vault();
    match vault.data_key(stored).and_then(|key| vault.open_session(&key, stored)) {
        Ok(values) => told(gateway, admin, stored, &values).await,
        Err(_) => Ok(SessionDetail {
            session: row(gateway, admin, &stored.summary, gateway.now()),
            claims: Vec::new(),
            roles: Vec::new(),
            auth_time: None,
            acr: None,
            amr: Vec::new(),
            token_set: None,
            events: Vec::new(),
        }),
    }
}

async fn told(
    gateway: &Gateway,
    admin: &Administrator,
    stored: &SessionRow,
    values: &SealedSession,
) -> Result<SessionDetail, Refusal> {
    Ok(SessionDetail {
        session: row(gateway, admin, &stored.summary, gateway.now()),
        claims: claims(values),
        roles: gateway.roles.values_of(values),
        auth_time: values.auth_time.map(|secs| UnixMs::from_secs(secs).rfc3339()),
        acr: values.acr.clone(),
        amr: values.amr.clone(),
        token_set: token_facts(gateway, stored).await?,
        events: Vec::new(),
    })
}

fn claims(values: &SealedSession) -> Vec<Claim> {
    let show = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    values.claims.iter().map(|(name, value)| Claim { name: name.clone(), value: show(value) }).collect()
}

async fn token_facts(gateway: &Gateway, row: &SessionRow) -> Result<Option<TokenFacts>, Refusal> {
    let Some(stored) = gateway.sessions.store().tokens(row.summary.id).await? else { return Ok(None) };
    let Some(tokens) = gateway.sessions.tokens_of(row).await? else { return Ok(None) };
    Ok(Some(TokenFacts {
        generation: u64::try_from(stored.generation).unwrap_or(0),
        scopes: tokens.scopes.clone(),
        access_expires_at: tokens.access_expires_at.map(UnixMs::rfc3339),
        has_refresh_token: tokens.refresh_token.is_some(),
        refreshed_at: stored.refreshed_at.rfc3339(),
        in_doubt: stored.in_doubt,
    }))
}

/// How long the access token would still be good at an API that does not ask back; `None` when not known.
pub(super) async fn access_token_left_secs(gateway: &Gateway, row: &SessionRow) -> Option<u64> {
    let tokens = gateway.sessions.tokens_of(row).await.ok().flatten()?;
    u64::try_from(tokens.access_expires_at?.secs_after(gateway.now())).ok()
}
