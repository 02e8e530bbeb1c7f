//! What went back of an account's orders: by the orders, and by the journal.

use std::collections::{BTreeMap, HashMap};

use ledger::{
    Account, AccountId, Broken, Checkpoint, MoneyError, Order, OrderId, ReversalSum, Reversals,
};

use super::Examination;
use crate::error::Error;

const NONE: ReversalSum = ReversalSum::NONE;

/// What went back by the orders of an account, as they are read.
pub(super) struct GoneBack {
    sum: Result<ReversalSum, MoneyError>,
    /// An order that contradicts itself.
    torn: Option<OrderId>,
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

impl Examination<'_> {
    /// Where the orders and the journal are apart in what went back: an order that does not say what its entries say, or
    /// the refund or dispute of an entry that no order knows. `None` if they are not any more.
    pub(super) async fn apart(
        &self,
        back: &GoneBack,
        account: &Account,
    ) -> Result<Option<Broken>, Error> {
        if let Some(order) = back.torn.clone() {
            return Ok(Some(Broken::OrderReversals { order }));
        }
        // By order, as its entries say and as it says itself; and whose each refund and dispute is.
        let (mut sums, mut owners) = (BTreeMap::new(), HashMap::new());
        self.each_order(&mut |order| {
            let Reversals { refunds, disputes, .. } = &order.reversals;
            let refunds = refunds.iter().map(|refund| refund.id.as_str());
            let documents = refunds.chain(disputes.iter().map(|dispute| dispute.id.as_str()));
            owners.extend(documents.map(|document| (document.to_owned(), order.id.clone())));
            if order.account == account.id && order.reversals != Reversals::default() {
                sums.extend([(order.id.clone(), (Ok(NONE), NONE.and_of(&order)))]);
            }
        })
        .await?;
        let mut unknown = None;
        self.each_entry(0, account.entries, &mut |entry| {
            let owner = owners.get(&entry.document_id).and_then(|order| sums.get_mut(order));
            match owner {
                Some((journal, _)) => *journal = journal.and_then(|sum| sum.and(entry)),
                None if entry.kind.is_of_reversals() => {
                    unknown.get_or_insert_with(|| entry.document_id.clone());
                }
                None => {}
            }
        })
        .await?;
        let mut differing = sums.iter().filter(|(_, (journal, order))| journal != order);
        let differing = differing.next().map(|(order, _)| order.as_str().to_owned());
        Ok(differing.or(unknown).map(|document| Broken::Reversals { document }))
    }
}
