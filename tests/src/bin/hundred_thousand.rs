//! Makes a hundred thousand orders, each with its entry, and verifies all of them: what a full run
//! takes, and what it finds.
//!
//! `cargo run --release -p tests --bin hundred_thousand` prints the figures of `docs/benchmark.md`.
//! The data is in a file, so that the memory shown is that of the work. Linux only: it reads `/proc`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use clap::Parser;
use ledger::{
    Account, AccountId, Actor, Amount, Currency, Decision, IdempotencyKey, Money, NewOrder, Order,
    OrderId, Payment, PaymentId, ProductCode, Settlement, Target, Timestamp, Transfer, settle,
    transfer,
};
use local::table::{EmbeddedTable, TABLE_NAME, create_table};
use service::accounts::{AccountChange, change_account};
use service::record::{OrderRecord, PaymentClaim, RequestWords};
use service::table::{Commit, Committed, Table};
use service::verification::{Verifications, Verified};

/// Accounts of which each gets its next order in one transaction: at most four items each, and a
/// transaction takes a hundred.
const SIDE_BY_SIDE: usize = 25;
/// An order that is paid by card, and then so many transfers of it.
const TRANSFERS: u32 = 9;
/// How often progress is told.
const PROGRESS: Duration = Duration::from_secs(5);
/// When it is: 2026-11-23T12:00:00Z.
const BEGINNING: i64 = 1_795_435_200_000;
/// The time of one order.
const STEP: i64 = 10;

/// Makes orders and verifies them.
#[derive(Parser)]
struct Options {
    /// How many orders in all
    #[arg(long, default_value_t = 100_000)]
    orders: u32,
    /// How many accounts they are of
    #[arg(long, default_value_t = 1_000)]
    accounts: u32,
    /// The folder of the data, which must not exist; it is removed at the end
    #[arg(long, default_value = "hundred-thousand.data")]
    data: PathBuf,
}

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let options = Options::parse();
    fs::create_dir(&options.data)?;
    let outcome = run(&options).await;
    fs::remove_dir_all(&options.data)?;
    outcome
}

async fn run(options: &Options) -> Outcome<()> {
    let embedded = EmbeddedTable::start(Some(&options.data.join("table.sqlite"))).await?;
    let sdk = local::cloud::sdk(Some(embedded.endpoint())).await;
    let client = aws_sdk_dynamodb::Client::new(&sdk);
    create_table(&client).await?;
    let table = Table::new(client.clone(), TABLE_NAME);
    let now = Timestamp::from_unix_millis(BEGINNING);
    let begun = Instant::now();
    let (last, end) = make(options, &table, now).await?;
    println!("made {} orders in {} s", options.orders, begun.elapsed().as_secs());
    println!("data on disk: {} MB", size(&options.data)? / 1_000_000);

    let verifications = Verifications { table };
    forget_highest_memory();
    println!("memory before: {}", memory("VmRSS:")?);
    let whole = round(&verifications, "first round", true, end).await?;
    println!("highest memory: {}", memory("VmHWM:")?);
    let next = end.plus(Duration::from_secs(7 * 24 * 3_600));
    let again = round(&verifications, "next round, from the checkpoints", false, next).await?;

    // One order of all is made one that was not credited.
    let key = [("pk", format!("ORDER#{last}")), ("sk", "ORDER".to_owned())];
    let key = key.map(|(name, value)| (name.to_owned(), AttributeValue::S(value)));
    let asked = client.get_item().table_name(TABLE_NAME).set_key(Some(key.into()));
    let mut order = asked.send().await?.item.ok_or("the order is there")?;
    drop(order.remove("settled"));
    drop(client.put_item().table_name(TABLE_NAME).set_item(Some(order)).send().await?);
    let after = next.plus(Duration::from_secs(1));
    let damaged = round(&verifications, "one order damaged, whole round", true, after).await?;
    println!("highest memory: {}", memory("VmHWM:")?);
    let right = (whole.broken, again.broken, damaged.broken) == (0, 0, 1)
        && (whole.orders, whole.entries) == (options.orders.into(), options.orders.into());
    if right { Ok(()) } else { Err("these are not the figures that should be".into()) }
}

/// One round, told of as it goes.
async fn round(
    verifications: &Verifications,
    name: &str,
    whole: bool,
    now: Timestamp,
) -> Outcome<Verified> {
    let begun = Instant::now();
    let mut verified = match whole {
        true => verifications.run_whole(PROGRESS, now).await?,
        false => verifications.run(PROGRESS, now).await?,
    };
    while !verified.complete {
        println!("  {} s: {} orders", begun.elapsed().as_secs(), verified.orders);
        verified = verifications.run(PROGRESS, now).await?;
    }
    let Verified { accounts, entries, orders, broken, left, .. } = verified;
    let read = accounts.saturating_mul(2).saturating_add(entries).saturating_add(orders);
    let tenths = begun.elapsed().as_millis() / 100;
    let (seconds, tenth) = (tenths / 10, tenths % 10);
    println!(
        "{name}: {accounts} accounts, {entries} entries, {orders} orders, {read} items read, \
         {broken} broken, {left} left, {seconds}.{tenth} s"
    );
    Ok(verified)
}

/// Makes the accounts and their orders; returns the last order and when all of it was done.
async fn make(options: &Options, table: &Table, now: Timestamp) -> Outcome<(OrderId, Timestamp)> {
    let by = Actor::parse("hundred thousand")?;
    let mut accounts = Vec::new();
    for number in 0..options.accounts {
        let id = AccountId::parse(&format!("account-{number}"))?;
        let known =
            change_account(table, &id, &AccountChange::default(), Currency::USD, &by, now).await?;
        accounts.push(known.account);
    }
    let (mut made, mut number, mut at, mut last) = (0_u32, 0_u32, now, None);
    let mut told = Instant::now();
    while made < options.orders {
        for some in accounts.chunks_mut(SIDE_BY_SIDE) {
            at = at.plus(Duration::from_millis(STEP.unsigned_abs()));
            let left = usize::try_from(options.orders.saturating_sub(made))?;
            let steps = some.iter_mut().take(left).map(|account| step(account, number, &by, at));
            let steps = steps.collect::<Outcome<Vec<_>>>()?;
            made = made.saturating_add(u32::try_from(steps.len())?);
            last = steps.last().map(|step| step.record.order.id.clone()).or(last);
            let documents = steps.iter().fold(Commit::default(), |commit, step| {
                let commit = commit.order(&step.record, at);
                step.claim.iter().fold(commit, Commit::payment)
            });
            let commit =
                steps.iter().fold(documents, |commit, step| commit.decision(&step.decision));
            if let Committed::No(stale) = table.commit(commit).await? {
                return Err(format!("nobody else writes here: {stale:?}").into());
            }
            if told.elapsed() >= PROGRESS {
                println!("  made {made} orders");
                told = Instant::now();
            }
            if made >= options.orders {
                break;
            }
        }
        number = number.saturating_add(1);
    }
    Ok((last.ok_or("no order was asked for")?, at))
}

/// An order, its claim if it was paid by card, and what it did to its account.
struct Step {
    record: OrderRecord,
    claim: Option<PaymentClaim>,
    decision: Decision,
}

/// The next order of an account: a card order that is paid at once, or a transfer.
fn step(account: &mut Account, number: u32, by: &Actor, at: Timestamp) -> Outcome<Step> {
    let key = IdempotencyKey::parse(&format!("order-{number}"))?;
    let id = OrderId::of_request(&account.id, &key);
    let (order, claim, decision) = match number.checked_rem(TRANSFERS.saturating_add(1)) {
        Some(0) => paid_by_card(account, id, by, at)?,
        _ => {
            let product = ProductCode::parse("sms")?;
            let amount = Amount::parse("1.00", 2)?;
            let command = Transfer { order_id: id, product, amount, by: by.clone() };
            let (order, decision) = transfer(account, &command, at)?;
            (order, None, decision)
        }
    };
    *account = decision.account.clone();
    let record = OrderRecord::new(order, RequestWords::default());
    Ok(Step { record, claim, decision })
}

fn paid_by_card(
    account: &Account,
    id: OrderId,
    by: &Actor,
    at: Timestamp,
) -> Outcome<(Order, Option<PaymentClaim>, Decision)> {
    let money = Money { amount: Amount::parse("100.00", 2)?, currency: account.currency };
    let payment = PaymentId::parse(&format!("pi_{id}"))?;
    let (target, by) = (Target::Wallet, by.clone());
    let new = NewOrder { id, account: account.id.clone(), target, by, created_at: at };
    let order = Order::by_card(new, money, at.plus(Duration::from_secs(24 * 3_600)));
    let reference = "evt".to_owned();
    let paid = Payment { id: payment.clone(), money, paid_at: at, reference };
    let Settlement::Credited { order, decision, .. } = settle(&order, account, &paid, None, at)?
    else {
        return Err("the right payment is credited".into());
    };
    let (order_id, account) = (order.id.clone(), account.id.clone());
    let claim = PaymentClaim { payment, order: order_id, account, money, settled_at: at };
    Ok((*order, Some(claim), *decision))
}

/// A line of what Linux knows of this process: `52.1 MB`.
fn memory(name: &str) -> Outcome<String> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let digits: String = line.ok_or("no such line")?.chars().filter(char::is_ascii_digit).collect();
    let tenths = u64::from_str_radix(&digits, 10)? / 100;
    Ok(format!("{}.{} MB", tenths / 10, tenths % 10))
}

/// Begins to measure the highest memory anew, where that is allowed.
fn forget_highest_memory() {
    drop(fs::write("/proc/self/clear_refs", "5"));
}

fn size(folder: &Path) -> Outcome<u64> {
    let mut size = 0_u64;
    for file in fs::read_dir(folder)? {
        size = size.saturating_add(file?.metadata()?.len());
    }
    Ok(size)
}
