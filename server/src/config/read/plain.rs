//! `kind = "oauth2"`: a provider that knows no OpenID Connect says nothing of itself, so the file does.

use cloakroom_core::oidc::Plain;
use url::Url;

use super::web;
use crate::config::reader::{Found, Reader};

/// Keys of such a provider alone.
const OWN: [&str; 5] = ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "emails_endpoint", "subject"];

/// What a provider speaks.
pub(super) enum Speaks {
    /// OpenID Connect, and says itself where it is asked.
    OpenId,
    /// Plain OAuth 2.
    Plain(Box<Plain>),
}

impl Speaks {
    /// Where a plain one is asked.
    pub(super) fn plain(self) -> Option<Plain> {
        match self {
            Self::OpenId => None,
            Self::Plain(plain) => Some(*plain),
        }
    }
}

/// `None` where a mistake was noted.
pub(super) fn speaks(reader: &Reader<'_>) -> Option<Speaks> {
    let is_plain = reader.one_of("kind", &[("oidc", false), ("oauth2", true)], false).value;
    let authorize = endpoint(reader, "authorization_endpoint");
    let token = endpoint(reader, "token_endpoint");
    let userinfo = endpoint(reader, "userinfo_endpoint");
    let emails = endpoint(reader, "emails_endpoint");
    let subject = reader.text("subject");
    if !is_plain {
        for key in OWN.into_iter().filter(|key| reader.has(key)) {
            let what = format!("{} is for kind = \"oauth2\"", reader.name(key));
            let help =
                "leave it out: an OpenID provider publishes its endpoints, and its ID tokens say who somebody is";
            reader.wrong(&reader.place_of(&[key]), what, help);
        }
        return Some(Speaks::OpenId);
    }
    for (key, example) in [
        ("authorization_endpoint", "\"https://github.com/login/oauth/authorize\""),
        ("token_endpoint", "\"https://github.com/login/oauth/access_token\""),
        ("userinfo_endpoint", "\"https://api.github.com/user\""),
        ("subject", "\"id\""),
    ] {
        if !reader.has(key) {
            reader.missing(key, example);
        }
    }
    Some(Speaks::Plain(Box::new(Plain {
        authorization_endpoint: authorize?.value,
        token_endpoint: token?.value,
        userinfo_endpoint: userinfo?.value,
        emails_endpoint: emails.map(|found| found.value),
        subject: subject?.value.to_owned(),
    })))
}

fn endpoint(reader: &Reader<'_>, key: &'static str) -> Option<Found<Url>> {
    let allowed = "an https URL (http for names under localhost)";
    reader.parsed(reader.text(key), key, allowed, |text| {
        web::safe_url(text)?;
        text.parse().map_err(|_| "is no URL".to_owned())
    })
}
