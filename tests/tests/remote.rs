//! `cloakroom sessions | users | clients | revoke`, `cloakroom audit search`: the admin API from a shell.

use cloakroom_tests::{Browser, Gateway, Provider};
use serde_json::{Value, json};
use std::process::{Command, Output};

/// A shell with a token of these scopes.
struct Shell<'g> {
    gateway: &'g Gateway,
    token_file: String,
}

impl<'g> Shell<'g> {
    async fn new(gateway: &'g Gateway, owner: &Browser, scopes: &[&str]) -> Self {
        let asked = json!({ "name": "shell", "scopes": scopes }).to_string();
        let call = owner.fetch("POST", &gateway.console("/admin/api/v1/service-accounts")).csrf();
        let made = call.body("application/json", asked).send().await.expect(200).json();
        let file = gateway.folder().join(format!("{}.token", made["id"].as_str().unwrap()));
        std::fs::write(&file, made["token"].as_str().unwrap().to_owned() + "\n").unwrap();
        Self { gateway, token_file: file.to_str().unwrap().to_owned() }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(cloakroom_tests::gateway::binary());
        let server = self.gateway.console("").trim_end_matches('/').to_owned();
        command.args(arguments).env("CLOAKROOM_SERVER", server).env("CLOAKROOM_TOKEN_FILE", &self.token_file);
        command.output().expect("the binary runs")
    }

    /// What it prints when all is well.
    fn told(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.told(&[arguments, &["--json"]].concat())).expect("JSON")
    }

    /// What it says when it is refused.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_command_line_lists_shows_and_ends_what_its_scopes_allow() {
    let gateway = Gateway::start().await;
    let (alice, bob) = (gateway.signed_in("alice").await, gateway.signed_in("bob").await);
    let owner = gateway.administrator("carol").await;
    let all =
        ["sessions.read", "sessions.revoke", "sessions.revoke_mass", "users.erase", "audit.read", "settings.read"];
    let shell = Shell::new(&gateway, &owner, &all).await;
    let table = shell.told(&["sessions", "list", "--client", "app"]);
    assert!(
        table.starts_with("SESSION ") && table.contains("Alice Example") && table.contains("2 shown of 2\n"),
        "{table}"
    );
    let first = shell.told(&["sessions", "list", "--client", "app", "--limit", "1"]);
    let cursor = first.trim_end().rsplit_once("--cursor ").expect("a cursor").1;
    let second = shell.told(&["sessions", "list", "--client", "app", "--limit", "1", "--cursor", cursor]);
    assert!(second.contains("Alice") != first.contains("Alice"), "{first}{second}");
    let list = shell.json(&["sessions", "list", "--sub", "alice"]);
    let id = list["items"][0]["id"].as_str().unwrap();
    assert!(shell.told(&["sessions", "show", id]).contains("signed in from 127.0.0.1"));
    assert!(shell.told(&["sessions", "revoke", id, "--reason", "by hand"]).contains("ended"));
    alice.fetch("GET", &gateway.app("/api/x")).send().await.expect(401);

    assert!(
        shell.told(&["clients", "list"]).contains("console") && shell.told(&["clients", "show", "app"]).contains("app")
    );
    let users = shell.json(&["users", "list", "--query", "bob"]);
    let user = users["items"][0]["id"].as_str().unwrap();
    assert!(
        shell.told(&["users", "list"]).contains("bob")
            && shell.told(&["users", "show", user]).contains("session.started")
    );
    let found = shell.told(&[
        "audit",
        "search",
        "--kind",
        "session.revoked",
        "--actor-issuer",
        "service-account",
        "--actor",
        "nobody",
    ]);
    assert!(found.contains("0 shown of 0"), "{found}");
    let found = shell.told(&["audit", "search", "--kind", "session.revoked"]);
    assert!(found.contains("shell") && found.contains("by hand"), "{found}");

    let dry = shell.told(&["revoke", "--client", "app", "--reason", "incident", "--dry-run"]);
    assert!(dry.starts_with("1 sessions would end"), "{dry}");
    bob.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    // Without an answer nothing is done.
    let unanswered = shell.run(&["revoke", "--client", "app", "--reason", "incident"]);
    assert!(!unanswered.status.success() && String::from_utf8_lossy(&unanswered.stderr).contains("nothing was done"));
    bob.fetch("GET", &gateway.app("/api/x")).send().await.expect(200);
    let report = shell.json(&["revoke", "--client", "app", "--reason", "incident", "--yes"]);
    assert_eq!((&report["ended"], &report["state"]), (&json!(1), &json!("finished")), "{report}");
    bob.fetch("GET", &gateway.app("/api/x")).send().await.expect(401);
    let erased = shell.told(&["users", "erase", user, "--confirm", "bob", "--reason", "asked for"]);
    assert!(erased.contains("sessions ended"), "{erased}");
    assert!(shell.refused(&["users", "show", user]).contains("404"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_command_line_says_why_it_is_refused_and_sends_no_token_in_the_clear() {
    let gateway = Gateway::start().await;
    let owner = gateway.administrator("carol").await;
    let shell = Shell::new(&gateway, &owner, &["sessions.read"]).await;
    let said = shell.refused(&["audit", "search"]);
    assert!(said.contains("403") && said.contains("audit.read"), "{said}");
    let said = shell.refused(&["sessions", "show", "nowhere"]);
    assert!(said.contains("404") && said.contains("request "), "{said}");
    assert!(shell.refused(&["sessions", "list", "--state", "dead"]).contains("state"));
    let said = shell.refused(&["sessions", "list", "--server", "http://console.example.com"]);
    assert!(said.contains("https"), "{said}");
    let said = shell.refused(&["sessions", "list", "--server", gateway.app("").trim_end_matches('/')]);
    assert!(said.contains("404"), "{said}");
    std::fs::write(&shell.token_file, "crs_at_AAAA").unwrap();
    assert!(shell.refused(&["sessions", "list"]).contains("holds no service account's token"));
    std::fs::write(&shell.token_file, "crs_sa_AAAA").unwrap();
    assert!(shell.refused(&["sessions", "list"]).contains("401"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a03_hostile_names_steer_no_terminal() {
    let gateway = Gateway::start().await;
    let name = "\u{1b}]0;owned\u{7}\u{202e}eve";
    Provider::shared().user("mallory", json!({ "name": name })).await;
    gateway.signed_in("mallory").await;
    let owner = gateway.administrator("carol").await;
    let shell = Shell::new(&gateway, &owner, &["sessions.read", "audit.read"]).await;
    for arguments in [&["sessions", "list"][..], &["users", "list"], &["audit", "search"]] {
        let told = shell.told(arguments);
        assert!(told.contains("eve") && !told.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{told:?}");
    }
}
