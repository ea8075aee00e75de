//! A refusal for programs: problem+json (RFC 9457).

use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use cloakroom_core::policy::Need;

use super::Refusal;
use crate::edge::antiforgery::Forgery;
use crate::edge::page;

impl Refusal {
    pub(super) fn problem(&self, status: StatusCode, request_id: &str) -> http::Response<String> {
        #[derive(Serialize)]
        struct Problem<'a> {
            r#type: String,
            title: &'static str,
            status: u16,
            detail: String,
            request_id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            hint: Option<&'static str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            login_url: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            required_role: Option<&'static str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            step_up_url: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            needs: Option<&'a [Need]>,
        }
        let problem = Problem {
            r#type: format!("urn:cloakroom:problem:{}", self.code()),
            title: self.title(),
            status: status.as_u16(),
            detail: self.to_string(),
            request_id,
            hint: self.hint(),
            login_url: match self {
                Self::SignInNeeded { login_url }
                | Self::FormNotKept { login_url }
                | Self::SignInAgain { login_url }
                | Self::SessionOver { login_url, .. } => Some(login_url),
                _ => None,
            },
            required_role: match self {
                Self::RoleNeeded { role } => Some(role),
                _ => None,
            },
            step_up_url: match self {
                Self::StepUp { step_up_url, .. } => Some(step_up_url),
                _ => None,
            },
            needs: match self {
                Self::NotPermitted { needs, .. } => Some(needs),
                _ => None,
            },
        };
        let mut response = http::Response::new(serde_json::to_string(&problem).unwrap_or_default());
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        page::harden(headers);
        response
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Forgery(Forgery::HeaderMissing) => {
                Some("Send the header X-CSRF: 1 with every call that your page makes.")
            }
            Self::Forgery(Forgery::ForeignOrigin) => {
                Some("Calls with the session cookie are accepted from pages of the site's own origin only.")
            }
            Self::SignInNeeded { .. }
            | Self::FormNotKept { .. }
            | Self::SignInAgain { .. }
            | Self::SessionOver { .. } => Some("Navigate the window to login_url; it comes back to return_to."),
            Self::StepUp { .. } => {
                Some("Navigate the window to step_up_url, with return_to set to the page to come back to.")
            }
            Self::TenantNeeded => Some("The identity provider has to send admin.tenant_claim as one text."),
            _ => None,
        }
    }
}
