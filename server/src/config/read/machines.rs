//! `[machines.ID]`: issuers whose machines may call.

use cloakroom_core::machine::{Check, MachineIssuer, Subject};
use cloakroom_core::oidc::ClientAuth;

use super::{Outside, Parts, providers, web};
use crate::config::mask::quoted;
use crate::config::reader::Reader;

/// Signatures that are taken: asymmetric ones alone.
const ALGORITHMS: [&str; 9] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];
/// Those that are taken where nothing is said.
const USUAL: [&str; 4] = ["RS256", "PS256", "ES256", "EdDSA"];

pub(super) fn machines(root: &Reader<'_>, outside: &Outside<'_>) -> Parts<MachineIssuer> {
    let all = root.tables_by_id("machines").into_iter();
    all.map(|(id, reader)| {
        let issuer = issuer(&id, &reader, outside);
        (id, issuer)
    })
    .collect()
}

fn issuer(id: &str, reader: &Reader<'_>, outside: &Outside<'_>) -> Option<MachineIssuer> {
    let allowed = "an https URL (http for names under localhost), exactly as its tokens spell it";
    let example = "\"https://machines.example.com\"";
    let issuer = reader.parsed(reader.required("issuer", example), "issuer", allowed, web::issuer);
    let audience =
        reader.parsed(reader.required("audience", "\"https://api.example.com\""), "audience", "text", |text| {
            if text.is_empty() { Err("is empty".into()) } else { Ok(text.to_owned()) }
        });
    let scopes = providers::scopes_or(reader, &[]);
    let subject =
        reader.one_of("subject", &[("client_id", Subject::ClientId), ("any", Subject::Any)], Subject::ClientId);
    let check = if reader.has("introspection_endpoint") { introspection(reader, outside) } else { signature(reader) };
    reader.finish();
    Some(MachineIssuer {
        id: id.into(),
        issuer: issuer?.value,
        audience: audience?.value,
        scopes,
        subject: subject.value,
        check: check?,
    })
}

fn signature(reader: &Reader<'_>) -> Option<Check> {
    let allowed = "an https URL (http for names under localhost)";
    let given = reader.has("jwks_uri");
    let uri = reader.parsed(reader.text("jwks_uri"), "jwks_uri", allowed, web::safe_url);
    let mut algorithms = Vec::new();
    for found in reader.texts("algorithms").unwrap_or_default() {
        if ALGORITHMS.contains(&found.value) {
            algorithms.push(found.value.to_owned());
        } else {
            let what = format!("{}: {} is not taken", reader.name("algorithms"), quoted(found.value));
            reader.wrong(&found.place, what, format!("allowed: {}", ALGORITHMS.join(", ")));
        }
    }
    if algorithms.is_empty() {
        algorithms = USUAL.map(str::to_owned).to_vec();
    }
    // Asked for, so that they are known; without an endpoint to ask they change nothing.
    let _ = (reader.text("introspection_endpoint"), reader.text("client_id"), reader.text("client_auth"));
    let _ = reader.text("client_secret");
    if let Some(key) = ["client_id", "client_secret", "client_auth"].into_iter().find(|key| reader.has(key)) {
        let what = format!("{} changes nothing without introspection_endpoint", reader.name(key));
        reader.clash(reader.place(), what, "add introspection_endpoint, or leave it out");
    }
    if given && uri.is_none() {
        None
    } else {
        Some(Check::Signature { jwks_uri: uri.map(|found| found.value), algorithms })
    }
}

fn introspection(reader: &Reader<'_>, outside: &Outside<'_>) -> Option<Check> {
    let allowed = "an https URL (http for names under localhost)";
    let endpoint =
        reader.parsed(reader.text("introspection_endpoint"), "introspection_endpoint", allowed, web::safe_url);
    let client_id = reader.required("client_id", "\"cloakroom\"");
    let post =
        reader.one_of("client_auth", &[("client_secret_basic", false), ("client_secret_post", true)], false).value;
    let secret = ("client_secret", reader.text("client_secret"));
    let secret = providers::outside_secret(reader, secret, "\"env:MACHINES_SECRET\"", outside);
    let _ = (reader.text("jwks_uri"), reader.texts("algorithms"));
    if let Some(key) = ["jwks_uri", "algorithms"].into_iter().find(|key| reader.has(key)) {
        let what = format!("{} changes nothing beside introspection_endpoint", reader.name(key));
        reader.clash(reader.place(), what, "leave one of the two out");
    }
    let auth = if post { ClientAuth::Post(secret?) } else { ClientAuth::Basic(secret?) };
    Some(Check::Introspection { endpoint: endpoint?.value, client_id: client_id?.value.to_owned(), auth })
}
