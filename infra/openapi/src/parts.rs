//! The parts of bodies and answers that have a name of their own: ids, money, times, words.

use ledger::{
    AccountStatus, AttemptOutcome, DisputeStatus, EntryKind, Evidence, External, FindingKind,
    FindingOutcome, HoldStatus, MAX_AMOUNT, MAX_DECIMALS, MAX_RATE_DECIMALS, Method, OrderStatus,
    ProofType, Reason, RefundStatus,
};
use serde_json::{Value, json};
use service::endpoints::DisabledReason;
use service::events::EventKind;
use service::keys::Scope;
use service::record::StatementFormat;

use crate::schema::{form, one_of, words};

/// The code of a product, and of everything else that an operator names.
const CODE: &str = "[a-z][a-z0-9-]{0,31}";
/// Crockford's base32 in lower case, as derived ids are written.
const DERIVED: &str = "[0-9a-hjkmnp-tv-z]{20}";

/// All of them, by name.
pub(crate) fn parts() -> Vec<(&'static str, Value)> {
    [ids(), money(), texts(), states()].into_iter().flatten().collect()
}

fn ids() -> Vec<(&'static str, Value)> {
    let derived = |prefix: &str, of: &str| {
        let example = format!("{prefix}_0123456789abcdefghjk");
        form(&format!("^{prefix}_{DERIVED}$"), &example, &format!("The id of {of}."))
    };
    let target = format!("wallet|product:{CODE}");
    let outside = External::ALL.map(External::name).join("|");
    let (balance, place) =
        (format!("^({target})$"), format!("^(({target})(:held)?|external:({outside}))$"));
    let scopes = Scope::CUSTOMER.into_iter().chain(Scope::OPERATOR).map(Scope::name);
    vec![
        (
            "AccountId",
            form("^[A-Za-z0-9_-]{1,64}$", "demo", "An account, as the platform names it."),
        ),
        ("ProductCode", form(&format!("^{CODE}$"), "whatsapp", "The code of a product.")),
        (
            "EndpointId",
            form(&format!("^{CODE}$"), "shop", "An endpoint, as its operator names it."),
        ),
        ("OrderId", derived("ord", "an order")),
        ("RefundId", derived("rfd", "a refund")),
        ("AdjustmentId", derived("adj", "an adjustment")),
        ("ChargeId", derived("chg", "a charge")),
        ("HoldId", derived("hold", "a hold")),
        ("EventId", derived("evt", "an event")),
        ("ProofId", form("^[0-9a-f]{64}$", &"0a".repeat(32), "SHA-256 of an uploaded file.")),
        ("KeyId", form("^[0-9a-z]{1,64}$", "5f0c1e2d3b4a59687706", "The id of an API key.")),
        ("Balance", form(&balance, "product:whatsapp", "A balance of an account.")),
        (
            "Place",
            form(
                &place,
                "external:card",
                "A balance, what is set aside of it, or an outside place.",
            ),
        ),
        ("Scope", one_of(scopes)),
    ]
}

fn money() -> Vec<(&'static str, Value)> {
    let digits = MAX_AMOUNT.to_string().len();
    let amount = format!(
        "^(0|[1-9][0-9]{{0,{}}})(\\.[0-9]{{1,{MAX_DECIMALS}}})?$",
        digits.saturating_sub(1)
    );
    let signed = amount.replacen('^', "^-?", 1);
    let rate = format!("^(0|[1-9][0-9]{{0,9}})(\\.[0-9]{{1,{MAX_RATE_DECIMALS}}})?$");
    let shown = "^(0|[1-9][0-9]*)(\\.[0-9]+)?$";
    let change = "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?$";
    let about = format!(
        "An amount that a client writes: more than zero, at most {MAX_AMOUNT}, with no more decimals \
         than its currency has ({MAX_DECIMALS} for charges and holds). Never a JSON number."
    );
    let of_adjustment = "An amount that is put in, or, below zero, taken out.";
    let by_us = "An amount in units of its currency, with at least the decimals of the currency.";
    vec![
        ("Amount", form(&amount, "100.00", &about)),
        ("SignedAmount", form(&signed, "-2.50", of_adjustment)),
        ("Rate", form(&rate, "7.2000", "How many units of the paid currency one unit costs.")),
        ("Money", form(shown, "100.00", by_us)),
        ("SignedMoney", form(change, "-100.00", &format!("{by_us} Below zero where money left."))),
        ("Currency", form("^[A-Z]{3}$", "USD", "A currency: its ISO 4217 code.")),
    ]
}

fn texts() -> Vec<(&'static str, Value)> {
    let time = json!({
        "type": "string",
        "format": "date-time",
        "pattern": "^[0-9-]{10}T[0-9:]{8}\\.[0-9]{3}Z$",
        "examples": ["2026-11-23T13:07:44.000Z"],
        "description": "A moment: RFC 3339, UTC, milliseconds.",
    });
    let moment = json!({
        "type": "string",
        "format": "date-time",
        "examples": ["2026-11-23T13:07:44Z"],
        "description": "A moment as a client writes it: RFC 3339.",
    });
    let day = json!({
        "type": "string",
        "format": "date",
        "examples": ["2026-11-23"],
        "description": "A day of this century.",
    });
    let metadata = json!({
        "type": "object",
        "maxProperties": 40,
        "propertyNames": {"type": "string", "minLength": 1, "maxLength": 40, "examples": ["invoice"]},
        "additionalProperties": {"type": "string", "maxLength": 500, "examples": ["2026-0042"]},
        "description": "Words of your own; all of them at most 8,192 bytes of JSON.",
    });
    vec![
        ("Time", time),
        ("Moment", moment),
        ("Day", day),
        ("Name", words(140, "Li Lei", "A name in one line, without control characters.")),
        ("Actor", words(100, "Ann Lee", "Who did it: a person at the console, or the key's name.")),
        ("Note", words(500, "as agreed by phone", "A few sentences, without control characters.")),
        (
            "BankReference",
            words(70, "FT26328 0042", "A bank's reference: Latin letters, digits and punctuation."),
        ),
        ("Hash", form("^[0-9a-f]{64}$", &"5e".repeat(32), "A SHA-256 in hexadecimal.")),
        ("Metadata", metadata),
    ]
}

fn states() -> Vec<(&'static str, Value)> {
    use DisputeStatus::{Closed, Inquiry, Lost, Open, Reinstated, Withdrawn, Won};
    let disputes = [Inquiry, Closed, Open, Withdrawn, Reinstated, Won, Lost];
    let evidence = [
        Evidence::ReferenceCode,
        Evidence::BankReference,
        Evidence::Amount,
        Evidence::Payer,
        Evidence::Date,
    ];
    let formats = [StatementFormat::Csv, StatementFormat::Camt053];
    vec![
        (
            "AccountStatus",
            one_of([AccountStatus::Active, AccountStatus::Frozen].map(AccountStatus::name)),
        ),
        (
            "AttemptOutcome",
            one_of([AttemptOutcome::Succeeded, AttemptOutcome::Declined].map(AttemptOutcome::name)),
        ),
        ("DisabledReason", one_of(DisabledReason::ALL.map(DisabledReason::name))),
        ("DisputeStatus", one_of(disputes.map(DisputeStatus::name))),
        ("EntryKind", one_of(EntryKind::ALL.map(EntryKind::name))),
        ("EventType", one_of(EventKind::ALL.each_ref().map(EventKind::name))),
        ("Evidence", one_of(evidence.map(Evidence::name))),
        ("FindingType", one_of(FindingKind::ALL.map(FindingKind::name))),
        ("FindingEnd", one_of(FindingOutcome::ALL.map(FindingOutcome::name))),
        ("HoldStatus", one_of(HoldStatus::ALL.map(HoldStatus::name))),
        ("Method", one_of(Method::ALL.map(Method::name))),
        ("OrderReason", one_of(Reason::ALL.map(Reason::name))),
        ("OrderStatus", one_of(OrderStatus::ALL.map(OrderStatus::name))),
        ("ProofType", one_of(ProofType::ALL.map(ProofType::name))),
        ("RefundStatus", one_of(RefundStatus::ALL.map(RefundStatus::name))),
        ("StatementFormat", one_of(formats.map(StatementFormat::name))),
    ]
}
