//! `[clients.ID]` of kind `mobile`.

use std::collections::BTreeMap;

use super::clients::{MOST_SECS, idle_counts, name_of, registrations, session_limit, tenant_of};
use super::{Outside, Parts, known, rates};
use crate::config::mask::quoted;
use crate::config::model::{MobileClient, Provider, Site};
use crate::config::reader::{Found, Reader};
use crate::config::secret::{self, Use};
use crate::edge::mobile_client::{DpopMode, RedirectUri};

/// A day: whoever copies an access token holds it until it expires or the session ends.
const MOST_ACCESS_SECS: i64 = 86_400;
const DAY_SECS: i64 = 86_400;

pub(super) fn clients(
    tables: BTreeMap<String, Reader<'_>>,
    providers: &Parts<Provider>,
    sites: &Parts<Site>,
    outside: &Outside<'_>,
) -> Parts<MobileClient> {
    let read = |(id, reader): (String, Reader<'_>)| {
        let client = client(&reader, &id, providers, sites, outside);
        (id, client)
    };
    tables.into_iter().map(read).collect()
}

fn client(
    reader: &Reader<'_>,
    id: &str,
    providers: &Parts<Provider>,
    sites: &Parts<Site>,
    outside: &Outside<'_>,
) -> Option<MobileClient> {
    reader.required("kind", "\"mobile\"");
    let (name, tenant) = (name_of(reader, id), tenant_of(reader));
    let registrations = registrations(reader, providers);
    let issuer_site =
        reader.required("issuer_site", "\"app\"").filter(|found| is_site(reader, "issuer_site", found, sites));
    let callable = reader.texts("sites").unwrap_or_default().into_iter();
    let callable: Vec<String> =
        callable.filter(|found| is_site(reader, "sites", found, sites)).map(|found| found.value.to_owned()).collect();
    let redirect_uris = redirect_uris(reader);
    let after = reader.texts("post_logout_redirect_uris").unwrap_or_default();
    let post_logout_redirect_uris = uris(reader, "post_logout_redirect_uris", after);
    let access = reader.number("access_secs", 1..=MOST_ACCESS_SECS, 600);
    let absolute = reader.number("absolute_secs", 1..=MOST_SECS, 90 * DAY_SECS);
    let idle = reader.number("idle_secs", 1..=MOST_SECS, (30 * DAY_SECS).min(absolute.value));
    idle_counts(reader, &idle, &absolute);
    let session_limit = session_limit(reader);
    let modes = [("off", DpopMode::Off), ("optional", DpopMode::Optional), ("required", DpopMode::Required)];
    let dpop = reader.one_of("dpop", &modes, DpopMode::Off).value;
    let device_grant = reader.flag("device_grant").value;
    let introspection_secret = reader.text("introspection_secret").and_then(|found| {
        match secret::resolve(found.value, Use::ClientSecret, outside) {
            Ok(read) => Some(read.text),
            Err(told) => {
                reader.wrong(
                    &found.place,
                    format!("{}: {}", reader.name("introspection_secret"), told.what),
                    told.help,
                );
                None
            }
        }
    });
    let limit = rates::rate(reader, "limit");
    reader.finish();
    Some(MobileClient {
        name,
        tenant,
        registrations,
        issuer_site: issuer_site?.value.to_owned(),
        sites: callable,
        redirect_uris,
        post_logout_redirect_uris,
        access_secs: access.value,
        idle_secs: idle.value,
        absolute_secs: absolute.value,
        session_limit,
        dpop,
        device_grant,
        introspection_secret,
        limit,
    })
}

fn is_site(reader: &Reader<'_>, key: &str, found: &Found<&str>, sites: &Parts<Site>) -> bool {
    if sites.contains_key(found.value) {
        return true;
    }
    let what = format!("{} names no site: {}", reader.name(key), quoted(found.value));
    reader.clash(&found.place, what, known("sites", sites.keys(), found.value));
    false
}

fn redirect_uris(reader: &Reader<'_>) -> Vec<RedirectUri> {
    if !reader.has("redirect_uris") {
        reader.missing("redirect_uris", "[\"com.example.app:/callback\"]");
    }
    let list = reader.texts("redirect_uris");
    if list.as_ref().is_some_and(Vec::is_empty) {
        let what = format!("{} is empty, so no code could go anywhere", reader.name("redirect_uris"));
        reader.clash(reader.place(), what, "name at least one");
    }
    uris(reader, "redirect_uris", list.unwrap_or_default())
}

/// Addresses of an app.
fn uris(reader: &Reader<'_>, key: &str, list: Vec<Found<&str>>) -> Vec<RedirectUri> {
    let mut uris = Vec::new();
    for found in list {
        match RedirectUri::parse(found.value) {
            Ok(uri) => uris.push(uri),
            Err(why) => {
                let what = format!("{}: {} {why}", reader.name(key), quoted(found.value));
                let help = "allowed: a scheme that is a domain name backwards (com.example.app:/callback), https, or \
                            http://127.0.0.1/… and http://[::1]/… without a port";
                reader.wrong(&found.place, what, help);
            }
        }
    }
    uris
}
