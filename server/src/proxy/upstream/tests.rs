//! The client against upstreams that behave, and that do not. Time runs a hundred times faster: a tick each millisecond.

mod answers;
mod differential;
mod pooling;
mod rig;
mod streams;
mod tls;
mod uploads;
