//! Fields of forms, with their labels, hints and errors.

use leptos::prelude::*;

use crate::ui::{Part, classed, icon, part, value_of};

/// A field that a person fills.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    /// Its id in the page.
    pub(crate) id: &'static str,
    /// What it is called.
    pub(crate) label: &'static str,
    /// What is in it.
    pub(crate) value: RwSignal<String>,
    /// What to know about it.
    pub(crate) hint: Option<&'static str>,
}

fn framed(field: Field, control: Part) -> Part {
    let hint_id = format!("{}-hint", field.id);
    let control = if field.hint.is_some() { control.attr("aria-describedby", hint_id.as_str()) } else { control };
    let hint = field.hint.map(|hint| classed("span", "small faint").attr("id", hint_id).text(hint));
    classed("div", "field").child(part("label").attr("for", field.id).text(field.label)).child(control).maybe(hint)
}

fn bound(control: Part, id: &'static str, value: RwSignal<String>) -> Part {
    control.attr("id", id).live_value(move || value.get()).on("input", move |event| value.set(value_of(&event)))
}

/// One line of text.
pub(crate) fn text_field(field: Field, kind: &str, list: Option<&str>) -> Part {
    let input = bound(part("input"), field.id, field.value)
        .class("input")
        .attr("type", kind)
        .attr("autocomplete", "off")
        .attr("spellcheck", "false");
    framed(field, if let Some(list) = list { input.attr("list", list) } else { input })
}

/// A moment, in the browser's zone.
pub(crate) fn moment_field(field: Field) -> Part {
    let input = bound(part("input"), field.id, field.value).class("input").attr("type", "datetime-local");
    framed(field, input.attr("step", "1"))
}

/// Several lines.
pub(crate) fn text_area(field: Field, rows: u32) -> Part {
    let area =
        bound(part("textarea"), field.id, field.value).attr("rows", rows.to_string()).attr("spellcheck", "false");
    framed(field, area)
}

/// One of several.
pub(crate) fn choice(
    id: &'static str,
    label: &'static str,
    value: RwSignal<String>,
    options: Vec<(String, String)>,
) -> Part {
    let options = options.into_iter().map(|(code, words)| part("option").attr("value", code).text(words));
    let select = bound(part("select").all(options), id, value);
    let framed = classed("span", "select wide").child(select).child(icon("chevron-down"));
    classed("div", "field").child(part("label").attr("for", id).text(label)).child(framed)
}
