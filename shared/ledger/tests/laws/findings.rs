//! What becomes of a finding, and of the payment that it is about, as tables.

use std::time::Duration;

use crate::common::{AT, account, balances, card_order, paid};
use FindingOutcome::{Credited, Cured, Refunded, Resolved};
use RefundStatus::{Failed, Pending, Succeeded};
use ledger::{
    Actor, FindingOutcome, FindingState, LostPayment, Note, OrderStatus, ProviderId, RefundStatus,
    Settlement, Timestamp, ToldRefund, settle,
};

/// The refund of that name has come to stand so.
type Told = (&'static str, RefundStatus);

fn told(state: &FindingState, (name, status): Told, at: Timestamp) -> FindingState {
    let whole = paid("pi_1", "90", "USD").money;
    let told = ToldRefund {
        id: None,
        provider_id: ProviderId::parse(name).unwrap(),
        money: whole,
        status,
        failure: None,
        at,
    };
    state.with_refunds(state.refunds.told(&told, whole).unwrap().unwrap(), at)
}

fn after(tellings: &[Told]) -> FindingState {
    tellings.iter().fold(FindingState::default(), |state, one| told(&state, *one, AT))
}

fn operator() -> Actor {
    Actor::parse("an operator").unwrap()
}

/// As a person leaves it.
fn ended(state: &FindingState, how: FindingOutcome) -> FindingState {
    state.ended(how, &operator(), Some(&Note::parse("paid in cash").unwrap()), AT)
}

#[test]
fn a_finding_is_open_until_all_of_its_payment_has_gone_and_again_once_that_has_failed() {
    for (tellings, outcome) in [
        (&[][..], None),
        (&[("re_1", Pending)], None),
        (&[("re_1", Succeeded)], Some(Refunded)),
        (&[("re_1", Succeeded), ("re_1", Failed)], None),
        (&[("re_1", Succeeded), ("re_2", Failed)], Some(Refunded)),
        (&[("re_1", Succeeded), ("re_1", Failed), ("re_2", Pending)], None),
        (&[("re_1", Succeeded), ("re_1", Failed), ("re_2", Succeeded)], Some(Refunded)),
    ] {
        let state = after(tellings);
        assert_eq!(state.outcome(), outcome, "{tellings:?}");
        assert_eq!(state.is_open(), outcome.is_none());
        assert_eq!(state.resolved_before, None);
    }
}

#[test]
fn what_a_person_has_closed_opens_only_for_a_refund_that_failed_and_says_who_had_closed_it() {
    let resolved = ended(&after(&[("re_1", Failed)]), Resolved);
    for (one, opens) in [
        (("re_1", Failed), false),
        (("re_2", Pending), false),
        (("re_2", Succeeded), false),
        (("re_2", Failed), true),
    ] {
        let next = told(&resolved, one, AT);
        assert_eq!(next.is_open(), opens, "{one:?}");
        assert_eq!(next.resolved_before, resolved.closed.clone().filter(|_| opens));
        let credited = ended(&after(&[("re_1", Failed)]), Credited);
        assert_eq!(told(&credited, one, AT).outcome(), Some(Credited), "it is an order's by now");
    }
}

#[test]
fn a_payment_that_goes_back_or_that_a_person_has_settled_is_kept_by_its_finding() {
    let nothing = FindingState::default();
    let opened_again = told(&ended(&nothing, Resolved), ("re_1", Failed), AT);
    for (state, keeps) in [
        (nothing.clone(), false),
        (after(&[("re_1", Pending)]), true),
        (after(&[("re_1", Failed)]), false),
        (after(&[("re_1", Succeeded)]), true),
        (ended(&nothing, Resolved), true),
        (opened_again.clone(), true),
        (ended(&nothing, Cured), false),
        // Its claim says whose it is.
        (ended(&nothing, Credited), false),
        (ended(&opened_again, Credited), false),
    ] {
        assert_eq!(state.keeps_payment(), keeps, "{state:?}");
        let settled = settle(
            &card_order("wallet", "90"),
            &account(),
            &paid("pi_1", "90", "USD"),
            Some(&state),
            AT,
        );
        match settled.unwrap() {
            Settlement::LeftToItsFinding { order } => {
                assert!(keeps, "{state:?}");
                assert_eq!(order.unwrap().status(), OrderStatus::Expired);
            }
            Settlement::Credited { order, decision, cured } => {
                assert!(!keeps, "{state:?}");
                assert_eq!(balances(&decision.account), "wallet 90.00");
                let failed = state.refunds.failed();
                assert_eq!(order.reversals.refunds.len(), failed, "it remembers what had failed");
                let by = cured.as_ref().and_then(|cured| cured.closed.as_ref()).map(|end| &end.by);
                assert_eq!(by.is_some(), state.is_open());
                assert!(by.is_none_or(|by| *by == Actor::stripe()));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_order_is_told_when_its_payment_leaves_and_when_it_comes_back() {
    use LostPayment::{Refunded, Returned};
    let later = AT.plus(Duration::from_secs(1));
    for (before, one, became) in [
        (&[][..], ("re_1", Pending), None),
        (&[], ("re_1", Succeeded), Some(Refunded)),
        (&[], ("re_1", Failed), Some(Returned)),
        (&[("re_1", Pending)], ("re_1", Succeeded), Some(Refunded)),
        (&[("re_1", Pending)], ("re_1", Failed), Some(Returned)),
        (&[("re_1", Succeeded)], ("re_1", Failed), Some(Returned)),
        (&[("re_1", Failed)], ("re_2", Pending), None),
        (&[("re_1", Failed)], ("re_2", Succeeded), Some(Refunded)),
    ] {
        let before = after(before);
        assert_eq!(told(&before, one, later).became(&before), became, "{one:?}");
    }
}
