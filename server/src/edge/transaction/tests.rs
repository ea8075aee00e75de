//! A transaction opens for its client, under its name, in its time, and nowhere else.

use super::*;
use cloakroom_core::random::SystemRandom;
use cloakroom_core::vault::{KeyRing, RootKey};

const NOW: UnixMs = UnixMs(1_795_517_665_000);

fn ring() -> Arc<KeyRing> {
    let root = RootKey::parse(&base64::engine::general_purpose::STANDARD.encode([7; 32])).expect("a key");
    Arc::new(KeyRing::open(root.clone(), &[root.new_ring_key(UnixMs(0), &SystemRandom)]).expect("opens"))
}

fn transaction(state: &str) -> Transaction {
    Transaction {
        state: state.into(),
        nonce: "nonce".into(),
        pkce_verifier: "verifier".into(),
        return_to: "/".into(),
        provider_id: "main".into(),
        registration_id: "web".into(),
        max_age_secs: None,
        acr_values: None,
        expires_at: NOW.plus_secs(LIFE_SECS),
        begun_elsewhere: false,
        whose: None,
        silent: None,
        app: None,
    }
}

/// The Cookie header of a browser that took these lines.
fn sent(lines: &[HeaderValue]) -> HeaderMap {
    let pairs: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.to_str().ok()?.split(';').next())
        .filter(|pair| !pair.ends_with('='))
        .collect();
    HeaderMap::from_iter([(header::COOKIE, HeaderValue::try_from(pairs.join("; ")).expect("a header"))])
}

#[tokio::test]
async fn l01_s05_transaction_is_good_for_its_client_its_name_and_its_time() {
    let ring = ring();
    let (vault, random): (_, Arc<dyn cloakroom_core::random::Random>) =
        (SessionVault::new(Arc::clone(&ring), Arc::new(SystemRandom)), Arc::new(SystemRandom));
    let (here, there) = (Transactions::new("app", &vault, &random), Transactions::new("other", &vault, &random));
    let name = Name::of_state("state");
    let cookies = sent(&here.keep(&transaction("state"), &HeaderMap::new()).await.expect("sealed"));
    let suffix = name.suffix();
    assert!(here.find(suffix, &cookies, NOW).await.is_some_and(|found| found.state == "state"));
    assert!(here.find(suffix, &cookies, NOW.plus_secs(LIFE_SECS - 1)).await.is_some());
    assert!(here.find(suffix, &cookies, NOW.plus_secs(LIFE_SECS)).await.is_none(), "expired");
    assert!(there.find(suffix, &cookies, NOW).await.is_none(), "another client's");
    // The time in front of the seal only sorts; what counts is sealed.
    let text = cookies[header::COOKIE].to_str().expect("text").to_owned();
    let (front, sealed) = text.split_once('.').expect("two parts");
    let (label, _) = front.split_once('=').expect("a pair");
    let later = HeaderValue::try_from(format!("{label}=99999999999.{sealed}")).expect("a header");
    let later = HeaderMap::from_iter([(header::COOKIE, later)]);
    assert!(here.find(suffix, &later, NOW.plus_secs(LIFE_SECS)).await.is_none());
    // Under another name it is nobody's.
    let renamed = HeaderValue::try_from(text.replace(suffix, "00000000")).expect("a header");
    let renamed = HeaderMap::from_iter([(header::COOKIE, renamed)]);
    assert!(here.find("00000000", &renamed, NOW).await.is_none());
    for odd in ["", "0", "zzzzzzzz", "00000000x", "ABCDEF00"] {
        assert!(here.find(odd, &cookies, NOW).await.is_none(), "{odd}");
    }
}
