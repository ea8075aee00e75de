//! Which claims about a person a scope releases.

use serde_json::{Map, Value, json};

use super::config::User;

/// Scopes that the provider knows. Unknown ones are ignored (OpenID Connect Core, 3.1.2.1).
pub(super) const SCOPES: [&str; 6] = ["openid", "profile", "email", "roles", "groups", "offline_access"];

/// Claims of a person, as advertised.
pub(super) const CLAIMS: [&str; 7] =
    ["sub", "name", "preferred_username", "email", "email_verified", "roles", "groups"];

/// The claims that `scope` releases, in ID tokens and at userinfo alike. Roles and groups come with
/// `profile` too, so that a client that asks for the usual scopes can map them.
pub(super) fn released(user: &User, scope: &[String]) -> Map<String, Value> {
    let has = |name: &str| scope.iter().any(|word| word == name);
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("sub", json!(user.sub));
    if has("profile") {
        put("name", json!(user.display_name));
        put("preferred_username", json!(user.name));
    }
    if has("email") {
        put("email", json!(user.email));
        put("email_verified", json!(true));
    }
    if has("roles") || has("profile") {
        put("roles", json!(user.roles));
    }
    if has("groups") || has("profile") {
        put("groups", json!(user.groups));
    }
    claims
}
