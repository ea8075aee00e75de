//! Elements as data: a tree that is drawn by one function. `view!` compiles each element into code of its own, some
//! 400 bytes each; a part costs a fifth of that, which is how all pages fit into one WebAssembly of 215 kB
//! (docs/decisions/0020-the-consoles-weight.md). Signals, effects and owners are Leptos's, and both kinds of view
//! hold each other.

use leptos::prelude::{AnyView, IntoAny, RenderEffect};
use leptos::tachys::html::attribute::Attribute;
use leptos::tachys::html::attribute::any_attribute::AnyAttribute;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::view::add_attr::AddAnyAttr;
use leptos::tachys::view::any_view::AnyViewState;
use leptos::tachys::view::{Mountable, Position, PositionState, Render, RenderHtml};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, Event, HtmlElement, Node};

const SVG: &str = "http://www.w3.org/2000/svg";

/// An element with all that is in it.
pub(crate) struct Part(Box<Drawn>);

#[derive(Default)]
struct Drawn {
    tag: &'static str,
    namespace: Option<&'static str>,
    attributes: Vec<(&'static str, Value)>,
    children: Vec<Child>,
    listeners: Vec<(&'static str, Listener)>,
    ready: Option<Ready>,
}

type Words = Box<dyn Fn() -> Option<String> + Send>;
type Listener = Box<dyn FnMut(Event) + Send>;
type Ready = Box<dyn FnOnce(Element) + Send>;

enum Value {
    Fixed(String),
    Live(Words),
    /// The element's property, not its attribute: what a field holds.
    Property(Words),
    /// Whether a box is ticked: something, or nothing.
    Ticked(Words),
}

enum Child {
    Text(String),
    Part(Part),
    View(AnyView),
}

/// An HTML element.
pub(crate) fn part(tag: &'static str) -> Part {
    Part(Box::new(Drawn { tag, ..Drawn::default() }))
}

/// An HTML element of a class.
pub(crate) fn classed(tag: &'static str, class: &str) -> Part {
    part(tag).class(class)
}

/// An SVG element.
pub(crate) fn svg(tag: &'static str) -> Part {
    Part(Box::new(Drawn { tag, namespace: Some(SVG), ..Drawn::default() }))
}

/// Text from outside, kept from turning the text around it (Unicode bidi).
pub(crate) fn foreign(text: impl Into<String>) -> Part {
    part("bdi").text(text)
}

/// A link inside the console.
pub(crate) fn link(href: impl Into<String>) -> Part {
    part("a").attr("href", href)
}

/// A button that does something when pressed.
pub(crate) fn button(class: &str, press: impl Fn() + Send + 'static) -> Part {
    part("button").class(class).attr("type", "button").on("click", move |_| press())
}

/// A status as icon, word and colour: never one of them alone.
pub(crate) fn badge(colour: &str, sign: &str, word: impl Into<String>) -> Part {
    part("span").class(&format!("badge {colour}")).child(super::icon(sign)).text(word)
}

/// A view that is drawn anew when a signal that it reads changes.
pub(crate) fn live<V: IntoAny>(view: impl Fn() -> V + Send + 'static) -> AnyView {
    live_boxed(Box::new(move || view().into_any()))
}

fn live_boxed(view: Box<dyn Fn() -> AnyView + Send>) -> AnyView {
    (move || view()).into_any()
}

impl Part {
    /// An attribute.
    pub(crate) fn attr(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.attributes.push((name, Value::Fixed(value.into())));
        self
    }

    /// Its class.
    pub(crate) fn class(self, class: &str) -> Self {
        self.attr("class", class)
    }

    /// An attribute that follows signals; absent while it is `None`.
    pub(crate) fn live_attr(mut self, name: &'static str, value: impl Fn() -> Option<String> + Send + 'static) -> Self {
        self.0.attributes.push((name, Value::Live(Box::new(value))));
        self
    }

    /// What a field holds, following signals.
    pub(crate) fn live_value(mut self, value: impl Fn() -> String + Send + 'static) -> Self {
        self.0.attributes.push(("value", Value::Property(Box::new(move || Some(value())))));
        self
    }

    /// Its width in percent: a property, which the page's policy lets pass.
    pub(crate) fn width(self, percent: u64) -> Self {
        self.ready(move |element| {
            if let Some(element) = element.dyn_ref::<HtmlElement>() {
                element.style().set_property("width", &format!("{percent}%")).ok();
            }
        })
    }

    /// Whether a box is ticked, following signals.
    pub(crate) fn live_checked(mut self, is: impl Fn() -> bool + Send + 'static) -> Self {
        let words = move || is().then(String::new);
        self.0.attributes.push(("checked", Value::Ticked(Box::new(words))));
        self
    }

    /// Text behind what is there.
    pub(crate) fn text(mut self, text: impl Into<String>) -> Self {
        self.0.children.push(Child::Text(text.into()));
        self
    }

    /// A child behind those that are there.
    pub(crate) fn child(mut self, child: Part) -> Self {
        self.0.children.push(Child::Part(child));
        self
    }

    /// A child, if there is one.
    pub(crate) fn maybe(self, child: Option<Part>) -> Self {
        if let Some(child) = child { self.child(child) } else { self }
    }

    /// Many children.
    pub(crate) fn all(mut self, children: impl IntoIterator<Item = Part>) -> Self {
        self.0.children.extend(children.into_iter().map(Child::Part));
        self
    }

    /// A view as a child.
    pub(crate) fn view(mut self, view: AnyView) -> Self {
        self.0.children.push(Child::View(view));
        self
    }

    /// A child that follows signals.
    pub(crate) fn live<V: IntoAny>(self, view: impl Fn() -> V + Send + 'static) -> Self {
        self.view(live(view))
    }

    /// Hears an event.
    pub(crate) fn on(mut self, event: &'static str, listener: impl FnMut(Event) + Send + 'static) -> Self {
        self.0.listeners.push((event, Box::new(listener)));
        self
    }

    /// Called with the element when it is made, before it is in the page.
    pub(crate) fn ready(mut self, ready: impl FnOnce(Element) + Send + 'static) -> Self {
        self.0.ready = Some(Box::new(ready));
        self
    }

    /// The part as a view.
    pub(crate) fn any(self) -> AnyView {
        self.into_any()
    }
}

/// A part in the page, with all that must live as long.
pub(crate) struct Built {
    element: Element,
    _kept: Kept,
}

#[derive(Default)]
struct Kept {
    views: Vec<AnyViewState>,
    effects: Vec<RenderEffect<()>>,
    listeners: Vec<Closure<dyn FnMut(Event)>>,
}

fn draw(part: Part, kept: &mut Kept) -> Option<Element> {
    let Drawn { tag, namespace, attributes, children, listeners, ready } = *part.0;
    let document = leptos::prelude::document();
    let element = match namespace {
        Some(_) => document.create_element_ns(namespace, tag).ok()?,
        None => document.create_element(tag).ok()?,
    };
    for child in children {
        match child {
            Child::Text(text) => {
                element.append_child(&document.create_text_node(&text)).ok();
            }
            Child::Part(part) => {
                draw(part, kept).and_then(|child| element.append_child(&child).ok());
            }
            Child::View(view) => {
                let mut view = view.build();
                view.mount(&element, None);
                kept.views.push(view);
            }
        }
    }
    // After the children: a select takes its value only where the option is there.
    for (name, value) in attributes {
        match value {
            Value::Fixed(value) => {
                element.set_attribute(name, &value).ok();
            }
            Value::Live(value) => kept.effects.push(follow(element.clone(), name, value, write_attribute)),
            Value::Ticked(value) => kept.effects.push(follow(element.clone(), name, value, write_ticked)),
            Value::Property(value) => kept.effects.push(follow(element.clone(), name, value, write_property)),
        }
    }
    for (event, listener) in listeners {
        let listener = Closure::new(listener);
        element.add_event_listener_with_callback(event, listener.as_ref().unchecked_ref()).ok();
        kept.listeners.push(listener);
    }
    if let Some(ready) = ready {
        ready(element.clone());
    }
    Some(element)
}

type Write = fn(&Element, &'static str, Option<&str>);

fn follow(element: Element, name: &'static str, value: Words, write: Write) -> RenderEffect<()> {
    RenderEffect::new(move |_| write(&element, name, value().as_deref()))
}

fn write_attribute(element: &Element, name: &'static str, value: Option<&str>) {
    match value {
        Some(value) => element.set_attribute(name, value).ok(),
        None => element.remove_attribute(name).ok(),
    };
}

fn write_property(element: &Element, name: &'static str, value: Option<&str>) {
    js_sys::Reflect::set(element, &name.into(), &value.unwrap_or_default().into()).ok();
}

fn write_ticked(element: &Element, name: &'static str, value: Option<&str>) {
    js_sys::Reflect::set(element, &name.into(), &value.is_some().into()).ok();
}

/// What a field holds after an event of its own.
pub(crate) fn value_of(event: &Event) -> String {
    let value = event.target().and_then(|target| js_sys::Reflect::get(&target, &"value".into()).ok());
    value.and_then(|value| value.as_string()).unwrap_or_default()
}

impl Render for Part {
    type State = Built;

    fn build(self) -> Built {
        let mut kept = Kept::default();
        let element = draw(self, &mut kept).expect("tags here are names of elements");
        Built { element, _kept: kept }
    }

    fn rebuild(self, state: &mut Built) {
        let mut new = self.build();
        state.insert_before_this(&mut new);
        state.unmount();
        *state = new;
    }
}

impl Mountable for Built {
    fn unmount(&mut self) {
        self.element.remove();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        self.element.mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.element.insert_before_this(child)
    }

    fn elements(&self) -> Vec<Element> {
        vec![self.element.clone()]
    }
}

impl AddAnyAttr for Part {
    type Output<NewAttr: Attribute> = Self;

    fn add_any_attr<NewAttr: Attribute>(self, _: NewAttr) -> Self {
        self
    }
}

/// Nothing is drawn on a server here, and nothing hydrated.
impl RenderHtml for Part {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(self, _: &mut String, _: &mut Position, _: bool, _: bool, _: Vec<AnyAttribute>) {}

    fn hydrate<const FROM_SERVER: bool>(self, _: &Cursor, _: &PositionState) -> Built {
        self.build()
    }

    fn into_owned(self) -> Self {
        self
    }
}
