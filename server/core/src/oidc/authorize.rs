//! The authorization request: code flow with PKCE S256, state and nonce.

use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClient};
use openidconnect::{
    AuthenticationContextClass, ClientId, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, LanguageTag,
    LoginHint, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};

use super::{Provider, ProviderError, ResponseMode, plain};
use crate::random::Random;
use crate::session::record::Token;

/// The longest value that is handed on from a login's address.
const OTHER_BYTES: usize = 500;

/// What a login asks for.
#[derive(Clone, Debug, Default)]
pub struct LoginAsk {
    /// Where the provider answers.
    pub redirect_uri: String,
    /// OIDC Core section 3.1.2.1.
    pub prompt: Option<String>,
    /// OIDC Core section 3.1.2.1.
    pub login_hint: Option<String>,
    /// OIDC Core section 3.1.2.1, separated by spaces.
    pub acr_values: Option<String>,
    /// OIDC Core section 3.1.2.1, in seconds.
    pub max_age_secs: Option<u64>,
    /// OIDC Core section 3.1.2.1, separated by spaces.
    pub ui_locales: Option<String>,
    /// Everything else that the login's address says; of it goes on what the registration lists, and no more (S9).
    pub others: Vec<(String, String)>,
}

/// A login that began: where to send the browser, and what must be remembered until it comes back.
pub struct Begun {
    /// The provider's authorization endpoint with all parameters.
    pub url: String,
    /// Comes back with the answer.
    pub state: String,
    /// Comes back in the ID token.
    pub nonce: String,
    /// Redeems the code (RFC 7636).
    pub pkce_verifier: Token,
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Begun")
    }
}

/// The client of one registration, as far as a browser is sent to its provider.
type BrowserClient =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// Parameters that belong to the protocol: nothing configured may set them (S9).
pub const RESERVED: [&str; 16] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
    "response_mode",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "code_verifier",
    "dpop_jkt",
];

impl LoginAsk {
    /// Whether a parameter of the configuration may be added: it is not the protocol's own, and not asked for here.
    fn leaves_open(&self, name: &str) -> bool {
        let asked = match name {
            "prompt" => self.prompt.is_some(),
            "login_hint" => self.login_hint.is_some(),
            "acr_values" => self.acr_values.is_some(),
            "max_age" => self.max_age_secs.is_some(),
            "ui_locales" => self.ui_locales.is_some(),
            _ => RESERVED.contains(&name),
        };
        !asked
    }
}

impl Provider {
    /// Begins a login.
    ///
    /// # Errors
    /// [`ProviderError`] when the provider's document cannot be had.
    pub async fn begin(&self, registration: &str, ask: &LoginAsk, random: &dyn Random) -> Result<Begun, ProviderError> {
        let registration = self.registration(registration)?;
        let known = self.known().await?;
        let redirect = RedirectUrl::new(ask.redirect_uri.clone())
            .map_err(|error| ProviderError::Request(format!("redirect_uri: {error}")))?;
        let client_id = ClientId::new(registration.client_id.clone());
        let client: BrowserClient = CoreClient::from_provider_metadata(known.metadata.clone(), client_id, None);
        let client = client.set_redirect_uri(redirect);
        let (state, nonce, verifier) = (random.token(), random.token(), random.token());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.clone()));
        let (given_state, given_nonce) = (CsrfToken::new(state.clone()), Nonce::new(nonce.clone()));
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || given_state, move || given_nonce)
            .set_pkce_challenge(challenge);
        for scope in self.asked_scopes(registration).into_iter().filter(|scope| scope != "openid") {
            request = request.add_scope(Scope::new(scope));
        }
        for prompt in words(ask.prompt.as_deref()) {
            request = request.add_prompt(CoreAuthPrompt::Extension(prompt.to_owned()));
        }
        for class in words(ask.acr_values.as_deref()) {
            request = request.add_auth_context_value(AuthenticationContextClass::new(class.to_owned()));
        }
        for locale in words(ask.ui_locales.as_deref()) {
            request = request.add_ui_locale(LanguageTag::new(locale.to_owned()));
        }
        if let Some(hint) = &ask.login_hint {
            request = request.set_login_hint(LoginHint::new(hint.clone()));
        }
        if let Some(secs) = ask.max_age_secs {
            request = request.set_max_age(std::time::Duration::from_secs(secs));
        }
        if registration.response_mode == ResponseMode::FormPost {
            request = request.add_extra_param("response_mode", "form_post");
        }
        let listed = |name: &String| registration.login_parameters.contains(name) && ask.leaves_open(name);
        let others: Vec<_> = ask.others.iter().filter(|(name, value)| listed(name) && is_plain(value)).collect();
        let fixed = registration.extra_authorize.iter();
        let fixed = fixed.filter(|(name, _)| !others.iter().any(|(other, _)| other == name) && ask.leaves_open(name));
        for (name, value) in fixed.chain(others.iter().copied()) {
            request = request.add_extra_param(name.clone(), value.clone());
        }
        let (mut url, _, _) = request.url();
        if self.settings.plain.is_some() {
            plain::without_openid(&mut url);
        }
        let pkce_verifier = Token::parse(verifier).map_err(|error| ProviderError::Request(error.to_string()))?;
        Ok(Begun { url: url.into(), state, nonce, pkce_verifier })
    }
}

/// A value that is handed on: short, and without control characters.
fn is_plain(value: &str) -> bool {
    value.len() <= OTHER_BYTES && !value.chars().any(char::is_control)
}

fn words(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.into_iter().flat_map(str::split_ascii_whitespace)
}
