//! Rows that stay where they are, with the focus in them, when the list is read again and they did not change.

use std::sync::Arc;

use leptos::prelude::*;

use super::part::Part;

/// A row: what tells it from others and from its own past, and how it is drawn.
#[derive(Clone)]
pub(crate) struct Row {
    key: String,
    draw: Arc<dyn Fn() -> Part + Send + Sync>,
}

impl Row {
    /// A row that is drawn anew when its key changed.
    pub(crate) fn new(key: String, draw: impl Fn() -> Part + Send + Sync + 'static) -> Self {
        Self { key, draw: Arc::new(draw) }
    }
}

/// The rows that a signal says.
pub(crate) fn rows(rows: impl Fn() -> Vec<Row> + Send + Sync + 'static) -> AnyView {
    let rows: Arc<dyn Fn() -> Vec<Row> + Send + Sync> = Arc::new(rows);
    view! { <For each=move || rows() key=|row: &Row| row.key.clone() children=|row: Row| (row.draw)().any() /> }
        .into_any()
}
