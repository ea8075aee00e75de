//! A worker's idle connections: the last one used is the first one taken.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::BytesMut;

use super::connect::Stream;
use super::deadline::Ticks;

/// An idle connection older than this is closed rather than used: upstreams close theirs after a minute or so.
const IDLE: Duration = Duration::from_secs(45);
/// Idle connections kept for each upstream.
const KEPT: usize = 512;

/// A connection with its buffers, between two exchanges.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: Stream,
    pub(crate) input: BytesMut,
    pub(crate) output: Vec<u8>,
    /// Whether it has carried an exchange before.
    pub(crate) used: bool,
}

/// A worker's connections to upstreams.
#[derive(Debug, Default)]
pub struct Pool {
    /// By the upstream's number.
    idle: RefCell<Vec<Vec<(u64, Connection)>>>,
    pub(crate) ticks: Rc<Ticks>,
}

impl Pool {
    /// To be called every [`super::deadline::TICK`]: wakes what is overdue, closes what idled too long.
    pub fn tick(&self) {
        self.ticks.tick();
        if self.ticks.now().is_multiple_of(10) {
            let now = self.ticks.now();
            for connections in &mut *self.idle.borrow_mut() {
                connections.retain(|(until, _)| *until > now);
            }
        }
    }

    /// An idle connection that is not closed and holds no byte that nobody asked for (P16). For a request that must not
    /// be sent again (`repeatable` is false) the kernel is asked, too: what it knows may not have reached us yet.
    pub(crate) fn take(&self, upstream: usize, repeatable: bool) -> Option<Connection> {
        loop {
            let (_, mut connection) = self.idle.borrow_mut().get_mut(upstream)?.pop()?;
            if connection.input.is_empty()
                && connection.stream.is_quiet()
                && (repeatable || connection.stream.is_still_quiet())
            {
                return Some(connection);
            }
        }
    }

    /// How many connections to an upstream are idle.
    #[cfg(test)]
    pub(crate) fn idle(&self, upstream: usize) -> usize {
        self.idle.borrow().get(upstream).map_or(0, Vec::len)
    }

    /// Gives a connection back, whose request and answer are both complete (S10).
    pub(crate) fn give(&self, upstream: usize, mut connection: Connection) {
        connection.output.clear();
        connection.used = true;
        let mut idle = self.idle.borrow_mut();
        if idle.len() <= upstream {
            idle.resize_with(upstream + 1, Vec::new);
        }
        if let Some(connections) = idle.get_mut(upstream)
            && connections.len() < KEPT
        {
            connections.push((self.ticks.after(IDLE), connection));
        }
    }
}
