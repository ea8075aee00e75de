//! Where secrets come from, and that they go nowhere.

use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::PermissionsExt as _;

use super::super::{load, summary};
use super::{GOOD, KEY, environment, folder, load_with, said, with};

fn secret_of(text: &str) -> String {
    use cloakroom_core::oidc::ClientAuth;
    use secrecy::ExposeSecret as _;
    let config = load_with(text, &[("SPACED", " s \r\n")]).expect("loads").config;
    let ClientAuth::Basic(secret) = &config.providers["main"].registrations["web"].client_auth else {
        panic!("a secret")
    };
    #[expect(clippy::disallowed_methods, reason = "the test compares it")]
    let text = secret.expose_secret().to_owned();
    text
}

#[test]
fn secrets_lose_one_newline_at_their_end() {
    assert_eq!(secret_of(GOOD), "very-secret");
    assert_eq!(secret_of(&with("env:CLIENT_SECRET", "env:SPACED")), " s ");
    assert_eq!(secret_of(&with("env:CLIENT_SECRET", "file:console.secret")), KEY);
}

#[test]
fn c08_no_report_shows_a_secret() {
    let cases = [
        with("env:CLIENT_SECRET", "hunter2-hunter2"),
        with("client_secret = \"env:CLIENT_SECRET\"", "client_secrt = \"hunter2\""),
        with("client_secret = \"env:CLIENT_SECRET\"", "client_secret = [\n\"hunter2\"\n]"),
        with("client_secret = \"env:CLIENT_SECRET\"", "client_secret = \"hunter2"),
        with("client_secret = \"env:CLIENT_SECRET\"", "client_secret = hunter2"),
        with("client_secret = \"env:CLIENT_SECRET\"", "client_secret = \"\"\"\nhunter2\n"),
        with("client_id = \"cloakroom\"", "x = { client_secret = \"hunter2\" }"),
        with("[keys]\nroot = \"file:root.key\"", "[keys]\nroot = \"hunter2\""),
        with("http://127.0.0.1:4000", "http://me:hunter2@api.example.com"),
        with("https://id.example.com", "https://me:hunter2@id.example.com"),
        with("sqlite:cloakroom.db", "postgres://me:hunter2@db.example.com/cloakroom"),
        with("sqlite:cloakroom.db", "postgres://me:hunter2@db.example.com"),
        with("sqlite:cloakroom.db", "postgres:/me:hunter2@db.example.com/c"),
    ];
    for text in cases {
        let report = load_with(&text, &[]).expect_err(&text);
        let shown = format!("{report}{report:?}{}{:?}", report.coloured(), report.items());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let loaded = load_with(GOOD, &[]).expect("loads");
    let shown = format!("{loaded:?}{}", summary(&loaded));
    assert!(!shown.contains("very-secret") && !shown.contains(KEY), "{shown}");
}

#[test]
fn c08_an_address_with_a_password_stands_outside_the_file() {
    let shown = said(&with("sqlite:cloakroom.db", "postgres://me:hunter2@db.example.com/cloakroom"));
    assert!(shown.contains("holds a password") && shown.contains("env:NAME"), "{shown}");
    let outside = with("sqlite:cloakroom.db", "env:STORE");
    let url = [("STORE", "postgres://me:hunter2@db.example.com/cloakroom")];
    let loaded = load_with(&outside, &url).expect("loads");
    let shown = format!("{loaded:?}{}", summary(&loaded));
    assert!(shown.contains("postgres db.example.com:5432 database cloakroom, 16 connections"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    let report = load_with(&outside, &[("STORE", "postgres://me:hunter2@db.example.com")]).expect_err("no database");
    let shown = report.to_string();
    assert!(shown.contains("names no database") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_literal_secret_says_how_to_write_it() {
    let shown = said(&with("env:CLIENT_SECRET", "hunter2"));
    assert!(shown.contains("\"file:PATH\" or \"env:NAME\"") && shown.contains("client_secret = ***"), "{shown}");
}

#[test]
fn unusable_references_say_what_to_do() {
    let cases = [
        ("env:CLIENT_SECRET", "env:NOT_THERE", "the environment variable NOT_THERE is not set", "set NOT_THERE"),
        ("env:CLIENT_SECRET", "env:EMPTY", "env:EMPTY is empty", "put the secret there"),
        ("env:CLIENT_SECRET", "env:BINARY", "BINARY is not UTF-8", "UTF-8"),
        ("env:CLIENT_SECRET", "file:none.secret", "No such file", "with mode 600"),
        ("env:CLIENT_SECRET", "file:/dev/zero", "is longer than", "name the file"),
        ("env:CLIENT_SECRET", "file:.", "is a folder", "name a file"),
        ("file:root.key", "file:none.key", "No such file", "head -c 32 /dev/urandom | base64 > "),
        ("file:root.key", "credential:root", "$CREDENTIALS_DIRECTORY is not set", "LoadCredential=root:PATH"),
        ("file:root.key", "credential:../root", "is no credential's name", "without a path"),
        ("file:root.key", "env:CLIENT_SECRET", "env:CLIENT_SECRET does not hold 32 bytes in base64", "head -c 32"),
    ];
    for (from, to, what, help) in cases {
        let folder = folder(&with(from, to));
        let mut env = environment(&[("EMPTY", "\n")]);
        env.insert("BINARY".to_owned(), std::ffi::OsString::from_vec(vec![0xff]));
        let shown = load(&folder.path().join("cloakroom.toml"), &env).expect_err(to).to_string();
        assert!(shown.contains(what) && shown.contains(help), "{to}: {shown}");
    }
}

#[test]
fn a_root_key_that_others_can_read_is_refused_and_a_client_secret_warned_of() {
    for (mode, refused) in [(0o640, true), (0o604, true), (0o400, false)] {
        let folder = folder(GOOD);
        fs::set_permissions(folder.path().join("root.key"), fs::Permissions::from_mode(mode)).expect("set");
        let loaded = load(&folder.path().join("cloakroom.toml"), &environment(&[]));
        let shown = loaded.err().map(|report| report.to_string()).unwrap_or_default();
        assert_eq!(shown.contains("chmod 600"), refused, "{mode:o}: {shown}");
    }
    let folder = folder(&with("env:CLIENT_SECRET", "file:console.secret"));
    fs::set_permissions(folder.path().join("console.secret"), fs::Permissions::from_mode(0o444)).expect("set");
    let loaded = load(&folder.path().join("cloakroom.toml"), &environment(&[])).expect("loads");
    let shown = loaded.warnings.to_string();
    assert!(shown.contains("others can read") && shown.contains("(mode 444)"), "{shown}");
    assert_eq!(loaded.warnings.items().first().and_then(|item| item.position), Some((12, 17)));
}

#[test]
fn a_credential_of_systemd_is_read_and_refused_where_others_can_read_it() {
    for (mode, refused) in [(0o400, false), (0o440, false), (0o444, true)] {
        let folder = folder(&with("file:root.key", "credential:cloakroom.root"));
        let credentials = folder.path().join("credentials");
        fs::create_dir(&credentials).expect("made");
        let file = credentials.join("cloakroom.root");
        fs::write(&file, KEY).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("set");
        let mut env = environment(&[]);
        env.insert("CREDENTIALS_DIRECTORY".to_owned(), credentials.into_os_string());
        let loaded = load(&folder.path().join("cloakroom.toml"), &env);
        let shown = loaded.err().map(|report| report.to_string()).unwrap_or_default();
        assert_eq!(shown.contains("others can read"), refused, "{mode:o}: {shown}");
        assert_eq!(shown.is_empty(), !refused, "{mode:o}: {shown}");
    }
}
