//! Who is signed in.

use cloakroom_api::Me;
use serde::Deserialize;

use super::client::{self, Failure};

/// The administrator.
pub(crate) async fn get() -> Result<Me, Failure> {
    client::get("/admin/api/v1/me", None).await
}

/// The signed-in person as the gateway's own endpoint tells, for someone who is no administrator.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct User {
    sub: String,
    #[serde(default)]
    claims: Claims,
    /// Where to sign out.
    pub(crate) logout_url: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
struct Claims {
    name: Option<String>,
    email: Option<String>,
}

impl User {
    /// Name with mail address, as far as known, else `sub`.
    pub(crate) fn display(&self) -> String {
        match (&self.claims.name, &self.claims.email) {
            (Some(name), Some(email)) => format!("{name} ({email})"),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => self.sub.clone(),
        }
    }
}

/// The signed-in person, role or not. Does not extend the session.
pub(crate) async fn user() -> Result<User, Failure> {
    client::get("/bff/user?slide=false", None).await
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
        ] {
            let user = format!(r#"{{"sub":"u1","claims":{claims},"session":{{}},"logout_url":"/bff/logout?sid=x"}}"#);
            assert_eq!(serde_json::from_str::<User>(&user).unwrap().display(), name);
        }
    }
}
