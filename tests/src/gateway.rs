//! The gateway as an operator runs it: a configuration file, the binary, two listeners.

mod node;
mod setup;

pub use node::Node;
pub use setup::{SECOND_SECRET, Setup};

use crate::adversary::keys::Key;
use crate::provider::{Provider, Seen};
use crate::store::Database;
use crate::wire::{Answer, Conn, Request};
use crate::{Browser, Upstream, eventually};
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use url::Url;

/// Where the provider sends the browser after a logout there: the page that a person rests on.
pub const SIGNED_OUT_PATH: &str = "/bff/signed-out";

/// The binary under test, named by `CLOAKROOM_BIN`.
pub fn binary() -> PathBuf {
    let path = std::env::var_os("CLOAKROOM_BIN").map(PathBuf::from);
    let path = path.expect("CLOAKROOM_BIN names the binary under test (cargo xtask test sets it)");
    assert!(path.is_file(), "CLOAKROOM_BIN: no such file: {}", path.display());
    path
}

/// A port that nobody listens on: below the range from which the kernel takes ports for outgoing connections.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 400).unwrap() * 25;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % 2_500;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A running gateway with its API, its folder and its clients at the provider. Killed when dropped.
pub struct Gateway {
    child: Option<Child>,
    folder: TempDir,
    port: u16,
    management: u16,
    issuer: String,
    registrations: Registrations,
    environment: Vec<(String, String)>,
    root_key: String,
    key: Key,
    /// The API behind it.
    pub upstream: Upstream,
}

/// The gateway's two clients at the provider.
#[derive(Clone, Debug)]
pub struct Registrations {
    /// Client id of the app.
    pub app: String,
    /// Client id of the console.
    pub console: String,
    /// Their secrets, in this order.
    pub secrets: [String; 2],
}

impl Gateway {
    /// A gateway with the usual setup.
    pub async fn start() -> Self {
        Setup::default().start().await
    }

    /// Address of a page of the app.
    pub fn app(&self, path: &str) -> String {
        format!("http://app.localhost:{}{path}", self.port)
    }

    /// Address of a page of the console's site.
    pub fn console(&self, path: &str) -> String {
        format!("http://console.localhost:{}{path}", self.port)
    }

    /// Port of the public listener.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port of the app, as the Host field has it.
    pub fn host(&self) -> String {
        format!("app.localhost:{}", self.port)
    }

    /// The provider's issuer.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The app's client id at the provider.
    pub fn client_id(&self) -> &str {
        &self.registrations.app
    }

    /// The secret of the app's client.
    pub fn client_secret(&self) -> &str {
        &self.registrations.secrets[0]
    }

    /// The key that the app proves itself with, where it has no secret.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Sets a variable for the next start.
    pub fn environment(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// What the provider saw of the app's client.
    pub async fn seen(&self) -> Seen {
        Provider::shared().seen(&self.registrations.app).await
    }

    /// The folder with the configuration, the store and the logs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder().join("cloakroom.toml")
    }

    /// Everything the process has printed.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder().join("log")).unwrap_or_default()
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the gateway runs").id()
    }

    /// A request to the management listener.
    pub async fn management(&self, path: &str) -> Answer {
        Request::new("GET", "localhost", path).send(self.management).await.expect("the management listener answers")
    }

    /// A new connection to the public listener.
    pub async fn connect(&self) -> Conn {
        Conn::open(self.port).await.expect("the public listener answers")
    }

    /// A request to the app, without any browser's habits.
    pub fn request(&self, method: &str, target: &str) -> Request {
        Request::new(method, &self.host(), target)
    }

    /// Secrets that must stand nowhere: root key, client secrets, whatever the provider issued, the browser's cookies.
    pub async fn secrets(&self, browsers: &[&Browser]) -> Vec<String> {
        let mut secrets = vec![self.root_key.clone()];
        secrets.extend(self.registrations.secrets.clone());
        secrets.extend(self.seen().await.secrets());
        secrets.extend(Provider::shared().seen(&self.registrations.console).await.secrets());
        secrets.extend(browsers.iter().flat_map(|browser| browser.cookies()).map(|cookie| cookie.value));
        secrets
    }

    /// Runs the binary once on this configuration: `check`, `audit verify`, `healthcheck`, …
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(binary());
        command.args(arguments).arg("--config").arg(self.config()).envs(self.environment.clone());
        command.output().expect("the binary runs")
    }

    /// Stops it by SIGTERM and gives back how it ended.
    pub async fn stop(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.ended().await
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits until the process has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("the gateway runs");
        let status = eventually("the gateway ends", async || child.try_wait().expect("a child of ours")).await;
        drop(child);
        status
    }

    /// kill -9.
    pub async fn kill(&mut self) {
        self.signal("KILL");
        self.ended().await;
    }

    /// Starts the binary on the same folder, and waits until it is ready.
    pub async fn launch(&mut self) {
        let log = OpenOptions::new().create(true).append(true).open(self.folder().join("log")).expect("a log file");
        let errors: File = log.try_clone().expect("a log file");
        // A limit on the size of files (faults/disk.rs) is met as an error, and not as a signal.
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(binary());
        command.arg("serve").arg("--config").arg(self.config()).envs(self.environment.clone());
        self.child = Some(command.stdout(log).stderr(errors).spawn().expect("the binary starts"));
        let until = tokio::time::Instant::now() + Duration::from_secs(10);
        while !self.ready().await {
            let exit = self.child.as_mut().and_then(|child| child.try_wait().expect("a child of ours"));
            assert!(exit.is_none(), "the gateway ended ({exit:?}) instead of starting:\n{}", self.log());
            assert!(tokio::time::Instant::now() < until, "not ready after ten seconds:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn ready(&self) -> bool {
        let answer = Request::new("GET", "localhost", "/readyz").send(self.management).await;
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// A second process on the same store, with listeners of its own.
    pub fn twin(&self) -> Child {
        let mut command = Command::new(binary());
        command.arg("serve").arg("--config").arg(self.config()).envs(self.environment.clone());
        command.env("CLOAKROOM__SERVER__LISTEN", format!("127.0.0.1:{}", free_port()));
        command.env("CLOAKROOM__SERVER__MANAGEMENT", format!("127.0.0.1:{}", free_port()));
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts")
    }

    /// Opens the store. The gateway holds it alone, so it must have been stopped.
    pub async fn database(&self) -> Database {
        assert!(self.child.is_none(), "stop the gateway first");
        Database::open(&self.folder().join("cloakroom.db")).await
    }

    /// Every byte of the store's files.
    pub fn store_bytes(&self) -> Vec<u8> {
        let names = ["cloakroom.db", "cloakroom.db-wal", "cloakroom.db-shm"];
        names.iter().filter_map(|name| fs::read(self.folder().join(name)).ok()).flatten().collect()
    }

    /// A fresh browser, signed in at the app.
    pub async fn signed_in(&self, user: &str) -> Browser {
        let mut browser = Browser::new();
        browser.sign_in(&self.app(""), user, "/pages/home").await;
        browser
    }

    /// A fresh browser with a console session, whether or not its user may see the console.
    pub async fn administrator(&self, user: &str) -> Browser {
        let mut browser = Browser::new();
        browser.navigate(&self.console("/bff/login?return_to=/admin/")).await;
        browser.choose("main").await;
        browser.submit_form(&[("username", user), ("password", &format!("{user}-password"))]).await;
        assert!(browser.cookie("console.localhost", crate::SESSION_COOKIE).is_some(), "{:?}", browser.page());
        browser
    }

    /// Whether an address is one of the app's.
    pub fn owns(&self, url: &Url) -> bool {
        url.host_str() == Some("app.localhost") && url.port() == Some(self.port)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            drop(child.kill());
            drop(child.wait());
        }
        if std::thread::panicking() {
            eprintln!("--- the gateway's log ---\n{}", self.log());
        }
    }
}
