//! Deadlines without a timer per request: each worker ticks, and what is overdue is woken.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// How often a worker ticks.
pub const TICK: Duration = Duration::from_millis(100);

/// A worker's coarse clock and who waits on it.
#[derive(Debug, Default)]
pub(crate) struct Ticks {
    now: Cell<u64>,
    waiting: RefCell<Vec<Option<(u64, Waker)>>>,
    free: RefCell<Vec<usize>>,
}

impl Ticks {
    /// Moves the clock and wakes what is overdue.
    pub(crate) fn tick(&self) {
        let now = self.now.get() + 1;
        self.now.set(now);
        for (due, waker) in self.waiting.borrow().iter().flatten() {
            if *due <= now {
                waker.wake_by_ref();
            }
        }
    }

    pub(crate) fn now(&self) -> u64 {
        self.now.get()
    }

    /// The tick by which `span` has surely passed.
    pub(crate) fn after(&self, span: Duration) -> u64 {
        let ticks = span.as_millis().div_ceil(TICK.as_millis()) + 1;
        self.now.get().saturating_add(u64::try_from(ticks).unwrap_or(u64::MAX))
    }
}

/// One waiter's place, given back when it goes.
#[derive(Debug)]
pub(crate) struct Alarm {
    ticks: Rc<Ticks>,
    due: u64,
    place: Option<usize>,
}

impl Alarm {
    pub(crate) fn new(ticks: &Rc<Ticks>, span: Duration) -> Self {
        Self { due: ticks.after(span), ticks: Rc::clone(ticks), place: None }
    }

    /// Puts the alarm off: something happened.
    pub(crate) fn put_off(&mut self, span: Duration) {
        self.move_to(self.ticks.after(span));
    }

    /// Moves the alarm to a tick.
    pub(crate) fn move_to(&mut self, due: u64) {
        self.due = due;
        self.leave();
    }

    /// Whether the time has come; if not, the task is woken when it has.
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> bool {
        if self.ticks.now() >= self.due {
            return true;
        }
        let mut waiting = self.ticks.waiting.borrow_mut();
        if let Some(Some((_, waker))) = self.place.and_then(|place| waiting.get_mut(place)) {
            waker.clone_from(cx.waker());
            return false;
        }
        let entry = Some((self.due, cx.waker().clone()));
        let place = self.ticks.free.borrow_mut().pop();
        if let Some((place, slot)) = place.and_then(|place| waiting.get_mut(place).map(|slot| (place, slot))) {
            *slot = entry;
            self.place = Some(place);
        } else {
            self.place = Some(waiting.len());
            waiting.push(entry);
        }
        false
    }

    fn leave(&mut self) {
        if let Some(place) = self.place.take() {
            if let Some(slot) = self.ticks.waiting.borrow_mut().get_mut(place) {
                *slot = None;
            }
            self.ticks.free.borrow_mut().push(place);
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.leave();
    }
}

/// `future`'s outcome, or `None` when its time is over first.
pub(crate) async fn within<F: Future>(ticks: &Rc<Ticks>, span: Duration, future: F) -> Option<F::Output> {
    let mut alarm = Alarm::new(ticks, span);
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(move |cx| match Pin::as_mut(&mut future).poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if alarm.poll(cx) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn p08_what_is_overdue_is_woken_by_a_tick_and_its_place_is_given_back() {
        let ticks = Rc::new(Ticks::default());
        let slow = within(&ticks, Duration::from_millis(300), std::future::pending::<()>());
        let ticking = async {
            for _ in 0..10 {
                tokio::task::yield_now().await;
                ticks.tick();
            }
        };
        let (outcome, ()) = tokio::join!(slow, ticking);
        assert_eq!(outcome, None);
        assert!(ticks.waiting.borrow().iter().all(Option::is_none));
        assert_eq!(within(&ticks, Duration::ZERO, async { 7 }).await, Some(7), "what is ready needs no time");
    }
}
