//! Use cases that race for one account, on tasks of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::{Account, Actor, Entry, IdempotencyKey, Place, Refusal, verify};
use service::catalogue::{Catalogue, CatalogueCache};
use service::error::{Error, Unavailable};
use service::payments::{Confirmed, confirm};
use service::record::{Made, WrittenAmount};
use service::table::{Commit, Table};
use service::transfers::{TransferOrder, Transfers};

use crate::engine::{Checked, Engine, on_each};
use crate::records::{self, NOW, account_id, card_order, cents, fund, open, paid, product, store};

async fn transfers_of(engine: &Engine) -> Checked<Arc<Transfers>> {
    let table = engine.table();
    let catalogue = Catalogue::parse(include_str!("../../../infra/catalogue.json"))?;
    store(&table, Commit::default().catalogue(&records::catalogue(catalogue))).await?;
    Ok(Arc::new(Transfers { table, catalogue: CatalogueCache::default() }))
}

/// Moves so many cents to a product; how it ended, in one word.
async fn transfer(transfers: Arc<Transfers>, key: String, units: u64) -> &'static str {
    let key = IdempotencyKey::parse(&key).unwrap();
    let wanted = TransferOrder {
        order_id: ledger::OrderId::of_transfer(&account_id(), &key),
        product: product("sms"),
        amount: WrittenAmount { amount: cents(units), decimals: 2 },
        by: Actor::parse("a key").unwrap(),
    };
    for _ in 0..4 {
        match transfers.make(&account_id(), &wanted, NOW).await {
            Ok(Made::Now(_)) => return "now",
            Ok(Made::Before(_)) => return "before",
            Err(Error::Refused(Refusal::InsufficientBalance { .. })) => return "insufficient",
            Err(Error::Unavailable(Unavailable::Busy)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    "busy"
}

/// How many ended in which way.
async fn count<Work>(works: impl Iterator<Item = Work>) -> Checked<BTreeMap<&'static str, usize>>
where
    Work: Future<Output = &'static str> + Send + 'static,
{
    let running: Vec<_> = works.map(tokio::spawn).collect();
    let mut counts = BTreeMap::new();
    for running in running {
        *counts.entry(running.await?).or_default() += 1;
    }
    Ok(counts)
}

/// The account, which follows from its journal, and the journal.
async fn audited(table: &Table) -> Checked<(Account, Vec<Entry>)> {
    let account = table.account(&account_id()).await?.ok_or("an account")?;
    let mut entries = table.entries(&account_id(), None, 100).await?.items;
    entries.reverse();
    assert_eq!(verify(&entries, &account), Ok(()));
    Ok((account, entries))
}

fn wallet(account: &Account) -> String {
    account.balance(&Place::WALLET).decimal().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_transfers_of_7_race_for_a_wallet_of_100() -> Checked {
    on_each(async |engine| {
        let transfers = transfers_of(engine).await?;
        fund(&transfers.table, "100").await?;
        let works = (0..64).map(|n| transfer(Arc::clone(&transfers), format!("race-{n}"), 700));
        let counts = count(works).await?;
        assert_eq!(counts, BTreeMap::from([("now", 14), ("insufficient", 50)]));
        let (account, entries) = audited(&transfers.table).await?;
        assert_eq!((wallet(&account).as_str(), entries.len()), ("2", 15));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_transfers_with_one_key_move_money_once() -> Checked {
    on_each(async |engine| {
        let transfers = transfers_of(engine).await?;
        fund(&transfers.table, "100").await?;
        // The first empties the wallet: the others must not call that insufficient.
        let works = (0..32).map(|_| transfer(Arc::clone(&transfers), "one".to_owned(), 10_000));
        let counts = count(works).await?;
        assert_eq!(counts, BTreeMap::from([("now", 1), ("before", 31)]));
        let (account, entries) = audited(&transfers.table).await?;
        assert_eq!((wallet(&account).as_str(), entries.len()), ("0", 2));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_confirmations_of_one_payment_credit_once() -> Checked {
    on_each(async |engine| {
        let table = engine.table();
        open(&table).await?;
        let order = card_order("order", "100", NOW);
        store(&table, Commit::default().order(&order, NOW)).await?;
        let notice = paid("p", &order);
        let works = (0..16).map(|_| {
            let (table, notice) = (table.clone(), notice.clone());
            async move { confirm(&table, &notice, NOW).await.unwrap().name() }
        });
        let counts = count(works).await?;
        let credited = [(Confirmed::Credited.name(), 1), (Confirmed::AlreadyCredited.name(), 15)];
        assert_eq!(counts, BTreeMap::from(credited));
        let (account, entries) = audited(&table).await?;
        assert_eq!((wallet(&account).as_str(), entries.len()), ("100", 1));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_and_transfers_race_for_one_account() -> Checked {
    on_each(async |engine| {
        let transfers = transfers_of(engine).await?;
        fund(&transfers.table, "100").await?;
        let mut notices = Vec::new();
        for number in 0..8 {
            let order = card_order(&format!("order-{number}"), "10", NOW);
            store(&transfers.table, Commit::default().order(&order, NOW)).await?;
            notices.push(paid(&number.to_string(), &order));
        }
        // Each payment is confirmed twice, by the webhook and by the queue.
        let confirming = notices.iter().chain(&notices).cloned().map(|notice| {
            let table = transfers.table.clone();
            tokio::spawn(async move { confirm(&table, &notice, NOW).await.unwrap().name() })
        });
        let confirming: Vec<_> = confirming.collect();
        let works = (0..16).map(|n| transfer(Arc::clone(&transfers), format!("race-{n}"), 500));
        assert_eq!(count(works).await?, BTreeMap::from([("now", 16)]));
        let mut told = BTreeMap::<_, usize>::new();
        for confirmed in confirming {
            *told.entry(confirmed.await?).or_default() += 1;
        }
        let credited = [(Confirmed::Credited.name(), 8), (Confirmed::AlreadyCredited.name(), 8)];
        assert_eq!(told, BTreeMap::from(credited));
        let (account, entries) = audited(&transfers.table).await?;
        assert_eq!((wallet(&account).as_str(), entries.len()), ("100", 25));
        Ok(())
    })
    .await
}
