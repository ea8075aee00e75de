//! News behind a list: asked for now and then, counted, and shown only when the person says so, so that nothing moves
//! under the pointer.

use std::sync::Arc;
use std::time::Duration;

use leptos::ev;
use leptos::prelude::*;

use super::loaded::Call;
use super::spawn::{effect, scoped};
use crate::api::{self, Json};

/// How often is asked.
const EACH: Duration = Duration::from_secs(4);
/// Without a key or a pointer for this long, nobody is there: a console left open does not keep its session alive.
const ALONE_AFTER_MS: f64 = 300_000.0;

/// What is new since the list was read.
#[derive(Clone, Copy)]
pub(crate) struct Live {
    fresh: RwSignal<usize>,
    paused: RwSignal<bool>,
}

impl Live {
    /// Watches the list at `address`; `None` watches nothing. `shown` says which items are known by their ids.
    pub(crate) fn watch(
        address: impl Fn() -> Option<String> + Send + Sync + 'static,
        shown: impl Fn() -> Vec<String> + Send + Sync + 'static,
    ) -> Self {
        let this = Self { fresh: RwSignal::new(0), paused: RwSignal::new(false) };
        this.start(Arc::new(address), Arc::new(shown));
        this
    }

    fn start(
        self,
        address: Arc<dyn Fn() -> Option<String> + Send + Sync>,
        shown: Arc<dyn Fn() -> Vec<String> + Send + Sync>,
    ) {
        let last_input = StoredValue::new(js_sys::Date::now());
        let here = move || last_input.set_value(js_sys::Date::now());
        let heard = [
            window_event_listener(ev::keydown, move |_| here()),
            window_event_listener(ev::pointermove, move |_| here()),
            window_event_listener(ev::pointerdown, move |_| here()),
        ];
        on_cleanup(move || heard.into_iter().for_each(WindowListenerHandle::remove));
        // What is read anew has no news.
        let known = Arc::clone(&shown);
        effect(move || {
            known();
            self.fresh.set(0);
        });
        let busy = StoredValue::new(false);
        let ask = move || {
            let alone = js_sys::Date::now() - last_input.get_value() > ALONE_AFTER_MS;
            if self.paused.get_untracked() || busy.get_value() || alone || document().hidden() {
                return;
            }
            let Some(address) = untrack(|| address()) else { return };
            busy.set_value(true);
            let shown = Arc::clone(&shown);
            scoped(async move {
                let answer = api::get(&address, None).await;
                busy.try_set_value(false);
                if let (Ok(answer), false) = (answer, self.fresh.is_disposed()) {
                    let shown = untrack(|| shown());
                    self.fresh.try_set(fresh(&answer, &shown));
                }
            });
        };
        if let Ok(ticks) = set_interval_with_handle(ask, EACH) {
            on_cleanup(move || ticks.clear());
        }
    }

    /// Listens to the stream at `address`, and counts what comes; `read` is told when the list was read anew.
    pub(crate) fn listen(
        address: impl Fn() -> Option<String> + Send + Sync + 'static,
        read: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let this = Self { fresh: RwSignal::new(0), paused: RwSignal::new(false) };
        effect(move || {
            read();
            this.fresh.set(0);
        });
        let again = RwSignal::new(0_u32);
        Effect::new(move |last: Option<Option<Call>>| {
            drop(last);
            again.track();
            let address = address().filter(|_| !this.paused())?;
            let call = Call::new();
            let signal = call.signal()?;
            scoped(async move {
                let count = move |_| {
                    this.fresh.try_update(|fresh| *fresh += 1);
                };
                // The gateway ends a stream when it stops; a lost one begins again, after a while.
                api::listen(&address, &signal, count).await.ok();
                if !signal.aborted() {
                    set_timeout(
                        move || {
                            again.try_update(|again| *again += 1);
                        },
                        EACH,
                    );
                }
            });
            Some(call)
        });
        this
    }

    /// How many items are new.
    pub(crate) fn fresh(self) -> usize {
        self.fresh.get()
    }

    /// Whether nobody asks just now.
    pub(crate) fn paused(self) -> bool {
        self.paused.get()
    }

    /// Stops asking, or goes on.
    pub(crate) fn toggle(self) {
        self.paused.update(|paused| *paused = !*paused);
    }
}

/// Items whose ids are not among those that are shown.
fn fresh(answer: &Json, shown: &[String]) -> usize {
    let Some(Json::List(items)) = answer.get("items") else { return 0 };
    let ids = items.iter().filter_map(|item| if let Some(Json::Text(id)) = item.get("id") { Some(id) } else { None });
    ids.filter(|id| !shown.contains(id)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_shown_is_new() {
        let answer = Json::parse(r#"{"items":[{"id":"a"},{"id":"b"},{"id":"c"}]}"#).unwrap();
        assert_eq!(fresh(&answer, &["b".to_owned(), "x".to_owned()]), 2);
        assert_eq!(fresh(&Json::Null, &[]), 0);
    }
}
