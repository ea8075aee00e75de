//! More gateways on the same database, behind the same host name.

use super::{Gateway, binary, free_port};
use crate::wire::{Answer, Conn, Request};
use crate::{Browser, SESSION_COOKIE};
use std::fs::{self, File};
use std::process::{Child, Command};
use std::time::Duration;

/// Another gateway of the same configuration. Killed when dropped.
pub struct Node {
    child: Child,
    host: String,
    port: u16,
    log: std::path::PathBuf,
}

impl Gateway {
    /// Starts another gateway on the same database, and waits until it is ready.
    pub async fn node(&self) -> Node {
        let (port, management) = (free_port(), free_port());
        let log = self.folder().join(format!("log-{port}"));
        let output = File::create(&log).expect("a log file");
        let mut command = Command::new(binary());
        command.arg("serve").arg("--config").arg(self.config()).envs(self.environment.clone());
        command.env("CLOAKROOM__SERVER__LISTEN", format!("127.0.0.1:{port}"));
        command.env("CLOAKROOM__SERVER__MANAGEMENT", format!("127.0.0.1:{management}"));
        command.stdout(output.try_clone().expect("a log file")).stderr(output);
        let child = command.spawn().expect("the binary starts");
        let mut node = Node { child, host: self.host(), port, log };
        for _ in 0..500 {
            let answer = Request::new("GET", "localhost", "/readyz").send(management).await;
            if answer.is_ok_and(|answer| answer.status == 200) {
                return node;
            }
            assert!(node.child.try_wait().expect("a child of ours").is_none(), "it ended:\n{}", node.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("not ready after ten seconds:\n{}", node.log());
    }
}

impl Node {
    /// Everything the process has printed.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Port of its public listener.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// A call of a browser's that a load balancer sent here.
    pub async fn call(&self, browser: &Browser, path: &str) -> Answer {
        let value = browser.session_cookie().expect("the browser has a session").value;
        self.call_with(&value, path).await
    }

    /// A call with this session cookie.
    pub async fn call_with(&self, cookie: &str, path: &str) -> Answer {
        let cookie = format!("{SESSION_COOKIE}={cookie}");
        let request = Request::new("GET", &self.host, path).header("Cookie", &cookie).header("X-CSRF", "1");
        request.header("Sec-Fetch-Site", "same-origin").send(self.port).await.expect("the node answers")
    }

    /// A new connection to its public listener.
    pub async fn connect(&self) -> Conn {
        Conn::open(self.port).await.expect("the node listens")
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(sent.expect("kill runs").success());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            eprintln!("--- a node's log ---\n{}", self.log());
        }
    }
}
