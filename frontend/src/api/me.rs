//! Who is signed in.

use cloakroom_api::Me;

use super::client::{self, Failure};
use super::decode::{Decode, member};
use super::json::Json;

/// The administrator.
pub(crate) async fn get() -> Result<Me, Failure> {
    client::get_as("/admin/api/v1/me").await
}

/// The signed-in person as the gateway's own endpoint tells, for someone who is no administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    sub: String,
    name: Option<String>,
    email: Option<String>,
    /// Where to sign out.
    pub(crate) logout_url: String,
}

impl Decode for User {
    fn decode(json: &Json) -> Option<Self> {
        // A provider may write anything into a claim: what is no text is left out.
        let claim = |name| json.get("claims").and_then(|claims| member::<String>(claims, name));
        let (name, email) = (claim("name"), claim("email"));
        Some(Self { sub: member(json, "sub")?, name, email, logout_url: member(json, "logout_url")? })
    }
}

impl User {
    /// Name with mail address, as far as known, else `sub`.
    pub(crate) fn display(&self) -> String {
        match (&self.name, &self.email) {
            (Some(name), Some(email)) => format!("{name} ({email})"),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => self.sub.clone(),
        }
    }
}

/// The signed-in person, role or not. Does not extend the session.
pub(crate) async fn user() -> Result<User, Failure> {
    client::get_as("/bff/user?slide=false").await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_called_by_what_is_known() {
        for (claims, name) in [
            (r#"{"name":"Vera","email":"v@example.com","groups":[]}"#, "Vera (v@example.com)"),
            (r#"{"email":"v@example.com"}"#, "v@example.com"),
            ("{}", "u1"),
            (r#"{"name":7,"email":["x"]}"#, "u1"),
        ] {
            let user = format!(r#"{{"sub":"u1","claims":{claims},"session":{{}},"logout_url":"/bff/logout?sid=x"}}"#);
            assert_eq!(User::decode(&Json::parse(&user).unwrap()).unwrap().display(), name);
        }
    }
}
