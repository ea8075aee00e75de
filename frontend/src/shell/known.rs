//! What the palette finds in the gateway: people who have or had sessions, and clients.

use std::time::Duration;

use cloakroom_api::{Overview, Page, Session, StateFilter};
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;

use super::palette::{Deed, Entry};
use crate::api;
use crate::routes;
use crate::state::list_query::ListQuery;
use crate::state::loaded::{Loaded, OnChange};

/// How long after the last letter is asked.
const PAUSE: Duration = Duration::from_millis(200);
/// More would push the palette's own entries out of sight.
const PEOPLE: usize = 5;

/// Answers for what was typed.
#[derive(Clone, Copy)]
pub(super) struct Known {
    asked: RwSignal<String>,
    people: Loaded<Page<Session>>,
    clients: Loaded<Overview>,
}

impl Known {
    /// Asks for what is typed, once the person pauses.
    pub(super) fn ask(typed: RwSignal<String>) -> Self {
        let asked = RwSignal::new(String::new());
        Effect::new(move |last: Option<Option<TimeoutHandle>>| {
            if let Some(handle) = last.flatten() {
                handle.clear();
            }
            let text = typed.get().trim().to_owned();
            let later = move || {
                asked.try_set(text);
            };
            set_timeout_with_handle(later, PAUSE).ok()
        });
        let people = Loaded::new(OnChange::Keep, move || {
            let text = asked.get();
            let query = ListQuery { state: StateFilter::All, text, ..ListQuery::default() };
            (!query.text.is_empty()).then(|| api::sessions::list(&query))
        });
        let clients = Loaded::new(OnChange::Keep, || Some(api::overview::address()));
        Self { asked, people, clients }
    }

    /// Entries for them. Answers to an older question wait until theirs is there.
    pub(super) fn entries(self, typed: &str) -> Vec<Entry> {
        let typed = typed.trim().to_ascii_lowercase();
        let mut found = Vec::new();
        if typed.is_empty() {
            return found;
        }
        let clients = self.clients.data().map(|overview| overview.by_client).unwrap_or_default();
        found.extend(clients.into_iter().filter(|client| client.name.to_ascii_lowercase().contains(&typed)).map(
            |client| {
                let query = ListQuery { client: Some(client.id), ..ListQuery::default() };
                Entry::new(format!("Client {}", client.name), "route", Deed::Go(routes::sessions(&query.search())))
            },
        ));
        if self.asked.get().to_ascii_lowercase() == typed {
            found.extend(people(&self.people.data().map(|page| page.items).unwrap_or_default()));
        }
        found
    }
}

/// Each person once, however many sessions they have.
fn people(sessions: &[Session]) -> Vec<Entry> {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for session in sessions {
        if seen.iter().all(|(sub, _)| *sub != session.sub) && seen.len() < PEOPLE {
            seen.push((&session.sub, session.display()));
        }
    }
    let entry = |(sub, name): (&str, &str)| {
        let words = if sub == name { format!("User {name}") } else { format!("User {name} · {sub}") };
        Entry::new(words, "user-round", Deed::Go(routes::sessions_of(sub)))
    };
    seen.into_iter().map(entry).collect()
}
