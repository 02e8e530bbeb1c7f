//! Reads of known keys: strongly consistent.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use ledger::{
    Account, AccountId, Adjustment, AdjustmentId, ChargeId, Entry, EventId, HoldId, OrderId,
    PaymentId, TransferReference,
};
use tracing::error;

use super::items::{
    self, AccountItem, AdjustmentItem, CatalogueItem, ChargeItem, CheckpointItem, ComparisonItem,
    ConsoleSessionItem, CursorItem, EndpointsItem, EventItem, FindingItem, FoundItem, HoldItem,
    KeyItem, Keyed, OrderItem, PaymentItem, ProfileItem, ReferenceItem, SHARDS, StatementItem,
};
use super::lists::readable;
use super::{Item, Table, unavailable};
use crate::accounts::Profile;
use crate::catalogue::CatalogueVersion;
use crate::comparison::Comparison;
use crate::console::ConsoleSession;
use crate::endpoints::Endpoints;
use crate::error::{BrokenRecord, Error, Unavailable};
use crate::events::EventRecord;
use crate::findings::FindingRecord;
use crate::keys::ApiKey;
use crate::record::{
    Changed, ChargeRecord, ClaimOrFinding, HoldRecord, OrderRecord, PaymentClaim, Seen, SeenUsage,
    Statement,
};
use crate::verification::{CheckpointRecord, ShardCursor};
#[cfg(feature = "stripe")]
use crate::{record::ReversalClaim, sweep::SweepCursor};
#[cfg(feature = "stripe")]
use ledger::ProviderId;

/// The most keys of one batch.
const MAX_BATCH: usize = 100;
/// How often keys that DynamoDB left unprocessed are asked for again.
const MAX_UNPROCESSED_ROUNDS: u32 = 5;
const UNPROCESSED_PAUSE: Duration = Duration::from_millis(20);

impl Table {
    /// The order and the account that a use case decides on, in one request.
    ///
    /// The two are each current, but not of one moment: a refusal on an order that was not found
    /// asks for the order once more ([`Table::order`]).
    ///
    /// # Errors
    /// [`Unavailable`], also while keys stay unprocessed: unread is never absent.
    pub async fn seen(&self, order: &OrderId, account: &AccountId) -> Result<Seen, Error> {
        self.seen_of(order, account, None).await
    }

    /// The same, and the finding that this payment leads to: a second request, if there is one.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn seen_paid(
        &self,
        order: &OrderId,
        account: &AccountId,
        payment: &PaymentId,
    ) -> Result<Seen, Error> {
        self.seen_of(order, account, Some(payment)).await
    }

    async fn seen_of(
        &self,
        order: &OrderId,
        account: &AccountId,
        payment: Option<&PaymentId>,
    ) -> Result<Seen, Error> {
        let mut keys = vec![
            key(OrderItem::SORT_KEY, order.as_str()),
            key(AccountItem::SORT_KEY, account.as_str()),
        ];
        keys.extend(payment.map(|payment| {
            let partition = items::partition_key(PaymentItem::SORT_KEY, payment.as_str());
            exact_key(&partition, FoundItem::SORT_KEY)
        }));
        let mut seen = Seen { order: None, account: None, finding: None };
        let mut found = None;
        for item in self.batch(keys).await? {
            match items::kind(&item) {
                OrderItem::SORT_KEY => seen.order = Some(items::to_order(item)?),
                FoundItem::SORT_KEY => found = Some(items::to_found(item)?),
                _ => seen.account = Some(items::to_account(item)?),
            }
        }
        if let Some(id) = found {
            seen.finding = self.finding(&id).await?;
        }
        Ok(seen)
    }

    /// The account, and the charge and the hold that a use is decided on, in one request. As with
    /// [`Table::seen`], they are not of one moment.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn seen_usage(
        &self,
        account: &AccountId,
        charge: Option<&ChargeId>,
        hold: Option<&HoldId>,
    ) -> Result<SeenUsage, Error> {
        let mut keys = vec![key(AccountItem::SORT_KEY, account.as_str())];
        keys.extend(charge.map(|id| key(ChargeItem::SORT_KEY, id.as_str())));
        keys.extend(hold.map(|id| key(HoldItem::SORT_KEY, id.as_str())));
        let mut seen = SeenUsage { charge: None, hold: None, account: None };
        for item in self.batch(keys).await? {
            match items::kind(&item) {
                ChargeItem::SORT_KEY => seen.charge = Some(items::to_charge(item)?),
                HoldItem::SORT_KEY => seen.hold = Some(items::to_hold(item)?),
                _ => seen.account = Some(items::to_account(item)?),
            }
        }
        Ok(seen)
    }

    /// The charges of these ids that there are, and the account, in one request. As with
    /// [`Table::seen`], they are not of one moment.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn seen_charges(
        &self,
        account: &AccountId,
        ids: &[ChargeId],
    ) -> Result<(BTreeMap<ChargeId, ChargeRecord>, Option<Account>), Error> {
        let charges = ids.iter().map(|id| key(ChargeItem::SORT_KEY, id.as_str()));
        let account = key(AccountItem::SORT_KEY, account.as_str());
        let (mut known, mut found) = (BTreeMap::new(), None);
        for item in self.batch(charges.chain([account]).collect()).await? {
            match items::kind(&item) {
                ChargeItem::SORT_KEY => {
                    let record = items::to_charge(item)?;
                    known.insert(record.charge.id.clone(), record);
                }
                _ => found = Some(items::to_account(item)?),
            }
        }
        Ok((known, found))
    }

    /// The charges of these ids that there are.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn charges(
        &self,
        ids: &[ChargeId],
    ) -> Result<BTreeMap<ChargeId, ChargeRecord>, Error> {
        let keys = ids.iter().map(|id| key(ChargeItem::SORT_KEY, id.as_str()));
        let records = self.batch(keys.collect()).await?.into_iter().map(items::to_charge);
        records.map(|record| Ok(record.map(|record| (record.charge.id.clone(), record))?)).collect()
    }

    /// One charge.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn charge(&self, id: &ChargeId) -> Result<Option<ChargeRecord>, Error> {
        let item = self.get(key(ChargeItem::SORT_KEY, id.as_str())).await?;
        Ok(item.map(items::to_charge).transpose()?)
    }

    /// One hold.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn hold(&self, id: &HoldId) -> Result<Option<HoldRecord>, Error> {
        let item = self.get(key(HoldItem::SORT_KEY, id.as_str())).await?;
        Ok(item.map(items::to_hold).transpose()?)
    }

    /// One event.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn event(&self, id: &EventId) -> Result<Option<EventRecord>, Error> {
        let item = self.get(key(EventItem::SORT_KEY, id.as_str())).await?;
        Ok(item.map(items::to_event).transpose()?)
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

    /// One entry of an account's journal.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn entry(&self, account: &AccountId, number: u64) -> Result<Option<Entry>, Error> {
        let key = exact_key(&items::journal_key(account), &items::entry_sort_key(number));
        Ok(self.get(key).await?.map(items::to_entry).transpose()?)
    }

    /// One API key, by the id in the middle of it.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn api_key(&self, id: &str) -> Result<Option<ApiKey>, Error> {
        let item = self.get(key(KeyItem::SORT_KEY, id)).await?;
        Ok(item.map(items::to_api_key).transpose()?)
    }

    /// The session of the console with this id.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn console_session(&self, id: &str) -> Result<Option<ConsoleSession>, Error> {
        let item = self.get(key(ConsoleSessionItem::SORT_KEY, id)).await?;
        Ok(item.map(items::to_console_session).transpose()?)
    }

    /// The catalogue.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn catalogue(&self) -> Result<Option<CatalogueVersion>, Error> {
        let kind = CatalogueItem::SORT_KEY;
        Ok(self.get(exact_key(kind, kind)).await?.map(items::to_catalogue).transpose()?)
    }

    /// All endpoints.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn endpoints(&self) -> Result<Endpoints, Error> {
        let kind = EndpointsItem::SORT_KEY;
        let item = self.get(exact_key(kind, kind)).await?;
        Ok(item.map(items::to_endpoints).transpose()?.unwrap_or_default())
    }

    /// An account and its profile, in one request.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn account_with_profile(
        &self,
        id: &AccountId,
    ) -> Result<(Option<Account>, Option<Profile>), Error> {
        let partition = items::partition_key(AccountItem::SORT_KEY, id.as_str());
        let profile = exact_key(&partition, ProfileItem::SORT_KEY);
        let (mut account, mut found) = (None, None);
        for item in self.batch(vec![key(AccountItem::SORT_KEY, id.as_str()), profile]).await? {
            match items::kind(&item) {
                ProfileItem::SORT_KEY => found = Some(items::to_profile(item)?),
                _ => account = Some(items::to_account(item)?),
            }
        }
        Ok((account, found))
    }

    /// Where the sweep stopped; the beginning if it never did.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    #[cfg(feature = "stripe")]
    pub async fn sweep_cursor(&self) -> Result<SweepCursor, Error> {
        let item = self.get(key(CursorItem::SORT_KEY, items::SWEEP)).await?;
        let anew = |version| SweepCursor { version, ..SweepCursor::default() };
        Ok(item.map_or(anew(0), |item| or_anew(item, items::to_sweep_cursor, anew)))
    }

    /// Where the verification of each shard stopped, in the order of the shards.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn shard_cursors(&self) -> Result<Vec<ShardCursor>, Error> {
        let keys = (0..SHARDS).map(|shard| key(CursorItem::SORT_KEY, &items::verifying(shard)));
        let mut known = self.batch(keys.collect()).await?;
        let cursors = (0..SHARDS).map(|shard| {
            let never = ShardCursor::never(shard);
            let key = key(CursorItem::SORT_KEY, &items::verifying(shard));
            let item = known.iter().position(|item| item.get("pk") == key.get("pk"));
            item.map(|position| known.swap_remove(position)).map_or(never.clone(), |item| {
                or_anew(item, items::to_shard_cursor, |version| ShardCursor { version, ..never })
            })
        });
        Ok(cursors.collect())
    }

    /// How far an account was verified; none if it never was.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn checkpoint(&self, account: &AccountId) -> Result<Option<CheckpointRecord>, Error> {
        let item = self.get(key(CheckpointItem::SORT_KEY, account.as_str())).await?;
        Ok(item.map(items::to_checkpoint).transpose()?)
    }

    /// An uploaded statement.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn statement(&self, id: &str) -> Result<Option<Statement>, Error> {
        let item = self.get(key(StatementItem::SORT_KEY, id)).await?;
        Ok(item.map(items::to_statement).transpose()?)
    }

    /// The orders that these reference codes belong to.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn referenced_orders(
        &self,
        codes: &[TransferReference],
    ) -> Result<Vec<OrderRecord>, Error> {
        let keys = codes.iter().map(|code| key(ReferenceItem::SORT_KEY, code.as_str()));
        let orders = readable(self.batch(keys.collect()).await?, items::to_reference);
        self.orders_of(&orders).await
    }

    /// These orders, those that there are and that can be read.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn orders_of(&self, ids: &[OrderId]) -> Result<Vec<OrderRecord>, Error> {
        let keys = ids.iter().map(|id| key(OrderItem::SORT_KEY, id.as_str()));
        Ok(readable(self.batch(keys.collect()).await?, items::to_order))
    }

    /// The claims of these payments, those that there are.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn payments(&self, ids: &[PaymentId]) -> Result<Vec<PaymentClaim>, Error> {
        let keys = ids.iter().map(|id| key(PaymentItem::SORT_KEY, id.as_str())).collect();
        let claims = self.batch(keys).await?.into_iter().map(items::to_payment);
        Ok(claims.collect::<Result<_, _>>()?)
    }

    /// The claim of a payment, or else the finding that it is: whoever took the payment back finds
    /// out whose it was.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn payment_or_finding(
        &self,
        id: &PaymentId,
    ) -> Result<Option<ClaimOrFinding>, Error> {
        let partition = items::partition_key(PaymentItem::SORT_KEY, id.as_str());
        let keys = [PaymentItem::SORT_KEY, FoundItem::SORT_KEY];
        let keys = keys.into_iter().map(|sort| exact_key(&partition, sort)).collect();
        let mut found = None;
        for item in self.batch(keys).await? {
            match items::kind(&item) {
                PaymentItem::SORT_KEY => {
                    return Ok(Some(ClaimOrFinding::Claim(items::to_payment(item)?)));
                }
                _ => found = Some(items::to_found(item)?),
            }
        }
        Ok(found.map(ClaimOrFinding::Finding))
    }

    /// One finding.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn finding(&self, id: &str) -> Result<Option<FindingRecord>, Error> {
        let item = self.get(key(FindingItem::SORT_KEY, id)).await?;
        Ok(item.map(items::to_finding).transpose()?)
    }

    /// The claim of a refund or dispute of the provider.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    #[cfg(feature = "stripe")]
    pub async fn reversal(&self, id: &ProviderId) -> Result<Option<ReversalClaim>, Error> {
        let item = self.get(key(items::ReversalItem::SORT_KEY, id.as_str())).await?;
        Ok(item.map(items::to_reversal).transpose()?)
    }

    /// A comparison with the provider.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn comparison(&self, id: &str) -> Result<Option<Comparison>, Error> {
        let item = self.get(key(ComparisonItem::SORT_KEY, id)).await?;
        Ok(item.map(items::to_comparison).transpose()?)
    }

    /// One adjustment.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn adjustment(&self, id: &AdjustmentId) -> Result<Option<Adjustment>, Error> {
        let item = self.get(key(AdjustmentItem::SORT_KEY, id.as_str())).await?;
        Ok(item.map(items::to_adjustment).transpose()?)
    }

    /// The profiles of these accounts, those that there are.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn profiles(&self, ids: &[AccountId]) -> Result<Vec<Profile>, Error> {
        let keys = ids.iter().map(|id| {
            let partition = items::partition_key(AccountItem::SORT_KEY, id.as_str());
            exact_key(&partition, ProfileItem::SORT_KEY)
        });
        Ok(readable(self.batch(keys.collect()).await?, items::to_profile))
    }

    /// What the operator made something at a version: the catalogue, or an account.
    ///
    /// # Errors
    /// [`Unavailable`] or an unreadable item.
    pub async fn change(&self, what: &str, version: u64) -> Result<Option<Changed>, Error> {
        let partition = items::partition_key("CHANGE", what);
        let item = self.get(exact_key(&partition, &items::entry_sort_key(version))).await?;
        Ok(item.map(items::to_change).transpose()?)
    }

    async fn get(&self, key: Item) -> Result<Option<Item>, Unavailable> {
        let request = self.client.get_item().table_name(&self.name).set_key(Some(key));
        let answer = request.consistent_read(true).send().await.map_err(unavailable)?;
        Ok(answer.item)
    }

    /// All items of the keys, in any order, asked for by hundreds. A key that stays unprocessed is
    /// an error, never an item that is not there.
    pub(super) async fn batch(&self, keys: Vec<Item>) -> Result<Vec<Item>, Error> {
        let mut found = Vec::with_capacity(keys.len());
        for some in keys.chunks(MAX_BATCH) {
            self.batch_of_hundred(some.to_vec(), &mut found).await?;
        }
        Ok(found)
    }

    async fn batch_of_hundred(
        &self,
        mut keys: Vec<Item>,
        found: &mut Vec<Item>,
    ) -> Result<(), Error> {
        for round in 0..MAX_UNPROCESSED_ROUNDS {
            if keys.is_empty() {
                return Ok(());
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
            true => Ok(()),
            false => Err(Unavailable::Table("keys stayed unprocessed".to_owned()).into()),
        }
    }
}

pub(super) fn key(kind: &str, id: &str) -> Item {
    exact_key(&items::partition_key(kind, id), kind)
}

fn exact_key(partition: &str, sort: &str) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(partition.to_owned())),
        ("sk".to_owned(), AttributeValue::S(sort.to_owned())),
    ])
}

/// An account that must exist because something of it was read.
///
/// # Errors
/// [`BrokenRecord::Missing`].
pub fn must_exist(account: Option<Account>, id: &AccountId) -> Result<Account, BrokenRecord> {
    account.ok_or_else(|| BrokenRecord::Missing(format!("account {id}")))
}

/// Where a run stopped. That is a hint: if it cannot be read the run begins anew, and replaces it.
fn or_anew<T>(
    item: Item,
    read: impl FnOnce(Item) -> Result<T, BrokenRecord>,
    anew: impl FnOnce(u64) -> T,
) -> T {
    let version = item.get("version").cloned();
    let version = version.and_then(|version| serde_dynamo::from_attribute_value(version).ok());
    read(item).unwrap_or_else(|cause| {
        error!(%cause, "a run begins anew");
        anew(version.unwrap_or_default())
    })
}
