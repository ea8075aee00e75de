//! All that may be shown of a session, in sections.

use cloakroom_api::{Claim, Kind, Session, SessionDetail, SessionState, TokenFacts};

use crate::domain::event::{Room, timeline};
use crate::domain::facts::{fact, facts, pair, section, tags, words};
use crate::domain::session::{device, explain, next_end};
use crate::routes;
use crate::ui::{Notice, Part, Tone, classed, copyable, foreign, link, notice, part, written_time};

/// The sections.
pub(super) fn sections(detail: &SessionDetail) -> Part {
    let session = &detail.session;
    let events = if detail.events.is_empty() {
        classed("p", "muted").text("Nothing is recorded.")
    } else {
        timeline(&detail.events, Room::Session)
    };
    part("div")
        .maybe(ended(session))
        .child(section("Session", facts_of(session)))
        .child(section("Identity", identity(detail)))
        .child(section("Tokens", tokens(detail.token_set.as_ref())))
        .maybe((!detail.claims.is_empty()).then(|| section("Claims", claims(&detail.claims))))
        .child(section("Timeline", events))
}

/// Who ended it, when and why.
fn ended(session: &Session) -> Option<Part> {
    if session.state == SessionState::Live {
        return None;
    }
    let ended = session.ended.as_ref();
    let by = ended.and_then(|ended| ended.by.as_ref()).map(|by| format!(" By {by}.")).unwrap_or_default();
    let why =
        ended.and_then(|ended| ended.reason_text.as_ref()).map(|why| format!(" Reason: {why}")).unwrap_or_default();
    let tone = if session.state == SessionState::Revoked { Tone::Bad } else { Tone::Info };
    let words = Notice {
        tone,
        title: explain(session.state).to_owned(),
        text: format!("{by}{why}").trim().to_owned(),
        request_id: None,
    };
    let at = ended.map(|ended| classed("span", "small").child(written_time(&ended.at)));
    Some(classed("div", "quiet-notice").child(notice(words, at)))
}

fn facts_of(session: &Session) -> Part {
    let kind = match session.kind {
        Kind::Web => "web, by cookie",
        Kind::Mobile => "mobile, by session token",
    };
    let tenant = Some(session.tenant.as_str()).filter(|tenant| !tenant.is_empty());
    let agent = session.user_agent.as_deref().map(|agent| foreign(agent).class("small muted"));
    facts()
        .child(fact("Id", copyable("the session id", &session.id)))
        .child(fact("Client", pair(&session.client_name, kind)))
        .maybe(tenant.map(|tenant| fact("Tenant", words(tenant))))
        .child(fact("Device", words(&device(session))))
        .maybe(session.address.as_deref().map(|address| fact("Address", copyable("the address", address))))
        .maybe(agent.map(|agent| fact("User agent", agent)))
        .child(fact("Signed in", written_time(&session.created_at)))
        .child(fact("Last seen", written_time(&session.last_seen_at)))
        .all(ends(session))
}

/// When a live session will end, and when an expired one did; of one that was ended, the notice says it.
fn ends(session: &Session) -> Vec<Part> {
    match session.state {
        SessionState::Live => vec![
            fact("Ends if unused", written_time(&session.idle_expires_at)),
            fact("Ends at the latest", written_time(&session.expires_at)),
        ],
        SessionState::Expired => vec![fact("Expired", written_time(next_end(session).0))],
        _ => vec![],
    }
}

fn identity(detail: &SessionDetail) -> Part {
    let session = &detail.session;
    let others = classed("span", "pair")
        .child(link(routes::users_of(&session.sub)).text("About this person"))
        .child(link(routes::sessions_of(&session.sub)).text("All their sessions"));
    facts()
        .maybe(session.email.as_deref().map(|email| fact("Mail", copyable("the mail address", email))))
        .child(fact("Subject", copyable("the subject", &session.sub)))
        .child(fact("Issuer", copyable("the issuer", &session.issuer)))
        .child(fact("Provider", words(&session.provider_id)))
        .child(fact("Roles", tags(&detail.roles, "none")))
        .maybe(detail.auth_time.as_deref().map(|at| fact("Authenticated", written_time(at))))
        .maybe(detail.acr.as_deref().map(|acr| fact("Class (acr)", words(acr))))
        .maybe((!detail.amr.is_empty()).then(|| fact("Methods (amr)", tags(&detail.amr, ""))))
        .child(fact("See also", others))
}

fn tokens(known: Option<&TokenFacts>) -> Part {
    let Some(known) = known else {
        return classed("p", "muted").text("The token set is forgotten: the session has ended.");
    };
    let doubt = known.in_doubt.then(|| {
        let words = Notice {
            tone: Tone::Warn,
            title: "A refresh is in doubt".to_owned(),
            text: "It was begun, and its outcome is not known. The access token is used as long as it lives."
                .to_owned(),
            request_id: None,
        };
        notice(words, None)
    });
    let refreshed = match known.generation {
        0 | 1 => "not refreshed yet".to_owned(),
        2 => "refreshed once".to_owned(),
        n => format!("refreshed {} times", n - 1),
    };
    let refresh_token = if known.has_refresh_token { "held in the vault" } else { "none" };
    let list = facts()
        .maybe(known.access_expires_at.as_deref().map(|at| fact("Access token ends", written_time(at))))
        .child(fact("Refresh token", words(refresh_token)))
        .child(fact("Generation", pair(&known.generation.to_string(), refreshed)))
        .child(fact("Since", written_time(&known.refreshed_at)))
        .child(fact("Scopes", tags(&known.scopes, "none")));
    part("div")
        .maybe(doubt)
        .child(list)
        .child(classed("p", "small faint after").text("Tokens are never shown: they stay in the vault."))
}

fn claims(claims: &[Claim]) -> Part {
    facts().all(claims.iter().map(|claim| {
        classed("div", "fact")
            .child(classed("dt", "mono").child(foreign(claim.name.as_str())))
            .child(part("dd").child(copyable("the claim", &claim.value)))
    }))
}
