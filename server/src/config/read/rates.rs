//! `[limits]`, and the limits of clients and routes.

use cloakroom_core::rate::Rate;

use crate::config::mask::quoted;
use crate::config::model::Rates;
use crate::config::reader::Reader;
use crate::edge::rates::Per;

/// What is refused, and login starts, are limited unless the operator says otherwise: both cost an anonymous caller
/// nothing.
const DEFAULTS: [(&str, &str, u32); 2] = [("login", "10/s", 200), ("refused", "50/s", 500)];

pub(super) fn rates(root: &Reader<'_>) -> Rates {
    let reader = root.table("limits");
    let of = |key| reader.as_ref().and_then(|reader| rate(reader, key));
    let or_default = |key| {
        let off = reader.as_ref().is_some_and(|reader| is_off(reader, key));
        let default = DEFAULTS.iter().find(|(name, ..)| *name == key).filter(|_| !off);
        let default = || default.and_then(|(_, rate, burst)| Some(Rate::parse(rate).ok()?.with_burst(*burst)));
        if off { None } else { of(key).or_else(default) }
    };
    let rates = Rates {
        address: of("address"),
        session: of("session"),
        machine: of("machine"),
        login: or_default("login"),
        refused: or_default("refused"),
    };
    if let Some(reader) = &reader {
        reader.finish();
    }
    rates
}

/// `"off"`, for a limit that there is by default.
fn is_off(reader: &Reader<'_>, key: &'static str) -> bool {
    if !reader.has(key) || reader.is_table(key) {
        return false;
    }
    let found = reader.text(key);
    if let Some(found) = found.as_ref().filter(|found| found.value != "off") {
        let what = format!("{} = {} is no limit", reader.name(key), quoted(found.value));
        reader.wrong(&found.place, what, "write \"off\", or a limit such as { rate = \"10/s\", burst = 200 }");
    }
    true
}

/// `{ rate = "100/s", burst = 200 }`
pub(super) fn rate(reader: &Reader<'_>, key: &'static str) -> Option<Rate> {
    let table = reader.table(key)?;
    let rate = read(&table);
    table.finish();
    rate
}

/// A route's limit, and whose calls it counts.
pub(super) fn of_route(reader: &Reader<'_>) -> Option<(Rate, Per)> {
    let table = reader.table("limit")?;
    let rate = read(&table);
    if !table.has("per") {
        table.missing("per", "\"address\", \"caller\" or \"route\"");
    }
    let choices = [("address", Per::Address), ("caller", Per::Caller), ("route", Per::Route)];
    let per = table.one_of("per", &choices, Per::Address);
    table.finish();
    Some((rate?, per.value))
}

fn read(table: &Reader<'_>) -> Option<Rate> {
    let parse = |text: &str| Rate::parse(text).map_err(|error| error.to_string());
    let allowed = "a number and a span: 100/s, 60/min, 1000/h";
    let rate = table.parsed(table.required("rate", "\"100/s\""), "rate", allowed, parse);
    let burst = table.number("burst", 1..=1_000_000, 1);
    let rate = rate?.value;
    let burst = u32::try_from(burst.value).ok().filter(|_| table.has("burst"));
    Some(burst.map_or(rate, |burst| rate.with_burst(burst)))
}
