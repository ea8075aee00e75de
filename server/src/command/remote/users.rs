//! `cloakroom users list | show | erase`.

use std::process::ExitCode;

use serde_json::json;

use cloakroom_api::{AuditEvent, Page, User, UserDetail, UserErased};

use super::sessions::rows;
use super::table::{facts, moment, table};
use super::{Api, Server, part, rest, with};

/// What to do with people.
#[derive(clap::Subcommand, Debug)]
pub enum Users {
    /// List people, those with a session that runs unless asked otherwise.
    List {
        /// live or all.
        #[arg(long)]
        state: Option<String>,
        /// Only the person of this id at any provider.
        #[arg(long)]
        sub: Option<String>,
        /// A part of sub, name or mail address.
        #[arg(long, value_name = "TEXT")]
        query: Option<String>,
        /// Rows, 1 to 100.
        #[arg(long)]
        limit: Option<String>,
        /// Where the list goes on, as the page before said.
        #[arg(long)]
        cursor: Option<String>,
        /// Which gateway, and as whom.
        #[command(flatten)]
        server: Server,
    },
    /// Show one person with their sessions, locks and events.
    Show {
        /// Their id here, as `list` shows it.
        id: String,
        /// Which gateway, and as whom.
        #[command(flatten)]
        server: Server,
    },
    /// Forget a person, for good.
    Erase {
        /// Their id here, as `list` shows it.
        id: String,
        /// Their id at the provider, so that nobody is forgotten by a slip.
        #[arg(long, value_name = "SUB")]
        confirm: String,
        /// Why, for the audit log; without naming the person.
        #[arg(long)]
        reason: String,
        /// Which gateway, and as whom.
        #[command(flatten)]
        server: Server,
    },
}

pub(super) async fn run(command: Users) -> anyhow::Result<ExitCode> {
    match command {
        Users::List { state, sub, query, limit, cursor, server } => {
            let api = Api::open(&server)?;
            let asked = [("state", &state), ("sub", &sub), ("q", &query), ("limit", &limit), ("cursor", &cursor)];
            let asked = asked.map(|(name, value)| (name, value.as_deref()));
            api.print(api.get(&with("users", &asked)).await?, in_rows)
        }
        Users::Show { id, server } => {
            let api = Api::open(&server)?;
            api.print(api.get(&format!("users/{}", part(&id))).await?, in_detail)
        }
        Users::Erase { id, confirm, reason, server } => {
            let api = Api::open(&server)?;
            let body = json!({ "reason": reason, "confirm_sub": confirm });
            api.print(api.post(&format!("users/{}/erase", part(&id)), &body).await?, |done: &UserErased| {
                facts(&[
                    ("sessions ended", done.sessions_ended.to_string()),
                    ("sessions deleted", done.sessions_deleted.to_string()),
                    ("go once their provider was told", done.sessions_waiting.to_string()),
                    ("locks that go on", done.locks_kept.to_string()),
                ])
            })
        }
    }
}

fn in_rows(page: &Page<User>) -> String {
    let row = |user: &User| {
        [
            user.display().to_owned(),
            user.sub.clone(),
            user.issuer.clone(),
            user.live_sessions.to_string(),
            if user.locked { "locked" } else { "" }.to_owned(),
            moment(&user.signed_in_at),
            user.id.clone(),
        ]
    };
    let heads = ["person", "sub", "issuer", "live", "lock", "signed in", "id"];
    table(heads, page.items.iter().map(row).collect()) + &rest(page)
}

fn in_detail(detail: &UserDetail) -> String {
    let user = &detail.user;
    let mut text = facts(&[
        ("person", format!("{} ({} at {})", user.display(), user.sub, user.issuer)),
        ("live sessions", user.live_sessions.to_string()),
        ("locked", if user.locked { "yes" } else { "no" }.to_owned()),
    ]);
    text.push('\n');
    text += &rows(&detail.sessions);
    text.push('\n');
    let row = |event: &AuditEvent| [moment(&event.at), event.kind.clone(), event.text.clone()];
    text + &table(["when", "event", "what"], detail.events.iter().map(row).collect())
}
