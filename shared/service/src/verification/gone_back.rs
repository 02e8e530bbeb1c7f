//! What went back of an account's orders: by the orders, and by the journal.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use ledger::{
    AccountId, Broken, Checkpoint, Entry, MoneyError, Order, OrderId, ReversalSum, Reversals,
};
use tokio::time::sleep;

use super::Examination;
use crate::error::Error;

const NONE: ReversalSum = ReversalSum::NONE;
/// So often it is tried to read orders and journal without anything going back in between.
const TRIES: u32 = 3;
/// A commit that shows in one of its items may show another one as it was for a moment.
const SETTLED: Duration = Duration::from_millis(200);
/// Refunds and disputes of one account that are held in memory at a time.
const DOCUMENTS_HELD: usize = 100_000;

/// What went back by the orders of an account, as they are read.
pub(super) struct GoneBack {
    sum: Result<ReversalSum, MoneyError>,
    /// An order that contradicts itself.
    torn: Option<OrderId>,
}

/// Whether orders and journal are apart in what went back.
pub(super) enum Compared {
    Same,
    Apart(Broken),
    /// Something went back each time while they were read.
    Unknown,
}

/// What each order says that went back of it, beside what its entries say.
#[derive(Default)]
struct ByOrder {
    /// Whose each refund and dispute is.
    owners: HashMap<String, OrderId>,
    /// By the entries, and by the order.
    sums: BTreeMap<OrderId, [Result<ReversalSum, MoneyError>; 2]>,
    /// The refund or dispute of an entry that no order knows.
    unknown: Option<String>,
    /// Whether there are more than are held.
    more: bool,
}

impl Default for GoneBack {
    fn default() -> Self {
        Self { sum: Ok(NONE), torn: None }
    }
}

impl GoneBack {
    /// Takes one more order of the account.
    pub(super) fn take(&mut self, order: &Order, account: &AccountId) {
        if order.account != *account {
            return;
        }
        self.sum = self.sum.and_then(|sum| sum.and_of(order));
        if self.torn.is_none() && !order.reversals_follow() {
            self.torn = Some(order.id.clone());
        }
    }

    /// Whether the journal says the same.
    pub(super) fn agrees(&self, journal: &Checkpoint) -> bool {
        self.torn.is_none() && self.sum == Ok(journal.reversals)
    }
}

impl ByOrder {
    fn order(&mut self, order: &Order) {
        if order.reversals == Reversals::default() {
            return;
        }
        if self.owners.len() >= DOCUMENTS_HELD {
            self.more = true;
            return;
        }
        let Reversals { refunds, disputes, .. } = &order.reversals;
        let refunds = refunds.iter().map(|refund| refund.id.as_str());
        let documents = refunds.chain(disputes.iter().map(|dispute| dispute.id.as_str()));
        self.owners.extend(documents.map(|document| (document.to_owned(), order.id.clone())));
        self.sums.extend([(order.id.clone(), [Ok(NONE), NONE.and_of(order)])]);
    }

    fn entry(&mut self, entry: &Entry) {
        if !entry.kind.is_of_reversals() {
            return;
        }
        let owner = self.owners.get(&entry.document_id);
        match owner.and_then(|order| self.sums.get_mut(order)) {
            Some([journal, _]) => *journal = journal.and_then(|sum| sum.and(entry)),
            None => {
                self.unknown.get_or_insert_with(|| entry.document_id.clone());
            }
        }
    }

    /// Where to look: an order that does not say what its entries say, or what no order knows.
    fn first(self) -> Option<String> {
        let mut differing = self.sums.iter().filter(|(_, [journal, order])| journal != order);
        let differing = differing.next().map(|(order, _)| order.as_str().to_owned());
        differing.or(self.unknown).filter(|_| !self.more)
    }
}

impl Examination<'_> {
    /// Compares what went back order by order, as the sums are apart.
    pub(super) async fn gone_back(&mut self) -> Result<Compared, Error> {
        for _ in 0..TRIES {
            let before = self.account().await?;
            sleep(SETTLED).await;
            let (mut back, mut by_order) = (GoneBack::default(), ByOrder::default());
            self.each_order(&mut |order| {
                back.take(&order, &before.id);
                if order.account == before.id {
                    by_order.order(&order);
                }
            })
            .await?;
            // It is one item, and so of one moment, whatever goes back meanwhile.
            if let Some(order) = back.torn {
                return Ok(Compared::Apart(Broken::OrderReversals { order }));
            }
            sleep(SETTLED).await;
            let account = self.follow().await?;
            let mut moving = false;
            self.each_entry(0, account.entries, &mut |entry| {
                moving = moving || entry.number > before.entries && entry.kind.is_of_reversals();
                by_order.entry(entry);
            })
            .await?;
            if moving {
                continue;
            }
            if back.agrees(&self.record.checkpoint) {
                return Ok(Compared::Same);
            }
            let somewhere = || "every order that something went back of".to_owned();
            let document = by_order.first().unwrap_or_else(somewhere);
            return Ok(Compared::Apart(Broken::Reversals { document }));
        }
        Ok(Compared::Unknown)
    }
}
