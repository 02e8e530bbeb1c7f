//! Statements as ISO 20022 camt.053 (bank-to-customer statement), versions 001.02, 001.06 and 001.08
//! (<https://www.iso20022.org/iso-20022-message-definitions>, bank-to-customer cash management).
//!
//! A line is a booked credit, or each transaction of one that the bank booked as a batch, if what it says of
//! each of them comes to what was booked. Its bank reference is the entry's `AcctSvcrRef`; in a batch, with the
//! number of the transaction. A batch that cannot be taken apart is a line without a bank reference: nobody
//! can credit all of it to one customer.

use std::borrow::Cow;

use ledger::{BankReference, Currency, Day, Money, Name, StatementLine};
use quick_xml::Reader;
use quick_xml::events::Event;
use sepa::camt::{CashEntry, EntryDetail, EntryStatus, ReportedAmount};
use sepa::camt053::{Camt053Statement, parse_camt053};
use sepa::camt054::CreditDebitIndicator;

use super::{MAX_LINES, Parsed, flaw};
use crate::error::Invalid;
use crate::stamp;

/// Reads a statement; the first entry that cannot be read is the error.
pub(super) fn read(text: &str) -> Result<Parsed, Invalid> {
    let together = with_details_together(text)?;
    let document = parse_camt053(&together.text);
    let document = document.map_err(|error| flaw(format!("no camt.053: {error}")))?;
    let mut several = together.several.into_iter();
    let (mut lines, mut skipped, mut account) = (Vec::new(), 0_u32, None);
    for statement in &document.statements {
        let of = account_of(statement)?;
        if *account.get_or_insert_with(|| of.clone()) != of {
            return Err(flaw("it is of several accounts: import one file for each"));
        }
        for (position, entry) in statement.entries.iter().enumerate() {
            let several = several.next().unwrap_or(true);
            let booked = entry.status == EntryStatus::Booked;
            if !booked || entry.amount.direction == Some(CreditDebitIndicator::Debit) {
                skipped = skipped.saturating_add(1);
                continue;
            }
            let place =
                format!("statement {}, entry {}", statement.stmt_id, position.saturating_add(1));
            let (of_entry, of_nobody) =
                lines_of(entry, several, of.1).map_err(|what| flaw(format!("{place}: {what}")))?;
            skipped = skipped.saturating_add(of_nobody);
            for line in of_entry {
                if lines.len() >= MAX_LINES {
                    return Err(flaw(format!("at most {MAX_LINES} lines: split the file")));
                }
                let number = u32::try_from(lines.len()).unwrap_or(u32::MAX).saturating_add(1);
                lines.push(StatementLine { number, ..line });
            }
        }
    }
    let (number, currency) = account.ok_or_else(|| flaw("there is no statement in it"))?;
    Ok(Parsed { number: Some(number), currency, lines, skipped })
}

fn account_of(statement: &Camt053Statement) -> Result<(String, Currency), Invalid> {
    let account = &statement.account;
    let number = account.any_id().ok_or_else(|| flaw("it does not say of which account it is"))?;
    let first = statement.entries.first().and_then(|entry| entry.amount.currency.as_deref());
    let code = account.currency.as_deref().or(first);
    let code = code.ok_or_else(|| flaw("it does not say of which currency it is"))?;
    let currency = Currency::parse(code).map_err(|error| flaw(format!("its currency {error}")))?;
    Ok((number.to_owned(), currency))
}

/// A document in which each entry has one `NtryDtls`: `sepa` reads the first one only.
struct Together<'text> {
    text: Cow<'text, str>,
    /// Of each entry, in turn, whether it had several.
    several: Vec<bool>,
}

/// Puts the `NtryDtls` of each entry together. A text that is no XML is as it was.
fn with_details_together(text: &str) -> Result<Together<'_>, Invalid> {
    let unread = || Ok(Together { text: text.into(), several: Vec::new() });
    let mut reader = Reader::from_str(text);
    let (mut together, mut kept, mut several) = (String::new(), 0, Vec::new());
    // Of this entry, where its last block ended, as long as nothing has come after it, and whether it had one.
    let (mut ended, mut had) = (None, false);
    loop {
        let from = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let Ok(event) = reader.read_event() else { return unread() };
        let to = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let name = match &event {
            Event::Start(tag) | Event::Empty(tag) => tag.local_name().as_ref().to_vec(),
            Event::End(tag) => tag.local_name().as_ref().to_vec(),
            _ => Vec::new(),
        };
        // What is between two places that are none in the text must not be dropped in silence.
        let mut cut = |from: usize| {
            let before =
                text.get(kept..from).ok_or_else(|| flaw("its entries cannot be told apart"))?;
            together.push_str(before);
            kept = to;
            Ok::<(), Invalid>(())
        };
        match (&event, name.as_slice()) {
            (Event::Start(_), b"Ntry") => {
                several.push(false);
                (ended, had) = (None, false);
            }
            (Event::Start(_), b"NtryDtls") if had => {
                let between = "an entry with something between its NtryDtls cannot be read";
                cut(ended.take().ok_or_else(|| flaw(between))?)?;
                several.last_mut().into_iter().for_each(|several| *several = true);
            }
            (Event::Start(_), b"NtryDtls") => had = true,
            (Event::End(_), b"NtryDtls") => ended = Some(from),
            // One that says nothing, before the others: `sepa` would read it.
            (Event::Empty(_), b"NtryDtls") => {
                if !had {
                    cut(from)?;
                }
            }
            (Event::Text(blank), _) if blank.iter().all(u8::is_ascii_whitespace) => {}
            (Event::Comment(_) | Event::PI(_), _) => {}
            (Event::Eof, _) => break,
            _ => ended = None,
        }
    }
    together.push_str(text.get(kept..).ok_or_else(|| flaw("its entries cannot be told apart"))?);
    Ok(Together { text: together.into(), several })
}

/// The lines of one booked credit, and how many of its transactions are no money that arrived.
fn lines_of(
    entry: &CashEntry,
    several: bool,
    currency: Currency,
) -> Result<(Vec<StatementLine>, u32), String> {
    if entry.amount.direction != Some(CreditDebitIndicator::Credit) {
        return Err("CdtDbtInd must be CRDT or DBIT".to_owned());
    }
    let Some(whole) = money(&entry.amount, currency)? else { return Ok((Vec::new(), 1)) };
    // How many transactions the bank says there are; a batch of which it does not say that can be of any number.
    let said = entry.batch.as_ref().map(|batch| batch.transaction_count.unwrap_or(u64::MAX));
    let of_one = !several && said.is_none_or(|said| said == 1);
    match entry.details.as_slice() {
        [] if of_one => Ok((vec![line(entry, None, whole, None)?], 0)),
        [only] if of_one && !contradicts(only, whole) => {
            Ok((vec![line(entry, Some(only), whole, None)?], 0))
        }
        details => match taken_apart(details, whole) {
            Some(parts) => {
                let nothing = parts.iter().filter(|(_, money, _)| money.is_none()).count();
                let lines = parts.into_iter().filter_map(|(detail, money, number)| {
                    money.map(|money| line(entry, Some(detail), money, Some(number)))
                });
                let lines = lines.collect::<Result<_, _>>()?;
                Ok((lines, u32::try_from(nothing).unwrap_or(u32::MAX)))
            }
            None => Ok((vec![of_nobody(entry, whole)?], 0)),
        },
    }
}

/// Whether the bank says of the one transaction of an entry that it is another amount, or went out: it is not all of it.
fn contradicts(only: &EntryDetail, whole: Money) -> bool {
    let own = &only.amount;
    let same = own.currency.as_deref() == Some(whole.currency.code());
    let other = same && money(own, whole.currency) != Ok(Some(whole));
    other || own.direction != Some(CreditDebitIndicator::Credit)
}

/// A transaction of a batch, the money of it that arrived, and its number.
type Part<'entry> = (&'entry EntryDetail, Option<Money>, u32);

/// The transactions of a batch; `None` unless they are several and come to what was booked: one amount that does may
/// be what the bank says of all of them.
fn taken_apart(details: &[EntryDetail], whole: Money) -> Option<Vec<Part<'_>>> {
    if details.len() < 2 {
        return None;
    }
    let units = |money: Money| money.amount.to_minor_units(money.currency);
    let (mut parts, mut sum) = (Vec::new(), 0_i64);
    for (detail, number) in details.iter().zip(1_u32..) {
        let own = money(&detail.amount, whole.currency).ok()?;
        let own_units = own.map_or(Some(0), units)?;
        let arrived = match detail.amount.direction? {
            CreditDebitIndicator::Credit => {
                sum = sum.checked_add(own_units)?;
                own
            }
            CreditDebitIndicator::Debit => {
                sum = sum.checked_sub(own_units)?;
                None
            }
            _ => return None,
        };
        parts.push((detail, arrived, number));
    }
    (Some(sum) == units(whole)).then_some(parts)
}

/// What an amount is in the currency of the account; none for nothing, of which banks tell, too.
fn money(amount: &ReportedAmount, currency: Currency) -> Result<Option<Money>, String> {
    if amount.currency.as_deref() != Some(currency.code()) {
        return Err(format!("Amt is not in {currency}"));
    }
    // The schema has five decimals, and some banks write them all.
    let written = amount.amount_raw.as_deref().unwrap_or_default().trim();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let written = match written.split_once('.') {
        Some((_, fraction)) if digits(fraction) => {
            let fewer = written.trim_end_matches('0');
            fewer.strip_suffix('.').unwrap_or(fewer)
        }
        _ => written,
    };
    if digits(written) && written.bytes().all(|byte| byte == b'0') {
        return Ok(None);
    }
    Money::parse(written, currency).map(Some).map_err(|error| format!("Amt {error}"))
}

fn line(
    entry: &CashEntry,
    detail: Option<&EntryDetail>,
    money: Money,
    number_in_batch: Option<u32>,
) -> Result<StatementLine, String> {
    let reference = entry.account_servicer_ref.as_deref().map(|reference| match number_in_batch {
        Some(number) => format!("{reference}/{number}"),
        None => reference.to_owned(),
    });
    let payer = detail.and_then(|detail| detail.counterparty_name.as_deref());
    let texts = detail.into_iter().flat_map(texts_of).chain(entry.additional_info.as_deref());
    Ok(StatementLine {
        number: 0,
        booked_on: booked_on(entry)?,
        money,
        // One that cannot be read tells nothing apart.
        bank_reference: reference.and_then(|reference| BankReference::parse(&reference).ok()),
        payer: payer.and_then(|payer| Name::parse(payer).ok()),
        information: texts.collect::<Vec<_>>().join("\n"),
    })
}

/// The line of a batch that cannot be taken apart, with all that the bank says of it.
fn of_nobody(entry: &CashEntry, money: Money) -> Result<StatementLine, String> {
    let details = entry.details.iter().flat_map(|detail| {
        let amount = detail.amount.amount_raw.as_deref();
        let payer = detail.counterparty_name.as_deref();
        amount.into_iter().chain(payer).chain(texts_of(detail))
    });
    let texts = entry.account_servicer_ref.as_deref().into_iter().chain(details);
    let texts = texts.chain(entry.additional_info.as_deref());
    Ok(StatementLine {
        number: 0,
        booked_on: booked_on(entry)?,
        money,
        bank_reference: None,
        payer: None,
        information: texts.collect::<Vec<_>>().join("\n"),
    })
}

fn booked_on(entry: &CashEntry) -> Result<Day, String> {
    let day = entry.booking_date_raw.as_deref().and_then(|date| date.get(..10));
    day.and_then(stamp::parse_day).ok_or_else(|| "BookgDt must be a day".to_owned())
}

/// What the payer and the bank have written about a transaction.
fn texts_of(detail: &EntryDetail) -> impl Iterator<Item = &str> {
    let texts = [&detail.reference, &detail.end_to_end_id, &detail.additional_info];
    texts.into_iter().filter_map(|text| text.as_deref())
}
