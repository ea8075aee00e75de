//! The provider's discovery document (OpenID Connect Discovery 1.0) and keys: fetched when first needed, kept, renewed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::StatusCode;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, DiscoveryError, IssuerUrl, JsonWebKeySet, ProviderMetadata, TokenUrl, UserInfoUrl,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::{Host, Url};

use super::call::Call;
use super::error::{ProviderError, SettingsError};
use super::plain::Plain;
use crate::clock::UnixMs;
use crate::http::{HttpClient, HttpError};

/// How long a document is good.
const FRESH_SECS: i64 = 3_600;
/// A renewal that failed is tried again after so long.
const RENEW_EVERY_SECS: i64 = 60;
/// Keys are fetched anew for an unknown key id at most so often (L15).
const KEYS_EVERY_SECS: i64 = 60;

/// What the crate's own document type leaves out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct More {
    /// OIDC RP-Initiated Logout 1.0 section 2.1.
    pub(super) end_session_endpoint: Option<Url>,
    /// RFC 8414 section 2.
    pub(super) revocation_endpoint: Option<Url>,
    /// RFC 8414 section 2.
    pub(super) code_challenge_methods_supported: Option<Vec<String>>,
    /// OIDC Back-Channel Logout 1.0 section 2.1.
    #[serde(default)]
    pub(super) backchannel_logout_supported: bool,
    /// RFC 9207 section 3.
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for More {}

pub(super) type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What is known of a provider.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) metadata: Metadata,
    read_at: UnixMs,
}

/// What an operator wants to know of a provider.
#[derive(Clone, Debug, Default)]
pub struct ProviderFacts {
    /// When its discovery document was last read.
    pub discovered_at: Option<UnixMs>,
    /// Why it or the keys could not be read, and when, if nothing has been read since.
    pub last_error: Option<(UnixMs, ProviderError)>,
}

/// Finds out and remembers.
pub(super) struct Discovery {
    issuer: IssuerUrl,
    /// Whether there is a document to be read.
    published: bool,
    /// How long a renewal may keep its caller waiting: the old document is good enough.
    pub(super) renew_wait: Duration,
    known: ArcSwapOption<Known>,
    /// One fetch at a time.
    fetching: Mutex<Fetches>,
    /// How many fetches of the document have ended.
    ended: AtomicU64,
    facts: parking_lot::Mutex<ProviderFacts>,
}

/// Looks back at the last fetches.
#[derive(Default)]
struct Fetches {
    failed: Option<(UnixMs, ProviderError)>,
    keys_renewed_at: Option<UnixMs>,
}

impl Discovery {
    /// Of a provider that publishes no document.
    pub(super) fn without(issuer: &str, plain: &Plain) -> Result<Self, SettingsError> {
        let mut made = Self::new(issuer)?;
        let metadata = plain.metadata(made.issuer.clone());
        made.known = ArcSwapOption::from_pointee(Known { metadata, read_at: UnixMs(0) });
        made.published = false;
        Ok(made)
    }

    pub(super) fn new(issuer: &str) -> Result<Self, SettingsError> {
        let url: Url = issuer.parse().map_err(|_| SettingsError::Issuer)?;
        if !is_safe(&url) {
            return Err(SettingsError::PlainHttp);
        }
        let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if !plain || url.password().is_some() {
            return Err(SettingsError::Parts);
        }
        let issuer = IssuerUrl::new(issuer.to_owned()).map_err(|_| SettingsError::Issuer)?;
        Ok(Self {
            issuer,
            published: true,
            renew_wait: Duration::from_secs(10),
            known: ArcSwapOption::empty(),
            fetching: Mutex::default(),
            ended: AtomicU64::new(0),
            facts: parking_lot::Mutex::default(),
        })
    }

    pub(super) const fn issuer(&self) -> &IssuerUrl {
        &self.issuer
    }

    pub(super) fn facts(&self) -> ProviderFacts {
        self.facts.lock().clone()
    }

    /// What is known without asking.
    pub(super) fn last_known(&self) -> Option<Arc<Known>> {
        self.known.load_full()
    }

    /// What is known, fetched if need be. A document that cannot be renewed goes on being used, and nobody waits
    /// while another renews it.
    pub(super) async fn known(&self, http: &Arc<dyn HttpClient>, now: UnixMs) -> Result<Arc<Known>, ProviderError> {
        let before = self.ended.load(Ordering::Acquire);
        let Some(old) = self.known.load_full() else { return self.first(http, now, before).await };
        if !self.published || is_within(FRESH_SECS, old.read_at, now) {
            return Ok(old);
        }
        let Ok(mut fetches) = self.fetching.try_lock() else { return Ok(old) };
        let just_failed = fetches.failed.as_ref().is_some_and(|(at, _)| is_within(RENEW_EVERY_SECS, *at, now));
        if just_failed {
            return Ok(old);
        }
        let late = || ProviderError::Http(HttpError::Timeout(self.renew_wait));
        let fetched =
            tokio::time::timeout(self.renew_wait, self.fetch(http, now)).await.unwrap_or_else(|_| Err(late()));
        match self.note(&mut fetches, now, fetched) {
            Ok(known) => Ok(known),
            Err(error) => {
                tracing::warn!(issuer = %*self.issuer, %error, "discovery failed; the last known document is used");
                Ok(old)
            }
        }
    }

    /// The first document: those who ask meanwhile wait, and share what comes, a failure too.
    async fn first(&self, http: &Arc<dyn HttpClient>, now: UnixMs, before: u64) -> Result<Arc<Known>, ProviderError> {
        let mut fetches = self.fetching.lock().await;
        if let Some(known) = self.known.load_full() {
            return Ok(known);
        }
        match &fetches.failed {
            Some((_, error)) if self.ended.load(Ordering::Acquire) != before => Err(error.clone()),
            _ => {
                let fetched = self.fetch(http, now).await;
                self.note(&mut fetches, now, fetched)
            }
        }
    }

    /// The keys anew, for a token that `used` has no key for. Whoever waited while another fetched them gets those;
    /// otherwise they are fetched at most once a minute (L15).
    pub(super) async fn renewed_keys(
        &self,
        http: &Arc<dyn HttpClient>,
        now: UnixMs,
        used: &Arc<Known>,
    ) -> Option<Arc<Known>> {
        if !self.published {
            return None;
        }
        let mut fetches = self.fetching.lock().await;
        let current = self.known.load_full()?;
        if !Arc::ptr_eq(&current, used) {
            return Some(current);
        }
        if fetches.keys_renewed_at.is_some_and(|at| is_within(KEYS_EVERY_SECS, at, now)) {
            return None;
        }
        fetches.keys_renewed_at = Some(now);
        let call = Call::new(http);
        match JsonWebKeySet::fetch_async(current.metadata.jwks_uri(), &call).await {
            Ok(keys) => {
                let metadata = current.metadata.clone().set_jwks(keys);
                let known = Arc::new(Known { metadata, read_at: current.read_at });
                self.known.store(Some(Arc::clone(&known)));
                Some(known)
            }
            Err(error) => {
                let error = said(error);
                tracing::warn!(issuer = %*self.issuer, %error, "the key set could not be fetched anew");
                self.facts.lock().last_error = Some((now, error));
                None
            }
        }
    }

    async fn fetch(&self, http: &Arc<dyn HttpClient>, now: UnixMs) -> Result<Arc<Known>, ProviderError> {
        let call = Call::new(http);
        let metadata = Metadata::discover_async(self.issuer.clone(), &call).await.map_err(said)?;
        check_endpoints(&metadata)?;
        Ok(Arc::new(Known { metadata, read_at: now }))
    }

    fn note(
        &self,
        fetches: &mut Fetches,
        now: UnixMs,
        fetched: Result<Arc<Known>, ProviderError>,
    ) -> Result<Arc<Known>, ProviderError> {
        fetches.failed = fetched.as_ref().err().map(|error| (now, error.clone()));
        match &fetched {
            Ok(known) => {
                self.known.store(Some(Arc::clone(known)));
                *self.facts.lock() = ProviderFacts { discovered_at: Some(now), last_error: None };
            }
            Err(error) => self.facts.lock().last_error = Some((now, error.clone())),
        }
        self.ended.fetch_add(1, Ordering::Release);
        fetched
    }
}

/// Whether `now` is less than `secs` from `at`. A clock that was set back makes it old, not fresh for ever (F4).
pub(crate) const fn is_within(secs: i64, at: UnixMs, now: UnixMs) -> bool {
    now.0.saturating_sub(at.0).saturating_abs() < secs * 1000
}

fn said(error: DiscoveryError<HttpError>) -> ProviderError {
    match error {
        DiscoveryError::Request(error) => ProviderError::Http(error),
        DiscoveryError::Response(status, ..) if status != StatusCode::OK => ProviderError::Status(status.as_u16()),
        DiscoveryError::Response(_, _, what) | DiscoveryError::Validation(what) => ProviderError::Discovery(what),
        DiscoveryError::Parse(error) => ProviderError::Discovery(format!("not understood at {}", error.path())),
        other => ProviderError::Discovery(other.to_string()),
    }
}

/// Every endpoint over https, but for loopback (S6). Calls are checked too: these are what browsers are sent to.
fn check_endpoints(metadata: &Metadata) -> Result<(), ProviderError> {
    let more = metadata.additional_metadata();
    let endpoints = [
        ("authorization_endpoint", Some(metadata.authorization_endpoint().url())),
        ("token_endpoint", metadata.token_endpoint().map(TokenUrl::url)),
        ("jwks_uri", Some(metadata.jwks_uri().url())),
        ("userinfo_endpoint", metadata.userinfo_endpoint().map(UserInfoUrl::url)),
        ("end_session_endpoint", more.end_session_endpoint.as_ref()),
        ("revocation_endpoint", more.revocation_endpoint.as_ref()),
    ];
    match endpoints.into_iter().find(|(_, url)| url.is_some_and(|url| !is_safe(url))) {
        Some((name, _)) => Err(ProviderError::Discovery(format!("{name} is not https"))),
        None if metadata.token_endpoint().is_none() => {
            Err(ProviderError::Discovery("token_endpoint is missing".into()))
        }
        None => Ok(()),
    }
}

/// https, or plain http to loopback.
pub(crate) fn is_safe(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}
