//! What was refused, as audit events: one for each site and minute.

use serde_json::{Map, Value, json};

use cloakroom_core::audit::event::{Deed, Kind};

use crate::edge::refusals::{AtSite, Line};
use crate::gateway::Gateway;

/// Writes what was counted since the last time.
pub(super) async fn write(gateway: &Gateway) {
    for at in gateway.refusals.take() {
        let total = at.total;
        if let Err(error) = gateway.sessions.journal().write(deed(gateway, &at)).await {
            tracing::warn!(%error, total, "refusals that were counted are not in the audit log");
        }
    }
}

fn deed<'a>(gateway: &'a Gateway, at: &AtSite) -> Deed<'a> {
    let site = at.site.and_then(|number| gateway.sites.iter().find(|site| site.number == number));
    let client = site.and_then(|site| site.client.as_ref());
    let line = |line: &Line| json!({ "code": line.code, "network": line.network, "n": line.count });
    let most: Vec<_> = at.most.iter().map(line).collect();
    let facts = [("site", json!(site.map(|site| &site.id))), ("n", json!(at.total)), ("most", Value::Array(most))];
    Deed {
        kind: Kind::RequestsRefused,
        // What was for no tenant's site concerns the whole gateway.
        tenant: client.map_or("", |client| &client.tenant),
        session: None,
        client_id: client.map(|client| &*client.id),
        provider_id: None,
        subject: None,
        actor: None,
        facts: facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>(),
    }
}
