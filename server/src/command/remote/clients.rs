//! `cloakroom clients list | show`.

use std::process::ExitCode;

use cloakroom_api::{Client, Kind, Page};

use super::table::{facts, table};
use super::{Api, Server, part, rest};

/// What to do with clients.
#[derive(clap::Subcommand, Debug)]
pub enum Clients {
    /// List the apps that sign people in.
    List {
        /// Which gateway, and as whom.
        #[command(flatten)]
        server: Server,
    },
    /// Show one.
    Show {
        /// Its id.
        id: String,
        /// Which gateway, and as whom.
        #[command(flatten)]
        server: Server,
    },
}

pub(super) async fn run(command: Clients) -> anyhow::Result<ExitCode> {
    match command {
        Clients::List { server } => {
            let api = Api::open(&server)?;
            api.print(api.get("clients").await?, in_rows)
        }
        Clients::Show { id, server } => {
            let api = Api::open(&server)?;
            api.print(api.get(&format!("clients/{}", part(&id))).await?, in_detail)
        }
    }
}

const fn kind(client: &Client) -> &'static str {
    match client.kind {
        Kind::Web => "web",
        Kind::Mobile => "mobile",
    }
}

fn in_rows(page: &Page<Client>) -> String {
    let row = |client: &Client| {
        [
            client.id.clone(),
            client.name.clone(),
            kind(client).to_owned(),
            client.tenant.clone(),
            client.live_sessions.to_string(),
            client.origins.join(" "),
        ]
    };
    table(["client", "name", "kind", "tenant", "live", "origins"], page.items.iter().map(row).collect()) + &rest(page)
}

fn in_detail(client: &Client) -> String {
    facts(&[
        ("client", client.id.clone()),
        ("name", client.name.clone()),
        ("kind", kind(client).to_owned()),
        ("tenant", client.tenant.clone()),
        ("signs in with", client.registrations.join(", ")),
        ("origins", client.origins.join(" ")),
        ("trusted origins", client.trusted_origins.join(" ")),
        ("return addresses", client.return_urls.join(" ")),
        ("redirect addresses", client.redirect_uris.join(" ")),
        ("ends unused after", format!("{} s", client.idle_secs)),
        ("ends in any case after", format!("{} s", client.absolute_secs)),
        ("live sessions", client.live_sessions.to_string()),
    ])
}
