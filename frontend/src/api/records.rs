//! The members of every type that the console reads.

use cloakroom_api::{
    Claim, Count, Ended, Event, Kind, Me, Named, Overview, Page, Problem, ProviderRevocation, Revoked, Role, Session,
    SessionDetail, SessionState, TokenFacts, Totals,
};

use super::decode::{Decode, codes, member, record};
use super::json::Json;

codes!(Role { Viewer = "viewer", Operator = "operator", Owner = "owner" });
codes!(Kind { Web = "web", Mobile = "mobile" });
codes!(ProviderRevocation { Queued = "queued", Done = "done", Failed = "failed", NotSupported = "not_supported" });
codes!(SessionState {
    Live = "live",
    Expired = "expired",
    SignedOut = "signed_out",
    EndedByUser = "ended_by_user",
    Replaced = "replaced",
    Revoked = "revoked",
    RefusedByProvider = "refused_by_provider",
    LoggedOutByProvider = "logged_out_by_provider",
    Ended = "ended",
});

record!(Claim { name, value });
record!(Count { n, exact });
record!(Ended { at, reason_code, reason_text, by });
record!(Event { at, kind, text, actor, session_id });
record!(Named { id, name, n });
record!(Overview { live_sessions, by_client, by_provider, last_24_hours, latest_events, as_of });
record!(Revoked { id, already_ended, ended_at, provider, access_token_left_secs });
record!(Session {
    id,
    sub,
    issuer,
    client_id,
    client_name,
    kind,
    provider_id,
    name,
    email,
    tenant,
    address,
    user_agent,
    device,
    created_at,
    last_seen_at,
    idle_expires_at,
    expires_at,
    state,
    ended,
    is_current,
});
record!(TokenFacts { generation, scopes, access_expires_at, has_refresh_token, refreshed_at, in_doubt });
record!(Totals { sign_ins, sign_outs, revocations });

impl<T: Decode> Decode for Page<T> {
    fn decode(json: &Json) -> Option<Self> {
        Some(Self {
            items: member(json, "items")?,
            next: member(json, "next")?,
            prev: member(json, "prev")?,
            count: member(json, "count")?,
            as_of: member(json, "as_of")?,
        })
    }
}

/// RFC 9457 section 3.1.1: a problem without a type is `about:blank`.
impl Decode for Problem {
    fn decode(json: &Json) -> Option<Self> {
        Some(Self {
            type_uri: member::<Option<String>>(json, "type")?.unwrap_or_else(|| "about:blank".to_owned()),
            title: member(json, "title")?,
            status: member(json, "status")?,
            detail: member(json, "detail")?,
            request_id: member(json, "request_id")?,
            hint: member(json, "hint")?,
            required_role: member(json, "required_role")?,
        })
    }
}

impl Decode for Me {
    fn decode(json: &Json) -> Option<Self> {
        let role: Role = member(json, "role")?;
        Some(Self {
            sub: member(json, "sub")?,
            issuer: member(json, "issuer")?,
            name: member(json, "name")?,
            email: member(json, "email")?,
            role,
            // The answer lists them for other programs: a role's permissions are the same list on both sides.
            permissions: role.permissions().collect(),
            session_id: member(json, "session_id")?,
            idle_expires_in_secs: member(json, "idle_expires_in_secs")?,
            expires_in_secs: member(json, "expires_in_secs")?,
            logout_url: member(json, "logout_url")?,
            instance: member(json, "instance")?,
            version: member(json, "version")?,
        })
    }
}

impl Decode for SessionDetail {
    fn decode(json: &Json) -> Option<Self> {
        Some(Self {
            // The row's members are not nested.
            session: Session::decode(json)?,
            claims: member(json, "claims")?,
            roles: member(json, "roles")?,
            auth_time: member(json, "auth_time")?,
            acr: member(json, "acr")?,
            amr: member(json, "amr")?,
            token_set: member(json, "token_set")?,
            events: member(json, "events")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::{ProviderRevocation as P, SessionState as S};

    use super::*;

    /// Reads as serde does, all members there, and those that may be absent taken away.
    fn same<T: Decode + Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) {
        let read = T::decode(&Json::parse(text).unwrap());
        let expected: T = serde_json::from_str(text).unwrap();
        assert_eq!(read.as_ref(), Some(&expected), "{text}");
        let whole: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_value(&expected).unwrap(), whole, "the sample says every member");
        let serde_json::Value::Object(members) = whole else { return };
        for name in members.keys() {
            let mut less = members.clone();
            less.remove(name);
            let less = serde_json::Value::Object(less).to_string();
            let expected = serde_json::from_str::<T>(&less).ok();
            // A list that is absent is empty here and an error there.
            if expected.is_some() || !members.get(name).is_some_and(serde_json::Value::is_array) {
                assert_eq!(T::decode(&Json::parse(&less).unwrap()), expected, "without {name}");
            }
        }
    }

    fn same_codes<T: Decode + Serialize + PartialEq + Debug + Copy>(all: &[T]) {
        for one in all {
            let text = serde_json::to_string(one).unwrap();
            assert_eq!(T::decode(&Json::parse(&text).unwrap()), Some(*one), "{text}");
        }
        assert_eq!(T::decode(&Json::text("no such word")), None);
    }

    const SESSION: &str = r#""id":"s1","sub":"u1","issuer":"https://id","client_id":"app","client_name":"App",
        "kind":"web","provider_id":"main","name":"Anna","email":"a@example.com","tenant":"t","address":"::1",
        "user_agent":"x","device":"Firefox","created_at":"c","last_seen_at":"l","idle_expires_at":"i",
        "expires_at":"e","state":"revoked","ended":{"at":"a","reason_code":"revoked","reason_text":"r","by":"b"},
        "is_current":true"#;
    const EVENT: &str = r#"{"at":"a","kind":"session.started","text":"t","actor":"me","session_id":"s1"}"#;

    #[test]
    fn every_type_is_read_as_serde_reads_it() {
        same::<Session>(&format!("{{{SESSION}}}"));
        same::<Event>(EVENT);
        same::<SessionDetail>(&format!(
            r#"{{{SESSION},"claims":[{{"name":"n","value":"v"}}],"roles":["viewer"],"auth_time":"a","acr":"1",
            "amr":["pwd"],"token_set":{{"generation":2,"scopes":["openid"],"access_expires_at":"x",
            "has_refresh_token":true,"refreshed_at":"r","in_doubt":false}},"events":[{EVENT}]}}"#
        ));
        let allowed: Vec<_> = Role::Owner.permissions().collect();
        let allowed = serde_json::to_string(&allowed).unwrap();
        same::<Me>(&format!(
            r#"{{"sub":"u","issuer":"i","name":"n","email":"e","role":"owner","permissions":{allowed},
            "session_id":"s","idle_expires_in_secs":1,"expires_in_secs":2,"logout_url":"/l","instance":"x",
            "version":"1"}}"#
        ));
        same::<Overview>(&format!(
            r#"{{"live_sessions":1,"by_client":[{{"id":"a","name":"A","n":1}}],"by_provider":[],
            "last_24_hours":{{"sign_ins":1,"sign_outs":2,"revocations":3}},"latest_events":[{EVENT}],"as_of":"a"}}"#
        ));
        same::<Page<Event>>(&format!(
            r#"{{"items":[{EVENT}],"next":"n","prev":"p","count":{{"n":1,"exact":true}},"as_of":"a"}}"#
        ));
        same::<Problem>(
            r#"{"type":"/p","title":"t","status":403,"detail":"d","request_id":"r","hint":"h","required_role":"owner"}"#,
        );
        same::<Revoked>(
            r#"{"id":"s","already_ended":false,"ended_at":"e","provider":"queued","access_token_left_secs":7}"#,
        );
    }

    #[test]
    fn every_code_is_read() {
        same_codes(&Role::ALL);
        same_codes(&[Kind::Web, Kind::Mobile]);
        same_codes(&[P::Queued, P::Done, P::Failed, P::NotSupported]);
        same_codes(&[S::Live, S::Expired, S::SignedOut, S::EndedByUser, S::Replaced]);
        same_codes(&[S::Revoked, S::RefusedByProvider, S::LoggedOutByProvider, S::Ended]);
    }
}
