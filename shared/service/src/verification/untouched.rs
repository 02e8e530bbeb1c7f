//! The same verification without a trace: nothing is written. So a table can be verified that is
//! not in use yet, such as a restored one, and by whoever may only read.

use ledger::{AccountId, Finding, FindingKind, OrderId, Timestamp};

use super::{CheckpointRecord, Examination, Trace, Verifications, Verified};
use crate::error::Error;
use crate::table::{Position, SHARDS};

/// Accounts a page of the list: only their keys are read.
const LISTED: u8 = 250;

/// What an account is when it is derived again from the first entry of its journal.
#[derive(Debug)]
pub struct Examined {
    /// The account.
    pub account: AccountId,
    /// Entries that were folded.
    pub entries: u64,
    /// Orders that were compared with them.
    pub orders: u64,
    /// What does not hold; nothing, as it should be.
    pub wrong: Vec<Wrong>,
    /// Whether what went back could not be compared, as something went back all the time.
    pub uncompared: bool,
}

/// Something of an account that does not hold.
#[derive(Debug)]
pub struct Wrong {
    /// The finding that the function `verify-accounts` would make of it.
    pub kind: FindingKind,
    /// The order, if it is about one.
    pub order: Option<OrderId>,
    /// Where it breaks.
    pub cause: String,
}

impl Verifications {
    /// All accounts, as the list of them has it.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn accounts(&self) -> Result<Vec<AccountId>, Error> {
        let mut accounts = Vec::new();
        for shard in 0..SHARDS {
            let mut after: Option<Position> = None;
            loop {
                let page = self.table.accounts_of_shard(shard, after.as_ref(), LISTED).await?;
                after = page.next_position();
                accounts.extend(page.items.into_iter().map(|(_, account)| account));
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(accounts)
    }

    /// Verifies one account from its first entry by the rules of the full run, and writes nothing.
    ///
    /// # Errors
    /// The table did not answer. What is wrong with the account is no error.
    pub async fn examine(&self, id: &AccountId, now: Timestamp) -> Result<Examined, Error> {
        let mut examination = Examination {
            table: &self.table,
            stored: None,
            record: CheckpointRecord::new(id.clone(), now),
            trace: Trace::None,
            seen: Verified::NOTHING,
            now,
        };
        let mut uncompared = false;
        let wrong = match examination.compare().await {
            Ok(found) => {
                uncompared = found.uncompared;
                let apart = found.apart.map(|cause| cause.to_string());
                let apart = apart.map(|cause| Wrong::account(FindingKind::JournalBroken, cause));
                found.findings.iter().map(Wrong::of).chain(apart).collect()
            }
            Err(Error::Broken(cause)) => {
                vec![Wrong::account(FindingKind::JournalBroken, cause.to_string())]
            }
            Err(error) => return Err(error),
        };
        let Verified { entries, orders, .. } = examination.seen;
        Ok(Examined { account: id.clone(), entries, orders, wrong, uncompared })
    }
}

impl Wrong {
    const fn account(kind: FindingKind, cause: String) -> Self {
        Self { kind, order: None, cause }
    }

    fn of(finding: &Finding) -> Self {
        let told = |money: Option<ledger::Money>| match money {
            Some(money) => format!("{money} {}", money.currency.code()),
            None => "nothing".to_owned(),
        };
        let (expected, actual) = (told(finding.expected), told(finding.actual));
        let cause = format!("the order says {expected}, the journal {actual}");
        Self { kind: finding.kind, order: finding.order.clone(), cause }
    }
}
