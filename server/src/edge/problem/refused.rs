//! What becomes of refusals once they are answers: how they are counted, and which of them count against their callers.

use std::error::Error;

use http::Response;

/// Marks an answer of the gateway's own that is a refusal, by its code.
#[derive(Clone, Copy, Debug)]
pub struct RefusalCode(pub &'static str);

impl RefusalCode {
    /// The code of an answer that refuses a request for what the caller did, not for trouble of ours.
    #[must_use]
    pub fn of<T>(answer: &Response<T>) -> Option<Self> {
        answer.extensions().get().copied().filter(|_| answer.status().is_client_error())
    }

    /// Whether it is told of what nobody in order sends. Not so what tells honest callers to sign in, or to wait.
    #[must_use]
    pub fn is_wrong(self, status: u16) -> bool {
        match status {
            401 => self.0.starts_with("machine-token-") && self.0 != "machine-token-needed",
            status => matches!(status, 400 | 403..=407 | 421),
        }
    }
}

/// What lies behind an error, which its own text keeps from the caller: for the log.
pub(super) fn cause(error: &(dyn Error + 'static)) -> Option<String> {
    std::iter::successors(error.source(), |&error| error.source()).last().map(ToString::to_string)
}
