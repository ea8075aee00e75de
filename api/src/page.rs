//! Lists: one page at a time, by cursor.

use serde::{Deserialize, Serialize};

/// One page of a list. A cursor is opaque and belongs to the filters and the order it came with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The rows, in order.
    pub items: Vec<T>,
    /// Cursor of the page after this one; absent on the last page.
    pub next: Option<String>,
    /// Cursor of the page before this one; absent on the first page.
    pub prev: Option<String>,
    /// How many rows match on all pages.
    pub count: Count,
    /// The moment the page was read (RFC 3339, UTC).
    pub as_of: String,
}

/// A count that says whether it is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Count {
    /// The number, or the number at which counting stopped.
    pub n: u64,
    /// Whether counting went to the end.
    pub exact: bool,
}
