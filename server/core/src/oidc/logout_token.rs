//! The logout token (OpenID Connect Back-Channel Logout 1.0 sections 2.4 and 2.6), verified in full. `openidconnect`
//! knows none: the times are ours, by our clock.

use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::error::IdTokenFault;
use super::id_token::{NumericDate, read};
use super::{Provider, ProviderError};
use crate::clock::UnixMs;

/// The member of `events` that makes a token a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// A token that is older is refused, whatever `exp` it gave itself: so long must used ones be remembered.
const LATE_SECS: i64 = 300;
/// The longest `sub` (OIDC Core section 2).
const SUB_BYTES: usize = 255;
/// The longest `sid` and `jti`: longer than anything real.
const NAME_BYTES: usize = 1_024;

/// Proof that a provider says: this person, or this session of theirs, is logged out. Only
/// [`Provider::verify_logout_token`] makes one.
pub struct LogoutToken {
    issuer: String,
    provider_id: String,
    jti: String,
    whom: Whom,
    issued_at: i64,
    good_until: UnixMs,
}

/// Whose logout it is. With neither, a token is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// One session at the provider; and whose it is, where the token says so.
    Session {
        /// `sid`.
        sid: String,
        /// `sub`.
        sub: Option<String>,
    },
    /// A person, whatever their sessions.
    Person {
        /// `sub`.
        sub: String,
    },
}

impl std::fmt::Debug for LogoutToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogoutToken").field("provider_id", &self.provider_id).finish_non_exhaustive()
    }
}

impl LogoutToken {
    /// The provider's issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The provider's id in the configuration.
    #[must_use]
    pub fn provider_id(&self) -> &str {
        &self.provider_id
    }

    /// Unique among the issuer's tokens.
    #[must_use]
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// Whose logout it is.
    #[must_use]
    pub const fn whom(&self) -> &Whom {
        &self.whom
    }

    /// When it was issued, by the provider's clock.
    #[must_use]
    pub const fn issued_at(&self) -> UnixMs {
        UnixMs::from_secs(self.issued_at)
    }

    /// Until when it would be taken again, and so must be remembered as used.
    #[must_use]
    pub const fn good_until(&self) -> UnixMs {
        self.good_until
    }
}

/// A logout token is not taken.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LogoutTokenError {
    /// Its signature cannot be checked now.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// It is not acceptable.
    #[error("the logout token is not acceptable: {0}")]
    Fault(#[from] LogoutTokenFault),
}

/// What is wrong with a logout token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoutTokenFault {
    /// What would be wrong with an ID token too.
    #[error(transparent)]
    Token(#[from] IdTokenFault),
    /// `typ`.
    #[error("its typ says that it is another kind of token")]
    Type,
    /// `events`.
    #[error("its events do not hold {EVENT}, an object")]
    Event,
    /// `nonce`: whoever has one could pass an ID token off as a logout token.
    #[error("it holds a nonce, which no logout token may")]
    Nonce,
    /// Neither `sub` nor `sid`.
    #[error("it names neither sub nor sid")]
    Nobody,
    /// `iat`.
    #[error("it was issued more than {LATE_SECS} s ago")]
    TooOld,
}

/// The issuer that a token claims to be from: only to find whose keys it must be checked with.
#[must_use]
pub fn claimed_issuer(text: &str) -> Option<String> {
    read(text).ok()?.claims.get("iss")?.as_str().map(str::to_owned)
}

impl Provider {
    /// Verifies a logout token for one of these registrations.
    ///
    /// # Errors
    /// [`LogoutTokenError`]; nobody is logged out then.
    pub async fn verify_logout_token(
        &self,
        text: &str,
        registrations: &[&str],
    ) -> Result<LogoutToken, LogoutTokenError> {
        let signed = read(text).map_err(LogoutTokenFault::from)?;
        check_header(&signed.header)?;
        let token = self.check_claims(&signed.claims, registrations)?;
        let known = self.known().await?;
        self.check_signature(text, &signed, &known).await.map_err(LogoutTokenFault::from)?;
        Ok(token)
    }

    fn check_claims(
        &self,
        claims: &Map<String, Value>,
        registrations: &[&str],
    ) -> Result<LogoutToken, LogoutTokenFault> {
        if text(claims, "iss", NAME_BYTES)?.as_deref() != Some(&self.settings.issuer) {
            return Err(IdTokenFault::Issuer.into());
        }
        let client_ids: Vec<&str> =
            registrations.iter().filter_map(|id| self.registration(id).ok()).map(|one| &*one.client_id).collect();
        check_audience(claims, &client_ids)?;
        let event = claims.get("events").and_then(|events| events.get(EVENT));
        if !event.is_some_and(Value::is_object) {
            return Err(LogoutTokenFault::Event);
        }
        if claims.contains_key("nonce") {
            return Err(LogoutTokenFault::Nonce);
        }
        let whom = match (text(claims, "sid", NAME_BYTES)?, text(claims, "sub", SUB_BYTES)?) {
            (Some(sid), sub) => Whom::Session { sid, sub },
            (None, Some(sub)) => Whom::Person { sub },
            (None, None) => return Err(LogoutTokenFault::Nobody),
        };
        let jti = text(claims, "jti", NAME_BYTES)?.ok_or_else(|| missing("jti"))?;
        let (issued_at, good_until) = self.check_times(claims)?;
        let (issuer, provider_id) = (self.settings.issuer.clone(), self.settings.id.clone());
        Ok(LogoutToken { issuer, provider_id, jti, whom, issued_at, good_until })
    }

    fn check_times(&self, claims: &Map<String, Value>) -> Result<(i64, UnixMs), LogoutTokenFault> {
        let (now, skew) = (self.clock.now().secs(), self.settings.clock_skew_secs);
        let issued_at = date(claims, "iat")?.ok_or_else(|| missing("iat"))?;
        let expires_at = date(claims, "exp")?.ok_or_else(|| missing("exp"))?;
        if issued_at > now.saturating_add(skew) {
            return Err(IdTokenFault::FromTheFuture.into());
        }
        if date(claims, "nbf")?.is_some_and(|nbf| nbf > now.saturating_add(skew)) {
            return Err(IdTokenFault::NotYet.into());
        }
        if expires_at.saturating_add(skew) <= now {
            return Err(IdTokenFault::Expired.into());
        }
        let latest = issued_at.saturating_add(LATE_SECS).saturating_add(skew);
        if latest < now {
            return Err(LogoutTokenFault::TooOld);
        }
        Ok((issued_at, UnixMs::from_secs(latest.min(expires_at.saturating_add(skew)).saturating_add(1))))
    }
}

/// RFC 8725 section 3.11: an explicit type must be the right one. `JWT` says nothing, and many providers still send it.
fn check_header(header: &Map<String, Value>) -> Result<(), LogoutTokenFault> {
    if header.contains_key("crit") {
        return Err(IdTokenFault::Unreadable("its header asks for what is not supported").into());
    }
    match header.get("typ") {
        None => Ok(()),
        Some(Value::String(typ)) => {
            // RFC 7515 section 4.1.9: `application/` may be left out.
            let typ = typ.to_ascii_lowercase();
            let typ = typ.strip_prefix("application/").unwrap_or(&typ);
            if matches!(typ, "logout+jwt" | "jwt") { Ok(()) } else { Err(LogoutTokenFault::Type) }
        }
        Some(_) => Err(LogoutTokenFault::Type),
    }
}

fn check_audience(claims: &Map<String, Value>, client_ids: &[&str]) -> Result<(), LogoutTokenFault> {
    let ours = |audience: &Value| audience.as_str().is_some_and(|audience| client_ids.contains(&audience));
    let meant = match claims.get("aud") {
        Some(Value::Array(list)) => list.iter().all(Value::is_string) && list.iter().any(ours),
        Some(one) => ours(one),
        None => false,
    };
    if !meant {
        return Err(IdTokenFault::Audience.into());
    }
    if claims.get("azp").is_some_and(|azp| !ours(azp)) {
        return Err(IdTokenFault::AuthorizedParty.into());
    }
    Ok(())
}

fn missing(name: &str) -> LogoutTokenFault {
    IdTokenFault::Claim(format!("{name} is missing")).into()
}

/// A claim of text, if it is there: neither empty nor endless, and of no other type, null included (S6).
fn text(claims: &Map<String, Value>, name: &str, most: usize) -> Result<Option<String>, LogoutTokenFault> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() && text.len() <= most => Ok(Some(text.clone())),
        Some(_) => Err(IdTokenFault::Claim(format!("{name} is no text of 1 to {most} bytes")).into()),
    }
}

fn date(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, LogoutTokenFault> {
    let read = |value| NumericDate::deserialize(value).map(|date| date.0);
    let wrong = |_| IdTokenFault::Claim(format!("{name} is no number of seconds")).into();
    claims.get(name).map(read).transpose().map_err(wrong)
}
