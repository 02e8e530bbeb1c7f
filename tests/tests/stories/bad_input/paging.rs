//! Lists that are asked for in the right way: every page and every filter.

use serde_json::Value;
use tests::{World, story};

/// Every page of a list, one after the other.
async fn pages(world: &World, path: &str) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut next = path.to_owned();
    loop {
        let page = world.get(&next).await.expect(200);
        pages.push(page.json()["data"].as_array().unwrap().clone());
        if page.json()["next_cursor"].is_null() {
            return pages;
        }
        assert!(pages.len() < 50, "{path} has an end");
        next = format!("{path}&cursor={}", page.text("next_cursor"));
    }
}

/// The field of everything in a list, in its order.
async fn listed(world: &World, path: &str, field: &str) -> Vec<String> {
    let items = pages(world, path).await.into_iter().flatten();
    items.map(|item| item[field].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_three_visit_seven_orders_once_each_newest_first() {
    story(async |world| {
        let other = world.new_customer("other").await;
        let mut made = Vec::new();
        for number in 0..7 {
            let amount = format!("{}.00", 10 + number);
            let order = world.order("wallet", &amount, &amount).await.expect(201);
            made.push(order.text("order_id"));
            let body = tests::world::card_order("wallet", "99");
            let theirs = world.post_as(&other.key, "/v1/orders", &amount, &body).await;
            drop(theirs.expect(201));
        }
        made.reverse();
        let sizes: Vec<_> = pages(world, "/v1/orders?limit=3").await;
        let sizes: Vec<_> = sizes.iter().map(Vec::len).collect();
        assert_eq!(sizes, [3, 3, 1]);
        for limit in [1, 2, 3, 6, 7, 8, 100] {
            let path = format!("/v1/orders?limit={limit}");
            assert_eq!(listed(world, &path, "order_id").await, made, "{path}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_come_while_a_list_is_read_do_not_disturb_it() {
    story(async |world| {
        for amount in ["11", "12", "13", "14"] {
            drop(world.order("wallet", amount, amount).await.expect(201));
        }
        let first = world.get("/v1/orders?limit=2").await.expect(200);
        drop(world.order("wallet", "15", "15").await.expect(201));
        let path = format!("/v1/orders?limit=2&cursor={}", first.text("next_cursor"));
        let second = world.get(&path).await.expect(200).json();
        let amounts: Vec<_> = (0..2).map(|at| second["data"][at]["amount"].clone()).collect();
        assert_eq!(amounts, ["12.00", "11.00"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_of_orders_finds_what_it_names() {
    story(async |world| {
        drop(world.top_up("40", "paid").await);
        let moved = world.transfer("sms", "5", "moved").await.expect(201);
        drop(world.order("sms", "20", "open").await.expect(201));
        let closed = world.order("voice", "30", "closed").await.expect(201);
        drop(world.cancel(&closed.text("order_id")).await.expect(200));
        let (paid, moved_at) = ("40.00", moved.text("created_at"));
        let (moved, open, closed) = ("5.00", "20.00", "30.00");
        for (query, expected) in [
            ("", vec![closed, open, moved, paid]),
            ("status=completed", vec![moved, paid]),
            ("status=pending_payment", vec![open]),
            ("status=cancelled", vec![closed]),
            ("status=failed", vec![]),
            ("target=wallet", vec![paid]),
            ("target=product", vec![closed, open, moved]),
            ("product=sms", vec![open, moved]),
            ("product=otp", vec![]),
            ("method=card", vec![closed, open, paid]),
            ("method=balance", vec![moved]),
            ("method=card&status=completed", vec![paid]),
            ("target=product&product=sms&method=balance", vec![moved]),
            ("target=wallet&product=sms", vec![]),
            (&format!("from={moved_at}"), vec![closed, open, moved]),
            (&format!("to={moved_at}"), vec![moved, paid]),
            (&format!("from={moved_at}&to={moved_at}"), vec![moved]),
            ("from=2030-01-01T00:00:00Z", vec![]),
            ("to=2020-01-01T00:00:00Z", vec![]),
            ("from=2030-01-01T00:00:00Z&to=2020-01-01T00:00:00Z", vec![]),
            ("from=0000-01-01T00:00:00%2B23:59", vec![closed, open, moved, paid]),
            ("from=2026-11-23T07:00:00-05:00", vec![closed, open, moved, paid]),
        ] {
            for limit in [1, 20] {
                let path = format!("/v1/orders?limit={limit}&{query}");
                assert_eq!(listed(world, &path, "amount").await, expected, "{path}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_of_entries_finds_what_it_names() {
    story(async |world| {
        let paid = world.top_up("40", "paid").await.text("order_id");
        let moved = world.transfer("sms", "5", "moved").await.expect(201).text("order_id");
        let order = world.order("voice", "30", "voice").await.expect(201);
        drop(world.pay(&order, tests::world::GOOD_CARD).await.expect(303));
        let voice = order.text("order_id");
        let all = world.get("/v1/entries").await.expect(200).json();
        let moved_at = all["data"][1]["at"].as_str().unwrap().to_owned();
        let (paid, moved, voice) = (&paid, &moved, &voice);
        for (query, expected) in [
            ("", vec![voice, moved, paid]),
            ("balance=wallet", vec![moved, paid]),
            ("balance=product:sms", vec![moved]),
            ("balance=product:voice", vec![voice]),
            ("balance=product:otp", vec![]),
            (&format!("from={moved_at}"), vec![voice, moved]),
            (&format!("to={moved_at}"), vec![moved, paid]),
            (&format!("from={moved_at}&to={moved_at}"), vec![moved]),
            (&format!("balance=wallet&to={moved_at}"), vec![moved, paid]),
            ("from=2030-01-01T00:00:00Z", vec![]),
            ("from=2030-01-01T00:00:00Z&to=2020-01-01T00:00:00Z", vec![]),
        ] {
            for limit in [1, 2, 20] {
                let path = format!("/v1/entries?limit={limit}&{query}");
                let found = listed(world, &path, "document_id").await;
                let expected: Vec<_> = expected.iter().map(|id| id.as_str()).collect();
                assert_eq!(found, expected, "{path}");
            }
        }
        // What is newer than the end is not walked through, page by page.
        let until = format!("entries?limit=1&to={moved_at}");
        for page in [
            world.get(&format!("/v1/{until}")).await,
            world.admin_get(&format!("/v1/admin/accounts/demo/{until}")).await,
        ] {
            assert_eq!(page.expect(200).json()["data"][0]["document_id"], moved.as_str());
        }
    })
    .await;
}
