//! `cloakroom audit search`.

use std::process::ExitCode;

use cloakroom_api::{AuditEvent, Page, Who};

use super::table::{moment, table};
use super::{Api, Server, rest, with};

/// What to search for: all of it must hold.
#[derive(clap::Args, Debug)]
pub struct Search {
    /// About this person, by their id at any provider.
    #[arg(long, value_name = "SUB")]
    subject: Option<String>,
    /// Done by this administrator.
    #[arg(long, value_name = "SUB")]
    actor: Option<String>,
    /// The issuer that the administrator is named by; `service-account` for machines.
    #[arg(long, value_name = "ISSUER")]
    actor_issuer: Option<String>,
    /// About this session.
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Whose person came from this network address.
    #[arg(long)]
    address: Option<String>,
    /// Of these kinds, joined by commas.
    #[arg(long, value_name = "KINDS")]
    kind: Option<String>,
    /// Not before this moment (RFC 3339).
    #[arg(long, value_name = "MOMENT")]
    from: Option<String>,
    /// Before this moment (RFC 3339).
    #[arg(long, value_name = "MOMENT")]
    until: Option<String>,
    /// Events, 1 to 100.
    #[arg(long)]
    limit: Option<String>,
    /// Where the list goes on, as the page before said.
    #[arg(long)]
    cursor: Option<String>,
    #[command(flatten)]
    server: Server,
}

pub(super) async fn run(search: Search) -> anyhow::Result<ExitCode> {
    let Search { subject, actor, actor_issuer, session, address, kind, from, until, limit, cursor, server } = search;
    let api = Api::open(&server)?;
    let asked = [
        ("subject", &subject),
        ("actor", &actor),
        ("actor_issuer", &actor_issuer),
        ("session", &session),
        ("address", &address),
        ("kind", &kind),
        ("from", &from),
        ("until", &until),
        ("limit", &limit),
        ("cursor", &cursor),
    ];
    let asked = asked.map(|(name, value)| (name, value.as_deref()));
    api.print(api.get(&with("audit/events", &asked)).await?, in_rows)
}

fn in_rows(page: &Page<AuditEvent>) -> String {
    let row = |event: &AuditEvent| {
        [
            moment(&event.at),
            event.kind.clone(),
            event.actor.as_ref().map_or_else(String::new, |who: &Who| who.display().to_owned()),
            event.text.clone(),
        ]
    };
    table(["when", "event", "by", "what"], page.items.iter().map(row).collect()) + &rest(page)
}
