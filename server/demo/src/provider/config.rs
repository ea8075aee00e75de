//! What the provider is told by its caller.

use url::Url;

/// The provider's whole configuration.
#[derive(Debug, Clone)]
pub struct ProviderConfig {
    /// Origin under which it is reached, such as `http://idp.localhost:8081`.
    pub issuer: Url,
    /// The relying parties.
    pub clients: Vec<RegisteredClient>,
    /// The people who can sign in.
    pub users: Vec<User>,
    /// Lifetime of access tokens, in seconds.
    pub access_token_secs: u64,
    /// `aud` of access tokens: the sample API.
    pub audience: String,
    /// Where a client's redirect URI may lead on to, as sources of a Content-Security-Policy: the addresses of mobile
    /// apps behind a gateway.
    pub onward: Vec<String>,
}

/// A confidential client. It authenticates by `client_secret_basic` or `client_secret_post`.
#[derive(Debug, Clone)]
pub struct RegisteredClient {
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Compared as whole strings (RFC 9700, 2.1).
    pub redirect_uris: Vec<Url>,
    /// Compared as whole strings (RP-Initiated Logout 1.0, 3).
    pub post_logout_redirect_uris: Vec<Url>,
    /// Where logout tokens go, if the client takes them.
    pub backchannel_logout_uri: Option<Url>,
}

/// A person of the demo.
#[derive(Debug, Clone)]
pub struct User {
    /// Name to sign in with.
    pub name: String,
    /// Password to sign in with. It is shown on the login page: this is a demo.
    pub password: String,
    /// Stable subject identifier.
    pub sub: String,
    /// Mail address, always "verified".
    pub email: String,
    /// Name shown to people.
    pub display_name: String,
    /// Values of the `roles` claim.
    pub roles: Vec<String>,
    /// Values of the `groups` claim.
    pub groups: Vec<String>,
}

impl ProviderConfig {
    pub(super) fn client(&self, client_id: &str) -> Option<&RegisteredClient> {
        self.clients.iter().find(|client| client.client_id == client_id)
    }

    pub(super) fn user_by_sub(&self, sub: &str) -> Option<&User> {
        self.users.iter().find(|user| user.sub == sub)
    }

    pub(super) fn user_by_name(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }
}
