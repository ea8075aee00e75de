//! Makes the table of the console's files, `console_assets.rs`, from `frontend/dist/`.
//!
//! A table of `include_bytes!` rather than a crate: the console's build has compressed and named everything already,
//! so what is left to do is to list it. Without a built console the table is empty, and `cargo build` works.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let dist = Path::new("../frontend/dist");
    let index = dist.join("index.html");
    // A path that is missing would make cargo build the gateway anew each time; the folder itself is in git.
    let watched = if index.is_file() { &index } else { dist };
    println!("cargo::rerun-if-changed={}", watched.display());
    println!("cargo::rerun-if-changed=build.rs");
    let table = if index.is_file() { table(&dist.canonicalize()?)? } else { "&[]".to_owned() };
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("console_assets.rs"), table)
}

/// A smaller form of the file beside it.
fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "br" || extension == "gz")
}

fn table(dist: &Path) -> io::Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dist)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let mut table = "&[\n".to_owned();
    for name in &names {
        let path = dist.join(name);
        if name.starts_with('.') || is_compressed(&path) || !path.is_file() {
            continue;
        }
        let mut hasher = DefaultHasher::new();
        hasher.write(&fs::read(&path)?);
        let tag = hasher.finish();
        let sibling = |extension: &str| {
            let sibling = format!("{name}.{extension}");
            if names.contains(&sibling) {
                format!("Some(include_bytes!(\"{}\"))", dist.join(sibling).display())
            } else {
                "None".to_owned()
            }
        };
        let (brotli, gzip) = (sibling("br"), sibling("gz"));
        let line = format!(
            "name: {name:?}, tag: \"{tag:016x}\", body: include_bytes!(\"{}\"), br: {brotli}, gz: {gzip}",
            path.display()
        );
        writeln!(table, "    Asset {{ {line} }},").map_err(io::Error::other)?;
    }
    table.push(']');
    Ok(table)
}
