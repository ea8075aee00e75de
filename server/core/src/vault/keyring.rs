//! The ring as it stands now: swapped as a whole when a key is added or retired, without a restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use super::{Ring, RootKey, VaultError};
use crate::clock::UnixMs;
use crate::random::Random;
use crate::store::WrappedKeyRow;

/// The ring that everybody shares, and the root key that opens new keys of it.
pub struct KeyRing {
    root: RootKey,
    ring: ArcSwap<Ring>,
    generation: AtomicU64,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("KeyRing").field(&self.ring.load()).finish()
    }
}

/// What a reload changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Same,
    /// There is a new key, and all the old ones.
    Added,
    /// A key is gone, and all that was sealed under it.
    Retired,
}

impl KeyRing {
    /// Opens a stored ring.
    ///
    /// # Errors
    /// As [`Ring::open`].
    pub fn open(root: RootKey, rows: &[WrappedKeyRow]) -> Result<Self, VaultError> {
        let ring = ArcSwap::from_pointee(Ring::open(&root, rows)?);
        Ok(Self { root, ring, generation: AtomicU64::new(1) })
    }

    /// The ring as it stands.
    #[must_use]
    pub fn current(&self) -> Arc<Ring> {
        self.ring.load_full()
    }

    /// Goes up with every change: what was derived from an earlier ring is out of date.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Takes the stored ring over, if it is another than the present one.
    ///
    /// # Errors
    /// As [`Ring::open`]; the present ring stays.
    pub fn adopt(&self, rows: &[WrappedKeyRow]) -> Result<Change, VaultError> {
        let (before, after) = (self.current(), Ring::open(&self.root, rows)?);
        let (before, new): (Vec<_>, Vec<_>) = (before.ids().collect(), after.ids().collect());
        if before == new {
            return Ok(Change::Same);
        }
        let retired = before.iter().any(|id| !new.contains(id));
        drop((before, new));
        self.ring.store(Arc::new(after));
        self.generation.fetch_add(1, Ordering::AcqRel);
        Ok(if retired { Change::Retired } else { Change::Added })
    }

    /// A key that would be the newest, wrapped.
    #[must_use]
    pub fn successor(&self, now: UnixMs, random: &dyn Random) -> WrappedKeyRow {
        let after = self.current().newest_since().0.saturating_add(1);
        self.root.new_ring_key(UnixMs(now.0.max(after)), random)
    }

    /// The index key of the present ring, wrapped, to be stored beside the ring: it outlives the key that it was first
    /// derived from.
    #[must_use]
    pub fn index_row(&self, random: &dyn Random) -> WrappedKeyRow {
        self.root.wrap_index(&self.current(), random)
    }
}
