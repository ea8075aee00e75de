//! What can go wrong with a provider, as people and machines are told. No token, code or secret is ever part of it.

use crate::http::HttpError;

/// The settings cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The issuer is no address.
    #[error("the issuer is no URL")]
    Issuer,
    /// The issuer would be asked over plain http.
    #[error("the issuer must be an https URL (http is taken for loopback names only)")]
    PlainHttp,
    /// The issuer has parts that an issuer never has (OpenID Connect Discovery 1.0 section 2).
    #[error("the issuer must have no query, no fragment and no user name")]
    Parts,
}

/// The provider cannot be used now.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProviderError {
    /// No answer.
    #[error("the identity provider cannot be reached: {0}")]
    Http(#[from] HttpError),
    /// A complete answer, but none to the question.
    #[error("the identity provider answered with status {0}")]
    Status(u16),
    /// Its discovery document or key set is unusable.
    #[error("the identity provider's configuration is not usable: {0}")]
    Discovery(String),
    /// The request cannot be made from what is configured or asked.
    #[error("the request to the identity provider cannot be made: {0}")]
    Request(String),
    /// There is no such registration.
    #[error("no registration {0} at this identity provider")]
    NoRegistration(String),
}

impl ProviderError {
    /// Whether the same may succeed a little later, with nobody changing anything.
    #[must_use]
    pub const fn retry_helps(&self) -> bool {
        match self {
            Self::Http(error) => !matches!(error, HttpError::Request(_)),
            Self::Status(status) => *status >= 500 || matches!(status, 408 | 425 | 429),
            Self::Discovery(_) | Self::Request(_) | Self::NoRegistration(_) => false,
        }
    }
}

/// A login is refused.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LoginError {
    /// The provider cannot be used now.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The answer names another issuer (RFC 9207 section 2.4).
    #[error("the answer came from another identity provider than the one that was asked")]
    OtherIssuer,
    /// The answer names no issuer, and came to an address that several providers share.
    #[error("the answer does not say which identity provider it comes from, and this app has several")]
    NoIssuer,
    /// The token endpoint refused the code.
    #[error("the identity provider did not take the code: {0}")]
    CodeRefused(String),
    /// The token endpoint's answer is unusable.
    #[error("the identity provider's token answer is not usable: {0}")]
    BadAnswer(String),
    /// The ID token is not acceptable.
    #[error("the identity provider's ID token is not acceptable: {0}")]
    IdToken(#[from] IdTokenFault),
    /// The userinfo endpoint's answer is unusable.
    #[error("the identity provider's userinfo answer is not acceptable: {0}")]
    Userinfo(#[from] UserinfoFault),
    /// The person did not prove enough.
    #[error("the identity provider did not ask for what this sign-in needs: {0}")]
    NotEnough(&'static str),
}

impl LoginError {
    /// A stable code for logs and problems.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Provider(_) => "login-provider-unavailable",
            Self::OtherIssuer => "login-other-issuer",
            Self::NoIssuer => "login-no-issuer",
            Self::CodeRefused(_) => "login-code-refused",
            Self::BadAnswer(_) => "login-bad-answer",
            Self::IdToken(_) => "login-id-token",
            Self::Userinfo(_) => "login-userinfo",
            Self::NotEnough(_) => "login-not-enough",
        }
    }

    /// Whether beginning the sign-in again may succeed with nobody changing anything. Where it does not, the
    /// provider or its configuration here is at fault, and an operator is needed.
    #[must_use]
    pub const fn retry_helps(&self) -> bool {
        match self {
            Self::Provider(error) => error.retry_helps(),
            // A code that is used up or too old, or a person who may yet prove more.
            Self::CodeRefused(_) | Self::NotEnough(_) => true,
            Self::OtherIssuer | Self::NoIssuer | Self::BadAnswer(_) | Self::Userinfo(_) => false,
            Self::IdToken(fault) => matches!(fault, IdTokenFault::Nonce | IdTokenFault::UnknownKey),
        }
    }
}

/// What is wrong with a userinfo answer (OpenID Connect Core section 5.3).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserinfoFault {
    /// The provider has no such endpoint.
    #[error("the provider has no userinfo endpoint")]
    NoEndpoint,
    /// No answer of success.
    #[error("it has status {0}")]
    Status(u16),
    /// Neither JSON nor a token.
    #[error("it is neither a JSON object nor a signed token, or a member stands twice in it")]
    Unreadable,
    /// A plain provider's object lacks the member that names the person.
    #[error("it does not say who the person is")]
    NoSubject,
    /// `sub` (L6).
    #[error("it is about somebody else")]
    OtherPerson,
    /// A signed answer is not signed as an ID token would have to be.
    #[error("as a signed token: {0}")]
    Token(#[from] IdTokenFault),
}

/// What is wrong with an ID token (OpenID Connect Core section 3.1.3.7).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenFault {
    /// None came.
    #[error("there is none")]
    Missing,
    /// Longer than anything real.
    #[error("it is longer than 64 KiB")]
    TooLong,
    /// Five parts instead of three.
    #[error("it is encrypted, which is not supported")]
    Encrypted,
    /// Not three parts of base64url with JSON inside, or a header that is not understood.
    #[error("it is no signed token that can be read: {0}")]
    Unreadable(&'static str),
    /// A member of the JSON stands twice, so that two readers could see two different tokens.
    #[error("a claim stands twice in it")]
    Duplicate,
    /// A claim is missing or has the wrong JSON type.
    #[error("a claim is missing or of the wrong type: {0}")]
    Claim(String),
    /// Signed by nobody, with a shared secret, or otherwise than the provider says that it signs.
    #[error("it is not signed with an algorithm that the provider publishes and that is safe")]
    Algorithm,
    /// No published key fits.
    #[error("it is signed with a key that the provider does not publish")]
    UnknownKey,
    /// Several published keys fit.
    #[error("it does not say which of the provider's keys signed it")]
    AmbiguousKey,
    /// The published key is unusable.
    #[error("the provider's key cannot be used")]
    Key,
    /// The signature is not that key's.
    #[error("its signature is wrong")]
    Signature,
    /// `iss`.
    #[error("its issuer is another one")]
    Issuer,
    /// `aud`.
    #[error("its audience is another client")]
    Audience,
    /// `azp`.
    #[error("azp names another client, or is missing beside several audiences")]
    AuthorizedParty,
    /// `sub`.
    #[error("sub must have 1 to 255 bytes")]
    Subject,
    /// `exp`.
    #[error("it has expired")]
    Expired,
    /// `nbf`.
    #[error("it is not valid yet")]
    NotYet,
    /// `iat`.
    #[error("it was issued in the future")]
    FromTheFuture,
    /// `nonce`.
    #[error("its nonce is not this sign-in's")]
    Nonce,
    /// `at_hash`.
    #[error("at_hash is not the access token's")]
    AccessTokenHash,
    /// `c_hash`.
    #[error("c_hash is not the code's")]
    CodeHash,
}

impl IdTokenFault {
    /// Whether the token is about somebody else, or meant for somebody else.
    #[must_use]
    pub const fn is_of_another_identity(&self) -> bool {
        matches!(self, Self::Issuer | Self::Audience | Self::AuthorizedParty | Self::Subject)
    }
}
