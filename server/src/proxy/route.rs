//! A site's routes at run time.

use std::sync::Arc;

use cloakroom_core::grant::OwnToken;
use cloakroom_core::identity::IdentityAsk;
use cloakroom_core::oidc::grant::GrantAsk;
use cloakroom_core::policy::Rule;

use super::folder::Folder;
use super::table::Table;
use super::upstream::Upstream;
use crate::edge::antiforgery::Kind;
use crate::edge::rates::RouteLimit;

/// What a route does with its calls.
#[derive(Debug)]
pub struct Route {
    /// Where they go.
    pub to: Target,
    /// What is asked of a request with a cookie.
    pub kind: Kind,
    /// How documents among its answers are shown.
    pub documents: Documents,
    /// Which token is attached.
    pub token: TokenMode,
    /// Who may call.
    pub rule: Rule,
    /// The longest request body, in bytes.
    pub body_limit_bytes: u64,
    /// How often it may be called.
    pub limit: Option<RouteLimit>,
}

/// Where a route leads.
#[derive(Debug)]
pub enum Target {
    /// To a service behind the gateway.
    Upstream(Arc<Upstream>),
    /// To files.
    Folder(Box<Folder>),
    /// To where a proxy in front sends it, which asks first (forward-auth).
    Outside,
}

/// How documents that a route answers are shown by a browser that navigates to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Documents {
    /// As the site's own pages.
    Pages,
    /// In a sandbox, so that a script in them is not the site's own (X10).
    Sandboxed,
}

/// Which token a call carries upstream.
#[derive(Clone, Debug)]
pub enum TokenMode {
    /// The session's access token.
    User,
    /// None.
    None,
    /// The gateway's own.
    Own(Arc<OwnToken>),
    /// One that the session's access token was exchanged for.
    Exchange(Arc<GrantAsk>),
    /// The gateway's own word about who calls.
    Identity(Arc<IdentityAsk>),
}

/// A site's routes by path prefix and method.
pub type Routes = Table<Route>;
