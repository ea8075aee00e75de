//! Which sessions: a form whose state is the address, so that cells of other lists can lead here with it filled.

use cloakroom_api::{Named, Overview, Page, Session, StateFilter};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlFormElement;

use super::PATH;
use crate::api;
use crate::domain::field::{Field, choice, moment_field, text_field};
use crate::routes::with_search;
use crate::state::address::{Address, Step};
use crate::state::clock::{Moment, utc_of};
use crate::state::filters::Filters;
use crate::state::list_query::ListQuery;
use crate::state::loaded::{Loaded, OnChange};
use crate::state::spawn::effect;
use crate::ui::{Notice, Part, Tone, button, classed, icon, live, notice, part};

/// What is in the fields; moments are in the browser's zone here, and in UTC in the address.
#[derive(Clone, Copy)]
struct Form {
    sub: RwSignal<String>,
    issuer: RwSignal<String>,
    client: RwSignal<String>,
    provider: RwSignal<String>,
    network: RwSignal<String>,
    user_agent: RwSignal<String>,
    from: RwSignal<String>,
    before: RwSignal<String>,
    /// Sessions by their ids, as another list picked them.
    sessions: RwSignal<String>,
    all: RwSignal<bool>,
    /// Whether a preview was asked for with nothing said.
    is_empty: RwSignal<bool>,
}

impl Form {
    fn new() -> Self {
        let text = || RwSignal::new(String::new());
        Self {
            sub: text(),
            issuer: text(),
            client: text(),
            provider: text(),
            network: text(),
            user_agent: text(),
            from: text(),
            before: text(),
            sessions: text(),
            all: RwSignal::new(false),
            is_empty: RwSignal::new(false),
        }
    }

    fn texts(self) -> [(&'static str, RwSignal<String>); 7] {
        [
            ("sessions", self.sessions),
            ("sub", self.sub),
            ("issuer", self.issuer),
            ("client", self.client),
            ("provider", self.provider),
            ("network", self.network),
            ("user_agent", self.user_agent),
        ]
    }

    fn moments(self) -> [(&'static str, RwSignal<String>); 2] {
        [("started_from", self.from), ("started_before", self.before)]
    }

    /// Fills the fields from the address.
    fn read(self, filters: &Filters) {
        for (name, text) in self.texts() {
            text.set(filters.get(name).unwrap_or_default().to_owned());
        }
        for (name, text) in self.moments() {
            text.set(filters.get(name).and_then(Moment::parse).map(|at| at.field()).unwrap_or_default());
        }
        self.all.set(filters.get("all") == Some("true"));
    }

    /// The filters that the fields say.
    fn asked(self) -> Filters {
        let mut asked = Filters::default();
        for (name, text) in self.texts() {
            asked = asked.with(name, &text.get_untracked());
        }
        for (name, text) in self.moments() {
            asked = asked.with(name, &utc_of(&text.get_untracked()).unwrap_or_default());
        }
        if self.all.get_untracked() { asked.with("all", "true") } else { asked }
    }
}

/// The form.
pub(super) fn form(filters: Memo<Result<Filters, String>>) -> AnyView {
    let address = Address::get();
    let this = Form::new();
    effect(move || this.read(&filters.get().unwrap_or_default()));
    let newest = Loaded::<Page<Session>>::new(OnChange::Keep, || {
        Some(api::sessions::list(&ListQuery { state: StateFilter::Live, ..ListQuery::default() }))
    });
    complete_person(this, newest);
    let submit = move |event: web_sys::Event| {
        event.prevent_default();
        // Half a moment is none to the browser: said, rather than left out, which would end more than was meant.
        let form = event.current_target().and_then(|form| form.dyn_into::<HtmlFormElement>().ok());
        if form.is_some_and(|form| !form.report_validity()) {
            return;
        }
        let asked = this.asked();
        this.is_empty.set(asked.set().next().is_none());
        if !this.is_empty.get_untracked() {
            address.go(&with_search(PATH, &asked.search()), Step::Within);
        }
    };
    let every = part("input")
        .attr("type", "checkbox")
        .live_checked(move || this.all.get())
        .on("change", move |_| this.all.update(|all| *all = !*all));
    let every = part("label").class("check").child(every).child(part("span").text("Every session that I may see"));
    let complaint = live(move || {
        this.is_empty.get().then(|| {
            let words = "Say which sessions: fill a field, or tick “Every session”.";
            classed("p", "field-error small").attr("role", "alert").child(icon("circle-alert")).text(words)
        })
    });
    let look = part("button").class("button primary").attr("type", "submit").text("Show what would end");
    let form = classed("form", "incident-form")
        .attr("novalidate", "")
        .on("submit", submit)
        .child(classed("div", "form-groups").child(who(this)).child(whence(this)).child(when(this)))
        .view(named(this))
        .child(every)
        .view(complaint)
        .child(classed("div", "try-actions").child(look))
        .view(offers(newest));
    let unknown = live(move || filters.get().err().map(|name| unknown(&name)));
    Part::any(
        classed("section", "panel")
            .attr("aria-labelledby", "which-title")
            .child(part("h2").attr("id", "which-title").text("Which sessions"))
            .view(unknown)
            .child(form),
    )
}

fn group(title: &'static str) -> Part {
    classed("fieldset", "form-group").child(part("legend").text(title))
}

fn who(form: Form) -> Part {
    let hint = Some("The id (sub) that the provider knows them by.");
    let sub = Field { id: "re-sub", label: "Person", value: form.sub, hint };
    let issuer = Field { id: "re-issuer", label: "Issuer of that id", value: form.issuer, hint: None };
    group("Who")
        .child(text_field(sub, "text", Some("re-subs")))
        .child(text_field(issuer, "text", Some("re-issuers")))
        .view(choices(form))
}

/// Clients and providers that have live sessions, and those that are set.
fn choices(form: Form) -> AnyView {
    let known = Loaded::<Overview>::new(OnChange::Keep, || Some(api::overview::address()));
    let options = |named: Option<Vec<Named>>, first: &str, set: RwSignal<String>| {
        let mut options = vec![(String::new(), first.to_owned())];
        options.extend(named.unwrap_or_default().into_iter().map(|named| (named.id, named.name)));
        let set = set.get();
        if options.iter().all(|(id, _)| *id != set) {
            options.push((set.clone(), set));
        }
        options
    };
    live(move || {
        let clients = options(known.map(|overview| overview.by_client.clone()), "Any client", form.client);
        let providers = options(known.map(|overview| overview.by_provider.clone()), "Any provider", form.provider);
        classed("div", "form-pair").child(choice("re-client", "Client", form.client, clients)).child(choice(
            "re-provider",
            "Provider",
            form.provider,
            providers,
        ))
    })
}

/// Sessions by their ids; taken off, the other fields say which.
fn named(form: Form) -> AnyView {
    live(move || {
        let count = form.sessions.with(|ids| ids.split(',').filter(|id| !id.is_empty()).count());
        (count > 0).then(|| {
            let words =
                if count == 1 { "1 session by its id".to_owned() } else { format!("{count} sessions by their ids") };
            let off = button("chip-off", move || form.sessions.set(String::new()))
                .attr("aria-label", format!("Take off: {words}"))
                .child(icon("x"));
            classed("ul", "chips").child(classed("li", "chip").child(part("span").text(words)).child(off))
        })
    })
}

fn whence(form: Form) -> Part {
    let hint = Some("One address, or a network such as 192.0.2.0/24.");
    let network = Field { id: "re-network", label: "Address range", value: form.network, hint };
    let hint = Some("A part of it, such as Firefox/145.");
    let agent = Field { id: "re-agent", label: "User agent", value: form.user_agent, hint };
    group("From where").child(text_field(network, "text", None)).child(text_field(agent, "text", None))
}

fn when(form: Form) -> Part {
    let from = Field { id: "re-from", label: "Issued at or after", value: form.from, hint: None };
    let before = Field { id: "re-before", label: "Issued before", value: form.before, hint: None };
    // The field has whole seconds: the rest of this one is covered.
    let now = move || form.before.set(Moment::from_ms(js_sys::Date::now() + 999.0).field());
    group("When")
        .child(moment_field(from))
        .child(moment_field(before))
        .child(classed("div", "suggestions").child(button("suggestion", now).text("Everything issued before now")))
}

/// A person that is known has one issuer: it is filled in.
fn complete_person(form: Form, newest: Loaded<Page<Session>>) {
    effect(move || {
        let sub = form.sub.get();
        let issuer = newest.map(|page| page.items.iter().find(|one| one.sub == sub).map(|one| one.issuer.clone()));
        if let Some(issuer) = issuer.flatten().filter(|_| form.issuer.with_untracked(String::is_empty)) {
            form.issuer.set(issuer);
        }
    });
}

fn unknown(name: &str) -> Part {
    let words = Notice {
        tone: Tone::Warn,
        title: "This link has a filter that is not known".to_owned(),
        text: format!("It is called “{name}”. Nothing would end by it."),
        request_id: None,
    };
    notice(words, None)
}

/// People and issuers of the newest sessions, offered while typing.
fn offers(newest: Loaded<Page<Session>>) -> AnyView {
    live(move || {
        let sessions = newest.data().map(|page| page.items).unwrap_or_default();
        let list = |id: &str, of: fn(&Session) -> (String, String)| {
            let mut values: Vec<(String, String)> = Vec::new();
            for value in sessions.iter().map(of) {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            let options = values.into_iter().map(|(value, words)| part("option").attr("value", value).text(words));
            part("datalist").attr("id", id).all(options)
        };
        part("div")
            .attr("hidden", "")
            .child(list("re-subs", |session| (session.sub.clone(), session.display().to_owned())))
            .child(list("re-issuers", |session| (session.issuer.clone(), session.provider_id.clone())))
    })
}
