//! Filters of a list as names and values, to and from the address. Their values are the gateway's to judge: one that it
//! does not take is refused, and never means "all".

use super::query_string;

/// What the address asks of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filters(Vec<(String, String)>);

impl Filters {
    /// Reads an address's query string; `Err` is a name that the list does not know.
    pub(crate) fn parse(names: &[&str], search: &str) -> Result<Self, String> {
        let pairs = query_string::read(search);
        match pairs.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            Some((name, _)) => Err(name.clone()),
            None => Ok(Self(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect())),
        }
    }

    /// A filter's value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The same with another value, from the first page; an empty one takes the filter off.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let kept = |known: &String| known != name && known != "cursor";
        let mut pairs: Vec<_> = self.0.iter().filter(|(known, _)| kept(known)).cloned().collect();
        if !value.trim().is_empty() {
            pairs.push((name.to_owned(), value.trim().to_owned()));
        }
        Self(pairs)
    }

    /// Those that narrow the list.
    pub(crate) fn set(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter(|(name, _)| name != "cursor").map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// As a query string.
    pub(crate) fn search(&self) -> String {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        query_string::write(&pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_goes_to_the_first_page_and_an_unknown_name_is_told() {
        let names = ["kind", "subject", "cursor"];
        let filters = Filters::parse(&names, "kind=a&subject=u%7C1&cursor=c").unwrap();
        assert_eq!(filters.get("subject"), Some("u|1"));
        assert_eq!(filters.with("kind", "b").search(), "subject=u%7C1&kind=b");
        assert_eq!(filters.with("kind", " ").search(), "subject=u%7C1");
        assert_eq!(filters.with("cursor", "d").search(), "kind=a&subject=u%7C1&cursor=d");
        assert_eq!(Filters::parse(&names, "knd=a"), Err("knd".to_owned()));
    }
}
