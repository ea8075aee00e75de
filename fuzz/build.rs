//! Lists the targets: each file in `src/targets` is one, and is named nowhere else.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/targets");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "rs") {
            names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
        }
    }
    names.sort();
    let mut list = String::new();
    for name in &names {
        let path = folder.join(format!("{name}.rs")).display().to_string();
        writeln!(list, "#[path = {path:?}]\nmod {name};")?;
        writeln!(list, "#[test]\nfn f08_{name}() {{ run(&{name}::seeds(), {name}::try_one); }}")?;
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    Ok(std::fs::write(out.join("targets.rs"), list)?)
}
