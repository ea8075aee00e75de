//! Upstreams behind TLS: which are believed, and what the gateway shows of itself.

use cloakroom_tests::relay::{over_tls, with_tls};
use cloakroom_tests::secure::Pair;
use cloakroom_tests::{Gateway, Setup, Upstream};

/// An upstream at a TLS port, with these lines, and a route to it.
fn upstream(id: &str, port: u16, lines: &str) -> String {
    let pages = "access = \"anonymous\"";
    format!(
        "[upstreams.{id}]\nurl = \"https://localhost:{port}\"\n{lines}\n\n\
         [[routes]]\nsite = \"app\"\npath = \"/{id}/\"\nupstream = \"{id}\"\n{pages}\n\n"
    )
}

async fn status(gateway: &Gateway, id: &str) -> u16 {
    gateway.request("GET", &format!("/{id}/x")).send(gateway.port()).await.unwrap().status
}

#[tokio::test]
async fn s17_p16_upstreams_are_believed_by_their_own_ca_pins_and_asked_for_alone() {
    let (own, other, client) = (Pair::of(&["localhost"]), Pair::of(&["localhost"]), Pair::of(&["gateway"]));
    let service = Upstream::start().await;
    let plain = service.origin().rsplit_once(':').unwrap().1.parse().unwrap();
    let (open, closed) = (over_tls(&own, plain).await, with_tls(own.server_for(&client), plain).await);
    let ca = "ca = \"file:own.pem\"";
    let shown = "client_cert = \"file:client.pem\"\nclient_key = \"file:client.key\"";
    let stranger = "client_cert = \"file:other.pem\"\nclient_key = \"file:other.key\"";
    let cases = [
        ("usual", open, String::new(), 502),
        ("own", open, ca.to_owned(), 200),
        ("foreign", open, "ca = \"file:other.pem\"".to_owned(), 502),
        ("pinned", open, format!("{ca}\npins = [\"{}\", \"{}\"]", other.pin(), own.pin()), 200),
        ("moved", open, format!("{ca}\npins = [\"{}\"]", other.pin()), 502),
        ("unproven", open, format!("pins = [\"{}\"]", own.pin()), 502),
        ("nobody", closed, ca.to_owned(), 502),
        ("known", closed, format!("{ca}\n{shown}"), 200),
        ("stranger", closed, format!("{ca}\n{stranger}"), 502),
    ];
    let sections: String = cases.iter().map(|(id, port, lines, _)| upstream(id, *port, lines)).collect();
    let mut gateway = Setup::default().server("workers = 1").section(&sections).prepare().await;
    for (name, pair) in [("own", &own), ("other", &other), ("client", &client)] {
        pair.write(gateway.folder(), name);
    }
    gateway.launch().await;
    // Twice, the right ones first: a connection of one is never another's, nor is its TLS session (P16).
    for _ in 0..2 {
        for wanted in [200, 502] {
            for (id, _, _, expected) in cases.iter().filter(|case| case.3 == wanted) {
                assert_eq!(status(&gateway, id).await, *expected, "{id}");
            }
        }
    }
    assert_eq!(service.calls().len(), 6);
    // The log names the cause and the request; the caller is told neither.
    let refused = gateway.request("GET", "/foreign/x").send(gateway.port()).await.unwrap().expect(502);
    let id = refused.problem()["request_id"].as_str().unwrap().to_owned();
    let log = gateway.log();
    let line = log.lines().find(|line| line.contains(&id) && line.contains("\"WARN\"")).unwrap_or_default();
    assert!(line.contains("upstream-unreachable") && line.contains("invalid peer certificate"), "{line}");
    assert!(!refused.text().contains("certificate"), "{}", refused.text());
}

#[tokio::test]
async fn p16_no_two_sites_share_a_connection_to_an_upstream() {
    let console = "[[routes]]\nsite = \"console\"\npath = \"/public/\"\nupstream = \"api\"\naccess = \"anonymous\"\n";
    let gateway = Setup::default().server("workers = 1").section(console).start().await;
    for site in ["app", "console", "app", "console"] {
        let host = format!("{site}.localhost:{}", gateway.port());
        let request = cloakroom_tests::wire::Request::new("GET", &host, "/public/x");
        request.send(gateway.port()).await.unwrap().expect(200);
    }
    assert_eq!(gateway.upstream.connections(), 2, "one for each site, and both used again");
}
