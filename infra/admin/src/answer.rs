//! What a command answers: the same thing as text and as JSON, and whether all is well.

use std::io::Write;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::problem::Problem;

/// It could not be done.
const FAILED: u8 = 1;
/// It was done, and something was found that a person must look at.
const FOUND: u8 = 3;

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Json,
}

/// What a command did or found.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) json: Value,
    pub(crate) outcome: Outcome,
}

/// Whether a person must look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Well,
    MustLook,
}

impl Answer {
    /// An answer that nobody needs to look into.
    pub(crate) fn well(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json, outcome: Outcome::Well }
    }

    /// Prints it, and says with which code the process ends.
    pub(crate) fn print(&self, form: Form) -> ExitCode {
        match form {
            Form::Text => print(&self.text),
            Form::Json => print(&format!("{:#}", self.json)),
        }
        match self.outcome {
            Outcome::Well => ExitCode::SUCCESS,
            Outcome::MustLook => ExitCode::from(FOUND),
        }
    }
}

/// Says why it could not be done, to people, and to programs that asked for JSON.
pub(crate) fn fail(problem: &Problem, form: Form) -> ExitCode {
    eprintln!("topup-admin: {problem}");
    if form == Form::Json {
        print(&format!("{:#}", json!({"error": problem.to_string()})));
    }
    ExitCode::from(FAILED)
}

/// Nobody may be reading, as behind `head`: that is no reason to fail.
fn print(text: &str) {
    drop(writeln!(std::io::stdout(), "{}", text.trim_end()));
}

/// A text of a document; empty if it is not there.
pub(crate) fn text<'json>(document: &'json Value, field: &str) -> &'json str {
    document.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// A number of a document; zero if it is not there.
pub(crate) fn count(document: &Value, field: &str) -> u64 {
    document.get(field).and_then(Value::as_u64).unwrap_or_default()
}

/// Whether a document says so.
pub(crate) fn is_so(document: &Value, field: &str) -> bool {
    document.get(field).and_then(Value::as_bool).unwrap_or_default()
}

/// Rows as text, each column as wide as its widest cell.
pub(crate) fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let mut widths = [0_usize; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; COLUMNS]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        let cells: Vec<_> = cells.collect();
        cells.join("  ").trim_end().to_owned()
    };
    let lines: Vec<_> = rows.iter().map(line).collect();
    lines.join("\n")
}
