//! What a build depends on, as one hash. It finds changes, it does not keep out an adversary: the standard hasher is
//! enough.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::tools;

/// Sources, manifests, lock files, this builder, and the compiler's version.
pub(super) fn hash(root: &Path) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for path in ["Cargo.toml", "Cargo.lock", "xtask/src/console.rs"] {
        feed(&mut hasher, root, &root.join(path))?;
    }
    for folder in ["api", "frontend", "xtask/src/console"] {
        for path in files(&root.join(folder))? {
            feed(&mut hasher, root, &path)?;
        }
    }
    hasher.write(tools::rustc_version()?.as_bytes());
    Ok(format!("{:016x}", hasher.finish()))
}

/// What cargo made, and all that goes into `dist/` beside it.
pub(super) fn hash_made(root: &Path, wasm: &Path) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    feed(&mut hasher, root, wasm)?;
    for path in ["frontend", "xtask/src/console"] {
        for path in files(&root.join(path))?.iter().filter(|path| !path.starts_with(root.join("frontend/src"))) {
            feed(&mut hasher, root, path)?;
        }
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// A short hash for a file's name.
pub(super) fn short_hash(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    format!("{:016x}", hasher.finish())
}

fn feed(hasher: &mut DefaultHasher, root: &Path, path: &Path) -> Result<()> {
    let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    hasher.write(path.strip_prefix(root).unwrap_or(path).to_string_lossy().as_bytes());
    hasher.write_usize(content.len());
    hasher.write(&content);
    Ok(())
}

/// Every file below a folder, sorted, without what builds leave behind.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if path.is_dir() {
                if !matches!(name.as_str(), "dist" | "node_modules" | "target") {
                    open.push(path);
                }
            } else if !name.starts_with('.') {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
