//! Callers without a cookie.

use cloakroom_tests::{Browser, Gateway};

#[tokio::test]
async fn u04_u06_anonymous_api_calls_get_a_problem_and_no_cookie() {
    let gateway = Gateway::start().await;
    let browser = Browser::new();
    for number in 0..100 {
        let method = ["GET", "POST", "DELETE"][number % 3];
        let fetch = browser.fetch(method, &gateway.app(&format!("/api/{number}")));
        let answer = if number % 2 == 0 { fetch.csrf().send().await } else { fetch.send().await };
        assert_eq!(answer.status, 401, "{answer:?}");
        assert!(answer.header("set-cookie").is_none(), "{answer:?}");
        assert!(answer.header("location").is_none(), "{answer:?}");
        let problem = answer.problem();
        assert_eq!(problem["status"], 401);
        assert!(problem["title"].is_string() && problem["type"].is_string(), "{problem}");
    }
    assert!(gateway.seen().await.authorize().is_empty(), "a login was started");
    assert!(gateway.upstream.calls().is_empty());
}

#[tokio::test]
async fn u06_problem_says_where_to_log_in() {
    let gateway = Gateway::start().await;
    let problem = Browser::new().fetch("GET", &gateway.app("/api/x")).send().await.expect(401).problem();
    assert!(problem.to_string().contains("/bff/login"), "{problem}");
}
