//! `GET` and `POST /api/notes`: a little list for each person, in memory. It exists to show a call
//! that changes something.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Api, caller::Caller, problem::problem};

const TEXT_LIMIT_CHARS: usize = 280;
const BODY_LIMIT_BYTES: usize = 4096;
/// The oldest note makes room.
const NOTES_PER_PERSON: usize = 50;

/// Notes by `sub`. As many people as the provider has users, so it stays small.
#[derive(Default)]
pub(super) struct Notes(Mutex<HashMap<String, Shelf>>);

#[derive(Default)]
struct Shelf {
    last_id: u64,
    notes: VecDeque<Note>,
}

#[derive(Debug, Clone, Serialize)]
struct Note {
    id: u64,
    text: String,
}

#[derive(Debug, Deserialize)]
struct NewNote {
    text: String,
}

/// Newest first.
pub(super) async fn list(State(api): State<Arc<Api>>, Caller(token): Caller) -> Response {
    let shelves = api.notes.0.lock();
    let items: Vec<&Note> = shelves.get(&token.sub).map(|shelf| shelf.notes.iter().rev().collect()).unwrap_or_default();
    Json(json!({ "items": items })).into_response()
}

pub(super) async fn add(State(api): State<Arc<Api>>, Caller(token): Caller, body: Body) -> Response {
    let Ok(bytes) = axum::body::to_bytes(body, BODY_LIMIT_BYTES).await else {
        return problem(StatusCode::PAYLOAD_TOO_LARGE, "a note is at most 4 KiB of JSON");
    };
    let Ok(new) = serde_json::from_slice::<NewNote>(&bytes) else {
        return problem(StatusCode::BAD_REQUEST, "a note is JSON like {\"text\": \"…\"}");
    };
    let text = new.text.trim();
    if text.is_empty() || text.chars().count() > TEXT_LIMIT_CHARS {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "a note has 1 to 280 characters");
    }
    let note = api.notes.add(token.sub, text.to_owned());
    (StatusCode::CREATED, Json(note)).into_response()
}

impl Notes {
    fn add(&self, sub: String, text: String) -> Note {
        let mut shelves = self.0.lock();
        let own = shelves.entry(sub).or_default();
        own.last_id += 1;
        let note = Note { id: own.last_id, text };
        own.notes.push_back(note.clone());
        if own.notes.len() > NOTES_PER_PERSON {
            own.notes.pop_front();
        }
        note
    }
}
