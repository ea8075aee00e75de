//! The authentication request, checked in the order in which an answer becomes safe: first where to
//! answer (client and redirect URI), then everything else.

use url::Url;

use crate::provider::{
    Provider,
    answer::{Answer, AuthorizeErrorCode, ResponseMode},
    claims, hint,
    params::Params,
    state::{Assurance, Login},
};

/// A request that may be answered with a code once somebody is signed in.
#[derive(Debug, Clone)]
pub(in crate::provider) struct AuthorizeRequest {
    pub(in crate::provider) answer: Answer,
    pub(in crate::provider) client_id: String,
    pub(in crate::provider) scope: Vec<String>,
    pub(in crate::provider) nonce: Option<String>,
    /// S256 challenge (RFC 7636, 4.2).
    pub(in crate::provider) challenge: String,
    pub(in crate::provider) prompt: Prompt,
    pub(in crate::provider) login_hint: Option<String>,
    max_age_secs: Option<u64>,
    /// What `acr_values` asks for: here the least that serves is enough, and more is as good.
    pub(in crate::provider) assurance: Assurance,
    /// `sub` of the ID token that came as a hint.
    hinted_sub: Option<String>,
}

/// How the person wants to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::provider) enum Prompt {
    /// Only if nobody is signed in.
    Auto,
    /// Never.
    None,
    /// Always for the password.
    Login,
    /// Who it should be; a present sign-in may go on.
    SelectAccount,
}

/// Why a request is not served.
pub(super) enum Refusal {
    /// There is no safe place to answer to.
    Page(String),
    /// The client hears about it.
    Answer(Box<Answer>, AuthorizeErrorCode, String),
}

impl AuthorizeRequest {
    pub(super) fn parse(provider: &Provider, params: &Params) -> Result<Self, Refusal> {
        let (client_id, redirect_uri) = known_client(provider, params)?;
        let mut answer =
            Answer { redirect_uri, mode: ResponseMode::Query, state: params.get("state").map(str::to_owned) };
        match params.get("response_mode") {
            None | Some("query") => {}
            Some("form_post") => answer.mode = ResponseMode::FormPost,
            Some(_) => {
                let text = "response_mode must be query or form_post".to_owned();
                return Err(Refusal::Answer(Box::new(answer), AuthorizeErrorCode::InvalidRequest, text));
            }
        }
        Self::parse_rest(provider, params, client_id, answer.clone())
            .map_err(|(code, text)| Refusal::Answer(Box::new(answer), code, text.to_owned()))
    }

    fn parse_rest(
        provider: &Provider,
        params: &Params,
        client_id: String,
        answer: Answer,
    ) -> Result<Self, (AuthorizeErrorCode, &'static str)> {
        use AuthorizeErrorCode::{
            InvalidRequest, InvalidScope, RequestNotSupported, RequestUriNotSupported, UnsupportedResponseType,
        };
        if params.get("request").is_some() {
            return Err((RequestNotSupported, "request objects are not supported"));
        }
        if params.get("request_uri").is_some() {
            return Err((RequestUriNotSupported, "request_uri is not supported"));
        }
        match params.get("response_type") {
            Some("code") => {}
            Some(_) => return Err((UnsupportedResponseType, "response_type must be code")),
            None => return Err((InvalidRequest, "response_type is missing")),
        }
        let mut scope = params.words("scope");
        scope.retain(|word| claims::SCOPES.contains(&word.as_str()));
        if !scope.iter().any(|word| word == "openid") {
            return Err((InvalidScope, "scope must contain openid"));
        }
        let max_age_secs = params
            .get("max_age")
            .map(str::parse)
            .transpose()
            .map_err(|_| (InvalidRequest, "max_age must be a number of seconds"))?;
        let hinted_sub = params
            .get("id_token_hint")
            .map(|token| {
                hint::read(provider, token)
                    .filter(|hint| hint.aud == client_id)
                    .map(|hint| hint.sub)
                    .ok_or((InvalidRequest, "id_token_hint is not one of this client's"))
            })
            .transpose()?;
        Ok(Self {
            scope,
            nonce: params.get("nonce").map(str::to_owned),
            challenge: challenge(params).map_err(|text| (InvalidRequest, text))?,
            prompt: prompt(params).map_err(|text| (InvalidRequest, text))?,
            login_hint: params.get("login_hint").map(str::to_owned),
            max_age_secs,
            assurance: assurance(params),
            hinted_sub,
            client_id,
            answer,
        })
    }

    /// Whether `login` is sure and recent enough, and the one that was hinted at.
    pub(in crate::provider) fn is_met_by(&self, login: &Login, now: u64) -> bool {
        let age_secs = now.saturating_sub(login.auth_time);
        login.assurance >= self.assurance
            && self.max_age_secs.is_none_or(|limit| age_secs <= limit)
            && self.hinted_sub.as_ref().is_none_or(|sub| *sub == login.sub)
    }
}

/// The first value that is known (OpenID Connect Core, 3.1.2.1: in order of preference).
fn assurance(params: &Params) -> Assurance {
    let known = [Assurance::Password, Assurance::SecondFactor];
    let asked = params.words("acr_values");
    let first = asked.iter().find_map(|word| known.into_iter().find(|one| one.acr() == word));
    first.unwrap_or(Assurance::Password)
}

/// Both must be right before any redirect may happen (RFC 6749, 4.1.2.1).
fn known_client(provider: &Provider, params: &Params) -> Result<(String, Url), Refusal> {
    let refuse = |text: &str| Err(Refusal::Page(text.to_owned()));
    let Some(client_id) = params.get("client_id") else {
        return refuse("The parameter client_id is missing.");
    };
    let Some(client) = provider.config.client(client_id) else {
        return refuse("No client with this client_id is registered here.");
    };
    let Some(wanted) = params.get("redirect_uri") else {
        return refuse("The parameter redirect_uri is missing.");
    };
    // Whole strings, no normalising (RFC 9700, 4.1.3).
    let registered = client.redirect_uris.iter().find(|uri| uri.as_str() == wanted);
    match registered {
        Some(uri) => Ok((client.client_id.clone(), uri.clone())),
        None => refuse("This redirect_uri is not registered for the client."),
    }
}

/// PKCE is required, and only S256 (RFC 9700, 2.1.1).
fn challenge(params: &Params) -> Result<String, &'static str> {
    if params.get("code_challenge_method") != Some("S256") {
        return Err("PKCE is required: code_challenge_method must be S256");
    }
    let challenge = params.get("code_challenge").ok_or("PKCE is required: code_challenge is missing")?;
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    // SHA-256 in base64url without padding: 43 characters.
    if challenge.len() != 43 || !challenge.bytes().all(is_base64url) {
        return Err("code_challenge must be a SHA-256 in base64url");
    }
    Ok(challenge.to_owned())
}

/// Nobody is asked for consent here, so `consent` changes nothing.
fn prompt(params: &Params) -> Result<Prompt, &'static str> {
    let words = params.words("prompt");
    let mut prompt = Prompt::Auto;
    for word in &words {
        prompt = match word.as_str() {
            "none" if words.len() == 1 => Prompt::None,
            "none" => return Err("prompt=none must stand alone"),
            "login" => Prompt::Login,
            // With both, the password is asked for, and that page lets one choose anyway.
            "select_account" if prompt != Prompt::Login => Prompt::SelectAccount,
            "select_account" | "consent" => prompt,
            _ => return Err("prompt knows none, login, select_account and consent"),
        };
    }
    Ok(prompt)
}
