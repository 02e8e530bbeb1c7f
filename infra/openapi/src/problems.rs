//! Every failure that a client can be told of, made by the code that tells it: status, code and text
//! cannot differ from what the service answers.

use std::collections::BTreeMap;
use std::fmt::Debug;

use ledger::{
    AccountId, Actor, Amount, Balance, Currency, HeldBack, HoldStatus, MAX_HOLDS, MAX_PROOFS,
    Method, Money, OrderId, OrderStatus, PaymentId, Place, ProductCode, Rate, RefundId, Refusal,
    Target, Timestamp,
};
use serde_json::{Map, Value, json};
use service::error::{BrokenRecord, Error, Invalid, Unavailable};
use service::http::Problem;
use service::record::PaymentClaim;

/// The id of a request in examples.
const REQUEST_ID: &str = "3f9c2a71b04de586";
/// 2026-11-23T13:07:44Z, in milliseconds.
const SOME_TIME: Timestamp = Timestamp::from_unix_millis(1_795_439_264_000);

/// One of each failure, by its code.
pub(crate) type Samples = BTreeMap<&'static str, Sample>;

/// A failure.
#[derive(Debug)]
pub(crate) struct Sample {
    /// The status that it is answered with.
    pub(crate) status: u16,
    /// The body that it is answered with.
    pub(crate) body: Value,
}

/// One of each failure, by its code.
pub(crate) fn samples() -> Samples {
    let refused = refusals().into_iter().map(Error::from);
    let invalid = INVALID.iter().map(|(code, field, detail)| {
        let field = (!field.is_empty()).then(|| (*field).to_owned());
        Error::from(Invalid { code, field, detail: (*detail).to_owned() })
    });
    let conflicts = CONFLICTS
        .iter()
        .map(|(code, detail)| Error::Conflict { code, detail: (*detail).to_owned() });
    let all = refused.chain(invalid).chain(conflicts).chain(others());
    all.map(|error| {
        let problem = Problem::of(&error);
        let (status, body) = (problem.status.as_u16(), problem.body(REQUEST_ID));
        (problem.code, Sample { status, body })
    })
    .collect()
}

/// The examples of all problems, by code.
pub(crate) fn examples(samples: &Samples) -> Map<String, Value> {
    let shown = samples.iter().map(|(code, sample)| {
        let (status, detail) =
            (sample.status, sample.body.get("detail").cloned().unwrap_or_default());
        let title = format!("{status} {code}");
        ((*code).to_owned(), json!({"summary": title, "description": detail, "value": sample.body}))
    });
    shown.collect()
}

/// What breaks the contract: the code, the field, and what is said.
const INVALID: [(&str, &str, &str); 22] = [
    (
        "idempotency_key_required",
        "",
        "send a header Idempotency-Key: the same one when you repeat the request",
    ),
    (
        "invalid_idempotency_key",
        "",
        "Idempotency-Key must be 1 to 255 visible ASCII characters without a comma, once",
    ),
    ("invalid_json", "", "the body: expected value at line 1 column 1"),
    ("invalid_cursor", "cursor", "this cursor was not made for this list: start again without it"),
    ("invalid_code", "code", "this code is not good any more: sign in again"),
    ("invalid_signature", "", "the Stripe-Signature header does not fit the body"),
    ("body_too_large", "", "at most 65536 bytes"),
    ("unsupported_media_type", "", "send Content-Type: application/json"),
    ("missing_field", "amount", "is required"),
    ("invalid_field", "reason", "must be a string"),
    ("unknown_field", "ammount", "is not a field of this request"),
    ("invalid_amount", "amount", "must be a string, such as \"100.00\", not a number"),
    ("amount_out_of_range", "amount", "must be from USD 10.00 to USD 10000.00"),
    ("invalid_parameter", "limit", "must be a number from 1 to 100"),
    (
        "moment_too_far",
        "at",
        "more than 20000 entries lie between this moment and either end of the journal: read \
         /v1/entries.csv with to= this moment, in which the first balance_after of each place is the \
         balance",
    ),
    (
        "unknown_product",
        "product",
        "there is no product 'fax'; GET /v1/products lists them, or GET /v1/admin/catalogue",
    ),
    ("product_disabled", "product", "product 'voice' cannot be topped up at the moment"),
    ("method_not_allowed", "method", "product:otp cannot be topped up by card"),
    ("unknown_method", "method", "must be 'card' or 'offline'"),
    (
        "unknown_currency",
        "currency",
        "must be the upper-case ISO 4217 code of a supported currency",
    ),
    ("invalid_return_url", "return_url", "its host is not on the configured list"),
    ("invalid_statement", "", "line 3: there is no column 'amount'"),
];

/// What stands in the way: the code, and what is said.
const CONFLICTS: [(&str, &str); 7] = [
    ("too_many_endpoints", "there are 8 endpoints already"),
    (
        "rotation_in_progress",
        "the secret before the last one counts until 2026-11-24T13:07:44.000Z",
    ),
    ("finding_closed", "it was closed by Ann Lee: resolved"),
    ("finding_not_creditable", "a refund of this payment is under way"),
    ("refund_under_way", "its payment is on its way back: it closes itself, or the refund fails"),
    (
        "payment_undecided",
        "decide first about finding fnd_b6566wwyf4crmzmsqxcv, which is the payment",
    ),
    ("key_not_active", "it has ended, or another key has taken its place"),
];

fn refusals() -> Vec<Refusal> {
    let (account, offered) = (Currency::USD, some(Currency::parse("CNY")));
    let (status, method) = (OrderStatus::Completed, Method::Balance);
    let place = || Place::Available(Target::Product(some(ProductCode::parse("whatsapp"))));
    let (little, much) = (dollars("5.00"), dollars("10.00"));
    let arrived = Money { amount: much.amount, currency: offered };
    let left = Balance::from(little.amount);
    vec![
        Refusal::InsufficientBalance {
            place: place(),
            available: left,
            required: much,
            held_back: Some(HeldBack::MonthlyCap),
        },
        Refusal::AccountFrozen,
        Refusal::BalanceTooLarge { place: place() },
        Refusal::CurrencyDiffers { account, offered },
        Refusal::CurrencyFixed { currency: account },
        Refusal::OrderNotCancellable { status },
        Refusal::OrderNotReportable { status },
        Refusal::OrderNotReviewable { status, method },
        Refusal::AlreadyReviewed { by: some(Actor::parse("Ann Lee")), at: SOME_TIME },
        Refusal::OrderNotRefundable { status, method },
        Refusal::RefundTooLarge { refundable: left, currency: account },
        Refusal::RefundReferenceUsed { refund: some(RefundId::parse("rfd_0123456789abcdefghjk")) },
        Refusal::TooManyHolds { most: MAX_HOLDS },
        Refusal::HoldClosed { status: HoldStatus::Released },
        Refusal::CaptureTooLarge { left: little, wanted: much },
        Refusal::TooManyRefunds,
        Refusal::TooManyReports,
        Refusal::TooManyProofs { most: MAX_PROOFS },
        Refusal::UnknownProof("0a".repeat(32)),
        Refusal::DifferenceNotConfirmed { ordered: much, received: little },
        Refusal::NoRate { from: arrived.currency, to: account },
        Refusal::ReportChanged,
        Refusal::RateChanged { rate: some(Rate::parse("7.5000")) },
    ]
}

fn others() -> Vec<Error> {
    let claim = PaymentClaim {
        payment: some(PaymentId::parse("bank_1")),
        order: some(OrderId::parse("ord_0123456789abcdefghjk")),
        account: some(AccountId::parse("demo")),
        money: dollars("10.00"),
        settled_at: SOME_TIME,
    };
    vec![
        Error::NotFound { what: "account" },
        Error::NotFound { what: "order" },
        Error::KeyReused,
        Error::BankReferenceUsed(Box::new(claim)),
        Error::MissingScope { scope: "orders:write" },
        Error::ScopeNotYours { scope: "operator:money" },
        Error::KeyExpired,
        Unavailable::Busy.into(),
        Error::NotTaken(String::new()),
        BrokenRecord::Missing(String::new()).into(),
    ]
}

fn dollars(text: &str) -> Money {
    Money { amount: some(Amount::parse(text, 2)), currency: Currency::USD }
}

#[expect(clippy::expect_used, reason = "the constants above are what their types take")]
fn some<T, E: Debug>(parsed: Result<T, E>) -> T {
    parsed.expect("a constant of its type")
}
