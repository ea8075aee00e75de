//! The pages of people who are not in: signed out, without a role, lost, or back from a sign-in.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsValue;
use web_sys::BroadcastChannel;

use super::failure_notice;
use crate::api;
use crate::routes::Page;
use crate::state::address::Address;
use crate::state::query_string::encode;
use crate::state::viewer::{Standing, Viewer};
use crate::ui::{empty, icon};

/// On it, a tab that has just signed in tells the others.
pub(crate) const SIGNED_IN_CHANNEL: &str = "cloakroom.signed-in";

/// A card in the middle of nothing else.
fn card(title: &'static str, content: impl IntoView + 'static) -> AnyView {
    document().set_title(&format!("{title} · Cloakroom"));
    view! {
        <main class="entrance">
            <div class="card">
                <span class="brand-mark large">{icon("hanger")}</span>
                <h1>{title}</h1>
                {content}
            </div>
        </main>
    }
    .into_any()
}

/// Before it is known who is there: the frame's outline, no words that come and go.
pub(crate) fn asking() -> AnyView {
    view! { <main class="entrance" aria-busy="true"><h1 class="sr-only">"Loading the console"</h1></main> }.into_any()
}

/// Nobody is signed in.
pub(crate) fn signed_out() -> AnyView {
    let address = Address::get();
    let login = move || {
        let search = address.search();
        let mark = if search.is_empty() { "" } else { "?" };
        format!("/bff/login?return_to={}", encode(&format!("{}{mark}{search}", address.path())))
    };
    let host = window().location().host().unwrap_or_default();
    card(
        "Sign in to Cloakroom",
        view! {
            <p class="muted">"The console of " <bdi>{host}</bdi> ". Your provider asks who you are, then you come back to this page."</p>
            <a class="button primary wide" href=login rel="external">{icon("log-in")} "Sign in"</a>
        },
    )
}

/// Signed in, with a role that is not enough.
pub(crate) fn refused() -> AnyView {
    let viewer = Viewer::get();
    let problem = move || if let Standing::Refused(problem) = viewer.standing() { Some(problem) } else { None };
    let role = move || problem().and_then(|problem| problem.required_role).map_or("viewer", |role| role.code());
    let user = RwSignal::new(None);
    spawn_local(async move {
        user.try_set(api::me::user().await.ok());
    });
    card(
        "No access to the console",
        view! {
            <p class="muted">"This page needs the role " <strong>{role}</strong> ". Ask an owner of this gateway for it, then check again."</p>
            {move || user.get().map(|user| view! {
                <p class="who small"><span class="faint">"Signed in as "</span><bdi>{user.display()}</bdi></p>
                <a class="button wide" href=user.logout_url.clone() rel="external">{icon("log-out")} "Sign out"</a>
            })}
            <button type="button" class="button quiet wide" on:click=move |_| viewer.ask()>{icon("refresh-cw")} "Check again"</button>
        },
    )
}

/// The gateway could not say who is there.
pub(crate) fn failed() -> AnyView {
    let viewer = Viewer::get();
    let failure = move || if let Standing::Failed(failure) = viewer.standing() { Some(failure) } else { None };
    card(
        "The console cannot start",
        view! { {move || failure().map(|failure| failure_notice(&failure, None, move || viewer.ask()))} },
    )
}

/// No such page.
pub(crate) fn not_found() -> AnyView {
    view! {
        <h1 class="sr-only" tabindex="-1">"Not found"</h1>
        {empty(
            "search-x",
            "There is no such page",
            "The link may be old, or mistyped.",
            view! { <a class="button" href=Page::Overview.path()>"Go to the overview"</a> },
        )}
    }
    .into_any()
}

/// Where a sign-in in another tab leads: tells the tab that waits.
pub(crate) fn signed_in() -> AnyView {
    if let Ok(channel) = BroadcastChannel::new(SIGNED_IN_CHANNEL) {
        channel.post_message(&JsValue::TRUE).ok();
        channel.close();
    }
    view! {
        <h1 class="sr-only" tabindex="-1">"Signed in"</h1>
        {empty(
            "circle-check",
            "You are signed in",
            "The tab that asked goes on by itself. This one can be closed.",
            view! { <a class="button" href=Page::Overview.path()>"Or go on here"</a> },
        )}
    }
    .into_any()
}
