//! The edge: connections, sites, tickets, anti-forgery, refusals. What all rooms that serve requests share.

pub mod antiforgery;
pub mod app_token;
pub mod bearer;
pub mod body;
pub mod client;
pub mod connection;
pub mod cors;
pub mod device;
pub mod dpop;
pub mod forwarded;
pub mod gate;
pub mod http2;
pub mod key_set;
pub mod listener;
pub mod mobile_client;
pub mod oauth_error;
pub mod own;
pub mod page;
pub mod params;
pub mod problem;
mod proxy_protocol;
pub mod rates;
pub mod recent;
pub mod refusals;
pub mod sign_out;
pub mod ticket;
pub mod tls;
pub mod transaction;
pub mod watch;
pub mod worker;

use cloakroom_core::store::{Ended, sweep};

/// Whether somebody else ended the session, so that its person must be told before they sign in anew.
#[must_use]
pub fn ended_by_another(ended: Option<&Ended>) -> bool {
    ended.is_some_and(|ended| {
        matches!(
            &*ended.reason,
            "revoked" | "locked" | "ended_by_user" | "evicted" | "logged_out_by_provider" | "key_burned"
        )
    })
}

/// What a person reads whose session is over.
#[must_use]
pub fn over_text(ended: Option<&Ended>) -> String {
    match ended.map(|ended| ended.reason.as_str()) {
        None | Some(sweep::EXPIRED) => "your session expired".into(),
        Some("locked") => ended.and_then(|ended| ended.text.clone()).unwrap_or_else(|| "your account is locked".into()),
        Some("revoked") => "an administrator ended your session".into(),
        Some("key_burned") => "the operator of this site had to end all sessions of that time".into(),
        Some("evicted") => "you signed in elsewhere, and this app allows no more sessions at once".into(),
        Some("ended_by_user") => "you ended this session from another device".into(),
        Some("signed_out") => "you signed out".into(),
        Some("logged_out_by_provider") => "your identity provider signed you out".into(),
        Some("replaced") => "you signed in anew in this browser".into(),
        Some(_) => "your session is over".into(),
    }
}
