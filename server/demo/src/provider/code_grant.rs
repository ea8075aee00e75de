//! `grant_type=authorization_code` (RFC 6749, 4.1.3; RFC 7636, 4.6).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use super::{
    Provider,
    config::RegisteredClient,
    oauth_error::{ErrorCode, OAuthError},
    params::Params,
    refresh_grant,
    state::{Authorization, Code, Digest, State, Used},
    token_set,
};

pub(super) fn redeem(provider: &Provider, client: &RegisteredClient, params: &Params) -> Result<Value, OAuthError> {
    let key = Digest::of(require(params, "code")?);
    let redirect_uri = require(params, "redirect_uri")?;
    let verifier = require(params, "code_verifier")?;
    let mut state = provider.state.lock();
    let (authorization, nonce) = spend(provider, &mut state, &key, client, |code| {
        if code.redirect_uri.as_str() != redirect_uri {
            return Err(OAuthError::invalid_grant("redirect_uri differs from the authorization request's"));
        }
        check_verifier(&code.challenge, verifier)
    })?;
    let mut body = token_set::issue(provider, &authorization, &authorization.scope, nonce.as_deref())?;
    if authorization.scope.iter().any(|word| word == "offline_access") {
        let (grant_id, refresh_token) = refresh_grant::begin(provider, &mut state, authorization);
        if let Some(fields) = body.as_object_mut() {
            fields.insert("refresh_token".to_owned(), json!(refresh_token));
        }
        if let Some(code) = state.codes.get_mut(&key, provider.sources.now_secs()) {
            code.used = Used::ForGrant(grant_id);
        }
    }
    Ok(body)
}

/// Uses the code up, whatever `check` says: a right client with a wrong verifier means that the
/// code has been seen by somebody else. A stranger's attempt spends nothing.
fn spend(
    provider: &Provider,
    state: &mut State,
    key: &Digest,
    client: &RegisteredClient,
    check: impl FnOnce(&Code) -> Result<(), OAuthError>,
) -> Result<(Authorization, Option<String>), OAuthError> {
    let now = provider.sources.now_secs();
    let code = state
        .codes
        .get_mut(key, now)
        .filter(|code| code.authorization.client_id == client.client_id)
        .ok_or_else(|| OAuthError::invalid_grant("the code is unknown or another client's"))?;
    match std::mem::replace(&mut code.used, Used::Yes) {
        Used::No => {}
        Used::Yes => return Err(OAuthError::invalid_grant("the code was used before")),
        Used::ForGrant(grant_id) => {
            // RFC 6749, 4.1.2: what the first use got is taken back.
            state.grants.remove(&grant_id, now);
            tracing::warn!(client.client_id, "a code was used twice: its grant is revoked");
            return Err(OAuthError::invalid_grant("the code was used before"));
        }
    }
    if code.expires_at <= now {
        return Err(OAuthError::invalid_grant("the code has expired"));
    }
    check(code)?;
    Ok((code.authorization.clone(), code.nonce.clone()))
}

fn check_verifier(challenge: &str, verifier: &str) -> Result<(), OAuthError> {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    // RFC 7636, 4.1.
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(is_unreserved) {
        return Err(OAuthError::invalid_grant("code_verifier must be 43 to 128 unreserved characters"));
    }
    let computed = URL_SAFE_NO_PAD.encode(Digest::of(verifier).as_bytes());
    if bool::from(computed.as_bytes().ct_eq(challenge.as_bytes())) {
        Ok(())
    } else {
        Err(OAuthError::invalid_grant("code_verifier does not fit the code_challenge"))
    }
}

fn require<'a>(params: &'a Params, name: &str) -> Result<&'a str, OAuthError> {
    params.get(name).ok_or_else(|| OAuthError::new(ErrorCode::InvalidRequest, format!("{name} is missing")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifier_of_rfc_7636_appendix_b_fits_its_challenge() {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert!(check_verifier(challenge, verifier).is_ok());
        assert!(check_verifier(challenge, challenge).is_err());
        assert!(check_verifier(challenge, "short").is_err());
    }
}
