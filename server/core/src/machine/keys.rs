//! An issuer's keys: fetched when first needed, kept for an hour, fetched anew for an unknown key at most once a minute
//! (L15).

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use http::StatusCode;
use jsonwebtoken::jwk::Jwk;
use serde::Deserialize as _;
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;

use super::MachineFault as Fault;
use crate::clock::UnixMs;
use crate::http::HttpClient;
use crate::oidc::IdTokenFault;
use crate::oidc::discovery::{is_safe, is_within};
use crate::oidc::id_token::Signed;
use crate::oidc::json::strict_object;
use crate::oidc::signature::signed_by_one_of;

const FRESH_SECS: i64 = 3_600;
/// Keys are fetched anew at most so often, be it for an unknown key or because they are old.
const RENEW_SECS: i64 = 60;
/// The first fetch that failed is tried again after so long.
const AGAIN_SECS: i64 = 5;

/// Where an issuer's keys are.
pub(super) struct Place<'a> {
    pub(super) issuer: &'a str,
    pub(super) jwks_uri: Option<&'a Url>,
}

#[derive(Default)]
pub(super) struct Keys {
    known: ArcSwapOption<Known>,
    /// One fetch at a time; when the last one began.
    fetching: Mutex<Option<UnixMs>>,
}

struct Known {
    keys: Vec<Jwk>,
    read_at: UnixMs,
}

impl Keys {
    /// Whether one of them signed the token.
    pub(super) async fn check(
        &self,
        http: &Arc<dyn HttpClient>,
        place: &Place<'_>,
        text: &str,
        signed: &Signed,
        now: UnixMs,
    ) -> Result<(), Fault> {
        let known = self.known(http, place, now).await?;
        let verify = |known: &Known| signed_by_one_of(text, signed, known.keys.iter().cloned());
        match verify(&known) {
            Ok(()) => Ok(()),
            // A key that was changed under its old name, or without one, shows as a wrong signature.
            Err(IdTokenFault::UnknownKey | IdTokenFault::Signature) => {
                let renewed = self.renewed(http, place, &known, now).await.ok_or(Fault::Signature)?;
                verify(&renewed).map_err(|_| Fault::Signature)
            }
            Err(_) => Err(Fault::Signature),
        }
    }

    async fn known(&self, http: &Arc<dyn HttpClient>, place: &Place<'_>, now: UnixMs) -> Result<Arc<Known>, Fault> {
        if let Some(known) = self.known.load_full() {
            let fresh = is_within(FRESH_SECS, known.read_at, now);
            return Ok(if fresh { known } else { self.renewed(http, place, &known, now).await.unwrap_or(known) });
        }
        let mut last = self.fetching.lock().await;
        if let Some(known) = self.known.load_full() {
            return Ok(known);
        }
        if last.is_some_and(|at| is_within(AGAIN_SECS, at, now)) {
            return Err(Fault::Unavailable);
        }
        *last = Some(now);
        self.fetch(http, place, now).await.ok_or(Fault::Unavailable)
    }

    /// Newer keys than those; `None` where there are none to be had now.
    async fn renewed(
        &self,
        http: &Arc<dyn HttpClient>,
        place: &Place<'_>,
        used: &Arc<Known>,
        now: UnixMs,
    ) -> Option<Arc<Known>> {
        let mut last = self.fetching.lock().await;
        let current = self.known.load_full()?;
        if !Arc::ptr_eq(&current, used) {
            return Some(current);
        }
        if last.is_some_and(|at| is_within(RENEW_SECS, at, now)) {
            return None;
        }
        *last = Some(now);
        self.fetch(http, place, now).await
    }

    async fn fetch(&self, http: &Arc<dyn HttpClient>, place: &Place<'_>, now: UnixMs) -> Option<Arc<Known>> {
        match keys_at(http, place).await {
            Ok(keys) => {
                let known = Arc::new(Known { keys, read_at: now });
                self.known.store(Some(Arc::clone(&known)));
                Some(known)
            }
            Err(error) => {
                tracing::warn!(issuer = place.issuer, error, "the keys of an issuer of machines cannot be had");
                None
            }
        }
    }
}

async fn keys_at(http: &Arc<dyn HttpClient>, place: &Place<'_>) -> Result<Vec<Jwk>, String> {
    let uri = match place.jwks_uri {
        Some(uri) => uri.clone(),
        None => discovered(http, place.issuer).await?,
    };
    let set = object(http, &uri).await?.ok_or("there is no key set")?;
    let list = set.get("keys").and_then(Value::as_array).ok_or("the key set has no keys")?;
    // Keys of kinds that are not known are for others.
    Ok(list.iter().filter_map(|key| Jwk::deserialize(key).ok()).collect())
}

/// OpenID Connect Discovery 1.0 section 4, or where that is missing RFC 8414 section 3.
async fn discovered(http: &Arc<dyn HttpClient>, issuer: &str) -> Result<Url, String> {
    let base: Url = issuer.parse().map_err(|_| "the issuer is no URL")?;
    let mut openid = base.clone();
    openid.set_path(&format!("{}/.well-known/openid-configuration", base.path().trim_end_matches('/')));
    let mut oauth = base.clone();
    oauth.set_path(&format!("/.well-known/oauth-authorization-server{}", base.path().trim_end_matches('/')));
    let document = match object(http, &openid).await? {
        Some(document) => document,
        None => object(http, &oauth).await?.ok_or("the issuer has no discovery document")?,
    };
    if document.get("issuer").and_then(Value::as_str) != Some(issuer) {
        return Err("the discovery document names another issuer".into());
    }
    let uri = document.get("jwks_uri").and_then(Value::as_str).ok_or("the discovery document has no jwks_uri")?;
    uri.parse().map_err(|_| "jwks_uri is no URL".into())
}

/// A JSON object; `None` where there is nothing at that address.
async fn object(http: &Arc<dyn HttpClient>, url: &Url) -> Result<Option<Map<String, Value>>, String> {
    if !is_safe(url) {
        return Err(format!("{url} is not https"));
    }
    let request = http::Request::get(url.as_str()).header(http::header::ACCEPT, "application/json").body(Vec::new());
    let answer = http.send(request.map_err(|error| error.to_string())?).await.map_err(|error| error.to_string())?;
    match answer.status() {
        StatusCode::OK => strict_object(answer.body()).map(Some).map_err(|_| format!("{url} answers no JSON object")),
        StatusCode::NOT_FOUND => Ok(None),
        status => Err(format!("{url} answers {status}")),
    }
}
