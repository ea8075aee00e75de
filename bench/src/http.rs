//! A client for preparing sessions: one request a connection, no cookie jar, no redirect followed.

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.headers(name).next()
    }

    fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// `name=value` of every cookie that is set and not taken away.
    pub(crate) fn cookies(&self) -> Vec<String> {
        let lines = self.headers("set-cookie").filter(|line| !line.contains("Max-Age=0"));
        lines.filter_map(|line| line.split(';').next()).map(str::to_owned).collect()
    }
}

pub(crate) async fn send(method: &str, url: &str, cookies: &[String], form: Option<&str>) -> Result<Answer> {
    send_with(method, url, cookies, form, "").await
}

/// With more header lines.
pub(crate) async fn send_with(
    method: &str,
    url: &str,
    cookies: &[String],
    form: Option<&str>,
    lines: &str,
) -> Result<Answer> {
    let url = url::Url::parse(url)?;
    let (host, port) = (url.host_str().context("no host")?, url.port_or_known_default().context("no port")?);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let cookie = if cookies.is_empty() { String::new() } else { format!("Cookie: {}\r\n", cookies.join("; ")) };
    let body = form.unwrap_or_default();
    let form = form.map_or_else(String::new, |form| {
        format!(
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nOrigin: http://{host}:{port}\r\n",
            form.len()
        )
    });
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: text/html\r\nUser-Agent: bench\r\n{cookie}{form}{lines}Connection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").context("the answer has no end of head")?;
    let status =
        head.split_whitespace().nth(1).and_then(|status| status.parse().ok()).context("the answer has no status")?;
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}
