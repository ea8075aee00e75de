//! A browser as the gateway sees one: cookies by their rules, fetch metadata, redirects, forms; no scripts.
//!
//! What it does was read from RFC 6265bis, the Fetch and Fetch Metadata specifications, and tried against Chromium on
//! `*.localhost`. Where Chromium is laxer (it does not count the sites of a redirect chain for `SameSite`), the
//! specification wins: a gateway that works here works there too.

mod fetch;
mod jar;
mod page;
mod site;

pub use fetch::{Fetch, Opened};
pub use jar::{Cookie, Jar, SameSite, Trip};
pub use page::{Form, Hop, Page};
pub use site::{Relation, relation, site_of};

use crate::wire::{Answer, Request};
use std::sync::{Arc, Mutex, MutexGuard};
use url::Url;

/// What navigations accept.
const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";

/// One tab. Tabs of one browser share the cookie jar.
pub struct Browser {
    jar: Arc<Mutex<Jar>>,
    page: Option<Page>,
    hold: Option<String>,
    held: Option<Navigation>,
    always: Vec<(String, String)>,
}

/// A navigation on its way.
#[derive(Clone, Debug)]
pub struct Navigation {
    method: String,
    url: Url,
    body: Option<String>,
    /// The page that began it; none for an address that a person typed.
    initiator: Option<Url>,
    /// The addresses already passed, when a redirect led here.
    chain: Vec<Url>,
    /// What `Origin` says on a POST.
    origin: String,
    /// The policy of the page whose form began it.
    policy: Option<String>,
}

impl Navigation {
    fn get(url: Url, initiator: Option<Url>) -> Self {
        Self {
            method: "GET".into(),
            url,
            body: None,
            initiator,
            chain: Vec::new(),
            origin: "null".into(),
            policy: None,
        }
    }

    /// Where it leads.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl Browser {
    /// A browser with an empty jar.
    pub fn new() -> Self {
        Self { jar: Arc::default(), page: None, hold: None, held: None, always: Vec::new() }
    }

    /// Another tab of this browser.
    #[must_use]
    pub fn new_tab(&self) -> Self {
        Self { jar: Arc::clone(&self.jar), ..Self::new() }
    }

    /// The jar.
    pub fn jar(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().unwrap()
    }

    /// Every cookie.
    pub fn cookies(&self) -> Vec<Cookie> {
        self.jar().all().to_vec()
    }

    /// A cookie by host and name.
    pub fn cookie(&self, host: &str, name: &str) -> Option<Cookie> {
        self.jar().all().iter().find(|cookie| cookie.domain == host && cookie.name == name).cloned()
    }

    /// The app's session cookie.
    pub fn session_cookie(&self) -> Option<Cookie> {
        self.cookie("app.localhost", crate::SESSION_COOKIE)
    }

    /// The page that is shown.
    pub fn page(&self) -> &Page {
        self.page.as_ref().expect("a page is shown")
    }

    /// Adds a field to each navigation from now on, as a proxy in between would; `User-Agent` takes the usual one's place.
    pub fn always(&mut self, name: &str, value: &str) {
        self.always.push((name.to_owned(), value.to_owned()));
    }

    /// Stops the next navigation that would ask for this path, before its request leaves.
    pub fn hold_at(&mut self, path: &str) {
        self.hold = Some(path.to_owned());
    }

    /// The navigation that was stopped.
    pub fn held(&mut self) -> Navigation {
        let shown = self.page.as_ref().map(|page| page.url.as_str());
        self.held.take().unwrap_or_else(|| panic!("nothing was held; at {shown:?}"))
    }

    /// The same; none when nothing was.
    pub fn held_if_any(&mut self) -> Option<Navigation> {
        self.hold = None;
        self.held.take()
    }

    /// Lets a stopped navigation go on, perhaps to another address.
    pub async fn resume(&mut self, mut navigation: Navigation, url: Option<Url>) -> &Page {
        navigation.url = url.unwrap_or(navigation.url);
        self.go(navigation).await
    }

    /// A person types an address.
    pub async fn navigate(&mut self, url: &str) -> &Page {
        let url = Url::parse(url).expect("an absolute address");
        self.go(Navigation::get(url, None)).await
    }

    /// A page at `initiator` leads to an address by a link or script.
    pub async fn navigate_from(&mut self, initiator: &str, url: &str) -> &Page {
        let url = Url::parse(url).expect("an absolute address");
        self.go(Navigation::get(url, Some(Url::parse(initiator).unwrap()))).await
    }

    /// Clicks the link with this text.
    pub async fn click_link(&mut self, text: &str) -> &Page {
        let page = self.page();
        let link = page.links().into_iter().find(|(_, label)| label.contains(text));
        let (href, _) = link.unwrap_or_else(|| panic!("no link {text:?} at {}:\n{}", page.url, page.body));
        let navigation = Navigation::get(page.url.join(&href).unwrap(), Some(page.url.clone()));
        self.go(navigation).await
    }

    /// Fills in the first form that has these fields, and sends it.
    pub async fn submit_form(&mut self, fields: &[(&str, &str)]) -> &Page {
        let page = self.page();
        let form = page.forms().into_iter().find(|form| fields.iter().all(|(name, _)| form.has(name)));
        let form = form.unwrap_or_else(|| panic!("no such form at {}:\n{}", page.url, page.body));
        let navigation = form.filled(fields).navigation(page);
        self.go(navigation).await
    }

    /// A foreign page sends a form of its own making.
    pub async fn post_from(&mut self, initiator: &str, url: &str, fields: &[(&str, &str)]) -> &Page {
        let page = Page::blank(Url::parse(initiator).unwrap());
        let form = Form { action: url.to_owned(), method: "POST".into(), fields: Vec::new() };
        self.go(form.filled(fields).navigation(&page)).await
    }

    /// A request by a script of the page (or of the target's own site, when no page is shown).
    pub fn fetch(&self, method: &str, url: &str) -> Fetch<'_> {
        Fetch::new(self, method, Url::parse(url).expect("an absolute address"))
    }

    /// Signs in at `origin` through the provider's form, and ends at `return_to`.
    pub async fn sign_in(&mut self, origin: &str, user: &str, return_to: &str) {
        self.sign_in_with(origin, user, &format!("{user}-password"), return_to).await;
    }

    /// The same with a password of the provider's choice.
    pub async fn sign_in_with(&mut self, origin: &str, user: &str, password: &str, return_to: &str) {
        self.navigate(&format!("{origin}/bff/login?return_to={return_to}")).await;
        self.choose("main").await;
        if self.page().forms().iter().any(|form| form.has("username")) {
            self.submit_form(&[("username", user), ("password", password)]).await;
        }
        let page = self.page();
        assert_eq!(page.url.as_str(), format!("{origin}{return_to}"), "sign-in ended elsewhere: {page:?}");
        assert_eq!(page.status, 200, "{page:?}");
    }

    /// Chooses a provider by its id, where the gateway asks for one.
    pub async fn choose(&mut self, provider: &str) {
        let links = self.page().links();
        if let Some((href, _)) = links.iter().find(|(href, _)| href.contains(&format!("/login?provider={provider}&"))) {
            let url = self.page().url.join(href).unwrap();
            let here = self.page().url.to_string();
            self.navigate_from(&here, url.as_str()).await;
        }
    }

    /// Signs out at `origin`, by the address that the gateway gives the app for it.
    pub async fn sign_out(&mut self, origin: &str) -> &Page {
        let user = self.fetch("GET", &format!("{origin}/bff/user")).send().await.expect(200).json();
        let logout = user["logout_url"].as_str().expect("a logout address");
        let url = Url::parse(origin).unwrap().join(logout).unwrap();
        self.navigate_from(origin, url.as_str()).await
    }

    /// Follows a navigation to its end: redirects, refreshes, forms that send themselves.
    async fn go(&mut self, first: Navigation) -> &Page {
        let mut hops = Vec::new();
        let mut next = Some(first);
        while let Some(navigation) = next.take() {
            assert!(
                hops.len() < 30,
                "navigates in circles: {:?}",
                hops.iter().map(|hop: &Hop| hop.url.as_str()).collect::<Vec<_>>()
            );
            if self.hold.as_deref() == Some(navigation.url.path()) {
                self.hold = None;
                self.held = Some(navigation);
                break;
            }
            page::obey_form_action(&navigation);
            let (answer, request) = self.request(&navigation).await;
            hops.push(Hop::new(&navigation.url, &request, &answer));
            next = redirect(&navigation, &answer);
            if next.is_none() {
                let page = Page::new(navigation.url, answer, Vec::new());
                next = page.leads_on();
                self.page = Some(page);
            }
        }
        let page = self.page.get_or_insert_with(|| Page::blank(Url::parse("about:blank").unwrap()));
        page.hops = hops;
        page
    }

    async fn request(&self, navigation: &Navigation) -> (Answer, Request) {
        let Navigation { method, url, body, initiator, chain, origin, .. } = navigation;
        let relation = site::relation_over(initiator.as_ref(), chain, url);
        let named = self.always.iter().find(|(name, _)| name == "User-Agent");
        let mut request = site::request(method, url)
            .header("User-Agent", named.map_or(AGENT, |(_, agent)| agent))
            .header("Accept", HTML)
            .header("Upgrade-Insecure-Requests", "1")
            .header("Sec-Fetch-Site", relation.map_or("none", Relation::header))
            .header("Sec-Fetch-Mode", "navigate")
            .header("Sec-Fetch-Dest", "document");
        if !self.always.iter().any(|(name, _)| name == "Accept-Language") {
            request = request.header("Accept-Language", "en");
        }
        for (name, value) in self.always.iter().filter(|(name, _)| name != "User-Agent") {
            request = request.header(name, value);
        }
        if method != "GET" {
            request = request.header("Origin", origin);
        }
        if let Some(body) = body {
            request = request.header("Content-Type", "application/x-www-form-urlencoded").body(body.as_str());
        }
        let own = site::same_site_over(initiator.as_ref(), chain, url);
        let foreign = if method == "GET" { Trip::ForeignLink } else { Trip::ForeignForm };
        let trip = if own { Trip::OwnSite } else { foreign };
        let cookies = self.jar().header(url, trip);
        if !cookies.is_empty() {
            request = request.header("Cookie", &cookies);
        }
        let answer = request.send(site::port(url)).await.unwrap_or_else(|error| panic!("{method} {url}: {error}"));
        self.jar().store(url, &answer.headers, trip);
        (answer, request)
    }
}

/// The next request of a redirected navigation, by the Fetch specification.
fn redirect(navigation: &Navigation, answer: &Answer) -> Option<Navigation> {
    let location = answer.header("location").filter(|_| matches!(answer.status, 301 | 302 | 303 | 307 | 308))?;
    let mut url = navigation.url.join(location).unwrap_or_else(|_| panic!("a Location that is no address: {location}"));
    if url.fragment().is_none() {
        url.set_fragment(navigation.url.fragment());
    }
    let mut next = navigation.clone();
    next.chain.push(navigation.url.clone());
    if navigation.url.origin() != url.origin() {
        next.origin = "null".into();
    }
    next.url = url;
    if answer.status == 303 || (matches!(answer.status, 301 | 302) && next.method == "POST") {
        next.method = "GET".into();
        next.body = None;
    }
    Some(next)
}
