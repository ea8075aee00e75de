//! Processes that a bench starts, measures and stops by pid.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

/// Clock ticks per second in `/proc/*/stat`; Linux answers 100 to user space everywhere.
const TICKS_PER_SEC: f64 = 100.0;

pub(crate) struct Process {
    name: &'static str,
    child: Child,
}

impl Process {
    pub(crate) fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).spawn().with_context(|| format!("{name} did not start"))?;
        Ok(Self { name, child })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until something accepts connections at the port.
    pub(crate) fn wait_for_port(&mut self, port: u16) -> Result<()> {
        for _ in 0..400 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(());
            }
            ensure!(self.child.try_wait()?.is_none(), "{} ended before it listened on port {port}", self.name);
            std::thread::sleep(Duration::from_millis(50));
        }
        anyhow::bail!("{} did not listen on port {port} within 20 s", self.name)
    }

    /// The process and its children.
    pub(crate) fn with_children(&self) -> Vec<u32> {
        family(self.pid())
    }

    /// User and system time of the process and its children so far, in seconds.
    pub(crate) fn cpu_secs(&self) -> Result<f64> {
        let mut total = 0.0;
        for pid in family(self.pid()) {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
            // Fields 14 and 15, counted behind the command's name, which may hold spaces (proc(5)).
            let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
            let ticks: f64 =
                behind.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
            total += ticks / TICKS_PER_SEC;
        }
        Ok(total)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let stopped = Command::new("kill").arg(self.pid().to_string()).status();
        if stopped.is_err() || self.child.wait().is_err() {
            eprintln!("{} could not be stopped", self.name);
        }
    }
}

/// A process and its direct children (nginx: master and workers).
fn family(pid: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let mut all = vec![pid];
    all.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    all
}

/// A port that nothing listens on now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
