//! `cloakroom sessions list | show | revoke`.

use std::process::ExitCode;

use serde_json::json;

use cloakroom_api::{Page, Revoked, Session, SessionDetail};

use super::table::{facts, moment, table};
use super::{Api, Server, part, rest, with};

/// What to do with sessions.
#[derive(clap::Subcommand, Debug)]
pub enum Sessions {
    /// List sessions, those that run unless asked otherwise.
    List {
        /// live, ended or all.
        #[arg(long)]
        state: Option<String>,
        /// Only this app's.
        #[arg(long, value_name = "ID")]
        client: Option<String>,
        /// Only this person's, by their id at the provider.
        #[arg(long)]
        sub: Option<String>,
        /// A part of sub, name, mail address, network address or user agent, or a whole session id.
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
    /// Show one session.
    Show {
        /// Its id.
        id: String,
        /// Which gateway, and as whom.
        #[command(flatten)]
        server: Server,
    },
    /// End one session.
    Revoke {
        /// Its id.
        id: String,
        /// Why, for the audit log.
        #[arg(long)]
        reason: String,
        /// Which gateway, and as whom.
        #[command(flatten)]
        server: Server,
    },
}

pub(super) async fn run(command: Sessions) -> anyhow::Result<ExitCode> {
    match command {
        Sessions::List { state, client, sub, query, limit, cursor, server } => {
            let api = Api::open(&server)?;
            let asked = [
                ("state", &state),
                ("client", &client),
                ("sub", &sub),
                ("q", &query),
                ("limit", &limit),
                ("cursor", &cursor),
            ];
            let asked = asked.map(|(name, value)| (name, value.as_deref()));
            api.print(api.get(&with("sessions", &asked)).await?, in_rows)
        }
        Sessions::Show { id, server } => {
            let api = Api::open(&server)?;
            api.print(api.get(&format!("sessions/{}", part(&id))).await?, in_detail)
        }
        Sessions::Revoke { id, reason, server } => {
            let api = Api::open(&server)?;
            let path = format!("sessions/{}/revoke", part(&id));
            api.print(api.post(&path, &json!({ "reason": reason })).await?, |done: &Revoked| {
                let before = if done.already_ended { "had ended before" } else { "ended" };
                format!("session {} {before}, {}\n", done.id, moment(&done.ended_at))
            })
        }
    }
}

fn state(session: &Session) -> String {
    serde_json::to_value(session.state).ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The columns of a session.
pub(super) fn rows(sessions: &[Session]) -> String {
    let row = |session: &Session| {
        [
            session.id.clone(),
            session.display().to_owned(),
            session.client_id.clone(),
            state(session),
            session.device.clone().unwrap_or_default(),
            session.address.clone().unwrap_or_default(),
            moment(&session.created_at),
            moment(&session.last_seen_at),
        ]
    };
    let heads = ["session", "person", "client", "state", "device", "address", "signed in", "last seen"];
    table(heads, sessions.iter().map(row).collect())
}

fn in_rows(page: &Page<Session>) -> String {
    rows(&page.items) + &rest(page)
}

fn in_detail(detail: &SessionDetail) -> String {
    let session = &detail.session;
    let ended = session.ended.as_ref().map_or_else(String::new, |ended| {
        let by = ended.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        let why = ended.reason_text.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
        format!("{}{by}{why}", moment(&ended.at))
    });
    let mut text = facts(&[
        ("session", session.id.clone()),
        ("person", format!("{} ({} at {})", session.display(), session.sub, session.issuer)),
        ("client", session.client_id.clone()),
        ("tenant", session.tenant.clone()),
        ("state", state(session)),
        ("device", session.device.clone().unwrap_or_default()),
        ("address", session.address.clone().unwrap_or_default()),
        ("signed in", moment(&session.created_at)),
        ("last seen", moment(&session.last_seen_at)),
        ("expires", moment(&session.expires_at)),
        ("ended", ended),
        ("roles", detail.roles.join(", ")),
    ]);
    let row = |event: &cloakroom_api::Event| [moment(&event.at), event.kind.clone(), event.text.clone()];
    text.push('\n');
    text + &table(["when", "event", "what"], detail.events.iter().map(row).collect())
}
