//! Balances that run low: the platform is told once, and products are topped up from the wallet.

use std::collections::BTreeSet;
use std::time::Duration;

use ledger::{
    Account, Actor, Amount, AutomaticTopUp, Balance, ChargeId, Currency, Decision, Entry, HoldId,
    IdempotencyKey, Place, ProductCode, Refusal, Target, Timestamp, TopUpSize, WantedCharge,
    WantedHold, WantedThresholds, charge, place_hold, release_hold, set_thresholds, transfer,
    verify,
};
use proptest::prelude::*;

use crate::common::{AT, account, funded, target, transfer_of};

const OPEN: BTreeSet<ProductCode> = BTreeSet::new();
const MONTH: Duration = Duration::from_secs(31 * 86_400);

fn product(code: &str) -> ProductCode {
    ProductCode::parse(code).unwrap()
}

fn amount(text: &str) -> Amount {
    Amount::parse(text, 6).unwrap()
}

fn wanted(product_code: &str, text: &str, name: &str) -> WantedCharge {
    WantedCharge {
        id: ChargeId::derive(&account().id, &IdempotencyKey::parse(name).unwrap()),
        product: product(product_code),
        amount: amount(text),
        by: by(),
    }
}

fn by() -> Actor {
    Actor::parse("messages").unwrap()
}

fn alert(below: &str) -> WantedThresholds {
    WantedThresholds { alert_below: Some(amount(below)), automatic: None }
}

fn automatic(below: &str, size: TopUpSize, cap: Option<&str>) -> WantedThresholds {
    let automatic = AutomaticTopUp { below: amount(below), size, monthly_cap: cap.map(amount) };
    WantedThresholds { alert_below: None, automatic: Some(automatic) }
}

fn fixed(text: &str) -> TopUpSize {
    TopUpSize::Fixed(amount(text))
}

fn up_to(text: &str) -> TopUpSize {
    TopUpSize::UpTo(amount(text))
}

/// 100.00 in the wallet, 20.00 in sms and 5.00 in voice.
fn customer() -> Account {
    let account = transfer(&funded("125.00"), &transfer_of("sms", "20.00"), AT).unwrap().1.account;
    transfer(&account, &transfer_of("voice", "5.00"), AT).unwrap().1.account
}

fn with(account: &Account, place: &str, wanted: &WantedThresholds) -> Account {
    set_thresholds(account, &target(place), wanted, &by(), AT).unwrap().account
}

/// Wallet and sms, in this order.
fn left(account: &Account) -> [String; 2] {
    ["wallet", "product:sms"]
        .map(|place| account.available(&target(place), AT).format(Currency::USD))
}

fn told(decision: &Decision) -> Vec<String> {
    let told = |low: &ledger::LowBalance| {
        format!("{} {} < {}", low.target, low.available.format(Currency::USD), low.below)
    };
    decision.low.iter().map(told).collect()
}

fn kinds(decision: &Decision) -> Vec<&'static str> {
    decision.entries.iter().map(|entry: &Entry| entry.kind.name()).collect()
}

fn charged(account: &Account, text: &str) -> Decision {
    charge(account, &[wanted("sms", text, text)], &OPEN, AT).decision.unwrap()
}

fn refused(account: &Account, text: &str) -> Refusal {
    let mut charged = charge(account, &[wanted("sms", text, text)], &OPEN, AT);
    assert_eq!(charged.decision, None);
    charged.outcomes.pop().unwrap().unwrap_err()
}

#[test]
fn a_low_balance_is_told_once_and_again_only_after_it_was_above_the_threshold() {
    let account = with(&customer(), "product:sms", &alert("10"));
    let at_threshold = charged(&account, "10");
    assert!(told(&at_threshold).is_empty());
    let below = charged(&at_threshold.account, "0.000001");
    assert_eq!(told(&below), ["product:sms 9.999999 < 10.00"]);
    assert!(told(&charged(&below.account, "1")).is_empty());
    // At the threshold is not above it.
    let below = charged(&at_threshold.account, "0.01").account;
    let exactly = transfer(&below, &transfer_of("sms", "0.01"), AT).unwrap().1.account;
    assert_eq!(left(&exactly)[1], "10.00");
    assert!(told(&charged(&exactly, "2")).is_empty());
    let above = transfer(&exactly, &transfer_of("sms", "0.02"), AT).unwrap().1.account;
    assert_eq!(told(&charged(&above, "0.03")), ["product:sms 9.99 < 10.00"]);
}

#[test]
fn every_way_in_which_a_balance_falls_is_told_and_money_that_is_held_is_not_available() {
    let account = with(&customer(), "wallet", &alert("90"));
    let moved = transfer(&account, &transfer_of("sms", "10.01"), AT).unwrap().1;
    assert_eq!(told(&moved), ["wallet 89.99 < 90.00"]);
    let account = with(&customer(), "product:sms", &alert("10"));
    let hold = WantedHold {
        id: HoldId::derive(&account.id, &IdempotencyKey::parse("h").unwrap()),
        product: product("sms"),
        amount: amount("15"),
        time: Duration::from_secs(60),
        by: by(),
    };
    let (hold, placed) = place_hold(&account, &hold, &OPEN, AT).unwrap();
    assert_eq!(told(&placed), ["product:sms 5.00 < 10.00"]);
    let (_, released) = release_hold(&placed.account, &hold, AT).unwrap().unwrap();
    assert!(told(&released).is_empty());
    assert_eq!(told(&charged(&released.account, "11")), ["product:sms 9.00 < 10.00"]);
    // A hold whose time is over is released by the next entry, before anything is told.
    let later = AT.plus(Duration::from_secs(60));
    let one = charge(&placed.account, &[wanted("sms", "1", "one")], &OPEN, later).decision.unwrap();
    assert!(told(&one).is_empty());
    let more = charge(&one.account, &[wanted("sms", "10", "two")], &OPEN, later).decision.unwrap();
    assert_eq!(told(&more), ["product:sms 9.00 < 10.00"]);
}

#[test]
fn a_threshold_above_the_balance_is_told_as_it_is_set_and_setting_it_again_changes_nothing() {
    let sms = target("product:sms");
    let set = set_thresholds(&customer(), &sms, &alert("20.01"), &by(), AT).unwrap();
    assert_eq!(told(&set), ["product:sms 20.00 < 20.01"]);
    assert_eq!((set.account.version, set.entries.len()), (customer().version + 1, 0));
    assert_eq!(set_thresholds(&set.account, &sms, &alert("20.01"), &by(), AT), None);
    // Another threshold is another question, and none is none.
    let higher = set_thresholds(&set.account, &sms, &alert("30"), &by(), AT).unwrap();
    assert_eq!(told(&higher), ["product:sms 20.00 < 30.00"]);
    let off =
        set_thresholds(&higher.account, &sms, &WantedThresholds::default(), &by(), AT).unwrap();
    assert!(off.account.thresholds.is_empty() && told(&off).is_empty());
    // Setting the other one leaves the alert as it is.
    let both =
        WantedThresholds { alert_below: Some(amount("30")), ..automatic("1", fixed("1"), None) };
    assert!(told(&set_thresholds(&higher.account, &sms, &both, &by(), AT).unwrap()).is_empty());
}

#[test]
fn a_charge_that_leaves_too_little_moves_money_from_the_wallet_in_the_same_decision() {
    let account = with(&customer(), "product:sms", &automatic("10", fixed("25"), None));
    assert_eq!(charged(&account, "10").top_ups, []);
    let decision = charged(&account, "10.5");
    assert_eq!(kinds(&decision), ["transfer", "charge"]);
    assert_eq!(left(&decision.account), ["75.00", "34.50"]);
    assert_eq!(decision.account.version, account.version + 1);
    let order = &decision.top_ups[0];
    assert_eq!((order.amount.to_string(), order.method.name()), ("25.00".into(), "balance"));
    assert_eq!(order.last_change().unwrap().by.as_str(), "automatic");
    assert_eq!(decision.entries[0].document_id, order.id.as_str());
    // Up to a balance, and never in fractions of a cent.
    let account = with(&customer(), "product:sms", &automatic("10", up_to("50"), None));
    let decision = charged(&account, "10.000001");
    assert_eq!(decision.top_ups[0].amount.to_string(), "40.01");
    assert_eq!(left(&decision.account), ["59.99", "50.009999"]);
}

#[test]
fn it_rescues_a_charge_that_would_be_refused_if_the_wallet_has_enough() {
    let account = with(&customer(), "product:sms", &automatic("1", fixed("25"), None));
    // 20.00 there: three times 25.00 are needed for 90.00.
    let decision = charged(&account, "90");
    assert_eq!(decision.top_ups[0].amount.to_string(), "75.00");
    assert_eq!(left(&decision.account), ["25.00", "5.00"]);
    // Four times would pay for 120.00, five would be needed for 120.01.
    assert_eq!(left(&charged(&account, "120").account), ["0.00", "0.00"]);
    let said = "product:sms has 20.00 USD available and 120.01 USD is required; \
                its automatic top-up would take more than the wallet has";
    assert_eq!(refused(&account, "120.01").to_string(), said);
    let account = with(&customer(), "product:sms", &automatic("1", up_to("30"), None));
    assert_eq!(left(&charged(&account, "119.99").account), ["0.00", "0.01"]);
    refused(&account, "120.000001");
    // Another product's rule does not help, and no card is ever asked.
    let account = with(&customer(), "product:voice", &automatic("1", fixed("25"), None));
    refused(&account, "20.01");
}

#[test]
fn no_more_than_the_cap_is_moved_in_a_month() {
    let account = with(&customer(), "product:sms", &automatic("20", fixed("10"), Some("25")));
    let once = charged(&account, "5").account;
    let twice = charged(&once, "10").account;
    assert_eq!(left(&twice), ["80.00", "25.00"]);
    let no_more = charged(&twice, "20");
    assert_eq!(
        (no_more.top_ups.len(), left(&no_more.account)),
        (0, ["80.00".into(), "5.00".into()])
    );
    refused(&no_more.account, "5.000001");
    // What was moved counts also when the rule is set anew, and not in the next month.
    let anew = with(&no_more.account, "product:sms", &automatic("20", up_to("40"), Some("25")));
    assert_eq!(charged(&anew, "1").top_ups[0].amount.to_string(), "5.00");
    let next = AT.plus(MONTH);
    let charged = charge(&anew, &[wanted("sms", "1", "n")], &OPEN, next).decision.unwrap();
    assert_eq!(charged.top_ups[0].amount.to_string(), "25.00");
    let moved = |at| charged.account.moved_this_month(&target("product:sms"), at);
    assert_eq!(moved(next), Balance::from(amount("25")));
    // A clock that is behind does not open the old month again.
    assert_eq!(moved(AT), Balance::from(amount("25")));
}

#[test]
fn a_product_that_is_closed_to_top_ups_pays_only_with_what_it_has() {
    let account = with(&customer(), "product:sms", &automatic("20", fixed("25"), None));
    let closed = BTreeSet::from([product("sms")]);
    let charged = charge(&account, &[wanted("sms", "20", "a")], &closed, AT).decision.unwrap();
    assert_eq!(
        (charged.top_ups.len(), left(&charged.account)),
        (0, ["100.00".into(), "0.00".into()])
    );
    let refused = charge(&account, &[wanted("sms", "20.01", "a")], &closed, AT);
    assert!(refused.decision.is_none());
}

#[test]
fn a_hold_is_rescued_too_and_says_what_was_low_in_between() {
    let both =
        WantedThresholds { alert_below: Some(amount("10")), ..automatic("10", up_to("12"), None) };
    let account = with(&customer(), "product:sms", &both);
    let account = with(&account, "wallet", &alert("99"));
    let hold = WantedHold {
        id: HoldId::derive(&account.id, &IdempotencyKey::parse("h").unwrap()),
        product: product("sms"),
        amount: amount("30"),
        time: Duration::from_secs(60),
        by: by(),
    };
    let (_, decision) = place_hold(&account, &hold, &OPEN, AT).unwrap();
    assert_eq!(kinds(&decision), ["transfer", "hold_placed"]);
    assert_eq!(left(&decision.account), ["78.00", "12.00"]);
    assert_eq!(told(&decision), ["wallet 78.00 < 99.00"]);
    assert!(decision.account.open_hold(&hold.id, AT).is_some());
}

#[test]
fn turning_a_top_up_off_and_on_again_opens_no_new_month() {
    let rule = automatic("20", fixed("10"), Some("10"));
    let account = with(&customer(), "product:sms", &rule);
    let moved = charged(&account, "5").account;
    for off in [WantedThresholds::default(), alert("1")] {
        let again = with(&with(&moved, "product:sms", &off), "product:sms", &rule);
        assert_eq!(charged(&again, "6").top_ups, []);
    }
}

#[test]
fn what_a_balance_was_between_two_entries_of_a_commit_is_told_to_nobody() {
    let both =
        WantedThresholds { alert_below: Some(amount("100")), ..automatic("20", fixed("90"), None) };
    let set = set_thresholds(&customer(), &target("product:sms"), &both, &by(), AT).unwrap();
    assert_eq!(told(&set), ["product:sms 20.00 < 100.00"]);
    // 20.00, and 110.00 for a moment that nobody sees, and 10.00.
    let charged = charged(&set.account, "100");
    assert_eq!(left(&charged.account), ["10.00", "10.00"]);
    assert!(told(&charged).is_empty());
}

#[test]
fn money_of_a_hold_that_was_over_was_there_before_it_was_used() {
    let account = with(&customer(), "product:sms", &alert("10"));
    let hold = WantedHold {
        id: HoldId::derive(&account.id, &IdempotencyKey::parse("h").unwrap()),
        product: product("sms"),
        amount: amount("15"),
        time: Duration::from_secs(60),
        by: by(),
    };
    let (_, placed) = place_hold(&account, &hold, &OPEN, AT).unwrap();
    assert_eq!(told(&placed), ["product:sms 5.00 < 10.00"]);
    let later = AT.plus(Duration::from_secs(60));
    let used = charge(&placed.account, &[wanted("sms", "11", "c")], &OPEN, later).decision.unwrap();
    assert_eq!(told(&used), ["product:sms 9.00 < 10.00"]);
}

#[test]
fn thresholds_of_another_currency_mean_nothing() {
    let usd = with(&account(), "product:sms", &automatic("5", fixed("10.5"), None));
    let yen = usd.changed(Currency::parse("JPY").unwrap(), usd.status).unwrap().unwrap();
    assert!(yen.thresholds.is_empty());
    let frozen = usd.changed(usd.currency, ledger::AccountStatus::Frozen).unwrap().unwrap();
    assert_eq!(frozen.thresholds, usd.thresholds);
}

/// One step of a history: whether to sms or to voice, and how many cents.
type Use = (bool, u64);

fn uses(steps: &[Use]) -> Vec<WantedCharge> {
    let wanted = steps.iter().enumerate().map(|(number, (voice, cents))| {
        let text = format!("{}.{:02}", cents / 100, cents % 100);
        wanted(if *voice { "voice" } else { "sms" }, &text, &format!("{number}"))
    });
    wanted.collect()
}

fn cents(balance: Balance) -> u64 {
    u64::try_from(balance.decimal() * rust_decimal::Decimal::from(100)).unwrap()
}

fn money_in(account: &Account) -> u64 {
    account.balances.values().map(|balance| cents(*balance)).fold(0, |sum, one| sum + one)
}

proptest! {
    #[test]
    fn charges_together_are_charges_one_by_one_with_every_kind_of_top_up(
        steps in prop::collection::vec((any::<bool>(), 1_u64..4_000), 1..40),
        size in 1_u64..30, target_size in any::<bool>(), cap in prop::option::of(1_u64..60),
    ) {
        let size = format!("{}", size + 10);
        let size = if target_size { up_to(&size) } else { fixed(&size) };
        let cap = cap.map(|cap| cap.to_string());
        let rule = automatic("10", size, cap.as_deref());
        let start = with(&customer(), "product:sms", &rule);
        let start = with(&start, "product:voice", &rule);
        let wanted = uses(&steps);
        let mut one_by_one = start.clone();
        let mut alone = Vec::new();
        let mut entries = Vec::new();
        for one in &wanted {
            let mut charged = charge(&one_by_one, std::slice::from_ref(one), &OPEN, AT);
            alone.push(charged.outcomes.pop().unwrap().is_ok());
            if let Some(decision) = charged.decision {
                entries.extend(decision.entries);
                one_by_one = decision.account;
            }
        }
        let together = charge(&start, &wanted, &OPEN, AT);
        prop_assert_eq!(&together.outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(), &alone);
        let used = steps.iter().zip(&alone).filter(|(_, made)| **made).map(|((_, cents), _)| cents);
        let used = used.fold(0, |sum, cents| sum + cents);
        prop_assert_eq!(money_in(&one_by_one) + used, money_in(&start));
        if let Some(decision) = together.decision {
            prop_assert_eq!(&decision.account.balances, &one_by_one.balances);
            prop_assert_eq!(&decision.account.thresholds, &one_by_one.thresholds);
            prop_assert!(decision.top_ups.len() <= 2);
            for target in ["product:sms", "product:voice"].map(target) {
                let moved = decision.account.moved_this_month(&target, AT);
                let ordered = decision.top_ups.iter().filter(|order| order.target == target);
                let ordered = ordered.map(|order| cents(order.amount.amount.into()));
                prop_assert_eq!(cents(moved), ordered.fold(0, |sum, cents| sum + cents));
                let cap = cap.as_ref().map(|cap| Balance::parse(cap).unwrap());
                prop_assert!(cap.is_none_or(|cap| moved <= cap));
            }
        }
    }

    #[test]
    fn what_is_told_is_each_fall_from_above_a_threshold_to_below_it(
        steps in prop::collection::vec((any::<bool>(), 1_u64..800), 1..60), below in 1_u64..20,
    ) {
        let sms = target("product:sms");
        let mut account = with(&funded("100000.00"), "wallet", &alert("1"));
        account = set_thresholds(&account, &sms, &alert(&below.to_string()), &by(), AT).unwrap().account;
        // It was told as it was set: nothing was there.
        let (mut armed, mut number) = (false, 0);
        for (up, hundredths) in steps {
            number += 1;
            let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
            let decision = if up {
                let mut command = transfer_of("sms", &text);
                command.order_id = crate::common::order_id(&format!("step-{number}"));
                Some(transfer(&account, &command, AT).unwrap().1)
            } else {
                charge(&account, &[wanted("sms", &text, &format!("{number}"))], &OPEN, AT).decision
            };
            let Some(decision) = decision else { continue };
            let now = cents(decision.account.available(&sms, AT));
            let told = decision.low.iter().filter(|low| low.target == sms).count();
            prop_assert_eq!(told, usize::from(armed && now < below * 100));
            armed = now > below * 100 || (armed && now == below * 100);
            account = decision.account;
        }
    }
}

#[test]
fn a_journal_with_automatic_top_ups_gives_its_account() {
    let mut entries: Vec<Entry> = Vec::new();
    let order = crate::common::card_order("wallet", "100.00");
    let paid = crate::common::paid("pi_1", "100.00", "USD");
    let ledger::Settlement::Credited { decision, .. } =
        ledger::settle(&order, &account(), &paid, None, AT).unwrap()
    else {
        panic!("not credited")
    };
    entries.extend(decision.entries.clone());
    let mut account = with(&decision.account, "product:sms", &automatic("5", up_to("9"), None));
    for number in 0..12_u32 {
        let at = Timestamp::from_unix_millis(AT.unix_millis() + i64::from(number));
        let wanted = wanted("sms", "7.000001", &format!("c{number}"));
        let decision = charge(&account, &[wanted], &OPEN, at).decision.unwrap();
        entries.extend(decision.entries);
        account = decision.account;
    }
    assert_eq!(account.balance(&Place::Available(Target::Wallet)).format(Currency::USD), "6.99");
    verify(&entries, &account).unwrap();
}
