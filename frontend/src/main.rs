//! The administrators' console: Leptos, rendered in the browser, talking to `/admin/api/v1` and nothing else.
//!
//! Rooms: `api` fetches (nothing else does), `state` keeps what outlives a view, `ui` draws parts that know neither
//! API nor domain, `domain` knows sessions, devices and events, `shell` is the frame around each page, `pages` has a
//! file or folder per page. Pages never import pages. What is pure (routes, query strings, time, the list's query) is
//! tested natively: `cargo test -p cloakroom-console`.
//!
//! Outside Rust: `index.html` and `boot/boot.js` (theme before paint, start, crash screen), `styles/` (one cascade
//! layer a file; colours stand in tokens.css alone), `icons/` (Lucide, ISC; one sprite), `tools/` (npm packages of the
//! build). `cargo xtask console` builds all of it into `dist/`.
//!
//! Traps, each held by a rule here:
//! - The page's Content-Security-Policy allows no inline style: `style:width=` (a property) passes, the attribute does
//!   not.
//! - A signal read after its owner is gone panics: futures write with `try_set`, and read nothing after an await.
//! - A change of address neither moves focus nor announces: `shell::frame` does.

mod api;
mod app;
mod domain;
mod pages;
mod routes;
mod shell;
mod state;
mod ui;

use leptos::mount::mount_to;
use wasm_bindgen::JsCast;
use web_sys::{CustomEvent, HtmlElement};

fn main() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        // A panic freezes WebAssembly: the crash screen is boot.js's.
        if let (Some(window), Ok(event)) = (web_sys::window(), CustomEvent::new("cloakroom:crash")) {
            window.dispatch_event(&event).ok();
        }
    }));
    let root = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id("app"))
        .and_then(|element| element.dyn_into::<HtmlElement>().ok());
    if let Some(root) = root {
        mount_to(root, app::app).forget();
    }
}
