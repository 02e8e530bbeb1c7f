//! The daily comparison: what the provider moved is in the books, and the other way round, to the
//! last coin; what is missing is completed, and what cannot be is found.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use service::comparison::{Comparison, Report};
use tests::world::{GOOD_CARD, Item};
use tests::{Answer, Fault, World, story};

use super::{aside, dashboard_refund, dispute, no_webhooks, refund};

/// The report of a comparison, as the operator reads it.
async fn shown(world: &World, run: &Comparison) -> Value {
    let path = format!("/v1/admin/reconciliations/{}", run.id());
    world.admin_get(&path).await.expect(200).json()
}

async fn open_findings(world: &World) -> Vec<Value> {
    let found = world.admin_get("/v1/admin/findings").await.expect(200).json();
    found["data"].as_array().unwrap().clone()
}

async fn resolve(world: &World, finding: &Value) {
    let path = format!("/v1/admin/findings/{}/resolve", finding["finding_id"].as_str().unwrap());
    drop(world.admin_post(&path, "unused", &json!({"reason": "looked into"})).await.expect(200));
}

/// Pays an order on its page, but another amount than it is of, in cents.
async fn pay_wrongly(world: &World, order: &Answer, cents: u64) -> Value {
    let session = order.session();
    let pay = json!({"card_number": GOOD_CARD, "amount": cents});
    world.control(&format!("sessions/{session}/pay"), &pay).await.expect(200).json()
}

/// A day with a bit of everything, of which nobody told anything.
async fn a_day_that_nobody_told(world: &World) {
    let known = world.top_up("50.00", "known").await;
    no_webhooks(world).await;
    let order = world.order("wallet", "100.00", "k1").await.expect(201);
    drop(world.pay(&order, GOOD_CARD).await.expect(303));
    let wrong = world.order("wallet", "30.00", "k2").await.expect(201);
    drop(pay_wrongly(world, &wrong, 2_999).await);
    drop(dashboard_refund(world, &known, 2_000).await);
    drop(dispute(world, &known, "lost").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_in_which_everything_was_told_is_green() {
    story(async |world| {
        let first = world.top_up("100.00", "k1").await;
        drop(world.top_up("50.00", "k2").await);
        drop(refund(world, &first, "40.00", "r1").await.expect(201));
        drop(dispute(world, &first, "won").await);
        let offline = world.order_offline("wallet", "CNY 720.00", "o1").await.expect(201);
        drop(world.accept(&offline, "CNY 720.00", "IN-1", "a1").await.expect(201));
        let run = world.compare().await;
        let report = shown(world, &run).await;
        assert_eq!(report["green"], true, "{report}");
        assert_eq!(report["status"], "finished");
        assert_eq!((&report["credited"], &report["taken"]), (&json!(0), &json!(0)));
        // Two payments, a refund, a dispute and its return; two payments, a refund and a dispute of ours.
        assert_eq!((&report["movements"], &report["claims"]), (&json!(5), &json!(4)));
        let totals = [
            ("charge", 2, "150.00", "4.95", "145.05"),
            ("dispute", 1, "-100.00", "15.00", "-115.00"),
            ("dispute_reversal", 1, "100.00", "0.00", "100.00"),
            ("refund", 1, "-40.00", "0.00", "-40.00"),
        ];
        let totals = totals.map(|(category, count, amount, fee, net)| {
            json!({"category": category, "currency": "USD", "count": count, "amount": amount, "fee": fee, "net": net})
        });
        assert_eq!(report["totals"], json!(totals));
        assert_eq!((&report["drift"], &report["findings"]), (&json!([]), &json!([])));

        let listed = world.admin_get("/v1/admin/reconciliations").await.expect(200).json();
        assert_eq!(listed["data"], json!([report]));
        let path = format!("/v1/admin/reconciliations/{}.csv", run.id());
        let csv = world.admin_get(&path).await.expect(200);
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        let text = String::from_utf8(csv.body.to_vec()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "day,line,name,currency,count,amount,fee,net");
        assert_eq!(lines[1], "2026-11-23,total,charge,USD,2,150.00,4.95,145.05");
        for missing in ["cmp_2026-11-23_9", "no%20id", "cmp_2026-11-23_9.csv"] {
            let path = format!("/v1/admin/reconciliations/{missing}");
            world.admin_get(&path).await.expect_problem(404, "not_found");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_told_is_completed_and_the_next_comparison_has_nothing_to_do() {
    story(async |world| {
        let known = world.top_up("50.00", "known").await;
        no_webhooks(world).await;
        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
        drop(dashboard_refund(world, &known, 2_000).await);
        world.assert_balances("wallet 50.00").await;
        let run = world.compare().await;
        assert_eq!((run.report.credited, run.report.taken), (1, 1));
        assert!(run.is_green(), "{run:?}");
        world.assert_balances("wallet 130.00").await;
        assert_eq!(world.look_up(&order).await.text("status"), "completed");
        assert_eq!(world.look_up(&known).await.text("status"), "partially_refunded");

        let again = world.compare().await;
        assert_eq!((again.number, again.report.credited, again.report.taken), (2, 0, 0));
        assert!(again.is_green());
        // What is told at last changes nothing.
        drop(world.control("webhooks", &json!({"mode": "deliver"})).await.expect(200));
        drop(world.control("webhooks/resend", &json!({})).await.expect(200));
        world.assert_balances("wallet 130.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_paid_and_told_while_a_comparison_is_stopped_is_not_called_untold() {
    story(async |world| {
        let begun = world.compare_for(Duration::ZERO).await.expect("an hour of the day");
        assert!(begun.finished_at.is_none());
        world.clock.advance(Duration::from_secs(60));
        drop(world.top_up("100.00", "k1").await);
        let ended = world.compare().await;
        assert_eq!((ended.id(), ended.is_green()), (begun.id(), true));
        assert_eq!(shown(world, &ended).await["credited"], 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_that_nobody_told_takes_the_money_and_gives_it_back() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        drop(world.transfer("whatsapp", "70.00", "t1").await.expect(201));
        no_webhooks(world).await;
        let opened = dispute(world, &order, "open").await;
        assert!(world.compare().await.is_green());
        assert_eq!(aside(world).await, "held 0.00, debt 70.00");
        let path = format!("disputes/{}", opened["id"].as_str().unwrap());
        drop(world.control(&path, &json!({"outcome": "won"})).await.expect(200));
        assert!(world.compare().await.is_green());
        assert_eq!(aside(world).await, "held 0.00, debt 0.00");
        world.assert_balances("wallet 30.00, whatsapp 70.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_of_a_lost_dispute_is_drift_until_a_person_has_given_it_back() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        let lost = dispute(world, &order, "lost").await;
        assert!(world.compare().await.is_green());
        // The cardholder takes it back, long after.
        let path = format!("disputes/{}", lost["id"].as_str().unwrap());
        drop(world.control(&path, &json!({"outcome": "won"})).await.expect(200));
        world.assert_balances("wallet 0.00").await;
        let run = world.compare().await;
        let report = shown(world, &run).await;
        assert_eq!(report["drift"], json!([{"currency": "USD", "amount": "100.00"}]));
        let found = open_findings(world).await.remove(0);
        assert_eq!((&found["type"], &found["order_id"]), (&json!("reversal_differs"), &order.json()["order_id"]));
        let adjust = format!("/v1/admin/accounts/{}/adjustments", world.customer.account);
        let body = json!({"balance": "wallet", "amount": "100.00", "reason": "the dispute was taken back"});
        drop(world.admin_post(&adjust, "a1", &body).await.expect(201));
        resolve(world, &found).await;
        assert!(world.compare().await.is_green());
        world.assert_balances("wallet 100.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_says_both_sides_of_what_a_person_must_give_back() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        drop(refund(world, &order, "30.00", "r1").await.expect(201));
        // Lost for all of it: 30.00 have gone twice, and may come back.
        let lost = dispute(world, &order, "lost").await;
        let path = format!("disputes/{}", lost["id"].as_str().unwrap());
        drop(world.control(&path, &json!({"outcome": "won"})).await.expect(200));
        let run = world.compare().await;
        let report = shown(world, &run).await;
        assert_eq!(report["drift"], json!([{"currency": "USD", "amount": "70.00"}]));
        let found = open_findings(world).await.remove(0);
        let sides = (&found["expected"]["amount"], &found["actual"]["amount"]);
        assert_eq!(sides, (&json!("30.00"), &json!("100.00")), "{found}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_which_the_books_have_another_amount_is_drift() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        let made = dashboard_refund(world, &order, 2_000).await;
        let key = format!("REVERSAL#{}", made["id"].as_str().unwrap());
        let less = |mut item: Item| {
            drop(item.insert("amount".to_owned(), AttributeValue::S("15.00".to_owned())));
            Some(item)
        };
        drop(world.damage(&key, "REVERSAL", less).await);
        let run = world.compare().await;
        let report = shown(world, &run).await;
        assert_eq!(report["drift"], json!([{"currency": "USD", "amount": "-5.00"}]));
        assert_eq!(open_findings(world).await[0]["type"], "reversal_differs");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_differs_from_its_order_is_drift_until_it_went_back() {
    story(async |world| {
        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        let paid = pay_wrongly(world, &order, 9_000).await;
        let run = world.compare().await;
        let report = shown(world, &run).await;
        assert_eq!(report["green"], false);
        assert_eq!(report["drift"], json!([{"currency": "USD", "amount": "90.00"}]));
        let found = open_findings(world).await.remove(0);
        assert_eq!(found["type"], "amount_differs");
        assert_eq!(report["findings"][0]["finding_id"], found["finding_id"]);
        let again = world.compare().await;
        assert_eq!(shown(world, &again).await["findings"][0]["finding_id"], found["finding_id"]);

        let body = json!({"payment_id": paid["session"]["payment_intent"]});
        no_webhooks(world).await;
        drop(world.control("refunds", &body).await.expect(200));
        let cured = world.compare().await;
        assert!(cured.is_green(), "{cured:?}");
        assert!(open_findings(world).await.is_empty());
        world.assert_balances("wallet 0.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_key_may_not_see_is_not_taken_for_what_was_never_paid() {
    story(async |world| {
        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        drop(world.deliver(&world.paid_event(&order, "pi_nobody_paid")).await.expect(200));
        world.wires.fail("GET /v1/charges", Fault::Forbidden, usize::MAX);
        let stopped = world.compare_for(Duration::from_secs(600)).await;
        assert!(stopped.unwrap_err().to_string().contains("403"));
        assert!(open_findings(world).await.is_empty());
        world.wires.heal();
        assert!(!world.compare().await.is_green());
        assert_eq!(open_findings(world).await[0]["type"], "credited_not_paid");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credit_that_the_provider_does_not_know_is_found_until_a_person_has_looked() {
    story(async |world| {
        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        drop(world.deliver(&world.paid_event(&order, "pi_nobody_paid")).await.expect(200));
        world.assert_balances("wallet 100.00").await;
        let run = world.compare().await;
        assert_eq!(
            shown(world, &run).await["drift"],
            json!([{"currency": "USD", "amount": "-100.00"}])
        );
        let found = open_findings(world).await.remove(0);
        assert_eq!(
            (&found["type"], &found["payment_id"]),
            (&json!("credited_not_paid"), &json!("pi_nobody_paid"))
        );
        assert_eq!(
            (&found["expected"]["amount"], &found["actual"]),
            (&json!("100.00"), &json!(null))
        );
        assert!(!world.compare().await.is_green());
        assert_eq!(open_findings(world).await.len(), 1);
        let body = json!({"balance": "wallet", "amount": "-100.00", "reason": "nobody paid that"});
        let path = format!("/v1/admin/accounts/{}/adjustments", world.customer.account);
        drop(world.admin_post(&path, "a1", &body).await.expect(201));
        resolve(world, &found).await;
        assert!(world.compare().await.is_green());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_the_provider_does_not_know_is_found() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        let event = json!({
            "id": "evt_odd", "object": "event", "livemode": false, "type": "refund.created",
            "created": world.clock.now().unix_seconds(),
            "data": {"object": {
                "id": "re_nobody_made", "object": "refund", "amount": 2_500, "currency": "usd",
                "payment_intent": order.text("payment_id"), "status": "succeeded", "metadata": {},
                "created": world.clock.now().unix_seconds(),
            }},
        });
        drop(world.deliver(&event).await.expect(200));
        world.assert_balances("wallet 75.00").await;
        let run = world.compare().await;
        assert_eq!(
            shown(world, &run).await["drift"],
            json!([{"currency": "USD", "amount": "25.00"}])
        );
        let found = open_findings(world).await.remove(0);
        assert_eq!(
            (&found["type"], &found["reversal_id"]),
            (&json!("reversal_not_made"), &json!("re_nobody_made"))
        );
        resolve(world, &found).await;
        assert!(world.compare().await.is_green());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_of_another_deployment_is_counted_and_left_alone() {
    story(async |world| {
        // A payment whose order this table does not have: what another deployment of the same name
        // would make, and of the same account at the provider.
        let order = world.order("wallet", "10.00", "k1").await.expect(201);
        no_webhooks(world).await;
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
        let id = ledger::OrderId::parse(&order.text("order_id")).unwrap();
        drop(world.damage(&format!("ORDER#{id}"), "ORDER", |_| None).await);
        let run = world.compare().await;
        assert_eq!(run.report.finding_count, 1);
        let found = open_findings(world).await.remove(0);
        assert_eq!(
            (&found["type"], &found["order_id"]),
            (&json!("unknown_order"), &order.json()["order_id"])
        );
    })
    .await;
}

/// What must be the same however often a comparison was stopped.
fn content(run: &Comparison) -> &Report {
    assert!(run.finished_at.is_some());
    &run.report
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_that_stops_after_every_hour_ends_with_the_same_report() {
    let mut at_once = None;
    story(async |world| {
        a_day_that_nobody_told(world).await;
        at_once = Some(content(&world.compare().await).clone());
    })
    .await;
    let at_once = at_once.unwrap();
    assert_eq!((at_once.credited, at_once.taken, at_once.finding_count), (1, 2, 1));
    story(async |world| {
        a_day_that_nobody_told(world).await;
        let mut calls = 0;
        let run = loop {
            let run = world.compare_for(Duration::ZERO).await.unwrap();
            calls += 1;
            if run.finished_at.is_some() {
                break run;
            }
            let shown = shown(world, &run).await;
            assert_eq!((&shown["status"], &shown["green"]), (&json!("running"), &json!(false)));
        };
        assert_eq!((calls, run.number), (13, 1));
        let ids = |report: &Report| report.findings.len();
        assert_eq!(ids(content(&run)), ids(&at_once));
        assert_eq!(
            Report { findings: Vec::new(), ..content(&run).clone() },
            Report { findings: Vec::new(), ..at_once.clone() }
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_that_is_killed_anywhere_and_run_again_ends_with_the_same_report() {
    // The hour in which everything happened is the thirteenth: its requests are where it may die.
    let cuts = [
        ("balance_transactions", Fault::LostBefore),
        ("BatchGetItem", Fault::LostAfter),
        ("TransactWriteItems", Fault::LostAfter),
        ("TransactWriteItems", Fault::LostBefore),
        ("Query", Fault::LostBefore),
        ("GetItem", Fault::ServerError),
    ];
    for (operation, fault) in cuts {
        for skipped in [0, 1, 4] {
            story(async |world| {
                a_day_that_nobody_told(world).await;
                world.wires.fail_after(operation, fault, skipped, 3);
                let mut tries = 0;
                let run = loop {
                    tries += 1;
                    assert!(tries < 20, "{operation} {fault:?} {skipped}");
                    match world.compare_for(Duration::from_secs(600)).await {
                        Ok(run) if run.finished_at.is_some() => break run,
                        _ => {}
                    }
                };
                world.wires.heal();
                let report = content(&run);
                let figures = (report.movements, report.payments, report.reversals, report.claims);
                assert_eq!(figures, (5, 3, 2, 4), "{operation} {fault:?} {skipped}");
                let ends = (report.credited, report.taken, report.finding_count);
                assert_eq!(ends, (1, 2, 1), "{operation} {fault:?} {skipped}");
                world.assert_balances("wallet 100.00").await;
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn yesterday_is_compared_once_by_the_clock() {
    story(async |world| {
        drop(world.top_up("100.00", "k1").await);
        let by_the_clock = async || {
            let now = world.clock.now();
            world
                .cloud
                .functions
                .compare_payments
                .handle(&json!({}), now)
                .await
                .expect("it answers")
        };
        world.clock.advance(Duration::from_secs(12 * 3_600));
        let run = by_the_clock().await;
        assert_eq!(
            run.map(|run| run.id()),
            Some("cmp_2026-11-22_1".into()),
            "the last seconds may still be told"
        );
        world.clock.advance(Duration::from_secs(91 * 60));
        let run = by_the_clock().await.expect("it is time");
        assert_eq!(
            (run.id().as_str(), run.is_green(), run.report.payments),
            ("cmp_2026-11-23_1", true, 1)
        );
        assert!(by_the_clock().await.is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_somebody_compared_before_it_was_over_is_compared_by_the_clock_all_the_same() {
    story(async |world| {
        drop(world.top_up("100.00", "k1").await);
        // Once to its end, and once not: neither has seen the evening.
        let run = world.compare().await;
        assert_eq!((run.number, run.report.payments), (1, 1));
        let stopped = world.compare_for(Duration::ZERO).await.unwrap();
        assert_eq!((stopped.number, stopped.finished_at), (2, None));
        drop(world.top_up("30.00", "k2").await);
        world.clock.advance(Duration::from_secs(14 * 3_600));
        let compare = &world.cloud.functions.compare_payments;
        let run = compare.handle(&json!({}), world.clock.now()).await.unwrap().expect("it goes on");
        assert_eq!(run.id(), "cmp_2026-11-23_2");
        let run = compare.handle(&json!({}), world.clock.now()).await.unwrap().expect("it is time");
        assert_eq!((run.id().as_str(), run.report.payments), ("cmp_2026-11-23_3", 2));
        assert!(run.is_green(), "{run:?}");
        assert_eq!(compare.handle(&json!({}), world.clock.now()).await.unwrap(), None);
        let tomorrow = compare.handle(&json!({"day": "2026-11-25"}), world.clock.now()).await;
        assert_eq!(tomorrow.unwrap_err().to_string(), "has not begun");
    })
    .await;
}

/// The finding of this type that is open.
async fn open_finding(world: &World, kind: &str) -> Option<Value> {
    open_findings(world).await.into_iter().find(|finding| finding["type"] == kind)
}

/// The same day again finds nothing, and what was found has closed itself.
async fn is_cured(world: &World) {
    let run = world.compare().await;
    assert!(run.is_green(), "{run:?}");
    assert!(open_findings(world).await.is_empty());
    let path = "/v1/admin/findings?status=closed";
    let closed = world.admin_get(path).await.expect(200).json();
    assert_eq!(closed["data"][0]["closed_how"], "cured");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credit_without_a_payment_is_cured_by_the_payment() {
    story(async |world| {
        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        let session = order.session();
        let path = format!("sessions/{session}/pay");
        let declined = json!({"card_number": tests::world::DECLINED_CARD});
        let declined = world.control(&path, &declined).await.expect(200).json();
        let payment = declined["session"]["payment_intent"].as_str().unwrap();
        drop(world.deliver(&world.paid_event(&order, payment)).await.expect(200));
        assert!(!world.compare().await.is_green());
        assert!(open_finding(world, "credited_not_paid").await.is_some());
        drop(world.control(&path, &json!({"card_number": GOOD_CARD})).await.expect(200));
        is_cured(world).await;
        world.assert_balances("wallet 100.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_was_not_made_is_cured_once_it_is() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        let body =
            json!({"payment_id": order.text("payment_id"), "amount": 2_500, "status": "pending"});
        let made = world.control("refunds", &body).await.expect(200).json()["refund"].clone();
        let mut told = made.clone();
        told["status"] = json!("succeeded");
        let event = json!({
            "id": "evt_early", "object": "event", "livemode": false, "type": "refund.updated",
            "created": world.clock.now().unix_seconds(), "data": {"object": told},
        });
        drop(world.deliver(&event).await.expect(200));
        world.assert_balances("wallet 75.00").await;
        assert!(!world.compare().await.is_green());
        assert!(open_finding(world, "reversal_not_made").await.is_some());
        let path = format!("refunds/{}", made["id"].as_str().unwrap());
        drop(world.control(&path, &json!({"status": "succeeded"})).await.expect(200));
        is_cured(world).await;
        world.assert_balances("wallet 75.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_cannot_be_credited_is_cured_once_it_can() {
    story(async |world| {
        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        no_webhooks(world).await;
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
        // The order cannot be read: no rule can complete it.
        let key = format!("ORDER#{}", order.text("order_id"));
        let unreadable = |mut item: Item| item.remove("timeline").map(|_| item);
        let damage = world.damage(&key, "ORDER", unreadable).await;
        let run = world.compare().await;
        assert_eq!(
            shown(world, &run).await["drift"],
            json!([{"currency": "USD", "amount": "100.00"}])
        );
        assert!(open_finding(world, "paid_not_credited").await.is_some());
        world.undo(damage).await;
        is_cured(world).await;
        world.assert_balances("wallet 100.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_an_unknown_payment_is_cured_once_the_payment_is_known() {
    story(async |world| {
        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        no_webhooks(world).await;
        let session = order.session();
        let pay = json!({"card_number": GOOD_CARD});
        let paid = world.control(&format!("sessions/{session}/pay"), &pay).await.expect(200).json();
        drop(world.control("webhooks", &json!({"mode": "deliver"})).await.expect(200));
        let body = json!({"payment_id": paid["session"]["payment_intent"], "amount": 4_000});
        drop(world.control("refunds", &body).await.expect(200));
        world.drain().await;
        assert!(open_finding(world, "unknown_payment").await.is_some());
        is_cured(world).await;
        world.assert_balances("wallet 60.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_back_of_a_payment_before_it_was_credited_is_taken_by_the_next_comparison() {
    for (back, wallet) in [("refund", "wallet 50.00"), ("dispute", "wallet 0.00")] {
        story(async |world| {
            let order = world.order("wallet", "100.00", "k1").await.expect(201);
            let paid = pay_wrongly(world, &order, 9_000).await;
            let payment = &paid["session"]["payment_intent"];
            let body = match back {
                "refund" => json!({"payment_id": payment, "amount": 4_000}),
                _ => json!({"payment_id": payment, "outcome": "lost"}),
            };
            world.until(async || open_finding(world, "amount_differs").await.is_some()).await;
            drop(world.control(&format!("{back}s"), &body).await.expect(200));
            world.drain().await;
            world.until(async || open_finding(world, "unknown_payment").await.is_some()).await;
            drop(world.compare().await);
            let found = open_finding(world, "amount_differs").await.unwrap();
            let credit = found["finding_id"].as_str().unwrap();
            let credit = format!("/v1/admin/findings/{credit}/credit");
            let place = json!({"balance": "wallet"});
            drop(world.admin_post(&credit, "unused", &place).await.expect(200));
            world.assert_balances("wallet 90.00").await;
            // The day of what went back is over, and was compared.
            world.clock.advance(Duration::from_secs(2 * 86_400));
            drop(world.compare().await);
            world.assert_balances(wallet).await;
            assert!(open_findings(world).await.is_empty());
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_was_given_back_stays_so_when_its_order_can_be_read_again() {
    story(async |world| {
        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        no_webhooks(world).await;
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
        let key = format!("ORDER#{}", order.text("order_id"));
        let unreadable = |mut item: Item| item.remove("timeline").map(|_| item);
        let damage = world.damage(&key, "ORDER", unreadable).await;
        drop(world.compare().await);
        let found = open_finding(world, "paid_not_credited").await.unwrap();
        let path = format!("/v1/admin/findings/{}/refund", found["finding_id"].as_str().unwrap());
        let given = world.admin_post(&path, "unused", &json!({"reason": "x"})).await.expect(200);
        assert_eq!(given.json()["closed_how"], "refunded");
        // The refund is of a payment whose order cannot be read: the comparison ends all the same.
        assert!(world.compare().await.finished_at.is_some());
        world.undo(damage).await;
        world.clock.advance(Duration::from_secs(240));
        assert_eq!(world.sweep().await.credited, 0);
        assert!(world.compare().await.is_green());
        world.assert_balances("wallet 0.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_whose_comparison_was_stopped_or_missed_is_compared_later() {
    story(async |world| {
        drop(world.top_up("100.00", "k1").await);
        let by_the_clock = async || {
            let now = world.clock.now();
            let compared = world.cloud.functions.compare_payments.handle(&json!({}), now).await;
            compared.map(|run| run.map(|run| (run.id(), run.finished_at.is_some())))
        };
        // The provider does not answer for the whole day after, and on the next one nothing runs.
        world.clock.advance(Duration::from_secs(24 * 3_600));
        world.wires.fail("GET /v1/balance_transactions", Fault::LostBefore, usize::MAX);
        drop(by_the_clock().await.expect_err("nobody answers"));
        world.wires.heal();
        world.clock.advance(Duration::from_secs(2 * 24 * 3_600));
        let mut compared = Vec::new();
        while let Some(run) = by_the_clock().await.expect("it answers") {
            compared.push(run);
        }
        let done = ["cmp_2026-11-25_1", "cmp_2026-11-24_1", "cmp_2026-11-23_1"];
        assert_eq!(compared, done.map(|id| (id.to_owned(), true)));
        // A day can be asked for, once more.
        let now = world.clock.now();
        let asked = json!({"day": "2026-11-23"});
        let again = world.cloud.functions.compare_payments.handle(&asked, now).await.unwrap();
        let again = again.unwrap();
        assert_eq!((again.id().as_str(), again.report.payments), ("cmp_2026-11-23_2", 1));
        let asked = json!({"day": "yesterday"});
        let refused = world.cloud.functions.compare_payments.handle(&asked, now).await;
        assert!(refused.unwrap_err().to_string().contains("day"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_on_its_way_back_from_another_order_is_found_once() {
    story(async |world| {
        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        let other = world.order("wallet", "50.00", "k2").await.expect(201);
        no_webhooks(world).await;
        let session = order.session();
        let pay = json!({"card_number": GOOD_CARD});
        let paid = world.control(&format!("sessions/{session}/pay"), &pay).await.expect(200);
        let payment = paid.json()["session"]["payment_intent"].as_str().unwrap().to_owned();
        // The same money is told of the other order first, which it does not fit.
        let mut event = world.paid_event(&other, &payment);
        event["data"]["object"]["amount_total"] = json!(10_000);
        drop(world.deliver(&event).await.expect(200));
        let found = open_findings(world).await.remove(0);
        drop(world.control("refund_status", &json!({"next": ["pending"]})).await.expect(200));
        let path = format!("/v1/admin/findings/{}/refund", found["finding_id"].as_str().unwrap());
        drop(world.admin_post(&path, "unused", &json!({"reason": "x"})).await.expect(200));
        let run = world.compare().await;
        assert_eq!(open_findings(world).await.len(), 1);
        let report = shown(world, &run).await;
        assert_eq!(report["findings"][0]["finding_id"], found["finding_id"]);
        assert_eq!(report["drift"], json!([{"currency": "USD", "amount": "100.00"}]));

        let id = world.finding_refund(found["finding_id"].as_str().unwrap()).await;
        let left = json!({"status": "succeeded"});
        drop(world.control(&format!("refunds/{id}"), &left).await.expect(200));
        assert!(world.compare().await.is_green());
        assert!(open_findings(world).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_came_back_while_its_day_is_compared_is_in_the_report() {
    story(async |world| {
        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        drop(pay_wrongly(world, &order, 9_000).await);
        world.until(async || open_finding(world, "amount_differs").await.is_some()).await;
        let found = open_findings(world).await.remove(0);
        let id = found["finding_id"].as_str().unwrap();
        let path = format!("/v1/admin/findings/{id}/refund");
        let reason = json!({"reason": "not what was ordered"});
        drop(world.admin_post(&path, "unused", &reason).await.expect(200));
        assert!(world.compare().await.is_green());
        // The bank sends it back, and nobody tells.
        no_webhooks(world).await;
        let refund = format!("refunds/{}", world.finding_refund(id).await);
        drop(world.control(&refund, &json!({"status": "failed"})).await.expect(200));
        let run = world.compare().await;
        let report = shown(world, &run).await;
        assert_eq!(report["drift"], json!([{"currency": "USD", "amount": "90.00"}]));
        assert_eq!(report["findings"][0]["finding_id"], id);
        assert_eq!(open_findings(world).await.len(), 1);
        drop(world.admin_post(&path, "unused", &reason).await.expect(200));
        assert!(world.compare().await.is_green());
    })
    .await;
}
