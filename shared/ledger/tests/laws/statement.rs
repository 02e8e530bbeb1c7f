//! Lines of a bank statement and the orders that they are proposed for.

use std::collections::BTreeMap;

use ledger::{
    BankReference, Candidate, Currency, Day, Doubt, Name, Order, Proposal, StatementLine,
    match_statement, reject_transfer, report_transfer,
};

use crate::common::{AT, bank_order, money, receiving_account, report};

fn code(order: &Order) -> String {
    order.bank_transfer.as_ref().unwrap().reference.as_ref().unwrap().to_string()
}

fn line(number: u32, amount: &str, payer: &str, information: &str) -> StatementLine {
    StatementLine {
        number,
        booked_on: Day::from_unix_days(Day::of(AT).unix_days() + 2),
        money: money(amount),
        bank_reference: BankReference::parse(&format!("B-{number}")).ok(),
        payer: Name::parse(payer).ok(),
        information: information.to_owned(),
        doubt: None,
    }
}

fn candidate(order: &Order, customer: &str) -> Candidate {
    Candidate { order: order.clone(), customer: Name::parse(customer).ok() }
}

fn matched(lines: &[StatementLine], candidates: &[Candidate]) -> BTreeMap<u32, Vec<Proposal>> {
    match_statement(&receiving_account(Currency::USD), lines, candidates)
}

/// The best proposal of line 1 in words: `reference_code amount payer date 100 exact`.
fn best(lines: &[StatementLine], candidates: &[Candidate]) -> String {
    let proposals = &matched(lines, candidates)[&1];
    let Some(best) = proposals.first() else { return "nothing".to_owned() };
    let evidence: Vec<_> = best.evidence.iter().map(|evidence| evidence.name()).collect();
    let exact = if best.exact { " exact" } else { "" };
    format!("{} {}{exact}", evidence.join(" "), best.score)
}

#[test]
fn a_reference_code_and_the_right_amount_are_exact() {
    let order = bank_order("USD 200.00");
    let open = [candidate(&order, "Acme Inc")];
    let said =
        |amount, payer, information: &str| best(&[line(1, amount, payer, information)], &open);
    assert_eq!(
        said("USD 200.00", "ACME, Inc.", &code(&order)),
        "reference_code amount payer date 100 exact"
    );
    assert_eq!(
        said("USD 200.00", "Somebody", &code(&order)),
        "reference_code amount date 90 exact"
    );
    assert_eq!(said("USD 185.00", "Acme Inc", &code(&order)), "reference_code payer date 75");
    assert_eq!(said("CNY 200.00", "Somebody", &code(&order)), "reference_code date 65");
    assert_eq!(said("USD 200.00", "Acme Inc", "thanks"), "amount payer date 40");
    assert_eq!(said("USD 200.00", "Somebody", "thanks"), "nothing");
    assert_eq!(said("USD 199.00", "Acme Inc", "thanks"), "nothing");
}

#[test]
fn a_reported_bank_reference_is_evidence_but_not_exact() {
    let order = bank_order("USD 200.00");
    let told = report_transfer(&order, report("Li Lei", "b - 1", &order), None, AT);
    let open = [candidate(&told.unwrap().unwrap(), "Acme Inc")];
    let said = |payer| best(&[line(1, "USD 200.00", payer, "thanks")], &open);
    assert_eq!(said("LI LEI"), "bank_reference amount payer date 90");
    assert_eq!(said("Acme Inc"), "bank_reference amount date 80", "the report says who pays");
}

#[test]
fn what_two_lines_or_two_orders_claim_is_left_to_a_person() {
    let (one, other) = (bank_order("USD 200.00"), bank_order("USD 300.00"));
    let twice = |number| line(number, "USD 200.00", "Acme", &code(&one));
    let open = [candidate(&one, "Acme"), candidate(&other, "Acme")];
    let proposals = matched(&[twice(1), twice(2)], &open);
    assert!(proposals.values().flatten().all(|proposal| !proposal.exact));
    assert_eq!(best(&[twice(1)], &open), "reference_code amount payer date 100 exact");
    let both = line(1, "USD 200.00", "Acme", &format!("{} {}", code(&one), code(&other)));
    let proposals = matched(&[both], &open);
    assert_eq!(proposals[&1].len(), 2);
    assert!(proposals[&1][0].exact, "the other one is due another amount");
    let second = line(2, "USD 300.00", "Acme", &code(&other));
    let proposals = matched(&[twice(1), second.clone()], &open);
    assert!(proposals[&1][0].exact && proposals[&2][0].exact);
    let same = StatementLine { bank_reference: twice(1).bank_reference, ..second };
    let proposals = matched(&[twice(1), same], &open);
    assert!(
        proposals.values().flatten().all(|proposal| !proposal.exact),
        "one transfer, two orders"
    );
}

#[test]
fn a_code_that_words_make_up_is_evidence_but_not_exact() {
    let order = bank_order("USD 200.00");
    let open = [candidate(&order, "Acme")];
    let plain = code(&order).replace('-', "");
    let said = |information: &str| best(&[line(1, "USD 200.00", "Jade", information)], &open);
    assert_eq!(said(&format!("PAY {plain}")), "reference_code amount date 90 exact");
    for words in
        [format!("{plain}S"), format!("SE{plain}"), format!("{} {}ING", &plain[..4], &plain[4..])]
    {
        assert_eq!(said(&words), "reference_code amount date 90", "{words}");
    }
}

#[test]
fn an_exact_match_must_be_booked_at_the_account_that_was_shown_and_carry_a_reference() {
    let order = bank_order("USD 200.00");
    let open = [candidate(&order, "Acme")];
    let good = line(1, "USD 200.00", "Acme", &code(&order));
    let elsewhere = ledger::ReceivingAccount::new(Currency::USD, "99998888").unwrap();
    assert!(!match_statement(&elsewhere, std::slice::from_ref(&good), &open)[&1][0].exact);
    let nameless = StatementLine { bank_reference: None, ..good.clone() };
    assert!(!matched(&[nameless], &open)[&1][0].exact);
    for doubt in Doubt::ALL {
        let doubted = StatementLine { doubt: Some(doubt), ..good.clone() };
        assert!(!matched(&[doubted], &open)[&1][0].exact, "{doubt:?}");
    }
    let by = ledger::Actor::parse("ann").unwrap();
    let rejected = reject_transfer(&order, &ledger::Note::parse("no").unwrap(), &by, AT);
    let closed = [candidate(&rejected.unwrap().unwrap(), "Acme")];
    assert!(!matched(&[good], &closed)[&1][0].exact);
}

#[test]
fn a_transfer_that_was_booked_long_before_or_after_is_not_known_by_its_amount() {
    let order = bank_order("USD 200.00");
    let open = [candidate(&order, "Acme")];
    for (days, expected) in [
        (-2, "nothing"),
        (-1, "amount payer date 40"),
        (10, "amount payer date 40"),
        (11, "nothing"),
    ] {
        let booked_on = Day::from_unix_days(Day::of(AT).unix_days() + days);
        let one = StatementLine { booked_on, ..line(1, "USD 200.00", "Acme", "") };
        assert_eq!(best(&[one], &open), expected, "{days} days");
    }
}
