//! What a preview showed, sealed: the decision is bound to it (S13).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use cloakroom_core::clock::UnixMs;
use cloakroom_core::store::{Filter, RevocationId};
use cloakroom_core::vault::ring::Purpose;

use crate::admin::Administrator;
use crate::edge::problem::Refusal;
use crate::gateway::Gateway;

/// How long a preview may be decided upon, in seconds.
const GOOD_SECS: i64 = 600;

/// A preview.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Shown {
    /// The id that the revocation will have.
    pub(super) id: RevocationId,
    /// Which sessions.
    pub(super) filter: Filter,
    /// How many.
    pub(super) count: u64,
    /// Whether the session that asked ends too.
    pub(super) own: bool,
    /// Until when it may be decided upon.
    pub(super) until: UnixMs,
}

impl Shown {
    pub(super) fn now(gateway: &Gateway, filter: Filter, count: u64, own: bool) -> Self {
        let now = gateway.now();
        Self { id: RevocationId::new(now, &*gateway.random), filter, count, own, until: now.plus_secs(GOOD_SECS) }
    }

    /// What has to be typed; `None` where nothing has to be.
    pub(super) fn confirm_with(&self) -> Option<String> {
        let own = if self.own { " and my own" } else { "" };
        super::filter::is_mass(&self.filter).then(|| format!("end {} sessions{own}", self.count))
    }

    pub(super) fn seal(&self, gateway: &Gateway, admin: &Administrator) -> Result<String, Refusal> {
        let plain = serde_json::to_vec(self).map_err(|_| Refusal::Broken)?;
        let ring = gateway.sessions.vault().ring();
        let owner = owner(admin);
        let owner: Vec<&[u8]> = owner.iter().map(String::as_bytes).collect();
        Ok(URL_SAFE_NO_PAD.encode(ring.seal(Purpose::Preview, &owner, &plain, &*gateway.random)))
    }

    /// Reads a token back.
    ///
    /// # Errors
    /// [`Refusal::BadParameter`] for a forged one, somebody else's, or one that is too old.
    pub(super) fn open(gateway: &Gateway, admin: &Administrator, token: &str) -> Result<Self, Refusal> {
        let bad = |what| Refusal::BadParameter { name: "token".into(), what };
        let unknown = || bad("is of no preview of yours; ask for a new one");
        let sealed = URL_SAFE_NO_PAD.decode(token).map_err(|_| unknown())?;
        let owner = owner(admin);
        let owner: Vec<&[u8]> = owner.iter().map(String::as_bytes).collect();
        let ring = gateway.sessions.vault().ring();
        let plain = ring.open_sealed(Purpose::Preview, &owner, &sealed).map_err(|_| unknown())?;
        let shown: Self = serde_json::from_slice(&plain).map_err(|_| unknown())?;
        if gateway.now() > shown.until {
            Err(bad("is of a preview that is too old; ask for a new one"))
        } else {
            Ok(shown)
        }
    }

    /// Whether so many more than were shown must be shown again before they end. A few come and go all the time.
    pub(super) fn is_outgrown_by(&self, count: u64) -> bool {
        count > self.count.saturating_add((self.count / 10).max(10))
    }
}

/// Whose preview it is: this person's, within this fence.
fn owner(admin: &Administrator) -> [String; 3] {
    let person = admin.person();
    [person.issuer, person.sub, admin.fence.tenant().map_or_else(String::new, |tenant| format!("={tenant}"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s13_a_preview_is_outgrown_by_more_than_come_and_go() {
        let shown = |count| Shown {
            id: RevocationId::from_bytes([0; 16]),
            filter: Filter::default(),
            count,
            own: false,
            until: UnixMs(0),
        };
        for (count, fits, outgrown) in [(0, 10, 11), (100, 110, 111), (1_000, 1_100, 1_101)] {
            assert!(!shown(count).is_outgrown_by(fits) && shown(count).is_outgrown_by(outgrown), "{count}");
        }
    }
}
