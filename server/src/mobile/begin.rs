//! Where every sign-in of an app leaves for the provider: a transaction that only this browser can finish (S19).

use std::sync::Arc;

use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};

use cloakroom_core::oidc::LoginAsk;

use crate::edge::client::RegistrationRef;
use crate::edge::mobile_client::MobileClient;
use crate::edge::problem::Refusal;
use crate::edge::transaction::{AppAsk, LIFE_SECS, Transaction, Transactions};
use crate::gateway::Gateway;

/// A sign-in that is to begin.
pub(super) struct Begin<'a> {
    pub(super) app: &'a Arc<MobileClient>,
    pub(super) registration: &'a RegistrationRef,
    pub(super) ask: LoginAsk,
    /// Who waits for the outcome.
    pub(super) waits: AppAsk,
}

/// One that has begun.
pub(super) struct Begun {
    /// The provider's page.
    pub(super) url: String,
    cookies: Vec<HeaderValue>,
}

impl Begun {
    /// The answer that leads there, with the transaction's cookie.
    pub(super) fn respond(&self, mut response: Response) -> Response {
        for cookie in &self.cookies {
            response.headers_mut().append(header::SET_COOKIE, cookie.clone());
        }
        response
    }
}

/// Begins it; `None` when the provider is away.
///
/// # Errors
/// [`Refusal::Broken`].
pub(super) async fn begin(gateway: &Gateway, begin: Begin<'_>, headers: &HeaderMap) -> Result<Option<Begun>, Refusal> {
    let Begin { app, registration, ask, waits } = begin;
    let provider = gateway.sessions.provider(&registration.provider).ok_or(Refusal::Broken)?;
    let begun = match provider.begin(&registration.registration, &ask, &*gateway.random).await {
        Ok(begun) => begun,
        Err(error) => {
            tracing::warn!(provider = &*registration.provider, %error, "an app's sign-in could not begin");
            return Ok(None);
        }
    };
    let transaction = Transaction {
        state: begun.state,
        nonce: begun.nonce,
        pkce_verifier: begun.pkce_verifier.reveal().to_owned(),
        return_to: String::new(),
        provider_id: registration.provider.to_string(),
        registration_id: registration.registration.to_string(),
        max_age_secs: ask.max_age_secs,
        acr_values: ask.acr_values,
        expires_at: gateway.now().plus_secs(LIFE_SECS),
        begun_elsewhere: false,
        whose: None,
        silent: None,
        app: Some(waits),
    };
    let transactions = Transactions::new(&app.id, gateway.sessions.vault(), &gateway.random);
    let cookies = transactions.keep(&transaction, headers).await.map_err(|_| Refusal::Broken)?;
    Ok(Some(Begun { url: begun.url, cookies }))
}
