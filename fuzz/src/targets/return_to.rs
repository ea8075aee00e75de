//! `return_to`: whatever is accepted leads a browser to the own origin, or is registered (L13).

use cloakroom::web::return_to::ReturnTo;
use url::Url;

const ORIGIN: &str = "https://app.example";
const REGISTERED: &str = "https://www.example.com/welcome";

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let seeds = ["/pages/home?a=b#c", "/a%20b/%C3%A9", "/", REGISTERED, "//evil.example", "/%2f/evil", "https:evil", "/a//b"];
    seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect()
}

pub(crate) fn try_one(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let Ok(accepted) = ReturnTo::parse_at(text, ORIGIN, &[REGISTERED.into()]) else { return };
    assert_eq!(accepted.as_str(), text);
    let url = Url::parse(ORIGIN).unwrap().join(text).unwrap();
    assert!(text == REGISTERED || url.origin().ascii_serialization() == ORIGIN, "{text:?}");
    assert!(text == REGISTERED || (text.starts_with('/') && !text.starts_with("//")), "{text:?}");
    assert!(text.bytes().all(|byte| matches!(byte, 0x21..=0x7e)), "{text:?}");
}
