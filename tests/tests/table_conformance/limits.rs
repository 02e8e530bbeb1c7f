//! The largest item, the largest transaction, and keys that cannot be.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::engine::{
    Checked, Item, absent, code_of, codes, item, key, number, on_each, text, thing,
};

/// The largest item in bytes, names of attributes included.
const LARGEST_ITEM: usize = 400 * 1024;
const INVALID: &str = "ValidationException";
const CANCELLED: &str = "TransactionCanceledException";

/// An item of so many bytes.
fn of_size(id: &str, bytes: usize) -> Item {
    let key_bytes = "pk".len() + format!("X#{id}").len() + "sk".len() + "X".len();
    thing("X", id, [("filling", text("x".repeat(bytes - key_bytes - "filling".len())))])
}

#[tokio::test]
async fn an_item_has_at_most_400_kilobytes() -> Checked {
    on_each(async |engine| {
        assert_eq!(engine.put(of_size("alone", LARGEST_ITEM)).await, "accepted");
        assert_eq!(engine.put(of_size("alone", LARGEST_ITEM + 1)).await, INVALID);
        let fits = absent(of_size("fits", LARGEST_ITEM));
        assert_eq!(code_of(&engine.transact(vec![fits]).await), "accepted");
        let parts = vec![absent(key("Y", "y")), absent(of_size("large", LARGEST_ITEM + 1))];
        assert_eq!(code_of(&engine.transact(parts).await), INVALID);
        assert_eq!(engine.get(key("Y", "y")).await?, None);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_transaction_has_at_most_4_megabytes() -> Checked {
    on_each(async |engine| {
        let of = |count: usize| {
            (0..count).map(|part| absent(of_size(&format!("{count}-{part:02}"), 400_000))).collect()
        };
        assert_eq!(code_of(&engine.transact(of(10)).await), "accepted");
        assert_eq!(code_of(&engine.transact(of(11)).await), INVALID);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_key_is_text_that_is_there_and_not_empty() -> Checked {
    on_each(async |engine| {
        let with_sort_key = |value: AttributeValue| item([("pk", text("X")), ("sk", value)]);
        let send = async |item: Item| engine.transact(vec![absent(item)]).await;

        assert_eq!(code_of(&send(with_sort_key(text(""))).await), INVALID);
        assert_eq!(codes(send(with_sort_key(number(1))).await), ["ValidationError"]);
        let without = send(item([("pk", text("X"))])).await;
        assert_eq!(code_of(&without), engine.differs(CANCELLED, INVALID));
        // Elsewhere a text may be empty.
        let empty = thing("X", "empty", [("note", text(""))]);
        assert_eq!(code_of(&send(empty.clone()).await), "accepted");
        assert_eq!(engine.get(key("X", "empty")).await?, Some(empty));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_key_of_an_index_is_text_and_not_empty() -> Checked {
    on_each(async |engine| {
        let listed = |under, at| thing("X", "x", [("listed_under", under), ("listed_at", at)]);
        let send = async |item: Item| engine.transact(vec![absent(item)]).await;
        assert_eq!(code_of(&send(listed(text(""), text("x"))).await), INVALID);
        assert_eq!(code_of(&send(listed(text("x"), text(""))).await), INVALID);
        assert_eq!(codes(send(listed(number(1), text("x"))).await), ["ValidationError"]);
        assert_eq!(codes(send(listed(text("x"), number(1))).await), ["ValidationError"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_partition_key_has_2048_bytes_and_a_sort_key_1024() -> Checked {
    on_each(async |engine| {
        let send = async |item: Item| engine.transact(vec![absent(item)]).await;
        let long = |pk: usize, sk: usize| {
            item([("pk", text("p".repeat(pk))), ("sk", text("s".repeat(sk)))])
        };
        assert_eq!(code_of(&send(long(2048, 1024)).await), "accepted");
        assert_eq!(codes(send(long(2049, 1)).await), ["ValidationError"]);
        assert_eq!(codes(send(long(1, 1025)).await), ["ValidationError"]);

        let listed = |id: &str, under: usize, at: usize| {
            let (under, at) = (text("u".repeat(under)), text("a".repeat(at)));
            thing("X", id, [("listed_under", under), ("listed_at", at)])
        };
        assert_eq!(code_of(&send(listed("fits", 2048, 1024)).await), "accepted");
        // The embedded table does not measure the keys of its indexes.
        for (id, under, at) in [("under", 2049, 1), ("at", 1, 1025)] {
            let sent = send(listed(id, under, at)).await;
            assert_eq!(code_of(&sent), engine.differs("accepted", INVALID), "{id}");
        }
        Ok(())
    })
    .await
}
