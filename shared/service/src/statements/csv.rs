//! Statements as comma-separated values (RFC 4180), with a line of column names.
//!
//! What cannot be read of a sender or a bank reference is kept as information: the words of a stranger stop no statement.

use std::collections::BTreeMap;

use ledger::{Currency, Doubt, Money, Name, StatementLine};

use super::outgoing::{Arrived, Outgoing, left_again, told_apart_by};
use super::{MAX_LINES, Parsed, flaw};
use crate::error::Invalid;
use crate::stamp;

/// The columns, in any order; the last three may be missing.
const COLUMNS: [&str; 6] =
    ["booked_on", "amount", "currency", "bank_reference", "payer_name", "information"];
const REQUIRED: usize = 3;

/// One line by the names of its columns.
struct Row<'row> {
    /// Its line in the file.
    line: u64,
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
pub(super) fn read(text: &str) -> Result<Parsed, Invalid> {
    check_quotes(text)?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let unreadable = |error: csv::Error| flaw(format!("no comma-separated values: {error}"));
    let header = reader.headers().map_err(unreadable)?.clone();
    check_header(&header)?;
    let (mut lines, mut outgoing, mut skipped, mut currency) =
        (Vec::new(), Vec::new(), 0_u32, None);
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let line = record.position().map_or(0, csv::Position::line);
        let row = Row { line, values: header.iter().zip(record.iter()).collect() };
        let of = row.currency()?;
        if *currency.get_or_insert(of) != of {
            return Err(row.flaw("currency", "is another one than in the lines before"));
        }
        let amount = row.value("amount");
        if amount.starts_with('-') || is_zero(amount) {
            outgoing.extend(row.outgoing(of));
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
    Ok(Parsed { number: None, currency, lines, others: BTreeMap::new(), skipped })
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
        let booked_on = stamp::parse_day(self.value("booked_on"));
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
            booked_on: booked_on
                .ok_or_else(|| self.flaw("booked_on", "must be a day as 2026-11-23"))?,
            money: money.map_err(|error| self.flaw("amount", &error.to_string()))?,
            information: information.join("\n"),
            bank_reference,
            payer,
            doubt: None,
        })
    }

    /// What left the account; none for nothing, of which banks tell, too.
    fn outgoing(&self, currency: Currency) -> Option<Outgoing> {
        let money = Money::parse(self.value("amount").strip_prefix('-')?, currency).ok()?;
        let references = told_apart_by(self.value("bank_reference")).into_iter().collect();
        Some(Outgoing { references, money, reverses: false })
    }

    fn currency(&self) -> Result<Currency, Invalid> {
        let currency = Currency::parse(self.value("currency"));
        currency.map_err(|error| self.flaw("currency", &error.to_string()))
    }

    fn value(&self, column: &str) -> &str {
        self.values.get(column).copied().unwrap_or_default()
    }

    fn flaw(&self, column: &str, what: &str) -> Invalid {
        flaw(format!("line {}: {column} {what}", self.line))
    }
}
