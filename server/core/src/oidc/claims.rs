//! Claims under other names: what a provider nests, or calls otherwise, is found where apps and policies look for it.

use serde_json::{Map, Value};

use super::id_token::PROTOCOL;
use super::userinfo::{ELSEWHERE, PROVED};
use crate::policy::ClaimPath;

/// For each claim, where the provider says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimMap(Vec<(Box<str>, ClaimPath)>);

/// Why a claim cannot be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMappable {
    /// It says who somebody is, or what they proved: the protocol's own rules alone set it (S13).
    #[error("is set by the sign-in itself")]
    Reserved,
    /// Its source is mapped as well: what it says would depend on the order.
    #[error("reads from a claim that is mapped itself")]
    FromMapped,
}

impl ClaimMap {
    /// A mapping from claims to where they are read.
    ///
    /// # Errors
    /// The claim that cannot be mapped, and why.
    pub fn new(entries: Vec<(String, ClaimPath)>) -> Result<Self, (String, NotMappable)> {
        let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
        for (name, path) in &entries {
            if is_reserved(name) {
                return Err((name.clone(), NotMappable::Reserved));
            }
            if names.contains(&path.first()) {
                return Err((name.clone(), NotMappable::FromMapped));
            }
        }
        Ok(Self(entries.into_iter().map(|(name, path)| (name.into(), path)).collect()))
    }

    /// Sets every mapped claim to what its source says; without a source it is gone, whatever the provider called by
    /// that name. The same twice is the same once.
    pub fn apply(&self, claims: &mut Map<String, Value>) {
        for (name, path) in &self.0 {
            match path.find(claims).filter(|value| !value.is_null()).cloned() {
                Some(value) => drop(claims.insert(name.to_string(), value)),
                None => drop(claims.remove(&**name)),
            }
        }
    }
}

fn is_reserved(name: &str) -> bool {
    name == "sub" || PROTOCOL.contains(&name) || PROVED.contains(&name) || ELSEWHERE.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(entries: &[(&str, &str)]) -> Result<ClaimMap, (String, NotMappable)> {
        let path = |text: &str| ClaimPath::parse(text).expect("a path");
        ClaimMap::new(entries.iter().map(|(name, text)| ((*name).to_owned(), path(text))).collect())
    }

    #[test]
    fn s13_no_mapping_says_who_somebody_is_or_what_they_proved() {
        for name in ["sub", "iss", "aud", "azp", "sid", "exp", "nonce", "acr", "amr", "auth_time", "_claim_sources"] {
            assert_eq!(map(&[(name, "x")]), Err((name.into(), NotMappable::Reserved)), "{name}");
        }
        assert_eq!(map(&[("a", "b"), ("b", "c")]), Err(("a".into(), NotMappable::FromMapped)));
        assert_eq!(map(&[("a", "a.b")]), Err(("a".into(), NotMappable::FromMapped)));
    }

    #[test]
    fn claims_are_found_where_the_provider_says_them() {
        let map = map(&[("roles", "realm_access.roles"), ("groups", "https://x.example/y.z"), ("org", "gone")]);
        let map = map.expect("maps");
        let mut claims = json!({ "realm_access": { "roles": ["a"] }, "https://x.example/y.z": ["g"], "roles": "own",
            "org": "of the provider's own" });
        for _ in 0..2 {
            map.apply(claims.as_object_mut().expect("an object"));
            assert_eq!((&claims["roles"], &claims["groups"]), (&json!(["a"]), &json!(["g"])));
            assert_eq!(claims.get("org"), None, "what is mapped and not said is not there");
        }
        claims["realm_access"] = json!({});
        map.apply(claims.as_object_mut().expect("an object"));
        assert_eq!(claims.get("roles"), None);
    }
}
