//! SIGTERM while many clients call.

use cloakroom_tests::wire::{Conn, Request};
use cloakroom_tests::{Gateway, SESSION_COOKIE, rounds};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

#[derive(Default)]
struct Tally {
    answered: AtomicUsize,
    told_at: OnceLock<Instant>,
}

/// Calls until it is told that nobody listens any more. Whatever was sent is answered, on connections that are kept and
/// on new ones, also where the request is one that must not be sent again.
#[tokio::test]
async fn f05_sigterm_under_load_fails_no_request() {
    let mut gateway = Gateway::start().await;
    let cookie = gateway.signed_in("alice").await.session_cookie().unwrap().value;
    let mut answered = 0;
    for _ in 0..rounds(3, 50) {
        let tally = Arc::new(Tally::default());
        let mut clients = JoinSet::new();
        for client in 0..24 {
            let method = if client % 2 == 0 { "GET" } else { "POST" };
            let path = if client % 3 == 0 { "/bff/user" } else { "/api/x" };
            let method = if path == "/bff/user" { "GET" } else { method };
            let mut request = gateway
                .request(method, path)
                .header("X-CSRF", "1")
                .header("Sec-Fetch-Site", "same-origin")
                .header("Cookie", &format!("{SESSION_COOKIE}={cookie}"));
            if client % 4 == 3 {
                request = request.header("Connection", "close");
            }
            clients.spawn(call_on(request, gateway.port(), Arc::clone(&tally), client % 5 == 0));
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        assert!(clients.try_join_next().is_none(), "a client gave up before the end");
        tally.told_at.set(Instant::now()).unwrap();
        assert!(gateway.stop().await.success());
        while let Some(done) = clients.join_next().await {
            done.unwrap().unwrap();
        }
        answered += tally.answered.load(Relaxed);
        gateway.launch().await;
    }
    assert!(!gateway.log().contains("are cut off"), "calls were cut off");
    println!("{answered} requests around SIGTERM, each answered");
}

/// No connection was made.
fn is_refusal(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset)
}

async fn call_on(request: Request, port: u16, tally: Arc<Tally>, pauses: bool) -> Result<(), String> {
    loop {
        // A load balancer that has looked at /readyz meanwhile sends nothing more here.
        if tally.told_at.get().is_some_and(|told| told.elapsed() > Duration::from_millis(300)) {
            return Ok(());
        }
        let mut conn = match Conn::open(port).await {
            Ok(conn) => conn,
            // As a load balancer: it asks another node.
            Err(error) if is_refusal(&error) && tally.told_at.get().is_some() => return Ok(()),
            Err(error) => return Err(format!("no connection: {error}")),
        };
        loop {
            let sent = async {
                conn.write(request.bytes()).await?;
                conn.answer(&request.method).await
            };
            let answer = sent.await.map_err(|error| format!("{} {}: {error}", request.method, request.target))?;
            if answer.status != 200 {
                return Err(format!("{} {}: {answer:?}", request.method, request.target));
            }
            tally.answered.fetch_add(1, Relaxed);
            if answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
                break;
            }
            if pauses {
                tokio::time::sleep(Duration::from_millis(40)).await;
            }
        }
    }
}
