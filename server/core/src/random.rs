//! Randomness as an argument, so that a whole login is repeatable in a test.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// Where unpredictable bytes come from: the operating system in the gateway, a seeded stream in tests.
pub trait Random: Send + Sync + 'static {
    /// Fills `out` with bytes that nobody can guess.
    fn fill(&self, out: &mut [u8]);
}

impl dyn Random {
    /// `N` fresh bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// 256 fresh bits as 43 characters of base64url, for state, nonce and PKCE verifiers
    /// (RFC 7636 section 4.1 asks for 43 to 128 characters).
    #[must_use]
    pub fn token(&self) -> String {
        let bytes = Zeroizing::new(self.bytes::<32>());
        URL_SAFE_NO_PAD.encode(bytes.as_slice())
    }
}

/// The operating system's generator, by way of `aws-lc`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::expect_used, reason = "without randomness nothing here is safe to go on")]
    fn fill(&self, out: &mut [u8]) {
        aws_lc_rs::rand::fill(out).expect("the operating system's random generator answers");
    }
}
