//! `[providers.ID]` and their registrations.

use std::collections::BTreeMap;
use std::sync::Arc;

use cloakroom_core::oidc::{ClientAuth, ClientKey, RESERVED, RefreshReuse, ResponseMode};
use cloakroom_core::policy::MailDomain;
use secrecy::{ExposeSecret as _, SecretString};

use super::clients::name_of;
use super::egress;
use super::plain::{Speaks, speaks};
use super::{Outside, Parts, claims, web};
use crate::config::mask::quoted;
use crate::config::model::{Provider, Registration};
use crate::config::preset::{PRESETS, Preset};
use crate::config::reader::{Found, Reader};
use crate::config::report::Mistake;
use crate::config::secret::{self, Use};
use crate::config::tree::Place;

/// What a login's address says to Cloakroom itself.
const LOGIN: [&str; 12] = [
    "return_to",
    "returnUrl",
    "target_link_uri",
    "provider",
    "iss",
    "prompt",
    "login_hint",
    "acr_values",
    "max_age",
    "ui_locales",
    "keep",
    "mode",
];

pub(super) fn providers(root: &Reader<'_>, outside: &Outside<'_>) -> Parts<Provider> {
    let mut issuers: BTreeMap<String, (String, Place)> = BTreeMap::new();
    let mut domains: BTreeMap<String, (String, Place)> = BTreeMap::new();
    let mut providers = BTreeMap::new();
    for (id, reader) in root.tables_by_id("providers") {
        let issuer = issuer(&reader);
        if let Some(found) = &issuer
            && let Some((other, place)) = issuers.insert(found.value.clone(), (id.clone(), found.place.clone()))
        {
            let what = format!("providers.{other} and providers.{id} have the same issuer, so they are one provider");
            let help = "put both registrations under one provider";
            reader.note(Mistake::new(found.place.clone(), what, help).beside(place, "the same issuer"));
        }
        let read = provider(&reader, &id, issuer, outside);
        for domain in read.iter().flat_map(|read| &read.mail_domains) {
            let place = reader.place_of(&["mail_domains"]);
            if let Some((other, first)) = domains.insert(domain.to_string(), (id.clone(), place.clone())) {
                let what = format!("providers.{other} and providers.{id} both have the mail domain {domain}");
                let help = "name each domain at the one provider where its people sign in";
                reader.note(Mistake::new(place, what, help).beside(first, "the same domain"));
            }
        }
        providers.insert(id, read);
    }
    providers
}

fn issuer(reader: &Reader<'_>) -> Option<Found<String>> {
    let allowed = "an https URL (http for names under localhost), exactly as the provider spells its issuer";
    reader.parsed(reader.required("issuer", "\"https://id.example.com\""), "issuer", allowed, web::issuer)
}

fn provider(reader: &Reader<'_>, id: &str, issuer: Option<Found<String>>, outside: &Outside<'_>) -> Option<Provider> {
    check_preset(reader, issuer.as_ref());
    let speaks = speaks(reader);
    let name = name_of(reader, id);
    let mail_domains = mail_domains(reader);
    let own_callback = reader.one_of("callback", &[("shared", false), ("own", true)], false).value;
    let clock_skew_secs = reader.number("clock_skew_secs", 0..=600, 60).value;
    let refresh_reuse = refresh_reuse(reader);
    let timeout_secs = u64::try_from(reader.number("timeout_secs", 1..=120, 40).value).unwrap_or(40);
    let id_token_hint = reader.flag("id_token_hint").value || !reader.has("id_token_hint");
    let logout = reader.parsed(
        reader.text("logout_redirect_parameter"),
        "logout_redirect_parameter",
        "a parameter's name",
        parameter,
    );
    let egress = egress::egress(reader, outside);
    let claims = claims::mapping(reader);
    let knows_openid = matches!(speaks, Some(Speaks::OpenId));
    let registrations: Parts<Registration> = reader
        .tables_by_id("registrations")
        .into_iter()
        .map(|(id, reader)| (id, registration(&reader, knows_openid, outside)))
        .collect();
    if registrations.is_empty() {
        let help =
            format!("add [{}] with Cloakroom's client_id and client_secret there", reader.name("registrations.web"));
        reader.warn(reader.place(), "this provider has no registration, so nobody can log in with it", help);
    }
    reader.finish();
    Some(Provider {
        issuer: issuer?.value,
        name,
        mail_domains,
        claims,
        plain: speaks?.plain(),
        own_callback,
        clock_skew_secs,
        refresh_reuse,
        timeout_secs,
        id_token_hint,
        logout_redirect_parameter: logout.map_or_else(|| "post_logout_redirect_uri".to_owned(), |found| found.value),
        egress: egress?,
        registrations: super::all(registrations)?,
    })
}

/// `preset = "entra"`: what it sets stands in the tree already.
fn check_preset(reader: &Reader<'_>, issuer: Option<&Found<String>>) {
    let ids: Vec<(&str, Option<&Preset>)> = PRESETS.iter().map(|preset| (preset.id, Some(preset))).collect();
    let Some(preset) = reader.one_of("preset", &ids, None).value else { return };
    if let Some(issuer) = issuer
        && let Err(why) = preset.check_issuer(&issuer.value)
    {
        let what = format!("{} = {} {why}", reader.name("issuer"), quoted(&issuer.value));
        reader.wrong(&issuer.place, what, format!("such as {}", preset.example));
    }
}

/// A parameter's name, which nothing needs to escape.
fn parameter(text: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':');
    if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("is no name".into())
    }
}

/// Parameters of the login's address that go on to the provider: none that has a meaning of its own.
fn login_parameters(reader: &Reader<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for found in reader.texts("login_parameters").unwrap_or_default() {
        let named = |why: &str| format!("{}: {} {why}", reader.name("login_parameters"), quoted(found.value));
        if RESERVED.contains(&found.value) || LOGIN.contains(&found.value) {
            let help = "leave it out: each login sets, or understands, it itself";
            reader.wrong(&found.place, named("has a meaning of its own"), help);
            continue;
        }
        match parameter(found.value) {
            Ok(name) => names.push(name),
            Err(why) => reader.wrong(&found.place, named(&why), "allowed: letters, digits, _ - . :"),
        }
    }
    names
}

fn mail_domains(reader: &Reader<'_>) -> Vec<MailDomain> {
    let mut domains = Vec::new();
    for found in reader.texts("mail_domains").unwrap_or_default() {
        match MailDomain::parse(found.value) {
            Ok(domain) => domains.push(domain),
            Err(why) => {
                let what = format!("{}: {} {why}", reader.name("mail_domains"), quoted(found.value));
                reader.wrong(&found.place, what, "allowed: a domain such as example.com");
            }
        }
    }
    domains
}

/// `"never"`, `"always"` or `{ grace_secs = N }`
fn refresh_reuse(reader: &Reader<'_>) -> RefreshReuse {
    if !reader.is_table("refresh_reuse") {
        let choices = [("never", RefreshReuse::Never), ("always", RefreshReuse::Always)];
        return reader.one_of("refresh_reuse", &choices, RefreshReuse::Never).value;
    }
    let Some(table) = reader.table("refresh_reuse") else { return RefreshReuse::Never };
    if !table.has("grace_secs") {
        table.missing("grace_secs", "10");
    }
    let secs = table.number("grace_secs", 1..=3600, 1).value;
    table.finish();
    RefreshReuse::Grace { secs }
}

fn registration(reader: &Reader<'_>, knows_openid: bool, outside: &Outside<'_>) -> Option<Registration> {
    let client_id = reader.parsed(
        reader.required("client_id", "\"cloakroom\""),
        "client_id",
        "the id that the provider gave",
        |text| {
            if text.is_empty() { Err("is empty".into()) } else { Ok(text.to_owned()) }
        },
    );
    let client_auth = client_auth(reader, outside);
    let usual: &[&str] = if knows_openid { &["openid", "profile", "email", "offline_access"] } else { &[] };
    let scopes = scopes_or(reader, usual);
    let extra_authorize = extra_authorize(reader);
    let login_parameters = login_parameters(reader);
    let modes = [("query", ResponseMode::Query), ("form_post", ResponseMode::FormPost)];
    let response_mode = reader.one_of("response_mode", &modes, ResponseMode::Query).value;
    // Where there is no ID token, nothing else says who somebody is.
    let userinfo = reader.flag("userinfo").value || !knows_openid;
    reader.finish();
    Some(Registration {
        client_id: client_id?.value,
        client_auth: client_auth?,
        scopes,
        extra_authorize,
        login_parameters,
        response_mode,
        userinfo,
    })
}

/// How `client_auth` names a way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Basic,
    Post,
    Key,
}

fn client_auth(reader: &Reader<'_>, outside: &Outside<'_>) -> Option<ClientAuth> {
    let secret = reader.text("client_secret");
    let ways = [("client_secret_basic", Way::Basic), ("client_secret_post", Way::Post), ("private_key_jwt", Way::Key)];
    let way = reader.one_of("client_auth", &ways, Way::Basic).value;
    let (key, kid) = (reader.text("private_key"), reader.text("private_key_id"));
    let unused = if way == Way::Key { [secret.as_ref(), None] } else { [key.as_ref(), kid.as_ref()] };
    for found in unused.into_iter().flatten() {
        let help =
            "leave it out: private_key belongs to client_auth = \"private_key_jwt\", client_secret to the others";
        reader.wrong(&found.place, "this client_auth uses no such key", help);
    }
    if way == Way::Key {
        let pem = outside_secret(reader, ("private_key", key), "\"file:client.key\"", outside)?;
        return private_key(reader, &pem, kid.map(|found| found.value.to_owned()));
    }
    let secret = outside_secret(reader, ("client_secret", secret), "\"env:CLIENT_SECRET\"", outside)?;
    Some(if way == Way::Post { ClientAuth::Post(secret) } else { ClientAuth::Basic(secret) })
}

#[expect(clippy::disallowed_methods, reason = "the key is read here, and kept where nothing prints it")]
fn private_key(reader: &Reader<'_>, pem: &SecretString, kid: Option<String>) -> Option<ClientAuth> {
    match ClientKey::parse(pem.expose_secret(), kid) {
        Ok(key) => Some(ClientAuth::PrivateKeyJwt(Arc::new(key))),
        Err(error) => {
            let help = "make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out client.key";
            reader.wrong(&reader.place_of(&["private_key"]), format!("{}: {error}", reader.name("private_key")), help);
            None
        }
    }
}

pub(super) fn outside_secret(
    reader: &Reader<'_>,
    (key, found): (&'static str, Option<Found<&str>>),
    example: &str,
    outside: &Outside<'_>,
) -> Option<SecretString> {
    if !reader.has(key) {
        reader.missing(key, example);
    }
    let found = found?;
    let named = |what: &str| format!("{}: {what}", reader.name(key));
    match secret::resolve(found.value, Use::ClientSecret, outside) {
        Ok(read) => {
            if let Some(told) = read.warning {
                reader.warn(&found.place, named(&told.what), told.help);
            }
            Some(read.text)
        }
        Err(told) => {
            reader.wrong(&found.place, named(&told.what), told.help);
            None
        }
    }
}

/// Scopes, each one a token of RFC 6749 section 3.3.
pub(super) fn scopes_or(reader: &Reader<'_>, default: &[&str]) -> Vec<String> {
    let Some(list) = reader.texts("scopes") else {
        return default.iter().map(|scope| (*scope).to_owned()).collect();
    };
    let fits = |text: &str| !text.is_empty() && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    for odd in list.iter().filter(|scope| !fits(scope.value)) {
        reader.wrong(
            &odd.place,
            format!("{} is no scope", quoted(odd.value)),
            "write each scope as a text of its own, without spaces",
        );
    }
    list.into_iter().map(|scope| scope.value.to_owned()).collect()
}

fn extra_authorize(reader: &Reader<'_>) -> Vec<(String, String)> {
    let Some(table) = reader.table("extra_authorize") else { return Vec::new() };
    let texts = table.free_texts();
    for (key, found) in texts.iter().filter(|(key, _)| RESERVED.contains(key)) {
        let what = format!("{key} is set by each login itself");
        table.wrong(&found.place, what, format!("leave it out; a login sets {}", RESERVED.join(", ")));
    }
    texts.into_iter().map(|(key, found)| (key.to_owned(), found.value.to_owned())).collect()
}
