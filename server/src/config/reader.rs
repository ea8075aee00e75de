//! Reads one table key by key, notes what is wrong, and in the end what is unknown or missing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::keys;
use super::mask::quoted;
use super::report::Mistake;
use super::tree::{Node, Place, Table, Value};

/// Where mistakes and warnings gather.
#[derive(Debug, Default)]
pub(super) struct Notes {
    mistakes: RefCell<Vec<Mistake>>,
    warnings: RefCell<Vec<Mistake>>,
}

impl Notes {
    /// Mistakes, then warnings.
    pub(super) fn into_parts(self) -> (Vec<Mistake>, Vec<Mistake>) {
        (self.mistakes.into_inner(), self.warnings.into_inner())
    }
}

/// One table being read.
pub(super) struct Reader<'a> {
    /// `server`, `clients.app`: as messages name it.
    path: String,
    place: Place,
    table: &'a Table,
    asked: RefCell<Vec<&'static str>>,
    /// Keys that are needed and not there, each with an example.
    missing: RefCell<Vec<(&'static str, String)>>,
    notes: &'a Notes,
}

/// A value with where it stands.
#[derive(Clone, Debug)]
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// Text, or a list of texts.
#[derive(Clone, Debug)]
pub(super) enum Words<'a> {
    One(&'a str),
    List(Vec<&'a str>),
}

impl<'a> Reader<'a> {
    pub(super) fn new(path: &str, place: Place, table: &'a Table, notes: &'a Notes) -> Self {
        let (asked, missing) = (RefCell::default(), RefCell::default());
        Self { path: path.to_owned(), place, table, asked, missing, notes }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    pub(super) fn wrong(&self, place: &Place, what: impl Into<String>, help: impl Into<String>) {
        self.note(Mistake::new(place.clone(), what, help));
    }

    /// A mistake between several keys, which is none where one of them could not be read.
    pub(super) fn clash(&self, place: &Place, what: impl Into<String>, help: impl Into<String>) {
        self.note(Mistake::new(place.clone(), what, help).following());
    }

    pub(super) fn note(&self, mistake: Mistake) {
        self.notes.mistakes.borrow_mut().push(mistake);
    }

    /// Says what works, and is worth a look.
    pub(super) fn warn(&self, place: &Place, what: impl Into<String>, help: impl Into<String>) {
        self.notes.warnings.borrow_mut().push(Mistake::new(place.clone(), what, help));
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether a key is this text, without asking for it.
    pub(super) fn says(&self, key: &str, wanted: &str) -> bool {
        self.table.get(key).is_some_and(|(_, node)| text(node) == Some(wanted))
    }

    pub(super) fn is_table(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(|(_, node)| matches!(node.value, Value::Table(_)))
    }

    pub(super) fn is_list(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(|(_, node)| matches!(node.value, Value::List(_)))
    }

    /// How many mistakes there are so far.
    pub(super) fn mistakes(&self) -> usize {
        self.notes.mistakes.borrow().len()
    }

    /// Where a part stands: `["clients", "app"]`.
    pub(super) fn place_of(&self, path: &[&str]) -> Place {
        let mut place = self.place.clone();
        let mut table = Some(self.table);
        for key in path {
            let Some((at, node)) = table.and_then(|table| table.get(*key)) else { break };
            place = at.clone();
            table = match &node.value {
                Value::Table(inner) => Some(inner),
                _ => None,
            };
        }
        place
    }

    /// `server.listen`
    pub(super) fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn get(&self, key: &'static str) -> Option<&'a Node> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        self.table.get(key).map(|(_, node)| node)
    }

    fn typed<T>(&self, key: &'static str, wanted: &str, read: impl Fn(&'a Node) -> Option<T>) -> Option<Found<T>> {
        let node = self.get(key)?;
        let value = read(node);
        if value.is_none() {
            let what = format!("{} must be {wanted}, but is {}", self.name(key), node.value.kind());
            self.wrong(&node.place, what, format!("write {wanted}"));
        }
        value.map(|value| Found { value, place: node.place.clone() })
    }

    pub(super) fn text(&self, key: &'static str) -> Option<Found<&'a str>> {
        self.typed(key, "text in quotes", text)
    }

    pub(super) fn required(&self, key: &'static str, example: &str) -> Option<Found<&'a str>> {
        if !self.has(key) {
            self.missing(key, example);
        }
        self.text(key)
    }

    /// Notes in the end that a key is missing, unless another one seems to be it, misspelt.
    pub(super) fn missing(&self, key: &'static str, example: &str) {
        self.missing.borrow_mut().push((key, example.to_owned()));
    }

    /// Text that `parse` understands; it says why not.
    pub(super) fn parsed<T>(
        &self,
        found: Option<Found<&'a str>>,
        key: &str,
        allowed: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Found<T>> {
        let found = found?;
        match parse(found.value) {
            Ok(value) => Some(Found { value, place: found.place }),
            Err(why) => {
                let what = format!("{} = {} {why}", self.name(key), quoted(found.value));
                self.wrong(&found.place, what, format!("allowed: {allowed}"));
                None
            }
        }
    }

    pub(super) fn one_of<T: Copy>(&self, key: &'static str, choices: &[(&str, T)], default: T) -> Found<T> {
        let names = || choices.iter().map(|(name, _)| *name);
        let allowed: Vec<String> = names().map(|name| format!("\"{name}\"")).collect();
        let find = |text: &str| {
            let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
            found.ok_or_else(|| match keys::nearest(text, names()) {
                Some(near) => format!("is not one of its values; did you mean \"{near}\"?"),
                None => "is not one of its values".to_owned(),
            })
        };
        let found = self.parsed(self.text(key), key, &allowed.join(", "), find);
        found.unwrap_or_else(|| Found { value: default, place: self.place.clone() })
    }

    pub(super) fn number(&self, key: &'static str, range: RangeInclusive<i64>, default: i64) -> Found<i64> {
        let found = self.typed(key, "a whole number", |node| match node.value {
            Value::Int(number) => Some(number),
            _ => None,
        });
        match found {
            None => Found { value: default, place: self.place.clone() },
            Some(found) if range.contains(&found.value) => found,
            Some(found) => {
                let what = format!("{} = {} is out of range", self.name(key), found.value);
                self.wrong(&found.place, what, format!("allowed: {} to {}", range.start(), range.end()));
                Found { value: default, place: found.place }
            }
        }
    }

    pub(super) fn flag(&self, key: &'static str) -> Found<bool> {
        let found = self.typed(key, "true or false", |node| match node.value {
            Value::Bool(answer) => Some(answer),
            _ => None,
        });
        found.unwrap_or_else(|| Found { value: false, place: self.place.clone() })
    }

    /// Text, a whole number, or true or false.
    pub(super) fn scalar(&self, key: &'static str) -> Option<Found<serde_json::Value>> {
        self.typed(key, "text in quotes, a whole number, true or false", |node| match &node.value {
            Value::Text(text) => Some(text.as_str().into()),
            Value::Int(number) => Some((*number).into()),
            Value::Bool(answer) => Some((*answer).into()),
            _ => None,
        })
    }

    /// The entries of a list that are text; `None` where there is no list.
    pub(super) fn texts(&self, key: &'static str) -> Option<Vec<Found<&'a str>>> {
        let list = self.list(key, "a list of texts")?;
        let mut texts = Vec::new();
        for (index, node) in list.iter().enumerate() {
            match text(node) {
                Some(value) => texts.push(Found { value, place: node.place.clone() }),
                None => self.odd_entry(key, index, node, "text in quotes"),
            }
        }
        Some(texts)
    }

    fn list(&self, key: &'static str, wanted: &str) -> Option<&'a [Node]> {
        let found = self.typed(key, wanted, |node| match &node.value {
            Value::List(list) => Some(list.as_slice()),
            _ => None,
        });
        found.map(|found| found.value)
    }

    fn odd_entry(&self, key: &str, index: usize, node: &Node, wanted: &str) {
        let what = format!("{}[{index}] must be {wanted}, but is {}", self.name(key), node.value.kind());
        self.wrong(&node.place, what, format!("write {wanted}"));
    }

    pub(super) fn table(&self, key: &'static str) -> Option<Reader<'a>> {
        let found = self.typed(key, "a table", |node| match &node.value {
            Value::Table(table) => Some(table),
            _ => None,
        })?;
        let place = self.table.get(key).map_or(found.place, |(place, _)| place.clone());
        Some(Reader::new(&self.name(key), place, found.value, self.notes))
    }

    /// A table that must be there.
    pub(super) fn table_or_missing(&self, key: &'static str, example: &str) -> Option<Reader<'a>> {
        if !self.has(key) {
            self.missing(key, example);
        }
        self.table(key)
    }

    /// Tables by their ids: `[clients.ID]`.
    pub(super) fn tables_by_id(&self, key: &'static str) -> BTreeMap<String, Reader<'a>> {
        let Some(outer) = self.table(key) else { return BTreeMap::new() };
        let mut tables = BTreeMap::new();
        for (id, (place, node)) in outer.table {
            let Value::Table(table) = &node.value else {
                let what = format!("{} must be a table, but is {}", outer.name(id), node.value.kind());
                self.wrong(&node.place, what, format!("write [{}] and its keys below", outer.name(id)));
                continue;
            };
            if !is_id(id) {
                let help = "an id has 1 to 32 lower-case letters, digits and hyphens, and starts with a letter";
                self.wrong(place, format!("{} is no id for {key}", quoted(id)), help);
            }
            tables.insert(id.clone(), Reader::new(&outer.name(id), place.clone(), table, self.notes));
        }
        tables
    }

    /// A list of tables: `[[routes]]`, or inline ones.
    pub(super) fn list_of_tables(&self, key: &'static str) -> Vec<Reader<'a>> {
        let mut readers = Vec::new();
        for (index, node) in self.list(key, "a list of tables").unwrap_or_default().iter().enumerate() {
            match &node.value {
                Value::Table(table) => {
                    let path = format!("{}[{index}]", self.name(key));
                    readers.push(Reader::new(&path, node.place.clone(), table, self.notes));
                }
                _ => self.odd_entry(key, index, node, "a table"),
            }
        }
        readers
    }

    /// Every key with its text, for tables whose keys are free.
    pub(super) fn free_texts(&self) -> Vec<(&'a str, Found<&'a str>)> {
        let mut texts = Vec::new();
        for (key, (place, node)) in self.table {
            if let Some(value) = text(node) {
                texts.push((key.as_str(), Found { value, place: place.clone() }));
            } else {
                let what = format!("{} must be text in quotes, but is {}", self.name(key), node.value.kind());
                self.wrong(&node.place, what, "write text in quotes");
            }
        }
        texts
    }

    /// Every key with its text or list of texts, for tables whose keys are free.
    pub(super) fn free_words(&self) -> Vec<(&'a str, Found<Words<'a>>)> {
        let mut all = Vec::new();
        for (key, (place, node)) in self.table {
            let words = match &node.value {
                Value::List(list) => list.iter().map(text).collect::<Option<_>>().map(Words::List),
                _ => text(node).map(Words::One),
            };
            if let Some(value) = words {
                all.push((key.as_str(), Found { value, place: place.clone() }));
            } else {
                let what = format!("{} must be text in quotes, or a list of texts", self.name(key));
                self.wrong(&node.place, what, "write text in quotes");
            }
        }
        all
    }

    /// Notes every key that nobody asked for, and every one that is missing.
    pub(super) fn finish(&self) {
        let asked = self.asked.borrow();
        let mut missing = self.missing.take();
        for (key, (place, _)) in self.table {
            if asked.contains(&key.as_str()) {
                continue;
            }
            // One that is there already is not what was meant.
            let absent = asked.iter().copied().filter(|known| !self.table.contains_key(*known));
            let nearest = keys::nearest(key, absent);
            missing.retain(|(known, _)| nearest != Some(*known));
            let known = format!("known here: {}", asked.join(", "));
            let help = match (nearest, keys::home(key)) {
                (Some(near), _) => format!("did you mean {near}? {known}"),
                (None, Some(section)) => format!("{key} belongs under {section}; {known}"),
                (None, None) => known,
            };
            self.wrong(place, format!("unknown key {}", self.name(key)), help);
        }
        for (key, example) in missing {
            let what = format!("{} is missing", self.name(key));
            self.clash(&self.place, what, format!("add {key} = {example}"));
        }
    }
}

/// Text; of a variable's value whatever it looks like, since there quotes are the shell's.
fn text(node: &Node) -> Option<&str> {
    match (&node.value, &node.raw) {
        (Value::Text(text), _) => Some(text.as_str()),
        (Value::Int(_) | Value::Bool(_) | Value::Other(_), Some(raw)) => Some(raw.as_str()),
        _ => None,
    }
}

fn is_id(text: &str) -> bool {
    let fits = (1..=32).contains(&text.len()) && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    fits && text.starts_with(|c: char| c.is_ascii_lowercase())
}
