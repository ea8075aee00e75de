//! Refusals of the gateway's own, counted by site, kind and the caller's network (A9): no single one is logged or stored.
//! What was counted in a minute becomes one audit event for each site, whatever came.

use std::collections::HashMap;
use std::net::IpAddr;

use parking_lot::Mutex;

/// Counts that tell networks apart. Beyond them refusals are counted by site and kind alone, which configuration bounds.
const APART: usize = 1_000;
/// Counts that an event tells one by one.
const TOLD: usize = 20;

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct What {
    /// The site's number; none where the request was for no site.
    site: Option<usize>,
    code: &'static str,
    /// The caller's network; none where too many were told apart already.
    network: Option<IpAddr>,
}

/// Refusals since they were last taken.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<HashMap<What, u64>>);

/// What was refused at one site.
#[derive(Debug, PartialEq, Eq)]
pub struct AtSite {
    /// The site's number; none for requests that were for no site.
    pub site: Option<usize>,
    /// All together.
    pub total: u64,
    /// The most frequent, by code and network.
    pub most: Vec<Line>,
}

/// So many of one kind from one network.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// The refusals' code.
    pub code: &'static str,
    /// Where they came from: a /24 of IPv4, a /48 of IPv6; none where too many networks were told apart.
    pub network: Option<String>,
    /// How many.
    pub count: u64,
}

impl Refusals {
    /// Counts one.
    pub fn count(&self, site: Option<usize>, code: &'static str, from: IpAddr) {
        let what = What { site, code, network: Some(network(from)) };
        let mut counts = self.0.lock();
        let apart = counts.len() < APART || counts.contains_key(&what);
        *counts.entry(if apart { what } else { What { network: None, ..what } }).or_default() += 1;
    }

    /// Takes what was counted, by site.
    #[must_use]
    pub fn take(&self) -> Vec<AtSite> {
        let mut sites: HashMap<Option<usize>, AtSite> = HashMap::new();
        for (What { site, code, network }, count) in std::mem::take(&mut *self.0.lock()) {
            let at = sites.entry(site).or_insert(AtSite { site, total: 0, most: Vec::new() });
            at.total += count;
            at.most.push(Line { code, network: network.map(text), count });
        }
        let mut sites: Vec<_> = sites.into_values().collect();
        for at in &mut sites {
            at.most.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.network.cmp(&b.network)));
            at.most.truncate(TOLD);
        }
        sites.sort_by_key(|at| at.site);
        sites
    }
}

/// The network that an address stands for: enough to see where a flood comes from, too little to tell a person.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4((u32::from(address) & !0xff).into()),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 80 << 80).into()),
    }
}

fn text(network: IpAddr) -> String {
    format!("{network}/{}", if network.is_ipv4() { 24 } else { 48 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a09_refusals_are_counted_by_site_kind_and_network() {
        let refusals = Refusals::default();
        for (site, code, from) in [
            (Some(1), "bad-path", "192.0.2.1"),
            (Some(1), "bad-path", "192.0.2.200"),
            (Some(1), "bad-path", "192.0.3.1"),
            (Some(1), "forbidden", "192.0.2.1"),
            (Some(1), "bad-path", "2001:db8:1:2::3"),
            (Some(1), "bad-path", "2001:db8:1:9::4"),
            (Some(1), "bad-path", "2001:db8:1:9::5"),
            (None, "unknown-host", "::ffff:192.0.2.1"),
        ] {
            refusals.count(site, code, from.parse().expect("an address"));
        }
        let line = |code, network: &str, count| Line { code, network: Some(network.to_owned()), count };
        let none = AtSite { site: None, total: 1, most: vec![line("unknown-host", "192.0.2.0/24", 1)] };
        let taken = refusals.take();
        assert_eq!(taken.first(), Some(&none));
        let at = taken.get(1).expect("a site");
        assert_eq!((at.site, at.total, at.most.len()), (Some(1), 7, 4));
        let [most, next, ..] = at.most.as_slice() else { panic!("{at:?}") };
        assert_eq!((most, next), (&line("bad-path", "2001:db8:1::/48", 3), &line("bad-path", "192.0.2.0/24", 2)));
        assert_eq!(refusals.take(), []);
    }

    #[test]
    fn a09_floods_from_everywhere_are_counted_in_bounded_memory() {
        let refusals = Refusals::default();
        for number in 0..50_000_u32 {
            refusals.count(Some(0), "bad-path", IpAddr::V4((number << 8).into()));
        }
        assert!(refusals.0.lock().len() <= APART + 1);
        let [at] = refusals.take().try_into().expect("one site");
        let unknown = Line { code: "bad-path", network: None, count: 49_000 };
        assert_eq!((at.total, at.most.first(), at.most.len()), (50_000, Some(&unknown), TOLD));
    }
}
