//! From Rust to the WebAssembly that is served, with its loader.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use super::Place;
use super::tools::{self, TARGET, Toolchain};

const PACKAGE: &str = "cloakroom-console";

/// A module and the JavaScript that loads it.
pub(super) struct Bound {
    /// The module.
    pub(super) wasm: PathBuf,
    /// The loader, an ES module.
    pub(super) js: PathBuf,
}

/// Calls cargo, with a target folder of its own. One profile for both ways of building: with link-time optimisation
/// code is made once, at the end, so a quick profile was measured to take longer (136 s of CPU time against 105).
pub(super) fn compile(root: &Path, place: &Place) -> Result<PathBuf> {
    let toolchain = Toolchain::find()?;
    let folder = place.work.join("cargo");
    let way = if matches!(toolchain, Toolchain::FromSource { .. }) { ", with the standard library" } else { "" };
    eprintln!("console: compiling to WebAssembly{way} (a first build takes minutes)");

    let mut cargo = tools::cargo(&toolchain);
    cargo.current_dir(root);
    cargo.args(["build", "--locked", "--package", PACKAGE, "--target", TARGET, "--profile", "console"]);
    cargo.arg("--target-dir").arg(&folder);
    if matches!(toolchain, Toolchain::FromSource { .. }) {
        cargo.arg("-Zbuild-std=std,panic_abort");
    }
    // Symbols stay until wasm-opt: what cargo strips takes the list of the module's features with it.
    cargo.env("CARGO_PROFILE_CONSOLE_STRIP", "none");
    // Views as trait objects instead of types as long as the page: smaller and quicker to compile.
    cargo.env("RUSTFLAGS", "--cfg erase_components");
    tools::run(&mut cargo)?;
    Ok(folder.join(TARGET).join("console").join(PACKAGE).with_extension("wasm"))
}

/// Calls wasm-bindgen, as a library: its version is the one in Cargo.lock.
pub(super) fn bind(wasm: &Path, work: &Path) -> Result<Bound> {
    let out = work.join("bound");
    if out.is_dir() {
        fs::remove_dir_all(&out)?;
    }
    let mut bindgen = Bindgen::new();
    bindgen.web(true)?.typescript(false).omit_default_module_path(true);
    bindgen.remove_name_section(true).remove_producers_section(true);
    bindgen.input_path(wasm).out_name("console");
    bindgen.generate(&out).context("wasm-bindgen failed")?;
    Ok(Bound { wasm: out.join("console_bg.wasm"), js: out.join("console.js") })
}

/// Calls wasm-opt both ways and keeps what is smaller on the wire: which one wins changes with the code.
pub(super) fn optimise(wasm: &Path, npm: &Path, work: &Path) -> Result<PathBuf> {
    eprintln!("console: wasm-opt");
    let tries = ["-Oz", "-Os"].map(|level| (level, work.join(format!("console{level}.wasm"))));
    let mut running = Vec::new();
    for (level, out) in &tries {
        let mut opt = Command::new("node");
        opt.arg(npm.join("node_modules/binaryen/bin/wasm-opt")).arg(wasm).arg(level).args([
            "--strip-debug",
            "--strip-producers",
            "--strip-target-features",
        ]);
        running.push(opt.arg("--output").arg(out).spawn().context("cannot start wasm-opt")?);
    }
    for mut one in running {
        anyhow::ensure!(one.wait()?.success(), "wasm-opt failed");
    }
    let mut weighed = Vec::new();
    for (_, out) in tries {
        weighed.push((brotli_weight(&out)?, out));
    }
    weighed.into_iter().min().map(|(_, out)| out).context("wasm-opt made nothing")
}

fn brotli_weight(path: &Path) -> Result<u64> {
    const WEIGH: &str = "const z=require('zlib'),f=require('fs').readFileSync(process.argv[1]);\
         console.log(z.brotliCompressSync(f,{params:{[z.constants.BROTLI_PARAM_LGWIN]:24,\
         [z.constants.BROTLI_PARAM_SIZE_HINT]:f.length}}).length)";
    let weight = tools::output(Command::new("node").arg("-e").arg(WEIGH).arg(path))?;
    weight.parse().with_context(|| format!("node answered {weight:?}"))
}
