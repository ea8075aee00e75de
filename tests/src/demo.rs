//! `cloakroom demo`, as a newcomer starts it.

use crate::gateway::binary;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use tempfile::TempDir;

/// A running demo. Killed when dropped.
pub struct Demo {
    child: Child,
    stdout: BufReader<ChildStdout>,
    _folder: TempDir,
    /// The line it printed.
    pub contract: Value,
}

impl Demo {
    /// Starts it on this port with a data folder of its own and reads its one line.
    pub fn start(port: u16) -> Self {
        Self::start_with(port, &[])
    }

    /// The same with more on its command line.
    pub fn start_with(port: u16, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new(binary());
        command.args(["demo", "--json", "--port", &port.to_string(), "--data"]).arg(folder.path()).args(more);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the demo starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe was asked for"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the demo says that it is ready");
        let contract = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not one line of JSON: {line:?}"));
        Self { child, stdout, _folder: folder, contract }
    }

    /// An address of the contract.
    pub fn origin(&self, key: &str) -> &str {
        self.contract[key].as_str().unwrap_or_else(|| panic!("{key} is missing: {}", self.contract))
    }

    /// Name and password of the first user with exactly these roles.
    pub fn user(&self, roles: &[&str]) -> (&str, &str) {
        let users = self.contract["users"].as_array().expect("users");
        let user = users.iter().find(|user| user["roles"] == serde_json::json!(roles));
        let user = user.unwrap_or_else(|| panic!("no user with the roles {roles:?}: {}", self.contract));
        (user["name"].as_str().expect("a name"), user["password"].as_str().expect("a password"))
    }

    /// Stops it and gives back what it printed after its line.
    pub fn stop(&mut self) -> String {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("its output ends");
        assert!(self.child.wait().expect("a child of ours").success());
        rest
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
