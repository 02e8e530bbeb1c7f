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
    let document = parse_camt053(&with_details_together(text));
    let document = document.map_err(|error| flaw(format!("no camt.053: {error}")))?;
    let (mut lines, mut skipped, mut account) = (Vec::new(), 0_u32, None);
    for statement in &document.statements {
        let of = account_of(statement)?;
        if *account.get_or_insert_with(|| of.clone()) != of {
            return Err(flaw("it is of several accounts: import one file for each"));
        }
        for (position, entry) in statement.entries.iter().enumerate() {
            let booked = entry.status == EntryStatus::Booked;
            if !booked || entry.amount.direction == Some(CreditDebitIndicator::Debit) {
                skipped = skipped.saturating_add(1);
                continue;
            }
            let place =
                format!("statement {}, entry {}", statement.stmt_id, position.saturating_add(1));
            let (of_entry, of_nobody) =
                lines_of(entry, of.1).map_err(|what| flaw(format!("{place}: {what}")))?;
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

/// The same document with one `NtryDtls` in each entry that has several: `sepa` reads the first one only. A text that is
/// no XML is as it was.
fn with_details_together(text: &str) -> Cow<'_, str> {
    const NAME: &[u8] = b"NtryDtls";
    let mut reader = Reader::from_str(text);
    // Where the last one ended, as long as nothing has come after it.
    let (mut ended, mut kept, mut together) = (None, 0, String::new());
    loop {
        let from = reader.buffer_position();
        match reader.read_event() {
            Ok(Event::End(tag)) if tag.local_name().as_ref() == NAME => ended = Some(from),
            Ok(Event::Start(tag)) if tag.local_name().as_ref() == NAME => {
                if let Some(ended) = ended.take().and_then(|ended| usize::try_from(ended).ok()) {
                    together.push_str(text.get(kept..ended).unwrap_or_default());
                    kept = usize::try_from(reader.buffer_position()).unwrap_or(kept);
                }
            }
            Ok(Event::Text(blank)) if blank.iter().all(u8::is_ascii_whitespace) => {}
            Ok(Event::Comment(_)) => {}
            Ok(Event::Eof) => break,
            Ok(_) => ended = None,
            Err(_) => return text.into(),
        }
    }
    if kept == 0 {
        return text.into();
    }
    together.push_str(text.get(kept..).unwrap_or_default());
    together.into()
}

/// The lines of one booked credit, and how many of its transactions are no money that arrived.
fn lines_of(entry: &CashEntry, currency: Currency) -> Result<(Vec<StatementLine>, u32), String> {
    if entry.amount.direction != Some(CreditDebitIndicator::Credit) {
        return Err("CdtDbtInd must be CRDT or DBIT".to_owned());
    }
    let Some(whole) = money(&entry.amount, currency)? else { return Ok((Vec::new(), 1)) };
    let said = entry.batch.as_ref().and_then(|batch| batch.transaction_count);
    let said = said.map_or(1, |said| usize::try_from(said).unwrap_or(usize::MAX));
    let several = entry.details.len().max(said) > 1;
    match entry.details.as_slice() {
        [] if !several => Ok((vec![line(entry, None, whole, None)?], 0)),
        [only] if !several && !contradicts(only, whole) => {
            Ok((vec![line(entry, Some(only), whole, None)?], 0))
        }
        details => match taken_apart(details, said, whole) {
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

/// Whether the bank says of the one transaction of an entry that it is another amount: it is not all of it.
fn contradicts(only: &EntryDetail, whole: Money) -> bool {
    let own = &only.amount;
    let same = own.currency.as_deref() == Some(whole.currency.code());
    same && money(own, whole.currency) != Ok(Some(whole))
}

/// A transaction of a batch, the money of it that arrived, and its number.
type Part<'entry> = (&'entry EntryDetail, Option<Money>, u32);

/// The transactions of a batch of at least so many; `None` unless they are all there and come to what was booked.
fn taken_apart(details: &[EntryDetail], said: usize, whole: Money) -> Option<Vec<Part<'_>>> {
    if details.len() < said {
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
    let written = match written.contains('.') {
        true => written.trim_end_matches('0').trim_end_matches('.'),
        false => written,
    };
    if !written.is_empty() && written.bytes().all(|byte| byte == b'0') {
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
