//! The life of a refund: made by the API or in the dashboard, and then done, failed or canceled.

use std::collections::BTreeMap;

use super::events::Announcer;
use super::failure::Failure;
use super::objects::{Category, Charge, Dispute, PaymentIntent, Refund, RefundStatus, new_id};
use super::parameters::Parameters;
use super::store::StoreError;
use super::{money, movements, payments};

/// The parameters of a refund that make sense for a card and one account.
const KNOWN: &[&str] = &["amount", "charge", "metadata", "payment_intent", "reason"];

const REASONS: &[&str] = &["duplicate", "fraudulent", "requested_by_customer"];

/// Why a card's bank does not take a refund.
const DECLINED: &str = "declined";

/// What a refund shall be.
#[derive(Default)]
pub(super) struct Wish {
    /// All that is left, if not said.
    pub(super) amount: Option<i64>,
    /// The payment's, if not said.
    pub(super) currency: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
}

/// What is to be refunded.
enum Target {
    Payment(String),
    Charge(String),
}

/// Makes a refund as the API's parameters say. `status` is only asked for if nothing speaks
/// against the refund.
pub(super) fn create(
    announcer: &Announcer<'_>,
    parameters: Parameters,
    status: impl FnOnce() -> RefundStatus,
) -> Result<Refund, Failure> {
    let (target, wish) = read(parameters)?;
    let charge = match target {
        Target::Payment(id) => charge_of_payment(announcer, &id)?,
        Target::Charge(id) => announcer
            .books
            .get::<Charge>(&id)?
            .ok_or_else(|| Failure::no_such("charge", &id, "charge"))?,
    };
    make(announcer, charge, wish, status)
}

/// The charge that a payment succeeded with.
pub(super) fn charge_of_payment(announcer: &Announcer<'_>, id: &str) -> Result<Charge, Failure> {
    let intent: PaymentIntent = announcer
        .books
        .get(id)?
        .ok_or_else(|| Failure::no_such("payment_intent", id, "payment_intent"))?;
    payments::charge_of(announcer, &intent)?.ok_or_else(|| {
        let message = format!("This PaymentIntent ({id}) does not have a successful charge.");
        Failure::invalid(message).parameter("payment_intent").during_execution()
    })
}

/// Makes a refund of a charge, if nothing speaks against it.
pub(super) fn make(
    announcer: &Announcer<'_>,
    charge: Charge,
    wish: Wish,
    status: impl FnOnce() -> RefundStatus,
) -> Result<Refund, Failure> {
    let amount = allowed_amount(announcer, &charge, wish.amount)?;
    let status = status();
    let mut refund = Refund {
        id: new_id("re_3", 23),
        created: announcer.now,
        amount,
        currency: wish.currency.unwrap_or_else(|| charge.currency.clone()),
        charge: charge.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        status,
        reason: wish.reason,
        metadata: wish.metadata,
        failure_reason: (status == RefundStatus::Failed).then(|| DECLINED.to_owned()),
        balance_transaction: None,
        failure_balance_transaction: None,
    };
    if status == RefundStatus::Succeeded {
        refund = paid_out(announcer, &charge, refund)?;
    }
    announcer.books.put(&refund)?;
    announcer.refund("refund.created", &refund)?;
    if status == RefundStatus::Failed {
        announcer.refund("refund.failed", &refund)?;
        return Ok(refund);
    }
    let amount_refunded = charge.amount_refunded.saturating_add(amount);
    let charge = Charge { amount_refunded, ..charge };
    announcer.books.put(&charge)?;
    announcer.charge("charge.refunded", &charge)?;
    Ok(refund)
}

/// Moves a refund on. Nothing if it cannot go there from where it is.
pub(super) fn move_on(
    announcer: &Announcer<'_>,
    refund: Refund,
    to: RefundStatus,
) -> Result<Option<Refund>, StoreError> {
    let Some(charge) = announcer.books.get::<Charge>(&refund.charge)? else {
        return Ok(None);
    };
    let from = refund.status;
    let refund = Refund { status: to, ..refund };
    let refund = match (from, to) {
        (RefundStatus::Pending, RefundStatus::Succeeded) => paid_out(announcer, &charge, refund)?,
        (RefundStatus::Pending | RefundStatus::Succeeded, RefundStatus::Failed) => {
            let refund = brought_back(announcer, &charge, refund)?;
            refundable_again(announcer, charge, refund.amount)?;
            refund
        }
        (RefundStatus::Pending, RefundStatus::Canceled) => {
            refundable_again(announcer, charge, refund.amount)?;
            refund
        }
        _ => return Ok(None),
    };
    announcer.books.put(&refund)?;
    if to == RefundStatus::Failed {
        announcer.refund("refund.failed", &refund)?;
    }
    announcer.refund("refund.updated", &refund)?;
    Ok(Some(refund))
}

fn read(mut parameters: Parameters) -> Result<(Target, Wish), Failure> {
    let payment = parameters.text("payment_intent");
    let charge = parameters.text("charge");
    let wish = Wish {
        amount: parameters.integer("amount")?,
        currency: None,
        reason: parameters.one_of("reason", REASONS)?,
        metadata: parameters.metadata("metadata")?,
    };
    parameters.finish(KNOWN)?;
    if wish.amount.is_some_and(|amount| amount < 1) {
        let message = "This value must be greater than or equal to 1.";
        let refusal = Failure::invalid(message).code("parameter_invalid_integer");
        return Err(refusal.parameter("amount"));
    }
    let target = match (payment, charge) {
        (Some(payment), None) => Target::Payment(payment),
        (None, Some(charge)) => Target::Charge(charge),
        (None, None) => {
            let message = "One of the following params should be provided for this request: \
                           payment_intent or charge.";
            return Err(Failure::invalid(message).code("parameter_missing"));
        }
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: payment_intent, charge.";
            return Err(Failure::invalid(message).parameter("charge"));
        }
    };
    Ok((target, wish))
}

/// The amount to refund, after all that can speak against it.
fn allowed_amount(
    announcer: &Announcer<'_>,
    charge: &Charge,
    wanted: Option<i64>,
) -> Result<i64, Failure> {
    let refuse = |message: String| Failure::invalid(message).during_execution();
    let id = &charge.id;
    if charge.decline.is_some() {
        return Err(refuse(format!("Charge {id} was not successful; there is nothing to refund.")));
    }
    let dispute = match &charge.dispute {
        Some(dispute) => announcer.books.get::<Dispute>(dispute)?,
        None => None,
    };
    if dispute.is_some_and(|dispute| !dispute.is_charge_refundable) {
        let message = format!("Charge {id} has been charged back; cannot issue a refund.");
        return Err(refuse(message).code("charge_disputed"));
    }
    let left = charge.amount.saturating_sub(charge.amount_refunded);
    if left < 1 {
        let message = format!("Charge {id} has already been refunded.");
        return Err(refuse(message).code("charge_already_refunded"));
    }
    let amount = wanted.unwrap_or(left);
    if amount > left {
        let written = |amount| money::with_sign(amount, &charge.currency);
        let message = format!(
            "Refund amount ({}) is greater than unrefunded amount on charge ({})",
            written(amount),
            written(left)
        );
        return Err(refuse(message).parameter("amount"));
    }
    Ok(amount)
}

/// The money leaves the balance.
fn paid_out(
    announcer: &Announcer<'_>,
    charge: &Charge,
    refund: Refund,
) -> Result<Refund, StoreError> {
    let movement = movements::book(announcer, Category::Refund, charge, &refund.id, refund.amount)?;
    Ok(Refund { balance_transaction: Some(movement), ..refund })
}

/// The money comes back, if it had left.
fn brought_back(
    announcer: &Announcer<'_>,
    charge: &Charge,
    refund: Refund,
) -> Result<Refund, StoreError> {
    let movement = match refund.balance_transaction {
        None => None,
        Some(_) => Some(movements::book(
            announcer,
            Category::RefundFailure,
            charge,
            &refund.id,
            refund.amount,
        )?),
    };
    Ok(Refund {
        failure_reason: Some(DECLINED.to_owned()),
        failure_balance_transaction: movement,
        ..refund
    })
}

/// What failed or was canceled does not count as refunded.
fn refundable_again(
    announcer: &Announcer<'_>,
    charge: Charge,
    amount: i64,
) -> Result<(), StoreError> {
    let amount_refunded = charge.amount_refunded.saturating_sub(amount);
    announcer.books.put(&Charge { amount_refunded, ..charge })
}
