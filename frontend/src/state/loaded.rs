//! Data that is asked for, kept while it is asked for again, and kept when that fails.

use std::sync::Arc;

use leptos::prelude::*;
use web_sys::{AbortController, AbortSignal};

use super::spawn::scoped;
use super::viewer::Viewer;
use crate::api::{self, Decode, Failure};

/// Data from the gateway.
pub(crate) struct Loaded<T: Send + Sync + 'static> {
    data: RwSignal<Option<T>>,
    asking: Asking,
}

impl<T: Send + Sync + 'static> Clone for Loaded<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Loaded<T> {}

/// Whether what is shown survives a change of what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnChange {
    /// The old stays until the new is there: another page of the same list.
    Keep,
    /// The old goes at once: another thing altogether.
    Clear,
}

/// The part that is the same for every type of data: compiled once, which the page's weight needs.
#[derive(Clone, Copy)]
struct Asking {
    failure: RwSignal<Option<Failure>>,
    busy: RwSignal<bool>,
    again: RwSignal<u32>,
}

/// Takes an answer, and says whether it could be read; `None` clears what is there.
type Take = Arc<dyn Fn(Option<&api::Json>) -> bool + Send + Sync>;

impl<T: Decode + Clone + Send + Sync + 'static> Loaded<T> {
    /// Asks whenever `address` changes, is asked to, or the person has signed in again. `None` asks nothing. A call
    /// that is overtaken, or whose view is gone, is aborted.
    pub(crate) fn new(on_change: OnChange, address: impl Fn() -> Option<String> + Send + Sync + 'static) -> Self {
        let data = RwSignal::new(None);
        let take: Take = Arc::new(move |json| {
            let taken = json.map(T::decode);
            let is_readable = !matches!(taken, Some(None));
            if is_readable {
                data.try_set(taken.flatten());
            }
            is_readable
        });
        Self { data, asking: Asking::start(on_change, Arc::new(address), take) }
    }

    /// What was read last.
    pub(crate) fn data(self) -> Option<T> {
        self.data.get()
    }

    /// A part of what was read last.
    pub(crate) fn map<U>(self, part: impl FnOnce(&T) -> U) -> Option<U> {
        self.data.with(|data| data.as_ref().map(part))
    }

    /// Why the last call failed, until one succeeds.
    pub(crate) fn failure(self) -> Option<Failure> {
        self.asking.failure.get()
    }

    /// Whether a call is under way.
    pub(crate) fn busy(self) -> bool {
        self.asking.busy.get()
    }

    /// Asks again.
    pub(crate) fn again(self) {
        self.asking.again.try_update(|again| *again += 1);
    }
}

impl Asking {
    fn start(on_change: OnChange, address: Arc<dyn Fn() -> Option<String> + Send + Sync>, take: Take) -> Self {
        let this = Self { failure: RwSignal::new(None), busy: RwSignal::new(false), again: RwSignal::new(0) };
        let viewer = Viewer::get();
        Effect::new(move |last: Option<(Option<String>, Call)>| {
            this.again.track();
            viewer.track();
            let address = address();
            let is_other = last.as_ref().is_some_and(|(last, _)| *last != address);
            drop(last);
            if is_other && on_change == OnChange::Clear {
                take(None);
                this.failure.set(None);
            }
            let call = Call::new();
            if let (Some(address), Some(signal)) = (address.clone(), call.signal()) {
                this.busy.set(true);
                let take = Arc::clone(&take);
                scoped(async move {
                    let answer = api::get(&address, Some(&signal)).await;
                    if !signal.aborted() {
                        this.settle(viewer, answer.map(|json| take(Some(&json))));
                    }
                });
            }
            (address, call)
        });
        this
    }

    /// Every write may come after the view is gone.
    fn settle(self, viewer: Viewer, outcome: Result<bool, Failure>) {
        self.busy.try_set(false);
        let failure = match outcome {
            Ok(true) => None,
            Ok(false) => Some(Failure::Unreadable { status: 200 }),
            Err(failure) => Some(failure),
        };
        if let Some(failure) = &failure {
            viewer.notice(failure);
        }
        self.failure.try_set(failure);
    }
}

/// A call under way; dropping it aborts it.
pub(super) struct Call(Option<AbortController>);

impl Call {
    pub(super) fn new() -> Self {
        Self(AbortController::new().ok())
    }

    pub(super) fn signal(&self) -> Option<AbortSignal> {
        self.0.as_ref().map(AbortController::signal)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}
