//! Refusals, in the form of RFC 9457.

use serde::{Deserialize, Serialize};

use crate::Role;

/// Why a request was refused or failed (RFC 9457 section 3.1, with three extension members).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A URI reference that names the kind of problem.
    #[serde(rename = "type", default = "about_blank")]
    pub type_uri: String,
    /// The kind of problem in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Finds this request in the gateway's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What to try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The least role that may do what was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_role: Option<Role>,
}

/// RFC 9457 section 3.1.1: a problem without a type is `about:blank`.
fn about_blank() -> String {
    "about:blank".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_problem_is_read() {
        let problem: Problem = serde_json::from_str(r#"{"title":"Forbidden","status":403,"x":1}"#).unwrap();
        assert_eq!(problem.type_uri, "about:blank");
        assert_eq!(problem.required_role, None);
    }
}
