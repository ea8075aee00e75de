//! The public listener: one acceptor hands each connection to the worker with the fewest.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// A drain accepts until there is no connection and nobody has come for so long,
const NOBODY_COMES: Duration = Duration::from_millis(20);
/// and for so long at most: a load balancer looks at `/readyz` meanwhile.
const LAST_CALL: Duration = Duration::from_millis(500);

/// A worker as the acceptor sees it.
#[derive(Debug)]
pub struct Desk {
    /// The way to it.
    pub connections: mpsc::UnboundedSender<(std::net::TcpStream, SocketAddr)>,
    /// How many connections it holds.
    pub load: Arc<AtomicUsize>,
}

/// Every worker, as the acceptor sees them.
#[derive(Debug)]
pub struct Hall {
    /// The workers.
    pub desks: Vec<Desk>,
    /// How many connections they may hold together.
    pub places: usize,
    /// Says whether connections wait for a place.
    pub crowded: Arc<AtomicBool>,
}

impl Hall {
    /// How many connections there are.
    fn held(&self) -> usize {
        self.desks.iter().map(|desk| desk.load.load(Relaxed)).sum()
    }

    /// Waits until there is a place. Meanwhile workers close what idles.
    async fn place(&self) {
        if self.held() < self.places {
            return;
        }
        tracing::warn!(max_connections = self.places, "every place is taken; idle connections are closed");
        self.crowded.store(true, Relaxed);
        while self.held() >= self.places {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.crowded.store(false, Relaxed);
    }

    async fn accept(&self, listener: &TcpListener) -> std::io::Result<(tokio::net::TcpStream, SocketAddr)> {
        self.place().await;
        listener.accept().await
    }
}

/// Accepts until the process drains.
pub async fn accept(listener: TcpListener, hall: Hall, mut drain: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            accepted = hall.accept(&listener) => accepted,
            () = told_to_drain(&mut drain) => break,
        };
        take(accepted, &hall).await;
    }
    // Who has knocked already gets in, and who comes before a load balancer can have heard: a client whose connection is
    // reset would not know what became of its request.
    let last_call = async {
        loop {
            match timeout(NOBODY_COMES, hall.accept(&listener)).await {
                Ok(accepted) => take(accepted, &hall).await,
                Err(_) if hall.held() == 0 => return,
                Err(_) => {}
            }
        }
    };
    if timeout(LAST_CALL, last_call).await.is_err() {
        while let Some(accepted) = hall.accept(&listener).now_or_never() {
            take(accepted, &hall).await;
        }
    }
}

async fn take(accepted: std::io::Result<(tokio::net::TcpStream, SocketAddr)>, hall: &Hall) {
    match accepted {
        Ok((stream, peer)) => hand_over(stream, peer, &hall.desks),
        Err(error) => {
            // Out of file descriptors, most likely: give connections time to close.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Ends when the process drains, or the one who would say so is gone.
pub(super) async fn told_to_drain(drain: &mut watch::Receiver<bool>) {
    if let Err(error) = drain.wait_for(|draining| *draining).await {
        tracing::debug!(%error, "nobody is left to say when to drain");
    }
}

fn hand_over(stream: tokio::net::TcpStream, peer: SocketAddr, desks: &[Desk]) {
    let Some(desk) = desks.iter().min_by_key(|desk| desk.load.load(Relaxed)) else { return };
    match stream.into_std() {
        Ok(stream) => {
            desk.load.fetch_add(1, Relaxed);
            if desk.connections.send((stream, peer)).is_err() {
                desk.load.fetch_sub(1, Relaxed);
            }
        }
        Err(error) => tracing::warn!(%error, "a connection could not be handed to its worker"),
    }
}
