//! A line to a server, which a test can make slow, cut, or let go dead: a TCP proxy.

use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// They arrive.
    Whole,
    /// Each piece arrives so much later.
    Slow(Duration),
    /// Connections stay open, and nothing arrives: the other end's machine is gone. What waits arrives when the line is
    /// whole again.
    Dead,
    /// Connections are closed, and so are new ones.
    Cut,
}

/// The line. It is cut when this is dropped.
pub struct Line {
    /// Its port.
    pub port: u16,
    state: watch::Sender<State>,
}

impl Line {
    /// A line to a port of this machine.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let own = listener.local_addr().expect("bound").port();
        let (state, seen) = watch::channel(State::Whole);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let seen = seen.clone();
                tokio::spawn(async move {
                    if *seen.borrow() == State::Cut {
                        return;
                    }
                    let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
                    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                    tokio::join!(carry(near_in, far_out, seen.clone()), carry(far_in, near_out, seen));
                });
            }
        });
        Self { port: own, state }
    }

    /// From now on.
    pub fn set(&self, state: State) {
        self.state.send_replace(state);
    }

    /// Closes what is open; new connections are as good as before.
    pub async fn cut_once(&self) {
        self.set(State::Cut);
        // Until every connection has seen it.
        tokio::time::sleep(Duration::from_millis(5)).await;
        self.set(State::Whole);
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut buffer = vec![0; 65_536];
    let mut seen = state.clone();
    let ends = async { seen.wait_for(|state| *state == State::Cut).await.map(drop) };
    let carries = async {
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let Ok(now) = state.wait_for(|state| *state != State::Dead).await.map(|state| *state) else { return };
            if let State::Slow(by) = now {
                tokio::time::sleep(by).await;
            }
            if to.write_all(&buffer[..count]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = ends => {}
        () = carries => {}
    }
}
