//! What an operation costs on AWS: requests and capacity, read off the wires of a story's world,
//! and from them dollars.

use tests::cost::units;
use tests::{Cost, World};

use crate::calls::PAGE;
use crate::prices::{
    AUTHORIZER, OWN_MILLIS, Price, QUEUE_REQUESTS, READ_MILLIS, STRIPE_MILLIS, TRANSACTION_MILLIS,
    Usage, dollars,
};
use crate::progress;
use crate::report::{Table, times};

/// Counts and prints.
pub(crate) async fn report() {
    progress("requests and capacity on the wires");
    let costs = counted().await;
    let mut wires = Table::new(&["operation", "requests", "read units", "write units"]);
    let mut money = Table::new(&[
        "a million of",
        "API Gateway",
        "Lambda",
        "table reads",
        "table writes",
        "total",
        "with the authorizer asked",
    ]);
    let bare = Usage::default().price();
    money.row(priced("bare handler (204)", &bare, &bare, false));
    for (name, cost) in &costs {
        let (read, write) = (units(cost.read_tenths), units(cost.write_tenths));
        wires.row(vec![(*name).to_owned(), cost.requests(), read, write]);
        money.row(priced(name, &usage(cost).price(), &bare, *name != WEBHOOK));
    }
    wires.print("Requests and capacity of an operation");
    money.print("Dollars for a million operations");
    let (_, credit) = costs.iter().find(|(name, _)| *name == WEBHOOK).expect("a webhook");
    let credit = usage(credit).price();
    let queued = credit.lambda + credit.reads + 3 * QUEUE_REQUESTS;
    println!(
        "Assumed: a function takes {OWN_MILLIS} ms of its own, {READ_MILLIS} ms a read, \
         {TRANSACTION_MILLIS} ms a transaction and {STRIPE_MILLIS} ms a call of Stripe. A million \
         webhooks that go through the queue cost {} more (three requests of the queue, and \
         `confirm-payment`).\n",
        dollars(queued)
    );
}

const WEBHOOK: &str = "webhook credit";

/// A row of prices; in parentheses, how many times a bare handler's.
fn priced(name: &str, price: &Price, bare: &Price, authorized: bool) -> Vec<String> {
    let all = |price: u64| format!("{} ({})", dollars(price), times(price, bare.total()));
    let asked = match authorized {
        true => all(price.total() + AUTHORIZER.price().of_function()),
        false => "never asked".to_owned(),
    };
    let parts = [price.gateway, price.lambda, price.reads, price.writes].map(dollars);
    let mut row = vec![name.to_owned()];
    row.extend(parts);
    row.extend([all(price.total()), asked]);
    row
}

async fn counted() -> Vec<(&'static str, Cost)> {
    let world = World::start().await;
    drop(world.get("/v1/products").await.expect(200));
    for number in 0..PAGE {
        drop(world.top_up("100", &format!("before-{number}")).await);
    }
    let wires = &world.wires;
    let mut costs = Vec::new();
    let mut order = None;
    let create = async || order = Some(world.order("wallet", "100", "order").await.expect(201));
    costs.push(("create", Cost::of(wires, create).await));
    let order = order.expect("an order");
    let credit = async || drop(world.deliver(&world.paid_event(&order, "pi_1")).await.expect(200));
    costs.push((WEBHOOK, Cost::of(wires, credit).await));
    let transfer = async || drop(world.transfer("sms", "5", "move").await.expect(201));
    costs.push(("transfer", Cost::of(wires, transfer).await));
    let balances = async || drop(world.get("/v1/balances").await.expect(200));
    costs.push(("balances", Cost::of(wires, balances).await));
    let page = format!("/v1/orders?limit={PAGE}");
    let page = async || drop(world.get(&page).await.expect(200));
    costs.push(("page of 10 orders", Cost::of(wires, page).await));
    costs
}

fn usage(cost: &Cost) -> Usage {
    let transactions = cost.asked("TransactWriteItems");
    let all = cost.table.iter().fold(0, |sum, (_, count)| sum + count);
    Usage {
        reads: all - transactions,
        transactions,
        stripe: cost.provider,
        read_tenths: cost.read_tenths,
        write_tenths: cost.write_tenths,
    }
}
