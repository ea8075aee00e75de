//! The first day: a configuration by `init`, and the demo around one's own app and API.

use cloakroom_tests::demo::Demo;
use cloakroom_tests::gateway::{binary, free_port};
use cloakroom_tests::wire::Request;
use cloakroom_tests::{Browser, Provider, Upstream, eventually};
use serde_json::json;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// Killed when the story ends.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn init(folder: &Path, arguments: &[(&str, &str)]) -> Output {
    let mut command = Command::new(binary());
    command.arg("init").arg("--dir").arg(folder).stdin(Stdio::null());
    for (flag, value) in arguments {
        command.arg(format!("--{flag}")).arg(value);
    }
    command.output().expect("init runs")
}

#[tokio::test]
async fn init_leads_from_nothing_to_a_signed_in_call_of_ones_own_api() {
    let folder = tempfile::tempdir().unwrap();
    let (app, api) = (Upstream::start().await, Upstream::start().await);
    let (port, management) = (free_port(), free_port());
    let (site, client) = (format!("http://localhost:{port}"), format!("first-day-{port}"));
    let issuer = &Provider::shared().issuer;
    let output = init(
        folder.path(),
        &[
            ("provider", issuer),
            ("client-id", &client),
            ("app", &app.origin()),
            ("api", &api.origin()),
            ("site", &site),
        ],
    );
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    // What it says is enough to register the client.
    let named = |what: &str| said.lines().find_map(|line| line.trim().strip_prefix(what)).unwrap().trim().to_owned();
    Provider::shared()
        .register(json!({
            "client_id": client,
            "client_secret": "a-secret-of-the-first-day-0123456789",
            "redirect_uris": [named("redirect URI")],
            "post_logout_redirect_uris": [named("post-logout redirect URI")],
            "require_auth_time": true,
        }))
        .await;
    let secret = folder.path().join("client.secret");
    fs::write(&secret, "a-secret-of-the-first-day-0123456789\n").unwrap();
    fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    let config = folder.path().join("cloakroom.toml");
    let mut serve = Command::new(binary());
    serve.arg("serve").arg("--config").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
    serve.env("CLOAKROOM__SERVER__MANAGEMENT", format!("127.0.0.1:{management}"));
    let _serving = Serving(serve.spawn().unwrap());
    eventually("it is ready", async || {
        let answer = Request::new("GET", "localhost", "/readyz").send(management).await;
        answer.is_ok_and(|answer| answer.status == 200).then_some(())
    })
    .await;

    let mut browser = Browser::new();
    browser.navigate(&format!("{site}/welcome")).await;
    assert_eq!(app.last().target, "/welcome", "the app's page comes from the app");
    browser.sign_in(&site, "alice", "/welcome").await;
    browser.fetch("GET", &format!("{site}/api/hello")).csrf().send().await.expect(200);
    let call = api.last();
    assert!(call.headers.get("authorization").unwrap_or_default().starts_with("Bearer "), "{call:?}");
}

#[tokio::test]
async fn init_says_what_is_missing_and_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let whole = [
        ("provider", "https://id.example.com"),
        ("client-id", "x"),
        ("app", "http://localhost:1"),
        ("api", "http://localhost:2"),
    ];
    for (i, (flag, _)) in whole.iter().enumerate() {
        let rest: Vec<_> = whole.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, pair)| *pair).collect();
        let output = init(folder.path(), &rest);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(&format!("--{flag} is missing")), "{said}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is written before everything is known");
    assert!(init(folder.path(), &whole).status.success());
    let before = fs::read(folder.path().join("root.key")).unwrap();
    let again = init(folder.path(), &whole);
    assert!(
        !again.status.success() && String::from_utf8_lossy(&again.stderr).contains("never overwrites"),
        "{again:?}"
    );
    assert_eq!(fs::read(folder.path().join("root.key")).unwrap(), before);
    let mode = fs::metadata(folder.path().join("root.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn demo_takes_ones_own_app_and_api_in_the_samples_place() {
    let (app, api) = (Upstream::start().await, Upstream::start().await);
    let demo = Demo::start_with(free_port(), &["--app", &app.origin(), "--api", &api.origin()]);
    assert_eq!(demo.origin("upstream"), api.origin());
    let gateway = demo.origin("gateway").to_owned();
    let mut browser = Browser::new();
    browser.navigate(&format!("{gateway}/my-page")).await;
    assert_eq!(app.last().target, "/my-page");
    let (name, password) = demo.user(&[]);
    browser.sign_in_with(&gateway, name, password, "/").await;
    browser.fetch("GET", &format!("{gateway}/api/mine")).csrf().send().await.expect(200);
    let call = api.last();
    assert!(call.headers.get("authorization").unwrap_or_default().starts_with("Bearer "), "{call:?}");
}
