//! A mobile app as a client: where its codes may go, how long its tokens live, which sites it may call.

use secrecy::SecretString;
use url::Url;

use cloakroom_core::session::limit::SessionLimit;

use super::client::RegistrationRef;
use super::rates::Limit;

/// A mobile app that logs users in through the session API.
#[derive(Debug)]
pub struct MobileClient {
    /// The client's id in the configuration: the app's `client_id`.
    pub id: Box<str>,
    /// Its name for people.
    pub name: Box<str>,
    /// Its tenant.
    pub tenant: Box<str>,
    /// The registrations it may log in with; the first is the default.
    pub registrations: Vec<RegistrationRef>,
    /// Where its codes may go.
    pub redirect_uris: Vec<RedirectUri>,
    /// Whether it signs people in who type a code on another device (RFC 8628).
    pub device_grant: bool,
    /// Where its sign-outs may come back to.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// How long an access token lives, in seconds.
    pub access_secs: i64,
    /// Ends a session that is not used for so long, in seconds.
    pub idle_secs: i64,
    /// Ends a session after so long in any case, in seconds.
    pub absolute_secs: i64,
    /// How many sessions a person may have at once; `None` for any number.
    pub session_limit: Option<SessionLimit>,
    /// Whether tokens are bound to a device key.
    pub dpop: DpopMode,
    /// What an upstream shows to ask about this client's tokens; `None`: nobody may ask.
    pub introspection_secret: Option<SecretString>,
    /// How often its sessions may call, all together.
    pub limit: Option<Limit>,
}

/// Whether tokens are bound to a device key (RFC 9449).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DpopMode {
    /// Never: a proof is not looked at.
    Off,
    /// Where the app shows a proof.
    Optional,
    /// Always.
    Required,
}

/// A redirect URI that a client registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri {
    text: Box<str>,
    kind: RedirectKind,
}

/// What kind of redirect URI it is (RFC 8252 section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    /// `com.example.app:/callback`: any app on the device may claim the scheme.
    CustomScheme,
    /// `https://…`, which the operating system gives to the one app that proved to own the domain.
    ClaimedHttps,
    /// `http://127.0.0.1/…` or `http://[::1]/…`, with whatever port the app listens on.
    Loopback,
}

impl RedirectUri {
    /// As it was registered.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Checks a redirect URI as it is registered.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url: Url = text.parse().map_err(|error| format!("is no URI ({error})"))?;
        if text.contains('#') {
            return Err("has a fragment".into());
        }
        if text.bytes().any(|byte| !matches!(byte, 0x21..=0x7e)) {
            return Err("has characters that no URI has".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds a user name or password".into());
        }
        let kind = match url.scheme() {
            "https" => RedirectKind::ClaimedHttps,
            "http" => match url.host_str() {
                Some("127.0.0.1" | "[::1]") if url.port().is_none() => RedirectKind::Loopback,
                Some("127.0.0.1" | "[::1]") => return Err("names a port: the app chooses it when it listens".into()),
                _ => return Err("is plain http, but not on 127.0.0.1 or [::1]".into()),
            },
            // RFC 8252 section 7.1: a domain name of the app's owner, backwards. It also keeps javascript: and data: out.
            scheme if scheme.contains('.') => RedirectKind::CustomScheme,
            _ => return Err("has a scheme without a dot".into()),
        };
        Ok(Self { text: text.into(), kind })
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> RedirectKind {
        self.kind
    }

    /// Whether an app may ask for codes to be sent there: letter by letter the registered one, but for a loopback's port
    /// (RFC 8252 section 7.3).
    #[must_use]
    pub fn admits(&self, asked: &str) -> bool {
        if *self.text == *asked {
            return true;
        }
        self.kind == RedirectKind::Loopback && without_port(asked).is_some_and(|asked| asked == *self.text)
    }
}

/// A loopback address without its port; `None` where that is not what stands between host and path.
fn without_port(asked: &str) -> Option<String> {
    let host = ["http://127.0.0.1", "http://[::1]"].into_iter().find(|host| asked.starts_with(host))?;
    let rest = asked.strip_prefix(host)?.strip_prefix(':')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (port, path) = rest.split_at_checked(digits)?;
    let is_port = !port.starts_with('0') && port.parse::<u16>().is_ok();
    (is_port && (path.is_empty() || path.starts_with(['/', '?']))).then(|| format!("{host}{path}"))
}

impl MobileClient {
    /// The registered redirect URI that admits an asked one.
    #[must_use]
    pub fn redirect(&self, asked: &str) -> Option<&RedirectUri> {
        self.redirect_uris.iter().find(|known| known.admits(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m01_only_registered_addresses_are_admitted_but_for_a_loopbacks_port() {
        let cases = [
            ("com.example.app:/cb", "com.example.app:/cb", true),
            ("com.example.app:/cb", "com.example.app:/cb?x=1", false),
            ("com.example.app:/cb", "com.example.app:/cb/", false),
            ("com.example.app:/cb", "com.example.APP:/cb", false),
            ("https://app.example.com/cb", "https://app.example.com/cb", true),
            ("https://app.example.com/cb", "https://app.example.com:443/cb", false),
            ("https://app.example.com/cb", "https://app.example.com.evil/cb", false),
            ("https://app.example.com/cb?a=1", "https://app.example.com/cb?a=1", true),
            ("https://app.example.com/cb?a=1", "https://app.example.com/cb?a=1&b=2", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1/cb", true),
            ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", true),
            ("http://[::1]/cb", "http://[::1]:49152/cb", true),
            ("http://127.0.0.1/cb", "http://[::1]:49152/cb", false),
            ("http://127.0.0.1/cb", "http://localhost:49152/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb2", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:49152@evil.example/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:99999/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:0/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", false),
        ];
        for (registered, asked, admitted) in cases {
            let known = RedirectUri::parse(registered).expect("a redirect URI");
            assert_eq!(known.admits(asked), admitted, "{registered} {asked}");
        }
    }

    #[test]
    fn m01_what_is_no_redirect_uri_says_why() {
        for odd in [
            "",
            "/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "myapp:/cb",
            "http://app.example.com/cb",
            "http://localhost/cb",
            "http://127.0.0.1:8000/cb",
            "https://app.example.com/cb#f",
            "https://ann@app.example.com/cb",
            "com.example.app:/a b",
        ] {
            assert!(RedirectUri::parse(odd).is_err(), "{odd}");
        }
    }
}
