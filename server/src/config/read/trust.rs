//! Whom TLS towards an upstream believes, and what the gateway shows of itself: read with the configuration, so that a
//! file that cannot be used stops the start (S17).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{Outside, egress, tls};
use crate::config::mask::quoted;
use crate::config::reader::Reader;
use crate::proxy::upstream::trust::Trust;

/// `None` where something cannot be used: no start with less trust than was asked for.
pub(super) fn trust(reader: &Reader<'_>, https: bool, outside: &Outside<'_>) -> Option<Trust> {
    for key in ["ca", "client_cert", "client_key", "pins"] {
        if reader.has(key) && !https {
            let what = format!("{} changes nothing for an upstream without TLS", reader.name(key));
            reader.clash(reader.place(), what, "write an https url, or leave it out");
        }
    }
    let anchors = egress::anchors(reader, outside);
    let client = match (reader.text("client_cert"), reader.text("client_key")) {
        (None, None) => Some(None),
        _ => tls::key_pair(reader, ("client_cert", "client_key"), outside).map(Some),
    };
    let pins = pins(reader);
    Some(Trust { anchors: anchors?, client: client?, pins: pins? })
}

fn pins(reader: &Reader<'_>) -> Option<Vec<[u8; 32]>> {
    let Some(list) = reader.texts("pins") else { return (!reader.has("pins")).then(Vec::new) };
    if list.is_empty() {
        let what = format!("{} is empty, so no upstream would be the right one", reader.name("pins"));
        reader.clash(reader.place(), what, "list the keys, or leave it out");
        return None;
    }
    let pin = |text: &str| <[u8; 32]>::try_from(BASE64_STANDARD.decode(text.strip_prefix("sha256/")?).ok()?).ok();
    let mut pins = Vec::new();
    for found in list {
        let Some(pin) = pin(found.value) else {
            let what = format!("{} in {} is no pin", quoted(found.value), reader.name("pins"));
            let help = "write \"sha256/\" and the base64 of SHA-256 over the public key (SPKI), 44 characters";
            reader.wrong(&found.place, what, help);
            return None;
        };
        pins.push(pin);
    }
    Some(pins)
}
