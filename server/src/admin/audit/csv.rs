//! Events as rows of a spreadsheet: every cell is quoted (RFC 4180), none begins as a formula does, and nothing in it
//! steers a terminal or turns the direction of text (A3).

use cloakroom_api::{AuditEvent, Who};

/// The first row.
pub(super) const HEAD: &str = "at,kind,text,tenant,subject_issuer,subject,subject_name,subject_email,address,user_agent,\
actor_issuer,actor,actor_name,session_id,client_id,provider_id,facts,id,seq\r\n";

/// One event's row.
pub(super) fn row(event: &AuditEvent) -> String {
    let nobody = Who::default();
    let subject = event.subject.as_ref().unwrap_or(&nobody);
    let actor = event.actor.as_ref().unwrap_or(&nobody);
    let facts: Vec<String> = event.facts.iter().map(|fact| format!("{}: {}", fact.name, fact.value)).collect();
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let cells = [
        event.at.clone(),
        event.kind.clone(),
        event.text.clone(),
        event.tenant.clone(),
        subject.issuer.clone(),
        subject.sub.clone(),
        optional(&subject.name),
        optional(&subject.email),
        optional(&subject.address),
        optional(&subject.user_agent),
        actor.issuer.clone(),
        actor.sub.clone(),
        optional(&actor.name),
        optional(&event.session_id),
        optional(&event.client_id),
        optional(&event.provider_id),
        facts.join("; "),
        event.id.clone(),
        event.seq.map(|seq| seq.to_string()).unwrap_or_default(),
    ];
    cells.map(|cell| quoted(&cell)).join(",") + "\r\n"
}

fn quoted(cell: &str) -> String {
    let mut out = String::with_capacity(cell.len() + 2);
    out.push('"');
    // What a spreadsheet takes for the start of a formula, whatever space stands before it.
    if cell.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']) {
        out.push('\'');
    }
    for c in cell.chars() {
        match c {
            '"' => out.push_str("\"\""),
            c if steers(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Control characters, and marks that turn the direction of text.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a03_no_cell_is_a_formula_or_steers_anything() {
        for (cell, expected) in [
            ("alice", "\"alice\""),
            ("", "\"\""),
            ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
            (" \t=1+1", "\"' \\u{9}=1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@sum(a)", "\"'@sum(a)\""),
            ("\u{ff1d}1", "\"'\u{ff1d}1\""),
            ("a\"b,c", "\"a\"\"b,c\""),
            ("a\r\n=b", "\"a\\u{d}\\u{a}=b\""),
            ("\u{202e}gpj.exe", "\"\\u{202e}gpj.exe\""),
            ("1-1", "\"1-1\""),
        ] {
            assert_eq!(quoted(cell), expected, "{cell:?}");
        }
    }
}
