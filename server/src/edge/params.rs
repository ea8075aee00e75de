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
    fn a_repeated_parameter_is_refused_by_its_name() {
        let refusal = Params::parse("state=a&code=b&state=c").expect_err("refused");
        assert!(refusal.to_string().contains("state"), "{refusal}");
        let params = Params::parse("a=1&b=&c=x%20y").expect("reads");
        assert_eq!((params.get("a"), params.get("b"), params.get("c")), (Some("1"), None, Some("x y")));
    }
}
