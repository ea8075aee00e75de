//! The configuration: any text ends in a configuration, or in a report that shows no secret.

use std::fs;

use cloakroom::config::{Environment, load};

/// The secret under its keys.
const KEYS: [&str; 2] = ["\nroot = \"hunter2-hunter2-hunter2\"\n", " client_secret = \"hunter2-hunter2-hunter2\" }\n"];
const SECRET: &str = "hunter2-hunter2-hunter2";

const SEEDS: &[&[u8]] = &[
    b"[server]\nlisten = \"127.0.0.1:8080\"\nmanagement = \"127.0.0.1:9090\"\n[store]\nurl = \"sqlite:a.db\"\n[keys]\nroot = \"hunter2-hunter2-hunter2\"\n",
    b"[providers.main]\nissuer = \"https://id.example.com\"\nregistrations.web = { client_id = \"a\", client_secret = \"hunter2-hunter2-hunter2\" }\n[clients.app]\nkind = \"web\"\nregistrations = [\"main.web\"]\n",
    b"[[routes]]\nsite = \"app\"\npath = \"/api/\"\nupstream = \"api\"\nmethods = [\"GET\"]\nbody_limit_bytes = 1048576\n",
    b"[upstreams.api]\nurl = \"http://127.0.0.1:4000\"\n[admin]\nsite = \"app\"\nroles = { viewer = [\"a\"], owner = [] }\n",
];

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    SEEDS.iter().map(|seed| seed.to_vec()).collect()
}

pub(crate) fn try_one(input: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cloakroom.toml");
    fs::write(&path, input).unwrap();
    if let Err(report) = load(&path, &Environment::default()) {
        let shown = report.to_string();
        assert!(!report.items().is_empty(), "{shown}");
        // A secret that no longer stands under its key is text like any other.
        let secrets = || String::from_utf8_lossy(input).lines().filter(|line| line.contains(SECRET)).count();
        let in_place = KEYS.iter().map(|key| String::from_utf8_lossy(input).matches(key).count()).sum::<usize>();
        assert!(secrets() != in_place || !shown.contains(SECRET), "{shown}");
    }
}
