//! What the operator is answered: the schemas of `shared/service/src/http/view/operator.rs` and of its
//! neighbours.

use ledger::{Doubt, MAX_PROPOSALS, Method};
use serde_json::{Value, json};
use service::comparison::MAX_NAMED_FINDINGS;

use crate::answers::{account_id, by, currency, money, text_or_null, time, time_or_null};
use crate::schema::{
    Field, answer, answer_with, by_name, closed, count, flag, form, list, named, one_of, or_null,
    page, text,
};

/// All of them, by name.
pub(crate) fn answers() -> Vec<(&'static str, Value)> {
    [catalogue(), accounts(), keys(), statements(), findings(), reconciliations(), told()]
        .into_iter()
        .flatten()
        .collect()
}

fn catalogue() -> Vec<(&'static str, Value)> {
    let name = |example: &str| json!({"type": "string", "minLength": 1, "maxLength": 140, "examples": [example]});
    let texts = [("en", name("WhatsApp"), "English."), ("zh", name("WhatsApp"), "Chinese.")];
    let product_name = closed(answer("A name in both languages of the console.", texts));
    let listed = [
        ("product", named("ProductCode"), "Its code."),
        ("name", named("ProductName"), "Its name for people."),
        ("enabled", flag(true), "Whether it can be topped up now."),
        ("methods", named("Methods"), "How it can be topped up."),
    ];
    let product = answer("What the platform sells.", listed);
    let wallet = answer("The wallet.", [("methods", named("Methods"), "How it can be topped up.")]);
    let rate = answer(
        "What one currency costs in another.",
        [
            ("pay_currency", named("Currency"), "The currency that is paid."),
            ("currency", named("Currency"), "The currency that is credited."),
            ("rate", named("Rate"), "How many of the first one of the second costs."),
        ],
    );
    let pair = form("^[A-Z]{3}-[A-Z]{3}$", "CNY-USD", "Two currencies.");
    vec![
        ("ProductName", product_name),
        ("Limits", limits()),
        ("Methods", methods()),
        ("Product", product),
        (
            "Products",
            answer(
                "What can be topped up, and how.",
                [
                    ("wallet", wallet, "The wallet."),
                    ("rates", list(rate), "The rates of bank transfers in another currency."),
                    ("data", list(named("Product")), "The products, as they are shown."),
                    ("next_cursor", json!({"type": "null"}), "Always null: there are few."),
                ],
            ),
        ),
        ("BankAccount", bank_account()),
        (
            "Catalogue",
            answer(
                "Everything that is configured, as it is at a version.",
                [
                    ("version", count(0, 3), "How often it was written."),
                    time("changed_at", "When it was written last."),
                    by("changed_by", "By whom."),
                    ("wallet", named("Methods"), "How the wallet can be topped up."),
                    ("products", list(named("Product")), "What the platform sells."),
                    ("rates", by_name(pair, named("Rate")), "By pair of currencies."),
                    (
                        "bank_accounts",
                        by_name(named("Currency"), named("BankAccount")),
                        "Where bank transfers arrive, by currency.",
                    ),
                ],
            ),
        ),
    ]
}

/// Limits are both answered and sent.
fn limits() -> Value {
    let smallest = [("min_amount", named("Amount"), "The smallest amount.")];
    let largest = [("max_amount", or_null(named("Amount")), "The largest; a card must have one.")];
    closed(answer_with("What one order may be.", smallest.into(), largest.into()))
}

fn methods() -> Value {
    let ways = Method::ALL.map(|method| {
        let limits = by_name(named("Currency"), named("Limits"));
        (method.name(), limits, "The limits by currency. One that is not listed is not taken.")
    });
    closed(answer_with("How something can be topped up.", Vec::new(), ways.into()))
}

fn bank_account() -> Value {
    answer(
        "A bank account, as a payer must know it.",
        [
            ("holder", named("Name"), "In whose name it is."),
            ("bank", named("Name"), "The bank."),
            ("branch", or_null(named("Name")), "Its branch."),
            ("number", text("808-000000-001"), "The account number or IBAN."),
            text_or_null("swift", "DEMOHKHH", "The bank's SWIFT code (ISO 9362)."),
            text_or_null("cnaps", "102584000002", "The bank's number in the clearing of China."),
        ],
    )
}

fn accounts() -> Vec<(&'static str, Value)> {
    let account = answer(
        "An account.",
        [
            account_id(),
            ("name", named("Name"), "The customer's name."),
            ("currency", named("Currency"), "Of all of its balances."),
            ("status", named("AccountStatus"), "Nothing leaves a frozen one."),
            ("entries", count(0, 5), "How many entries its journal has."),
            ("version", count(1, 7), "How often it was written."),
            time("created_at", "When it came into being."),
            by("created_by", "Who made it."),
        ],
    );
    let adjustment = answer(
        "A correction of a balance.",
        [
            ("adjustment_id", named("AdjustmentId"), "Its id."),
            account_id(),
            ("balance", named("Balance"), "Which balance."),
            ("amount", named("SignedMoney"), "What was put in, or, below zero, taken out."),
            currency(),
            ("reason", named("Note"), "Why."),
            by("by", "Who did it."),
            time("at", "When."),
        ],
    );
    vec![
        ("Account", account),
        ("AccountPage", page("Account")),
        ("Adjustment", adjustment),
        ("AdjustmentPage", page("Adjustment")),
    ]
}

fn keys() -> Vec<(&'static str, Value)> {
    let owner =
        ("account_id", or_null(named("AccountId")), "Whose it is; null for the operator's.");
    let scopes = ("scopes", list(named("Scope")), "What it may be used for.");
    let key = [
        ("key_id", named("KeyId"), "The part between `tk_` and the secret."),
        owner.clone(),
        by("name", "Who uses it."),
        scopes.clone(),
        time("created_at", "When it was made."),
        by("created_by", "Who made it."),
        (
            "created_by_key",
            or_null(named("KeyId")),
            "The key with which it was made, also at the console; null if by the operator's command.",
        ),
        ("replaces", or_null(named("KeyId")), "The key whose place it takes."),
        time_or_null("expires_at", "When it stops, as was said when it was made."),
        time_or_null("retires_at", "When it stops because another takes its place."),
        time_or_null("revoked_at", "When it was stopped."),
    ];
    let secret = text_or_null(
        "secret",
        "tk_5f0c1e2d3b4a59687706_0a1b",
        "The whole key, shown once; then null.",
    );
    let token = [
        ("token", text("ct_0a1b2c"), "What the console sends as a bearer token."),
        ("token_type", json!({"const": "Bearer", "examples": ["Bearer"]}), "How."),
        time("expires_at", "When it ends."),
        ("role", one_of(["customer", "operator"]), "Whose console."),
        owner,
        by("person", "Who sits before it."),
        scopes,
    ];
    let url =
        text_or_null("url", "https://console.example.com/#code=0a1b2c", "Shown once; then null.");
    let revoked =
        ("revoked", json!({"const": true, "examples": [true]}), "It is of no use any more.");
    vec![
        ("ApiKey", answer("An API key.", key.clone())),
        ("ApiKeyPage", page("ApiKey")),
        ("NewApiKey", answer("An API key, with its secret.", key.into_iter().chain([secret]))),
        ("ConsoleSession", answer("A session of the console, with a one-time code.", [url])),
        ("ConsoleToken", answer("A token of the console.", token)),
        ("Revocation", answer("What a token is that was ended.", [revoked])),
    ]
}

fn uploaded() -> Vec<Field> {
    vec![
        ("statement_id", text("stm_0123456789abcdefghjk"), "Its id."),
        ("format", named("StatementFormat"), "What it was uploaded as."),
        currency(),
        ("receiving_account", text("808000000001"), "Whose statement it is: the number."),
        ("line_count", count(0, 12), "How many lines with money that came in it has."),
        time("imported_at", "When it was uploaded first."),
        by("imported_by", "By whom."),
    ]
}

fn statements() -> Vec<(&'static str, Value)> {
    let matches = [
        ("skipped", count(0, 3), "Lines of money that went out, or that are not booked."),
        ("complete", flag(true), "Whether all orders that await money were compared."),
        ("exact", count(0, 1), "How many lines fit one order exactly."),
        ("lines", list(named("StatementLine")), "What each line may pay."),
    ];
    let result = answer_with(
        "What became of a line.",
        vec![
            ("line", count(1, 4), "Its number."),
            ("order_id", named("OrderId"), "The order that it was to pay."),
            ("outcome", one_of(["accepted", "refused"]), "Whether it was credited."),
        ],
        vec![
            ("code", text("already_reviewed"), "The code of the problem, if it was refused."),
            ("detail", text("already handled by Ann Lee"), "What a person needs to know of it."),
        ],
    );
    let accepted = answer(
        "What became of the lines that were to be accepted.",
        [
            ("accepted", count(0, 1), "How many were credited."),
            ("remaining", count(0, 1), "How many exact ones are left: ask again."),
            ("results", list(result), "Each of them."),
        ],
    );
    let all = uploaded().into_iter().chain(matches);
    vec![
        ("StatementLine", statement_line()),
        ("Statement", answer("A bank statement, and what its lines may pay.", all)),
        ("UploadedStatement", answer("A bank statement, without its lines.", uploaded())),
        ("StatementPage", page("UploadedStatement")),
        ("AcceptedLines", accepted),
    ]
}

fn statement_line() -> Value {
    let credited = answer(
        "What it was credited to.",
        [("order_id", named("OrderId"), "The order."), account_id()],
    );
    let used_for = answer(
        "What a bank reference was credited for.",
        [
            ("order_id", named("OrderId"), "The order."),
            account_id(),
            money("amount", "How much."),
            currency(),
        ],
    );
    let proposal = answer(
        "An order that it may pay.",
        [
            ("order_id", named("OrderId"), "The order."),
            ("status", named("OrderStatus"), "Where it stands: one that is completed is paid."),
            ("score", count(0, 100), "How much speaks for it."),
            ("reasons", list(named("Evidence")), "What speaks for it."),
            ("exact", flag(true), "Whether a person need not look."),
        ],
    );
    let proposals = json!({"type": "array", "items": proposal, "maxItems": MAX_PROPOSALS});
    let states = one_of(["exact", "proposed", "credited", "unmatched"]);
    answer(
        "A line of a statement.",
        [
            ("line", count(1, 4), "Its number."),
            ("state", states, "What is known of it."),
            ("booked_on", named("Day"), "When the bank booked it."),
            money("amount", "How much came in."),
            currency(),
            ("bank_reference", or_null(named("BankReference")), "The bank's reference of it."),
            ("payer_name", or_null(text("Li Lei")), "Who sent it, as the bank says."),
            ("information", text("GWY-RW5-X33"), "What the payer wrote."),
            (
                "doubt",
                or_null(one_of(Doubt::ALL.map(Doubt::name))),
                "Why it is never `exact`: its bank reference was credited before (`used_for`), or its money left again.",
            ),
            ("credited", or_null(credited), "What it was credited to."),
            (
                "used_for",
                or_null(used_for),
                "What its bank reference was credited for, if that is not this.",
            ),
            ("proposals", proposals, "The orders that it may pay, the likeliest first."),
        ],
    )
}

fn findings() -> Vec<(&'static str, Value)> {
    let money = |example: &str| {
        let amount = json!({"$ref": "#/components/schemas/Money", "examples": [example]});
        or_null(answer("An amount.", [("amount", amount, "How much."), currency()]))
    };
    let refund = answer(
        "The refund of its payment.",
        [
            ("refund_id", named("RefundId"), "Its id."),
            ("status", named("RefundStatus"), "Where it stands."),
            text_or_null("failure_reason", "lost_or_stolen_card", "Why it failed."),
        ],
    );
    let before = answer(
        "How a person had closed it.",
        [
            time("at", "When."),
            ("by", named("Actor"), "Who."),
            ("reason", or_null(named("Note")), "Why."),
        ],
    );
    let finding = vec![
        ("finding_id", text("fnd_0123456789abcdefghjk"), "Its id."),
        ("type", named("FindingType"), "What disagrees."),
        ("status", one_of(["open", "closed"]), "Whether a person must look."),
        ("account_id", or_null(named("AccountId")), "The account, as far as it is known."),
        ("order_id", or_null(named("OrderId")), "The order."),
        text_or_null("payment_id", "pi_1", "The payment."),
        text_or_null("reversal_id", "re_1", "The provider's refund or dispute."),
        ("expected", money("100.00"), "What the records say."),
        ("actual", money("90.00"), "What the money says."),
        ("refund", or_null(refund), "The refund of its payment; of several, the one that decides."),
        text_or_null("next_step", "credit it, or refund it", "What a person can do."),
        time("found_at", "When it was found."),
        time_or_null("closed_at", "When it was closed."),
        ("closed_by", or_null(named("Actor")), "By whom."),
        ("closed_how", or_null(named("FindingEnd")), "How."),
        ("reason", or_null(named("Note")), "Why."),
        (
            "resolved_before",
            or_null(before),
            "How a person had closed it before it was opened again, or cured. If it has a payment, ask them before you credit it.",
        ),
    ];
    let credited = finding.clone().into_iter();
    let order = ("order", named("Order"), "The order that its payment is now.");
    vec![
        ("Finding", answer("Where money and records disagree.", finding)),
        ("FindingPage", page("Finding")),
        (
            "CreditedFinding",
            answer("A finding whose payment was credited.", credited.chain([order])),
        ),
    ]
}

fn reconciliations() -> Vec<(&'static str, Value)> {
    let signed = || named("SignedMoney");
    let total = answer(
        "What the provider moved in one category and currency.",
        [
            ("category", text("charge"), "The provider's word for it."),
            currency(),
            ("count", count(0, 2), "How many movements."),
            ("amount", signed(), "Into the provider's balance; below zero for what went out."),
            ("fee", signed(), "What the provider kept of it."),
            ("net", signed(), "Amount less fee."),
        ],
    );
    let drift = answer(
        "What the provider moved for us less what the books say.",
        [currency(), ("amount", signed(), "How much.")],
    );
    let found = answer(
        "A finding.",
        [
            ("finding_id", text("fnd_0123456789abcdefghjk"), "Its id."),
            ("type", named("FindingType"), "What disagrees."),
        ],
    );
    let found = json!({"type": "array", "items": found, "maxItems": MAX_NAMED_FINDINGS});
    let run = [
        ("run_id", text("cmp_2026-11-23_1"), "Its id."),
        ("day", named("Day"), "The day that was compared, UTC."),
        ("status", one_of(["finished", "running"]), "Whether it has ended."),
        ("green", flag(true), "Whether money and records agree to the last coin."),
        time("compared_until", "Everything of the day before this moment is compared."),
        time("started_at", "When it began."),
        time_or_null("finished_at", "When it ended."),
        ("worked_ms", count(0, 412), "How long it was at work, in milliseconds."),
        ("movements", count(0, 3), "Movements of the provider's balance that were read."),
        ("payments", count(0, 2), "Payments of ours among them."),
        ("reversals", count(0, 1), "Refunds and disputes of ours among them."),
        ("claims", count(0, 3), "What the books have of this day."),
        ("credited", count(0, 0), "Payments that nobody had told, credited now."),
        ("taken", count(0, 0), "Refunds and disputes that nobody had told, in the books now."),
        (
            "unreadable",
            count(0, 0),
            "Movements that cannot be read, or of which our own records cannot.",
        ),
        ("totals", list(total), "What the provider moved."),
        ("drift", list(drift), "Currencies in which both agree are not here."),
        ("finding_count", count(0, 0), "How many findings there are about this day."),
        ("findings", found, "The first of them."),
    ];
    let run = answer("A day compared with the provider, and its report.", run);
    vec![("Reconciliation", run), ("ReconciliationPage", page("Reconciliation"))]
}

fn told() -> Vec<(&'static str, Value)> {
    let data = json!({
        "type": "object",
        "examples": [{"order_id": "ord_0123456789abcdefghjk", "status": "completed"}],
        "additionalProperties": true,
    });
    let event = [
        ("id", named("EventId"), "Derived from what it is about: it exists once."),
        (
            "type",
            text("order.completed"),
            "What happened: one of `EventType`, or what only a newer release tells.",
        ),
        time("timestamp", "When it was decided; no two of one order have the same."),
        ("account_id", or_null(named("AccountId")), "To whom; null for the operator's own."),
        ("data", data, "A few words of it, by type: ids, amounts, no personal data."),
    ];
    let events = [
        ("data", list(named("Event")), "The oldest first."),
        (
            "next_after",
            or_null(named("EventId")),
            "The `after` of the next page; null on the last.",
        ),
    ];
    let endpoint = answer_with(
        "A place that is told of events.",
        vec![
            ("endpoint_id", named("EndpointId"), "Its name."),
            ("url", text("https://example.com/events"), "Where it is."),
            (
                "types",
                list(text("order.completed")),
                "What it is told of, also what only a newer release knows; nothing means everything.",
            ),
            ("enabled", flag(true), "Whether anything is sent to it."),
            ("disabled_reason", or_null(named("DisabledReason")), "Why nothing is."),
            time_or_null("disabled_at", "Since when."),
            time_or_null("failing_since", "Since when it has failed every time."),
            time_or_null("previous_secret_until", "Until when the secret before counts too."),
        ],
        vec![("secret", text("whsec_MDEyMw=="), "What is sent is signed with; not in lists.")],
    );
    let all = [("data", list(named("Endpoint")), "In the order of their names.")];
    let tested = [
        ("delivered", flag(true), "Whether the endpoint took it."),
        ("outcome", text("HTTP 200"), "Its status, or why there is none."),
    ];
    let received = [
        ("received", json!({"const": true, "examples": [true]}), "It need not be sent again."),
        ("outcome", text("credited"), "What became of it."),
    ];
    vec![
        ("Event", answer("Something that the platform is told.", event)),
        ("Events", answer("What the platform was told.", events)),
        ("Endpoint", endpoint),
        ("Endpoints", answer("All endpoints.", all)),
        ("TestedEndpoint", answer("What came of a test.", tested)),
        ("ReceivedWebhook", answer("A webhook that was taken.", received)),
    ]
}
