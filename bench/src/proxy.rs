//! `proxy`: a proxied GET with a session cookie, against nginx as a plain reverse proxy to the same upstream.
//!
//! The machine's mood cancels out: both take the same load in turns, in one run, and medians of ratios count. The
//! figure is CPU per request: user and system time of all the proxy's processes, divided by requests served.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::load::{self, Measured};
use crate::nginx::{self, Nginx};
use crate::process::Process;
use crate::report::{Report, Row, median};
use crate::{gateway, gateway::Gateway};

const SESSIONS: usize = 10_000;
const CONNECTIONS: u32 = 64;
const ROUNDS: u32 = 5;
const ROUND_SECS: u32 = 4;

struct Rig {
    upstream: Nginx,
    nginx: Nginx,
    gateway: Gateway,
    script: std::path::PathBuf,
}

pub(crate) fn run() -> Result<Report> {
    let dir = tempfile::tempdir()?;
    let rig = set_up(dir.path())?;
    let (cpu, ours, theirs, rates) = cpu_against_nginx(&rig)?;
    let added = added_latency(&rig)?;
    let calls = syscalls_per_exchange(dir.path(), &rig)?;
    let calls_of_nginx = syscalls_of(dir.path(), &rig, &rig.nginx.process, rig.nginx.port)?;
    let row = |name, value, unit, must, aim| Row { name, value, unit, reference: None, ratio: None, must, aim };
    Ok(Report {
        bench: "proxy",
        rows: vec![
            Row {
                reference: Some(theirs),
                ratio: Some(cpu),
                ..row("cpu_vs_nginx", ours, "us/request", 1.4, Some(1.0))
            },
            Row {
                reference: Some(calls_of_nginx),
                ..row("syscalls_per_exchange", calls, "calls", 6.5, Some(calls_of_nginx))
            },
            row("latency_added_p50_us", added.0, "us", 100.0, Some(50.0)),
            row("latency_added_p99_us", added.1, "us", 500.0, Some(200.0)),
        ],
        remarks: vec![format!(
            "{SESSIONS} sessions rotating, {CONNECTIONS} connections, {ROUNDS} rounds of {ROUND_SECS} s each; requests per second: cloakroom {:.0}, nginx {:.0}",
            rates.0, rates.1
        )],
    })
}

fn set_up(dir: &Path) -> Result<Rig> {
    let upstream = nginx::upstream(dir)?;
    let nginx = nginx::reverse_proxy(dir, upstream.port)?;
    let gateway = gateway::start(dir, upstream.port)?;
    eprintln!("signing in {SESSIONS} times …");
    let cookies = gateway.sessions(SESSIONS)?;
    let script = load::script(dir, "cookies", &gateway.host, cookies.iter().map(|cookie| load::cookie(cookie)))?;
    // Every session once, and every connection warm.
    load::run(&script, gateway.port, CONNECTIONS, 2)?;
    load::run(&script, nginx.port, CONNECTIONS, 1)?;
    Ok(Rig { upstream, nginx, gateway, script })
}

/// Median of the rounds' ratios, both sides' CPU per request in microseconds, and both sides' requests per second.
fn cpu_against_nginx(rig: &Rig) -> Result<(f64, f64, f64, (f64, f64))> {
    let round = |process: &Process, port| -> Result<(f64, Measured)> {
        let before = process.cpu_secs()?;
        let measured = load::run(&rig.script, port, CONNECTIONS, ROUND_SECS)?;
        Ok(((process.cpu_secs()? - before) / measured.requests * 1e6, measured))
    };
    let (mut ratios, mut ours, mut theirs, mut rates) = (vec![], vec![], vec![], (vec![], vec![]));
    for i in 1..=ROUNDS {
        let (us, our_rate) = round(&rig.gateway.process, rig.gateway.port)?;
        let (reference, their_rate) = round(&rig.nginx.process, rig.nginx.port)?;
        eprintln!("round {i}: cloakroom {us:.1} us, nginx {reference:.1} us, ratio {:.2}", us / reference);
        ratios.push(us / reference);
        ours.push(us);
        theirs.push(reference);
        rates.0.push(our_rate.per_sec);
        rates.1.push(their_rate.per_sec);
    }
    Ok((median(ratios), median(ours), median(theirs), (median(rates.0), median(rates.1))))
}

/// Latency at one connection, less that of a direct call: p50 and p99 in microseconds.
fn added_latency(rig: &Rig) -> Result<(f64, f64)> {
    let (mut p50, mut p99) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        let direct = load::run(&rig.script, rig.upstream.port, 1, 2)?;
        let through = load::run(&rig.script, rig.gateway.port, 1, 2)?;
        p50.push(through.p50_us - direct.p50_us);
        p99.push(through.p99_us - direct.p99_us);
    }
    Ok((median(p50), median(p99)))
}

fn syscalls_per_exchange(dir: &Path, rig: &Rig) -> Result<f64> {
    syscalls_of(dir, rig, &rig.gateway.process, rig.gateway.port)
}

/// Counts a process' system calls under load by `strace -c`, attached to all its threads and children.
fn syscalls_of(dir: &Path, rig: &Rig, process: &Process, port: u16) -> Result<f64> {
    let counts = dir.join(format!("strace-{port}.txt"));
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "-U", "calls,name", "-o"]).arg(&counts);
    for pid in process.with_children() {
        strace.args(["-p", &pid.to_string()]);
    }
    let tracer = Process::start("strace", strace.stderr(std::process::Stdio::null()))?;
    std::thread::sleep(std::time::Duration::from_millis(500));
    let measured = load::run(&rig.script, port, CONNECTIONS, 3)?;
    drop(tracer);
    let text = fs::read_to_string(&counts)?;
    let total = text
        .lines()
        .rev()
        .find_map(|line| line.trim().strip_suffix("total").map(str::trim).and_then(|n| n.parse::<f64>().ok()));
    Ok(total.with_context(|| format!("strace said: {text}"))? / measured.requests)
}
