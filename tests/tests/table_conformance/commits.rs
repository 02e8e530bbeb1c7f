//! The product's commit: it goes through as a whole, or says what the decision had not seen.

use ledger::{
    Account, Actor, EventId, Finding, FindingKind, ProviderId, RefundStatus, ToldRefund,
    refund_told,
};
use service::catalogue::{Catalogue, CatalogueVersion};
use service::error::Error;
use service::events::EventKind;
use service::keys::{ApiKey, KeyOwner, NewKey, Scope};
use service::record::{OrderRecord, PaymentClaim};
use service::table::{Commit, Committed, Stale, Table};

use crate::engine::{Checked, Engine, item, on_each, text};
use crate::records::{
    self, NOW, account_id, card_order, credited, fund, open, order_id, payment, payment_id, store,
    unopened, usd,
};

async fn stale(table: &Table, commit: Commit) -> Checked<Stale> {
    match table.commit(commit).await? {
        Committed::Yes => Err("the commit should be stale".into()),
        Committed::No(stale) => Ok(stale),
    }
}

#[track_caller]
fn expect_order(stale: Stale, expected: &OrderRecord) {
    match stale {
        Stale::Order(current) => assert_eq!(*current, *expected),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn expect_account(stale: Stale, expected: &Account) {
    match stale {
        Stale::Account(current) => assert_eq!(*current, *expected),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn expect_payment(stale: Stale, expected: &PaymentClaim) {
    match stale {
        Stale::Payment(current) => assert_eq!(*current, *expected),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn expect_exists(stale: Stale) {
    assert!(matches!(stale, Stale::Exists), "{stale:?}");
}

async fn expect_once(table: &Table, commit: impl Fn() -> Commit) -> Checked {
    store(table, commit()).await?;
    expect_exists(stale(table, commit()).await?);
    Ok(())
}

fn api_key() -> ApiKey {
    let owner = KeyOwner::Account(account_id());
    let name = Actor::parse("a key").unwrap();
    NewKey::new(&[7; 42], owner, name, Scope::CUSTOMER.to_vec(), NOW).key
}

fn finding() -> Finding {
    Finding {
        kind: FindingKind::AmountDiffers,
        account: Some(account_id()),
        order: Some(order_id("order")),
        payment: Some(payment_id("p")),
        reversal: None,
        expected: Some(usd("1")),
        actual: Some(usd("2")),
        found_at: NOW,
    }
}

#[tokio::test]
async fn order_payment_entry_and_account_go_through_together() -> Checked {
    on_each(async |engine| {
        let table = engine.table();
        open(&table).await?;
        let order = card_order("order", "100", NOW);
        store(&table, Commit::default().order(&order, NOW)).await?;
        let seen = table.seen(&order_id("order"), &account_id()).await?;
        let (record, account) = (seen.order.unwrap(), seen.account.unwrap());
        assert_eq!(record, order.written(NOW));
        assert_eq!(account, Account { version: 1, ..unopened() });

        let (paid, claim, decision) = credited(&record, &account, &payment("p", &record));
        let commit = || Commit::default().order(&paid, NOW).payment(&claim).decision(&decision);
        store(&table, commit()).await?;
        let current = paid.clone().written(NOW);
        assert_eq!(table.order(&order_id("order")).await?, Some(current.clone()));
        assert_eq!(table.account(&account_id()).await?, Some(decision.account.clone()));
        let entries = table.entries(&account_id(), None, 10).await?.items;
        assert_eq!(entries, decision.entries);
        // The order goes before the claim, and both before entry and account: all of them fail.
        expect_order(stale(&table, commit()).await?, &current);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn functions_whose_pseudo_random_numbers_agree_commit_side_by_side() -> Checked {
    on_each(async |engine| {
        for key in ["one", "another"] {
            // As two environments could that start at the same moment of their machines' clocks.
            fastrand::seed(7);
            let table = engine.table_of_another_function();
            let order = card_order(key, "100", NOW);
            store(&table, Commit::default().order(&order, NOW)).await?;
            assert_eq!(table.order(&order_id(key)).await?, Some(order.written(NOW)));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_order_that_was_written_in_between_is_handed_back() -> Checked {
    on_each(async |engine| {
        let table = engine.table();
        let new = card_order("order", "100", NOW);
        store(&table, Commit::default().order(&new, NOW)).await?;
        let first = new.written(NOW);
        let other = card_order("order", "7", NOW);
        expect_order(stale(&table, Commit::default().order(&other, NOW)).await?, &first);
        store(&table, Commit::default().order(&first, NOW)).await?;
        let second = first.clone().written(NOW);
        expect_order(stale(&table, Commit::default().order(&first, NOW)).await?, &second);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_put_once_exists_the_second_time() -> Checked {
    on_each(async |engine| {
        let table = engine.table();
        let order = card_order("order", "100", NOW);
        let (_, claim, _) = credited(&order, &unopened(), &payment("p", &order));
        let first = records::catalogue(Catalogue::default());
        store(&table, Commit::default().payment(&claim)).await?;
        expect_payment(stale(&table, Commit::default().payment(&claim)).await?, &claim);
        expect_once(&table, || Commit::default().new_finding(&finding())).await?;
        expect_once(&table, || Commit::default().api_key(&api_key())).await?;
        expect_once(&table, || Commit::default().catalogue(&first)).await?;
        // Keys and the catalogue can be replaced, at the version that was read.
        let stored = ApiKey { version: 1, ..api_key() };
        expect_once(&table, || Commit::default().api_key(&stored)).await?;
        let second = CatalogueVersion { version: 1, ..first };
        expect_once(&table, || Commit::default().catalogue(&second)).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_account_that_was_written_in_between_is_handed_back() -> Checked {
    on_each(async |engine| {
        let table = engine.table();
        fund(&table, "100").await?;
        let current = table.account(&account_id()).await?.unwrap();
        let seen = Account { version: 1, ..unopened() };
        let order = card_order("late", "5", NOW);
        let (paid, claim, decision) = credited(&order, &seen, &payment("late", &order));
        // Entry 1 exists and the account has moved on: both fail, and the account is told.
        let commit = Commit::default().order(&paid, NOW).payment(&claim).decision(&decision);
        expect_account(stale(&table, commit).await?, &current);
        assert_eq!(table.order(&order_id("late")).await?, None);
        // A change that moves no money has no entry.
        let frozen = Account { version: 2, ..unopened() };
        expect_account(stale(&table, Commit::default().account(&frozen)).await?, &current);
        let opened = Account { version: 1, ..unopened() };
        expect_account(stale(&table, Commit::default().account(&opened)).await?, &current);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_document_is_told_before_the_account() -> Checked {
    on_each(async |engine| {
        let table = engine.table();
        fund(&table, "100").await?;
        let funded = table.order(&order_id("funds")).await?.unwrap();
        let seen = Account { version: 1, ..unopened() };
        let again = card_order("funds", "100", NOW);
        let (paid, first, decision) = credited(&again, &seen, &payment("funds", &again));
        let commit = Commit::default().order(&paid, NOW).payment(&first).decision(&decision);
        expect_order(stale(&table, commit).await?, &funded);
        // The claim alone: another order that the same payment is said to have paid.
        let other = card_order("other", "100", NOW);
        let (paid, claim, decision) = credited(&other, &seen, &payment("funds", &other));
        let commit = Commit::default().order(&paid, NOW).payment(&claim).decision(&decision);
        expect_payment(stale(&table, commit).await?, &first);
        assert_eq!(table.order(&order_id("other")).await?, None);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_no_race_explains_is_a_broken_record() -> Checked {
    on_each(async |engine| {
        let table = engine.table();
        // The account that was read is not there any more.
        let gone = Commit::default().account(&Account { version: 4, ..unopened() });
        assert!(matches!(table.commit(gone).await, Err(Error::Broken(_))));
        // The next entry stands there, but the account never moved.
        open(&table).await?;
        let entry = [("pk", text("JOURNAL#acme")), ("sk", text("000000000001"))];
        assert_eq!(engine.put(item(entry)).await, "accepted");
        let order = card_order("order", "5", NOW);
        let seen = Account { version: 1, ..unopened() };
        let (paid, _, decision) = credited(&order, &seen, &payment("p", &order));
        let commit = Commit::default().order(&paid, NOW).decision(&decision);
        assert!(matches!(table.commit(commit).await, Err(Error::Broken(_))));
        assert_eq!(table.order(&order_id("order")).await?, None);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_not_there_is_absent() -> Checked {
    on_each(async |engine: &Engine| {
        let table = engine.table();
        let seen = table.seen(&order_id("none"), &account_id()).await?;
        assert!(seen.order.is_none() && seen.account.is_none());
        assert_eq!(table.order(&order_id("none")).await?, None);
        assert_eq!(table.account(&account_id()).await?, None);
        assert_eq!(table.api_key("none").await?, None);
        assert_eq!(table.catalogue().await?, None);
        assert!(table.entries(&account_id(), None, 10).await?.items.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_told_of_a_record_that_does_not_know_when_it_was_told_of_is_later_than_its_changes()
-> Checked {
    on_each(async |engine| {
        let table = engine.table();
        open(&table).await?;
        let new = card_order("order", "100", NOW);
        let (paid, _, decision) = credited(&new, &unopened(), &payment("p", &new));
        let refunded = |record: &OrderRecord, name: &str| {
            let told = ToldRefund {
                id: None,
                provider_id: ProviderId::parse(name).unwrap(),
                money: usd("1.25"),
                status: RefundStatus::Succeeded,
                failure: None,
                at: NOW,
            };
            let back = refund_told(&record.order, &decision.account, &told, NOW).unwrap();
            OrderRecord { order: back.unwrap().order, ..record.clone() }
        };
        let first = refunded(&paid, "re_1");
        store(&table, Commit::default().order(&first, NOW)).await?;
        let first = OrderRecord { told_at: None, ..first.written(NOW) };
        let second = refunded(&first, "re_2");
        store(&table, Commit::default().order(&second, NOW)).await?;
        let told = EventId::of_refunds(&second.order.id, second.version + 1);
        let told = table.event(&told).await?.unwrap().event;
        assert!(told.at > second.order.timeline.changed_at());
        let stored = table.order(&second.order.id).await?.unwrap();
        assert_eq!(stored.told_at, Some(told.at));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_told_is_stored_with_what_it_is_about_and_once() -> Checked {
    on_each(async |engine| {
        let table = engine.table();
        open(&table).await?;
        let order = card_order("order", "100", NOW);
        store(&table, Commit::default().order(&order, NOW)).await?;
        let completed = EventId::of_change(&order.order.id, 1);
        assert_eq!(table.event(&completed).await?, None);
        let seen = table.seen(&order_id("order"), &account_id()).await?;
        let (record, account) = (seen.order.unwrap(), seen.account.unwrap());
        let (paid, claim, decision) = credited(&record, &account, &payment("p", &record));
        let commit = |record| Commit::default().order(record, NOW).payment(&claim);
        store(&table, commit(&paid).decision(&decision)).await?;
        let told = table.event(&completed).await?.unwrap();
        let told = told.event;
        assert_eq!(told.kind, EventKind::OrderCompleted);
        assert_eq!(told.account, Some(account_id()));
        assert_eq!(told.about["status"], "completed");
        assert_eq!(told.about["credited_amount"], "100.00");

        // What is written again is not told again.
        let written = paid.written(NOW);
        store(&table, Commit::default().order(&written, NOW)).await?;
        // Somebody who does not know what was told is stopped, and whatever else has moved comes first.
        let forgetful = OrderRecord { version: 3, stored_changes: 0, ..written.clone() };
        let commit = Commit::default().order(&forgetful, NOW);
        assert!(matches!(stale(&table, commit).await?, Stale::Told));
        let late = OrderRecord { version: 2, ..forgetful };
        let current = written.written(NOW);
        expect_order(stale(&table, Commit::default().order(&late, NOW)).await?, &current);
        let commit = Commit::default().account(&decision.account).event(told.clone());
        assert!(matches!(stale(&table, commit).await?, Stale::Account(_)));
        let commit = Commit::default().event(told.clone());
        assert!(matches!(stale(&table, commit).await?, Stale::Told));
        assert_eq!(table.event(&completed).await?.map(|record| record.event), Some(told));
        Ok(())
    })
    .await
}
