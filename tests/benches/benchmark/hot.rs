//! One hot account: what many clients get through who all transfer from the same wallet.

use std::sync::Arc;

use crate::calls::Operation;
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
        place.fund(&customer, "fund", u32::try_from(each * clients).expect("dollars")).await;
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
