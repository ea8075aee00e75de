//! Acts that need a recent login: whoever sits down at an unlocked screen has none (A12, S20).

use cloakroom_core::clock::UnixMs;
use cloakroom_core::policy::StepUp;
use cloakroom_core::session::open::Live;

use super::client::Site;
use super::problem::Refusal;

/// Whether the person proved who they are within `secs`.
///
/// # Errors
/// [`Refusal::StepUp`] with the address where to do it, which comes back to `return_to`.
pub fn login(live: &Live, site: &Site, now: UnixMs, secs: i64, return_to: &str) -> Result<(), Refusal> {
    if live.values().auth_time.is_some_and(|at| now.secs().saturating_sub(at) <= secs) {
        return Ok(());
    }
    let ask = StepUp { acr_values: Vec::new(), max_age_secs: Some(secs) };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("max_age", &secs.to_string()).append_pair("return_to", return_to);
    Err(Refusal::StepUp { ask, step_up_url: format!("{}?{}", site.login_url(), query.finish()) })
}
