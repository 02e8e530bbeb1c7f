//! Stories of payments that no order could take, and of their refunds: several, which fail, and are told late.

use std::time::Duration;

use ledger::MAX_REFUNDS;
use serde_json::{Value, json};
use service::comparison::Comparison;
use tests::world::GOOD_CARD;
use tests::{World, story};

use super::{DAY, act, aside, becomes, event, listed, no_webhooks, webhooks};

/// The finding about a payment that was 10.00 short of its order, and its payment.
async fn lost(world: &World) -> (Value, String) {
    let (found, _) = paid_short(world).await;
    let payment = found["payment_id"].as_str().unwrap().to_owned();
    (found, payment)
}

/// The same finding, and the page on which it was paid.
async fn paid_short(world: &World) -> (Value, String) {
    let order = world.order("wallet", "100.00", "lost").await.expect(201);
    let session = order.session();
    let pay = json!({"card_number": GOOD_CARD, "amount": 9_000});
    drop(world.control(&format!("sessions/{session}/pay"), &pay).await.expect(200));
    world.until(async || !listed(world, "open").await.is_empty()).await;
    (listed(world, "open").await.remove(0), session)
}

async fn give_back(world: &World, finding: &Value) {
    drop(
        act(world, finding, "refund", &json!({"reason": "not what was ordered"})).await.expect(200),
    );
}

async fn credit(world: &World, finding: &Value) {
    drop(act(world, finding, "credit", &json!({"balance": "wallet"})).await.expect(200));
}

/// A refund in Stripe's dashboard: all of a payment, or so many cents of it. Its name.
async fn dashboard(world: &World, payment: &str, cents: Option<u64>) -> String {
    let body = match cents {
        Some(cents) => json!({"payment_id": payment, "amount": cents}),
        None => json!({"payment_id": payment}),
    };
    let made = world.control("refunds", &body).await.expect(200).json();
    made["refund"]["id"].as_str().unwrap().to_owned()
}

async fn drift(world: &World, run: &Comparison) -> Value {
    let path = format!("/v1/admin/reconciliations/{}", run.id());
    world.admin_get(&path).await.expect(200).json()["drift"].clone()
}

/// Each finding: `amount_differs refunded`, `unknown_payment open`.
async fn stand(world: &World) -> Vec<String> {
    let mut stand = Vec::new();
    for found in listed(world, "open").await.into_iter().chain(listed(world, "closed").await) {
        let how = found["closed_how"].as_str().unwrap_or("open");
        stand.push(format!("{} {how}", found["type"].as_str().unwrap()));
    }
    stand
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_money_that_came_back_unseen_and_was_given_back_again_is_given_back() {
    story(async |world| {
        let (found, payment) = lost(world).await;
        give_back(world, &found).await;
        let first = world.finding_refund(found["finding_id"].as_str().unwrap()).await;
        // The bank sends it back, and nobody tells; somebody sees it in the dashboard, and tries again.
        no_webhooks(world).await;
        becomes(world, &first, "failed").await;
        webhooks(world, "deliver").await;
        drop(dashboard(world, &payment, None).await);
        world.drain().await;
        assert_eq!(stand(world).await, ["amount_differs refunded"]);
        let run = world.compare().await;
        assert_eq!(stand(world).await, ["amount_differs refunded"]);
        assert!(run.is_green(), "{run:?}");
        // What failed stays failed, and what has arrived counts.
        drop(world.control("webhooks/resend", &json!({})).await.expect(200));
        world.drain().await;
        assert_eq!(stand(world).await, ["amount_differs refunded"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_the_dashboard_overtook_goes_on_once_that_one_has_failed() {
    story(async |world| {
        let (found, payment) = lost(world).await;
        world.wires.fail("POST /v1/refunds", tests::Fault::LostBefore, usize::MAX);
        give_back(world, &found).await;
        let other = dashboard(world, &payment, None).await;
        world.drain().await;
        assert_eq!(stand(world).await, ["amount_differs refunded"]);
        becomes(world, &other, "failed").await;
        world.drain().await;
        assert_eq!(stand(world).await, ["amount_differs open"]);
        let place = json!({"balance": "wallet"});
        let refused = act(world, &found, "credit", &place).await;
        refused.expect_problem(409, "finding_not_creditable");
        world.wires.heal();
        assert!(world.compare().await.is_green());
        assert_eq!(stand(world).await, ["amount_differs refunded"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_failed_before_its_payment_was_credited_takes_nothing_whatever_is_told_late()
{
    story(async |world| {
        let (found, payment) = lost(world).await;
        no_webhooks(world).await;
        let refund = dashboard(world, &payment, None).await;
        webhooks(world, "deliver").await;
        becomes(world, &refund, "failed").await;
        world.drain().await;
        credit(world, &found).await;
        world.assert_balances("wallet 90.00").await;
        // What was told last is told again, and then what came before it.
        drop(world.control("webhooks/resend", &json!({})).await.expect(200));
        world.drain().await;
        world.assert_balances("wallet 90.00").await;
        assert_eq!(aside(world).await, "held 0.00, debt 0.00");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_that_a_person_closed_is_open_again_when_the_refund_has_failed() {
    story(async |world| {
        let (found, payment) = lost(world).await;
        no_webhooks(world).await;
        let refund = dashboard(world, &payment, None).await;
        let reason = json!({"reason": "given back in the dashboard"});
        drop(act(world, &found, "resolve", &reason).await.expect(200));
        webhooks(world, "deliver").await;
        drop(world.control("webhooks/resend", &json!({})).await.expect(200));
        assert_eq!(stand(world).await, ["amount_differs resolved"]);
        becomes(world, &refund, "failed").await;
        world.drain().await;
        assert_eq!(stand(world).await, ["amount_differs open"]);
        // Only the person knows what they did: it goes where they say, and nowhere by itself.
        // With that known, it is what the person says.
        drop(act(world, &found, "resolve", &reason).await.expect(200));
        drop(world.control("webhooks/resend", &json!({})).await.expect(200));
        world.drain().await;
        assert_eq!(stand(world).await, ["amount_differs resolved"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_back_after_a_person_settled_its_payment_is_told_once_more() {
    story(async |world| {
        let (found, payment) = lost(world).await;
        let path = format!("/v1/admin/accounts/{}/adjustments", world.customer.account);
        let body = json!({"balance": "wallet", "amount": "90.00", "reason": "paid short"});
        drop(world.admin_post(&path, "a1", &body).await.expect(201));
        drop(act(world, &found, "resolve", &json!({"reason": "adjusted"})).await.expect(200));
        assert!(world.compare().await.is_green());
        world.clock.advance(DAY);
        drop(dashboard(world, &payment, None).await);
        world.drain().await;
        assert_eq!(stand(world).await, ["unknown_payment open", "amount_differs resolved"]);
        let run = world.compare().await;
        assert_eq!(drift(world, &run).await, json!([{"currency": "USD", "amount": "-90.00"}]));
        let taken = json!({"balance": "wallet", "amount": "-90.00", "reason": "given back"});
        drop(world.admin_post(&path, "a2", &taken).await.expect(201));
        let back = listed(world, "open").await.remove(0);
        drop(act(world, &back, "resolve", &json!({"reason": "taken out"})).await.expect(200));
        assert!(world.compare().await.is_green());
        // The bank sends it back: what was taken out is the customer's again, and that is told once.
        world.clock.advance(DAY);
        becomes(world, back["reversal_id"].as_str().unwrap(), "failed").await;
        world.drain().await;
        let again = listed(world, "open").await.remove(0);
        assert_eq!(again["finding_id"], back["finding_id"]);
        assert_eq!(again["resolved_before"]["reason"], "taken out");
        let run = world.compare().await;
        assert_eq!(drift(world, &run).await, json!([{"currency": "USD", "amount": "90.00"}]));
        drop(act(world, &again, "resolve", &json!({"reason": "put in"})).await.expect(200));
        drop(world.control("webhooks/resend", &json!({})).await.expect(200));
        world.drain().await;
        assert!(world.compare().await.is_green());
        assert!(listed(world, "open").await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_went_back_stays_open_until_its_payment_is_decided() {
    story(async |world| {
        let (found, payment) = lost(world).await;
        drop(dashboard(world, &payment, Some(4_000)).await);
        world.drain().await;
        let open = listed(world, "open").await;
        let part = open.iter().find(|one| one["type"] == "unknown_payment").unwrap();
        let reason = json!({"reason": "it was ours"});
        let refused = act(world, part, "resolve", &reason).await;
        let refused = refused.expect_problem(409, "payment_undecided");
        assert!(refused.text("detail").contains(found["finding_id"].as_str().unwrap()));
        // The order that the payment becomes is charged for it.
        credit(world, &found).await;
        world.clock.advance(DAY * 2);
        drop(world.compare().await);
        world.assert_balances("wallet 50.00").await;
        assert_eq!(stand(world).await, ["unknown_payment cured", "amount_differs credited"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_on_which_lost_money_came_back_once_more_is_not_green() {
    story(async |world| {
        let (found, _) = lost(world).await;
        give_back(world, &found).await;
        world.drain().await;
        assert!(world.compare().await.is_green());
        world.clock.advance(DAY);
        let refund = world.finding_refund(found["finding_id"].as_str().unwrap()).await;
        becomes(world, &refund, "failed").await;
        world.drain().await;
        let run = world.compare().await;
        assert_eq!(stand(world).await, ["amount_differs open"]);
        assert_eq!(drift(world, &run).await, json!([{"currency": "USD", "amount": "90.00"}]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_left_of_a_payment_that_was_credited_since_closes_its_finding() {
    story(async |world| {
        let (found, payment) = lost(world).await;
        let part = dashboard(world, &payment, Some(4_000)).await;
        let inquiry = json!({"payment_id": payment, "outcome": "open", "inquiry": true});
        drop(world.control("disputes", &inquiry).await.expect(200));
        becomes(world, &part, "failed").await;
        world.drain().await;
        let open = ["unknown_payment open", "unknown_payment open", "amount_differs open"];
        assert_eq!(stand(world).await, open);
        credit(world, &found).await;
        world.clock.advance(DAY * 2);
        drop(world.compare().await);
        assert!(listed(world, "open").await.is_empty());
        world.assert_balances("wallet 90.00").await;
        assert_eq!(aside(world).await, "held 0.00, debt 0.00");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_its_order_cannot_keep_is_left_to_a_person_and_stops_no_comparison() {
    story(async |world| {
        let (found, payment) = lost(world).await;
        for _ in 0..=MAX_REFUNDS {
            drop(dashboard(world, &payment, Some(1)).await);
        }
        world.drain().await;
        credit(world, &found).await;
        world.clock.advance(DAY * 2);
        let run = world.compare().await;
        assert!(run.finished_at.is_some(), "{run:?}");
        let open: Vec<_> =
            stand(world).await.into_iter().filter(|one| one.ends_with("open")).collect();
        assert_eq!(open, ["unknown_payment open"]);
        world.assert_balances("wallet 89.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_of_lost_money_is_drift_in_the_other_direction() {
    story(async |world| {
        let (_, payment) = lost(world).await;
        let part = dashboard(world, &payment, Some(4_000)).await;
        let run = world.compare().await;
        assert_eq!(drift(world, &run).await, json!([{"currency": "USD", "amount": "50.00"}]));
        world.clock.advance(DAY);
        becomes(world, &part, "failed").await;
        let run = world.compare().await;
        assert_eq!(drift(world, &run).await, json!([{"currency": "USD", "amount": "40.00"}]));
        // On one day, both of it.
        let part = dashboard(world, &payment, Some(1_000)).await;
        becomes(world, &part, "failed").await;
        let run = world.compare().await;
        assert_eq!(drift(world, &run).await, json!([{"currency": "USD", "amount": "40.00"}]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_of_which_an_order_knows_only_the_name_is_taken_by_the_next_comparison() {
    story(async |world| {
        let (found, payment) = lost(world).await;
        let asks = json!({"payment_id": payment, "outcome": "open"});
        let made = world.control("disputes", &asks).await.expect(200).json();
        world.drain().await;
        credit(world, &found).await;
        drop(world.transfer("sms", "90.00", "t1").await.expect(201));
        // It is told that the merchant has answered; that the money has gone was told to nobody.
        let dispute = &made["dispute"];
        let mut told = dispute.clone();
        told["status"] = json!("under_review");
        told["balance_transactions"] = json!([]);
        let event = event(world, "charge.dispute.updated", &told);
        drop(world.deliver(&event).await.expect(200));
        assert_eq!(aside(world).await, "held 0.00, debt 0.00");
        world.clock.advance(DAY * 2);
        drop(world.compare().await);
        assert_eq!(aside(world).await, "held 0.00, debt 90.00");
        assert!(listed(world, "open").await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_arrived_of_a_part_is_not_taken_though_an_order_was_told_that_it_had() {
    story(async |world| {
        let (found, payment) = lost(world).await;
        no_webhooks(world).await;
        let part = dashboard(world, &payment, Some(4_000)).await;
        webhooks(world, "deliver").await;
        becomes(world, &part, "failed").await;
        world.drain().await;
        credit(world, &found).await;
        // What came first is told last.
        drop(world.control("webhooks/resend", &json!({})).await.expect(200));
        world.drain().await;
        world.assert_balances("wallet 50.00").await;
        world.clock.advance(DAY * 2);
        drop(world.compare().await);
        world.assert_balances("wallet 90.00").await;
        assert!(listed(world, "open").await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_that_a_person_closed_is_open_again_whichever_refund_of_several_has_failed() {
    story(async |world| {
        let (found, payment) = lost(world).await;
        let first = dashboard(world, &payment, None).await;
        becomes(world, &first, "failed").await;
        world.drain().await;
        no_webhooks(world).await;
        let second = dashboard(world, &payment, None).await;
        let reason = json!({"reason": "given back in the dashboard"});
        drop(act(world, &found, "resolve", &reason).await.expect(200));
        webhooks(world, "deliver").await;
        // That it failed is the first that is told of it.
        becomes(world, &second, "failed").await;
        world.drain().await;
        assert_eq!(stand(world).await, ["amount_differs open"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_an_exception_again_though_another_refund_of_its_payment_is_still_asked_for() {
    story(async |world| {
        let (found, payment) = lost(world).await;
        let status = async || {
            let path = format!("/v1/orders/{}", found["order_id"].as_str().unwrap());
            world.get(&path).await.expect(200).text("status")
        };
        world.wires.fail("POST /v1/refunds", tests::Fault::LostBefore, usize::MAX);
        give_back(world, &found).await;
        let other = dashboard(world, &payment, None).await;
        world.drain().await;
        assert_eq!(status().await, "refunded");
        becomes(world, &other, "failed").await;
        world.drain().await;
        assert_eq!(status().await, "exception");
        world.wires.heal();
        drop(world.compare().await);
        assert_eq!(status().await, "refunded");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_comes_back_while_its_day_is_compared_is_in_the_report_by_the_name_of_its_finding()
 {
    story(async |world| {
        // A wrong payment, and then the right one; both go back, so that the order could take the right one.
        let (wrong, session) = paid_short(world).await;
        let right = json!({"session_id": session, "amount": 10_000});
        drop(world.control("payments", &right).await.expect(200));
        world.until(async || listed(world, "open").await.len() == 2).await;
        let open = listed(world, "open").await;
        let right = open.iter().find(|one| one["type"] == "order_in_exception").unwrap();
        give_back(world, &wrong).await;
        give_back(world, right).await;
        assert!(listed(world, "open").await.is_empty());
        // The hour of the payments is compared: there is nothing for a person to do.
        world.clock.advance(Duration::from_secs(3 * 3_600));
        let mut run = world.compare_for(Duration::ZERO).await.unwrap();
        while run.report.left_out.is_empty() {
            run = world.compare_for(Duration::ZERO).await.unwrap();
        }
        assert!(run.finished_at.is_none() && run.report.findings.is_empty(), "{run:?}");
        let back = world.finding_refund(right["finding_id"].as_str().unwrap()).await;
        becomes(world, &back, "failed").await;
        world.until(async || listed(world, "open").await.len() == 1).await;
        let run = world.compare().await;
        let named: Vec<_> = run.report.findings.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(named, ["order_in_exception"]);
        assert_eq!(drift(world, &run).await, json!([{"currency": "USD", "amount": "100.00"}]));
        // Its order can take it, and nobody gives it back any more: told again, it is credited.
        assert_eq!(world.compare().await.report.findings.len(), 0);
        world.assert_balances("wallet 100.00").await;
    })
    .await;
}
