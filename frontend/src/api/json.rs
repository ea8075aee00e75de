//! JSON (RFC 8259), read into a tree and written from one. serde's generated readers weigh 35 kB of the page's
//! WebAssembly in brotli; this one weighs three (docs/decisions/0020-the-consoles-weight.md).

use std::iter::Peekable;
use std::str::Chars;

/// How deep arrays and objects may nest: far deeper than any answer of the admin API.
const DEPTH_MAX: u8 = 32;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number. Whole ones are exact up to 2^53.
    Number(f64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object, in the order in which it was written.
    Map(Vec<(String, Json)>),
}

impl Json {
    /// Reads a text that is one value and nothing else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader { rest: text.chars().peekable() };
        let value = reader.value(0)?;
        reader.skip_space();
        reader.rest.next().is_none().then_some(value)
    }

    /// A member of an object.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Map(members) = self else { return None };
        members.iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    /// A string.
    pub(crate) fn text(words: impl Into<String>) -> Self {
        Self::Text(words.into())
    }

    /// An object of these members.
    pub(crate) fn map<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Map(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The value as it is sent.
    pub(crate) fn write(&self) -> String {
        let mut out = String::new();
        self.write_to(&mut out);
        out
    }

    fn write_to(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
            // Nothing that is sent has a fraction.
            Self::Number(number) => out.push_str(&whole(*number).to_string()),
            Self::Text(text) => write_text(text, out),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write_to(out);
                }
                out.push(']');
            }
            Self::Map(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(name, out);
                    out.push(':');
                    value.write_to(out);
                }
                out.push('}');
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float becomes the nearest whole number there is")]
fn whole(number: f64) -> i64 {
    number as i64
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if u32::from(c) < 0x20 => {
                let hex = |digit| char::from_digit(digit, 16).unwrap_or('0');
                out.extend(['\\', 'u', '0', '0', hex(u32::from(c) >> 4), hex(u32::from(c) & 15)]);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Reader<'_> {
    fn skip_space(&mut self) {
        while self.rest.next_if(|c| matches!(c, ' ' | '\t' | '\n' | '\r')).is_some() {}
    }

    /// Takes a character if it is the next one, after white space.
    fn take(&mut self, wanted: char) -> bool {
        self.skip_space();
        self.rest.next_if_eq(&wanted).is_some()
    }

    fn value(&mut self, depth: u8) -> Option<Json> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.skip_space();
        match self.rest.peek()? {
            '{' => self.map(depth),
            '[' => self.list(depth),
            '"' => self.string().map(Json::Text),
            't' => self.word("true", Json::Bool(true)),
            'f' => self.word("false", Json::Bool(false)),
            'n' => self.word("null", Json::Null),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        word.chars().all(|c| self.rest.next_if_eq(&c).is_some()).then_some(value)
    }

    /// By hand: the standard library's exact reading of floats weighs 10 kB. Whole numbers are exact here too.
    fn number(&mut self) -> Option<Json> {
        let negative = self.rest.next_if_eq(&'-').is_some();
        let (mut number, _) = self.digits(0.0)?;
        if self.rest.next_if_eq(&'.').is_some() {
            let (digits, count) = self.digits(0.0)?;
            number += digits / 10_f64.powi(count);
        }
        if self.rest.next_if(|c| matches!(c, 'e' | 'E')).is_some() {
            let down = self.rest.next_if(|c| matches!(c, '-' | '+')) == Some('-');
            let (exponent, _) = self.digits(0.0)?;
            number *= 10_f64.powf(if down { -exponent } else { exponent });
        }
        number.is_finite().then_some(Json::Number(if negative { -number } else { number }))
    }

    /// Digits, at least one, behind a number; and how many there were.
    fn digits(&mut self, mut number: f64) -> Option<(f64, i32)> {
        let mut count = 0;
        while let Some(digit) = self.rest.peek().and_then(|c| c.to_digit(10)) {
            self.rest.next();
            number = number * 10.0 + f64::from(digit);
            count += 1;
        }
        (count > 0).then_some((number, count))
    }

    fn list(&mut self, depth: u8) -> Option<Json> {
        self.rest.next();
        let mut items = Vec::new();
        if self.take(']') {
            return Some(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.take(']') {
                return Some(Json::List(items));
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    fn map(&mut self, depth: u8) -> Option<Json> {
        self.rest.next();
        let mut members = Vec::new();
        if self.take('}') {
            return Some(Json::Map(members));
        }
        loop {
            self.skip_space();
            let name = self.string()?;
            if !self.take(':') {
                return None;
            }
            members.push((name, self.value(depth + 1)?));
            if self.take('}') {
                return Some(Json::Map(members));
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        self.rest.next_if_eq(&'"')?;
        let mut out = String::new();
        loop {
            match self.rest.next()? {
                '"' => return Some(out),
                '\\' => out.push(self.escaped()?),
                c if u32::from(c) < 0x20 => return None,
                c => out.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        Some(match self.rest.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let first = self.hex4()?;
                if !(0xd800..0xdc00).contains(&first) {
                    // A low surrogate alone is no character.
                    return char::from_u32(first);
                }
                if self.rest.next() != Some('\\') || self.rest.next() != Some('u') {
                    return None;
                }
                let second = self.hex4()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                char::from_u32(0x10000 + ((first - 0xd800) << 10) + second)?
            }
            c @ ('"' | '\\' | '/') => c,
            _ => return None,
        })
    }

    fn hex4(&mut self) -> Option<u32> {
        let mut number = 0;
        for _ in 0..4 {
            number = number * 16 + self.rest.next()?.to_digit(16)?;
        }
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_serde_writes_is_read_and_what_is_written_serde_reads() {
        for text in [
            "null",
            "true",
            "-12500",
            "0.25",
            r#""""#,
            r#"[1,[],{"a":null}]"#,
            r#"{"a":{"b":[true,false,"x\"\\\/\b\f\n\r\t\u0001é日😀\u202e"]},"c":1}"#,
            " { \"a\" : [ 1 , 2 ] } ",
        ] {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            let read = Json::parse(&value.to_string()).unwrap();
            assert_eq!(Json::parse(text).unwrap(), read, "{text}");
            if text.contains("0.25") {
                assert_eq!(read, Json::Number(0.25));
                continue;
            }
            let back: serde_json::Value = serde_json::from_str(&read.write()).unwrap();
            assert_eq!(back.to_string(), value.to_string(), "{text}");
        }
        assert_eq!(Json::parse(r#""\ud83d\ude00""#), Some(Json::text("😀")));
        assert_eq!(Json::parse("-12.5e3"), Some(Json::Number(-12_500.0)));
        assert_eq!(Json::parse("25e-2"), Some(Json::Number(0.25)));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(100);
        for text in [
            "",
            "x",
            "nul",
            "[1,]",
            "[1",
            "{\"a\"}",
            "{\"a\":1,}",
            "{a:1}",
            "\"a",
            "\"\n\"",
            "1 2",
            "+1",
            ".5",
            "-",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "NaN",
            "1e999",
            &deep,
        ] {
            assert_eq!(Json::parse(text), None, "{text}");
        }
    }
}
