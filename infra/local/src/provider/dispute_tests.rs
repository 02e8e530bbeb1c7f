//! Disputes: the books, the events and what can still be refunded.

use super::disputes::Outcome;
use super::failure::Failure;
use super::objects::{Category, Dispute, DisputeStatus, RefundStatus};
use super::tests::{clock, open};
use super::*;

impl Provider {
    fn dispute(&self, payment: &str, inquiry: bool) -> Result<Dispute, Failure> {
        self.transact(|announcer| {
            let charge = refunds::charge_of_payment(announcer, payment)?;
            disputes::open(announcer, charge, None, inquiry)
        })
    }

    fn close(&self, dispute: Dispute, outcome: Outcome) -> Result<Dispute, Failure> {
        self.transact(|announcer| disputes::close(announcer, dispute, outcome))
    }
}

#[tokio::test]
async fn a_dispute_that_is_won_brings_the_money_back() -> Result<(), Failure> {
    let provider = open(None, &clock())?;
    let payment = provider.paid()?;
    let dispute = provider.dispute(&payment, false)?;
    assert!(provider.dispute(&payment, false).is_err(), "one is enough");
    let form = format!("payment_intent={payment}&amount=1000");
    let (status, _, body) = provider.post("/v1/refunds", "k1", form.clone()).await;
    assert_eq!((status, body["error"]["code"].as_str()), (400, Some("charge_disputed")));
    let won = provider.close(dispute, Outcome::Won)?;
    assert_eq!((won.status, won.balance_transactions.len()), (DisputeStatus::Won, 2));
    assert_eq!(
        provider.movements()?,
        [
            (Category::Dispute, -10_000, 1500, -11_500),
            (Category::DisputeReversal, 10_000, 0, 10_000),
        ]
    );
    assert_eq!(
        provider.events_after_payment()?,
        [
            "charge.dispute.created",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.funds_reinstated",
            "charge.dispute.closed",
        ]
    );
    assert!(provider.close(won, Outcome::Lost).is_err(), "it is over");
    assert_eq!(shapes::charge(&provider.charge(&payment)?)["disputed"], true);
    let (status, ..) = provider.post("/v1/refunds", "k2", form).await;
    assert_eq!(status, 200);
    Ok(())
}

#[test]
fn a_dispute_that_is_lost_keeps_the_money() -> Result<(), Failure> {
    let provider = open(None, &clock())?;
    let payment = provider.paid()?;
    let dispute = provider.dispute(&payment, false)?;
    let lost = provider.close(dispute, Outcome::Lost)?;
    assert_eq!(lost.status, DisputeStatus::Lost);
    assert_eq!(provider.movements()?, [(Category::Dispute, -10_000, 1500, -11_500)]);
    assert_eq!(
        provider.events_after_payment()?,
        ["charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed",]
    );
    assert!(provider.refund(&payment, None, RefundStatus::Succeeded).is_err());
    Ok(())
}

#[test]
fn an_inquiry_moves_no_money() -> Result<(), Failure> {
    let provider = open(None, &clock())?;
    let payment = provider.paid()?;
    let inquiry = provider.dispute(&payment, true)?;
    assert_eq!(inquiry.status, DisputeStatus::WarningNeedsResponse);
    provider.refund(&payment, Some(1000), RefundStatus::Succeeded)?;
    let closed = provider.close(inquiry, Outcome::Won)?;
    assert_eq!(closed.status, DisputeStatus::WarningClosed);
    assert_eq!(provider.movements()?, [(Category::Refund, -1000, 0, -1000)]);
    assert_eq!(
        provider.events_after_payment()?,
        ["charge.dispute.created", "refund.created", "charge.refunded", "charge.dispute.closed"]
    );
    Ok(())
}
