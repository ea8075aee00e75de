//! Parameters of a query or a form, as OAuth reads them.

use axum::extract::{RawForm, rejection::RawFormRejection};
use thiserror::Error;
use url::form_urlencoded;

/// Parsed parameters. A repeated one is refused, an empty one counts as absent (RFC 6749, 3.1).
#[derive(Default)]
pub(super) struct Params(Vec<(String, String)>);

/// Why parameters could not be read.
#[derive(Debug, Error)]
pub(super) enum ParamsError {
    #[error("the parameter {0:?} was sent more than once")]
    Repeated(String),
    #[error("the body must be application/x-www-form-urlencoded and at most 64 KiB")]
    Body,
}

impl Params {
    pub(super) fn read(form: Result<RawForm, RawFormRejection>) -> Result<Self, ParamsError> {
        let RawForm(raw) = form.map_err(|_| ParamsError::Body)?;
        Self::parse(&raw)
    }

    pub(super) fn parse(raw: &[u8]) -> Result<Self, ParamsError> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(raw) {
            if pairs.iter().any(|(seen, _)| *seen == name) {
                return Err(ParamsError::Repeated(name.into_owned()));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The words of a list parameter, such as `scope` or `prompt`.
    pub(super) fn words(&self, name: &str) -> Vec<String> {
        self.get(name).unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_parameter_is_refused_even_with_the_same_value() {
        assert!(matches!(
            Params::parse(b"state=a&state=a"),
            Err(ParamsError::Repeated(name)) if name == "state"
        ));
    }

    #[test]
    fn an_empty_parameter_counts_as_absent() {
        let params = Params::parse(b"state=&scope=openid++email").unwrap();
        assert_eq!(params.get("state"), None);
        assert_eq!(params.words("scope"), ["openid", "email"]);
    }
}
