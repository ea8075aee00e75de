//! The gateway itself: its keys, its node, its configuration.

use cloakroom_api::{Configuration, Node, RingKey};

use super::decode::record;

record!(RingKey { id, since, active, sessions, audit_keys, live_of_its_time, not_seen_since });
record!(Node { host, version, started_at, workers, cached_sessions, store_ready });
record!(Configuration { file, text, overrides });

/// The key ring.
pub(crate) fn keys() -> String {
    "/admin/api/v1/keys".to_owned()
}

/// The nodes that serve.
pub(crate) fn nodes() -> String {
    "/admin/api/v1/nodes".to_owned()
}

/// The configuration that the node runs with.
pub(crate) fn configuration() -> String {
    "/admin/api/v1/configuration".to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::decode::Decode;
    use super::super::json::Json;
    use super::*;

    #[test]
    fn each_is_read_as_serde_reads_it() {
        let text = r#"{"id":"k","since":"s","active":true,"sessions":1,"audit_keys":2,"live_of_its_time":3,"not_seen_since":4}"#;
        let expected: RingKey = serde_json::from_str(text).unwrap();
        assert_eq!(RingKey::decode(&Json::parse(text).unwrap()), Some(expected));
        let text = r#"{"host":"h","version":"1","started_at":"s","workers":2,"cached_sessions":3,"store_ready":true}"#;
        let expected: Node = serde_json::from_str(text).unwrap();
        assert_eq!(Node::decode(&Json::parse(text).unwrap()), Some(expected));
        let text = r#"{"file":"f","text":"t","overrides":["O"]}"#;
        let expected: Configuration = serde_json::from_str(text).unwrap();
        assert_eq!(Configuration::decode(&Json::parse(text).unwrap()), Some(expected));
    }
}
