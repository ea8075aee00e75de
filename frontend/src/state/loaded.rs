//! Data that is asked for, kept while it is asked for again, and kept when that fails.

use std::future::Future;

use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::{AbortController, AbortSignal};

use super::viewer::Viewer;
use crate::api::Failure;

/// Data from the gateway.
pub(crate) struct Loaded<T: Send + Sync + 'static> {
    data: RwSignal<Option<T>>,
    failure: RwSignal<Option<Failure>>,
    busy: RwSignal<bool>,
    again: RwSignal<u32>,
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

impl<T: Clone + Send + Sync + 'static> Loaded<T> {
    /// Asks whenever `key` changes, is asked to, or the person has signed in again. `None` asks nothing. A call that
    /// is overtaken, or whose view is gone, is aborted.
    pub(crate) fn new<K, F>(
        on_change: OnChange,
        key: impl Fn() -> Option<K> + 'static,
        fetch: impl Fn(K, AbortSignal) -> F + 'static,
    ) -> Self
    where
        K: Clone + PartialEq + 'static,
        F: Future<Output = Result<T, Failure>> + 'static,
    {
        let this = Self {
            data: RwSignal::new(None),
            failure: RwSignal::new(None),
            busy: RwSignal::new(false),
            again: RwSignal::new(0),
        };
        let viewer = Viewer::get();
        Effect::new(move |last: Option<(Option<K>, Call)>| {
            this.again.track();
            viewer.track();
            let key = key();
            let is_other = last.as_ref().is_some_and(|(last, _)| *last != key);
            drop(last);
            if is_other && on_change == OnChange::Clear {
                this.data.set(None);
                this.failure.set(None);
            }
            let call = Call::new();
            if let (Some(key), Some(signal)) = (key.clone(), call.signal()) {
                this.busy.set(true);
                let answer = fetch(key, signal.clone());
                spawn_local(async move {
                    let answer = answer.await;
                    if !signal.aborted() {
                        this.settle(viewer, answer);
                    }
                });
            }
            (key, call)
        });
        this
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
        self.failure.get()
    }

    /// Whether a call is under way.
    pub(crate) fn busy(self) -> bool {
        self.busy.get()
    }

    /// Asks again.
    pub(crate) fn again(self) {
        self.again.try_update(|again| *again += 1);
    }

    /// Every write may come after the view is gone.
    fn settle(self, viewer: Viewer, answer: Result<T, Failure>) {
        self.busy.try_set(false);
        match answer {
            Ok(data) => {
                self.data.try_set(Some(data));
                self.failure.try_set(None);
            }
            Err(failure) => {
                viewer.notice(&failure);
                self.failure.try_set(Some(failure));
            }
        }
    }
}

/// A call under way; dropping it aborts it.
struct Call(Option<AbortController>);

impl Call {
    fn new() -> Self {
        Self(AbortController::new().ok())
    }

    fn signal(&self) -> Option<AbortSignal> {
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
