//! L5: every way in which an ID token can be wrong, and the odd ones that are right.

use super::together;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use cloakroom_tests::adversary::Expect::{Refused, SignedIn};
use cloakroom_tests::adversary::keys::half_hash;
use cloakroom_tests::adversary::{Case, Draft, EC, Expect, Moment, RSA, Signer};
use serde_json::{Value, json};

/// Refused for what its ID token says.
const fn because(detail: &'static str) -> Expect {
    Refused("login-id-token", detail)
}

fn row(name: &'static str, bend: fn(Draft, &Moment) -> Draft, expect: Expect) -> Case {
    Case::id_token(name, bend, expect)
}

#[tokio::test]
async fn l05_signature_of_the_id_token() {
    const ALGORITHM: &str = "not signed with an algorithm that the provider publishes and that is safe";
    together(vec![
        row("oidcc-client-test-idtoken-sig-none", unsigned, because(ALGORITHM)),
        row("alg none in other letters", |d, _| unsigned_as(d, "None"), because(ALGORITHM)),
        row("alg none with a signature", |d, _| d.head("alg", "none"), because(ALGORITHM)),
        row("oidcc-client-test-idtoken-sig-rs256", |d, m| d.signed_with(m, RSA), SignedIn),
        row("ES256", |d, m| d.signed_with(m, EC), SignedIn),
        row("oidcc-client-test-invalid-sig-rs256", |d, m| spoil(d.signed_with(m, RSA)), because("signature is wrong")),
        row("oidcc-client-test-invalid-sig-es256", |d, m| spoil(d.signed_with(m, EC)), because("signature is wrong")),
        row("oidcc-client-test-invalid-sig-hs256", |d, _| hs256(d, "wrong"), because(ALGORITHM)),
        row("HS256 with the public key as the secret", hs256_with_public_key, because(ALGORITHM)),
        row(
            "a stranger's key under a published name",
            |d, _| d.signed_by(Signer::Stranger),
            because("signature is wrong"),
        ),
        row("no signature", |d, _| d.signed_by(Signer::Nobody), because("signature is wrong")),
        row(
            "signature cut short",
            |d, _| d.finished(|text| text[..text.len() - 4].to_owned()),
            because("signature is wrong"),
        ),
        row("claims changed after signing", change_claims, because("signature is wrong")),
        row("unknown kid", |d, _| d.head("kid", "unheard-of"), because("a key that the provider does not publish")),
        row(
            "the name of a key of another type",
            |d, _| d.head("kid", RSA),
            because("a key that the provider does not publish"),
        ),
        row(
            "an algorithm of another type",
            |d, _| d.head("alg", "RS256"),
            because("a key that the provider does not publish"),
        ),
        row("fapi2-security-profile-final-client-test-invalid-null-alg", unsigned, because(ALGORITHM)),
        row("fapi2-security-profile-final-client-test-invalid-alternate-alg", ps256, because(ALGORITHM)),
        row("kid that is no text", |d, _| d.head("kid", json!(["ec"])), because("no signed token that can be read")),
        row("critical extension", |d, _| d.head("crit", json!(["exp"])), because("not supported")),
    ])
    .await;
}

fn unsigned(draft: Draft, _: &Moment) -> Draft {
    unsigned_as(draft, "none")
}

fn unsigned_as(draft: Draft, algorithm: &str) -> Draft {
    draft.head("alg", algorithm).headless("kid").signed_by(Signer::Nobody)
}

fn spoil(draft: Draft) -> Draft {
    draft.finished(|text| {
        let (rest, last) = text.split_at(text.rfind('.').unwrap() + 1);
        let flipped = if last.starts_with('A') { 'B' } else { 'A' };
        format!("{rest}{flipped}{}", &last[1..])
    })
}

fn hs256(draft: Draft, secret: &str) -> Draft {
    draft.head("alg", "HS256").signed_by(Signer::Secret(secret.into()))
}

fn hs256_with_public_key(draft: Draft, moment: &Moment) -> Draft {
    hs256(draft.head("kid", RSA), &moment.key(RSA).jwk().to_string())
}

fn ps256(draft: Draft, moment: &Moment) -> Draft {
    draft.signed_with(moment, RSA).head("alg", "PS256")
}

fn change_claims(draft: Draft, _: &Moment) -> Draft {
    draft.finished(|text| {
        let parts: Vec<&str> = text.split('.').collect();
        let claims = BASE64_URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
        let changed = String::from_utf8(claims).unwrap().replace("alice", "carol");
        format!("{}.{}.{}", parts[0], BASE64_URL_SAFE_NO_PAD.encode(changed), parts[2])
    })
}

#[tokio::test]
async fn l05_issuer_and_person_of_the_id_token() {
    together(vec![
        row(
            "oidcc-client-test-invalid-iss",
            |d, _| d.set("iss", "http://evil.localhost:1"),
            because("issuer is another"),
        ),
        row("iss with a slash more", |d, m| d.set("iss", format!("{}/", m.issuer)), because("issuer is another")),
        row("no iss", |d, _| d.without("iss"), because("a claim is missing")),
        row(
            "fapi2-security-profile-final-client-test-invalid-iss",
            |d, m| d.set("iss", m.issuer.to_uppercase()),
            because("issuer is another"),
        ),
        row(
            "fapi2-security-profile-final-client-test-invalid-missing-iss",
            |d, _| d.without("iss"),
            because("a claim is missing"),
        ),
        row("oidcc-client-test-missing-sub", |d, _| d.without("sub"), because("a claim is missing")),
        row("empty sub", |d, _| d.set("sub", ""), because("sub must have 1 to 255")),
        row("sub of 256 bytes", |d, _| d.set("sub", "s".repeat(256)), because("sub must have 1 to 255")),
        row("sub of 255 bytes", |d, _| d.set("sub", "s".repeat(255)), SignedIn),
        row("sub that is a number", |d, _| d.set("sub", 7), because("a claim is missing or of the wrong type")),
        row("sub that is null", |d, _| d.set("sub", Value::Null), because("sub is null")),
    ])
    .await;
}

#[tokio::test]
async fn l05_audience_of_the_id_token() {
    together(vec![
        row(
            "oidcc-client-test-invalid-aud",
            |d, _| d.set("aud", "somebody-else"),
            because("audience is another client"),
        ),
        row("oidcc-client-test-missing-aud", |d, _| d.without("aud"), because("a claim is missing")),
        row(
            "fapi2-security-profile-final-client-test-invalid-aud",
            |d, m| d.set("aud", m.client_id.to_uppercase()),
            because("audience is another client"),
        ),
        row(
            "fapi2-security-profile-final-client-test-invalid-missing-aud",
            |d, _| d.without("aud"),
            because("a claim is missing"),
        ),
        row(
            "fapi2-security-profile-final-client-test-invalid-secondary-aud",
            |d, m| d.set("aud", json!([m.client_id, "somebody-else"])),
            because("azp"),
        ),
        row("several aud without azp", |d, m| d.set("aud", json!([m.client_id, m.issuer])), because("azp")),
        row(
            "several aud with another's azp",
            |d, m| d.set("aud", json!([m.client_id, "b"])).set("azp", "b"),
            because("azp"),
        ),
        row(
            "several aud with the own azp",
            |d, m| d.set("aud", json!([m.client_id, "b"])).set("azp", m.client_id),
            SignedIn,
        ),
        row("one aud with another's azp", |d, _| d.set("azp", "somebody-else"), because("azp")),
        row(
            "fapi2-security-profile-final-client-test-valid-aud-as-array",
            |d, m| d.set("aud", json!([m.client_id])),
            SignedIn,
        ),
        row("no audience at all", |d, _| d.set("aud", json!([])), because("audience is another client")),
        row("aud that is a number", |d, _| d.set("aud", 1), because("a claim is missing or of the wrong type")),
    ])
    .await;
}

#[tokio::test]
async fn l05_times_of_the_id_token() {
    together(vec![
        row("expired beyond the skew", |d, m| d.set("exp", m.now - 120), because("it has expired")),
        row("expired within the skew", |d, m| d.set("exp", m.now - 20), SignedIn),
        row(
            "fapi2-security-profile-final-client-test-invalid-expired-exp",
            |d, m| d.set("exp", m.now - 300),
            because("it has expired"),
        ),
        row(
            "fapi2-security-profile-final-client-test-invalid-missing-exp",
            |d, _| d.without("exp"),
            because("a claim is missing"),
        ),
        row("exp that is text", |d, m| d.set("exp", (m.now + 300).to_string()), because("wrong type")),
        row("exp with a fraction", |d, _| d.set("exp", 4_102_444_800.5_f64), SignedIn),
        row("not valid yet beyond the skew", |d, m| d.set("nbf", m.now + 120), because("not valid yet")),
        row("not valid yet within the skew", |d, m| d.set("nbf", m.now + 20), SignedIn),
        row("oidcc-client-test-missing-iat", |d, _| d.without("iat"), because("a claim is missing")),
        row("issued in the future", |d, m| d.set("iat", m.now + 120), because("issued in the future")),
        row("iat that is null", |d, _| d.set("iat", Value::Null), because("iat is null")),
    ])
    .await;
}

#[tokio::test]
async fn l02_nonce_of_the_id_token() {
    const NONCE: &str = "nonce is not this sign-in's";
    together(vec![
        row("oidcc-client-test-nonce-invalid", |d, _| d.set("nonce", "another"), because(NONCE)),
        row("oidcc-client-test-nonce-unless-code-flow", |d, _| d, SignedIn),
        row("fapi2-security-profile-final-client-test-invalid-nonce", |d, _| d.set("nonce", "x"), because(NONCE)),
        row(
            "fapi2-security-profile-final-client-test-invalid-missing-nonce",
            |d, _| d.without("nonce"),
            because(NONCE),
        ),
        row("empty nonce", |d, _| d.set("nonce", ""), because(NONCE)),
        row("nonce that is null", |d, _| d.set("nonce", Value::Null), because("nonce is null")),
        row(
            "nonce that is a list",
            |d, _| {
                let nonce = d.claims["nonce"].clone();
                d.set("nonce", json!([nonce]))
            },
            because("no signed token that can be read"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn l05_hashes_of_the_id_token() {
    together(vec![
        row("oidcc-client-test-invalid-athash", |d, _| d.set("at_hash", half_hash("another")), because("at_hash")),
        row("oidcc-client-test-missing-athash", |d, _| d.without("at_hash"), SignedIn),
        row("oidcc-client-test-invalid-chash", |d, _| d.set("c_hash", half_hash("another")), because("c_hash")),
        row("oidcc-client-test-missing-chash", |d, _| d.without("c_hash"), SignedIn),
        row("right c_hash", |d, m| d.set("c_hash", half_hash(m.code)), SignedIn),
        row("at_hash of the code", |d, m| d.set("at_hash", half_hash(m.code)), because("at_hash")),
        row("empty at_hash", |d, _| d.set("at_hash", ""), because("at_hash")),
    ])
    .await;
}

#[tokio::test]
async fn l05_shape_of_the_id_token() {
    together(vec![
        row("encrypted", |d, _| d.finished(|text| format!("{text}.e30.e30")), because("it is encrypted")),
        row("two parts", |d, _| d.finished(|text| text[..text.rfind('.').unwrap()].to_owned()), because("three parts")),
        row("four parts", |d, _| d.finished(|text| format!("{text}.e30")), because("three parts")),
        row("no token at all", |d, _| d.finished(|_| "garbage".into()), because("three parts")),
        row("no base64url", |d, _| d.finished(|text| text.replace('.', ".*")), because("base64url")),
        row("empty", |d, _| d.finished(|_| String::new()), because("three parts")),
        row("a token of a megabyte", |d, _| d.set("name", "x".repeat(740_000)), because("longer than 64 KiB")),
        row("a token of 40 kB", |d, _| d.set("name", "x".repeat(30_000)), SignedIn),
        row("a claim that stands twice", |d, _| twice(d, "sub", "\"mallory\""), because("stands twice")),
        row(
            "a nested claim that stands twice",
            |d, _| twice(d, "realm", "{\"roles\":[],\"roles\":[\"owner\"]}"),
            because("stands twice"),
        ),
        row("claims that are a list", |d, _| d.with_text("[\"sub\"]"), because("no JSON object")),
        row(
            "claims nested ten thousand deep",
            |d, _| d.with_text(&format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000))),
            because("no JSON object"),
        ),
        row("acr that is a list", |d, _| d.set("acr", json!(["gold"])), because("")),
        row("amr that is text", |d, _| d.set("amr", "pwd"), because("")),
        row("sid that is a number", |d, _| d.set("sid", 1), because("a claim is missing or of the wrong type")),
    ])
    .await;
}

fn twice(draft: Draft, name: &str, value: &str) -> Draft {
    let text = draft.claims.to_string();
    draft.with_text(&format!("{},\"{name}\":{value}}}", &text[..text.len() - 1]))
}
