//! Routes, and what becomes of a call.

use cloakroom_api::{ExplainedTest, Explanation, RouteFacts, RouteList};

use super::client::{self, Failure};
use super::decode::record;
use super::json::Json;

record!(RouteList { items });
record!(RouteFacts { site, origin, path, methods, to, address, kind, token, anonymous, callers, policy, asks });
record!(Explanation { site, route, to, token, policy, allowed, status, why, tests, helps });
record!(ExplainedTest { asks, holds });

/// Every route.
pub(crate) fn address() -> String {
    "/admin/api/v1/routes".to_owned()
}

/// A call that nobody makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Call {
    /// Method.
    pub(crate) method: String,
    /// The whole address.
    pub(crate) url: String,
    /// `anonymous`, `session` or `machine`.
    pub(crate) caller: String,
    /// The caller's claims as a JSON object; empty for none.
    pub(crate) claims: String,
}

/// Claims that are no JSON object.
pub(crate) struct NoClaims;

impl Call {
    /// What the gateway is asked.
    pub(crate) fn question(&self) -> Result<Question, NoClaims> {
        let claims = match Json::parse(&self.claims) {
            _ if self.claims.trim().is_empty() => Json::Null,
            Some(claims @ Json::Map(_)) => claims,
            _ => return Err(NoClaims),
        };
        Ok(Question(Json::map([
            ("method", Json::text(self.method.as_str())),
            ("url", Json::text(self.url.trim())),
            ("caller", Json::text(self.caller.as_str())),
            ("claims", claims),
        ])))
    }
}

/// A question that can be asked.
pub(crate) struct Question(Json);

/// What becomes of a call.
pub(crate) async fn explain(question: Question) -> Result<Explanation, Failure> {
    client::post("/admin/api/v1/explain", &question.0).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_an_object_or_nothing() {
        let call = |claims: &str| Call { claims: claims.to_owned(), ..Call::default() }.question().is_ok();
        assert!(call("") && call(" \n") && call(r#"{"groups":["staff"]}"#));
        assert!(!call("staff") && !call("[1]") && !call("{"));
    }
}
