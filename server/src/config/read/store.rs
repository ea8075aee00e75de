//! `[store]`: a SQLite file, or a PostgreSQL database whose address, where it holds a password, stands outside the file.

use std::path::PathBuf;
use std::time::Duration;

use cloakroom_store::{Address, Settings, Tls};
use secrecy::ExposeSecret as _;

use super::Outside;
use crate::config::reader::{Found, Reader};
use crate::config::secret::{self, Use};
use crate::config::store::Store;

const ALLOWED: &str = "sqlite: and the path of a file, such as sqlite:/var/lib/cloakroom/cloakroom.db, or \
     postgres://USER@HOST/DATABASE; with a password, \"env:NAME\", \"file:PATH\" or \"credential:NAME\" of the whole address";

/// Keys that mean something with PostgreSQL alone.
const OF_POSTGRES: [&str; 4] = ["reread_secs", "pool_size", "tls", "tls_ca"];

enum Url {
    Sqlite(PathBuf),
    Postgres(Address),
}

/// The store, where its witness is, and for how many days it keeps ended sessions.
pub(super) fn store(root: &Reader<'_>, outside: &Outside<'_>) -> Option<(Store, Option<PathBuf>, i64)> {
    let reader = root.table_or_missing("store", "{ url = \"sqlite:cloakroom.db\" }")?;
    let url = url(&reader, outside);
    let witness = witness(&reader, outside);
    let keep_ended_days = reader.number("keep_ended_days", 1..=3_650, 30).value;
    let reread = reader.number("reread_secs", 1..=3_600, 60).value;
    let pool_size = reader.number("pool_size", 2..=1_000, 16).value;
    let verify = reader.one_of("tls", &[("verify", true), ("off", false)], true);
    let ca = ca(&reader, outside);
    let store = match url.map(|url| url.value) {
        None => None,
        Some(Url::Sqlite(path)) => {
            for key in OF_POSTGRES.into_iter().filter(|key| reader.has(key)) {
                let what = format!("{} means nothing with a SQLite file", reader.name(key));
                reader.clash(&root.place_of(&["store", key]), what, "leave it out");
            }
            Some(Store::Sqlite(path))
        }
        Some(Url::Postgres(address)) => {
            let verify = if reader.has("tls") { verify.value } else { !address.is_local() };
            if !verify && !address.is_local() {
                let help = "whoever is on the way reads the sessions' rows and can change them; leave it out";
                reader.warn(&root.place_of(&["store", "tls"]), "the way to the database is not encrypted", help);
            }
            let tls = if verify { Tls::Verify { ca } } else { Tls::Off };
            let settings = Settings { address, tls, pool_size: u32::try_from(pool_size).unwrap_or(16) };
            Some(Store::Postgres { settings, reread: Duration::from_secs(u64::try_from(reread).unwrap_or(60)) })
        }
    };
    reader.finish();
    let store = store?;
    let beside = store.file().map(|path| path.with_added_extension("witness"));
    Some((store, witness.or(beside), keep_ended_days))
}

fn witness(reader: &Reader<'_>, outside: &Outside<'_>) -> Option<PathBuf> {
    let found = reader.text("witness")?;
    if found.value.is_empty() {
        reader.wrong(&found.place, "store.witness names no file", "write the path of a file that is not in the store");
        return None;
    }
    Some(outside.folder.join(found.value))
}

#[expect(clippy::disallowed_methods, reason = "the address is read into the store's own type, once")]
fn url(reader: &Reader<'_>, outside: &Outside<'_>) -> Option<Found<Url>> {
    let found = reader.required("url", "\"sqlite:cloakroom.db\"")?;
    if !["env:", "file:", "credential:"].iter().any(|kind| found.value.starts_with(kind)) {
        return reader.parsed(Some(found), "url", ALLOWED, |text| match read(text, outside)? {
            Url::Postgres(address) if address.has_password() => Err("holds a password".into()),
            url => Ok(url),
        });
    }
    let told = match secret::resolve(found.value, Use::ClientSecret, outside) {
        Err(told) => told,
        Ok(secret) => {
            if let Some(told) = secret.warning {
                reader.warn(&found.place, format!("store.url: {}", told.what), told.help);
            }
            match read(secret.text.expose_secret(), outside) {
                Ok(url) => return Some(Found { value: url, place: found.place }),
                Err(why) => {
                    secret::told(format!("{}: the address there {why}", found.value), format!("allowed: {ALLOWED}"))
                }
            }
        }
    };
    reader.wrong(&found.place, format!("store.url: {}", told.what), told.help);
    None
}

fn read(text: &str, outside: &Outside<'_>) -> Result<Url, String> {
    if text.starts_with("postgres:") || text.starts_with("postgresql:") {
        return Address::parse(text).map(Url::Postgres).map_err(str::to_owned);
    }
    let path = text.strip_prefix("sqlite:").ok_or("starts with neither sqlite: nor postgres:")?;
    match path {
        "" => Err("names no file".into()),
        ":memory:" => Err("is no file: sessions would not outlive the process".into()),
        path if path.starts_with("//") => Err("has // after sqlite:".into()),
        path if path.contains(['?', '#']) => Err("has parameters".into()),
        path => Ok(Url::Sqlite(outside.folder.join(path))),
    }
}

/// Certificates of authorities, which must be there.
fn ca(reader: &Reader<'_>, outside: &Outside<'_>) -> Option<PathBuf> {
    let found = reader.text("tls_ca")?;
    let path = found.value.strip_prefix("file:").filter(|path| !path.is_empty()).map(|path| outside.folder.join(path));
    let Some(path) = path else {
        reader.wrong(&found.place, "store.tls_ca names no file", "write \"file:PATH\" of certificates in PEM");
        return None;
    };
    if let Err(error) = std::fs::File::open(&path) {
        let what = format!("store.tls_ca: {} cannot be read: {error}", path.display());
        reader.wrong(&found.place, what, "let the user that Cloakroom runs as read it");
    }
    Some(path)
}
