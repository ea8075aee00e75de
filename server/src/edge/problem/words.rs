//! What people read of a refusal beside what happened: what it is called, and the way on.

use super::Refusal;

impl Refusal {
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::UnknownHost => "Unknown site",
            Self::OtherConnection => "Another connection needed",
            Self::BadPath(_)
            | Self::BadRequest(_)
            | Self::BadParameter { .. }
            | Self::LogoutToken(_)
            | Self::MixedCredentials => "Bad request",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed { .. } => "Method not allowed",
            Self::Forgery(_) | Self::OAuth(_) => "Request refused",
            Self::SignInNeeded { .. } | Self::FormNotKept { .. } | Self::SignInAgain { .. } => "Sign in needed",
            Self::SessionOver { .. } => "Session over",
            Self::MachineTokenNeeded => "Access token needed",
            Self::MachineToken(_) => "Access token refused",
            Self::StepUp { .. } => "Confirm that it is you",
            Self::RoleNeeded { .. } | Self::TenantNeeded | Self::NotPermitted { .. } => "Not allowed",
            Self::Changed { .. } => "Changed meanwhile",
            Self::TryLater { .. } | Self::TooMany { .. } => "Try again soon",
            Self::BodyTooLong { .. } => "Too much data",
            Self::Framing(_) => "The request cannot be read",
            Self::TokenNotGranted(_) => "No token for the application",
            Self::Upstream(_) => "The application did not answer",
            Self::Login { .. } => "Sign-in did not succeed",
            Self::Broken => "Something is broken",
        }
    }

    /// Where a person can go on from here.
    pub(super) fn way_on(&self) -> Option<(&str, &'static str)> {
        match self {
            Self::SignInNeeded { login_url }
            | Self::FormNotKept { login_url }
            | Self::SignInAgain { login_url }
            | Self::SessionOver { login_url, .. } => Some((login_url, "Sign in")),
            Self::StepUp { step_up_url, .. } => Some((step_up_url, "Confirm that it is you")),
            Self::Login { again, .. } => Some((again, "Try again")),
            _ => None,
        }
    }
}
