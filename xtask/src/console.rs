//! Builds the console: Rust to WebAssembly, then everything that a browser loads, into `frontend/dist/`.
//!
//! cargo (own target folder, so that host builds and this one do not evict each other) -> wasm-bindgen -> wasm-opt
//! -> CSS bundle, icon sprite, typeface -> names that carry their content's hash -> `index.html` -> brotli and gzip
//! siblings -> size gate. Compression and wasm-opt run in Node, which the build needs for wasm-opt anyway and whose
//! brotli is native: the same in Rust, unoptimised as xtask is, takes a minute.
//!
//! Nothing runs when nothing changed: `dist/.build.json` remembers the hash of the inputs, and the hash of what cargo
//! made, which spares wasm-opt when only foreign entries of Cargo.lock moved.

mod gate;
mod inputs;
mod pack;
mod tools;
mod wasm;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

pub(crate) use gate::Size;

/// What to build.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The checkout.
    pub root: PathBuf,
    /// Save time instead of bytes: no wasm-opt, quick compression, no size gate. A fresh release build is taken as it
    /// is.
    pub dev: bool,
}

/// Builds the console unless it is current, prints its weight, and fails when it is too heavy.
///
/// # Errors
/// When a tool is missing (says which and how to get it), a step fails, or the size gate does not hold.
pub(crate) fn build(options: &Options) -> Result<()> {
    let started = tools::Stopwatch::start();
    let place = Place::new(&options.root);
    let inputs = inputs::hash(&options.root)?;
    let last = Record::read(&place.dist);
    if last.as_ref().and_then(|last| last.current(&inputs, options.dev)).is_some() {
        return Ok(());
    }

    tools::check_node()?;
    let wasm = wasm::compile(&options.root, &place)?;
    let made = inputs::hash_made(&options.root, &wasm)?;
    if let Some(last) = last.filter(|last| last.same_output(&made, options.dev)) {
        let record = Record { inputs, ..last };
        record.write(&place.dist)?;
        return Ok(());
    }

    let npm = tools::npm_folder(&options.root, &place.work)?;
    let bound = wasm::bind(&wasm, &place.work)?;
    let optimised = if options.dev { bound.wasm.clone() } else { wasm::optimise(&bound.wasm, &npm, &place.work)? };
    let parts = pack::Parts { frontend: options.root.join("frontend"), npm, js: bound.js, wasm: optimised };
    let sizes = pack::pack(&parts, &place, options.dev)?;
    Record { inputs, made, dev: options.dev, sizes: sizes.clone() }.write(&place.dist)?;

    report(&sizes, started.elapsed());
    if !options.dev {
        gate::check(&sizes)?;
    }
    Ok(())
}

/// The folders of a build.
struct Place {
    /// What is served.
    dist: PathBuf,
    /// Everything in between: under the target folder, never in the checkout.
    work: PathBuf,
}

impl Place {
    fn new(root: &Path) -> Self {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        Self { dist: root.join("frontend/dist"), work: root.join(target).join("console") }
    }
}

/// What `dist/` was made from.
#[derive(Clone)]
struct Record {
    inputs: String,
    made: String,
    dev: bool,
    sizes: Vec<Size>,
}

impl Record {
    fn path(dist: &Path) -> PathBuf {
        dist.join(".build.json")
    }

    fn read(dist: &Path) -> Option<Self> {
        let value: Value = serde_json::from_slice(&fs::read(Self::path(dist)).ok()?).ok()?;
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let sizes = value.get("sizes")?.as_array()?.iter().map(Size::from_json).collect::<Option<Vec<_>>>()?;
        let whole = sizes.iter().all(|size| dist.join(&size.file).is_file());
        let dev = value.get("dev")?.as_bool()?;
        Some(Self { inputs: text("inputs")?, made: text("made")?, dev, sizes }).filter(|_| whole)
    }

    fn write(&self, dist: &Path) -> Result<()> {
        let sizes: Vec<_> = self.sizes.iter().map(Size::to_json).collect();
        let value = json!({ "inputs": self.inputs, "made": self.made, "dev": self.dev, "sizes": sizes });
        fs::write(Self::path(dist), format!("{value:#}\n")).context("cannot write dist/.build.json")
    }

    /// A release build serves where a dev build was asked for, not the other way round. A build over the limits is
    /// never current: the gate speaks again.
    fn good_for(&self, dev: bool) -> bool {
        if self.dev { dev } else { dev || gate::check(&self.sizes).is_ok() }
    }

    fn current(&self, inputs: &str, dev: bool) -> Option<Vec<Size>> {
        (self.inputs == inputs && self.good_for(dev)).then(|| self.sizes.clone())
    }

    fn same_output(&self, made: &str, dev: bool) -> bool {
        self.made == made && self.good_for(dev)
    }
}

fn report(sizes: &[Size], took: Duration) {
    eprintln!("console: built in {:.0} s\n{}", took.as_secs_f64(), gate::table(sizes));
}
