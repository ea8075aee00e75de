//! What a configuration means, in a few tables.

use cloakroom_core::policy::{Access, Callers};

use super::load::Loaded;
use super::model::{Config, Route, RouteTo, TokenMode};
use super::preset::Applied;
use crate::edge::antiforgery::Kind;
use crate::edge::client::SameSite;
use crate::edge::mobile_client::DpopMode;
use crate::edge::tls::Certificate;

/// The text that `cloakroom check` prints.
#[must_use]
pub fn summary(loaded: &Loaded) -> String {
    let config = &loaded.config;
    let server = &config.server;
    let mut text = format!("{}: no mistakes\n\n", loaded.path);
    text.push_str(&grid(&[
        ["public".into(), format!("{}, {} workers", server.listen, server.workers)],
        ["management".into(), server.management.to_string()],
        ["store".into(), config.store.to_string()],
    ]));
    text.push_str(&titled(["CERTIFICATE", "FOR"], certificates(config)));
    text.push_str(&titled(["PROVIDER", "ISSUER", "REGISTRATIONS"], providers(config)));
    text.push_str(&titled(["PRESET", "SETS", "TO", "BECAUSE"], presets(loaded)));
    text.push_str(&titled(["CLIENT", "NAME", "SESSIONS", "LOGS IN WITH"], clients(config)));
    text.push_str(&titled(["MOBILE APP", "NAME", "SESSIONS", "API", "MAY CALL"], mobile_clients(config)));
    text.push_str(&titled(["SITE", "ORIGIN", "CLIENT", "ENDPOINTS"], sites(config)));
    text.push_str(&titled(["ROUTE", "METHODS", "TO", "KIND", "WHO", "TOKEN"], routes(config)));
    text
}

fn certificates(config: &Config) -> Vec<[String; 2]> {
    let Some(tls) = &config.server.tls else { return Vec::new() };
    let row = |(number, certificate): (usize, &Certificate)| {
        let hosts = config.sites.values().map(|site| site.origin.host.as_str());
        let own: Vec<&str> = hosts.filter(|host| tls.first_for(host) == Some(number)).collect();
        [certificate.files().cert.display().to_string(), own.join(", ")]
    };
    tls.certificates.iter().enumerate().map(row).collect()
}

fn providers(config: &Config) -> Vec<[String; 3]> {
    let row = |(id, provider): (&String, &super::model::Provider)| {
        let registrations: Vec<&str> = provider.registrations.keys().map(String::as_str).collect();
        [id.clone(), provider.issuer.clone(), registrations.join(", ")]
    };
    config.providers.iter().map(row).collect()
}

fn presets(loaded: &Loaded) -> Vec<[String; 4]> {
    let row = |(provider, setting): &Applied| {
        [provider.clone(), setting.key.to_owned(), setting.value.to_owned(), setting.why.to_owned()]
    };
    loaded.presets.iter().map(row).collect()
}

fn clients(config: &Config) -> Vec<[String; 4]> {
    let row = |(id, client): (&String, &super::model::Client)| {
        let registrations: Vec<String> =
            client.registrations.iter().map(|one| format!("{}.{}", one.provider, one.registration)).collect();
        let same_site = match client.same_site {
            SameSite::Strict => "strict",
            SameSite::Lax => "lax",
        };
        let sessions = format!("idle {} s, at most {} s, {same_site}", client.idle_secs, client.absolute_secs);
        [id.clone(), client.name.clone(), sessions, registrations.join(", ")]
    };
    config.clients.iter().map(row).collect()
}

fn mobile_clients(config: &Config) -> Vec<[String; 5]> {
    let row = |(id, client): (&String, &super::model::MobileClient)| {
        let dpop = match client.dpop {
            DpopMode::Off => "",
            DpopMode::Optional => ", DPoP optional",
            DpopMode::Required => ", DPoP required",
        };
        let sessions = format!("idle {} s, at most {} s{dpop}", client.idle_secs, client.absolute_secs);
        let sites = if client.sites.is_empty() { "nothing".to_owned() } else { client.sites.join(", ") };
        [id.clone(), client.name.clone(), sessions, format!("{}/oauth", client.issuer_site), sites]
    };
    config.mobile_clients.iter().map(row).collect()
}

fn sites(config: &Config) -> Vec<[String; 4]> {
    let row = |(id, site): (&String, &super::model::Site)| {
        let console = config.admin.as_ref().is_some_and(|admin| admin.site == *id);
        let endpoints = if console { format!("{}, /admin", site.base_path) } else { site.base_path.clone() };
        [id.clone(), site.origin.text(), site.client.clone().unwrap_or_else(|| "none".to_owned()), endpoints]
    };
    config.sites.iter().map(row).collect()
}

fn routes(config: &Config) -> Vec<[String; 6]> {
    let row = |route: &Route| {
        let methods: Vec<&str> = route.methods.iter().map(http::Method::as_str).collect();
        let kind = match route.kind {
            Kind::Api => "api",
            Kind::Page => "page",
            Kind::Forms => "api and forms",
            Kind::Guarded => "api, header on all",
        };
        [
            format!("{}{}", route.site, route.path),
            if methods.is_empty() { "all".to_owned() } else { methods.join(" ") },
            match &route.to {
                RouteTo::Upstream(id) => id.clone(),
                RouteTo::Folder(path) => path.display().to_string(),
                RouteTo::Outside => "the proxy in front; its streams are not cut".to_owned(),
            },
            kind.to_owned(),
            who(route),
            match &route.token {
                TokenMode::None => "none".to_owned(),
                TokenMode::User => "user's".to_owned(),
                TokenMode::ClientCredentials(..) => "gateway's".to_owned(),
                TokenMode::Exchange(_) => "exchanged".to_owned(),
                TokenMode::Identity(_) => "identity".to_owned(),
            },
        ]
    };
    config.routes.iter().map(row).collect()
}

fn who(route: &Route) -> String {
    let access = match (route.access, route.callers) {
        (Access::Anonymous, _) => "anybody",
        (Access::SignedIn, Callers::Sessions) => "signed in",
        (Access::SignedIn, Callers::Machines) => "machines",
        (Access::SignedIn, Callers::Both) => "signed in or machines",
    };
    match &route.policy {
        None => access.to_owned(),
        Some(policy) => format!("{access}, {}", policy.name.as_deref().unwrap_or("own policy")),
    }
}

/// A table under its titles; nothing where it has no rows.
fn titled<const N: usize>(titles: [&str; N], rows: Vec<[String; N]>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let all: Vec<[String; N]> = [titles.map(str::to_owned)].into_iter().chain(rows).collect();
    format!("\n{}", grid(&all))
}

/// Rows in columns of equal width.
fn grid<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
