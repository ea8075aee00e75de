//! How a client's pages look: its logo and its colour.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Outside;
use crate::config::reader::Reader;
use crate::edge::page::look::Colour;

/// The largest logo: it goes along with every page.
const LOGO_BYTES: usize = 32 * 1024;

/// The logo as a `data:` address.
pub(super) fn logo(reader: &Reader<'_>, outside: &Outside<'_>) -> Option<String> {
    let found = reader.text("logo")?;
    let read = || -> Result<String, String> {
        let path = found.value.strip_prefix("file:").filter(|path| !path.is_empty()).ok_or("names no file")?;
        let path = outside.folder.join(path);
        let bytes = std::fs::read(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        if bytes.len() > LOGO_BYTES {
            return Err(format!("{} is longer than {LOGO_BYTES} bytes", path.display()));
        }
        let kind = kind(&bytes).ok_or_else(|| format!("{} is neither SVG, PNG nor WebP", path.display()))?;
        Ok(format!("data:{kind};base64,{}", STANDARD.encode(bytes)))
    };
    match read() {
        Ok(address) => Some(address),
        Err(why) => {
            let what = format!("{}: {why}", reader.name("logo"));
            reader.wrong(&found.place, what, "write \"file:PATH\" of an SVG, PNG or WebP picture, of 32 KiB at most");
            None
        }
    }
}

/// By its first bytes: what stands in the address is what browsers take it for.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    let text = str::from_utf8(bytes).unwrap_or_default().trim_start_matches('\u{feff}').trim_start();
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ if text.starts_with("<svg") || (text.starts_with("<?xml") && text.contains("<svg")) => Some("image/svg+xml"),
        _ => None,
    }
}

/// The colour.
pub(super) fn colour(reader: &Reader<'_>) -> Option<Colour> {
    let read = |text: &str| Colour::parse(text).ok_or_else(|| "is no colour".to_owned());
    reader.parsed(reader.text("colour"), "colour", "a colour such as #4A41C4", read).map(|found| found.value)
}
