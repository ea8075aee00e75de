//! Claims: where they stand, and what is asked of them. "Contains" is membership, never a substring (S16).

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

/// Where a claim stands: a name, or a path into nested claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(Vec<Box<str>>);

/// The text names no claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("has an empty part")]
pub struct NotAPath;

impl ClaimPath {
    /// Dots lead into nested claims, such as `realm_access.roles`. A name that is a URL, or has a `/` or `:` in it, is
    /// one name as it stands: `https://app.example.com/roles`.
    ///
    /// # Errors
    /// [`NotAPath`] when a part is empty.
    pub fn parse(text: &str) -> Result<Self, NotAPath> {
        if text.contains(['/', ':']) { Self::exact([text]) } else { Self::exact(text.split('.')) }
    }

    /// A path part by part, for names with dots in them.
    ///
    /// # Errors
    /// [`NotAPath`] when a part is empty, or there is none.
    pub fn exact<'a>(parts: impl IntoIterator<Item = &'a str>) -> Result<Self, NotAPath> {
        let parts: Vec<Box<str>> = parts.into_iter().map(Box::from).collect();
        if parts.is_empty() || parts.iter().any(|part| part.is_empty()) { Err(NotAPath) } else { Ok(Self(parts)) }
    }

    /// The claim that it begins with.
    #[must_use]
    pub fn first(&self) -> &str {
        self.0.first().map_or("", |first| first)
    }

    /// The claim's value.
    #[must_use]
    pub fn find<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(claims.get(&**first)?, |value, part| value.as_object()?.get(&**part))
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// What is asked of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimTest {
    /// It is this text, number or truth value.
    Equals(Value),
    /// It is a list with this member, or the text itself.
    Contains(Box<str>),
    /// It is one of these texts, or a list with one of them.
    OneOf(Vec<Box<str>>),
}

impl ClaimTest {
    /// Whether a claim's value meets it.
    #[must_use]
    pub fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Equals(wanted) => value == wanted,
            Self::Contains(member) => has(value, member),
            Self::OneOf(any_of) => is_one_of(value, any_of),
        }
    }
}

impl fmt::Display for ClaimTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(Value::String(text)) => write!(f, "is {text}"),
            Self::Equals(value) => write!(f, "is {value}"),
            Self::Contains(member) => write!(f, "contains {member}"),
            Self::OneOf(any_of) => write!(f, "is one of {}", any_of.join(", ")),
        }
    }
}

/// Whether a list has this member. Some providers write a list of one as that one text.
fn has(value: &Value, member: &str) -> bool {
    match value {
        Value::String(one) => one == member,
        Value::Array(list) => list.iter().any(|one| one.as_str() == Some(member)),
        _ => false,
    }
}

/// Whether a text, or a member of a list, is one of those.
pub(super) fn is_one_of(value: &Value, any_of: &[Box<str>]) -> bool {
    any_of.iter().any(|one| has(value, one))
}
