//! What the list of sessions is asked, to and from the address.

use cloakroom_api::{LIMITS, Sort, StateFilter};

use super::query_string;

/// Filters, order and place of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListQuery {
    /// Which sessions.
    pub(crate) state: StateFilter,
    /// Only this client's.
    pub(crate) client: Option<String>,
    /// Only this person's.
    pub(crate) sub: Option<String>,
    /// Free text.
    pub(crate) text: String,
    /// Order.
    pub(crate) sort: Sort,
    /// Rows a page.
    pub(crate) limit: u32,
    /// The page; the first without.
    pub(crate) cursor: Option<String>,
}

impl Default for ListQuery {
    fn default() -> Self {
        let [limit, _] = LIMITS;
        Self {
            state: StateFilter::Live,
            client: None,
            sub: None,
            text: String::new(),
            sort: Sort::LastSeen,
            limit,
            cursor: None,
        }
    }
}

/// A parameter that cannot be understood. It never means "no filter": that would show, and end, more than was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadQuery {
    /// The parameter.
    pub(crate) name: String,
    /// Its value.
    pub(crate) value: String,
    /// What it takes.
    pub(crate) allowed: String,
}

impl ListQuery {
    /// Reads an address's query string.
    pub(crate) fn parse(search: &str) -> Result<Self, BadQuery> {
        let mut query = Self::default();
        for (name, value) in query_string::read(search) {
            let bad = |allowed: String| BadQuery { name: name.clone(), value: value.clone(), allowed };
            match name.as_str() {
                "state" => query.state = value.parse().map_err(|error| bad(format!("{error}")))?,
                "sort" => query.sort = value.parse().map_err(|error| bad(format!("{error}")))?,
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| LIMITS.contains(limit));
                    query.limit = limit.ok_or_else(|| bad("allowed: 50, 100".to_owned()))?;
                }
                "client" => query.client = Some(value).filter(|client| !client.is_empty()),
                "sub" => query.sub = Some(value).filter(|sub| !sub.is_empty()),
                "q" => query.text = value,
                "cursor" => query.cursor = Some(value).filter(|cursor| !cursor.is_empty()),
                _ => return Err(bad("known parameters: state, client, sub, q, sort, limit, cursor".to_owned())),
            }
        }
        Ok(query)
    }

    /// The query string of an address: what is at its default is left out.
    pub(crate) fn search(&self) -> String {
        let default = Self::default();
        let mut pairs = self.pairs();
        pairs.retain(|(name, value)| default.pairs().iter().all(|other| other != &(*name, value.clone())));
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        query_string::write(&pairs)
    }

    /// The query string of the API: everything is said.
    pub(crate) fn api_search(&self) -> String {
        let pairs = self.pairs();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        query_string::write(&pairs)
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![("state", self.state.code().to_owned())];
        pairs.extend(self.client.clone().map(|client| ("client", client)));
        pairs.extend(self.sub.clone().map(|sub| ("sub", sub)));
        if !self.text.trim().is_empty() {
            pairs.push(("q", self.text.trim().to_owned()));
        }
        pairs.push(("sort", self.sort.code().to_owned()));
        pairs.push(("limit", self.limit.to_string()));
        pairs.extend(self.cursor.clone().map(|cursor| ("cursor", cursor)));
        pairs
    }

    /// The same list changed in some way, from its first page: a cursor belongs to the filters it came with.
    pub(crate) fn changed(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut query = Self { cursor: None, ..self.clone() };
        change(&mut query);
        query
    }

    /// Another page of the same list.
    pub(crate) fn at(&self, cursor: Option<String>) -> Self {
        Self { cursor, ..self.clone() }
    }

    /// Whether anything but the state narrows the list.
    pub(crate) fn is_filtered(&self) -> bool {
        self.client.is_some() || self.sub.is_some() || !self.text.trim().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_back() {
        let all = ListQuery {
            state: StateFilter::Ended,
            client: Some("app".to_owned()),
            sub: Some("u|1".to_owned()),
            text: "anna b&rg".to_owned(),
            sort: Sort::Created,
            limit: 100,
            cursor: Some("c=1".to_owned()),
        };
        for query in [ListQuery::default(), all] {
            assert_eq!(ListQuery::parse(&query.search()), Ok(query.clone()));
            assert_eq!(ListQuery::parse(&query.api_search()), Ok(query));
        }
        assert_eq!(ListQuery::default().search(), "");
    }

    #[test]
    fn a_mistyped_filter_never_means_all() {
        for search in ["state=lve", "sort=created", "limit=10", "limit=", "sate=ended", "user=anna"] {
            assert!(ListQuery::parse(search).is_err(), "{search}");
        }
    }

    #[test]
    fn a_change_goes_to_the_first_page_and_keeps_the_rest() {
        let query = ListQuery::parse("client=app&q=x&cursor=abc").unwrap();
        let changed = query.changed(|query| query.state = StateFilter::All);
        assert_eq!(changed.search(), "state=all&client=app&q=x");
        assert_eq!(query.at(Some("def".to_owned())).search(), "client=app&q=x&cursor=def");
    }
}
