//! The present moment, and moments in words. Times are shown in the browser's zone.

use std::time::Duration;

use js_sys::Date;
use leptos::prelude::*;
use wasm_bindgen::JsValue;

/// How often relative times are told anew.
const TICK: Duration = Duration::from_secs(15);

/// The present moment; those who read it are told to read it anew each 15 s.
#[derive(Clone, Copy)]
pub(crate) struct Now(Trigger);

impl Now {
    /// Starts ticking for everything below.
    pub(crate) fn provide() {
        let now = Trigger::new();
        if let Ok(ticks) = set_interval_with_handle(move || now.notify(), TICK) {
            on_cleanup(move || ticks.clear());
        }
        provide_context(Self(now));
    }

    /// Reads it in milliseconds, and tells the reader again at the next tick.
    pub(crate) fn get(self) -> f64 {
        self.0.track();
        Date::now()
    }
}

/// A moment as parsed: milliseconds, and the fields of the browser's zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Moment {
    /// Milliseconds since 1970.
    pub(crate) at_ms: f64,
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    /// Minutes east of UTC.
    zone_mins: i32,
}

impl Moment {
    /// Reads an RFC 3339 moment.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let date = Date::new(&JsValue::from_str(text));
        Some(Self::of(&date)).filter(|moment| moment.at_ms.is_finite())
    }

    /// A moment in milliseconds.
    pub(crate) fn from_ms(at_ms: f64) -> Self {
        Self::of(&Date::new(&JsValue::from_f64(at_ms)))
    }

    #[expect(clippy::cast_possible_truncation, reason = "a zone's offset is less than a day")]
    fn of(date: &Date) -> Self {
        Self {
            at_ms: date.get_time(),
            year: date.get_full_year(),
            month: date.get_month(),
            day: date.get_date(),
            hour: date.get_hours(),
            minute: date.get_minutes(),
            second: date.get_seconds(),
            zone_mins: -date.get_timezone_offset() as i32,
        }
    }

    /// The clock alone on the same day, else with the date; with the year in another year.
    pub(crate) fn short(&self, now: &Self) -> String {
        let clock = format!("{:02}:{:02}", self.hour, self.minute);
        if (self.year, self.month, self.day) == (now.year, now.month, now.day) {
            return format!("{clock}:{:02}", self.second);
        }
        let day = format!("{} {}", self.day, month(self.month));
        if self.year == now.year { format!("{day}, {clock}") } else { format!("{day} {}, {clock}", self.year) }
    }

    /// As a field for a moment has it, in the browser's zone.
    pub(crate) fn field(&self) -> String {
        let Self { year, month, day, hour, minute, second, .. } = self;
        format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}", month + 1)
    }

    /// Everything, with the zone.
    pub(crate) fn exact(&self) -> String {
        format!(
            "{} {} {}, {:02}:{:02}:{:02} {}",
            self.day,
            month(self.month),
            self.year,
            self.hour,
            self.minute,
            self.second,
            zone(self.zone_mins)
        )
    }
}

/// What a field for a moment holds, as RFC 3339 in UTC; `None` where it holds no moment.
pub(crate) fn utc_of(field: &str) -> Option<String> {
    let at = Date::new(&JsValue::from_str(field));
    (!field.is_empty() && !at.get_time().is_nan()).then(|| String::from(at.to_iso_string()))
}

/// The moment so many seconds from now, as RFC 3339 in UTC.
pub(crate) fn utc_in(secs: u32) -> String {
    Date::new(&JsValue::from_f64(Date::now() + f64::from(secs) * 1000.0)).to_iso_string().into()
}

fn zone(mins: i32) -> String {
    let sign = if mins < 0 { '−' } else { '+' };
    match (mins.abs() / 60, mins.abs() % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, mins) => format!("UTC{sign}{hours}:{mins:02}"),
    }
}

fn month(zero_based: u32) -> &'static str {
    const NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    usize::try_from(zero_based).ok().and_then(|month| NAMES.get(month)).copied().unwrap_or("?")
}

/// How far a moment is from now, in words: `4 min ago`, `in 9 h`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number of seconds, made positive")]
pub(crate) fn relative(at_ms: f64, now_ms: f64) -> String {
    let secs = ((at_ms - now_ms).abs() / 1000.0).round() as u64;
    let span = span(secs);
    if secs < 10 {
        "just now".to_owned()
    } else if at_ms < now_ms {
        format!("{span} ago")
    } else {
        format!("in {span}")
    }
}

/// A length of time in one unit, rounded down: `45 s`, `4 min`, `9 h`, `3 d`.
pub(crate) fn span(secs: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let unit = UNITS.iter().find(|(size, _)| secs >= *size);
    unit.map_or_else(|| format!("{secs} s"), |(size, name)| format!("{} {name}", secs / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_told_in_one_unit() {
        for (secs, words) in [
            (0.0, "just now"),
            (-9.0, "just now"),
            (-10.0, "10 s ago"),
            (-59.0, "59 s ago"),
            (-60.0, "1 min ago"),
            (-3_599.0, "59 min ago"),
            (-7_200.0, "2 h ago"),
            (-200_000.0, "2 d ago"),
            (42.0, "in 42 s"),
            (36_000.0, "in 10 h"),
        ] {
            assert_eq!(relative(secs * 1000.0, 0.0), words);
        }
    }

    #[test]
    fn a_moment_is_as_long_as_its_distance_needs() {
        let moment =
            |year, month, day| Moment { at_ms: 0.0, year, month, day, hour: 9, minute: 5, second: 7, zone_mins: 60 };
        let now = moment(2026, 10, 24);
        assert_eq!(moment(2026, 10, 24).short(&now), "09:05:07");
        assert_eq!(moment(2026, 10, 4).short(&now), "4 Nov, 09:05");
        assert_eq!(moment(2025, 11, 31).short(&now), "31 Dec 2025, 09:05");
        assert_eq!(now.exact(), "24 Nov 2026, 09:05:07 UTC+1");
        assert_eq!(now.field(), "2026-11-24T09:05:07");
    }

    #[test]
    fn zones_have_their_sign() {
        for (mins, name) in [(0, "UTC"), (60, "UTC+1"), (-300, "UTC−5"), (330, "UTC+5:30")] {
            assert_eq!(zone(mins), name);
        }
    }
}
