//! The acts, and in whose name they are done.

use std::fs;
use std::sync::Arc;

use cloakroom_core::audit::event::Person;
use cloakroom_core::keys::{By, KeyError, KeyState};
use cloakroom_core::session::Sessions;

use super::{Answer, Ask, Key, break_glass};

/// Does what is asked.
pub async fn act(sessions: &Arc<Sessions>, ask: &Ask, by: &By) -> Answer {
    let keys = sessions.keys();
    let done = match ask {
        Ask::ListKeys => {
            keys.list().await.map(|ring| Answer::Keys(ring.into_iter().map(key).collect())).map_err(KeyError::from)
        }
        Ask::RotateKey => keys.rotate(by).await.map(Answer::Rotated),
        Ask::RetireKey { key } => keys.retire(key, by).await.map(|()| Answer::Retired),
        Ask::BreakGlass { act, reason } => return break_glass::act(sessions, act, reason, by).await,
        Ask::Freeze { frozen } => {
            let done = sessions.store().freeze(*frozen).await;
            return done.map_or_else(|error| Answer::Refused(error.to_string()), |()| Answer::Done(true));
        }
        Ask::BurnKey { key } => keys.burn(key, by).await.map(Answer::Burned),
    };
    done.unwrap_or_else(|error| Answer::Refused(error.to_string()))
}

fn key(state: KeyState) -> Key {
    Key {
        id: state.id,
        since: state.created_at.rfc3339(),
        active: state.active,
        sessions: state.sessions,
        audit_keys: state.subjects,
        live_of_its_time: state.begun.live,
        not_seen_since: state.begun.unseen,
    }
}

/// A user of the operating system, for the audit log.
#[must_use]
pub fn by(uid: u32) -> By {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    let person = Person { issuer: format!("operating-system:{host}"), sub: uid.to_string(), name, ..Person::default() };
    By { person, host }
}
