//! The rows. A table on wide screens, labelled cards on narrow ones; the roles are written out, because a table that
//! is laid out as blocks loses them in some browsers.

use cloakroom_api::{Session, Sort, StateFilter};
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::List;
use crate::domain::person::avatar;
use crate::domain::session::{device, device_icon, next_end, own_mark, second_name, state_badge};
use crate::routes;
use crate::state::address::Step;
use crate::ui::{icon, relative_time, skeleton_lines, stacked_time};

/// A column: its heading, the order it stands for, and its cells.
struct Column {
    name: &'static str,
    sort: Option<Sort>,
    cell: fn(List, &Session) -> AnyView,
}

const CLIENT: Column = Column { name: "Client", sort: None, cell: client_cell };
const DEVICE: Column = Column { name: "Device", sort: None, cell: device_cell };
const SIGNED_IN: Column =
    Column { name: "Signed in", sort: Some(Sort::Created), cell: |_, session| stacked_time(&session.created_at) };
const LAST_SEEN: Column =
    Column { name: "Last seen", sort: Some(Sort::LastSeen), cell: |_, session| stacked_time(&session.last_seen_at) };
const EXPIRES: Column = Column { name: "Expires", sort: None, cell: expires_cell };
const ENDED: Column = Column { name: "Ended", sort: None, cell: ended_cell };
const HOW: Column = Column { name: "How", sort: None, cell: how_cell };
const STATE: Column = Column { name: "State", sort: None, cell: |_, session| state_badge(session.state) };

/// The columns after the person's.
const fn columns(state: StateFilter) -> [Column; 5] {
    match state {
        StateFilter::Live => [CLIENT, DEVICE, SIGNED_IN, LAST_SEEN, EXPIRES],
        StateFilter::Ended => [CLIENT, DEVICE, SIGNED_IN, ENDED, HOW],
        StateFilter::All => [CLIENT, DEVICE, SIGNED_IN, LAST_SEEN, STATE],
    }
}

/// The table of the page that was read last.
pub(super) fn table(list: List) -> AnyView {
    let state = Memo::new(move |_| list.query().state);
    view! {
        <div class="table-frame" class:busy=move || list.loaded.busy() aria-busy=move || list.loaded.busy().to_string()>
            {move || of_state(list, state.get())}
        </div>
    }
    .into_any()
}

fn of_state(list: List, state: StateFilter) -> AnyView {
    let caption = move || {
        let count = list.loaded.map(|page| super::count_words(page, state)).unwrap_or_else(|| "Loading".to_owned());
        format!("Sessions. {count}.")
    };
    let heads = columns(state).map(|column| head(list, &column)).into_iter().collect_view();
    // A row is drawn anew when anything in it changed, and kept, with the focus in it, when nothing did.
    let rows = move || list.loaded.map(|page| page.items.clone()).unwrap_or_default();
    let key = |session: &Session| (session.id.clone(), session.last_seen_at.clone(), session.ended.is_some());
    let waiting = move || list.loaded.map(|_| ()).is_none();
    view! {
        <table class="sessions" class:ended=state == StateFilter::Ended role="table">
            <caption class="sr-only">{caption}</caption>
            <thead role="rowgroup">
                <tr role="row"><th scope="col" role="columnheader">"User"</th>{heads}</tr>
            </thead>
            <tbody role="rowgroup">
                <For each=rows key=key children=move |session| row(list, &session, state) />
                <Show when=waiting>{(0..8).map(|_| outline()).collect_view()}</Show>
            </tbody>
        </table>
    }
    .into_any()
}

fn outline() -> AnyView {
    let cells = (0..6).map(|_| view! { <td role="cell">{skeleton_lines(1)}</td> }).collect_view();
    view! { <tr role="row" class="outline">{cells}</tr> }.into_any()
}

fn head(list: List, column: &Column) -> AnyView {
    let name = column.name;
    let Some(sort) = column.sort else {
        return view! { <th scope="col" role="columnheader">{name}</th> }.into_any();
    };
    let is_set = move || list.query().sort == sort;
    let href = move || routes::sessions(&list.query().changed(|query| query.sort = sort).search());
    view! {
        <th scope="col" role="columnheader" aria-sort=move || is_set().then_some("descending")>
            <a class="sort" class:set=is_set href=href data-noscroll="">{name}{icon("arrow-down")}</a>
        </th>
    }
    .into_any()
}

fn row(list: List, session: &Session, state: StateFilter) -> AnyView {
    let id = session.id.clone();
    let is_open = {
        let id = id.clone();
        move || list.open.with(|open| open.as_ref() == Some(&id))
    };
    // A bonus for the mouse: the link in the first cell does the same.
    let click = move |event: MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let on_control = target.is_some_and(|target| target.closest("a, button").ok().flatten().is_some());
        let selecting = window().get_selection().ok().flatten().is_some_and(|selection| !selection.is_collapsed());
        if !on_control && !selecting {
            list.address
                .go(&routes::session(&id, &list.query.get_untracked().unwrap_or_default().search()), Step::Within);
        }
    };
    let cells: Vec<_> = columns(state)
        .into_iter()
        .map(|column| view! { <td role="cell" data-label=column.name>{(column.cell)(list, session)}</td> })
        .collect();
    view! {
        <tr role="row" class:selected=is_open on:click=click>
            <th scope="row" role="rowheader" class="user-cell">{user_cell(list, session)}</th>
            {cells}
        </tr>
    }
    .into_any()
}

fn user_cell(list: List, session: &Session) -> AnyView {
    let name = session.display().to_owned();
    let id = session.id.clone();
    let href = move || routes::session(&id, &list.search());
    let second = second_name(session).map(|name| view! { <bdi class="small faint clip">{name}</bdi> });
    let own = session.is_current.then(own_mark);
    view! {
        <span class="user">
            {avatar(&name)}
            <span class="user-words">
                <span class="user-line"><a class="user-link" href=href data-noscroll=""><bdi>{name}</bdi></a>{own}</span>
                {second}
            </span>
        </span>
    }
    .into_any()
}

fn client_cell(list: List, session: &Session) -> AnyView {
    let (id, name) = (session.client_id.clone(), session.client_name.clone());
    let label = format!("{name}: show only its sessions");
    let href = move || routes::sessions(&list.query().changed(|query| query.client = Some(id.clone())).search());
    view! { <a class="cell-link" href=href data-noscroll="" aria-label=label><bdi>{name}</bdi></a> }.into_any()
}

fn device_cell(_: List, session: &Session) -> AnyView {
    let address = session.address.clone().map(|address| view! { <bdi class="small faint">{address}</bdi> });
    view! {
        <span class="with-icon">
            {icon(device_icon(session))}
            <span class="stacked device-words"><bdi>{device(session)}</bdi>{address}</span>
        </span>
    }
    .into_any()
}

fn expires_cell(_: List, session: &Session) -> AnyView {
    let (at, why) = next_end(session);
    view! { <span class="stacked">{relative_time(at)}<span class="small faint">{why}</span></span> }.into_any()
}

fn ended_cell(_: List, session: &Session) -> AnyView {
    // What expired was ended by nobody; it was over at the earlier of its two ends.
    let at = session.ended.as_ref().map_or_else(|| next_end(session).0, |ended| &ended.at);
    stacked_time(at)
}

fn how_cell(_: List, session: &Session) -> AnyView {
    let ended = session.ended.as_ref();
    let by = ended.and_then(|ended| ended.by.clone()).map(|by| view! { <span>"by " <bdi>{by}</bdi></span> });
    let why = ended.and_then(|ended| ended.reason_text.clone()).map(|text| view! { <bdi class="reason">{text}</bdi> });
    view! { <span class="how">{state_badge(session.state)}<span class="how-words small muted">{by}{why}</span></span> }
        .into_any()
}
