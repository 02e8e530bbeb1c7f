//! The rules as tables: what stands before, what is asked, what stands after.

use std::time::Duration;

use crate::common::{AT, account, balances, card_order, funded, paid, transfer_of, usd};
use ledger::{
    Account, AccountStatus, Balance, CancelStep, Currency, FailedAttempt, FindingKind,
    MAX_ATTEMPTS, MAX_BALANCE, Order, OrderStatus, Payment, PaymentId, Place, Refusal, Settlement,
    Timestamp, attempt_failed, cancel, payment_failed, payment_processing, session_expired, settle,
    transfer, verify,
};

fn credited(settlement: Settlement) -> (Order, Account) {
    match settlement {
        Settlement::Credited { order, decision, .. } => (*order, decision.account),
        other => panic!("not credited: {other:?}"),
    }
}

fn disputed(settlement: Settlement) -> (Option<OrderStatus>, FindingKind) {
    match settlement {
        Settlement::Found { order, finding } => (order.map(|order| order.status()), finding.kind),
        other => panic!("not disputed: {other:?}"),
    }
}

#[test]
fn who_decides_with_an_earlier_time_completes_the_order_when_its_timeline_says() {
    let order = payment_processing(&card_order("wallet", "100"), AT).unwrap().unwrap();
    let early = AT.minus(Duration::from_millis(3));
    let (order, _) =
        credited(settle(&order, &account(), &paid("pi_1", "100", "USD"), None, early).unwrap());
    assert_eq!(order.completed_at, Some(order.timeline.changed_at()));
}

#[test]
fn a_payment_of_what_was_ordered_is_credited_once() {
    let order = card_order("wallet", "100");
    let payment = paid("pi_1", "100", "USD");
    let settlement = settle(&order, &account(), &payment, None, AT).unwrap();
    let (order, account) = credited(settlement);
    assert_eq!(order.status(), OrderStatus::Completed);
    assert_eq!(balances(&account), "wallet 100.00");
    assert_eq!(order.credited.unwrap().format(Currency::USD), "100.00");
    assert!(!order.late);
    assert_eq!(settle(&order, &account, &payment, None, AT), Ok(Settlement::AlreadyCredited));
}

#[test]
fn money_that_differs_from_its_order_is_never_credited() {
    let check = |payment, status, kind| {
        let settlement =
            settle(&card_order("wallet", "100"), &account(), &payment, None, AT).unwrap();
        assert_eq!(disputed(settlement), (status, kind));
    };
    let exception = Some(OrderStatus::Exception);
    check(paid("pi_1", "99.99", "USD"), exception, FindingKind::AmountDiffers);
    check(paid("pi_1", "100.01", "USD"), exception, FindingKind::AmountDiffers);
    check(paid("pi_1", "100", "EUR"), exception, FindingKind::CurrencyDiffers);
}

#[test]
fn a_second_payment_is_a_finding_and_leaves_the_order_alone() {
    let order = card_order("wallet", "100");
    let first = settle(&order, &account(), &paid("pi_1", "100", "USD"), None, AT).unwrap();
    let (order, account) = credited(first);
    let second = settle(&order, &account, &paid("pi_2", "100", "USD"), None, AT).unwrap();
    assert_eq!(disputed(second), (None, FindingKind::DuplicatePayment));
}

#[test]
fn the_same_disagreement_seen_again_is_the_same_finding() {
    let wrong = paid("pi_1", "1", "USD");
    let seen = |order: &Order| match settle(order, &account(), &wrong, None, AT).unwrap() {
        Settlement::Found { order, finding } => (order, finding.id()),
        other => panic!("{other:?}"),
    };
    let (order, first) = seen(&card_order("wallet", "100"));
    let (unchanged, again) = seen(&order.unwrap());
    assert_eq!((unchanged, again), (None, first));
}

#[test]
fn an_order_in_exception_waits_for_a_person() {
    let wrong = paid("pi_1", "1", "USD");
    let order = match settle(&card_order("wallet", "100"), &account(), &wrong, None, AT).unwrap() {
        Settlement::Found { order: Some(order), .. } => *order,
        other => panic!("{other:?}"),
    };
    let right = settle(&order, &account(), &paid("pi_2", "100", "USD"), None, AT).unwrap();
    assert_eq!(disputed(right), (None, FindingKind::OrderInException));
}

#[test]
fn money_that_comes_in_is_taken_even_when_frozen_or_late() {
    let mut frozen = account();
    frozen.status = AccountStatus::Frozen;
    let expired = session_expired(&card_order("wallet", "100"), AT).unwrap().unwrap();
    let failed = payment_failed(&card_order("wallet", "100"), AT).unwrap().unwrap();
    for (closed, status) in [(expired, OrderStatus::Expired), (failed, OrderStatus::Failed)] {
        assert_eq!(closed.status(), status);
        let settlement = settle(&closed, &frozen, &paid("pi_1", "100", "USD"), None, AT).unwrap();
        let (order, account) = credited(settlement);
        assert!(order.late);
        assert_eq!(balances(&account), "wallet 100.00");
    }
}

#[test]
fn a_debt_is_paid_first_in_the_same_entry() {
    let check = |debt: &str, paid_off: &str, credit: &str, after: &str, lines: usize| {
        let indebted = Account { debt: Balance::parse(debt).unwrap(), ..account() };
        let payment = paid("pi_1", "100", "USD");
        let settlement =
            settle(&card_order("product:sms", "100"), &indebted, &payment, None, AT).unwrap();
        let Settlement::Credited { order, decision, .. } = settlement else {
            panic!("not credited")
        };
        assert_eq!(order.debt_paid.unwrap().format(Currency::USD), paid_off);
        assert_eq!(order.credited.unwrap().format(Currency::USD), credit);
        assert_eq!(decision.account.debt.format(Currency::USD), after);
        assert_eq!(decision.entries[0].lines.len(), lines);
    };
    check("0", "0.00", "100.00", "0.00", 2);
    check("30.5", "30.50", "100.00", "0.00", 3);
    check("100", "100.00", "100.00", "0.00", 2);
    check("250", "100.00", "100.00", "150.00", 2);
}

#[test]
fn what_no_account_can_hold_is_a_finding() {
    let mut full = account();
    full.balances.insert(Place::WALLET, Balance::new(MAX_BALANCE).unwrap());
    let settlement =
        settle(&card_order("wallet", "100"), &full, &paid("pi_1", "100", "USD"), None, AT).unwrap();
    assert_eq!(disputed(settlement), (Some(OrderStatus::Exception), FindingKind::NotCreditable));
}

#[test]
fn a_transfer_moves_what_is_there_and_refuses_what_is_not() {
    let before = funded("40");
    let (order, decision) = transfer(&before, &transfer_of("whatsapp", "30"), AT).unwrap();
    assert_eq!(order.status(), OrderStatus::Completed);
    assert_eq!(balances(&decision.account), "wallet 10.00, product:whatsapp 30.00");
    assert_eq!(
        transfer(&before, &transfer_of("whatsapp", "40.01"), AT).unwrap_err(),
        Refusal::InsufficientBalance {
            place: Place::WALLET,
            available: Balance::parse("40").unwrap(),
            required: usd("40.01"),
            held_back: None,
        }
    );
    let frozen = Account { status: AccountStatus::Frozen, ..before };
    let refused = transfer(&frozen, &transfer_of("whatsapp", "1"), AT);
    assert_eq!(refused.unwrap_err(), Refusal::AccountFrozen);
}

#[test]
fn time_in_the_journal_never_runs_backwards() {
    let before = funded("40");
    let early = Timestamp::from_unix_millis(AT.unix_millis() - 60_000);
    let (_, decision) = transfer(&before, &transfer_of("sms", "1"), early).unwrap();
    assert_eq!(decision.entries[0].at, AT);
}

#[test]
fn cancelling_stores_the_wish_then_closes_then_is_done() {
    let by = ledger::Actor::parse("test").unwrap();
    let order = card_order("wallet", "100");
    let CancelStep::Request(order) = cancel(&order, &by, AT).unwrap() else { panic!("wish") };
    assert!(!order.is_payable());
    let CancelStep::Close(order) = cancel(&order, &by, AT).unwrap() else { panic!("close") };
    assert_eq!(order.status(), OrderStatus::Cancelled);
    assert_eq!(cancel(&order, &by, AT), Ok(CancelStep::Done));
    let (paid, _) =
        credited(settle(&order, &account(), &paid("pi_1", "100", "USD"), None, AT).unwrap());
    assert!(paid.late);
    let status = OrderStatus::Completed;
    assert_eq!(cancel(&paid, &by, AT), Err(Refusal::OrderNotCancellable { status }));
}

#[test]
fn a_page_that_closes_on_a_wish_to_cancel_ends_as_cancelled() {
    let customer = ledger::Actor::parse("test").unwrap();
    let wished = cancel(&card_order("wallet", "100"), &customer, AT).unwrap();
    let CancelStep::Request(wished) = wished else { panic!("wish") };
    let closed = session_expired(&wished, AT).unwrap().unwrap();
    assert_eq!(closed.status(), OrderStatus::Cancelled);
    assert_eq!(session_expired(&closed, AT), Ok(None));
    // Whoever is first to see the page closed, it was the customer who cancelled.
    let another = ledger::Actor::parse("another").unwrap();
    let CancelStep::Close(by_hand) = cancel(&wished, &another, AT).unwrap() else {
        panic!("close")
    };
    for order in [closed, *by_hand] {
        assert_eq!(order.last_change().unwrap().by, customer);
    }
}

#[test]
fn a_delayed_payment_is_processing_until_it_is_paid_or_fails() {
    let order = payment_processing(&card_order("wallet", "100"), AT).unwrap().unwrap();
    assert_eq!(order.status(), OrderStatus::Processing);
    assert_eq!(payment_processing(&order, AT), Ok(None));
    assert_eq!(session_expired(&order, AT), Ok(None));
    let failed = payment_failed(&order, AT).unwrap().unwrap();
    assert_eq!(failed.status(), OrderStatus::Failed);
    assert_eq!(payment_processing(&failed, AT), Ok(None), "a late notice changes nothing");
}

#[test]
fn a_declined_card_is_kept_once_and_the_order_stays_payable() {
    let failed = |reference: &str| FailedAttempt {
        payment_id: PaymentId::parse("pi_1").unwrap(),
        decline_code: Some("insufficient_funds".into()),
        at: AT,
        reference: reference.into(),
    };
    let order = attempt_failed(&card_order("wallet", "30"), &failed("evt_1")).unwrap();
    assert!(order.is_payable());
    assert_eq!(attempt_failed(&order, &failed("evt_1")), None);
    let many = (0..50).fold(order, |order, number| {
        attempt_failed(&order, &failed(&format!("evt_x{number}"))).unwrap()
    });
    assert_eq!(many.attempts.len(), MAX_ATTEMPTS);
    assert_eq!(many.attempts.last().unwrap().reference, "evt_x49");
}

#[test]
fn attempts_are_listed_as_they_were_made_in_whatever_order_their_notices_come() {
    let later = |seconds: i64| Timestamp::from_unix_millis(AT.unix_millis() + seconds * 1_000);
    let id = PaymentId::parse("pi_1").unwrap();
    let declined = |order: Order, seconds: i64| {
        let failed = FailedAttempt {
            payment_id: id.clone(),
            decline_code: None,
            at: later(seconds),
            reference: format!("evt_{seconds}"),
        };
        attempt_failed(&order, &failed).unwrap_or(order)
    };
    // A provider counts whole seconds: the good card may have followed within the same one.
    let paid = Payment { paid_at: later(9), ..paid("pi_1", "30", "USD") };
    let paid =
        |order: Order| credited(settle(&order, &account(), &paid, None, later(20)).unwrap()).0;
    let listed = |order: &Order| {
        let names = order.attempts.iter().map(|attempt| attempt.reference.clone());
        names.collect::<Vec<_>>().join(" ")
    };
    let new = || card_order("wallet", "30");

    let in_turn = paid(declined(declined(declined(new(), 3), 5), 9));
    assert_eq!(listed(&in_turn), "evt_3 evt_5 evt_9 evt_pi_1");
    let backwards = declined(declined(declined(paid(new()), 9), 5), 3);
    assert_eq!(listed(&backwards), "evt_3 evt_5 evt_9 evt_pi_1");
    assert_eq!(in_turn.attempts, backwards.attempts);

    // The oldest are pushed out, never the success; a notice older than all that are kept adds nothing.
    let many = (1..=30).fold(paid(new()), declined);
    assert_eq!(many.attempts.len(), MAX_ATTEMPTS);
    assert_eq!(many.attempts[0].reference, "evt_12");
    assert_eq!(many.attempts.last().unwrap().reference, "evt_pi_1");
    assert_eq!(declined(many.clone(), 0), many);
}

#[test]
fn an_empty_account_verifies() {
    assert_eq!(verify(&[], &account()), Ok(()));
}
