//! The administration's door, tried as the API describes itself: an endpoint that is added is covered by itself, and one
//! without a least role fails here.

use super::{SESSIONS, get, post, session_of};
use cloakroom_tests::wire::Request;
use cloakroom_tests::{Answer, Browser, Gateway, Provider, SESSION_COOKIE, Setup};
use serde_json::{Value, json};

/// Roles in the order of what they may do.
const ROLES: [&str; 3] = ["viewer", "operator", "owner"];

/// One operation of the document, ready to be called.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) role: usize,
    pub(super) body: Option<Value>,
}

impl Operation {
    /// The path with every parameter filled in.
    pub(super) fn about(&self, id: &str) -> String {
        let parts = self.path.split('/').map(|part| if part.starts_with('{') { id } else { part });
        parts.collect::<Vec<_>>().join("/")
    }

    fn names_something(&self) -> bool {
        self.path.contains('{')
    }

    pub(super) fn writes(&self) -> bool {
        self.method != "GET"
    }

    async fn by(&self, gateway: &Gateway, browser: &Browser, id: &str) -> Answer {
        let call = browser.fetch(&self.method, &gateway.console(&self.about(id))).csrf();
        match &self.body {
            Some(body) => call.body("application/json", body.to_string()).open().await.answer().await,
            None => call.open().await.answer().await,
        }
    }
}

/// Every operation that the gateway says it has.
pub(super) async fn operations(gateway: &Gateway, administrator: &Browser) -> Vec<Operation> {
    let document = get(gateway, administrator, "/admin/api/v1/openapi.json").await.expect(200).json();
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let role = operation["x-least-role"].as_str();
            let role = role.and_then(|role| ROLES.iter().position(|known| *known == role));
            let body = operation["requestBody"].as_object().map(|body| {
                let example = &body["content"]["application/json"]["example"];
                assert!(!example.is_null(), "{method} {path} has no example of its body");
                example.clone()
            });
            found.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                role: role.unwrap_or_else(|| panic!("{method} {path} names no least role")),
                body,
            });
        }
    }
    assert!(found.len() >= 6 && found.iter().any(Operation::writes), "{found:?}");
    found
}

#[tokio::test]
async fn a01_every_operation_by_every_role_and_by_nobody() {
    let gateway = Gateway::start().await;
    let owner = gateway.administrator("olivia").await;
    let nobody = Browser::new();
    let plain = gateway.administrator("bob").await;
    let callers = [gateway.administrator("vera").await, gateway.administrator("oscar").await, owner];
    let unknown = "018f3e5a-7c00-7000-8000-000000000000";
    for operation in operations(&gateway, &callers[2]).await {
        operation.by(&gateway, &nobody, unknown).await.expect(401).problem();
        operation.by(&gateway, &plain, unknown).await.expect(403).problem();
        for (role, browser) in callers.iter().enumerate() {
            let answer = operation.by(&gateway, browser, unknown).await;
            if role < operation.role {
                let problem = answer.expect(403).problem();
                assert_eq!(problem["required_role"], ROLES[operation.role], "{operation:?}: {problem}");
            } else {
                assert!(!matches!(answer.status, 401 | 403 | 405 | 500..), "{operation:?} by {role}: {answer:?}");
                assert!(answer.header("cache-control").unwrap_or_default().contains("no-store"), "{operation:?}");
            }
        }
    }
}

/// Acme's app with an administrator for each tenant: what is Acme's is not there for Globex's.
#[tokio::test]
async fn a01_every_operation_stops_at_the_tenants_fence() {
    let gateway = Setup::default().app("tenant = \"acme\"").section("tenant_claim = \"department\"").start().await;
    for (sub, org, roles) in [("ann", "acme", "owner"), ("gus", "globex", "owner"), ("lost", "", "owner")] {
        let claims =
            if org.is_empty() { json!({ "roles": [roles] }) } else { json!({ "roles": [roles], "department": org }) };
        Provider::shared().user(sub, claims).await;
    }
    let app = gateway.signed_in("alice").await;
    let (acme, globex) = (gateway.administrator("ann").await, gateway.administrator("gus").await);
    let id = session_of(&gateway, &acme, "alice").await;
    for operation in operations(&gateway, &globex).await {
        let answer = operation.by(&gateway, &globex, &id).await;
        if operation.names_something() {
            answer.expect(404).problem();
        } else {
            let text = answer.text();
            assert!(!text.contains("alice") && !text.contains(&id), "{operation:?} leaks: {text}");
        }
    }
    let overview = get(&gateway, &globex, "/admin/api/v1/overview").await.expect(200).json();
    assert_eq!((&overview["live_sessions"], &overview["last_24_hours"]["sign_ins"]), (&json!(0), &json!(0)));
    let whole = get(&gateway, &globex, &format!("{SESSIONS}?q={id}&state=all")).await.expect(200).json();
    assert_eq!((&whole["items"], &whole["count"]["n"]), (&json!([]), &json!(0)));
    app.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);

    // An account without a tenant sees nothing; an owner by identity sees every tenant.
    let lost = gateway.administrator("lost").await;
    let problem = get(&gateway, &lost, SESSIONS).await.expect(403).problem();
    assert_eq!(problem["type"], "urn:cloakroom:problem:tenant-needed");
    let carol = gateway.administrator("carol").await;
    assert_eq!(session_of(&gateway, &carol, "alice").await, id);
    // A cursor of one fence opens in no other.
    gateway.signed_in("bob").await;
    let page = get(&gateway, &acme, &format!("{SESSIONS}?limit=1")).await.expect(200).json();
    let cursor = page["next"].as_str().expect("a next page");
    get(&gateway, &globex, &format!("{SESSIONS}?limit=1&cursor={cursor}")).await.expect(400).problem();
    super::revoke(&gateway, &acme, &id).await;
    app.fetch("GET", &gateway.app("/api/x")).send().await.expect(401);
}

#[tokio::test]
async fn a02_every_operation_is_safe_from_other_sites() {
    let gateway = Gateway::start().await;
    let owner = gateway.administrator("olivia").await;
    let cookie = format!("{SESSION_COOKIE}={}", owner.cookie("console.localhost", SESSION_COOKIE).unwrap().value);
    let host = format!("console.localhost:{}", gateway.port());
    let evil = format!("http://app.localhost:{}", gateway.port());
    let foreign: [(&[(&str, &str)], bool); 6] = [
        // The fields, and whether a safe method is refused with them too.
        (&[], true),
        (&[("Sec-Fetch-Site", "same-origin")], false),
        (&[("Sec-Fetch-Site", "same-site")], true),
        (&[("X-CSRF", "1"), ("Sec-Fetch-Site", "cross-site")], true),
        (&[("X-CSRF", "1"), ("Origin", &evil)], true),
        (&[("X-CSRF", "1"), ("Origin", "null")], true),
    ];
    for operation in operations(&gateway, &owner).await {
        for (fields, safe_too) in foreign {
            if !operation.writes() && !safe_too {
                continue;
            }
            let path = operation.about("018f3e5a-7c00-7000-8000-000000000000");
            let mut request = Request::new(&operation.method, &host, &path).header("Cookie", &cookie);
            for (name, value) in fields {
                request = request.header(name, value);
            }
            if let Some(body) = &operation.body {
                request = request.header("Content-Type", "application/json").body(body.to_string());
            }
            let answer = request.send(gateway.port()).await.unwrap();
            assert_eq!(answer.status, 403, "{operation:?} with {fields:?}: {answer:?}");
        }
    }
}

/// A token or cookie of an app opens no operation, wherever it is sent (A11).
#[tokio::test]
async fn a11_every_operation_is_closed_to_an_apps_session() {
    let gateway = Gateway::start().await;
    let owner = gateway.administrator("olivia").await;
    let app = gateway.signed_in("olivia").await;
    let value = app.cookie("app.localhost", SESSION_COOKIE).unwrap().value;
    let console = format!("console.localhost:{}", gateway.port());
    for operation in operations(&gateway, &owner).await {
        let path = operation.about("018f3e5a-7c00-7000-8000-000000000000");
        for (host, field, value, status) in [
            (gateway.host(), "Cookie", format!("{SESSION_COOKIE}={value}"), 404),
            (console.clone(), "Cookie", format!("{SESSION_COOKIE}={value}"), 401),
            (console.clone(), "Authorization", format!("Bearer {value}"), 401),
        ] {
            let request = Request::new(&operation.method, &host, &path).header("X-CSRF", "1").header(field, &value);
            let answer = request.send(gateway.port()).await.unwrap();
            assert_eq!(answer.status, status, "{operation:?} at {host} by {field}: {answer:?}");
        }
    }
}

/// S12: nothing that an administrator sends makes the gateway fetch an address, and no registered address has a scheme
/// that a browser would run.
#[tokio::test]
async fn s12_no_operation_takes_an_address_to_fetch() {
    let gateway = Gateway::start().await;
    let owner = gateway.administrator("olivia").await;
    let document = get(&gateway, &owner, "/admin/api/v1/openapi.json").await.expect(200).text();
    for name in ["\"uri\"", "_uri\"", "_url\"", "issuer_url", "callback"] {
        let known = ["logout_url\"", "login_url\""].iter().map(|known| document.matches(known).count()).sum::<usize>();
        let found = document.matches(name).count();
        assert!(found == 0 || (name == "_url\"" && found == known), "{name} stands {found} times in the document");
    }
    for url in ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://x.example", "//evil.example"] {
        let bad = Setup::default().app(&format!("return_urls = [\"{url}\"]")).prepare().await;
        let output = bad.run(&["check"]);
        assert!(!output.status.success(), "{url} was taken");
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("return_urls"), "{url}: {said}");
    }
}

#[tokio::test]
async fn s13_odd_ids_and_filters_are_never_a_server_error() {
    let gateway = Gateway::start().await;
    gateway.signed_in("alice").await;
    let operator = gateway.administrator("oscar").await;
    let id = session_of(&gateway, &operator, "alice").await;
    let upper = id.to_uppercase();
    let (bare, braced, urn) = (id.replace('-', ""), format!("%7B{id}%7D"), format!("urn:uuid:{id}"));
    let spellings = [upper.as_str(), &bare, &braced, &urn, "%00", "%ED%A0%80", "%FF", "..%2f..", "-1", "NaN"];
    for odd in spellings {
        let one = get(&gateway, &operator, &format!("{SESSIONS}/{odd}")).await;
        assert!(matches!(one.status, 400 | 404), "{odd}: {one:?}");
        let path = format!("{SESSIONS}/{odd}/revoke");
        let ended = post(&gateway, &operator, &path, &json!({ "reason": "x" })).await;
        assert!(matches!(ended.status, 400 | 404), "{odd}: {ended:?}");
    }
    let values = ["%00", "%ED%A0%80", "%FF", "%25%27%22%3C", "a%0d%0ab", "%F0%9F%92%A9", "%E2%80%AE"];
    for name in ["state", "client", "sub", "q", "sort", "limit", "cursor"] {
        for value in values {
            let answer = get(&gateway, &operator, &format!("{SESSIONS}?{name}={value}")).await;
            assert!(matches!(answer.status, 200 | 400), "{name}={value}: {answer:?}");
        }
    }
    get(&gateway, &operator, &format!("{SESSIONS}?nonsense=1")).await.expect(400).problem();
    gateway.management("/readyz").await.expect(200);
}
