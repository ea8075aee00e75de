//! Clients: the apps that sign people in here.

use cloakroom_api::{Client, Source};

use super::decode::{codes, record};
use crate::state::query_string::encode;

codes!(Source { File = "file" });
record!(Client {
    id,
    name,
    kind,
    tenant,
    source,
    registrations,
    origins,
    base_path,
    issuer,
    idle_secs,
    absolute_secs,
    trusted_origins,
    return_urls,
    redirect_uris,
    live_sessions,
});

const CLIENTS: &str = "/admin/api/v1/clients";

/// Every client.
pub(crate) fn list() -> String {
    CLIENTS.to_owned()
}

/// One of them.
pub(crate) fn one(id: &str) -> String {
    format!("{CLIENTS}/{}", encode(id))
}

#[cfg(test)]
mod tests {
    use super::super::decode::Decode;
    use super::super::json::Json;
    use super::*;

    #[test]
    fn a_client_is_read_as_serde_reads_it() {
        let text = r#"{"id":"app","name":"App","kind":"web","tenant":"","source":"file","registrations":["main.web"],
            "origins":["https://app.example.com"],"base_path":"/bff","idle_secs":3600,"absolute_secs":36000,
            "trusted_origins":[],"return_urls":[],"redirect_uris":[],"live_sessions":7}"#;
        let expected: Client = serde_json::from_str(text).unwrap();
        assert_eq!(Client::decode(&Json::parse(text).unwrap()), Some(expected));
    }
}
