//! The `cloakroom` command.
#![expect(clippy::print_stdout, reason = "a command prints its results")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use cloakroom::command::keys::Act;
use cloakroom::command::remote::{self, Remote};
use cloakroom::host::Emergency;
use cloakroom::{app, command, config};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Keeps OAuth tokens on the server and gives browsers an encrypted cookie instead.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a first configuration for an app, an API and a provider, and say what to register there.
    Init(command::init::Options),
    /// Run the gateway.
    Serve(WithConfig),
    /// Read a configuration, report every mistake in it, and say what it means. Calls nobody, unless asked to.
    Check {
        /// Ask every provider and upstream as well, and say what was found.
        #[arg(long)]
        online: bool,
        #[command(flatten)]
        with: WithConfig,
    },
    /// Say what becomes of a call: which route, which rule, why, and what would help. Calls nobody.
    Explain(command::explain::Options),
    /// Bring the store's schema up to date. `serve` does it too.
    Migrate(WithConfig),
    /// Verify the audit log, or search it.
    #[command(subcommand)]
    Audit(Audit),
    /// Of a running gateway: list people, show one, forget one.
    #[command(subcommand)]
    Users(remote::Users),
    /// Of a running gateway: list the apps that sign people in, show one.
    #[command(subcommand)]
    Clients(remote::Clients),
    /// Of a running gateway: show what would end, ask, and end it.
    Revoke(remote::Revoke),
    /// Show, rotate and retire the keys that seal cookies and stored values; works with the gateway up or down.
    #[command(subcommand)]
    Keys(Keys),
    /// End sessions, block a provider, or make an owner, when nobody can or may sign in; works with the gateway up or
    /// down, and is audited.
    #[command(subcommand)]
    BreakGlass(BreakGlass),
    /// List, show and end sessions of a running gateway; take a store from SQLite to PostgreSQL, or let a restored backup
    /// serve.
    #[command(subcommand)]
    Sessions(Sessions),
    /// Ask a running gateway whether it is ready; for container health checks.
    Healthcheck(WithConfig),
    /// Print the admin API's OpenAPI document.
    Openapi,
    /// Run everything on this machine: gateway, demo identity provider, sample API and web app, console.
    #[cfg(feature = "demo")]
    Demo(command::demo::Options),
}

#[derive(Subcommand)]
enum Audit {
    /// Walk the whole chain and recompute every link; works beside a running gateway.
    Verify {
        /// Also compare with a checkpoint that was kept elsewhere: finds a tail that was cut and a log written anew.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
        #[command(flatten)]
        with: WithConfig,
    },
    /// Print where the chain stands, tagged by a key that is not in the store: one line to be kept on another machine.
    Checkpoint(WithConfig),
    /// Search the log of a running gateway, newest first.
    Search(Box<remote::Search>),
}

#[derive(Subcommand)]
enum Sessions {
    /// Copy everything from the SQLite file of one configuration to the empty PostgreSQL database of another. Nobody is
    /// signed out. A running gateway takes no writes from then on, and is to be replaced by one of the new configuration.
    Copy {
        /// The configuration with the PostgreSQL database.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        #[command(flatten)]
        with: WithConfig,
    },
    /// End every session of a store that was restored from a backup, so that none is served that was ended since.
    AfterRestore(WithConfig),
    #[command(flatten)]
    Remote(Box<remote::Sessions>),
}

#[derive(Subcommand)]
enum BreakGlass {
    /// End sessions: those of a person, an app, a provider, what several name together, or all.
    Revoke {
        /// A person: the provider's issuer, and their id there.
        #[arg(long, num_args = 2, value_names = ["ISSUER", "SUB"], required_unless_present_any = ["client", "provider", "all"])]
        user: Option<Vec<String>>,
        /// An app.
        #[arg(long, value_name = "ID")]
        client: Option<String>,
        /// A provider.
        #[arg(long, value_name = "ID")]
        provider: Option<String>,
        /// Every session there is.
        #[arg(long, conflicts_with_all = ["user", "client", "provider"])]
        all: bool,
        #[command(flatten)]
        because: Because,
    },
    /// Serve nobody whom a provider signs in, until it is unblocked.
    BlockProvider {
        /// The provider's id in the configuration.
        provider: String,
        #[command(flatten)]
        because: Because,
    },
    /// Serve them again.
    UnblockProvider {
        /// The provider's id in the configuration.
        provider: String,
        #[command(flatten)]
        because: Because,
    },
    /// Make a person an owner, whatever their claims say.
    GrantOwner {
        /// The provider's issuer.
        issuer: String,
        /// The person's id there.
        sub: String,
        #[command(flatten)]
        because: Because,
    },
}

#[derive(clap::Args)]
struct Because {
    /// Why, for the audit log.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    with: WithConfig,
}

#[derive(Subcommand)]
enum Keys {
    /// Show the key ring, and how much is sealed under each key.
    List(WithConfig),
    /// Make a new key, which seals from now on. Nobody is signed out.
    Rotate(WithConfig),
    /// Take an old key out of the ring.
    Retire {
        /// The key's id, as `list` shows it.
        #[arg(value_name = "KEYID")]
        key: String,
        /// End every session that began before the key was replaced: for a key that others may know.
        #[arg(long)]
        burn: bool,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        with: WithConfig,
    },
}

#[derive(clap::Args)]
struct WithConfig {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cloakroom: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Init(options) => command::init::run(options),
        Command::Serve(with) => match load(&with.config) {
            Ok(config) => app::serve(config).map(|()| ExitCode::SUCCESS),
            Err(code) => Ok(code),
        },
        Command::Check { online, with } => match (command::check::run(&with.config), online) {
            (Ok(config), true) => command::online::run(&config),
            (Ok(_), false) => Ok(ExitCode::SUCCESS),
            (Err(code), _) => Ok(code),
        },
        Command::Explain(options) => match load(&options.config) {
            Ok(config) => command::explain::run(&config, options),
            Err(code) => Ok(code),
        },
        Command::Migrate(with) => with_config(&with.config, command::migrate::run),
        Command::Audit(command) => audit(command),
        Command::Users(command) => remote::run(Remote::Users(command)),
        Command::Clients(command) => remote::run(Remote::Clients(command)),
        Command::Revoke(command) => remote::run(Remote::Revoke(command)),
        Command::Keys(command) => keys(command),
        Command::BreakGlass(command) => break_glass(command),
        Command::Sessions(command) => sessions(command),
        Command::Healthcheck(with) => with_config(&with.config, command::healthcheck::run),
        Command::Openapi => {
            print!("{}", cloakroom::admin::openapi::document());
            Ok(ExitCode::SUCCESS)
        }
        #[cfg(feature = "demo")]
        Command::Demo(options) => command::demo::run(options),
    }
}

fn sessions(command: Sessions) -> anyhow::Result<ExitCode> {
    match command {
        Sessions::Copy { to, with } => match (load(&with.config), load(&to)) {
            (Ok(from), Ok(to)) => command::sessions::copy(from, &to),
            (Err(code), _) | (_, Err(code)) => Ok(code),
        },
        Sessions::AfterRestore(with) => match load(&with.config) {
            Ok(config) => command::sessions::after_restore(config),
            Err(code) => Ok(code),
        },
        Sessions::Remote(command) => remote::run(Remote::Sessions(*command)),
    }
}

fn break_glass(command: BreakGlass) -> anyhow::Result<ExitCode> {
    let (act, because) = match command {
        BreakGlass::Revoke { user, client, provider, all: _, because } => {
            let user = user.and_then(|both| <[String; 2]>::try_from(both).ok()).map(|[issuer, sub]| (issuer, sub));
            (Emergency::Revoke { user, client, provider }, because)
        }
        BreakGlass::BlockProvider { provider, because } => (Emergency::BlockProvider { provider }, because),
        BreakGlass::UnblockProvider { provider, because } => (Emergency::UnblockProvider { provider }, because),
        BreakGlass::GrantOwner { issuer, sub, because } => (Emergency::GrantOwner { issuer, sub }, because),
    };
    match load(&because.with.config) {
        Ok(config) => command::break_glass::run(config, &act, &because.reason),
        Err(code) => Ok(code),
    }
}

fn audit(command: Audit) -> anyhow::Result<ExitCode> {
    match command {
        Audit::Verify { checkpoint, with } => match load(&with.config) {
            Ok(config) => command::audit::verify(&config, checkpoint.as_deref()),
            Err(code) => Ok(code),
        },
        Audit::Checkpoint(with) => with_config(&with.config, command::audit::checkpoint),
        Audit::Search(search) => remote::run(Remote::Search(*search)),
    }
}

fn keys(command: Keys) -> anyhow::Result<ExitCode> {
    let (with, act) = match command {
        Keys::List(with) => (with, Act::List),
        Keys::Rotate(with) => (with, Act::Rotate),
        Keys::Retire { key, burn, yes, with } => (with, Act::Retire { key, burn, yes }),
    };
    match load(&with.config) {
        Ok(config) => command::keys::run(config, &act),
        Err(code) => Ok(code),
    }
}

fn with_config(path: &Path, run: fn(&config::Config) -> anyhow::Result<ExitCode>) -> anyhow::Result<ExitCode> {
    match load(path) {
        Ok(config) => run(&config),
        Err(code) => Ok(code),
    }
}

/// The configuration, or the exit code after its mistakes were shown.
fn load(path: &Path) -> Result<config::Config, ExitCode> {
    command::check::load(path).map(|loaded| loaded.config)
}
