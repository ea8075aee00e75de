//! Rate limits (P14): per address, session, machine, client and route, on this node. Each is asked only where it is
//! configured.
//!
//! A session's count stands in its record in memory; all other counts stand in one table that is bounded: when it is
//! full, those go first that were used once and not again, so that a flood from many addresses does not free one that
//! is being held back. Nothing is allocated for a caller who is known, and no lock is held across an await.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use prometheus_client::metrics::counter::Counter;
use quick_cache::sync::Cache;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::machine::Machine;
use cloakroom_core::policy::Permit;
use cloakroom_core::rate::{Pace, Rate, Verdict};

use super::client::Site;
use super::problem::Refusal;

/// Counts kept beside those of sessions.
const KEPT: usize = 100_000;
/// draft-ietf-httpapi-ratelimit-headers section 4.
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// draft-ietf-httpapi-ratelimit-headers section 3.
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// A configured limit.
#[derive(Debug)]
pub struct Limit {
    /// As answers and figures call it.
    name: &'static str,
    /// Tells its counts in the table from those of others.
    number: u32,
    rate: Rate,
    policy: HeaderValue,
    refused: Counter,
}

impl Limit {
    /// A limit; `number` is its own, `refused` counts what it refuses.
    #[must_use]
    pub fn new(name: &'static str, number: u32, rate: Rate, refused: Counter) -> Self {
        let policy = format!("\"{name}\";q={};w={}", rate.burst(), rate.window_secs());
        let policy = HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static(""));
        Self { name, number, rate, policy, refused }
    }

    fn take(&self, pace: &Pace, now: UnixMs, told: &mut Told) -> Result<(), Refusal> {
        self.judge(pace.take(&self.rate, now), told)
    }

    fn judge(&self, verdict: Verdict, told: &mut Told) -> Result<(), Refusal> {
        if told.0.as_ref().is_none_or(|(before, ..)| verdict.left < *before || !verdict.passes) {
            told.0 = Some((verdict.left, verdict.reset_secs, self.name, self.policy.clone()));
        }
        if verdict.passes {
            return Ok(());
        }
        self.refused.inc();
        Err(Refusal::TooMany { limit: self.name, retry_after_secs: u64::try_from(verdict.reset_secs).unwrap_or(1) })
    }
}

/// The tightest limit that was asked for a request: left, seconds to its reset, its name and policy.
#[derive(Debug, Default)]
pub struct Told(Option<(i64, i64, &'static str, HeaderValue)>);

impl Told {
    /// Says so in the answer.
    pub fn tell(self, headers: &mut HeaderMap) {
        let Some((left, reset_secs, name, policy)) = self.0 else { return };
        if let Ok(value) = HeaderValue::try_from(format!("\"{name}\";r={left};t={reset_secs}")) {
            headers.insert(RATE_LIMIT, value);
            headers.insert(RATE_LIMIT_POLICY, policy);
        }
    }
}

/// Whose calls a route's limit counts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// Those of one address.
    Address,
    /// Those of one session or one machine; of nobody known, those of one address.
    Caller,
    /// Everybody's.
    Route,
}

/// A route's limit.
#[derive(Debug)]
pub struct RouteLimit {
    /// How often.
    pub limit: Limit,
    /// Whose calls.
    pub per: Per,
}

/// Which leg of a login an own endpoint is: any caller may ask for it at no cost to himself. Each has counts of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leg {
    /// To the provider.
    Start,
    /// An app's request ahead of that.
    Push,
    /// Back from the provider.
    Return,
    /// Somebody who types what a device shows (RFC 8628 section 5.1).
    Code,
    /// An app that wants tokens.
    Token,
}

/// Whom a count is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Whom {
    Everybody,
    Near(u128),
    OnLeg(Leg, u128),
    Session([u8; 16]),
    Machine(u64),
}

/// Every count that does not stand in a session's record.
#[derive(Debug)]
pub struct Counts {
    of: Cache<(u32, Whom), Arc<Pace>>,
    hasher: RandomState,
}

impl Default for Counts {
    fn default() -> Self {
        Self { of: Cache::new(KEPT), hasher: RandomState::new() }
    }
}

impl Counts {
    fn of(&self, limit: &Limit, whom: Whom) -> Arc<Pace> {
        let made = self.of.get_or_insert_with(&(limit.number, whom), || Ok::<_, ()>(Arc::default()));
        made.unwrap_or_default()
    }

    /// By its issuer and its name there, whatever token it shows.
    fn machine(&self, machine: &Machine) -> Whom {
        Whom::Machine(self.hasher.hash_one((&machine.issuer_id, &machine.sub)))
    }
}

/// An IPv4 address; of an IPv6 one its first 64 bits, which one subscriber has for himself (RFC 6177).
fn neighbourhood(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        // The mark keeps them apart from IPv4 addresses.
        IpAddr::V6(address) => (u128::from(address) >> 64) << 64 | 1 << 63,
    }
}

/// The limits that are not a route's or a client's, and the counts of all.
#[derive(Debug, Default)]
pub struct Rates {
    /// Of each address, over everything.
    pub address: Option<Limit>,
    /// Of each session, over all routes.
    pub session: Option<Limit>,
    /// Of each machine, over all routes.
    pub machine: Option<Limit>,
    /// Of each address, over logins.
    pub login: Option<Limit>,
    /// Of each address, over what is refused to it.
    pub refused: Option<Limit>,
    /// What came so far.
    pub counts: Counts,
}

impl Rates {
    /// A request came.
    ///
    /// # Errors
    /// [`Refusal::TooMany`].
    pub fn arrives(&self, peer: IpAddr, now: impl FnOnce() -> UnixMs, told: &mut Told) -> Result<(), Refusal> {
        let Some(limit) = &self.address else { return Ok(()) };
        limit.take(&self.counts.of(limit, Whom::Near(neighbourhood(peer))), now(), told)
    }

    /// A leg of a login is asked for.
    ///
    /// # Errors
    /// [`Refusal::TooMany`].
    pub fn logs_in(
        &self,
        leg: Leg,
        peer: IpAddr,
        now: impl FnOnce() -> UnixMs,
        told: &mut Told,
    ) -> Result<(), Refusal> {
        let Some(limit) = &self.login else { return Ok(()) };
        let whom = Whom::OnLeg(leg, neighbourhood(peer));
        aloud_if_refused(told, |told| limit.take(&self.counts.of(limit, whom), now(), told))
    }

    /// A call is about to be forwarded.
    ///
    /// # Errors
    /// [`Refusal::TooMany`].
    pub fn passes(
        &self,
        permit: &Permit,
        (route, site, peer): (Option<&RouteLimit>, &Site, IpAddr),
        now: impl FnOnce() -> UnixMs,
        told: &mut Told,
    ) -> Result<(), Refusal> {
        let session = permit.session().and_then(|live| self.session.as_ref().map(|limit| (limit, live)));
        let machine = permit.machine().and_then(|machine| self.machine.as_ref().map(|limit| (limit, machine)));
        let client = permit.session().and_then(|live| site.limit_of(&live.client_id));
        if session.is_none() && machine.is_none() && client.is_none() && route.is_none() {
            return Ok(());
        }
        let now = now();
        let counts = &self.counts;
        if let Some((limit, live)) = session {
            limit.take(live.pace(), now, told)?;
        }
        if let Some((limit, machine)) = machine {
            limit.take(&counts.of(limit, counts.machine(machine)), now, told)?;
        }
        if let Some(RouteLimit { limit, per }) = route {
            let whom = match (per, permit.session(), permit.machine()) {
                (Per::Route, ..) => Whom::Everybody,
                (Per::Caller, Some(live), _) => Whom::Session(*live.id.as_bytes()),
                (Per::Caller, None, Some(machine)) => counts.machine(machine),
                (Per::Caller, None, None) | (Per::Address, ..) => Whom::Near(neighbourhood(peer)),
            };
            limit.take(&counts.of(limit, whom), now, told)?;
        }
        client.map_or(Ok(()), |limit| limit.take(&counts.of(limit, Whom::Everybody), now, told))
    }

    /// Something is refused to an address. Beyond the limit no more than that is said.
    ///
    /// # Errors
    /// [`Refusal::TooMany`].
    pub fn refuses(&self, peer: IpAddr, now: impl FnOnce() -> UnixMs, told: &mut Told) -> Result<(), Refusal> {
        let Some(limit) = &self.refused else { return Ok(()) };
        let whom = Whom::Near(neighbourhood(peer));
        aloud_if_refused(told, |told| limit.take(&self.counts.of(limit, whom), now(), told))
    }

    /// Whether too much was refused to an address for a token of its to be worth a look: a look may cost a signature,
    /// or a question to its issuer.
    ///
    /// # Errors
    /// [`Refusal::TooMany`].
    pub fn looks(&self, peer: IpAddr, now: impl FnOnce() -> UnixMs, told: &mut Told) -> Result<(), Refusal> {
        let Some(limit) = &self.refused else { return Ok(()) };
        let Some(pace) = self.counts.of.get(&(limit.number, Whom::Near(neighbourhood(peer)))) else { return Ok(()) };
        aloud_if_refused(told, |told| limit.judge(pace.look(&limit.rate, now()), told))
    }
}

/// Nobody who is let through waits for a next login, or counts what is refused to him.
fn aloud_if_refused(told: &mut Told, ask: impl FnOnce(&mut Told) -> Result<(), Refusal>) -> Result<(), Refusal> {
    let mut aside = Told::default();
    ask(&mut aside).inspect_err(|_| *told = aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(number: u32, rate: &str, burst: u32) -> Limit {
        let rate = Rate::parse(rate).expect("a rate").with_burst(burst);
        Limit::new("address", number, rate, Counter::default())
    }

    const NOW: UnixMs = UnixMs(1_795_517_665_000);

    #[test]
    fn p14_ipv6_neighbours_are_counted_together_and_never_with_ipv4() {
        let of = |text: &str| neighbourhood(text.parse().expect("an address"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("::1"));
        assert_ne!(of("0.0.0.1"), of("::1"));
    }

    #[test]
    fn p14_an_address_that_is_held_back_stays_so_through_a_flood_from_others() {
        let rates = Rates { address: Some(limit(0, "1/h", 3)), ..Rates::default() };
        let mut told = Told::default();
        let busy = IpAddr::from([192, 0, 2, 1]);
        let mut ask = |peer| rates.arrives(peer, || NOW, &mut told).is_ok();
        assert_eq!((0..10).filter(|_| ask(busy)).count(), 3);
        let mut passed = 0;
        for n in 0..3 * u32::try_from(KEPT).expect("fits") {
            ask(IpAddr::V6((u128::from(n) << 64 | 0x2001 << 112).into()));
            passed += u32::from(n % 1000 == 0 && ask(busy));
        }
        assert_eq!(passed, 0);
        assert!(rates.counts.of.len() <= KEPT + KEPT / 10, "bounded");
    }

    #[test]
    fn p14_the_tightest_limit_is_told() {
        let (wide, narrow) = (limit(0, "100/s", 100), limit(1, "10/min", 10));
        let (mut told, mut headers) = (Told::default(), HeaderMap::new());
        for limit in [&wide, &narrow] {
            limit.take(&Pace::default(), NOW, &mut told).expect("passes");
        }
        told.tell(&mut headers);
        assert_eq!(headers.get("ratelimit").map(HeaderValue::as_bytes), Some(&b"\"address\";r=9;t=6"[..]));
        assert_eq!(headers.get("ratelimit-policy").map(HeaderValue::as_bytes), Some(&b"\"address\";q=10;w=60"[..]));
    }
}
