//! What a use case costs: its requests and their capacity, read off the wires.

use std::fmt;

use crate::wire::{Exchange, Wires};

/// The operations that the product asks the table for, in the order in which they are shown.
const OPERATIONS: [&str; 4] = ["GetItem", "BatchGetItem", "Query", "TransactWriteItems"];
const WRITE: &str = "TransactWriteItems";

/// What a use case did on the wires, without what is counted apart: the authorizer's look at the
/// key, and the catalogue that functions keep for a minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// Requests to the table: those operations that were asked for, and how often.
    pub table: Vec<(&'static str, u64)>,
    /// Calls of the payment provider.
    pub provider: u64,
    /// Consumed read capacity in tenths of a unit.
    pub read_tenths: u64,
    /// Consumed write capacity in tenths of a unit.
    pub write_tenths: u64,
}

impl Cost {
    /// What `work` costs.
    pub async fn of(wires: &Wires, work: impl AsyncFnOnce()) -> Self {
        wires.forget();
        work().await;
        Self::read(&wires.exchanges())
    }

    fn read(exchanges: &[Exchange]) -> Self {
        let apart = |request: &str| request.contains("CATALOGUE") || request.contains("KEY#");
        let own = || exchanges.iter().filter(|exchange| !apart(&exchange.request));
        let table = |name: &'static str| {
            let asked = |exchange: &&Exchange| exchange.wire == "table";
            let named = own().filter(asked).filter(|exchange| exchange.operation == name);
            (name, named.fold(0, |count, _| count + 1))
        };
        let capacity = |writes: bool| {
            own()
                .filter(|exchange| (exchange.operation == WRITE) == writes)
                .fold(0, |sum, exchange| sum + exchange.capacity_tenths)
        };
        Self {
            table: OPERATIONS.into_iter().map(table).filter(|(_, count)| *count > 0).collect(),
            provider: exchanges
                .iter()
                .filter(|exchange| exchange.wire == "provider")
                .fold(0, |count, _| count + 1),
            read_tenths: capacity(false),
            write_tenths: capacity(true),
        }
    }

    /// The requests in words: `1 BatchGetItem, 1 Stripe`.
    #[must_use]
    pub fn requests(&self) -> String {
        let table = self.table.iter().map(|(name, count)| format!("{count} {name}"));
        let provider = (self.provider > 0).then(|| format!("{} Stripe", self.provider));
        table.chain(provider).collect::<Vec<_>>().join(", ")
    }

    /// How often the table was asked for this.
    #[must_use]
    pub fn asked(&self, operation: &str) -> u64 {
        let asked = self.table.iter().find(|(name, _)| *name == operation);
        asked.map_or(0, |(_, count)| *count)
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (read, write) = (units(self.read_tenths), units(self.write_tenths));
        write!(formatter, "{}, {read} read units, {write} write units", self.requests())
    }
}

/// Capacity in units: `4.5`.
#[must_use]
pub fn units(tenths: u64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}
