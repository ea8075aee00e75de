//! L14: answers that are slow, huge, broken, packed or that lead in circles cost bounded time and memory, and end on a
//! clear page.

use cloakroom_tests::adversary::Endpoint::{self, Discovery, Elsewhere, Keys, Token, Userinfo};
use cloakroom_tests::adversary::{Bend, Reply, Way, sign_in};
use cloakroom_tests::{Adversary, Gateway, Setup};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::time::Instant;

type Abuse = (&'static str, fn(&mut Reply));

/// Fifty megabytes of nothing in fifty kilobytes.
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let packed = Command::new("sh").args(["-c", "head -c 50M /dev/zero | gzip"]).output().expect("gzip");
    assert!(packed.stdout.len() > 10_000, "{packed:?}");
    packed.stdout
});

const ABUSES: [Abuse; 13] = [
    ("500", |r| r.say(500, "text/html", "<h1>the provider's words</h1>")),
    ("503 with an OAuth error", |r| r.say(503, "application/json", "{\"error\":\"temporarily_unavailable\"}")),
    ("garbage", |r| r.say(200, "application/json", "the provider's words {]")),
    ("nothing", |r| r.say(200, "application/json", "")),
    ("50 MB", |r| {
        r.body = vec![b' '; 1 << 20];
        r.way = Way::Over(50);
    }),
    ("a gzip bomb", |r| {
        r.headers.push(("Content-Encoding".into(), "gzip".into()));
        r.body.clone_from(&BOMB);
    }),
    ("a redirect to itself", |r| {
        r.status = 302;
        r.headers.push(("Location".into(), "/token".into()));
        r.body.clear();
    }),
    ("a redirect to somebody else", |r| {
        r.status = 307;
        r.headers.push(("Location".into(), "http://evil.localhost:1/".into()));
    }),
    ("a redirect to another place there", |r| {
        r.status = 307;
        r.headers.push(("Location".into(), "/elsewhere/answer".into()));
    }),
    ("half an answer", |r| r.way = Way::Cut),
    ("no answer", |r| r.way = Way::Close),
    ("silence", |r| r.way = Way::Hang),
    ("a byte now and then", |r| r.way = Way::Drip),
];

/// Two seconds are enough for an answer, so that silence does not take long here.
async fn impatient(adversary: &Adversary) -> Gateway {
    let mut gateway = Setup::default().issuer(&adversary.issuer).registration("userinfo = true").prepare().await;
    gateway.environment("CLOAKROOM__PROVIDERS__MAIN__TIMEOUT_SECS", "2");
    gateway.launch().await;
    gateway
}

/// The most memory that the process has held so far, in kB.
fn peak_kb(gateway: &Gateway) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// One login with one endpoint abused: refused in time, on a page for people that does not repeat the provider's words.
async fn suffers(gateway: &Gateway, adversary: &Adversary, endpoint: Endpoint, (name, abuse): Abuse) {
    adversary.bend(&[Bend::Answer(endpoint, abuse)]);
    let began = Instant::now();
    let outcome = sign_in(gateway, "").await;
    let took = began.elapsed();
    let said = outcome.answer.text();
    assert!(took < Duration::from_secs(15), "{endpoint:?} {name}: {took:?}");
    assert!((400..600).contains(&outcome.answer.status), "{endpoint:?} {name}: {:?}", outcome.answer);
    assert!(!said.contains("the provider's words") && !said.is_empty(), "{endpoint:?} {name}: {said}");
    assert!(outcome.browser.session_cookie().is_none(), "{endpoint:?} {name}: a session began");
    assert!(adversary.seen(Elsewhere).is_empty(), "{endpoint:?} {name}: a redirect was followed");
}

#[tokio::test]
async fn l14_abusive_token_and_userinfo_endpoints() {
    let adversary = Adversary::start().await;
    let gateway = impatient(&adversary).await;
    assert!(sign_in(&gateway, "").await.signed_in());
    let before = peak_kb(&gateway);
    for endpoint in [Token, Userinfo] {
        for abuse in ABUSES {
            suffers(&gateway, &adversary, endpoint, abuse).await;
        }
    }
    let grown = peak_kb(&gateway) - before;
    assert!(grown < 30_000, "{grown} kB more than before");
    adversary.straighten();
    assert!(sign_in(&gateway, "").await.signed_in());
}

#[tokio::test]
async fn l14_abusive_discovery_and_key_endpoints() {
    let adversary = Adversary::start().await;
    let gateway = impatient(&adversary).await;
    let before = peak_kb(&gateway);
    for endpoint in [Discovery, Keys] {
        for abuse in ABUSES {
            suffers(&gateway, &adversary, endpoint, abuse).await;
        }
    }
    let grown = peak_kb(&gateway) - before;
    assert!(grown < 30_000, "{grown} kB more than before");
    adversary.straighten();
    assert!(sign_in(&gateway, "").await.signed_in(), "it heals by itself");
}

#[tokio::test]
async fn l14_slow_provider_holds_up_nobody_else() {
    let adversary = Adversary::start().await;
    let gateway = impatient(&adversary).await;
    let signed_in = sign_in(&gateway, "").await.browser;
    adversary.bend(&[Bend::Answer(Token, |reply| reply.way = Way::Hang)]);
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let login = gateway.app("/bff/login?return_to=/pages/home");
        waiting.spawn(async move {
            cloakroom_tests::adversary::sign_in_at(cloakroom_tests::Browser::new(), &login).await.answer.status
        });
    }
    let began = Instant::now();
    for _ in 0..20 {
        signed_in.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
        signed_in.fetch("GET", &gateway.app("/bff/user")).send().await.expect(200);
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    while let Some(status) = waiting.join_next().await {
        assert!(status.unwrap() >= 400);
    }
}
