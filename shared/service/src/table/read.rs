//! Reads: strongly consistent, except for the index pages that name what is then read.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use ledger::{Account, AccountId, OrderId, Timestamp};

use super::items::{self, AccountItem, Keyed, OrderItem};
use super::items_order::listed_under;
use super::{Item, Table, unavailable};
use crate::catalogue::Catalogue;
use crate::error::{BrokenRecord, Error, Unavailable};
use crate::keys::ApiKey;
use crate::record::{EntryPage, OrderRecord, Page, Seen};
use crate::stamp;

/// How often keys that DynamoDB left unprocessed are asked for again.
const MAX_UNPROCESSED_ROUNDS: u32 = 5;
const UNPROCESSED_PAUSE: Duration = Duration::from_millis(20);

/// Where a page of orders starts: the index position after which it continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPosition(String);

/// The moments between which orders are listed, both included.
#[derive(Debug, Clone, Copy, Default)]
pub struct OrderRange {
    /// No order older than this.
    pub from: Option<Timestamp>,
    /// No order newer than this.
    pub to: Option<Timestamp>,
}

impl OrderPosition {
    /// Reads a position that a [`Page`] gave out.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (at, id) = text.split_once('#')?;
        (stamp::parse(at).is_some() && OrderId::parse(id).is_ok()).then(|| Self(text.to_owned()))
    }

    fn start_key(&self, account: &AccountId) -> Item {
        let id = self.0.split_once('#').map_or("", |(_, id)| id);
        let text = |value: &str| AttributeValue::S(value.to_owned());
        HashMap::from([
            ("pk".to_owned(), text(&items::partition_key(OrderItem::SORT_KEY, id))),
            ("sk".to_owned(), text(OrderItem::SORT_KEY)),
            ("listed_under".to_owned(), text(&listed_under(account))),
            ("listed_at".to_owned(), text(&self.0)),
        ])
    }
}

impl Table {
    /// The order and the account that a use case decides on, in one request.
    ///
    /// The two are each current, but not of one moment: a refusal on an order that was not found
    /// asks for the order once more ([`Table::order`]).
    ///
    /// # Errors
    /// [`Unavailable`], also while keys stay unprocessed: unread is never absent.
    pub async fn seen(&self, order: &OrderId, account: &AccountId) -> Result<Seen, Error> {
        let keys = vec![
            key(OrderItem::SORT_KEY, order.as_str()),
            key(AccountItem::SORT_KEY, account.as_str()),
        ];
        let mut seen = Seen { order: None, account: None };
        for item in self.batch(keys).await? {
            match items::kind(&item) {
                OrderItem::SORT_KEY => seen.order = Some(items::to_order(item)?),
                _ => seen.account = Some(items::to_account(item)?),
            }
        }
        Ok(seen)
    }

    /// One order.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn order(&self, id: &OrderId) -> Result<Option<OrderRecord>, Error> {
        let item = self.get(key(OrderItem::SORT_KEY, id.as_str())).await?;
        Ok(item.map(items::to_order).transpose()?)
    }

    /// One order of this account.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for somebody else's order; [`Unavailable`]; an unreadable item.
    pub async fn owned_order(
        &self,
        account: &AccountId,
        id: &OrderId,
    ) -> Result<OrderRecord, Error> {
        let record = self.order(id).await?.filter(|record| record.order.account == *account);
        record.ok_or(Error::NotFound { what: "order" })
    }

    /// One account.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn account(&self, id: &AccountId) -> Result<Option<Account>, Error> {
        let item = self.get(key(AccountItem::SORT_KEY, id.as_str())).await?;
        Ok(item.map(items::to_account).transpose()?)
    }

    /// One API key, by the id in the middle of it.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn api_key(&self, id: &str) -> Result<Option<ApiKey>, Error> {
        let item = self.get(key("KEY", id)).await?;
        Ok(item.map(items::to_api_key).transpose()?)
    }

    /// The catalogue and its version.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn catalogue(&self) -> Result<Option<(Catalogue, u64)>, Error> {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let key = HashMap::from([
            ("pk".to_owned(), text("CATALOGUE")),
            ("sk".to_owned(), text("CATALOGUE")),
        ]);
        Ok(self.get(key).await?.map(items::to_catalogue).transpose()?)
    }

    /// A page of an account's orders, newest first: an index page, and the orders that it names
    /// as they are now.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn orders(
        &self,
        account: &AccountId,
        range: OrderRange,
        after: Option<&OrderPosition>,
        limit: u8,
    ) -> Result<Page<OrderRecord>, Error> {
        let oldest = stamp::format(range.from.unwrap_or(Timestamp::from_unix_millis(0)));
        // '~' sorts after every id, so that the last millisecond is included.
        let newest = range.to.map_or_else(|| "~".to_owned(), |to| stamp::format(to) + "~");
        // DynamoDB refuses a range that ends before it begins.
        if newest < oldest {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let page = self
            .client
            .query()
            .table_name(&self.name)
            .index_name("by_time")
            .key_condition_expression("listed_under = :under AND listed_at BETWEEN :from AND :to")
            .expression_attribute_values(":under", AttributeValue::S(listed_under(account)))
            .expression_attribute_values(":from", AttributeValue::S(oldest))
            .expression_attribute_values(":to", AttributeValue::S(newest))
            .scan_index_forward(false)
            .limit(limit.into())
            .set_exclusive_start_key(after.map(|position| position.start_key(account)))
            .send()
            .await
            .map_err(unavailable)?;
        let next = page.last_evaluated_key.as_ref().and_then(|key| text_of(key, "listed_at"));
        let keys: Vec<Item> = page.items.unwrap_or_default().iter().map(key_of).collect();
        let mut orders = Vec::with_capacity(keys.len());
        for item in self.batch(keys).await? {
            orders.push(items::to_order(item)?);
        }
        let newest_first = |record: &OrderRecord| {
            std::cmp::Reverse((record.order.created_at, record.order.id.clone()))
        };
        orders.sort_by_key(newest_first);
        Ok(Page { items: orders, next })
    }

    /// A page of an account's journal, newest first, below an entry number.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn entries(
        &self,
        account: &AccountId,
        below: Option<u64>,
        limit: u8,
    ) -> Result<EntryPage, Error> {
        let below = items::entry_sort_key(below.unwrap_or(999_999_999_999));
        let page = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :journal AND sk < :below")
            .expression_attribute_values(":journal", AttributeValue::S(items::journal_key(account)))
            .expression_attribute_values(":below", AttributeValue::S(below))
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(limit.into())
            .send()
            .await
            .map_err(unavailable)?;
        let entries = page.items.unwrap_or_default().into_iter().map(items::to_entry);
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let more = page.last_evaluated_key.is_some();
        let next = entries.last().filter(|last| more && last.number > 1);
        let next = next.map(|last| last.number.to_string());
        Ok(Page { items: entries, next })
    }

    async fn get(&self, key: Item) -> Result<Option<Item>, Unavailable> {
        let request = self.client.get_item().table_name(&self.name).set_key(Some(key));
        let answer = request.consistent_read(true).send().await.map_err(unavailable)?;
        Ok(answer.item)
    }

    /// All items of the keys, at most 100. A key that stays unprocessed is an error, never an
    /// item that is not there.
    async fn batch(&self, keys: Vec<Item>) -> Result<Vec<Item>, Error> {
        let mut found = Vec::with_capacity(keys.len());
        let mut keys = keys;
        for round in 0..MAX_UNPROCESSED_ROUNDS {
            if keys.is_empty() {
                return Ok(found);
            }
            let asked = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
            let asked = asked.build().map_err(unavailable)?;
            let request = self.client.batch_get_item().request_items(&self.name, asked);
            let answer = request.send().await.map_err(unavailable)?;
            let mut responses = answer.responses.unwrap_or_default();
            found.extend(responses.remove(&self.name).unwrap_or_default());
            let mut left = answer.unprocessed_keys.unwrap_or_default();
            keys = left.remove(&self.name).map(|left| left.keys).unwrap_or_default();
            if !keys.is_empty() {
                tokio::time::sleep(UNPROCESSED_PAUSE.saturating_mul(1 << round)).await;
            }
        }
        match keys.is_empty() {
            true => Ok(found),
            false => Err(Unavailable::Table("keys stayed unprocessed".to_owned()).into()),
        }
    }
}

fn key(kind: &str, id: &str) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(items::partition_key(kind, id))),
        ("sk".to_owned(), AttributeValue::S(kind.to_owned())),
    ])
}

fn key_of(item: &Item) -> Item {
    let names = ["pk", "sk"].into_iter();
    names.filter_map(|name| Some((name.to_owned(), item.get(name)?.clone()))).collect()
}

fn text_of(item: &Item, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}

/// An account that must exist because something of it was read.
///
/// # Errors
/// [`BrokenRecord::Missing`].
pub fn must_exist(account: Option<Account>, id: &AccountId) -> Result<Account, BrokenRecord> {
    account.ok_or_else(|| BrokenRecord::Missing(format!("account {id}")))
}
