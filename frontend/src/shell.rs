//! The frame around each page.

mod account;
mod frame;
mod known;
mod nav;
mod palette;
mod shortcuts;
mod sign_in_again;

use leptos::prelude::*;

pub(crate) use frame::frame;

/// The layers that open from anywhere.
#[derive(Clone, Copy)]
pub(crate) struct Overlays {
    /// The command palette.
    palette: RwSignal<bool>,
    /// The list of shortcuts.
    shortcuts: RwSignal<bool>,
}

impl Overlays {
    /// Makes them available below.
    pub(crate) fn provide() {
        provide_context(Self { palette: RwSignal::new(false), shortcuts: RwSignal::new(false) });
    }

    fn get() -> Self {
        expect_context()
    }
}
