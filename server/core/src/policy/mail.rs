//! Mail domains. The address is parsed, and counts only if the provider has verified it (S16).

use std::fmt;

use serde_json::{Map, Value};

/// The longest domain name (RFC 1035 section 2.3.4).
const DOMAIN_BYTES: usize = 253;
/// The longest label of one.
const LABEL_BYTES: usize = 63;

/// A domain that mail addresses may be at: that one alone, none below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailDomain(Box<str>);

/// The text is no domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no domain name")]
pub struct NotADomain;

impl MailDomain {
    /// Reads a domain, such as `example.com`. Letters of other scripts are written as `xn--…`.
    ///
    /// # Errors
    /// [`NotADomain`].
    pub fn parse(text: &str) -> Result<Self, NotADomain> {
        if is_domain(text) { Ok(Self(text.to_ascii_lowercase().into())) } else { Err(NotADomain) }
    }

    /// Whether it is this one.
    #[must_use]
    pub fn is(&self, domain: &str) -> bool {
        self.0.eq_ignore_ascii_case(domain)
    }
}

impl fmt::Display for MailDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The verified address in the claims (OIDC Core section 5.1). `email_verified` must be `true` itself: a text that says
/// so is a claim of another type.
#[must_use]
pub fn verified_address(claims: &Map<String, Value>) -> Option<&str> {
    let address = claims.get("email")?.as_str()?;
    let is_verified = claims.get("email_verified") == Some(&Value::Bool(true));
    (is_verified && domain_of(address).is_some()).then_some(address)
}

pub(super) fn verified_domain(claims: &Map<String, Value>) -> Option<&str> {
    verified_address(claims).and_then(domain_of)
}

/// The domain of an address of the plain form `local@domain` (RFC 5321 section 4.1.2). Whatever two readers could read
/// in two ways has none: quotes, comments, display names, routes, a second `@`.
#[must_use]
pub fn domain_of(address: &str) -> Option<&str> {
    let (local, domain) = address.split_once('@')?;
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let plain =
        (1..=64).contains(&local.len()) && local.split('.').all(|part| !part.is_empty() && part.chars().all(atom));
    if plain && is_domain(domain) { Some(domain) } else { None }
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        let letters = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        (1..=LABEL_BYTES).contains(&label.len()) && letters && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= DOMAIN_BYTES && text.contains('.') && text.split('.').all(is_label)
}
