//! Paths: what is accepted goes on as it is, and means the same to whoever normalises it.

use cloakroom::proxy::path::NormalPath;

const SEEDS: &[&[u8]] =
    &[b"/api/rows/4711?x=/../y", b"/api/caf%C3%A9/a%20b", b"/api/x;v=1/y", b"/", b"/.well-known/x", b"/a/b/c/%40d"];

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    SEEDS.iter().map(|seed| seed.to_vec()).collect()
}

pub(crate) fn try_one(input: &[u8]) {
    let Ok(uri) = http::Uri::try_from(input) else { return };
    let Ok(path) = NormalPath::parse(&uri) else { return };
    let text = path.as_str();
    assert!(text.starts_with('/') && !text.contains("//"));
    let spelled: Vec<u8> = path.spelled().collect();
    let spelled = String::from_utf8(spelled).unwrap();
    assert!(spelled.split('/').all(|segment| segment != "." && segment != ".."), "{spelled}");
    assert!(!spelled.contains(['\\', '%', '\0', '\r', '\n']), "{spelled}");
    let url = url::Url::parse("http://a").unwrap().join(text).unwrap();
    assert_eq!(url.host_str(), Some("a"));
    // A browser's parser may escape more, and must spell the same.
    let again: http::Uri = url.path().parse().unwrap();
    let again: Vec<u8> = NormalPath::parse(&again).unwrap().spelled().collect();
    assert_eq!(again, spelled.into_bytes());
}
