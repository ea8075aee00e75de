//! Fuzzing on stable Rust: every parser of outside input is given seeds, and what comes of them when bytes are changed,
//! cut, doubled and mixed. `cargo test -p cloakroom-fuzz` takes seconds; with `CLOAKROOM_LONG` (`cargo xtask test --long`)
//! each target is tried thirty times as often.
//!
//! A target is a file in `src/targets`: `seeds`, which are good or nearly so, and `try_one`, which fails by a panic.
#![cfg(test)]

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

include!(concat!(env!("OUT_DIR"), "/targets.rs"));

/// What parsers stumble over.
const ODD: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b";",
    b",",
    b"=",
    b"\"",
    b"#",
    b"?",
    b"//",
    b"/../",
    b"/./",
    b"\\",
    b"%",
    b"%2e",
    b"%2f",
    b"%00",
    b"%25",
    b"@",
    b"chunked",
    b"Content-Length: 1\r\n",
    b"0\r\n\r\n",
    b"[[",
    b"]]",
    b"{",
    b"}",
    b"'''",
    b"\xff",
    b"\xc0\xaf",
    b"\xe2\x80\xae",
    b"ffffffffffffffff",
    b"-1",
    b"99999999999999999999",
    b"e=",
    b"__Host-Http-crs=",
    b"env:",
    b"file:",
    b"null",
    b"[]",
    b".",
];

/// One change of an input.
#[derive(Clone, Debug)]
enum Change {
    /// Sets a byte.
    Set(usize, u8),
    /// Puts something odd in.
    Insert(usize, usize),
    /// Cuts a stretch out.
    Cut(usize, usize),
    /// Doubles a stretch.
    Double(usize, usize),
    /// Goes on as another seed from the same place.
    Mix(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<usize>;
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (place(), place()).prop_map(|(at, which)| Change::Insert(at, which)),
        (place(), 0_usize..20).prop_map(|(at, len)| Change::Cut(at, len)),
        (place(), 0_usize..40).prop_map(|(at, len)| Change::Double(at, len)),
        (place(), place()).prop_map(|(at, seed)| Change::Mix(at, seed)),
    ]
}

fn apply(input: &mut Vec<u8>, seeds: &[Vec<u8>], change: &Change) {
    let at = |place: &usize| place % (input.len() + 1);
    match change {
        Change::Set(place, byte) => {
            let at = at(place);
            input.splice(at..(at + 1).min(input.len()), [*byte]);
        }
        Change::Insert(place, which) => {
            let at = at(place);
            input.splice(at..at, ODD[which % ODD.len()].iter().copied());
        }
        Change::Cut(place, len) => {
            let at = at(place);
            input.drain(at..(at + len).min(input.len()));
        }
        Change::Double(place, len) => {
            let at = at(place);
            let part = input[at..(at + len).min(input.len())].to_vec();
            input.splice(at..at, part);
        }
        Change::Mix(place, seed) => {
            let at = at(place);
            let other = &seeds[seed % seeds.len()];
            input.truncate(at);
            input.extend_from_slice(other.get(at..).unwrap_or_default());
        }
    }
}

/// Tries a target with its seeds and with what comes of them.
fn run(seeds: &[Vec<u8>], try_one: impl Fn(&[u8])) {
    for seed in seeds {
        try_one(seed);
    }
    let cases = if std::env::var_os("CLOAKROOM_LONG").is_some() { 50_000 } else { 1_500 };
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let inputs = (any::<usize>(), prop::collection::vec(change(), 1..6));
    let outcome = TestRunner::new(config).run(&inputs, |(seed, changes)| {
        let mut input = seeds[seed % seeds.len()].clone();
        for change in &changes {
            apply(&mut input, seeds, change);
        }
        try_one(&input);
        Ok(())
    });
    outcome.unwrap();
}
