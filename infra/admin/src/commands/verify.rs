//! `verify`: every account derived again from the first entry of its journal, and nothing written.

use std::collections::BTreeSet;

use clap::Args;
use futures_util::stream::{self, StreamExt};
use ledger::{AccountId, OrderId};
use serde_json::{Value, json};
use service::error::Error;
use service::lambda::now;
use service::verification::{Examined, Verifications, Wrong};

use crate::answer::{Answer, Outcome, tell};
use crate::deployment::Which;
use crate::problem::Problem;
use crate::progress;

/// Accounts that are verified at a time.
const AT_ONCE: usize = 8;

/// Derive every account again from its journal, and compare it with its orders; nothing is written
///
/// Reads each journal from its first entry with the rules of the function verify-accounts: numbers,
/// hash chain, sums, balances, holds, and that every credited order has its entry and every entry its
/// order. It writes nothing, so it can be asked of a restored table before that is used, with
/// credentials that may only read. Ends with code 3 if something does not hold, and names the accounts.
/// A run that was interrupted starts again from the beginning.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  topup-admin --stage prod verify --account acme
  topup-admin --table topup-prod-restored verify --json > verified.json")]
pub(crate) struct Verify {
    /// Only this account; several times for several
    #[arg(long = "account", value_name = "ID")]
    accounts: Vec<String>,
}

/// What a run has found so far.
#[derive(Default)]
struct Sum {
    accounts: u64,
    entries: u64,
    orders: u64,
    broken: Vec<Examined>,
    /// Accounts of which money went back all the time.
    uncompared: Vec<AccountId>,
}

pub(crate) async fn run(which: &Which, command: Verify) -> Result<Answer, Problem> {
    let parsed = command.accounts.iter().map(|account| AccountId::parse(account));
    // One that is named twice is one.
    let asked: BTreeSet<_> =
        parsed.collect::<Result<_, _>>().map_err(|error| Problem::asked("--account", error))?;
    let (table, name) = which.table().await?;
    for account in &asked {
        match table.account(account).await {
            Ok(None) => {
                return Err(Problem::Asked(format!("there is no account '{account}' in {name}")));
            }
            // One that cannot be read is there: what is wrong with it is found below.
            Ok(Some(_)) | Err(Error::Broken(_)) => {}
            Err(cause) => return Err(cause.into()),
        }
    }
    let verifications = Verifications { table };
    let accounts = match asked.is_empty() {
        true => {
            let listing = progress::spinner("listing the accounts");
            let accounts = verifications.accounts().await;
            listing.finish_and_clear();
            accounts?
        }
        false => asked.into_iter().collect(),
    };
    let sum = verify(&verifications, &accounts).await?;
    Ok(answer(&sum, &name))
}

async fn verify(verifications: &Verifications, accounts: &[AccountId]) -> Result<Sum, Problem> {
    let bar = progress::bar(u64::try_from(accounts.len()).unwrap_or(u64::MAX), "accounts");
    let examined = accounts.iter().map(|account| verifications.examine(account, now()));
    let mut examined = stream::iter(examined).buffer_unordered(AT_ONCE);
    let mut sum = Sum::default();
    while let Some(one) = examined.next().await {
        let one = one.inspect_err(|_| bar.finish_and_clear())?;
        sum.accounts = sum.accounts.saturating_add(1);
        sum.entries = sum.entries.saturating_add(one.entries);
        sum.orders = sum.orders.saturating_add(one.orders);
        if one.uncompared {
            sum.uncompared.push(one.account.clone());
        }
        if !one.wrong.is_empty() {
            bar.suspend(|| tell(&format!("Account {} does not hold.", one.account)));
            sum.broken.push(one);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    sum.broken.sort_by(|one, other| one.account.cmp(&other.account));
    sum.uncompared.sort();
    Ok(sum)
}

fn answer(sum: &Sum, table: &str) -> Answer {
    let Sum { accounts, entries, orders, broken, uncompared } = sum;
    let wrong = broken.iter().flat_map(|one| one.wrong.iter().map(move |wrong| (one, wrong)));
    let mut lines: Vec<_> = wrong.clone().map(|(one, wrong)| line(one, wrong)).collect();
    lines.extend(uncompared.iter().map(|account| {
        format!(
            "{account}: money went back all the time, so that was not compared: verify it again"
        )
    }));
    let read = format!("{accounts} accounts, {entries} entries and {orders} orders were verified");
    let well = broken.is_empty() && uncompared.is_empty() && *accounts > 0;
    let outcome = if well { Outcome::Well } else { Outcome::MustLook };
    lines.push(match outcome {
        Outcome::Well => format!("{read}: everything holds."),
        Outcome::MustLook if *accounts == 0 => {
            format!("{table} has no account in its list: nothing was verified.")
        }
        Outcome::MustLook => format!("{read}: {} accounts do not hold.", broken.len()),
    });
    let json = json!({
        "table": table,
        "holds": outcome == Outcome::Well,
        "accounts": accounts,
        "entries": entries,
        "orders": orders,
        "uncompared": uncompared.iter().map(AccountId::as_str).collect::<Vec<_>>(),
        "broken": wrong.map(|(one, wrong)| shown(one, wrong)).collect::<Vec<_>>(),
    });
    Answer::new(lines.join("\n"), json, outcome)
}

fn line(one: &Examined, wrong: &Wrong) -> String {
    let order = wrong.order.as_ref().map(|order| format!(" {order}")).unwrap_or_default();
    format!("{}: {}{order}: {}", one.account, wrong.kind.name(), wrong.cause)
}

fn shown(one: &Examined, wrong: &Wrong) -> Value {
    json!({
        "account_id": one.account.as_str(),
        "type": wrong.kind.name(),
        "order_id": wrong.order.as_ref().map(OrderId::as_str),
        "cause": wrong.cause,
    })
}
