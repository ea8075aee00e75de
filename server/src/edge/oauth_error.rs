//! Errors in the form that OAuth clients read: `{"error", "error_description"}` (RFC 6749 section 5.2), with the
//! challenges that go with them (RFC 6750 section 3, RFC 9449 sections 7.1 and 8).

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::problem::Refusal;

/// Carries a nonce for the next proof.
pub const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// What an OAuth client is told.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{description}")]
pub struct OAuthError {
    /// The error's code, of the RFC that defines it.
    pub error: &'static str,
    /// What went wrong, for developers.
    pub description: String,
    /// The status.
    pub status: StatusCode,
    /// Whether the request needed a token or a client's credentials, and which scheme carries them.
    pub challenge: Option<&'static str>,
    /// A nonce for the next proof.
    pub nonce: Option<String>,
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(Box::new(error))
    }
}

impl OAuthError {
    /// A bad request of the token endpoint's kind.
    #[must_use]
    pub fn bad(error: &'static str, description: impl Into<String>) -> Self {
        let status = StatusCode::BAD_REQUEST;
        Self { error, description: description.into(), status, challenge: None, nonce: None }
    }

    /// A call whose token is not taken.
    #[must_use]
    pub fn token(scheme: &'static str, error: &'static str, description: impl Into<String>) -> Self {
        let status = if error == "insufficient_scope" { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED };
        Self { error, description: description.into(), status, challenge: Some(scheme), nonce: None }
    }

    /// With a nonce.
    #[must_use]
    pub fn with_nonce(self, nonce: Option<String>) -> Self {
        Self { nonce, ..self }
    }

    /// What goes beside the status and the body.
    pub(super) fn write_headers(&self, headers: &mut HeaderMap) {
        if let Some(scheme) = self.challenge {
            let quoted: String =
                self.description.chars().filter(|c| !matches!(c, '"' | '\\') && c.is_ascii()).collect();
            let algorithms = if scheme == "DPoP" { ", algs=\"ES256 EdDSA\"" } else { "" };
            let text = if self.error.is_empty() {
                format!("{scheme} realm=\"cloakroom\"{algorithms}")
            } else {
                format!("{scheme} error=\"{}\", error_description=\"{quoted}\"{algorithms}", self.error)
            };
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(header::WWW_AUTHENTICATE, value);
            }
        }
        if let Some(value) = self.nonce.as_deref().and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
            headers.insert(DPOP_NONCE, value);
        }
    }

    /// The body.
    pub(super) fn body(&self) -> String {
        serde_json::json!({ "error": self.error, "error_description": self.description }).to_string()
    }
}
