//! The file as a tree of values that know where they came from; environment overrides are put into it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use super::report::Mistake;

/// What starts the name of an override: `CLOAKROOM__SERVER__LISTEN`.
pub(super) const ENV_PREFIX: &str = "CLOAKROOM__";

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Bytes of the file.
    File(Range<usize>),
    /// An environment variable.
    Env(String),
    /// Nowhere in the file: it is about the file itself, or about what is not in it.
    Whole,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) place: Place,
    /// What the variable holds, where that is where it came from: `123` may be meant as text.
    pub(super) raw: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Int(i64),
    Bool(bool),
    List(Vec<Node>),
    Table(Table),
    /// A kind of value that no key here takes.
    Other(&'static str),
}

impl Value {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Int(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }
}

/// Keys with where they stand, and their values.
pub(super) type Table = BTreeMap<String, (Place, Node)>;

/// Parses a file: what could be read of it, and every syntax error.
pub(super) fn parse(text: &str) -> (Table, Vec<Error>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    (read_table(table.get_ref()), errors)
}

fn read_table(table: &DeTable<'_>) -> Table {
    table.iter().map(|(key, value)| (key.get_ref().to_string(), (Place::File(key.span()), read(value)))).collect()
}

fn read(value: &Spanned<DeValue<'_>>) -> Node {
    let read = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(&number.as_str().replace('_', ""), number.radix())
            .map_or(Value::Other("a number too large"), Value::Int),
        DeValue::Boolean(answer) => Value::Bool(*answer),
        DeValue::Array(list) => Value::List(list.iter().map(read).collect()),
        DeValue::Table(table) => Value::Table(read_table(table)),
        DeValue::Float(_) => Value::Other("a number with a point"),
        DeValue::Datetime(_) => Value::Other("a date"),
    };
    Node { value: read, place: Place::File(value.span()), raw: None }
}

/// Puts the overrides among the environment's variables into the tree.
pub(super) fn override_by(table: &mut Table, env: &BTreeMap<String, OsString>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut set: BTreeMap<Vec<String>, &str> = BTreeMap::new();
    for (name, text) in env {
        let Some((prefix, path)) = name.split_at_checked(ENV_PREFIX.len()) else { continue };
        if !prefix.eq_ignore_ascii_case(ENV_PREFIX) {
            continue;
        }
        let place = Place::Env(name.clone());
        let mut wrong = |what: &str, help: &str| mistakes.push(Mistake::new(place.clone(), what, help));
        let keys: Vec<String> = path.split("__").map(str::to_lowercase).collect();
        let Some(text) = text.to_str() else {
            wrong("the variable's value is not UTF-8", "write it in UTF-8");
            continue;
        };
        if let Some(other) = set.insert(keys.clone(), name) {
            wrong(&format!("{other} sets the same key"), "unset one of the two");
        }
        let new = Node { value: parse_value(text, &place), place: place.clone(), raw: Some(text.to_owned()) };
        if let Err(what) = put(table, &keys, new) {
            wrong(&what, "count the entries of a list from 0");
        }
    }
    mistakes
}

/// A value that stands outside of the file is TOML, or else text.
pub(super) fn parse_value(text: &str, place: &Place) -> Value {
    let line = format!("v = {text}");
    let (table, errors) = DeTable::parse_recoverable(&line);
    match table.get_ref().iter().next() {
        Some((_, value)) if errors.is_empty() && table.get_ref().len() == 1 => moved(read(value).value, place),
        _ => Value::Text(text.to_owned()),
    }
}

/// A value whose parts all stand at one place.
fn moved(value: Value, place: &Place) -> Value {
    let node = |node: Node| Node { value: moved(node.value, place), place: place.clone(), raw: None };
    match value {
        Value::List(list) => Value::List(list.into_iter().map(node).collect()),
        Value::Table(table) => {
            Value::Table(table.into_iter().map(|(key, (_, one))| (key, (place.clone(), node(one)))).collect())
        }
        plain => plain,
    }
}

fn put(table: &mut Table, keys: &[String], new: Node) -> Result<(), String> {
    let Some((first, rest)) = keys.split_first() else { return Ok(()) };
    // Ids are written with hyphens, variables cannot be: `MY_APP` names `my-app` where that is there.
    let same = |key: &&String| key.to_lowercase().replace('-', "_") == *first;
    let key = table.keys().find(same).cloned().unwrap_or_else(|| first.clone());
    let place = new.place.clone();
    if rest.is_empty() {
        table.insert(key, (place, new));
        return Ok(());
    }
    let empty = || Node { value: Value::Table(Table::new()), place: place.clone(), raw: None };
    let (_, child) = table.entry(key).or_insert_with(|| (place.clone(), empty()));
    if let Value::List(list) = &mut child.value {
        return put_into_list(list, first, rest, new);
    }
    if !matches!(child.value, Value::Table(_)) {
        *child = empty();
    }
    match &mut child.value {
        Value::Table(inner) => put(inner, rest, new),
        _ => Ok(()),
    }
}

/// `CLOAKROOM__ROUTES__0__PATH`
fn put_into_list(list: &mut [Node], name: &str, keys: &[String], new: Node) -> Result<(), String> {
    let Some((index, rest)) = keys.split_first() else { return Ok(()) };
    let len = list.len();
    let entry = index.parse::<usize>().ok().and_then(|index| list.get_mut(index));
    let Some(entry) = entry else { return Err(format!("{name} has {len} entries, and none of them is {index}")) };
    match &mut entry.value {
        Value::Table(inner) if !rest.is_empty() => put(inner, rest, new),
        _ if rest.is_empty() => {
            *entry = new;
            Ok(())
        }
        _ => Err(format!("entry {index} of {name} has no keys")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overridden(text: &str, env: &[(&str, &str)]) -> (String, usize) {
        let (mut table, errors) = parse(text);
        assert!(errors.is_empty());
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
        let mistakes = override_by(&mut table, &env);
        (format!("{table:?}"), mistakes.len())
    }

    #[test]
    fn overrides_reach_into_tables_lists_and_ids_with_hyphens() {
        let file = "[clients.my-app]\nidle_secs = 5\n[server]\nlisten = \"a\"\n[[routes]]\npath = \"/\"\n";
        let env = [
            ("CLOAKROOM__CLIENTS__MY_APP__IDLE_SECS", "7"),
            ("cloakroom__server__listen", "127.0.0.1:1"),
            ("CLOAKROOM__ROUTES__0__PATH", "/new/"),
            ("OTHER", "x"),
        ];
        let (tree, mistakes) = overridden(file, &env);
        assert!(tree.contains("Int(7)") && tree.contains("Text(\"127.0.0.1:1\")"), "{tree}");
        assert!(tree.contains("Text(\"/new/\")") && !tree.contains("Text(\"/\")") && !tree.contains("OTHER"), "{tree}");
        assert_eq!(mistakes, 0);
    }

    #[test]
    fn overrides_that_reach_nothing_or_twice_the_same_are_mistakes() {
        let routes = "[[routes]]\npath = \"/\"\n";
        assert_eq!(overridden(routes, &[("CLOAKROOM__ROUTES__1__PATH", "/")]).1, 1);
        assert_eq!(overridden(routes, &[("CLOAKROOM__ROUTES__X__PATH", "/")]).1, 1);
        let twice = [("CLOAKROOM__SERVER__WORKERS", "1"), ("CLOAKROOM__Server__Workers", "2")];
        assert_eq!(overridden("", &twice).1, 1);
    }
}
