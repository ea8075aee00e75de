//! Keys: Ctrl K and Escape always, single keys unless switched off (WCAG 2.1.4), none of the latter while typing.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

use super::Overlays;
use crate::routes::Page;
use crate::state::address::{Address, Step};
use crate::state::prefs::Prefs;
use crate::ui::{Layer, Part, button, classed, layer, part};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Palette,
    Help,
    Search,
    Refresh,
    /// The first of two keys: go to.
    Go,
    Page(Page),
}

/// A key as pressed.
#[derive(Clone, Copy)]
struct Press<'a> {
    key: &'a str,
    /// Ctrl or Command.
    command: bool,
    /// Whether `g` was the key before.
    after_go: bool,
    single_keys: SingleKeys,
}

/// Whether a single key is a shortcut just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SingleKeys {
    Heard,
    /// The person is writing: it is a letter.
    Typing,
    /// A layer is open: what lies below is out of reach.
    Covered,
    SwitchedOff,
}

fn deed(press: Press<'_>) -> Option<Deed> {
    if press.command {
        return press.key.eq_ignore_ascii_case("k").then_some(Deed::Palette);
    }
    if press.single_keys != SingleKeys::Heard {
        return None;
    }
    if press.after_go {
        let page = Page::NAVIGATION.into_iter().find(|(.., key)| *key == press.key);
        return page.map(|(page, ..)| Deed::Page(page));
    }
    match press.key {
        "?" => Some(Deed::Help),
        "/" => Some(Deed::Search),
        "r" => Some(Deed::Refresh),
        "g" => Some(Deed::Go),
        _ => None,
    }
}

/// Listens, and draws the list of shortcuts.
pub(super) fn shortcuts() -> AnyView {
    listen();
    let open = Overlays::get().shortcuts;
    let prefs = expect_context::<Prefs>();
    let frame = Layer {
        class: "dialog",
        labelled_by: "shortcuts-title",
        open: open.into(),
        docks_from_px: None,
        on_close: Callback::new(move |()| open.set(false)),
    };
    layer(frame, move || {
        let single = part("input")
            .attr("type", "checkbox")
            .live_checked(move || prefs.single_keys())
            .on("change", move |_| prefs.set_single_keys(!prefs.single_keys_untracked()));
        let close = button("button", move || open.set(false)).text("Close");
        let title =
            classed("h2", "dialog-title").attr("id", "shortcuts-title").attr("tabindex", "-1").attr("autofocus", "");
        classed("div", "dialog-body")
            .child(title.text("Keyboard shortcuts"))
            .child(list())
            .child(classed("label", "check").child(single).child(part("span").text("Shortcuts of single keys")))
            .child(classed("div", "dialog-actions").child(close))
            .any()
    })
}

fn list() -> Part {
    let pages = Page::NAVIGATION.map(|(_, name, _, key)| (format!("Go to {name}"), vec!["g", key]));
    let others = [
        ("Search or jump to", vec!["Ctrl", "K"]),
        ("Search in the list", vec!["/"]),
        ("Refresh", vec!["r"]),
        ("These shortcuts", vec!["?"]),
        ("Close a layer", vec!["Esc"]),
    ];
    let others = others.map(|(name, keys)| (name.to_owned(), keys));
    let row = |(name, keys): (String, Vec<&str>)| {
        let keys = part("dd").all(keys.into_iter().map(|key| part("kbd").text(key)));
        classed("div", "shortcut").child(part("dt").text(name)).child(keys)
    };
    classed("dl", "shortcuts").all(others.into_iter().chain(pages).map(row))
}

fn listen() {
    let overlays = Overlays::get();
    let prefs = expect_context::<Prefs>();
    let address = Address::get();
    let after_go = StoredValue::new(false);
    let keys = window_event_listener(ev::keydown, move |event| {
        if event.default_prevented() || event.alt_key() || event.is_composing() || is_modifier(&event.key()) {
            return;
        }
        let press = Press {
            key: &event.key(),
            command: event.ctrl_key() || event.meta_key(),
            after_go: after_go.get_value(),
            single_keys: single_keys(prefs, &event),
        };
        let deed = deed(press);
        after_go.set_value(deed == Some(Deed::Go));
        let Some(deed) = deed else { return };
        event.prevent_default();
        match deed {
            Deed::Palette => overlays.palette.update(|open| *open = !*open),
            Deed::Help => overlays.shortcuts.set(true),
            Deed::Search => act("[data-shortcut=search]", |element| element.focus().ok()),
            Deed::Refresh => act("[data-shortcut=refresh]", |element| {
                element.click();
                Some(())
            }),
            Deed::Go => {}
            Deed::Page(page) => address.go(page.path(), Step::Page),
        }
    });
    on_cleanup(move || keys.remove());
}

/// The page in hand says by an attribute which of its controls a key stands for.
fn act(selector: &str, deed: impl Fn(HtmlElement) -> Option<()>) {
    let element = document().query_selector(selector).ok().flatten();
    element.and_then(|element| element.dyn_into::<HtmlElement>().ok()).and_then(deed);
}

fn single_keys(prefs: Prefs, event: &KeyboardEvent) -> SingleKeys {
    if !prefs.single_keys_untracked() {
        SingleKeys::SwitchedOff
    } else if is_typing(event) {
        SingleKeys::Typing
    } else if is_covered() {
        SingleKeys::Covered
    } else {
        SingleKeys::Heard
    }
}

fn is_modifier(key: &str) -> bool {
    matches!(key, "Shift" | "Control" | "Alt" | "Meta")
}

fn is_typing(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
    target.is_some_and(|target| {
        target.is_content_editable()
            || target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select").unwrap_or(false)
    })
}

fn is_covered() -> bool {
    document().query_selector("dialog:modal, [popover]:popover-open").ok().flatten().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Press<'_> = Press { key: "", command: false, after_go: false, single_keys: SingleKeys::Heard };

    #[test]
    fn keys_mean_what_the_list_says() {
        for (press, expected) in [
            (Press { key: "k", command: true, ..PLAIN }, Some(Deed::Palette)),
            (Press { key: "K", command: true, single_keys: SingleKeys::Covered, ..PLAIN }, Some(Deed::Palette)),
            (Press { key: "?", ..PLAIN }, Some(Deed::Help)),
            (Press { key: "/", ..PLAIN }, Some(Deed::Search)),
            (Press { key: "r", ..PLAIN }, Some(Deed::Refresh)),
            (Press { key: "r", command: true, ..PLAIN }, None),
            (Press { key: "g", ..PLAIN }, Some(Deed::Go)),
            (Press { key: "s", after_go: true, ..PLAIN }, Some(Deed::Page(Page::Sessions))),
            (Press { key: "s", ..PLAIN }, None),
            (Press { key: "x", after_go: true, ..PLAIN }, None),
        ] {
            assert_eq!(deed(press), expected, "{}", press.key);
        }
    }

    #[test]
    fn single_keys_never_fire_while_typing_or_under_a_layer_or_switched_off() {
        for key in ["?", "/", "r", "g"] {
            for single_keys in [SingleKeys::Typing, SingleKeys::Covered, SingleKeys::SwitchedOff] {
                assert_eq!(deed(Press { key, single_keys, ..PLAIN }), None);
            }
        }
    }
}
