//! Every kind of finding, made by the API and the controls alone, as whoever runs the local runner can
//! make it too: it is listed under its type, is put right as its next step says, and is gone.

use ledger::FindingKind;
use serde_json::{Value, json};
use tests::world::GOOD_CARD;
use tests::{Answer, World, story};

use super::{act, dashboard_refund, listed, no_webhooks};

/// How a finding ended.
type How = &'static str;

#[tokio::test(flavor = "multi_thread")]
async fn every_finding_can_be_made_and_put_right() {
    for kind in FindingKind::ALL {
        story(async |world| {
            let how = tell(kind, world).await;
            assert_eq!(listed(world, "open").await, Vec::<Value>::new(), "{kind:?}");
            let closed = listed(world, "closed").await;
            let ended = |one: &Value| one["type"] == kind.name() && one["closed_how"] == how;
            assert!(closed.iter().any(ended), "{kind:?}: {closed:?}");
            let run = compare(world).await;
            assert_eq!((&run["green"], &run["drift"]), (&json!(true), &json!([])), "{kind:?}");
            assert_eq!(verify(world).await["broken"], 0, "{kind:?}");
        })
        .await;
    }
}

/// Makes a finding of this kind and puts it right. A new kind needs a story here.
async fn tell(kind: FindingKind, world: &World) -> How {
    match kind {
        FindingKind::AmountDiffers => amount_differs(world).await,
        FindingKind::CurrencyDiffers => currency_differs(world).await,
        FindingKind::DuplicatePayment => duplicate_payment(world).await,
        FindingKind::OrderInException => order_in_exception(world).await,
        FindingKind::UnknownOrder => unknown_order(world).await,
        FindingKind::PaymentAlreadyUsed => payment_already_used(world).await,
        FindingKind::NotCreditable => not_creditable(world).await,
        FindingKind::UnknownPayment => unknown_payment(world).await,
        FindingKind::ReversalDiffers => reversal_differs(world).await,
        FindingKind::PaidNotCredited => paid_not_credited(world).await,
        FindingKind::CreditedNotPaid => credited_not_paid(world).await,
        FindingKind::ReversalNotMade => reversal_not_made(world).await,
        FindingKind::JournalBroken => journal_broken(world).await,
        FindingKind::EntryWithoutOrder => entry_without_order(world).await,
        FindingKind::OrderWithoutEntry => order_without_entry(world).await,
    }
}

/// The page takes ten less than it asked for. What was paid is credited.
async fn amount_differs(world: &World) -> How {
    let order = order(world, "k1").await;
    pay_differently(world, &order, &json!({"amount": 9_000})).await;
    let found = found(world, FindingKind::AmountDiffers).await;
    credit(world, &found).await;
    world.assert_balances("wallet 90.00").await;
    "credited"
}

/// The page takes euros for dollars. They go back.
async fn currency_differs(world: &World) -> How {
    let order = order(world, "k1").await;
    pay_differently(world, &order, &json!({"currency": "eur"})).await;
    let found = found(world, FindingKind::CurrencyDiffers).await;
    give_back(world, &found).await;
    world.assert_balances("wallet 0.00").await;
    assert_eq!(world.look_up(&order).await.text("status"), "refunded");
    "refunded"
}

/// The customer pays twice, and gets the second payment back.
async fn duplicate_payment(world: &World) -> How {
    let order = paid_order(world, "k1").await;
    drop(pay_unasked(world, &order, &json!({})).await);
    let found = found(world, FindingKind::DuplicatePayment).await;
    give_back(world, &found).await;
    world.assert_balances("wallet 100.00").await;
    "refunded"
}

/// After a wrong payment comes the right one: the wrong one goes back, and the right one is credited.
async fn order_in_exception(world: &World) -> How {
    let order = order(world, "k1").await;
    pay_differently(world, &order, &json!({"amount": 9_000})).await;
    let wrong = found(world, FindingKind::AmountDiffers).await;
    drop(pay_unasked(world, &order, &json!({"amount": 10_000})).await);
    let right = found(world, FindingKind::OrderInException).await;
    give_back(world, &wrong).await;
    credit(world, &right).await;
    world.assert_balances("wallet 100.00").await;
    "credited"
}

/// A payment names an order that nobody made. It is credited to the account that it names.
async fn unknown_order(world: &World) -> How {
    let order = order(world, "k1").await;
    let of_nobody = json!({"metadata": {"order_id": "ord_00000000000000000000"}});
    drop(pay_unasked(world, &order, &of_nobody).await);
    let found = found(world, FindingKind::UnknownOrder).await;
    credit(world, &found).await;
    world.assert_balances("wallet 100.00").await;
    "credited"
}

/// One payment is told for two orders. It was credited once, and nothing else is to be done.
async fn payment_already_used(world: &World) -> How {
    let first = paid_order(world, "k1").await;
    let second = order(world, "k2").await;
    let payment = world.look_up(&first).await.text("payment_id");
    drop(pay_unasked(world, &second, &json!({"payment_id": payment})).await);
    let found = found(world, FindingKind::PaymentAlreadyUsed).await;
    assert_eq!(found["order_id"], second.json()["order_id"]);
    resolve(world, &found).await;
    world.assert_balances("wallet 100.00").await;
    "resolved"
}

/// A card pays for an order that awaits a bank transfer. The payment goes back.
async fn not_creditable(world: &World) -> How {
    let card = order(world, "k1").await;
    let offline = world.order_offline("wallet", "CNY 720.00", "k2").await.expect(201);
    let metadata = json!({"metadata": {"order_id": offline.text("order_id")}});
    drop(pay_unasked(world, &card, &metadata).await);
    let found = found(world, FindingKind::NotCreditable).await;
    give_back(world, &found).await;
    world.assert_balances("wallet 0.00").await;
    "refunded"
}

/// Somebody else's payment at the same provider goes back: nothing here knows of it, and a person says
/// so. The comparison never sees it, for its charge does not say that it is of this deployment.
async fn unknown_payment(world: &World) -> How {
    let order = order(world, "k1").await;
    let marks = json!({"topup_stage": null, "account_id": null, "order_id": null});
    let session = pay_unasked(world, &order, &json!({"metadata": marks})).await;
    let body = json!({"payment_id": session["payment_intent"]});
    drop(world.control("refunds", &body).await.expect(200));
    // It could be on its way: the queue waits for it, and then gives up.
    world.drain().await;
    let found = found(world, FindingKind::UnknownPayment).await;
    assert_eq!(found["payment_id"], session["payment_intent"]);
    resolve(world, &found).await;
    world.assert_balances("wallet 0.00").await;
    "resolved"
}

/// Dollars came and euros go back. A person takes what that is worth from the balance.
async fn reversal_differs(world: &World) -> How {
    let order = paid_order(world, "k1").await;
    let payment = world.look_up(&order).await.text("payment_id");
    let body = json!({"payment_id": payment, "amount": 500, "currency": "eur"});
    drop(world.control("refunds", &body).await.expect(200));
    let found = found(world, FindingKind::ReversalDiffers).await;
    let path = format!("/v1/admin/accounts/{}/adjustments", world.customer.account);
    let body = json!({"balance": "wallet", "amount": "-5.00", "reason": "went back in euros"});
    drop(world.admin_post(&path, "a1", &body).await.expect(201));
    resolve(world, &found).await;
    world.assert_balances("wallet 95.00").await;
    "resolved"
}

/// An order that nobody can read is paid. Once it can be read, the payment is credited.
async fn paid_not_credited(world: &World) -> How {
    let order = order(world, "k1").await;
    no_webhooks(world).await;
    drop(world.pay(&order, GOOD_CARD).await.expect(303));
    let undo = damage_order(world, &order, &json!({"remove": ["timeline"]})).await;
    drop(compare(world).await);
    drop(found(world, FindingKind::PaidNotCredited).await);
    put_back(world, &undo).await;
    drop(compare(world).await);
    world.assert_balances("wallet 100.00").await;
    "cured"
}

/// The provider does not know a payment any more that was credited, until it does.
async fn credited_not_paid(world: &World) -> How {
    let order = paid_order(world, "k1").await;
    let payment = json!({"id": world.look_up(&order).await.text("payment_id")});
    drop(world.control("forget", &payment).await.expect(200));
    drop(compare(world).await);
    drop(found(world, FindingKind::CreditedNotPaid).await);
    drop(world.control("recall", &payment).await.expect(200));
    drop(compare(world).await);
    world.assert_balances("wallet 100.00").await;
    "cured"
}

/// The provider does not know a refund any more whose money was taken, until it does.
async fn reversal_not_made(world: &World) -> How {
    let order = paid_order(world, "k1").await;
    let made = dashboard_refund(world, &world.look_up(&order).await, 2_500).await;
    let refund = json!({"id": made["id"]});
    drop(world.control("forget", &refund).await.expect(200));
    drop(compare(world).await);
    let found = found(world, FindingKind::ReversalNotMade).await;
    assert_eq!(found["reversal_id"], made["id"]);
    drop(world.control("recall", &refund).await.expect(200));
    drop(compare(world).await);
    world.assert_balances("wallet 75.00").await;
    "cured"
}

/// Somebody writes a debt into the table. It is taken out again.
async fn journal_broken(world: &World) -> How {
    drop(paid_order(world, "k1").await);
    let account = json!({"pk": "ACCOUNT#demo", "sk": "ACCOUNT", "set": {"debt": {"S": "5"}}});
    let undo = world.runner("items", &account).await.expect(200).json()["undo"].clone();
    verify_until_put_back(world, FindingKind::JournalBroken, &undo).await
}

/// An order forgets that it was credited, and remembers.
async fn entry_without_order(world: &World) -> How {
    let order = paid_order(world, "k1").await;
    let undo = damage_order(world, &order, &json!({"remove": ["settled"]})).await;
    verify_until_put_back(world, FindingKind::EntryWithoutOrder, &undo).await
}

/// An order says that it was credited as another one was. It is not said any more.
async fn order_without_entry(world: &World) -> How {
    let paid = paid_order(world, "k1").await;
    let open = order(world, "k2").await;
    let look = json!({"pk": item_of(&paid), "sk": "ORDER"});
    let before = world.runner("items", &look).await.expect(200).json()["before"].clone();
    let claim = json!({"set": {"settled": before["settled"]}});
    let undo = damage_order(world, &open, &claim).await;
    verify_until_put_back(world, FindingKind::OrderWithoutEntry, &undo).await
}

async fn verify_until_put_back(world: &World, kind: FindingKind, undo: &Value) -> How {
    assert_eq!(verify(world).await["broken"], 1);
    drop(found(world, kind).await);
    put_back(world, undo).await;
    assert_eq!(verify(world).await["cured"], 1);
    world.assert_balances("wallet 100.00").await;
    "cured"
}

/// An order of 100.00 for the wallet.
async fn order(world: &World, key: &str) -> Answer {
    world.order("wallet", "100.00", key).await.expect(201)
}

async fn paid_order(world: &World, key: &str) -> Answer {
    let order = order(world, key).await;
    drop(world.pay(&order, GOOD_CARD).await.expect(303));
    order
}

/// The page of an order takes something else than it asked for.
async fn pay_differently(world: &World, order: &Answer, money: &Value) {
    let path = format!("sessions/{}/pay", order.session());
    assert_eq!(world.control(&path, money).await.expect(200).text("outcome"), "paid");
}

/// A payment comes that no page asked for, like that of an order but for these changes; its session.
async fn pay_unasked(world: &World, order: &Answer, changes: &Value) -> Value {
    let mut body = changes.clone();
    body["session_id"] = json!(order.session());
    world.control("payments", &body).await.expect(200).json()["session"].clone()
}

/// The finding of this kind, which is open and says what to do about it.
async fn found(world: &World, kind: FindingKind) -> Value {
    let open = listed(world, "open").await;
    let found = open.iter().find(|one| one["type"] == kind.name());
    let found = found.unwrap_or_else(|| panic!("{kind:?}: {open:?}"));
    assert!(found["next_step"].is_string());
    found.clone()
}

async fn credit(world: &World, finding: &Value) {
    ends(world, finding, "credit", &json!({"balance": "wallet"})).await;
}

async fn give_back(world: &World, finding: &Value) {
    ends(world, finding, "refund", &json!({"reason": "not what was ordered"})).await;
}

async fn resolve(world: &World, finding: &Value) {
    ends(world, finding, "resolve", &json!({"reason": "looked into"})).await;
}

/// What is done about a finding ends it.
async fn ends(world: &World, finding: &Value, what: &str, body: &Value) {
    let answer = act(world, finding, what, body).await.expect(200);
    assert_eq!(answer.text("status"), "closed");
}

/// The day is compared with the provider.
async fn compare(world: &World) -> Value {
    world.runner("compare", &json!({"day": world.today()})).await.expect(200).json()
}

/// Every account is derived again from its journal.
async fn verify(world: &World) -> Value {
    world.runner("verify", &json!({})).await.expect(200).json()
}

fn item_of(order: &Answer) -> String {
    format!("ORDER#{}", order.text("order_id"))
}

/// Somebody changes an order past the API; the request that undoes it.
async fn damage_order(world: &World, order: &Answer, change: &Value) -> Value {
    let mut body = change.clone();
    body["pk"] = json!(item_of(order));
    body["sk"] = json!("ORDER");
    world.runner("items", &body).await.expect(200).json()["undo"].clone()
}

async fn put_back(world: &World, undo: &Value) {
    drop(world.runner("items", undo).await.expect(200));
}
