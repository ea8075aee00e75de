//! T6: a provider whose clock is five minutes off. What its tokens say of their times is believed within
//! `clock_skew_secs`; how long an access token is good is counted here, from `expires_in`.

use super::gateway_at;
use cloakroom_tests::adversary::{Bend, Draft, Moment, sign_in};
use cloakroom_tests::{Adversary, Setup};

/// Nearly five minutes: the story itself takes time.
const OFF: i64 = 290;

type Bent = fn(Draft, &Moment<'_>) -> Draft;

/// The token of a provider whose clock is off by so many seconds: good for a minute, and of a sign-in just now.
fn off_by(draft: Draft, moment: &Moment<'_>, secs: i64) -> Draft {
    let now = moment.now + secs;
    draft.set("iat", now).set("nbf", now).set("auth_time", now).set("exp", now + 60)
}

#[tokio::test]
async fn t06_provider_whose_clock_is_five_minutes_off_signs_in_and_refreshes() {
    let adversary = Adversary::start().await;
    let mut gateway = Setup::default().issuer(&adversary.issuer).prepare().await;
    gateway.environment("CLOAKROOM__PROVIDERS__MAIN__CLOCK_SKEW_SECS", "300");
    gateway.launch().await;
    let clocks: [(&str, Bent); 2] = [("behind", |d, m| off_by(d, m, -OFF)), ("ahead", |d, m| off_by(d, m, OFF))];
    for (what, bend) in clocks {
        adversary.bend(&[Bend::IdToken(bend), Bend::Token(|answer, _| answer["expires_in"] = 0.into())]);
        let outcome = sign_in(&gateway, "&max_age=60").await;
        assert!(outcome.signed_in(), "{what}: {:?}", outcome.refusal());
        // The access token is over at once; the new one is good for as long as `expires_in` says.
        adversary.bend(&[Bend::RefreshedIdToken(bend)]);
        let before = adversary.granted("refresh_token").len();
        for _ in 0..3 {
            outcome.browser.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
        }
        assert_eq!(adversary.granted("refresh_token").len(), before + 1, "{what}");
    }
}

#[tokio::test]
async fn t06_five_minutes_are_too_much_where_nobody_allowed_them() {
    let adversary = Adversary::start().await;
    let gateway = gateway_at(&adversary).await;
    let clocks: [(Bend, &str); 2] = [
        (Bend::IdToken(|d, m| off_by(d, m, -OFF)), "expired"),
        (Bend::IdToken(|d, m| off_by(d, m, OFF)), "not valid yet"),
    ];
    for (bend, said) in clocks {
        adversary.bend(&[bend]);
        let outcome = sign_in(&gateway, "").await;
        let (code, detail) = outcome.refusal();
        assert_eq!(code, "login-id-token", "{detail}");
        assert!(detail.contains(said), "{detail}");
    }
}
