//! The sign-in at the provider itself (single sign-on): current, begin, end.

use std::collections::BTreeSet;

use http::HeaderMap;

use super::{
    Provider, backchannel,
    config::User,
    cookies,
    state::{Assurance, Digest, LOGIN_SECS, Login},
};

fn key(headers: &HeaderMap) -> Option<Digest> {
    cookies::read(headers, cookies::LOGIN).map(Digest::of)
}

/// Who is signed in in this browser.
pub(super) fn current(provider: &Provider, headers: &HeaderMap) -> Option<Login> {
    let now = provider.sources.now_secs();
    provider.state.lock().logins.get(&key(headers)?, now).cloned()
}

/// The login page's outcome. The cookie's value is always new (no fixation). The same person goes
/// on in the same `sid`; another one's sign-in in this browser ends.
pub(super) fn begin(
    provider: &Provider,
    request: &HeaderMap,
    response: &mut HeaderMap,
    user: &User,
    assurance: Assurance,
) -> Login {
    let now = provider.sources.now_secs();
    let before = take(provider, request);
    let (sid, clients) = match before {
        Some(login) if login.sub == user.sub => (login.sid, login.clients),
        Some(login) => {
            backchannel::announce(provider, &login);
            (provider.sources.id(), BTreeSet::new())
        }
        None => (provider.sources.id(), BTreeSet::new()),
    };
    let secret = provider.sources.token();
    let login = Login { cookie: Digest::of(&secret), sid, sub: user.sub.clone(), auth_time: now, assurance, clients };
    provider.state.lock().logins.insert(login.cookie, login.clone(), now + LOGIN_SECS, now);
    cookies::set(response, cookies::LOGIN, &secret);
    login
}

/// Ends the sign-in and tells the clients that took part. Refresh tokens stay: `offline_access` is
/// meant to outlive the session (Back-Channel Logout 1.0, 2.7), and a client that signs out revokes
/// its own.
pub(super) fn end(provider: &Provider, request: &HeaderMap, response: &mut HeaderMap) {
    if let Some(login) = take(provider, request) {
        backchannel::announce(provider, &login);
    }
    cookies::remove(response, cookies::LOGIN);
}

fn take(provider: &Provider, headers: &HeaderMap) -> Option<Login> {
    let now = provider.sources.now_secs();
    provider.state.lock().logins.remove(&key(headers)?, now)
}

/// Notes a client that got a code, for the logout.
pub(super) fn remember_client(provider: &Provider, login: &Login, client_id: &str) {
    let now = provider.sources.now_secs();
    if let Some(login) = provider.state.lock().logins.get_mut(&login.cookie, now) {
        login.clients.insert(client_id.to_owned());
    }
}
