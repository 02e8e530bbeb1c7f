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
pub(crate) const COLUMNS: [&str; 6] = ["a second", "p50", "p95", "p99", "p50 / baseline", "failed"];

/// What was measured, beside what a baseline took.
pub(crate) fn cells(figures: &Figures, baseline: &Figures) -> Vec<String> {
    vec![
        figures.a_second().to_string(),
        time(figures.p50()),
        time(figures.p95()),
        time(figures.p99()),
        times(figures.p50(), baseline.p50()),
        figures.failed.to_string(),
    ]
}

/// A time in three or four digits.
pub(crate) fn time(nanoseconds: u64) -> String {
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
