//! `[admin]`: who may use the console, and where it is.

use cloakroom_api::Role;

use super::{Parts, claims, known};
use crate::config::keys;
use crate::config::mask::quoted;
use crate::config::model::{Admin, Client, Provider, Site};
use crate::config::reader::{Found, Reader};

pub(super) fn admin(
    reader: &Reader<'_>,
    sites: &Parts<Site>,
    clients: &Parts<Client>,
    providers: &Parts<Provider>,
) -> Option<Admin> {
    let site = reader.required("site", "\"console\"");
    if let Some(found) = &site {
        check_site(reader, found, sites, clients);
    }
    let claim = claims::path(reader, "role_claim", Some("roles"));
    let tenant_claim = claims::path(reader, "tenant_claim", None);
    let roles = roles(reader);
    let owners = owners(reader, providers);
    if owners.is_empty() && roles.iter().all(|(_, values)| values.is_empty()) && !reader.has("owners") {
        let help = "grant a role by claim values (roles), or name an owner (owners)";
        reader.warn(reader.place(), "nobody may use the console: no role is granted to anybody", help);
    }
    let recent_login = reader.number("recent_login_secs", 1..=86_400, 900);
    reader.finish();
    let recent_login_secs = recent_login.value;
    Some(Admin { site: site?.value.to_owned(), role_claim: claim?, tenant_claim, roles, owners, recent_login_secs })
}

fn check_site(reader: &Reader<'_>, found: &Found<&str>, sites: &Parts<Site>, clients: &Parts<Client>) {
    match sites.get(found.value) {
        None => {
            let what = format!("admin.site names no site: {}", quoted(found.value));
            reader.clash(&found.place, what, known("sites", sites.keys(), found.value));
        }
        Some(Some(site)) if site.client.is_none() => {
            let what = "admin.site has no client, so nobody could sign in to the console";
            reader.clash(&found.place, what, format!("give sites.{} a client", found.value));
        }
        Some(Some(site)) => {
            let client = site.client.as_ref().and_then(|id| clients.get(id)).and_then(Option::as_ref);
            if client.is_some_and(|client| !client.trusted_origins.is_empty()) {
                let what = "admin.site's client trusts other origins, whose pages could then administrate";
                reader.clash(&found.place, what, "leave out trusted_origins, or give the console a client of its own");
            }
        }
        Some(None) => {}
    }
}

fn roles(reader: &Reader<'_>) -> Vec<(Role, Vec<String>)> {
    let Some(table) = reader.table("roles") else { return Vec::new() };
    let mut roles = Vec::new();
    for (key, role) in [("viewer", Role::Viewer), ("operator", Role::Operator), ("owner", Role::Owner)] {
        let values = table.texts(key).unwrap_or_default();
        for empty in values.iter().filter(|found| found.value.is_empty()) {
            table.wrong(&empty.place, format!("{} has an empty claim value", table.name(key)), "leave it out");
        }
        roles.push((role, values.into_iter().map(|found| found.value.to_owned()).collect()));
    }
    table.finish();
    roles
}

/// Owners by identity: a misspelt issuer would name nobody.
fn owners(reader: &Reader<'_>, providers: &Parts<Provider>) -> Vec<(String, String)> {
    let issuers: Option<Vec<&str>> =
        providers.values().map(|provider| provider.as_ref().map(|provider| provider.issuer.as_str())).collect();
    let mut owners = Vec::new();
    for owner in reader.list_of_tables("owners") {
        let issuer = owner.required("issuer", "\"https://id.example.com\"");
        let sub = owner.required("sub", "\"1234\"");
        owner.finish();
        if let (Some(found), Some(issuers)) = (&issuer, &issuers)
            && !issuers.contains(&found.value)
        {
            let help = match keys::nearest(found.value, issuers.iter().copied()) {
                Some(near) => format!("did you mean {near}? An issuer is compared character by character"),
                None => format!("known issuers: {}", issuers.join(", ")),
            };
            owner.clash(&found.place, format!("no provider has the issuer {}", quoted(found.value)), help);
        }
        owners.extend(issuer.zip(sub).map(|(issuer, sub)| (issuer.value.to_owned(), sub.value.to_owned())));
    }
    owners
}
