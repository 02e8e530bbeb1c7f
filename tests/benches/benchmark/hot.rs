//! One hot account: what many clients get through who all transfer from the same wallet, or all use the
//! same product, one by one and in batches.

use std::sync::Arc;

use crate::calls::{BATCH, Operation};
use crate::measure::{Figures, Load, measure};
use crate::place::Place;
use crate::report::{COLUMNS, Table, cells, times};
use crate::{Scale, bare, progress};

const CLIENTS: [usize; 3] = [1, 8, 64];

/// Measures and prints.
pub(crate) async fn report(scale: &Scale) {
    let more = ["p50 / one client", "refused tries", "tries / commit"];
    let mut table = Table::new(&[&["clients"], COLUMNS.as_slice(), &more].concat());
    let place = Place::start().await;
    let baseline = baseline(&place, scale).await;
    let mut row = vec!["bare handler (204), one client".to_owned()];
    row.extend(cells(&baseline, &baseline));
    row.extend(more.map(|_| String::new()));
    table.row(row);
    let mut alone = None;
    for clients in CLIENTS {
        progress(&format!("one hot account, clients: {clients}"));
        let customer = Arc::new(place.customer(&format!("hot-{clients}")).await);
        let each = scale.hot_transfers / clients;
        place
            .fund(&customer, "wallet", "fund", u32::try_from(each * clients).expect("dollars"))
            .await;
        let before = place.transactions.sent();
        let shared = Arc::clone(&place);
        let load = Load { clients, each, warm_up: 0 };
        let figures = measure(load, move |client, number| {
            let call =
                Operation::Transfer.call(&shared.webhooks, &customer, client * each + number);
            let event = call.event(&customer);
            let place = Arc::clone(&shared);
            async move { place.direct(&place.functions, &event, &call).await }
        })
        .await;
        let tries = place.transactions.sent() - before;
        let commits = figures.count() - figures.failed;
        let mut row = vec![clients.to_string()];
        row.extend(cells(&figures, &baseline));
        let one = *alone.get_or_insert(figures.p50());
        row.push(times(figures.p50(), one));
        row.extend([(tries - commits).to_string(), times(tries, commits)]);
        table.row(row);
    }
    table.print("Transfers on one hot account, directly");
    charges(scale, &place).await;
}

/// Charges of one account, one by one and in batches, by as many clients.
async fn charges(scale: &Scale, place: &Arc<Place>) {
    let columns =
        ["clients", "each sends", "charges a second", "failed", "commits", "tries / commit"];
    let mut table = Table::new(&columns);
    for clients in CLIENTS {
        let mut alone = None;
        for (operation, charges) in [(Operation::Charge, 1), (Operation::ChargeBatch, BATCH)] {
            progress(&format!("one hot account, {}, clients: {clients}", operation.name()));
            let name = format!("hot-{charges}-{clients}");
            let customer = Arc::new(place.customer(&name).await);
            place.fund(&customer, "sms", "fund", 10_000).await;
            let (before, shared) = (place.transactions.sent(), Arc::clone(place));
            let load = Load { clients, each: scale.hot_transfers / clients, warm_up: 0 };
            let figures = measure(load, move |client, number| {
                let number = client * load.each + number;
                let call = operation.call(&shared.webhooks, &customer, number);
                let event = call.event(&customer);
                let place = Arc::clone(&shared);
                async move { place.direct(&place.functions, &event, &call).await }
            })
            .await;
            let tries = place.transactions.sent() - before;
            let commits = figures.count() - figures.failed;
            let a_second = figures.a_second() * u64::try_from(charges).expect("few");
            let one = *alone.get_or_insert(a_second);
            table.row(vec![
                clients.to_string(),
                operation.name().to_owned(),
                format!("{a_second} ({})", times(a_second, one)),
                figures.failed.to_string(),
                commits.to_string(),
                times(tries, commits),
            ]);
        }
    }
    table.print("Charges on one hot account, directly");
}

async fn baseline(place: &Arc<Place>, scale: &Scale) -> Figures {
    let customer = place.customer("hot-baseline").await;
    let place = Arc::clone(place);
    measure(Load::shared(scale.hot_transfers, 1), move |_, number| {
        let event = Operation::Transfer.call(&place.webhooks, &customer, number).event(&customer);
        async move { bare::handle(&event).status() == 204 }
    })
    .await
}
