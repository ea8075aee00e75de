//! What the provider has handed out: interactions, sign-ins, codes, refresh tokens.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use url::Url;

use super::{authorize::AuthorizeRequest, expiring::Expiring};

/// How long a login or logout page may stay open.
pub(super) const INTERACTION_SECS: u64 = 30 * 60;
/// Lifetime of a sign-in at the provider, from its last password.
pub(super) const LOGIN_SECS: u64 = 8 * 3600;
/// Lifetime of a code (RFC 6749, 4.1.2: at most ten minutes; ours is used within a second).
pub(super) const CODE_SECS: u64 = 60;
/// Lifetime of a family of refresh tokens, from its sign-in.
pub(super) const GRANT_SECS: u64 = 24 * 3600;

/// Everything, behind one lock that is never held across an await.
#[derive(Default)]
pub(super) struct State {
    pub(super) interactions: Expiring<String, Interaction>,
    /// By the digest of the cookie's value.
    pub(super) logins: Expiring<Digest, Login>,
    /// By the digest of the code. Used ones stay until no grant can come of them any more.
    pub(super) codes: Expiring<Digest, Code>,
    /// By grant id.
    pub(super) grants: Expiring<String, Grant>,
    /// Every refresh token ever issued, by digest, to its grant's id: so that an old one is known.
    pub(super) refresh_tokens: Expiring<Digest, String>,
}

/// A page that waits for a person. Bound to one browser by its cookie.
pub(super) struct Interaction {
    /// Digest of the browser cookie it was made for.
    pub(super) browser: Digest,
    /// Must come back with the form.
    pub(super) csrf: String,
    pub(super) purpose: Purpose,
}

/// What the person is asked.
pub(super) enum Purpose {
    SignIn(Box<AuthorizeRequest>),
    SignOut(AfterLogout),
}

/// Where a logout leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AfterLogout {
    /// To the signed-out page.
    Here,
    /// To a registered address, with the client's `state` in it.
    Client(Url),
}

/// How surely a person is who they say (OpenID Connect Core, 2: `acr`, `amr`; RFC 8176).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Assurance {
    /// A password.
    Password,
    /// A password and a one-time code.
    SecondFactor,
}

impl Assurance {
    /// What `acr` says, and `acr_values` may ask for.
    pub(super) const fn acr(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::SecondFactor => "mfa",
        }
    }

    pub(super) const fn amr(self) -> &'static [&'static str] {
        match self {
            Self::Password => &["pwd"],
            Self::SecondFactor => &["pwd", "otp", "mfa"],
        }
    }
}

/// Somebody is signed in at the provider (single sign-on).
#[derive(Clone)]
pub(super) struct Login {
    /// Digest of the cookie's value: its key in [`State::logins`].
    pub(super) cookie: Digest,
    /// `sid` of ID tokens and logout tokens.
    pub(super) sid: String,
    pub(super) sub: String,
    pub(super) auth_time: u64,
    pub(super) assurance: Assurance,
    /// Clients that got a code here; they hear of the logout.
    pub(super) clients: BTreeSet<String>,
}

/// An authorization code, bound to all that RFC 6749 4.1.3 and RFC 7636 4.6 compare.
pub(super) struct Code {
    pub(super) expires_at: u64,
    pub(super) redirect_uri: Url,
    pub(super) challenge: String,
    pub(super) nonce: Option<String>,
    pub(super) authorization: Authorization,
    pub(super) used: Used,
}

/// Whether a code was redeemed, and what came of it.
pub(super) enum Used {
    No,
    /// Spent without a refresh token.
    Yes,
    /// The grant that a second use takes back (RFC 6749, 4.1.2).
    ForGrant(String),
}

/// Who let which client do what: the part that codes and grants share.
#[derive(Clone)]
pub(super) struct Authorization {
    pub(super) client_id: String,
    pub(super) sub: String,
    pub(super) scope: Vec<String>,
    pub(super) sid: String,
    pub(super) auth_time: u64,
    pub(super) assurance: Assurance,
}

/// A family of refresh tokens.
pub(super) struct Grant {
    pub(super) authorization: Authorization,
    /// The one token of the family that still works.
    pub(super) current: Digest,
    pub(super) ends_at: u64,
}

/// SHA-256 of a secret. Secrets are looked up by it, so that a look-up's time tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    pub(super) fn of(secret: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
