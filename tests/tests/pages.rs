//! The pages for the first day, run line by line as a reader would.

use cloakroom_tests::gateway::{binary, free_port};
use cloakroom_tests::wire::Request;
use cloakroom_tests::{Browser, Provider, Upstream, eventually, folder};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const SECRET: &str = "the-secret-of-my-app";

/// Killed when the story ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The blocks of a page in one language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(folder().join("../docs").join(page)).expect("the page");
    let starts = format!("```{language}\n");
    let rest = text.split(&starts).skip(1).map(|rest| rest.split("```").next().unwrap().trim().to_owned());
    rest.collect()
}

/// A line of a page as the reader types it: with addresses of their own, `cloakroom` being the binary of the tests.
fn typed(line: &str, own: &[(&str, &str)]) -> String {
    let line = own.iter().fold(line.to_owned(), |line, (theirs, ours)| line.replace(theirs, ours));
    match line.strip_prefix("cloakroom ") {
        Some(rest) => format!("exec {} {rest}", binary().display()),
        None => line,
    }
}

fn shell(line: &str, at: &Path, management: u16) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(at).stdin(Stdio::null());
    command.env("CLOAKROOM__SERVER__MANAGEMENT", format!("127.0.0.1:{management}"));
    command
}

#[tokio::test]
async fn u24_quick_start_leads_to_a_signed_in_call_line_by_line() {
    let at = tempfile::tempdir().unwrap();
    let (app, api) = (Upstream::start().await, Upstream::start().await);
    let (port, management) = (free_port(), free_port());
    let (site, client) = (format!("http://localhost:{port}"), format!("my-app-{port}"));
    let (app_at, api_at, to_site) = (app.origin(), api.origin(), format!(" --site {site} --provider "));
    let own = [
        ("https://id.example.com", Provider::shared().issuer.as_str()),
        ("--client-id my-app", &format!("--client-id {client}")),
        ("http://localhost:5173", &app_at),
        ("http://localhost:3000", &api_at),
        ("http://localhost:8080", &site),
        (" --provider ", &to_site),
    ];
    let lines = blocks("quick-start.md", "sh");
    assert_eq!(lines.len(), 5, "{lines:?}");
    let run = |line: &str| -> Output { shell(&typed(line, &own), at.path(), management).output().expect("sh") };
    let succeeds = |line: &str| {
        let output = run(line);
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };

    let said = succeeds(&lines[0]);
    let named = |what: &str| said.lines().find_map(|line| line.trim().strip_prefix(what)).unwrap().trim().to_owned();
    let metadata = json!({
        "client_id": client, "client_secret": SECRET, "redirect_uris": [named("redirect URI")],
        "post_logout_redirect_uris": [named("post-logout redirect URI")], "require_auth_time": true,
    });
    Provider::shared().register(metadata).await;
    succeeds(&lines[1]);
    succeeds(&lines[2]);
    let mut serve = shell(&typed(&lines[3], &own), at.path(), management);
    let _serving = Running(serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    eventually("it is ready", async || {
        let answer = Request::new("GET", "localhost", "/readyz").send(management).await;
        answer.is_ok_and(|answer| answer.status == 200).then_some(())
    })
    .await;

    let mut browser = Browser::new();
    browser.navigate(&site).await;
    assert_eq!(app.last().target, "/");
    browser.sign_in(&site, "alice", "/").await;
    let calls = blocks("quick-start.md", "js").concat();
    let paths: Vec<&str> = calls.split("fetch(\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(paths, ["/bff/user", "/api/hello"]);
    for path in paths {
        browser.fetch("GET", &format!("{site}{path}")).csrf().send().await.expect(200);
    }
    assert!(api.last().headers.get("authorization").unwrap_or_default().starts_with("Bearer "));
    // Nobody is signed in on the command line: it says so, and what would help.
    let explained = String::from_utf8(run(&lines[4]).stdout).unwrap();
    assert!(explained.contains("app/api/") && explained.contains("sign in at /bff/login"), "{explained}");
}

#[tokio::test]
async fn u24_testing_page_starts_the_demo_that_it_describes() {
    let at = tempfile::tempdir().unwrap();
    let (app, api) = (Upstream::start().await, Upstream::start().await);
    let (app_at, api_at) = (app.origin(), api.origin());
    let own = [("http://localhost:5173", app_at.as_str()), ("http://localhost:3000", api_at.as_str())];
    let lines = blocks("testing.md", "sh");
    let mut command = Command::new("sh");
    command.args(["-c", &typed(&lines[0], &own)]).current_dir(at.path()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let _running = Running(child);
    let ready: Value = serde_json::from_str(&line).expect("one line of JSON");
    let gateway = ready["gateway"].as_str().unwrap();
    let user = &ready["users"][0];
    let mut browser = Browser::new();
    browser.navigate(&format!("{gateway}/")).await;
    assert_eq!(app.last().target, "/");
    let (name, password) = (user["name"].as_str().unwrap(), user["password"].as_str().unwrap());
    browser.sign_in_with(gateway, name, password, "/").await;
    browser.fetch("GET", &format!("{gateway}/api/mine")).csrf().send().await.expect(200);
    assert_eq!(api.last().target, "/api/mine");
}
