//! Moments: how far away, and when exactly. Both are text: a tooltip would be neither reachable nor readable.

use leptos::prelude::*;

use crate::state::clock::{Moment, Now, relative};

/// `4 min ago` with the time of day below it.
pub(crate) fn stacked_time(rfc3339: &str) -> AnyView {
    let Some(moment) = Moment::parse(rfc3339) else { return unreadable(rfc3339) };
    let now = expect_context::<Now>();
    view! {
        <time class="stacked" datetime=rfc3339.to_owned()>
            <span>{move || relative(moment.at_ms, now.get())}</span>
            <span class="faint small">{move || moment.short(&Moment::from_ms(now.get()))}</span>
        </time>
    }
    .into_any()
}

/// `24 Nov 2026, 10:42:07 UTC+1` with `4 min ago` behind it.
pub(crate) fn written_time(rfc3339: &str) -> AnyView {
    let Some(moment) = Moment::parse(rfc3339) else { return unreadable(rfc3339) };
    let now = expect_context::<Now>();
    view! {
        <time class="written" datetime=rfc3339.to_owned()>
            <span>{moment.exact()}</span>
            <span class="faint">{move || relative(moment.at_ms, now.get())}</span>
        </time>
    }
    .into_any()
}

/// `4 min ago` alone, in a line that has no room for more.
pub(crate) fn relative_time(rfc3339: &str) -> AnyView {
    let Some(moment) = Moment::parse(rfc3339) else { return unreadable(rfc3339) };
    let now = expect_context::<Now>();
    view! { <time datetime=rfc3339.to_owned()>{move || relative(moment.at_ms, now.get())}</time> }.into_any()
}

fn unreadable(text: &str) -> AnyView {
    view! { <span>{text.to_owned()}</span> }.into_any()
}
