//! One login at the adversary's, and what came of it.

use super::{Adversary, Bend, Draft, Moment};
use crate::wire::Answer;
use crate::{Browser, Gateway};
use serde_json::Value;
use url::Url;

const CALLBACK: &str = "/bff/callback";
const FINISH: &str = "/bff/callback/finish";

/// What a bent answer must come to.
#[derive(Clone, Copy, Debug)]
pub enum Expect {
    /// Signed in all the same.
    SignedIn,
    /// Refused with the problem's code, and a detail that says so.
    Refused(&'static str, &'static str),
    /// No login begins: the status of the page that says so.
    NoStart(u16),
}

/// A row of a table.
pub struct Case {
    /// What the adversary does.
    pub name: &'static str,
    /// How.
    pub bends: Vec<Bend>,
    /// What must come of it.
    pub expect: Expect,
}

impl Case {
    /// A row with one bend.
    pub fn new(name: &'static str, bend: Bend, expect: Expect) -> Self {
        Self { name, bends: vec![bend], expect }
    }

    /// A row with an ID token of the code's answer bent.
    pub fn id_token(name: &'static str, bend: fn(Draft, &Moment) -> Draft, expect: Expect) -> Self {
        Self::new(name, Bend::IdToken(bend), expect)
    }
}

/// What came of a login.
pub struct Outcome {
    /// The browser, signed in or not.
    pub browser: Browser,
    /// The last answer.
    pub answer: Answer,
    /// Where it came from.
    pub path: String,
}

impl Outcome {
    /// Whether a session began.
    pub fn signed_in(&self) -> bool {
        self.answer.status == 303 && self.browser.session_cookie().is_some()
    }

    /// The last part of the problem's type, and its detail.
    pub fn refusal(&self) -> (String, String) {
        let problem: Value = serde_json::from_slice(&self.answer.body).unwrap_or_default();
        let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        (text("type").trim_start_matches("urn:cloakroom:problem:").to_owned(), text("detail"))
    }
}

/// Signs a fresh browser in at the app, with `extra` parameters of the login address.
pub async fn sign_in(gateway: &Gateway, extra: &str) -> Outcome {
    sign_in_at(Browser::new(), &gateway.app(&format!("/bff/login?return_to=/pages/home{extra}"))).await
}

/// The same by any login address, which the person types.
pub async fn sign_in_at(mut browser: Browser, login: &str) -> Outcome {
    browser.hold_at(CALLBACK);
    browser.navigate(login).await;
    go_on(browser).await
}

/// The same by a page that leads there.
pub async fn sign_in_from(mut browser: Browser, page: &str, login: &str) -> Outcome {
    browser.hold_at(CALLBACK);
    browser.navigate_from(page, login).await;
    go_on(browser).await
}

async fn go_on(mut browser: Browser) -> Outcome {
    let Some(held) = browser.held_if_any() else {
        let page = browser.page();
        let answer =
            Answer { status: page.status, headers: page.headers.clone(), body: page.body.clone().into_bytes() };
        return Outcome { browser, answer, path: "/bff/login".into() };
    };
    let callback = held.url().clone();
    browser.hold_at(FINISH);
    browser.resume(held, None).await;
    let url = browser.held_if_any().map_or(callback, |finish| finish.url().clone());
    // Asked by a script of the own page, a refusal is a problem with a code instead of a page for people.
    let answer = browser.fetch("GET", url.as_str()).send().await;
    Outcome { browser, answer, path: url.path().to_owned() }
}

/// Signs in once for each row.
pub async fn run(gateway: &Gateway, adversary: &Adversary, cases: &[Case]) {
    for case in cases {
        adversary.bend(&case.bends);
        let outcome = sign_in(gateway, "").await;
        check(case, &outcome);
        // Whatever came of it: no token, no code goes to the browser (S18).
        let said = format!("{:?} {}", outcome.answer.headers, outcome.answer.text());
        assert!(adversary.secrets().iter().all(|secret| !said.contains(secret.as_str())), "{}: {said}", case.name);
        if let Expect::SignedIn = case.expect {
            let url = Url::parse(&gateway.app("/bff/user")).expect("an address");
            outcome.browser.fetch("GET", url.as_str()).send().await.expect(200);
        }
    }
    adversary.straighten();
}

#[track_caller]
fn check(case: &Case, outcome: &Outcome) {
    let said = outcome.refusal();
    let Answer { status, .. } = outcome.answer;
    match case.expect {
        Expect::SignedIn => assert!(outcome.signed_in(), "{}: refused: {status} {said:?}", case.name),
        Expect::Refused(code, detail) => {
            let refused = (400..=599).contains(&status) && said.0 == code && said.1.contains(detail);
            assert!(refused, "{}: not refused as {code} ({detail}): {status} {said:?}", case.name);
            assert!(outcome.browser.session_cookie().is_none(), "{}: a session began", case.name);
        }
        Expect::NoStart(expected) => {
            assert_eq!((status, outcome.path.as_str()), (expected, "/bff/login"), "{}: {said:?}", case.name);
            assert!(outcome.browser.cookies().is_empty(), "{}: a login began", case.name);
        }
    }
}
