//! Client authentication: `client_secret_basic` and `client_secret_post` (RFC 6749, 2.3.1).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;
use url::form_urlencoded;

use super::{
    Provider,
    config::RegisteredClient,
    oauth_error::{ErrorCode, OAuthError},
    params::Params,
    state::Digest,
};

/// Finds out which client is calling. Two ways at once are an error (RFC 6749, 2.3).
pub(super) fn authenticate<'a>(
    provider: &'a Provider,
    headers: &HeaderMap,
    params: &Params,
) -> Result<&'a RegisteredClient, OAuthError> {
    let basic = headers.get(header::AUTHORIZATION).map(|value| {
        let text = value.to_str().ok()?;
        basic_credentials(text)
    });
    let posted = params.get("client_secret");
    let (client_id, secret) = match (basic, posted) {
        (Some(_), Some(_)) => {
            return Err(OAuthError::new(ErrorCode::InvalidRequest, "the client authenticated in two ways at once"));
        }
        (Some(None), None) => return Err(invalid("the Authorization header is not Basic")),
        (Some(Some((client_id, secret))), None) => {
            if params.get("client_id").is_some_and(|other| other != client_id) {
                return Err(invalid("client_id differs from the Authorization header's"));
            }
            (client_id, secret)
        }
        (None, Some(secret)) => {
            let client_id = params.get("client_id").unwrap_or_default();
            (client_id.to_owned(), secret.to_owned())
        }
        (None, None) => return Err(invalid("the client did not authenticate")),
    };
    provider
        .config
        .client(&client_id)
        .filter(|client| is_same(&client.client_secret, &secret))
        .ok_or_else(|| invalid("client_id or client_secret is wrong"))
}

fn invalid(description: &str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, description)
}

/// Both parts are form-encoded before they are joined (RFC 6749, 2.3.1).
fn basic_credentials(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let joined = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client_id, secret) = joined.split_once(':')?;
    Some((form_decoded(client_id)?, form_decoded(secret)?))
}

fn form_decoded(text: &str) -> Option<String> {
    // As the name of a pair without a value; an unencoded `&` or `=` would have made two parts.
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    let (name, value) = pairs.next()?;
    (value.is_empty() && pairs.next().is_none()).then(|| name.into_owned())
}

/// By digest, in constant time: neither length nor common prefix shows.
pub(super) fn is_same(known: &str, given: &str) -> bool {
    Digest::of(known).as_bytes().ct_eq(Digest::of(given).as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_decoded() {
        // "a b:c%3A+d" where the secret is "c: d".
        let header = format!("basic {}", STANDARD.encode("a%20b:c%3A+d"));
        assert_eq!(basic_credentials(&header), Some(("a b".to_owned(), "c: d".to_owned())));
        for broken in ["Basic", "Basic !!", "Bearer YTpi", "Basic YQ=="] {
            assert_eq!(basic_credentials(broken), None, "{broken}");
        }
    }
}
