//! A folder of files, served as a web app: precompressed files where they are there, one page for every address of a
//! single-page app, and names that carry a hash kept by browsers for good.

use std::convert::Infallible;
use std::path::Path;

use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use tower::ServiceExt as _;
use tower_http::services::ServeDir;

use crate::edge::antiforgery::is_top_level_navigation;
use crate::edge::body::Body;
use crate::edge::problem::Refusal;

/// The page of a single-page app, and of a folder that is asked for by its name and a slash.
const INDEX: &str = "index.html";
/// Where build tools put files whose names carry a hash of their content.
const HASHED_UNDER: [&str; 4] = ["assets", "static", "_next", "_app"];
/// A hash in a file's name has at least this many characters.
const HASH_CHARS: usize = 8;
const IMMUTABLE: HeaderValue = HeaderValue::from_static("max-age=31536000, immutable");
/// Asked for again each time: a new version is seen at once.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// What a folder serves.
#[derive(Clone, Debug)]
pub struct Folder {
    files: ServeDir,
    /// The route's prefix, which is no part of the files' names.
    prefix_bytes: usize,
}

impl Folder {
    /// The files of `root`, under a route's path.
    #[must_use]
    pub fn new(root: &Path, route_path: &str) -> Self {
        let files = ServeDir::new(root).append_index_html_on_directories(false);
        let files = files.precompressed_br().precompressed_gzip();
        Self { files, prefix_bytes: route_path.trim_end_matches('/').len() }
    }

    /// The file that a request names.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], also for whatever begins with a dot; [`Refusal::MethodNotAllowed`].
    pub async fn serve(&self, parts: &Parts) -> Result<Response<Body>, Refusal> {
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return Err(Refusal::MethodNotAllowed { allow: HeaderValue::from_static("GET, HEAD") });
        }
        let path = parts.uri.path().get(self.prefix_bytes..).unwrap_or_default();
        let name = match path {
            "" => format!("/{INDEX}"),
            path if path.ends_with('/') => format!("{path}{INDEX}"),
            path => path.to_owned(),
        };
        if name.split('/').any(is_hidden) {
            return Err(Refusal::NotFound);
        }
        if let Some(found) = self.file(&name, parts).await? {
            return Ok(found);
        }
        let last = name.rsplit('/').next().unwrap_or_default();
        let is_page = last == INDEX || !last.contains('.');
        if is_page
            && is_top_level_navigation(&parts.method, &parts.headers)
            && let Some(page) = self.file(&format!("/{INDEX}"), parts).await?
        {
            return Ok(page);
        }
        Err(Refusal::NotFound)
    }

    async fn file(&self, name: &str, parts: &Parts) -> Result<Option<Response<Body>>, Refusal> {
        let mut request = Request::new(http_body_util::Empty::<bytes::Bytes>::new());
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = name.parse::<Uri>().map_err(|_| Refusal::NotFound)?;
        *request.headers_mut() = parts.headers.clone();
        let answered: Result<_, Infallible> = self.files.clone().oneshot(request).await;
        let Ok(response) = answered;
        match response.status() {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => return Ok(None),
            status if status.is_server_error() => return Err(Refusal::Broken),
            _ => {}
        }
        let mut response = response.map(|body| Body::Own(axum::body::Body::new(body)));
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, if is_hashed(name) { IMMUTABLE } else { ASK_AGAIN });
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        Ok(Some(response))
    }
}

/// `.git`, `.env` and the like were never meant for browsers, however the dot is spelled.
fn is_hidden(segment: &str) -> bool {
    segment.starts_with('.') || segment.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%2e"))
}

/// Whether a name says that its content will never be another: a build tool's folder, and a hash before the extension,
/// as in `assets/index-BwD3x9aK.js` and `static/js/main.0f3ac21b.js`.
fn is_hashed(name: &str) -> bool {
    let mut segments = name.split('/').skip(1);
    let Some(last) = name.rsplit('/').next() else { return false };
    if !segments.next().is_some_and(|first| first != last && HASHED_UNDER.contains(&first)) {
        return false;
    }
    let Some((stem, _)) = last.rsplit_once('.') else { return false };
    let is_hash = |part: &str| {
        let of_a_hash = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let mixed =
            part.bytes().any(|byte| byte.is_ascii_digit()) || part.bytes().any(|byte| byte.is_ascii_uppercase());
        part.len() >= HASH_CHARS
            && part.bytes().all(of_a_hash)
            && mixed
            && part.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    stem.split(['-', '.']).skip(1).any(is_hash) || (name.starts_with("/_next/static/") && stem.split('-').any(is_hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_hash_are_told_from_names_with_a_word_or_a_date() {
        for (name, hashed) in [
            ("/assets/index-BwD3x9aK.js", true),
            ("/assets/style.5d41402a.css", true),
            ("/static/js/main.0f3ac21b.chunk.js", true),
            ("/_next/static/chunks/4bd1b696-f785427dddbba9fb.js", true),
            ("/_app/immutable/entry/start.DkC0vF3s.js", true),
            ("/assets/report-20261124.pdf", false),
            ("/assets/introduction-to-everything.html", false),
            ("/assets/logo.svg", false),
            ("/index.html", false),
            ("/BwD3x9aK-BwD3x9aK.js", false),
            ("/main-BwD3x9aK.js", false),
        ] {
            assert_eq!(is_hashed(name), hashed, "{name}");
        }
    }

    #[test]
    fn what_begins_with_a_dot_is_hidden_however_it_is_spelled() {
        for (segment, hidden) in [(".git", true), ("%2egit", true), ("%2Eenv", true), ("a.b", false), ("", false)] {
            assert_eq!(is_hidden(segment), hidden, "{segment}");
        }
    }
}
