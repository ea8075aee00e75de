//! TLS on the public listener: one policy per configured certificate, chosen by the name that the client asks for, and
//! replaced as a whole when the files change. Connections that are open keep what they were made with.

mod certificate;
mod handshake;
mod policies;
mod reload;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use arc_swap::ArcSwap;

pub use certificate::{Certificate, Files, Trouble};
pub use handshake::HandshakeError;
pub use policies::{Policies, Secured};
pub use reload::keep_fresh;

/// The oldest version of TLS that is spoken. Nothing below 1.2 can be configured (RFC 8996).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinVersion {
    /// TLS 1.2 and 1.3.
    Tls12,
    /// TLS 1.3 alone.
    Tls13,
}

/// What is configured beside the certificates.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The oldest version.
    pub min_version: MinVersion,
    /// How long a handshake may take.
    pub handshake_timeout: Duration,
    /// How many handshakes may be under way at once, over all workers.
    pub max_handshakes: usize,
    /// How often the files are looked at.
    pub reload_every: Duration,
}

/// The listener's TLS.
pub struct Tls {
    current: ArcSwap<Policies>,
    /// Host names of the sites, by the sites' numbers.
    hosts: Vec<Box<str>>,
    settings: Settings,
    under_way: AtomicUsize,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Tls {
    /// TLS for sites, by their numbers.
    ///
    /// # Errors
    /// [`Trouble`] when a site has no certificate, or one cannot be used.
    pub fn new(settings: Settings, certificates: Vec<Certificate>, hosts: Vec<Box<str>>) -> Result<Self, Trouble> {
        let policies = Policies::new(certificates, &hosts, settings.min_version)?;
        Ok(Self { current: ArcSwap::from_pointee(policies), hosts, settings, under_way: AtomicUsize::new(0) })
    }

    fn current(&self) -> Arc<Policies> {
        self.current.load_full()
    }
}
