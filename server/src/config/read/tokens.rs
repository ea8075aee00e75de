//! `token` of a route: a word, or a table that says more.

use cloakroom_core::identity::{IdentityAsk, RESERVED};
use cloakroom_core::oidc::grant::GrantAsk;
use cloakroom_core::policy::Access;

use super::{Parts, clients, providers, web};
use crate::config::mask::quoted;
use crate::config::model::{Provider, TokenMode, Upstream};
use crate::config::reader::{Found, Reader};

/// How the table names a mode.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    None,
    User,
    ClientCredentials,
    Exchange,
    Identity,
}

const MODES: [(&str, Mode); 5] = [
    ("none", Mode::None),
    ("user", Mode::User),
    ("client_credentials", Mode::ClientCredentials),
    ("exchange", Mode::Exchange),
    ("identity", Mode::Identity),
];

pub(super) fn token(reader: &Reader<'_>, all: &Parts<Provider>) -> Found<TokenMode> {
    if !reader.is_table("token") {
        let simple = MODES.get(..2).unwrap_or_default();
        let found = reader.one_of("token", simple, Mode::None);
        let value = if found.value == Mode::User { TokenMode::User } else { TokenMode::None };
        return Found { value, place: found.place };
    }
    let none = || Found { value: TokenMode::None, place: reader.place().clone() };
    let Some(table) = reader.table("token") else { return none() };
    if !table.has("mode") {
        table.missing("mode", "\"exchange\"");
    }
    let mode = table.one_of("mode", &MODES, Mode::None);
    let text = |key| {
        let read = |text: &str| if text.is_empty() { Err("is empty".into()) } else { Ok(text.to_owned()) };
        table.parsed(table.text(key), key, "text", read).map(|found| found.value)
    };
    let ask =
        GrantAsk { audience: text("audience"), resource: text("resource"), scopes: providers::scopes_or(&table, &[]) };
    let registration = table.text("registration");
    let identity = (mode.value == Mode::Identity).then(|| identity(&table, &ask, registration.as_ref()));
    table.finish();
    let value = match mode.value {
        Mode::ClientCredentials => {
            if registration.is_none() && !table.has("registration") {
                table.clash(table.place(), "the registration is missing", "name one: registration = \"main.machine\"");
            }
            registration
                .and_then(|found| clients::registration(&table, &found, all))
                .map(|one| TokenMode::ClientCredentials(one, ask))
        }
        Mode::Exchange => {
            if !["audience", "resource", "scopes"].into_iter().any(|key| table.has(key)) {
                let what = "an exchange for nothing would bring the same token back";
                table.clash(table.place(), what, "say for which audience, resource or scopes");
            }
            if let Some(found) = registration {
                let what = "an exchange is made by the registration that the session signed in with";
                table.wrong(&found.place, what, "leave registration out");
            }
            Some(TokenMode::Exchange(ask))
        }
        Mode::Identity => identity.flatten().map(TokenMode::Identity),
        Mode::User => Some(TokenMode::User),
        Mode::None => Some(TokenMode::None),
    };
    Found { value: value.unwrap_or(TokenMode::None), place: table.place().clone() }
}

/// `{ mode = "identity", audience = "orders", claims = ["email"] }`
fn identity(table: &Reader<'_>, ask: &GrantAsk, registration: Option<&Found<&str>>) -> Option<IdentityAsk> {
    let mut claims = Vec::new();
    for found in table.texts("claims").unwrap_or_default() {
        if RESERVED.contains(&found.value) {
            let what = format!("{} is set by the gateway itself", quoted(found.value));
            table.wrong(&found.place, what, format!("leave it out; every token says {}", RESERVED.join(", ")));
        }
        claims.push(found.value.to_owned());
    }
    for key in ["resource", "scopes"].into_iter().filter(|key| table.has(key)) {
        let what = format!("{} means nothing to an identity token", table.name(key));
        table.wrong(&table.place_of(&[key]), what, "leave it out: audience says for whom it is");
    }
    if let Some(found) = registration {
        table.wrong(&found.place, "an identity token comes from no provider", "leave registration out");
    }
    if !table.has("audience") {
        table.clash(table.place(), "the audience is missing", "say for whom the token is: audience = \"orders\"");
    }
    Some(IdentityAsk { audience: ask.audience.clone()?, claims })
}

pub(super) fn check(reader: &Reader<'_>, token: &Found<TokenMode>, access: Access, to: Option<&Upstream>) {
    let (name, whose) = match &token.value {
        TokenMode::None => return,
        TokenMode::User => ("user", "users' access tokens"),
        TokenMode::Exchange(_) => ("exchange", "users' access tokens"),
        TokenMode::Identity(_) => ("identity", "identity tokens"),
        TokenMode::ClientCredentials(..) => ("client_credentials", "the gateway's access tokens"),
    };
    if access == Access::Anonymous && name != "client_credentials" {
        let what = format!("token = \"{name}\" needs access = \"signed_in\": without a session there is no token");
        reader.clash(&token.place, what, "set access = \"signed_in\", or token = \"none\"");
    }
    if let Some(upstream) = to
        && upstream.url.scheme() == "http"
        && !web::is_loopback(&upstream.url)
        && !upstream.allow_plain_http
    {
        reader.clash(
            &token.place,
            format!("{whose} would travel over plain http to {}", quoted(upstream.url.as_str())),
            "use an https upstream; only where the network itself is encrypted, set the upstream's allow_plain_http = true",
        );
    }
}
