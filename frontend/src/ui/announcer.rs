//! What happened, for those who do not see it.

use leptos::prelude::*;

/// Says things to assistive technology.
#[derive(Clone, Copy)]
pub(crate) struct Announcer(RwSignal<(u32, String)>);

impl Announcer {
    /// Makes it available below.
    pub(crate) fn provide() {
        provide_context(Self(RwSignal::new((0, String::new()))));
    }

    /// The one of this page.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// Says it. What is said twice is said twice.
    pub(crate) fn say(self, words: impl Into<String>) {
        let words = words.into();
        self.0.try_update(|(count, said)| {
            *count = count.wrapping_add(1);
            *said = words;
        });
    }
}

/// The region that is read out: in the page from the start, as WCAG 4.1.3 needs. The same words again are told apart
/// by a no-break space.
pub(crate) fn live_region() -> AnyView {
    let Announcer(said) = Announcer::get();
    let words = move || said.with(|(count, words)| format!("{words}{}", if count % 2 == 0 { "" } else { "\u{a0}" }));
    view! { <div class="sr-only" role="status" aria-live="polite">{words}</div> }.into_any()
}
