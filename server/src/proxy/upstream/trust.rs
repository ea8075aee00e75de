//! Whom TLS towards an upstream believes, and who the gateway is to it. Nothing here is ever "no check" (S17).

use std::sync::Arc;

use anyhow::Context as _;
use aws_lc_rs::digest;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::SingleCertAndKey;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::edge::tls::Certificate;

/// What is configured for one upstream.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Trust anchors in place of the machine's own; empty: those.
    pub anchors: Vec<CertificateDer<'static>>,
    /// What the gateway shows of itself where the upstream asks.
    pub client: Option<Certificate>,
    /// SHA-256 of the public keys (SPKI, RFC 7469 section 2.4), one of which the upstream's own certificate must have;
    /// empty: any.
    pub pins: Vec<[u8; 32]>,
}

impl Trust {
    /// Whether it is what every upstream gets.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        self.anchors.is_empty() && self.client.is_none() && self.pins.is_empty()
    }

    /// TLS that holds to it. Each has its own memory of sessions, so that none is resumed under another's trust (P16).
    ///
    /// # Errors
    /// When there is no trust anchor.
    pub fn client_config(&self) -> anyhow::Result<Arc<ClientConfig>> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let roots = Arc::new(self.roots()?);
        let usual = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build()?;
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let builder = if self.pins.is_empty() {
            builder.with_webpki_verifier(usual)
        } else {
            let verifier = Arc::new(Pinned { usual, pins: self.pins.clone() });
            builder.dangerous().with_custom_certificate_verifier(verifier)
        };
        Ok(Arc::new(match &self.client {
            Some(client) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(client.certified_key()))),
            None => builder.with_no_client_auth(),
        }))
    }

    fn roots(&self) -> anyhow::Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        if self.anchors.is_empty() {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            anyhow::ensure!(
                !roots.is_empty(),
                "this machine has no trust anchors for https upstreams; install ca-certificates"
            );
        }
        for anchor in &self.anchors {
            roots.add(anchor.clone()).context("a trust anchor cannot be used")?;
        }
        Ok(roots)
    }
}

/// The usual checks, and a public key that is known beside them. Only the upstream's own certificate counts: others
/// that it sends are not proven to be of its chain.
#[derive(Debug)]
struct Pinned {
    usual: Arc<WebPkiServerVerifier>,
    pins: Vec<[u8; 32]>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        let key = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        let hash = digest::digest(&digest::SHA256, key.as_ref());
        if self.pins.iter().any(|pin| pin.as_slice() == hash.as_ref()) {
            Ok(verified)
        } else {
            Err(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}
