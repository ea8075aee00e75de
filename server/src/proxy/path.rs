//! One normal form of a path decides both policy and forwarding (P5). What is not already in that form is refused,
//! never rewritten: a rewritten path would be another one than the upstream's own parser might see. A path that is
//! accepted goes on byte for byte.

use std::str::Bytes;

use http::Uri;

/// A request's path in normal form: starts with one slash, no empty or dot segment, no escaped slash or backslash, no
/// control character, no parameter that hides a dot segment, escapes only of what needs them. Borrowed from the
/// request: nothing is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NormalPath<'a> {
    text: &'a str,
    /// It has neither escapes nor parameters: it spells what it says.
    plain: bool,
}

/// Why a request target is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathRefusal {
    /// Not of the form `/path?query` (RFC 9112 section 3.2.1).
    #[error("only targets of the form /path?query are served")]
    NotOriginForm,
    /// `//`, `.` or `..`, plain or behind a parameter.
    #[error("it has an empty or a dot segment")]
    OddSegment,
    /// A backslash, a control character, a byte outside ASCII, or an escape of a slash, backslash, `%` or control
    /// character.
    #[error("it has a character that servers read differently")]
    OddCharacter,
    /// An escape of a letter, a digit, `-`, `.`, `_` or `~`: another spelling of the same path (RFC 3986 section 2.3).
    #[error("it escapes a character that needs no escape")]
    NeedlessEscape,
    /// `%` without two hexadecimal digits, or an escape that spells no UTF-8.
    #[error("it has a broken escape")]
    BrokenEscape,
}

impl<'a> NormalPath<'a> {
    /// Checks a request target.
    ///
    /// # Errors
    /// [`PathRefusal`], to be answered 400.
    pub fn parse(uri: &'a Uri) -> Result<Self, PathRefusal> {
        if uri.scheme().is_some() || uri.authority().is_some() {
            return Err(PathRefusal::NotOriginForm);
        }
        let text = uri.path();
        if !text.starts_with('/') {
            return Err(PathRefusal::NotOriginForm);
        }
        // The query decides nothing, but it goes on with the path: no byte in it may be read as the target's end.
        let query = uri.query().unwrap_or_default();
        if query.bytes().any(|byte| matches!(byte, 0..=0x20 | 0x7f..=0xff)) {
            return Err(PathRefusal::OddCharacter);
        }
        let plain = check(text)?;
        Ok(Self { text, plain })
    }

    /// The path's text.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// Whether the path is `prefix` or lies under it, on a segment boundary. What the path *spells* is compared:
    /// escapes count as what they stand for, and parameters (`/a;v=1/b`) do not count, as with servers that take them
    /// out before they route. So no other spelling gets round the longer of two prefixes.
    ///
    /// `prefix` is what [`Self::spelled`] makes of a path, without a slash at its end.
    #[must_use]
    pub fn is_under(&self, prefix: &[u8]) -> bool {
        if self.plain {
            let rest = self.text.as_bytes().strip_prefix(prefix);
            return rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'/')));
        }
        let mut spelled = self.spelled();
        prefix.iter().all(|&byte| spelled.next() == Some(byte)) && matches!(spelled.next(), None | Some(b'/'))
    }

    /// The bytes that the path spells: escapes resolved, parameters left out.
    pub fn spelled(&self) -> impl Iterator<Item = u8> + use<'a> {
        Spelled { rest: self.text.bytes(), parameter: false }
    }
}

struct Spelled<'a> {
    rest: Bytes<'a>,
    parameter: bool,
}

impl Iterator for Spelled<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = self.rest.next()?;
            self.parameter = (self.parameter || byte == b';') && byte != b'/';
            if self.parameter {
                continue;
            }
            return if byte == b'%' { escaped(&mut self.rest).ok() } else { Some(byte) };
        }
    }
}

/// The byte that the two digits behind a `%` stand for.
fn escaped(digits: &mut Bytes<'_>) -> Result<u8, PathRefusal> {
    let mut digit = || digits.next().and_then(|digit| char::from(digit).to_digit(16)).ok_or(PathRefusal::BrokenEscape);
    u8::try_from(digit()? * 16 + digit()?).map_err(|_| PathRefusal::BrokenEscape)
}

/// Whether the path has neither escapes nor parameters.
fn check(path: &str) -> Result<bool, PathRefusal> {
    let mut plain = true;
    for byte in path.bytes() {
        match byte {
            b'%' | b';' => plain = false,
            b'\\' | b'#' | 0..=0x20 | 0x7f..=0xff => return Err(PathRefusal::OddCharacter),
            _ => {}
        }
    }
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        if (segment.is_empty() && !last) || is_dots(segment) {
            return Err(PathRefusal::OddSegment);
        }
        if !plain {
            check_escaped(segment)?;
        }
    }
    Ok(plain)
}

fn is_dots(segment: &str) -> bool {
    segment == "." || segment == ".."
}

/// A segment with escapes or parameters: what it spells must be as harmless, also to a server that takes parameters
/// out before it looks for dots.
fn check_escaped(segment: &str) -> Result<(), PathRefusal> {
    if segment.is_empty() {
        return Ok(());
    }
    let decoded = decode(segment)?;
    if decoded.bytes().any(|byte| matches!(byte, b'/' | b'\\' | b'%' | 0..=0x1f | 0x7f)) {
        return Err(PathRefusal::OddCharacter);
    }
    let name = decoded.split(';').next().unwrap_or_default();
    let hidden = decoded.split(';').skip(1).any(is_dots);
    if name.is_empty() || is_dots(name) || hidden { Err(PathRefusal::OddSegment) } else { Ok(()) }
}

fn decode(segment: &str) -> Result<String, PathRefusal> {
    let mut out = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let value = escaped(&mut rest)?;
        if value.is_ascii_alphanumeric() || matches!(value, b'-' | b'.' | b'_' | b'~') {
            return Err(PathRefusal::NeedlessEscape);
        }
        out.push(value);
    }
    String::from_utf8(out).map_err(|_| PathRefusal::BrokenEscape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(path: &str) -> Result<(), PathRefusal> {
        let uri: Uri = path.parse().map_err(|_| PathRefusal::OddCharacter)?;
        NormalPath::parse(&uri).map(|_| ())
    }

    #[test]
    fn p05_odd_paths_are_refused_and_ordinary_ones_pass() {
        use PathRefusal::{BrokenEscape, NeedlessEscape, OddCharacter, OddSegment};
        let refused = [
            ("/api/../admin", OddSegment),
            ("/api/%2e%2e/admin", NeedlessEscape),
            ("/%61pi/x", NeedlessEscape),
            ("/api/%2E./admin", NeedlessEscape),
            ("/api/.", OddSegment),
            ("/api/..;/admin", OddSegment),
            ("/api/..;x=1", OddSegment),
            ("/api/%2e%2e;x/admin", NeedlessEscape),
            ("//api", OddSegment),
            ("/api//x", OddSegment),
            ("/api%2fx", OddCharacter),
            ("/api%5cx", OddCharacter),
            ("/api/%00", OddCharacter),
            ("/api/%252e%252e/x", OddCharacter),
            ("/api/%0d%0a", OddCharacter),
            ("/api\\x", OddCharacter),
            ("/api/;x/y", OddSegment),
            ("/;/api", OddSegment),
            ("/api/x;..", OddSegment),
            ("/api/%7f", OddCharacter),
            ("/api/%ff", BrokenEscape),
            ("/api/%c0%af", BrokenEscape),
            ("/api/%ed%a0%80", BrokenEscape),
            ("/api/%u002e", BrokenEscape),
            ("/api/\u{ff0e}\u{ff0e}/x", OddCharacter),
            ("/api/x?y=\u{e4}", OddCharacter),
            ("/api/%c0%ae%c0%ae/x", BrokenEscape),
            ("/api/%zz", BrokenEscape),
            ("/api/%2", BrokenEscape),
        ];
        for (path, expected) in refused {
            assert_eq!(parse(path), Err(expected), "{path}");
        }
        for path in [
            "/",
            "/api/",
            "/api/rows/4711?x=/../y",
            "/api/a%20b",
            "/api/%C3%A4",
            "/API",
            "/api/x;v=1",
            "/api/a@b:c!$&'()*+,=",
            "/api/caf%c3%a9/",
            "/api/x?",
            "/api/...",
            "/.well-known/x",
            "/api/~me",
        ] {
            assert_eq!(parse(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn p10_only_origin_form_is_served() {
        for target in ["http://evil.example/api/x", "evil.example:443", "*"] {
            let uri: Uri = target.parse().expect("a URI");
            assert_eq!(NormalPath::parse(&uri), Err(PathRefusal::NotOriginForm), "{target}");
        }
    }

    #[test]
    fn p05_a_prefix_is_compared_with_what_the_path_spells() {
        let cases = [
            ("/api", "/api", true),
            ("/api/x", "/api", true),
            ("/apix", "/api", false),
            ("/api;v=1/x", "/api", true),
            ("/api/admin;v=1", "/api/admin", true),
            ("/api;x/admin/y", "/api/admin", true),
            ("/api/caf%c3%A9/x", "/api/caf\u{e9}", true),
            ("/api/%40me", "/api/@me", true),
            ("/api/@me", "/api/@me", true),
            ("/api/%40men", "/api/@me", false),
            ("/ap", "/api", false),
            ("/x", "", true),
        ];
        for (path, prefix, expected) in cases {
            let uri: Uri = path.parse().expect("a URI");
            let parsed = NormalPath::parse(&uri).expect("normal");
            assert_eq!(parsed.is_under(prefix.as_bytes()), expected, "{path} under {prefix}");
        }
    }

    proptest! {
        /// However a server normalises an accepted path, it sees the segments that were judged.
        #[test]
        fn p05_f08_accepted_paths_mean_the_same_to_every_reader(path in "/[a-zA-Z0-9./;%\\\\~@2efcEFC5]{0,40}") {
            let Ok(uri) = path.parse::<Uri>() else { return Ok(()) };
            let Ok(normal) = NormalPath::parse(&uri) else { return Ok(()) };
            prop_assert_eq!(normal.as_str(), &path);
            let spelled = String::from_utf8(normal.spelled().collect()).expect("UTF-8");
            prop_assert!(!spelled.contains("//") && !spelled.contains(['\\', '%', '\0']), "{}", spelled);
            prop_assert!(spelled.split('/').all(|segment| !is_dots(segment)), "{}", spelled);
            // The WHATWG parser takes dot segments and their escapes out: here it finds none.
            let url = url::Url::parse("http://x").and_then(|base| base.join(&path)).expect("a URL");
            prop_assert_eq!(url.path(), &path);
        }
    }
}
