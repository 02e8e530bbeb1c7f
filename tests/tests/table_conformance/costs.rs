//! What requests are said to consume. No code of the product reads it: the figures in its
//! documentation are the embedded table's.

use aws_sdk_dynamodb::types::{
    ConsumedCapacity, KeysAndAttributes, ReturnConsumedCapacity, TransactWriteItem,
};
use local::table::TABLE_NAME;

use crate::engine::{Checked, Engine, Item, absent, at_version, key, number, on_each, text, thing};

/// Units as they are written, of everything together.
fn units(consumed: &[ConsumedCapacity]) -> String {
    let [consumed] = consumed else { panic!("one table: {consumed:?}") };
    format!("{:?}", consumed.capacity_units().expect("units"))
}

async fn written(engine: &Engine, puts: Vec<TransactWriteItem>) -> Checked<String> {
    let request = engine.client.transact_write_items().set_transact_items(Some(puts));
    let request = request.return_consumed_capacity(ReturnConsumedCapacity::Total);
    Ok(units(request.send().await?.consumed_capacity()))
}

async fn read(engine: &Engine, keys: Vec<Item>) -> Checked<String> {
    let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build()?;
    let request = engine.client.batch_get_item().request_items(TABLE_NAME, keys);
    let request = request.return_consumed_capacity(ReturnConsumedCapacity::Total);
    Ok(units(request.send().await?.consumed_capacity()))
}

#[tokio::test]
async fn a_transaction_costs_two_write_units_an_item_and_one_an_index() -> Checked {
    on_each(async |engine| {
        let three = ["1", "2", "3"].map(|id| absent(key("X", id))).to_vec();
        assert_eq!(written(engine, three).await?, engine.differs("6.0", "4.0"));
        let large = thing("X", "large", [("filling", text("x".repeat(4_500)))]);
        assert_eq!(written(engine, vec![absent(large)]).await?, engine.differs("10.0", "20.0"));

        let order = thing(
            "ORDER",
            "o",
            [
                ("version", number(1)),
                ("listed_under", text("L")),
                ("listed_at", text("a")),
                ("due_queue", text("open")),
                ("due_at", text("a")),
            ],
        );
        let listed_twice = written(engine, vec![absent(order.clone())]).await?;
        assert_eq!(listed_twice, engine.differs("4.0", "12.0"));
        let listed_as_before = written(engine, vec![at_version(order, 1)]).await?;
        assert_eq!(listed_as_before, engine.differs("2.0", "4.0"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_consistent_read_costs_a_unit_for_each_4_kilobytes() -> Checked {
    on_each(async |engine| {
        for (id, bytes) in [("small", 100), ("large", 4_500)] {
            let filling = text("x".repeat(bytes));
            assert_eq!(engine.put(thing("X", id, [("filling", filling)])).await, "accepted");
        }
        assert_eq!(read(engine, vec![key("X", "small")]).await?, "1.0");
        assert_eq!(read(engine, vec![key("X", "small"), key("X", "large")]).await?, "3.0");
        // Looking in vain is not free, except on DynamoDB Local.
        let in_vain = vec![key("X", "small"), key("X", "none")];
        assert_eq!(read(engine, in_vain).await?, engine.differs("2.0", "1.0"));
        Ok(())
    })
    .await
}
