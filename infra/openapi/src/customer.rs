//! The calls of customers, of the payment provider, and those that everybody may make.

use service::keys::Scope::{
    BalancesRead, OperatorMoney, OrdersRead, OrdersWrite, TransfersWrite, UsageWrite,
};

use crate::Group;
use crate::files::{self, PROOFS, STRIPE_EVENT};
use crate::operation::{Content, Operation};
use crate::parameters::{ENTRIES, ENTRIES_EXPORT, HOLDS, ORDERS, ORDERS_EXPORT};

const ORDER: &[(u16, Content)] = &[(200, Content::Json("Order"))];
const ORDER_MADE: &[(u16, Content)] =
    &[(201, Content::Json("Order")), (200, Content::Json("Order"))];

/// They, by what they are about.
pub(crate) const GROUPS: [Group; 5] = [
    ("Balances", "What an account has, and its journal.", BALANCES),
    ("Orders", "Top-ups of the wallet or of a product.", ORDERS_OF_ONE),
    ("Usage", "What is used is paid out of the balance of its product.", USAGE),
    ("Thresholds", "What is to happen when a balance runs low.", THRESHOLDS),
    ("Open", "Calls on which something else than a key authorizes.", OPEN),
];

const BALANCES: &[Operation] = &[
    Operation::get("/v1/balances", "getBalances")
        .says("All balances", "Always current; with `at`, of a moment.")
        .needs(&[BalancesRead])
        .query(&["at"])
        .answers(&[(200, Content::Json("Balances"))])
        .fails(&["moment_too_far", "not_found"]),
    Operation::get("/v1/entries", "listEntries")
        .says("The journal", "Newest first.")
        .needs(&[BalancesRead])
        .query(ENTRIES)
        .answers(&[(200, Content::Json("EntryPage"))])
        .fails(&["not_found"]),
    Operation::get("/v1/entries.csv", "exportEntries")
        .says("The journal as a file", "Newest first, a row for each line, in parts.")
        .needs(&[BalancesRead])
        .query(ENTRIES_EXPORT)
        .answers(&[(200, Content::Export(files::ENTRIES))])
        .fails(&["not_found"]),
    Operation::post("/v1/transfers", "createTransfer")
        .says("Move money from the wallet to a product", "At once: the order is completed.")
        .needs(&[TransfersWrite])
        .once_a_key()
        .takes("NewTransfer")
        .answers(ORDER_MADE)
        .fails(&[
            "insufficient_balance",
            "account_frozen",
            "not_found",
            "unknown_product",
            "product_disabled",
            "method_not_allowed",
            "unknown_currency",
            "balance_too_large",
            "invalid_amount",
            "amount_out_of_range",
        ]),
];

const ORDERS_OF_ONE: &[Operation] = &[
    Operation::get("/v1/products", "getProducts")
        .says("What can be topped up", "With the limits of each method; at most a minute old.")
        .needs(&[OrdersRead])
        .answers(&[(200, Content::Json("Products"))]),
    Operation::post("/v1/orders", "createOrder")
        .says(
            "Order a top-up",
            "By card it has a `checkout_url`, by bank transfer `transfer_instructions`.",
        )
        .needs(&[OrdersWrite])
        .once_a_key()
        .takes("NewOrder")
        .answers(ORDER_MADE)
        .fails(&[
            "not_found",
            "unknown_product",
            "product_disabled",
            "unknown_method",
            "method_not_allowed",
            "unknown_currency",
            "invalid_return_url",
            "invalid_amount",
            "amount_out_of_range",
            "rate_changed",
        ]),
    Operation::get("/v1/orders", "listOrders")
        .says("Orders", "Newest first. A new one may take a second to appear.")
        .needs(&[OrdersRead])
        .query(ORDERS)
        .answers(&[(200, Content::Json("OrderPage"))]),
    Operation::get("/v1/orders.csv", "exportOrders")
        .says("Orders as a file", "Newest first, a row for each, in parts.")
        .needs(&[OrdersRead])
        .query(ORDERS_EXPORT)
        .answers(&[(200, Content::Export(files::ORDERS))]),
    Operation::get("/v1/orders/{order_id}", "getOrder")
        .says("One order", "Always current.")
        .needs(&[OrdersRead])
        .answers(ORDER),
    Operation::post("/v1/orders/{order_id}/cancel", "cancelOrder")
        .says("Cancel an order", "Only one that awaits its payment; a cancelled one stays so.")
        .needs(&[OrdersWrite])
        .answers(ORDER)
        .fails(&["order_not_cancellable"]),
    Operation::post("/v1/orders/{order_id}/transfer-report", "reportTransfer")
        .says("Report a bank transfer", "May be replaced until somebody has decided on it.")
        .needs(&[OrdersWrite])
        .takes("NewReport")
        .answers(ORDER)
        .fails(&[
            "order_not_reportable",
            "too_many_reports",
            "unknown_proof",
            "invalid_amount",
            "amount_out_of_range",
        ]),
    Operation::post("/v1/orders/{order_id}/proofs", "uploadProof")
        .says(
            "Upload a proof of a bank transfer",
            "A JPEG, PNG or PDF of at most 4 MiB. Its content decides; send its media type, or `application/octet-stream`: a type of \
             text is refused, since bytes get lost on its way.",
        )
        .needs(&[OrdersWrite])
        .takes_file(PROOFS)
        .answers(&[(200, Content::Json("UploadedProof"))])
        .fails(&["order_not_reportable", "too_many_proofs"]),
];

const USAGE: &[Operation] = &[
    Operation::post("/v1/charges", "createCharge")
        .says("Charge a use", "At once, out of the product's balance alone.")
        .needs(&[UsageWrite])
        .once_a_key()
        .takes("NewCharge")
        .answers(&[(201, Content::Json("Charge")), (200, Content::Json("Charge"))])
        .fails(&[
            "insufficient_balance",
            "account_frozen",
            "not_found",
            "unknown_product",
            "balance_too_large",
            "invalid_amount",
            "amount_out_of_range",
        ]),
    Operation::post("/v1/charges/batch", "createCharges")
        .says(
            "Charge many uses",
            "Each charge has a key and an outcome of its own: one that breaks a rule, or cannot be read, does not stop \
             the others. At most 1 MiB.",
        )
        .needs(&[UsageWrite, OperatorMoney])
        .takes("NewCharges")
        .answers(&[(200, Content::Json("ChargeOutcomes"))]),
    Operation::get("/v1/charges/{charge_id}", "getCharge")
        .says("One charge", "Always current.")
        .needs(&[BalancesRead])
        .answers(&[(200, Content::Json("Charge"))])
        .fails(&["not_found"]),
    Operation::post("/v1/holds", "createHold")
        .says("Set money aside", "Out of the product's balance, for a time.")
        .needs(&[UsageWrite])
        .once_a_key()
        .takes("NewHold")
        .answers(&[(201, Content::Json("Hold")), (200, Content::Json("Hold"))])
        .fails(&[
            "insufficient_balance",
            "account_frozen",
            "not_found",
            "unknown_product",
            "too_many_holds",
            "balance_too_large",
            "invalid_amount",
            "amount_out_of_range",
        ]),
    Operation::get("/v1/holds", "listHolds")
        .says("Holds", "Newest first.")
        .needs(&[BalancesRead])
        .query(HOLDS)
        .answers(&[(200, Content::Json("HoldPage"))]),
    Operation::get("/v1/holds/{hold_id}", "getHold")
        .says("One hold", "Always current.")
        .needs(&[BalancesRead])
        .answers(&[(200, Content::Json("Hold"))])
        .fails(&["not_found"]),
    Operation::post("/v1/holds/{hold_id}/capture", "captureHold")
        .says("Charge a use out of a hold", "In one part or in many.")
        .needs(&[UsageWrite])
        .once_a_key()
        .takes("NewCapture")
        .answers(&[(201, Content::Json("Capture")), (200, Content::Json("Capture"))])
        .fails(&[
            "hold_closed",
            "capture_too_large",
            "not_found",
            "invalid_amount",
            "amount_out_of_range",
        ]),
    Operation::post("/v1/holds/{hold_id}/release", "releaseHold")
        .says("Give a hold up", "What it keeps is free again. Doing it again changes nothing.")
        .needs(&[UsageWrite])
        .answers(&[(200, Content::Json("Hold"))])
        .fails(&[
            "hold_closed",
            "not_found",
            "unsupported_media_type",
            "body_too_large",
            "invalid_json",
            "unknown_field",
        ]),
];

const THRESHOLDS: &[Operation] = &[
    Operation::get("/v1/thresholds", "getThresholds")
        .says("All thresholds", "Those that are on.")
        .needs(&[BalancesRead])
        .answers(&[(200, Content::Json("Thresholds"))])
        .fails(&["not_found"]),
    Operation::put("/v1/wallet/thresholds", "putWalletThresholds")
        .says("Thresholds of the wallet", "What is not said is off.")
        .needs(&[TransfersWrite])
        .takes("NewThresholds")
        .answers(&[(200, Content::Json("Threshold"))])
        .fails(&["invalid_amount", "amount_out_of_range", "not_found"]),
    Operation::put("/v1/products/{product}/thresholds", "putProductThresholds")
        .says("Thresholds of a product", "What is not said is off.")
        .needs(&[TransfersWrite])
        .takes("NewThresholds")
        .answers(&[(200, Content::Json("Threshold"))])
        .fails(&[
            "unknown_product",
            "product_disabled",
            "method_not_allowed",
            "unknown_currency",
            "not_found",
            "invalid_amount",
            "amount_out_of_range",
        ]),
];

const OPEN: &[Operation] = &[
    Operation::post("/v1/console-tokens", "exchangeCode")
        .says("Exchange a one-time code for a token", "The code is what authorizes.")
        .takes("ExchangedCode")
        .answers(&[(201, Content::Json("ConsoleToken"))])
        .fails(&["invalid_code"]),
    Operation::post("/v1/console-tokens/revoke", "revokeConsoleToken")
        .says(
            "End a token",
            "Of whoever leaves the console; it is of no use any more within a minute. As RFC 7009 has it, a token that is \
             none, or has ended, is answered alike.",
        )
        .takes("RevokedToken")
        .answers(&[(200, Content::Json("Revocation"))]),
    Operation::post("/v1/webhooks/stripe", "receiveWebhook")
        .says(
            "The payment provider tells what happened",
            "200 once its effect is durable or queued, or if it is nothing for us.",
        )
        .signed()
        .takes_file(STRIPE_EVENT)
        .answers(&[(200, Content::Json("ReceivedWebhook"))])
        .fails(&["invalid_signature", "not_taken"]),
    Operation::get("/v1/openapi.json", "getDescription")
        .says(
            "This document",
            "Send the `ETag` of the one that you have in `If-None-Match`: 304 if it is still good.",
        )
        .answers(&[(200, Content::Document), (304, Content::Nothing)]),
];
