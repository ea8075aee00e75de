//! Plain OAuth 2: a provider without ID tokens, such as GitHub. Who somebody is, an endpoint says to whoever holds the
//! access token; how and when they proved it, nobody says.
//!
//! The access token comes from the token endpoint itself, for a code that this login asked for with state and PKCE: it
//! is never taken from a browser, so no other app's token can stand in for it.

use openidconnect::core::{CoreResponseType, CoreSubjectIdentifierType};
use openidconnect::{AuthUrl, IssuerUrl, JsonWebKeySet, JsonWebKeySetUrl, ResponseTypes, TokenUrl, UserInfoUrl};
use serde_json::{Map, Value};
use url::Url;

use super::discovery::{Metadata, More};
use super::error::UserinfoFault as Fault;
use super::id_token::{SUB_BYTES, Verified};
use super::userinfo::without_protocol;
use super::{LoginError, Provider, Redeem};
use crate::session::record::Token;

/// Where a plain provider is asked, since it publishes no document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain {
    /// Where browsers are sent.
    pub authorization_endpoint: Url,
    /// Where codes are redeemed.
    pub token_endpoint: Url,
    /// Who the person is, as a JSON object.
    pub userinfo_endpoint: Url,
    /// Their mail addresses, as a list of `{ email, primary, verified }`; `None`: nobody vouches for an address.
    pub emails_endpoint: Option<Url>,
    /// The member of the object that names the person for good: text or a whole number.
    pub subject: String,
}

impl Plain {
    /// What a document would say.
    pub(super) fn metadata(&self, issuer: IssuerUrl) -> Metadata {
        // No keys and no algorithm: nothing signed is ever taken from it, and its key set is never asked for.
        let keys = JsonWebKeySetUrl::from_url(self.token_endpoint.clone());
        let codes = vec![ResponseTypes::new(vec![CoreResponseType::Code])];
        let subjects = vec![CoreSubjectIdentifierType::Public];
        let authorize = AuthUrl::from_url(self.authorization_endpoint.clone());
        Metadata::new(issuer, authorize, keys, codes, subjects, Vec::new(), More::default())
            .set_token_endpoint(Some(TokenUrl::from_url(self.token_endpoint.clone())))
            .set_userinfo_endpoint(Some(UserInfoUrl::from_url(self.userinfo_endpoint.clone())))
            .set_jwks(JsonWebKeySet::new(Vec::new()))
    }
}

/// An authorization request without what belongs to OpenID Connect.
pub(super) fn without_openid(url: &mut Url) {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let mut query = url.query_pairs_mut();
    query.clear();
    for (name, value) in pairs {
        match name.as_str() {
            "nonce" => {}
            "scope" => {
                let scopes: Vec<&str> = value.split(' ').filter(|scope| *scope != "openid").collect();
                if !scopes.is_empty() {
                    query.append_pair("scope", &scopes.join(" "));
                }
            }
            _ => drop(query.append_pair(&name, &value)),
        }
    }
}

impl Provider {
    /// Who holds the access token of a code that was just redeemed.
    pub(super) async fn holder(
        &self,
        plain: &Plain,
        redeem: &Redeem<'_>,
        access_token: &Token,
    ) -> Result<(Verified, Option<Map<String, Value>>), LoginError> {
        if redeem.max_age_secs.is_some() || redeem.acr_values.is_some() {
            return Err(LoginError::NotEnough("plain OAuth 2 says nothing of when and how a person signed in"));
        }
        let (sub, claims) = self.profile(plain, access_token).await?;
        let verified = Verified {
            issuer: self.settings.issuer.clone(),
            sub,
            sid: None,
            issued_at: self.clock.now().secs(),
            claims: Map::new(),
            auth_time: None,
            acr: None,
            amr: Vec::new(),
        };
        Ok((verified, Some(claims)))
    }

    /// The person and their claims, asked for with their access token.
    pub(super) async fn profile(
        &self,
        plain: &Plain,
        access_token: &Token,
    ) -> Result<(String, Map<String, Value>), LoginError> {
        let answer = self.ask(&plain.userinfo_endpoint, access_token).await?;
        let mut claims = super::json::strict_object(answer.body()).map_err(|_| Fault::Unreadable)?;
        let sub = claims.get(&plain.subject).and_then(subject).ok_or(Fault::NoSubject)?;
        without_protocol(&mut claims);
        claims.insert("sub".to_owned(), sub.clone().into());
        // Whatever the profile shows as an address, nobody has verified it.
        claims.remove("email_verified");
        if let Some(endpoint) = &plain.emails_endpoint {
            claims.remove("email");
            let answer = self.ask(endpoint, access_token).await?;
            if let Some(address) = primary(answer.body())? {
                claims.insert("email".to_owned(), address.into());
                claims.insert("email_verified".to_owned(), true.into());
            }
        }
        Ok((sub, claims))
    }
}

/// Numbers are as good as texts: a provider's own ids often are. One with a fraction is none.
fn subject(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_u64() || number.is_i64() => number.to_string(),
        _ => return None,
    };
    (1..=SUB_BYTES).contains(&text.len()).then_some(text)
}

/// The primary address, if it is verified: another one that the person added is not who they are here.
fn primary(body: &[u8]) -> Result<Option<String>, Fault> {
    let wrapped = [b"{\"list\":", body, b"}"].concat();
    let list = super::json::strict_object(&wrapped).map_err(|_| Fault::Unreadable)?;
    let list = list.get("list").and_then(Value::as_array).ok_or(Fault::Unreadable)?;
    let is = |entry: &Value, name: &str| entry.get(name) == Some(&Value::Bool(true));
    let found = list.iter().find(|entry| is(entry, "primary") && is(entry, "verified"));
    Ok(found.and_then(|entry| entry.get("email")?.as_str()).map(str::to_owned))
}
