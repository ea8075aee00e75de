//! Requests by scripts, images, forms in frames: everything that is not a top-level navigation.

use super::jar::Trip;
use super::site::{self, Relation};
use super::{AGENT, Browser};
use crate::wire::{Answer, Conn, Framing, Headers, Request, answer_framing};
use url::Url;

/// A request on its way; redirects are not followed, so that a test sees each.
#[must_use]
pub struct Fetch<'a> {
    browser: &'a Browser,
    request: Request,
    url: Url,
    initiator: Url,
    mode: &'static str,
    dest: &'static str,
    metadata: bool,
}

impl<'a> Fetch<'a> {
    pub(super) fn new(browser: &'a Browser, method: &str, url: Url) -> Self {
        let request = site::request(method, &url).header("User-Agent", AGENT);
        Self { browser, request, initiator: url.clone(), url, mode: "cors", dest: "empty", metadata: true }
    }

    /// Adds a field.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// The anti-forgery header.
    pub fn csrf(self) -> Self {
        self.header("X-CSRF", "1")
    }

    /// A body with its media type.
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.request = self.request.header("Content-Type", content_type).body(body);
        self
    }

    /// The page whose script or element asks, with its cookies (`credentials: "include"`).
    pub fn from(mut self, initiator: &str) -> Self {
        self.initiator = Url::parse(initiator).expect("an absolute address");
        self
    }

    /// An element rather than `fetch()`: an image, a frame, a script.
    pub fn element(mut self, dest: &'static str) -> Self {
        self.mode = if matches!(dest, "iframe" | "document") { "navigate" } else { "no-cors" };
        self.dest = dest;
        self
    }

    /// A browser too old for `Sec-Fetch-*`.
    pub fn without_metadata(mut self) -> Self {
        self.metadata = false;
        self
    }

    /// Sends it.
    pub async fn send(self) -> Answer {
        let (browser, request, url, trip) = self.prepared();
        let answer =
            request.send(site::port(&url)).await.unwrap_or_else(|error| panic!("{} {url}: {error}", request.method));
        browser.jar().store(&url, &answer.headers, trip);
        answer
    }

    /// Sends it and reads the answer's head alone: its body may never end.
    pub async fn open(self) -> Opened {
        let (browser, request, url, trip) = self.prepared();
        let mut conn = Conn::open(site::port(&url)).await.expect("connected");
        conn.write(request.bytes()).await.expect("written");
        let (status, headers) = conn.status().await.expect("an answer");
        browser.jar().store(&url, &headers, trip);
        let framing = answer_framing(&request.method, status, &headers);
        Opened { status, headers, conn, framing }
    }

    fn prepared(self) -> (&'a Browser, Request, Url, Trip) {
        let Self { browser, mut request, url, initiator, mode, dest, metadata } = self;
        let relation = site::relation(&initiator, &url);
        if request.headers.get("accept").is_none() {
            request = request.header("Accept", if mode == "navigate" { super::HTML } else { "*/*" });
        }
        if metadata {
            request = request
                .header("Sec-Fetch-Site", relation.header())
                .header("Sec-Fetch-Mode", mode)
                .header("Sec-Fetch-Dest", dest);
        }
        let reads = matches!(request.method.as_str(), "GET" | "HEAD");
        let says_origin = !reads || (mode == "cors" && relation != Relation::SameOrigin);
        if says_origin && request.headers.get("origin").is_none() {
            request = request.header("Origin", &initiator.origin().ascii_serialization());
        }
        let trip = if relation == Relation::CrossSite { Trip::ForeignResource } else { Trip::OwnSite };
        let cookies = browser.jar().header(&url, trip);
        if !cookies.is_empty() {
            request = request.header("Cookie", &cookies);
        }
        (browser, request, url, trip)
    }
}

/// An answer whose body is still to be read.
pub struct Opened {
    /// Status code.
    pub status: u16,
    /// Header fields.
    pub headers: Headers,
    conn: Conn,
    framing: Framing,
}

impl Opened {
    /// The body's next piece; `None` at its end.
    pub async fn piece(&mut self) -> Option<Vec<u8>> {
        self.conn.piece(&mut self.framing).await.ok().flatten()
    }

    /// The whole answer; of a stream of events its head alone, since that does not end.
    pub async fn answer(mut self) -> Answer {
        let streams = self.headers.get("content-type") == Some("text/event-stream");
        let body = if streams { Vec::new() } else { self.conn.body(self.framing).await.expect("a body") };
        Answer { status: self.status, headers: self.headers, body }
    }
}
