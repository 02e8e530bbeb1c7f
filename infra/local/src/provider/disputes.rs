//! The life of a dispute: the payer's bank asks for the money of a charge, and later says who was
//! right. An inquiry only asks: it moves no money, and the charge can still be refunded.

use super::events::Announcer;
use super::failure::Failure;
use super::movements;
use super::objects::{Category, Charge, Dispute, DisputeStatus, new_id};

/// Whom the bank finds right: the merchant wins, or loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Won,
    Lost,
}

/// Opens the one dispute of a charge: over all of it, if no amount is said.
pub(super) fn open(
    announcer: &Announcer<'_>,
    charge: Charge,
    amount: Option<i64>,
    inquiry: bool,
) -> Result<Dispute, Failure> {
    if charge.dispute.is_some() {
        return Err(Failure::invalid(format!("Charge {} is disputed already.", charge.id)));
    }
    let amount = amount.unwrap_or(charge.amount);
    if !(1..=charge.amount).contains(&amount) {
        return Err(Failure::invalid("amount is not one that could be disputed"));
    }
    let dispute = Dispute {
        id: new_id("dp_1", 23),
        created: announcer.now,
        amount,
        currency: charge.currency.clone(),
        charge: charge.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        status: match inquiry {
            true => DisputeStatus::WarningNeedsResponse,
            false => DisputeStatus::NeedsResponse,
        },
        reason: "fraudulent".to_owned(),
        is_charge_refundable: inquiry,
        balance_transactions: Vec::new(),
    };
    let charge = Charge { dispute: Some(dispute.id.clone()), ..charge };
    announcer.books.put(&charge)?;
    announcer.books.put(&dispute)?;
    announcer.dispute("charge.dispute.created", &dispute)?;
    if inquiry {
        return Ok(dispute);
    }
    let dispute = moved(announcer, Category::Dispute, &charge, dispute)?;
    announcer.dispute("charge.dispute.funds_withdrawn", &dispute)?;
    Ok(dispute)
}

/// Closes an open dispute. Nobody wins or loses an inquiry: it is only over. One that was lost can still be won: its
/// cardholder takes it back.
pub(super) fn close(
    announcer: &Announcer<'_>,
    dispute: Dispute,
    outcome: Outcome,
) -> Result<Dispute, Failure> {
    let status = match (dispute.status, outcome) {
        (DisputeStatus::WarningNeedsResponse, _) => DisputeStatus::WarningClosed,
        (DisputeStatus::NeedsResponse | DisputeStatus::Lost, Outcome::Won) => DisputeStatus::Won,
        (DisputeStatus::NeedsResponse, Outcome::Lost) => DisputeStatus::Lost,
        _ => return Err(Failure::invalid(format!("Dispute {} is closed already.", dispute.id))),
    };
    let is_charge_refundable = status != DisputeStatus::Lost;
    let mut dispute = Dispute { status, is_charge_refundable, ..dispute };
    if status == DisputeStatus::Won {
        let charge: Charge = announcer
            .books
            .get(&dispute.charge)?
            .ok_or_else(|| Failure::no_such("charge", &dispute.charge, "charge"))?;
        dispute = moved(announcer, Category::DisputeReversal, &charge, dispute)?;
        announcer.dispute("charge.dispute.funds_reinstated", &dispute)?;
    }
    announcer.books.put(&dispute)?;
    announcer.dispute("charge.dispute.closed", &dispute)?;
    Ok(dispute)
}

/// Moves the disputed money and notes the movement.
fn moved(
    announcer: &Announcer<'_>,
    category: Category,
    charge: &Charge,
    mut dispute: Dispute,
) -> Result<Dispute, Failure> {
    let movement = movements::book(announcer, category, charge, &dispute.id, dispute.amount)?;
    dispute.balance_transactions.push(movement);
    announcer.books.put(&dispute)?;
    Ok(dispute)
}
