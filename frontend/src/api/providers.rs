//! Identity providers.

use cloakroom_api::{Provider, ProviderTrouble, Registration};

use super::decode::record;

record!(Provider { id, name, issuer, registrations, live_sessions, discovered_at, last_error });
record!(ProviderTrouble { at, what });
record!(Registration { id, client_id, auth, scopes });

/// Every provider.
pub(crate) fn list() -> String {
    "/admin/api/v1/providers".to_owned()
}
