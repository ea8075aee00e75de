//! Which role a person has in the console: by claims of their ID token, or by who they are.

use serde_json::Value;

use cloakroom_api::Role;
use cloakroom_core::session::record::SealedSession;

/// The configured rules.
#[derive(Clone, Debug, Default)]
pub struct RoleRules {
    /// Where the role values stand: a claim's name, or a path into nested claims.
    pub claim: Vec<String>,
    /// The claim values that grant each role.
    pub granting: Vec<(Role, Vec<String>)>,
    /// Owners by (issuer, sub), whatever their claims say.
    pub owners: Vec<(String, String)>,
}

impl RoleRules {
    /// The highest role of a session's person; `None` for those without one.
    #[must_use]
    pub fn role_of(&self, session: &SealedSession) -> Option<Role> {
        if self.owners.iter().any(|(issuer, sub)| *issuer == session.issuer && *sub == session.sub) {
            return Some(Role::Owner);
        }
        let values = self.values_of(session);
        let granted = |list: &[String]| list.iter().any(|value| values.contains(value));
        self.granting.iter().filter(|(_, list)| granted(list)).map(|(role, _)| *role).max()
    }

    /// The role claim's values: a list of strings, or one string.
    #[must_use]
    pub fn values_of(&self, session: &SealedSession) -> Vec<String> {
        let Some((first, rest)) = self.claim.split_first() else { return Vec::new() };
        let found = rest.iter().try_fold(session.claims.get(first), |value, step| value.map(|value| value.get(step)));
        match found.flatten() {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloakroom_core::clock::UnixMs;
    use serde_json::json;

    fn session(claims: &Value) -> SealedSession {
        SealedSession {
            issuer: "https://id".into(),
            sub: "u1".into(),
            sid: None,
            claims: claims.as_object().cloned().unwrap_or_default(),
            claims_at: UnixMs(0),
            auth_time: None,
            acr: None,
            amr: vec![],
            created_at: UnixMs(0),
            idle_secs: 1,
            expires_at: UnixMs(1),
            generation: 1,
        }
    }

    #[test]
    fn s16_roles_are_membership_never_substrings() {
        let rules = RoleRules {
            claim: vec!["realm".into(), "roles".into()],
            granting: vec![(Role::Viewer, vec!["view".into()]), (Role::Operator, vec!["ops".into()])],
            owners: vec![("https://id".into(), "boss".into())],
        };
        let cases = [
            (json!({"realm": {"roles": ["view"]}}), Some(Role::Viewer)),
            (json!({"realm": {"roles": ["ops", "view"]}}), Some(Role::Operator)),
            (json!({"realm": {"roles": "ops"}}), Some(Role::Operator)),
            (json!({"realm": {"roles": ["viewer", "devops"]}}), None),
            (json!({"realm": {"roles": "view ops"}}), None),
            (json!({"realm": {"roles": {"ops": true}}}), None),
            (json!({"roles": ["ops"]}), None),
            (json!({}), None),
        ];
        for (claims, expected) in cases {
            assert_eq!(rules.role_of(&session(&claims)), expected, "{claims}");
        }
    }

    #[test]
    fn s07_an_owner_is_named_by_issuer_and_sub_together() {
        let rules = RoleRules { owners: vec![("https://id".into(), "u1".into())], ..RoleRules::default() };
        assert_eq!(rules.role_of(&session(&json!({}))), Some(Role::Owner));
        let stranger = SealedSession { issuer: "https://other".into(), ..session(&json!({})) };
        assert_eq!(rules.role_of(&stranger), None);
    }
}
