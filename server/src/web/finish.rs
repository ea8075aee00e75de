//! `GET /bff/callback/finish`: same-origin, so both cookies are there. The code is redeemed, a new session started,
//! the browser's old one ended, and the browser sent where it wanted to go.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, header};

use cloakroom_core::oidc::{Redeem, VerifiedLogin};
use cloakroom_core::session::id::{SessionId, Ticket};
use cloakroom_core::session::open::{Live, Opened};
use cloakroom_core::session::record::Token;
use cloakroom_core::session::start::{Start, StartError};

use super::callback::{drop_transaction, refused, sealed_code};
use super::login::person_mark;
use super::silent;
use crate::edge::antiforgery::{Source, source};
use crate::edge::client::Client;
use crate::edge::device::user_agent;
use crate::edge::own::{Context, page_response, see_other};
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::edge::transaction::{LIFE_SECS, Name, Silent, Transaction, Transactions};
use crate::edge::{page, ticket};
use crate::gateway::Gateway;

/// How long a refused sign-in may keep the person waiting for the revocation of its tokens.
const REVOKE_WAIT: Duration = Duration::from_secs(3);

pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let client = context.client()?;
    if source(&headers, &context.site.origin) == Source::Foreign {
        return Err(refused(&context, "login-foreign", "A page of another site tried to complete a sign-in here", "/"));
    }
    let params = Params::parse(query.as_deref().unwrap_or_default())?;
    let suffix = params.get("t").unwrap_or_default();
    let transactions = Transactions::new(&client.id, gateway.sessions.vault(), &gateway.random);
    let found = transactions.find(suffix, &headers, gateway.now()).await;
    let sealed = params.get("c").unwrap_or_default();
    let Some((transaction, code)) =
        found.and_then(|found| sealed_code(&gateway, client, &found, sealed).map(|code| (found, code)))
    else {
        return match context.session(&gateway, &headers).await? {
            Some(Opened::Live(_)) => see_other("/"),
            _ => Err(refused(
                &context,
                "login-unknown",
                "This sign-in was begun in another browser, took too long, or was already completed",
                "/",
            )),
        };
    };
    let old = match context.session(&gateway, &headers).await? {
        Some(Opened::Live(live)) => Some(live),
        _ => None,
    };
    if transaction.begun_elsewhere && old.is_some() && params.get("sure").is_none() {
        let go_on = format!("{}/callback/finish?t={suffix}&c={sealed}&sure=1", context.site.base_path);
        return Ok(page_response(page::confirm_sign_in(&client.name, &go_on)));
    }
    let in_frame = transaction.silent == Some(Silent::Frame);
    let mut response = match complete(&gateway, &context, &transaction, Answered { code, old }, &headers).await {
        Err(refusal) if in_frame => silent::message(false, refusal.code()),
        completed => {
            let ticket = completed?;
            let mut response = if in_frame { silent::message(true, "") } else { see_other(&transaction.return_to)? };
            response.headers_mut().append(header::SET_COOKIE, ticket::set(client, &ticket).ok_or(Refusal::Broken)?);
            response
        }
    };
    drop_transaction(&mut response, suffix);
    Ok(response)
}

/// What the finish leg has beside the transaction.
struct Answered {
    code: String,
    old: Option<Arc<Live>>,
}

/// Redeems the code and starts the session.
async fn complete(
    gateway: &Gateway,
    context: &Context,
    transaction: &Transaction,
    answered: Answered,
    headers: &HeaderMap,
) -> Result<Ticket, Refusal> {
    let client = context.client()?;
    let Answered { code, old } = answered;
    let login = redeem(gateway, context, transaction, &code).await?;
    check_person(gateway, context, transaction, &login, old.as_deref()).await?;
    let name = Name::of_state(&transaction.state);
    // Whoever proves more keeps what was proven for a moment; another person, or a login anew, does not (C14).
    let same = old.as_deref().is_some_and(|live| !silent::is_another(live, login.issuer(), login.sub()));
    let grace_secs = if same && transaction.whose.is_some() { client.step_up_grace_secs } else { 0 };
    let begun = Begun { login, name: &name, old: old.map(|live| live.id), grace_secs };
    start(gateway, context, client, transaction, begun, headers).await
}

async fn redeem(
    gateway: &Gateway,
    context: &Context,
    transaction: &Transaction,
    code: &str,
) -> Result<VerifiedLogin, Refusal> {
    let provider = gateway.sessions.provider(&transaction.provider_id).ok_or(Refusal::Broken)?;
    let verifier = Token::parse(transaction.pkce_verifier.as_str()).map_err(|_| Refusal::Broken)?;
    let redeem = Redeem {
        registration: &transaction.registration_id,
        code,
        redirect_uri: &context.own_url(&super::callback::path_of(provider)),
        pkce_verifier: &verifier,
        nonce: &transaction.nonce,
        max_age_secs: transaction.max_age_secs,
        acr_values: transaction.acr_values.as_deref(),
    };
    provider.redeem(redeem).await.map_err(|error| {
        tracing::warn!(provider = %transaction.provider_id, code = error.code(), %error, "a sign-in was refused");
        count_refused(gateway, context, transaction);
        refused(context, error.code(), &error.to_string(), &transaction.return_to)
    })
}

/// Counts a login that was refused after the provider's answer.
fn count_refused(gateway: &Gateway, context: &Context, transaction: &Transaction) {
    if let Ok(client) = context.client() {
        gateway.login_failed((&client.tenant, &client.id, &transaction.provider_id));
    }
}

/// L17: a login that is to confirm who is signed in must not put somebody else in their place.
async fn check_person(
    gateway: &Gateway,
    context: &Context,
    transaction: &Transaction,
    login: &VerifiedLogin,
    old: Option<&Live>,
) -> Result<(), Refusal> {
    let mark = person_mark(gateway, login.issuer(), login.sub());
    let confirms = transaction.whose.as_ref().is_none_or(|whose| *whose == mark);
    // A silent login that began without a session may find that somebody has signed in meanwhile.
    let displaces =
        transaction.silent.is_some() && old.is_some_and(|live| silent::is_another(live, login.issuer(), login.sub()));
    if confirms && !displaces {
        return Ok(());
    }
    count_refused(gateway, context, transaction);
    if let Some(provider) = gateway.sessions.provider(&transaction.provider_id) {
        let (token, kind) = login.tokens().most_revocable();
        let revoked = provider.revoke(&transaction.registration_id, token, kind);
        if !matches!(tokio::time::timeout(REVOKE_WAIT, revoked).await, Ok(Ok(_))) {
            tracing::warn!(provider = %transaction.provider_id, "tokens of a refused sign-in could not be revoked");
        }
    }
    let message = "This sign-in was to confirm who is signed in here, but somebody else came back. Sign out first to change \
                   the person";
    Err(refused(context, "login-other-person", message, &transaction.return_to))
}

struct Begun<'a> {
    login: VerifiedLogin,
    name: &'a Name,
    old: Option<SessionId>,
    grace_secs: i64,
}

async fn start(
    gateway: &Gateway,
    context: &Context,
    client: &Client,
    transaction: &Transaction,
    begun: Begun<'_>,
    headers: &HeaderMap,
) -> Result<Ticket, Refusal> {
    let start = Start {
        login: begun.login,
        tenant: &client.tenant,
        client_id: &client.id,
        provider_id: &transaction.provider_id,
        registration_id: &transaction.registration_id,
        idle_secs: client.idle_secs,
        absolute_secs: client.absolute_secs,
        address: Some(context.peer.to_string()),
        user_agent: user_agent(headers),
        transaction: begun.name.hash(),
        transaction_expires_at: transaction.expires_at,
        begun_at: transaction.expires_at.plus_secs(-LIFE_SECS),
        replaces: begun.old,
        app: None,
        grace_secs: begun.grace_secs,
        limit: client.session_limit,
    };
    match gateway.sessions.start(start).await {
        Ok(ticket) => {
            gateway.login_succeeded((&client.tenant, &client.id, &transaction.provider_id));
            Ok(ticket)
        }
        Err(StartError::Replayed) => Err(refused(context, "login-replayed", "This sign-in was already completed", "/")),
        Err(error @ (StartError::LoggedOut | StartError::Revoked | StartError::Locked(_))) => {
            count_refused(gateway, context, transaction);
            let code = match error {
                StartError::Revoked => "login-revoked",
                StartError::Locked(_) => "login-locked",
                _ => "login-logged-out",
            };
            Err(refused(context, code, &error.to_string(), &transaction.return_to))
        }
        // They did prove who they are: this is no failed sign-in.
        Err(error @ StartError::Full { .. }) => {
            Err(refused(context, "login-too-many", &error.to_string(), &transaction.return_to))
        }
        Err(StartError::Store(error)) => Err(error.into()),
    }
}
