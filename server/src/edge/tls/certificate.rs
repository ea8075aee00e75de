//! A certificate's files: read, understood, and compared with one another, or refused with the reason (S17).

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

/// More than any chain or key is long: a device or a log file named by mistake must not be read for ever.
const MOST_BYTES: u64 = 1024 * 1024;

/// Where a certificate and its key stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The chain in PEM, the site's own certificate first.
    pub cert: PathBuf,
    /// The private key in PEM.
    pub key: PathBuf,
}

/// What tells one state of the files from another, without reading them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp([Option<(u64, u64, i64, i64)>; 2]);

/// A certificate that can be used.
#[derive(Clone, Debug)]
pub struct Certificate {
    files: Files,
    pub(super) key: Arc<CertifiedKey>,
}

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A file cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is no PEM, or holds nothing of what it should.
    #[error("{} holds no {what}", path.display())]
    Empty {
        /// Which.
        path: PathBuf,
        /// `certificate` or `private key`.
        what: &'static str,
    },
    /// The key is another certificate's.
    #[error("the key in {} does not belong to the certificate in {}", key.display(), cert.display())]
    OtherKey {
        /// The key's file.
        key: PathBuf,
        /// The certificate's.
        cert: PathBuf,
    },
    /// The library does not take it.
    #[error("{} cannot be used: {error}", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: rustls::Error,
    },
    /// No certificate is for a site.
    #[error("no certificate is for {host}")]
    Uncovered {
        /// The site's host name.
        host: Box<str>,
    },
}

impl Trouble {
    /// The file that is at fault.
    #[must_use]
    pub fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::Unreadable { path, .. } | Self::Empty { path, .. } | Self::Unusable { path, .. } => Some(path),
            Self::OtherKey { key, .. } => Some(key),
            Self::Uncovered { .. } => None,
        }
    }

    /// What the operator can do.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "name files that the user that Cloakroom runs as can read",
            Self::Empty { what: "private key", .. } => {
                "write the key in PEM, not encrypted (PKCS #8, PKCS #1 or SEC 1)"
            }
            Self::Empty { .. } => "write the chain in PEM, the site's own certificate first",
            Self::OtherKey { .. } => "name the key that the certificate was made for, and its own certificate first",
            Self::Unusable { .. } => "keys are ECDSA (P-256, P-384, P-521), Ed25519, or RSA of 2048 bits or more",
            Self::Uncovered { .. } => "list one whose names (subjectAltName) have that host, or a wildcard for it",
        }
    }
}

impl Certificate {
    /// Reads a certificate.
    ///
    /// # Errors
    /// [`Trouble`] with the file and the reason.
    pub fn read(files: Files) -> Result<Self, Trouble> {
        let chain = chain(&files.cert)?;
        let key = private_key(&files.key)?;
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let key = match CertifiedKey::from_der(chain, key, &provider) {
            Ok(key) => Arc::new(key),
            Err(rustls::Error::InconsistentKeys(_)) => {
                return Err(Trouble::OtherKey { key: files.key, cert: files.cert });
            }
            // It came from the certificate: the key's own errors are general ones.
            Err(error @ rustls::Error::InvalidCertificate(_)) => {
                return Err(Trouble::Unusable { path: files.cert, error });
            }
            Err(error) => return Err(Trouble::Unusable { path: files.key, error }),
        };
        // A chain may hold anything behind its first certificate, and every name question goes to the first.
        let first = key.end_entity_cert().and_then(|first| ParsedCertificate::try_from(first).map(|_| ()));
        first.map_err(|error| Trouble::Unusable { path: files.cert.clone(), error })?;
        Ok(Self { files, key })
    }

    /// Whether it is for a host, by its subject alternative names alone (RFC 9525 section 6.3).
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        let Ok(name) = ServerName::try_from(host.trim_matches(['[', ']'])) else { return false };
        let parsed = self.key.end_entity_cert().and_then(ParsedCertificate::try_from);
        parsed.is_ok_and(|parsed| verify_server_name(&parsed, &name).is_ok())
    }

    /// The chain and its key.
    #[must_use]
    pub fn certified_key(&self) -> CertifiedKey {
        (*self.key).clone()
    }

    /// Where it came from.
    #[must_use]
    pub const fn files(&self) -> &Files {
        &self.files
    }
}

impl Files {
    /// The mode of the key's file, where others than its owner may read it.
    #[must_use]
    pub fn open_to_others(&self) -> Option<u32> {
        let mode = fs::metadata(&self.key).ok()?.permissions().mode() & 0o777;
        (mode & 0o077 != 0).then_some(mode)
    }

    /// Symbolic links are followed: a mounted secret is replaced by turning one.
    pub(super) fn stamp(&self) -> Stamp {
        let of = |path: &Path| {
            let facts = fs::metadata(path).ok()?;
            Some((facts.ino(), facts.len(), facts.mtime(), facts.mtime_nsec()))
        };
        Stamp([of(&self.cert), of(&self.key)])
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let unreadable = |error| Trouble::Unreadable { path: path.to_owned(), error };
    let facts = fs::metadata(path).map_err(unreadable)?;
    if facts.is_dir() {
        return Err(unreadable(io::ErrorKind::IsADirectory.into()));
    }
    if facts.len() > MOST_BYTES {
        return Err(unreadable(io::ErrorKind::FileTooLarge.into()));
    }
    fs::read(path).map(Zeroizing::new).map_err(unreadable)
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Trouble> {
    let text = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(Trouble::Empty { path: path.to_owned(), what: "certificate" }),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Trouble> {
    let text = read(path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| Trouble::Empty { path: path.to_owned(), what: "private key" })
}
