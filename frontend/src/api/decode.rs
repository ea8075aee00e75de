//! From JSON to the wire types of `cloakroom-api`. The members of each type are listed in `records.rs`; a list that
//! lacks one does not compile, and the tests hold each list against what serde writes.

use super::json::Json;

/// A type that is read from JSON.
pub(crate) trait Decode: Sized {
    /// Reads it; `None` where the value has another shape.
    fn decode(json: &Json) -> Option<Self>;

    /// What stands for a member that is not there.
    fn absent() -> Option<Self> {
        None
    }
}

/// A member of an object.
pub(super) fn member<T: Decode>(json: &Json, name: &str) -> Option<T> {
    match json.get(name) {
        Some(value) => T::decode(value),
        None => T::absent(),
    }
}

impl Decode for Json {
    fn decode(json: &Json) -> Option<Self> {
        Some(json.clone())
    }
}

/// An answer without content.
impl Decode for () {
    fn decode(_: &Json) -> Option<Self> {
        Some(())
    }
}

impl Decode for String {
    fn decode(json: &Json) -> Option<Self> {
        if let Json::Text(text) = json { Some(text.clone()) } else { None }
    }
}

impl Decode for bool {
    fn decode(json: &Json) -> Option<Self> {
        if let Json::Bool(yes) = json { Some(*yes) } else { None }
    }
}

impl Decode for u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number from 0 to 2^53")]
    fn decode(json: &Json) -> Option<Self> {
        let Json::Number(number) = json else { return None };
        ((0.0..=9_007_199_254_740_992.0).contains(number) && number.fract() == 0.0).then_some(*number as Self)
    }
}

impl Decode for u32 {
    fn decode(json: &Json) -> Option<Self> {
        u64::decode(json)?.try_into().ok()
    }
}

impl Decode for u16 {
    fn decode(json: &Json) -> Option<Self> {
        u64::decode(json)?.try_into().ok()
    }
}

impl Decode for f64 {
    fn decode(json: &Json) -> Option<Self> {
        if let Json::Number(number) = json { Some(*number) } else { None }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(json: &Json) -> Option<Self> {
        if *json == Json::Null { Some(None) } else { T::decode(json).map(Some) }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(json: &Json) -> Option<Self> {
        let Json::List(items) = json else { return None };
        items.iter().map(T::decode).collect()
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// A struct by its members: `record!(Named { id, name, n })`; `member as "wire name"` where they differ.
macro_rules! record {
    ($type:path { $($member:ident $(as $name:literal)?),* $(,)? }) => {
        impl $crate::api::decode::Decode for $type {
            fn decode(json: &$crate::api::json::Json) -> Option<Self> {
                Some(Self { $($member: $crate::api::decode::member(json, record!(@name $member $($name)?))?),* })
            }
        }
    };
    (@name $member:ident) => { stringify!($member) };
    (@name $member:ident $name:literal) => { $name };
}

/// An enum by its words on the wire: `codes!(Kind { Web = "web", Mobile = "mobile" })`.
macro_rules! codes {
    ($type:path { $($variant:ident = $code:literal),* $(,)? }) => {
        impl $crate::api::decode::Decode for $type {
            fn decode(json: &$crate::api::json::Json) -> Option<Self> {
                let $crate::api::json::Json::Text(code) = json else { return None };
                match code.as_str() {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

pub(super) use {codes, record};
