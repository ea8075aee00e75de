//! When a session is over, by a clock that is held.

use serde_json::Map;

use super::*;
use crate::store::Ended;

const BEGUN: UnixMs = UnixMs(1_800_000_000_000);
const IDLE_SECS: i64 = 600;
const ABSOLUTE_SECS: i64 = 3_600;

/// A session that began at [`BEGUN`], and what its row says of an end.
fn live(ended: Option<Ended>) -> Live {
    let values = SealedSession {
        issuer: "https://id.example.com".into(),
        sub: "alice".into(),
        sid: None,
        claims: Map::new(),
        from_userinfo: Vec::new(),
        claims_at: BEGUN,
        auth_time: None,
        acr: None,
        amr: Vec::new(),
        created_at: BEGUN,
        idle_secs: IDLE_SECS,
        expires_at: BEGUN.plus_secs(ABSOLUTE_SECS),
        generation: 1,
        mobile: None,
    };
    // The columns beside the seal say more than they may: they count for nothing (V1).
    let summary = SessionSummary {
        id: SessionId::from_bytes([1; 16]),
        tenant: "default".into(),
        client_id: "app".into(),
        provider_id: "main".into(),
        kind: "web".into(),
        issuer: values.issuer.clone(),
        sub: values.sub.clone(),
        name: None,
        email: None,
        device_name: None,
        address: None,
        user_agent: None,
        created_at: BEGUN,
        last_seen_at: BEGUN,
        idle_expires_at: BEGUN.plus_secs(9 * ABSOLUTE_SECS),
        expires_at: BEGUN.plus_secs(9 * ABSOLUTE_SECS),
        ended,
    };
    let row = SessionRow {
        summary,
        secret_hash: secret(),
        subject: [0; 32],
        upstream_sid: None,
        registration_id: "main.web".into(),
        version: 1,
        key_id: "key".into(),
        wrapped_key: Vec::new(),
        sealed: Vec::new(),
    };
    let trust = Arc::new(Trust::new(None, BEGUN));
    Live::new(&row, values, None, (&trust, BEGUN))
}

fn secret() -> SecretHash {
    SecretHash([7; 32])
}

fn standing(live: &Live, secs: i64, ms: i64) -> Standing {
    live.standing(&secret(), UnixMs(BEGUN.plus_secs(secs).0 + ms))
}

#[test]
fn c05_session_that_is_not_used_ends_at_its_idle_second() {
    let live = live(None);
    for (secs, ms, expected) in [
        (0, 0, Standing::Good),
        (IDLE_SECS - 1, 0, Standing::Good),
        (IDLE_SECS, -1, Standing::Good),
        (IDLE_SECS, 0, Standing::Over),
        (IDLE_SECS, 1, Standing::Over),
        (ABSOLUTE_SECS, 0, Standing::Over),
    ] {
        assert_eq!(standing(&live, secs, ms), expected, "{secs} s {ms} ms");
    }
}

#[test]
fn c05_session_that_is_used_ends_at_its_absolute_second() {
    let live = live(None);
    for secs in (500..ABSOLUTE_SECS).step_by(500) {
        assert_eq!(standing(&live, secs, 0), Standing::Good, "{secs} s");
        live.seen_at.store(BEGUN.plus_secs(secs).0, Relaxed);
    }
    assert_eq!(standing(&live, ABSOLUTE_SECS, -1), Standing::Good);
    assert_eq!(standing(&live, ABSOLUTE_SECS, 0), Standing::Over);
    // A use moves the idle end, to the millisecond, and never beyond the absolute one.
    live.seen_at.store(BEGUN.plus_secs(1_000).0 + 1, Relaxed);
    assert_eq!(standing(&live, 1_000 + IDLE_SECS, 0), Standing::Good);
    assert_eq!(standing(&live, 1_000 + IDLE_SECS, 1), Standing::Over);
    live.seen_at.store(BEGUN.plus_secs(ABSOLUTE_SECS).0, Relaxed);
    assert_eq!(standing(&live, ABSOLUTE_SECS, 0), Standing::Over);
}

#[test]
fn c05_ended_session_is_over_at_once_and_another_secret_opens_none() {
    let end = Ended { at: BEGUN, reason: "revoked".into(), text: None, by: None };
    assert_eq!(standing(&live(Some(end)), 0, 0), Standing::Over);
    let other = SecretHash([8; 32]);
    assert_eq!(live(None).standing(&other, BEGUN), Standing::WrongSecret);
}

#[test]
fn c03_of_several_tickets_that_of_a_session_that_lives_counts() {
    let lives = || Opened::Live(Arc::new(live(None)));
    let over = || Opened::Over(None);
    for found in [lives().or(over()), over().or(lives()), Opened::Unknown.or(lives()), lives().or(Opened::Unknown)] {
        assert!(matches!(found, Opened::Live(_)), "{found:?}");
    }
    for found in [over().or(Opened::Unknown), Opened::Unknown.or(over())] {
        assert!(matches!(found, Opened::Over(None)), "{found:?}");
    }
    let first = Ended { at: BEGUN, reason: "revoked".into(), text: None, by: None };
    let found = Opened::Over(Some(first.clone())).or(over());
    assert!(matches!(found, Opened::Over(Some(ended)) if ended == first));
}
