//! What becomes of refusals once they are answers: which of them count against their callers.

/// Marks an answer of the gateway's own that is a refusal, by its code.
#[derive(Clone, Copy, Debug)]
pub struct RefusalCode(pub &'static str);

impl RefusalCode {
    /// Whether an answer refuses what nobody in order sends. Not so what tells honest callers to sign in or to wait, or
    /// that the trouble is ours.
    #[must_use]
    pub fn is_wrong<T>(answer: &http::Response<T>) -> bool {
        answer.extensions().get().is_some_and(|Self(code)| match answer.status().as_u16() {
            401 => code.starts_with("machine-token-") && *code != "machine-token-needed",
            status => matches!(status, 400 | 403..=407 | 421),
        })
    }
}
