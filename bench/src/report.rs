//! The table and the one line of JSON that scripts read.

use serde_json::{Value, json};

/// One figure with its target.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// The peer's figure in the same run.
    pub(crate) reference: Option<f64>,
    /// Value against reference, where that is the figure that counts.
    pub(crate) ratio: Option<f64>,
    pub(crate) must: f64,
    pub(crate) aim: Option<f64>,
}

impl Row {
    /// Whether the `must` holds: every target here is an upper bound.
    fn holds(&self) -> bool {
        self.ratio.unwrap_or(self.value) <= self.must
    }
}

pub(crate) struct Report {
    pub(crate) bench: &'static str,
    pub(crate) rows: Vec<Row>,
    pub(crate) remarks: Vec<String>,
}

impl Report {
    pub(crate) fn holds(&self) -> bool {
        self.rows.iter().all(Row::holds)
    }

    pub(crate) fn print(&self) {
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
        println!(
            "{:<24} {:>10} {:<12} {:>10} {:>7} {:>8} {:>7}  held",
            "figure", "value", "unit", "reference", "ratio", "must <=", "aim"
        );
        for row in &self.rows {
            println!(
                "{:<24} {:>10.2} {:<12} {:>10} {:>7} {:>8.2} {:>7}  {}",
                row.name,
                row.value,
                row.unit,
                number(row.reference),
                number(row.ratio),
                row.must,
                number(row.aim),
                if row.holds() { "yes" } else { "NO" }
            );
        }
        for remark in &self.remarks {
            println!("{remark}");
        }
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "name": row.name, "value": row.value, "unit": row.unit, "reference": row.reference, "ratio": row.ratio,
                    "must": row.must, "aim": row.aim, "better": "lower", "ok": row.holds(),
                })
            })
            .collect();
        println!("{}", json!({ "bench": self.bench, "rows": rows }));
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    let at = |i: usize| values.get(i).copied().unwrap_or(f64::NAN);
    if n % 2 == 1 { at(n / 2) } else { f64::midpoint(at((n / 2).wrapping_sub(1)), at(n / 2)) }
}
