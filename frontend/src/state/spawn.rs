//! The one way to start a task, and the one way to follow signals.

use std::future::Future;

use leptos::prelude::{Effect, Owner};
use leptos::task::{spawn_local, spawn_local_scoped_with_cancellation};

/// Runs a task that ends with the view or effect in which it was started. Started by an event, which has neither, it
/// runs to its end: so every task writes by `try_set` and reads no signal after an await.
pub(crate) fn scoped(task: impl Future<Output = ()> + 'static) {
    if Owner::current().is_some() {
        spawn_local_scoped_with_cancellation(task);
    } else {
        spawn_local(task);
    }
}

/// Runs now, and again whenever a signal that it reads changes. Compiled once for all, unlike `Effect::new`.
pub(crate) fn effect(run: impl Fn() + 'static) {
    boxed(Box::new(run));
}

fn boxed(run: Box<dyn Fn()>) {
    Effect::new(move |_| run());
}
