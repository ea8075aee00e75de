//! Server-sent events, read by `fetch`: `EventSource` cannot send the header that every call of this API carries.

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, ReadableStreamDefaultReader};

use super::client::{self, Failure};
use super::json::Json;

/// Listens until the stream ends; `each` is told of every event's data.
pub(crate) async fn listen(url: &str, signal: &AbortSignal, each: impl Fn(Json)) -> Result<(), Failure> {
    let answer = client::open(url, signal).await?;
    let body = answer.body().ok_or(Failure::Unreachable)?;
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let mut lines = Lines::default();
    loop {
        let chunk = JsFuture::from(reader.read()).await.map_err(|_| Failure::Unreachable)?;
        let part = |name: &str| Reflect::get(&chunk, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED);
        if part("done").is_truthy() {
            return Ok(());
        }
        for data in lines.add(&Uint8Array::new(&part("value")).to_vec()) {
            if let Some(json) = Json::parse(&data) {
                each(json);
            }
        }
    }
}

/// Puts lines together from pieces that may end anywhere, inside a character too.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    /// The data of the lines that are whole now.
    fn add(&mut self, bytes: &[u8]) -> Vec<String> {
        self.0.extend_from_slice(bytes);
        let Some(end) = self.0.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let rest = self.0.split_off(end + 1);
        let whole = std::mem::replace(&mut self.0, rest);
        let text = String::from_utf8_lossy(&whole);
        text.lines().filter_map(|line| line.strip_prefix("data:")).map(|data| data.trim().to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_lines() {
        let mut lines = Lines::default();
        assert!(lines.add(b": a comment\n\nevent: audit\nda").is_empty());
        let text = "ta: {\"é\":1}\n\ndata: 2\n\ndata: 3".as_bytes();
        let (first, second) = text.split_at(8);
        assert!(lines.add(first).is_empty());
        assert_eq!(lines.add(second), ["{\"é\":1}", "2"]);
        assert_eq!(lines.add(b"\n"), ["3"]);
    }
}
