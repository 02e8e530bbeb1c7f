//! What a long history costs: the same operations on accounts with few orders and with many.

use std::sync::Arc;

use ledger::{AccountId, Actor, Amount, IdempotencyKey, OrderId, ProductCode};
use service::catalogue::CatalogueCache;
use service::record::WrittenAmount;
use service::transfers::{TransferOrder, Transfers};
use tests::cost::units;
use tests::wire::Upstream;
use tests::{Cost, Wires};

use crate::calls::{Customer, Operation};
use crate::measure::{Figures, sample};
use crate::place::Place;
use crate::report::{Table, compared, times};
use crate::{Scale, bare, progress};

const OPERATIONS: [Operation; 3] = [Operation::OrderPage, Operation::Transfer, Operation::Balances];
/// Measured transfers lengthen a history, so they are spread over this many accounts of each
/// length, and the longest has one: there it makes no difference.
const SHORT_ACCOUNTS: usize = 40;
/// The largest card order.
const LARGEST_ORDER: usize = 10_000;

/// Accounts with histories of one length.
struct Histories {
    orders: usize,
    customers: Vec<Customer>,
    figures: [Figures; 3],
}

/// Measures and prints.
pub(crate) async fn report(scale: &Scale) {
    let place = Place::start().await;
    let mut all = Vec::new();
    for orders in scale.histories {
        progress(&format!("writing a history of {orders} orders"));
        let count = if orders == scale.histories[0] { SHORT_ACCOUNTS } else { 1 };
        let customers = place.customers(&format!("history-{orders}"), count).await;
        for customer in &customers {
            write(&place, customer, orders).await;
        }
        let figures = OPERATIONS.map(|_| Figures::none());
        all.push(Histories { orders, customers, figures });
    }
    progress("reading and lengthening them");
    let mut baseline = Figures::none();
    // In turns, so that whatever else the machine does meets all of them.
    for number in 0..scale.history_samples {
        for histories in &mut all {
            let customer = &histories.customers[number % histories.customers.len()];
            for (operation, figures) in OPERATIONS.into_iter().zip(&mut histories.figures) {
                let call = operation.call(&place.webhooks, customer, number);
                let event = call.event(customer);
                sample(figures, place.direct(&place.functions, &event, &call)).await;
                sample(&mut baseline, async { bare::handle(&event).status() == 204 }).await;
            }
        }
    }
    print(&place, scale, &all, &baseline).await;
}

/// Gives an account so many orders and as many entries.
async fn write(place: &Arc<Place>, customer: &Customer, orders: usize) {
    let top_ups = orders.div_ceil(LARGEST_ORDER) + 1;
    for number in 0..top_ups {
        let dollars = u32::try_from(LARGEST_ORDER).expect("dollars");
        place.fund(customer, "wallet", &format!("fund-{number}"), dollars).await;
    }
    let table = place.table_in_process().await;
    let transfers = Transfers { table, catalogue: CatalogueCache::default() };
    let account = AccountId::parse(&customer.account).expect("an account");
    for number in top_ups..orders {
        let key = IdempotencyKey::parse(&format!("history-{number}")).expect("a key");
        let wanted = TransferOrder {
            order_id: OrderId::of_transfer(&account, &key),
            product: ProductCode::parse("sms").expect("a product"),
            amount: WrittenAmount {
                amount: Amount::parse("1.00", 2).expect("an amount"),
                decimals: 2,
            },
            by: Actor::parse("benchmark").expect("a name"),
        };
        let made = transfers.make(&account, &wanted, place.clock.now()).await;
        drop(made.expect("a transfer"));
    }
}

async fn print(place: &Arc<Place>, scale: &Scale, all: &[Histories], baseline: &Figures) {
    let wires = Wires::default();
    let tapped = wires.tap("table", Upstream::to(place.table.clone())).await;
    let functions = place.functions_over(&tapped).await;
    let shortest = &all[0];
    let mut table = Table::new(&[
        "operation",
        "orders and entries",
        "p50",
        "p95",
        "p99",
        "p50 / shortest",
        "requests",
        "read units",
        "write units",
        "failed",
    ]);
    for (position, operation) in OPERATIONS.into_iter().enumerate() {
        for histories in all {
            let customer = &histories.customers[0];
            let call = operation.call(&place.webhooks, customer, scale.history_samples);
            let event = call.event(customer);
            let cost = Cost::of(&wires, async || {
                assert!(place.direct(&functions, &event, &call).await);
            })
            .await;
            let figures = &histories.figures[position];
            table.row(vec![
                operation.name().to_owned(),
                histories.orders.to_string(),
                compared(figures.p50(), baseline.p50()),
                compared(figures.p95(), baseline.p95()),
                compared(figures.p99(), baseline.p99()),
                times(figures.p50(), shortest.figures[position].p50()),
                cost.requests(),
                units(cost.read_tenths),
                units(cost.write_tenths),
                figures.failed.to_string(),
            ]);
        }
    }
    table.print("As a history grows, directly against the handlers");
}
