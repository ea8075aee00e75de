//! Where a call came from: nobody is believed by default, and a listed proxy about the address alone.

use cloakroom_tests::wire::{Conn, Request};
use cloakroom_tests::{Browser, Gateway, Setup};

/// What a caller may write to pass for somebody else, somewhere else.
const FORGED: &[(&str, &str)] = &[
    ("X-Forwarded-For", "203.0.113.66"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Port", "6666"),
    ("X-Forwarded-Prefix", "/evil"),
    ("X-Forwarded-Uri", "/public/evil"),
    ("X-Forwarded-Method", "GET"),
    ("X-Forwarded-User", "root-evil"),
    ("X-Real-IP", "203.0.113.66"),
    ("X-Client-IP", "203.0.113.66"),
    ("True-Client-IP", "203.0.113.66"),
    ("CF-Connecting-IP", "203.0.113.66"),
    ("Forwarded", "for=203.0.113.66;host=evil.example;proto=https;by=evil"),
    ("X-Original-URL", "/public/evil"),
    ("X-Rewrite-URL", "/public/evil"),
    ("X-Original-Host", "evil.example"),
];

fn forged(request: Request) -> Request {
    FORGED.iter().fold(request, |request, (name, value)| request.header(name, value))
}

/// The address that the gateway tells the API.
fn told(gateway: &Gateway) -> String {
    let headers = gateway.upstream.last().headers;
    assert_eq!(headers.all("x-forwarded-for").len(), 1, "{headers:?}");
    headers.get("x-forwarded-for").unwrap_or_default().to_owned()
}

async fn forged_headers_change_nothing(gateway: &Gateway, address: &str) {
    let send = async |request: Request| forged(request).send(gateway.port()).await.expect("an answer");
    // Address, host and scheme as the API learns them, and no forged word beside them.
    let answer = send(gateway.request("GET", "/public/x")).await.expect(200);
    assert!(!answer.text().contains("evil"), "{}", answer.text());
    assert_eq!(told(gateway), address);
    let headers = gateway.upstream.last().headers;
    assert_eq!(headers.get("x-forwarded-host"), Some(gateway.host().as_str()), "{headers:?}");
    assert_eq!(headers.get("x-forwarded-proto"), Some("http"), "{headers:?}");
    // The site: it is found by Host alone.
    let stranger = Request::new("GET", "evil.example", "/public/x").header("X-Forwarded-Host", &gateway.host());
    assert_eq!(stranger.send(gateway.port()).await.expect("an answer").status, 421);
    // Policy: what needs a session needs it still.
    let before = gateway.upstream.calls().len();
    assert_eq!(send(gateway.request("GET", "/api/x").header("X-CSRF", "1")).await.status, 401);
    assert_eq!(gateway.upstream.calls().len(), before);
    // A login: its redirect leads to the configured origin, its cookie has the attributes of the contract.
    let login = gateway.request("GET", "/bff/login?return_to=/").header("Sec-Fetch-Mode", "navigate");
    let login = send(login.header("Sec-Fetch-Dest", "document").header("Sec-Fetch-Site", "none")).await.expect(303);
    let location = login.header("location").unwrap_or_default();
    let redirect = format!("redirect_uri=http%3A%2F%2Fapp.localhost%3A{}%2Fbff%2Fcallback", gateway.port());
    assert!(location.contains(&redirect) && !location.contains("evil"), "{location}");
    let cookie = login.header("set-cookie").unwrap_or_default();
    assert!(cookie.contains("Secure") && cookie.contains("Path=/") && !cookie.contains("Domain"), "{cookie}");
}

#[tokio::test]
async fn u25_forged_headers_never_change_address_scheme_host_cookies_or_policy() {
    let gateway = Gateway::start().await;
    forged_headers_change_nothing(&gateway, "127.0.0.1").await;
    // The trust list names others.
    let gateway = Setup::default().server("trusted_proxies = [\"10.0.0.0/8\"]").start().await;
    forged_headers_change_nothing(&gateway, "127.0.0.1").await;
}

#[tokio::test]
async fn u25_listed_proxy_is_believed_about_the_address_and_nothing_else() {
    let gateway = Setup::default().server("trusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\"]").start().await;
    forged_headers_change_nothing(&gateway, "203.0.113.66").await;
    for (value, address) in [
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7, 10.1.2.3", "203.0.113.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("198.51.100.1, rubbish", "127.0.0.1"),
    ] {
        let request = gateway.request("GET", "/public/x").header("X-Forwarded-For", value);
        request.header("Forwarded", "for=198.51.100.99").send(gateway.port()).await.unwrap().expect(200);
        assert_eq!(told(&gateway), address, "{value}");
    }
    // By RFC 7239 instead: then the other header is the caller's own.
    let server = "trusted_proxies = [\"127.0.0.1\"]\nforwarded_header = \"forwarded\"";
    let gateway = Setup::default().server(server).start().await;
    let request = gateway.request("GET", "/public/x").header("X-Forwarded-For", "198.51.100.1");
    let request = request.header("Forwarded", "for=198.51.100.1, for=\"[2001:db8::7]:4711\";proto=https");
    request.send(gateway.port()).await.unwrap().expect(200);
    assert_eq!(told(&gateway), "2001:db8::7");
}

#[tokio::test]
async fn u25_address_that_a_listed_proxy_names_stands_in_the_session_list() {
    let gateway = Setup::default().server("trusted_proxies = [\"127.0.0.1\"]").start().await;
    let mut browser = Browser::new();
    browser.always("X-Forwarded-For", "203.0.113.7");
    browser.sign_in(&gateway.app(""), "alice", "/pages/home").await;
    let viewer = gateway.administrator("vera").await;
    let url = gateway.console("/admin/api/v1/sessions?q=203.0.113.7");
    let found = viewer.fetch("GET", &url).csrf().send().await.expect(200).json();
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1), "{found}");
}

#[tokio::test]
async fn u25_proxy_protocol_is_read_from_listed_peers_and_needed_there() {
    let server = "trusted_proxies = [\"127.0.0.1\"]\nproxy_protocol = true";
    let gateway = Setup::default().server(server).start().await;
    let request = gateway.request("GET", "/public/x").bytes();
    let version_2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x08\x7f\0\0\x01\x12\x67\x1f\x90".to_vec();
    for (header, address) in [
        (b"PROXY TCP4 203.0.113.7 127.0.0.1 4711 8080\r\n".to_vec(), "203.0.113.7"),
        (b"PROXY TCP6 2001:db8::7 ::1 4711 8080\r\n".to_vec(), "2001:db8::7"),
        (b"PROXY UNKNOWN\r\n".to_vec(), "127.0.0.1"),
        (version_2, "203.0.113.8"),
    ] {
        let mut conn = Conn::open(gateway.port()).await.unwrap();
        conn.write([header, request.clone()].concat()).await.unwrap();
        conn.answer("GET").await.unwrap().expect(200);
        assert_eq!(told(&gateway), address);
        // The whole connection is that caller's.
        conn.write(request.clone()).await.unwrap();
        conn.answer("GET").await.unwrap().expect(200);
        assert_eq!(told(&gateway), address);
    }
    let before = gateway.upstream.calls().len();
    let mut bare = Conn::open(gateway.port()).await.unwrap();
    bare.write(request.clone()).await.unwrap();
    assert!(bare.answer("GET").await.is_err(), "a trusted peer that sends no header is hung up on");
    assert_eq!(gateway.upstream.calls().len(), before);
    // From others it is no HTTP.
    let server = "trusted_proxies = [\"10.0.0.0/8\"]\nproxy_protocol = true";
    let gateway = Setup::default().server(server).start().await;
    let mut conn = Conn::open(gateway.port()).await.unwrap();
    conn.write([b"PROXY TCP4 203.0.113.7 127.0.0.1 4711 8080\r\n".to_vec(), request].concat()).await.unwrap();
    let answer = conn.answer("GET").await;
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status == 400));
    assert!(gateway.upstream.calls().is_empty());
}
