//! `GET /bff/callback`: the provider's answer arrives, cross-site, so the Strict session cookie is not there. It is
//! only checked and sealed; the page leads on, same-origin, to the finish leg (L17).

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, header};

use cloakroom_core::oidc::{LoginError, Provider};
use cloakroom_core::vault::ring::Purpose;

use super::posted;
use super::silent;
use crate::edge::client::Client;
use crate::edge::own::{Context, page_response};
use crate::edge::page;
use crate::edge::params::Params;
use crate::edge::problem::Refusal;
use crate::edge::transaction::{Name, Silent, Transaction, Transactions, gone};
use crate::gateway::Gateway;

/// The longest authorization code that is taken.
const CODE_BYTES: usize = 2_000;

/// Where answers come, under the site's base path: here, or at the provider's own address below.
const PATH: &str = "/callback";

/// The address that was asked for.
pub(super) fn path(of_provider: Option<&str>) -> String {
    of_provider.map_or_else(|| PATH.to_owned(), |id| format!("{PATH}/{id}"))
}

/// Where this provider's answers come.
pub(super) fn path_of(provider: &Provider) -> String {
    provider.callback_path(PATH)
}

pub(crate) async fn handle(
    State(gateway): State<Arc<Gateway>>,
    context: Context,
    of_provider: Option<Path<String>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let path = path(of_provider.as_ref().map(|Path(id)| id.as_str()));
    let client = context.client()?;
    let params = posted::unsealed(&gateway, client, Params::parse(query.as_deref().unwrap_or_default())?);
    let name = Name::of_state(params.get("state").unwrap_or_default());
    let transactions = Transactions::new(&client.id, gateway.sessions.vault(), &gateway.random);
    let found = match params.get("state") {
        Some(state) => transactions.find(name.suffix(), &headers, gateway.now()).await.filter(|t| t.state == state),
        None => None,
    };
    // No transaction of this browser. Whether somebody is signed in here shows on the finish leg, where the Strict cookie
    // arrives (pain 5).
    let Some(transaction) = found else {
        let in_frame = silent::once_more(&context, &headers, &path, query.as_deref().unwrap_or_default());
        return Ok(in_frame.unwrap_or_else(|| lead_on(&context, name.suffix(), "", None)));
    };
    let code = match (read_answer(&gateway, &context, &params, &path, &transaction).await, transaction.silent) {
        (Ok(code), _) => code,
        (Err(refusal), None) => return Err(refusal),
        (Err(refusal), Some(silent)) => {
            let mut response = silent::not_signed_in(silent, &transaction, params.get("error"), refusal)?;
            drop_transaction(&mut response, name.suffix());
            return Ok(response);
        }
    };
    // Sealed into the next address and not into the cookie: codes of 1 kB are common, and ten tabs share one jar (U5).
    let ring = gateway.sessions.vault().ring();
    let sealed = ring.seal(Purpose::Answer, &code_owner(client, &name), code.as_bytes(), &*gateway.random);
    let code = format!("&c={}", URL_SAFE_NO_PAD.encode(sealed));
    Ok(lead_on(&context, name.suffix(), &code, transaction.silent))
}

/// What a sealed code is bound to: the client, and the transaction that alone can redeem it.
fn code_owner<'a>(client: &'a Client, name: &'a Name) -> [&'a [u8]; 2] {
    [client.id.as_bytes(), name.hash_bytes()]
}

/// The code that [`handle`] sealed for this transaction.
pub(super) fn sealed_code(
    gateway: &Gateway,
    client: &Client,
    transaction: &Transaction,
    sealed: &str,
) -> Option<String> {
    let name = Name::of_state(&transaction.state);
    let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let plain =
        gateway.sessions.vault().ring().open_sealed(Purpose::Answer, &code_owner(client, &name), &sealed).ok()?;
    str::from_utf8(&plain).ok().map(str::to_owned)
}

/// The page that makes the next request same-origin, so that it carries both cookies.
fn lead_on(context: &Context, suffix: &str, code: &str, silent: Option<Silent>) -> Response {
    let finish = format!("{}/callback/finish?t={suffix}{code}", context.site.base_path);
    page_response(match silent {
        Some(Silent::Frame) => page::continue_in_frame(&finish),
        Some(Silent::Redirect) | None => page::continue_to(&finish, "Signing you in"),
    })
}

async fn read_answer(
    gateway: &Gateway,
    context: &Context,
    params: &Params,
    path: &str,
    transaction: &Transaction,
) -> Result<String, Refusal> {
    let provider = gateway.sessions.provider(&transaction.provider_id).ok_or(Refusal::Broken)?;
    let checked = if path == path_of(provider) {
        provider.check_answer_issuer(params.get("iss"), gateway.several_share(&context.client()?.registrations)).await
    } else {
        Err(LoginError::OtherIssuer)
    };
    checked.map_err(|error| {
        tracing::warn!(provider = %transaction.provider_id, code = error.code(), %error, "an answer was refused");
        refused(context, error.code(), &error.to_string(), &transaction.return_to)
    })?;
    if let Some(error) = params.get("error") {
        let said = params.get("error_description").unwrap_or(error);
        let message = format!("The identity provider said: {}", printable(said));
        return Err(refused(context, "login-refused-by-provider", &message, &transaction.return_to));
    }
    match params.get("code") {
        Some(code) if code.len() <= CODE_BYTES => Ok(code.to_owned()),
        _ => Err(refused(
            context,
            "login-bad-answer",
            "The identity provider's answer holds neither a code nor an error",
            &transaction.return_to,
        )),
    }
}

/// At most 200 characters, none of which moves the cursor or the writing direction.
fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| {
            !c.is_control() && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        })
        .take(200)
        .collect()
}

/// A refused login, with the address that starts it anew.
pub(super) fn refused(context: &Context, code: &'static str, message: &str, return_to: &str) -> Refusal {
    let query: String =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", return_to).finish();
    Refusal::Login { code, message: message.to_owned(), again: format!("{}/login?{query}", context.site.base_path) }
}

/// The `Set-Cookie` line that takes the transaction away.
pub(super) fn drop_transaction(response: &mut Response, suffix: &str) {
    if let Ok(line) = gone(suffix).parse() {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
}
