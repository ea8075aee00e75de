//! A site's routes. The longest prefix that ends on a segment boundary wins, on the path alone (S16); routes of that
//! prefix may divide the methods among them, and a method that none of them takes is refused rather than handed to a
//! shorter prefix with another policy.

use http::{HeaderValue, Method, Uri};

use super::path::NormalPath;

/// The methods that a route without a list of its own takes, as an `Allow` header tells them.
const ORDINARY: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// Routes of one site, looked up without allocation.
#[derive(Debug)]
pub struct Table<R> {
    /// The longest prefix first.
    places: Vec<Place<R>>,
}

/// The routes of one prefix.
#[derive(Debug)]
struct Place<R> {
    /// What it spells, without the slash at its end.
    prefix: Box<[u8]>,
    allow: HeaderValue,
    routes: Vec<(Methods, R)>,
}

/// Empty: every method.
type Methods = Vec<Method>;

/// What a look-up found.
#[derive(Debug)]
pub enum Found<'a, R> {
    /// A route.
    Route(&'a R),
    /// Routes of that path, for other methods.
    MethodNotAllowed(&'a HeaderValue),
    /// Nothing.
    Nothing,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self { places: Vec::new() }
    }
}

impl<R> Table<R> {
    /// Adds a route. Of two with the same prefix, the first one added that takes the method wins.
    pub fn add(&mut self, prefix: &str, methods: Methods, route: R) {
        let prefix = spelled(prefix);
        let at = self.places.partition_point(|place| place.prefix.len() > prefix.len());
        let same = self.places.iter_mut().skip(at).take_while(|place| place.prefix.len() == prefix.len());
        if let Some(place) = { same }.find(|place| place.prefix == prefix) {
            place.routes.push((methods, route));
            place.allow = allow(&place.routes);
        } else {
            let routes = vec![(methods, route)];
            self.places.insert(at, Place { prefix, allow: allow(&routes), routes });
        }
    }

    /// The route of a path and method.
    #[must_use]
    pub fn find(&self, path: &NormalPath<'_>, method: &Method) -> Found<'_, R> {
        let Some(place) = self.places.iter().find(|place| path.is_under(&place.prefix)) else { return Found::Nothing };
        let takes = |methods: &Methods| {
            if methods.is_empty() { !is_echo(method) } else { methods.contains(method) }
        };
        let route = place.routes.iter().find(|(methods, _)| takes(methods));
        route.map_or(Found::MethodNotAllowed(&place.allow), |(_, route)| Found::Route(route))
    }
}

/// Methods whose answer is the request itself, the attached token included, or a tunnel (S18, S10): no route takes them
/// unless it names them.
fn is_echo(method: &Method) -> bool {
    matches!(method.as_str(), "TRACE" | "TRACK" | "CONNECT")
}

/// A route's prefix as [`NormalPath::is_under`] compares it. Configuration has checked that it is in normal form.
fn spelled(prefix: &str) -> Box<[u8]> {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    let uri = prefix.parse::<Uri>().ok();
    let normal = uri.as_ref().and_then(|uri| NormalPath::parse(uri).ok());
    normal.map_or_else(|| prefix.as_bytes().into(), |path| path.spelled().collect())
}

fn allow<R>(routes: &[(Methods, R)]) -> HeaderValue {
    if routes.iter().any(|(methods, _)| methods.is_empty()) {
        return HeaderValue::from_static(ORDINARY);
    }
    let names: Vec<&str> = routes.iter().flat_map(|(methods, _)| methods).map(Method::as_str).collect();
    HeaderValue::try_from(names.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table<&'static str> {
        let mut table = Table::default();
        table.add("/", vec![], "pages");
        table.add("/api/", vec![], "api");
        table.add("/api/admin/", vec![Method::GET, Method::HEAD], "read");
        table.add("/api/notes", vec![Method::GET], "notes");
        table.add("/api/notes/", vec![Method::POST], "write notes");
        table.add("/api/caf%C3%A9/", vec![], "caf\u{e9}");
        table
    }

    fn found(table: &Table<&'static str>, method: &Method, path: &str) -> String {
        let uri: Uri = path.parse().expect("a path");
        match table.find(&NormalPath::parse(&uri).expect("normal"), method) {
            Found::Route(route) => (*route).to_owned(),
            Found::MethodNotAllowed(allow) => format!("allow: {}", allow.to_str().expect("ASCII")),
            Found::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn s16_the_longest_prefix_on_a_segment_boundary_wins() {
        let cases = [
            ("/", "pages"),
            ("/apix", "pages"),
            ("/API/", "pages"),
            ("/api", "api"),
            ("/api/", "api"),
            ("/api/rows", "api"),
            ("/api/admins", "api"),
            ("/api/admin", "read"),
            ("/api/admin/x", "read"),
            ("/api/admin;v=1/x", "read"),
            ("/api;v=1/admin", "read"),
            ("/api/notes/7", "notes"),
            ("/api/caf%c3%a9", "caf\u{e9}"),
        ];
        for (path, expected) in cases {
            assert_eq!(found(&table(), &Method::GET, path), expected, "{path}");
        }
    }

    #[test]
    fn s16_a_method_never_falls_through_to_a_shorter_prefix() {
        let table = table();
        assert_eq!(found(&table, &Method::POST, "/api/notes"), "write notes");
        assert_eq!(found(&table, &Method::PUT, "/api/notes"), "allow: GET, POST");
        assert_eq!(found(&table, &Method::DELETE, "/api/admin/x"), "allow: GET, HEAD");
        assert_eq!(found(&Table::default(), &Method::GET, "/"), "nothing");
    }

    #[test]
    fn s18_methods_that_echo_the_request_reach_no_upstream() {
        for method in ["TRACE", "TRACK", "CONNECT"] {
            let method: Method = method.parse().expect("a method");
            assert_eq!(found(&table(), &method, "/api/x"), format!("allow: {ORDINARY}"));
        }
        assert_eq!(found(&table(), &"PROPFIND".parse::<Method>().expect("a method"), "/api/x"), "api");
    }
}
