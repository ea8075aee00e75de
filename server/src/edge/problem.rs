//! Every refusal there is, with its status, chosen here and nowhere else: problem+json (RFC 9457) for programs, a page
//! for people.

mod challenge;
mod json;
mod refused;
mod words;

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use cloakroom_core::identity::TooLong;
use cloakroom_core::machine::MachineFault;
use cloakroom_core::oidc::grant::GrantFailure;
use cloakroom_core::policy::{Need, StepUp};
use cloakroom_core::session::exchange::ExchangeError;
use cloakroom_core::session::refresh::RefreshError;
use cloakroom_core::store::StoreError;

use super::antiforgery::{Forgery, is_looked_at};
use super::gate::Refused;
use super::oauth_error::OAuthError;
use super::page;
use crate::proxy::path::PathRefusal;
use crate::proxy::upstream::UpstreamError;
pub use refused::RefusalCode;
use refused::cause;

/// Why a request is not served.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No site of that name (RFC 9110 section 15.5.20).
    #[error("no site of this name is configured here")]
    UnknownHost,
    /// The site is one that this connection was not made for (RFC 9110 section 15.5.20).
    #[error("this connection was made for another host; this one needs a connection of its own")]
    OtherConnection,
    /// The path is not in its normal form.
    #[error("the path is not acceptable: {0}")]
    BadPath(#[from] PathRefusal),
    /// Something else about the request is wrong.
    #[error("{0}")]
    BadRequest(&'static str),
    /// A parameter is wrong.
    #[error("the parameter {name} {what}")]
    BadParameter {
        /// Its name.
        name: String,
        /// What is wrong with it, continuing the sentence.
        what: &'static str,
    },
    /// No route, or nothing of that name.
    #[error("there is nothing at this address")]
    NotFound,
    /// The route does not take the method.
    #[error("this address does not take this method")]
    MethodNotAllowed {
        /// The `Allow` header.
        allow: HeaderValue,
    },
    /// The request could come from another site's page.
    #[error("{0}")]
    Forgery(#[from] Forgery),
    /// The route needs a session.
    #[error("you are not signed in")]
    SignInNeeded {
        /// Where to sign in.
        login_url: String,
    },
    /// A form was sent without a session: what it held is gone, and no login sends it again (X9).
    #[error("you are not signed in any more, and what you sent was not kept: sign in, then send it again")]
    FormNotKept {
        /// The login that comes back to the form's page.
        login_url: String,
    },
    /// The session has ended.
    #[error("{text}")]
    SessionOver {
        /// How, for people.
        text: String,
        /// Where to sign in.
        login_url: String,
    },
    /// The access token cannot be renewed without a new sign-in.
    #[error("signing in again is needed: the provider's access expired and could not be renewed")]
    SignInAgain {
        /// Where to sign in.
        login_url: String,
    },
    /// The route takes machines alone.
    #[error("this address takes machines' access tokens: Authorization: Bearer …")]
    MachineTokenNeeded,
    /// The access token is no machine's that may call here.
    #[error("{0}")]
    MachineToken(MachineFault),
    /// The provider gives no token for the upstream.
    #[error("{0}")]
    TokenNotGranted(GrantFailure),
    /// A session's cookie and a machine's token at once.
    #[error("send either the session cookie or an access token, not both")]
    MixedCredentials,
    /// A better or newer sign-in is missing (RFC 9470).
    #[error("{}", .ask.sentence())]
    StepUp {
        /// What it must prove.
        ask: StepUp,
        /// Where to prove it.
        step_up_url: String,
    },
    /// A policy is not met, and signing in anew would not help.
    #[error("{text}")]
    NotPermitted {
        /// What is missing, one by one.
        needs: Vec<Need>,
        /// The same in a sentence.
        text: String,
    },
    /// A right is missing.
    #[error("the role {role} is needed")]
    RoleNeeded {
        /// The least role that may.
        role: &'static str,
    },
    /// What was decided upon is not what is there now.
    #[error("{what}")]
    Changed {
        /// What changed.
        what: String,
    },
    /// The administrator's account names no tenant.
    #[error("your account does not name the one tenant that you may see")]
    TenantNeeded,
    /// The provider or the store is away.
    #[error("{what} cannot be reached now")]
    TryLater {
        /// What is away.
        what: &'static str,
        /// When to try again.
        retry_after_secs: u64,
    },
    /// A limit is used up (RFC 6585 section 4).
    #[error("too many requests: the limit \"{limit}\" is used up for now; try again in {retry_after_secs} s")]
    TooMany {
        /// Which.
        limit: &'static str,
        /// When there is more.
        retry_after_secs: u64,
    },
    /// The request's body is too long.
    #[error("the request body is longer than the {limit} bytes that this address takes")]
    BodyTooLong {
        /// The limit.
        limit: u64,
    },
    /// The gate did not let the request through.
    #[error("{0}")]
    Framing(#[from] Refused),
    /// The upstream did not answer well.
    #[error("{0}")]
    Upstream(#[from] UpstreamError),
    /// A sign-in did not succeed.
    #[error("{message}")]
    Login {
        /// The machine's code.
        code: &'static str,
        /// For people.
        message: String,
        /// Where to start anew.
        again: String,
    },
    /// A provider's logout token is not taken (OIDC Back-Channel Logout 1.0 section 2.8).
    #[error("{0}")]
    LogoutToken(String),
    /// An OAuth client is told in its own terms.
    #[error(transparent)]
    OAuth(#[from] Box<OAuthError>),
    /// A stored value is unreadable. The log says which.
    #[error("something stored here cannot be read; the operator finds the cause in the log")]
    Broken,
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store did not answer well");
        match error {
            StoreError::Unavailable(_) => Self::TryLater { what: "the session store", retry_after_secs: 2 },
            StoreError::Corrupt(_) => Self::Broken,
        }
    }
}

impl From<GrantFailure> for Refusal {
    fn from(failure: GrantFailure) -> Self {
        match failure {
            GrantFailure::Unavailable { retry_after_secs } => {
                Self::TryLater { what: "the identity provider", retry_after_secs }
            }
            failure => Self::TokenNotGranted(failure),
        }
    }
}

impl From<TooLong> for Refusal {
    fn from(error: TooLong) -> Self {
        Self::TokenNotGranted(error.into())
    }
}

impl From<MachineFault> for Refusal {
    fn from(fault: MachineFault) -> Self {
        match fault {
            MachineFault::Unavailable => Self::TryLater { what: "the token's issuer", retry_after_secs: 5 },
            fault => Self::MachineToken(fault),
        }
    }
}

impl Refusal {
    /// The refusal of a parameter; `what` continues the sentence that its name begins.
    #[must_use]
    pub fn parameter(name: &str, what: &'static str) -> Self {
        Self::BadParameter { name: name.to_owned(), what }
    }

    /// An exchange's refusal, with the address where to sign in.
    #[must_use]
    pub fn exchange(error: ExchangeError, login_url: impl FnOnce() -> String) -> Self {
        match error {
            ExchangeError::Refresh(error) => Self::refresh(&error, login_url),
            ExchangeError::Grant(failure) => failure.into(),
        }
    }

    /// A refresh's refusal, with the address where to sign in.
    #[must_use]
    pub fn refresh(error: &RefreshError, login_url: impl FnOnce() -> String) -> Self {
        match error {
            RefreshError::Over => {
                let text = "your session is over: the identity provider no longer renews it".into();
                Self::SessionOver { text, login_url: login_url() }
            }
            RefreshError::SignInAgain => Self::SignInAgain { login_url: login_url() },
            RefreshError::TryLater { retry_after_secs } => {
                Self::TryLater { what: "the identity provider", retry_after_secs: *retry_after_secs }
            }
        }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::UnknownHost | Self::OtherConnection => StatusCode::MISDIRECTED_REQUEST,
            Self::BadPath(_)
            | Self::BadRequest(_)
            | Self::BadParameter { .. }
            | Self::Login { .. }
            | Self::LogoutToken(_)
            | Self::MixedCredentials => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Forgery(_)
            | Self::RoleNeeded { .. }
            | Self::TenantNeeded
            | Self::NotPermitted { .. }
            | Self::MachineToken(MachineFault::Scope(_)) => StatusCode::FORBIDDEN,
            Self::SignInNeeded { .. }
            | Self::FormNotKept { .. }
            | Self::SignInAgain { .. }
            | Self::SessionOver { .. }
            | Self::StepUp { .. }
            | Self::MachineTokenNeeded
            | Self::MachineToken(_) => StatusCode::UNAUTHORIZED,
            Self::Changed { .. } => StatusCode::CONFLICT,
            Self::TryLater { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::BodyTooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Framing(refused) => refused.status(),
            Self::TokenNotGranted(_) => StatusCode::BAD_GATEWAY,
            Self::Upstream(error) => error.status(),
            Self::OAuth(error) => error.status,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The last part of the problem's type: `urn:cloakroom:problem:<code>`. Stable.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownHost => "unknown-host",
            Self::OtherConnection => "other-connection",
            Self::BadPath(_) => "bad-path",
            Self::BadRequest(_) => "bad-request",
            Self::BadParameter { .. } => "bad-parameter",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed { .. } => "method-not-allowed",
            Self::Forgery(Forgery::HeaderMissing) => "csrf-header-missing",
            Self::Forgery(Forgery::ForeignOrigin) => "foreign-origin",
            Self::Forgery(Forgery::ServiceWorker) => "service-worker",
            Self::SignInNeeded { .. } | Self::FormNotKept { .. } => "sign-in-needed",
            Self::SignInAgain { .. } => "sign-in-again",
            Self::SessionOver { .. } => "session-over",
            Self::MachineTokenNeeded => "machine-token-needed",
            Self::MachineToken(fault) => fault.code(),
            Self::TokenNotGranted(_) => "token-not-granted",
            Self::MixedCredentials => "mixed-credentials",
            Self::StepUp { .. } => "step-up-needed",
            Self::NotPermitted { .. } => "not-permitted",
            Self::RoleNeeded { .. } => "role-needed",
            Self::TenantNeeded => "tenant-needed",
            Self::Changed { .. } => "changed",
            Self::TryLater { .. } => "try-later",
            Self::TooMany { .. } => "too-many-requests",
            Self::BodyTooLong { .. } => "body-too-long",
            Self::Framing(refused) => refused.code(),
            Self::Upstream(error) => error.code(),
            Self::Login { code, .. } => code,
            Self::LogoutToken(_) => "logout-token",
            Self::OAuth(error) => error.error,
            Self::Broken => "broken",
        }
    }

    /// The answer: a page for a person's navigation, problem+json for everything else.
    #[must_use]
    pub fn respond(&self, method: &Method, headers: &HeaderMap, request_id: &str) -> http::Response<String> {
        let status = self.status();
        if status.is_server_error() {
            tracing::warn!(status = status.as_u16(), code = self.code(), request_id, error = %self, cause = cause(self), "refused");
        } else {
            tracing::debug!(status = status.as_u16(), code = self.code(), request_id, error = %self, "refused");
        }
        let mut response = if let Self::OAuth(error) = self {
            let mut response = http::Response::new(error.body());
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            page::harden(response.headers_mut());
            response
        } else if is_looked_at(method, headers) {
            let (message, expected) = (self.to_string(), status == StatusCode::UNAUTHORIZED);
            let said = page::Said { title: self.title(), code: self.code(), message: &message, expected };
            page::error(&said, self.way_on(), request_id)
        } else {
            self.problem(status, request_id)
        };
        *response.status_mut() = status;
        response.extensions_mut().insert(RefusalCode(self.code()));
        let headers = response.headers_mut();
        match self {
            Self::MethodNotAllowed { allow } => {
                headers.insert(header::ALLOW, allow.clone());
            }
            Self::TryLater { retry_after_secs, .. } | Self::TooMany { retry_after_secs, .. } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*retry_after_secs));
            }
            Self::MachineTokenNeeded => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::MachineToken(fault) => {
                headers.insert(header::WWW_AUTHENTICATE, challenge::token_refused(fault));
            }
            Self::StepUp { ask, .. } => {
                headers.insert(header::WWW_AUTHENTICATE, challenge::insufficient_authentication(ask));
            }
            Self::UnknownHost | Self::OtherConnection | Self::BadPath(_) | Self::Framing(_) => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Self::OAuth(error) => error.write_headers(headers),
            _ => {}
        }
        response
    }
}
