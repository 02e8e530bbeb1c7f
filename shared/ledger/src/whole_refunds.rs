//! The refunds of a payment that no order could take.

use crate::refund::told_among;
use crate::{MAX_REFUNDS, Money, Order, Refund, RefundId, RefundStatus, Refusal, ToldRefund};

/// The refunds of a payment that no order could take. Each is of all of it, so that at most one of them
/// arrives and stays: the others have failed, will be told to have failed, or are never made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WholeRefunds {
    /// In the order in which they became known, but for the one that decides: it is the last.
    refunds: Vec<Refund>,
}

impl WholeRefunds {
    /// These refunds, in the order in which they became known.
    #[must_use]
    pub fn new(mut refunds: Vec<Refund>) -> Self {
        let decides = |(_, refund): &(usize, &Refund)| match refund.status {
            RefundStatus::Failed => 0,
            RefundStatus::Pending => 1,
            RefundStatus::Succeeded => 2,
        };
        // Of several that stand alike it is the last one.
        let deciding = refunds.iter().enumerate().max_by_key(decides);
        if let Some(position) = deciding.map(|(position, _)| position) {
            let deciding = refunds.remove(position);
            refunds.push(deciding);
        }
        Self { refunds }
    }

    /// The one by which it is decided where the payment is: one that has arrived, else one that is under way,
    /// else the last one that failed.
    #[must_use]
    pub fn deciding(&self) -> Option<&Refund> {
        self.refunds.last()
    }

    /// The others, which decide nothing as long as that one stands as it does.
    #[must_use]
    pub fn others(&self) -> &[Refund] {
        self.refunds.split_last().map_or(&[], |(_, others)| others)
    }

    /// Where the payment stands; none if nobody gave it back.
    #[must_use]
    pub fn status(&self) -> Option<RefundStatus> {
        self.deciding().map(|refund| refund.status)
    }

    /// Whether the payment went back to whoever paid it, or is on its way.
    #[must_use]
    pub fn goes_back(&self) -> bool {
        self.status().is_some_and(|status| status != RefundStatus::Failed)
    }

    /// How many have failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.refunds.iter().filter(|refund| refund.status == RefundStatus::Failed).count()
    }

    /// The refund of that id.
    #[must_use]
    pub fn get(&self, id: &RefundId) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.id == *id)
    }

    /// Whether what is told is of one of them.
    #[must_use]
    pub fn knows(&self, told: &ToldRefund) -> bool {
        told_among(&self.refunds, told).is_some()
    }

    /// With one more.
    ///
    /// # Errors
    /// [`Refusal::TooManyRefunds`].
    pub fn and(&self, refund: Refund) -> Result<Self, Refusal> {
        if self.refunds.len() >= MAX_REFUNDS {
            return Err(Refusal::TooManyRefunds);
        }
        let mut refunds = self.refunds.clone();
        refunds.push(refund);
        Ok(Self::new(refunds))
    }

    /// With what has become of the refund of that id. `None` if nothing has.
    #[must_use]
    pub fn changed(
        &self,
        id: &RefundId,
        change: impl FnOnce(&Refund) -> Option<Refund>,
    ) -> Option<Self> {
        let mut refunds = self.refunds.clone();
        let known = refunds.iter_mut().find(|refund| refund.id == *id)?;
        *known = change(known)?;
        Some(Self::new(refunds))
    }

    /// With what the provider tells of a refund of the payment, of which this is the whole. `None` for a refund of
    /// a part.
    ///
    /// One that is not known was not asked for here, and is taken as it is: that another one has arrived only says
    /// that its failure was not told yet.
    ///
    /// # Errors
    /// [`Refusal::TooManyRefunds`]: a person must look.
    pub fn told(&self, told: &ToldRefund, whole: Money) -> Result<Option<Self>, Refusal> {
        if told.money != whole {
            return Ok(None);
        }
        match told_among(&self.refunds, told) {
            Some((refunds, _)) => Ok(Some(Self::new(refunds))),
            None => self.and(Refund::made_elsewhere(told)).map(Some),
        }
    }
}

impl Order {
    /// The order that takes a payment of which refunds have failed before: whatever is told of them later moves
    /// nothing.
    pub(crate) fn with_failed_refunds(self, before: &WholeRefunds) -> Self {
        let failed = |refund: &&Refund| {
            refund.status == RefundStatus::Failed
                && refund.provider_id.is_some()
                && refund.money.currency == self.amount.currency
        };
        let failed: Vec<_> = before.refunds.iter().filter(failed).cloned().collect();
        let mut order = self;
        order.reversals.refunds.extend(failed);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Actor, Currency, ProviderId, Timestamp};

    fn told(name: &str, status: RefundStatus) -> ToldRefund {
        ToldRefund {
            id: None,
            provider_id: ProviderId::parse(name).unwrap(),
            money: whole(),
            status,
            failure: None,
            at: Timestamp::from_unix_millis(0),
        }
    }

    fn whole() -> Money {
        Money::parse("90.00", Currency::USD).unwrap()
    }

    /// Asked for here, and nothing is known of it.
    fn asked() -> Refund {
        let made = Refund::made_elsewhere(&told("re_x", RefundStatus::Pending));
        Refund {
            id: RefundId::of_finding("fnd_1", None),
            provider_id: None,
            by: Actor::parse("an operator").unwrap(),
            ..made
        }
    }

    #[test]
    fn what_has_arrived_decides_then_what_is_under_way_then_what_failed_last() {
        use RefundStatus::{Failed, Pending, Succeeded};
        for (tellings, decides, status) in [
            (&[("re_1", Failed)][..], "re_1", Failed),
            (&[("re_1", Failed), ("re_2", Failed)], "re_2", Failed),
            (&[("re_1", Succeeded), ("re_2", Failed)], "re_1", Succeeded),
            (&[("re_1", Pending), ("re_2", Failed)], "re_1", Pending),
            (&[("re_1", Succeeded), ("re_2", Pending)], "re_1", Succeeded),
            (&[("re_1", Succeeded), ("re_2", Succeeded)], "re_2", Succeeded),
            (&[("re_1", Succeeded), ("re_2", Succeeded), ("re_2", Failed)], "re_1", Succeeded),
            (&[("re_1", Succeeded), ("re_1", Failed), ("re_2", Succeeded)], "re_2", Succeeded),
            // What failed stays so, whatever is told late.
            (&[("re_1", Failed), ("re_2", Pending), ("re_1", Succeeded)], "re_2", Pending),
            (&[("re_1", Failed), ("re_1", Succeeded)], "re_1", Failed),
        ] {
            let mut refunds = WholeRefunds::default();
            for (name, status) in tellings {
                refunds = refunds.told(&told(name, *status), whole()).unwrap().unwrap();
            }
            let last = refunds.deciding().unwrap();
            let name = last.provider_id.as_ref().map(ProviderId::as_str);
            assert_eq!((name, last.status), (Some(decides), status), "{tellings:?}");
            assert_eq!(refunds.goes_back(), status != Failed);
        }
    }

    #[test]
    fn a_refund_that_was_asked_for_goes_on_once_the_one_that_overtook_it_has_failed() {
        let refunds = WholeRefunds::default().and(asked()).unwrap();
        let overtaken = refunds.told(&told("re_1", RefundStatus::Succeeded), whole());
        let overtaken = overtaken.unwrap().unwrap();
        assert_ne!(overtaken.deciding(), Some(&asked()));
        let failed = overtaken.told(&told("re_1", RefundStatus::Failed), whole()).unwrap().unwrap();
        assert_eq!(failed.deciding(), Some(&asked()));
        // Its own name comes with the id that it was asked for with.
        let made = ToldRefund { id: Some(asked().id), ..told("re_2", RefundStatus::Succeeded) };
        let made = failed.told(&made, whole()).unwrap().unwrap();
        assert_eq!((made.others().len(), made.deciding().unwrap().id.clone()), (1, asked().id));
    }

    #[test]
    fn a_part_is_not_kept_and_there_is_an_end_to_how_many_are() {
        let part = Money::parse("40.00", Currency::USD).unwrap();
        let part = ToldRefund { money: part, ..told("re_1", RefundStatus::Succeeded) };
        assert_eq!(WholeRefunds::default().told(&part, whole()), Ok(None));
        let mut refunds = WholeRefunds::default();
        for number in 0..MAX_REFUNDS {
            let failed = told(&format!("re_{number}"), RefundStatus::Failed);
            refunds = refunds.told(&failed, whole()).unwrap().unwrap();
        }
        let further = told("re_further", RefundStatus::Failed);
        assert_eq!(refunds.told(&further, whole()), Err(Refusal::TooManyRefunds));
        let known = told("re_0", RefundStatus::Failed);
        assert_eq!(refunds.told(&known, whole()), Ok(Some(refunds.clone())));
    }
}
