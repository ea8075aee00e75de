//! Ending many sessions: preview, decision, report.

use cloakroom_api::{
    OwnSession, ProviderFailure, ProviderProgress, RevocationFilter, RevocationPreview, RevocationReport,
    RevocationState, UpstreamSession, UserRef,
};

use super::client::{self, Failure};
use super::decode::{codes, record};
use super::json::Json;
use crate::state::filters::Filters;
use crate::state::query_string::encode;

codes!(OwnSession { NotCovered = "not_covered", Spared = "spared", Included = "included" });
codes!(RevocationState { Running = "running", Finished = "finished" });
record!(ProviderFailure { session_id, detail });
record!(ProviderProgress { queued, done, failed, not_supported });
record!(UserRef { issuer, sub });
record!(UpstreamSession { issuer, sid });
record!(RevocationFilter {
    all,
    user,
    client,
    provider,
    upstream_session,
    network,
    user_agent,
    started_from,
    started_before,
    sessions,
});
record!(RevocationPreview {
    token,
    count,
    by_client,
    sample,
    own_session,
    mass,
    confirm_with,
    warnings,
    expires_at,
    as_of,
});
record!(RevocationReport {
    id,
    state,
    filter,
    spared_session,
    reason,
    by,
    decided_at,
    finished_at,
    expected,
    ended,
    provider,
    failures,
    access_tokens_until,
    as_of,
});

const REVOCATIONS: &str = "/admin/api/v1/revocations";

/// The filters under the names that the address has; a person is two of them.
pub(crate) const NAMES: [&str; 11] = [
    "all",
    "issuer",
    "sub",
    "client",
    "provider",
    "network",
    "user_agent",
    "started_from",
    "started_before",
    "sessions",
    "cursor",
];

/// The revocations that were decided.
pub(crate) fn list(cursor: Option<&str>) -> String {
    match cursor {
        Some(cursor) => format!("{REVOCATIONS}?limit=20&cursor={}", encode(cursor)),
        None => format!("{REVOCATIONS}?limit=20"),
    }
}

/// One of them.
pub(crate) fn one(id: &str) -> String {
    format!("{REVOCATIONS}/{}", encode(id))
}

/// The same, as the gateway tells it.
pub(crate) async fn as_text(id: &str) -> Result<String, Failure> {
    client::get(&one(id), None).await.map(|report| report.write())
}

/// What a revocation would end.
pub(crate) async fn preview(filters: &Filters, include_own: bool) -> Result<RevocationPreview, Failure> {
    let body = Json::map([("filter", filter(filters)), ("include_own", Json::Bool(include_own))]);
    client::post(&format!("{REVOCATIONS}/preview"), &body).await
}

/// Decides what a preview showed.
pub(crate) async fn decide(token: &str, reason: &str, confirm: Option<&str>) -> Result<RevocationReport, Failure> {
    let body = Json::map([
        ("token", Json::text(token)),
        ("reason", Json::text(reason)),
        ("confirm", confirm.map_or(Json::Null, Json::text)),
    ]);
    client::post(REVOCATIONS, &body).await
}

/// Only what is set is sent: a member that is not there asks nothing.
fn filter(filters: &Filters) -> Json {
    let mut members = Vec::new();
    for (name, value) in filters.set() {
        match name {
            "all" => members.push(("all".to_owned(), Json::Bool(value == "true"))),
            "issuer" | "sub" => {}
            "sessions" => {
                members.push((name.to_owned(), Json::List(value.split(',').map(Json::text).collect())));
            }
            _ => members.push((name.to_owned(), Json::text(value))),
        }
    }
    if filters.get("sub").is_some() || filters.get("issuer").is_some() {
        let part = |name| Json::text(filters.get(name).unwrap_or_default());
        members.push(("user".to_owned(), Json::map([("issuer", part("issuer")), ("sub", part("sub"))])));
    }
    Json::Map(members)
}

#[cfg(test)]
mod tests {
    use super::super::decode::Decode;
    use super::*;

    #[test]
    fn only_what_is_set_is_sent() {
        let sent = |search: &str| filter(&Filters::parse(&NAMES, search).unwrap()).write();
        assert_eq!(sent(""), "{}");
        assert_eq!(sent("all=true"), r#"{"all":true}"#);
        assert_eq!(sent("client=app&network=::1"), r#"{"client":"app","network":"::1"}"#);
        assert_eq!(sent("sessions=a%2Cb"), r#"{"sessions":["a","b"]}"#);
        assert_eq!(sent("issuer=i&sub=s"), r#"{"user":{"issuer":"i","sub":"s"}}"#);
        // Half a person is refused there, and never everybody.
        assert_eq!(sent("sub=s"), r#"{"user":{"issuer":"","sub":"s"}}"#);
    }

    #[test]
    fn a_report_is_read_as_serde_reads_it() {
        let text = r#"{"id":"r","state":"running","filter":{"all":false,"user":{"issuer":"i","sub":"s"}},
            "spared_session":"s","reason":"r","by":"b","decided_at":"d","expected":3,"ended":1,
            "provider":{"queued":1,"done":0,"failed":1,"not_supported":0},
            "failures":[{"session_id":"s","detail":"d"}],"access_tokens_until":"a","as_of":"a"}"#;
        let expected: RevocationReport = serde_json::from_str(text).unwrap();
        assert_eq!(RevocationReport::decode(&Json::parse(text).unwrap()), Some(expected));
        let text = r#"{"token":"t","count":2,"by_client":[{"id":"a","name":"A","n":2}],"sample":[],
            "own_session":"spared","mass":true,"confirm_with":"end 2","warnings":["w"],"expires_at":"e","as_of":"a"}"#;
        let expected: RevocationPreview = serde_json::from_str(text).unwrap();
        assert_eq!(RevocationPreview::decode(&Json::parse(text).unwrap()), Some(expected));
    }
}
