//! Calling Stripe: giving money back to cards.

use std::collections::HashMap;

use ledger::{AccountId, OrderId, PaymentId, Refund, Timestamp, ToldRefund};
use stripe::{IdempotencyKey, RequestStrategy};
use stripe_client_core::StripeRequest;
use stripe_core::refund::{CreateRefund, CreateRefundReason, ListRefund, RetrieveRefund};
use stripe_shared::Refund as StripeRefund;

use super::client::{CallFailed, Stripe, Wire};
use super::event::{self, ACCOUNT_MARK, ORDER_MARK, REFUND_MARK, STAGE_MARK};
use crate::error::{BrokenRecord, Error, Unavailable};

/// Refunds a page of a list.
const PAGE: i64 = 100;
/// Most pages of the refunds of one payment.
const MAX_PAGES: usize = 5;

/// What a refund is of.
#[derive(Debug, Clone, Copy)]
pub struct Refunded<'refund> {
    /// The payment.
    pub payment: &'refund PaymentId,
    /// The account that it names.
    pub account: Option<&'refund AccountId>,
    /// The order that it names.
    pub order: Option<&'refund OrderId>,
}

impl<W: Wire> Stripe<W> {
    /// Makes a refund as it is stored.
    ///
    /// The parameters depend on nothing else, so the same attempt is always the same request.
    ///
    /// # Errors
    /// [`CallFailed`], by what may be done next.
    pub async fn create_refund(
        &self,
        of: &Refunded<'_>,
        refund: &Refund,
        now: Timestamp,
    ) -> Result<ToldRefund, CallFailed> {
        let refused = |what: &str| CallFailed::Refused(what.to_owned());
        let units = refund.money.amount.to_minor_units(refund.money.currency);
        let key = format!("{}:{}", refund.id, refund.attempt);
        let key = IdempotencyKey::new(key).map_err(|error| refused(&error.to_string()))?;
        let known = [
            (STAGE_MARK, Some(self.stage().to_owned())),
            (ACCOUNT_MARK, of.account.map(ToString::to_string)),
            (ORDER_MARK, of.order.map(ToString::to_string)),
            (REFUND_MARK, Some(refund.id.to_string())),
        ];
        let marks: HashMap<String, String> =
            known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        let request = CreateRefund::new()
            .payment_intent(of.payment.as_str())
            .amount(units.ok_or_else(|| refused("amount"))?)
            .reason(CreateRefundReason::RequestedByCustomer)
            .metadata(marks);
        let request = request.customize().request_strategy(RequestStrategy::Idempotent(key));
        let made = self.send(request, now).await?;
        read(&made).map_err(|field| CallFailed::Repeat(format!("no {field}")))
    }

    /// A refund as Stripe knows it, by Stripe's name for it or by the id that it carries; none if
    /// Stripe has not made it.
    ///
    /// # Errors
    /// [`Unavailable::Provider`], or a refusal that only a wrong configuration can bring.
    pub async fn find_refund(
        &self,
        payment: &PaymentId,
        refund: &Refund,
        now: Timestamp,
    ) -> Result<Option<ToldRefund>, Error> {
        let found = match &refund.provider_id {
            Some(id) => Some(self.send(RetrieveRefund::new(id.as_str()).customize(), now).await?),
            None => self.marked(payment, refund.id.as_str(), now).await?,
        };
        let unreadable = |field: &str| BrokenRecord::Provider(format!("{}: {field}", refund.id));
        Ok(found.map(|found| read(&found).map_err(unreadable)).transpose()?)
    }

    /// The refund of a payment that carries this mark.
    async fn marked(
        &self,
        payment: &PaymentId,
        mark: &str,
        now: Timestamp,
    ) -> Result<Option<StripeRefund>, Error> {
        let mut after: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let request = ListRefund::new().payment_intent(payment.as_str()).limit(PAGE);
            let request = match &after {
                Some(after) => request.starting_after(after),
                None => request,
            };
            let page = self.send(request.customize(), now).await?;
            let last = page.data.last().map(|last| last.id.to_string());
            let carries = |refund: &StripeRefund| {
                let marks = refund.metadata.as_ref();
                marks.and_then(|marks| marks.get(REFUND_MARK)).is_some_and(|known| known == mark)
            };
            if let Some(found) = page.data.into_iter().find(carries) {
                return Ok(Some(found));
            }
            if !page.has_more || last.is_none() {
                return Ok(None);
            }
            after = last;
        }
        Err(Unavailable::Provider(format!("{payment} has too many refunds")).into())
    }
}

fn read(refund: &StripeRefund) -> Result<ToldRefund, &'static str> {
    event::told_refund(&event::RefundFields {
        id: Some(refund.id.as_str()),
        mark: refund.metadata.as_ref().and_then(|marks| marks.get(REFUND_MARK)).map(String::as_str),
        minor_units: Some(refund.amount),
        currency: Some(&refund.currency.to_string()),
        status: refund.status.as_deref(),
        failure: refund.failure_reason.as_deref(),
        created: Some(refund.created),
    })
}
