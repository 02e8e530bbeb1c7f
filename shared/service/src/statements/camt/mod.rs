//! Statements as ISO 20022 camt.053 (bank-to-customer statement), versions 001.02, 001.06 and 001.08
//! (<https://www.iso20022.org/iso-20022-message-definitions>, bank-to-customer cash management).
//!
//! A line is a booked credit, or each transaction of one that the bank booked as a batch, if what it says of
//! each of them comes to what was booked. Its bank reference is the `AcctSvcrRef` of the entry; in a batch with that of the
//! transaction or, if the bank does not tell them apart, with its number. A batch that cannot be taken apart is a line
//! without a bank reference: nobody can credit all of it to one customer.

mod written;

use std::collections::{BTreeMap, BTreeSet};

use ledger::{BankReference, Currency, Day, Doubt, Money, Name, StatementLine};
use sepa::camt::{CashEntry, Charges, EntryDetail, EntryStatus, ReportedAmount};
use sepa::camt053::{Camt053ParseError, Camt053Statement, parse_camt053};
use sepa::camt054::CreditDebitIndicator;

use self::written::{Transaction, Written, with_details_together};
use super::outgoing::{Arrived, Outgoing, left_again};
use super::references::{first_parts_of, is_whole, part_of, told_apart_by};
use super::{MAX_LINES, Parsed, Purpose, flaw};
use crate::error::Invalid;
use crate::stamp;

/// Reads a statement; the first entry that cannot be read is the error.
pub(super) fn read(text: &str, purpose: Purpose) -> Result<Parsed, Invalid> {
    let together = with_details_together(text)?;
    let document = parse_camt053(&together.text);
    let document = document.map_err(|error| flaw(said_of(&error, text)))?;
    let entries = document.statements.iter().flat_map(|statement| &statement.entries);
    // What was read of an entry here would be put to another one.
    if entries.count() != together.entries.len() {
        return Err(flaw("its entries cannot be told apart: it has others than those of camt.053"));
    }
    let mut written = together.entries.into_iter();
    let (mut lines, mut skipped, mut account) = (Vec::new(), 0_u32, None);
    let (mut others, mut arrived, mut outgoing) = (BTreeMap::new(), Vec::new(), Vec::new());
    for statement in &document.statements {
        let of = account_of(statement)?;
        if *account.get_or_insert_with(|| of.clone()) != of {
            return Err(flaw("it is of several accounts: import one file for each"));
        }
        for (position, entry) in statement.entries.iter().enumerate() {
            let written = written.next().unwrap_or_default();
            let place =
                format!("statement {}, entry {}", statement.stmt_id, position.saturating_add(1));
            let booked = entry.status == EntryStatus::Booked;
            if !booked || entry.amount.direction == Some(CreditDebitIndicator::Debit) {
                let money = match booked {
                    true => {
                        money(&entry.amount, of.1).map_err(|what| flaw(format!("{place}: {what}")))
                    }
                    false => Ok(None),
                };
                let money = purpose.of_outgoing(money)?;
                let (references, reverses) = (all_references(entry, &written), written.reverses);
                outgoing.extend(money.map(|money| Outgoing { references, money, reverses }));
                skipped = skipped.saturating_add(1);
                continue;
            }
            let (of_entry, of_nobody) =
                lines_of(entry, &written, of.1).map_err(|what| flaw(format!("{place}: {what}")))?;
            skipped = skipped.saturating_add(of_nobody);
            let whole = money(&entry.amount, of.1).ok().flatten();
            for Booked { line, others: of_line, returned } in of_entry {
                if lines.len() >= MAX_LINES {
                    return Err(flaw(format!("at most {MAX_LINES} lines: split the file")));
                }
                let number = u32::try_from(lines.len()).unwrap_or(u32::MAX).saturating_add(1);
                let doubt = (written.reverses || returned).then_some(Doubt::Reversed);
                let references = line.bank_reference.iter().chain(&of_line).cloned();
                let references = references.chain(reference_of(entry)).collect();
                let (money, whole) = (line.money, whole.unwrap_or(line.money));
                arrived.push(Arrived { references, money, whole });
                others.insert(number, of_line);
                lines.push(StatementLine { number, doubt, ..line });
            }
        }
    }
    let left = left_again(&arrived, &outgoing);
    for (_, line) in lines.iter_mut().enumerate().filter(|(position, _)| left.contains(position)) {
        line.doubt = Some(Doubt::Reversed);
    }
    let (number, currency) = account.ok_or_else(|| flaw("there is no statement in it"))?;
    Ok(Parsed { number: Some(number), currency, lines, others, skipped })
}

/// What is wrong with a file that is not read.
fn said_of(error: &Camt053ParseError, text: &str) -> String {
    match other_version(text) {
        Some(version) => {
            format!("camt.053.{version} is not read: ask the bank for 001.02, 001.06 or 001.08")
        }
        None if declared_encoding(text).is_some_and(|encoding| !encoding.contains("utf-8")) => {
            "the file must be UTF-8, and say so or nothing".to_owned()
        }
        None => format!("no camt.053: {error}"),
    }
}

/// Whether a file says of itself that it is of the encoding that is read.
pub(super) fn declares_utf_8(text: &str) -> bool {
    declared_encoding(text).is_some_and(|encoding| encoding.contains("utf-8"))
}

/// What a file says of its encoding, and what follows that in its declaration, in lower case.
fn declared_encoding(text: &str) -> Option<String> {
    let (declared, _) = text.trim_start().strip_prefix("<?xml")?.split_once("?>")?;
    let declared = declared.to_ascii_lowercase();
    declared.split_once("encoding").map(|(_, encoding)| encoding.to_owned())
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

/// A line, and the other references under which it may have been credited.
struct Booked {
    line: StatementLine,
    others: Vec<BankReference>,
    /// Whether the bank says that it is what somebody had been sent, and that comes back (`RtrInf`).
    returned: bool,
}

/// The lines of one booked credit, and how many of its transactions are no money that arrived.
fn lines_of(
    entry: &CashEntry,
    written: &Written,
    currency: Currency,
) -> Result<(Vec<Booked>, u32), String> {
    if entry.amount.direction != Some(CreditDebitIndicator::Credit) {
        return Err("CdtDbtInd must be CRDT or DBIT".to_owned());
    }
    let Some(whole) = money(&entry.amount, currency)? else { return Ok((Vec::new(), 1)) };
    // How many transactions the bank says there are; a batch of which it does not say that can be of any number.
    let said = entry.batch.as_ref().map(|batch| batch.transaction_count.unwrap_or(u64::MAX));
    let of_one = !written.several && said.is_none_or(|said| said == 1);
    match entry.details.as_slice() {
        [] if of_one => Ok((vec![of_entry(entry, written, None, whole)?], 0)),
        [only] if of_one && !contradicts(entry, only, whole) => {
            Ok((vec![of_entry(entry, written, Some(only), whole)?], 0))
        }
        _ => of_batch(entry, written, whole),
    }
}

/// The one line of an entry.
fn of_entry(
    entry: &CashEntry,
    written: &Written,
    detail: Option<&EntryDetail>,
    whole: Money,
) -> Result<Booked, String> {
    let own = written.references().find_map(told_apart_by);
    let own = own.filter(is_whole);
    let (reference, own) = match reference_of(entry) {
        Some(reference) => (Some(reference), own),
        None => (own, None),
    };
    let others = own.into_iter().chain(reference.iter().flat_map(first_parts_of)).collect();
    let returned = written.transactions.iter().any(|one| one.is_returned);
    Ok(Booked { line: line(entry, detail, whole, reference)?, others, returned })
}

/// The lines of a batch, and how many of its transactions are no money that arrived.
fn of_batch(
    entry: &CashEntry,
    written: &Written,
    whole: Money,
) -> Result<(Vec<Booked>, u32), String> {
    // What the bank counts is in one block; of several each has its own number.
    let said = entry.batch.as_ref().and_then(|batch| batch.transaction_count);
    let said = said.filter(|_| !written.several);
    let Some(parts) = taken_apart(&entry.details, whole, said) else {
        let line = of_nobody(entry, whole)?;
        let mut others = all_references(entry, written);
        others.extend(reference_of(entry).iter().flat_map(first_parts_of));
        let returned = written.transactions.iter().any(|one| one.is_returned);
        return Ok((vec![Booked { line, others, returned }], 0));
    };
    let nothing = parts.iter().filter(|(_, money)| money.is_none()).count();
    let nothing = u32::try_from(nothing).unwrap_or(u32::MAX);
    if let Some((only, fees)) = less_fees(&parts, &written.transactions) {
        let mut booked = of_entry(entry, written, Some(only), whole)?;
        let kept = fees
            .iter()
            .flat_map(|fee| fee.amount.amount_raw.as_deref().into_iter().chain(texts_of(fee)));
        let kept: Vec<_> = kept.collect();
        booked.line.information = format!("{}\n- {}", booked.line.information, kept.join(" "));
        return Ok((vec![booked], nothing));
    }
    let references = references_of(entry, &written.transactions);
    let mut returned = written.transactions.iter().map(|one| one.is_returned);
    let lines = parts.into_iter().zip(references).filter_map(|((detail, money), references)| {
        let (reference, others) = references;
        let returned = returned.next().unwrap_or(false);
        let line = line(entry, Some(detail), money?, reference);
        Some(line.map(|line| Booked { line, others, returned }))
    });
    Ok((lines.collect::<Result<_, _>>()?, nothing))
}

/// The one payment of a batch of which the rest is what the bank took for it, and that: what was booked is what arrived.
/// What goes to somebody, or is returned, is no fee.
fn less_fees<'entry>(
    parts: &[Part<'entry>],
    written: &[Transaction],
) -> Option<(&'entry EntryDetail, Vec<&'entry EntryDetail>)> {
    let of_nobody = |position: usize| {
        written.get(position).is_some_and(|one| !one.is_somebodys && !one.is_returned)
    };
    let (mut arrived, mut fees) = (Vec::new(), Vec::new());
    for (position, (detail, money)) in parts.iter().enumerate() {
        match money {
            Some(_) => arrived.push(*detail),
            None if of_nobody(position) => fees.push(*detail),
            None => return None,
        }
    }
    match arrived.as_slice() {
        [only] if !fees.is_empty() => Some((only, fees)),
        _ => None,
    }
}

/// Whether the bank says of the one transaction of an entry that it is another amount, or went out: it is not all of it.
fn contradicts(entry: &CashEntry, only: &EntryDetail, whole: Money) -> bool {
    let own = &only.amount;
    let same = own.currency.as_deref() == Some(whole.currency.code());
    let own_money = money(own, whole.currency);
    let other = same && own_money != Ok(Some(whole));
    let charges = only.charges.as_ref().or(entry.charges.as_ref());
    let sent = own_money.ok().flatten();
    let less_charges =
        charges.zip(sent).is_some_and(|(charges, sent)| is_less_charges(charges, sent, whole));
    other && !less_charges || own.direction != Some(CreditDebitIndicator::Credit)
}

/// Whether what was booked is what was sent, less the charges that the bank names.
fn is_less_charges(charges: &Charges, sent: Money, booked: Money) -> bool {
    let units = |money: Money| money.amount.to_minor_units(money.currency);
    let code = Some(booked.currency.code());
    let of_account = charges.records.iter().all(|one| one.amount.currency.as_deref() == code);
    let charges = charges.total_signed_ct().or_else(|| without_direction(charges, booked.currency));
    // `sepa` counts hundredths, whatever the currency.
    let charges = charges.filter(|_| of_account && booked.currency.decimals() == 2);
    let left = units(sent).zip(charges).and_then(|(sent, charges)| sent.checked_add(charges));
    left.is_some() && left == units(booked)
}

/// Charges of which the bank does not say that they take, below zero: the total, or what they come to.
fn without_direction(charges: &Charges, currency: Currency) -> Option<i64> {
    let each = |sum: i64, amount: &ReportedAmount| {
        sum.checked_sub(amount.ct.filter(|_| amount.direction.is_none())?)
    };
    let of_account = charges.total_currency.as_deref() == Some(currency.code());
    match charges.records.as_slice() {
        [] => charges.total_ct.filter(|_| of_account)?.checked_neg(),
        records => records.iter().try_fold(0, |sum, record| each(sum, &record.amount)),
    }
}

/// The bank's own reference of an entry.
fn reference_of(entry: &CashEntry) -> Option<BankReference> {
    entry.account_servicer_ref.as_deref().and_then(told_apart_by)
}

/// Every reference under which the bank booked an entry, or a part of it.
fn all_references(entry: &CashEntry, written: &Written) -> Vec<BankReference> {
    let own = written.references().filter_map(told_apart_by);
    reference_of(entry).into_iter().chain(own.filter(is_whole)).collect()
}

/// The reference of each transaction of a batch, and the others under which it may have been credited, alone or with all
/// of the batch. It is that of the entry with the bank's own of the transaction, if these tell all of them apart, else with
/// its number: the bank's own may be a counter, which begins anew in each batch.
fn references_of(
    entry: &CashEntry,
    written: &[Transaction],
) -> Vec<(Option<BankReference>, Vec<BankReference>)> {
    let whole = reference_of(entry);
    let own: Vec<_> =
        written.iter().map(|own| own.reference.as_deref().and_then(told_apart_by)).collect();
    // Many banks write the reference of the entry into each of its transactions.
    let mut known: BTreeSet<&str> = whole.iter().map(BankReference::compared).collect();
    let told_apart = own.len() == entry.details.len()
        && own.iter().all(|own| own.as_ref().is_some_and(|own| known.insert(own.compared())));
    let part = |of: &str| whole.as_ref().and_then(|whole| part_of(whole, of));
    let references = (1..=entry.details.len()).map(|number| {
        let own = own.get(number.saturating_sub(1)).cloned().flatten();
        let numbered = part(&number.to_string());
        let alone = own.clone().filter(is_whole);
        // Together they may be longer than a reference is.
        let known = own.filter(|_| told_apart).and_then(|own| part(own.as_str()));
        let others = [&numbered, &alone, &whole].into_iter().flatten();
        let reference = known.or_else(|| numbered.clone());
        let others = others.filter(|other| Some(*other) != reference.as_ref()).cloned().collect();
        (reference, others)
    });
    references.collect()
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
    let plain = plain(written).unwrap_or_else(|| written.to_owned());
    if plain == "0" {
        return Ok(None);
    }
    Money::parse(&plain, currency).map(Some).map_err(|error| format!("Amt {error}"))
}

/// A decimal of XML Schema, which has other ways of writing it (`+0100.`, `-0`), without what says nothing; none for what is
/// not one, or is below zero.
fn plain(written: &str) -> Option<String> {
    let below = written.strip_prefix('-');
    let unsigned = below.or_else(|| written.strip_prefix('+')).unwrap_or(written);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    if below.is_some() && !(whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") })
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

/// The day on which it was booked or, if the bank does not say it, from which it counts.
fn booked_on(entry: &CashEntry) -> Result<Day, String> {
    let written = entry.booking_date_raw.as_deref().or(entry.value_date_raw.as_deref());
    let day = written.and_then(|date| date.get(..10)).and_then(stamp::parse_day);
    day.ok_or_else(|| "BookgDt must be a day".to_owned())
}

/// What the payer and the bank have written about a transaction.
fn texts_of(detail: &EntryDetail) -> impl Iterator<Item = &str> {
    let texts = [&detail.reference, &detail.end_to_end_id, &detail.additional_info];
    texts.into_iter().filter_map(|text| text.as_deref())
}
