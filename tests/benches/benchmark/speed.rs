//! How fast each operation is, through the gateway and without it.

use std::sync::Arc;

use crate::calls::{Customer, Operation};
use crate::measure::{Figures, Load, measure};
use crate::place::Place;
use crate::report::{COLUMNS, Table, cells};
use crate::{Scale, bare, progress};

/// How many clients there are; each has its own account.
const CLIENTS: [usize; 2] = [1, 8];

/// Measures and prints.
pub(crate) async fn report(scale: &Scale) {
    for clients in CLIENTS {
        let load = Load::shared(scale.samples, clients);
        through_the_gateway(load).await;
        directly(load).await;
    }
}

async fn through_the_gateway(load: Load) {
    progress(&format!("through the gateway, clients: {}", load.clients));
    let (place, customers) = start(load).await;
    let sending = |operation: Operation, expected: u16, server: &str| {
        let (place, customers, server) = (place.clone(), customers.clone(), server.to_owned());
        measure(load, move |client, number| {
            let request =
                operation.call(&place.webhooks, &customers[client], number).request(&server);
            let place = Arc::clone(&place);
            async move { place.send(request, expected).await }
        })
    };
    let baseline = sending(Operation::Transfer, 204, &place.bare).await;
    let mut rows = vec![("bare handler (204)", baseline)];
    for operation in Operation::ALL {
        let figures = sending(operation, operation.status(), &place.gateway).await;
        rows.push((operation.name(), figures));
    }
    print("Through the local gateway", load, &rows);
}

async fn directly(load: Load) {
    progress(&format!("directly, clients: {}", load.clients));
    let (place, customers) = start(load).await;
    let calling = |operation: Operation| {
        let (place, customers) = (place.clone(), customers.clone());
        move |client: usize, number: usize| {
            let customer: &Customer = &customers[client];
            let call = operation.call(&place.webhooks, customer, number);
            (call.event(customer), call)
        }
    };
    let prepare = calling(Operation::Transfer);
    let baseline = measure(load, move |client, number| {
        let (event, _) = prepare(client, number);
        async move { bare::handle(&event).status() == 204 }
    });
    let mut rows = vec![("bare handler (204)", baseline.await)];
    for operation in Operation::ALL {
        let (place, prepare) = (Arc::clone(&place), calling(operation));
        let figures = measure(load, move |client, number| {
            let (event, call) = prepare(client, number);
            let place = Arc::clone(&place);
            async move { place.direct(&place.functions, &event, &call).await }
        });
        rows.push((operation.name(), figures.await));
    }
    print("Directly against the handlers", load, &rows);
}

async fn start(load: Load) -> (Arc<Place>, Arc<Vec<Customer>>) {
    let place = Place::start().await;
    let customers = place.customers("speed", load.clients).await;
    (place, Arc::new(customers))
}

fn print(headline: &str, load: Load, rows: &[(&str, Figures)]) {
    let (_, baseline) = &rows[0];
    let mut table = Table::new(&[&["operation"], COLUMNS.as_slice()].concat());
    for (name, figures) in rows {
        table.row([vec![(*name).to_owned()], cells(figures, baseline)].concat());
    }
    let clients = if load.clients == 1 { "client" } else { "clients" };
    table.print(&format!("{headline}, {} {clients}", load.clients));
}
