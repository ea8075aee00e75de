//! Asking an issuer about a token (RFC 7662).

use std::sync::Arc;

use http::StatusCode;
use serde_json::Value;
use url::Url;

use super::token::{Names, check_audience, check_times, date, machine, text};
use super::{INTROSPECTED_SECS, Machine, MachineFault as Fault, MachineIssuer};
use crate::clock::UnixMs;
use crate::http::HttpClient;
use crate::oidc::ClientAuth;
use crate::oidc::client_auth::form_request;
use crate::oidc::json::strict_object;
use crate::session::record::Token;

pub(super) struct Ask<'a> {
    pub(super) endpoint: &'a Url,
    pub(super) client_id: &'a str,
    pub(super) auth: &'a ClientAuth,
    pub(super) issuer: &'a MachineIssuer,
}

impl Ask<'_> {
    pub(super) async fn send(&self, http: &Arc<dyn HttpClient>, token: &Token, now: UnixMs) -> Result<Machine, Fault> {
        let fields = [("token", token.reveal()), ("token_type_hint", "access_token")];
        let unavailable = |what: &dyn std::fmt::Display| {
            tracing::warn!(issuer = &*self.issuer.id, error = %what, "a token could not be introspected");
            Fault::Unavailable
        };
        let request = form_request((self.client_id, self.auth), self.endpoint.as_str(), &fields, Vec::new());
        let request = request.map_err(|error| unavailable(&error))?;
        let answer = http.send(request).await.map_err(|error| unavailable(&error))?;
        if answer.status() != StatusCode::OK {
            return Err(unavailable(&answer.status()));
        }
        let claims = strict_object(answer.body()).map_err(|_| unavailable(&"the answer is no JSON object"))?;
        match claims.get("active") {
            Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => return Err(Fault::Inactive),
            _ => return Err(unavailable(&"the answer does not say whether it is active")),
        }
        if claims.contains_key("iss") && text(&claims, "iss")? != self.issuer.issuer {
            return Err(Fault::Issuer);
        }
        check_audience(&claims, &self.issuer.audience)?;
        let expires_at = date(&claims, "exp")?.map(UnixMs::from_secs);
        let issued_at = date(&claims, "iat")?.unwrap_or(0);
        check_times(&claims, expires_at.unwrap_or(UnixMs(i64::MAX)), issued_at, now)?;
        // A refresh token is active too, and RFC 7662 section 2.2 has no better way to tell.
        let kind = claims.get("token_type").and_then(Value::as_str).unwrap_or("Bearer");
        if kind.eq_ignore_ascii_case("dpop") {
            return Err(Fault::Bound);
        }
        if !kind.eq_ignore_ascii_case("bearer") && !kind.eq_ignore_ascii_case("access_token") {
            return Err(Fault::Kind);
        }
        if claims.contains_key("username") {
            return Err(Fault::OfAPerson);
        }
        let sub = claims.contains_key("sub").then(|| text(&claims, "sub")).transpose()?;
        let names = Names { sub, client_id: text(&claims, "client_id")? };
        let most = now.plus_secs(INTROSPECTED_SECS);
        let good_until = expires_at.map_or(most, |at| at.min(most));
        machine(self.issuer, &names, &claims, (good_until, expires_at))
    }
}
