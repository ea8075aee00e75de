//! The list's parameters, checked.

use cloakroom_api::{Sort as WireSort, StateFilter};
use cloakroom_core::clock::UnixMs;
use cloakroom_core::store::{ListQuery, SessionState, Sort};

use super::super::paging;
use crate::edge::params::Params;
use crate::edge::problem::Refusal;

/// Every parameter of the list.
pub(super) const NAMES: [&str; 7] = ["state", "client", "sub", "q", "sort", "limit", "cursor"];
/// The longest free text.
const TEXT_BYTES: usize = 200;

/// What is asked of the list, without the place.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) query: ListQuery,
}

impl Asked {
    pub(super) fn parse(params: &Params, tenant: Option<&str>, now: UnixMs) -> Result<Self, Refusal> {
        let state: StateFilter = match params.get("state") {
            None => StateFilter::default(),
            Some(text) => text.parse().map_err(|_| Refusal::parameter("state", "must be live, ended or all"))?,
        };
        let sort: WireSort = match params.get("sort") {
            None => WireSort::default(),
            Some(text) => text.parse().map_err(|_| Refusal::parameter("sort", "must be -last_seen or -created"))?,
        };
        let limit = paging::limit(params)?;
        let text = |name: &str| match params.get(name) {
            Some(text) if text.len() > TEXT_BYTES => Err(Refusal::parameter(name, "is longer than 200 bytes")),
            other => Ok(other.map(str::to_owned)),
        };
        let query = ListQuery {
            tenant: tenant.map(str::to_owned),
            state: match state {
                StateFilter::Live => SessionState::Live,
                StateFilter::Ended => SessionState::Over,
                StateFilter::All => SessionState::All,
            },
            client_id: text("client")?,
            sub: text("sub")?,
            text: text("q")?,
            sort: match sort {
                WireSort::LastSeen => Sort::LastSeen,
                WireSort::Created => Sort::Created,
            },
            place: None,
            limit,
            now,
        };
        Ok(Self { query })
    }

    /// What a cursor is bound to: another filter, order or tenant makes it worthless.
    pub(super) fn bound(&self) -> Vec<Vec<u8>> {
        let ListQuery { tenant, state, client_id, sub, text, sort, .. } = &self.query;
        let optional =
            |text: &Option<String>| text.as_ref().map_or_else(Vec::new, |text| [b"=", text.as_bytes()].concat());
        vec![
            b"sessions".to_vec(),
            optional(tenant),
            format!("{state:?} {sort:?}").into_bytes(),
            optional(client_id),
            optional(sub),
            optional(text),
        ]
    }
}
