//! Refunds: the books, the events and the answers to the merchant.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use serde_json::{Value, json};

use super::failure::Failure;
use super::objects::{BalanceTransaction, Category, Charge, Refund, RefundStatus, Session};
use super::payments::Difference;
use super::refunds::Wish;
use super::store::Page;
use super::tests::{HOUR, clock, open};
use super::*;

/// The answer to an API call: its status, whether it was replayed, and its body.
pub(super) type Answered = (u16, bool, Value);

impl Provider {
    /// The payment intent of 100.00 USD that are paid.
    pub(super) fn paid(&self) -> Result<String, Failure> {
        let session = self.create(HOUR)?;
        let submission = self.good_card();
        self.transact(|announcer| {
            payments::pay(announcer, &session.id, submission, Difference::default())?;
            let paid: Option<Session> = announcer.books.get(&session.id)?;
            Ok(paid.and_then(|session| session.payment_intent).expect("it is paid"))
        })
    }

    pub(super) fn good_card(&self) -> cards::Submission {
        cards::read(&cards::CardForm::good(), self.now()).expect("a good form")
    }

    pub(super) async fn post(&self, path: &str, key: &str, form: String) -> Answered {
        let request = Request::post(path)
            .header("authorization", "Bearer sk_test_local")
            .header("idempotency-key", key)
            .body(Body::from(form))
            .expect("a request");
        let response = api::call(State(self.clone()), request).await;
        let (status, replayed) =
            (response.status().as_u16(), response.headers().contains_key("idempotent-replayed"));
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        (status, replayed, serde_json::from_slice(&body).expect("JSON"))
    }

    pub(super) fn charge(&self, payment: &str) -> Result<Charge, Failure> {
        self.transact(|announcer| refunds::charge_of_payment(announcer, payment))
    }

    /// A refund as the dashboard makes it.
    pub(super) fn refund(
        &self,
        payment: &str,
        amount: Option<i64>,
        status: RefundStatus,
    ) -> Result<Refund, Failure> {
        self.transact(|announcer| {
            let charge = refunds::charge_of_payment(announcer, payment)?;
            refunds::make(announcer, charge, Wish { amount, ..Wish::default() }, || status)
        })
    }

    fn move_refund(&self, refund: &Refund, to: RefundStatus) -> Result<Option<Refund>, StoreError> {
        self.transact(|announcer| {
            let refund = announcer.books.get(&refund.id)?.expect("it is kept");
            refunds::move_on(announcer, refund, to)
        })
    }

    /// What moved the balance after the payment, oldest first: category, amount, fee and net.
    pub(super) fn movements(&self) -> Result<Vec<(Category, i64, i64, i64)>, StoreError> {
        let created = (i64::MIN, i64::MAX);
        let page = Page { limit: 100, starting_after: None, created, filters: Vec::new() };
        let (mut movements, _) =
            self.transact(|announcer| announcer.books.list::<BalanceTransaction>(&page))?;
        movements.reverse();
        let row = |movement: BalanceTransaction| {
            (movement.reporting_category, movement.amount, movement.fee, movement.net)
        };
        Ok(movements.into_iter().skip(1).map(row).collect())
    }

    /// The kinds of the events after the payment, oldest first.
    pub(super) fn events_after_payment(&self) -> Result<Vec<String>, StoreError> {
        let mut kinds = self.event_kinds()?;
        kinds.reverse();
        Ok(kinds.split_off(3))
    }
}

#[tokio::test]
async fn a_refund_by_the_api_is_made_once() -> Result<(), Failure> {
    let provider = open(None, &clock())?;
    let payment = provider.paid()?;
    let form =
        format!("payment_intent={payment}&amount=2500&metadata[refund_id]=r1&reason=duplicate");
    let (status, replayed, body) = provider.post("/v1/refunds", "k1", form.clone()).await;
    assert_eq!((status, replayed), (200, false), "{body}");
    assert_eq!(body["status"], "succeeded");
    assert_eq!(body["metadata"], json!({ "refund_id": "r1" }));
    assert_eq!(provider.post("/v1/refunds", "k1", form).await, (200, true, body));
    assert_eq!(provider.movements()?, [(Category::Refund, -2500, 0, -2500)]);
    assert_eq!(provider.charge(&payment)?.amount_refunded, 2500);
    assert_eq!(provider.events_after_payment()?, ["refund.created", "charge.refunded"]);
    Ok(())
}

#[tokio::test]
async fn no_more_is_refunded_than_was_paid() -> Result<(), Failure> {
    let provider = open(None, &clock())?;
    let payment = provider.paid()?;
    provider.refund(&payment, Some(4000), RefundStatus::Succeeded)?;
    let form = format!("payment_intent={payment}&amount=6001");
    let (status, _, body) = provider.post("/v1/refunds", "k1", form.clone()).await;
    let message = "Refund amount ($60.01) is greater than unrefunded amount on charge ($60.00)";
    assert_eq!((status, body["error"]["message"].as_str()), (400, Some(message)));
    let (_, replayed, _) = provider.post("/v1/refunds", "k1", form).await;
    assert!(replayed, "the refusal is kept under the key");
    let (status, _, body) =
        provider.post("/v1/refunds", "k2", format!("payment_intent={payment}")).await;
    assert_eq!((status, body["amount"].as_i64()), (200, Some(6000)), "what is left");
    let (status, _, body) =
        provider.post("/v1/refunds", "k3", format!("payment_intent={payment}&amount=1")).await;
    assert_eq!(status, 400);
    assert_eq!(body["error"]["code"], "charge_already_refunded");
    assert_eq!(shapes::charge(&provider.charge(&payment)?)["refunded"], true);
    Ok(())
}

#[tokio::test]
async fn mistakes_in_the_parameters_do_not_use_up_the_key() -> Result<(), Failure> {
    let provider = open(None, &clock())?;
    let payment = provider.paid()?;
    for (form, code) in [
        (String::new(), "parameter_missing"),
        (format!("payment_intent={payment}&amount=0"), "parameter_invalid_integer"),
        (format!("payment_intent={payment}&colour=red"), "parameter_unknown"),
    ] {
        let (status, _, body) = provider.post("/v1/refunds", "k1", form).await;
        assert_eq!((status, body["error"]["code"].as_str()), (400, Some(code)));
    }
    let unknown = provider.post("/v1/refunds", "k2", "payment_intent=pi_nobody".into()).await;
    assert_eq!((unknown.0, unknown.1), (404, false));
    let (status, ..) =
        provider.post("/v1/refunds", "k1", format!("payment_intent={payment}")).await;
    assert_eq!(status, 200);
    Ok(())
}

#[tokio::test]
async fn the_next_statuses_are_for_refunds_that_are_made() -> Result<(), Failure> {
    let provider = open(None, &clock())?;
    let payment = provider.paid()?;
    provider.controls().refund_statuses.extend([RefundStatus::Pending, RefundStatus::Failed]);
    let form = |amount: i64| format!("payment_intent={payment}&amount={amount}");
    let mut statuses = Vec::new();
    // The second is refused, and the third is a replay: neither takes a status.
    for (key, amount) in [("k1", 1000), ("k2", 20_000), ("k1", 1000), ("k3", 1000), ("k4", 1000)] {
        let (_, _, body) = provider.post("/v1/refunds", key, form(amount)).await;
        statuses.push(body["status"].as_str().unwrap_or("refused").to_owned());
    }
    assert_eq!(statuses, ["pending", "refused", "pending", "failed", "succeeded"]);
    assert_eq!(provider.charge(&payment)?.amount_refunded, 2000);
    assert_eq!(
        provider.events_after_payment()?,
        [
            "refund.created",
            "charge.refunded",
            "refund.created",
            "refund.failed",
            "refund.created",
            "charge.refunded",
        ]
    );
    Ok(())
}

#[test]
fn a_refund_in_the_dashboard_says_nothing_about_itself() -> Result<(), Failure> {
    let provider = open(None, &clock())?;
    let payment = provider.paid()?;
    let refund = provider.refund(&payment, None, RefundStatus::Succeeded)?;
    let shape = movement_shapes::refund(&refund);
    assert_eq!((&shape["amount"], &shape["reason"]), (&json!(10_000), &Value::Null));
    assert_eq!((&shape["metadata"], &shape["payment_intent"]), (&json!({}), &json!(payment)));
    assert!(provider.refund("pi_nobody", None, RefundStatus::Succeeded).is_err());
    assert!(provider.refund(&payment, None, RefundStatus::Succeeded).is_err());
    assert_eq!(provider.events_after_payment()?, ["refund.created", "charge.refunded"]);
    Ok(())
}

#[test]
fn a_failed_refund_gives_the_money_back() -> Result<(), Failure> {
    let provider = open(None, &clock())?;
    let payment = provider.paid()?;
    let refund = provider.refund(&payment, Some(7000), RefundStatus::Succeeded)?;
    assert!(provider.refund(&payment, Some(7000), RefundStatus::Succeeded).is_err());
    let failed = provider.move_refund(&refund, RefundStatus::Failed)?.expect("it can fail");
    assert_eq!(failed.failure_reason.as_deref(), Some("declined"));
    assert!(failed.failure_balance_transaction.is_some());
    assert!(provider.move_refund(&failed, RefundStatus::Succeeded)?.is_none());
    assert!(provider.move_refund(&failed, RefundStatus::Failed)?.is_none());
    provider.refund(&payment, Some(10_000), RefundStatus::Succeeded)?;
    assert_eq!(
        provider.movements()?,
        [
            (Category::Refund, -7000, 0, -7000),
            (Category::RefundFailure, 7000, 0, 7000),
            (Category::Refund, -10_000, 0, -10_000),
        ]
    );
    let kinds = provider.events_after_payment()?;
    assert_eq!(kinds.get(2..4), Some(&["refund.failed".into(), "refund.updated".into()][..]));
    Ok(())
}

#[test]
fn a_pending_refund_moves_no_money_until_it_is_done() -> Result<(), Failure> {
    let provider = open(None, &clock())?;
    let payment = provider.paid()?;
    let [done, failed, canceled] = [1000, 2000, 3000]
        .map(|amount| provider.refund(&payment, Some(amount), RefundStatus::Pending));
    assert_eq!(provider.movements()?, []);
    assert_eq!(provider.charge(&payment)?.amount_refunded, 6000);
    let done = provider.move_refund(&done?, RefundStatus::Succeeded)?.expect("it can be done");
    assert!(done.balance_transaction.is_some());
    let failed = provider.move_refund(&failed?, RefundStatus::Failed)?.expect("it can fail");
    assert_eq!(failed.failure_balance_transaction, None);
    assert!(provider.move_refund(&canceled?, RefundStatus::Canceled)?.is_some());
    assert!(provider.move_refund(&done, RefundStatus::Canceled)?.is_none());
    assert_eq!(provider.movements()?, [(Category::Refund, -1000, 0, -1000)]);
    assert_eq!(provider.charge(&payment)?.amount_refunded, 1000);
    assert_eq!(
        provider.events_after_payment()?.split_off(6),
        ["refund.updated", "refund.failed", "refund.updated", "refund.updated"]
    );
    Ok(())
}

#[test]
fn a_store_from_before_refunds_is_read() {
    let charge = json!({
        "id": "ch_3", "created": 1, "payment_intent": "pi_3", "amount": 100, "currency": "usd",
        "payer": { "payment_method": "pm_1", "email": "a@b.c", "last4": "4242",
            "exp_month": 1, "exp_year": 2030 },
        "decline": null, "balance_transaction": "txn_3", "metadata": {}, "description": null,
    });
    let charge: Charge = serde_json::from_value(charge).expect("a charge");
    assert_eq!((charge.amount_refunded, charge.dispute), (0, None));
    let movement = json!({
        "id": "txn_3", "created": 1, "amount": 100, "fee": 33, "net": 67, "currency": "usd",
        "source": "ch_3", "type": "charge", "description": null,
    });
    let movement: BalanceTransaction = serde_json::from_value(movement).expect("a movement");
    assert_eq!(movement.reporting_category, Category::Charge);
}
