//! Revocation, and the address of the provider's logout.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use url::Url;

use super::rig::{CLIENT, ISSUER, REFRESH, Rig, SECRET, answer, document};
use crate::http::HttpError;
use crate::oidc::{ClientAuth, EndSession, ProviderError, Revocation, TokenKind};
use crate::session::record::Token;

const BACK: &str = "https://app.example.com/bff/signed-out";

async fn address(rig: &Rig, id_token: Option<&Token>) -> BTreeMap<String, String> {
    let ask = EndSession {
        id_token,
        post_logout_redirect_uri: BACK,
        state: Some("x&client_id=evil"),
        logout_hint: Some("alice"),
    };
    let url = rig.provider.end_session_url("web", ask).await.expect("an address");
    assert!(url.len() <= 2_000);
    let url: Url = url.parse().unwrap();
    assert_eq!((url.origin().ascii_serialization().as_str(), url.path()), (ISSUER, "/logout"));
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let map: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(map.len(), pairs.len());
    assert_eq!(map.get("client_id").map(String::as_str), Some(CLIENT));
    assert_eq!(map.get("post_logout_redirect_uri").map(String::as_str), Some(BACK));
    assert_eq!(map.get("state").map(String::as_str), Some("x&client_id=evil"));
    map
}

#[tokio::test]
async fn u08_s18_long_id_token_is_left_out_of_the_logout_address() {
    let rig = Rig::new();
    let short = Token::parse("x".repeat(1_500)).unwrap();
    let with_token = address(&rig, Some(&short)).await;
    assert_eq!(with_token.get("id_token_hint").map(String::as_str), Some(short.reveal()));
    assert!(!with_token.contains_key("logout_hint"));
    let long = Token::parse("x".repeat(4_000)).unwrap();
    for without in [address(&rig, Some(&long)).await, address(&rig, None).await] {
        assert!(!without.contains_key("id_token_hint"));
        assert_eq!(without.get("logout_hint").map(String::as_str), Some("alice"));
    }
}

#[tokio::test]
async fn logout_at_a_provider_without_one_or_out_of_reach_is_none() {
    for reply in [
        answer(503, ""),
        answer(200, {
            let mut without = document();
            without["end_session_endpoint"] = Value::Null;
            without
        }),
    ] {
        let rig = Rig::new();
        rig.fake.set("/.well-known/openid-configuration", reply);
        let ask = EndSession { id_token: None, post_logout_redirect_uri: BACK, state: None, logout_hint: None };
        assert_eq!(rig.provider.end_session_url("web", ask).await, None);
    }
}

#[tokio::test]
async fn revocation_names_the_token_and_authenticates() {
    for (auth, kind, hint) in [
        (ClientAuth::Basic(SECRET.into()), TokenKind::Refresh, "refresh_token"),
        (ClientAuth::Post(SECRET.into()), TokenKind::Access, "access_token"),
    ] {
        let by_post = matches!(auth, ClientAuth::Post(_));
        let rig = Rig::with(|registration| registration.auth = auth);
        rig.fake.set("/revoke", answer(200, ""));
        let token = Token::parse(REFRESH).unwrap();
        assert_eq!(rig.provider.revoke("web", &token, kind).await.unwrap(), Revocation::Done);
        let seen = rig.fake.last();
        assert_eq!(seen.url, format!("{ISSUER}/revoke"));
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(seen.body.as_bytes()).into_owned().collect();
        assert_eq!(form.get("token").map(String::as_str), Some(REFRESH));
        assert_eq!(form.get("token_type_hint").map(String::as_str), Some(hint));
        assert_eq!(form.get("client_secret").map(String::as_str), by_post.then_some(SECRET));
        let basic = (!by_post).then_some("Basic Y2xvYWtyb29tOnZlcnkrc2VjcmV0");
        assert_eq!(seen.authorization.as_deref(), basic);
    }
}

#[tokio::test]
async fn revocation_that_is_not_possible_or_refused_says_so() {
    let rig = Rig::new();
    let token = Token::parse(REFRESH).unwrap();
    for (reply, retry_helps) in [
        (answer(503, ""), true),
        (answer(400, json!({ "error": "unsupported_token_type" })), false),
        (Err(HttpError::Broken("reset".into())), true),
    ] {
        rig.fake.set("/revoke", reply);
        let error: ProviderError = rig.provider.revoke("web", &token, TokenKind::Refresh).await.unwrap_err();
        assert_eq!(error.retry_helps(), retry_helps, "{error}");
        super::rig::tells_no_secret(&format!("{error} {error:?}"));
    }
    let mut without = document();
    without["revocation_endpoint"] = Value::Null;
    let rig = Rig::new();
    rig.fake.set("/.well-known/openid-configuration", answer(200, without));
    assert_eq!(rig.provider.revoke("web", &token, TokenKind::Refresh).await.unwrap(), Revocation::NotSupported);
}
