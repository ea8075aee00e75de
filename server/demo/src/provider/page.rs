//! The provider's pages for people: templates, headers, static files.

use axum::{
    extract::Path,
    response::{Html, IntoResponse as _, Response},
};
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
};
use minijinja::{Environment, Value, context};
use url::Url;

use super::Provider;

/// The templates, parsed once.
pub(super) struct Pages(Environment<'static>);

const TEMPLATES: [(&str, &str); 7] = [
    ("layout.html", include_str!("pages/layout.html")),
    ("login.html", include_str!("pages/login.html")),
    ("home.html", include_str!("pages/home.html")),
    ("logout.html", include_str!("pages/logout.html")),
    ("signed_out.html", include_str!("pages/signed_out.html")),
    ("form_post.html", include_str!("pages/form_post.html")),
    ("error.html", include_str!("pages/error.html")),
];

impl Pages {
    pub(super) fn new() -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        for (name, source) in TEMPLATES {
            environment.add_template(name, source)?;
        }
        Ok(Self(environment))
    }
}

/// Renders a page. `leads_to` is where its form may end up: browsers hold `form-action` against
/// every redirect that follows a form, so the client's own origin has to be named, and what is behind it.
pub(super) fn show(
    provider: &Provider,
    status: StatusCode,
    name: &str,
    values: Value,
    leads_to: Option<&Url>,
) -> Response {
    let rendered = provider.pages.0.get_template(name).and_then(|template| template.render(values));
    let body = match rendered {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(%error, name, "a page could not be rendered");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let mut response = (status, Html(body)).into_response();
    let origin = leads_to.map(|url| url.origin().ascii_serialization());
    let onward: Vec<&str> =
        origin.as_deref().into_iter().chain(provider.config.onward.iter().map(String::as_str)).collect();
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
         form-action 'self' {}; frame-ancestors 'none'; base-uri 'none'",
        onward.join(" ")
    );
    if let Ok(value) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, value);
    }
    response
}

/// A request that must not be answered with a redirect.
pub(super) fn error(provider: &Provider, status: StatusCode, text: &str) -> Response {
    show(provider, status, "error.html", context! { text }, None)
}

/// `GET /static/{file}`.
pub(super) async fn asset(Path(file): Path<String>) -> Response {
    let (kind, body) = match file.as_str() {
        "idp.css" => ("text/css; charset=utf-8", include_str!("static/idp.css")),
        "submit.js" => ("text/javascript; charset=utf-8", include_str!("static/submit.js")),
        "mark.svg" => ("image/svg+xml", include_str!("static/mark.svg")),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=300")];
    (headers, body).into_response()
}
