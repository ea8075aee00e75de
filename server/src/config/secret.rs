//! Secrets stand outside the file: `env:NAME`, `file:PATH` or `credential:NAME` (systemd's). They are read once, and shown nowhere.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::read::Outside;

/// More than any secret is long: a reference to a device or a log file by mistake must not be read for ever.
const MOST_BYTES: u64 = 64 * 1024;

/// What a secret is for, which says who may read its file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Its owner alone.
    RootKey,
    /// Whoever the platform that put it there lets: mounted secrets often have mode 0444 inside a closed container.
    /// Told as a warning.
    ClientSecret,
}

/// A secret that was read.
pub(super) struct Secret {
    pub(super) text: SecretString,
    /// What is worth a look about where it stands.
    pub(super) warning: Option<Told>,
}

/// What is wrong with a reference, and what to do.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) what: String,
    pub(super) help: String,
}

pub(super) fn told(what: impl Into<String>, help: impl Into<String>) -> Told {
    Told { what: what.into(), help: help.into() }
}

/// Reads a reference.
pub(super) fn resolve(reference: &str, to: Use, outside: &Outside<'_>) -> Result<Secret, Told> {
    let (text, warning) = if let Some(name) = reference.strip_prefix("env:") {
        (from_env(name, outside)?, None)
    } else if let Some(path) = reference.strip_prefix("file:") {
        from_file(&outside.folder.join(path), to, 0o077)?
    } else if let Some(name) = reference.strip_prefix("credential:") {
        // systemd gives a credential to the service alone; where it does so by an access list, the group's bits show
        // the list's mask.
        from_file(&credential(name, outside)?, to, 0o007)?
    } else {
        return Err(literal(to));
    };
    let text = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    if text.is_empty() {
        return Err(told(format!("{reference} is empty"), "put the secret there"));
    }
    Ok(Secret { text: SecretString::from(text), warning })
}

fn literal(to: Use) -> Told {
    let help = match to {
        Use::RootKey => "write \"file:root.key\", \"credential:NAME\" or \"env:NAME\", and put the key there",
        Use::ClientSecret => "write \"file:PATH\" or \"env:NAME\", and put the secret there",
    };
    told("a secret must not stand in this file", help)
}

/// Where systemd has put a credential of this service (`LoadCredential=`, `LoadCredentialEncrypted=`).
fn credential(name: &str, outside: &Outside<'_>) -> Result<PathBuf, Told> {
    if name.is_empty() || name.contains('/') || name == "." || name == ".." {
        return Err(told(format!("{name:?} is no credential's name"), "write credential:NAME, without a path"));
    }
    let Some(folder) = outside.env.get("CREDENTIALS_DIRECTORY") else {
        let help = format!("set LoadCredential={name}:PATH in the service's unit; elsewhere write file:PATH");
        return Err(told("systemd gave this process no credentials ($CREDENTIALS_DIRECTORY is not set)", help));
    };
    Ok(PathBuf::from(folder).join(name))
}

fn from_env(name: &str, outside: &Outside<'_>) -> Result<Zeroizing<String>, Told> {
    let Some(value) = outside.env.get(name) else {
        return Err(told(
            format!("the environment variable {name} is not set"),
            format!("set {name} for this process"),
        ));
    };
    let text = value.to_str().map(|text| Zeroizing::new(text.to_owned()));
    text.ok_or_else(|| told(format!("the environment variable {name} is not UTF-8"), "write it in UTF-8"))
}

fn from_file(path: &Path, to: Use, others: u32) -> Result<(Zeroizing<String>, Option<Told>), Told> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| {
        let help = match (error.kind(), to) {
            (ErrorKind::NotFound, Use::RootKey) => make_root_key(path),
            (ErrorKind::NotFound, Use::ClientSecret) => format!("write the secret to {shown}, with mode 600"),
            _ => "let the user that Cloakroom runs as read it".to_owned(),
        };
        told(format!("{shown} cannot be read: {error}"), help)
    };
    let facts = fs::metadata(path).map_err(unreadable)?;
    if facts.is_dir() {
        return Err(told(format!("{shown} is a folder"), "name a file"));
    }
    let mut warning = None;
    if facts.permissions().mode() & others != 0 {
        let what = format!("others can read {shown} (mode {:03o})", facts.permissions().mode() & 0o777);
        match to {
            Use::RootKey => return Err(told(what, format!("run: chmod 600 {shown}"))),
            Use::ClientSecret => {
                let help = format!("run: chmod 600 {shown} (unless what mounts it shuts others out)");
                warning = Some(told(what, help));
            }
        }
    }
    let mut text = Zeroizing::new(String::new());
    let file = File::open(path).map_err(unreadable)?;
    file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => told(format!("{shown} is not UTF-8 text"), "binary keys are written in base64"),
        _ => unreadable(error),
    })?;
    if text.len() as u64 > MOST_BYTES {
        return Err(told(format!("{shown} is longer than {MOST_BYTES} bytes"), "name the file of the secret"));
    }
    Ok((text, warning))
}

/// The line that makes a root key.
pub(super) fn make_root_key(path: &Path) -> String {
    format!("make one with: (umask 077; head -c 32 /dev/urandom | base64 > {})", path.display())
}
