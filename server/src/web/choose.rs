//! Which provider a sign-in goes to: the one that is named, that of the session it confirms, that of a mail address, the
//! only one; else a page lets the person choose.

use axum::response::Response;
use url::form_urlencoded::{self, Serializer};

use cloakroom_core::policy::mail::domain_of;
use cloakroom_core::session::open::Live;

use crate::edge::client::{Client, RegistrationRef};
use crate::edge::own::{Context, page_response};
use crate::edge::page::{self, Choice, Chooser};
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// Says on the links of the page that a page of another site led there: the choice is no consent (L17).
pub(super) const ELSEWHERE: &str = "from";
/// Says that the page's own form was sent.
const ASKED: &str = "ask";
/// Parameters that the page sets itself, or that must not come along.
const OWN: [&str; 5] = ["provider", "iss", "keep", ELSEWHERE, ASKED];

/// Where a sign-in goes.
pub(super) enum Chosen<'a> {
    /// To this registration.
    This(&'a RegistrationRef),
    /// Nobody has said: the person chooses.
    Open,
}

/// Finds it, in the order of this module's first lines.
pub(super) fn chosen<'a>(
    gateway: &Gateway,
    client: &'a Client,
    params: &Params,
    confirmed: Option<&Live>,
) -> Result<Chosen<'a>, Refusal> {
    if let Some(named) = named(gateway, client, params)? {
        return Ok(Chosen::This(named));
    }
    let of_session = |live: &Live| {
        let same =
            |one: &&RegistrationRef| *one.provider == *live.provider_id && *one.registration == *live.registration_id;
        client.registrations.iter().find(same)
    };
    if let Some(found) = confirmed.and_then(of_session).or_else(|| by_mail(gateway, client, params)) {
        return Ok(Chosen::This(found));
    }
    let first = client.registrations.first().ok_or(Refusal::NotFound)?;
    let several = client.registrations.iter().any(|one| one.provider != first.provider);
    // Who must not be asked anything is not asked this either (OpenID Connect Core section 3.1.2.1).
    let may_ask = params.get("prompt") != Some("none");
    Ok(if several && may_ask { Chosen::Open } else { Chosen::This(first) })
}

/// The registration that `provider=` names, or `iss=` (OpenID Connect Core section 4).
pub(super) fn named<'a>(
    gateway: &Gateway,
    client: &'a Client,
    params: &Params,
) -> Result<Option<&'a RegistrationRef>, Refusal> {
    let issuer_of = |known: &RegistrationRef| gateway.sessions.provider(&known.provider).map(|found| found.issuer());
    let (name, value, what) = match (params.get("provider"), params.get("iss")) {
        (None, None) => return Ok(None),
        (Some(id), _) => ("provider", id, "names no provider of this app"),
        (None, Some(iss)) => ("iss", iss, "is the issuer of no provider of this app"),
    };
    let is_it = |known: &&RegistrationRef| match name {
        "provider" => *known.provider == *value,
        _ => issuer_of(known) == Some(value),
    };
    let found = client.registrations.iter().find(is_it);
    let found = found.ok_or(Refusal::parameter(name, what))?;
    match params.get("iss") {
        Some(iss) if issuer_of(found) != Some(iss) => {
            Err(Refusal::BadParameter { name: "iss".into(), what: "is not the issuer of the provider that is named" })
        }
        _ => Ok(Some(found)),
    }
}

/// The provider of `login_hint`'s mail domain. It only leads there: who somebody is, the provider says.
fn by_mail<'a>(gateway: &Gateway, client: &'a Client, params: &Params) -> Option<&'a RegistrationRef> {
    let domain = domain_of(params.get("login_hint")?)?;
    client.registrations.iter().find(|one| {
        let provider = gateway.sessions.provider(&one.provider);
        provider.is_some_and(|provider| provider.mail_domains().iter().any(|own| own.is(domain)))
    })
}

/// Whether the page's form was sent: its answer is a page, since browsers hold `form-action` against redirects too.
pub(super) fn was_asked(params: &Params) -> bool {
    params.get(ASKED).is_some()
}

/// The login at `registration`, as the page's links spell it.
pub(super) fn login_at(context: &Context, query: &str, registration: &RegistrationRef, elsewhere: bool) -> String {
    let mut pairs = Serializer::new(String::new());
    pairs.append_pair("provider", &registration.provider);
    if elsewhere {
        pairs.append_pair(ELSEWHERE, "elsewhere");
    }
    pairs.extend_pairs(kept(query, &[]));
    format!("{}?{}", context.site.login_url(), pairs.finish())
}

/// The page.
pub(super) fn page(
    gateway: &Gateway,
    context: &Context,
    params: &Params,
    query: &str,
    elsewhere: bool,
) -> Result<Response, Refusal> {
    let client = context.client()?;
    let mut choices: Vec<Choice> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    let mut by_mail = false;
    for one in &client.registrations {
        let Some(provider) = gateway.sessions.provider(&one.provider) else { continue };
        if seen.contains(&&*one.provider) {
            continue;
        }
        seen.push(&one.provider);
        by_mail |= !provider.mail_domains().is_empty();
        choices.push(Choice { name: provider.name().to_owned(), href: login_at(context, query, one, elsewhere) });
    }
    let mut hidden = kept(query, &["login_hint"]);
    if elsewhere {
        hidden.push((ELSEWHERE.to_owned(), "elsewhere".to_owned()));
    }
    hidden.push((ASKED.to_owned(), "mail".to_owned()));
    let asked = was_asked(params);
    let chooser = Chooser {
        choices,
        by_mail,
        action: context.site.login_url(),
        hidden,
        mail: params.get("login_hint").unwrap_or_default().to_owned(),
        nobodys: asked,
    };
    Ok(page_response(page::choose(&client.name, &chooser)))
}

/// The parameters that go along, but for `without`.
fn kept(query: &str, without: &[&str]) -> Vec<(String, String)> {
    let goes = |name: &str| !OWN.contains(&name) && !without.contains(&name);
    let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
    pairs.filter(|(name, _)| goes(name)).collect()
}
