//! The calls of the operator.

use service::keys::Scope::{
    OperatorConfigure, OperatorKeys, OperatorMoney, OperatorRead, OperatorReview,
};

use crate::Group;
use crate::files::{self, PROOFS, STATEMENTS};
use crate::operation::{Content, Operation};
use crate::parameters::{ENTRIES, ENTRIES_EXPORT, HOLDS, ORDERS, ORDERS_EXPORT, PAGE};

const ORDER: &[(u16, Content)] = &[(200, Content::Json("Order"))];
const ORDER_MADE: &[(u16, Content)] =
    &[(201, Content::Json("Order")), (200, Content::Json("Order"))];
const CATALOGUE: &[(u16, Content)] = &[(200, Content::Json("Catalogue"))];
const FINDING: &[(u16, Content)] = &[(200, Content::Json("Finding"))];
const KEY_MADE: &[(u16, Content)] =
    &[(201, Content::Json("NewApiKey")), (200, Content::Json("NewApiKey"))];

/// They, by what they are about.
pub(crate) const GROUPS: [Group; 7] = [
    ("Bank transfers", "What finance decides on.", REVIEWS),
    ("Accounts", "What the operator sees and sets of each account.", ACCOUNTS),
    ("Refunds and corrections", "Money that goes back, and balances that are put right.", MONEY),
    ("Findings", "Where money and records disagree.", FINDINGS),
    ("Configuration", "What can be topped up, and how.", CONFIGURATION),
    ("Events", "What the platform is told, and where.", EVENTS),
    ("Keys", "API keys and sessions of the console.", KEYS),
];

const REVIEWS: &[Operation] = &[
    Operation::get("/v1/admin/reviews", "listReviews")
        .says("Transfers to review", "Oldest first.")
        .needs(&[OperatorRead])
        .query(PAGE)
        .answers(&[(200, Content::Json("OrderPage"))]),
    Operation::post("/v1/admin/orders/{order_id}/accept", "acceptTransfer")
        .says("Credit what arrived for an order", "Also when it is late, or was rejected.")
        .needs(&[OperatorReview])
        .once_a_key()
        .takes("FoundTransfer")
        .answers(ORDER_MADE)
        .fails(&[
            "order_not_reviewable",
            "already_reviewed",
            "report_changed",
            "bank_reference_used",
            "difference_not_confirmed",
            "currency_differs",
            "unknown_currency",
            "unknown_rate",
            "balance_too_large",
            "invalid_amount",
            "amount_out_of_range",
        ]),
    Operation::post("/v1/admin/orders/{order_id}/reject", "rejectTransfer")
        .says("Reject a reported transfer", "The reason is shown to the customer.")
        .needs(&[OperatorReview])
        .takes("Rejection")
        .answers(ORDER)
        .fails(&["order_not_reviewable", "already_reviewed", "report_changed"]),
    Operation::post("/v1/admin/accounts/{account_id}/received-payments", "bookTransfer")
        .says("Credit a transfer that came without an order", "It becomes an order at once.")
        .needs(&[OperatorReview])
        .once_a_key()
        .takes("BookedTransfer")
        .answers(ORDER_MADE)
        .fails(&[
            "unknown_product",
            "already_reviewed",
            "bank_reference_used",
            "unknown_currency",
            "unknown_rate",
            "balance_too_large",
            "invalid_amount",
            "amount_out_of_range",
        ]),
    Operation::post("/v1/admin/statements", "importStatement")
        .says("Upload a bank statement", "At most 4 MiB. The same one again is 200.")
        .needs(&[OperatorReview])
        .takes_file(STATEMENTS)
        .answers(&[(201, Content::Json("Statement")), (200, Content::Json("Statement"))])
        .fails(&["invalid_statement", "unknown_field"]),
    Operation::get("/v1/admin/statements", "listStatements")
        .says("Uploaded statements", "Newest first.")
        .needs(&[OperatorReview])
        .query(PAGE)
        .answers(&[(200, Content::Json("StatementPage"))]),
    Operation::get("/v1/admin/statements/{statement_id}", "getStatement")
        .says("One statement", "With what its lines may pay now.")
        .needs(&[OperatorReview])
        .answers(&[(200, Content::Json("Statement"))])
        .fails(&["not_found"]),
    Operation::post("/v1/admin/statements/{statement_id}/accept", "acceptLines")
        .says("Accept lines of a statement", "Each line has an outcome of its own.")
        .needs(&[OperatorReview])
        .takes("AcceptedChoice")
        .answers(&[(200, Content::Json("AcceptedLines"))])
        .fails(&["not_found"]),
    Operation::get("/v1/admin/orders/{order_id}/proofs/{proof_id}", "getProof")
        .says("A file that a customer uploaded", "To be saved, never shown by a browser.")
        .needs(&[OperatorRead])
        .answers(&[(200, Content::File(PROOFS))])
        .fails(&["not_found"]),
];

const ACCOUNTS: &[Operation] = &[
    Operation::get("/v1/admin/accounts", "listAccounts")
        .says("Accounts", "In no order that means anything.")
        .needs(&[OperatorRead])
        .query(PAGE)
        .answers(&[(200, Content::Json("AccountPage"))]),
    Operation::get("/v1/admin/accounts/{account_id}", "getAccount")
        .says("One account", "Always current.")
        .needs(&[OperatorRead])
        .answers(&[(200, Content::Json("Account"))]),
    Operation::put("/v1/admin/accounts/{account_id}", "putAccount")
        .says("Make or change an account", "It also comes into being with its first key.")
        .needs(&[OperatorConfigure])
        .takes("AccountChange")
        .answers(&[(200, Content::Json("Account"))])
        .fails(&["currency_fixed"]),
    Operation::get("/v1/admin/accounts/{account_id}/balances", "getAccountBalances")
        .says("All balances of an account", "Always current; with `at`, of a moment.")
        .needs(&[OperatorRead])
        .query(&["at"])
        .answers(&[(200, Content::Json("Balances"))])
        .fails(&["moment_too_far"]),
    Operation::get("/v1/admin/accounts/{account_id}/thresholds", "getAccountThresholds")
        .says("All thresholds of an account", "Those that are on.")
        .needs(&[OperatorRead])
        .answers(&[(200, Content::Json("Thresholds"))]),
    Operation::get("/v1/admin/accounts/{account_id}/orders", "listAccountOrders")
        .says("Orders of an account", "Newest first.")
        .needs(&[OperatorRead])
        .query(ORDERS)
        .answers(&[(200, Content::Json("OrderPage"))]),
    Operation::get("/v1/admin/accounts/{account_id}/orders.csv", "exportAccountOrders")
        .says("Orders of an account as a file", "Newest first, in parts.")
        .needs(&[OperatorRead])
        .query(ORDERS_EXPORT)
        .answers(&[(200, Content::Export(files::ORDERS))]),
    Operation::get("/v1/admin/accounts/{account_id}/entries", "listAccountEntries")
        .says("The journal of an account", "Newest first.")
        .needs(&[OperatorRead])
        .query(ENTRIES)
        .answers(&[(200, Content::Json("EntryPage"))]),
    Operation::get("/v1/admin/accounts/{account_id}/entries.csv", "exportAccountEntries")
        .says("The journal of an account as a file", "Newest first, in parts.")
        .needs(&[OperatorRead])
        .query(ENTRIES_EXPORT)
        .answers(&[(200, Content::Export(files::ENTRIES))]),
    Operation::get("/v1/admin/accounts/{account_id}/holds", "listAccountHolds")
        .says("Holds of an account", "Newest first.")
        .needs(&[OperatorRead])
        .query(HOLDS)
        .answers(&[(200, Content::Json("HoldPage"))]),
    Operation::get("/v1/admin/accounts/{account_id}/holds/{hold_id}", "getAccountHold")
        .says("One hold of an account", "Always current.")
        .needs(&[OperatorRead])
        .answers(&[(200, Content::Json("Hold"))]),
    Operation::get("/v1/admin/accounts/{account_id}/charges/{charge_id}", "getAccountCharge")
        .says("One charge of an account", "By the `document_id` of its entry.")
        .needs(&[OperatorRead])
        .answers(&[(200, Content::Json("Charge"))]),
    Operation::get("/v1/admin/orders/{order_id}", "getAnyOrder")
        .says("One order of any account", "Always current.")
        .needs(&[OperatorRead])
        .answers(ORDER),
];

const MONEY: &[Operation] = &[
    Operation::post("/v1/admin/orders/{order_id}/refunds", "refundOrder")
        .says(
            "Give money of an order back",
            "By card through the provider; by bank it records the outgoing transfer.",
        )
        .needs(&[OperatorMoney])
        .once_a_key()
        .takes("NewRefund")
        .answers(&[(201, Content::Json("Refund")), (200, Content::Json("Refund"))])
        .fails(&[
            "insufficient_balance",
            "account_frozen",
            "order_not_refundable",
            "refund_reference_used",
            "refund_too_large",
            "too_many_refunds",
            "invalid_amount",
            "amount_out_of_range",
        ]),
    Operation::post("/v1/admin/accounts/{account_id}/adjustments", "adjustBalance")
        .says("Correct a balance", "It is in the journal with its reason.")
        .needs(&[OperatorMoney])
        .once_a_key()
        .takes("NewAdjustment")
        .answers(&[(201, Content::Json("Adjustment")), (200, Content::Json("Adjustment"))])
        .fails(&[
            "insufficient_balance",
            "unknown_product",
            "balance_too_large",
            "invalid_amount",
            "amount_out_of_range",
        ]),
    Operation::get("/v1/admin/accounts/{account_id}/adjustments", "listAdjustments")
        .says("Corrections of an account", "Newest first.")
        .needs(&[OperatorRead])
        .query(PAGE)
        .answers(&[(200, Content::Json("AdjustmentPage"))]),
];

const FINDINGS: &[Operation] = &[
    Operation::get("/v1/admin/findings", "listFindings")
        .says("Findings", "Those that are open, unless it is said.")
        .needs(&[OperatorRead])
        .query(&["finding_status", "limit", "cursor"])
        .answers(&[(200, Content::Json("FindingPage"))]),
    Operation::get("/v1/admin/findings/{finding_id}", "getFinding")
        .says("One finding", "Always current.")
        .needs(&[OperatorRead])
        .answers(FINDING)
        .fails(&["not_found"]),
    Operation::post("/v1/admin/findings/{finding_id}/resolve", "resolveFinding")
        .says("Close a finding", "With a reason. No money moves, now or by itself later.")
        .needs(&[OperatorMoney])
        .takes("Reason")
        .answers(FINDING)
        .fails(&["not_found", "finding_closed", "refund_under_way", "payment_undecided"]),
    Operation::post("/v1/admin/findings/{finding_id}/credit", "creditFinding")
        .says("Credit the payment of a finding", "Once; it becomes an order.")
        .needs(&[OperatorMoney])
        .takes("NewCredit")
        .answers(&[(200, Content::Json("CreditedFinding"))])
        .fails(&[
            "not_found",
            "finding_closed",
            "finding_not_creditable",
            "unknown_product",
            "currency_differs",
            "balance_too_large",
        ]),
    Operation::post("/v1/admin/findings/{finding_id}/refund", "refundFinding")
        .says("Give the payment of a finding back", "To the card that paid.")
        .needs(&[OperatorMoney])
        .takes("Reason")
        .answers(FINDING)
        .fails(&["not_found", "finding_closed", "finding_not_creditable", "too_many_refunds"]),
    Operation::get("/v1/admin/reconciliations", "listReconciliations")
        .says("Comparisons with the provider", "The latest day first.")
        .needs(&[OperatorRead])
        .query(PAGE)
        .answers(&[(200, Content::Json("ReconciliationPage"))]),
    Operation::get("/v1/admin/reconciliations/{run_id}", "getReconciliation")
        .says("One comparison", "Ending in `.csv`, as comma-separated values.")
        .needs(&[OperatorRead])
        .answers(&[(200, Content::Comparison)])
        .fails(&["not_found"]),
];

const CONFIGURATION: &[Operation] = &[
    Operation::get("/v1/admin/catalogue", "getCatalogue")
        .says("Everything that is configured", "As it is, or as it was at a version.")
        .needs(&[OperatorRead])
        .query(&["version"])
        .answers(CATALOGUE)
        .fails(&["not_found"]),
    Operation::put("/v1/admin/products/{product}", "putProduct")
        .says(
            "Make or change a product",
            "Functions see it within a minute. Orders made before keep what they were shown.",
        )
        .needs(&[OperatorConfigure])
        .takes("NewProduct")
        .answers(CATALOGUE),
    Operation::put("/v1/admin/wallet", "putWallet")
        .says(
            "Change how the wallet can be topped up",
            "Functions see it within a minute. Orders made before stay as they are.",
        )
        .needs(&[OperatorConfigure])
        .takes("NewWallet")
        .answers(CATALOGUE),
    Operation::put("/v1/admin/rates/{pair}", "putRate")
        .says("Set a rate", "Orders made before keep theirs.")
        .needs(&[OperatorConfigure])
        .takes("NewRate")
        .answers(CATALOGUE)
        .fails(&["difference_not_confirmed"]),
    Operation::put("/v1/admin/bank-accounts/{currency}", "putBankAccount")
        .says("Set where transfers of a currency arrive", "Orders made before keep theirs.")
        .needs(&[OperatorConfigure])
        .takes("NewBankAccount")
        .answers(CATALOGUE)
        .fails(&["unknown_currency"]),
];

const EVENTS: &[Operation] = &[
    Operation::get("/v1/events", "listEvents")
        .says(
            "What the platform was told",
            "Oldest first; the newest 15 minutes are not listed yet.",
        )
        .needs(&[OperatorRead])
        .query(&["after", "limit"])
        .answers(&[(200, Content::Json("Events"))]),
    Operation::get("/v1/admin/endpoints", "listEndpoints")
        .says("Endpoints", "Without their secrets.")
        .needs(&[OperatorRead])
        .answers(&[(200, Content::Json("Endpoints"))]),
    Operation::put("/v1/admin/endpoints/{endpoint_id}", "putEndpoint")
        .says("Make or change an endpoint", "It answers with its secret, which stays.")
        .needs(&[OperatorConfigure])
        .takes("NewEndpoint")
        .answers(&[(200, Content::Json("Endpoint"))])
        .fails(&["too_many_endpoints"]),
    Operation::delete("/v1/admin/endpoints/{endpoint_id}", "deleteEndpoint")
        .says("Remove an endpoint", "It answers with those that are left.")
        .needs(&[OperatorConfigure])
        .answers(&[(200, Content::Json("Endpoints"))])
        .fails(&["not_found"]),
    Operation::post("/v1/admin/endpoints/{endpoint_id}/rotate", "rotateEndpointSecret")
        .says("Give an endpoint another secret", "The one before counts for 24 hours too.")
        .needs(&[OperatorConfigure])
        .answers(&[(200, Content::Json("Endpoint"))])
        .fails(&["not_found", "rotation_in_progress"]),
    Operation::post("/v1/admin/endpoints/{endpoint_id}/test", "testEndpoint")
        .says("Send an endpoint a test", "It answers with what came of it.")
        .needs(&[OperatorConfigure])
        .once_a_key()
        .answers(&[(200, Content::Json("TestedEndpoint"))])
        .fails(&["not_found"]),
];

const KEYS: &[Operation] = &[
    Operation::post("/v1/admin/api-keys", "createApiKey")
        .says("Make an API key", "Its secret is shown once.")
        .needs(&[OperatorKeys])
        .once_a_key()
        .takes("WantedApiKey")
        .answers(KEY_MADE)
        .fails(&["scope_not_yours"]),
    Operation::get("/v1/admin/api-keys", "listOperatorKeys")
        .says("The operator's keys", "Without their secrets.")
        .needs(&[OperatorKeys])
        .query(PAGE)
        .answers(&[(200, Content::Json("ApiKeyPage"))]),
    Operation::get("/v1/admin/accounts/{account_id}/api-keys", "listApiKeys")
        .says("The keys of an account", "Without their secrets.")
        .needs(&[OperatorKeys])
        .query(PAGE)
        .answers(&[(200, Content::Json("ApiKeyPage"))]),
    Operation::post("/v1/admin/api-keys/{key_id}/rotate", "rotateApiKey")
        .says("Make a key that takes the place of another", "The other one goes on for 24 hours.")
        .needs(&[OperatorKeys])
        .once_a_key()
        .answers(KEY_MADE)
        .fails(&["not_found", "key_not_active", "scope_not_yours"]),
    Operation::delete("/v1/admin/api-keys/{key_id}", "revokeApiKey")
        .says("Stop a key", "Within a minute. One that was stopped stays so.")
        .needs(&[OperatorKeys])
        .answers(&[(200, Content::Json("NewApiKey"))])
        .fails(&["not_found"]),
    Operation::post("/v1/admin/console-sessions", "openConsoleSession")
        .says("Open a session of the console", "The address has a one-time code, good for 60 s.")
        .needs(&[OperatorKeys])
        .once_a_key()
        .takes("WantedSession")
        .answers(&[(201, Content::Json("ConsoleSession")), (200, Content::Json("ConsoleSession"))])
        .fails(&["not_found", "scope_not_yours"]),
];
