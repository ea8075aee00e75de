//! A page as far as a browser without scripts understands it: links, forms, refreshes.

use super::Navigation;
use crate::wire::{Answer, Headers, Request};
use url::Url;
use url::form_urlencoded::Serializer;

/// A page that is shown.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its address.
    pub url: Url,
    /// Status of its answer.
    pub status: u16,
    /// Fields of its answer.
    pub headers: Headers,
    /// Its source.
    pub body: String,
    /// The requests that led here since the person last did something.
    pub hops: Vec<Hop>,
}

/// One request on the way to a page, with its answer's head.
#[derive(Clone, Debug)]
pub struct Hop {
    /// Its address.
    pub url: Url,
    /// Its method.
    pub method: String,
    /// What the browser sent.
    pub sent: Headers,
    /// Status of the answer.
    pub status: u16,
    /// Fields of the answer.
    pub headers: Headers,
    /// Body of the answer.
    pub body: String,
}

impl Hop {
    pub(super) fn new(url: &Url, request: &Request, answer: &Answer) -> Self {
        Self {
            url: url.clone(),
            method: request.method.clone(),
            sent: request.headers.clone(),
            status: answer.status,
            headers: answer.headers.clone(),
            body: answer.text(),
        }
    }
}

/// A form with what stands in its fields.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where it goes.
    pub action: String,
    /// GET or POST.
    pub method: String,
    /// Names and values.
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// Whether it has a field.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field == name)
    }

    pub(super) fn filled(mut self, fields: &[(&str, &str)]) -> Self {
        self.fields.retain(|(name, _)| fields.iter().all(|(filled, _)| filled != name));
        self.fields.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }

    pub(super) fn navigation(self, page: &Page) -> Navigation {
        let mut url = page.url.join(&self.action).expect("an action that is an address");
        let data = Serializer::new(String::new()).extend_pairs(&self.fields).finish();
        if self.method == "GET" {
            url.set_query(Some(&data));
            return Navigation::get(url, Some(page.url.clone()));
        }
        // The Fetch specification: a navigation from a page that wants no referrer says `Origin: null`.
        let silent = page.headers.get("referrer-policy").is_some_and(|policy| policy.trim() == "no-referrer");
        let origin = if silent { "null".to_owned() } else { page.url.origin().ascii_serialization() };
        Navigation {
            method: "POST".into(),
            url,
            body: Some(data),
            initiator: Some(page.url.clone()),
            chain: Vec::new(),
            origin,
            policy: page.headers.get("content-security-policy").map(str::to_owned),
        }
    }
}

impl Page {
    pub(super) fn new(url: Url, answer: Answer, hops: Vec<Hop>) -> Self {
        let body = answer.text();
        Self { url, status: answer.status, headers: answer.headers, body, hops }
    }

    pub(super) fn blank(url: Url) -> Self {
        Self { url, status: 0, headers: Headers::default(), body: String::new(), hops: Vec::new() }
    }

    fn is_html(&self) -> bool {
        self.headers.get("content-type").is_some_and(|kind| kind.starts_with("text/html"))
    }

    /// A path of the address, with its query.
    pub fn path(&self) -> &str {
        &self.url[url::Position::BeforePath..url::Position::AfterQuery]
    }

    /// The page's own next step: a refresh, or a form that sends itself.
    pub(super) fn leads_on(&self) -> Option<Navigation> {
        if !self.is_html() {
            return None;
        }
        let tags = tags(&self.body);
        let refresh =
            tags.iter().find(|tag| tag.name == "meta" && tag.get("http-equiv").eq_ignore_ascii_case("refresh"));
        if let Some((_, target)) = refresh.and_then(|tag| tag.get("content").split_once("url=")) {
            let url = self.url.join(target).expect("a refresh to an address");
            return Some(Navigation::get(url, Some(self.url.clone())));
        }
        let sends_itself = tags.iter().any(|tag| tag.name == "body" && tag.get("onload").contains(".submit()"));
        let form = self.forms().into_iter().next().filter(|_| sends_itself)?;
        Some(form.navigation(self))
    }

    /// Links: address and text.
    pub fn links(&self) -> Vec<(String, String)> {
        let links = tags(&self.body).into_iter().filter(|tag| tag.name == "a");
        links.map(|tag| (tag.get("href").to_owned(), tag.text.trim().to_owned())).collect()
    }

    /// Forms in their order, each with what it would send when its first button is pressed.
    pub fn forms(&self) -> Vec<Form> {
        let mut forms: Vec<Form> = Vec::new();
        let (mut open, mut pressed) = (false, false);
        for tag in tags(&self.body) {
            match (tag.name.as_str(), forms.last_mut().filter(|_| open)) {
                ("form", _) => {
                    (open, pressed) = (true, false);
                    let post = tag.get("method").eq_ignore_ascii_case("post");
                    let method = if post { "POST" } else { "GET" }.to_owned();
                    forms.push(Form { action: tag.get("action").to_owned(), method, fields: Vec::new() });
                }
                ("/form", _) => open = false,
                ("input" | "button" | "select" | "textarea", Some(form)) => {
                    let button = tag.name == "button" || tag.get("type") == "submit";
                    let sent = !(tag.get("name").is_empty() || button && pressed);
                    pressed |= button;
                    if sent {
                        form.fields.push((tag.get("name").to_owned(), tag.get("value").to_owned()));
                    }
                }
                _ => {}
            }
        }
        forms
    }
}

/// A form's policy holds for every redirect of its navigation too, as Chromium has it.
pub(super) fn obey_form_action(navigation: &Navigation) {
    let (Some(policy), Some(page)) = (&navigation.policy, &navigation.initiator) else {
        return;
    };
    let directive = policy.split(';').map(str::trim).find_map(|part| part.strip_prefix("form-action "));
    let own = page.origin() == navigation.url.origin();
    let target = navigation.url.origin().ascii_serialization();
    let allowed = directive
        .is_none_or(|sources| sources.split(' ').any(|source| (source == "'self'" && own) || source == target));
    assert!(allowed, "form-action blocks {} ({policy})", navigation.url);
}

#[derive(Default)]
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
    /// The text up to the next tag.
    text: String,
}

impl Tag {
    fn get(&self, name: &str) -> &str {
        self.attributes.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// The opening tags of a source, and where forms close. Comments, scripts and styles do not occur in what is read here but for their tags.
fn tags(source: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let named =
        |piece: &&str| piece.starts_with("/form") || piece.starts_with(|first: char| first.is_ascii_alphabetic());
    for piece in source.split('<').skip(1).filter(named) {
        let mut tag = Tag::default();
        let mut rest = piece;
        let end = rest.find(|char: char| char.is_whitespace() || char == '>').unwrap_or(rest.len());
        tag.name = rest[..end].trim_end_matches('/').to_ascii_lowercase();
        rest = &rest[end..];
        while let Some((key, value, after)) = attribute(rest) {
            tag.attributes.push((key, value));
            rest = after;
        }
        tag.text = unescape(rest.split_once('>').map_or("", |(_, text)| text));
        tags.push(tag);
    }
    tags
}

fn attribute(source: &str) -> Option<(String, String, &str)> {
    let rest = source.trim_start_matches(|char: char| char.is_whitespace() || char == '/');
    let end = rest.find(|char: char| char.is_whitespace() || matches!(char, '=' | '>' | '/'))?;
    let (key, rest) = (rest[..end].to_ascii_lowercase(), &rest[end..]);
    if key.is_empty() {
        return None;
    }
    let Some(rest) = rest.trim_start().strip_prefix('=') else {
        return Some((key, String::new(), rest));
    };
    let rest = rest.trim_start();
    let quote = rest.chars().next().filter(|char| matches!(char, '"' | '\''));
    let (value, rest) = match quote {
        Some(quote) => rest[1..].split_once(quote)?,
        None => rest.split_at(rest.find(|char: char| char.is_whitespace() || char == '>')?),
    };
    Some((key, unescape(value), rest))
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let known = after.split_once(';').and_then(|(entity, tail)| Some((character(entity)?, tail)));
        let (char, tail) = known.unwrap_or(('&', after));
        out.push(char);
        rest = tail;
    }
    out + rest
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = number
                .strip_prefix(['x', 'X'])
                .map_or_else(|| number.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok());
            char::from_u32(code?)
        }
    }
}
