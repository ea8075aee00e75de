//! Cloakroom's own endpoints: which paths they are, and how a call to one of them runs on the control runtime,
//! whole and detached from the connection, so that a client that hangs up cancels nothing half-way (S3).

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Uri};
use tower::ServiceExt as _;

use cloakroom_core::session::open::{Live, Opened};

use super::client::{Client, Site};
use super::problem::Refusal;
use super::rates::Leg;
use super::ticket::{self, Claimed};
use super::{antiforgery, key_set, page};
use crate::gateway::Gateway;

/// The longest body that an own endpoint takes.
pub const BODY_BYTES: usize = 64 * 1024;

/// Where an own endpoint lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// The browser surface, under the site's base path.
    Web,
    /// The console and its API.
    Admin,
    /// The session API of mobile apps.
    Mobile,
    /// The keys of the gateway's own tokens.
    Keys,
    /// Reserved: nothing is there, and no route may stand in for it.
    Nothing,
}

/// Where the session API describes itself: RFC 8414 section 3, and OpenID Connect Discovery 1.0 section 4 for clients
/// that look nowhere else.
pub const METADATA: [&str; 2] = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];

/// The room that owns a path; `None` when the site's routes decide.
#[must_use]
pub fn room_of(site: &Site, path: &str) -> Option<Room> {
    let under = |base: &str| path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if under(&site.base_path) {
        Some(if site.client.is_some() { Room::Web } else { Room::Nothing })
    } else if under("/admin") {
        Some(if site.admin { Room::Admin } else { Room::Nothing })
    } else if !site.issues.is_empty() && (under("/oauth") || under("/session") || METADATA.contains(&path)) {
        Some(Room::Mobile)
    } else if site.identity && path == key_set::PATH {
        Some(Room::Keys)
    } else if under("/oauth") || under("/session") || under("/.well-known") {
        Some(Room::Nothing)
    } else {
        None
    }
}

/// Which leg of a login a path is.
#[must_use]
pub fn login_leg(site: &Site, room: Room, path: &str) -> Option<Leg> {
    let under =
        |path: &str, base: &str| path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    match (room, path.strip_prefix(&*site.base_path).unwrap_or(path)) {
        (Room::Web, "/login" | "/silent-login") | (Room::Mobile, "/oauth/authorize") => Some(Leg::Start),
        (Room::Web, "/callback/finish") => None,
        (Room::Web, path) if under(path, "/callback") => Some(Leg::Return),
        (Room::Mobile, path) if under(path, "/oauth/callback") => Some(Leg::Return),
        (Room::Mobile, "/oauth/par" | "/oauth/device_authorization") => Some(Leg::Push),
        (Room::Mobile, "/oauth/device") => Some(Leg::Code),
        (Room::Mobile, "/oauth/token") => Some(Leg::Token),
        _ => None,
    }
}

/// What an endpoint knows of its call beside the request.
#[derive(Clone, Debug)]
pub struct Context {
    /// The site that was called.
    pub site: Arc<Site>,
    /// The caller's network address.
    pub peer: IpAddr,
    /// The call's id in logs and answers.
    pub request_id: Arc<str>,
}

/// A call on its way to the control runtime.
#[derive(Debug)]
pub struct OwnCall {
    /// Where to.
    pub room: Room,
    /// What is known beside the request.
    pub context: Context,
    /// The request, its body collected.
    pub request: Request<Bytes>,
}

/// The own endpoints.
#[derive(Clone, Debug)]
pub struct Own {
    web: Router,
    admin: Router,
    mobile: Router,
    keys: Router,
}

impl Own {
    /// Every own endpoint, over the running gateway.
    #[must_use]
    pub fn new(gateway: &Arc<Gateway>) -> Self {
        Self {
            web: crate::web::router().with_state(Arc::clone(gateway)),
            admin: crate::admin::router().with_state(Arc::clone(gateway)),
            mobile: crate::mobile::router().with_state(Arc::clone(gateway)),
            keys: key_set::router().with_state(Arc::clone(gateway)),
        }
    }

    /// Answers a call.
    pub async fn answer(&self, call: OwnCall) -> Response {
        let OwnCall { room, context, request } = call;
        let (mut parts, body) = request.into_parts();
        let (method, headers) = (parts.method.clone(), parts.headers.clone());
        let request_id = Arc::clone(&context.request_id);
        let router = match room {
            Room::Web => {
                parts.uri = without_base(&parts.uri, &context.site.base_path);
                self.web.clone()
            }
            Room::Admin => self.admin.clone(),
            Room::Mobile => self.mobile.clone(),
            Room::Keys => self.keys.clone(),
            Room::Nothing => return rendered(&Refusal::NotFound, &method, &headers, &request_id),
        };
        parts.extensions.insert(context);
        let Ok(response) = router.oneshot(Request::from_parts(parts, axum::body::Body::from(body))).await;
        match response.extensions().get::<Arc<Refusal>>() {
            Some(refusal) => rendered(&Arc::clone(refusal), &method, &headers, &request_id),
            None => response,
        }
    }
}

fn rendered(refusal: &Refusal, method: &Method, headers: &HeaderMap, request_id: &str) -> Response {
    refusal.respond(method, headers, request_id).map(axum::body::Body::from)
}

fn without_base(uri: &Uri, base: &str) -> Uri {
    let text = uri.path_and_query().map_or("/", |text| text.as_str());
    let rest = text.strip_prefix(base).unwrap_or(text);
    let rest = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
    rest.parse().unwrap_or_default()
}

/// A refusal travels to [`Own::answer`], which knows whether a person or a program asked.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Response::new(axum::body::Body::empty());
        *response.status_mut() = self.status();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl<S: Sync> FromRequestParts<S> for Context {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or(Refusal::Broken)
    }
}

impl Context {
    /// The site's client.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] on a site that logs nobody in.
    pub fn client(&self) -> Result<&Arc<Client>, Refusal> {
        self.site.client.as_ref().ok_or(Refusal::NotFound)
    }

    /// The address of one of the site's own browser endpoints.
    #[must_use]
    pub fn own_url(&self, path: &str) -> String {
        format!("{}{}{path}", self.site.origin, self.site.base_path)
    }

    /// The link that signs this session out: only a page that could ask for it has the proof it carries (X5).
    #[must_use]
    pub fn logout_url(&self, gateway: &Gateway, live: &Live) -> String {
        let proof = gateway.sessions.vault().ring().logout_proof(&live.client_id, live.secret_hash());
        format!("{}/logout?sid={}", self.site.base_path, URL_SAFE_NO_PAD.encode(proof))
    }

    /// The session of a request, without an anti-forgery check.
    ///
    /// # Errors
    /// As the store's.
    pub async fn session(&self, gateway: &Gateway, headers: &HeaderMap) -> Result<Option<Opened>, Refusal> {
        let client = self.client()?;
        let mut claimed = ticket::read_all(client, headers);
        if claimed.is_empty()
            && ticket::names_unknown_key(client, headers)
            && gateway.sessions.keys().reload_for_unknown_key().await?
        {
            claimed = ticket::read_all(client, headers);
        }
        let (sessions, now) = (&gateway.sessions, gateway.now());
        if let Some(live) = claimed.iter().find_map(|claimed| sessions.in_use(claimed.id, &claimed.secret, now)) {
            return Ok(Some(Opened::Live(live)));
        }
        let mut found = None;
        for Claimed { id, secret, .. } in claimed {
            let opened = sessions.present(id, &secret, self.peer).await?;
            found = Some(found.unwrap_or(Opened::Unknown).or(opened));
        }
        Ok(found)
    }

    /// The live session of a request that passed the anti-forgery check for an API call. Asking does not make the
    /// session last longer.
    ///
    /// # Errors
    /// [`Refusal::SignInNeeded`], [`Refusal::SessionOver`], [`Refusal::Forgery`], or as the store's.
    pub async fn signed_in(
        &self,
        gateway: &Gateway,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Arc<Live>, Refusal> {
        let login_url = || format!("{}/login", self.site.base_path);
        match self.session(gateway, headers).await? {
            Some(Opened::Live(live)) => {
                antiforgery::check(antiforgery::Kind::Api, method, headers, self.site.origins())?;
                Ok(live)
            }
            Some(Opened::Over(ended)) => {
                Err(Refusal::SessionOver { text: super::over_text(ended.as_ref()), login_url: login_url() })
            }
            Some(Opened::Unknown) | None => Err(Refusal::SignInNeeded { login_url: login_url() }),
        }
    }
}

/// A live session whose request passed the anti-forgery check for an API call, and which is now in use.
#[derive(Debug)]
pub struct SignedIn(pub Arc<Live>);

impl FromRequestParts<Arc<Gateway>> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, Refusal> {
        let context = <Context as FromRequestParts<Arc<Gateway>>>::from_request_parts(parts, gateway).await?;
        let live = context.signed_in(gateway, &parts.method, &parts.headers).await?;
        gateway.sessions.seen(&live, gateway.now());
        Ok(Self(live))
    }
}

/// A page of ours, as an axum response.
#[must_use]
pub fn page_response(response: http::Response<String>) -> Response {
    response.map(axum::body::Body::from)
}

/// JSON that no cache keeps.
pub fn json(value: &impl serde::Serialize) -> Response {
    let mut response = Response::new(axum::body::Body::from(serde_json::to_vec(value).unwrap_or_default()));
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    page::harden(response.headers_mut());
    response
}

/// A redirect after a deed (RFC 9110 section 15.4.4) that no cache keeps.
///
/// # Errors
/// [`Refusal::Broken`] when the address cannot stand in a header.
pub fn see_other(to: &str) -> Result<Response, Refusal> {
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = http::StatusCode::SEE_OTHER;
    response.headers_mut().insert(http::header::LOCATION, to.parse().map_err(|_| Refusal::Broken)?);
    page::harden(response.headers_mut());
    Ok(response)
}
