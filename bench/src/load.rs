//! wrk: keep-alive connections that rotate through all sessions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// What is called.
pub(crate) const PATH: &str = "/api/rows/4711";

/// The header lines of a browser's call; a tab stands for the end of a line.
pub(crate) fn cookie(cookie: &str) -> String {
    format!("Sec-Fetch-Site: same-origin\tSec-Fetch-Mode: cors\tSec-Fetch-Dest: empty\tX-CSRF: 1\tCookie: {cookie}\t")
}

/// Writes the script: every request is prepared before the first is sent, and carries the next caller's header lines.
pub(crate) fn script(dir: &Path, name: &str, host: &str, callers: impl Iterator<Item = String>) -> Result<PathBuf> {
    let list = dir.join(format!("{name}.txt"));
    fs::write(&list, callers.collect::<Vec<_>>().join("\n"))?;
    let script = dir.join(format!("{name}.lua"));
    let text = format!(
        r#"local prepared, n = {{}}, 0
for caller in io.lines("{}") do
  n = n + 1
  prepared[n] = "GET {PATH} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0\r\n" ..
    "Accept-Language: en\r\n" .. caller:gsub("\t", "\r\n") .. "\r\n"
end
local i = 0
function request()
  i = i % n + 1
  return prepared[i]
end
local threads = {{}}
function setup(thread) table.insert(threads, thread) end
function response(status) if status ~= 200 then bad = (bad or 0) + 1 end end
function done(summary, latency)
  local wrong = 0
  for _, thread in ipairs(threads) do wrong = wrong + (thread:get("bad") or 0) end
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    wrong + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"#,
        list.display()
    );
    fs::write(&script, text)?;
    Ok(script)
}

/// What one run of wrk measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) requests: f64,
    pub(crate) per_sec: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
}

pub(crate) fn run(script: &Path, port: u16, connections: u32, secs: u32) -> Result<Measured> {
    let out = Command::new("wrk")
        .args(["-t1", &format!("-c{connections}"), &format!("-d{secs}s"), "-s"])
        .arg(script)
        .arg(format!("http://127.0.0.1:{port}"))
        .output()
        .context("wrk did not start")?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let line =
        text.lines().find_map(|line| line.strip_prefix("RESULT ")).with_context(|| format!("wrk said: {text}"))?;
    let mut numbers = line.split_whitespace().filter_map(|word| word.parse::<f64>().ok());
    let mut next = || numbers.next().context("wrk's result is short");
    let (requests, duration_us, p50_us, p99_us, wrong) = (next()?, next()?, next()?, next()?, next()?);
    ensure!(wrong == 0.0, "{wrong} of {requests} answers were not 200");
    Ok(Measured { requests, per_sec: requests / duration_us * 1e6, p50_us, p99_us })
}
