//! What holds for every history: of many commands, in any order, repeated.

use crate::common::{AT, account, bank_order, card_order, paid, received, transfer_of};
use ledger::{
    Account, Actor, Amount, Balance, Broken, Checkpoint, CreditSum, Currency, Entry, Money, Order,
    Place, ReceivedTransfer, Settlement, Verification, accept_transfer, settle, transfer, verify,
};
use proptest::prelude::*;
use rust_decimal::Decimal;

/// A command of a history; amounts in cents.
#[derive(Debug, Clone)]
enum Command {
    TopUp { place: &'static str, cents: u64, paid_cents: u64, repeats: usize },
    BankTransfer { currency: &'static str, cents: u64, received_cents: u64, repeats: usize },
    Transfer { product: &'static str, cents: u64 },
}

#[derive(Default)]
struct History {
    entries: Vec<Entry>,
    orders: Vec<Order>,
    credited_cents: u64,
}

fn command() -> impl Strategy<Value = Command> {
    let place = prop::sample::select(vec!["wallet", "product:sms", "product:voice"]);
    let cents = 1_u64..100_000;
    let top_up = (place, cents.clone(), prop::bool::weighted(0.8), 1_usize..4).prop_map(
        |(place, cents, exact, repeats)| Command::TopUp {
            place,
            cents,
            paid_cents: if exact { cents } else { cents + 1 },
            repeats,
        },
    );
    let currency = prop::sample::select(vec!["USD", "CNY"]);
    let bank_transfer = (currency, 100_u64..100_000, 100_u64..100_000, 1_usize..4).prop_map(
        |(currency, cents, received_cents, repeats)| Command::BankTransfer {
            currency,
            cents,
            received_cents,
            repeats,
        },
    );
    let product = prop::sample::select(vec!["sms", "voice", "whatsapp"]);
    let transfer =
        (product, cents).prop_map(|(product, cents)| Command::Transfer { product, cents });
    prop_oneof![top_up, bank_transfer, transfer]
}

fn text(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn apply(number: usize, command: &Command, account: Account, history: &mut History) -> Account {
    match command {
        Command::TopUp { place, cents, paid_cents, repeats } => {
            let mut order = card_order(place, &text(*cents));
            let payment = paid(&format!("pi_{number}"), &text(*paid_cents), "USD");
            let mut account = account;
            for _ in 0..*repeats {
                if let Settlement::Credited { order: next, decision, .. } =
                    settle(&order, &account, &payment, None, AT).unwrap()
                {
                    history.entries.extend(decision.entries);
                    history.credited_cents += cents;
                    (order, account) = (*next, decision.account);
                }
            }
            history.orders.push(order);
            account
        }
        Command::BankTransfer { currency, cents, received_cents, repeats } => {
            let mut order = bank_order(&format!("{currency} {}", text(*cents)));
            let arrived = format!("{currency} {}", text(*received_cents));
            let arrived = ReceivedTransfer {
                difference_confirmed: true,
                ..received(&arrived, &format!("ref-{number}"))
            };
            let operator = Actor::parse("operator").unwrap();
            let mut account = account;
            for _ in 0..*repeats {
                let accepted = accept_transfer(&order, &account, "rev", &arrived, &operator, AT);
                if let Ok((next, decision)) = accepted {
                    let credited = next.credited.unwrap().decimal();
                    history.credited_cents +=
                        u64::try_from(credited * Decimal::ONE_HUNDRED).unwrap();
                    history.entries.extend(decision.entries);
                    (order, account) = (next, decision.account);
                }
            }
            history.orders.push(order);
            account
        }
        Command::Transfer { product, cents } => {
            match transfer(&account, &transfer_of(product, &text(*cents)), AT) {
                Ok((order, decision)) => {
                    history.orders.push(order);
                    history.entries.extend(decision.entries);
                    decision.account
                }
                Err(_) => account,
            }
        }
    }
}

fn play(commands: &[Command]) -> (Account, History) {
    let mut history = History::default();
    let account = commands.iter().enumerate().fold(account(), |account, (number, command)| {
        apply(number, command, account, &mut history)
    });
    (account, history)
}

fn total_cents(account: &Account) -> u64 {
    let cents = |balance: &Balance| {
        Amount::new(balance.decimal())
            .map_or(0, |amount| amount.to_minor_units(Currency::USD).unwrap())
    };
    account.balances.values().map(cents).fold(0, |total, cents| total + cents.unsigned_abs())
}

/// Checks the journal after a checkpoint against the account.
fn checked(
    checkpoint: Checkpoint,
    entries: &[Entry],
    account: &Account,
) -> Result<Checkpoint, Broken> {
    let begun = Verification::after(account.id.clone(), checkpoint);
    entries.iter().try_fold(begun, Verification::follow)?.finish(account)
}

pub fn edited(entry: &Entry, edit: usize) -> Entry {
    let mut entry = entry.clone();
    match edit {
        0 => entry.number += 1,
        1 => entry.document_id.push('x'),
        2 => entry.lines[0].amount += Decimal::ONE,
        3 => entry.lines[0].place = Place::parse("product:other").unwrap(),
        4 => entry.at = ledger::Timestamp::from_unix_millis(entry.at.unix_millis() + 1),
        5 => {
            let place = entry.balances_after.keys().next().unwrap().clone();
            entry.balances_after.insert(place, Balance::parse("0.000001").unwrap());
        }
        6 => entry.previous_hash = entry.hash,
        _ => entry.hash = entry.previous_hash,
    }
    entry
}

proptest! {
    #[test]
    fn balances_are_the_sum_of_the_entries_and_nothing_is_negative(
        commands in prop::collection::vec(command(), 0..60),
    ) {
        let (account, history) = play(&commands);
        prop_assert_eq!(verify(&history.entries, &account), Ok(()));
        prop_assert_eq!(total_cents(&account), history.credited_cents);
        prop_assert_eq!(account.version, account.entries);
    }

    #[test]
    fn a_command_applied_twice_is_applied_once(
        cents in 1_u64..1_000_000, times in 2_usize..6,
    ) {
        let once = [Command::TopUp { place: "wallet", cents, paid_cents: cents, repeats: 1 }];
        let often = [Command::TopUp { place: "wallet", cents, paid_cents: cents, repeats: times }];
        prop_assert_eq!(play(&once).0, play(&often).0);
    }

    #[test]
    fn any_edit_of_the_journal_is_found(
        commands in prop::collection::vec(command(), 1..30),
        position in any::<prop::sample::Index>(),
        edit in 0_usize..8,
    ) {
        let (account, history) = play(&commands);
        prop_assume!(!history.entries.is_empty());
        let position = position.index(history.entries.len());
        let mut entries = history.entries;
        entries[position] = edited(&entries[position], edit);
        prop_assert!(verify(&entries, &account).is_err());
    }

    #[test]
    fn a_removed_repeated_or_swapped_entry_is_found(
        commands in prop::collection::vec(command(), 2..30),
        position in any::<prop::sample::Index>(),
    ) {
        let (account, history) = play(&commands);
        prop_assume!(history.entries.len() >= 2);
        let position = position.index(history.entries.len());
        let mut removed = history.entries.clone();
        removed.remove(position);
        prop_assert!(verify(&removed, &account).is_err());
        let mut repeated = history.entries.clone();
        repeated.insert(position, history.entries[position].clone());
        prop_assert!(verify(&repeated, &account).is_err());
        let mut swapped = history.entries.clone();
        swapped.swap(0, position.max(1));
        prop_assert!(verify(&swapped, &account).is_err());
    }

    #[test]
    fn a_checkpoint_goes_on_as_the_whole_journal_would(
        commands in prop::collection::vec(command(), 0..40),
        split in any::<prop::sample::Index>(),
        position in any::<prop::sample::Index>(),
        edit in prop::option::of(0_usize..8),
    ) {
        let (account, history) = play(&commands);
        let (before, after) = history.entries.split_at(split.index(history.entries.len() + 1));
        let begun = Verification::after(account.id.clone(), Checkpoint::beginning());
        let reached = before.iter().try_fold(begun, Verification::follow).unwrap().reached().clone();
        let mut after = after.to_vec();
        if let Some(edit) = edit && !after.is_empty() {
            let position = position.index(after.len());
            after[position] = edited(&after[position], edit);
        }
        let whole = [before, &after].concat();
        let from_the_beginning = checked(Checkpoint::beginning(), &whole, &account);
        prop_assert_eq!(checked(reached, &after, &account), from_the_beginning);
    }

    #[test]
    fn a_checkpoint_knows_what_the_orders_know(
        commands in prop::collection::vec(command(), 1..40),
        position in any::<prop::sample::Index>(),
        cents in 1_u64..1_000,
    ) {
        let (account, history) = play(&commands);
        let told = |orders: &[Order]| {
            let credits = orders.iter().rev().filter_map(|order| order.credit(&account));
            credits.fold(CreditSum::NONE, CreditSum::and)
        };
        let checkpoint = checked(Checkpoint::beginning(), &history.entries, &account).unwrap();
        let known = checkpoint.credits;
        prop_assert_eq!(known, told(&history.orders));
        prop_assume!(!history.orders.is_empty());
        let position = position.index(history.orders.len());
        let mut orders = history.orders;
        prop_assume!(orders[position].credited.is_some());
        let credited = orders[position].credited.unwrap().decimal();
        let more = credited + Amount::parse(&text(cents), 2).unwrap().decimal();
        orders[position].credited = Some(Balance::new(more).unwrap());
        prop_assert_ne!(known, told(&orders));
        orders[position].credited = None;
        prop_assert_ne!(known, told(&orders));
    }

    #[test]
    fn an_account_in_another_currency_than_its_journal_is_found(
        commands in prop::collection::vec(command(), 1..10),
    ) {
        let (account, history) = play(&commands);
        prop_assume!(!history.entries.is_empty());
        let number = account.entries;
        let account = Account { currency: Currency::parse("KWD").unwrap(), ..account };
        prop_assert_eq!(verify(&history.entries, &account), Err(Broken::Currency { number }));
    }

    #[test]
    fn an_account_that_was_edited_is_found(
        commands in prop::collection::vec(command(), 1..30), cents in 1_u64..1_000,
    ) {
        let (account, history) = play(&commands);
        let mut richer = account.clone();
        let more = Amount::parse(&text(cents), 2).unwrap().decimal()
            + account.balance(&Place::WALLET).decimal();
        richer.balances.insert(Place::WALLET, Balance::new(more).unwrap());
        let found = matches!(verify(&history.entries, &richer), Err(Broken::Balance { .. }));
        prop_assert!(found);
    }

    #[test]
    fn money_reads_as_it_is_written(units in 1_u64..=1_000_000_000_000, code in
        prop::sample::select(vec!["USD", "JPY", "KWD", "CNY"])) {
        let currency = Currency::parse(code).unwrap();
        let amount = Amount::from_minor_units(units, currency).unwrap();
        let money = Money { amount, currency };
        prop_assert_eq!(Money::parse(&money.to_string(), currency), Ok(money));
        prop_assert_eq!(amount.to_minor_units(currency).map(i64::unsigned_abs), Some(units));
    }

    #[test]
    fn no_text_makes_the_parser_panic_or_lose_a_digit(text in "[-+0-9.eE ,]{0,40}") {
        if let Ok(amount) = Amount::parse(&text, 6) {
            let padded = Amount::parse(&amount.decimal().to_string(), 6);
            prop_assert_eq!(padded, Ok(amount));
        }
    }

    #[test]
    fn an_order_is_settled_by_its_own_payment_only(cents in 1_u64..1_000_000, other in 1_u64..1_000_000) {
        prop_assume!(cents != other);
        let order: Order = card_order("wallet", &text(cents));
        let settlement = settle(&order, &account(), &paid("pi_1", &text(other), "USD"), None, AT).unwrap();
        let refused = matches!(settlement, Settlement::Found { .. });
        prop_assert!(refused);
    }
}
