//! Money that goes back: refunds and disputes as tables, and as properties of every order in which
//! they can be told.

use std::time::Duration;

use crate::common::{
    AT, account, balances, bank_order, card_order, paid, received, transfer_of, usd,
};
use ledger::{
    Account, Actor, Adjustment, AdjustmentId, Amount, Balance, BankReference, Currency, Direction,
    Dispute, DisputeOutcome, Entry, Finding, IdempotencyKey, Money, Note, Order, OrderStatus,
    Place, ProviderId, Refund, RefundId, RefundStatus, Refusal, ReversalSum, Reversals, Reversed,
    Settlement, Timestamp, ToldRefund, WantedRefund, accept_transfer, adjust, asked_otherwise,
    dispute_told, refund_refused, refund_told, request_refund, settle, transfer, verify,
};
use proptest::prelude::*;
use rust_decimal::Decimal;

/// An order and its account, with every entry that was made.
#[derive(Debug, Clone)]
struct Books {
    order: Order,
    account: Account,
    entries: Vec<Entry>,
    findings: Vec<Finding>,
}

/// An order of 100.00 by card, of which so much was spent since.
fn bought(spent: &str) -> Books {
    let order = card_order("wallet", "100");
    let settled = settle(&order, &account(), &paid("pi_1", "100", "USD"), None, AT).unwrap();
    let Settlement::Credited { order, decision, .. } = settled else { panic!("not credited") };
    let (account, entries) = (decision.account, decision.entries);
    let mut books = Books { order: *order, account, entries, findings: Vec::new() };
    books.spend(spent);
    books
}

impl Books {
    fn spend(&mut self, amount: &str) {
        if amount != "0" {
            let (_, decision) = transfer(&self.account, &transfer_of("sms", amount), AT).unwrap();
            self.account = decision.account;
            self.entries.extend(decision.entries);
        }
    }

    fn take(&mut self, reversed: Reversed) {
        self.order = reversed.order;
        self.findings.extend(reversed.finding);
        if let Some(decision) = reversed.decision {
            self.account = decision.account;
            self.entries.extend(decision.entries);
        }
        assert_eq!(verify(&self.entries, &self.account), Ok(()));
        let by_entries = self.entries.iter().try_fold(ReversalSum::NONE, ReversalSum::and);
        assert_eq!(by_entries, ReversalSum::NONE.and_of(&self.order));
        assert!(self.order.reversals_follow(), "{:?}", self.order.reversals);
    }

    fn tell(&mut self, told: &Told) {
        let reversed = match told {
            Told::Refund(told) => refund_told(&self.order, &self.account, told, AT),
            Told::Dispute(told) => dispute_told(&self.order, &self.account, told, AT),
        };
        if let Some(reversed) = reversed.unwrap() {
            self.take(reversed);
        }
    }

    fn ask(&mut self, key: &str, amount: &str) -> Result<RefundId, Refusal> {
        let wanted = wanted(&self.order, key, amount);
        let reversed = request_refund(&self.order, &self.account, &wanted, AT)?;
        self.take(reversed);
        Ok(wanted.id)
    }

    /// `wallet 60.00, debt 0.00, refunded 40.00`
    fn stand(&self) -> String {
        let debt = self.account.debt.format(Currency::USD);
        let refunded = self.order.refunded().format(Currency::USD);
        format!("{}; debt {debt}; refunded {refunded}", balances(&self.account))
    }

    fn kinds(&self) -> Vec<&'static str> {
        self.entries.iter().skip(1).map(|entry| entry.kind.name()).collect()
    }
}

/// Something that the provider tells.
#[derive(Debug, Clone)]
enum Told {
    Refund(ToldRefund),
    Dispute(Dispute),
}

fn wanted(order: &Order, key: &str, amount: &str) -> WantedRefund {
    WantedRefund {
        id: RefundId::derive(&order.id, &IdempotencyKey::parse(key).unwrap()),
        money: usd(amount),
        reason: Note::parse("asked for it").unwrap(),
        bank_reference: None,
        by: Actor::parse("operator").unwrap(),
    }
}

fn refund(name: &str, amount: &str, status: RefundStatus) -> Told {
    Told::Refund(ToldRefund {
        id: None,
        provider_id: ProviderId::parse(name).unwrap(),
        money: usd(amount),
        status,
        failure: (status == RefundStatus::Failed).then(|| "declined".to_owned()),
        at: AT,
    })
}

fn ours(id: &RefundId, name: &str, amount: &str, status: RefundStatus) -> Told {
    let Told::Refund(told) = refund(name, amount, status) else { unreachable!() };
    Told::Refund(ToldRefund { id: Some(id.clone()), ..told })
}

/// What the provider says of a dispute: `open`, `withdrawn`, `reinstated`, `won`, `lost`, `inquiry`,
/// `closed`, or several of them at once, as `withdrawn+lost`.
fn dispute(name: &str, amount: &str, what: &str) -> Told {
    Told::Dispute(Dispute {
        id: ProviderId::parse(name).unwrap(),
        money: usd(amount),
        reason: Some("fraudulent".to_owned()),
        contested: !["inquiry", "closed"].contains(&what),
        closed: what == "closed",
        withdrawn: what.split('+').any(|fact| fact == "withdrawn"),
        reinstated: what.split('+').any(|fact| fact == "reinstated"),
        outcome: what.split('+').find_map(DisputeOutcome::parse),
        created_at: AT,
    })
}

#[test]
fn a_refund_is_set_aside_before_it_leaves() {
    let mut books = bought("60");
    let id = books.ask("a", "25").unwrap();
    assert_eq!(
        books.stand(),
        "wallet 15.00, product:sms 60.00, wallet:held 25.00; debt 0.00; refunded 0.00"
    );
    assert_eq!(books.order.status(), OrderStatus::Completed);
    books.tell(&ours(&id, "re_1", "25", RefundStatus::Pending));
    books.tell(&ours(&id, "re_1", "25", RefundStatus::Succeeded));
    assert_eq!(
        books.stand(),
        "wallet 15.00, product:sms 60.00, wallet:held 0.00; debt 0.00; refunded 25.00"
    );
    assert_eq!(books.order.status(), OrderStatus::PartiallyRefunded);
    assert_eq!(books.kinds(), ["transfer", "refund_held", "refund"]);
    // The answer to the call, after the webhook had told it.
    books.tell(&ours(&id, "re_1", "25", RefundStatus::Pending));
    assert_eq!(books.entries.len(), 4);
    // It did not arrive after all.
    books.tell(&ours(&id, "re_1", "25", RefundStatus::Failed));
    assert_eq!(
        books.stand(),
        "wallet 40.00, product:sms 60.00, wallet:held 0.00; debt 0.00; refunded 0.00"
    );
    assert_eq!(books.order.status(), OrderStatus::Completed);
    let last = books.order.last_change().unwrap();
    assert_eq!((last.reason.name(), last.by.as_str()), ("refund_returned", "operator"));
}

#[test]
fn no_more_is_given_back_than_came_in_and_is_unspent() {
    let refusal = |spent: &str, asked: &[&str]| {
        let mut books = bought(spent);
        let mut numbered = asked.iter().enumerate();
        numbered.find_map(|(number, amount)| books.ask(&format!("k{number}"), amount).err())
    };
    assert_eq!(refusal("0", &["100"]), None);
    assert!(
        matches!(refusal("0", &["60", "40.01"]), Some(Refusal::RefundTooLarge { refundable, .. })
        if refundable == Balance::parse("40").unwrap())
    );
    assert!(
        matches!(refusal("60", &["40.01"]), Some(Refusal::InsufficientBalance { available, .. })
        if available == Balance::parse("40").unwrap())
    );
    let mut disputed = bought("0");
    disputed.tell(&dispute("dp_1", "70", "open"));
    assert!(matches!(disputed.ask("a", "30.01"), Err(Refusal::RefundTooLarge { .. })));
    assert!(disputed.ask("a", "30").is_ok());

    let unpaid = card_order("wallet", "100");
    let asked = request_refund(&unpaid, &account(), &wanted(&unpaid, "a", "1"), AT);
    assert!(matches!(asked, Err(Refusal::OrderNotRefundable { .. })));
    let books = bought("0");
    let frozen = Account { status: ledger::AccountStatus::Frozen, ..books.account.clone() };
    let asked = request_refund(&books.order, &frozen, &wanted(&books.order, "a", "1"), AT);
    assert_eq!(asked, Err(Refusal::AccountFrozen));
}

#[test]
fn a_refund_that_the_provider_refused_is_free_again() {
    let mut books = bought("0");
    let id = books.ask("a", "100").unwrap();
    let refused = refund_refused(&books.order, &books.account, &id, "charge_disputed", AT);
    books.take(refused.unwrap().unwrap());
    assert_eq!(books.stand(), "wallet 100.00, wallet:held 0.00; debt 0.00; refunded 0.00");
    assert_eq!(books.order.refund(&id).unwrap().failure.as_deref(), Some("charge_disputed"));
    assert_eq!(refund_refused(&books.order, &books.account, &id, "again", AT), Ok(None));
    // It was made after all: its money has left, whatever was believed.
    books.tell(&ours(&id, "re_1", "100", RefundStatus::Succeeded));
    assert_eq!(books.stand(), "wallet 0.00, wallet:held 0.00; debt 0.00; refunded 100.00");
    assert_eq!(books.order.status(), OrderStatus::Refunded);
}

#[test]
fn another_attempt_is_made_only_while_nothing_is_known() {
    let mut books = bought("0");
    let id = books.ask("a", "10").unwrap();
    let next = asked_otherwise(&books.order, &id, Refund::with_next_attempt).unwrap();
    assert_eq!(next.refund(&id).unwrap().attempt, 2);
    books.tell(&ours(&id, "re_1", "10", RefundStatus::Pending));
    assert_eq!(asked_otherwise(&books.order, &id, Refund::with_next_attempt), None);
    let late = refund_refused(&books.order, &books.account, &id, "no", AT);
    assert_eq!(late, Ok(None));
    // A second one that carries the same id is another refund.
    books.tell(&ours(&id, "re_2", "10", RefundStatus::Succeeded));
    assert_eq!(books.order.reversals.refunds.len(), 2);
    assert_eq!(books.stand(), "wallet 80.00, wallet:held 10.00; debt 0.00; refunded 10.00");
}

#[test]
fn what_goes_back_in_another_currency_is_not_counted_as_if_it_were_the_orders() {
    let mut books = bought("0");
    let id = books.ask("a", "52.50").unwrap();
    let euro = Currency::parse("EUR").unwrap();
    let euros = Money::parse("52.50", euro).unwrap();
    let differs = Err(Refusal::CurrencyDiffers { account: Currency::USD, offered: euro });
    for told in [
        ours(&id, "re_1", "52.50", RefundStatus::Succeeded),
        refund("re_1", "52.50", RefundStatus::Succeeded),
        dispute("dp_1", "52.50", "withdrawn"),
    ] {
        let told = match told {
            Told::Refund(told) => {
                let told = ToldRefund { money: euros, ..told };
                refund_told(&books.order, &books.account, &told, AT)
            }
            Told::Dispute(told) => {
                let told = Dispute { money: euros, ..told };
                dispute_told(&books.order, &books.account, &told, AT)
            }
        };
        assert_eq!(told, differs);
    }
}

#[test]
fn what_is_spent_already_becomes_a_debt_that_the_next_top_up_pays() {
    let mut books = bought("70");
    books.tell(&refund("re_1", "100", RefundStatus::Succeeded));
    assert_eq!(books.stand(), "wallet 0.00, product:sms 70.00; debt 70.00; refunded 100.00");
    let next = card_order("wallet", "80");
    let settled = settle(&next, &books.account, &paid("pi_2", "80", "USD"), None, AT).unwrap();
    let Settlement::Credited { order, decision, .. } = settled else { panic!("not credited") };
    assert_eq!(order.debt_paid, Some(Balance::parse("70").unwrap()));
    assert_eq!(order.credited, Some(Balance::parse("80").unwrap()));
    books.account = decision.account;
    books.entries.extend(decision.entries);
    // The first refund did not arrive: the debt is paid, so all of it returns.
    books.tell(&refund("re_1", "100", RefundStatus::Failed));
    assert_eq!(books.stand(), "wallet 110.00, product:sms 70.00; debt 0.00; refunded 0.00");
}

#[test]
fn the_life_of_a_dispute() {
    let table = [
        ("0", "inquiry", "wallet 100.00; debt 0.00; refunded 0.00"),
        ("0", "closed", "wallet 100.00; debt 0.00; refunded 0.00"),
        ("0", "open", "wallet 0.00, wallet:held 100.00; debt 0.00; refunded 0.00"),
        (
            "70",
            "open",
            "wallet 0.00, product:sms 70.00, wallet:held 30.00; debt 0.00; refunded 0.00",
        ),
        ("0", "open withdrawn", "wallet 0.00, wallet:held 0.00; debt 0.00; refunded 0.00"),
        (
            "70",
            "open withdrawn",
            "wallet 0.00, product:sms 70.00, wallet:held 0.00; debt 70.00; refunded 0.00",
        ),
        ("70", "withdrawn", "wallet 0.00, product:sms 70.00; debt 70.00; refunded 0.00"),
        ("70", "withdrawn reinstated", "wallet 30.00, product:sms 70.00; debt 0.00; refunded 0.00"),
        (
            "70",
            "open withdrawn reinstated won",
            "wallet 30.00, product:sms 70.00, wallet:held 0.00; debt 0.00; refunded 0.00",
        ),
        ("70", "won", "wallet 30.00, product:sms 70.00; debt 0.00; refunded 0.00"),
        ("70", "lost", "wallet 0.00, product:sms 70.00; debt 70.00; refunded 0.00"),
        ("0", "reinstated open lost withdrawn", "wallet 0.00; debt 0.00; refunded 0.00"),
    ];
    for (spent, told, expected) in table {
        let mut books = bought(spent);
        for what in told.split(' ') {
            books.tell(&dispute("dp_1", "100", what));
        }
        assert_eq!(books.stand(), expected, "{spent} {told}");
        assert_eq!(books.order.status(), OrderStatus::Completed);
    }
}

#[test]
fn money_that_came_back_of_a_lost_dispute_is_kept_but_for_what_had_been_refunded() {
    for (refunded, told, returned, kept) in [
        (None, "withdrawn reinstated", Some("100"), None),
        (None, "withdrawn reinstated won", Some("100"), None),
        (None, "withdrawn lost", Some("100"), None),
        (None, "withdrawn lost reinstated", Some("100"), Some("100")),
        (None, "withdrawn lost reinstated", Some("80"), Some("80")),
        (None, "withdrawn lost reinstated won", None, Some("100")),
        (Some("40"), "withdrawn lost reinstated", Some("40"), None),
        (Some("10"), "withdrawn lost reinstated", Some("100"), Some("90")),
        (Some("10"), "withdrawn lost reinstated", None, None),
    ] {
        let mut books = bought("0");
        if let Some(refunded) = refunded {
            books.tell(&refund("re_1", refunded, RefundStatus::Succeeded));
        }
        for what in told.split(' ') {
            books.tell(&dispute("dp_1", "100", what));
        }
        let id = ProviderId::parse("dp_1").unwrap();
        let found = books.order.kept_of_returned(&id, returned.map(usd));
        assert_eq!(found, kept.map(usd), "{refunded:?} {told} {returned:?}");
    }
}

/// `40` is a refund that is made later than the dispute, `40!` that it failed, `<40` one that was made before.
#[test]
fn what_a_lost_dispute_hides_that_gave_its_money_back_is_for_a_person_with_both_sides() {
    for (told, here, outside) in [
        // Late, or at once: what the dispute takes by that is kept outside.
        ("withdrawn reinstated lost", Some("0.00"), "100.00"),
        ("withdrawn+reinstated+lost", Some("0.00"), "100.00"),
        ("withdrawn reinstated 40 lost", Some("40.00"), "100.00"),
        ("<40 withdrawn+reinstated+lost", Some("40.00"), "100.00"),
        // In turn: its money comes back when the comparison looks.
        ("withdrawn lost reinstated", None, ""),
        ("withdrawn reinstated won", None, ""),
        ("<100 withdrawn+reinstated+lost", None, ""),
        // Told once more.
        ("withdrawn reinstated lost withdrawn+reinstated+lost", Some("0.00"), "100.00"),
        // What else moves after that.
        ("withdrawn lost reinstated 40", Some("0.00"), "40.00"),
        ("withdrawn lost reinstated 40!", None, ""),
        ("withdrawn lost reinstated <40", None, ""),
        ("<40 withdrawn lost reinstated <40!", Some("0.00"), "40.00"),
    ] {
        let mut books = bought("0");
        for what in told.split(' ') {
            let amount = what.trim_matches(['<', '!']);
            let status = match what.ends_with('!') {
                true => RefundStatus::Failed,
                false => RefundStatus::Succeeded,
            };
            let at = if what.starts_with('<') { AT } else { AT.plus(Duration::from_secs(60)) };
            let is_refund = amount.starts_with(|first: char| first.is_ascii_digit());
            let told = match is_refund.then(|| refund("re_1", amount, status)) {
                Some(Told::Refund(told)) => Told::Refund(ToldRefund { at, ..told }),
                _ => dispute("dp_1", "100", what),
            };
            books.tell(&told);
        }
        let found = books.findings.iter().map(|found| {
            let here = found.expected.map_or("0.00".to_owned(), |money| money.to_string());
            (here, found.actual.map(|money| money.to_string()).unwrap_or_default())
        });
        let expected = here.map(|here| (here.to_owned(), outside.to_owned()));
        assert_eq!(found.collect::<Vec<_>>(), Vec::from_iter(expected), "{told}");
    }
}

#[test]
fn a_refund_and_a_dispute_together_never_take_more_than_the_order_gave() {
    let mut books = bought("0");
    books.tell(&refund("re_1", "60", RefundStatus::Succeeded));
    books.tell(&dispute("dp_1", "100", "open"));
    assert_eq!(books.stand(), "wallet 0.00, wallet:held 40.00; debt 0.00; refunded 60.00");
    books.tell(&dispute("dp_1", "100", "withdrawn"));
    assert_eq!(books.stand(), "wallet 0.00, wallet:held 0.00; debt 0.00; refunded 60.00");
    books.tell(&dispute("dp_1", "100", "won"));
    assert_eq!(books.stand(), "wallet 40.00, wallet:held 0.00; debt 0.00; refunded 60.00");
}

#[test]
fn yuan_go_back_at_the_rate_of_the_order_and_all_of_them_in_the_end() {
    let order = bank_order("CNY 500.00");
    let by = Actor::parse("operator").unwrap();
    let arrived = received("CNY 500.00", "ref-1");
    let (order, decision) = accept_transfer(&order, &account(), "rev", &arrived, &by, AT).unwrap();
    assert_eq!(order.credited, Some(Balance::parse("69.44").unwrap()));
    let (account, entries) = (decision.account, decision.entries);
    let mut books = Books { order, account, entries, findings: Vec::new() };
    for (key, amount, yuan) in
        [("a", "20", "144.00"), ("b", "0.01", "0.07"), ("c", "49.43", "355.93")]
    {
        let bank_reference = Some(BankReference::parse(&format!("out {key}")).unwrap());
        let wanted = WantedRefund { bank_reference, ..wanted(&books.order, key, amount) };
        let asked = request_refund(&books.order, &books.account, &wanted, AT);
        books.take(asked.unwrap());
        let lines = &books.entries.last().unwrap().lines;
        let bank = lines.iter().find(|line| line.place.to_string() == "external:bank").unwrap();
        assert_eq!((bank.amount_text().as_str(), bank.currency.code()), (yuan, "CNY"));
    }
    assert_eq!(books.order.status(), OrderStatus::Refunded);
    assert_eq!(books.stand(), "wallet 0.00; debt 0.00; refunded 69.44");
}

#[test]
fn refunds_and_disputes_are_listed_by_their_time_in_whatever_order_they_are_told() {
    let at = |seconds: i64| Timestamp::from_unix_millis(AT.unix_millis() + seconds * 1_000);
    let told = |seconds: i64| {
        let refund = match refund(&format!("re_{seconds}"), "1", RefundStatus::Succeeded) {
            Told::Refund(told) => Told::Refund(ToldRefund { at: at(seconds), ..told }),
            other @ Told::Dispute(_) => other,
        };
        let dispute = match dispute(&format!("dp_{seconds}"), "1", "open") {
            Told::Dispute(told) => Told::Dispute(Dispute { created_at: at(seconds), ..told }),
            other @ Told::Refund(_) => other,
        };
        [refund, dispute]
    };
    for seconds in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] {
        let mut books = bought("0");
        seconds.into_iter().flat_map(told).for_each(|told| books.tell(&told));
        let Reversals { refunds, disputes, .. } = &books.order.reversals;
        let listed = refunds.iter().map(|refund| refund.created_at).collect::<Vec<_>>();
        assert_eq!(listed, [at(1), at(2), at(3)]);
        let listed = disputes.iter().map(|dispute| dispute.created_at).collect::<Vec<_>>();
        assert_eq!(listed, [at(1), at(2), at(3)]);
    }
}

#[test]
fn a_refund_that_was_made_elsewhere_in_the_same_second_is_listed_after_the_one_before_it() {
    let mut books = bought("0");
    let now = Timestamp::from_unix_millis(AT.unix_millis() + 30);
    let wanted = wanted(&books.order, "r1", "60");
    books.take(request_refund(&books.order, &books.account, &wanted, now).unwrap());
    books.tell(&refund("re_elsewhere", "20", RefundStatus::Succeeded));
    let listed = books.order.reversals.refunds.iter().map(|refund| refund.money);
    assert_eq!(listed.collect::<Vec<_>>(), [usd("60"), usd("20")]);
}

#[test]
fn an_adjustment_is_signed_and_cannot_take_what_is_not_there() {
    let books = bought("0");
    let adjustment = |direction, amount: &str| Adjustment {
        id: AdjustmentId::derive(&books.account.id, &IdempotencyKey::parse("a").unwrap()),
        account: books.account.id.clone(),
        target: ledger::Target::Wallet,
        direction,
        amount: Amount::parse(amount, 6).unwrap(),
        reason: Note::parse("goodwill").unwrap(),
        by: Actor::parse("operator").unwrap(),
        at: AT,
    };
    let after = |direction, amount| {
        adjust(&books.account, &adjustment(direction, amount), AT).map(|decision| {
            assert_eq!(decision.entries[0].kind.name(), "adjustment");
            balances(&decision.account)
        })
    };
    assert_eq!(after(Direction::In, "0.000001").unwrap(), "wallet 100.000001");
    assert_eq!(after(Direction::Out, "100").unwrap(), "wallet 0.00");
    assert!(matches!(after(Direction::Out, "100.01"), Err(Refusal::InsufficientBalance { .. })));
}

fn told() -> impl Strategy<Value = Told> {
    let statuses = [RefundStatus::Pending, RefundStatus::Succeeded, RefundStatus::Failed];
    let refunds = (
        prop::sample::select(vec!["re_1", "re_2", "re_3"]),
        prop::sample::select(statuses.to_vec()),
    );
    let refunds = refunds.prop_map(|(name, status)| {
        // The same refund is always of the same amount.
        let amount = match name {
            "re_1" => "100",
            "re_2" => "33.33",
            _ => "0.07",
        };
        refund(name, amount, status)
    });
    let whats = vec!["inquiry", "closed", "open", "withdrawn", "reinstated", "won", "lost"];
    let disputes = (prop::sample::select(vec!["dp_1", "dp_2"]), prop::sample::select(whats));
    let disputes = disputes
        .prop_map(|(name, what)| dispute(name, if name == "dp_1" { "100" } else { "40.5" }, what));
    prop_oneof![refunds, disputes]
}

/// Where the money is and what is known, without when it became known.
fn end(books: &Books) -> (String, Vec<String>, OrderStatus) {
    let reversals = &books.order.reversals;
    let refunds = reversals.refunds.iter().map(|refund| format!("{refund:?}"));
    let disputes = reversals.disputes.iter().map(|dispute| format!("{dispute:?}"));
    let mut facts: Vec<String> = refunds.chain(disputes).collect();
    facts.sort();
    let places: Vec<String> = [Place::WALLET, Place::Held(ledger::Target::Wallet)]
        .iter()
        .map(|place| format!("{place} {}", books.account.balance(place).format(Currency::USD)))
        .collect();
    let held = reversals.held.format(Currency::USD);
    let taken = reversals.taken.format(Currency::USD);
    let debt = books.account.debt.format(Currency::USD);
    let stand = format!("{}; debt {debt}; taken {taken}; held {held}", places.join(", "));
    (stand, facts, books.order.status())
}

proptest! {
    #[test]
    fn any_order_of_refunds_and_disputes_ends_in_the_same_balances(
        events in prop::collection::vec(told(), 1..10),
        shuffled in Just(()).prop_flat_map(|()| prop::collection::vec(any::<prop::sample::Index>(), 0..20)),
        spent in prop::sample::select(vec!["0", "0.01", "40", "99.99", "100"]),
    ) {
        let mut books = bought(spent);
        events.iter().for_each(|told| books.tell(told));
        // The same events in another order, some of them again and again.
        let mut others: Vec<Told> = events.clone();
        for (position, index) in shuffled.iter().enumerate() {
            let len = others.len();
            others.swap(position % len, index.index(len));
            if position % 3 == 0 {
                others.push(events[index.index(events.len())].clone());
            }
        }
        others.reverse();
        let mut again = bought(spent);
        others.iter().for_each(|told| again.tell(told));
        prop_assert_eq!(end(&books), end(&again));

        // Nothing is made or lost, and never more is taken than came in.
        let decimal = |place: &Place| books.account.balance(place).decimal();
        let inside = decimal(&Place::WALLET) + decimal(&Place::Held(ledger::Target::Wallet))
            + decimal(&Place::parse("product:sms").unwrap()) - books.account.debt.decimal();
        let taken = books.order.reversals.taken.decimal();
        prop_assert_eq!(inside + taken, Decimal::ONE_HUNDRED);
        prop_assert!(taken <= Decimal::ONE_HUNDRED);
        prop_assert_eq!(decimal(&Place::Held(ledger::Target::Wallet)), books.order.reversals.held.decimal());
        prop_assert!(books.account.debt == Balance::ZERO || books.account.balance(&Place::WALLET) == Balance::ZERO);
    }
}
