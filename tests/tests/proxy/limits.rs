//! Limits hold under concurrency, count whom they say, and are not dodged.

use cloakroom_tests::wire::{Answer, Request};
use cloakroom_tests::{Browser, Gateway, SESSION_COOKIE, Setup};

const ROUTE: &str = "[[routes]]\nsite = \"app\"\npath = \"/search/\"\nupstream = \"api\"\ntoken = \"user\"\n";

/// Sends all at once, each on a connection of its own, and so over every worker.
async fn all_at_once(gateway: &Gateway, requests: Vec<Request>) -> Vec<Answer> {
    let port = gateway.port();
    let sent: Vec<_> =
        requests.into_iter().map(|request| tokio::spawn(async move { request.send(port).await })).collect();
    let mut answers = Vec::new();
    for answer in sent {
        answers.push(answer.await.unwrap().expect("an answer"));
    }
    answers
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

fn as_user(gateway: &Gateway, browser: &Browser, path: &str) -> Request {
    let cookie = format!("{SESSION_COOKIE}={}", browser.session_cookie().unwrap().value);
    gateway.request("GET", path).header("X-CSRF", "1").header("Cookie", &cookie)
}

#[tokio::test]
async fn p14_limit_by_address_is_exact_over_all_workers_and_not_dodged_by_forged_headers() {
    let limits = "[limits]\naddress = { rate = \"1/h\", burst = 20 }";
    let gateway = Setup::default().server("workers = 4").section(limits).start().await;
    let requests = (0..100).map(|number| {
        let forged = format!("203.0.113.{number}");
        let request = gateway.request("GET", "/public/x").header("X-Forwarded-For", &forged);
        request.header("Forwarded", &format!("for={forged}")).header("X-Real-IP", &forged)
    });
    let answers = all_at_once(&gateway, requests.collect()).await;
    assert_eq!((count(&answers, 200), count(&answers, 429)), (20, 80));
    assert_eq!(gateway.upstream.calls().len(), 20);
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((3_000..=3_600).contains(&wait), "{refused:?}");
    let problem = refused.problem();
    assert_eq!(problem["type"], "urn:cloakroom:problem:too-many-requests", "{problem}");
    assert_eq!(refused.header("ratelimit-policy"), Some("\"address\";q=20;w=72000"));
    assert_eq!(refused.header("ratelimit"), Some(format!("\"address\";r=0;t={wait}").as_str()));
    let left: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    for left in left {
        assert!(left.header("ratelimit").unwrap().starts_with("\"address\";r="), "{left:?}");
    }
    let metrics = gateway.management("/metrics").await.text();
    assert!(metrics.contains("cloakroom_limited_total{limit=\"address\"} 80"), "{metrics}");
}

#[tokio::test]
async fn p14_trusted_proxy_tells_callers_apart_and_ipv6_neighbours_count_as_one() {
    let limits = "[limits]\naddress = { rate = \"1/h\", burst = 2 }";
    let gateway = Setup::default().server("trusted_proxies = [\"127.0.0.1\"]").section(limits).start().await;
    for (address, status) in [
        ("203.0.113.1", 200),
        ("203.0.113.1", 200),
        ("203.0.113.1", 429),
        ("203.0.113.2", 200),
        ("198.51.100.9, 203.0.113.1", 429),
        ("2001:db8::1", 200),
        ("2001:db8::2", 200),
        ("2001:db8::3", 429),
        ("2001:db8:0:1::3", 200),
    ] {
        let request = gateway.request("GET", "/public/x").header("X-Forwarded-For", address);
        assert_eq!(request.send(gateway.port()).await.unwrap().status, status, "{address}");
    }
}

#[tokio::test]
async fn p14_sessions_clients_and_routes_are_counted_each_by_itself() {
    let route = format!("{ROUTE}limit = {{ rate = \"1/h\", burst = 3, per = \"caller\" }}\n");
    let all = "[[routes]]\nsite = \"app\"\npath = \"/export/\"\nupstream = \"api\"\nlimit = { rate = \"1/h\", burst = 4, per = \"route\" }\n";
    let limits = "[limits]\nsession = { rate = \"1/h\", burst = 10 }\n";
    let gateway = Setup::default()
        .app("limit = { rate = \"1/h\", burst = 22 }")
        .section(&format!("{limits}{route}{all}"))
        .start()
        .await;
    let (alice, bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    let send = async |browser: &Browser, path: &str, times: usize| {
        let answers = all_at_once(&gateway, vec![as_user(&gateway, browser, path); times]).await;
        (count(&answers, 200), count(&answers, 429))
    };
    // Signing in led each over one page: 1 call of 10, 2 of 22.
    assert_eq!(send(&alice, "/search/x", 6).await, (3, 3), "her calls to the route");
    assert_eq!(send(&bob, "/search/x", 2).await, (2, 0), "his are others");
    assert_eq!(send(&alice, "/export/x", 2).await, (2, 0));
    assert_eq!(send(&bob, "/export/x", 3).await, (2, 1), "everybody's calls to the route");
    // Hers so far, the refused ones of the route included: 1 + 6 + 2.
    assert_eq!(send(&alice, "/api/x", 3).await, (1, 2), "all calls of her session");
    // The client: 2 + 3 + 2 + 2 + 2 + 1 = 12 of 22; the others wait.
    assert_eq!(send(&bob, "/api/x", 8).await, (4, 4), "all calls of his session: 1 + 2 + 3 before");
    let carol = gateway.signed_in("carol").await;
    assert_eq!(send(&carol, "/api/x", 9).await, (5, 4), "all calls of the client: 17 before");
    let metrics = gateway.management("/metrics").await.text();
    for limit in ["session", "client", "route"] {
        assert!(
            metrics.contains(&format!("cloakroom_limited_total{{limit=\"{limit}\"}} 4"))
                || metrics.contains(&format!("cloakroom_limited_total{{limit=\"{limit}\"}} 6")),
            "{limit}: {metrics}"
        );
    }
}

#[tokio::test]
async fn p14_floods_of_logins_and_of_refused_requests_cost_little_and_hold_nobody_else_up() {
    let limits = "[limits]\nlogin = { rate = \"1/h\", burst = 3 }\nrefused = { rate = \"1/h\", burst = 5 }";
    let gateway = Setup::default().section(limits).start().await;
    let alice = gateway.signed_in("alice").await;
    let navigate = gateway.request("GET", "/bff/login?return_to=/").header("Sec-Fetch-Mode", "navigate");
    let navigate = navigate.header("Sec-Fetch-Dest", "document").header("Sec-Fetch-Site", "none");
    let answers = all_at_once(&gateway, vec![navigate; 20]).await;
    assert_eq!((count(&answers, 303), count(&answers, 429)), (2, 18), "one login was alice's");
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert!(refused.header("retry-after").is_some() && refused.header("set-cookie").is_none(), "{refused:?}");
    assert!(refused.header("ratelimit").unwrap().starts_with("\"login\";r=0;t="), "{refused:?}");
    // What comes back from a provider, or says so, has a count of its own, and so has what is refused.
    let back = gateway.request("GET", "/bff/callback?state=none&code=none");
    let answers = all_at_once(&gateway, vec![back; 10]).await;
    assert_eq!((count(&answers, 200), count(&answers, 429)), (2, 8));
    gateway.request("GET", "/bff/nothing").send(gateway.port()).await.unwrap().expect(404);
    let odd = gateway.request("GET", "/public/../api/x");
    let answers = all_at_once(&gateway, vec![odd; 20]).await;
    assert_eq!((count(&answers, 400), count(&answers, 429)), (4, 16), "one of five was at an endpoint");
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert!(refused.header("ratelimit").unwrap().starts_with("\"refused\";r=0;t="), "{refused:?}");
    // What is in order goes on, and who must sign in is told so.
    alice.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    let anonymous = gateway.request("GET", "/api/x").header("X-CSRF", "1").send(gateway.port()).await.unwrap();
    assert_eq!(anonymous.status, 401);
    assert!(anonymous.header("ratelimit").is_none(), "{anonymous:?}");
}

#[tokio::test]
async fn p14_people_who_wait_read_a_page_and_programs_a_problem() {
    let limits = "[limits]\naddress = { rate = \"30/min\", burst = 1 }";
    let gateway = Setup::default().section(limits).start().await;
    gateway.request("GET", "/public/x").send(gateway.port()).await.unwrap().expect(200);
    let page = gateway.request("GET", "/").header("Sec-Fetch-Mode", "navigate").header("Sec-Fetch-Dest", "document");
    let page = page.send(gateway.port()).await.unwrap().expect(429);
    assert!(page.header("content-type").unwrap().starts_with("text/html"), "{page:?}");
    assert!(page.text().contains("Try again soon") && page.text().contains("try again in 2 s"), "{}", page.text());
    let problem = gateway.request("GET", "/api/x").send(gateway.port()).await.unwrap().expect(429);
    assert_eq!(problem.header("retry-after"), Some("2"));
    assert_eq!(
        problem.problem()["detail"],
        "too many requests: the limit \"address\" is used up for now; try again in 2 s"
    );
    // And in two seconds there is one more.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    gateway.request("GET", "/public/x").send(gateway.port()).await.unwrap().expect(200);
}

#[tokio::test]
async fn p14_answers_say_nothing_of_limits_where_there_are_none() {
    let gateway = Gateway::start().await;
    let answer = gateway.request("GET", "/public/x").send(gateway.port()).await.unwrap().expect(200);
    assert!(answer.header("ratelimit").is_none() && answer.header("ratelimit-policy").is_none(), "{answer:?}");
}

/// Codes that devices show are not to be guessed (RFC 8628 section 5.1), nor are many to be had.
#[tokio::test]
async fn p14_codes_of_devices_are_counted_as_logins_are() {
    let limits = "[limits]\nlogin = { rate = \"1/h\", burst = 3 }\nrefused = \"off\"";
    let gateway = Setup::default().phone("device_grant = true").section(limits).start().await;
    for (method, target) in [("GET", "/oauth/device?user_code=BCDF-GHJK"), ("POST", "/oauth/device_authorization")] {
        let answers = all_at_once(&gateway, vec![gateway.request(method, target); 5]).await;
        assert_eq!(count(&answers, 429), 2, "{target}: {:?}", answers.iter().map(|one| one.status).collect::<Vec<_>>());
    }
}
