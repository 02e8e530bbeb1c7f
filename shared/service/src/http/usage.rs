//! Charges of a batch and thresholds of a balance, as a client asks for them.

use ledger::{AccountId, Actor, ChargeId, IdempotencyKey, WantedCharge};

use super::body::Fields;
use crate::charges::AskedCharge;
use crate::error::{Error, Invalid};
use crate::thresholds::WrittenThresholds;

/// What a client calls a charge of a batch, to find its answer by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskedItem {
    /// Its idempotency key, as it was sent.
    pub key: Option<String>,
    /// Its account.
    pub account_id: Option<String>,
}

/// Reads one charge of a batch: `key`, `account_id`, `product`, `amount`, `description` and `metadata`.
/// A customer charges its `own` account, whether or not it names it.
pub fn asked_charge(
    fields: Result<Fields, Error>,
    own: Option<&AccountId>,
    by: &Actor,
) -> (AskedItem, Result<AskedCharge, Error>) {
    let mut item = AskedItem { key: None, account_id: own.map(ToString::to_string) };
    let asked = fields.and_then(|mut fields| {
        let asked = read(&mut fields, own, by, &mut item)?;
        fields.finish().map(|()| asked)
    });
    (item, asked)
}

fn read(
    fields: &mut Fields,
    own: Option<&AccountId>,
    by: &Actor,
    item: &mut AskedItem,
) -> Result<AskedCharge, Error> {
    let key = fields.text("key")?;
    item.key = Some(key.clone());
    let key = IdempotencyKey::parse(&key)
        .map_err(|error| Invalid::field("invalid_idempotency_key", "key", error.to_string()))?;
    let named = fields.optional_parsed("account_id", AccountId::parse)?;
    let account = match (named, own) {
        (Some(named), Some(own)) if named != *own => {
            item.account_id = Some(named.to_string());
            return Err(Error::NotFound { what: "account" });
        }
        (_, Some(own)) => own.clone(),
        (Some(named), None) => named,
        (None, None) => {
            return Err(Invalid::field("missing_field", "account_id", "is required").into());
        }
    };
    item.account_id = Some(account.to_string());
    let wanted = WantedCharge {
        id: ChargeId::derive(&account, &key),
        product: fields.product("product")?,
        amount: fields.amount("amount")?.amount,
        by: by.clone(),
    };
    Ok(AskedCharge { account, wanted, words: fields.usage_words()? })
}

/// What is to happen when a balance runs low: `alert_below`, `top_up_below` with `top_up_amount` or
/// `top_up_to`, and `monthly_cap`.
///
/// # Errors
/// `invalid_amount`, `amount_out_of_range`, `invalid_field`, `unknown_field`.
pub fn thresholds_of(mut fields: Fields) -> Result<WrittenThresholds, Error> {
    let written = WrittenThresholds {
        alert_below: fields.optional_amount("alert_below")?,
        top_up_below: fields.optional_amount("top_up_below")?,
        top_up_amount: fields.optional_amount("top_up_amount")?,
        top_up_to: fields.optional_amount("top_up_to")?,
        monthly_cap: fields.optional_amount("monthly_cap")?,
    };
    fields.finish().map(|()| written)
}
