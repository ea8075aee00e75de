//! Service accounts prove themselves by a token: prefixed, so that scanners find one that leaked, and with a keyed tag,
//! so that a forged one never reaches the store (as M14 asks of session tokens).
//!
//! `crs_sa_`, then base64url of the account's id (16 bytes), a secret (32), and 16 bytes of a keyed hash over both. The
//! tag's key is the index key's: it outlives rotations of the ring, as the accounts do.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::clock::UnixMs;
use crate::random::Random;
use crate::session::id::sha256;
use crate::store::{Account, AccountId};
use crate::vault::Ring;
use crate::vault::ring::Purpose;

/// What a token's text starts with.
pub const PREFIX: &str = "crs_sa_";
const ID: usize = 16;
const PROVEN: usize = ID + 32;
const TAG: usize = 16;

/// A fresh token of an account: its text, which is shown once, and what is kept of it.
#[must_use]
pub fn new_token(ring: &Ring, random: &dyn Random, id: AccountId) -> (Zeroizing<String>, [u8; 32]) {
    let secret = Zeroizing::new(random.bytes::<32>());
    let mut bytes = Zeroizing::new([id.as_bytes().as_slice(), secret.as_slice()].concat());
    let tag = ring.mark(Purpose::AccountToken, &bytes);
    bytes.extend(tag.iter().take(TAG));
    let text = Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes.as_slice())));
    (text, sha256(secret.as_slice()))
}

/// Which account a token claims to be of, and the hash of its secret; `None` for whatever was not made here.
#[must_use]
pub fn read_token(ring: &Ring, text: &str) -> Option<(AccountId, [u8; 32])> {
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?);
    let (proven, tag) = bytes.split_at_checked(PROVEN)?;
    let expected = ring.mark(Purpose::AccountToken, proven);
    if tag.len() != TAG || !bool::from(expected.first_chunk::<TAG>()?.ct_eq(tag)) {
        return None;
    }
    let (id, secret) = proven.split_first_chunk::<ID>()?;
    Some((AccountId::from_bytes(*id), sha256(secret)))
}

/// Why a token of ours does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The secret was replaced, or the account is disabled or over.
    Over,
    /// The stored rights are not what this program wrote.
    Altered,
}

/// Judges a token by the account that is stored.
///
/// # Errors
/// [`Refused`].
pub fn judge(ring: &Ring, account: &Account, secret: [u8; 32], now: UnixMs) -> Result<(), Refused> {
    let rights = &account.rights;
    if !bool::from(rights.mark(ring).ct_eq(&account.mark)) {
        return Err(Refused::Altered);
    }
    let present = bool::from(rights.secret.ct_eq(&secret));
    let before = rights.previous.as_ref().is_some_and(|(hash, until)| now < *until && bool::from(hash.ct_eq(&secret)));
    if rights.hold(now) && (present || before) { Ok(()) } else { Err(Refused::Over) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;
    use crate::store::Rights;
    use crate::vault::ring::tests::ring;

    const NOW: UnixMs = UnixMs(1_000_000);

    fn account(ring: &Ring, secret: [u8; 32]) -> Account {
        let rights = Rights {
            id: AccountId::from_bytes([7; 16]),
            version: 1,
            tenant: None,
            scopes: vec!["audit.read".into()],
            secret,
            previous: None,
            expires_at: None,
            disabled_at: None,
        };
        Account {
            mark: rights.mark(ring),
            rights,
            name: "shipper".into(),
            created_at: NOW,
            created_by: "Olivia".into(),
            disabled_by: None,
            used_at: None,
        }
    }

    #[test]
    fn a11_a_token_reads_back_and_no_bit_of_it_may_change() {
        let ring = ring();
        let id = AccountId::from_bytes([7; 16]);
        let (text, hash) = new_token(&ring, &SystemRandom, id);
        assert_eq!(read_token(&ring, &text), Some((id, hash)));
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX).unwrap()).unwrap();
        for i in 0..bytes.len() {
            let mut odd = bytes.clone();
            odd[i] ^= 1;
            assert_eq!(read_token(&ring, &format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(odd))), None, "byte {i}");
        }
        for odd in ["", PREFIX, "crs_at_AAAA", &text.replace("crs", "cr"), &format!("{}A", text.as_str())] {
            assert_eq!(read_token(&ring, odd), None, "{odd}");
        }
    }

    #[test]
    fn v01_rights_that_somebody_wrote_into_the_store_do_not_count() {
        let ring = ring();
        let good = account(&ring, [1; 32]);
        assert_eq!(judge(&ring, &good, [1; 32], NOW), Ok(()));
        assert_eq!(judge(&ring, &good, [2; 32], NOW), Err(Refused::Over));
        let edits: [fn(&mut Rights); 6] = [
            |rights| rights.scopes.push("sessions.revoke_mass".into()),
            |rights| rights.secret = [2; 32],
            |rights| rights.previous = Some(([2; 32], UnixMs(i64::MAX))),
            |rights| rights.tenant = Some("acme".into()),
            |rights| rights.id = AccountId::from_bytes([8; 16]),
            |rights| rights.version = 2,
        ];
        for edit in edits {
            let mut altered = good.clone();
            edit(&mut altered.rights);
            for secret in [[1; 32], [2; 32]] {
                assert_eq!(judge(&ring, &altered, secret, NOW), Err(Refused::Altered), "{altered:?}");
            }
        }
    }

    #[test]
    fn a11_an_account_ends_by_its_time_by_a_rotation_and_by_being_disabled() {
        let ring = ring();
        let of = |edit: fn(&mut Rights)| {
            let mut account = account(&ring, [1; 32]);
            edit(&mut account.rights);
            account.mark = account.rights.mark(&ring);
            account
        };
        let late = |secs: i64| NOW.plus_secs(secs);
        let rotated = of(|rights| rights.previous = Some(([0; 32], UnixMs(1_060_000))));
        assert_eq!(judge(&ring, &rotated, [0; 32], late(59)), Ok(()));
        assert_eq!(judge(&ring, &rotated, [0; 32], late(60)), Err(Refused::Over));
        assert_eq!(judge(&ring, &rotated, [1; 32], late(60)), Ok(()));
        let expiring = of(|rights| rights.expires_at = Some(UnixMs(1_060_000)));
        assert_eq!(judge(&ring, &expiring, [1; 32], late(59)), Ok(()));
        assert_eq!(judge(&ring, &expiring, [1; 32], late(60)), Err(Refused::Over));
        assert_eq!(judge(&ring, &of(|rights| rights.disabled_at = Some(NOW)), [1; 32], NOW), Err(Refused::Over));
    }
}
