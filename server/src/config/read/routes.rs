//! `[upstreams.ID]` and `[[routes]]`.

use std::sync::Arc;
use std::time::Duration;

use http::Method;

use cloakroom_core::policy::{Access, Callers, Policy, Test};

use super::clients::OWN_PATHS;
use super::policies::{self, Names};
use super::{Outside, Parts, known, rates, tokens, trust, web};
use crate::config::mask::quoted;
use crate::config::model::{Documents, Route, RouteTo, Site, TokenMode, Upstream};
use crate::config::reader::{Found, Reader};
use crate::config::report::Mistake;
use crate::config::tree::Place;
use crate::edge::antiforgery::Kind;

pub(super) fn upstreams(root: &Reader<'_>, outside: &Outside<'_>) -> Parts<Upstream> {
    root.tables_by_id("upstreams").into_iter().map(|(id, reader)| (id, upstream(&reader, outside))).collect()
}

fn upstream(reader: &Reader<'_>, outside: &Outside<'_>) -> Option<Upstream> {
    let allowed = "http:// or https://, a host, and a port if need be; no path";
    let url = reader.parsed(reader.required("url", "\"http://127.0.0.1:4000\""), "url", allowed, web::base);
    let millis = |key, most, default| {
        Duration::from_millis(u64::try_from(reader.number(key, 1..=most, default).value).unwrap_or(0))
    };
    let connect_timeout = millis("connect_timeout_ms", 60_000, 2_000);
    let response_timeout = millis("response_timeout_ms", 3_600_000, 30_000);
    let idle_timeout = millis("idle_timeout_ms", 86_400_000, 60_000);
    let allow_plain_http = reader.flag("allow_plain_http").value;
    let https = url.as_ref().is_none_or(|url| url.value.scheme() == "https");
    let trust = trust::trust(reader, https, outside);
    reader.finish();
    Some(Upstream { url: url?.value, connect_timeout, response_timeout, idle_timeout, allow_plain_http, trust: trust? })
}

/// What routes refer to.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) sites: &'a Parts<Site>,
    pub(super) upstreams: &'a Parts<Upstream>,
    pub(super) policies: &'a Parts<Arc<Policy>>,
    pub(super) names: Names<'a>,
    pub(super) outside: &'a Outside<'a>,
    /// Whether proxies in front may ask.
    pub(super) forward_auth: bool,
}

pub(super) fn routes(root: &Reader<'_>, known: &Known<'_>) -> Vec<Option<Route>> {
    let mut before: Vec<(Route, Place)> = Vec::new();
    let mut broken = Vec::new();
    for reader in root.list_of_tables("routes") {
        let Some((route, place)) = route(&reader, known) else {
            broken.push(None);
            continue;
        };
        if let Some((_, other)) = before.iter().find(|(other, _)| hides(other, &route)) {
            let what = "this route is never used: an earlier one takes its path and methods";
            let help = "of routes with one path, put those with fewer methods first, or leave this one out";
            reader.note(Mistake::new(place.clone(), what, help).following().beside(other.clone(), "the earlier one"));
        }
        before.push((route, place));
    }
    before.into_iter().map(|(route, _)| Some(route)).chain(broken).collect()
}

/// Whether a later route would never be used: of two with the same prefix, the first that takes the method wins.
fn hides(earlier: &Route, later: &Route) -> bool {
    let prefix = |route: &Route| route.path.trim_end_matches('/').to_owned();
    let all = earlier.methods.is_empty()
        || (!later.methods.is_empty() && later.methods.iter().all(|method| earlier.methods.contains(method)));
    all && earlier.site == later.site && prefix(earlier) == prefix(later)
}

/// A route, and where its path stands.
fn route(reader: &Reader<'_>, known: &Known<'_>) -> Option<(Route, Place)> {
    let Known { sites, upstreams, .. } = *known;
    let site = named(reader, reader.required("site", "\"app\""), "site", sites);
    let to = destination(reader, known);
    let allowed = "a path in normal form, such as /api/";
    let path = reader.parsed(reader.required("path", "\"/api/\""), "path", allowed, web::normal_path);
    let site_id = site.as_ref().map(|found| found.value);
    let at = site_id.and_then(|id| sites.get(id)).and_then(Option::as_ref);
    if let Some(found) = &path {
        check_path(reader, found, at);
    }
    let methods = methods(reader);
    let kind = reader.one_of("kind", &[("api", Kind::Api), ("page", Kind::Page)], Kind::Api);
    let forms = reader.flag("forms");
    let (kind, documents) = kind_and_documents(reader, kind.value, &forms);
    let token = tokens::token(reader, known.names.providers);
    let signed_in = [("signed_in", Access::SignedIn), ("anonymous", Access::Anonymous)];
    let access = reader.one_of("access", &signed_in, Access::SignedIn);
    let callers = callers(reader, known);
    let policy = policies::of_route(reader, known.policies, known.names);
    let body_limit = reader.number("body_limit_bytes", 0..=1_099_511_627_776, 10_485_760);
    let limit = rates::of_route(reader);
    reader.finish();
    let may_sign_in = |site: &Site| {
        let apps = known.names.apps.values().flatten();
        site.client.is_some() || apps.flat_map(|app| &app.sites).any(|id| site_id == Some(id.as_str()))
    };
    let nobody_can = callers.value.sessions() && at.is_some_and(|site| !may_sign_in(site));
    check_access(reader, &access, &forms, nobody_can);
    check_callers(reader, &callers, access.value, &token.value);
    check_policy(reader, access.value, policy.as_ref());
    tokens::check(reader, &token, access.value, to.as_ref().and_then(|to| service(to, upstreams)));
    check_folder(reader, to.as_ref(), &token, &forms);
    let path = path?;
    let route = Route {
        site: site?.value.to_owned(),
        path: path.value,
        methods,
        to: to?,
        kind,
        documents,
        token: token.value,
        access: access.value,
        callers: callers.value,
        policy: policy.map(|found| found.value),
        body_limit_bytes: u64::try_from(body_limit.value).unwrap_or(0),
        limit,
    };
    Some((route, path.place))
}

/// An upstream, a folder, or wherever the proxy in front sends it: one of them.
fn destination(reader: &Reader<'_>, known: &Known<'_>) -> Option<RouteTo> {
    let outside = reader.flag("forward_auth");
    if outside.value {
        let places = [("folder", reader.text("folder")), ("upstream", reader.text("upstream"))];
        let keys = places.iter().map(|(key, _)| *key).chain(["documents", "body_limit_bytes"]);
        for key in keys.filter(|key| reader.has(key)) {
            let what = format!("{key} changes nothing where forward_auth = true: the proxy in front forwards");
            reader.clash(&outside.place, what, format!("leave {key} out, or forward_auth"));
        }
        if !known.forward_auth {
            let what = "forward_auth = true needs a secret that the proxy in front shows, or it could not ask";
            reader.clash(&outside.place, what, "set server.forward_auth_secret, or leave forward_auth out");
        }
        return Some(RouteTo::Outside);
    }
    let allowed = "a folder that is there, absolute or beside the configuration file";
    let folder = reader.parsed(reader.text("folder"), "folder", allowed, |text| {
        let path = known.outside.folder.join(text);
        if path.is_dir() { Ok(path) } else { Err("is no folder".into()) }
    });
    if reader.has("folder") {
        if let Some(found) = reader.text("upstream") {
            reader.clash(
                &found.place,
                "a route leads to an upstream or to a folder, not to both",
                "leave one of them out",
            );
        }
        return folder.map(|found| RouteTo::Folder(found.value));
    }
    let upstream = named(reader, reader.required("upstream", "\"api\""), "upstream", known.upstreams)?;
    Some(RouteTo::Upstream(upstream.value.to_owned()))
}

fn service<'a>(to: &RouteTo, upstreams: &'a Parts<Upstream>) -> Option<&'a Upstream> {
    match to {
        RouteTo::Upstream(id) => upstreams.get(id).and_then(Option::as_ref),
        RouteTo::Folder(_) | RouteTo::Outside => None,
    }
}

/// Files take nothing from callers.
fn check_folder(reader: &Reader<'_>, to: Option<&RouteTo>, token: &Found<TokenMode>, forms: &Found<bool>) {
    let Some(RouteTo::Folder(_)) = to else { return };
    if token.value != TokenMode::None {
        reader.clash(&token.place, "a folder takes no token", "leave token out, or name an upstream");
    }
    if forms.value {
        reader.clash(&forms.place, "a folder takes no forms", "leave forms out, or name an upstream");
    }
}

/// What flags make of a route's kind. Each is for API routes.
fn kind_and_documents(reader: &Reader<'_>, kind: Kind, forms: &Found<bool>) -> (Kind, Documents) {
    let (guarded, documents) = (reader.flag("csrf_on_get"), reader.flag("documents"));
    let named = [("forms", forms), ("csrf_on_get", &guarded), ("documents", &documents)];
    if kind == Kind::Page {
        for (name, flag) in named.into_iter().filter(|(_, flag)| flag.value) {
            let what = format!("{name} = true is for kind = \"api\"");
            reader.clash(&flag.place, what, format!("leave out {name}, or kind = \"page\""));
        }
        return (Kind::Page, Documents::Pages);
    }
    if guarded.value && forms.value {
        let what = "csrf_on_get = true asks for a header that the HTML forms of forms = true cannot send";
        reader.clash(&guarded.place, what, "leave one of them out");
    }
    let kind = if guarded.value {
        Kind::Guarded
    } else if forms.value {
        Kind::Forms
    } else {
        Kind::Api
    };
    (kind, if documents.value { Documents::Pages } else { Documents::Sandboxed })
}

/// Which kinds of callers a route takes (P15).
fn callers(reader: &Reader<'_>, known: &Known<'_>) -> Found<Callers> {
    let Some(list) = reader.texts("callers") else {
        return Found { value: Callers::Sessions, place: reader.place().clone() };
    };
    let mut kinds = (false, false);
    for found in &list {
        match found.value {
            "session" => kinds.0 = true,
            "machine" => kinds.1 = true,
            other => {
                let what = format!("{}: {} is no kind of caller", reader.name("callers"), quoted(other));
                reader.wrong(&found.place, what, "allowed: \"session\", \"machine\"");
            }
        }
    }
    let place = list.first().map_or_else(|| reader.place().clone(), |found| found.place.clone());
    if kinds.1 && known.names.machines.is_empty() {
        let what = "there is no [machines.ID], so no machine's token could be checked";
        reader.clash(&place, what, "add [machines.ID] with the issuer of their tokens, or leave machine out");
    }
    let value = match kinds {
        (true, true) => Callers::Both,
        (false, true) => Callers::Machines,
        (true, false) => Callers::Sessions,
        (false, false) => {
            let what = format!("{} names nobody, so nobody could call", reader.name("callers"));
            reader.clash(&place, what, "name \"session\" or \"machine\", or leave callers out");
            Callers::Sessions
        }
    };
    Found { value, place }
}

fn check_callers(reader: &Reader<'_>, callers: &Found<Callers>, access: Access, token: &TokenMode) {
    if !reader.has("callers") {
        return;
    }
    if access == Access::Anonymous {
        let what = "callers changes nothing where access = \"anonymous\": nobody is asked who they are";
        reader.clash(&callers.place, what, "leave callers out, or set access = \"signed_in\"");
    }
    if callers.value.machines() && matches!(token, TokenMode::User | TokenMode::Exchange(_) | TokenMode::Identity(_)) {
        let what = "this token mode is about a person in a session, and a machine has none";
        reader.clash(&callers.place, what, "give machines a route of their own with another token mode");
    }
}

/// What a route names must be there.
fn named<'a, T>(
    reader: &Reader<'a>,
    found: Option<Found<&'a str>>,
    key: &str,
    parts: &Parts<T>,
) -> Option<Found<&'a str>> {
    let found = found?;
    if !parts.contains_key(found.value) {
        let what = format!("{} names no {key}: {}", reader.name(key), quoted(found.value));
        reader.clash(&found.place, what, known(&format!("{key}s"), parts.keys(), found.value));
    }
    Some(found)
}

fn check_path(reader: &Reader<'_>, found: &Found<String>, at: Option<&Site>) {
    let base = at.map_or("/bff", |site| site.base_path.as_str());
    if let Some(own) = [base].into_iter().chain(OWN_PATHS).find(|own| web::is_under(&found.value, own)) {
        let what = format!("{own} is Cloakroom's own on this site: no route may stand at {}", quoted(&found.value));
        reader.wrong(&found.place, what, format!("choose a path that is not under {own}"));
    }
}

fn methods(reader: &Reader<'_>) -> Vec<Method> {
    let mut methods = Vec::new();
    for found in reader.texts("methods").unwrap_or_default() {
        let capitals = !found.value.is_empty() && found.value.bytes().all(|b| b.is_ascii_uppercase());
        match found.value.parse::<Method>() {
            Ok(Method::CONNECT | Method::TRACE) => {
                let what = format!("{} is forwarded nowhere", quoted(found.value));
                reader.wrong(&found.place, what, "leave it out");
            }
            Ok(method) if capitals => methods.push(method),
            _ => {
                let what = format!("{} is no method", quoted(found.value));
                reader.wrong(&found.place, what, "write methods in capitals, such as \"GET\"");
            }
        }
    }
    methods
}

fn check_access(reader: &Reader<'_>, access: &Found<Access>, forms: &Found<bool>, nobody_can: bool) {
    if access.value == Access::SignedIn && nobody_can {
        reader.clash(
            &access.place,
            "access = \"signed_in\" needs a site with a client, or nobody could sign in",
            "give the site a client, name it in a mobile client's sites, or let anybody in: access = \"anonymous\"",
        );
    }
    if forms.value && access.value == Access::Anonymous {
        let what = "forms = true changes nothing where access = \"anonymous\": no session is asked for";
        reader.clash(&forms.place, what, "leave forms out");
    }
}

/// Of callers who are not known, their network is all there is to ask about.
fn check_policy(reader: &Reader<'_>, access: Access, policy: Option<&Found<Arc<Policy>>>) {
    let Some(found) = policy else { return };
    if access == Access::Anonymous && !found.value.tests.iter().all(|test| matches!(test, Test::Network(_))) {
        let what = "the policy of a route with access = \"anonymous\" can ask for networks alone: nothing else is known of its callers";
        reader.clash(&found.place, what, "set access = \"signed_in\", or leave the policy out");
    }
}
