//! Statements as ISO 20022 camt.053 (bank-to-customer statement), versions 001.02, 001.06 and 001.08
//! (<https://www.iso20022.org/iso-20022-message-definitions>, bank-to-customer cash management).
//!
//! A line is a booked credit, or each transaction of one that the bank booked as a batch, if it says
//! how much each of them is. Its bank reference is the entry's `AcctSvcrRef`; in a batch, with the
//! number of the transaction.

use ledger::{BankReference, Currency, Money, Name, StatementLine};
use sepa::camt::{CashEntry, EntryDetail, EntryStatus, ReportedAmount};
use sepa::camt053::{Camt053Statement, parse_camt053};
use sepa::camt054::CreditDebitIndicator;

use super::{MAX_LINES, Parsed, flaw};
use crate::error::Invalid;
use crate::stamp;

/// Reads a statement; the first entry that cannot be read is the error.
pub(super) fn read(text: &str) -> Result<Parsed, Invalid> {
    let document = parse_camt053(text).map_err(|error| flaw(format!("no camt.053: {error}")))?;
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
            for line in lines_of(entry, of.1).map_err(|what| flaw(format!("{place}: {what}")))? {
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

/// The lines of one booked credit.
fn lines_of(entry: &CashEntry, currency: Currency) -> Result<Vec<StatementLine>, String> {
    let details = &entry.details;
    let told = |detail: &EntryDetail| {
        detail.amount.amount_raw.is_some()
            && detail.amount.currency.as_deref() == Some(currency.code())
    };
    if details.len() < 2 || !details.iter().all(told) {
        let detail = details.first();
        return Ok(vec![line(entry, detail, &entry.amount, None, currency)?]);
    }
    let numbered = details.iter().zip(1_u32..);
    let lines =
        numbered.filter(|(detail, _)| detail.amount.direction != Some(CreditDebitIndicator::Debit));
    let lines = lines
        .map(|(detail, number)| line(entry, Some(detail), &detail.amount, Some(number), currency));
    lines.collect()
}

fn line(
    entry: &CashEntry,
    detail: Option<&EntryDetail>,
    amount: &ReportedAmount,
    number_in_batch: Option<u32>,
    currency: Currency,
) -> Result<StatementLine, String> {
    if entry.amount.direction != Some(CreditDebitIndicator::Credit) {
        return Err("CdtDbtInd must be CRDT or DBIT".to_owned());
    }
    if amount.currency.as_deref() != Some(currency.code()) {
        return Err(format!("Amt is not in {currency}"));
    }
    let written = amount.amount_raw.as_deref().unwrap_or_default().trim();
    let booked_on = entry.booking_date_raw.as_deref().and_then(|date| date.get(..10));
    let reference = entry.account_servicer_ref.as_deref().map(|reference| match number_in_batch {
        Some(number) => format!("{reference}/{number}"),
        None => reference.to_owned(),
    });
    let reference = reference.map(|reference| BankReference::parse(&reference)).transpose();
    let payer = detail.and_then(|detail| detail.counterparty_name.as_deref());
    let texts = [
        detail.and_then(|detail| detail.reference.as_deref()),
        detail.and_then(|detail| detail.end_to_end_id.as_deref()),
        detail.and_then(|detail| detail.additional_info.as_deref()),
        entry.additional_info.as_deref(),
    ];
    Ok(StatementLine {
        number: 0,
        booked_on: booked_on.and_then(stamp::parse_day).ok_or("BookgDt must be a day")?,
        money: Money::parse(written, currency).map_err(|error| format!("Amt {error}"))?,
        bank_reference: reference.map_err(|error| format!("AcctSvcrRef {error}"))?,
        payer: payer.and_then(|payer| Name::parse(payer).ok()),
        information: texts.into_iter().flatten().collect::<Vec<_>>().join("\n"),
    })
}
