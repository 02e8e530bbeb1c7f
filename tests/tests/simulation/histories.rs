//! Whole histories, a fixed set and fresh seeds: anything may fail, nothing may be wrong, and in the
//! end everything has come to its end.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tests::simulation::{Engine, Outcome, Plan, simulate};

use super::{STACK, say};

/// Histories that are the same in every run, ten in which all happens that must be seen, and then as many that never were
/// before.
const FIXED: std::ops::Range<u64> = 10..20;
const FRESH: u64 = 10;
/// Of each; healing adds about a sixth.
const OPERATIONS: u64 = 2_300;
/// What all of them come to, at least.
const ALL_OPERATIONS: u64 = 50_000;

/// What must have happened in the fixed set: a simulation in which it does not proves nothing.
const MUST_BE_SEEN: &str = "
    a commit that lost a race
    a comparison that ended
    a comparison that goes on later
    a comparison that was stopped
    a dispute
    a dispute that went on
    a message that was given up and put back
    a payment that nobody tells
    a refund in the dashboard
    a refund that came back
    a refund that ended
    accounts that were verified while they were used
    an order that its index did not show yet
    answer: accept 200
    answer: accept 201
    answer: accept 409 already_reviewed
    answer: accept 409 bank_reference_used
    answer: accept 409 order_not_reviewable
    answer: accept 422 difference_not_confirmed
    answer: accept 503 unavailable
    answer: accept statement 200
    answer: adjust 200
    answer: adjust 201
    answer: adjust 402 insufficient_balance
    answer: balances 200
    answer: batch 200
    answer: book 200
    answer: book 201
    answer: book 409 bank_reference_used
    answer: cancel 200
    answer: cancel 409 order_not_cancellable
    answer: capture 0
    answer: capture 200
    answer: capture 201
    answer: capture 404 not_found
    answer: capture 409 capture_too_large
    answer: capture 409 hold_closed
    answer: capture 409 idempotency_key_reused
    answer: capture 503 unavailable
    answer: charge 0
    answer: charge 200
    answer: charge 201
    answer: charge 402 insufficient_balance
    answer: charge 409 idempotency_key_reused
    answer: charge 503 unavailable
    answer: compare 0
    answer: credit finding 200
    answer: credit finding 409 finding_closed
    answer: credit finding 409 finding_not_creditable
    answer: credit finding 422 currency_differs
    answer: decide again 200
    answer: decide again 409 finding_closed
    answer: decide again 409 finding_not_creditable
    answer: forged webhook 400 invalid_signature
    answer: hold 200
    answer: hold 201
    answer: hold 402 insufficient_balance
    answer: hold 409 idempotency_key_reused
    answer: hold 503 unavailable
    answer: import 200
    answer: import 201
    answer: journal 200
    answer: list 200
    answer: look up 200
    answer: look up 404 order_not_found
    answer: offline order 200
    answer: offline order 201
    answer: offline order 422 amount_out_of_range
    answer: order 0
    answer: order 201
    answer: order 409 idempotency_key_reused
    answer: order 422 amount_out_of_range
    answer: order 503 unavailable
    answer: refund 200
    answer: refund 201
    answer: refund 402 insufficient_balance
    answer: refund 409 idempotency_key_reused
    answer: refund 409 order_not_refundable
    answer: refund 409 refund_too_large
    answer: refund 503 unavailable
    answer: refund finding 200
    answer: refund finding 409 finding_closed
    answer: refund finding 409 finding_not_creditable
    answer: refund finding 503 unavailable
    answer: reject 200
    answer: reject 409 already_reviewed
    answer: reject 409 order_not_reviewable
    answer: release 200
    answer: release 404 not_found
    answer: release 409 hold_closed
    answer: repeat 200
    answer: repeat 201
    answer: report 200
    answer: report 409 order_not_reportable
    answer: resolve 200
    answer: resolve 409 finding_closed
    answer: sweep 0
    answer: transfer 0
    answer: transfer 200
    answer: transfer 201
    answer: transfer 402 insufficient_balance
    answer: transfer 409 idempotency_key_reused
    answer: transfer 503 unavailable
    answer: upload 200
    answer: use again 200
    answer: use again 201
    answer: use again 402 insufficient_balance
    answer: use again 409 hold_closed
    answer: use again 409 idempotency_key_reused
    answer: webhook 0
    answer: webhook 200 already_credited
    answer: webhook 200 credited
    answer: webhook 200 other_stage
    answer: webhook 200 queued
    answer: webhook 200 reversed
    answer: webhook 200 unchanged
    answer: webhook 500 not_taken
    balance: nothing to completed
    card: cancelled to completed
    card: completed to partially_refunded
    card: completed to refunded
    card: exception to cancelled
    card: exception to refunded
    card: expired to completed
    card: partially_refunded to completed
    card: partially_refunded to refunded
    card: pending_payment to cancelled
    card: pending_payment to completed
    card: pending_payment to exception
    card: pending_payment to expired
    card: pending_payment to processing
    card: processing to completed
    card: processing to failed
    card: refunded to completed
    card: refunded to exception
    charges that share a commit
    automatic top-up, then charge, rescued
    automatic top-up, then hold_placed
    event: balance.low
    event: hold.expired
    event: order.completed
    event: order.disputed
    event: order.expired
    event: order.failed
    event: order.refunded
    event: order.rejected
    answer: thresholds 200
    entry: adjustment
    entry: bank_top_up, pays a debt
    entry: card_top_up, pays a debt
    entry: charge
    entry: dispute_held
    entry: dispute_released
    entry: dispute_returned
    entry: dispute_taken
    entry: dispute_taken, owed
    entry: hold_captured
    entry: hold_expired, alone
    entry: hold_expired, then adjustment
    entry: hold_expired, then bank_top_up
    entry: hold_expired, then card_top_up
    entry: hold_expired, then charge
    entry: hold_expired, then hold_captured
    entry: hold_expired, then hold_placed
    entry: hold_expired, then refund
    entry: hold_expired, then transfer
    entry: hold_placed
    entry: hold_released
    entry: refund
    entry: refund, owed
    entry: refund_held
    entry: refund_released
    entry: refund_returned
    fault: a batch read at several moments
    fault: provider LostAfter
    fault: provider LostBefore
    fault: provider ServerError
    fault: provider Throttled
    fault: queue LostAfter
    fault: queue LostBefore
    fault: queue ServerError
    fault: table Conflict
    fault: table LostAfter
    fault: table LostBefore
    fault: table ServerError
    fault: table Throttled
    fault: table Unprocessed
    finding closed: credited
    finding closed: cured
    finding closed: refunded
    finding closed: resolved
    finding opened again
    finding with a refund
    finding: amount_differs
    finding: currency_differs
    finding: duplicate_payment
    finding: order_in_exception
    finding: payment_already_used
    finding: unknown_order
    finding: unknown_payment
    hold: nothing to open
    hold: open to captured
    hold: open to expired
    hold: open to open
    hold: open to released
    offline: cancelled to completed
    offline: completed to partially_refunded
    offline: completed to refunded
    offline: expired to completed
    offline: nothing to completed
    offline: nothing to pending_payment
    offline: partially_refunded to refunded
    offline: pending_payment to cancelled
    offline: pending_payment to completed
    offline: pending_payment to expired
    offline: pending_payment to pending_review
    offline: pending_payment to rejected
    offline: pending_review to completed
    offline: pending_review to rejected
    offline: rejected to completed
    offline: rejected to pending_review
    one of a batch: 200
    one of a batch: 201
    one of a batch: 402 insufficient_balance
    one of a batch: 409 idempotency_key_reused
    one of a batch: 503 unavailable";

fn history(seed: u64, operations: u64) -> Result<Outcome, String> {
    let plan = Plan { seed, operations, engine: Engine::embedded(), keep_history: false };
    simulate(&plan, &mut |_| {}).map_err(|failure| {
        format!(
            "operation {}: {}\nreplay it: cargo run -p tests --bin simulate -- --seed {seed} \
             --operations {operations} --per-history {operations} --history history.txt",
            failure.operation, failure.violation
        )
    })
}

/// All histories of these seeds, on two threads.
fn histories(seeds: &[u64]) -> Outcome {
    let (next, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let all = Mutex::new(Outcome::default());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let thread = std::thread::Builder::new().stack_size(STACK);
            let spawned = thread.spawn_scoped(scope, || {
                loop {
                    let index = usize::try_from(next.fetch_add(1, Ordering::SeqCst)).unwrap();
                    let Some(seed) = seeds.get(index) else { return };
                    match history(*seed, OPERATIONS) {
                        Ok(outcome) => {
                            let mut all = all.lock().unwrap();
                            *all = all.and(&outcome);
                        }
                        Err(failure) => failed.lock().unwrap().push(failure),
                    }
                }
            });
            drop(spawned.unwrap());
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    all.into_inner().unwrap()
}

#[test]
fn one_seed_is_one_history() {
    let kept = |seed| {
        let plan = Plan { seed, operations: 400, engine: Engine::embedded(), keep_history: true };
        simulate(&plan, &mut |_| {}).unwrap()
    };
    let (first, second) = (kept(7), kept(7));
    assert!(first.lines == second.lines, "the histories differ");
    assert_eq!(first, second);
    assert_ne!(first.fingerprint, kept(8).fingerprint);
}

/// With `TOPUP_DYNAMODB_LOCAL=http://127.0.0.1:8000` or the like.
#[test]
fn amazons_own_dynamodb_makes_the_same_history_as_the_embedded_table() {
    let Ok(endpoint) = std::env::var("TOPUP_DYNAMODB_LOCAL") else {
        say("TOPUP_DYNAMODB_LOCAL is not set: nothing was compared");
        return;
    };
    for seed in 0..3 {
        let on = |engine| {
            let plan = Plan { seed, operations: 500, engine, keep_history: true };
            simulate(&plan, &mut |_| {}).unwrap_or_else(|failure| panic!("{}", failure.violation))
        };
        let database = format!("histories{:x}", fastrand::u64(..));
        let amazons = on(Engine::remote(&endpoint, database));
        let embedded = on(Engine::embedded());
        let pairs = embedded.lines.iter().zip(&amazons.lines);
        let mut pairs = pairs;
        let differ = pairs.find(|(embedded, amazons)| embedded != amazons);
        assert_eq!(differ, None, "seed {seed}: the embedded table, and Amazon's");
        assert!(amazons == embedded, "seed {seed} has another history");
    }
}

#[test]
fn whatever_fails_nothing_is_wrong_and_everything_comes_to_its_end() {
    let fixed = histories(&FIXED.collect::<Vec<_>>());
    let must = MUST_BE_SEEN.lines().map(str::trim).filter(|line| !line.is_empty());
    let missed: Vec<_> = must.filter(|what| !fixed.seen.contains_key(*what)).collect();
    assert!(missed.is_empty(), "never happened: {missed:#?}\nwhat did: {:#?}", fixed.seen);
    let fresh = histories(&(0..FRESH).map(|_| fastrand::u64(..)).collect::<Vec<_>>());
    let all = fixed.and(&fresh);
    let (operations, faults) = (all.operations, all.faults());
    say(&format!("{operations} operations, {} commits, {faults} faults", all.commits));
    assert!(operations >= ALL_OPERATIONS);
}
