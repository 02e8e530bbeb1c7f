//! Pages of orders and of entries, as the product reads them.

use ledger::{AccountId, Actor, Order, OrderId, Transfer, transfer};
use service::record::OrderRecord;
use service::table::{Commit, OrderRange, Position, Table};

use crate::engine::{Checked, on_each};
use crate::records::{NOW, account_id, card_order, cents, fund, later, order_id, product, store};

/// The ids on each page of the list.
async fn order_pages(table: &Table, range: OrderRange, limit: u8) -> Checked<Vec<Vec<OrderId>>> {
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = table.orders(&account_id(), range, after.as_ref(), limit).await?;
        pages.push(page.items.into_iter().map(|record| record.order.id).collect());
        match page.next {
            Some(next) => after = Some(Position::parse(&next).ok_or("a position")?),
            None => return Ok(pages),
        }
    }
}

/// Seven orders, of which the second to the fourth are of one moment; newest first.
async fn seven(table: &Table) -> Checked<Vec<OrderId>> {
    let mut listed = Vec::new();
    for (number, at) in [0, 10, 10, 10, 20, 30, 40].into_iter().enumerate() {
        let record = card_order(&number.to_string(), "1", later(at));
        store(table, Commit::default().order(&record, NOW)).await?;
        listed.push((later(at), record.order.id));
    }
    let stranger = card_order("stranger", "1", later(10));
    let account = AccountId::parse("acme2")?;
    let stranger = OrderRecord { order: Order { account, ..stranger.order }, ..stranger };
    store(table, Commit::default().order(&stranger, NOW)).await?;
    listed.sort();
    Ok(listed.into_iter().rev().map(|(_, id)| id).collect())
}

#[tokio::test]
async fn pages_of_orders_list_each_order_once_newest_first() -> Checked {
    on_each(async |engine| {
        let table = engine.table();
        let all = seven(&table).await?;
        let range = OrderRange::default();
        for limit in [1, 2, 3, 4, 6, 8, 100] {
            let pages = order_pages(&table, range, limit).await?;
            assert_eq!(pages.concat(), all, "pages of {limit}");
            // A list that ends with a full page has an empty one behind it.
            let count = 7_usize.div_euclid(limit.into()) + 1;
            assert_eq!(pages.len(), count, "pages of {limit}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_range_of_orders_includes_both_of_its_moments() -> Checked {
    on_each(async |engine| {
        let table = engine.table();
        let all = seven(&table).await?;
        let cases = [
            (None, None, 0..7),
            (Some(10), None, 0..6),
            (None, Some(10), 3..7),
            (Some(10), Some(10), 3..6),
            (Some(11), Some(30), 1..3),
            (Some(41), None, 0..0),
            (Some(30), Some(10), 0..0),
        ];
        for (from, to, expected) in cases {
            let range = OrderRange { from: from.map(later), to: to.map(later) };
            for limit in [1, 2, 100] {
                let found = order_pages(&table, range, limit).await?.concat();
                assert_eq!(found, all[expected.clone()], "{range:?}, pages of {limit}");
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_page_shows_orders_as_they_are_now() -> Checked {
    on_each(async |engine| {
        let table = engine.table();
        fund(&table, "100").await?;
        let page = table.orders(&account_id(), OrderRange::default(), None, 10).await?;
        let current = table.order(&order_id("funds")).await?.ok_or("an order")?;
        assert_eq!((current.version, page.next), (2, None));
        assert_eq!(page.items, [current]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hundred_orders_as_large_as_they_can_be_made_fit_into_one_page() -> Checked {
    on_each(async |engine| {
        let table = engine.table();
        let mut large = card_order("large", "1", NOW);
        let words = (10..26).map(|word| (word.to_string(), "x".repeat(500)));
        large.request.metadata = words.collect();
        large.request.return_url = Some("x".repeat(2_000));
        large.checkout.as_mut().ok_or("a page")?.return_url = "x".repeat(2_000);
        let mut stored = Vec::new();
        for number in 0..100 {
            let id = order_id(&number.to_string());
            stored.push(id.clone());
            let order = Order { id, ..large.order.clone() };
            store(&table, Commit::default().order(&OrderRecord { order, ..large.clone() }, NOW))
                .await?;
        }
        stored.sort_by(|first, second| second.cmp(first));
        let pages = order_pages(&table, OrderRange::default(), 100).await?;
        assert_eq!(pages.concat(), stored);
        // DynamoDB Local counts the whole orders into the megabyte that a page of their keys has.
        let lengths: Vec<_> = pages.iter().map(Vec::len).collect();
        assert_eq!(lengths, engine.differs(vec![100, 0], vec![84, 16]));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn pages_of_entries_list_each_entry_once_newest_first() -> Checked {
    on_each(async |engine| {
        let table = engine.table();
        fund(&table, "100").await?;
        for number in 2..=7 {
            let account = table.account(&account_id()).await?.ok_or("an account")?;
            let command = Transfer {
                order_id: order_id(&number.to_string()),
                product: product("sms"),
                amount: cents(1),
                by: Actor::parse("a key")?,
            };
            let (_, decision) = transfer(&account, &command, NOW)?;
            store(&table, Commit::default().decision(&decision)).await?;
        }
        for limit in [1, 2, 3, 7, 8, 100] {
            let (mut numbers, mut pages, mut below) = (Vec::new(), 0, None);
            loop {
                let page = table.entries(&account_id(), below, limit).await?;
                numbers.extend(page.items.iter().map(|entry| entry.number));
                pages += 1;
                match page.next {
                    Some(next) => below = Some(u64::from_str_radix(&next, 10)?),
                    None => break,
                }
            }
            assert_eq!(numbers, [7, 6, 5, 4, 3, 2, 1], "pages of {limit}");
            // The first entry of a journal is known to be the last of the list.
            assert_eq!(pages, 7_usize.div_ceil(limit.into()), "pages of {limit}");
        }
        let below = table.entries(&account_id(), Some(3), 100).await?.items;
        assert_eq!(below.iter().map(|entry| entry.number).collect::<Vec<_>>(), [2, 1]);
        assert!(table.entries(&account_id(), Some(1), 100).await?.items.is_empty());
        Ok(())
    })
    .await
}
