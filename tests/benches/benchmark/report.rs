//! Figures in words, and tables of them in markdown.

use crate::measure::Figures;

/// A table that grows by rows.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(columns: &[&str]) -> Self {
        let head = columns.iter().map(|name| (*name).to_owned()).collect();
        let line = columns.iter().map(|_| "---".to_owned()).collect();
        Self { rows: vec![head, line] }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Prints it under a headline.
    pub(crate) fn print(&self, headline: &str) {
        println!("### {headline}\n");
        for row in &self.rows {
            println!("| {} |", row.join(" | "));
        }
        println!();
    }
}

/// The columns of [`cells`].
pub(crate) const COLUMNS: [&str; 5] = ["a second", "p50", "p95", "p99", "failed"];

/// What was measured; in parentheses, how it compares with a baseline.
pub(crate) fn cells(figures: &Figures, baseline: &Figures) -> Vec<String> {
    let (speed, usual) = (figures.a_second(), baseline.a_second());
    vec![
        format!("{speed} (1/{})", digits(usual * 100 / speed.max(1))),
        compared(figures.p50(), baseline.p50()),
        compared(figures.p95(), baseline.p95()),
        compared(figures.p99(), baseline.p99()),
        figures.failed.to_string(),
    ]
}

/// A time, and how many times a baseline's that is.
pub(crate) fn compared(nanoseconds: u64, baseline: u64) -> String {
    format!("{} ({})", time(nanoseconds), times(nanoseconds, baseline))
}

/// A time in three or four digits.
fn time(nanoseconds: u64) -> String {
    let (unit, hundredths) = match nanoseconds {
        0..1_000_000 => ("µs", nanoseconds / 10),
        1_000_000..1_000_000_000 => ("ms", nanoseconds / 10_000),
        _ => ("s", nanoseconds / 10_000_000),
    };
    format!("{} {unit}", digits(hundredths))
}

/// How many times as much as a baseline.
pub(crate) fn times(value: u64, baseline: u64) -> String {
    format!("{}x", digits(value * 100 / baseline.max(1)))
}

/// Hundredths as a number of about three digits.
pub(crate) fn digits(hundredths: u64) -> String {
    match hundredths {
        0..1_000 => format!("{}.{:02}", hundredths / 100, hundredths % 100),
        1_000..10_000 => format!("{}.{}", hundredths / 100, hundredths % 100 / 10),
        _ => (hundredths / 100).to_string(),
    }
}
