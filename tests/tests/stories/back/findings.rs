//! Findings: listed, closed by a person or by the money itself.

use std::time::Duration;

use serde_json::{Value, json};
use service::events::LISTED_AFTER;
use tests::world::GOOD_CARD;
use tests::{Answer, Fault, World, story};

use super::{act, dashboard_refund, listed};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_payment_is_found_and_closed_by_a_person() {
    story(async |world| {
        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        let mut event = world.paid_event(&order, "pi_wrong");
        event["data"]["object"]["amount_total"] = json!(9_999);
        drop(world.deliver(&event).await.expect(200));
        let found = listed(world, "open").await.remove(0);
        assert_eq!(found["type"], "amount_differs");
        assert_eq!(found["expected"], json!({"amount": "100.00", "currency": "USD"}));
        assert_eq!(found["actual"], json!({"amount": "99.99", "currency": "USD"}));
        assert_eq!(found["order_id"], order.json()["order_id"]);
        assert!(found["next_step"].as_str().unwrap().contains("refund"));
        drop(world.deliver(&event).await.expect(200));
        assert_eq!(listed(world, "open").await.len(), 1);

        let id = found["finding_id"].as_str().unwrap();
        let path = format!("/v1/admin/findings/{id}/resolve");
        let body = json!({"reason": "a cent was given as goodwill"});
        world.post(&path, "unused", &body).await.expect_problem(403, "missing_scope");
        let empty = json!({"reason": " "});
        world.admin_post(&path, "unused", &empty).await.expect_problem(422, "invalid_field");
        let closed = world.admin_post(&path, "unused", &body).await.expect(200).json();
        assert_eq!(
            (&closed["status"], &closed["closed_how"]),
            (&json!("closed"), &json!("resolved"))
        );
        drop(world.admin_post(&path, "unused", &body).await.expect(200));
        let other = json!({"reason": "something else"});
        world.admin_post(&path, "unused", &other).await.expect_problem(409, "finding_closed");
        assert!(listed(world, "open").await.is_empty());
        assert_eq!(listed(world, "closed").await, std::slice::from_ref(&closed));
        let one = world.admin_get(&format!("/v1/admin/findings/{id}")).await.expect(200).json();
        assert_eq!(one, closed);
        for missing in ["fnd_00000000000000000000", "no%20id"] {
            let path = format!("/v1/admin/findings/{missing}");
            world.admin_get(&path).await.expect_problem(404, "not_found");
        }
        let path = "/v1/admin/findings?status=lost";
        world.admin_get(path).await.expect_problem(422, "invalid_parameter");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_was_credited_to_no_order_is_closed_by_its_refund() {
    story(async |world| {
        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        let session = order.session();
        let pay = json!({"card_number": GOOD_CARD, "amount": 9_000});
        drop(world.control(&format!("sessions/{session}/pay"), &pay).await.expect(200));
        world.until(async || !listed(world, "open").await.is_empty()).await;
        let found = listed(world, "open").await.remove(0);
        let body = json!({"payment_id": found["payment_id"]});
        let made = world.control("refunds", &body).await.expect(200).json();
        let closed = listed(world, "closed").await.remove(0);
        assert_eq!(closed["closed_how"], "refunded");
        assert_eq!(closed["closed_by"], "stripe");
        world.assert_balances("wallet 0.00").await;

        // It comes back: a person must look again.
        let path = format!("refunds/{}", made["refund"]["id"].as_str().unwrap());
        drop(world.control(&path, &json!({"status": "failed"})).await.expect(200));
        assert_eq!(listed(world, "open").await[0]["finding_id"], found["finding_id"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_lost_money_that_the_table_did_not_take_is_told_by_the_queue() {
    story(async |world| {
        let (order, found) = wrongly_paid(world, "k1").await;
        world.wires.fail("TransactWriteItems", Fault::ServerError, usize::MAX);
        let body = json!({"payment_id": found["payment_id"]});
        drop(world.control("refunds", &body).await.expect(200));
        assert_eq!(listed(world, "open").await.len(), 1);
        world.wires.heal();
        world.drain().await;
        assert_eq!(listed(world, "closed").await[0]["closed_how"], "refunded");
        assert_eq!(world.look_up(&order).await.text("status"), "refunded");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_before_its_payment_waits_for_it() {
    story(async |world| {
        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        drop(world.control("webhooks", &json!({"mode": "drop"})).await.expect(200));
        let session = order.session();
        let pay = json!({"card_number": GOOD_CARD});
        let paid = world.control(&format!("sessions/{session}/pay"), &pay).await.expect(200);
        let payment = paid.json()["session"]["payment_intent"].as_str().unwrap().to_owned();
        drop(world.control("webhooks", &json!({"mode": "deliver"})).await.expect(200));
        let body = json!({"payment_id": payment, "amount": 4_000});
        drop(world.control("refunds", &body).await.expect(200));
        assert!(listed(world, "open").await.is_empty());
        world.assert_balances("wallet 0.00").await;
        // The payment is told: the refund comes out of the queue and finds it.
        drop(world.deliver(&world.paid_event(&order, &payment)).await.expect(200));
        world.drain().await;
        world.assert_balances("wallet 60.00").await;
        assert!(listed(world, "open").await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_a_payment_that_nobody_knows_becomes_a_finding() {
    story(async |world| {
        let event = json!({
            "id": "evt_stranger",
            "object": "event",
            "created": world.clock.now().unix_seconds(),
            "livemode": false,
            "type": "refund.created",
            "data": {"object": {
                "id": "re_stranger", "object": "refund", "amount": 500, "currency": "usd",
                "payment_intent": "pi_stranger", "status": "succeeded", "metadata": {},
                "created": world.clock.now().unix_seconds(),
            }},
        });
        drop(world.deliver(&event).await.expect(200));
        world.drain().await;
        let found = listed(world, "open").await.remove(0);
        assert_eq!(
            (&found["type"], &found["payment_id"]),
            (&json!("unknown_payment"), &json!("pi_stranger"))
        );
        assert_eq!(found["reversal_id"], "re_stranger");
        assert_eq!(world.dead_letters().await, 0);

        let mut other_stage = event.clone();
        other_stage["data"]["object"]["metadata"] = json!({"topup_stage": "other"});
        let ignored = world.deliver(&other_stage).await.expect(200);
        assert_eq!(ignored.json()["outcome"], "other_stage");
        for (field, value) in
            [("status", json!("sideways")), ("amount", json!(-1)), ("id", json!(null))]
        {
            let mut odd = event.clone();
            odd["data"]["object"][field] = value;
            assert_eq!(world.deliver(&odd).await.expect(200).json()["outcome"], "queued");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_in_another_currency_is_a_finding_and_moves_nothing() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        let event = json!({
            "id": "evt_odd",
            "object": "event",
            "created": world.clock.now().unix_seconds(),
            "livemode": false,
            "type": "refund.created",
            "data": {"object": {
                "id": "re_odd", "object": "refund", "amount": 500, "currency": "eur",
                "payment_intent": order.text("payment_id"), "status": "succeeded", "metadata": null,
                "created": world.clock.now().unix_seconds(),
            }},
        });
        drop(world.deliver(&event).await.expect(200));
        assert_eq!(listed(world, "open").await[0]["type"], "reversal_differs");
        world.assert_balances("wallet 100.00").await;
        drop(dashboard_refund(world, &order, 500).await);
        world.assert_balances("wallet 95.00").await;
    })
    .await;
}

/// An order whose payment differs from it, and the finding about that.
async fn wrongly_paid(world: &World, key: &str) -> (Answer, Value) {
    let order = world.order("wallet", "100.00", key).await.expect(201);
    let session = order.session();
    let pay = json!({"card_number": GOOD_CARD, "amount": 9_000});
    drop(world.control(&format!("sessions/{session}/pay"), &pay).await.expect(200));
    world.until(async || world.look_up(&order).await.text("status") == "exception").await;
    let found = listed(world, "open").await;
    let about = |one: &&Value| one["order_id"] == order.json()["order_id"];
    (order.clone(), found.iter().find(about).unwrap().clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_could_not_take_its_payment_says_what_came_and_that_it_went_back() {
    story(async |world| {
        let (order, found) = wrongly_paid(world, "k1").await;
        let shown = async |order: &Answer| {
            let shown = world.look_up(order).await.json();
            let fields = ["status", "received_amount", "credited_amount", "refunded_amount"];
            fields.map(|field| shown[field].as_str().unwrap_or("-").to_owned()).join(" ")
        };
        assert_eq!(shown(&order).await, "exception 90.00 - -");
        drop(act(world, &found, "refund", &json!({"reason": "x"})).await.expect(200));
        assert_eq!(shown(&order).await, "refunded 90.00 - 90.00");
        // The right one may come all the same.
        drop(world.deliver(&world.paid_event(&order, "pi_right")).await.expect(200));
        assert_eq!(shown(&order).await, "completed 100.00 100.00 0.00");
        let csv = world.get("/v1/orders.csv").await.expect(200);
        assert!(String::from_utf8_lossy(&csv.body).contains(",100.00,USD,100.00,"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_money_is_credited_once_as_an_order_of_its_own() {
    story(async |world| {
        let (order, found) = wrongly_paid(world, "k1").await;
        let place = json!({"balance": "product:whatsapp"});
        let asked = (0..5).map(|_| act(world, &found, "credit", &place));
        for answer in futures_util::future::join_all(asked).await {
            let answer = answer.expect(200).json();
            assert_eq!(
                (&answer["closed_how"], &answer["order"]["status"]),
                (&json!("credited"), &json!("completed"))
            );
        }
        world.assert_balances("wallet 0.00, whatsapp 90.00").await;
        assert_eq!(world.look_up(&order).await.text("status"), "cancelled");
        assert_eq!(world.look_up(&order).await.text("status_reason"), "payment_booked");
        let orders = world.get("/v1/orders?status=completed").await.expect(200).json();
        assert_eq!(orders["data"].as_array().unwrap().len(), 1);
        assert_eq!(
            (&orders["data"][0]["received_amount"], &orders["data"][0]["payment_id"]),
            (&json!("90.00"), &found["payment_id"])
        );
        let other = json!({"balance": "wallet"});
        act(world, &found, "credit", &other).await.expect_problem(409, "finding_closed");
        let reason = json!({"reason": "x"});
        act(world, &found, "refund", &reason).await.expect_problem(409, "finding_closed");
        assert!(world.compare().await.is_green());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_money_is_credited_to_the_account_that_a_person_names() {
    story(async |world| {
        let (_, found) = wrongly_paid(world, "k1").await;
        let other = world.new_customer("other").await;
        let nobody = json!({"account_id": "nobody", "balance": "wallet"});
        act(world, &found, "credit", &nobody).await.expect_problem(404, "not_found");
        let unknown = json!({"balance": "product:unheard-of"});
        act(world, &found, "credit", &unknown).await.expect_problem(422, "unknown_product");
        let place = json!({"account_id": "other", "balance": "wallet"});
        drop(act(world, &found, "credit", &place).await.expect(200));
        let balances = world.get_as(&other.key, "/v1/balances").await.expect(200).json();
        assert_eq!(balances["wallet"]["available"], "90.00");
        world.assert_balances("wallet 0.00").await;
        // What was credited can be given back as any order can.
        let orders = world.get_as(&other.key, "/v1/orders").await.expect(200).json();
        let path =
            format!("/v1/admin/orders/{}/refunds", orders["data"][0]["order_id"].as_str().unwrap());
        let body = json!({"amount": "90.00", "reason": "asked for it"});
        drop(world.admin_post(&path, "r1", &body).await.expect(201));
        assert!(world.compare().await.is_green());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_money_is_given_back_once() {
    story(async |world| {
        let (order, found) = wrongly_paid(world, "k1").await;
        let reason = json!({"reason": "not what was ordered"});
        let asked = (0..5).map(|_| act(world, &found, "refund", &reason));
        for answer in futures_util::future::join_all(asked).await {
            drop(answer.expect(200));
        }
        let closed = act(world, &found, "refund", &reason).await.expect(200).json();
        assert_eq!(
            (&closed["closed_how"], &closed["refund"]["status"]),
            (&json!("refunded"), &json!("succeeded"))
        );
        assert_eq!(world.look_up(&order).await.text("status"), "refunded");
        let makes = world.provider_requests("POST /v1/refunds").await;
        let keys: std::collections::BTreeSet<String> =
            makes.iter().map(|call| call["idempotency_key"].to_string()).collect();
        assert_eq!(keys.len(), 1);
        let place = json!({"balance": "wallet"});
        act(world, &found, "credit", &place).await.expect_problem(409, "finding_closed");
        world.assert_balances("wallet 0.00").await;
        assert!(world.compare().await.is_green());
        // The bank sends it back: the payment has no place again, and nor has its order.
        let id = world.finding_refund(found["finding_id"].as_str().unwrap()).await;
        let failed = json!({"status": "failed"});
        drop(world.control(&format!("refunds/{id}"), &failed).await.expect(200));
        assert_eq!(listed(world, "open").await[0]["finding_id"], found["finding_id"]);
        assert_eq!(world.look_up(&order).await.text("status"), "exception");
        drop(act(world, &found, "refund", &reason).await.expect(200));
        assert!(listed(world, "open").await.is_empty());
        assert_eq!(world.look_up(&order).await.text("status"), "refunded");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_is_on_its_way_back_is_not_credited() {
    story(async |world| {
        let (_, found) = wrongly_paid(world, "k1").await;
        let next = json!({"next": ["pending"]});
        drop(world.control("refund_status", &next).await.expect(200));
        let reason = json!({"reason": "x"});
        let begun = act(world, &found, "refund", &reason).await.expect(200).json();
        assert_eq!(
            (&begun["status"], &begun["refund"]["status"]),
            (&json!("open"), &json!("pending"))
        );
        let place = json!({"balance": "wallet"});
        act(world, &found, "credit", &place).await.expect_problem(409, "finding_not_creditable");
        // It fails: then the money can be credited, or given back again.
        let refunds = world.provider_requests("POST /v1/refunds").await;
        assert_eq!(refunds.len(), 1);
        let id = world.finding_refund(found["finding_id"].as_str().unwrap()).await;
        drop(
            world.control(&format!("refunds/{id}"), &json!({"status": "failed"})).await.expect(200),
        );
        drop(act(world, &found, "refund", &reason).await.expect(200));
        assert_eq!(listed(world, "closed").await[0]["closed_how"], "refunded");
        assert!(world.compare().await.is_green());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_of_lost_money_that_nobody_answers_ends_with_the_next_comparison() {
    story(async |world| {
        let (_, found) = wrongly_paid(world, "k1").await;
        world.wires.fail("POST /v1/refunds", Fault::LostAfter, 1);
        world.wires.fail("POST /v1/refunds", Fault::LostBefore, usize::MAX);
        drop(world.control("webhooks", &json!({"mode": "drop"})).await.expect(200));
        let reason = json!({"reason": "x"});
        let begun = act(world, &found, "refund", &reason).await.expect(200).json();
        assert_eq!(begun["refund"]["status"], "pending");
        world.wires.heal();
        let run = world.compare().await;
        assert_eq!(listed(world, "closed").await[0]["closed_how"], "refunded");
        assert!(run.is_green(), "{run:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_waits_for_a_refund_of_lost_money_through_an_outage_but_not_for_ever() {
    for (silent, ends) in [("POST /v1/refunds", true), ("GET /v1/refunds", false)] {
        story(async |world| {
            let (_, found) = wrongly_paid(world, "k1").await;
            world.wires.fail("POST /v1/refunds", Fault::LostBefore, usize::MAX);
            let reason = json!({"reason": "x"});
            drop(act(world, &found, "refund", &reason).await.expect(200));
            world.wires.heal();
            world.wires.fail(silent, Fault::LostBefore, usize::MAX);
            let long = Duration::from_secs(600);
            drop(world.compare_for(long).await.expect_err("it waits"));
            world.clock.advance(Duration::from_secs(5 * 3_600));
            drop(world.compare_for(long).await.expect_err("it still waits"));
            if ends {
                world.wires.heal();
                assert!(world.compare().await.is_green());
                assert_eq!(listed(world, "closed").await[0]["closed_how"], "refunded");
            } else {
                world.clock.advance(Duration::from_secs(3_600));
                assert!(world.compare().await.finished_at.is_some(), "it does not wait for ever");
                assert_eq!(listed(world, "open").await[0]["refund"]["status"], "pending");
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_money_that_goes_back_another_way_meanwhile_is_told_as_it_went() {
    story(async |world| {
        let (_, found) = wrongly_paid(world, "k1").await;
        world.wires.fail("POST /v1/refunds", Fault::LostBefore, usize::MAX);
        let reason = json!({"reason": "x"});
        let elsewhere = async {
            world.until(async || !listed(world, "open").await[0]["refund"].is_null()).await;
            let body = json!({"payment_id": found["payment_id"]});
            drop(world.control("refunds", &body).await.expect(200));
            world.wires.heal();
        };
        let (asked, ()) =
            futures_util::future::join(act(world, &found, "refund", &reason), elsewhere).await;
        let told = asked.expect(200).json();
        assert_eq!(
            (&told["closed_how"], &told["refund"]["status"]),
            (&json!("refunded"), &json!("succeeded"))
        );
        assert!(world.compare().await.is_green());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_a_place_is_given_no_other() {
    story(async |world| {
        let order = world.top_up("100.00", "k1").await;
        // A second payment of the same order.
        drop(world.deliver(&world.paid_event(&order, "pi_second")).await.expect(200));
        let found = listed(world, "open").await.remove(0);
        assert_eq!(found["type"], "duplicate_payment");
        drop(act(world, &found, "credit", &json!({"balance": "wallet"})).await.expect(200));
        world.assert_balances("wallet 200.00").await;
        assert_eq!(world.look_up(&order).await.text("status"), "completed");
        // Told once more, it is where it was credited.
        drop(world.deliver(&world.paid_event(&order, "pi_second")).await.expect(200));
        world.assert_balances("wallet 200.00").await;
        assert!(listed(world, "open").await.is_empty());

        let event = world.paid_event(&order, "pi_euro");
        let mut event = event.clone();
        event["data"]["object"]["currency"] = json!("eur");
        drop(world.deliver(&event).await.expect(200));
        let euro = listed(world, "open").await.remove(0);
        act(world, &euro, "credit", &json!({"balance": "wallet"}))
            .await
            .expect_problem(422, "currency_differs");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_back_is_never_credited_whatever_becomes_of_its_order() {
    story(async |world| {
        // Two payments for one order: a wrong one, and then the right one.
        let (order, wrong) = wrongly_paid(world, "k1").await;
        let event = world.paid_event(&order, "pi_right");
        drop(world.deliver(&event).await.expect(200));
        let found = listed(world, "open").await;
        let right = found.iter().find(|one| one["payment_id"] == "pi_right").unwrap().clone();
        assert_eq!(right["type"], "order_in_exception");
        // The provider does not answer about the right one: it is on its way back.
        let reason = json!({"reason": "x"});
        drop(act(world, &wrong, "refund", &reason).await.expect(200));
        world.wires.fail("POST /v1/refunds", Fault::LostBefore, usize::MAX);
        let begun = act(world, &right, "refund", &reason).await.expect(200).json();
        assert_eq!(begun["refund"]["status"], "pending");
        assert_eq!(world.look_up(&order).await.text("status"), "refunded");
        // Nobody closes what is under way, and telling the payment again credits nothing.
        act(world, &right, "resolve", &reason).await.expect_problem(409, "refund_under_way");
        drop(world.deliver(&world.paid_event(&order, "pi_right")).await.expect(200));
        world.assert_balances("wallet 0.00").await;
        assert_eq!(world.look_up(&order).await.text("status"), "refunded");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_told_again_for_an_order_that_can_take_it_now_closes_its_finding() {
    story(async |world| {
        let (order, wrong) = wrongly_paid(world, "k1").await;
        drop(world.deliver(&world.paid_event(&order, "pi_right")).await.expect(200));
        drop(act(world, &wrong, "refund", &json!({"reason": "x"})).await.expect(200));
        drop(world.deliver(&world.paid_event(&order, "pi_right")).await.expect(200));
        world.assert_balances("wallet 100.00").await;
        assert!(listed(world, "open").await.is_empty());
        let closed = listed(world, "closed").await;
        let right = closed.iter().find(|one| one["payment_id"] == "pi_right").unwrap();
        assert_eq!(right["closed_how"], "cured");
        let reason = json!({"reason": "x"});
        act(world, right, "refund", &reason).await.expect_problem(409, "finding_closed");
        // Whoever delivers for an order that is completed hears of it, though it was refunded before.
        world.clock.advance(LISTED_AFTER);
        let events = world.admin_get("/v1/events").await.expect(200).json();
        let events = events["data"].as_array().unwrap().iter();
        let told: Vec<_> = events.map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(told, ["order.refunded", "order.completed"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_a_person_has_settled_is_not_credited_by_itself_whoever_tells_it_again() {
    story(async |world| {
        // Two payments for one order: a wrong one, and then the right one.
        let (order, wrong) = wrongly_paid(world, "k1").await;
        let event = world.paid_event(&order, "pi_right");
        drop(world.deliver(&event).await.expect(200));
        let found = listed(world, "open").await;
        let right = found.iter().find(|one| one["payment_id"] == "pi_right").unwrap();
        let by_hand = json!({"reason": "adjusted by hand"});
        drop(act(world, right, "resolve", &by_hand).await.expect(200));
        // The order could take it now.
        drop(act(world, &wrong, "credit", &json!({"balance": "product:sms"})).await.expect(200));
        drop(world.deliver(&event).await.expect(200));
        world.assert_balances("wallet 0.00, sms 90.00").await;
        assert_eq!(listed(world, "closed").await[0]["reason"], "adjusted by hand");
        // A refund of it has failed: the person must look again, and it is still for them to say.
        let refund = json!({
            "id": "re_by_hand", "object": "refund", "payment_intent": "pi_right", "amount": 10_000,
            "currency": "usd", "status": "failed", "created": 1_795_435_200, "metadata": {},
        });
        let mut failed = event.clone();
        failed["id"] = json!("evt_failed");
        failed["type"] = json!("refund.failed");
        failed["data"]["object"] = refund;
        drop(world.deliver(&failed).await.expect(200));
        let open = listed(world, "open").await;
        assert_eq!(open[0]["payment_id"], "pi_right");
        assert_eq!(open[0]["resolved_before"]["reason"], "adjusted by hand");
        drop(world.deliver(&event).await.expect(200));
        world.assert_balances("wallet 0.00, sms 90.00").await;
        drop(act(world, &open[0], "credit", &json!({"balance": "wallet"})).await.expect(200));
        world.assert_balances("wallet 100.00, sms 90.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_waits_for_the_payment_that_made_it_an_exception_and_for_no_other() {
    story(async |world| {
        let (order, wrong) = wrongly_paid(world, "k1").await;
        drop(world.deliver(&world.paid_event(&order, "pi_right")).await.expect(200));
        let found = listed(world, "open").await;
        let right = found.iter().find(|one| one["payment_id"] == "pi_right").unwrap();
        // The other one is credited elsewhere, or goes back: the order has still not been refunded.
        drop(act(world, right, "credit", &json!({"balance": "product:sms"})).await.expect(200));
        assert_eq!(world.look_up(&order).await.text("status"), "exception");
        drop(act(world, &wrong, "refund", &json!({"reason": "x"})).await.expect(200));
        let shown = world.look_up(&order).await;
        assert_eq!(
            (shown.text("status"), shown.text("refunded_amount")),
            ("refunded".into(), "90.00".into())
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_delayed_payment_a_person_has_settled_is_not_open_for_ever() {
    story(async |world| {
        let order = world.order("wallet", "100.00", "k1").await.expect(201);
        let paid = world.paid_event(&order, "pi_delayed");
        let mut astray = paid.clone();
        astray["id"] = json!("evt_astray");
        astray["data"]["object"]["metadata"]["account_id"] = json!("nobody");
        drop(world.deliver(&astray).await.expect(200));
        let found = listed(world, "open").await.remove(0);
        assert_eq!(found["type"], "unknown_order");
        drop(act(world, &found, "resolve", &json!({"reason": "by hand"})).await.expect(200));
        let mut delayed = paid.clone();
        delayed["data"]["object"]["payment_status"] = json!("unpaid");
        drop(world.deliver(&delayed).await.expect(200));
        assert_eq!(world.look_up(&order).await.text("status"), "processing");
        let mut arrived = paid.clone();
        arrived["id"] = json!("evt_arrived");
        arrived["type"] = json!("checkout.session.async_payment_succeeded");
        drop(world.deliver(&arrived).await.expect(200));
        assert_eq!(world.look_up(&order).await.text("status"), "failed");
        world.assert_balances("wallet 0.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_was_credited_from_its_finding_and_claims_another_order_is_found() {
    story(async |world| {
        let (_, found) = wrongly_paid(world, "k1").await;
        drop(act(world, &found, "credit", &json!({"balance": "wallet"})).await.expect(200));
        let other = world.order("wallet", "90.00", "k2").await.expect(201);
        let event = world.paid_event(&other, found["payment_id"].as_str().unwrap());
        drop(world.deliver(&event).await.expect(200));
        world.assert_balances("wallet 90.00").await;
        let open = listed(world, "open").await;
        assert_eq!((open.len(), &open[0]["type"]), (1, &json!("payment_already_used")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_two_orders_are_told_of_is_a_finding_for_each_and_has_one_place() {
    story(async |world| {
        for key in ["k1", "k2"] {
            let order = world.order("wallet", "100.00", key).await.expect(201);
            let mut event = world.paid_event(&order, "pi_wrong");
            event["data"]["object"]["amount_total"] = json!(9_000);
            drop(world.deliver(&event).await.expect(200));
            assert_eq!(world.look_up(&order).await.text("status"), "exception");
        }
        // Newest first: the payment leads to the older one.
        let found = listed(world, "open").await;
        let [second, first] = found.as_slice() else { panic!("{found:?}") };
        let (reason, place) = (json!({"reason": "x"}), json!({"balance": "wallet"}));
        act(world, second, "refund", &reason).await.expect_problem(409, "finding_not_creditable");
        act(world, second, "credit", &place).await.expect_problem(409, "finding_not_creditable");
        drop(act(world, first, "credit", &place).await.expect(200));
        world.assert_balances("wallet 90.00").await;
        drop(act(world, second, "resolve", &reason).await.expect(200));
        assert!(listed(world, "open").await.is_empty());
    })
    .await;
}
