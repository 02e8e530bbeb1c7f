//! Comma-separated values (RFC 4180): the only code that writes them.

/// A column of a sheet.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// What the first row calls it.
    pub name: &'static str,
    /// What is in it.
    pub content: Content,
}

/// What is in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Words, which people may have written.
    Words,
    /// Numbers that this service has formed, perhaps below zero.
    Numbers,
}

/// Rows of cells, as text.
#[derive(Debug)]
pub struct Sheet {
    columns: &'static [Column],
    text: String,
}

/// What spreadsheets take for the beginning of a formula, also in the wide forms of Chinese and
/// Japanese keyboards, and what they skip before one.
const FORMULAS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

impl Column {
    /// A column of words.
    #[must_use]
    pub const fn words(name: &'static str) -> Self {
        Self { name, content: Content::Words }
    }

    /// A column of numbers.
    #[must_use]
    pub const fn numbers(name: &'static str) -> Self {
        Self { name, content: Content::Numbers }
    }
}

impl Sheet {
    /// A sheet without a row.
    #[must_use]
    pub const fn new(columns: &'static [Column]) -> Self {
        Self { columns, text: String::new() }
    }

    /// This sheet with the names of its columns as one more row.
    #[must_use]
    pub fn with_header(mut self) -> Self {
        let names: Vec<_> = self.columns.iter().map(|column| column.name).collect();
        self.text.extend([&names.join(","), "\r\n"]);
        self
    }

    /// Adds a row of a cell for each column.
    pub fn row<Cell: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let written = self.columns.iter().zip(cells).map(|(column, cell)| match column.content {
            Content::Words => quoted(&plain(cell.as_ref())),
            Content::Numbers => quoted(cell.as_ref()),
        });
        let written: Vec<_> = written.collect();
        self.text.extend([&written.join(","), "\r\n"]);
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Takes away all rows after so many bytes.
    pub fn shorten(&mut self, bytes: usize) {
        self.text.truncate(bytes);
    }

    /// The text.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }
}

/// Where a spreadsheet may begin another cell or row, whatever is quoted: in many countries semicolons separate.
const SEPARATORS: [char; 4] = [';', '\t', '\r', '\n'];

/// Words that no spreadsheet takes for a formula: an apostrophe before what looks like one says that it is text.
fn plain(words: &str) -> String {
    let mut plain = String::new();
    for (position, cell) in words.split_inclusive(SEPARATORS).enumerate() {
        // Some skip the blanks before one too, and where another separates than ours a quote begins a cell.
        let skipped = |c: char| c.is_whitespace() || c == '"';
        let begins = cell.trim_start_matches(skipped).starts_with(FORMULAS);
        if begins || position == 0 && words.starts_with(FORMULAS) {
            plain.push('\'');
        }
        plain.push_str(cell);
    }
    plain
}

/// A cell in quotes, if it needs them.
fn quoted(cell: &str) -> String {
    let needs = cell.contains([',', '"']) || cell.contains(SEPARATORS) || cell.trim() != cell;
    if needs { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 2] = [Column::words("said"), Column::numbers("amount")];

    fn written(said: &str, amount: &str) -> String {
        let mut sheet = Sheet::new(&COLUMNS);
        sheet.row([said, amount]);
        sheet.into_text()
    }

    #[test]
    fn words_that_begin_as_a_formula_are_words_and_numbers_stay_numbers() {
        for (said, cell) in [
            ("plain", "plain"),
            ("", ""),
            ("a=1+1", "a=1+1"),
            ("=1+1", "'=1+1"),
            ("+44 20", "'+44 20"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("＝1+1", "'＝1+1"),
            ("\t=1", "\"'\t'=1\""),
            ("\r=1", "\"'\r'=1\""),
            ("\n=1", "\"'\n'=1\""),
            ("Li;=1+1; -2;x", "\"Li;'=1+1;' -2;x\""),
            ("a\tb", "\"a\tb\""),
            (" =1", "' =1"),
            ("x;\"=1;y", "\"x;'\"\"=1;y\""),
            ("x\n \"\"+1", "\"x\n' \"\"\"\"+1\""),
            ("x;\"y\"", "\"x;\"\"y\"\"\""),
            (" a ", "\" a \""),
            ("=HYPERLINK(\"http://x\",1)", "\"'=HYPERLINK(\"\"http://x\"\",1)\""),
            ("a,b", "\"a,b\""),
            ("said \"no\"", "\"said \"\"no\"\"\""),
            ("two\r\nlines", "\"two\r\nlines\""),
        ] {
            assert_eq!(written(said, "-5.00"), format!("{cell},-5.00\r\n"), "{said:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_taken_away_again() {
        let mut sheet = Sheet::new(&COLUMNS).with_header();
        sheet.row(["one", "1"]);
        let before = sheet.bytes();
        sheet.row(["two", "2"]);
        sheet.shorten(before);
        assert_eq!(sheet.into_text(), "said,amount\r\none,1\r\n");
    }
}
