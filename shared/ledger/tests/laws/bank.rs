//! Bank transfers as tables: what was ordered, what arrived, what is credited.

use std::time::Duration;

use ledger::{
    Account, Actor, Balance, BankTransfer, Booking, CancelStep, Currency, Note, Order, OrderStatus,
    Place, Proof, ProofId, ProofType, Rate, Reason, ReceivedTransfer, Refusal, Timestamp, Verdict,
    accept_transfer, attach_proof, book_transfer, cancel, reject_transfer, report_transfer, settle,
    transfer_overdue, verify,
};

use crate::common::{
    AT, account, balances, bank_order, card_order, new_order, paid, received, report,
};

const LATER: Timestamp = Timestamp::from_unix_millis(1_795_000_000_000 + 8 * 86_400_000);

fn operator(name: &str) -> Actor {
    Actor::parse(name).unwrap()
}

fn note(text: &str) -> Note {
    Note::parse(text).unwrap()
}

fn accept(order: &Order, arrived: &ReceivedTransfer) -> Result<(Order, Account), Refusal> {
    let accepted = accept_transfer(order, &account(), "rev_1", arrived, &operator("ann"), AT);
    let (order, decision) = accepted?;
    verify(&decision.entries, &decision.account).unwrap();
    Ok((order, decision.account))
}

fn reported(order: &Order) -> Order {
    report_transfer(order, report("Li Lei", "T-1", order), None, AT).unwrap().unwrap()
}

fn rejected(order: &Order) -> Order {
    reject_transfer(order, &note("not found"), &operator("ann"), AT).unwrap().unwrap()
}

fn expired(order: &Order) -> Order {
    transfer_overdue(order, LATER).unwrap().unwrap()
}

fn cancelled(order: &Order) -> Order {
    match cancel(order, &operator("customer"), AT).unwrap() {
        CancelStep::Close(order) => *order,
        other => panic!("{other:?}"),
    }
}

fn proof(digit: char) -> Proof {
    let id = ProofId::parse(&digit.to_string().repeat(64)).unwrap();
    Proof { id, media_type: ProofType::Pdf, size: 1_000 }
}

fn confirmed(arrived: &ReceivedTransfer) -> ReceivedTransfer {
    ReceivedTransfer { difference_confirmed: true, ..arrived.clone() }
}

#[test]
fn who_decides_with_an_earlier_time_writes_down_that_of_the_timeline() {
    let early = AT.minus(Duration::from_millis(5));
    let rejected = rejected(&reported(&bank_order("USD 100")));
    let again = report_transfer(&rejected, report("Li Lei", "T-2", &rejected), None, early);
    let again = again.unwrap().unwrap();
    let transfer = again.bank_transfer.as_ref().unwrap();
    assert_eq!(transfer.report.as_ref().unwrap().at, again.timeline.changed_at());
    let last_review = |order: &Order| {
        let reviews = &order.bank_transfer.as_ref().unwrap().reviews;
        reviews.last().unwrap().at
    };
    let refused = reject_transfer(&again, &note("no"), &operator("ann"), early).unwrap().unwrap();
    assert_eq!(last_review(&refused), refused.timeline.changed_at());
    let arrived = received("USD 100", "T-2");
    let by = operator("ann");
    let accepted = accept_transfer(&again, &account(), "rev_1", &arrived, &by, early);
    let (accepted, _) = accepted.unwrap();
    assert_eq!(last_review(&accepted), accepted.timeline.changed_at());
    assert_eq!(accepted.completed_at, Some(accepted.timeline.changed_at()));
}

#[test]
fn what_arrived_is_credited_at_the_rate_of_the_order() {
    for (ordered, arrived, credited) in [
        ("CNY 720.00", "CNY 720.00", "100.00"),
        ("CNY 720.00", "CNY 576.00", "80.00"),
        ("CNY 720.00", "CNY 864.00", "120.00"),
        ("CNY 500.00", "CNY 499.99", "69.44"),
        ("USD 200.00", "USD 185.00", "185.00"),
    ] {
        let (order, account) = accept(&bank_order(ordered), &received(arrived, "T-1")).unwrap();
        assert_eq!(balances(&account), format!("wallet {credited}"), "{arrived} for {ordered}");
        assert_eq!(order.status(), OrderStatus::Completed);
        assert_eq!(order.credited.unwrap().format(Currency::USD), credited);
        assert_eq!(order.last_change().unwrap().reason, Reason::TransferAccepted);
        assert!(!order.late);
    }
}

#[test]
fn more_than_a_fifth_away_or_another_currency_needs_a_confirmation() {
    let yuan_for_dollars =
        ReceivedTransfer { rate: Rate::parse("7.3").ok(), ..received("CNY 730.00", "T-1") };
    for (ordered, arrived, credited) in [
        ("CNY 720.00", received("CNY 575.99", "T-1"), "80.00"),
        ("CNY 720.00", received("CNY 864.01", "T-1"), "120.00"),
        ("CNY 720.00", received("USD 100.00", "T-1"), "100.00"),
        ("USD 100.00", yuan_for_dollars, "100.00"),
    ] {
        let order = bank_order(ordered);
        let refused = accept(&order, &arrived).unwrap_err();
        assert!(matches!(refused, Refusal::DifferenceNotConfirmed { .. }), "{refused}");
        let (order, account) = accept(&order, &confirmed(&arrived)).unwrap();
        assert_eq!(balances(&account), format!("wallet {credited}"), "{ordered}");
        assert_eq!(order.received, Some(arrived.money));
    }
}

#[test]
fn money_that_no_rate_leads_from_is_refused() {
    let euros = confirmed(&received("EUR 100.00", "T-1"));
    let (from, to) = (Currency::parse("EUR").unwrap(), Currency::USD);
    assert_eq!(accept(&bank_order("USD 100.00"), &euros), Err(Refusal::NoRate { from, to }));
    let dust = confirmed(&received("CNY 0.01", "T-1"));
    let refused = accept(&bank_order("CNY 720.00"), &dust);
    assert!(matches!(refused, Err(Refusal::NotConvertible { .. })), "{refused:?}");
}

#[test]
fn yuan_go_through_the_exchange_and_each_currency_sums_to_zero() {
    let order = bank_order("CNY 720.00");
    let indebted = Account { debt: Balance::parse("30").unwrap(), ..account() };
    let arrived = received("CNY 720.00", "T-1");
    let accepted =
        accept_transfer(&order, &indebted, "rev_1", &arrived, &operator("ann"), AT).unwrap();
    let (order, decision) = accepted;
    let lines: Vec<String> = decision.entries[0]
        .lines
        .iter()
        .map(|line| format!("{} {} {}", line.place, line.currency, line.amount_text()))
        .collect();
    assert_eq!(
        lines,
        [
            "wallet USD 70.00",
            "external:bank CNY -720.00",
            "external:debt USD 30.00",
            "external:fx CNY 720.00",
            "external:fx USD -100.00",
        ]
    );
    assert_eq!(order.debt_paid.unwrap().format(Currency::USD), "30.00");
    assert_eq!(order.credited.unwrap().format(Currency::USD), "100.00");
    assert_eq!(decision.account.debt, Balance::ZERO);
}

#[test]
fn a_transfer_is_accepted_from_wherever_the_order_waits_or_ended_unpaid() {
    let order = bank_order("USD 100.00");
    for (open, late) in [
        (order.clone(), false),
        (reported(&order), false),
        (rejected(&order), false),
        (rejected(&reported(&order)), false),
        (expired(&order), true),
        (cancelled(&order), true),
        (cancelled(&rejected(&order)), true),
    ] {
        let (done, account) = accept(&open, &received("USD 100.00", "T-1")).unwrap();
        assert_eq!(done.late, late, "{:?}", open.status());
        assert_eq!(balances(&account), "wallet 100.00");
    }
}

#[test]
fn money_after_the_deadline_is_late_whether_or_not_the_order_has_expired_yet() {
    let order = bank_order("USD 100.00");
    let arrived = received("USD 100.00", "T-1");
    let ann = operator("ann");
    for (open, late) in [(order.clone(), true), (expired(&order), true), (reported(&order), false)]
    {
        let (done, _) = accept_transfer(&open, &account(), "rev_1", &arrived, &ann, LATER).unwrap();
        assert_eq!(done.late, late, "{:?}", open.status());
    }
}

#[test]
fn a_transfer_is_accepted_once_and_whoever_is_second_hears_who_was_first() {
    let (done, account) =
        accept(&bank_order("USD 100.00"), &received("USD 100.00", "T-1")).unwrap();
    let second = received("USD 100.00", "T-2");
    let bob = operator("bob");
    let refused = accept_transfer(&done, &account, "rev_2", &second, &bob, LATER);
    let handled = Refusal::AlreadyReviewed { by: operator("ann"), at: AT };
    assert_eq!(refused.unwrap_err(), handled);
    assert_eq!(reject_transfer(&done, &note("no"), &bob, LATER).unwrap_err(), handled);
    let Verdict::Accepted(acceptance) = &done.last_review().unwrap().verdict else { panic!() };
    assert_eq!(acceptance.id, "rev_1");
    assert_eq!(done.payment_id, Some(received("USD 100.00", "t-1").payment_id()));
}

#[test]
fn only_a_bank_transfer_can_be_accepted_or_rejected_and_only_a_card_settled() {
    let card = card_order("wallet", "100");
    let refused = accept(&card, &received("USD 100.00", "T-1")).unwrap_err();
    assert!(matches!(refused, Refusal::OrderNotReviewable { .. }));
    let refused = reject_transfer(&card, &note("no"), &operator("ann"), AT).unwrap_err();
    assert!(matches!(refused, Refusal::OrderNotReviewable { .. }));
    let settled =
        settle(&bank_order("USD 100.00"), &account(), &paid("pi_1", "100", "USD"), None, AT);
    assert!(matches!(settled.unwrap(), ledger::Settlement::Found { .. }));
}

#[test]
fn a_rejection_is_made_once_and_answered_by_another_report() {
    let order = rejected(&reported(&bank_order("USD 100.00")));
    let (ann, bob) = (operator("ann"), operator("bob"));
    assert_eq!(reject_transfer(&order, &note("not found"), &ann, LATER), Ok(None));
    for (reason, by) in [("something else", &ann), ("not found", &bob)] {
        let refused = reject_transfer(&order, &note(reason), by, LATER);
        assert_eq!(refused, Err(Refusal::AlreadyReviewed { by: ann.clone(), at: AT }));
    }
    let again = reported(&order);
    assert_eq!(again.status(), OrderStatus::PendingReview);
    let twice = reject_transfer(&again, &note("not found"), &bob, LATER).unwrap().unwrap();
    assert_eq!(twice.bank_transfer.unwrap().reviews.len(), 2);
    for closed in [expired(&bank_order("USD 100.00")), cancelled(&bank_order("USD 100.00"))] {
        let refused = reject_transfer(&closed, &note("no"), &ann, AT);
        assert!(matches!(refused, Err(Refusal::OrderNotReviewable { .. })));
    }
}

#[test]
fn a_report_can_be_corrected_until_it_is_decided_on() {
    let order = bank_order("USD 100.00");
    let first = reported(&order);
    let mut repeated = report("Li Lei", "T-1", &order);
    repeated.at = LATER;
    assert_eq!(report_transfer(&first, repeated, None, LATER), Ok(None));
    let corrected = report_transfer(&first, report("Li Lei", "T-2", &order), None, LATER);
    let corrected = corrected.unwrap().unwrap();
    assert_eq!(corrected.timeline, first.timeline, "it waits since its first report");
    for closed in [expired(&order), cancelled(&order)] {
        let status = closed.status();
        let refused = report_transfer(&closed, report("Li Lei", "T-1", &order), None, AT);
        assert_eq!(refused, Err(Refusal::OrderNotReportable { status }));
    }
    let card = card_order("wallet", "100");
    let refused = report_transfer(&card, report("Li Lei", "T-1", &card), None, AT);
    assert!(matches!(refused, Err(Refusal::OrderNotReportable { .. })));
}

#[test]
fn an_order_is_not_rejected_and_reported_for_ever() {
    let mut order = bank_order("USD 100.00");
    for _ in 0..ledger::MAX_REVIEWS {
        order = rejected(&reported(&order));
    }
    let refused = report_transfer(&order, report("Li Lei", "T-1", &order), None, AT);
    assert_eq!(refused, Err(Refusal::TooManyReports));
}

#[test]
fn three_files_belong_to_a_report_and_a_rejection_keeps_those_it_saw() {
    let attach = |order: &Order, digit| attach_proof(order, proof(digit));
    let order = bank_order("USD 100.00");
    let order = ['1', '2', '3']
        .into_iter()
        .fold(order, |order, digit| attach(&order, digit).unwrap().unwrap());
    assert_eq!(attach(&order, '3'), Ok(None));
    assert_eq!(attach(&order, '4'), Err(Refusal::TooManyProofs { most: 3 }));
    let named = [proof('1').id];
    let unknown = [proof('9').id];
    let told = |named: &[ProofId]| {
        report_transfer(&order, report("Li Lei", "T-1", &order), Some(named), AT)
    };
    assert_eq!(told(&unknown), Err(Refusal::UnknownProof("9".repeat(64))));
    let order = told(&named).unwrap().unwrap();
    let ids = |transfer: &BankTransfer| -> Vec<Proof> { transfer.proofs.clone() };
    assert_eq!(ids(order.bank_transfer.as_ref().unwrap()), [proof('1')]);
    let order = attach(&rejected(&order), '4').unwrap().unwrap();
    let transfer = order.bank_transfer.as_ref().unwrap();
    let Verdict::Rejected(rejection) = &transfer.reviews[0].verdict else { panic!() };
    assert_eq!(rejection.proofs, [proof('1')]);
    assert!(rejection.report.is_some());
    let (done, _) = accept(&order, &received("USD 100.00", "T-1")).unwrap();
    assert!(matches!(attach(&done, '5'), Err(Refusal::OrderNotReportable { .. })));
}

#[test]
fn uploads_are_bounded_however_often_the_report_is_changed() {
    let mut order = bank_order("USD 100.00");
    let mut uploaded = 0;
    for number in 0..64_u32 {
        let id = ProofId::parse(&format!("{number:064x}")).unwrap();
        match attach_proof(&order, Proof { id, ..proof('0') }) {
            Ok(Some(next)) => {
                let told = report_transfer(&next, report("Li Lei", "T-1", &next), Some(&[]), AT);
                order = told.unwrap().unwrap();
                uploaded += 1;
            }
            other => assert_eq!(other, Err(Refusal::TooManyProofs { most: 20 })),
        }
    }
    assert_eq!(uploaded, ledger::MAX_UPLOADS);
}

#[test]
fn an_order_expires_only_unreported_and_after_its_time() {
    let order = bank_order("USD 100.00");
    assert_eq!(transfer_overdue(&order, AT), Ok(None));
    assert_eq!(transfer_overdue(&reported(&order), LATER), Ok(None));
    assert_eq!(transfer_overdue(&rejected(&order), LATER), Ok(None));
    assert_eq!(transfer_overdue(&card_order("wallet", "100"), LATER), Ok(None));
    let expired = transfer_overdue(&order, LATER).unwrap().unwrap();
    assert_eq!(expired.status(), OrderStatus::Expired);
    assert_eq!(expired.last_change().unwrap().by, Actor::schedule());
}

#[test]
fn a_transfer_without_an_order_is_booked_as_one_that_is_completed() {
    let booking = Booking {
        order: new_order("product:sms", "booked"),
        transfer: ReceivedTransfer { rate: Rate::parse("7.2").ok(), ..received("CNY 72", "T-9") },
    };
    let (order, decision) = book_transfer(&account(), "rev_1", &booking, AT).unwrap();
    assert_eq!(order.status(), OrderStatus::Completed);
    assert_eq!(order.amount.to_string(), "10.00");
    assert_eq!(order.payable.to_string(), "72.00");
    assert_eq!(balances(&decision.account), "product:sms 10.00");
    assert_eq!(decision.account.balance(&Place::WALLET), Balance::ZERO);
    verify(&decision.entries, &decision.account).unwrap();
}
