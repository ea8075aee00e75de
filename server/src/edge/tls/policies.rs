//! Which certificate a connection gets, and which sites it may then ask for (P16).

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;

use super::MinVersion;
use super::certificate::{Certificate, Trouble};

/// What clients may speak, the better one first (RFC 7301).
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Every policy, in the order of the configuration. Replaced as a whole.
#[derive(Debug)]
pub struct Policies {
    all: Vec<Policy>,
    /// The policy of each site by the site's number.
    of_sites: Vec<usize>,
    /// Of clients that name no host: they want a site whose host is an address.
    nameless: Option<usize>,
}

/// One certificate and what goes with it. Tickets are sealed under a key of its own: a session made under one policy is
/// not resumed under another.
#[derive(Debug)]
struct Policy {
    certificate: Certificate,
    config: Arc<ServerConfig>,
}

/// The policy that a connection was made under.
#[derive(Clone, Debug)]
pub struct Secured {
    policies: Arc<Policies>,
    number: usize,
}

impl Policies {
    /// Policies for sites, by their numbers.
    ///
    /// # Errors
    /// [`Trouble`] when a site has no certificate, or one cannot be used.
    pub fn new(certificates: Vec<Certificate>, hosts: &[Box<str>], min_version: MinVersion) -> Result<Self, Trouble> {
        let of_host = |host: &str| {
            let first = certificates.iter().position(|certificate| certificate.covers(host));
            first.ok_or_else(|| Trouble::Uncovered { host: host.into() })
        };
        let of_sites = hosts.iter().map(|host| of_host(host)).collect::<Result<Vec<_>, _>>()?;
        let addressed = hosts.iter().zip(&of_sites).find(|(host, _)| is_address(host));
        let nameless = addressed.map(|(_, policy)| *policy);
        let all = certificates.into_iter().map(|certificate| Policy::new(certificate, min_version));
        Ok(Self { all: all.collect::<Result<_, _>>()?, of_sites, nameless })
    }

    /// The policy of a client that names a host, or none (RFC 6066 section 3).
    pub(super) fn find(self: Arc<Self>, named: Option<&str>) -> Option<(Arc<ServerConfig>, Secured)> {
        let number = match named {
            Some(name) => self.all.iter().position(|policy| policy.certificate.covers(name)),
            None => self.nameless,
        }?;
        let config = Arc::clone(&self.all.get(number)?.config);
        Some((config, Secured { policies: self, number }))
    }

    pub(super) fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.all.iter().map(|policy| &policy.certificate)
    }
}

impl Secured {
    /// Whether a request for a site may come over this connection: the site has the same policy.
    #[must_use]
    pub fn reaches(&self, site: usize) -> bool {
        self.policies.of_sites.get(site) == Some(&self.number)
    }
}

impl Policy {
    fn new(certificate: Certificate, min_version: MinVersion) -> Result<Self, Trouble> {
        let unusable = |error| Trouble::Unusable { path: certificate.files().cert.clone(), error };
        let versions: &[_] = match min_version {
            MinVersion::Tls12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
            MinVersion::Tls13 => &[&rustls::version::TLS13],
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .map_err(unusable)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&certificate.key))));
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        // Sealed tickets instead of a table in memory: nothing grows, and no lock is shared by workers.
        config.ticketer = Ticketer::new().map_err(unusable)?;
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        // Data before the handshake's end could be replayed (RFC 8446 section 8).
        config.max_early_data_size = 0;
        Ok(Self { certificate, config: Arc::new(config) })
    }
}

fn is_address(host: &str) -> bool {
    matches!(ServerName::try_from(host.trim_matches(['[', ']'])), Ok(ServerName::IpAddress(_)))
}
