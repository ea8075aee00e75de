//! `GET /`: what this is, and who is signed in.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use minijinja::context;

use super::{Provider, page, sso};

pub(super) async fn home(State(provider): State<Arc<Provider>>, headers: HeaderMap) -> Response {
    let login = sso::current(&provider, &headers);
    let user = login.and_then(|login| provider.config.user_by_sub(&login.sub));
    let values = context! {
        issuer => &provider.issuer,
        name => user.map(|user| &user.display_name),
    };
    page::show(&provider, StatusCode::OK, "home.html", values, None)
}
