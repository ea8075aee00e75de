//! "Try a request": a call described, and what would become of it. The question stands in the address, so that a link
//! shows the same answer.

use cloakroom_api::{Explanation, RouteList};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::answer;
use crate::api::{self, Failure};
use crate::domain::field::{Field, choice, text_area, text_field};
use crate::routes::{Page, with_search};
use crate::state::address::{Address, Step};
use crate::state::loaded::Loaded;
use crate::state::query_string;
use crate::state::spawn::{effect, scoped};
use crate::state::viewer::Viewer;
use crate::ui::{Announcer, Part, classed, icon, live, part};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const CALLERS: [(&str, &str); 3] =
    [("anonymous", "Nobody signed in"), ("session", "A signed-in person"), ("machine", "A machine with a token")];

/// What becomes of a call, as far as it is known.
pub(super) type Told = Option<Result<Explanation, Failure>>;

/// The form and its answer.
#[derive(Clone, Copy)]
pub(super) struct Explainer {
    method: RwSignal<String>,
    url: RwSignal<String>,
    caller: RwSignal<String>,
    claims: RwSignal<String>,
    /// What is wrong with the form.
    wrong: RwSignal<Option<&'static str>>,
    told: RwSignal<Told>,
    /// Goes up with each press of the button: the same question may be asked twice.
    asked: RwSignal<u32>,
    address: Address,
}

impl Explainer {
    pub(super) fn new() -> Self {
        let text = |text: &str| RwSignal::new(text.to_owned());
        let this = Self {
            method: text("GET"),
            url: text(""),
            caller: text("session"),
            claims: text(""),
            wrong: RwSignal::new(None),
            told: RwSignal::new(None),
            asked: RwSignal::new(0),
            address: Address::get(),
        };
        let viewer = Viewer::get();
        let announcer = Announcer::get();
        effect(move || {
            viewer.track();
            this.asked.track();
            this.read(&this.address.search());
            let call = untrack(|| this.call());
            if call.url.is_empty() {
                this.told.set(None);
                return;
            }
            let Ok(question) = call.question() else { return };
            scoped(async move {
                let told = api::routes::explain(question).await;
                match &told {
                    Ok(told) => announcer.say(answer::verdict(told)),
                    Err(failure) => viewer.notice(failure),
                }
                this.told.try_set(Some(told));
            });
        });
        this
    }

    /// Fills the form from an address.
    fn read(self, search: &str) {
        for (name, value) in query_string::read(search) {
            match name.as_str() {
                "method" if METHODS.contains(&value.as_str()) => self.method.set(value),
                "url" => self.url.set(value),
                "caller" if CALLERS.iter().any(|(code, _)| *code == value) => self.caller.set(value),
                "claims" => self.claims.set(value),
                _ => {}
            }
        }
    }

    /// Fills the form from a route, and goes there.
    pub(super) fn fill(self, method: &str, url: &str) {
        self.method.set(method.to_owned());
        self.url.set(url.to_owned());
        self.told.set(None);
        let field = document().get_element_by_id("try-url").and_then(|field| field.dyn_into::<HtmlElement>().ok());
        field.and_then(|field| field.focus().ok());
    }

    fn call(self) -> api::routes::Call {
        api::routes::Call {
            method: self.method.get(),
            url: self.url.get().trim().to_owned(),
            caller: self.caller.get(),
            claims: self.claims.get(),
        }
    }

    fn submit(self) {
        let call = untrack(|| self.call());
        let wrong = if !call.url.starts_with("http://") && !call.url.starts_with("https://") {
            Some("Write the whole address, such as https://app.example.com/api/orders.")
        } else if call.question().is_err() {
            Some("The claims are no JSON object, such as {\"groups\": [\"staff\"]}.")
        } else {
            None
        };
        self.wrong.set(wrong);
        if wrong.is_some() {
            return;
        }
        let mut pairs = vec![("method", call.method.as_str()), ("url", &call.url), ("caller", &call.caller)];
        if !call.claims.trim().is_empty() {
            pairs.push(("claims", &call.claims));
        }
        let to = with_search(Page::Routes.path(), &query_string::write(&pairs));
        self.asked.update(|asked| *asked += 1);
        self.address.go(&to, Step::Within);
    }

    pub(super) fn view(self, routes: Loaded<RouteList>) -> AnyView {
        let submit = move |event: web_sys::Event| {
            event.prevent_default();
            self.submit();
        };
        let methods = METHODS.map(|method| (method.to_owned(), method.to_owned()));
        let url = Field { id: "try-url", label: "Address", value: self.url, hint: None };
        let claims = Field {
            id: "try-claims",
            label: "Claims",
            value: self.claims,
            hint: Some("As the ID token has them; scope holds the granted scopes. Leave empty for none."),
        };
        let callers = CALLERS.map(|(code, words)| (code.to_owned(), words.to_owned()));
        let origins = live(move || {
            let mut origins: Vec<_> = routes
                .map(|list| list.items.iter().map(|route| format!("{}{}", route.origin, route.path)).collect())
                .unwrap_or_default();
            origins.dedup();
            part("datalist")
                .attr("id", "try-urls")
                .all(origins.into_iter().map(|url: String| part("option").attr("value", url)))
        });
        let wrong = live(move || {
            self.wrong.get().map(|wrong| {
                classed("p", "field-error small").attr("role", "alert").child(icon("circle-alert")).text(wrong)
            })
        });
        let line = classed("div", "try-line")
            .child(choice("try-method", "Method", self.method, methods.into()))
            .child(text_field(url, "url", Some("try-urls")))
            .child(choice("try-caller", "Caller", self.caller, callers.into()));
        let ask = part("button").class("button primary").attr("type", "submit").text("Explain");
        let more = part("details").child(part("summary").text("Claims of the caller")).child(text_area(claims, 4));
        let form = classed("form", "try-form")
            .attr("novalidate", "")
            .on("submit", submit)
            .child(line)
            .child(more)
            .view(wrong)
            .child(
                classed("div", "try-actions")
                    .child(ask)
                    .child(classed("span", "small faint").text("Nobody is called.")),
            )
            .view(origins);
        let answer = classed("div", "try-answer").live(move || self.told.get().map(answer::view));
        let title = part("h2").attr("id", "try-title").text("Try a request");
        Part::any(
            classed("section", "panel try").attr("aria-labelledby", "try-title").child(title).child(form).child(answer),
        )
    }
}
