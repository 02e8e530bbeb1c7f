//! One hot account: what many clients get through who all transfer from the same wallet.

use std::sync::Arc;

use crate::calls::Operation;
use crate::measure::{Load, measure};
use crate::place::Place;
use crate::report::{COLUMNS, Table, cells, times};
use crate::{Scale, progress};

const CLIENTS: [usize; 3] = [1, 8, 64];

/// Measures and prints.
pub(crate) async fn report(scale: &Scale) {
    let columns = [&["clients"], COLUMNS.as_slice(), &["refused tries", "tries / commit"]].concat();
    let mut table = Table::new(&columns);
    let place = Place::start().await;
    let mut alone = None;
    for clients in CLIENTS {
        progress(&format!("one hot account, {clients} clients"));
        let customer = Arc::new(place.customer(&format!("hot-{clients}")).await);
        let load = Load::shared(scale.hot_transfers, clients);
        let all = clients * load.things();
        place.fund(&customer, "fund", u32::try_from(all).expect("dollars")).await;
        let before = place.transactions.sent();
        let shared = Arc::clone(&place);
        let figures = measure(load, move |client, number| {
            let number = client * load.things() + number;
            let call = Operation::Transfer.call(&shared, &customer, number);
            let event = call.event(&customer);
            let place = Arc::clone(&shared);
            async move { place.direct(&place.functions, &event, &call).await }
        })
        .await;
        let tries = place.transactions.sent() - before;
        // Warming up is counted among the tries, so it is counted among the commits.
        let commits = u64::try_from(all).expect("a count") - figures.failed;
        let mut row = vec![clients.to_string()];
        row.extend(cells(&figures, alone.as_ref().unwrap_or(&figures)));
        row.extend([(tries - commits).to_string(), times(tries, commits)]);
        table.row(row);
        alone.get_or_insert(figures);
    }
    table.print("Transfers on one hot account, directly; the baseline is one client");
}
