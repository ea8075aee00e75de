//! The provider's two cookies.

use http::{HeaderMap, HeaderValue, header};

/// Binds an open page to the browser it was made for. Not a sign-in.
pub(super) const BROWSER: &str = "__Host-idp-browser";
/// The sign-in at the provider.
pub(super) const LOGIN: &str = "__Host-idp-login";

/// `SameSite=None`: relying parties start here from another site, by GET, by POST and in frames
/// (`prompt=none`), and single sign-on must be seen each time. Forms are guarded by their token.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=None";

pub(super) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

pub(super) fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    append(headers, &format!("{name}={value}; {ATTRIBUTES}"));
}

pub(super) fn remove(headers: &mut HeaderMap, name: &str) {
    append(headers, &format!("{name}=; {ATTRIBUTES}; Max-Age=0"));
}

fn append(headers: &mut HeaderMap, line: &str) {
    // Names are ours and values are base64url, so the line is always a header value.
    if let Ok(value) = HeaderValue::try_from(line) {
        headers.append(header::SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("x__Host-idp-login=no; a=b"));
        headers.append(header::COOKIE, HeaderValue::from_static("__Host-idp-login=yes"));
        assert_eq!(read(&headers, LOGIN), Some("yes"));
        assert_eq!(read(&headers, BROWSER), None);
    }
}
