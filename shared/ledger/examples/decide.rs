//! Decides so many transfers, or charges, one after the other, and nothing else: to count what a
//! decision costs (`tests/instructions.py`).
//!
//!     decide transfer|charge TIMES

use std::collections::BTreeSet;
use std::error::Error;

use ledger::{
    Account, AccountId, Actor, Adjustment, AdjustmentId, Amount, ChargeId, Currency, Direction,
    Note, OrderId, ProductCode, Target, Timestamp, Transfer, WantedCharge, adjust, charge,
    derive_id, transfer,
};

const NOW: Timestamp = Timestamp::from_unix_millis(1_795_435_200_000);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, what, times] = arguments.as_slice() else {
        return Err("decide transfer|charge TIMES".into());
    };
    let product = ProductCode::parse("sms")?;
    let wallet = Account::open(AccountId::parse("demo")?, Currency::USD);
    let account = given(&wallet, Target::Wallet)?;
    let mut account = given(&account, Target::Product(product.clone()))?;
    let (amount, by) = (Amount::parse("0.01", 2)?, Actor::parse("server")?);
    for number in 0..u32::from_str_radix(times, 10)? {
        let id = derive_id("", &["decide", &number.to_string()]);
        let (product, by) = (product.clone(), by.clone());
        account = match what.as_str() {
            "transfer" => {
                let order_id = OrderId::parse(&format!("ord_{id}"))?;
                transfer(&account, &Transfer { order_id, product, amount, by }, NOW)?.1.account
            }
            "charge" => {
                let id = ChargeId::parse(&format!("chg_{id}"))?;
                let wanted = [WantedCharge { id, product, amount, by }];
                let charged = charge(&account, &wanted, &BTreeSet::new(), NOW);
                charged.decision.ok_or("a charge is refused")?.account
            }
            _ => return Err("decide transfer|charge TIMES".into()),
        };
    }
    println!("{} entries", account.entries);
    Ok(())
}

fn given(account: &Account, target: Target) -> Result<Account, Box<dyn Error>> {
    let adjustment = Adjustment {
        id: AdjustmentId::parse(&derive_id("adj_", &[&format!("{target:?}")]))?,
        account: account.id.clone(),
        target,
        direction: Direction::In,
        amount: Amount::parse("10000.00", 2)?,
        reason: Note::parse("to count with")?,
        by: Actor::operator(),
        at: NOW,
    };
    Ok(adjust(account, &adjustment, NOW)?.account)
}
