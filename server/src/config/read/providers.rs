//! `[providers.ID]` and their registrations.

use std::collections::BTreeMap;

use cloakroom_core::oidc::{ClientAuth, RefreshReuse};
use secrecy::SecretString;

use super::{Outside, Parts, web};
use crate::config::mask::quoted;
use crate::config::model::{Provider, Registration};
use crate::config::reader::{Found, Reader};
use crate::config::report::Mistake;
use crate::config::secret::{self, Use};
use crate::config::tree::Place;

/// What a login sets itself (RFC 6749 section 4.1.1, RFC 7636 section 4.3, OpenID Connect Core 1.0 section 3.1.2.1), or
/// what would move it elsewhere (RFC 9101).
const RESERVED: [&str; 12] = [
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

pub(super) fn providers(root: &Reader<'_>, outside: &Outside<'_>) -> Parts<Provider> {
    let mut issuers: BTreeMap<String, (String, Place)> = BTreeMap::new();
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
        providers.insert(id, provider(&reader, issuer, outside));
    }
    providers
}

fn issuer(reader: &Reader<'_>) -> Option<Found<String>> {
    let allowed = "an https URL (http for names under localhost), exactly as the provider spells its issuer";
    reader.parsed(reader.required("issuer", "\"https://id.example.com\""), "issuer", allowed, web::issuer)
}

fn provider(reader: &Reader<'_>, issuer: Option<Found<String>>, outside: &Outside<'_>) -> Option<Provider> {
    let clock_skew_secs = reader.number("clock_skew_secs", 0..=600, 60).value;
    let refresh_reuse = refresh_reuse(reader);
    let registrations: Parts<Registration> = reader
        .tables_by_id("registrations")
        .into_iter()
        .map(|(id, reader)| (id, registration(&reader, outside)))
        .collect();
    if registrations.is_empty() {
        let help =
            format!("add [{}] with Cloakroom's client_id and client_secret there", reader.name("registrations.web"));
        reader.warn(reader.place(), "this provider has no registration, so nobody can log in with it", help);
    }
    reader.finish();
    Some(Provider { issuer: issuer?.value, clock_skew_secs, refresh_reuse, registrations: super::all(registrations)? })
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

fn registration(reader: &Reader<'_>, outside: &Outside<'_>) -> Option<Registration> {
    let client_id = reader.parsed(
        reader.required("client_id", "\"cloakroom\""),
        "client_id",
        "the id that the provider gave",
        |text| {
            if text.is_empty() { Err("is empty".into()) } else { Ok(text.to_owned()) }
        },
    );
    let client_secret = client_secret(reader, outside);
    let ways = [("client_secret_basic", ClientAuth::Basic), ("client_secret_post", ClientAuth::Post)];
    let client_auth = reader.one_of("client_auth", &ways, ClientAuth::Basic).value;
    let scopes = scopes(reader);
    let extra_authorize = extra_authorize(reader);
    reader.finish();
    Some(Registration {
        client_id: client_id?.value,
        client_secret: client_secret?,
        client_auth,
        scopes,
        extra_authorize,
    })
}

fn client_secret(reader: &Reader<'_>, outside: &Outside<'_>) -> Option<SecretString> {
    let found = reader.required("client_secret", "\"env:CLIENT_SECRET\"")?;
    let named = |what: &str| format!("{}: {what}", reader.name("client_secret"));
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
fn scopes(reader: &Reader<'_>) -> Vec<String> {
    let Some(list) = reader.texts("scopes") else {
        return ["openid", "profile", "email", "offline_access"].map(str::to_owned).to_vec();
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
