//! The authorization response: how the browser carries code or error back to the client.

use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use minijinja::{Value, context};
use url::Url;

use super::{Provider, page};

/// Where and how to answer. Exists only for a redirect URI that is registered for the client, so an
/// answer cannot become an open redirect.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) redirect_uri: Url,
    pub(super) mode: ResponseMode,
    pub(super) state: Option<String>,
}

/// How the answer's parameters travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResponseMode {
    /// In the query of a redirect (OAuth 2.0 Multiple Response Types, 2.1).
    Query,
    /// In a form that posts itself (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

/// Error codes of RFC 6749 4.1.2.1 and OpenID Connect Core 3.1.2.6 that this provider answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AuthorizeErrorCode {
    InvalidRequest,
    InvalidScope,
    UnsupportedResponseType,
    LoginRequired,
    RequestNotSupported,
    RequestUriNotSupported,
}

impl AuthorizeErrorCode {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::LoginRequired => "login_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
        }
    }
}

impl Answer {
    pub(super) fn code(&self, provider: &Provider, code: &str) -> Response {
        self.send(provider, vec![("code", code)])
    }

    pub(super) fn error(&self, provider: &Provider, code: AuthorizeErrorCode, description: &str) -> Response {
        let fields = vec![("error", code.as_str()), ("error_description", description)];
        self.send(provider, fields)
    }

    /// `state` and `iss` go with codes and errors alike (RFC 9207, 2).
    fn send<'a>(&'a self, provider: &'a Provider, mut fields: Vec<(&'a str, &'a str)>) -> Response {
        if let Some(state) = &self.state {
            fields.push(("state", state));
        }
        fields.push(("iss", &provider.issuer));
        match self.mode {
            ResponseMode::Query => {
                let mut url = self.redirect_uri.clone();
                url.query_pairs_mut().extend_pairs(fields);
                Redirect::to(url.as_str()).into_response()
            }
            ResponseMode::FormPost => {
                let fields: Vec<Value> = fields.into_iter().map(|(name, value)| context! { name, value }).collect();
                let values = context! { action => self.redirect_uri.as_str(), fields };
                let leads_to = Some(&self.redirect_uri);
                page::show(provider, StatusCode::OK, "form_post.html", values, leads_to)
            }
        }
    }
}
