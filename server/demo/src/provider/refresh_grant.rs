//! `grant_type=refresh_token` (RFC 6749, 6), with rotation and reuse detection (RFC 9700, 4.14.2).

use serde_json::{Value, json};

use super::{
    Provider,
    config::RegisteredClient,
    oauth_error::{ErrorCode, OAuthError},
    params::Params,
    state::{Authorization, Digest, GRANT_SECS, Grant, State},
    token_set,
};

/// Starts a family. Answers the grant's id and its first refresh token.
pub(super) fn begin(provider: &Provider, state: &mut State, authorization: Authorization) -> (String, String) {
    let now = provider.sources.now_secs();
    let (grant_id, token) = (provider.sources.id(), provider.sources.token());
    let ends_at = now + GRANT_SECS;
    let grant = Grant { authorization, current: Digest::of(&token), ends_at };
    state.refresh_tokens.insert(grant.current, grant_id.clone(), ends_at, now);
    state.grants.insert(grant_id.clone(), grant, ends_at, now);
    (grant_id, token)
}

/// Answers a new token set; the old refresh token is spent.
pub(super) fn refresh(provider: &Provider, client: &RegisteredClient, params: &Params) -> Result<Value, OAuthError> {
    let token = params
        .get("refresh_token")
        .ok_or_else(|| OAuthError::new(ErrorCode::InvalidRequest, "refresh_token is missing"))?;
    let now = provider.sources.now_secs();
    let mut state = provider.state.lock();
    let grant_id = find(&mut state, &Digest::of(token), client, now)?;
    let grant = state.grants.get_mut(&grant_id, now).ok_or_else(|| OAuthError::invalid_grant("the grant has ended"))?;
    let scope = narrowed(&grant.authorization.scope, params)?;
    let mut body = token_set::issue(provider, &grant.authorization, &scope, None)?;

    let next = provider.sources.token();
    grant.current = Digest::of(&next);
    let (current, ends_at) = (grant.current, grant.ends_at);
    state.refresh_tokens.insert(current, grant_id, ends_at, now);
    if let Some(fields) = body.as_object_mut() {
        fields.insert("refresh_token".to_owned(), json!(next));
    }
    Ok(body)
}

/// The living grant whose current token this is. A spent token ends the family: either the client
/// or a thief holds a copy, and the two cannot be told apart.
fn find(state: &mut State, token: &Digest, client: &RegisteredClient, now: u64) -> Result<String, OAuthError> {
    let unknown = || OAuthError::invalid_grant("the refresh token is unknown, ended or revoked");
    let grant_id = state.refresh_tokens.get(token, now).ok_or_else(unknown)?.clone();
    let grant = state.grants.get(&grant_id, now).ok_or_else(unknown)?;
    if grant.authorization.client_id != client.client_id {
        return Err(unknown());
    }
    if grant.current != *token {
        state.grants.remove(&grant_id, now);
        tracing::warn!(client.client_id, "a spent refresh token came back: its family is revoked");
        return Err(OAuthError::invalid_grant("the refresh token was used before: its whole family is revoked"));
    }
    Ok(grant_id)
}

/// A refresh may ask for less, never for more (RFC 6749, 6).
fn narrowed(granted: &[String], params: &Params) -> Result<Vec<String>, OAuthError> {
    let wanted = params.words("scope");
    if wanted.is_empty() {
        return Ok(granted.to_vec());
    }
    if wanted.iter().all(|word| granted.contains(word)) {
        Ok(wanted)
    } else {
        Err(OAuthError::new(ErrorCode::InvalidScope, "scope asks for more than was granted"))
    }
}
