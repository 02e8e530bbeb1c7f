//! Money that is used: charges, and holds in every state.

use std::collections::BTreeSet;
use std::time::Duration;

use ledger::{
    Account, AccountStatus, Actor, Amount, Balance, Capture, Charge, ChargeId, Charged, Checkpoint,
    Decision, Entry, Hold, HoldId, HoldStatus, IdempotencyKey, MAX_HOLDS, MIN_HOLD_TIME, Place,
    ProductCode, Refusal, Target, Timestamp, Verification, WantedCharge, WantedHold, capture_hold,
    charge, expire_hold, place_hold, release_hold, transfer,
};
use proptest::prelude::*;

use crate::common::{AT, account, funded, target, transfer_of};

/// No product is closed to top-ups.
const OPEN: BTreeSet<ProductCode> = BTreeSet::new();

/// A quarter of an hour.
const TIME: Duration = Duration::from_secs(900);

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).unwrap()
}

fn by() -> Actor {
    Actor::parse("messages").unwrap()
}

fn amount(text: &str) -> Amount {
    Amount::parse(text, 6).unwrap()
}

fn wanted_charge(product: &str, text: &str, name: &str) -> WantedCharge {
    WantedCharge {
        id: ChargeId::derive(&account().id, &key(name)),
        product: ProductCode::parse(product).unwrap(),
        amount: amount(text),
        by: by(),
    }
}

fn wanted_hold(text: &str, time: Duration, name: &str) -> WantedHold {
    WantedHold {
        id: HoldId::derive(&account().id, &key(name)),
        product: ProductCode::parse("sms").unwrap(),
        amount: amount(text),
        time,
        by: by(),
    }
}

fn capture(text: &str, last: bool) -> Capture {
    let id = ChargeId::of_capture(&account().id, &key(text));
    Capture { id, amount: amount(text), last, by: by() }
}

/// An account with 100.00 in sms and 50.00 in the wallet.
fn customer() -> Account {
    transfer(&funded("150.00"), &transfer_of("sms", "100.00"), AT).unwrap().1.account
}

/// What is available and held in sms at a moment.
fn sms(account: &Account, at: Timestamp) -> String {
    let sms = target("product:sms");
    let shown = |balance: Balance| balance.format(account.currency);
    format!("{} and {} held", shown(account.available(&sms, at)), shown(account.held(&sms, at)))
}

/// The lines of an entry: `product:sms -1.00, external:usage 1.00`.
fn lines(entry: &Entry) -> String {
    let line = |line: &ledger::Line| format!("{} {}", line.place, line.amount_text());
    entry.lines.iter().map(line).collect::<Vec<_>>().join(", ")
}

fn in_words(decision: &Decision) -> Vec<String> {
    let entry = |entry: &Entry| format!("{}: {}", entry.kind.name(), lines(entry));
    decision.entries.iter().map(entry).collect()
}

fn held(text: &str) -> (Account, Hold) {
    let (hold, decision) =
        place_hold(&customer(), &wanted_hold(text, TIME, "hold"), &OPEN, AT).unwrap();
    (decision.account, hold)
}

/// One charge by itself.
fn charge_one(
    account: &Account,
    wanted: WantedCharge,
    now: Timestamp,
) -> Result<(Charge, Decision), Refusal> {
    let mut charged = charge(account, &[wanted], &OPEN, now);
    Ok((charged.outcomes.pop().unwrap()?, charged.decision.unwrap()))
}

#[test]
fn a_charge_takes_fractions_of_a_cent_from_its_product_alone() {
    let (made, decision) =
        charge_one(&customer(), wanted_charge("sms", "0.004512", "c"), AT).unwrap();
    assert_eq!(in_words(&decision), ["charge: product:sms -0.004512, external:usage 0.004512"]);
    assert_eq!(
        (made.entry, made.from_hold, made.money.to_string()),
        (3, None, "0.004512".to_owned())
    );
    assert_eq!(sms(&decision.account, AT), "99.995488 and 0.00 held");
    // Neither the wallet nor another product helps out.
    let refused = charge_one(&customer(), wanted_charge("sms", "100.000001", "c"), AT).unwrap_err();
    let said = "product:sms has 100.00 USD available and 100.000001 USD is required";
    assert_eq!(refused.to_string(), said);
    let refused = charge_one(&customer(), wanted_charge("voice", "0.000001", "c"), AT).unwrap_err();
    assert!(matches!(refused, Refusal::InsufficientBalance { .. }));
    let frozen = Account { status: AccountStatus::Frozen, ..customer() };
    let refused = charge_one(&frozen, wanted_charge("sms", "1", "c"), AT).unwrap_err();
    assert_eq!(refused, Refusal::AccountFrozen);
}

#[test]
fn charges_that_are_made_together_share_one_entry_and_none_takes_what_another_needs() {
    let account = transfer(&customer(), &transfer_of("voice", "1.00"), AT).unwrap().1.account;
    let wanted = [
        wanted_charge("sms", "60", "a"),
        wanted_charge("sms", "40.01", "b"),
        wanted_charge("voice", "0.25", "c"),
        wanted_charge("sms", "40", "d"),
        wanted_charge("sms", "0.000001", "e"),
    ];
    let Charged { outcomes, decision } = charge(&account, &wanted, &OPEN, AT);
    let decision = decision.unwrap();
    let lines = "charge: product:sms -100.00, product:voice -0.25, external:usage 100.25";
    assert_eq!(in_words(&decision), [lines]);
    let made = [&wanted[0], &wanted[2], &wanted[3]].map(|one| one.id.to_string());
    assert_eq!(decision.entries[0].document_id, made.join(" "));
    let said = |outcome: &Result<Charge, Refusal>| match outcome {
        Ok(charge) => format!("{} by entry {}", charge.money, charge.entry),
        Err(refused) => refused.to_string(),
    };
    assert_eq!(
        outcomes.iter().map(said).collect::<Vec<_>>(),
        [
            "60.00 by entry 4",
            "product:sms has 40.00 USD available and 40.01 USD is required",
            "0.25 by entry 4",
            "40.00 by entry 4",
            "product:sms has 0.00 USD available and 0.000001 USD is required",
        ]
    );
    let rest = charge(&decision.account, &wanted, &OPEN, AT);
    assert_eq!(rest.outcomes.iter().filter(|one| one.is_ok()).count(), 1, "0.25 of voice");
    assert_eq!(charge(&account, &[], &OPEN, AT), Charged { outcomes: Vec::new(), decision: None });
}

#[test]
fn a_hold_is_captured_in_parts_and_what_is_left_is_free_again() {
    let (account, hold) = held("10.00");
    assert_eq!(sms(&account, AT), "90.00 and 10.00 held");
    let (hold, first, decision) = capture_hold(&account, &hold, &capture("4", false), AT).unwrap();
    assert_eq!(in_words(&decision), ["hold_captured: product:sms:held -4.00, external:usage 4.00"]);
    assert_eq!((hold.status, first.from_hold.unwrap().id), (HoldStatus::Open, hold.id.clone()));
    assert_eq!(hold.left().format(account.currency), "6.00");
    assert_eq!(sms(&decision.account, AT), "90.00 and 6.00 held");
    let account = decision.account;
    let (hold, _, decision) = capture_hold(&account, &hold, &capture("1.5", true), AT).unwrap();
    assert_eq!(
        in_words(&decision),
        ["hold_captured: product:sms 4.50, product:sms:held -6.00, external:usage 1.50"]
    );
    assert_eq!((hold.status, hold.closed_at), (HoldStatus::Captured, Some(AT)));
    assert_eq!(hold.left(), Balance::ZERO);
    assert_eq!(sms(&decision.account, AT), "94.50 and 0.00 held");
}

/// A state of a hold, the account that goes with it, and the moment.
fn state(name: &str) -> (Account, Hold, Timestamp) {
    let (account, hold) = held("10");
    match name {
        "open" => (account, hold, AT),
        "captured in part" => {
            let (hold, _, decision) =
                capture_hold(&account, &hold, &capture("4", false), AT).unwrap();
            (decision.account, hold, AT)
        }
        "captured with the rest released" => {
            let (hold, _, decision) =
                capture_hold(&account, &hold, &capture("4", true), AT).unwrap();
            (decision.account, hold, AT)
        }
        "used up" => {
            let (hold, _, decision) =
                capture_hold(&account, &hold, &capture("10", false), AT).unwrap();
            (decision.account, hold, AT)
        }
        "released" => {
            let (hold, decision) = release_hold(&account, &hold, AT).unwrap().unwrap();
            (decision.account, hold, AT)
        }
        "over" => (account, hold, AT.plus(TIME)),
        "over, and its money free" => {
            let end = AT.plus(TIME);
            let (_, decision) = expire_hold(&account, &hold, end).unwrap().unwrap();
            (decision.unwrap().account, hold, end)
        }
        "in a frozen account" => (Account { status: AccountStatus::Frozen, ..account }, hold, AT),
        other => panic!("{other}?"),
    }
}

/// What a call comes to: the state and what is available and held then, or the refusal.
fn outcome(call: &str, name: &str) -> String {
    let (account, hold, at) = state(name);
    let done = |hold: Hold, decision: Decision| {
        format!(
            "{}, {}",
            hold.as_of(&decision.account, at).status.name(),
            sms(&decision.account, at)
        )
    };
    let captured =
        |text: &str, last: bool| match capture_hold(&account, &hold, &capture(text, last), at) {
            Ok((hold, _, decision)) => done(hold, decision),
            Err(refused) => format!("refused: {refused}"),
        };
    match call {
        "capture 4" => captured("4", false),
        "capture 1, the last" => captured("1", true),
        "capture 11" => captured("11", false),
        "release" => match release_hold(&account, &hold, at) {
            Ok(Some((hold, decision))) => done(hold, decision),
            Ok(None) => "nothing to do".to_owned(),
            Err(refused) => format!("refused: {refused}"),
        },
        other => panic!("{other}?"),
    }
}

#[test]
fn every_state_of_a_hold_against_every_call() {
    let table = [
        (
            "open",
            [
                "open, 90.00 and 6.00 held",
                "captured, 99.00 and 0.00 held",
                "refused: the hold keeps 10.00 USD",
                "released, 100.00 and 0.00 held",
            ],
        ),
        (
            "captured in part",
            [
                "open, 90.00 and 2.00 held",
                "captured, 95.00 and 0.00 held",
                "refused: the hold keeps 6.00 USD",
                "released, 96.00 and 0.00 held",
            ],
        ),
        (
            "in a frozen account",
            [
                "open, 90.00 and 6.00 held",
                "captured, 99.00 and 0.00 held",
                "refused: the hold keeps 10.00 USD",
                "released, 100.00 and 0.00 held",
            ],
        ),
        ("captured with the rest released", ["refused: the hold is captured"; 4]),
        ("used up", ["refused: the hold is captured"; 4]),
        (
            "released",
            [
                "refused: the hold is released",
                "refused: the hold is released",
                "refused: the hold is released",
                "nothing to do",
            ],
        ),
        (
            "over",
            [
                "refused: the hold is expired",
                "refused: the hold is expired",
                "refused: the hold is expired",
                "nothing to do",
            ],
        ),
        (
            "over, and its money free",
            [
                "refused: the hold is expired",
                "refused: the hold is expired",
                "refused: the hold is expired",
                "nothing to do",
            ],
        ),
    ];
    let calls = ["capture 4", "capture 1, the last", "capture 11", "release"];
    for (state, outcomes) in table {
        for (call, expected) in calls.into_iter().zip(outcomes) {
            assert_eq!(outcome(call, state), expected, "{call} of a hold that is {state}");
        }
    }
}

#[test]
fn money_of_an_expired_hold_can_be_used_at_once_and_is_released_before_that() {
    let (account, hold) = held("60");
    let (other, decision) =
        place_hold(&account, &wanted_hold("40", TIME * 2, "other"), &OPEN, AT).unwrap();
    let account = decision.account;
    let before = AT.plus(TIME - Duration::from_millis(1));
    assert_eq!(sms(&account, before), "0.00 and 100.00 held");
    let too_early = charge_one(&account, wanted_charge("sms", "1", "c"), before);
    assert!(matches!(too_early, Err(Refusal::InsufficientBalance { .. })));
    let end = AT.plus(TIME);
    assert_eq!(sms(&account, end), "60.00 and 40.00 held");
    let (made, decision) = charge_one(&account, wanted_charge("sms", "60", "c"), end).unwrap();
    assert_eq!(
        in_words(&decision),
        [
            "hold_expired: product:sms 60.00, product:sms:held -60.00",
            "charge: product:sms -60.00, external:usage 60.00",
        ]
    );
    assert_eq!(decision.entries[0].document_id, hold.id.to_string());
    assert_eq!(made.entry, decision.entries[1].number);
    assert_eq!(hold.as_of(&decision.account, end).status, HoldStatus::Expired);
    // Those that are over together are released together, and all named.
    let later = AT.plus(TIME * 2);
    let (over, both) = expire_hold(&account, &other, later).unwrap().unwrap();
    let both = both.unwrap();
    assert_eq!(over.status, HoldStatus::Expired);
    assert_eq!(both.entries.len(), 1);
    assert_eq!(both.entries[0].document_id, format!("{} {}", hold.id, other.id));
    assert!(both.account.holds.is_empty());
    assert_eq!(sms(&both.account, later), "100.00 and 0.00 held");
    // The other one is written down without an entry, once; before its time there is nothing to say.
    let (over, nothing) = expire_hold(&both.account, &hold, later).unwrap().unwrap();
    assert_eq!((over.status, nothing), (HoldStatus::Expired, None));
    assert_eq!(expire_hold(&both.account, &over, later), Ok(None));
    assert_eq!(expire_hold(&account, &hold, before), Ok(None));
}

#[test]
fn an_account_has_at_most_a_hundred_open_holds() {
    let mut account = customer();
    for number in 0..MAX_HOLDS {
        let wanted = wanted_hold("0.000001", MIN_HOLD_TIME, &format!("hold-{number}"));
        account = place_hold(&account, &wanted, &OPEN, AT).unwrap().1.account;
    }
    let one_more = wanted_hold("0.000001", TIME, "one-more");
    let refused = place_hold(&account, &one_more, &OPEN, AT).unwrap_err();
    assert_eq!(refused, Refusal::TooManyHolds { most: 100 });
    // Those that are over do not count.
    let end = AT.plus(MIN_HOLD_TIME);
    let (_, decision) = place_hold(&account, &one_more, &OPEN, end).unwrap();
    assert_eq!((decision.entries.len(), decision.account.holds.len()), (2, 1));
}

#[test]
fn holds_that_do_not_keep_what_the_journal_set_aside_are_found() {
    let (hold, decision) =
        place_hold(&customer(), &wanted_hold("10", TIME, "hold"), &OPEN, AT).unwrap();
    let (account, entries) = (decision.account, decision.entries);
    // The journal before is as good as this one: what it brought is where the account has it.
    let before = Checkpoint {
        number: entries[0].number - 1,
        head: entries[0].previous_hash,
        currency: Some(account.currency),
        balances: customer().balances,
        ..Checkpoint::beginning()
    };
    let checked = |account: &Account| {
        let begun = Verification::after(account.id.clone(), before.clone());
        let followed = entries.iter().try_fold(begun, Verification::follow).unwrap();
        followed.finish(account).map_err(|broken| broken.to_string())
    };
    assert!(checked(&account).is_ok());
    let broken = "the holds that the account carries do not keep what was set aside in \
                  product:sms:held";
    let lost = Account { holds: std::collections::BTreeMap::new(), ..account.clone() };
    assert_eq!(checked(&lost).unwrap_err(), broken);
    for other in ["9.999999", "10.000001"] {
        let mut damaged = account.clone();
        damaged.holds.get_mut(&hold.id).unwrap().left = amount(other);
        assert_eq!(checked(&damaged).unwrap_err(), broken);
    }
}

/// A step of a history: what is done, to which hold, how much in millionths, and how long after.
type Step = (u8, usize, u64, u64);

/// What is shown is what there is: an open hold is one that the account carries.
fn agree(account: &Account, holds: &[Hold], now: Timestamp) {
    for hold in holds {
        let open = hold.as_of(account, now).status == HoldStatus::Open;
        let carried = account.open_hold(&hold.id, now);
        assert_eq!(open, carried.is_some());
        if let Some(carried) = carried {
            assert_eq!(Balance::from(carried.left), hold.left());
        }
    }
}

fn play(steps: &[Step]) -> (Account, Vec<Entry>, u64) {
    let (mut account, mut entries, mut used) = (account(), Vec::new(), 0_u64);
    let mut holds: Vec<Hold> = Vec::new();
    let mut now = AT;
    let fund = funded("0.01");
    let fund = transfer(&fund, &transfer_of("sms", "0.01"), AT).unwrap().1;
    // The journal begins with the money, as if it had always been there.
    account.balances = fund.account.balances;
    for (number, (what, which, millionths, seconds)) in steps.iter().enumerate() {
        now = now.plus(Duration::from_secs(*seconds));
        let text = format!("0.{millionths:06}");
        let name = format!("step-{number}");
        let picked = which.checked_rem(holds.len()).unwrap_or_default();
        let taken = match what {
            0 => charge_one(&account, wanted_charge("sms", &text, &name), now).map(
                |(_, decision)| {
                    used += millionths;
                    decision
                },
            ),
            1 => {
                let time = Duration::from_secs(60 + seconds);
                place_hold(&account, &wanted_hold(&text, time, &name), &OPEN, now).map(
                    |(hold, decision)| {
                        holds.push(hold);
                        decision
                    },
                )
            }
            2 | 3 if !holds.is_empty() => {
                let wanted = Capture {
                    id: ChargeId::of_capture(&account.id, &key(&name)),
                    ..capture(&text, *what == 3)
                };
                capture_hold(&account, &holds[picked], &wanted, now).map(|(hold, _, decision)| {
                    used += millionths;
                    holds[picked] = hold;
                    decision
                })
            }
            4 if !holds.is_empty() => match release_hold(&account, &holds[picked], now) {
                Ok(Some((hold, decision))) => {
                    holds[picked] = hold;
                    Ok(decision)
                }
                Ok(None) => continue,
                Err(refused) => Err(refused),
            },
            5 if !holds.is_empty() => match expire_hold(&account, &holds[picked], now).unwrap() {
                Some((hold, decision)) => {
                    holds[picked] = hold;
                    match decision {
                        Some(decision) => Ok(decision),
                        None => continue,
                    }
                }
                None => continue,
            },
            _ => continue,
        };
        if let Ok(decision) = taken {
            account = decision.account;
            entries.extend(decision.entries);
        }
        agree(&account, &holds, now);
    }
    (account, entries, used)
}

proptest! {
    #[test]
    fn nothing_is_lost_between_a_balance_its_holds_and_what_was_used(
        steps in prop::collection::vec((0_u8..6, 0_usize..8, 1_u64..3_000, 0_u64..90), 0..60),
    ) {
        let (account, entries, used) = play(&steps);
        let sms = Target::Product(ProductCode::parse("sms").unwrap());
        let late = AT.plus(Duration::from_secs(40 * 86_400));
        let millionths = |balance: Balance| {
            u64::try_from(balance.decimal() * rust_decimal::Decimal::from(1_000_000)).unwrap()
        };
        // Once every hold is over, all that was not used is there.
        prop_assert_eq!(millionths(account.available(&sms, late)) + used, 10_000);
        prop_assert_eq!(account.held(&sms, late), Balance::ZERO);
        // The journal gives the account, with what its holds keep.
        let before = Checkpoint {
            currency: Some(account.currency),
            balances: [(Place::Available(sms), Balance::parse("0.01").unwrap())].into(),
            ..Checkpoint::beginning()
        };
        let begun = Verification::after(account.id.clone(), before);
        let followed = entries.iter().try_fold(begun, Verification::follow);
        prop_assert!(followed.unwrap().finish(&account).is_ok());
    }
}

#[test]
fn a_balance_takes_no_more_than_it_can_hold_with_what_is_set_aside_of_it() {
    let mut full = customer();
    let inside = Place::Available(target("product:sms"));
    full.balances.insert(inside.clone(), Balance::new(ledger::MAX_BALANCE).unwrap());
    let (_, placed) = place_hold(&full, &wanted_hold("5", TIME, "h"), &OPEN, AT).unwrap();
    let held = placed.account;
    assert_eq!(
        transfer(&held, &transfer_of("sms", "5.00"), AT),
        Err(Refusal::BalanceTooLarge { place: inside })
    );
    // Its time is over: what was set aside is free again, and the account goes on.
    let later = AT.plus(TIME);
    assert_eq!(held.available(&target("product:sms"), later).decimal(), ledger::MAX_BALANCE);
    let (_, decision) = transfer(&held, &transfer_of("otp", "5.00"), later).unwrap();
    assert_eq!(decision.entries.len(), 2);
}
