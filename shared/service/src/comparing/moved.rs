//! What of an hour was moved at the provider, as far as it is ours.

use std::collections::BTreeSet;

use ledger::{Amount, Money, PaymentId, ProviderId};

use crate::notice::{Notice, ReversalNotice, Told, What};
use crate::stripe::Movement;
use crate::stripe::event::Reading;

/// What of an hour was read at the provider.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub payments: BTreeSet<PaymentId>,
    pub reversals: BTreeSet<ProviderId>,
}

/// A refund or a dispute that moved money.
pub(super) struct MovedBack {
    /// To us (1) or from us (-1): what comes back of it is told by another movement.
    pub direction: i64,
    /// How much, if the provider's balance is in the currency that it is of.
    pub money: Option<Money>,
    pub notice: ReversalNotice,
}

impl Known {
    pub(super) fn learn(&mut self, movement: &Movement) {
        match &movement.of {
            Reading::Told(Told::Payment(Notice { what: What::Paid(payment), .. })) => {
                self.payments.insert(payment.id.clone());
            }
            Reading::Told(Told::Reversal(notice)) => {
                self.reversals.insert(notice.reversal().clone());
            }
            _ => {}
        }
    }
}

impl Movement {
    /// The refund or dispute, if it is one of ours.
    pub(super) fn into_reversal(self) -> Option<MovedBack> {
        let Reading::Told(Told::Reversal(notice)) = self.of else { return None };
        let currency = notice.money().currency;
        let units = self.amount.unsigned_abs();
        let amount = Amount::from_minor_units(units, currency).ok();
        let amount = amount.filter(|_| self.currency == currency.code());
        let money = amount.map(|amount| Money { amount, currency });
        Some(MovedBack { direction: self.amount.signum(), money, notice })
    }

    /// The payment, if it is one of ours.
    pub(super) const fn payment(&self) -> Option<&Notice> {
        match &self.of {
            Reading::Told(Told::Payment(notice)) => Some(notice),
            _ => None,
        }
    }
}
