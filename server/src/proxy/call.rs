//! The way of a proxied call. No database round trip, no lock held across an await, no timer, no log line at info:
//! what memory cannot answer is asked of the control runtime.

use std::convert::Infallible;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;

use cloakroom_core::machine::{Machine, MachineFault};
use cloakroom_core::policy::{Access, Caller, Permit, decide};
use cloakroom_core::session::open::Opened;
use cloakroom_core::session::record::Token;
use cloakroom_core::session::refresh::Freshness;

use super::forward_auth;
use super::path::NormalPath;
use super::route::{Route, Target, TokenMode};
use super::send::{Call, send};
use super::table::Found;
use super::turned_away::{hop, is_a_link, login_from, told_no, turned_away};
use super::upgrade;
use super::upstream::UpstreamError;
use crate::edge::antiforgery::{self, Forgery, Kind};
use crate::edge::bearer;
use crate::edge::body::Body;
use crate::edge::client::{Client, Site};
use crate::edge::connection::Connection;
use crate::edge::own::{self, BODY_BYTES, Context, OwnCall, Room};
use crate::edge::problem::{Refusal, RefusalCode};
use crate::edge::rates::Told;
use crate::edge::ticket::{self, Presented};
use crate::edge::worker::Worker;
use crate::edge::{app_token, cors, ended_by_another, over_text, page};

/// Serves one request: a proxied call, or an own endpoint's on the control runtime.
///
/// # Errors
/// Never: every failure is an answer.
pub async fn call(connection: Rc<Connection>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let worker = &connection.worker;
    let id = worker.next_id();
    let (mut parts, body) = request.into_parts();
    let mut told = Told::default();
    let asked = forward_auth::described(&connection, &mut parts);
    let narrowed = |asked| move |refusal| if asked { forward_auth::narrowed(refusal) } else { refusal };
    let found = asked.and_then(|asked| Ok((connection.site(&mut parts).map_err(narrowed(asked))?, asked)));
    let (site, served) = match found {
        Ok((site, asked)) => {
            let served = serve(&connection, (site, asked), &id, (&parts, body), &mut told).await;
            (Some(site), served.map_err(narrowed(asked)))
        }
        Err(refusal) => (None, Err(refusal)),
    };
    let mut response = served.unwrap_or_else(|refusal| said(&connection.reason(refusal), &parts, &id));
    if let Some(code) = RefusalCode::of(&response)
        && let Err(refusal) = note(worker, code, response.status(), site, connection.caller(&parts.headers), &mut told)
    {
        response = said(&refusal, &parts, &id);
    }
    if let Some(site) = site {
        // The memo knows which cookies are old, so that a rotation costs the new ones no opening.
        let is_old =
            |client: &Client| worker.memo.read_all(client, &parts.headers).iter().any(|claimed| claimed.reseal);
        if let Some(client) = site.client.as_ref().filter(|client| client.tickets.rotated() && is_old(client)) {
            ticket::renew(client, &worker.gateway.sessions, worker.now(), &parts.headers, response.headers_mut());
        }
        page::dress(&mut response, site.look(), &parts);
        site.finish(&parts.headers, response.headers_mut());
    }
    connection.harden(response.headers_mut());
    told.tell(response.headers_mut());
    worker.counts.answered(response.status());
    Ok(response)
}

/// Counts a refusal (A9): each in the figures, and against the caller where nobody in order meets it; of those, in the
/// audit log too, all but the addresses where nothing is.
fn note(
    worker: &Worker,
    code: RefusalCode,
    status: StatusCode,
    site: Option<&Arc<Site>>,
    peer: IpAddr,
    told: &mut Told,
) -> Result<(), Refusal> {
    let gateway = &worker.gateway;
    gateway.metrics.refused(code.0, site.map_or("", |site| &site.id));
    let wrong = code.is_wrong(status.as_u16());
    if wrong && status != StatusCode::NOT_FOUND || status == StatusCode::TOO_MANY_REQUESTS {
        gateway.refusals.count(site.map(|site| site.number), code.0, peer);
    }
    if wrong { gateway.rates.refuses(peer, || worker.now(), told) } else { Ok(()) }
}

fn said(refusal: &Refusal, parts: &Parts, id: &[u8; 32]) -> Response<Body> {
    refusal.respond(&parts.method, &parts.headers, str::from_utf8(id).unwrap_or_default()).map(Body::from)
}

async fn serve(
    connection: &Connection,
    (site, asked): (&Arc<Site>, bool),
    id: &[u8; 32],
    (parts, body): (&Parts, Incoming),
    told: &mut Told,
) -> Result<Response<Body>, Refusal> {
    let (worker, peer) = (&*connection.worker, connection.caller(&parts.headers));
    let (rates, now) = (&worker.gateway.rates, || worker.now());
    rates.arrives(peer, now, told)?;
    let path = NormalPath::parse(&parts.uri)?;
    if asked {
        forward_auth::check(site, path.as_str(), &parts.headers)?;
    } else if cors::is_preflight(parts) {
        return cors::preflight(site, &parts.headers);
    } else if let Some(room) = own::room_of(site, path.as_str()) {
        antiforgery::check_destination(Kind::Api, &parts.headers)?;
        if let Some(leg) = own::login_leg(site, room, path.as_str()) {
            rates.logs_in(leg, peer, now, told)?;
        }
        let context =
            Context { site: Arc::clone(site), peer, request_id: str::from_utf8(id).unwrap_or_default().into() };
        return own_endpoint(worker, room, context, parts, body).await;
    }
    let route = match site.routes.find(&path, &parts.method) {
        Found::Route(route) => route,
        Found::MethodNotAllowed(allow) => return Err(Refusal::MethodNotAllowed { allow: allow.clone() }),
        Found::Nothing => return Err(Refusal::NotFound),
    };
    if asked != matches!(route.to, Target::Outside) {
        return Err(Refusal::NotFound);
    }
    antiforgery::check_destination(route.kind, &parts.headers)?;
    let handshake = upgrade::asked(parts)?;
    let app = ticket::presented(&parts.headers).filter(|_| takes_apps(route));
    let caller = match app {
        Some(token) => app_session(worker, site, token, peer, parts).await?,
        None => caller(worker, (site, route), peer, parts, told).await?,
    };
    // No page of another site makes a browser send an Authorization header: anti-forgery concerns cookies.
    let by_browser = app.is_none() && !matches!(caller, Caller::Machine(_));
    if handshake.is_some() && by_browser {
        antiforgery::check_handshake(&parts.headers, site.origins())?;
    }
    if let (Caller::Session(_), None, true) = (&caller, &handshake, by_browser) {
        match antiforgery::check(route.kind, &parts.method, &parts.headers, site.origins()) {
            // A link from a sibling host, or a Lax cookie: the next request is the own page's.
            Err(Forgery::ForeignOrigin) if !asked && is_a_link(route, parts) => return Ok(hop(parts)),
            checked => checked?,
        }
    }
    let permit = match decide(&route.rule, caller, peer, || worker.now()) {
        Ok(permit) => permit,
        Err(unmet) if asked => return Err(told_no(site, route, parts, unmet)),
        Err(unmet) => return turned_away(site, route, parts, unmet),
    };
    rates.passes(&permit, (route.limit.as_ref(), site, peer), now, told)?;
    let authorization = token(worker, site, route, &permit).await?;
    if let Some(live) = permit.session() {
        // Now it is in use. Calls that were refused, or got no token, keep no session alive (U2).
        worker.gateway.sessions.seen(live, worker.now());
    }
    if asked {
        return Ok(forward_auth::permitted(&permit, authorization.as_ref()));
    }
    send(connection, Call { permit, site, route, peer, id, authorization, handshake }, parts, body).await
}

/// Whether a mobile app's token is looked at: the route needs to know who calls, and takes sessions.
fn takes_apps(route: &Route) -> bool {
    route.rule.access != Access::Anonymous && route.rule.callers.sessions()
}

/// The session of a mobile app's token.
async fn app_session(
    worker: &Worker,
    site: &Site,
    token: Presented<'_>,
    peer: IpAddr,
    parts: &Parts,
) -> Result<Caller, Refusal> {
    let (sessions, now) = (&worker.gateway.sessions, worker.now());
    let claimed = app_token::claimed(worker.memo.read_token(sessions.token_seal(), token.text), &token, now)?;
    let live = match sessions.in_use(claimed.id, &claimed.secret, now) {
        Some(live) => live,
        None => match worker.open(claimed.id, claimed.secret, peer).await? {
            Opened::Live(live) => live,
            opened => return Err(app_token::over(&token, &opened)),
        },
    };
    app_token::check(&worker.gateway, site, &site.apps, &live, &token, parts)?;
    Ok(Caller::Session(live))
}

/// Who calls. The ticket is opened only where the route needs it, so that an outage of the store never fails an
/// anonymous asset.
async fn caller(
    worker: &Worker,
    (site, route): (&Site, &Route),
    peer: IpAddr,
    parts: &Parts,
    told: &mut Told,
) -> Result<Caller, Refusal> {
    if route.rule.access == Access::Anonymous {
        return Ok(Caller::Anonymous);
    }
    if route.rule.callers.machines()
        && let Some(token) = bearer::read(&parts.headers)?
    {
        return machine(worker, parts, token, peer, told).await.map(Caller::Machine);
    }
    let Some(client) = site.client.as_ref().filter(|_| route.rule.callers.sessions()) else {
        return Ok(Caller::Anonymous);
    };
    match worker.session(client, &parts.headers, peer).await? {
        Some(Opened::Live(live)) => Ok(Caller::Session(live)),
        // A person whose session merely expired is led to a login; one whose session another ended reads so first.
        Some(Opened::Over(ended))
            if route.rule.access == Access::SignedIn
                && (route.kind != Kind::Page || ended_by_another(ended.as_ref())) =>
        {
            let login_url = if route.kind == Kind::Page { login_from(site, parts) } else { site.login_url() };
            Err(Refusal::SessionOver { text: over_text(ended.as_ref()), login_url })
        }
        Some(Opened::Over(_) | Opened::Unknown) | None => Ok(Caller::Anonymous),
    }
}

/// The machine whose token this is. A cookie beside it could make the call somebody else's: it is refused (P15).
async fn machine(
    worker: &Worker,
    parts: &Parts,
    token: &[u8],
    peer: IpAddr,
    told: &mut Told,
) -> Result<Arc<Machine>, Refusal> {
    if ticket::is_there(&parts.headers) {
        return Err(Refusal::MixedCredentials);
    }
    if let Some(machine) = worker.machines.find(token, worker.now()) {
        return Ok(machine);
    }
    worker.gateway.rates.looks(peer, || worker.now(), told)?;
    let unreadable = || MachineFault::Unreadable("it is no text of visible characters".into());
    let text = str::from_utf8(token).ok().and_then(|text| Token::parse(text).ok()).ok_or_else(unreadable)?;
    let machine = worker.machine(text).await?;
    worker.machines.keep(token, &machine);
    Ok(machine)
}

/// The `Authorization` header that the route attaches, from memory where the token there is fresh. Nothing stands in for
/// a token that cannot be had.
async fn token(worker: &Worker, site: &Site, route: &Route, permit: &Permit) -> Result<Option<HeaderValue>, Refusal> {
    let access = match (&route.token, permit.session()) {
        (TokenMode::User, Some(live)) => match live.freshness(worker.now()) {
            Freshness::Fresh(access) => access,
            Freshness::Aging(_) | Freshness::Stale => {
                let fresh = worker.token(Arc::clone(live)).await?;
                fresh.map_err(|error| Refusal::refresh(&error, || site.login_url()))?
            }
        },
        (TokenMode::Exchange(ask), Some(live)) => {
            if let Some(access) = live.exchanged(ask, worker.now()) {
                access
            } else {
                let exchanged = worker.exchanged(Arc::clone(live), Arc::clone(ask)).await?;
                exchanged.map_err(|error| Refusal::exchange(error, || site.login_url()))?
            }
        }
        (TokenMode::Own(own), _) => match own.kept(worker.now()) {
            Some(access) => access,
            None => worker.own_token(Arc::clone(own)).await??,
        },
        (TokenMode::Identity(ask), Some(live)) => {
            worker.gateway.identity.token(live, &site.origin, ask, worker.now())?
        }
        (TokenMode::User | TokenMode::Exchange(_) | TokenMode::Identity(_) | TokenMode::None, _) => return Ok(None),
    };
    Ok(Some(access.authorization.clone()))
}

/// Collects the body and asks the control runtime.
async fn own_endpoint(
    worker: &Worker,
    room: Room,
    context: Context,
    parts: &Parts,
    body: Incoming,
) -> Result<Response<Body>, Refusal> {
    let body = Limited::new(body, BODY_BYTES).collect().await.map_err(|error| {
        let too_long = error.is::<LengthLimitError>();
        if too_long { Refusal::BodyTooLong { limit: BODY_BYTES as u64 } } else { UpstreamError::RequestBody.into() }
    })?;
    let body = body.to_bytes();
    let mut request = Request::new(body);
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = parts.uri.clone();
    *request.headers_mut() = parts.headers.clone();
    Ok(worker.own(OwnCall { room, context, request }).await?.map(Body::Own))
}
