//! What becomes of the call, and what would help.

use cloakroom_api::{ExplainedTest, Explanation};

use crate::api::Failure;
use crate::domain::facts::{fact, facts, words};
use crate::ui::{Notice, Part, Tone, classed, foreign, icon, notice, part};

/// The answer in one sentence.
pub(super) fn verdict(told: &Explanation) -> String {
    let word = if told.allowed { "Allowed" } else { "Refused" };
    format!("{word} with status {}: {}.", told.status, told.why)
}

pub(super) fn view(told: Result<Explanation, Failure>) -> Part {
    let told = match told {
        Ok(told) => told,
        Err(failure) => {
            let words = Notice {
                tone: Tone::Bad,
                title: failure.title(),
                text: failure.advice(),
                request_id: failure.request_id(),
            };
            return notice(words, None);
        }
    };
    let (tone, sign, word) =
        if told.allowed { ("ok", "circle-check", "Allowed") } else { ("bad", "shield-x", "Refused") };
    let status = classed("span", "verdict-status mono").text(told.status.to_string());
    let head = part("p")
        .class(&format!("verdict {tone}"))
        .child(icon(sign))
        .child(part("strong").text(word))
        .child(status)
        .child(foreign(told.why.as_str()));
    let known = [
        ("Site", told.site.as_deref()),
        ("Route", told.route.as_deref()),
        ("Goes to", told.to.as_deref()),
        ("Token", told.token.as_deref()),
        ("Policy", told.policy.as_deref()),
    ];
    let list = facts().all(known.into_iter().filter_map(|(name, value)| Some(fact(name, words(value?)))));
    let tests = (!told.tests.is_empty()).then(|| {
        let tests = classed("ul", "checks").all(told.tests.iter().map(test));
        part("div").child(part("h3").text("What the policy asks")).child(tests)
    });
    let helps = (!told.helps.is_empty()).then(|| {
        let title = if told.allowed { "Good to know" } else { "What would help" };
        let helps = told.helps.iter().map(|help| part("li").child(foreign(help.as_str())));
        part("div").child(part("h3").text(title)).child(classed("ul", "bullets").all(helps))
    });
    part("div").child(head).child(classed("div", "verdict-parts").child(list).maybe(tests).maybe(helps))
}

fn test(test: &ExplainedTest) -> Part {
    let (sign, colour, word) = if test.holds { ("circle-check", "ok", "holds") } else { ("x", "bad", "missing") };
    part("li")
        .class(&format!("check-line {colour}"))
        .child(icon(sign))
        .child(foreign(test.asks.as_str()))
        .child(classed("span", "small faint").text(word))
}
