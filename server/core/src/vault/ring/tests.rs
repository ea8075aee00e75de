use super::super::keyring::{Change, KeyRing};
use super::*;
use crate::random::SystemRandom;

fn root() -> RootKey {
    RootKey::parse(&STANDARD.encode([7; 32])).expect("a root key")
}

pub(crate) fn ring() -> Ring {
    Ring::open(&root(), &[first_key()]).expect("opens")
}

/// The first key of [`keyring`], always the same.
pub(crate) fn first_key() -> WrappedKeyRow {
    root().wrap("0a1b2c3d".into(), UnixMs(0), &Key::new([9; 32]), &SystemRandom)
}

pub(crate) fn keyring() -> KeyRing {
    KeyRing::open(root(), &[first_key()]).expect("opens")
}

proptest::proptest! {
    #[test]
    fn f08_no_bytes_open_as_a_sealed_value(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let ring = ring();
        let named = [ring.newest().as_str().as_bytes(), &bytes].concat();
        for sealed in [bytes, named] {
            assert!(ring.open_sealed(Purpose::Cursor, &[], &sealed).is_err());
        }
    }
}

#[test]
fn v02_another_root_key_opens_nothing() {
    let root = RootKey::parse(&STANDARD.encode([7; 32])).expect("a root key");
    let row = root.new_ring_key(UnixMs(0), &SystemRandom);
    let other = RootKey::parse(&STANDARD.encode([8; 32])).expect("a root key");
    assert_eq!(Ring::open(&other, std::slice::from_ref(&row)).err(), Some(VaultError::DoesNotOpen));
    let moved = WrappedKeyRow { created_at: UnixMs(1), ..row.clone() };
    assert_eq!(Ring::open(&root, &[moved]).err(), Some(VaultError::DoesNotOpen), "V1: which key seals is not editable");
    let renamed = WrappedKeyRow { id: "00000000".into(), ..row };
    assert_eq!(Ring::open(&root, &[renamed]).err(), Some(VaultError::DoesNotOpen));
}

#[test]
fn s05_purposes_and_owners_do_not_stand_for_one_another() {
    let ring = ring();
    let sealed = ring.seal(Purpose::Cursor, &[b"a", b"bc"], b"value", &SystemRandom);
    assert_eq!(ring.open_sealed(Purpose::Cursor, &[b"a", b"bc"], &sealed).expect("opens").as_slice(), b"value");
    assert!(ring.open_sealed(Purpose::Transaction, &[b"a", b"bc"], &sealed).is_err());
    assert!(ring.open_sealed(Purpose::Cursor, &[b"ab", b"c"], &sealed).is_err(), "owners are not joined strings");
    for i in 0..sealed.len() {
        let mut flipped = sealed.clone();
        flipped[i] ^= 1;
        assert!(ring.open_sealed(Purpose::Cursor, &[b"a", b"bc"], &flipped).is_err(), "byte {i}");
    }
}

#[test]
fn s05_no_kind_of_sealed_value_stands_for_another_or_for_another_client() {
    use Purpose::{
        AccountToken, Answer, AppSignOut, Cursor, DataKey, Download, DpopNonce, Preview, PushedRequest, ServiceAccount,
        SubjectKey, Transaction,
    };
    let ring = ring();
    let kinds = [
        Transaction,
        Answer,
        DataKey,
        SubjectKey,
        Cursor,
        DpopNonce,
        PushedRequest,
        AppSignOut,
        Preview,
        Download,
        ServiceAccount,
        AccountToken,
    ];
    let places: Vec<(Purpose, &[u8])> =
        kinds.into_iter().flat_map(|kind| [&b"app"[..], b"console"].map(|client| (kind, client))).collect();
    for (kind, client) in &places {
        let sealed = ring.seal(*kind, &[client], b"value", &SystemRandom);
        for (other, stranger) in &places {
            let opened = ring.open_sealed(*other, &[stranger], &sealed).is_ok();
            assert_eq!(opened, kind == other && client == stranger, "{kind:?} of {client:?} as {other:?}");
        }
    }
}

#[test]
fn c06_an_older_key_still_opens_and_the_newest_seals() {
    let root = RootKey::parse(&STANDARD.encode([7; 32])).expect("a root key");
    let old = root.new_ring_key(UnixMs(0), &SystemRandom);
    let new = root.new_ring_key(UnixMs(1), &SystemRandom);
    let before = Ring::open(&root, std::slice::from_ref(&old)).expect("opens");
    let sealed = before.seal(Purpose::Cursor, &[], b"value", &SystemRandom);
    let ring = KeyRing::open(root.clone(), std::slice::from_ref(&old)).expect("opens");
    let index = ring.index_row(&SystemRandom);
    assert_eq!(ring.adopt(&[index.clone(), new.clone(), old]), Ok(Change::Added));
    let after = ring.current();
    assert!(after.open_sealed(Purpose::Cursor, &[], &sealed).is_ok());
    assert_eq!(after.newest().as_str(), new.id);
    assert_eq!(after.subject("i", "s"), before.subject("i", "s"), "a rotation does not move a person's hash");
    assert_eq!(ring.adopt(&[index, new]), Ok(Change::Retired));
    assert_eq!(ring.generation(), 3);
    let retired = ring.current();
    assert_eq!(retired.subject("i", "s"), before.subject("i", "s"), "nor does a retirement");
    assert_eq!(retired.open_sealed(Purpose::Cursor, &[], &sealed).err(), Some(VaultError::UnknownKey));
}

#[test]
fn a_bad_root_key_says_how_to_make_one() {
    for odd in ["", "short", &STANDARD.encode([1; 31]), &STANDARD.encode([1; 33])] {
        assert_eq!(RootKey::parse(odd).err(), Some(VaultError::BadRootKey));
    }
}
