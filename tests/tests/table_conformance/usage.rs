//! Records of money that is used, read as they were written, on each engine.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ledger::{
    Account, Actor, Balance, Capture, ChargeId, HoldId, IdempotencyKey, Note, Place, WantedCharge,
    WantedHold, capture_hold, charge, expire_hold, place_hold,
};
use service::record::{ChargeRecord, HoldRecord, UsageWords};
use service::table::Commit;

use crate::engine::{Checked, on_each};
use crate::records::{NOW, account_id, product, store, unopened};

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).unwrap()
}

fn by() -> Actor {
    Actor::parse("a key").unwrap()
}

/// An account with a million in sms that was never stored.
fn rich() -> Account {
    let sms = Place::parse("product:sms").unwrap();
    let balances = BTreeMap::from([(sms, Balance::parse("1000000.000001").unwrap())]);
    Account { balances, ..unopened() }
}

#[tokio::test]
async fn charges_and_holds_read_as_they_are_written() -> Checked {
    let words = UsageWords {
        description: Some(Note::parse("a call\nto 北京").unwrap()),
        metadata: BTreeMap::from([("call".to_owned(), "c-1".to_owned())]),
    };
    let time = Duration::from_secs(900);
    let wanted = WantedCharge {
        id: ChargeId::derive(&account_id(), &key("charge")),
        product: product("sms"),
        amount: ledger::Amount::parse("0.000001", 6).unwrap(),
        by: by(),
    };
    let mut charged = charge(&rich(), &[wanted], &BTreeSet::new(), NOW);
    let charged_decision = charged.decision.take().unwrap();
    let plain = charged.outcomes.pop().unwrap().unwrap();
    let wanted = WantedHold {
        id: HoldId::derive(&account_id(), &key("hold")),
        product: product("sms"),
        amount: ledger::Amount::parse("1000000", 6).unwrap(),
        time,
        by: by(),
    };
    let (open, placed) =
        place_hold(&charged_decision.account, &wanted, &BTreeSet::new(), NOW).unwrap();
    let capture = Capture {
        id: ChargeId::of_capture(&account_id(), &key("charge")),
        amount: ledger::Amount::parse("999999.999999", 6).unwrap(),
        last: false,
        by: by(),
    };
    let (partly, captured, taken) =
        capture_hold(&placed.account, &open, &capture, NOW.plus(time / 2)).unwrap();
    let (over, expired) = expire_hold(&taken.account, &partly, NOW.plus(time)).unwrap().unwrap();
    let expired = expired.unwrap();
    let record = |hold, version| HoldRecord { hold, version, words: words.clone() };
    let charges = [
        (ChargeRecord { charge: plain, words: UsageWords::default() }, &charged_decision),
        (ChargeRecord { charge: captured, words: words.clone() }, &taken),
    ];
    on_each(async |engine| {
        let table = engine.table();
        let (plain, decision) = &charges[0];
        store(&table, Commit::default().charge(plain).decision(decision)).await?;
        store(&table, Commit::default().hold(&record(open.clone(), 0), NOW).decision(&placed))
            .await?;
        assert_eq!(table.account(&account_id()).await?.as_ref(), Some(&placed.account));
        let (captured, decision) = &charges[1];
        let commit = Commit::default().charge(captured).hold(&record(partly.clone(), 1), NOW);
        store(&table, commit.decision(decision)).await?;
        let seen =
            table.seen_usage(&account_id(), Some(&captured.charge.id), Some(&partly.id)).await?;
        assert_eq!(seen.charge.as_ref(), Some(captured));
        assert_eq!(seen.hold, Some(record(partly.clone(), 2)));
        assert_eq!(seen.account.as_ref(), Some(&taken.account));

        let ids = charges.each_ref().map(|(one, _)| one.charge.id.clone());
        let (known, account) = table.seen_charges(&account_id(), &ids).await?;
        assert_eq!(known.len(), 2);
        assert_eq!(known[&ids[0]], charges[0].0);
        assert_eq!(account.as_ref(), Some(&taken.account));
        assert_eq!(table.charges(&[]).await?.len(), 0);

        // It is due once its time is over, and not any more once that is written down.
        let due = async |at| {
            let mut found = Vec::new();
            for shard in 0..service::table::SHARDS {
                found.extend(table.overdue_holds(shard, at, None, 20).await?.items);
            }
            Ok::<_, service::error::Error>(found)
        };
        assert_eq!(due(NOW.plus(time / 2)).await?, []);
        assert_eq!(due(NOW.plus(time)).await?, [record(partly.clone(), 2)]);
        store(&table, Commit::default().hold(&record(over.clone(), 2), NOW).decision(&expired))
            .await?;
        assert_eq!(due(NOW.plus(time)).await?, []);
        assert_eq!(table.hold(&over.id).await?, Some(record(over.clone(), 3)));
        assert_eq!(table.holds(&account_id(), None, 20).await?.items, [record(over.clone(), 3)]);
        assert!(table.account(&account_id()).await?.unwrap().holds.is_empty());
        Ok(())
    })
    .await
}
