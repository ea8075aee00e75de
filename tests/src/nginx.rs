//! A real nginx: before the recording API as a plain reverse proxy, for what others make of a request; or as configured.

use crate::gateway::free_port;
use crate::{Upstream, eventually};
use std::fs;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use tokio::net::TcpStream;

/// A running nginx. Killed when dropped.
pub struct Nginx {
    child: Child,
    folder: TempDir,
    /// Where it listens.
    pub port: u16,
}

impl Nginx {
    /// Starts it, with nothing configured but where requests go.
    pub async fn before(upstream: &Upstream) -> Self {
        let port = free_port();
        let location = format!(
            "location / {{ proxy_pass {}; proxy_http_version 1.1; proxy_set_header Connection \"\"; }}",
            upstream.origin()
        );
        Self::serving(port, &format!("server {{ listen 127.0.0.1:{port}; {location} }}"), &[]).await
    }

    /// Starts it with a `server` block that listens at `port`, and files beside the configuration.
    pub async fn serving(port: u16, server: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("cloakroom-nginx-").tempdir().expect("a temporary folder");
        let home = folder.path().display().to_string();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        let config = format!(
            "daemon off; master_process off; worker_processes 1; pid {home}/pid; error_log {home}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
  {server}
}}
"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, config).expect("a configuration");
        let mut command = Command::new("nginx");
        command.arg("-c").arg(&file).arg("-p").arg(folder.path()).arg("-e").arg(folder.path().join("start.log"));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.expect("nginx is installed (cargo xtask test --stage setup installs it)");
        let nginx = Self { child, folder, port };
        eventually("nginx listens", async || TcpStream::connect(("127.0.0.1", port)).await.ok()).await;
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            eprintln!(
                "--- nginx ---\n{}",
                fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default()
            );
        }
    }
}
