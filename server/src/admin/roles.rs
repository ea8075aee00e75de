//! Which role a person has in the console, and which tenant fences them: by claims of their ID token, or by who they are.

use serde_json::Value;

use cloakroom_api::Role;
use cloakroom_core::policy::ClaimPath;
use cloakroom_core::session::record::SealedSession;

/// The configured rules.
#[derive(Clone, Debug, Default)]
pub struct RoleRules {
    /// Where the role values stand: a claim's name, or a path into nested claims.
    pub claim: Option<ClaimPath>,
    /// Where the tenant stands that fences an administrator; `None`: nobody is fenced.
    pub tenant_claim: Option<ClaimPath>,
    /// The claim values that grant each role.
    pub granting: Vec<(Role, Vec<String>)>,
    /// Owners by (issuer, sub), whatever their claims say.
    pub owners: Vec<(String, String)>,
    /// How old an owner's sign-in may be for acts that need a recent one.
    pub recent_login_secs: i64,
}

/// What an administrator may see at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fence {
    /// Every tenant.
    None,
    /// One tenant.
    Tenant(String),
}

impl Fence {
    /// The tenant to ask the store for; `None`: all.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Tenant(tenant) => Some(tenant),
        }
    }

    /// Whether something of `tenant` may be seen.
    #[must_use]
    pub fn shows(&self, tenant: &str) -> bool {
        self.tenant().is_none_or(|own| own == tenant)
    }

    /// The same of something that may be of no one tenant: it is for those without a fence (A1).
    #[must_use]
    pub fn shows_any(&self, tenant: Option<&str>) -> bool {
        self.tenant().is_none_or(|own| tenant == Some(own))
    }
}

impl RoleRules {
    /// The highest role of a session's person; `None` for those without one.
    #[must_use]
    pub fn role_of(&self, session: &SealedSession) -> Option<Role> {
        if self.names(session) {
            return Some(Role::Owner);
        }
        let values = self.values_of(session);
        let granted = |list: &[String]| list.iter().any(|value| values.contains(value));
        self.granting.iter().filter(|(_, list)| granted(list)).map(|(role, _)| *role).max()
    }

    /// The fence round a session's person: owners by identity have none. `None` when the tenant claim does not name
    /// exactly one tenant: such a person sees nothing.
    #[must_use]
    pub fn fence_of(&self, session: &SealedSession) -> Option<Fence> {
        match &self.tenant_claim {
            Some(claim) if !self.names(session) => match claim.find(&session.claims) {
                Some(Value::String(tenant)) if !tenant.is_empty() => Some(Fence::Tenant(tenant.clone())),
                _ => None,
            },
            _ => Some(Fence::None),
        }
    }

    /// Whether the configuration names this very person an owner (S7).
    fn names(&self, session: &SealedSession) -> bool {
        self.is_owner(&session.issuer, &session.sub)
    }

    /// Whether the configuration names an owner so.
    #[must_use]
    pub fn is_owner(&self, issuer: &str, sub: &str) -> bool {
        self.owners.iter().any(|owner| owner.0 == issuer && owner.1 == sub)
    }

    /// The role claim's values: a list of strings, or one string.
    #[must_use]
    pub fn values_of(&self, session: &SealedSession) -> Vec<String> {
        match self.claim.as_ref().and_then(|claim| claim.find(&session.claims)) {
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
            from_userinfo: vec![],
            claims_at: UnixMs(0),
            auth_time: None,
            acr: None,
            amr: vec![],
            created_at: UnixMs(0),
            idle_secs: 1,
            expires_at: UnixMs(1),
            generation: 1,
            mobile: None,
        }
    }

    #[test]
    fn s16_roles_are_membership_never_substrings() {
        let rules = RoleRules {
            claim: ClaimPath::parse("realm.roles").ok(),
            granting: vec![(Role::Viewer, vec!["view".into()]), (Role::Operator, vec!["ops".into()])],
            tenant_claim: None,
            owners: vec![("https://id".into(), "boss".into())],
            recent_login_secs: 900,
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
    fn a01_fence_is_one_tenant_or_nothing_is_seen() {
        let rules = RoleRules {
            tenant_claim: ClaimPath::parse("org.id").ok(),
            owners: vec![("https://id".into(), "boss".into())],
            ..RoleRules::default()
        };
        let cases = [
            (json!({"org": {"id": "acme"}}), Some(Fence::Tenant("acme".into()))),
            (json!({"org": {"id": ["acme"]}}), None),
            (json!({"org": {"id": ""}}), None),
            (json!({"org": "acme"}), None),
            (json!({}), None),
        ];
        for (claims, expected) in cases {
            assert_eq!(rules.fence_of(&session(&claims)), expected, "{claims}");
        }
        let boss = SealedSession { sub: "boss".into(), ..session(&json!({"org": {"id": "acme"}})) };
        assert_eq!(rules.fence_of(&boss), Some(Fence::None));
        assert_eq!(RoleRules::default().fence_of(&session(&json!({}))), Some(Fence::None));
        assert!(Fence::None.shows("acme") && Fence::Tenant("acme".into()).shows("acme"));
        assert!(!Fence::Tenant("acme".into()).shows("acme2"));
    }

    #[test]
    fn s07_an_owner_is_named_by_issuer_and_sub_together() {
        let rules = RoleRules { owners: vec![("https://id".into(), "u1".into())], ..RoleRules::default() };
        assert_eq!(rules.role_of(&session(&json!({}))), Some(Role::Owner));
        let stranger = SealedSession { issuer: "https://other".into(), ..session(&json!({})) };
        assert_eq!(rules.role_of(&stranger), None);
    }
}
