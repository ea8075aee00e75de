//! People: who has sessions, what is kept of each, keeping them out, forgetting them.

use cloakroom_api::{ExportTicket, Lock, User, UserDetail, UserDevice, UserErased};

use super::client::{self, Failure};
use super::decode::{Decode, member, record};
use super::json::Json;
use crate::state::filters::Filters;
use crate::state::query_string::encode;

record!(User { id, issuer, sub, name, email, live_sessions, signed_in_at, last_seen_at, locked });
record!(UserDevice { device, name, user_agent, sessions, live_sessions, first_seen_at, last_seen_at });
record!(UserErased { sessions_ended, sessions_deleted, sessions_waiting, locks_kept });
record!(Lock { id, holds, user, client, provider, reason, told, by, since, until, lifted_at, lifted_by });

impl Decode for UserDetail {
    fn decode(json: &Json) -> Option<Self> {
        Some(Self {
            user: User::decode(json)?,
            sessions: member(json, "sessions")?,
            more_sessions: member(json, "more_sessions")?,
            devices: member(json, "devices")?,
            locks: member(json, "locks")?,
            events: member(json, "events")?,
        })
    }
}

const USERS: &str = "/admin/api/v1/users";

/// The filters that the list takes, under the names that the address has.
pub(crate) const NAMES: [&str; 4] = ["state", "sub", "q", "cursor"];

/// A page of people.
pub(crate) fn list(filters: &Filters) -> String {
    format!("{USERS}?{}", filters.search())
}

/// One of them.
pub(crate) fn one(id: &str) -> String {
    format!("{USERS}/{}", encode(id))
}

/// Makes a file of all that is kept of a person; the answer says where it can be had, once.
pub(crate) async fn export(id: &str) -> Result<ExportTicket, Failure> {
    client::post(&format!("{}/exports", one(id)), &Json::map([])).await
}

/// Forgets a person.
pub(crate) async fn erase(id: &str, reason: &str, confirm_sub: &str) -> Result<UserErased, Failure> {
    let body = Json::map([("reason", Json::text(reason)), ("confirm_sub", Json::text(confirm_sub))]);
    client::post(&format!("{}/erase", one(id)), &body).await
}

/// Keeps a person out, until a moment or until it is lifted.
pub(crate) async fn lock(user: &User, reason: &str, until: Option<&str>) -> Result<Lock, Failure> {
    let whom = Json::map([("issuer", Json::text(user.issuer.as_str())), ("sub", Json::text(user.sub.as_str()))]);
    let body =
        Json::map([("user", whom), ("reason", Json::text(reason)), ("until", until.map_or(Json::Null, Json::text))]);
    client::post("/admin/api/v1/locks", &body).await
}

/// Lets them in again.
pub(crate) async fn lift(lock: &str, reason: &str) -> Result<Lock, Failure> {
    client::post(&format!("/admin/api/v1/locks/{}/lift", encode(lock)), &Json::map([("reason", Json::text(reason))]))
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_read_as_serde_reads_them() {
        let text = r#"{"id":"u","issuer":"i","sub":"s","name":"n","live_sessions":1,"signed_in_at":"a","last_seen_at":"b",
            "locked":true,"sessions":[],"more_sessions":false,"devices":[{"device":"d","sessions":2,"live_sessions":1,
            "first_seen_at":"a","last_seen_at":"b"}],"locks":[{"id":"l","holds":true,"user":{"issuer":"i","sub":"s"},
            "reason":"r","told":"t","by":"b","since":"s","until":"u"}],"events":[]}"#;
        let expected: UserDetail = serde_json::from_str(text).unwrap();
        assert_eq!(UserDetail::decode(&Json::parse(text).unwrap()), Some(expected));
    }
}
