//! Orders and entries as rows of comma-separated values.

use ledger::{Entry, Timestamp};
use serde_json::Value;

use super::order;
use crate::http::sheet::{Column, Sheet};
use crate::record::OrderRecord;
use crate::stamp;

/// The columns of an export of entries.
const ENTRY_COLUMNS: [Column; 9] = [
    Column::numbers("number"),
    Column::words("at"),
    Column::words("kind"),
    Column::words("document_id"),
    Column::words("place"),
    Column::words("currency"),
    Column::numbers("amount"),
    Column::numbers("balance_after"),
    Column::words("hash"),
];

/// The columns of an export of orders, in the order of [`ORDER_FIELDS`].
const ORDER_COLUMNS: [Column; 31] = [
    Column::words("order_id"),
    Column::words("account_id"),
    Column::words("created_at"),
    Column::words("target"),
    Column::words("product"),
    Column::words("method"),
    Column::words("status"),
    Column::words("status_reason"),
    Column::numbers("amount"),
    Column::words("currency"),
    Column::numbers("pay_amount"),
    Column::words("pay_currency"),
    Column::numbers("fx_rate"),
    Column::numbers("received_amount"),
    Column::words("received_currency"),
    Column::numbers("credited_amount"),
    Column::numbers("debt_paid"),
    Column::numbers("refunded_amount"),
    Column::words("payment_id"),
    Column::words("late"),
    Column::words("expires_at"),
    Column::words("paid_at"),
    Column::words("completed_at"),
    Column::words("email"),
    Column::words("reference_code"),
    Column::words("payer_name"),
    Column::words("bank_reference"),
    Column::words("paid_on"),
    Column::words("note"),
    Column::words("metadata"),
    Column::numbers("taken_back_amount"),
];

/// Where the columns are in an order as clients see it, if not under their own name.
const ORDER_FIELDS: [(&str, &str); 5] = [
    ("reference_code", "/transfer_instructions/reference_code"),
    ("payer_name", "/transfer_report/payer_name"),
    ("bank_reference", "/transfer_report/bank_reference"),
    ("paid_on", "/transfer_report/paid_on"),
    ("note", "/transfer_report/note"),
];

/// An export of entries, without a row.
#[must_use]
pub const fn entries_sheet() -> Sheet {
    Sheet::new(&ENTRY_COLUMNS)
}

/// Adds a row for each line of an entry. Outside places have no balance.
pub fn add_entry(sheet: &mut Sheet, entry: &Entry) {
    // Every balance is in the account's currency, as every line on one is.
    for line in &entry.lines {
        let after = entry.balances_after.get(&line.place);
        let after = after.map(|after| after.format(line.currency)).unwrap_or_default();
        sheet.row([
            entry.number.to_string(),
            stamp::format(entry.at),
            entry.kind.name().to_owned(),
            entry.document_id.clone(),
            line.place.to_string(),
            line.currency.code().to_owned(),
            line.amount_text(),
            after,
            entry.hash.to_string(),
        ]);
    }
}

/// An export of orders, without a row.
#[must_use]
pub const fn orders_sheet() -> Sheet {
    Sheet::new(&ORDER_COLUMNS)
}

/// Adds the row of an order: of what clients see of it, what fits into a cell. What does not apply
/// is empty.
pub fn add_order(sheet: &mut Sheet, record: &OrderRecord, now: Timestamp) {
    let shown = order(record, now);
    sheet.row(ORDER_COLUMNS.iter().map(|column| {
        let elsewhere = ORDER_FIELDS.iter().find(|(name, _)| *name == column.name);
        let field = match elsewhere {
            Some((_, place)) => shown.pointer(place),
            None => shown.get(column.name),
        };
        field.map(cell).unwrap_or_default()
    }));
}

/// What of an answer is in a cell; the customer's own words are JSON, which says the same as in the answer. A
/// semicolon can only be within a text of it, where it may be written otherwise: so nothing behind one can look like
/// a formula, and nothing has to be put before it.
fn cell(field: &Value) -> String {
    match field {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(words) if words.is_empty() => String::new(),
        other => other.to_string().replace(';', "\\u003b"),
    }
}
