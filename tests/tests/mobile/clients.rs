//! Unmodified clients: what app developers use, by its own documentation.

use cloakroom_tests::Setup;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs one client's story in `tests/clients`, and shows what it said when it fails.
async fn story(script: &'static str, lines: &str) {
    run(&["node", "--import", "./surroundings.mjs", script], "node_modules", lines).await;
}

async fn run(command: &[&'static str], installed: &str, lines: &str) {
    let gateway = Setup::default().phone(lines).start().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    assert!(folder.join(installed).is_dir(), "run `cargo xtask setup` first: {installed} is missing");
    let (program, arguments) = command.split_first().map(|(first, rest)| (*first, rest.to_vec())).expect("a program");
    let (issuer, api) = (gateway.app(""), gateway.app("/api/x"));
    let run = move || {
        // Relative programs are relative to the folder, whatever the platform makes of them.
        let found = folder.join(program);
        let mut command = Command::new(if found.is_file() { found } else { program.into() });
        command.args(arguments).arg(&issuer).arg(&api).current_dir(folder).stdin(Stdio::null());
        command.output().expect("it starts")
    };
    let output = tokio::task::spawn_blocking(run).await.expect("runs");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.trim_end().ends_with("done"), "{said}");
}

#[tokio::test]
async fn authlib_signs_in_calls_refreshes_and_revokes() {
    run(&[".venv/bin/python", "authlib-story.py"], ".venv", "").await;
}

#[tokio::test]
async fn oauth4webapi_signs_in_calls_refreshes_and_revokes() {
    story("oauth4webapi.mjs", "").await;
}

#[tokio::test]
async fn oauth4webapi_binds_its_tokens_by_dpop() {
    story("oauth4webapi-dpop.mjs", "dpop = \"required\"").await;
}

#[tokio::test]
async fn openid_client_signs_in_calls_refreshes_and_revokes() {
    story("openid-client.mjs", "").await;
}

#[tokio::test]
async fn openid_client_binds_its_tokens_by_dpop_and_pushes_its_request() {
    story("openid-client-dpop.mjs", "dpop = \"required\"").await;
}

#[tokio::test]
async fn appauth_js_signs_in_calls_refreshes_and_revokes() {
    story("appauth.mjs", "").await;
}
