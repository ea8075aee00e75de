//! The overview's figures.

/// How things stand.
pub(crate) fn address() -> String {
    "/admin/api/v1/overview".to_owned()
}
