//! JSON in which no member of any object stands twice. With duplicates, two readers could see two different tokens
//! (RFC 7519 section 4); the usual reader silently takes the last one.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why the text is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotStrict {
    /// A member stands twice.
    Duplicate,
    /// No JSON object.
    NoObject,
}

const DUPLICATE: &str = "a member stands twice";

/// Reads an object.
pub(crate) fn strict_object(bytes: &[u8]) -> Result<Map<String, Value>, NotStrict> {
    match serde_json::from_slice(bytes) {
        Ok(Strict(Value::Object(members))) => Ok(members),
        Err(error) if error.is_data() && error.to_string().starts_with(DUPLICATE) => Err(NotStrict::Duplicate),
        Ok(_) | Err(_) => Err(NotStrict::NoObject),
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whole).map(Self)
    }
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate members")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("no finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Strict(value))) = access.next_entry::<String, Strict>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom(DUPLICATE));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l05_members_that_stand_twice_are_found_at_any_depth() {
        for (text, expected) in [
            (r#"{"sub":"a","sub":"b"}"#, NotStrict::Duplicate),
            (r#"{"sub":"a","sub":"a"}"#, NotStrict::Duplicate),
            (r#"{"sub":"a","\u0073ub":"b"}"#, NotStrict::Duplicate),
            (r#"{"realm":{"roles":[],"roles":["owner"]}}"#, NotStrict::Duplicate),
            (r#"{"list":[{"a":1,"a":2}]}"#, NotStrict::Duplicate),
            (r#"["sub"]"#, NotStrict::NoObject),
            (r#"{"sub":"a"} {}"#, NotStrict::NoObject),
            (r#"{"sub":"a""#, NotStrict::NoObject),
            ("", NotStrict::NoObject),
        ] {
            assert_eq!(strict_object(text.as_bytes()), Err(expected), "{text}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(strict_object(deep.as_bytes()), Err(NotStrict::NoObject));
    }

    #[test]
    fn values_are_read_as_they_are() {
        let text = r#"{"s":"ä","i":-1,"u":18446744073709551615,"f":1.5,"b":true,"n":null,"l":[1,"a"],"o":{"x":{}}}"#;
        let usual: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(strict_object(text.as_bytes()).map(Value::Object), Ok(usual));
    }
}
