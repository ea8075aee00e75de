//! Moments: how far away, and when exactly. Both are text: a tooltip would be neither reachable nor readable.

use leptos::prelude::*;

use super::part::{Part, classed, part};
use crate::state::clock::{Moment, Now, relative};

/// `4 min ago` with the time of day below it.
pub(crate) fn stacked_time(rfc3339: &str) -> Part {
    let Some(moment) = Moment::parse(rfc3339) else { return unreadable(rfc3339) };
    let now = expect_context::<Now>();
    time(rfc3339)
        .class("stacked")
        .child(far(moment))
        .child(classed("span", "faint small").live(move || moment.short(&Moment::from_ms(now.get()))))
}

/// `24 Nov 2026, 10:42:07 UTC+1` with `4 min ago` behind it.
pub(crate) fn written_time(rfc3339: &str) -> Part {
    let Some(moment) = Moment::parse(rfc3339) else { return unreadable(rfc3339) };
    time(rfc3339).class("written").child(part("span").text(moment.exact())).child(far(moment).class("faint"))
}

/// `4 min ago` alone, in a line that has no room for more.
pub(crate) fn relative_time(rfc3339: &str) -> Part {
    let Some(moment) = Moment::parse(rfc3339) else { return unreadable(rfc3339) };
    time(rfc3339).child(far(moment))
}

fn time(rfc3339: &str) -> Part {
    part("time").attr("datetime", rfc3339)
}

fn far(moment: Moment) -> Part {
    let now = expect_context::<Now>();
    part("span").live(move || relative(moment.at_ms, now.get()))
}

fn unreadable(text: &str) -> Part {
    part("span").text(text)
}
