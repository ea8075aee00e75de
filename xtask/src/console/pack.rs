//! Everything that a browser loads, into `dist/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Place, Size, inputs, tools};

/// In the order of the cascade's layers.
const STYLES: [&str; 6] = ["tokens", "base", "layout", "components", "pages", "print"];

const TYPEFACE: &str = "node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2";

/// What is packed.
pub(super) struct Parts {
    /// The folder `frontend/`.
    pub(super) frontend: PathBuf,
    /// The folder with npm packages.
    pub(super) npm: PathBuf,
    /// The loader.
    pub(super) js: PathBuf,
    /// The module.
    pub(super) wasm: PathBuf,
}

/// Writes `dist/` anew and weighs it. The new files are made elsewhere first, so that a failed build leaves the old
/// ones whole. The folder itself stays: the gateway's build watches it.
pub(super) fn pack(parts: &Parts, place: &Place, dev: bool) -> Result<Vec<Size>> {
    let fresh = place.work.join("dist");
    if fresh.is_dir() {
        fs::remove_dir_all(&fresh)?;
    }
    fs::create_dir_all(&fresh)?;
    write_files(parts, &fresh)?;
    let sizes = compress(&parts.frontend, &fresh, dev)?;
    replace_all(&fresh, &place.dist)?;
    Ok(sizes)
}

fn write_files(parts: &Parts, out: &Path) -> Result<()> {
    let source = |path: &str| read(&parts.frontend.join(path));
    let font = hashed(out, "inter", "woff2", &fs::read(parts.npm.join(TYPEFACE)).context("the typeface is missing")?)?;
    let css = styles(&parts.frontend)?.replace("@FONT@", &font);
    let css = hashed(out, "console", "css", css.as_bytes())?;
    let wasm = hashed(out, "console", "wasm", &fs::read(&parts.wasm)?)?;
    let js = hashed(out, "console", "js", &fs::read(&parts.js)?)?;
    let boot = source("boot/boot.js")?.replace("@JS@", &js).replace("@WASM@", &wasm);
    let boot = hashed(out, "boot", "js", boot.as_bytes())?;
    let sprite = sprite(&parts.frontend.join("icons"))?;
    let mut html = source("index.html")?;
    let names =
        [("@FONT@", font), ("@SPRITE@", sprite), ("@CSS@", css), ("@WASM@", wasm), ("@JS@", js), ("@BOOT@", boot)];
    for (mark, name) in names {
        html = html.replace(mark, &name);
    }
    let html: Vec<_> = html.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    fs::write(out.join("index.html"), html.join("\n"))?;
    let icon = source("icons/favicon.svg")?;
    fs::write(out.join("favicon.svg"), icon)?;
    Ok(())
}

fn hashed(out: &Path, stem: &str, extension: &str, content: &[u8]) -> Result<String> {
    let name = format!("{stem}-{}.{extension}", inputs::short_hash(content));
    fs::write(out.join(&name), content)?;
    Ok(name)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// One style sheet: the layers' order, then each file in its layer.
fn styles(frontend: &Path) -> Result<String> {
    let mut bundle = format!("@layer {};\n", STYLES.join(","));
    for name in STYLES {
        let text = read(&frontend.join(format!("styles/{name}.css")))?;
        bundle.push_str(&minify(&text, name)?);
    }
    Ok(bundle)
}

/// Drops comments, indentation and empty lines: all that brotli does not do as well.
fn minify(css: &str, name: &str) -> Result<String> {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        let Some((_, after)) = after.split_once("*/") else { bail!("styles/{name}.css: a comment does not end") };
        rest = after;
    }
    out.push_str(rest);
    let lines: Vec<_> = out.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Ok(lines.join("\n") + "\n")
}

/// All icons as symbols for `<use href="#name">`. They stand in the page: no request, no icon that pops in late.
fn sprite(folder: &Path) -> Result<String> {
    let mut symbols = String::new();
    for path in inputs::files(folder)? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_none_or(|extension| extension != "svg") || name == "favicon" {
            continue;
        }
        let svg = read(&path)?;
        let Some((_, body)) = svg.split_once("<svg").and_then(|(_, svg)| svg.split_once('>')) else {
            bail!("icons/{name}.svg is no SVG");
        };
        let body: String = body.replace("</svg>", "").lines().map(str::trim).collect();
        symbols.extend([format!("<symbol id=\"{name}\" viewBox=\"0 0 24 24\">{body}</symbol>\n")]);
    }
    Ok(format!("<svg width=\"0\" height=\"0\" aria-hidden=\"true\">\n{symbols}</svg>"))
}

/// Writes `.br` and `.gz` beside each file that gets smaller by it.
fn compress(frontend: &Path, folder: &Path, dev: bool) -> Result<Vec<Size>> {
    let mut node = Command::new("node");
    node.arg(frontend.join("tools/compress.mjs")).arg(folder).arg(if dev { "quick" } else { "best" });
    let json: Value = serde_json::from_str(&tools::output(&mut node)?).context("compress.mjs wrote no JSON")?;
    let sizes = json.as_array().map(|sizes| sizes.iter().filter_map(Size::from_json).collect::<Vec<_>>());
    sizes.filter(|sizes| !sizes.is_empty()).context("compress.mjs found nothing")
}

/// Replaces a flat folder's files by another's. No rename: the target folder may lie on another file system.
fn replace_all(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for path in inputs::files(to)? {
        fs::remove_file(path)?;
    }
    for path in inputs::files(from)? {
        fs::copy(&path, to.join(path.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minify_drops_comments_and_indentation() {
        assert_eq!(minify("/* a */\n  b {\n    c: d; /* e\n f */\n\n }", "x").unwrap(), "b {\nc: d;\n}\n");
        assert!(minify("a /* b", "x").is_err());
    }
}
