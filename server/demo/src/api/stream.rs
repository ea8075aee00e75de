//! `GET /api/stream`: server-sent events, one a second for a minute.

use std::{convert::Infallible, time::Duration};

use axum::response::{
    Sse,
    sse::{Event, KeepAlive},
};
use futures_util::stream::{self, Stream};

const TICKS: u32 = 60;

pub(super) async fn stream() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ticks = stream::unfold(1, |tick| async move {
        if tick > TICKS {
            return None;
        }
        if tick > 1 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let data = format!("{{\"tick\":{tick},\"of\":{TICKS}}}");
        let event = Event::default().event("tick").id(tick.to_string()).data(data);
        Some((Ok(event), tick + 1))
    });
    Sse::new(ticks).keep_alive(KeepAlive::default())
}
