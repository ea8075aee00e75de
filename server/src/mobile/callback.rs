//! `GET /oauth/callback`: the provider's answer. Only the browser that began has the transaction's cookie (S19); the app
//! gets a code that stands for a session of a minute until it is redeemed.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, header};

use cloakroom_core::oidc::{Redeem, VerifiedLogin};
use cloakroom_core::session::record::Token;
use cloakroom_core::session::start::{AppAsk as Ask, Start, StartError};

use super::authorize::{answer_url, callback_url};
use super::device;
use crate::edge::device::user_agent;
use crate::edge::mobile_client::MobileClient;
use crate::edge::own::{Context, see_other};
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::edge::transaction::{AppAsk, LIFE_SECS, Name, Transaction, Transactions, gone};
use crate::gateway::Gateway;

/// Errors of a provider that an app can act on; every other is `server_error` (OIDC Core section 3.1.2.6).
const PASSED_ON: [&str; 6] = [
    "access_denied",
    "login_required",
    "interaction_required",
    "account_selection_required",
    "consent_required",
    "temporarily_unavailable",
];

/// Why the app gets no code.
#[derive(Debug, thiserror::Error)]
enum CallbackError {
    #[error("the identity provider said: {0}")]
    Provider(String),
    #[error("the sign-in was refused: {0}")]
    Login(String),
    #[error("this sign-in was already completed")]
    Replayed,
}

impl CallbackError {
    fn code(&self) -> &str {
        match self {
            Self::Provider(error) => PASSED_ON.into_iter().find(|known| known == error).unwrap_or("server_error"),
            Self::Login(_) | Self::Replayed => "access_denied",
        }
    }
}

pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    of_provider: Option<Path<String>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let params = Params::parse(query.as_deref().unwrap_or_default())?;
    let state = params.get("state").unwrap_or_default();
    let name = Name::of_state(state);
    let Some((app, transaction, ask)) = find(&gateway, &context, &headers, state).await else {
        return Err(Refusal::BadRequest(
            "this sign-in was begun in another browser, took too long, or was already completed; begin again in the app",
        ));
    };
    // The address tells providers apart that do not name themselves (RFC 9700 section 4.4).
    let provider = gateway.sessions.provider(&transaction.provider_id).ok_or(Refusal::Broken)?;
    if of_provider.map(|Path(id)| id).as_deref() != Some(provider.id()).filter(|_| provider.own_callback()) {
        return Err(Refusal::BadRequest("the answer is not from the identity provider that was asked"));
    }
    let told = code(&gateway, &context, &app, (&transaction, &ask), &params, &headers).await?;
    let mut response = if ask.redirect_uri == device::GRANT {
        device::finish(&gateway, &app.name, &ask.challenge, told.map_err(|error| error.to_string())).await?
    } else {
        tell(&context, &ask, &told)?
    };
    response.headers_mut().append(header::SET_COOKIE, gone(name.suffix()).parse().map_err(|_| Refusal::Broken)?);
    Ok(response)
}

/// Sends the browser back into the app.
fn tell(context: &Context, ask: &AppAsk, told: &Result<String, CallbackError>) -> Result<Response, Refusal> {
    let text;
    let pairs: Vec<(&str, &str)> = match told {
        Ok(code) => vec![("code", code)],
        Err(error) => {
            text = error.to_string();
            vec![("error", error.code()), ("error_description", &text)]
        }
    };
    see_other(&answer_url(context, &ask.redirect_uri, ask.state.as_deref(), &pairs))
}

/// The transaction of this browser with this state, and whose app's it is.
async fn find(
    gateway: &Gateway,
    context: &Context,
    headers: &HeaderMap,
    state: &str,
) -> Option<(Arc<MobileClient>, Transaction, AppAsk)> {
    let name = Name::of_state(state);
    for app in &context.site.issues {
        let transactions = Transactions::new(&app.id, gateway.sessions.vault(), &gateway.random);
        let found = transactions.find(name.suffix(), headers, gateway.now()).await.filter(|found| found.state == state);
        if let Some(transaction) = found {
            let ask = transaction.app.clone()?;
            return Some((Arc::clone(app), transaction, ask));
        }
    }
    None
}

async fn code(
    gateway: &Gateway,
    context: &Context,
    app: &MobileClient,
    (transaction, ask): (&Transaction, &AppAsk),
    params: &Params,
    headers: &HeaderMap,
) -> Result<Result<String, CallbackError>, Refusal> {
    let login = match login(gateway, context, transaction, params).await? {
        Ok(login) => login,
        Err(error) => {
            gateway.login_failed((&app.tenant, &app.id, &transaction.provider_id));
            return Ok(Err(error));
        }
    };
    let start = Start {
        login,
        tenant: &app.tenant,
        client_id: &app.id,
        provider_id: &transaction.provider_id,
        registration_id: &transaction.registration_id,
        idle_secs: app.idle_secs,
        absolute_secs: app.absolute_secs,
        address: Some(context.peer.to_string()),
        user_agent: user_agent(headers),
        transaction: Name::of_state(&transaction.state).hash(),
        transaction_expires_at: transaction.expires_at,
        begun_at: transaction.expires_at.plus_secs(-LIFE_SECS),
        replaces: None,
        grace_secs: 0,
        limit: app.session_limit,
        app: Some(Ask {
            redirect_uri: ask.redirect_uri.clone(),
            challenge: ask.challenge.clone(),
            jkt: ask.jkt.clone(),
            scopes: ask.scopes.clone(),
        }),
    };
    match gateway.sessions.start(start).await {
        Ok(ticket) => {
            gateway.login_succeeded((&app.tenant, &app.id, &transaction.provider_id));
            Ok(Ok(gateway.sessions.token_seal().code(&ticket).to_string()))
        }
        Err(StartError::Replayed) => Ok(Err(CallbackError::Replayed)),
        Err(
            error @ (StartError::LoggedOut | StartError::Revoked | StartError::Locked(_) | StartError::Full { .. }),
        ) => Ok(Err(CallbackError::Login(error.to_string()))),
        Err(StartError::Store(error)) => Err(error.into()),
    }
}

async fn login(
    gateway: &Gateway,
    context: &Context,
    transaction: &Transaction,
    params: &Params,
) -> Result<Result<VerifiedLogin, CallbackError>, Refusal> {
    let provider = gateway.sessions.provider(&transaction.provider_id).ok_or(Refusal::Broken)?;
    let several_share = gateway.several_share(context.site.issues.iter().flat_map(|app| &app.registrations));
    // A mix-up (RFC 9207): nothing is told to anybody but the person.
    provider
        .check_answer_issuer(params.get("iss"), several_share)
        .await
        .map_err(|_| Refusal::BadRequest("the answer is not from the identity provider that was asked"))?;
    if let Some(error) = params.get("error") {
        return Ok(Err(CallbackError::Provider(error.to_owned())));
    }
    let Some(code) = params.get("code").filter(|code| code.len() <= 2_000) else {
        return Err(Refusal::BadRequest("the identity provider's answer holds neither a code nor an error"));
    };
    let verifier = Token::parse(transaction.pkce_verifier.as_str()).map_err(|_| Refusal::Broken)?;
    let redeem = Redeem {
        registration: &transaction.registration_id,
        code,
        redirect_uri: &callback_url(context, provider),
        pkce_verifier: &verifier,
        nonce: &transaction.nonce,
        max_age_secs: transaction.max_age_secs,
        acr_values: transaction.acr_values.as_deref(),
    };
    Ok(provider.redeem(redeem).await.map_err(|error| {
        tracing::warn!(provider = %transaction.provider_id, code = error.code(), %error, "an app's sign-in was refused");
        CallbackError::Login(error.code().to_owned())
    }))
}
