//! What a command answers: the same thing as text and as JSON, and whether all is well.

use std::io::{ErrorKind, Write};
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
    /// What is told about it, after it: it is a secret that is shown once, so somebody must have read it.
    pub(crate) note: Option<String>,
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
        Self::new(text, json, Outcome::Well)
    }

    pub(crate) fn new(text: impl Into<String>, json: Value, outcome: Outcome) -> Self {
        Self { text: text.into(), json, outcome, note: None }
    }

    /// This answer, and what is told about it.
    pub(crate) fn noted(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// Prints it, and says with which code the process ends. What could not be written is no success: it may have
    /// been a secret that is shown once.
    pub(crate) fn print(&self, form: Form) -> ExitCode {
        let written = match form {
            Form::Text => print(&self.text),
            Form::Json => print(&format!("{:#}", self.json)),
        };
        let written = match &self.note {
            Some(note) => written.inspect(|()| tell(note)),
            // Nobody may be reading, as behind `head`: that is no reason to fail.
            None => written.or_else(|error| match error.kind() {
                ErrorKind::BrokenPipe => Ok(()),
                _ => Err(error),
            }),
        };
        match (written, self.outcome) {
            (Err(error), _) => {
                tell(&format!(
                    "topup-admin: it was done, and the answer cannot be written: {error}"
                ));
                ExitCode::from(FAILED)
            }
            (Ok(()), Outcome::Well) => ExitCode::SUCCESS,
            (Ok(()), Outcome::MustLook) => ExitCode::from(FOUND),
        }
    }
}

/// Says why it could not be done, to people, and to programs that asked for JSON.
pub(crate) fn fail(problem: &Problem, form: Form) -> ExitCode {
    tell(&format!("topup-admin: {problem}"));
    if form == Form::Json {
        drop(print(&format!("{:#}", json!({"error": problem.to_string()}))));
    }
    ExitCode::from(FAILED)
}

fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush())
}

/// Tells people something, on standard error. Nobody may be reading.
pub(crate) fn tell(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
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
