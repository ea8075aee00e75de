//! `cargo xtask test`: every stage in order, each timed; the first that fails ends it.

mod summary;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::run::{binary, by_hand, cargo};
use crate::{console, setup, tidy};
use summary::Tally;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The long variants too: more kills, longer soaks, ignored tests.
    #[arg(long)]
    long: bool,
    /// Only these stages, in their order, and what they need.
    #[arg(long, value_enum, value_name = "NAME", num_args = 1..)]
    stage: Vec<Stage>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Stage {
    /// Install what the other stages need.
    Setup,
    /// Formatting.
    Fmt,
    /// What compilers do not check.
    Tidy,
    /// The console, with its size gate.
    Console,
    /// The workspace's lints.
    Clippy,
    /// The binary that the next stages test.
    Gateway,
    /// Tests beside the code.
    Units,
    /// Stories about the real binary.
    Blackbox,
    /// Stories in a real browser.
    E2e,
}

const ALL: [Stage; 9] = [
    Stage::Setup,
    Stage::Fmt,
    Stage::Tidy,
    Stage::Console,
    Stage::Clippy,
    Stage::Gateway,
    Stage::Units,
    Stage::Blackbox,
    Stage::E2e,
];

impl Stage {
    /// Stages that must have run, so that no test meets yesterday's binary.
    fn needs(self) -> &'static [Self] {
        match self {
            Self::Blackbox => &[Self::Gateway],
            Self::E2e => &[Self::Console, Self::Gateway],
            _ => &[],
        }
    }

    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// Runs the stages, and says at the end how long each took and what the runners counted.
pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    let (mut times, mut all) = (Vec::new(), Tally::default());
    let mut failure = None;
    for stage in chosen(&options.stage) {
        println!("\n== {}", stage.name());
        let (started, mut tally) = (Instant::now(), Tally::default());
        let outcome = run_stage(root, stage, options.long, &mut tally);
        times.push((stage, started.elapsed()));
        if let Err(error) = outcome {
            // A stage can fail without a failed test: it does not compile, or its runner crashed.
            tally.failed = tally.failed.max(1);
            failure = Some((stage, error));
        }
        all.add(tally);
        if failure.is_some() {
            break;
        }
    }
    print_times(&times);
    for line in &all.lines {
        println!("{line}");
    }
    if let Some((stage, error)) = &failure {
        println!("Stopped at {}: {error:#}", stage.name());
    }
    println!("{all}");
    if failure.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn chosen(asked: &[Stage]) -> Vec<Stage> {
    let is_asked =
        |stage: &Stage| asked.is_empty() || asked.contains(stage) || asked.iter().any(|a| a.needs().contains(stage));
    ALL.into_iter().filter(is_asked).collect()
}

fn print_times(times: &[(Stage, Duration)]) {
    println!("\n{:<12} {:>9}", "stage", "seconds");
    for (stage, time) in times {
        println!("{:<12} {:>9.1}", stage.name(), time.as_secs_f64());
    }
    println!("{:<12} {:>9.1}\n", "all", times.iter().map(|(_, time)| time.as_secs_f64()).sum::<f64>());
}

fn run_stage(root: &Path, stage: Stage, long: bool, tally: &mut Tally) -> Result<()> {
    match stage {
        Stage::Setup => setup::all(root),
        Stage::Fmt => show(&mut cargo(root, &["fmt", "--all", "--check"]), tally),
        Stage::Tidy => tidy::run(root),
        Stage::Console => {
            setup::for_console(root)?;
            console::build(&console::Options { root: root.to_owned(), dev: false })
        }
        Stage::Clippy => {
            let clippy = ["clippy", "--profile", "ci", "--workspace", "--all-targets", "--", "-D", "warnings"];
            show(&mut cargo(root, &clippy), tally)
        }
        Stage::Gateway => {
            setup::for_gateway(root)?;
            show(&mut cargo(root, &["build", "--profile", "ci", "-p", "cloakroom"]), tally)
        }
        Stage::Units => {
            setup::for_units(root)?;
            let units = ["test", "--profile", "ci", "--workspace", "--exclude", "cloakroom-tests"];
            let mut tests = cargo(root, &units);
            tests.env("CLOAKROOM_BIN", binary(root, "ci"));
            show_tests(with_length(&mut tests, long), tally)
        }
        Stage::Blackbox => {
            setup::for_blackbox(root)?;
            let mut tests = cargo(root, &["test", "--profile", "ci", "-p", "cloakroom-tests"]);
            tests.env("CLOAKROOM_BIN", binary(root, "ci"));
            show_tests(with_length(&mut tests, long), tally)
        }
        Stage::E2e => {
            setup::for_e2e(root)?;
            let mut tests = Command::new(root.join("e2e/node_modules/.bin/playwright"));
            tests.arg("test").current_dir(root.join("e2e")).env("CLOAKROOM_BIN", binary(root, "ci"));
            show_tests(&mut tests, tally)
        }
    }
}

/// Tests that come in two lengths look at `CLOAKROOM_LONG`; those that are always long are ignored otherwise.
fn with_length(tests: &mut Command, long: bool) -> &mut Command {
    if long { tests.env("CLOAKROOM_LONG", "1").args(["--", "--include-ignored"]) } else { tests }
}

/// Runs tests; none at all is a failure, for it looks like success.
fn show_tests(command: &mut Command, tally: &mut Tally) -> Result<()> {
    show(command, tally)?;
    ensure!(tally.ran() > 0, "the runner told of no test. By hand: {}", by_hand(command));
    Ok(())
}

/// Runs a command, passes its output on, and reads its runner's summary lines.
fn show(command: &mut Command, tally: &mut Tally) -> Result<()> {
    let program = command.get_program().display().to_string();
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("{program} did not start"))?;
    let out = child.stdout.take().context("no output to read")?;
    for line in BufReader::new(out).split(b'\n') {
        // A test may print anything; what is no UTF-8 must not end the run.
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        tally.read(&line);
    }
    let status = child.wait()?;
    ensure!(status.success(), "{status}. By hand: {}", by_hand(command));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_bring_what_they_need_in_order() {
        assert_eq!(chosen(&[]), ALL);
        assert_eq!(chosen(&[Stage::Units, Stage::Tidy]), [Stage::Tidy, Stage::Units]);
        assert_eq!(chosen(&[Stage::Blackbox]), [Stage::Gateway, Stage::Blackbox]);
        assert_eq!(chosen(&[Stage::E2e]), [Stage::Console, Stage::Gateway, Stage::E2e]);
    }

    #[test]
    fn output_is_read_and_failures_say_what_to_run() {
        let mut tally = Tally::default();
        show_tests(Command::new("sh").args(["-c", "printf '\\377\\n  3 passed (1s)\\n'"]), &mut tally).expect("passes");
        assert_eq!((tally.passed, tally.failed), (3, 0));

        let error = show_tests(Command::new("sh").args(["-c", "echo '  1 failed'; exit 3"]), &mut tally);
        assert_eq!(tally.failed, 1);
        assert!(error.expect_err("it failed").to_string().contains("By hand: sh -c"));

        let silent = show_tests(&mut Command::new("true"), &mut Tally::default());
        assert!(silent.expect_err("no test ran").to_string().contains("no test"));
    }
}
