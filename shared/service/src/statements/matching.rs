//! The orders that a statement's lines may pay: those whose reference code stands in a line, whatever
//! became of them, and all that are open.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{AccountId, Candidate, Doubt, Name, OrderId, TransferReference, match_statement};

use super::credited::Credited;
use super::{MatchedLine, MatchedStatement, Parsed, Statements};
use crate::error::Error;
use crate::record::{OrderRecord, Page, Statement};
use crate::table::{Position, SHARDS};

/// Most open orders that a statement is matched with.
const MAX_CANDIDATES: usize = 5_000;
/// Orders a page while they are read.
const PAGE: u8 = 100;

/// The orders that were found, each once.
#[derive(Default)]
struct Found {
    orders: BTreeMap<OrderId, OrderRecord>,
    /// Whether there are more than were read.
    more: bool,
}

impl Statements {
    /// What each line of a statement may pay, or was credited to.
    pub(super) async fn matched(
        &self,
        statement: Statement,
        parsed: Parsed,
    ) -> Result<MatchedStatement, Error> {
        let codes =
            parsed.lines.iter().flat_map(|line| TransferReference::all_in(&line.information));
        let codes: BTreeSet<TransferReference> = codes.collect();
        let named = self.table().referenced_orders(&codes.into_iter().collect::<Vec<_>>()).await?;
        let Credited { mut credited, mut used } =
            self.credited(&statement, &parsed, &named).await?;
        let Parsed { mut lines, skipped, .. } = parsed;
        for line in lines.iter_mut().filter(|line| used.contains_key(&line.number)) {
            line.doubt = line.doubt.or(Some(Doubt::ReferenceUsed));
        }
        let (candidates, complete) = self.candidates(named).await?;
        let mut proposals = match_statement(&statement.account, &lines, &candidates);
        let lines = lines.into_iter().map(|line| {
            let (credited, used) = (credited.remove(&line.number), used.remove(&line.number));
            let proposals = proposals.remove(&line.number).unwrap_or_default();
            let proposals = if credited.is_some() { Vec::new() } else { proposals };
            MatchedLine { line, credited, used, proposals }
        });
        let lines = lines.collect();
        Ok(MatchedStatement { statement, skipped, lines, complete })
    }

    /// All orders that are open, and those that are named.
    async fn candidates(&self, named: Vec<OrderRecord>) -> Result<(Vec<Candidate>, bool), Error> {
        let mut found = Found::default();
        found.add(named);
        self.read_reported(&mut found).await?;
        for shard in 0..SHARDS {
            self.read_awaited(shard, &mut found).await?;
        }
        let unreported = found.orders.values().filter(|record| {
            record.order.bank_transfer.as_ref().is_some_and(|transfer| transfer.report.is_none())
        });
        let owners: BTreeSet<AccountId> =
            unreported.map(|record| record.order.account.clone()).collect();
        let profiles = self.table().profiles(&owners.into_iter().collect::<Vec<_>>()).await?;
        let names: BTreeMap<AccountId, Name> =
            profiles.into_iter().map(|profile| (profile.account, profile.name)).collect();
        let candidates = found.orders.into_values().map(|record| Candidate {
            customer: names.get(&record.order.account).cloned(),
            order: record.order,
        });
        Ok((candidates.collect(), !found.more))
    }

    async fn read_reported(&self, found: &mut Found) -> Result<(), Error> {
        let mut after = None;
        loop {
            let page = self.table().reviews(after.as_ref(), PAGE).await?;
            match found.take(page) {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn read_awaited(&self, shard: u64, found: &mut Found) -> Result<(), Error> {
        let mut after = None;
        loop {
            let page = self.table().awaited_transfers(shard, None, after.as_ref(), PAGE).await?;
            match found.take(page) {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }
}

impl Found {
    fn add(&mut self, records: Vec<OrderRecord>) {
        self.orders.extend(records.into_iter().map(|record| (record.order.id.clone(), record)));
    }

    /// Takes a page, and says where the next one starts if it is to be read.
    fn take(&mut self, page: Page<OrderRecord>) -> Option<Position> {
        let next = page.next_position();
        self.add(page.items);
        let next = next?;
        let full = self.orders.len() >= MAX_CANDIDATES;
        self.more = self.more || full;
        (!full).then_some(next)
    }
}
