//! Who stands in front of the gateway, and how often they may call.

use super::{GOOD, check, load_with, only, with};

#[test]
fn u24_proxies_in_front() {
    let listen = "listen = \"127.0.0.1:8080\"";
    let server = |lines: &str| with(listen, &format!("{lines}\n{listen}"));
    only(&server("trusted_proxies = [\"10.0.0.0/33\"]"), 2, "\"10.0.0.0/33\" in server.trusted_proxies is no");
    only(&server("trusted_proxies = [\"10.1.0.0/8\"]"), 2, "has bits set behind its prefix");
    only(&server("trusted_proxies = [\"lb.internal\"]"), 2, "is no IP address or network");
    only(&server("trusted_proxies = [\"::ffff:10.0.0.1\"]"), 2, "is an IPv4 network written as IPv6");
    only(&server("trusted_proxies = \"10.0.0.1\""), 2, "must be a list of texts");
    let trusted = "trusted_proxies = [\"10.0.0.0/8\"]";
    only(&server(&format!("{trusted}\nforwarded_header = \"x-real-ip\"")), 3, "is not one of its values");
    only(&server("forwarded_header = \"forwarded\""), 2, "forwarded_header changes nothing without server.trusted");
    only(&server("proxy_protocol = true"), 2, "proxy_protocol changes nothing without server.trusted_proxies");
    let secret = "forward_auth_secret = \"env:FORWARD_AUTH_SECRET\"";
    only(&server(secret), 2, "forward_auth_secret changes nothing without server.trusted_proxies");
    let hidden = format!("{trusted}\nproxy_protocol = true\n{secret}");
    only(&server(&hidden), 4, "forward_auth_secret does not go with server.proxy_protocol");
    only(&server(&format!("{trusted}\n{}", secret.replace("env:", "env:NO_"))), 3, "forward_auth_secret");
}

#[test]
fn u24_routes_that_a_proxy_in_front_forwards() {
    let front = "trusted_proxies = [\"10.0.0.0/8\"]\nforward_auth_secret = \"env:FORWARD_AUTH_SECRET\"\nlisten = ";
    let route =
        |lines: &str| format!("{}\n[[routes]]\nsite = \"app\"\npath = \"/wiki/\"\n{lines}\n", with("listen = ", front));
    assert!(load_with(&route("forward_auth = true"), &[]).is_ok());
    let both = |key: &str| format!("{key} changes nothing where forward_auth = true");
    for (key, line) in [
        ("upstream", "upstream = \"api\""),
        ("folder", "folder = \".\""),
        ("documents", "documents = true"),
        ("body_limit_bytes", "body_limit_bytes = 5"),
    ] {
        only(&route(&format!("forward_auth = true\n{line}")), 32, &both(key));
    }
    let nobody = format!("{GOOD}\n[[routes]]\nsite = \"app\"\npath = \"/wiki/\"\nforward_auth = true\n");
    only(&nobody, 30, "forward_auth = true needs a secret");
    let unused = load_with(&with("listen = ", front), &[]).expect("loads");
    assert!(unused.warnings.to_string().contains("server.forward_auth_secret opens no route"), "{}", unused.warnings);
}

#[test]
fn u24_limits() {
    let limits = |lines: &str| format!("{GOOD}[limits]\n{lines}\n");
    only(&limits("address = { rate = \"100\" }"), 27, "limits.address.rate = \"100\" is no number of 1 to 1000000");
    only(&limits("address = { rate = \"0/s\" }"), 27, "is no number of 1 to 1000000");
    only(&limits("session = { burst = 5 }"), 27, "limits.session.rate is missing");
    only(&limits("login = { rate = \"1/s\", burst = 0 }"), 27, "limits.login.burst = 0 is out of range");
    only(&limits("login = { rate = \"1/s\", per = \"session\" }"), 27, "unknown key limits.login.per");
    only(&limits("refused = \"none\""), 27, "limits.refused = \"none\" is no limit");
    only(&limits("adress = { rate = \"1/s\" }"), 27, "unknown key limits.adress");
    check(&[
        ("[clients.app]\n", "[clients.app]\nlimit = \"1/s\"\n", 14, "clients.app.limit must be a table"),
        ("token = \"user\"", "limit = { rate = \"1/s\" }", 25, "routes[0].limit.per is missing"),
        ("token = \"user\"", "limit = { rate = \"1/s\", per = \"user\" }", 25, "limit.per = \"user\" is not one of"),
    ]);
}
