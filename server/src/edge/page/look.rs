//! How pages look at a site, and in which language they speak to a person.

use std::sync::LazyLock;

use http::{HeaderMap, header};
use minijinja::Value;

pub use super::colour::Colour;
use super::{STYLE, hash};

/// A client's look: its name and logo above each page, its colour on what is to be clicked.
#[derive(Debug)]
pub struct Look(Option<Branded>);

#[derive(Debug)]
struct Branded {
    name: Box<str>,
    /// A `data:` address.
    logo: Option<Box<str>>,
    style: Styled,
}

#[derive(Debug)]
struct Styled {
    text: Value,
    hash: String,
}

impl Styled {
    fn new(text: String) -> Self {
        Self { hash: hash(&text), text: Value::from_safe_string(text) }
    }
}

static PLAIN: LazyLock<Styled> = LazyLock::new(|| Styled::new(STYLE.to_owned()));

impl Look {
    /// No client's.
    pub const PLAIN: Self = Self(None);

    /// A client's.
    #[must_use]
    pub fn new(name: &str, logo: Option<&str>, colour: Option<Colour>) -> Self {
        let own = colour.map(Colour::style).unwrap_or_default();
        Self(Some(Branded {
            name: name.into(),
            logo: logo.map(Into::into),
            style: Styled::new(format!("{STYLE}{own}")),
        }))
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.0.as_ref().map(|branded| &*branded.name)
    }

    pub(super) fn logo(&self) -> Option<&str> {
        self.0.as_ref().and_then(|branded| branded.logo.as_deref())
    }

    fn styled(&self) -> &Styled {
        self.0.as_ref().map_or(&*PLAIN, |branded| &branded.style)
    }

    pub(super) fn style(&self) -> Value {
        self.styled().text.clone()
    }

    pub(super) fn style_hash(&self) -> &str {
        &self.styled().hash
    }
}

/// A language that pages speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Where nothing else is asked for.
    English,
    /// `de`, of any country.
    German,
}

impl Language {
    /// The one that a person wants: by `ui_locales` of the address (OpenID Connect Core section 3.1.2.1), else by
    /// `Accept-Language` (RFC 9110 section 12.5.4).
    #[must_use]
    pub fn of(query: Option<&str>, headers: &HeaderMap) -> Self {
        let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let asked = pairs.filter(|(name, _)| name == "ui_locales").map(|(_, value)| value).next();
        let asked = asked.as_deref().unwrap_or_default().split_ascii_whitespace().find_map(Self::by_tag);
        asked.unwrap_or_else(|| {
            let lines = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|line| line.to_str().ok());
            let weighted = lines.flat_map(|line| line.split(',')).take(50).filter_map(|range| {
                let (tag, rest) = range.split_once(';').unwrap_or((range, ""));
                let weight = rest.trim().strip_prefix("q=").map_or(Some(1.0), |text| text.parse::<f32>().ok())?;
                Some((Self::by_tag(tag.trim())?, weight)).filter(|(_, weight)| *weight > 0.0)
            });
            // Of two that are wanted alike, the first.
            let mut best = (Self::English, 0.0);
            for (language, weight) in weighted {
                if weight > best.1 {
                    best = (language, weight);
                }
            }
            best.0
        })
    }

    fn by_tag(tag: &str) -> Option<Self> {
        match tag.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "de" => Some(Self::German),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// Its tag (RFC 5646).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_is_the_one_that_is_wanted_most() {
        for (query, accepted, expected) in [
            (None, "", Language::English),
            (None, "de", Language::German),
            (None, "de-AT,en;q=0.5", Language::German),
            (None, "en-GB,de;q=0.9", Language::English),
            (None, "fr,de;q=0.3,en;q=0.2", Language::German),
            (None, "de;q=0, en", Language::English),
            (None, "de;q=x, *", Language::English),
            (Some("a=b&ui_locales=fr%20de%20en"), "en", Language::German),
            (Some("ui_locales=fr"), "de", Language::German),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, accepted.parse().expect("a header"));
            assert_eq!(Language::of(query, &headers), expected, "{query:?} {accepted}");
        }
    }
}
