//! What customers are answered: the schemas of `shared/service/src/http/view`, field by field. Each
//! story holds every answer against them.

use ledger::{HeldBack, MAX_ATTEMPTS, MAX_REFUNDS, MAX_REVIEWS};
use serde_json::{Value, json};

use crate::schema::{
    Field, answer, answer_with, by_name, count, flag, form, list, named, one_of, or_null, page,
    text,
};

/// All of them, by name.
pub(crate) fn answers() -> Vec<(&'static str, Value)> {
    [balances(), orders(), parts_of_orders(), usage(), failures()].into_iter().flatten().collect()
}

pub(crate) fn money(name: &'static str, about: &'static str) -> Field {
    (name, named("Money"), about)
}

pub(crate) fn money_or_null(name: &'static str, about: &'static str) -> Field {
    (name, or_null(named("Money")), about)
}

pub(crate) fn time(name: &'static str, about: &'static str) -> Field {
    (name, named("Time"), about)
}

pub(crate) fn time_or_null(name: &'static str, about: &'static str) -> Field {
    (name, or_null(named("Time")), about)
}

pub(crate) fn text_or_null(name: &'static str, example: &str, about: &'static str) -> Field {
    (name, or_null(text(example)), about)
}

const ACCOUNT: &str = "Whose it is.";
const CURRENCY: &str = "The currency of the amounts.";

pub(crate) fn account_id() -> Field {
    ("account_id", named("AccountId"), ACCOUNT)
}

pub(crate) fn currency() -> Field {
    ("currency", named("Currency"), CURRENCY)
}

pub(crate) fn by(name: &'static str, about: &'static str) -> Field {
    (name, named("Actor"), about)
}

fn balances() -> Vec<(&'static str, Value)> {
    let amounts = [
        money("available", "What can be used now."),
        money("held", "What is set aside, by holds and by refunds under way."),
    ];
    let wallet = answer("The wallet.", amounts.clone());
    let of_product = [
        ("product", named("ProductCode"), "Its code."),
        ("name", named("ProductName"), "Its name for people."),
    ];
    let product = answer("A product.", of_product.into_iter().chain(amounts));
    let line = answer(
        "A signed amount on one place.",
        [
            ("place", named("Place"), "Where."),
            currency(),
            ("amount", named("SignedMoney"), "What was added; below zero where money left."),
        ],
    );
    let about_version = "How often the account was written; null for a moment in the past.";
    vec![
        (
            "Balances",
            answer(
                "All balances of an account. Every product of the catalogue is listed, empty ones too.",
                [
                    account_id(),
                    currency(),
                    ("wallet", wallet, "Money that can be moved to any product."),
                    ("products", list(product), "Money that can be used in one product only."),
                    money("debt", "What the customer owes."),
                    ("version", or_null(count(0, 7)), about_version),
                    (
                        "entry",
                        count(0, 5),
                        "The number of the last entry that is in these balances.",
                    ),
                    time("as_of", "The moment that they are of."),
                ],
            ),
        ),
        (
            "Entry",
            answer(
                "An immutable record of the journal. Its lines sum to zero in each currency.",
                [
                    ("number", count(1, 5), "1, 2, 3, … without gaps."),
                    time("at", "When it was made."),
                    ("kind", named("EntryKind"), "Why it was made."),
                    (
                        "document_id",
                        text("ord_0123456789abcdefghjk"),
                        "What it belongs to; of several documents, with a blank between them.",
                    ),
                    ("lines", list(line), "Two or more."),
                    (
                        "balances_after",
                        by_name(named("Place"), named("Money")),
                        "The balance of every place of the account that a line touches.",
                    ),
                    ("hash", named("Hash"), "Over everything above and the previous hash."),
                    (
                        "previous_hash",
                        named("Hash"),
                        "Of the entry before; zeros before the first.",
                    ),
                ],
            ),
        ),
        ("EntryPage", page("Entry")),
    ]
}

fn orders() -> Vec<(&'static str, Value)> {
    let [paid, state, story] = [order_money(), order_state(), order_story()];
    let ids = [
        ("order_id", named("OrderId"), "Its id."),
        account_id(),
        ("target", one_of(["wallet", "product"]), "What is topped up."),
        ("product", or_null(named("ProductCode")), "Which product; null for the wallet."),
        ("method", named("Method"), "How it is paid; `balance` is from the wallet."),
    ];
    let fields = ids.into_iter().chain(state).chain(paid).chain(story);
    let about =
        "What a customer asked for, and everything that became of it. What does not apply is null.";
    vec![("Order", answer(about, fields)), ("OrderPage", page("Order"))]
}

fn order_state() -> Vec<Field> {
    vec![
        ("status", named("OrderStatus"), "Where it stands."),
        text_or_null("status_reason", "paid", "Why: a code, or the words of who rejected it."),
        ("late", flag(false), "Whether the money came after the order was closed."),
        time("created_at", "When it was made."),
        time_or_null("expires_at", "Until when it can be paid."),
        time_or_null("paid_at", "When it was paid."),
        time_or_null("completed_at", "When it was credited."),
    ]
}

fn order_money() -> Vec<Field> {
    vec![
        money("amount", "What was ordered, in the currency of the account."),
        currency(),
        money("pay_amount", "What is to be paid."),
        ("pay_currency", named("Currency"), "The currency of that."),
        ("fx_rate", or_null(named("Rate")), "The rate of the order, if there are two currencies."),
        money_or_null(
            "received_amount",
            "What arrived, also if it could not be credited (`exception`).",
        ),
        ("received_currency", or_null(named("Currency")), "The currency of that."),
        money_or_null("credited_amount", "What was credited."),
        money_or_null("debt_paid", "What of it paid a debt."),
        money_or_null("refunded_amount", "What of it was given back."),
        money_or_null(
            "taken_back_amount",
            "What of it was taken out of the account for refunds and disputes together.",
        ),
        money_or_null(
            "refundable_amount",
            "What of it can still be given back, as far as it is unspent; null if nothing can ever be.",
        ),
        money_or_null("refundable_pay_amount", "That, in the currency that was paid."),
    ]
}

fn order_story() -> Vec<Field> {
    vec![
        ("refunds", bounded("Refund", MAX_REFUNDS), "The money that was given back."),
        ("disputes", list(named("Dispute")), "What the cardholder's bank asked back."),
        text_or_null("email", "li@example.com", "Where the provider sends its receipt."),
        text_or_null("checkout_url", "https://checkout.stripe.com/c/pay/cs_1", "The payment page."),
        text_or_null("payment_id", "pi_1", "The payment: the provider's, or the bank's."),
        text_or_null("card_brand", "visa", "Not known yet: always null."),
        text_or_null("card_last4", "4242", "Not known yet: always null."),
        ("attempts", bounded("Attempt", MAX_ATTEMPTS), "The attempts to pay by card."),
        ("transfer_instructions", or_null(named("Instructions")), "What a payer must know."),
        ("transfer_report", or_null(named("Report")), "What the customer reported last."),
        ("transfer_reviews", bounded("Review", MAX_REVIEWS), "What was decided on reports."),
        ("metadata", named("Metadata"), "The client's own words."),
        ("timeline", list(named("Change")), "Every change of the status, oldest first."),
    ]
}

fn bounded(item: &str, most: usize) -> Value {
    json!({"type": "array", "items": named(item), "maxItems": most})
}

fn parts_of_orders() -> Vec<(&'static str, Value)> {
    vec![
        ("Refund", refund()),
        (
            "Dispute",
            answer(
                "What the cardholder's bank asks back.",
                [
                    ("dispute_id", text("dp_1"), "The provider's name for it."),
                    ("status", named("DisputeStatus"), "Where it stands."),
                    money("amount", "How much."),
                    currency(),
                    text_or_null("reason", "fraudulent", "As the provider says."),
                    time("created_at", "When it began."),
                ],
            ),
        ),
        (
            "Attempt",
            answer(
                "An attempt to pay by card.",
                [
                    time("at", "When."),
                    ("payment_id", text("pi_1"), "The provider's name for it."),
                    ("outcome", named("AttemptOutcome"), "What came of it."),
                    text_or_null("decline_code", "insufficient_funds", "Why it was declined."),
                ],
            ),
        ),
        (
            "Change",
            answer(
                "A change of an order's status.",
                [
                    time("at", "When."),
                    ("from", or_null(named("OrderStatus")), "The status before; null at first."),
                    ("to", named("OrderStatus"), "The status after."),
                    ("reason", named("OrderReason"), "Why."),
                    by("by", "By whom."),
                ],
            ),
        ),
        ("Instructions", instructions()),
        (
            "Proof",
            answer(
                "A file that was uploaded for a report.",
                [
                    ("proof_id", named("ProofId"), "Its id."),
                    ("media_type", named("ProofType"), "What it is, by its content."),
                    ("size", count(1, 48_213), "Bytes."),
                ],
            ),
        ),
        ("Report", report()),
        (
            "Review",
            json!({"oneOf": [accepted(), rejected()], "description": "What a person decided."}),
        ),
        (
            "UploadedProof",
            answer("A file that was taken.", [("proof_id", named("ProofId"), "For the report.")]),
        ),
    ]
}

fn instructions() -> Value {
    answer(
        "What the payer of a bank transfer must know.",
        [
            ("reference_code", text("GWY-RW5-X33"), "To be written on the transfer."),
            money("amount", "To be paid."),
            currency(),
            time_or_null("deadline", "Until when."),
            ("receiving_account", named("BankAccount"), "Where to."),
            ("review_time", text("1 to 3 working days"), "How long a person may take."),
        ],
    )
}

fn refund() -> Value {
    answer(
        "Money of an order that is given back.",
        [
            ("refund_id", named("RefundId"), "Its id."),
            ("order_id", named("OrderId"), "Of which order."),
            account_id(),
            ("status", named("RefundStatus"), "`pending` until the provider has told."),
            money("amount", "How much, in the currency of the account."),
            currency(),
            money_or_null(
                "pay_amount",
                "How much that is in the currency that was paid, at the rate of the order.",
            ),
            ("pay_currency", named("Currency"), "The currency of that."),
            ("reason", or_null(named("Note")), "Why; null if it was made at the provider."),
            ("bank_reference", or_null(named("BankReference")), "Of the outgoing transfer."),
            text_or_null("failure_reason", "lost_or_stolen_card", "Why it failed."),
            time("created_at", "When it was asked for."),
        ],
    )
}

fn report() -> Value {
    answer(
        "What a customer says about a bank transfer.",
        [
            ("payer_name", named("Name"), "In whose name it was sent."),
            ("bank_reference", named("BankReference"), "As the payer's bank shows it."),
            ("paid_on", named("Day"), "When it was sent."),
            money("amount", "How much was sent."),
            currency(),
            ("note", or_null(named("Note")), "Anything else."),
            ("proofs", list(named("Proof")), "The files that belong to it."),
            time("reported_at", "When it was reported."),
            by("by", "Who reported it."),
        ],
    )
}

fn accepted() -> Value {
    answer(
        "The money arrived.",
        [
            ("outcome", json!({"const": "accepted", "examples": ["accepted"]}), "It was credited."),
            time("at", "When."),
            by("by", "Who decided."),
            money("received_amount", "What arrived."),
            ("received_currency", named("Currency"), "The currency of that."),
            ("bank_reference", named("BankReference"), "The receiving bank's reference."),
            ("received_on", named("Day"), "When the bank booked it."),
            ("receiving_account", text("6222020200112233"), "Where it arrived: the number."),
            ("fx_rate", or_null(named("Rate")), "The rate that it was credited at."),
            ("difference_confirmed", flag(false), "Whether it is meant that it differs."),
        ],
    )
}

fn rejected() -> Value {
    answer(
        "The money was not found.",
        [
            ("outcome", json!({"const": "rejected", "examples": ["rejected"]}), "Nothing arrived."),
            time("at", "When."),
            by("by", "Who decided."),
            ("reason", named("Note"), "Why, for the customer."),
            ("report", or_null(named("Report")), "What was decided on."),
        ],
    )
}

fn usage() -> Vec<(&'static str, Value)> {
    let outcome = answer(
        "What became of one charge.",
        [
            text_or_null("key", "msg-1", "Its idempotency key, as it was sent."),
            text_or_null("account_id", "demo", "Its account, as far as it is known."),
            ("status", count(200, 201), "The HTTP status that it would have had alone."),
            ("charge", or_null(named("Charge")), "What was made; null if nothing was."),
            ("problem", or_null(named("Problem")), "Why nothing was made, or what is not known."),
        ],
    );
    let hold = ("hold", named("Hold"), "The hold after it.");
    vec![
        ("Charge", answer("What was used, and paid for.", charge())),
        ("Capture", answer("A charge out of a hold.", charge().into_iter().chain([hold]))),
        (
            "ChargeOutcomes",
            answer(
                "In the order in which they were asked for.",
                [("data", list(outcome), "Each charge.")],
            ),
        ),
        ("Hold", hold_schema()),
        ("HoldPage", page("Hold")),
        ("Threshold", threshold()),
        (
            "Thresholds",
            answer(
                "All thresholds of an account.",
                [
                    ("data", list(named("Threshold")), "Those that are on."),
                    ("next_cursor", json!({"type": "null"}), "Always null: there are few."),
                ],
            ),
        ),
    ]
}

fn charge() -> Vec<Field> {
    vec![
        ("charge_id", named("ChargeId"), "Its id."),
        account_id(),
        ("product", named("ProductCode"), "What was used."),
        money("amount", "What it cost."),
        currency(),
        ("hold_id", or_null(named("HoldId")), "The hold that it was captured from."),
        ("entry", count(1, 6), "The number of its entry in the journal."),
        ("description", or_null(named("Note")), "The client's words for it."),
        ("metadata", named("Metadata"), "The client's own words."),
        by("by", "Who asked."),
        time("created_at", "When."),
    ]
}

fn hold_schema() -> Value {
    answer(
        "Money of a product that is set aside for what is going to be used.",
        [
            ("hold_id", named("HoldId"), "Its id."),
            account_id(),
            ("product", named("ProductCode"), "Of which product."),
            money("amount", "What was set aside."),
            money("captured_amount", "What of it was charged."),
            money("remaining_amount", "What it still keeps."),
            currency(),
            ("status", named("HoldStatus"), "Where it stands."),
            ("description", or_null(named("Note")), "The client's words for it."),
            ("metadata", named("Metadata"), "The client's own words."),
            by("by", "Who asked."),
            time("created_at", "When it was placed."),
            time("expires_at", "When what it keeps is free again."),
            time_or_null("closed_at", "When it ended."),
        ],
    )
}

fn threshold() -> Value {
    answer(
        "What is to happen when a balance runs low; what is off is null.",
        [
            account_id(),
            ("balance", named("Balance"), "Which balance."),
            currency(),
            money_or_null("alert_below", "The platform is told when less is available."),
            (
                "alert_given",
                or_null(flag(false)),
                "Whether it was told since the balance was full.",
            ),
            money_or_null("top_up_below", "Money comes from the wallet when less is available."),
            money_or_null("top_up_amount", "So much of it."),
            money_or_null("top_up_to", "Or so much that this is available."),
            money_or_null("monthly_cap", "At most so much in a month, UTC."),
            money_or_null("moved_this_month", "What has come this month."),
            ("set_by", or_null(named("Actor")), "Who set it."),
            time_or_null("set_at", "When."),
        ],
    )
}

fn failures() -> Vec<(&'static str, Value)> {
    let retry = json!({
        "type": "string",
        "enum": ["same_key", "new_key", "never"],
        "description": "What a client may do with its idempotency key.",
    });
    let always = vec![
        ("type", text("urn:topup:problem:account_frozen"), "`urn:topup:problem:` and the code."),
        ("title", text("Forbidden"), "The name of the status."),
        ("status", count(400, 403), "The status of the answer."),
        ("detail", text("the account is frozen"), "What a person needs to know. Never parse it."),
        (
            "code",
            form("^[a-z_]+$", "account_frozen", ""),
            "What a program decides by. It is stable.",
        ),
        ("request_id", text("3f9c2a71b04de586"), "Also in `X-Request-Id` and in every log line."),
        (
            "retry",
            retry,
            "`same_key`: send it again. `new_key`: with another key. `never`: do not.",
        ),
    ];
    let held_back = [HeldBack::Wallet, HeldBack::MonthlyCap, HeldBack::Product, HeldBack::Limit];
    let sometimes = vec![
        ("field", text("amount"), "The field or parameter that is wrong."),
        money("available", "What is there."),
        money("required", "What was asked for."),
        ("product", named("ProductCode"), "The product that has too little."),
        (
            "top_up_held_back_by",
            one_of(held_back.map(HeldBack::name)),
            "Why its automatic top-up does not bring what is missing: the wallet has too little, its monthly cap leaves \
             too little, the product takes no top-up now, or a balance would be too large.",
        ),
        by("reviewed_by", "Who decided before."),
        ("fx_rate", named("Rate"), "What the rate is."),
        time("reviewed_at", "When that was."),
        ("order_id", named("OrderId"), "The order that was credited before."),
        ("account_id", named("AccountId"), "The account of that order."),
    ];
    let message = [("message", text("Forbidden"), "The name of the status.")];
    vec![
        ("Problem", answer_with("A failure (RFC 9457).", always, sometimes)),
        (
            "GatewayMessage",
            answer("What the gateway says before, or instead of, this service.", message),
        ),
    ]
}
