//! Records of money that goes back, and of the operator's desk for it, read as they were written.

use std::collections::BTreeSet;

use ledger::{
    Account, Actor, Adjustment, AdjustmentId, Amount, Balance, BankReference, Checkpoint,
    CreditSum, Currency, Direction, Dispute, DisputeOutcome, EntryHash, Finding, FindingEnd,
    FindingKind, FindingOutcome, FindingState, IdempotencyKey, Note, Order, Place, ProviderId,
    Refund, RefundId, RefundStatus, ReversalSum, ToldRefund, WholeRefunds, dispute_told,
    refund_told,
};
use service::findings::FindingRecord;
use service::table::{Commit, Position};
use service::verification::{CheckpointRecord, ShardCursor, Verified};

use crate::engine::{Checked, on_each};
use crate::records::{NOW, account_id, later, payment_id, store, unopened, usd};
use crate::round_trips::LATEST;

/// The order with a refund of every kind and a dispute.
pub(crate) fn given_back(order: &Order) -> Order {
    let account = Account { version: 3, ..unopened() };
    let told = |name: &str, status, id| ToldRefund {
        id,
        provider_id: ProviderId::parse(name).unwrap(),
        money: usd("1.25"),
        status,
        failure: (status == RefundStatus::Failed).then(|| "declined".to_owned()),
        at: later(6),
    };
    let dispute = Dispute {
        id: ProviderId::parse("dp_1").unwrap(),
        money: usd("5"),
        reason: Some("fraudulent".to_owned()),
        contested: true,
        closed: true,
        withdrawn: true,
        reinstated: false,
        outcome: Some(DisputeOutcome::Lost),
        created_at: LATEST,
    };
    let pending = Refund {
        id: RefundId::derive(&order.id, &IdempotencyKey::parse("k").unwrap()),
        bank_reference: Some(BankReference::parse("out 1").unwrap()),
        reason: Some(Note::parse("asked for it").unwrap()),
        attempt: 2,
        by: Actor::parse("an operator").unwrap(),
        ..Refund::made_elsewhere(&told("re_0", RefundStatus::Pending, None))
    };
    let mut order = order.clone();
    order.reversals.refunds.push(pending);
    for told in
        [told("re_1", RefundStatus::Succeeded, None), told("re_2", RefundStatus::Failed, None)]
    {
        order = refund_told(&order, &account, &told, LATEST).unwrap().unwrap().order;
    }
    dispute_told(&order, &account, &dispute, LATEST).unwrap().unwrap().order
}

#[tokio::test]
async fn places_and_checkpoints_of_the_verification_read_as_they_are_written() -> Checked {
    let places: Vec<Place> =
        ["wallet", "product:sms:held"].map(|place| Place::parse(place).unwrap()).into();
    let balances = places.into_iter().map(|place| (place, Balance::parse("0.000001").unwrap()));
    let begun = CheckpointRecord {
        account: account_id(),
        version: 0,
        begun_at: NOW,
        checkpoint: Checkpoint::beginning(),
        findings: BTreeSet::new(),
    };
    let checkpoint = Checkpoint {
        number: 999_999_999_999,
        head: EntryHash::parse(&"0f".repeat(32)).unwrap(),
        last_entry_at: Some(LATEST),
        currency: Some(Currency::parse("KWD").unwrap()),
        balances: balances.collect(),
        debt: Balance::parse("1000000000000").unwrap(),
        kept: [(Place::parse("product:sms:held").unwrap(), Balance::parse("0.5").unwrap())].into(),
        credits: CreditSum { count: u64::MAX, sum: u128::MAX - 1 },
        reversals: ReversalSum {
            taken: Balance::parse("1000000.05").unwrap(),
            held: Balance::parse("0.000001").unwrap(),
        },
    };
    let findings = BTreeSet::from(["fnd_1".to_owned(), "fnd_2".to_owned()]);
    let reached = CheckpointRecord { version: 1, checkpoint, findings, ..begun.clone() };
    let done = Verified {
        accounts: 1,
        entries: 2,
        orders: 3,
        broken: 4,
        cured: 5,
        left: 6,
        complete: false,
    };
    let after = Position::parse("2026-11-23T12:00:00.000Z#acme");
    let cursor = ShardCursor { begun_at: NOW, whole: true, after, done, ..ShardCursor::never(15) };
    on_each(async |engine| {
        let table = engine.table();
        assert_eq!(table.checkpoint(&account_id()).await?, None);
        for (record, version) in [(&begun, 1), (&reached, 2)] {
            store(&table, Commit::default().checkpoint(record)).await?;
            let stored = CheckpointRecord { version, ..record.clone() };
            assert_eq!(table.checkpoint(&account_id()).await?, Some(stored));
        }
        store(&table, Commit::default().shard_cursor(&cursor)).await?;
        let mut expected: Vec<_> = (0..16).map(ShardCursor::never).collect();
        expected[15] = ShardCursor { version: 1, ..cursor.clone() };
        assert_eq!(table.shard_cursors().await?, expected);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn findings_and_adjustments_read_as_they_are_written() -> Checked {
    let by = Actor::parse("an operator").unwrap();
    let told = ToldRefund {
        id: None,
        provider_id: ProviderId::parse("re_9").unwrap(),
        money: usd("7"),
        status: RefundStatus::Succeeded,
        failure: None,
        at: NOW,
    };
    let bare = Finding {
        kind: FindingKind::UnknownPayment,
        account: None,
        order: None,
        payment: Some(payment_id("q")),
        reversal: Some(told.provider_id.clone()),
        expected: Some(usd("7")),
        actual: None,
        found_at: LATEST,
    };
    let closed = FindingEnd {
        at: later(9),
        by: by.clone(),
        how: FindingOutcome::Refunded,
        reason: Some(Note::parse("went back").unwrap()),
    };
    let open = FindingRecord::new(bare);
    let failed = ToldRefund {
        provider_id: ProviderId::parse("re_8").unwrap(),
        status: RefundStatus::Failed,
        failure: Some("expired_or_canceled_card".to_owned()),
        ..told.clone()
    };
    let refunds = [&failed, &told].map(Refund::made_elsewhere);
    let refunds = WholeRefunds::new(refunds.to_vec());
    let resolved_before =
        Some(FindingEnd { at: later(5), how: FindingOutcome::Resolved, ..closed.clone() });
    let state = FindingState { refunds, closed: Some(closed), resolved_before };
    let closed = FindingRecord { version: 1, state, ..open.clone() };
    let adjustment = |key: &str, direction, target: &str| Adjustment {
        id: AdjustmentId::derive(&account_id(), &IdempotencyKey::parse(key).unwrap()),
        account: account_id(),
        target: match Place::parse(target).unwrap() {
            Place::Available(target) => target,
            other => panic!("{other}"),
        },
        direction,
        amount: Amount::parse("0.000001", 6).unwrap(),
        reason: Note::parse("good\nwill").unwrap(),
        by: by.clone(),
        at: LATEST,
    };
    let adjustments = [
        adjustment("in", Direction::In, "wallet"),
        adjustment("out", Direction::Out, "product:sms"),
    ];
    on_each(async |engine| {
        let table = engine.table();
        let id = open.finding.id();
        for (record, version) in [(&open, 1), (&closed, 2)] {
            store(&table, Commit::default().finding(record)).await?;
            let stored = FindingRecord { version, ..record.clone() };
            assert_eq!(table.finding(&id).await?, Some(stored.clone()));
            for open in [true, false] {
                let listed = table.findings(open, None, 20).await?.items;
                let expected = record.state.is_open() == open;
                assert_eq!(listed, if expected { vec![stored.clone()] } else { Vec::new() });
            }
        }
        for adjustment in &adjustments {
            store(&table, Commit::default().adjustment(adjustment)).await?;
            assert_eq!(table.adjustment(&adjustment.id).await?.as_ref(), Some(adjustment));
        }
        let listed = table.adjustments(&account_id(), None, 20).await?.items;
        assert_eq!(listed.len(), 2);
        Ok(())
    })
    .await
}
