//! Who signs in, when, from where and with what: the same for the same number.

use cloakroom_core::clock::UnixMs;

const FIRST: [&str; 24] = [
    "Ada", "Amir", "Bea", "Chidi", "Clara", "Daniel", "Elif", "Emil", "Farah", "Gustav", "Hana", "Ines", "Jonas",
    "Kaya", "Lena", "Mateo", "Mila", "Noor", "Otto", "Priya", "Rosa", "Samuel", "Tomas", "Yuki",
];
const LAST: [&str; 24] = [
    "Almeida", "Bauer", "Costa", "Demir", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito", "Jansen", "Kowalski",
    "Lopez", "Moreau", "Novak", "Okafor", "Petrov", "Quinn", "Rossi", "Sato", "Tanaka", "Ustinov", "Vogel", "Weber",
    "Zhang",
];
const AGENTS: [&str; 6] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
];
const REASONS: [&str; 4] =
    ["Lost laptop, ticket 4711", "Left the company", "Shared computer left signed in", "Asked for by the user"];
/// Sessions of one person, about.
const SESSIONS_EACH: u32 = 3;
const HOUR: i64 = 3_600;

/// A person with their sessions.
pub(super) struct Someone {
    pub(super) sub: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) sessions: Vec<Planned>,
}

/// A session.
pub(super) struct Planned {
    pub(super) client: &'static str,
    pub(super) address: String,
    pub(super) user_agent: &'static str,
    pub(super) started_at: UnixMs,
    pub(super) last_seen_at: UnixMs,
    /// When and how it was ended, if it was.
    pub(super) ended: Option<(UnixMs, Ending)>,
}

/// How a session was ended.
#[derive(Clone, Copy)]
pub(super) enum Ending {
    SignedOut,
    Replaced,
    ByUser,
    ByProvider,
    Revoked(&'static str),
}

impl Ending {
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Replaced => "replaced",
            Self::ByUser => "ended_by_user",
            Self::ByProvider => "refused_by_provider",
            Self::Revoked(_) => "revoked",
        }
    }

    pub(super) const fn text(self) -> Option<&'static str> {
        match self {
            Self::Revoked(text) => Some(text),
            _ => None,
        }
    }
}

/// Everybody who signs in, with `n` sessions in all.
pub(super) fn people(n: u32, now: UnixMs) -> Vec<Someone> {
    let mut dice = Dice(u64::from(n) + 1);
    let people = n.div_ceil(SESSIONS_EACH).max(1);
    let mut all: Vec<Someone> = (0..people).map(|i| someone(i, &mut dice)).collect();
    for _ in 0..n {
        let session = session(&mut dice, now);
        let who = dice.below(u64::from(people));
        if let Some(someone) = usize::try_from(who).ok().and_then(|who| all.get_mut(who)) {
            someone.sessions.push(session);
        }
    }
    all
}

fn someone(i: u32, dice: &mut Dice) -> Someone {
    let (first, last) = (dice.of(&FIRST), dice.of(&LAST));
    let handle = format!("{}.{}{}", first.to_lowercase(), last.to_lowercase(), i + 1);
    Someone {
        sub: format!("seed-{:05}", i + 1),
        name: format!("{first} {last}"),
        email: format!("{handle}@example.com"),
        sessions: Vec::new(),
    }
}

fn session(dice: &mut Dice, now: UnixMs) -> Planned {
    let live = dice.below(10) < 4;
    // What lives began within hours; what is over, within a week.
    let ago = if live { 60 + dice.secs(9 * HOUR) } else { 9 * HOUR + dice.secs(7 * 24 * HOUR) };
    let started_at = now.plus_secs(-ago);
    let used = if live { (ago - 30 - dice.secs(3 * HOUR).min(ago - 60)).max(0) } else { dice.secs(6 * HOUR) };
    let last_seen_at = started_at.plus_secs(used);
    let ending = match dice.below(20) {
        0..9 => Some(Ending::SignedOut),
        9..12 => Some(Ending::Replaced),
        12 => Some(Ending::ByUser),
        13 => Some(Ending::ByProvider),
        14 | 15 => Some(Ending::Revoked(dice.of(&REASONS))),
        // Nobody ended it: it expired.
        _ => None,
    };
    Planned {
        client: if dice.below(25) == 0 { "console" } else { "app" },
        // Addresses of documentation (RFC 5737), which are nobody's.
        address: format!("{}.{}", dice.of(&["192.0.2", "198.51.100", "203.0.113"]), 1 + dice.below(254)),
        user_agent: dice.of(&AGENTS),
        started_at,
        last_seen_at,
        ended: ending.filter(|_| !live).map(|ending| (last_seen_at.plus_secs(20), ending)),
    }
}

/// Numbers that look like chance and are the same each time (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end.max(1)
    }

    fn secs(&mut self, end: i64) -> i64 {
        i64::try_from(self.below(u64::try_from(end).unwrap_or(1))).unwrap_or(0)
    }

    fn of(&mut self, list: &[&'static str]) -> &'static str {
        let i = usize::try_from(self.below(list.len() as u64)).unwrap_or(0);
        list.get(i).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_gives_the_same_week() {
        let now = UnixMs(1_795_517_665_042);
        let week = |n| people(n, now).into_iter().flat_map(|someone| someone.sessions).collect::<Vec<_>>();
        let (one, other) = (week(500), week(500));
        assert_eq!(one.len(), 500);
        assert!(one.iter().zip(&other).all(|(a, b)| a.started_at == b.started_at && a.address == b.address));
        let live = one.iter().filter(|session| session.last_seen_at.plus_secs(8 * HOUR) > now).count();
        assert!((100..350).contains(&live), "{live}");
        assert!(one.iter().all(|session| session.started_at <= session.last_seen_at && session.last_seen_at <= now));
        assert!(one.iter().filter_map(|session| session.ended).all(|(at, _)| at < now));
    }
}
