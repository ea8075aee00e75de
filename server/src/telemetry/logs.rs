//! Logs on standard error: JSON for machines, text for people. Secrets live in types that do not print.

use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// For a terminal.
    Text,
}

/// Starts logging.
///
/// # Errors
/// When the filter cannot be read, or logging was started before.
pub fn start(format: Format, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)?;
    // A line that cannot be written (the disk is full) is lost: to complain of it on standard error would panic (F3).
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    let started = match format {
        Format::Json => lines.json().flatten_event(true).try_init(),
        Format::Text => lines.compact().with_target(false).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logging: {error}"))
}
