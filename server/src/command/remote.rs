//! `cloakroom sessions | users | clients | revoke`, `cloakroom audit search`: the admin API of a running gateway, for
//! people and for scripts. They come as a service account, from any machine, and can do what its scopes say.
#![expect(clippy::print_stdout, reason = "a command prints its results")]

mod audit;
mod clients;
mod revoke;
mod sessions;
mod table;
mod users;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use http::{Method, header};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use cloakroom_api::Problem;
use cloakroom_core::http::HttpClient as _;

use crate::app;
use crate::outbound::{Egress, Outbound};

pub use audit::Search;
pub use clients::Clients;
pub use revoke::Revoke;
pub use sessions::Sessions;
pub use users::Users;

/// Which gateway, as whom, and how to print.
#[derive(clap::Args, Debug)]
pub struct Server {
    /// The console's origin, such as `https://console.example.com`.
    #[arg(long = "server", env = "CLOAKROOM_SERVER", value_name = "URL")]
    origin: Url,
    /// The file that holds a service account's token.
    #[arg(long, env = "CLOAKROOM_TOKEN_FILE", value_name = "FILE")]
    token_file: PathBuf,
    /// Certificates in PEM to trust in place of the machine's own.
    #[arg(long, env = "CLOAKROOM_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Print JSON, as the API answers.
    #[arg(long)]
    json: bool,
}

/// One of the commands.
#[derive(Debug)]
pub enum Remote {
    /// `sessions`.
    Sessions(Sessions),
    /// `users`.
    Users(Users),
    /// `clients`.
    Clients(Clients),
    /// `audit search`.
    Search(Search),
    /// `revoke`.
    Revoke(Revoke),
}

/// Does it.
///
/// # Errors
/// What the gateway refused, or why it was not reached.
pub fn run(command: Remote) -> anyhow::Result<ExitCode> {
    app::control_runtime()?.block_on(async {
        match command {
            Remote::Sessions(command) => sessions::run(command).await,
            Remote::Users(command) => users::run(command).await,
            Remote::Clients(command) => clients::run(command).await,
            Remote::Search(command) => audit::run(command).await,
            Remote::Revoke(command) => revoke::run(command).await,
        }
    })
}

/// The admin API of one gateway.
struct Api {
    client: Outbound,
    base: Url,
    authorization: Zeroizing<String>,
    json: bool,
}

impl Api {
    fn open(server: &Server) -> anyhow::Result<Self> {
        let local = server.origin.host_str().is_some_and(|host| {
            crate::proxy::upstream::is_localhost(host) || host.trim_matches(['[', ']']).parse().is_ok_and(is_loopback)
        });
        anyhow::ensure!(
            server.origin.scheme() == "https" || server.origin.scheme() == "http" && local,
            "--server must be an https address: the token must not be read on its way"
        );
        let shown = server.token_file.display();
        let token = std::fs::read_to_string(&server.token_file).with_context(|| format!("{shown}: cannot be read"))?;
        let token = Zeroizing::new(token);
        anyhow::ensure!(
            token.trim().starts_with(cloakroom_core::accounts::PREFIX),
            "{shown}: holds no service account's token"
        );
        let anchors = match &server.ca {
            None => Vec::new(),
            Some(file) => CertificateDer::pem_file_iter(file)
                .and_then(Iterator::collect)
                .ok()
                .filter(|found: &Vec<_>| !found.is_empty())
                .with_context(|| format!("{}: holds no certificates in PEM", file.display()))?,
        };
        Ok(Self {
            client: Outbound::new(&Egress { anchors, proxy: None })?,
            base: server.origin.join("/admin/api/v1/")?,
            authorization: Zeroizing::new(format!("Bearer {}", token.trim())),
            json: server.json,
        })
    }

    /// Asks; `path` has its parameters.
    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, Vec::new()).await
    }

    async fn post(&self, path: &str, body: &impl Serialize) -> anyhow::Result<Value> {
        self.call(Method::POST, path, serde_json::to_vec(body)?).await
    }

    async fn call(&self, method: Method, path: &str, body: Vec<u8>) -> anyhow::Result<Value> {
        let url = self.base.join(path)?;
        let request = http::Request::builder()
            .method(method)
            .uri(url.as_str())
            .header(header::AUTHORIZATION, self.authorization.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)?;
        let answer = self.client.send(request).await.with_context(|| format!("{} was not reached", self.base))?;
        if answer.status().is_success() {
            return serde_json::from_slice(answer.body()).context("the gateway answered something that is no JSON");
        }
        let status = answer.status();
        let Ok(problem) = serde_json::from_slice::<Problem>(answer.body()) else {
            anyhow::bail!("{} answered {status}: is it the console's origin?", self.base);
        };
        let mut said = problem.detail.unwrap_or(problem.title);
        for more in [problem.hint, problem.request_id.map(|id| format!("request {id}"))].into_iter().flatten() {
            said.push_str("; ");
            said.push_str(&more);
        }
        anyhow::bail!("{status}: {}", table::plain(&said))
    }

    /// Prints an answer: as it is for scripts, else as `words` puts it.
    fn print<T: DeserializeOwned>(&self, answer: Value, words: impl FnOnce(&T) -> String) -> anyhow::Result<ExitCode> {
        if self.json {
            println!("{}", serde_json::to_string_pretty(&answer)?);
        } else {
            print!("{}", words(&serde_json::from_value(answer).context("the gateway is of another version")?));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn is_loopback(address: std::net::IpAddr) -> bool {
    address.is_loopback()
}

/// Parameters that are set, after a path.
fn with(path: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    format!("{path}?{}", query.finish())
}

/// One part of a path.
fn part(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// What follows a list: how many there are, and how to go on.
fn rest<T>(page: &cloakroom_api::Page<T>) -> String {
    let about = if page.count.exact { "" } else { "at least " };
    let more = page.next.as_ref().map(|next| format!("; more with --cursor {next}")).unwrap_or_default();
    format!("{} shown of {about}{}{more}\n", page.items.len(), page.count.n)
}
