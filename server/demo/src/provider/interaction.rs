//! Pages that wait for a person: each is bound to the browser it was shown in and carries a token
//! that only that page knows, so no other site can answer for the person (login and logout CSRF).

use http::HeaderMap;
use subtle::ConstantTimeEq as _;

use super::{
    Provider, cookies,
    params::Params,
    state::{Digest, INTERACTION_SECS, Interaction, Purpose},
};

/// A new interaction.
pub(super) struct Opened {
    pub(super) id: String,
    pub(super) csrf: String,
    /// A browser that had no cookie gets one.
    new_browser: Option<String>,
}

impl Opened {
    /// Gives the browser its cookie, if it has none yet.
    pub(super) fn bind(&self, headers: &mut HeaderMap) {
        if let Some(value) = &self.new_browser {
            cookies::set(headers, cookies::BROWSER, value);
        }
    }
}

/// Several may be open in one browser at a time.
pub(super) fn open(provider: &Provider, headers: &HeaderMap, purpose: Purpose) -> Opened {
    let known = cookies::read(headers, cookies::BROWSER).filter(|value| !value.is_empty());
    let new_browser = known.is_none().then(|| provider.sources.token());
    let browser = Digest::of(known.or(new_browser.as_deref()).unwrap_or_default());
    let (id, csrf) = (provider.sources.token(), provider.sources.token());
    let interaction = Interaction { browser, csrf: csrf.clone(), purpose };
    let now = provider.sources.now_secs();
    provider.state.lock().interactions.insert(id.clone(), interaction, now + INTERACTION_SECS, now);
    Opened { id, csrf, new_browser }
}

/// Reads an open interaction of this browser.
pub(super) fn look<T>(
    provider: &Provider,
    headers: &HeaderMap,
    id: &str,
    read: impl FnOnce(&Interaction) -> T,
) -> Option<T> {
    let browser = Digest::of(cookies::read(headers, cookies::BROWSER)?);
    let now = provider.sources.now_secs();
    let state = provider.state.lock();
    let interaction = state.interactions.get(id, now)?;
    (interaction.browser == browser).then(|| read(interaction))
}

/// Whether the form comes from the very page that this browser was shown.
pub(super) fn is_genuine(provider: &Provider, headers: &HeaderMap, params: &Params) -> bool {
    let (Some(id), Some(csrf)) = (params.get("interaction"), params.get("csrf")) else {
        return false;
    };
    look(provider, headers, id, |interaction| bool::from(interaction.csrf.as_bytes().ct_eq(csrf.as_bytes())))
        .unwrap_or(false)
}

/// Uses the interaction up.
pub(super) fn close(provider: &Provider, id: &str) -> Option<Purpose> {
    let now = provider.sources.now_secs();
    let interaction = provider.state.lock().interactions.remove(id, now)?;
    Some(interaction.purpose)
}
