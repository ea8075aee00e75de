//! A device's names: a short one from its user agent, a hint for people and never a decision; and the one that its
//! person gives it.

use http::{HeaderMap, header};
use serde::Deserialize;

use super::problem::Refusal;

/// The longest name of a device, in characters.
const NAME_CHARS: usize = 100;

/// The `User-Agent` of a request.
pub fn user_agent(headers: &HeaderMap) -> Option<String> {
    headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rename {
    name: String,
}

/// The name that a person gives a device: `{"name": "…"}`.
///
/// # Errors
/// [`Refusal::BadRequest`] or [`Refusal::BadParameter`].
pub fn renamed(body: &[u8]) -> Result<String, Refusal> {
    let Rename { name } = serde_json::from_slice(body).map_err(|_| Refusal::BadRequest("send {\"name\": \"…\"}"))?;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS || name.chars().any(char::is_control) {
        let what = "must have 1 to 100 characters, none of them a control character";
        return Err(Refusal::BadParameter { name: "name".into(), what });
    }
    Ok(name.to_owned())
}

/// Such as `Firefox on Linux`; the parts that are not recognised are left out.
#[must_use]
pub fn name(user_agent: &str) -> String {
    let first = |table: &[(&str, &'static str)]| {
        table.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    // Order matters: most browsers also claim to be those they descend from.
    let browser = first(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("HeadlessChrome/", "Chrome (headless)"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "Unknown device".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_browsers_have_short_names() {
        let cases = [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/156.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.5.0", "curl"),
            ("", "Unknown device"),
        ];
        for (user_agent, expected) in cases {
            assert_eq!(name(user_agent), expected);
        }
    }
}
