//! What an answer's body can be. An enum, not a box: on the hot path it is `Full`, and head and body leave in one write.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::proxy::upstream::UpstreamError;
use crate::proxy::upstream::body::UpstreamBody;

/// An answer's body.
#[derive(Debug)]
pub enum Body {
    /// None, or already sent.
    Empty,
    /// Whole.
    Full(Bytes),
    /// From an upstream, streamed.
    Upstream(Box<UpstreamBody>),
    /// From an own endpoint.
    Own(axum::body::Body),
}

impl Body {
    /// A whole body.
    #[must_use]
    pub fn full(bytes: Bytes) -> Self {
        if bytes.is_empty() { Self::Empty } else { Self::Full(bytes) }
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::full(text.into())
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = UpstreamError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        let this = self.get_mut();
        match this {
            Self::Empty => Poll::Ready(None),
            Self::Full(_) => match std::mem::replace(this, Self::Empty) {
                Self::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Self::Empty | Self::Upstream(_) | Self::Own(_) => Poll::Ready(None),
            },
            Self::Upstream(body) => body.poll_data(cx).map(|piece| piece.map(|data| data.map(Frame::data))),
            Self::Own(body) => {
                Pin::new(body).poll_frame(cx).map_err(|error| UpstreamError::Broken(std::io::Error::other(error)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(_) => false,
            Self::Upstream(body) => body.remaining() == Some(0),
            Self::Own(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Upstream(body) => body.remaining().map_or_else(SizeHint::new, SizeHint::with_exact),
            Self::Own(body) => body.size_hint(),
        }
    }
}
