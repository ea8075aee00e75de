//! The rows. A table on wide screens, labelled cards on narrow ones; the roles are written out, because a table that
//! is laid out as blocks loses them in some browsers.

use cloakroom_api::{Session, Sort, StateFilter};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event};

use super::List;
use super::selection::{tick, tick_all};
use crate::domain::person::avatar;
use crate::domain::session::{device, device_icon, next_end, own_mark, second_name, state_badge};
use crate::routes;
use crate::state::address::Step;
use crate::ui::{Part, Row, classed, foreign, icon, part, relative_time, rows, skeleton_lines, stacked_time};

/// A column: its heading, the order it stands for, and its cells.
struct Column {
    name: &'static str,
    sort: Option<Sort>,
    cell: fn(List, &Session) -> Part,
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
    classed("div", "table-frame")
        .live_attr("class", move || {
            Some(if list.loaded.busy() { "table-frame busy" } else { "table-frame" }.to_owned())
        })
        .live_attr("aria-busy", move || Some(list.loaded.busy().to_string()))
        .live(move || of_state(list, state.get()))
        .any()
}

fn of_state(list: List, state: StateFilter) -> Part {
    let caption = move || {
        let count = list.loaded.map(|page| super::count_words(page, state)).unwrap_or_else(|| "Loading".to_owned());
        format!("Sessions. {count}.")
    };
    let heads = columns(state).map(|column| head(list, &column));
    // A row is drawn anew when anything in it changed, and kept, with the focus in it, when nothing did.
    let drawn = move || {
        let page = list.loaded.map(|page| page.items.clone()).unwrap_or_default();
        let keyed = page.into_iter().map(|session| {
            let key = format!("{} {} {}", session.id, session.last_seen_at, session.ended.is_some());
            Row::new(key, move || row(list, &session, state))
        });
        keyed.collect()
    };
    let waiting = move || list.loaded.map(|_| ()).is_none().then(|| (0..8).map(|_| outline().any()).collect_view());
    let class = if state == StateFilter::Ended { "list sessions ended" } else { "list sessions" };
    let all = (state != StateFilter::Ended).then(|| tick_all(list));
    let first = classed("span", "user").maybe(all).child(part("span").text("User"));
    let first = part("th").attr("scope", "col").attr("role", "columnheader").child(first);
    classed("table", class)
        .attr("role", "table")
        .child(classed("caption", "sr-only").live(caption))
        .child(part("thead").attr("role", "rowgroup").child(part("tr").attr("role", "row").child(first).all(heads)))
        .child(part("tbody").attr("role", "rowgroup").view(rows(drawn)).live(waiting))
}

fn outline() -> Part {
    let cells = (0..6).map(|_| part("td").attr("role", "cell").child(skeleton_lines(1)));
    classed("tr", "outline").attr("role", "row").all(cells)
}

fn head(list: List, column: &Column) -> Part {
    let head = part("th").attr("scope", "col").attr("role", "columnheader");
    let Some(sort) = column.sort else { return head.text(column.name) };
    let is_set = move || list.query().sort == sort;
    let href = move || Some(routes::sessions(&list.query().changed(|query| query.sort = sort).search()));
    let sorted = part("a")
        .live_attr("class", move || Some(if is_set() { "sort set" } else { "sort" }.to_owned()))
        .live_attr("href", href)
        .attr("data-noscroll", "")
        .text(column.name)
        .child(icon("arrow-down"));
    head.live_attr("aria-sort", move || is_set().then(|| "descending".to_owned())).child(sorted)
}

fn row(list: List, session: &Session, state: StateFilter) -> Part {
    let id = session.id.clone();
    let is_open = {
        let id = id.clone();
        move || list.open.with(|open| open.as_ref() == Some(&id)).then(|| "selected".to_owned())
    };
    // A bonus for the mouse: the link in the first cell does the same.
    let click = move |event: Event| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let on_control = target.is_some_and(|target| target.closest("a, button, input").ok().flatten().is_some());
        let selecting = window().get_selection().ok().flatten().is_some_and(|selection| !selection.is_collapsed());
        if !on_control && !selecting {
            list.address
                .go(&routes::session(&id, &list.query.get_untracked().unwrap_or_default().search()), Step::Within);
        }
    };
    let cells = columns(state).into_iter().map(|column| {
        part("td").attr("role", "cell").attr("data-label", column.name).child((column.cell)(list, session))
    });
    let user = classed("th", "user-cell").attr("scope", "row").attr("role", "rowheader");
    part("tr")
        .attr("role", "row")
        .live_attr("class", is_open)
        .on("click", click)
        .child(user.child(user_cell(list, session)))
        .all(cells)
}

fn user_cell(list: List, session: &Session) -> Part {
    let name = session.display().to_owned();
    let id = session.id.clone();
    let href = move || Some(routes::session(&id, &list.search()));
    let link =
        classed("a", "user-link").live_attr("href", href).attr("data-noscroll", "").child(foreign(name.as_str()));
    let line = classed("span", "user-line").child(link).maybe(session.is_current.then(own_mark));
    let second = second_name(session).unwrap_or_else(|| session.sub.clone());
    let value = foreign(second).class("small faint clip");
    let cell = list.menu.cell(value, "User", name.clone(), super::offers::user(list, session));
    let words = classed("span", "user-words").child(line).child(cell);
    classed("span", "user").maybe(tick(list, session)).child(avatar(&name)).child(words)
}

fn client_cell(list: List, session: &Session) -> Part {
    let name = session.client_name.clone();
    list.menu.cell(foreign(name.as_str()), "Client", name, super::offers::client(list, session))
}

fn device_cell(list: List, session: &Session) -> Part {
    let device = device(session);
    let named = list.menu.cell(foreign(device.as_str()), "Device", device, super::offers::device(list, session));
    let address = session.address.clone().map(|address| {
        let value = foreign(address.as_str()).class("small faint");
        list.menu.cell(value, "Address", address, super::offers::address(list, session))
    });
    let words = classed("span", "stacked device-words").child(named).maybe(address);
    classed("span", "with-icon").child(icon(device_icon(session))).child(words)
}

fn expires_cell(_: List, session: &Session) -> Part {
    let (at, why) = next_end(session);
    classed("span", "stacked").child(relative_time(at)).child(classed("span", "small faint").text(why))
}

fn ended_cell(_: List, session: &Session) -> Part {
    // What expired was ended by nobody; it was over at the earlier of its two ends.
    let at = session.ended.as_ref().map_or_else(|| next_end(session).0, |ended| &ended.at);
    stacked_time(at)
}

fn how_cell(_: List, session: &Session) -> Part {
    let ended = session.ended.as_ref();
    let by = ended.and_then(|ended| ended.by.as_deref()).map(|by| part("span").text("by ").child(foreign(by)));
    let why = ended.and_then(|ended| ended.reason_text.as_deref()).map(|text| foreign(text).class("reason"));
    let words = classed("span", "how-words small muted").maybe(by).maybe(why);
    classed("span", "how").child(state_badge(session.state)).child(words)
}
