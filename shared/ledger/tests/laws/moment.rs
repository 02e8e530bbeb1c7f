//! What an account was at a moment: the same from both ends of its journal.

use std::time::Duration;

use ledger::{
    Account, Amount, Checkpoint, Currency, Entry, EntryKind, JournalEnd, MomentSearch, Money,
    Movement, PastBalances, Place, Timestamp, Verification, nearer_end,
};
use proptest::prelude::*;

use crate::common::{AT, account};
use crate::properties::edited;

/// Where a movement may go from and to: balances, what is set aside, a debt, and outside.
const PLACES: [&str; 8] = [
    "wallet",
    "wallet:held",
    "product:sms",
    "product:sms:held",
    "external:card",
    "external:usage",
    "external:debt",
    "external:fx",
];

/// Places of a movement, how much in millionths, and how many seconds later than the one before;
/// below zero where a clock runs behind.
type Step = (usize, usize, u32, i64);

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (0..PLACES.len(), 0..PLACES.len(), 1_u32..5_000_000, -2_i64..5);
    prop::collection::vec(step, 0..most)
}

/// The journal of what can be done of these steps, and what the account was after each entry; first
/// what it was before any.
fn play(steps: &[Step]) -> (Account, Vec<Entry>, Vec<PastBalances>) {
    let (mut account, mut entries, mut now) = (account(), Vec::new(), AT);
    let mut states = vec![PastBalances::of(&account)];
    for (from, to, millionths, seconds) in steps {
        now = Timestamp::from_unix_millis(now.unix_millis() + seconds * 1_000);
        if from == to {
            continue;
        }
        let [from, to] = [from, to].map(|place| Place::parse(PLACES[*place]).unwrap());
        let amount = Amount::new(rust_decimal::Decimal::new((*millionths).into(), 6)).unwrap();
        let movement = Movement { from, to, money: Money { amount, currency: Currency::USD } };
        if let Ok(decision) = account.post(EntryKind::Adjustment, "adj", &[movement], now) {
            account = decision.account;
            entries.extend(decision.entries);
            states.push(PastBalances::of(&account));
        }
    }
    (account, entries, states)
}

/// What the search says, and at how many entries it looked.
fn found(account: &Account, entries: &[Entry], moment: Timestamp) -> (u64, u32) {
    let (mut search, mut looks) = (MomentSearch::new(account, moment), 0);
    while let Some(number) = search.next() {
        let index = usize::try_from(number).unwrap() - 1;
        search = search.told(number, entries[index].at);
        looks += 1;
    }
    (search.found(), looks)
}

fn forward(account: &Account, entries: &[Entry]) -> PastBalances {
    let begun = Verification::after(account.id.clone(), Checkpoint::beginning());
    let followed = entries.iter().try_fold(begun, Verification::follow).unwrap();
    PastBalances::reached(account, followed.reached())
}

proptest! {
    #[test]
    fn forward_and_back_an_account_is_what_it_was_after_each_entry(steps in steps(60)) {
        let (account, entries, states) = play(&steps);
        let mut back = PastBalances::of(&account);
        for number in (0..=entries.len()).rev() {
            prop_assert_eq!(&back, &states[number]);
            prop_assert_eq!(&forward(&account, &entries[..number]), &states[number]);
            if let Some(entry) = number.checked_sub(1).map(|index| &entries[index]) {
                back = back.before(entry).unwrap();
            }
        }
    }

    #[test]
    fn the_last_entry_by_a_moment_is_found_by_looking_at_few(
        steps in steps(60), later in -3_000_i64..200_000,
    ) {
        let (account, entries, _) = play(&steps);
        let any = Timestamp::from_unix_millis(AT.unix_millis() + later);
        for moment in entries.iter().map(|entry| entry.at).chain([any]) {
            let right = entries.iter().filter(|entry| entry.at <= moment).count();
            let (number, looks) = found(&account, &entries, moment);
            prop_assert_eq!(number, u64::try_from(right).unwrap());
            prop_assert!(looks <= entries.len().checked_ilog2().map_or(0, |log| log + 1));
        }
    }

    #[test]
    fn an_edited_entry_leads_nowhere(
        steps in steps(30), position in any::<prop::sample::Index>(), edit in 0_usize..8,
    ) {
        let (account, entries, _) = play(&steps);
        prop_assume!(!entries.is_empty());
        let position = position.index(entries.len());
        // An entry between outside places says nothing of balances that could be edited.
        prop_assume!(edit != 5 || !entries[position].balances_after.is_empty());
        let mut state = PastBalances::of(&account);
        for entry in entries[position + 1..].iter().rev() {
            state = state.before(entry).unwrap();
        }
        prop_assert!(state.before(&edited(&entries[position], edit)).is_err());
    }
}

#[test]
fn only_the_entry_that_led_here_leads_back() {
    let (account, entries, _) = play(&[(4, 0, 5, 1), (0, 2, 3, 1)]);
    let now = PastBalances::of(&account);
    assert!(now.clone().before(&entries[0]).is_err());
    let other = Entry { account: ledger::AccountId::parse("other").unwrap(), ..entries[1].clone() };
    assert!(now.clone().before(&other).is_err());
    let before = now.before(&entries[1]).unwrap().before(&entries[0]).unwrap();
    assert!(before.before(&entries[0]).is_err(), "there is nothing before the first entry");
}

#[test]
fn the_nearer_end_is_taken_and_neither_may_be_too_far() {
    use JournalEnd::{First, Last};
    for (entry, entries, most, end) in [
        (0, 0, 0, Some(First)),
        (0, 9, 0, Some(First)),
        (9, 9, 0, Some(Last)),
        (1, 9, 4, Some(First)),
        (4, 9, 4, Some(First)),
        (5, 9, 4, Some(Last)),
        (4, 8, 4, Some(First)),
        (4, 8, 3, None),
        (5, 10, 4, None),
        (6, 10, 4, Some(Last)),
        (u64::MAX, u64::MAX, 1, Some(Last)),
    ] {
        assert_eq!(nearer_end(entry, entries, most), end, "{entry} of {entries}, at most {most}");
    }
}

#[test]
fn a_moment_is_one_entry_and_the_millisecond_before_another() {
    let (account, entries, _) = play(&[(4, 0, 5, 1), (4, 0, 5, 0), (4, 0, 5, 3)]);
    let at =
        |seconds, millis| AT.plus(Duration::from_secs(seconds)).plus(Duration::from_millis(millis));
    for (moment, number) in
        [(AT, 0), (at(0, 999), 0), (at(1, 0), 2), (at(3, 999), 2), (at(4, 0), 3), (at(9, 0), 3)]
    {
        assert_eq!(found(&account, &entries, moment).0, number, "{moment:?}");
    }
}
