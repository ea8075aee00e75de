//! The browser's ticket: found in the Cookie header by a byte search, opened once, remembered per worker.

use std::cell::RefCell;
use std::hash::{BuildHasher as _, RandomState};

use http::{HeaderMap, HeaderValue, header};
use memchr::memmem;
use quick_cache::unsync::Cache;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::session::Sessions;
use cloakroom_core::session::id::{SecretHash, SessionId, Ticket};
use cloakroom_core::vault::TokenSeal;
use cloakroom_core::vault::session_token::SessionTokenKind;
use cloakroom_core::vault::ticket::OpenedTicket;

use super::client::{Client, SameSite};

/// The session cookie. `__Host-Http-` binds it to the exact host and keeps scripts from setting it; browsers that do
/// not know that prefix still obey `__Host-` (draft-ietf-httpbis-rfc6265bis section 4.1.3).
pub const COOKIE: &str = "__Host-Http-crs";

/// Cookies of our name that are tried in one request. A sibling domain's or a planted duplicate may stand before
/// ours (C3), but a header full of them costs no more than this.
const TRIED: usize = 4;

/// Cookies remembered by each worker.
const REMEMBERED: usize = 16_384;

/// Who the ticket says it is: not yet whether that session lives.
#[derive(Clone, Copy, Debug)]
pub struct Claimed {
    /// Which session.
    pub id: SessionId,
    /// The hash of the secret that the ticket proved to hold.
    pub secret: SecretHash,
    /// Whether the cookie should be sent anew, under the newest key.
    pub reseal: bool,
    /// When the ticket itself expires: an access token does, a cookie lives as long as its session.
    pub expires_at: UnixMs,
}

/// How a session token was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 6750.
    Bearer,
    /// RFC 9449 section 7.1, with a proof.
    Dpop,
}

/// A session token that a request presents.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// How.
    pub scheme: Scheme,
    /// The token.
    pub text: &'a str,
}

/// The session token of a request: in its one `Authorization` header, with the prefix of ours. Anything else there is
/// nobody's, and never goes on (P2).
#[must_use]
pub fn presented(headers: &HeaderMap) -> Option<Presented<'_>> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else { return None };
    let (scheme, text) = value.to_str().ok()?.split_once(' ')?;
    let scheme = match scheme {
        name if name.eq_ignore_ascii_case("Bearer") => Scheme::Bearer,
        name if name.eq_ignore_ascii_case("DPoP") => Scheme::Dpop,
        _ => return None,
    };
    let text = text.trim_ascii();
    text.starts_with("crs_").then_some(Presented { scheme, text })
}

/// Reads an access token without a memo; `None` for whatever was not made here.
#[must_use]
pub fn read_token(seal: &TokenSeal, text: &str) -> Option<Claimed> {
    let opened = seal.open(SessionTokenKind::Access, text)?;
    let expires_at = opened.expires_at();
    Some(Claimed { id: opened.ticket.id, secret: opened.ticket.secret.hash(), reseal: false, expires_at })
}

/// Cookies that one worker has opened. It yields a claim, never liveness: the live record decides on every call.
pub struct Memo {
    hasher: RandomState,
    opened: RefCell<Cache<u64, Remembered>>,
}

struct Remembered {
    client_id: Box<str>,
    value: Zeroizing<Box<[u8]>>,
    /// Of the key ring: a retired key's cookies are dead at once (C13).
    generation: u64,
    claimed: Claimed,
}

impl Default for Memo {
    fn default() -> Self {
        Self { hasher: RandomState::new(), opened: RefCell::new(Cache::new(REMEMBERED)) }
    }
}

impl std::fmt::Debug for Memo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memo")
    }
}

impl Memo {
    /// Reads the ticket of a request to a site of `client`; `None` when there is none that opens.
    #[must_use]
    pub fn read(&self, client: &Client, headers: &HeaderMap) -> Option<Claimed> {
        candidates(headers).take(TRIED).find_map(|value| self.open(client, value))
    }

    /// Reads every ticket of a request that opens: another may stand before the one that counts (C3).
    #[must_use]
    pub fn read_all(&self, client: &Client, headers: &HeaderMap) -> Vec<Claimed> {
        candidates(headers).take(TRIED).filter_map(|value| self.open(client, value)).collect()
    }

    /// Reads an access token; `None` for whatever was not made here. Its memory is a cookie's, under the name of no
    /// client: a token says itself whose it is, and no client has an empty id.
    #[must_use]
    pub fn read_token(&self, seal: &TokenSeal, text: &str) -> Option<Claimed> {
        self.remembered("", text.as_bytes(), seal.generation(), || read_token(seal, text))
    }

    fn open(&self, client: &Client, value: &[u8]) -> Option<Claimed> {
        self.remembered(&client.id, value, client.tickets.generation(), || open(client, value))
    }

    fn remembered(
        &self,
        client_id: &str,
        value: &[u8],
        generation: u64,
        open: impl FnOnce() -> Option<Claimed>,
    ) -> Option<Claimed> {
        let key = self.hasher.hash_one((client_id, value));
        if let Some(known) = self.opened.borrow().get(&key)
            && *known.client_id == *client_id
            && known.generation == generation
            && bool::from(known.value.ct_eq(value))
        {
            return Some(known.claimed);
        }
        let claimed = open()?;
        let (client_id, value) = (client_id.into(), Zeroizing::new(value.into()));
        let remembered = Remembered { client_id, value, generation, claimed };
        self.opened.borrow_mut().insert(key, remembered);
        Some(claimed)
    }
}

/// Reads every ticket that opens without a memo, for Cloakroom's own endpoints.
#[must_use]
pub fn read_all(client: &Client, headers: &HeaderMap) -> Vec<Claimed> {
    candidates(headers).take(TRIED).filter_map(|value| open(client, value)).collect()
}

fn open(client: &Client, value: &[u8]) -> Option<Claimed> {
    let opened = client.tickets.open(COOKIE, str::from_utf8(value).ok()?)?;
    Some(Claimed {
        id: opened.ticket.id,
        secret: opened.ticket.secret.hash(),
        reseal: opened.reseal,
        expires_at: UnixMs(i64::MAX),
    })
}

/// Whether a request carries a cookie under a key that this ring does not hold: another node may have made it.
#[must_use]
pub fn names_unknown_key(client: &Client, headers: &HeaderMap) -> bool {
    candidates(headers)
        .take(TRIED)
        .any(|value| str::from_utf8(value).is_ok_and(|value| client.tickets.names_unknown_key(value)))
}

/// Gives the browser its ticket anew, which an older key sealed (C6), if the session may be used and the answer does
/// not set the cookie by itself. A session that was stepped up has a newer cookie, which must not be overwritten. Such an answer is kept by no cache (S11).
pub fn renew(client: &Client, sessions: &Sessions, now: UnixMs, asked: &HeaderMap, answer: &mut HeaderMap) {
    let opens = |value| client.tickets.open(COOKIE, str::from_utf8(value).ok()?);
    let good = |opened: &OpenedTicket| sessions.in_use(opened.ticket.id, &opened.ticket.secret.hash(), now);
    let mut opened = candidates(asked).take(TRIED).filter_map(opens);
    let used = opened.find_map(|opened| good(&opened).map(|live| (live, opened)));
    let Some((live, OpenedTicket { ticket, reseal })) = used else { return };
    let sets = answer.get_all(header::SET_COOKIE).iter().any(|line| line.as_bytes().starts_with(COOKIE.as_bytes()));
    if let (true, false, false, Some(line)) = (reseal, sets, live.is_succeeded(), set(client, &ticket)) {
        answer.append(header::SET_COOKIE, line);
        answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// The values of cookies of our name, in the order the browser sent them.
fn candidates(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    cookie_values(headers, COOKIE.as_bytes())
}

/// Whether a request carries a cookie of our name, whatever is in it.
#[must_use]
pub fn is_there(headers: &HeaderMap) -> bool {
    candidates(headers).next().is_some()
}

/// The values of every cookie called `name`.
pub fn cookie_values<'a>(headers: &'a HeaderMap, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    headers.get_all(header::COOKIE).iter().flat_map(move |line| {
        let line = line.as_bytes();
        memmem::find_iter(line, name).filter_map(move |at| {
            let starts = at == 0 || matches!(line.get(at - 1), Some(b' ' | b';'));
            let value = line.get(at + name.len()..)?.strip_prefix(b"=")?;
            let end = memchr::memchr(b';', value).unwrap_or(value.len());
            if starts { value.get(..end).map(<[u8]>::trim_ascii) } else { None }
        })
    })
}

/// The `Set-Cookie` line that gives the browser its ticket.
#[must_use]
pub fn set(client: &Client, ticket: &Ticket) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(attributes(client, &client.tickets.seal(COOKIE, ticket), None)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The `Set-Cookie` line that takes the ticket away, with the same attributes.
#[must_use]
pub fn clear(client: &Client) -> Option<HeaderValue> {
    HeaderValue::try_from(attributes(client, "", Some(0))).ok()
}

fn attributes(client: &Client, value: &str, max_age_secs: Option<i64>) -> String {
    let same_site = match client.same_site {
        SameSite::Strict => cookie::SameSite::Strict,
        SameSite::Lax => cookie::SameSite::Lax,
    };
    own_cookie(COOKIE, value, same_site, max_age_secs)
}

/// A cookie of ours: for this host alone, over secure transport, out of reach of scripts.
pub(crate) fn own_cookie(name: &str, value: &str, same_site: cookie::SameSite, max_age_secs: Option<i64>) -> String {
    let mut cookie = cookie::Cookie::build((name, value)).path("/").secure(true).http_only(true).same_site(same_site);
    if let Some(secs) = max_age_secs {
        cookie = cookie.max_age(time::Duration::seconds(secs));
    }
    cookie.build().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c03_every_cookie_of_our_name_is_a_candidate_and_no_other() {
        let cases: &[(&[&str], &[&str])] = &[
            (&["__Host-Http-crs=a"], &["a"]),
            (&["x=1; __Host-Http-crs=a; y=2"], &["a"]),
            (&["__Host-Http-crs=planted; __Host-Http-crs=a"], &["planted", "a"]),
            (&["__Host-Http-crs=planted", "__Host-Http-crs=a"], &["planted", "a"]),
            (&["x__Host-Http-crs=a; y=__Host-Http-crs=b"], &[]),
            (&["__Host-Http-crsx=a; __host-http-crs=b"], &[]),
            (&["__Host-Http-crs="], &[""]),
            (&[""], &[]),
        ];
        for (lines, expected) in cases {
            let mut headers = HeaderMap::new();
            for line in *lines {
                headers.append(header::COOKIE, line.parse().expect("a header value"));
            }
            let found: Vec<_> = candidates(&headers).map(|value| str::from_utf8(value).expect("text")).collect();
            assert_eq!(&found, expected, "{lines:?}");
        }
    }
}
