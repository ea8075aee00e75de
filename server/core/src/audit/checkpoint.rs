//! Checkpoints: where the chain stood at a moment, tagged by a key that is not in the store. Kept elsewhere, one finds
//! what the chain alone cannot: a tail that was cut, and a log that was written anew from its start (A7).

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::ChainHead;
use super::chain::{Verdict, verify};
use crate::clock::UnixMs;
use crate::store::{Store, StoreResult};
use crate::vault::Ring;
use crate::vault::ring::hex;

/// The form of what is written.
const VERSION: u32 = 1;

/// Where the chain stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The form; 1.
    pub cloakroom_audit_checkpoint: u32,
    /// The number of the last linked event.
    pub seq: i64,
    /// Its hash in hexadecimal.
    pub hash: String,
    /// When this was made (RFC 3339, UTC).
    pub at: String,
    /// HMAC-SHA-256 over all of it under a key of the ring, in hexadecimal.
    pub tag: String,
}

impl Checkpoint {
    /// A checkpoint of the chain's end.
    #[must_use]
    pub fn new(ring: &Ring, head: ChainHead, now: UnixMs) -> Self {
        let (hash, at) = (hex(&head.hash), now.rfc3339());
        let tag = hex(&ring.audit_checkpoint(head.seq, &hash, &at));
        Self { cloakroom_audit_checkpoint: VERSION, seq: head.seq, hash, at, tag }
    }

    /// Whether this gateway made it, and it was not altered since.
    #[must_use]
    pub fn is_ours(&self, ring: &Ring) -> bool {
        let tag = hex(&ring.audit_checkpoint(self.seq, &self.hash, &self.at));
        self.cloakroom_audit_checkpoint == VERSION && bool::from(tag.as_bytes().ct_eq(self.tag.as_bytes()))
    }
}

/// As [`verify`]; and the chain must still pass through a checkpoint, which is ours.
///
/// # Errors
/// As the store's.
pub async fn verify_against(store: &dyn Store, checkpoint: &Checkpoint) -> StoreResult<Verdict> {
    let verdict = verify(store).await?;
    let Verdict::Whole { head, .. } = verdict else { return Ok(verdict) };
    let Checkpoint { seq, hash, at, .. } = checkpoint;
    if head.seq < *seq {
        let what = format!(
            "the log ends at {}, but at {at} it went to {seq}: its tail was cut, or an old copy stands here",
            head.seq
        );
        return Ok(Verdict::Broken { seq: head.seq + 1, what });
    }
    let there = store.chained(seq - 1, 1).await?;
    let link = there.first().and_then(|event| event.link);
    // Before the first event there is nothing to compare.
    if *seq > 0 && link.is_none_or(|link| hex(&link.hash) != *hash) {
        let what = format!("this is not the event that stood there at {at}: the log was written anew");
        return Ok(Verdict::Broken { seq: *seq, what });
    }
    Ok(verdict)
}
