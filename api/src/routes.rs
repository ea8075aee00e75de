//! Routes, as the configuration file has them.

use serde::{Deserialize, Serialize};

/// Every route that the caller may see, in the order of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RouteList {
    /// The routes.
    pub items: Vec<RouteFacts>,
}

/// One route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RouteFacts {
    /// Its site's id.
    pub site: String,
    /// Its site's origin, such as `https://app.example.com`.
    pub origin: String,
    /// The path and all below it.
    pub path: String,
    /// Methods; empty for all.
    pub methods: Vec<String>,
    /// Where its calls go: an upstream's id, or a folder.
    pub to: String,
    /// Where that is: an upstream's address. Absent for a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What is asked of requests with a cookie: `api`, `guarded`, `forms` or `page`.
    pub kind: String,
    /// Which token its calls carry: `none`, `user`, `exchange`, `client_credentials` or `identity`.
    pub token: String,
    /// Whether nobody needs to be signed in.
    pub anonymous: bool,
    /// Which callers it takes: `session`, `machine` or both.
    pub callers: Vec<String>,
    /// The policy's name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What callers must meet beside that.
    pub asks: Vec<String>,
}
