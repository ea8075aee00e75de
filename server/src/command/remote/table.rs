//! Tables for people. What others wrote steers no terminal and turns no text around (A3).

/// Columns with a heading each, as wide as their widest cell; the last is not filled up.
pub(super) fn table<const N: usize>(heads: [&str; N], rows: Vec<[String; N]>) -> String {
    let rows: Vec<[String; N]> = rows.into_iter().map(|row| row.map(|cell| plain(&cell))).collect();
    let head = heads.map(str::to_uppercase);
    let mut widths = head.each_ref().map(|cell| cell.chars().count());
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    std::iter::once(&head).chain(&rows).map(line).collect()
}

/// Names with a value each.
pub(super) fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, value): &(&str, String)| [format!("{name:width$}  "), plain(value), "\n".to_owned()];
    facts.iter().flat_map(line).collect()
}

/// Text without control characters, and without marks that turn its direction: they are spelt out.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let turns =
            matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if c.is_control() || turns {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// A moment, to the second.
pub(super) fn moment(rfc3339: &str) -> String {
    let cut = rfc3339.split(['.', 'Z']).next().unwrap_or(rfc3339);
    cut.replacen('T', " ", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a03_cells_steer_no_terminal() {
        let text =
            table(["who", "what"], vec![["a\u{1b}[2J".into(), "\u{202e}x".into()], ["bob".into(), String::new()]]);
        assert_eq!(text, "WHO         WHAT\na\\u{1b}[2J  \\u{202e}x\nbob\n");
    }

    #[test]
    fn moments_are_short() {
        assert_eq!(moment("2026-11-24T10:42:07.123Z"), "2026-11-24 10:42:07");
    }
}
