//! What outlives a view.

pub(crate) mod address;
pub(crate) mod clock;
pub(crate) mod filters;
pub(crate) mod list_query;
pub(crate) mod live;
pub(crate) mod loaded;
pub(crate) mod prefs;
pub(crate) mod query_string;
pub(crate) mod spawn;
pub(crate) mod viewer;
