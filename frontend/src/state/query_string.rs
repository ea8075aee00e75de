//! Query strings: `application/x-www-form-urlencoded`, read and written without a library's weight.

/// Name and value of each pair, decoded. What is not UTF-8 after decoding is left as it was.
pub(crate) fn read(search: &str) -> Vec<(String, String)> {
    let pairs = search.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Pairs as a query string, without `?`.
pub(crate) fn write(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    out
}

fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let mut ahead = bytes.clone();
                if let (Some(high), Some(low)) = (ahead.next().and_then(hex), ahead.next().and_then(hex)) {
                    out.push(high << 4 | low);
                    bytes = ahead;
                } else {
                    out.push(byte);
                }
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["", "anna", "a b", "ä&ö=ü", "100%", "a+b", "日本", "\"<>#?/"] {
            let written = write(&[("q", text)]);
            assert!(written.is_ascii());
            assert_eq!(read(&written), [("q".to_owned(), text.to_owned())]);
        }
    }

    #[test]
    fn broken_escapes_are_left_alone() {
        for (written, text) in [("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("%ff", "%ff"), ("%41+b", "A b")] {
            assert_eq!(decode(written), text);
        }
    }

    #[test]
    fn empty_pairs_are_nothing() {
        assert_eq!(read("?"), []);
        assert_eq!(read("&a&&b=1=2"), [("a".to_owned(), String::new()), ("b".to_owned(), "1=2".to_owned())]);
    }
}
