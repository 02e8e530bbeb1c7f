//! One hot account: what many clients get through who all transfer from the same wallet, or all use the
//! same product, one by one and in batches.

use std::sync::Arc;
use std::time::Instant;

use tokio::task::JoinSet;

use crate::calls::{BATCH, Call, Operation};
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
    all_at_once(scale.at_once, place).await;
}

/// Many charges at once of an account that has too little for all, each asked for with its key until
/// there is an answer: as many are made as it has money for.
async fn all_at_once(asked: usize, place: &Arc<Place>) {
    progress("one hot account, all charges at once");
    let customer = Arc::new(place.customer("hot-at-once").await);
    let covered = asked * 7 / 10;
    // The least that an order may be about is 10.00.
    place.fund(&customer, "sms", "fund", 10).await;
    let rest = 1_000 - covered;
    let rest = Call::charge(&customer, "rest", &format!("{}.{:02}", rest / 100, rest % 100));
    assert!(place.direct(&place.functions, &rest.event(&customer), &rest).await);
    let before = place.transactions.sent();
    let begun = Instant::now();
    let mut asking = JoinSet::new();
    for number in 0..asked {
        let (place, customer) = (Arc::clone(place), Arc::clone(&customer));
        asking.spawn(async move {
            let call = Operation::Charge.call(&place.webhooks, &customer, number);
            let event = call.event(&customer);
            let mut busy = 0_u32;
            loop {
                match place.status(&event, &call).await {
                    503 => busy += 1,
                    status => return (status, busy),
                }
            }
        });
    }
    let answers = asking.join_all().await;
    let took = begun.elapsed();
    let of = |wanted: u16| answers.iter().filter(|(status, _)| *status == wanted).count();
    // 200: it was made, though the answer was lost.
    let (made, refused) = (of(201) + of(200), of(402));
    let busy = answers.iter().fold(0, |all, (_, busy)| all + busy);
    let tries = place.transactions.sent() - before;
    assert_eq!((made, refused), (covered, asked - covered));
    let mut table = Table::new(&[
        "asked for at once",
        "made",
        "refused",
        "answers busy",
        "charges a second",
        "tries / commit",
    ]);
    let made = u64::try_from(made).expect("few");
    let a_second = made * 1_000 / u64::try_from(took.as_millis()).expect("short").max(1);
    let row = [asked.to_string(), made.to_string(), refused.to_string(), busy.to_string()];
    table.row([row.to_vec(), vec![a_second.to_string(), times(tries, made)]].concat());
    table.print("All charges at once, one by one, for more than there is");
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
