//! nginx twice: as the upstream that answers 200 bytes, and as the plain reverse proxy that is the reference.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process::{Process, free_port};

pub(crate) struct Nginx {
    pub(crate) process: Process,
    pub(crate) port: u16,
}

/// An API that answers about 200 bytes of JSON from one worker.
pub(crate) fn upstream(dir: &Path) -> Result<Nginx> {
    let body = r#"{"id":4711,"name":"a row of an ordinary API","state":"open","tags":["one","two","three"],"owner":{"id":17,"name":"somebody"},"created_at":"2026-11-24T10:54:25Z","updated_at":"2026-11-24T11:54:25Z"}"#;
    start(dir, "upstream", 1, |_| format!("location / {{ default_type application/json; return 200 '{body}'; }}"), "")
}

/// A plain reverse proxy with two workers and kept-alive upstream connections. It does no session work.
pub(crate) fn reverse_proxy(dir: &Path, upstream_port: u16) -> Result<Nginx> {
    let pool =
        format!("upstream api {{ server 127.0.0.1:{upstream_port}; keepalive 64; keepalive_requests 1000000; }}");
    let location = "location / { proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection \"\"; }";
    start(dir, "reverse-proxy", 2, |_| location.to_owned(), &pool)
}

fn start(dir: &Path, name: &'static str, workers: u32, location: impl Fn(u16) -> String, http: &str) -> Result<Nginx> {
    let port = free_port()?;
    let home = dir.join(name);
    fs::create_dir_all(&home)?;
    let home_text = home.display();
    let config = format!(
        "daemon off; worker_processes {workers}; pid {home_text}/pid; error_log {home_text}/error.log; worker_rlimit_nofile 4096;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 100000000; tcp_nodelay on;
client_body_temp_path {home_text}/body; proxy_temp_path {home_text}/proxy; fastcgi_temp_path {home_text}/fastcgi;
uwsgi_temp_path {home_text}/uwsgi; scgi_temp_path {home_text}/scgi;
{http}
server {{ listen 127.0.0.1:{port} backlog=1024; {} }} }}
",
        location(port)
    );
    let file = home.join("nginx.conf");
    fs::write(&file, config)?;
    let mut process = Process::start(
        name,
        Command::new("nginx").arg("-c").arg(&file).arg("-p").arg(&home).arg("-e").arg(home.join("start.log")),
    )?;
    process.wait_for_port(port)?;
    Ok(Nginx { process, port })
}
