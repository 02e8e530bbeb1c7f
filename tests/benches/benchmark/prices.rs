//! What AWS charges: the public on-demand prices of us-east-1, without free tiers and discounts, as
//! third parties quoted them in 2025 and 2026. An assumption, and the only place of it.
//!
//! Prices are in millionths of a dollar for a million of what is charged.

/// DynamoDB, on demand: a write request unit is a put of 1 KB, or a change of an index entry. An
/// item in a transaction costs two; an index entry that follows from it costs one all the same.
const WRITE_UNITS: u64 = 625_000;
/// DynamoDB, on demand: a read request unit is a consistent read of 4 KB.
const READ_UNITS: u64 = 125_000;
/// API Gateway: requests of an HTTP API, of up to 512 KB each.
const GATEWAY_REQUESTS: u64 = 1_000_000;
/// Lambda: invocations.
const INVOCATIONS: u64 = 200_000;
/// Lambda on arm64: gigabyte-seconds.
const GIGABYTE_SECONDS: u64 = 13_333_400;
/// SQS, standard queues: requests.
pub(crate) const QUEUE_REQUESTS: u64 = 400_000;

/// Memory of a function, as in `template.yaml`, in megabytes.
const MEMORY: u64 = 256;

/// Assumed milliseconds of a warm function: its own work; a read; a transaction; a call of Stripe.
/// None of them is measured here: Lambda charges for waiting, and the waiting is AWS's.
pub(crate) const OWN_MILLIS: u64 = 2;
/// See [`OWN_MILLIS`].
pub(crate) const READ_MILLIS: u64 = 5;
/// See [`OWN_MILLIS`].
pub(crate) const TRANSACTION_MILLIS: u64 = 15;
/// See [`OWN_MILLIS`].
pub(crate) const STRIPE_MILLIS: u64 = 500;

/// What an operation uses of AWS.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// Reads of the table.
    pub(crate) reads: u64,
    /// Transactions.
    pub(crate) transactions: u64,
    /// Calls of Stripe.
    pub(crate) stripe: u64,
    /// Read units in tenths.
    pub(crate) read_tenths: u64,
    /// Write units in tenths.
    pub(crate) write_tenths: u64,
}

/// The authorizer looks a key up.
pub(crate) const AUTHORIZER: Usage =
    Usage { reads: 1, transactions: 0, stripe: 0, read_tenths: 10, write_tenths: 0 };

/// Millionths of a dollar for a million operations.
pub(crate) struct Price {
    /// The request at the gateway.
    pub(crate) gateway: u64,
    /// The invocation of the function and its time.
    pub(crate) lambda: u64,
    /// What is read from the table.
    pub(crate) reads: u64,
    /// What is written to it.
    pub(crate) writes: u64,
}

impl Usage {
    /// Milliseconds of the function, as assumed.
    const fn millis(self) -> u64 {
        OWN_MILLIS
            + self.reads * READ_MILLIS
            + self.transactions * TRANSACTION_MILLIS
            + self.stripe * STRIPE_MILLIS
    }

    /// What a million of it costs.
    pub(crate) const fn price(self) -> Price {
        Price {
            gateway: GATEWAY_REQUESTS,
            lambda: INVOCATIONS + GIGABYTE_SECONDS * self.millis() * MEMORY / 1_024 / 1_000,
            reads: READ_UNITS * self.read_tenths / 10,
            writes: WRITE_UNITS * self.write_tenths / 10,
        }
    }
}

impl Price {
    /// All of it.
    pub(crate) const fn total(&self) -> u64 {
        self.gateway + self.of_function()
    }

    /// All of it but the gateway's.
    pub(crate) const fn of_function(&self) -> u64 {
        self.lambda + self.reads + self.writes
    }
}

/// Millionths of a dollar in dollars and cents, rounded up.
pub(crate) fn dollars(millionths: u64) -> String {
    let cents = millionths.div_ceil(10_000);
    format!("${}.{:02}", cents / 100, cents % 100)
}
