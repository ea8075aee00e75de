//! Claims, as policies, the console's roles and mappings name them.

use cloakroom_core::oidc::{ClaimMap, NotMappable};
use cloakroom_core::policy::ClaimPath;

use crate::config::reader::{Reader, Words};

const ALLOWED: &str =
    "a claim's name; dots lead into nested claims, such as realm_access.roles; a URL is one name; or a list of parts";

/// A claim's path: text, or a list of its parts.
pub(super) fn path(reader: &Reader<'_>, key: &'static str, default: Option<&str>) -> Option<ClaimPath> {
    if reader.is_list(key) {
        let parts = reader.texts(key).unwrap_or_default();
        let path = ClaimPath::exact(parts.iter().map(|part| part.value));
        if let Err(why) = &path {
            let what = format!("{} {why}", reader.name(key));
            reader.wrong(&reader.place_of(&[key]), what, format!("allowed: {ALLOWED}"));
        }
        return path.ok();
    }
    let found = reader.text(key);
    if !reader.has(key) {
        return default.and_then(|name| ClaimPath::parse(name).ok());
    }
    let read = |text: &str| ClaimPath::parse(text).map_err(|why| why.to_string());
    reader.parsed(found, key, ALLOWED, read).map(|found| found.value)
}

/// `claims = { roles = "realm_access.roles" }`: for each claim, where the provider says it.
pub(super) fn mapping(reader: &Reader<'_>) -> ClaimMap {
    let Some(table) = reader.table("claims") else { return ClaimMap::default() };
    let mut entries = Vec::new();
    for (name, found) in table.free_words() {
        let path = match &found.value {
            Words::One(text) => ClaimPath::parse(text),
            Words::List(parts) => ClaimPath::exact(parts.iter().copied()),
        };
        match path {
            Ok(path) => entries.push((name.to_owned(), path)),
            Err(why) => table.wrong(&found.place, format!("{} {why}", table.name(name)), format!("allowed: {ALLOWED}")),
        }
    }
    ClaimMap::new(entries).unwrap_or_else(|(name, why)| {
        let help = match why {
            NotMappable::Reserved => "leave it out: a mapping changes neither who somebody is nor what they proved",
            NotMappable::FromMapped => "read it from the claim that the provider sends",
        };
        table.wrong(&table.place_of(&[&name]), format!("{} {why}", table.name(&name)), help);
        ClaimMap::default()
    })
}
