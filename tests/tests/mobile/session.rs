//! `/session/v1` and userinfo.

use super::{assert_error, gateway};
use cloakroom_tests::Phone;
use cloakroom_tests::phone::Tokens;
use serde_json::json;

#[tokio::test]
async fn metadata_lists_what_works() {
    let gateway = gateway().await;
    let phone = Phone::new(&gateway);
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let document = phone.send(phone.bare("GET", path)).await.expect(200).json();
        assert_eq!(document["issuer"], gateway.app(""));
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(document["grant_types_supported"], json!(["authorization_code", "refresh_token"]));
        assert!(document.get("introspection_endpoint").is_none(), "{document}");
        assert!(document.get("dpop_signing_alg_values_supported").is_none(), "{document}");
    }
    let request = cloakroom_tests::wire::Request::new(
        "GET",
        &format!("console.localhost:{}", gateway.port()),
        "/oauth/authorize",
    );
    request.send(gateway.port()).await.expect("answers").expect(404);
}

#[tokio::test]
async fn openid_yields_userinfo_and_no_id_token() {
    let gateway = gateway().await;
    let mut phone = Phone::new(&gateway);
    let tokens = phone.sign_in("vera").await;
    assert!(tokens.answer.get("id_token").is_none());
    assert_eq!(tokens.answer["scope"], "openid profile email");
    let claims = phone.call("GET", "/oauth/userinfo", &tokens.access).await.expect(200).json();
    assert_eq!((claims["sub"].as_str(), claims["email"].as_str()), (Some("vera"), Some("vera@example.com")));
    assert_eq!(claims["roles"], json!(["viewer"]));
    let back = phone.authorize("vera", &[("scope", "openid")]).await;
    let code = cloakroom_tests::phone::parameter(&back, "code").unwrap();
    let tokens = Tokens::of(phone.redeem(&code).await);
    let claims = phone.call("GET", "/oauth/userinfo", &tokens.access).await.expect(200).json();
    assert_eq!(claims, json!({ "sub": "vera" }));
    let back = phone.authorize("vera", &[("scope", "api")]).await;
    let code = cloakroom_tests::phone::parameter(&back, "code").unwrap();
    let tokens = Tokens::of(phone.redeem(&code).await);
    assert_error("scope", phone.call("GET", "/oauth/userinfo", &tokens.access).await, 403, "insufficient_scope");
}

#[tokio::test]
async fn devices_are_listed_once_before_and_after_refreshes_and_end_one_another() {
    let gateway = gateway().await;
    let (mut phone, mut tablet) = (Phone::new(&gateway), Phone::new(&gateway));
    let mut tokens = phone.sign_in("alice").await;
    let other = tablet.sign_in("alice").await;
    let stranger = Phone::new(&gateway).sign_in("bob").await;
    for _ in 0..2 {
        let list = phone.call("GET", "/session/v1/devices", &tokens.access).await.expect(200).json();
        assert_eq!(list["items"].as_array().unwrap().len(), 2, "{list}");
        tokens = Tokens::of(phone.refresh(&tokens.refresh).await);
    }
    let id = async |tokens: &Tokens| {
        let me = phone.call("GET", "/session/v1/me", &tokens.access).await.expect(200).json();
        me["session"]["id"].as_str().unwrap().to_owned()
    };
    let (own, others, strangers) = (id(&tokens).await, id(&other).await, id(&stranger).await);
    let rename = async |id: &str, body: &str| {
        let request = phone.bare("PATCH", &format!("/session/v1/devices/{id}"));
        let request = request.header("Authorization", &format!("Bearer {}", tokens.access));
        phone.send(request.header("Content-Type", "application/json").body(body)).await
    };
    rename(&own, r#"{"name":"Ann's <phone>"}"#).await.expect(204);
    rename(&own, r#"{"name":""}"#).await.expect(400);
    rename(&own, r#"{"nam":"x"}"#).await.expect(400);
    rename(&strangers, r#"{"name":"x"}"#).await.expect(404);
    let list = phone.call("GET", "/session/v1/devices", &tokens.access).await.expect(200).json();
    let named = list["items"].as_array().unwrap().iter().find(|item| item["current"] == true).unwrap();
    assert_eq!(named["name"], "Ann's <phone>");
    phone.call("DELETE", &format!("/session/v1/devices/{strangers}"), &tokens.access).await.expect(404);
    phone.call("DELETE", &format!("/session/v1/devices/{others}"), &tokens.access).await.expect(204);
    tablet.call("GET", "/session/v1/me", &other.access).await.expect(401);
    let step_up = phone.call("GET", "/session/v1/step-up", &tokens.access).await.expect(200).json();
    assert!(step_up["auth_time"].is_number(), "{step_up}");
    phone.call("DELETE", "/session/v1/session", &tokens.access).await.expect(204);
    phone.call("GET", "/session/v1/me", &tokens.access).await.expect(401);
}
