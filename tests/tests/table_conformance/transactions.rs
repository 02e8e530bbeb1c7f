//! Transactions of conditional puts: what goes through, and why the others were cancelled.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use crate::engine::{
    Checked, Engine, Sent, absent, at_version, code_of, codes, item, key, number, on_each, reasons,
    text, thing, versioned,
};

const FAILED: &str = "ConditionalCheckFailed";
const PASSED: &str = "None";

/// Entry 1 of a journal, as far as its key.
fn entry(number: u64) -> crate::engine::Item {
    item([("pk", text("JOURNAL#a")), ("sk", text(format!("{number:012}")))])
}

/// An order at version 3, the first entry, and an account at version 5.
async fn stored(engine: &Engine) {
    for item in [versioned("ORDER", "o", 3), entry(1), versioned("ACCOUNT", "a", 5)] {
        assert_eq!(engine.put(item).await, "accepted");
    }
}

/// The product's commit: the order, the entry and the account, in this order.
fn commit(order_seen: u64, entry_number: u64, account_seen: u64) -> Vec<TransactWriteItem> {
    vec![
        at_version(versioned("ORDER", "o", order_seen + 1), order_seen),
        absent(entry(entry_number)),
        at_version(versioned("ACCOUNT", "a", account_seen + 1), account_seen),
    ]
}

#[tokio::test]
async fn every_failing_part_is_told_in_order_with_what_stands_there() -> Checked {
    on_each(async |engine| {
        stored(engine).await;
        let stands = [versioned("ORDER", "o", 3), entry(1), versioned("ACCOUNT", "a", 5)];
        let all = stands.map(|item| (FAILED.to_owned(), Some(item)));
        assert_eq!(reasons(engine.transact(commit(2, 1, 4)).await), all);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn every_choice_of_failing_parts_is_told_apart_and_writes_nothing() -> Checked {
    on_each(async |engine| {
        stored(engine).await;
        for choice in 1..8_u64 {
            let fails = [choice & 1 > 0, choice & 2 > 0, choice & 4 > 0];
            let stale = fails.map(u64::from);
            let sent = engine.transact(commit(3 - stale[0], 2 - stale[1], 5 - stale[2])).await;
            let expected = fails.map(|fails| if fails { FAILED } else { PASSED });
            assert_eq!(codes(sent), expected, "{fails:?}");
        }
        assert_eq!(engine.get(key("ORDER", "o")).await?, Some(versioned("ORDER", "o", 3)));
        assert_eq!(engine.get(entry(2)).await?, None);
        assert_eq!(code_of(&engine.transact(commit(3, 2, 5)).await), "accepted");
        assert_eq!(engine.get(key("ORDER", "o")).await?, Some(versioned("ORDER", "o", 4)));
        assert_eq!(engine.get(entry(2)).await?, Some(entry(2)));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_stands_in_the_way_is_told_with_every_attribute() -> Checked {
    on_each(async |engine| {
        let deep = AttributeValue::M(item([
            ("list", AttributeValue::L(vec![text("x"), number("1.5"), text("")])),
            ("nothing", AttributeValue::Null(true)),
            ("yes", AttributeValue::Bool(true)),
        ]));
        let whole = thing("ORDER", "o", [("version", number(1)), ("deep", deep)]);
        assert_eq!(engine.put(whole.clone()).await, "accepted");
        let sent = engine.transact(vec![absent(key("ORDER", "o"))]).await;
        assert_eq!(reasons(sent), [(FAILED.to_owned(), Some(whole))]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_version_of_nothing_fails_and_shows_nothing() -> Checked {
    on_each(async |engine| {
        let parts = vec![at_version(versioned("ORDER", "o", 4), 3), absent(key("ACCOUNT", "a"))];
        let nothing = [(FAILED.to_owned(), None), (PASSED.to_owned(), None)];
        assert_eq!(reasons(engine.transact(parts).await), nothing);
        // Nor is an item without a version, or with one that is text, at any version.
        assert_eq!(engine.put(key("ORDER", "plain")).await, "accepted");
        let written = thing("ORDER", "text", [("version", text("3"))]);
        assert_eq!(engine.put(written.clone()).await, "accepted");
        for item in [key("ORDER", "plain"), written] {
            let sent = engine.transact(vec![at_version(item.clone(), 3)]).await;
            assert_eq!(reasons(sent), [(FAILED.to_owned(), Some(item))]);
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn absence_is_of_the_whole_key() -> Checked {
    on_each(async |engine| {
        assert_eq!(code_of(&engine.transact(vec![absent(entry(1))]).await), "accepted");
        assert_eq!(code_of(&engine.transact(vec![absent(entry(2))]).await), "accepted");
        assert_eq!(codes(engine.transact(vec![absent(entry(2))]).await), [FAILED]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn versions_are_compared_as_numbers() -> Checked {
    on_each(async |engine| {
        stored(engine).await;
        for (seen, outcome) in [("5.00", "accepted"), ("50E-1", "accepted"), ("5.01", CANCELLED)] {
            let account = at_version(versioned("ACCOUNT", "a", 5), seen);
            assert_eq!(code_of(&engine.transact(vec![account]).await), outcome, "{seen}");
        }
        Ok(())
    })
    .await
}

const CANCELLED: &str = "TransactionCanceledException";

#[tokio::test]
async fn a_repeated_token_repeats_the_answer_and_nothing_else() -> Checked {
    on_each(async |engine| {
        let send = async |token: &str, part: TransactWriteItem| -> Sent {
            let request = engine.client.transact_write_items().transact_items(part);
            request.client_request_token(token).send().await
        };
        let make = || absent(versioned("ORDER", "o", 1));
        assert_eq!(code_of(&send("make", make()).await), "accepted");
        assert_eq!(engine.put(versioned("ORDER", "o", 2)).await, "accepted");
        assert_eq!(code_of(&send("make", make()).await), "accepted");
        assert_eq!(engine.get(key("ORDER", "o")).await?, Some(versioned("ORDER", "o", 2)));

        let other = send("make", absent(versioned("ORDER", "o", 9))).await;
        assert_eq!(code_of(&other), "IdempotentParameterMismatchException");
        assert_eq!(code_of(&send("fresh", make()).await), CANCELLED);

        // What was cancelled is not kept under its token.
        let replace = || at_version(versioned("ORDER", "p", 4), 3);
        assert_eq!(code_of(&send("replace", replace()).await), CANCELLED);
        assert_eq!(engine.put(versioned("ORDER", "p", 3)).await, "accepted");
        assert_eq!(code_of(&send("replace", replace()).await), "accepted");
        assert_eq!(engine.get(key("ORDER", "p")).await?, Some(versioned("ORDER", "p", 4)));

        assert_eq!(code_of(&send(&"x".repeat(36), make()).await), CANCELLED);
        assert_eq!(code_of(&send(&"x".repeat(37), make()).await), "ValidationException");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_sent_many_times_at_once_is_accepted_every_time() -> Checked {
    on_each(async |engine| {
        let sending: Vec<_> = (0..16)
            .map(|_| {
                let request = engine.client.transact_write_items().client_request_token("same");
                tokio::spawn(request.transact_items(absent(key("ORDER", "o"))).send())
            })
            .collect();
        for sent in sending {
            assert_eq!(code_of(&sent.await?), "accepted");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_transaction_has_1_to_100_parts() -> Checked {
    on_each(async |engine| {
        let of = |count: usize| {
            (0..count).map(|part| absent(key("X", &format!("{count}-{part}")))).collect()
        };
        assert_eq!(code_of(&engine.transact(of(100)).await), "accepted");
        assert!(engine.get(key("X", "100-99")).await?.is_some());
        for count in [0, 101] {
            assert_eq!(code_of(&engine.transact(of(count)).await), "ValidationException");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_transaction_names_an_item_once() -> Checked {
    on_each(async |engine| {
        let twice = || absent(key("ORDER", "o"));
        let sent = engine.transact(vec![twice(), absent(key("ACCOUNT", "a")), twice()]).await;
        // DynamoDB Local writes the first and finds it in the way of the second.
        assert_eq!(code_of(&sent), engine.differs("ValidationException", CANCELLED));
        assert_eq!(engine.get(key("ORDER", "o")).await?, None);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_race_is_ever_told_as_a_conflict() -> Checked {
    on_each(async |engine| {
        assert_eq!(engine.put(versioned("ACCOUNT", "a", 1)).await, "accepted");
        let racing: Vec<_> = (0..64)
            .map(|racer| {
                let order = absent(key("ORDER", &racer.to_string()));
                let account = at_version(versioned("ACCOUNT", "a", 2), 1);
                let request = engine.client.transact_write_items();
                tokio::spawn(request.transact_items(order).transact_items(account).send())
            })
            .collect();
        let (mut accepted, mut told) = (0, BTreeSet::new());
        for sent in racing {
            match sent.await? {
                Ok(_) => accepted += 1,
                lost => drop(told.insert(codes(lost))),
            }
        }
        assert_eq!(accepted, 1);
        let lost = [PASSED, FAILED].map(str::to_owned).to_vec();
        assert_eq!(told, BTreeSet::from([lost]));
        Ok(())
    })
    .await
}
