//! `[policies.ID]`, and the policies that stand at their routes.

use std::collections::BTreeSet;
use std::sync::Arc;

use cloakroom_core::machine::MachineIssuer;
use cloakroom_core::policy::{ClaimTest, MailDomain, Network, Policy, Test};

use super::{Parts, claims, known};
use crate::config::mask::quoted;
use crate::config::model::{Client, MobileClient, Provider};
use crate::config::reader::{Found, Reader};

/// How deep `any` may lie in `any`: deeper ones are not read by people either.
const DEEPEST: usize = 3;
/// A year: an older sign-in is no proof of anything.
const MOST_AGE_SECS: i64 = 31_536_000;

/// What policies may refer to.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) providers: &'a Parts<Provider>,
    pub(super) clients: &'a Parts<Client>,
    pub(super) apps: &'a Parts<MobileClient>,
    pub(super) machines: &'a Parts<MachineIssuer>,
}

pub(super) fn policies(root: &Reader<'_>, names: Names<'_>) -> Parts<Arc<Policy>> {
    let all = root.tables_by_id("policies").into_iter();
    all.map(|(id, reader)| {
        let tests = tests(&reader, names, 0);
        (id.clone(), Some(Arc::new(Policy { name: Some(id.into()), tests })))
    })
    .collect()
}

/// A route's policy: one by its name, or one of its own.
pub(super) fn of_route(
    reader: &Reader<'_>,
    policies: &Parts<Arc<Policy>>,
    names: Names<'_>,
) -> Option<Found<Arc<Policy>>> {
    if reader.is_table("policy") {
        let own = reader.table("policy")?;
        let policy = Policy { name: None, tests: tests(&own, names, 0) };
        return Some(Found { value: Arc::new(policy), place: own.place().clone() });
    }
    let found = reader.text("policy")?;
    let Some(policy) = policies.get(found.value) else {
        let what = format!("{} names no policy: {}", reader.name("policy"), quoted(found.value));
        reader.clash(&found.place, what, known("policies", policies.keys(), found.value));
        return None;
    };
    policy.clone().map(|value| Found { value, place: found.place })
}

/// Every key of one table; they must all hold.
fn tests(reader: &Reader<'_>, names: Names<'_>, depth: usize) -> Vec<Test> {
    let before = reader.mistakes();
    let mut tests = Vec::new();
    for scope in words(reader, "scopes") {
        tests.push(Test::Scope(scope));
    }
    let role_claim = claims::path(reader, "role_claim", Some("roles"));
    let group_claim = claims::path(reader, "group_claim", Some("groups"));
    let mut list = |any_of: Vec<Box<str>>, test: &dyn Fn(Vec<Box<str>>) -> Option<Test>| {
        if !any_of.is_empty() {
            tests.extend(test(any_of));
        }
    };
    list(words(reader, "roles"), &|any_of| Some(Test::Role(role_claim.clone()?, any_of)));
    list(words(reader, "groups"), &|any_of| Some(Test::Group(group_claim.clone()?, any_of)));
    list(ids(reader, "providers", names.providers), &|any_of| Some(Test::Provider(any_of)));
    list(ids(reader, "machines", names.machines), &|any_of| Some(Test::Machine(any_of)));
    list(words(reader, "acr"), &|any_of| Some(Test::Acr(any_of)));
    for claim in reader.list_of_tables("claims") {
        tests.extend(claim_test(&claim));
    }
    let domains: Vec<_> = read_each(reader, "mail_domains", "a domain such as example.com", MailDomain::parse);
    if !domains.is_empty() {
        tests.push(Test::Mail(domains));
    }
    tests.extend(tenant(reader, names));
    if reader.has("max_age_secs") {
        tests.push(Test::MaxAge(reader.number("max_age_secs", 1..=MOST_AGE_SECS, MOST_AGE_SECS).value));
    }
    let allowed = "an address or a network, such as 10.0.0.0/8 or 2001:db8::/32";
    let networks: Vec<_> = read_each(reader, "networks", allowed, Network::parse);
    if !networks.is_empty() {
        tests.push(Test::Network(networks));
    }
    tests.extend(any(reader, names, depth));
    reader.finish();
    for (key, of) in [("role_claim", "roles"), ("group_claim", "groups")] {
        if reader.has(key) && !reader.has(of) {
            let what = format!("{} changes nothing without {of}", reader.name(key));
            reader.clash(reader.place(), what, format!("add {of}, or leave {key} out"));
        }
    }
    if tests.is_empty() && reader.mistakes() == before {
        reader.clash(
            reader.place(),
            "this policy asks for nothing, so it would let anybody in",
            "add what it asks for, such as groups = [\"staff\"]",
        );
    }
    tests
}

/// `any = [{ … }, { … }]`: at least one of them must hold as a whole.
fn any(reader: &Reader<'_>, names: Names<'_>, depth: usize) -> Option<Test> {
    if !reader.has("any") {
        // Asked for all the same, so that the key is known.
        return reader.list_of_tables("any").pop().and(None);
    }
    let ways = reader.list_of_tables("any");
    if depth >= DEEPEST {
        reader.wrong(reader.place(), format!("{} lies too deep", reader.name("any")), "write a policy that is flatter");
        return None;
    }
    if ways.is_empty() {
        let what = format!("{} is empty, so nobody could meet it", reader.name("any"));
        reader.clash(reader.place(), what, "add at least one way, or leave any out");
    }
    Some(Test::Any(ways.iter().map(|way| tests(way, names, depth + 1)).collect()))
}

/// `{ claim = "department", equals = "it" }`
fn claim_test(reader: &Reader<'_>) -> Option<Test> {
    if !reader.has("claim") {
        reader.missing("claim", "\"department\"");
    }
    let path = claims::path(reader, "claim", None);
    let equals = reader.scalar("equals").map(|found| ClaimTest::Equals(found.value));
    let contains = reader.text("contains").map(|found| ClaimTest::Contains(found.value.into()));
    let one_of = Some(words(reader, "one_of")).filter(|list| !list.is_empty()).map(ClaimTest::OneOf);
    reader.finish();
    let mut tests = [equals, contains, one_of].into_iter().flatten();
    let said = ["equals", "contains", "one_of"].into_iter().filter(|key| reader.has(key)).count();
    if said != 1 {
        let what = format!("{} must say exactly one of equals, contains, one_of", reader.name("claim"));
        reader.clash(reader.place(), what, "such as { claim = \"department\", equals = \"it\" }");
    }
    Some(Test::Claim(path?, tests.next()?))
}

/// A list of texts, none of them empty; nor is the list, where there is one.
fn words(reader: &Reader<'_>, key: &'static str) -> Vec<Box<str>> {
    read_each(reader, key, "texts with something in them", |text| {
        if text.is_empty() { Err("is empty") } else { Ok(Box::from(text)) }
    })
}

fn read_each<T, E: std::fmt::Display>(
    reader: &Reader<'_>,
    key: &'static str,
    allowed: &str,
    read: impl Fn(&str) -> Result<T, E>,
) -> Vec<T> {
    let Some(list) = reader.texts(key) else { return Vec::new() };
    if list.is_empty() {
        let what = format!("{} is empty, so nobody could meet it", reader.name(key));
        reader.clash(reader.place(), what, format!("add at least one value, or leave {key} out"));
    }
    let mut values = Vec::new();
    for found in list {
        match read(found.value) {
            Ok(value) => values.push(value),
            Err(why) => {
                let what = format!("{}: {} {why}", reader.name(key), quoted(found.value));
                reader.wrong(&found.place, what, format!("allowed: {allowed}"));
            }
        }
    }
    values
}

/// Ids of parts that are there.
fn ids<T>(reader: &Reader<'_>, key: &'static str, parts: &Parts<T>) -> Vec<Box<str>> {
    for found in reader.texts(key).unwrap_or_default() {
        if !parts.contains_key(found.value) {
            let what = format!("{}: {} is none of the {key}", reader.name(key), quoted(found.value));
            reader.clash(&found.place, what, known(key, parts.keys(), found.value));
        }
    }
    words(reader, key)
}

fn tenant(reader: &Reader<'_>, names: Names<'_>) -> Option<Test> {
    let found = reader.text("tenant")?;
    let web = names.clients.values().flatten().map(|client| &client.tenant);
    let tenants: BTreeSet<&String> = web.chain(names.apps.values().flatten().map(|app| &app.tenant)).collect();
    if !tenants.iter().any(|tenant| *tenant == found.value) {
        let what = format!("{} is no client's tenant: {}", reader.name("tenant"), quoted(found.value));
        reader.clash(&found.place, what, known("tenants", tenants, found.value));
    }
    Some(Test::Tenant(found.value.into()))
}
