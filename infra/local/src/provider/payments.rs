//! Paying a session with a test card: attempts, declines, the confirmation step and success.

use super::cards::{Confirmation, Submission, TestCard};
use super::events::Announcer;
use super::objects::{
    Category, Charge, Decline, IntentStatus, Payer, PaymentIntent, Session, SessionStatus, new_id,
};
use super::store::StoreError;
use super::{money, movements};

/// Money that differs from what the session asked for: no real page allows it, but a merchant
/// must notice it all the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Difference {
    pub(super) amount: Option<i64>,
    pub(super) currency: Option<String>,
}

impl Difference {
    /// Nothing if this could not be paid.
    pub(super) fn new(amount: Option<i64>, currency: Option<String>) -> Option<Self> {
        let currency = currency.map(|currency| currency.to_lowercase());
        let could_be_paid = amount.is_none_or(|amount| amount > 0)
            && currency.as_deref().is_none_or(money::is_currency);
        could_be_paid.then_some(Self { amount, currency })
    }

    /// The session with this money.
    pub(super) fn applied_to(self, session: Session) -> Session {
        Session {
            amount_total: self.amount.unwrap_or(session.amount_total),
            currency: self.currency.unwrap_or(session.currency),
            ..session
        }
    }
}

/// How an attempt to pay ended.
pub(super) enum Attempt {
    /// Paid now; the event says so to the merchant.
    Paid {
        session: Session,
        event: String,
    },
    Declined {
        session: Session,
        decline: Decline,
    },
    NeedsConfirmation(Session),
    /// The session was not open, or had nothing to confirm.
    Refused(Session),
}

/// Tries to pay. Nothing if there is no such session.
pub(super) fn pay(
    announcer: &Announcer<'_>,
    id: &str,
    submission: Submission,
    difference: Difference,
) -> Result<Option<Attempt>, StoreError> {
    let Some(session) = announcer.books.get::<Session>(id)? else {
        return Ok(None);
    };
    if session.status != SessionStatus::Open {
        return Ok(Some(Attempt::Refused(session)));
    }
    let (session, intent) = begin(announcer, session, submission.payer, difference)?;
    let attempt = match submission.card {
        TestCard::Pays => succeed(announcer, session, intent)?,
        TestCard::Declined(decline) => decline_charge(announcer, session, intent, decline)?,
        TestCard::AsksForConfirmation => {
            let status = IntentStatus::RequiresAction;
            announcer.books.put(&PaymentIntent { status, last_decline: None, ..intent })?;
            Attempt::NeedsConfirmation(session)
        }
    };
    Ok(Some(attempt))
}

/// Goes on after the confirmation step. Nothing if there is no such session.
pub(super) fn confirm(
    announcer: &Announcer<'_>,
    id: &str,
    confirmation: Confirmation,
) -> Result<Option<Attempt>, StoreError> {
    let Some(session) = announcer.books.get::<Session>(id)? else {
        return Ok(None);
    };
    let intent = match &session.payment_intent {
        Some(intent) => announcer.books.get::<PaymentIntent>(intent)?,
        None => None,
    };
    let waits = |intent: &PaymentIntent| intent.status == IntentStatus::RequiresAction;
    let attempt = match (intent.filter(waits), confirmation) {
        (None, _) => Attempt::Refused(session),
        (Some(intent), Confirmation::Complete) => succeed(announcer, session, intent)?,
        (Some(intent), Confirmation::Fail) => {
            fail(announcer, session, intent, Decline::AuthenticationFailed)?
        }
    };
    Ok(Some(attempt))
}

/// The charge that a payment intent succeeded with.
pub(super) fn charge_of(
    announcer: &Announcer<'_>,
    intent: &PaymentIntent,
) -> Result<Option<Charge>, StoreError> {
    match &intent.latest_charge {
        Some(id) if intent.status == IntentStatus::Succeeded => announcer.books.get(id),
        _ => Ok(None),
    }
}

/// The session and its one payment intent, which the first attempt makes.
fn begin(
    announcer: &Announcer<'_>,
    session: Session,
    payer: Payer,
    difference: Difference,
) -> Result<(Session, PaymentIntent), StoreError> {
    let session = difference.applied_to(session);
    let known = match &session.payment_intent {
        Some(intent) => announcer.books.get::<PaymentIntent>(intent)?,
        None => None,
    };
    let intent = match known {
        Some(intent) => PaymentIntent {
            amount: session.amount_total,
            currency: session.currency.clone(),
            payer: Some(payer),
            ..intent
        },
        None => PaymentIntent {
            id: new_id("pi_3", 23),
            created: announcer.now,
            amount: session.amount_total,
            currency: session.currency.clone(),
            status: IntentStatus::RequiresPaymentMethod,
            canceled_at: None,
            metadata: session.intent_metadata.clone(),
            description: session.intent_description.clone(),
            latest_charge: None,
            last_decline: None,
            payer: Some(payer),
        },
    };
    let session = Session { payment_intent: Some(intent.id.clone()), ..session };
    announcer.books.put(&intent)?;
    announcer.books.put(&session)?;
    Ok((session, intent))
}

fn succeed(
    announcer: &Announcer<'_>,
    session: Session,
    intent: PaymentIntent,
) -> Result<Attempt, StoreError> {
    let Some(charge) = new_charge(announcer.now, &intent, None) else {
        return Ok(Attempt::Refused(session));
    };
    let movement =
        movements::book(announcer, Category::Charge, &charge, &charge.id, charge.amount)?;
    let charge = Charge { balance_transaction: Some(movement), ..charge };
    let intent = PaymentIntent {
        status: IntentStatus::Succeeded,
        latest_charge: Some(charge.id.clone()),
        last_decline: None,
        ..intent
    };
    let paid_by = Some(charge.payer.email.clone());
    let session = Session { status: SessionStatus::Complete, paid_by, ..session };
    announcer.books.put(&charge)?;
    announcer.books.put(&intent)?;
    announcer.books.put(&session)?;
    announcer.charge("charge.succeeded", &charge)?;
    announcer.intent("payment_intent.succeeded", &intent)?;
    let event = announcer.session("checkout.session.completed", &session)?;
    Ok(Attempt::Paid { session, event })
}

fn decline_charge(
    announcer: &Announcer<'_>,
    session: Session,
    intent: PaymentIntent,
    decline: Decline,
) -> Result<Attempt, StoreError> {
    let charge = new_charge(announcer.now, &intent, Some(decline));
    if let Some(charge) = &charge {
        announcer.books.put(charge)?;
    }
    let latest_charge = charge.map(|charge| charge.id).or(intent.latest_charge);
    fail(announcer, session, PaymentIntent { latest_charge, ..intent }, decline)
}

fn fail(
    announcer: &Announcer<'_>,
    session: Session,
    intent: PaymentIntent,
    decline: Decline,
) -> Result<Attempt, StoreError> {
    let intent = PaymentIntent {
        status: IntentStatus::RequiresPaymentMethod,
        last_decline: Some(decline),
        ..intent
    };
    announcer.books.put(&intent)?;
    announcer.intent("payment_intent.payment_failed", &intent)?;
    Ok(Attempt::Declined { session, decline })
}

/// A charge to the card of the latest attempt.
fn new_charge(now: i64, intent: &PaymentIntent, decline: Option<Decline>) -> Option<Charge> {
    Some(Charge {
        id: new_id("ch_3", 23),
        created: now,
        payment_intent: intent.id.clone(),
        amount: intent.amount,
        currency: intent.currency.clone(),
        payer: intent.payer.clone()?,
        decline,
        balance_transaction: None,
        metadata: intent.metadata.clone(),
        description: intent.description.clone(),
        amount_refunded: 0,
        dispute: None,
    })
}
