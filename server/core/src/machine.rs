//! Machines: callers with an access token of their own, from an issuer that is configured. Their principals are a
//! namespace of their own: no machine is ever taken for a person, nor a person's token for a machine's (P15).

mod introspect;
mod keys;
#[cfg(test)]
mod tests;
mod token;

use std::sync::Arc;

use aws_lc_rs::digest;
use quick_cache::sync::Cache;
use serde_json::{Map, Value};
use url::Url;

use crate::clock::{Clock, UnixMs};
use crate::http::HttpClient;
use crate::oidc::ClientAuth;
use crate::oidc::id_token::read;
use crate::session::record::Token;
use keys::Keys;

/// What a token was found to be is believed for so long at most, however long it says that it lives: keys are
/// withdrawn, and tokens revoked.
const BELIEVED_SECS: i64 = 300;
/// The same for introspection (RFC 7662 section 4).
const INTROSPECTED_SECS: i64 = 60;
/// Introspected tokens that are remembered.
const REMEMBERED: usize = 10_000;

/// An issuer of machines' tokens, as configured.
#[derive(Clone, Debug)]
pub struct MachineIssuer {
    /// Its id in the configuration.
    pub id: Box<str>,
    /// `iss` of its tokens, exactly.
    pub issuer: String,
    /// `aud` that they must name.
    pub audience: String,
    /// Scopes that they must all have.
    pub scopes: Vec<String>,
    /// Who is a machine there.
    pub subject: Subject,
    /// How its tokens are checked.
    pub check: Check,
}

/// How an issuer names its machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// `sub` is the `client_id` (RFC 9068 section 2.2): whatever has another is a person's.
    ClientId,
    /// `sub` is a name of its own, such as a service account's.
    Any,
}

/// How tokens are checked.
#[derive(Clone, Debug)]
pub enum Check {
    /// By their signature (RFC 9068).
    Signature {
        /// Where the keys are; `None`: where the issuer's document says.
        jwks_uri: Option<Url>,
        /// The algorithms that are taken.
        algorithms: Vec<String>,
    },
    /// By asking the issuer (RFC 7662).
    Introspection {
        /// Where.
        endpoint: Url,
        /// As whom.
        client_id: String,
        /// With which secret.
        auth: ClientAuth,
    },
}

/// A machine whose token was checked.
pub struct Machine {
    /// The issuer's id in the configuration.
    pub issuer_id: Box<str>,
    /// `iss`.
    pub issuer: Box<str>,
    /// `sub`.
    pub sub: Box<str>,
    /// `client_id`.
    pub client_id: Box<str>,
    /// Scopes that were granted.
    pub scopes: Vec<String>,
    /// Every claim of the token.
    pub claims: Map<String, Value>,
    /// Until when this may be believed without another look.
    pub good_until: UnixMs,
    /// When the token itself ends, where that is known.
    pub expires_at: Option<UnixMs>,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine")
            .field("issuer", &self.issuer_id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// Why a token is no machine's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MachineFault {
    /// Not a token at all, or one that cannot be read.
    #[error("the token cannot be read: {0}")]
    Unreadable(String),
    /// One of the gateway's own.
    #[error("tokens that this gateway gave out are no machine's access tokens")]
    OurOwn,
    /// Another kind of token, such as an ID token.
    #[error("the token is of another kind: a machine's access token has the typ at+jwt (RFC 9068 section 2.1)")]
    Kind,
    /// No such issuer is configured.
    #[error("the token comes from an issuer that is not known here")]
    Issuer,
    /// Meant for somebody else.
    #[error("the token is meant for another audience")]
    Audience,
    /// Not signed by that issuer.
    #[error("the token's signature is not the issuer's")]
    Signature,
    /// Too late, or too early.
    #[error("the token has expired, or is not valid yet")]
    Time,
    /// A claim is missing, or of another type.
    #[error("the token's claim {0} is missing or of another type")]
    Claim(&'static str),
    /// A person's.
    #[error("the token was given for a person, not for a machine")]
    OfAPerson,
    /// Bound to a key of its holder, which nothing here proves.
    #[error("the token is bound to a key (cnf), and bound tokens are not taken here")]
    Bound,
    /// The issuer says that it is not active.
    #[error("the token is not active")]
    Inactive,
    /// A scope is missing.
    #[error("the token lacks the scope {0}")]
    Scope(String),
    /// The issuer cannot be asked now.
    #[error("the token's issuer cannot be reached now")]
    Unavailable,
}

impl MachineFault {
    /// A stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "machine-token-unreadable",
            Self::OurOwn => "machine-token-ours",
            Self::Kind => "machine-token-kind",
            Self::Issuer => "machine-token-issuer",
            Self::Audience => "machine-token-audience",
            Self::Signature => "machine-token-signature",
            Self::Time => "machine-token-expired",
            Self::Claim(_) => "machine-token-claim",
            Self::OfAPerson => "machine-token-of-a-person",
            Self::Bound => "machine-token-bound",
            Self::Inactive => "machine-token-inactive",
            Self::Scope(_) => "machine-token-scope",
            Self::Unavailable => "try-later",
        }
    }
}

/// What asking about a token came to, and until when that is believed.
type Introspected = (Result<Arc<Machine>, MachineFault>, UnixMs);

/// Every issuer of machines' tokens.
pub struct Machines {
    issuers: Vec<(MachineIssuer, Keys)>,
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    introspected: Cache<(usize, [u8; 32]), Introspected>,
}

impl std::fmt::Debug for Machines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machines").field("issuers", &self.issuers.len()).finish_non_exhaustive()
    }
}

impl Machines {
    /// The issuers as configured. Nobody is asked before a token comes.
    #[must_use]
    pub fn new(issuers: Vec<MachineIssuer>, http: Arc<dyn HttpClient>, clock: Arc<dyn Clock>) -> Self {
        let issuers = issuers.into_iter().map(|issuer| (issuer, Keys::default())).collect();
        Self { issuers, http, clock, introspected: Cache::new(REMEMBERED) }
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// [`MachineFault`].
    pub async fn verify(&self, token: &Token) -> Result<Arc<Machine>, MachineFault> {
        let text = token.reveal();
        if text.starts_with("crs_") {
            return Err(MachineFault::OurOwn);
        }
        if text.split('.').count() != 3 {
            return self.ask_each(token).await;
        }
        let signed = read(text).map_err(|fault| MachineFault::Unreadable(fault.to_string()))?;
        let iss = signed.claims.get("iss").and_then(Value::as_str).ok_or(MachineFault::Claim("iss"))?;
        let (index, (issuer, keys)) = self.meant(iss, &signed.claims).ok_or(MachineFault::Issuer)?;
        match &issuer.check {
            Check::Signature { jwks_uri, algorithms } => {
                token::check_header(&signed.header, algorithms)?;
                let now = self.clock.now();
                let machine = token::check_claims(issuer, &signed.claims, now)?;
                let place = keys::Place { issuer: &issuer.issuer, jwks_uri: jwks_uri.as_ref() };
                keys.check(&self.http, &place, text, &signed, now).await?;
                Ok(Arc::new(machine))
            }
            Check::Introspection { .. } => self.ask(index, token).await,
        }
    }

    /// Who checks a token of this issuer: of several, one whose audience it names, and who needs not ask.
    fn meant(&self, iss: &str, claims: &Map<String, Value>) -> Option<(usize, &(MachineIssuer, Keys))> {
        let of_it = self.issuers.iter().enumerate().filter(|(_, (issuer, _))| issuer.issuer == iss);
        of_it.min_by_key(|(_, (issuer, _))| {
            let asks = matches!(issuer.check, Check::Introspection { .. });
            (token::check_audience(claims, &issuer.audience).is_err(), asks)
        })
    }

    /// A token that says nothing of itself: each issuer that can be asked is, until one knows it.
    async fn ask_each(&self, token: &Token) -> Result<Arc<Machine>, MachineFault> {
        let mut fault = MachineFault::Unreadable("it is no JWT, and no issuer here can be asked about others".into());
        for (index, (issuer, _)) in self.issuers.iter().enumerate() {
            if matches!(issuer.check, Check::Introspection { .. }) {
                match self.ask(index, token).await {
                    Err(other) => fault = other,
                    found => return found,
                }
            }
        }
        Err(fault)
    }

    /// Asks one issuer, at most once a minute for each token, and once for all who wait.
    async fn ask(&self, index: usize, token: &Token) -> Result<Arc<Machine>, MachineFault> {
        let Some((issuer, _)) = self.issuers.get(index) else { return Err(MachineFault::Issuer) };
        let Check::Introspection { endpoint, client_id, auth } = &issuer.check else {
            return Err(MachineFault::Issuer);
        };
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, token.reveal().as_bytes()).as_ref());
        let key = (index, hash);
        if self.introspected.get(&key).is_some_and(|(_, until)| self.clock.now() >= until) {
            self.introspected.remove(&key);
        }
        let asked = self.introspected.get_or_insert_async(&key, async {
            let now = self.clock.now();
            let request = introspect::Ask { endpoint, client_id, auth, issuer };
            let found = request.send(&self.http, token, now).await;
            // An outage is not remembered: the next caller asks again.
            match found {
                Err(MachineFault::Unavailable) => Err(MachineFault::Unavailable),
                Ok(machine) => {
                    let until = machine.good_until;
                    Ok((Ok(Arc::new(machine)), until))
                }
                Err(fault) => Ok((Err(fault), now.plus_secs(INTROSPECTED_SECS))),
            }
        });
        asked.await?.0
    }
}
