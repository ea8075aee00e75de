//! Sessions in words and signs.

use cloakroom_api::{Kind, Session, SessionState};

use crate::ui::{Part, badge, classed};

/// A state's word, icon and colour: never one of them alone.
const fn sign(state: SessionState) -> (&'static str, &'static str, &'static str) {
    match state {
        SessionState::Live => ("Live", "circle-check", "ok"),
        SessionState::Expired => ("Expired", "clock", "neutral"),
        SessionState::SignedOut => ("Signed out", "log-out", "neutral"),
        SessionState::EndedByUser => ("Ended by user", "user-round", "neutral"),
        SessionState::Replaced => ("Replaced", "replace", "neutral"),
        SessionState::Revoked => ("Revoked", "ban", "bad"),
        SessionState::RefusedByProvider => ("Refused", "shield-x", "warn"),
        SessionState::LoggedOutByProvider => ("Signed out there", "log-out", "neutral"),
        SessionState::Ended => ("Ended", "circle-alert", "neutral"),
    }
}

/// A state as a badge.
pub(crate) fn state_badge(state: SessionState) -> Part {
    let (word, name, colour) = sign(state);
    badge(colour, name, word)
}

/// What a state means, as a sentence.
pub(crate) const fn explain(state: SessionState) -> &'static str {
    match state {
        SessionState::Live => "The session runs.",
        SessionState::Expired => "Its time was over.",
        SessionState::SignedOut => "The person signed out.",
        SessionState::EndedByUser => "The person ended it from another device.",
        SessionState::Replaced => "The same browser signed in anew.",
        SessionState::Revoked => "An administrator ended it.",
        SessionState::RefusedByProvider => "The provider took the grant back.",
        SessionState::LoggedOutByProvider => "The person signed out at the provider.",
        SessionState::Ended => "It ended.",
    }
}

/// Marks the session that the administrator is using.
pub(crate) fn own_mark() -> Part {
    classed("span", "tag accent").text("This session")
}

/// The device in a few words, as far as known.
pub(crate) fn device(session: &Session) -> String {
    session.device.clone().unwrap_or_else(|| "Unknown device".to_owned())
}

/// The icon of a session's device.
pub(crate) fn device_icon(session: &Session) -> &'static str {
    let is_phone = |device: &String| ["Android", "iPhone", "iPad"].iter().any(|name| device.contains(name));
    if session.kind == Kind::Mobile || session.device.as_ref().is_some_and(is_phone) { "smartphone" } else { "laptop" }
}

/// What stands below a person's name: what else tells them apart.
pub(crate) fn second_name(session: &Session) -> Option<String> {
    let display = session.display();
    [session.email.as_deref(), Some(session.sub.as_str())]
        .into_iter()
        .flatten()
        .find(|name| *name != display)
        .map(str::to_owned)
}

/// Which of the two ends comes first, and why then.
pub(crate) fn next_end(session: &Session) -> (&str, &'static str) {
    // RFC 3339 moments in UTC sort as text.
    if session.idle_expires_at < session.expires_at {
        (&session.idle_expires_at, "if unused")
    } else {
        (&session.expires_at, "at the latest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        serde_json::from_str(
            r#"{"id":"s1","sub":"u1","issuer":"https://id","client_id":"app","client_name":"App","kind":"web",
            "provider_id":"main","tenant":"","created_at":"t","last_seen_at":"t","state":"live","is_current":false,
            "idle_expires_at":"2026-11-24T11:00:00Z","expires_at":"2026-11-24T20:00:00Z"}"#,
        )
        .unwrap()
    }

    #[test]
    fn the_nearer_end_is_named() {
        let mut session = session();
        assert_eq!(next_end(&session), ("2026-11-24T11:00:00Z", "if unused"));
        session.idle_expires_at.clone_from(&session.expires_at);
        assert_eq!(next_end(&session), ("2026-11-24T20:00:00Z", "at the latest"));
    }

    #[test]
    fn the_second_name_tells_more_than_the_first() {
        let mut session = session();
        assert_eq!(second_name(&session), None);
        session.email = Some("a@example.com".to_owned());
        assert_eq!(second_name(&session).as_deref(), Some("u1"));
        session.name = Some("Anna".to_owned());
        assert_eq!(second_name(&session).as_deref(), Some("a@example.com"));
    }

    #[test]
    fn phones_look_like_phones() {
        let mut session = session();
        assert_eq!(device_icon(&session), "laptop");
        session.device = Some("Safari on iPhone".to_owned());
        assert_eq!(device_icon(&session), "smartphone");
    }
}
