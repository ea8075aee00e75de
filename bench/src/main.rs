//! Load rigs: Cloakroom and its peers side by side, in one run, interleaved. Every figure is printed as measured.
//!
//! `cloakroom-bench NAME` needs `CLOAKROOM_BIN` (a release build), and Debian's nginx, wrk and strace.
//! `cargo xtask bench NAME` sees to all of it.
#![expect(clippy::print_stdout, reason = "a bench prints its results")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the real clock and environment, and waits")]

mod gateway;
mod http;
mod load;
mod mobile;
mod nginx;
mod phone;
mod process;
mod proxy;
mod report;

use std::process::ExitCode;

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let run = match name.as_str() {
        "mobile" => mobile::run,
        "proxy" => proxy::run,
        other => {
            eprintln!("there is no bench called {other:?}; there are: mobile, proxy");
            return ExitCode::from(2);
        }
    };
    match run() {
        Ok(report) => {
            report.print();
            if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("bench {name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
