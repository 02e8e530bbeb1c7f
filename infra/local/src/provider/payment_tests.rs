//! Payments that no page asked for, and what the API forgets.

use std::collections::BTreeMap;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use serde_json::{Value, json};

use super::copies::Changes;
use super::failure::Failure;
use super::objects::{Category, Charge, PaymentIntent, Refund, RefundStatus, Session};
use super::payments::Difference;
use super::refunds::Wish;
use super::store::Page;
use super::tests::{File, HOUR, clock, open};
use super::*;

impl Provider {
    fn session_of(&self, payment: &str) -> Result<Session, StoreError> {
        let created = (i64::MIN, i64::MAX);
        let filters = vec![("payment_intent", payment.to_owned())];
        let page = Page { limit: 1, starting_after: None, created, filters };
        let (mut sessions, _) = self.transact(|announcer| announcer.books.list(&page))?;
        Ok(sessions.remove(0))
    }

    fn forget(&self, id: &str) -> Result<Vec<String>, StoreError> {
        self.transact(|announcer| announcer.books.forget(id))
    }

    fn recall(&self, id: &str) -> Result<Vec<String>, StoreError> {
        self.transact(|announcer| announcer.books.recall(id))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let request = Request::get(path)
            .header("authorization", "Bearer sk_test_local")
            .body(Body::empty())
            .expect("a request");
        let response = api::call(State(self.clone()), request).await;
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        (status, serde_json::from_slice(&body).expect("JSON"))
    }
}

fn changes(amount: Option<i64>, metadata: &[(&str, Option<&str>)]) -> Changes {
    let owned =
        |(name, value): &(&str, Option<&str>)| ((*name).to_owned(), value.map(str::to_owned));
    Changes {
        money: Difference { amount, currency: None },
        metadata: metadata.iter().map(owned).collect(),
    }
}

#[test]
fn a_copy_of_a_session_is_paid_beside_it() -> Result<(), Failure> {
    let provider = open(None, &clock())?;
    let first = provider.session_of(&provider.paid()?)?;
    let mut marked = first.clone();
    for marks in [&mut marked.metadata, &mut marked.intent_metadata] {
        *marks = BTreeMap::from(["a", "b"].map(|name| (name.to_owned(), "1".to_owned())));
    }
    let card = provider.good_card();
    let copy = provider.transact(|announcer| {
        announcer.books.put(&marked)?;
        let changes = changes(Some(2500), &[("a", None), ("c", Some("3"))]);
        copies::pay(announcer, &first.id, changes, card)
    })?;
    assert_ne!((&copy.id, &copy.payment_intent), (&first.id, &first.payment_intent));
    let payment = copy.payment_intent.clone().expect("it is paid");
    let intent: Option<PaymentIntent> =
        provider.transact(|announcer| announcer.books.get(&payment))?;
    let intent = intent.expect("it is kept");
    let marks = json!({ "b": "1", "c": "3" });
    assert_eq!((json!(copy.metadata), json!(intent.metadata)), (marks.clone(), marks));
    assert_eq!((copy.amount_total, intent.amount), (2500, 2500));
    assert_eq!(provider.charge(&payment)?.amount, 2500);
    assert_eq!(provider.movements()?.len(), 1, "its money came, after the first payment's");
    assert_eq!(
        provider.events_after_payment()?,
        ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]
    );
    Ok(())
}

#[test]
fn a_copy_of_a_session_can_name_a_payment_that_was_made_before() -> Result<(), Failure> {
    let provider = open(None, &clock())?;
    let payment = provider.paid()?;
    let other = provider.create(HOUR)?;
    let claim = |payment: &str| {
        provider
            .transact(|announcer| copies::claim(announcer, &other.id, changes(None, &[]), payment))
    };
    let copy = claim(&payment)?;
    assert_eq!(copy.payment_intent.as_deref(), Some(payment.as_str()));
    assert_eq!(provider.movements()?, []);
    assert_eq!(provider.events_after_payment()?, ["checkout.session.completed"]);
    assert!(claim("pi_nobody").is_err());
    Ok(())
}

#[tokio::test]
async fn what_is_forgotten_stays_so_until_it_is_recalled() -> Result<(), Failure> {
    let (file, clock) = (File::new(), clock());
    let provider = open(Some(&file.0), &clock)?;
    let payment = provider.paid()?;
    let refund = provider.refund(&payment, Some(1000), RefundStatus::Succeeded)?;
    let moved = provider.refund(&payment, Some(500), RefundStatus::Succeeded)?;
    let refund_path = format!("/v1/refunds/{}", refund.id);
    assert_eq!(provider.forget(&refund.id)?.len(), 2, "and its movement");
    assert_eq!(provider.get(&refund_path).await.0, 404);
    let (status, list) = provider.get("/v1/balance_transactions?expand[]=data.source.charge").await;
    assert_eq!((status, list["data"].as_array().map(Vec::len)), (200, Some(2)));

    // All that is left of the payment: intent, charge, the other refund, and two movements.
    assert_eq!(provider.forget(&payment)?.len(), 5);
    assert_eq!(provider.forget(&payment)?.len(), 0);
    drop(provider);
    let provider = open(Some(&file.0), &clock)?;
    assert_eq!(provider.movements()?, []);
    assert!(provider.charge(&payment).is_err());
    let charges = format!("/v1/charges?payment_intent={payment}");
    assert_eq!(provider.get(&charges).await.1["data"], json!([]));

    assert_eq!(provider.recall(&moved.id)?.len(), 2);
    assert_eq!(provider.recall(&payment)?.len(), 5);
    assert_eq!(provider.recall(&payment)?.len(), 0);
    let charge: Charge = provider.charge(&payment)?;
    assert_eq!((charge.amount_refunded, provider.movements()?.len()), (1500, 2));
    let known: Option<Refund> = provider.transact(|announcer| announcer.books.get(&refund.id))?;
    assert_eq!(known.map(|refund| refund.amount), Some(1000));
    assert_eq!(provider.get(&refund_path).await.0, 200);
    Ok(())
}

#[test]
fn a_refund_can_say_another_currency_than_its_payment() -> Result<(), Failure> {
    let provider = open(None, &clock())?;
    let payment = provider.paid()?;
    let refund = provider.transact(|announcer| {
        let charge = refunds::charge_of_payment(announcer, &payment)?;
        let currency = Some("eur".to_owned());
        let wish = Wish { amount: Some(500), currency, ..Wish::default() };
        refunds::make(announcer, charge, wish, || RefundStatus::Succeeded)
    })?;
    assert_eq!(movement_shapes::refund(&refund)["currency"], "eur");
    assert_eq!(provider.movements()?, [(Category::Refund, -500, 0, -500)]);
    assert_eq!(provider.charge(&payment)?.currency, "usd");
    Ok(())
}
