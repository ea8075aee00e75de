//! What each cell of the list offers: the same value elsewhere.

use cloakroom_api::{Session, StateFilter};
use leptos::prelude::*;

use super::List;
use crate::routes;
use crate::state::list_query::ListQuery;
use crate::ui::Item;

/// The list with one filter more.
fn narrowed(list: List, words: &str, change: impl FnOnce(&mut ListQuery)) -> Item {
    let query = list.query.get_untracked().unwrap_or_default().changed(change);
    Item { words: words.to_owned(), sign: "search", href: routes::sessions(&query.search()) }
}

/// All sessions, live and ended, that have it.
fn everywhere(words: &str, change: impl FnOnce(&mut ListQuery)) -> Item {
    let query = ListQuery { state: StateFilter::All, ..ListQuery::default() }.changed(change);
    Item { words: words.to_owned(), sign: "history", href: routes::sessions(&query.search()) }
}

/// The guide that ends all that have it: previewed first.
fn end(words: &str, filters: &[(&str, &str)]) -> Item {
    Item { words: words.to_owned(), sign: "ban", href: routes::incident(filters) }
}

pub(super) fn user(list: List, session: &Session) -> impl Fn() -> Vec<Item> + Send + use<> {
    let (sub, issuer) = (Some(session.sub.clone()), session.issuer.clone());
    move || {
        vec![
            narrowed(list, "Show only this person here", |query| query.sub.clone_from(&sub)),
            everywhere("All sessions of this person", |query| query.sub.clone_from(&sub)),
            Item {
                words: "About this person".to_owned(),
                sign: "user-round",
                href: routes::users_of(sub.as_deref().unwrap_or_default()),
            },
            end("End sessions of this person", &[("issuer", &issuer), ("sub", sub.as_deref().unwrap_or_default())]),
        ]
    }
}

pub(super) fn client(list: List, session: &Session) -> impl Fn() -> Vec<Item> + Send + use<> {
    let client = Some(session.client_id.clone());
    move || {
        vec![
            narrowed(list, "Show only this client here", |query| query.client.clone_from(&client)),
            everywhere("All sessions at this client", |query| query.client.clone_from(&client)),
            Item {
                words: "About this client".to_owned(),
                sign: "app-window",
                href: routes::client(client.as_deref().unwrap_or_default()),
            },
            end("End sessions at this client", &[("client", client.as_deref().unwrap_or_default())]),
        ]
    }
}

pub(super) fn device(list: List, session: &Session) -> impl Fn() -> Vec<Item> + Send + use<> {
    let agent = beginning(session.user_agent.as_deref().unwrap_or_default());
    move || {
        vec![
            narrowed(list, "Show only this user agent here", |query| query.text.clone_from(&agent)),
            everywhere("All sessions with this user agent", |query| query.text.clone_from(&agent)),
            end("End sessions with this user agent", &[("user_agent", &agent)]),
        ]
    }
}

pub(super) fn address(list: List, session: &Session) -> impl Fn() -> Vec<Item> + Send + use<> {
    let address = session.address.clone().unwrap_or_default();
    move || {
        vec![
            narrowed(list, "Show only this address here", |query| query.text.clone_from(&address)),
            everywhere("All sessions from this address", |query| query.text.clone_from(&address)),
            end("End sessions from this address", &[("network", &address)]),
        ]
    }
}

/// As much of a text as the list's search takes: 200 bytes.
fn beginning(text: &str) -> String {
    let mut end = 0;
    let fits = |c: &char| {
        end += c.len_utf8();
        end <= 200
    };
    text.chars().take_while(fits).collect()
}
