//! All that may be shown of a session, in sections.

use cloakroom_api::{Claim, Kind, Session, SessionDetail, SessionState, TokenFacts};
use leptos::prelude::*;

use crate::domain::event::{Room, timeline};
use crate::domain::session::{device, explain, next_end};
use crate::ui::{Notice, Tone, copyable, notice, written_time};

/// The sections.
pub(super) fn sections(detail: &SessionDetail) -> AnyView {
    let session = &detail.session;
    view! {
        {ended(session)}
        {section("Session", facts_of(session))}
        {section("Identity", identity(detail))}
        {section("Tokens", tokens(detail.token_set.as_ref()))}
        {(!detail.claims.is_empty()).then(|| section("Claims", claims(&detail.claims)))}
        {section("Timeline", if detail.events.is_empty() {
            view! { <p class="muted">"Nothing is recorded."</p> }.into_any()
        } else {
            timeline(&detail.events, Room::Session)
        })}
    }
    .into_any()
}

fn section(title: &'static str, body: AnyView) -> AnyView {
    view! { <section class="section"><h3>{title}</h3>{body}</section> }.into_any()
}

fn fact(name: &'static str, value: AnyView) -> AnyView {
    view! { <div class="fact"><dt>{name}</dt><dd>{value}</dd></div> }.into_any()
}

fn words(text: impl Into<String>) -> AnyView {
    let text: String = text.into();
    view! { <bdi>{text}</bdi> }.into_any()
}

/// A value with what is to be known of it.
fn pair(value: String, about: impl Into<String>) -> AnyView {
    let about: String = about.into();
    view! { <span class="pair"><bdi>{value}</bdi><span class="faint">{about}</span></span> }.into_any()
}

fn tags(words: &[String], none: &'static str) -> AnyView {
    if words.is_empty() {
        return view! { <span class="faint">{none}</span> }.into_any();
    }
    let tags = words.iter().map(|word| view! { <li class="tag mono"><bdi>{word.clone()}</bdi></li> }).collect_view();
    view! { <ul class="tags">{tags}</ul> }.into_any()
}

/// Who ended it, when and why.
fn ended(session: &Session) -> Option<AnyView> {
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
    let at = ended.map(|ended| view! { <span class="small">{written_time(&ended.at)}</span> });
    Some(view! { <div class="quiet-notice">{notice(words, at)}</div> }.into_any())
}

fn facts_of(session: &Session) -> AnyView {
    let kind = match session.kind {
        Kind::Web => "web, by cookie",
        Kind::Mobile => "mobile, by session token",
    };
    let address = session.address.as_deref().map(|address| fact("Address", copyable("the address", address)));
    let agent = session
        .user_agent
        .clone()
        .map(|agent| fact("User agent", view! { <bdi class="small muted">{agent}</bdi> }.into_any()));
    let tenant = Some(session.tenant.clone()).filter(|tenant| !tenant.is_empty());
    view! {
        <dl class="facts">
            {fact("Id", copyable("the session id", &session.id))}
            {fact("Client", pair(session.client_name.clone(), kind))}
            {tenant.map(|tenant| fact("Tenant", words(tenant)))}
            {fact("Device", words(device(session)))}
            {address}
            {agent}
            {fact("Signed in", written_time(&session.created_at))}
            {fact("Last seen", written_time(&session.last_seen_at))}
            {ends(session)}
        </dl>
    }
    .into_any()
}

/// When a live session will end, and when an expired one did; of one that was ended, the notice says it.
fn ends(session: &Session) -> Option<AnyView> {
    match session.state {
        SessionState::Live => Some(
            view! {
                {fact("Ends if unused", written_time(&session.idle_expires_at))}
                {fact("Ends at the latest", written_time(&session.expires_at))}
            }
            .into_any(),
        ),
        SessionState::Expired => Some(fact("Expired", written_time(next_end(session).0))),
        _ => None,
    }
}

fn identity(detail: &SessionDetail) -> AnyView {
    let session = &detail.session;
    view! {
        <dl class="facts">
            {session.email.as_deref().map(|email| fact("Mail", copyable("the mail address", email)))}
            {fact("Subject", copyable("the subject", &session.sub))}
            {fact("Issuer", copyable("the issuer", &session.issuer))}
            {fact("Provider", words(session.provider_id.clone()))}
            {fact("Roles", tags(&detail.roles, "none"))}
            {detail.auth_time.as_deref().map(|at| fact("Authenticated", written_time(at)))}
            {detail.acr.clone().map(|acr| fact("Class (acr)", words(acr)))}
            {(!detail.amr.is_empty()).then(|| fact("Methods (amr)", tags(&detail.amr, "")))}
        </dl>
    }
    .into_any()
}

fn tokens(facts: Option<&TokenFacts>) -> AnyView {
    let Some(facts) = facts else {
        return view! { <p class="muted">"The token set is forgotten: the session has ended."</p> }.into_any();
    };
    let doubt = facts.in_doubt.then(|| {
        let words = Notice {
            tone: Tone::Warn,
            title: "A refresh is in doubt".to_owned(),
            text: "It was begun, and its outcome is not known. The access token is used as long as it lives."
                .to_owned(),
            request_id: None,
        };
        notice(words, ())
    });
    let refreshed = match facts.generation {
        0 | 1 => "not refreshed yet".to_owned(),
        2 => "refreshed once".to_owned(),
        n => format!("refreshed {} times", n - 1),
    };
    let refresh_token = if facts.has_refresh_token { "held in the vault" } else { "none" };
    view! {
        {doubt}
        <dl class="facts">
            {facts.access_expires_at.as_deref().map(|at| fact("Access token ends", written_time(at)))}
            {fact("Refresh token", words(refresh_token))}
            {fact("Generation", pair(facts.generation.to_string(), refreshed))}
            {fact("Since", written_time(&facts.refreshed_at))}
            {fact("Scopes", tags(&facts.scopes, "none"))}
        </dl>
        <p class="small faint">"Tokens are never shown: they stay in the vault."</p>
    }
    .into_any()
}

fn claims(claims: &[Claim]) -> AnyView {
    let rows = claims.iter().map(|claim| {
        view! { <div class="fact"><dt class="mono"><bdi>{claim.name.clone()}</bdi></dt><dd>{copyable("the claim", &claim.value)}</dd></div> }
    });
    view! { <dl class="facts">{rows.collect_view()}</dl> }.into_any()
}
