//! What clients send: the schemas of the bodies that `Fields` takes apart, with an example each.

use ledger::{MAX_HOLD_TIME, MAX_PROOFS, MIN_HOLD_TIME};
use serde_json::{Value, json};
use service::charges::MAX_BATCH;
use service::keys::Scope;
use service::statements::MAX_ACCEPTED;

use crate::schema::{
    Field, answer_with, body, closed, flag, form, list, named, one_of, text, with,
};

/// The scope by which all of the operator's are meant.
const ALL_OF_OPERATOR: &str = "operator";
/// Longest address of an endpoint or of a page to return to.
const MAX_URL: usize = 500;

/// All of them, by name.
pub(crate) fn bodies() -> Vec<(&'static str, Value)> {
    let all = [payments(), usage(), reviews(), money(), configuration(), keys()];
    all.into_iter()
        .flatten()
        .map(|(name, schema, sent)| (name, with(schema, "examples", json!([sent]))))
        .collect()
}

type Body = (&'static str, Value, Value);

const AMOUNT: &str = "How much: a string, in the account's currency.";

fn amount() -> Field {
    ("amount", named("Amount"), AMOUNT)
}

fn product(about: &'static str) -> Field {
    ("product", named("ProductCode"), about)
}

fn reason(about: &'static str) -> Field {
    ("reason", named("Note"), about)
}

fn words() -> Vec<Field> {
    vec![
        ("description", named("Note"), "The client's words for it."),
        ("metadata", named("Metadata"), "The client's own words."),
    ]
}

fn payments() -> Vec<Body> {
    let email = json!({"type": "string", "format": "email", "maxLength": 254});
    let proofs = json!({"type": "array", "items": named("ProofId"), "maxItems": MAX_PROOFS});
    let order = body(
        "A top-up by card or by bank transfer.",
        vec![
            ("target", one_of(["wallet", "product"]), "What is topped up."),
            ("method", one_of(["card", "offline"]), "How it is paid."),
            amount(),
        ],
        vec![
            product("Which product: with target `product`, and only then."),
            ("currency", named("Currency"), "What is paid; the account's unless it is said."),
            (
                "fx_rate",
                named("Rate"),
                "By bank transfer in another currency: the rate that the customer was shown (`GET /v1/products`).",
            ),
            ("email", email, "Where the provider sends its receipt."),
            ("return_url", text("http://127.0.0.1:8787/paid"), "By card: where to go then; https."),
            ("metadata", named("Metadata"), "The client's own words."),
        ],
    );
    let report = body(
        "What a customer says about a bank transfer.",
        vec![
            ("payer_name", named("Name"), "In whose name it was sent."),
            ("bank_reference", named("BankReference"), "As the payer's bank shows it."),
            ("paid_on", named("Day"), "When it was sent; not in the future."),
            ("amount", named("Amount"), "How much was sent, in the currency of the order."),
        ],
        vec![
            ("note", named("Note"), "Anything else."),
            ("proofs", proofs, "Which files; all that were uploaded unless it is said."),
        ],
    );
    let transfer = vec![product("Where the money goes."), amount()];
    vec![
        (
            "NewOrder",
            order,
            json!({"target": "wallet", "method": "card", "amount": "100.00", "email": "li@example.com"}),
        ),
        (
            "NewTransfer",
            body("Money from the wallet to a product.", transfer, Vec::new()),
            json!({"product": "whatsapp", "amount": "1.00"}),
        ),
        (
            "NewReport",
            report,
            json!({
                "payer_name": "Li Lei",
                "bank_reference": "FT26328 0042",
                "paid_on": "2026-11-23",
                "amount": "720.00",
            }),
        ),
    ]
}

fn usage() -> Vec<Body> {
    let charged = || vec![product("What was used."), amount()];
    let key = "Visible ASCII characters; one with a comma fits no header: send a batch of one.";
    let key = form("^[!-~]{1,255}$", "msg-1", key);
    let in_batch = body(
        "A charge of a batch.",
        [("key", key, "Its idempotency key.")].into_iter().chain(charged()).collect(),
        [("account_id", named("AccountId"), "The operator says whose; a customer need not.")]
            .into_iter()
            .chain(words())
            .collect(),
    );
    let batch = json!({"type": "array", "items": in_batch, "minItems": 1, "maxItems": MAX_BATCH});
    let (least, most) = (MIN_HOLD_TIME.as_secs(), MAX_HOLD_TIME.as_secs());
    let seconds = json!({"type": "integer", "minimum": least, "maximum": most, "examples": [600]});
    let mut held = charged();
    held.push(("expires_in", seconds, "How long it is set aside, in seconds."));
    let threshold = |name, about| (name, named("Amount"), about);
    let thresholds = vec![
        threshold("alert_below", "Tell the platform when less is available."),
        threshold(
            "top_up_below",
            "Move money from the wallet when less is available: products only.",
        ),
        threshold(
            "top_up_amount",
            "Move so much, as often at once as it takes; within the product's limits when this is set.",
        ),
        threshold(
            "top_up_to",
            "Or so much that this is available, whatever the product's limits: above `top_up_below`.",
        ),
        threshold("monthly_cap", "Move at most so much in a month, UTC."),
    ];
    let last = vec![("final", flag(true), "Whether what is left of the hold is free then.")];
    vec![
        (
            "NewCharge",
            body("A use of a product.", charged(), words()),
            json!({"product": "whatsapp", "amount": "0.0085", "description": "template message"}),
        ),
        (
            "NewCharges",
            body(
                "Charges of one account or of many.",
                vec![("charges", batch, "Each of them.")],
                Vec::new(),
            ),
            json!({"charges": [{"key": "msg-1", "account_id": "demo", "product": "whatsapp", "amount": "0.0085"}]}),
        ),
        (
            "NewHold",
            body("Money to set aside.", held, words()),
            json!({"product": "whatsapp", "amount": "1.00", "expires_in": 600}),
        ),
        (
            "NewCapture",
            body("What was used of a hold.", vec![amount()], last),
            json!({"amount": "0.80", "final": true}),
        ),
        (
            "NewThresholds",
            body(
                "What is to happen when a balance runs low; what is not said is off.",
                Vec::new(),
                thresholds,
            ),
            json!({"alert_below": "20.00"}),
        ),
    ]
}

fn found() -> Vec<Field> {
    vec![
        ("received_amount", named("Amount"), "What arrived, in the currency that arrived."),
        ("received_currency", named("Currency"), "The currency of that."),
        ("bank_reference", named("BankReference"), "The receiving bank's reference: used once."),
        ("received_on", named("Day"), "When the bank booked it; not in the future."),
    ]
}

fn reviews() -> Vec<Body> {
    let seen = || {
        let about = "When the report was sent that this is decided on (`transfer_report`): if the customer has \
                     sent another one since, this is 409 `report_changed`.";
        ("reported_at", named("Time"), about)
    };
    let differs =
        vec![("confirm_difference", flag(false), "Credit it although it differs a lot."), seen()];
    let booked = vec![
        product("Which product it tops up; the wallet unless it is said."),
        (
            "statement_id",
            text("stm_0b4f2t8xj0n5s1q3w7y9"),
            "On which statement it was found: it arrived at the account of that, which may have been replaced since.",
        ),
    ];
    // Unlike elsewhere, what is optional in a line may not be null: serde reads it.
    let line = closed(answer_with(
        "A line, and the order that it pays.",
        vec![
            ("line", json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}), "Its number."),
            ("order_id", named("OrderId"), "The order."),
        ],
        vec![("confirm_difference", flag(false), "Credit it although it differs a lot.")],
    ));
    let lines = json!({"type": "array", "items": line, "minItems": 1, "maxItems": MAX_ACCEPTED});
    let chosen = vec![
        ("exact", flag(true), "All lines that fit one order exactly."),
        ("lines", lines, "Or these."),
    ];
    let arrived = json!({
        "received_amount": "720.00",
        "received_currency": "CNY",
        "bank_reference": "FT26328 0042",
        "received_on": "2026-11-23",
    });
    vec![
        (
            "FoundTransfer",
            body("A transfer that a person found at the bank.", found(), differs),
            arrived.clone(),
        ),
        (
            "BookedTransfer",
            body("A transfer that came without an order.", found(), booked),
            arrived,
        ),
        (
            "AcceptedChoice",
            body("Lines to accept: one of the two.", Vec::new(), chosen),
            json!({"exact": true}),
        ),
        (
            "Rejection",
            body(
                "Why the customer is not credited.",
                vec![reason("The customer sees it.")],
                vec![seen()],
            ),
            json!({"reason": "nothing arrived under this reference"}),
        ),
        (
            "Reason",
            body("Why.", vec![reason("In a few sentences.")], Vec::new()),
            json!({"reason": "nothing arrived under this reference"}),
        ),
    ]
}

fn money() -> Vec<Body> {
    let refund = body(
        "Money of an order to give back.",
        vec![amount(), reason("Why.")],
        vec![(
            "bank_reference",
            named("BankReference"),
            "Of the outgoing transfer: orders by bank.",
        )],
    );
    let adjustment = body(
        "A correction of a balance.",
        vec![
            ("balance", named("Balance"), "Which balance."),
            ("amount", named("SignedAmount"), "What is put in, or, below zero, taken out."),
            reason("Why."),
        ],
        Vec::new(),
    );
    let credit = body(
        "Where the payment of a finding is credited.",
        vec![("balance", named("Balance"), "Which balance.")],
        vec![("account_id", named("AccountId"), "Whose; the finding's unless it is said.")],
    );
    vec![
        ("NewRefund", refund, json!({"amount": "10.00", "reason": "ordered twice"})),
        (
            "NewAdjustment",
            adjustment,
            json!({"balance": "wallet", "amount": "5.00", "reason": "goodwill"}),
        ),
        ("NewCredit", credit, json!({"balance": "wallet", "account_id": "demo"})),
    ]
}

fn rate() -> Value {
    let about = "Set it although it is more than a fifth away from the one before.";
    body(
        "A rate.",
        vec![("rate", named("Rate"), "How many of the first one of the second costs.")],
        vec![("confirm_difference", flag(false), about)],
    )
}

fn configuration() -> Vec<Body> {
    let methods = || ("methods", named("Methods"), "How it can be topped up.");
    let product = body(
        "What a product is from now on.",
        vec![("name", named("ProductName"), "Its name for people."), methods()],
        vec![("enabled", flag(true), "Whether it can be topped up; yes unless it is said.")],
    );
    let bank_account = body(
        "Where transfers of a currency arrive from now on.",
        vec![
            ("holder", named("Name"), "In whose name it is."),
            ("bank", named("Name"), "The bank."),
            (
                "number",
                text("808-000000-001"),
                "The account number or IBAN: 4 to 40 letters and digits.",
            ),
        ],
        vec![
            ("branch", named("Name"), "Its branch."),
            ("swift", form("^[A-Z]{6}([A-Z0-9]{2}|[A-Z0-9]{5})$", "DEMOHKHH", ""), "ISO 9362."),
            ("cnaps", form("^[0-9]{12}$", "102584000002", ""), "The bank's number in China."),
        ],
    );
    let url = json!({"type": "string", "maxLength": MAX_URL});
    let endpoint = body(
        "What an endpoint is from now on.",
        vec![("url", url, "An https address of a public host.")],
        vec![
            (
                "types",
                list(named("EventType")),
                "What it is told of; everything unless it is said.",
            ),
            ("enabled", flag(true), "Whether anything is sent to it; yes unless it is said."),
        ],
    );
    let card = json!({"card": {"USD": {"min_amount": "10.00", "max_amount": "10000.00"}}});
    vec![
        (
            "NewProduct",
            product,
            json!({"name": {"en": "WhatsApp", "zh": "WhatsApp"}, "enabled": true, "methods": card}),
        ),
        (
            "NewWallet",
            body("How the wallet can be topped up.", vec![methods()], Vec::new()),
            json!({"methods": card}),
        ),
        ("NewRate", rate(), json!({"rate": "7.2000"})),
        (
            "NewBankAccount",
            bank_account,
            json!({"holder": "Topup Demo Ltd", "bank": "Demo Bank", "number": "808-000000-001", "swift": "DEMOHKHH"}),
        ),
        (
            "NewEndpoint",
            endpoint,
            json!({"url": "https://shop.example/events", "types": ["order.completed"]}),
        ),
    ]
}

fn keys() -> Vec<Body> {
    let known = Scope::CUSTOMER.into_iter().chain(Scope::OPERATOR).map(Scope::name);
    let scopes = one_of(known.chain([ALL_OF_OPERATOR]));
    let key = body(
        "A key to make.",
        vec![("name", named("Actor"), "Who will use it.")],
        vec![
            ("account_id", named("AccountId"), "Whose; the operator's own unless it is said."),
            (
                "scopes",
                list(scopes),
                "A customer's: all of a customer's unless it is said. `operator` is all five.",
            ),
            ("expires_at", named("Moment"), "When it stops; in the future."),
        ],
    );
    let session = body(
        "A session of the console to open.",
        vec![
            ("role", one_of(["customer", "operator"]), "Whose console."),
            ("person", named("Actor"), "Who will sit before it."),
        ],
        vec![("account_id", named("AccountId"), "With role `customer`, and only then.")],
    );
    let account = body(
        "What an account is from now on; what is not said stays.",
        Vec::new(),
        vec![
            ("name", named("Name"), "The customer's name."),
            ("currency", named("Currency"), "Fixed once the account has an entry."),
            ("status", named("AccountStatus"), "Nothing leaves a frozen one."),
        ],
    );
    let code = body(
        "A one-time code.",
        vec![("code", text("0a1b2c"), "Of the session's address.")],
        Vec::new(),
    );
    let token = body(
        "A token of the console.",
        vec![("token", text("ct_0a1b2c"), "The whole token.")],
        Vec::new(),
    );
    vec![
        ("WantedApiKey", key, json!({"account_id": "demo", "name": "shop server"})),
        (
            "WantedSession",
            session,
            json!({"role": "customer", "account_id": "demo", "person": "Ann Lee"}),
        ),
        ("AccountChange", account, json!({"name": "Demo Ltd", "status": "active"})),
        ("ExchangedCode", code, json!({"code": "0a1b2c"})),
        ("RevokedToken", token, json!({"token": "ct_0a1b2c"})),
    ]
}
