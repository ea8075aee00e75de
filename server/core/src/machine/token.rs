//! A machine's token by its header and claims (RFC 9068 sections 2 and 4).

use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::{BELIEVED_SECS, Machine, MachineFault as Fault, MachineIssuer, Subject};
use crate::clock::UnixMs;
use crate::oidc::id_token::NumericDate;

/// How far an issuer's clock may be ahead. The end of a token is taken as it is: nothing is believed for longer.
const AHEAD_SECS: i64 = 60;
/// The longest `sub`, `client_id` and `jti`.
const NAME_BYTES: usize = 1_024;
/// Claims about how a person proved who they are (RFC 9068 section 2.2.1): no machine's token has one.
const OF_PERSONS: [&str; 3] = ["auth_time", "acr", "amr"];

/// The token says of itself that it is an access token, signed in one of these ways.
pub(super) fn check_header(header: &Map<String, Value>, algorithms: &[String]) -> Result<(), Fault> {
    let typ = header.get("typ").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    if typ.strip_prefix("application/").unwrap_or(&typ) != "at+jwt" {
        return Err(Fault::Kind);
    }
    if header.contains_key("crit") {
        return Err(Fault::Unreadable("its header asks for what is not supported".into()));
    }
    let algorithm = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    if algorithms.iter().any(|taken| taken == algorithm) { Ok(()) } else { Err(Fault::Signature) }
}

/// What every machine's token must say.
pub(super) fn check_claims(issuer: &MachineIssuer, claims: &Map<String, Value>, now: UnixMs) -> Result<Machine, Fault> {
    if text(claims, "iss")? != issuer.issuer {
        return Err(Fault::Issuer);
    }
    check_audience(claims, &issuer.audience)?;
    let expires_at = UnixMs::from_secs(date(claims, "exp")?.ok_or(Fault::Claim("exp"))?);
    let issued_at = date(claims, "iat")?.ok_or(Fault::Claim("iat"))?;
    text(claims, "jti")?;
    check_times(claims, expires_at, issued_at, now)?;
    let (sub, client_id) = (text(claims, "sub")?, text(claims, "client_id")?);
    let good_until = expires_at.min(now.plus_secs(BELIEVED_SECS));
    let names = Names { sub: Some(sub), client_id };
    machine(issuer, &names, claims, (good_until, Some(expires_at)))
}

pub(super) fn check_times(
    claims: &Map<String, Value>,
    expires_at: UnixMs,
    issued_at: i64,
    now: UnixMs,
) -> Result<(), Fault> {
    let latest = now.secs().saturating_add(AHEAD_SECS);
    let early = issued_at > latest || date(claims, "nbf")?.is_some_and(|nbf| nbf > latest);
    if now >= expires_at || early { Err(Fault::Time) } else { Ok(()) }
}

/// How a token names its machine.
pub(super) struct Names<'a> {
    pub(super) sub: Option<&'a str>,
    pub(super) client_id: &'a str,
}

/// The machine, once it is sure to be one. `ends`: until when this is believed, and when the token ends.
pub(super) fn machine(
    issuer: &MachineIssuer,
    names: &Names<'_>,
    claims: &Map<String, Value>,
    ends: (UnixMs, Option<UnixMs>),
) -> Result<Machine, Fault> {
    // Bound tokens are worth nothing to whoever cannot prove the key: taken as bearer tokens, they would be worth more
    // here than where they were made for (RFC 9449 section 7.2, RFC 8705 section 3).
    if claims.contains_key("cnf") {
        return Err(Fault::Bound);
    }
    let sub = names.sub.unwrap_or(names.client_id);
    let other = issuer.subject == Subject::ClientId && sub != names.client_id;
    if other || OF_PERSONS.iter().any(|name| claims.contains_key(*name)) {
        return Err(Fault::OfAPerson);
    }
    let scopes = scopes(claims)?;
    if let Some(missing) = issuer.scopes.iter().find(|wanted| !scopes.contains(wanted)) {
        return Err(Fault::Scope(missing.clone()));
    }
    Ok(Machine {
        issuer_id: issuer.id.clone(),
        issuer: issuer.issuer.as_str().into(),
        sub: sub.into(),
        client_id: names.client_id.into(),
        scopes,
        claims: claims.clone(),
        good_until: ends.0,
        expires_at: ends.1,
    })
}

/// RFC 9068 section 2.2.3: words between spaces. Without the claim, none.
fn scopes(claims: &Map<String, Value>) -> Result<Vec<String>, Fault> {
    match claims.get("scope") {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()),
        Some(_) => Err(Fault::Claim("scope")),
    }
}

pub(super) fn check_audience(claims: &Map<String, Value>, audience: &str) -> Result<(), Fault> {
    let ours = |one: &Value| one.as_str() == Some(audience);
    match claims.get("aud") {
        Some(Value::Array(list)) if list.iter().all(Value::is_string) && list.iter().any(ours) => Ok(()),
        Some(one) if ours(one) => Ok(()),
        _ => Err(Fault::Audience),
    }
}

pub(super) fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, Fault> {
    let found = claims.get(name).and_then(Value::as_str);
    found.filter(|text| (1..=NAME_BYTES).contains(&text.len())).ok_or(Fault::Claim(name))
}

pub(super) fn date(claims: &Map<String, Value>, name: &'static str) -> Result<Option<i64>, Fault> {
    let read = |value| NumericDate::deserialize(value).map(|date| date.0);
    claims.get(name).map(read).transpose().map_err(|_| Fault::Claim(name))
}
