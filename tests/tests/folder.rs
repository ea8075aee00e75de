//! A web app served from a folder.

use cloakroom_tests::wire::{Answer, Request};
use cloakroom_tests::{Browser, Gateway, Setup};
use std::fs;

const SHELL: &str = "<!doctype html><title>Shell</title>";

/// A gateway whose route `/shop/` leads to a folder with an app in it.
async fn shop(access: &str) -> Gateway {
    let route = format!(
        "[[routes]]\nsite = \"app\"\npath = \"/shop/\"\nfolder = \"dist\"\nkind = \"page\"\naccess = \"{access}\"\n"
    );
    let mut gateway = Setup::default().section(&route).prepare().await;
    let dist = gateway.folder().join("dist");
    fs::create_dir_all(dist.join("assets")).unwrap();
    fs::create_dir_all(dist.join(".git")).unwrap();
    for (name, text) in [
        ("index.html", SHELL),
        ("assets/index-BwD3x9aK.js", "console.log('plain')"),
        ("assets/index-BwD3x9aK.js.br", "brotli"),
        ("assets/index-BwD3x9aK.js.gz", "gzip"),
        ("robots.txt", "User-agent: *"),
        (".env", "SECRET=1"),
        (".git/config", "SECRET=2"),
    ] {
        fs::write(dist.join(name), text).unwrap();
    }
    fs::write(gateway.folder().join("outside.txt"), "SECRET=3").unwrap();
    gateway.launch().await;
    gateway
}

async fn get(gateway: &Gateway, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut request = Request::new("GET", &gateway.host(), path);
    for (name, value) in fields {
        request = request.header(name, value);
    }
    request.send(gateway.port()).await.unwrap()
}

const NAVIGATION: [(&str, &str); 3] =
    [("Sec-Fetch-Site", "none"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")];

#[tokio::test]
async fn app_in_a_folder_is_served_with_one_page_for_its_addresses() {
    let gateway = shop("anonymous").await;
    for path in ["/shop/", "/shop", "/shop/cart/7", "/shop/deep/er?q=1"] {
        let page = get(&gateway, path, &NAVIGATION).await.expect(200);
        assert_eq!((page.text().as_str(), page.header("cache-control")), (SHELL, Some("no-cache")), "{path}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    }
    // A script that asks for what is not there is not given a page instead.
    get(&gateway, "/shop/api/data", &[("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty")]).await.expect(404);
    get(&gateway, "/shop/missing.js", &NAVIGATION).await.expect(404);
    let script = "/shop/assets/index-BwD3x9aK.js";
    for (accept, encoding, body) in
        [("br, gzip", Some("br"), "brotli"), ("gzip", Some("gzip"), "gzip"), ("identity", None, "console.log('plain')")]
    {
        let answer = get(&gateway, script, &[("Accept-Encoding", accept)]).await.expect(200);
        assert_eq!((answer.header("content-encoding"), answer.text().as_str()), (encoding, body));
        assert!(answer.header("cache-control").unwrap().contains("immutable"));
        assert!(answer.header("content-type").unwrap().contains("javascript"));
        assert!(answer.header("vary").unwrap().contains("Accept-Encoding"));
    }
    let plain = get(&gateway, "/shop/robots.txt", &[]).await.expect(200);
    let since = plain.header("last-modified").unwrap().to_owned();
    get(&gateway, "/shop/robots.txt", &[("If-Modified-Since", &since)]).await.expect(304);
    let part = get(&gateway, "/shop/robots.txt", &[("Range", "bytes=0-3")]).await.expect(206);
    assert_eq!(part.text(), "User");
    let refused = Request::new("POST", &gateway.host(), "/shop/robots.txt").send(gateway.port()).await.unwrap();
    assert_eq!(refused.expect(405).header("allow"), Some("GET, HEAD"));
}

#[tokio::test]
async fn p05_nothing_hidden_or_outside_of_a_folder_is_served() {
    let gateway = shop("anonymous").await;
    for path in [
        "/shop/.env",
        "/shop/%2eenv",
        "/shop/%2Eenv",
        "/shop/.git/config",
        "/shop/../outside.txt",
        "/shop/..%2foutside.txt",
        "/shop/%2e%2e/outside.txt",
        "/shop/assets/../../outside.txt",
        "/shop/..%5coutside.txt",
        "/shop//etc/passwd",
        "/shop/%00",
    ] {
        let answer = get(&gateway, path, &[]).await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
        assert!(!answer.text().contains("SECRET"), "{path}");
    }
}

#[tokio::test]
async fn c12_files_for_those_who_are_signed_in_stay_out_of_shared_caches() {
    let gateway = shop("signed_in").await;
    get(&gateway, "/shop/robots.txt", &[]).await.expect(401);
    let mut browser = Browser::new();
    browser.sign_in(&gateway.app(""), "alice", "/shop/").await;
    assert_eq!(browser.page().body, SHELL);
    let answer = browser.fetch("GET", &gateway.app("/shop/assets/index-BwD3x9aK.js")).send().await.expect(200);
    let cache = answer.header("cache-control").unwrap();
    assert!(cache.contains("private") && !cache.contains("public"), "{cache}");
}
