//! Statements as ISO 20022 camt.053 (bank-to-customer statement), versions 001.02, 001.06 and 001.08
//! (<https://www.iso20022.org/iso-20022-message-definitions>, bank-to-customer cash management).
//!
//! A line is a booked credit, or each transaction of one that the bank booked as a batch, if what it says of
//! each of them comes to what was booked. Its bank reference is the `AcctSvcrRef` of the entry; in a batch that of the
//! transaction or, if the bank does not tell them apart, the entry's with the number of the transaction. A batch that
//! cannot be taken apart is a line without a bank reference: nobody can credit all of it to one customer.

mod written;

use ledger::{BankReference, Currency, Day, Doubt, Money, Name, StatementLine};
use sepa::camt::{CashEntry, Charges, EntryDetail, EntryStatus, ReportedAmount};
use sepa::camt053::{Camt053Statement, parse_camt053};
use sepa::camt054::CreditDebitIndicator;

use self::written::{Written, with_details_together};
use super::{MAX_LINES, Outgoing, Parsed, flaw, left_again, told_apart_by};
use crate::error::Invalid;
use crate::stamp;

/// Reads a statement; the first entry that cannot be read is the error.
pub(super) fn read(text: &str) -> Result<Parsed, Invalid> {
    let together = with_details_together(text)?;
    let document = parse_camt053(&together.text);
    let document = document.map_err(|error| match other_version(text) {
        Some(version) => flaw(format!(
            "camt.053.{version} is not read: ask the bank for 001.02, 001.06 or 001.08"
        )),
        None => flaw(format!("no camt.053: {error}")),
    })?;
    let mut written = together.entries.into_iter();
    let (mut lines, mut skipped, mut account) = (Vec::new(), 0_u32, None);
    // What each line is booked as, and what was booked the other way.
    let (mut booked_as, mut outgoing) = (Vec::new(), Vec::new());
    for statement in &document.statements {
        let of = account_of(statement)?;
        if *account.get_or_insert_with(|| of.clone()) != of {
            return Err(flaw("it is of several accounts: import one file for each"));
        }
        for (position, entry) in statement.entries.iter().enumerate() {
            let written = written.next().unwrap_or_default();
            let booked = entry.status == EntryStatus::Booked;
            let reference = reference_of(entry);
            if !booked || entry.amount.direction == Some(CreditDebitIndicator::Debit) {
                let money = money(&entry.amount, of.1).ok().flatten().filter(|_| booked);
                let reverses = written.reverses;
                outgoing.extend(money.map(|money| Outgoing { reference, money, reverses }));
                skipped = skipped.saturating_add(1);
                continue;
            }
            let place =
                format!("statement {}, entry {}", statement.stmt_id, position.saturating_add(1));
            let (of_entry, of_nobody) =
                lines_of(entry, &written, of.1).map_err(|what| flaw(format!("{place}: {what}")))?;
            skipped = skipped.saturating_add(of_nobody);
            for line in of_entry {
                if lines.len() >= MAX_LINES {
                    return Err(flaw(format!("at most {MAX_LINES} lines: split the file")));
                }
                let number = u32::try_from(lines.len()).unwrap_or(u32::MAX).saturating_add(1);
                let doubt = written.reverses.then_some(Doubt::Reversed);
                booked_as.push((reference.clone(), money(&entry.amount, of.1).ok().flatten()));
                lines.push(StatementLine { number, doubt, ..line });
            }
        }
    }
    for (line, (reference, whole)) in lines.iter_mut().zip(booked_as) {
        let whole = whole.unwrap_or(line.money);
        if left_again(&outgoing, reference.as_ref(), whole)
            || left_again(&outgoing, line.bank_reference.as_ref(), line.money)
        {
            line.doubt = Some(Doubt::Reversed);
        }
    }
    let (number, currency) = account.ok_or_else(|| flaw("there is no statement in it"))?;
    Ok(Parsed { number: Some(number), currency, lines, skipped })
}

/// The version of a camt.053 that is none of those that are read.
fn other_version(text: &str) -> Option<&str> {
    let (_, version) = text.split_once("urn:iso:std:iso:20022:tech:xsd:camt.053.")?;
    let version = version.get(..6)?;
    let known = ["001.02", "001.06", "001.08"];
    let is_version = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (is_version && !known.contains(&version)).then_some(version)
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

/// The lines of one booked credit, and how many of its transactions are no money that arrived.
fn lines_of(
    entry: &CashEntry,
    written: &Written,
    currency: Currency,
) -> Result<(Vec<StatementLine>, u32), String> {
    if entry.amount.direction != Some(CreditDebitIndicator::Credit) {
        return Err("CdtDbtInd must be CRDT or DBIT".to_owned());
    }
    let Some(whole) = money(&entry.amount, currency)? else { return Ok((Vec::new(), 1)) };
    // How many transactions the bank says there are; a batch of which it does not say that can be of any number.
    let said = entry.batch.as_ref().map(|batch| batch.transaction_count.unwrap_or(u64::MAX));
    let of_one = !written.several && said.is_none_or(|said| said == 1);
    let own = || {
        reference_of(entry)
            .or_else(|| written.references.iter().flatten().find_map(|own| told_apart_by(own)))
    };
    match entry.details.as_slice() {
        [] if of_one => Ok((vec![line(entry, None, whole, own())?], 0)),
        [only] if of_one && !contradicts(only, whole) => {
            Ok((vec![line(entry, Some(only), whole, own())?], 0))
        }
        _ => of_batch(entry, written, whole),
    }
}

/// The lines of a batch, and how many of its transactions are no money that arrived.
fn of_batch(
    entry: &CashEntry,
    written: &Written,
    whole: Money,
) -> Result<(Vec<StatementLine>, u32), String> {
    // What the bank counts is in one block; of several each has its own number.
    let said = entry.batch.as_ref().and_then(|batch| batch.transaction_count);
    let said = said.filter(|_| !written.several);
    let Some(parts) = taken_apart(&entry.details, whole, said) else {
        return Ok((vec![of_nobody(entry, whole)?], 0));
    };
    let references = references_of(entry, &written.references);
    let arrived = parts
        .iter()
        .zip(references)
        .filter_map(|((detail, money), reference)| money.map(|money| (*detail, money, reference)));
    let arrived: Vec<_> = arrived.collect();
    let nothing = parts.len().saturating_sub(arrived.len());
    let lines = match arrived.as_slice() {
        // One payment, less what the bank took for it: what was booked is what arrived.
        [(only, _, _)] => vec![line(entry, Some(only), whole, reference_of(entry))?],
        several => {
            let lines = several.iter().map(|(detail, money, reference)| {
                line(entry, Some(detail), *money, reference.clone())
            });
            lines.collect::<Result<_, _>>()?
        }
    };
    Ok((lines, u32::try_from(nothing).unwrap_or(u32::MAX)))
}

/// Whether the bank says of the one transaction of an entry that it is another amount, or went out: it is not all of it.
fn contradicts(only: &EntryDetail, whole: Money) -> bool {
    let own = &only.amount;
    let same = own.currency.as_deref() == Some(whole.currency.code());
    let own_money = money(own, whole.currency);
    let other = same && own_money != Ok(Some(whole));
    let less_charges =
        own_money.ok().flatten().is_some_and(|own| is_less_charges(only, own, whole));
    other && !less_charges || own.direction != Some(CreditDebitIndicator::Credit)
}

/// Whether what was booked is what was sent, less the charges that the bank names.
fn is_less_charges(detail: &EntryDetail, sent: Money, booked: Money) -> bool {
    let units = |money: Money| money.amount.to_minor_units(money.currency);
    let charges = detail.charges.as_ref().and_then(Charges::total_signed_ct);
    // `sepa` counts hundredths, whatever the currency.
    let charges = charges.filter(|_| booked.currency.decimals() == 2);
    let left = units(sent).zip(charges).and_then(|(sent, charges)| sent.checked_add(charges));
    left.is_some() && left == units(booked)
}

/// The bank's own reference of an entry.
fn reference_of(entry: &CashEntry) -> Option<BankReference> {
    entry.account_servicer_ref.as_deref().and_then(told_apart_by)
}

/// The references of the transactions of a batch: the bank's own if it tells each of them apart, else numbers.
fn references_of(entry: &CashEntry, written: &[Option<String>]) -> Vec<Option<BankReference>> {
    let whole = reference_of(entry);
    let own: Vec<_> =
        written.iter().filter_map(|own| own.as_deref().and_then(told_apart_by)).collect();
    // Many banks write the reference of the entry into each of its transactions.
    let taken = |position: usize, one: &BankReference| {
        let before = own.iter().take(position).chain(&whole);
        before.into_iter().any(|other| other.is_same_as(one))
    };
    let told_apart = own.len() == entry.details.len()
        && !own.iter().enumerate().any(|(position, one)| taken(position, one));
    if told_apart {
        return own.into_iter().map(Some).collect();
    }
    let numbered = |number: usize| {
        whole.as_ref().and_then(|whole| told_apart_by(&format!("{whole}/{number}")))
    };
    (1..=entry.details.len()).map(numbered).collect()
}

/// A transaction of a batch, and the money of it that arrived.
type Part<'entry> = (&'entry EntryDetail, Option<Money>);

/// The transactions of a batch; `None` unless they are several and come to what was booked: one amount that does may
/// be what the bank says of all of them.
fn taken_apart(details: &[EntryDetail], whole: Money, said: Option<u64>) -> Option<Vec<Part<'_>>> {
    let as_many = said.is_none_or(|said| u64::try_from(details.len()) == Ok(said));
    if details.len() < 2 || !as_many {
        return None;
    }
    let units = |money: Money| money.amount.to_minor_units(money.currency);
    let (mut parts, mut sum) = (Vec::new(), 0_i64);
    for detail in details {
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
        parts.push((detail, arrived));
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
    bank_reference: Option<BankReference>,
) -> Result<StatementLine, String> {
    let payer = detail.and_then(|detail| detail.counterparty_name.as_deref());
    let texts = detail.into_iter().flat_map(texts_of).chain(entry.additional_info.as_deref());
    Ok(StatementLine {
        number: 0,
        booked_on: booked_on(entry)?,
        money,
        bank_reference,
        payer: payer.and_then(|payer| Name::parse(payer).ok()),
        information: texts.collect::<Vec<_>>().join("\n"),
        doubt: None,
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
        doubt: None,
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
