//! The cookie jar: RFC 6265bis with the `__Host-`, `__Http-` and `__Host-Http-` prefixes.

use super::site::site_of;
use crate::wire::Headers;
use tokio::time::{Duration, Instant};
use url::Url;

/// A cookie's `SameSite`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Only with requests that the site itself began.
    Strict,
    /// Also with top-level navigations that read.
    Lax,
    /// Always.
    None,
}

/// One cookie.
#[derive(Clone, Debug)]
pub struct Cookie {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
    /// Host, or the domain it was set for.
    pub domain: String,
    /// Whether it goes to `domain` alone.
    pub host_only: bool,
    /// Path.
    pub path: String,
    /// Secure.
    pub secure: bool,
    /// `HttpOnly`.
    pub http_only: bool,
    /// `SameSite`.
    pub same_site: SameSite,
    /// The end of its life; none for a cookie of the browser's session.
    pub expires: Option<Instant>,
}

/// What kind of request a cookie would go with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trip {
    /// Begun by the target's own site, or by a person.
    OwnSite,
    /// A top-level navigation that reads, begun at another site.
    ForeignLink,
    /// A top-level navigation that writes, begun at another site.
    ForeignForm,
    /// A script's or element's request, begun at another site.
    ForeignResource,
}

/// The cookies of one browser.
#[derive(Debug, Default)]
pub struct Jar {
    cookies: Vec<Cookie>,
    refused: Vec<String>,
}

impl Jar {
    /// Every living cookie.
    pub fn all(&mut self) -> &[Cookie] {
        self.cookies.retain(|cookie| cookie.expires.is_none_or(|end| end > Instant::now()));
        &self.cookies
    }

    /// The `Set-Cookie` lines that a browser would have ignored.
    pub fn refused(&self) -> &[String] {
        &self.refused
    }

    /// Puts a cookie in by hand: a thief's copy, or a planted one.
    pub fn insert(&mut self, cookie: Cookie) {
        self.cookies.retain(|old| (&old.name, &old.domain, &old.path) != (&cookie.name, &cookie.domain, &cookie.path));
        self.cookies.push(cookie);
    }

    /// Forgets everything, as "clear browsing data" does.
    pub fn clear(&mut self) {
        self.cookies.clear();
    }

    /// Forgets one host's cookies.
    pub fn clear_host(&mut self, host: &str) {
        self.cookies.retain(|cookie| cookie.domain != host);
    }

    /// The `Cookie` field for a request.
    pub fn header(&mut self, url: &Url, trip: Trip) -> String {
        self.all();
        let mut sent: Vec<&Cookie> = self.cookies.iter().filter(|c| c.goes_to(url)).collect();
        sent.retain(|cookie| match cookie.same_site {
            SameSite::None => true,
            SameSite::Lax => matches!(trip, Trip::OwnSite | Trip::ForeignLink),
            SameSite::Strict => trip == Trip::OwnSite,
        });
        sent.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<_> = sent.iter().map(|c| format!("{}={}", c.name, c.value)).collect();
        pairs.join("; ")
    }

    /// Takes the cookies of an answer. A resource of another site may set only those that go everywhere.
    pub fn store(&mut self, url: &Url, headers: &Headers, trip: Trip) {
        for line in headers.all("set-cookie") {
            let cookie = Cookie::parse(line, url)
                .filter(|cookie| trip != Trip::ForeignResource || cookie.same_site == SameSite::None);
            match cookie {
                Some(cookie) => self.insert(cookie),
                None => self.refused.push(line.to_owned()),
            }
        }
        self.all();
    }
}

impl Cookie {
    /// Reads a `Set-Cookie` line as a browser does; none when it would ignore the line.
    pub fn parse(line: &str, url: &Url) -> Option<Self> {
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let host = url.host_str()?;
        let mut cookie = Self {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            domain: host.to_owned(),
            host_only: true,
            path: default_path(url),
            secure: false,
            http_only: false,
            same_site: SameSite::Lax,
            expires: None,
        };
        let mut max_age = false;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key.to_ascii_lowercase().as_str() {
                "secure" => cookie.secure = true,
                "httponly" => cookie.http_only = true,
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "domain" => cookie.set_domain(value.trim_start_matches('.'), host)?,
                "samesite" => cookie.same_site = same_site(value),
                "max-age" => {
                    max_age = true;
                    let secs = value.parse::<i64>().ok()?;
                    cookie.expires = Some(Instant::now() + Duration::from_secs(u64::try_from(secs).unwrap_or(0)));
                }
                // Only deletion is ever done by date here.
                "expires" if !max_age && value.contains(" 1970 ") => {
                    cookie.expires = Some(Instant::now());
                }
                _ => {}
            }
        }
        cookie.allowed(url).then_some(cookie)
    }

    fn set_domain(&mut self, domain: &str, host: &str) -> Option<()> {
        let covers = host == domain || host.ends_with(&format!(".{domain}"));
        // A single label is a public suffix.
        (covers && domain.contains('.')).then(|| {
            domain.clone_into(&mut self.domain);
            self.host_only = false;
        })
    }

    fn allowed(&self, url: &Url) -> bool {
        let name = self.name.to_ascii_lowercase();
        let host_prefix = !name.starts_with("__host-") || (self.secure && self.host_only && self.path == "/");
        let http_prefix =
            !(name.starts_with("__http-") || name.starts_with("__host-http-")) || (self.secure && self.http_only);
        let secure_prefix = !name.starts_with("__secure-") || self.secure;
        let secure = !self.secure || trustworthy(url);
        let none = self.same_site != SameSite::None || self.secure;
        let size = self.name.len() + self.value.len() <= 4096;
        !self.name.is_empty() && host_prefix && http_prefix && secure_prefix && secure && none && size
    }

    fn goes_to(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let host_matches = host == self.domain || (!self.host_only && host.ends_with(&format!(".{}", self.domain)));
        let path = url.path();
        let path_matches = path == self.path
            || path
                .strip_prefix(self.path.as_str())
                .is_some_and(|rest| self.path.ends_with('/') || rest.starts_with('/'));
        host_matches && path_matches && (!self.secure || trustworthy(url))
    }
}

fn same_site(value: &str) -> SameSite {
    match value.to_ascii_lowercase().as_str() {
        "strict" => SameSite::Strict,
        "none" => SameSite::None,
        _ => SameSite::Lax,
    }
}

fn default_path(url: &Url) -> String {
    let path = url.path();
    path.rfind('/').filter(|end| *end > 0).map_or_else(|| "/".to_owned(), |end| path[..end].to_owned())
}

/// Potentially trustworthy origins may hold Secure cookies: https and the loopback names.
fn trustworthy(url: &Url) -> bool {
    let site = site_of(url);
    url.scheme() == "https" || site.ends_with("localhost") || url.host_str() == Some("127.0.0.1")
}
