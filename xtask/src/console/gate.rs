//! The console's weight, and the limits it is held to.

use anyhow::{Result, bail};
use serde_json::{Value, json};

/// The WebAssembly in brotli.
const WASM_MAX_KB: u64 = 215;
/// All that the first page loads, in brotli: HTML, scripts, WebAssembly, styles, icons, typeface.
const FIRST_LOAD_MAX_KB: u64 = 300;

/// One served file's weight in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    /// Path under `dist/`.
    pub file: String,
    /// As it is.
    pub raw: u64,
    /// In gzip; as it is where compression does not help.
    pub gzip: u64,
    /// In brotli; as it is where compression does not help.
    pub brotli: u64,
}

impl Size {
    pub(super) fn from_json(value: &Value) -> Option<Self> {
        let number = |name: &str| value.get(name).and_then(Value::as_u64);
        Some(Self {
            file: value.get("file")?.as_str()?.to_owned(),
            raw: number("raw")?,
            gzip: number("gzip")?,
            brotli: number("brotli")?,
        })
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "file": self.file, "raw": self.raw, "gzip": self.gzip, "brotli": self.brotli })
    }
}

fn is_wasm(file: &str) -> bool {
    std::path::Path::new(file).extension().is_some_and(|extension| extension == "wasm")
}

fn weights(sizes: &[Size]) -> (u64, u64) {
    let wasm = sizes.iter().filter(|size| is_wasm(&size.file)).map(|size| size.brotli).sum();
    (wasm, sizes.iter().map(|size| size.brotli).sum())
}

/// A table of all weights, for people.
pub(super) fn table(sizes: &[Size]) -> String {
    let kb = |bytes: u64| format!("{}.{}", bytes / 1000, bytes % 1000 / 100);
    let mut lines = vec![format!("  {:<40} {:>9} {:>9} {:>9}", "kB", "raw", "gzip", "brotli")];
    for size in sizes {
        lines.push(format!("  {:<40} {:>9} {:>9} {:>9}", size.file, kb(size.raw), kb(size.gzip), kb(size.brotli)));
    }
    let (wasm, all) = weights(sizes);
    lines.push(format!("  {:<40} {:>29} of {FIRST_LOAD_MAX_KB}", "first load", kb(all)));
    lines.push(format!("  {:<40} {:>29} of {WASM_MAX_KB}", "WebAssembly", kb(wasm)));
    lines.join("\n")
}

/// Holds a build to its limits.
pub(super) fn check(sizes: &[Size]) -> Result<()> {
    let (wasm, all) = weights(sizes);
    if wasm > WASM_MAX_KB * 1000 {
        bail!("the console's WebAssembly has {wasm} bytes in brotli, the limit is {WASM_MAX_KB} kB");
    }
    if all > FIRST_LOAD_MAX_KB * 1000 {
        bail!("the console's first load has {all} bytes in brotli, the limit is {FIRST_LOAD_MAX_KB} kB");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(file: &str, brotli: u64) -> Size {
        Size { file: file.to_owned(), raw: brotli * 3, gzip: brotli + 1, brotli }
    }

    #[test]
    fn the_gate_holds_wasm_and_the_whole() {
        assert!(check(&[size("a.wasm", 215_000), size("a.js", 85_000)]).is_ok());
        assert!(check(&[size("a.wasm", 215_001)]).is_err());
        assert!(check(&[size("a.wasm", 1), size("a.js", 300_000)]).is_err());
    }

    #[test]
    fn sizes_are_read_back() {
        let one = size("a.wasm", 7);
        assert_eq!(Size::from_json(&one.to_json()), Some(one));
    }
}
