//! What a connection's streams wait for, all together: told to the record that the worker watches.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::edge::body::Body;
use crate::edge::gate::{Phase, Record};
use crate::proxy::upstream::UpstreamError;

/// One connection's streams.
#[derive(Debug)]
pub(super) struct Flow {
    record: Arc<Record>,
    /// Requests whose answer has not gone.
    open: Cell<usize>,
    /// Those whose answer waits for the client to take more.
    given: Cell<usize>,
    /// Streams whose request has not ended.
    uploads: RefCell<HashSet<u32>>,
}

/// A request that is not answered yet.
#[derive(Debug)]
pub(super) struct Open {
    flow: Rc<Flow>,
    given: bool,
}

impl Flow {
    pub(super) fn new(record: &Arc<Record>) -> Self {
        let (open, given, uploads) = (Cell::new(0), Cell::new(0), RefCell::default());
        Self { record: Arc::clone(record), open, given, uploads }
    }

    /// A request begins to be answered.
    pub(super) fn open(self: &Rc<Self>) -> Open {
        self.open.set(self.open.get() + 1);
        self.tell();
        Open { flow: Rc::clone(self), given: false }
    }

    /// A request's head came, and a body will.
    pub(super) fn upload(&self, stream: u32) {
        self.uploads.borrow_mut().insert(stream);
        self.tell();
    }

    /// No more will come of a request.
    pub(super) fn uploaded(&self, stream: u32) {
        if self.uploads.borrow_mut().remove(&stream) {
            self.tell();
        }
    }

    /// How many requests have not ended.
    pub(super) fn uploads(&self) -> usize {
        self.uploads.borrow().len()
    }

    /// Something of a request came.
    pub(super) fn moved(&self) {
        self.record.moved();
    }

    /// The client's side takes no bytes for now, or does again.
    pub(super) fn writing_waits(&self, waits: bool) {
        self.record.writing_waits(waits);
    }

    fn tell(&self) {
        let (open, given) = (self.open.get(), self.given.get());
        self.record.waits_for(match open {
            0 => Phase::Idle,
            _ if given == open => Phase::Writing,
            _ if self.uploads() > 0 => Phase::Body,
            _ => Phase::Busy,
        });
    }
}

impl Open {
    /// A piece of the answer waits for the client, or no longer does.
    fn gives(&mut self, given: bool) {
        if self.given == given {
            return;
        }
        self.given = given;
        let count = &self.flow.given;
        count.set(if given { count.get() + 1 } else { count.get().saturating_sub(1) });
        self.flow.moved();
        self.flow.tell();
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.gives(false);
        self.flow.open.set(self.flow.open.get().saturating_sub(1));
        self.flow.tell();
    }
}

/// An answer's body on its way.
#[derive(Debug)]
pub(super) struct Sent {
    body: Body,
    open: Open,
}

impl Sent {
    pub(super) fn new(body: Body, open: Open) -> Self {
        Self { body, open }
    }
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = UpstreamError;

    /// Asked for more as soon as the client's window has room for it (RFC 9113 section 5.2).
    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        let this = self.get_mut();
        let piece = Pin::new(&mut this.body).poll_frame(cx);
        this.open.gives(matches!(&piece, Poll::Ready(Some(Ok(_)))));
        piece
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
