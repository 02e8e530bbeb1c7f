//! Statements as comma-separated values (RFC 4180), with a line of column names.
//!
//! What cannot be read of a sender or a bank reference is kept as information: the words of a stranger stop no statement.

use std::collections::BTreeMap;

use ledger::{Currency, Day, Doubt, Money, Name, StatementLine};

use super::outgoing::{Arrived, Outgoing, left_again};
use super::references::{first_parts_of, told_apart_by};
use super::{MAX_LINES, Parsed, Purpose, flaw};
use crate::error::Invalid;
use crate::stamp;

/// The columns, in any order; the last three may be missing.
const COLUMNS: [&str; 6] =
    ["booked_on", "amount", "currency", "bank_reference", "payer_name", "information"];
const REQUIRED: usize = 3;

/// One line by the names of its columns.
struct Row<'row> {
    /// The file.
    text: &'row str,
    /// Where it begins in the file, in bytes; it may do so with the end of the line before.
    begins: u64,
    values: BTreeMap<&'row str, &'row str>,
}

/// Where in a value a character stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Beginning,
    Plain,
    Quoted,
    AfterQuote,
}

/// Reads a statement; the first line that cannot be read is the error.
pub(super) fn read(text: &str, purpose: Purpose) -> Result<Parsed, Invalid> {
    check_quotes(text)?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let unreadable = |error: csv::Error| flaw(said_of(&error, text));
    let header = reader.headers().map_err(unreadable)?.clone();
    check_header(&header)?;
    let (mut lines, mut outgoing, mut skipped, mut currency) =
        (Vec::new(), Vec::new(), 0_u32, None);
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let begins = record.position().map_or(0, csv::Position::byte);
        let row = Row { text, begins, values: header.iter().zip(record.iter()).collect() };
        let of = row.currency()?;
        if *currency.get_or_insert(of) != of {
            return Err(row.flaw("currency", "is another one than in the lines before"));
        }
        let amount = row.value("amount");
        if amount.starts_with('-') || is_zero(amount) {
            outgoing.extend(purpose.of_outgoing(row.outgoing(of))?);
            skipped = skipped.saturating_add(1);
            continue;
        }
        if lines.len() >= MAX_LINES {
            return Err(flaw(format!("at most {MAX_LINES} lines: split the file")));
        }
        let number = u32::try_from(lines.len()).unwrap_or(u32::MAX).saturating_add(1);
        lines.push(row.read(number, of)?);
    }
    let arrived = lines.iter().map(|line: &StatementLine| Arrived {
        references: line.bank_reference.iter().cloned().collect(),
        money: line.money,
        whole: line.money,
    });
    let left = left_again(&arrived.collect::<Vec<_>>(), &outgoing);
    for (_, line) in lines.iter_mut().enumerate().filter(|(position, _)| left.contains(position)) {
        line.doubt = Some(Doubt::Reversed);
    }
    let currency = currency.ok_or_else(|| flaw("there is no line below the column names"))?;
    let others = lines.iter().map(|line| {
        let parts = line.bank_reference.iter().flat_map(first_parts_of);
        (line.number, parts.collect())
    });
    let others = others.collect();
    Ok(Parsed { number: None, currency, lines, others, skipped })
}

/// What is wrong with a file that is not read.
fn said_of(error: &csv::Error, text: &str) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos: Some(position), expected_len, len } => {
            let line = line_at(text, position.byte());
            format!("line {line}: it has {len} values, and there are {expected_len} columns")
        }
        _ => format!("no comma-separated values: {error}"),
    }
}

/// The number of the line on which something begins, counted from 1: at this place, or after the ends of lines there. `csv`
/// counts one too few where lines end with CRLF.
fn line_at(text: &str, byte: u64) -> usize {
    let begins = usize::try_from(byte).unwrap_or(usize::MAX);
    let blank = text.get(begins..).into_iter().flat_map(str::bytes);
    let blank = blank.take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let before = text.get(..begins.saturating_add(blank)).unwrap_or(text);
    let alone = before.replace("\r\n", "\n");
    alone.bytes().filter(|byte| matches!(byte, b'\r' | b'\n')).count().saturating_add(1)
}

/// Quotes as RFC 4180 has them. The crate forgives others, and takes the lines up to the next one, or to the end of a file
/// that was cut off, for a part of one value: money that arrived would be dropped in silence.
fn check_quotes(text: &str) -> Result<(), Invalid> {
    let (mut at, mut line, mut opened) = (At::Beginning, 1_u64, 1_u64);
    for byte in text.bytes() {
        at = match (at, byte) {
            (At::Beginning, b'"') => {
                opened = line;
                At::Quoted
            }
            // Doubled, it is one of the text.
            (At::AfterQuote, b'"') => At::Quoted,
            (At::Quoted, b'"') => At::AfterQuote,
            (At::Quoted, _) => At::Quoted,
            (_, b',' | b'\r' | b'\n') => At::Beginning,
            (At::AfterQuote, b' ') => At::AfterQuote,
            (At::AfterQuote, _) => {
                return Err(flaw(format!("line {line}: text after a closing quote")));
            }
            (_, b'"') => {
                let what = "a quote in a value that does not begin with one";
                return Err(flaw(format!(
                    "line {line}: {what}: put the value into quotes, and double it"
                )));
            }
            _ => At::Plain,
        };
        if byte == b'\n' {
            line = line.saturating_add(1);
        }
    }
    match at {
        At::Quoted => Err(flaw(format!("the quote in line {opened} is not closed"))),
        At::Beginning | At::Plain | At::AfterQuote => Ok(()),
    }
}

fn is_zero(amount: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte == b'0');
    match amount.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(amount),
    }
}

fn check_header(header: &csv::StringRecord) -> Result<(), Invalid> {
    let known = COLUMNS.join(", ");
    let others = [';', '\t'];
    if let Some(other) =
        others.into_iter().find(|one| header.iter().any(|name| name.contains(*one)))
    {
        return Err(flaw(format!("separate the columns by commas, and not by {other:?}")));
    }
    if let Some(unknown) = header.iter().find(|name| !COLUMNS.contains(name)) {
        return Err(flaw(format!("column '{unknown}' is not one of {known}")));
    }
    let missing = |name: &&&str| !header.iter().any(|known| known == **name);
    if let Some(missing) = COLUMNS.iter().take(REQUIRED).find(missing) {
        return Err(flaw(format!("there is no column '{missing}'; the columns are {known}")));
    }
    match COLUMNS.iter().find(|name| header.iter().filter(|known| known == *name).nth(1).is_some())
    {
        Some(twice) => Err(flaw(format!("column '{twice}' is there twice"))),
        None => Ok(()),
    }
}

impl Row<'_> {
    fn read(&self, number: u32, currency: Currency) -> Result<StatementLine, Invalid> {
        let booked_on = self.booked_on()?;
        let money = Money::parse(self.value("amount"), currency);
        let (reference, payer_name) = (self.value("bank_reference"), self.value("payer_name"));
        let (bank_reference, payer) = (told_apart_by(reference), Name::parse(payer_name).ok());
        let unread = [
            (bank_reference.is_none(), reference),
            (payer.is_none(), payer_name),
            (true, self.value("information")),
        ];
        let unread = unread.into_iter().filter(|(is_unread, text)| *is_unread && !text.is_empty());
        let information: Vec<_> = unread.map(|(_, text)| text).collect();
        Ok(StatementLine {
            number,
            booked_on,
            money: money.map_err(|error| self.flaw("amount", &error.to_string()))?,
            information: information.join("\n"),
            bank_reference,
            payer,
            doubt: None,
        })
    }

    /// What left the account; none for nothing, of which banks tell, too. One that cannot be read may be what takes back
    /// another line, so it is not passed over.
    fn outgoing(&self, currency: Currency) -> Result<Option<Outgoing>, Invalid> {
        self.booked_on()?;
        let amount = self.value("amount");
        let amount = amount.strip_prefix('-').unwrap_or(amount);
        if is_zero(amount) {
            return Ok(None);
        }
        let money = Money::parse(amount, currency);
        let money = money.map_err(|error| self.flaw("amount", &error.to_string()))?;
        let references = told_apart_by(self.value("bank_reference")).into_iter().collect();
        Ok(Some(Outgoing { references, money, reverses: false }))
    }

    fn booked_on(&self) -> Result<Day, Invalid> {
        let day = stamp::parse_day(self.value("booked_on"));
        day.ok_or_else(|| self.flaw("booked_on", "must be a day as 2026-11-23"))
    }

    fn currency(&self) -> Result<Currency, Invalid> {
        let currency = Currency::parse(self.value("currency"));
        currency.map_err(|error| self.flaw("currency", &error.to_string()))
    }

    fn value(&self, column: &str) -> &str {
        self.values.get(column).copied().unwrap_or_default()
    }

    fn flaw(&self, column: &str, what: &str) -> Invalid {
        let line = line_at(self.text, self.begins);
        flaw(format!("line {line}: {column} {what}"))
    }
}
