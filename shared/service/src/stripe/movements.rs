//! Calling Stripe: what moved its balance, and whether it knows a payment.
//!
//! A movement of a kind that we do not know never fails a page of those that we do.

use ledger::{Money, PaymentId, ProviderId, Timestamp};
use serde::Serialize;
use serde_json::Value;

use super::client::{CallFailed, Stripe, Wire, get};
use super::event::{self, Reading};
use crate::error::{BrokenRecord, Error};
use crate::notice::ReversalNotice;

/// Movements a page.
const PAGE: u8 = 100;

/// One movement of the provider's balance, in the currency that it settles in.
#[derive(Debug, Clone)]
pub struct Movement {
    /// Why, in the provider's words
    /// (<https://docs.stripe.com/reports/reporting-categories>).
    pub category: String,
    /// The ISO 4217 code of its currency; perhaps one that we do not know.
    pub currency: String,
    /// Into the balance, in the smallest coin; below zero for what went out.
    pub amount: i64,
    /// What the provider kept of it.
    pub fee: i64,
    /// Amount less fee.
    pub net: i64,
    /// What it is about.
    pub of: Reading,
}

/// A page of movements, newest first.
#[derive(Debug)]
pub struct Movements {
    /// The movements.
    pub items: Vec<Movement>,
    /// After which one the next page starts; none at the end.
    pub next: Option<String>,
}

#[derive(Serialize)]
struct Window<'page> {
    created: Created,
    limit: u8,
    expand: [&'static str; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    starting_after: Option<&'page str>,
}

#[derive(Serialize)]
struct Created {
    gte: i64,
    lt: i64,
}

#[derive(Serialize)]
struct OfPayment<'payment> {
    payment_intent: &'payment str,
    limit: u8,
}

impl<W: Wire> Stripe<W> {
    /// A page of what moved the balance from a moment on and before another, both in whole seconds.
    ///
    /// # Errors
    /// [`crate::error::Unavailable::Provider`], or what only a wrong configuration can bring.
    pub async fn movements(
        &self,
        from: Timestamp,
        to: Timestamp,
        after: Option<&str>,
        now: Timestamp,
    ) -> Result<Movements, Error> {
        let window = Window {
            created: Created { gte: from.unix_seconds(), lt: to.unix_seconds() },
            limit: PAGE,
            expand: ["data.source", "data.source.charge"],
            starting_after: after,
        };
        let list = self.call(get("/balance_transactions").query(&window), now).await?;
        let unreadable = |field: &str| BrokenRecord::Provider(format!("movements: {field}"));
        let data = list.get("data").and_then(Value::as_array).ok_or_else(|| unreadable("data"))?;
        let items = data.iter().map(|one| self.movement(one).ok_or_else(|| unreadable("amounts")));
        let last = data.last().and_then(|last| last.get("id")?.as_str()).map(str::to_owned);
        let more = list.get("has_more").and_then(Value::as_bool).unwrap_or_default();
        Ok(Movements { items: items.collect::<Result<_, _>>()?, next: last.filter(|_| more) })
    }

    /// What was paid by a payment; none if there is no such payment.
    ///
    /// # Errors
    /// As [`Stripe::movements`].
    pub async fn paid_by(
        &self,
        payment: &PaymentId,
        now: Timestamp,
    ) -> Result<Option<Money>, Error> {
        let of = OfPayment { payment_intent: payment.as_str(), limit: PAGE };
        let list = match self.call(get("/charges").query(&of), now).await {
            Ok(list) => list,
            // Stripe refuses to list the charges of what is no payment.
            Err(CallFailed::Missing(_)) => return Ok(None),
            Err(failed) => return Err(failed.into()),
        };
        let charges = list.get("data").and_then(Value::as_array).into_iter().flatten();
        let mut paid = charges.filter(|charge| event::is_paid(charge));
        Ok(paid.find_map(event::charged))
    }

    /// What a refund or a dispute gave back; none if there is no such one.
    ///
    /// # Errors
    /// As [`Stripe::movements`].
    pub async fn gave_back(
        &self,
        reversal: &ProviderId,
        now: Timestamp,
    ) -> Result<Option<Money>, Error> {
        let found = self.look_at_reversal(reversal, now).await?;
        Ok(found.and_then(|found| event::gave_back(is_refund(reversal), &found)))
    }

    /// What a refund or a dispute is, as it stands; none if there is no such one.
    ///
    /// # Errors
    /// As [`Stripe::movements`].
    pub async fn reversal(
        &self,
        reversal: &ProviderId,
        now: Timestamp,
    ) -> Result<Option<ReversalNotice>, Error> {
        let Some(found) = self.look_at_reversal(reversal, now).await? else { return Ok(None) };
        let unreadable = |field| BrokenRecord::Provider(format!("{reversal}: {field}")).into();
        event::of_standing(is_refund(reversal), &found).map(Some).map_err(unreadable)
    }

    async fn look_at_reversal(
        &self,
        reversal: &ProviderId,
        now: Timestamp,
    ) -> Result<Option<Value>, Error> {
        let list = if is_refund(reversal) { "refunds" } else { "disputes" };
        match self.call(get(&format!("/{list}/{reversal}")), now).await {
            Ok(found) => Ok(Some(found)),
            Err(CallFailed::Missing(_)) => Ok(None),
            Err(failed) => Err(failed.into()),
        }
    }

    fn movement(&self, movement: &Value) -> Option<Movement> {
        let text = |name: &str| movement.get(name).and_then(Value::as_str);
        let number = |name: &str| movement.get(name).and_then(Value::as_i64);
        let category = text("reporting_category").unwrap_or("other");
        let source = movement.get("source").unwrap_or(&Value::Null);
        Some(Movement {
            category: category.to_owned(),
            currency: text("currency")?.to_ascii_uppercase(),
            amount: number("amount")?,
            fee: number("fee")?,
            net: number("net")?,
            of: event::of_movement(category, source, self.stage()),
        })
    }
}

/// Stripe says by the first letters what a name is of.
fn is_refund(reversal: &ProviderId) -> bool {
    reversal.as_str().starts_with("re_")
}
