//! `[clients.ID]` and `[sites.ID]`.

use std::collections::BTreeMap;

use cloakroom_core::session::limit::SessionLimit;

use super::{Outside, Parts, known, look, rates, web};
use crate::config::mask::quoted;
use crate::config::model::{Client, Origin, Provider, RegistrationId, Site};
use crate::config::reader::{Found, Reader};
use crate::config::report::Mistake;
use crate::config::tree::Place;
use crate::edge::client::SameSite;

/// A year: longer than any session should live.
pub(super) const MOST_SECS: i64 = 31_536_000;

/// Calls of a page that was there before a step-up are over by then.
const MOST_GRACE_SECS: i64 = 300;

/// More devices than anybody has.
const MOST_SESSIONS: i64 = 100;

/// The tenant of clients that name none.
const TENANT: &str = "default";

/// Where Cloakroom's own endpoints live on every site, beside the site's base path.
pub(super) const OWN_PATHS: [&str; 4] = ["/admin", "/oauth", "/session", "/.well-known"];

/// The web clients, and the tables of the mobile ones, which name sites that are not read yet.
pub(super) fn clients<'a>(
    root: &Reader<'a>,
    providers: &Parts<Provider>,
    outside: &Outside<'_>,
) -> (Parts<Client>, BTreeMap<String, Reader<'a>>) {
    let (mobile, web): (BTreeMap<_, _>, BTreeMap<_, _>) =
        root.tables_by_id("clients").into_iter().partition(|(_, reader)| reader.says("kind", "mobile"));
    let read = |(id, reader): (String, Reader<'_>)| {
        let client = client(&reader, &id, providers, outside);
        (id, Some(client))
    };
    (web.into_iter().map(read).collect(), mobile)
}

fn client(reader: &Reader<'_>, id: &str, providers: &Parts<Provider>, outside: &Outside<'_>) -> Client {
    let kind = reader.required("kind", "\"web\"");
    let is_web = |text: &str| if text == "web" { Ok(()) } else { Err("is no kind of client".into()) };
    reader.parsed(kind, "kind", "\"web\", \"mobile\"", is_web);
    let name = name_of(reader, id);
    let (logo, colour) = (look::logo(reader, outside), look::colour(reader));
    let tenant = tenant_of(reader);
    let registrations = registrations(reader, providers);
    let strictness = [("strict", SameSite::Strict), ("lax", SameSite::Lax)];
    let same_site = reader.one_of("same_site", &strictness, SameSite::Strict).value;
    let absolute = reader.number("absolute_secs", 1..=MOST_SECS, 36_000);
    let idle = reader.number("idle_secs", 1..=MOST_SECS, 3_600.min(absolute.value));
    idle_counts(reader, &idle, &absolute);
    let grace = reader.number("step_up_grace_secs", 0..=MOST_GRACE_SECS, 30);
    let recent_login = reader.number("recent_login_secs", 0..=86_400, 0);
    let session_limit = session_limit(reader);
    let return_urls = reader.texts("return_urls").unwrap_or_default();
    for url in &return_urls {
        if let Err(why) = web::safe_url(url.value) {
            let what = format!("{}: {} {why}", reader.name("return_urls"), quoted(url.value));
            reader.wrong(&url.place, what, "allowed: https URLs (http for names under localhost)");
        }
    }
    let trusted_origins = trusted_origins(reader);
    let path = reader.parsed(reader.text("post_logout_path"), "post_logout_path", "a path such as /", web::normal_path);
    let limit = rates::rate(reader, "limit");
    reader.finish();
    Client {
        name,
        logo,
        colour,
        tenant,
        registrations,
        same_site,
        idle_secs: idle.value,
        absolute_secs: absolute.value,
        step_up_grace_secs: grace.value,
        recent_login_secs: recent_login.value,
        session_limit,
        trusted_origins,
        return_urls: return_urls.into_iter().map(|url| url.value.to_owned()).collect(),
        post_logout_path: path.map_or_else(|| "/".to_owned(), |found| found.value),
        limit,
    }
}

/// How many sessions a person may have at a client at once.
pub(super) fn session_limit(reader: &Reader<'_>) -> Option<SessionLimit> {
    let is_limited = reader.has("max_sessions");
    let most = reader.number("max_sessions", 1..=MOST_SESSIONS, 1);
    let when_full = reader.one_of("when_full", &[("end_oldest", false), ("refuse", true)], false);
    if !is_limited && reader.has("when_full") {
        reader.clash(
            &when_full.place,
            "when_full without max_sessions does nothing",
            "set max_sessions, or take when_full out",
        );
    }
    is_limited.then(|| SessionLimit { most: u32::try_from(most.value).unwrap_or(u32::MAX), refuses: when_full.value })
}

fn trusted_origins(reader: &Reader<'_>) -> Vec<Origin> {
    let mut origins = Vec::new();
    for found in reader.texts("trusted_origins").unwrap_or_default() {
        let exact = |text: &str| if text.contains('*') { Err("has a wildcard".to_owned()) } else { web::origin(text) };
        match exact(found.value) {
            Ok(origin) => origins.push(origin),
            Err(why) => {
                let what = format!("{}: {} {why}", reader.name("trusted_origins"), quoted(found.value));
                let help = "name each origin exactly, as a browser's Origin header spells it, such as \
                            https://www.example.com (http for names under localhost); there are no wildcards";
                reader.wrong(&found.place, what, help);
            }
        }
    }
    origins
}

/// The client's name for people.
pub(super) fn name_of(reader: &Reader<'_>, id: &str) -> String {
    let found = reader.parsed(reader.text("name"), "name", "a name that people read, of 1 to 100 characters", name);
    found.map_or_else(|| id.to_owned(), |found| found.value)
}

pub(super) fn tenant_of(reader: &Reader<'_>) -> String {
    let allowed = "1 to 64 lower-case letters, digits and dashes";
    let found = reader.parsed(reader.text("tenant"), "tenant", allowed, tenant);
    found.map_or_else(|| TENANT.to_owned(), |found| found.value)
}

/// An idle life longer than the whole one is a mistake.
pub(super) fn idle_counts(reader: &Reader<'_>, idle: &Found<i64>, absolute: &Found<i64>) {
    if idle.value > absolute.value {
        let what = format!(
            "idle_secs = {} is longer than absolute_secs = {}, so it would never count",
            idle.value, absolute.value
        );
        reader.clash(&idle.place, what, "make idle_secs shorter, or absolute_secs longer");
    }
}

fn name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("is empty".into());
    }
    if text.chars().any(char::is_control) {
        return Err("has a control character".into());
    }
    if text.chars().count() > 100 {
        return Err("is too long".into());
    }
    Ok(text.to_owned())
}

/// A label of a restricted alphabet: it stands in associated data, lists and logs.
fn tenant(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.is_empty() || text.len() > 64 || !text.bytes().all(plain) {
        return Err("is no label".into());
    }
    Ok(text.to_owned())
}

pub(super) fn registrations(reader: &Reader<'_>, providers: &Parts<Provider>) -> Vec<RegistrationId> {
    if !reader.has("registrations") {
        reader.missing("registrations", "[\"main.web\"]");
    }
    let mut named: Vec<(RegistrationId, Place)> = Vec::new();
    let list = reader.texts("registrations");
    if list.as_ref().is_some_and(Vec::is_empty) {
        let what = format!("{} is empty, so nobody could log in", reader.name("registrations"));
        reader.clash(reader.place(), what, "name at least one provider.registration");
    }
    for found in list.unwrap_or_default() {
        let Some(one) = registration(reader, &found, providers) else { continue };
        if let Some((_, place)) = named.iter().find(|(other, _)| *other == one) {
            let what = format!("{} is named twice", quoted(found.value));
            reader.note(Mistake::new(found.place, what, "name each once").beside(place.clone(), "first here"));
            continue;
        }
        named.push((one, found.place));
    }
    named.into_iter().map(|(one, _)| one).collect()
}

/// The registration that another part names.
pub(super) fn registration(
    reader: &Reader<'_>,
    found: &Found<&str>,
    providers: &Parts<Provider>,
) -> Option<RegistrationId> {
    let one = registration_id(found.value).filter(|one| is_there(one, providers));
    if one.is_none() {
        let what = format!("{} is no registration", quoted(found.value));
        let help = known("registrations (provider.registration)", &all(providers), found.value);
        reader.clash(&found.place, what, help);
    }
    one
}

/// `provider.registration`.
fn registration_id(text: &str) -> Option<RegistrationId> {
    let (provider, registration) = text.split_once('.')?;
    Some(RegistrationId { provider: provider.to_owned(), registration: registration.to_owned() })
}

fn is_there(one: &RegistrationId, providers: &Parts<Provider>) -> bool {
    match providers.get(&one.provider) {
        Some(Some(provider)) => provider.registrations.contains_key(&one.registration),
        // It has mistakes of its own; what it holds is not known.
        Some(None) => true,
        None => false,
    }
}

fn all(providers: &Parts<Provider>) -> Vec<String> {
    let named = |(id, provider): (&String, &Option<Provider>)| -> Vec<String> {
        let ids = provider.iter().flat_map(|provider| provider.registrations.keys());
        ids.map(|registration| format!("{id}.{registration}")).collect()
    };
    providers.iter().flat_map(named).collect()
}

pub(super) fn sites(root: &Reader<'_>, clients: &Parts<Client>) -> Parts<Site> {
    let mut hosts: BTreeMap<String, (String, Place)> = BTreeMap::new();
    let mut owners: BTreeMap<String, (String, Place)> = BTreeMap::new();
    let mut sites = BTreeMap::new();
    for (id, reader) in root.tables_by_id("sites") {
        let origin = origin(&reader);
        if let Some(found) = &origin
            && let Some((other, place)) = hosts.insert(found.value.host.clone(), (id.clone(), found.place.clone()))
        {
            let what =
                format!("sites.{other} and sites.{id} have the same host name, and cookies do not tell ports apart");
            let help = "give each site a host name of its own";
            reader.note(Mistake::new(found.place.clone(), what, help).beside(place, "the same host name"));
        }
        let client = client_of(&reader, clients);
        if let Some(found) = &client
            && let Some((other, place)) = owners.insert(found.value.to_owned(), (id.clone(), found.place.clone()))
        {
            let what = format!("sites.{other} and sites.{id} have the same client, and a web client has one site");
            let help = "give each site a client of its own";
            reader.note(Mistake::new(found.place.clone(), what, help).beside(place, "the same client"));
        }
        if let (Some(origin), Some(client)) = (&origin, &client)
            && let Some(Some(owner)) = clients.get(client.value)
        {
            warn_of_other_sites(&reader, origin, client, owner);
        }
        sites.insert(id, site(&reader, origin, client));
    }
    sites
}

fn origin(reader: &Reader<'_>) -> Option<Found<Origin>> {
    let allowed = "an https origin without a path (http for names under localhost), such as https://app.example.com";
    reader.parsed(reader.required("origin", "\"https://app.example.com\""), "origin", allowed, web::origin)
}

/// The session cookie is Strict or Lax: no script of another site's page has it sent, whatever the list says. Whether
/// two names surely belong to two sites shows in their last two labels.
fn warn_of_other_sites(reader: &Reader<'_>, own: &Found<Origin>, client: &Found<&str>, owner: &Client) {
    let site = |origin: &Origin| {
        let labels: Vec<&str> = origin.host.rsplit('.').take(2).collect();
        (origin.scheme.clone(), labels.join("."))
    };
    for other in owner.trusted_origins.iter().filter(|origin| site(origin) != site(&own.value)) {
        let what = format!("clients.{} trusts {}, which is of another site", client.value, quoted(&other.text()));
        let help = "browsers send the session cookie with calls from pages of the same site only: another port, or \
                    another name under the same registrable domain";
        reader.warn(&client.place, what, help);
    }
}

fn client_of<'a>(reader: &Reader<'a>, clients: &Parts<Client>) -> Option<Found<&'a str>> {
    let found = reader.text("client")?;
    if !clients.contains_key(found.value) {
        let what = format!("{} names no client: {}", reader.name("client"), quoted(found.value));
        reader.clash(&found.place, what, known("clients", clients.keys(), found.value));
    }
    Some(found)
}

fn site(reader: &Reader<'_>, origin: Option<Found<Origin>>, client: Option<Found<&str>>) -> Option<Site> {
    let allowed = "a path without a slash at its end, such as /bff, and none of Cloakroom's own";
    let base = reader.parsed(reader.text("base_path"), "base_path", allowed, |text| {
        let path = web::normal_path(text)?;
        if path.ends_with('/') {
            return Err("ends with a slash".into());
        }
        match OWN_PATHS.into_iter().find(|own| web::is_under(&path, own)) {
            Some(own) => Err(format!("stands where {own} is Cloakroom's own")),
            None => Ok(path),
        }
    });
    let diagnostics = reader.flag("diagnostics").value;
    reader.finish();
    Some(Site {
        origin: origin?.value,
        client: client.map(|found| found.value.to_owned()),
        base_path: base.map_or_else(|| "/bff".to_owned(), |found| found.value),
        diagnostics,
    })
}
