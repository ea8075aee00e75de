//! Machines' access tokens: found in the Authorization header (RFC 6750 section 2.1, and nowhere else), checked once,
//! remembered per worker.

use std::cell::RefCell;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use http::{HeaderMap, header};
use quick_cache::unsync::Cache;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use cloakroom_core::clock::UnixMs;
use cloakroom_core::machine::{Machine, MachineFault};

use super::problem::Refusal;

/// Tokens remembered by each worker.
const REMEMBERED: usize = 4_096;

/// The bearer token of a request, if there is one.
///
/// # Errors
/// [`Refusal`] for two headers, or one of another scheme.
pub fn read(headers: &HeaderMap) -> Result<Option<&[u8]>, Refusal> {
    let mut said = headers.get_all(header::AUTHORIZATION).iter();
    let value = match (said.next(), said.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.as_bytes(),
        (Some(_), Some(_)) => return Err(Refusal::BadRequest("at most one Authorization header is taken")),
    };
    let (scheme, token) = value.split_at(value.iter().position(|&byte| byte == b' ').unwrap_or(value.len()));
    if scheme.eq_ignore_ascii_case(b"bearer") {
        Ok(Some(token.trim_ascii()))
    } else if scheme.eq_ignore_ascii_case(b"dpop") {
        Err(Refusal::MachineToken(MachineFault::Bound))
    } else {
        Err(Refusal::MachineTokenNeeded)
    }
}

/// Tokens that were found good, so that a signature is not verified on each call. Each is forgotten to the moment.
pub struct Memo {
    hasher: RandomState,
    known: RefCell<Cache<u64, Known>>,
}

#[derive(Clone)]
struct Known {
    token: Arc<Zeroizing<Box<[u8]>>>,
    machine: Arc<Machine>,
}

impl Default for Memo {
    fn default() -> Self {
        Self { hasher: RandomState::new(), known: RefCell::new(Cache::new(REMEMBERED)) }
    }
}

impl std::fmt::Debug for Memo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memo")
    }
}

impl Memo {
    /// The machine whose token this is, if that is known and still holds.
    #[must_use]
    pub fn find(&self, token: &[u8], now: UnixMs) -> Option<Arc<Machine>> {
        let known = self.known.borrow();
        let found = known.get(&self.hasher.hash_one(token))?;
        let same = bool::from(found.token.ct_eq(token)) && now < found.machine.good_until;
        same.then(|| Arc::clone(&found.machine))
    }

    /// Remembers one.
    pub fn keep(&self, token: &[u8], machine: &Arc<Machine>) {
        let known = Known { token: Arc::new(Zeroizing::new(token.into())), machine: Arc::clone(machine) };
        self.known.borrow_mut().insert(self.hasher.hash_one(token), known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(until: i64) -> Arc<Machine> {
        Arc::new(Machine {
            issuer_id: "m".into(),
            issuer: "https://m".into(),
            sub: "job".into(),
            client_id: "job".into(),
            scopes: vec![],
            claims: serde_json::Map::new(),
            good_until: UnixMs(until),
            expires_at: None,
        })
    }

    #[test]
    fn p15_what_is_remembered_ends_to_the_moment_and_for_that_token_alone() {
        let memo = Memo::default();
        memo.keep(b"token", &machine(1_000));
        assert!(memo.find(b"token", UnixMs(999)).is_some());
        assert!(memo.find(b"token", UnixMs(1_000)).is_none());
        assert!(memo.find(b"tokem", UnixMs(0)).is_none());
        for number in 0..20_000_u32 {
            memo.keep(&number.to_be_bytes(), &machine(1_000));
        }
        assert!(memo.known.borrow().len() <= REMEMBERED, "bounded");
    }

    #[test]
    fn p15_only_a_single_bearer_token_is_read() {
        let of = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::AUTHORIZATION, line.parse().expect("a value"));
            }
            read(&headers).map(|token| token.map(<[u8]>::to_vec)).map_err(|refusal| refusal.code())
        };
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&["Bearer abc"]), Ok(Some(b"abc".to_vec())));
        assert_eq!(of(&["bearer  abc"]), Ok(Some(b"abc".to_vec())));
        assert_eq!(of(&["Bearer"]), Ok(Some(Vec::new())));
        assert_eq!(of(&["Bearer a", "Bearer b"]), Err("bad-request"));
        assert_eq!(of(&["DPoP abc"]), Err("machine-token-bound"));
        assert_eq!(of(&["Basic abc"]), Err("machine-token-needed"));
        assert_eq!(of(&["Bearerabc"]), Err("machine-token-needed"));
    }
}
