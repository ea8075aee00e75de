//! `WWW-Authenticate` of a 401 (RFC 9110 section 11.6.1).

use http::HeaderValue;

use cloakroom_core::machine::MachineFault;
use cloakroom_core::policy::StepUp;

/// A machine's token is refused (RFC 6750 section 3.1).
pub(super) fn token_refused(fault: &MachineFault) -> HeaderValue {
    match fault {
        MachineFault::Scope(scope) if is_plain(scope) => {
            HeaderValue::try_from(format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\""))
                .unwrap_or_else(|_| HeaderValue::from_static("Bearer error=\"insufficient_scope\""))
        }
        _ => HeaderValue::from_static("Bearer error=\"invalid_token\""),
    }
}

/// What a sign-in must prove (RFC 9470 section 3). Configured text that cannot stand in a quoted string is left out.
pub(super) fn insufficient_authentication(ask: &StepUp) -> HeaderValue {
    let mut text = String::from(
        "Bearer error=\"insufficient_user_authentication\", error_description=\"A better or newer sign-in is needed\"",
    );
    let values: Vec<&str> = ask.acr_values.iter().map(|value| &**value).filter(|value| is_plain(value)).collect();
    if !values.is_empty() {
        text.push_str(", acr_values=\"");
        text.push_str(&values.join(" "));
        text.push('"');
    }
    if let Some(secs) = ask.max_age_secs {
        text.push_str(", max_age=\"");
        text.push_str(&secs.to_string());
        text.push('"');
    }
    HeaderValue::try_from(text)
        .unwrap_or_else(|_| HeaderValue::from_static("Bearer error=\"insufficient_user_authentication\""))
}

/// Visible ASCII that needs no escape (RFC 9110 section 5.6.4).
fn is_plain(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}
