use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use serde_json::json;

use super::*;
use crate::clock::HeldClock;
use crate::http::HttpError;
use crate::oidc::ClientAuth;

const NOW: i64 = 1_795_517_665;
const ISSUER: &str = "https://machines.example.com";

struct Peer {
    jwks: Mutex<Value>,
    introspection: Mutex<Value>,
    calls: AtomicUsize,
}

#[async_trait]
impl HttpClient for Peer {
    async fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, HttpError> {
        self.calls.fetch_add(1, Relaxed);
        let body = match request.uri().path() {
            "/.well-known/oauth-authorization-server" => {
                json!({ "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/keys") })
            }
            "/keys" => self.jwks.lock().clone(),
            "/introspect" => self.introspection.lock().clone(),
            _ => return Ok(http::Response::builder().status(404).body(Vec::new()).unwrap()),
        };
        if body.is_null() {
            return Err(HttpError::Broken("as told".into()));
        }
        Ok(http::Response::new(body.to_string().into_bytes()))
    }
}

struct Rig {
    machines: Machines,
    peer: Arc<Peer>,
    clock: Arc<HeldClock>,
    key: EcdsaKeyPair,
}

fn jwk(key: &EcdsaKeyPair, kid: &str) -> Value {
    let point = &key.public_key().as_ref()[1..];
    let (x, y) = point.split_at(32);
    let text = |bytes| URL_SAFE_NO_PAD.encode(bytes);
    json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y), "kid": kid })
}

fn rig(check: Check) -> Rig {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let peer = Arc::new(Peer {
        jwks: Mutex::new(json!({ "keys": [{ "kty": "strange" }, jwk(&key, "k1")] })),
        introspection: Mutex::new(Value::Null),
        calls: AtomicUsize::new(0),
    });
    let clock = Arc::new(HeldClock::at(UnixMs::from_secs(NOW)));
    let issuer = MachineIssuer {
        id: "partner".into(),
        issuer: ISSUER.into(),
        audience: "https://api.example.com".into(),
        scopes: vec!["notes".into()],
        subject: Subject::ClientId,
        check,
    };
    let machines = Machines::new(vec![issuer], Arc::clone(&peer) as _, Arc::clone(&clock) as _);
    Rig { machines, peer, clock, key }
}

fn by_signature() -> Rig {
    rig(Check::Signature { jwks_uri: None, algorithms: vec!["ES256".into(), "RS256".into()] })
}

fn by_introspection() -> Rig {
    let endpoint = format!("{ISSUER}/introspect").parse().unwrap();
    rig(Check::Introspection {
        endpoint,
        client_id: "gateway".into(),
        auth: ClientAuth::Basic("secret".to_owned().into()),
    })
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": ["https://api.example.com", "x"], "sub": "job", "client_id": "job", "jti": "1",
        "iat": NOW, "exp": NOW + 600, "scope": "notes other",
    })
}

fn signed(key: &EcdsaKeyPair, header: &Value, claims: &Value) -> Token {
    let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", text(header), text(claims));
    let signature = key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    Token::parse(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))).unwrap()
}

fn header() -> Value {
    json!({ "typ": "at+jwt", "alg": "ES256", "kid": "k1" })
}

/// An object with one member changed; null takes it away.
fn with(mut object: Value, name: &str, value: &Value) -> Value {
    if value.is_null() {
        object.as_object_mut().unwrap().remove(name);
    } else {
        object[name] = value.clone();
    }
    object
}

#[tokio::test]
async fn p15_a_machines_token_is_taken_and_each_fault_refused() {
    let rig = by_signature();
    let machine = rig.machines.verify(&signed(&rig.key, &header(), &claims())).await.expect("a machine");
    assert_eq!((&*machine.client_id, &*machine.issuer_id), ("job", "partner"));
    assert_eq!(machine.scopes, ["notes", "other"]);
    assert_eq!(machine.expires_at, Some(UnixMs::from_secs(NOW + 600)));
    assert_eq!(machine.good_until, UnixMs::from_secs(NOW + 300));
    for (name, value, expected) in [
        ("iss", json!("https://other.example.com"), MachineFault::Issuer),
        ("iss", json!(null), MachineFault::Claim("iss")),
        ("aud", json!("https://api.example.com/"), MachineFault::Audience),
        ("aud", json!(["x"]), MachineFault::Audience),
        ("aud", json!(["https://api.example.com", 1]), MachineFault::Audience),
        ("aud", json!(null), MachineFault::Audience),
        ("exp", json!(NOW), MachineFault::Time),
        ("exp", json!(null), MachineFault::Claim("exp")),
        ("exp", json!("2000000000"), MachineFault::Claim("exp")),
        ("nbf", json!(NOW + 61), MachineFault::Time),
        ("iat", json!(NOW + 61), MachineFault::Time),
        ("iat", json!(null), MachineFault::Claim("iat")),
        ("jti", json!(null), MachineFault::Claim("jti")),
        ("sub", json!(null), MachineFault::Claim("sub")),
        ("sub", json!("alice"), MachineFault::OfAPerson),
        ("client_id", json!(null), MachineFault::Claim("client_id")),
        ("auth_time", json!(NOW), MachineFault::OfAPerson),
        ("acr", json!("gold"), MachineFault::OfAPerson),
        ("amr", json!(["pwd"]), MachineFault::OfAPerson),
        ("cnf", json!({ "jkt": "x" }), MachineFault::Bound),
        ("cnf", json!(false), MachineFault::Bound),
        ("scope", json!("note"), MachineFault::Scope("notes".into())),
        ("scope", json!(["notes"]), MachineFault::Claim("scope")),
        ("scope", json!(null), MachineFault::Scope("notes".into())),
    ] {
        let token = signed(&rig.key, &header(), &with(claims(), name, &value));
        assert_eq!(rig.machines.verify(&token).await.expect_err(name), expected, "{name} {value}");
    }
    for (name, value, expected) in [
        ("typ", json!("JWT"), MachineFault::Kind),
        ("typ", json!(null), MachineFault::Kind),
        ("typ", json!("logout+jwt"), MachineFault::Kind),
        ("alg", json!("ES384"), MachineFault::Signature),
        ("alg", json!("RS256"), MachineFault::Signature),
        ("kid", json!("k2"), MachineFault::Signature),
        ("crit", json!(["x"]), MachineFault::Unreadable("its header asks for what is not supported".into())),
    ] {
        let token = signed(&rig.key, &with(header(), name, &value), &claims());
        assert_eq!(rig.machines.verify(&token).await.expect_err(name), expected, "{name} {value}");
    }
    for alg in ["none", "HS256"] {
        let token = signed(&rig.key, &with(header(), "alg", &json!(alg)), &claims());
        assert!(matches!(rig.machines.verify(&token).await, Err(MachineFault::Unreadable(_))), "{alg}");
    }
    let stranger = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let forged = signed(&stranger, &header(), &claims());
    assert_eq!(rig.machines.verify(&forged).await.expect_err("forged"), MachineFault::Signature);
    let ours = Token::parse("crs_at_x").unwrap();
    assert_eq!(rig.machines.verify(&ours).await.expect_err("ours"), MachineFault::OurOwn);
    assert!(matches!(rig.machines.verify(&Token::parse("opaque").unwrap()).await, Err(MachineFault::Unreadable(_))));
}

#[tokio::test]
async fn p15_keys_roll_over_and_unknown_ones_cost_one_fetch_a_minute() {
    let rig = by_signature();
    rig.machines.verify(&signed(&rig.key, &header(), &claims())).await.expect("a machine");
    let first = rig.peer.calls.load(Relaxed);
    assert_eq!(first, 3, "two documents, one of them missing, and the keys");
    for number in 0..20 {
        let unknown = with(header(), "kid", &json!(format!("u{number}")));
        rig.machines.verify(&signed(&rig.key, &unknown, &claims())).await.expect_err("unknown");
    }
    assert_eq!(rig.peer.calls.load(Relaxed), first, "they were fetched just now");
    let new = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    *rig.peer.jwks.lock() = json!({ "keys": [jwk(&new, "k2")] });
    rig.clock.set(UnixMs::from_secs(NOW + 61));
    let rolled = signed(&new, &with(header(), "kid", &json!("k2")), &claims());
    rig.machines.verify(&rolled).await.expect("the new key is found");
    rig.machines.verify(&signed(&rig.key, &header(), &claims())).await.expect_err("the old one is gone");
    // An outage keeps what is known.
    *rig.peer.jwks.lock() = Value::Null;
    rig.clock.set(UnixMs::from_secs(NOW + 4_000));
    let later = with(claims(), "exp", &json!(NOW + 5_000));
    rig.machines.verify(&signed(&new, &with(header(), "kid", &json!("k2")), &later)).await.expect("known keys go on");
}

#[tokio::test]
async fn p15_introspection_is_asked_once_a_minute_and_believed_no_longer() {
    let rig = by_introspection();
    let token = Token::parse("opaque-token").unwrap();
    assert_eq!(rig.machines.verify(&token).await.expect_err("away"), MachineFault::Unavailable);
    let active = with(claims(), "active", &json!(true));
    *rig.peer.introspection.lock() = active.clone();
    let machine = rig.machines.verify(&token).await.expect("a machine");
    assert_eq!(machine.good_until, UnixMs::from_secs(NOW + 60));
    let before = rig.peer.calls.load(Relaxed);
    rig.clock.set(UnixMs::from_secs(NOW + 59));
    rig.machines.verify(&token).await.expect("remembered");
    assert_eq!(rig.peer.calls.load(Relaxed), before);
    *rig.peer.introspection.lock() = json!({ "active": false });
    rig.clock.set(UnixMs::from_secs(NOW + 60));
    assert_eq!(rig.machines.verify(&token).await.expect_err("revoked"), MachineFault::Inactive);
    for (number, (name, value, expected)) in [
        ("aud", json!("other"), MachineFault::Audience),
        ("username", json!("alice"), MachineFault::OfAPerson),
        ("sub", json!("alice"), MachineFault::OfAPerson),
        ("cnf", json!({ "jkt": "x" }), MachineFault::Bound),
        ("token_type", json!("DPoP"), MachineFault::Bound),
        ("token_type", json!("refresh_token"), MachineFault::Kind),
        ("exp", json!(NOW), MachineFault::Time),
        ("iss", json!("https://other.example.com"), MachineFault::Issuer),
        ("active", json!("true"), MachineFault::Unavailable),
        ("scope", json!(""), MachineFault::Scope("notes".into())),
    ]
    .into_iter()
    .enumerate()
    {
        *rig.peer.introspection.lock() = with(active.clone(), name, &value);
        let token = Token::parse(format!("opaque-{number}")).unwrap();
        assert_eq!(rig.machines.verify(&token).await.expect_err(name), expected, "{name} {value}");
    }
    // RFC 7662 section 2.2: sub may be missing.
    *rig.peer.introspection.lock() = with(active, "sub", &Value::Null);
    assert_eq!(&*rig.machines.verify(&Token::parse("no-sub").unwrap()).await.expect("a machine").sub, "job");
}
