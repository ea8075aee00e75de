//! Query and form parameters, each at most once (RFC 6749 section 3.1: parameters must not be repeated).

use std::collections::BTreeMap;

use super::problem::Refusal;

/// A request's parameters by name.
#[derive(Debug, Default)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads `application/x-www-form-urlencoded` text.
    ///
    /// # Errors
    /// [`Refusal::BadParameter`] when a parameter stands there twice.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut params = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            if params.contains_key(name.as_ref()) {
                return Err(Refusal::BadParameter { name: name.into_owned(), what: "stands there twice" });
            }
            params.insert(name.into_owned(), value.into_owned());
        }
        Ok(Self(params))
    }

    /// Refuses names that nobody reads: a filter that is misspelt must never mean "all".
    ///
    /// # Errors
    /// [`Refusal::BadParameter`] with the first unknown name.
    pub fn only(self, known: &[&str]) -> Result<Self, Refusal> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(Refusal::BadParameter { name: name.clone(), what: "is not known here" }),
            None => Ok(self),
        }
    }

    /// Every parameter, by name.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A parameter's value; an empty one counts as absent (RFC 6749 section 3.1).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_and_unknown_parameters_are_refused_by_name() {
        let refusal = Params::parse("state=a&code=b&state=c").expect_err("refused");
        assert!(refusal.to_string().contains("state"), "{refusal}");
        let params = Params::parse("a=1&b=&c=x%20y").expect("reads");
        let refusal = Params::parse("state=live&clinet=x").and_then(|params| params.only(&["state", "client"]));
        assert_eq!(refusal.expect_err("refused").to_string(), "the parameter clinet is not known here");
        assert_eq!((params.get("a"), params.get("b"), params.get("c")), (Some("1"), None, Some("x y")));
    }
}
