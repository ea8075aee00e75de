//! `cloakroom init`: a first configuration for one app, one API, one provider, and what to register at the provider.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to the person who runs it")]

mod files;

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use url::Url;

use cloakroom_core::random::SystemRandom;

/// What may be said beforehand; the rest is asked, where somebody can answer.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The identity provider's issuer, such as <https://id.example.com>.
    #[arg(long, value_name = "URL")]
    provider: Option<String>,
    /// The id that the provider gave to this app.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Where the web app is served now, such as <http://localhost:5173>.
    #[arg(long, value_name = "URL")]
    app: Option<String>,
    /// Where the API is served now, such as <http://localhost:3000>.
    #[arg(long, value_name = "URL")]
    api: Option<String>,
    /// Where the browser will find it all.
    #[arg(long, value_name = "ORIGIN", default_value = "http://localhost:8080")]
    site: String,
    /// The folder for the configuration, the keys and the store.
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

/// What the configuration is made of.
#[derive(Debug)]
struct Facts {
    /// As it was typed: issuers are compared character by character.
    issuer: String,
    client_id: String,
    app: Url,
    api: Url,
    site: Url,
}

/// Writes a configuration. Files that are there already are kept, and named.
///
/// # Errors
/// When an answer is missing or makes no sense, or a file cannot be written.
pub fn run(options: Options) -> anyhow::Result<ExitCode> {
    let issuer = answer(options.provider, "provider", "Issuer of your identity provider (URL)")?;
    address(&issuer)?;
    let facts = Facts {
        issuer,
        client_id: answer(options.client_id, "client-id", "Client id that the provider gave to this app")?,
        app: address(&answer(options.app, "app", "Your web app's address now (such as http://localhost:5173)")?)?,
        api: address(&answer(options.api, "api", "Your API's address now (such as http://localhost:3000)")?)?,
        site: address(&options.site)?,
    };
    anyhow::ensure!(!facts.client_id.chars().any(char::is_control), "the client id has a control character");
    let written = files::write(&options.dir, &facts, &SystemRandom)?;
    print!("{}", next_steps(&facts, &written));
    Ok(ExitCode::SUCCESS)
}

fn answer(given: Option<String>, flag: &str, question: &str) -> anyhow::Result<String> {
    if let Some(given) = given {
        return Ok(given);
    }
    anyhow::ensure!(std::io::stdin().is_terminal(), "--{flag} is missing, and nobody is there to ask");
    let mut line = String::new();
    while line.trim().is_empty() {
        eprint!("{question}: ");
        std::io::stderr().flush()?;
        anyhow::ensure!(std::io::stdin().lock().read_line(&mut line)? > 0, "--{flag} is missing");
    }
    Ok(line.trim().to_owned())
}

fn address(text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text).map_err(|error| anyhow::anyhow!("{text:?} is no URL ({error}); write https://…"))?;
    anyhow::ensure!(
        matches!(url.scheme(), "http" | "https") && url.has_host(),
        "{text:?} must begin with https:// or http://"
    );
    Ok(url)
}

fn next_steps(facts: &Facts, written: &files::Written) -> String {
    let site = facts.site.as_str().trim_end_matches('/');
    let config = written.config.display();
    let secret = written.secret.display();
    format!(
        "
Wrote {config} and {key}.

1. Register this at {issuer} for the client {client}:
     redirect URI                    {site}/bff/callback
     post-logout redirect URI        {site}/bff/signed-out
     grant types                     authorization_code, refresh_token
     client authentication           client_secret_basic

2. Put the client's secret into {secret} (one line; nobody else may read the file):
     install -m 600 /dev/null {secret} && cat > {secret}

3. cloakroom check --config {config}
   cloakroom serve --config {config}

Then open {site}/bff/login
",
        key = written.key.display(),
        issuer = facts.issuer,
        client = facts.client_id,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u24_answers_that_make_no_sense_are_named() {
        for (text, said) in [
            ("id.example.com", "is no URL"),
            ("ftp://id.example.com", "must begin with https://"),
            ("mailto:x@example.com", "must begin with https://"),
        ] {
            let error = address(text).expect_err(text).to_string();
            assert!(error.contains(said) && error.contains(text), "{error}");
        }
    }
}
