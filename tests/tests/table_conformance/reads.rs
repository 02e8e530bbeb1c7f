//! Reads of many items: pages of an index, pages of a partition, and batches of keys.

use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use local::table::TABLE_NAME;

use crate::engine::{
    Checked, Engine, Item, absent, code_of, item, key, on_each, text, thing, versioned,
};

const INVALID: &str = "ValidationException";

/// An order in the list of an account.
fn listed(id: &str, at: &str) -> Item {
    thing("ORDER", id, [("listed_under", text("L")), ("listed_at", text(at)), ("x", text("x"))])
}

/// Where a page of the list starts after that order.
fn after(id: &str, at: &str) -> Option<Item> {
    let mut position = listed(id, at);
    position.remove("x");
    Some(position)
}

/// A query of the list.
fn list(engine: &Engine) -> QueryFluentBuilder {
    let query = engine.client.query().table_name(TABLE_NAME).index_name("by_time");
    let query = query.key_condition_expression("listed_under = :under");
    query.expression_attribute_values(":under", text("L"))
}

/// A query of a part of the list.
fn between(engine: &Engine, from: &str, to: &str) -> QueryFluentBuilder {
    list(engine)
        .key_condition_expression("listed_under = :under AND listed_at BETWEEN :from AND :to")
        .expression_attribute_values(":from", text(from))
        .expression_attribute_values(":to", text(to))
}

async fn places(query: QueryFluentBuilder) -> Checked<Vec<String>> {
    let items = query.send().await?.items.unwrap_or_default();
    Ok(items.iter().map(|item| item["listed_at"].as_s().unwrap().clone()).collect())
}

async fn put_all(engine: &Engine, items: impl IntoIterator<Item = Item>) {
    for item in items {
        assert_eq!(engine.put(item).await, "accepted");
    }
}

#[tokio::test]
async fn an_index_has_keys_only_and_only_of_items_with_both() -> Checked {
    on_each(async |engine| {
        let under = thing("ORDER", "half", [("listed_under", text("L"))]);
        let at = thing("ORDER", "other-half", [("listed_at", text("a"))]);
        put_all(engine, [listed("1", "a"), under, at, versioned("ORDER", "none", 1)]).await;
        let found = list(engine).send().await?;
        assert_eq!(found.items(), [after("1", "a").ok_or("a key")?]);
        let consistent = list(engine).consistent_read(true).send().await;
        assert_eq!(code_of(&consistent), INVALID);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_index_follows_each_write_at_once() -> Checked {
    on_each(async |engine| {
        for round in 0..20 {
            let at = format!("{round:02}");
            let order = listed("1", &at);
            assert_eq!(engine.put(order).await, "accepted");
            assert_eq!(places(list(engine)).await?, [at]);
        }
        let sent = engine.transact(vec![absent(listed("2", "z"))]).await;
        assert_eq!(code_of(&sent), "accepted");
        assert_eq!(places(list(engine)).await?, ["19", "z"]);
        // An order that is due no more leaves the index of what is due in the same way.
        put_all(engine, [versioned("ORDER", "1", 2)]).await;
        assert_eq!(places(list(engine)).await?, ["z"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_index_is_in_the_order_of_bytes_both_ways() -> Checked {
    on_each(async |engine| {
        let sorted = ["2026-11-23T12:00:00.000Z#ord_1", "B", "a", "a~", "aa", "~", "é", "\u{ffff}"];
        let mut sorted = sorted.map(str::to_owned).to_vec();
        sorted.push("\u{10000}".to_owned());
        sorted.sort();
        for (id, at) in sorted.iter().rev().enumerate() {
            put_all(engine, [listed(&id.to_string(), at)]).await;
        }
        assert_eq!(places(list(engine)).await?, sorted);
        sorted.reverse();
        assert_eq!(places(list(engine).scan_index_forward(false)).await?, sorted);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_range_includes_its_ends_and_must_not_be_turned_around() -> Checked {
    on_each(async |engine| {
        put_all(engine, ["a", "b", "c", "d"].map(|at| listed(at, at))).await;
        assert_eq!(places(between(engine, "b", "c")).await?, ["b", "c"]);
        assert_eq!(places(between(engine, "b", "b")).await?, ["b"]);
        assert_eq!(code_of(&between(engine, "c", "b").send().await), INVALID);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_full_page_has_a_next_one_even_if_nothing_is_left() -> Checked {
    on_each(async |engine| {
        put_all(engine, ["a", "b", "c"].map(|at| listed(at, at))).await;
        let page = list(engine).limit(2).send().await?;
        assert_eq!(page.last_evaluated_key, after("b", "b"));
        let page = list(engine).limit(3).send().await?;
        assert_eq!(page.last_evaluated_key, after("c", "c"));
        let rest = list(engine).set_exclusive_start_key(page.last_evaluated_key).send().await?;
        assert_eq!((rest.count(), rest.last_evaluated_key()), (0, None));
        let page = list(engine).limit(4).send().await?;
        assert_eq!((page.count(), page.last_evaluated_key()), (3, None));
        assert_eq!(code_of(&list(engine).limit(0).send().await), INVALID);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_page_starts_after_any_position_in_its_range() -> Checked {
    on_each(async |engine| {
        put_all(engine, ["a", "c", "e"].map(|at| listed(at, at))).await;
        let newest_first = |position| {
            let query = between(engine, "b", "e").scan_index_forward(false);
            query.set_exclusive_start_key(position)
        };
        assert_eq!(places(newest_first(after("e", "e"))).await?, ["c"]);
        // What stood there may have moved since.
        assert_eq!(places(newest_first(after("moved", "d"))).await?, ["c"]);
        for (id, at) in [("a", "a"), ("f", "f")] {
            assert_eq!(code_of(&newest_first(after(id, at)).send().await), INVALID);
        }
        let elsewhere =
            thing("ORDER", "c", [("listed_under", text("M")), ("listed_at", text("c"))]);
        assert_eq!(code_of(&newest_first(Some(elsewhere)).send().await), INVALID);
        assert_eq!(code_of(&newest_first(Some(key("ORDER", "c"))).send().await), INVALID);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_page_ends_at_a_megabyte() -> Checked {
    on_each(async |engine| {
        for number in 0..5 {
            let (at, filling) = (format!("{number:012}"), text("x".repeat(300_000)));
            let entry = item([("pk", text("JOURNAL#a")), ("sk", text(at)), ("filling", filling)]);
            put_all(engine, [entry]).await;
        }
        let query = engine.client.query().table_name(TABLE_NAME).consistent_read(true);
        let query = query.key_condition_expression("pk = :journal");
        let query = query.expression_attribute_values(":journal", text("JOURNAL#a"));
        let first = query.clone().send().await?;
        // The item that passes the megabyte: left for the next page, or the last of this one.
        assert_eq!(first.count(), engine.differs(3, 4));
        let last = first.last_evaluated_key.ok_or("a full page has a next one")?;
        assert_eq!(
            Some(&last["sk"]),
            first.items.and_then(|items| items.last()?.get("sk").cloned()).as_ref()
        );
        let rest = query.set_exclusive_start_key(Some(last)).send().await?;
        assert_eq!((rest.count(), rest.last_evaluated_key()), (engine.differs(2, 1), None));
        Ok(())
    })
    .await
}

async fn batch(engine: &Engine, keys: Vec<Item>) -> Result<BatchGetItemOutput, String> {
    let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
    let request = engine.client.batch_get_item().request_items(TABLE_NAME, keys.build().unwrap());
    let answer = request.send().await;
    answer.map_err(|error| code_of::<(), _>(&Err(error)))
}

fn found(answer: &BatchGetItemOutput) -> &[Item] {
    &answer.responses().expect("the table is named")[TABLE_NAME]
}

#[tokio::test]
async fn a_batch_has_1_to_100_keys_each_once() -> Checked {
    on_each(async |engine| {
        let keys = |count: usize| (0..count).map(|id| key("ORDER", &id.to_string())).collect();
        put_all(engine, [versioned("ORDER", "7", 1)]).await;
        // What is not there is left out, and is not left unread.
        let answer = batch(engine, keys(100)).await?;
        assert_eq!(found(&answer), [versioned("ORDER", "7", 1)]);
        assert_eq!(answer.unprocessed_keys().map(std::collections::HashMap::len), Some(0));
        assert!(found(&batch(engine, vec![key("ORDER", "0")]).await?).is_empty());

        let twice = vec![key("ORDER", "7"), key("ORDER", "7")];
        let half = vec![item([("pk", text("ORDER#7"))])];
        for refused in [keys(0), keys(101), twice, half] {
            assert_eq!(batch(engine, refused).await.err().as_deref(), Some(INVALID));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_batch_is_in_no_order() -> Checked {
    on_each(async |engine| {
        let ids: Vec<_> = (10..40).map(|id| id.to_string()).collect();
        put_all(engine, ids.iter().map(|id| key("ORDER", id))).await;
        let asked: Vec<_> = ids.iter().map(|id| key("ORDER", id)).collect();
        let answer = batch(engine, asked.clone()).await?;
        assert_eq!(found(&answer) == asked, engine.differs(true, false));
        let mut sorted = found(&answer).to_vec();
        sorted.sort_by_key(|item| item["pk"].as_s().unwrap().clone());
        assert_eq!(sorted, asked);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_passes_16_megabytes_of_a_batch_is_left_unprocessed() -> Checked {
    on_each(async |engine| {
        let ids: Vec<_> = (0..45).map(|id| id.to_string()).collect();
        let filling = || text("x".repeat(399_000));
        put_all(engine, ids.iter().map(|id| thing("X", id, [("filling", filling())]))).await;
        let answer = batch(engine, ids.iter().map(|id| key("X", id)).collect()).await?;
        assert_eq!(found(&answer).len(), 42);
        let left = &answer.unprocessed_keys().ok_or("some are left")?[TABLE_NAME];
        assert_eq!((left.keys().len(), left.consistent_read()), (3, Some(true)));
        assert_eq!(found(&batch(engine, left.keys().to_vec()).await?).len(), 3);
        Ok(())
    })
    .await
}
