//! Where a login leads back to: a checked type, so that no raw URL ever becomes a redirect.

use url::Url;

use crate::edge::client::Site;

/// The longest address to come back to.
const MAX_BYTES: usize = 2_000;

/// A path of the own site in normal form, or a URL that the client registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo(String);

/// The address may lead elsewhere, or is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("return_to must be a path of this site that starts with a single slash, or a URL that the client registered")]
pub struct NotHere;

impl ReturnTo {
    /// Checks what a login URL asks for.
    ///
    /// # Errors
    /// [`NotHere`] for anything that a browser could read as another site's address (L13).
    pub fn parse(text: &str, site: &Site) -> Result<Self, NotHere> {
        let registered = site.client.as_ref().map_or(&[][..], |client| &client.return_urls);
        Self::parse_at(text, &site.origin, registered)
    }

    /// As [`Self::parse`], for a site's origin and what its client registered.
    ///
    /// # Errors
    /// [`NotHere`].
    pub fn parse_at(text: &str, origin: &str, registered: &[Box<str>]) -> Result<Self, NotHere> {
        if registered.iter().any(|url| **url == *text) {
            return Ok(Self(text.to_owned()));
        }
        let plain = text.len() <= MAX_BYTES && text.bytes().all(|b| matches!(b, 0x21..=0x7e)) && !text.contains('\\');
        if !plain || !text.starts_with('/') {
            return Err(NotHere);
        }
        let path = text.split(['?', '#']).next().unwrap_or_default();
        if !is_harmless(path, 3) {
            return Err(NotHere);
        }
        // The last word has the parser that browsers agree with.
        let base = Url::parse(origin).map_err(|_| NotHere)?;
        let joined = base.join(text).map_err(|_| NotHere)?;
        let stays = joined.origin() == base.origin() && joined.path() == path && joined.username().is_empty();
        if stays { Ok(Self(text.to_owned())) } else { Err(NotHere) }
    }

    /// The address, fit for a `Location` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// No empty or dot segment and no backslash, not even under `layers` layers of percent-encoding.
fn is_harmless(path: &str, layers: u8) -> bool {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let inner = segments.len().saturating_sub(1);
    let empty_inside = segments.iter().take(inner).any(|segment| segment.is_empty());
    let odd = path.chars().any(|c| c == '\\' || c.is_control() || !c.is_ascii());
    if empty_inside || odd || segments.iter().any(|segment| matches!(*segment, "." | "..")) {
        return false;
    }
    if !path.contains('%') {
        return true;
    }
    let Some(decoded) = percent_decoded(path) else { return false };
    layers > 0 && is_harmless(&decoded, layers - 1)
}

/// One layer of percent-encoding removed; `None` when an escape is broken or does not spell ASCII.
fn percent_decoded(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == '%' {
            let high = rest.next()?.to_digit(16)?;
            let low = rest.next()?.to_digit(16)?;
            out.push(char::from(u8::try_from(high * 16 + low).ok()?));
        } else {
            out.push(c);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use base64::Engine as _;
    use cloakroom_core::clock::UnixMs;
    use cloakroom_core::random::SystemRandom;
    use cloakroom_core::vault::{KeyRing, RootKey, TicketSeal};

    use crate::edge::client::{Client, SameSite};

    fn site() -> Site {
        let root = RootKey::parse(&base64::engine::general_purpose::STANDARD.encode([7; 32])).expect("a key");
        let ring = Arc::new({
            let rows = [root.new_ring_key(UnixMs(0), &SystemRandom)];
            KeyRing::open(root, &rows).expect("opens")
        });
        let client = Client {
            id: "app".into(),
            name: "App".into(),
            tenant: "default".into(),
            tickets: TicketSeal::new(&ring, "app"),
            same_site: SameSite::Strict,
            idle_secs: 1,
            absolute_secs: 1,
            step_up_grace_secs: 0,
            recent_login_secs: 0,
            session_limit: None,
            registrations: vec![],
            trusted_origins: vec![],
            look: crate::edge::page::look::Look::PLAIN,
            return_urls: vec!["https://www.example.com/welcome".into()],
            post_logout_path: "/".into(),
            limit: None,
        };
        Site {
            number: 0,
            id: "app".into(),
            origin: "https://app.example.com".into(),
            authority: http::HeaderValue::from_static("app.example.com"),
            scheme: http::HeaderValue::from_static("https"),
            base_path: "/bff".into(),
            client: Some(Arc::new(client)),
            issues: vec![],
            apps: vec![],
            routes: crate::edge::client::Routes::default(),
            identity: false,
            diagnostics: false,
            admin: false,
        }
    }

    #[test]
    fn l13_return_to_takes_paths_of_the_own_site_and_registered_urls() {
        for good in ["/", "/a", "/a/", "/a/b?c=/../d&e=//f#g", "/a%20b", "https://www.example.com/welcome"] {
            assert!(ReturnTo::parse(good, &site()).is_ok(), "{good}");
        }
    }

    #[test]
    fn l13_return_to_refuses_what_could_lead_elsewhere() {
        let long = format!("/{}", "a".repeat(10_000));
        for bad in [
            "",
            "a",
            "//evil",
            "/\\evil",
            "\\evil",
            "/%2f/evil",
            "/%2fevil",
            "/%5cevil",
            "/%252fevil",
            "\t//evil",
            "/\t/evil",
            "https:evil",
            "https://good@evil",
            "http://app.example.com.evil",
            "https://app.example.com",
            "https://www.example.com/welcome/x",
            "/a\r\nSet-Cookie: x",
            "/a%0d%0ax",
            "javascript:alert(1)",
            "data:text/html,x",
            "/../a",
            "/a/../b",
            "/a/%2e%2e/b",
            "/.",
            "/a//b",
            "/\u{2f}\u{ff0f}evil",
            "/\u{3002}evil",
            "/%",
            "/%zz",
            &long,
        ] {
            assert!(ReturnTo::parse(bad, &site()).is_err(), "{bad}");
        }
    }
}
