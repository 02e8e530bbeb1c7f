//! The life of a Checkout Session: made by the API, closed by the API or by the clock.

use url::Url;

use super::events::Announcer;
use super::failure::Failure;
use super::money;
use super::objects::{IntentStatus, Item, PaymentIntent, Session, SessionStatus, new_id};
use super::parameters::Parameters;
use super::store::{Books, StoreError};

/// The parameters of session creation that Topup has a use for. Others that Stripe knows are
/// refused as unknown, so that nothing is silently ignored here that would count there.
const KNOWN: &[&str] = &[
    "adaptive_pricing",
    "allowed_payment_method_types",
    "cancel_url",
    "client_reference_id",
    "customer_email",
    "expand",
    "expires_at",
    "line_items",
    "locale",
    "metadata",
    "mode",
    "payment_intent_data",
    "submit_type",
    "success_url",
];

const SUBMIT_TYPES: &[&str] = &["auto", "book", "donate", "pay", "subscribe"];

const HALF_AN_HOUR: i64 = 1800;
const A_DAY: i64 = 86_400;

/// Makes a session; `now` is in seconds.
pub(super) fn create(
    books: &Books<'_>,
    now: i64,
    parameters: Parameters,
) -> Result<Session, Failure> {
    let session = read(now, parameters)?;
    books.put(&session)?;
    Ok(session)
}

/// Closes an open session at the merchant's wish.
pub(super) fn expire(announcer: &Announcer<'_>, id: &str) -> Result<Session, Failure> {
    let session: Session = announcer
        .books
        .get(id)?
        .ok_or_else(|| Failure::no_such("checkout.session", id, "session"))?;
    let status = match session.status {
        SessionStatus::Open => return Ok(close(announcer, session)?),
        SessionStatus::Complete => "complete",
        SessionStatus::Expired => "expired",
    };
    let message = format!(
        "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session \
         has a status of `{status}`."
    );
    Err(Failure::invalid(message).during_execution())
}

/// Closes every open session whose time is over.
pub(super) fn expire_overdue(announcer: &Announcer<'_>) -> Result<(), StoreError> {
    for session in announcer.books.overdue_sessions(announcer.now)? {
        close(announcer, session)?;
    }
    Ok(())
}

fn close(announcer: &Announcer<'_>, session: Session) -> Result<Session, StoreError> {
    if let Some(id) = &session.payment_intent
        && let Some(intent) = announcer.books.get::<PaymentIntent>(id)?
    {
        announcer.books.put(&PaymentIntent {
            status: IntentStatus::Canceled,
            canceled_at: Some(announcer.now),
            ..intent
        })?;
    }
    let session = Session { status: SessionStatus::Expired, ..session };
    announcer.books.put(&session)?;
    announcer.session("checkout.session.expired", &session)?;
    Ok(session)
}

/// The parameters as they came, before anything is required of them.
struct Draft {
    mode: Option<String>,
    success_url: Option<String>,
    lines: Vec<DraftLine>,
    expires_at: Option<i64>,
    session: Session,
}

struct DraftLine {
    currency: Option<String>,
    unit_amount: Option<i64>,
    name: Option<String>,
    quantity: Option<i64>,
}

fn read(now: i64, parameters: Parameters) -> Result<Session, Failure> {
    let draft = draft(now, parameters)?;
    if draft.mode.ok_or_else(|| Failure::missing("mode"))? != "payment" {
        let message = "The local payment provider only knows the mode `payment`.";
        return Err(Failure::invalid(message).parameter("mode"));
    }
    let success_url = draft.success_url.ok_or_else(|| Failure::missing("success_url"))?;
    check_url("success_url", &success_url)?;
    if let Some(url) = &draft.session.cancel_url {
        check_url("cancel_url", url)?;
    }
    check_email(draft.session.customer_email.as_deref())?;
    check_length("client_reference_id", draft.session.client_reference_id.as_deref(), 200)?;
    check_payment_methods(draft.session.allowed_payment_method_types.as_deref())?;
    let (currency, items) = items(draft.lines)?;
    let amount_total = items
        .iter()
        .try_fold(0_i64, |total, item| total.checked_add(item.amount))
        .unwrap_or(i64::MAX);
    money::check_amount(amount_total, &currency)?;
    Ok(Session {
        expires_at: expires_at(now, draft.expires_at)?,
        success_url,
        currency,
        amount_total,
        items,
        ..draft.session
    })
}

/// Takes every parameter; what is left is unknown and is refused before anything else.
fn draft(now: i64, mut parameters: Parameters) -> Result<Draft, Failure> {
    let allowed = parameters.list("allowed_payment_method_types");
    let draft = Draft {
        mode: parameters.one_of("mode", &["payment", "setup", "subscription"])?,
        success_url: parameters.text("success_url"),
        lines: draft_lines(&mut parameters)?,
        expires_at: parameters.integer("expires_at")?,
        session: Session {
            id: new_id("cs_test_a1", 56),
            created: now,
            expires_at: now,
            status: SessionStatus::Open,
            currency: String::new(),
            amount_total: 0,
            items: Vec::new(),
            success_url: String::new(),
            cancel_url: parameters.text("cancel_url"),
            customer_email: parameters.text("customer_email"),
            paid_by: None,
            client_reference_id: parameters.text("client_reference_id"),
            metadata: parameters.metadata("metadata")?,
            intent_metadata: parameters.metadata("payment_intent_data[metadata]")?,
            intent_description: parameters.text("payment_intent_data[description]"),
            allowed_payment_method_types: (!allowed.is_empty()).then_some(allowed),
            adaptive_pricing: parameters.boolean("adaptive_pricing[enabled]")?.unwrap_or(true),
            locale: parameters.text("locale"),
            submit_type: parameters.one_of("submit_type", SUBMIT_TYPES)?,
            payment_intent: None,
        },
    };
    parameters.finish(KNOWN)?;
    Ok(draft)
}

fn draft_lines(parameters: &mut Parameters) -> Result<Vec<DraftLine>, Failure> {
    let mut lines = Vec::new();
    for position in 0..100 {
        let line = format!("line_items[{position}]");
        let price = format!("{line}[price_data]");
        let draft = DraftLine {
            currency: parameters.text(&format!("{price}[currency]")),
            unit_amount: parameters.integer(&format!("{price}[unit_amount]"))?,
            name: parameters.text(&format!("{price}[product_data][name]")),
            quantity: parameters.integer(&format!("{line}[quantity]"))?,
        };
        match draft {
            DraftLine { currency: None, unit_amount: None, name: None, quantity: None } => break,
            some => lines.push(some),
        }
    }
    Ok(lines)
}

fn items(lines: Vec<DraftLine>) -> Result<(String, Vec<Item>), Failure> {
    let mut common: Option<String> = None;
    let mut items = Vec::new();
    for (position, line) in lines.into_iter().enumerate() {
        let name_of = |field: &str| format!("line_items[{position}]{field}");
        let missing = |field: &str| Failure::missing(&name_of(field));
        let currency =
            line.currency.ok_or_else(|| missing("[price_data][currency]"))?.to_lowercase();
        if !money::is_currency(&currency) {
            return Err(Failure::invalid(format!("Invalid currency: {currency}."))
                .parameter(&name_of("[price_data][currency]")));
        }
        if common.get_or_insert_with(|| currency.clone()) != &currency {
            let message = "All line items of a Checkout Session must have the same currency.";
            return Err(Failure::invalid(message).parameter("line_items"));
        }
        let unit_amount = line.unit_amount.ok_or_else(|| missing("[price_data][unit_amount]"))?;
        check_least(&name_of("[price_data][unit_amount]"), unit_amount, 0)?;
        let quantity = line.quantity.ok_or_else(|| missing("[quantity]"))?;
        check_least(&name_of("[quantity]"), quantity, 1)?;
        let name = line.name.ok_or_else(|| missing("[price_data][product_data][name]"))?;
        check_length(&name_of("[price_data][product_data][name]"), Some(&name), 250)?;
        items.push(Item {
            id: new_id("li_1", 23),
            name,
            unit_amount,
            quantity,
            amount: unit_amount.saturating_mul(quantity),
        });
    }
    common.map(|currency| (currency, items)).ok_or_else(|| Failure::missing("line_items"))
}

fn check_least(name: &str, value: i64, least: i64) -> Result<(), Failure> {
    if value < least {
        let message = format!("This value must be greater than or equal to {least}.");
        let refusal = Failure::invalid(message).code("parameter_invalid_integer");
        return Err(refusal.parameter(name));
    }
    Ok(())
}

fn expires_at(now: i64, wanted: Option<i64>) -> Result<i64, Failure> {
    let Some(at) = wanted else {
        return Ok(now.saturating_add(A_DAY));
    };
    let refuse = |message: &str| Err(Failure::invalid(message).parameter("expires_at"));
    match at.saturating_sub(now) {
        ..HALF_AN_HOUR => refuse(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session \
             creation.",
        ),
        HALF_AN_HOUR..=A_DAY => Ok(at),
        _ => refuse(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
        ),
    }
}

fn check_url(name: &str, text: &str) -> Result<(), Failure> {
    let web = Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if web && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Failure::invalid("Not a valid URL").code("url_invalid").parameter(name))
}

fn check_email(email: Option<&str>) -> Result<(), Failure> {
    match email {
        Some(email) if !is_email(email) => {
            Err(Failure::invalid(format!("Invalid email address: {email}"))
                .code("email_invalid")
                .parameter("customer_email"))
        }
        _ => Ok(()),
    }
}

/// A name, an `@` and a domain with a dot, without blanks: the rest is the mail server's business.
pub(super) fn is_email(text: &str) -> bool {
    let parts = text.split_once('@').and_then(|(name, host)| Some((name, host.split_once('.')?)));
    parts.is_some_and(|(name, (domain, top))| {
        !name.is_empty() && !domain.is_empty() && !top.is_empty()
    }) && text.len() <= 512
        && !text.contains(char::is_whitespace)
        && text.matches('@').count() == 1
}

fn check_length(name: &str, text: Option<&str>, most: usize) -> Result<(), Failure> {
    if text.is_some_and(|text| text.chars().count() > most) {
        let message = format!("Invalid string: must be at most {most} characters");
        return Err(Failure::invalid(message).parameter(name));
    }
    Ok(())
}

fn check_payment_methods(allowed: Option<&[String]>) -> Result<(), Failure> {
    match allowed {
        Some(types) if types != ["card"] => {
            let message = "The local payment provider only takes cards.";
            Err(Failure::invalid(message).parameter("allowed_payment_method_types"))
        }
        _ => Ok(()),
    }
}
