//! Findings: what may be found, how it goes on, and where the money of one may go. Written from the
//! contract and without the product's code.

use std::collections::BTreeMap;

use super::bank;
use super::going_back::{GoneBack, Refund, Standing};
use super::images::{FindingImage, OrderImage, RefundImage, ReversalsImage, Step};
use super::micros::{self, Micros};
use super::model::{Model, Payment, claim_of};
use super::reversals::READ_BEHIND;
use super::wishes::Became;

/// The kinds of a finding about a payment that was credited to no order.
const LOST: [&str; 6] = [
    "amount_differs",
    "currency_differs",
    "duplicate_payment",
    "order_in_exception",
    "unknown_order",
    "not_creditable",
];

impl FindingImage {
    /// How it was closed; empty while it is open.
    #[must_use]
    pub fn how(&self) -> &str {
        self.closed.as_ref().map_or("", |closed| &closed.0)
    }

    /// Whether it is about a payment that an operator may credit or give back.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        LOST.contains(&self.kind.as_str())
    }

    /// Whether its payment went back, or is on its way.
    #[must_use]
    pub fn goes_back(&self) -> bool {
        self.refund.as_ref().is_some_and(|refund| refund.status != "failed")
    }

    /// The refunds of its payment.
    pub fn refunds(&self) -> impl Iterator<Item = &RefundImage> {
        self.others.iter().chain(&self.refund)
    }

    /// What became of its payment.
    pub(super) fn became(&self) -> Option<Became> {
        let further = self.kind == "order_in_exception" && self.version > 1;
        match (self.how(), self.refund.as_ref().and_then(RefundImage::stands)) {
            _ if further => None,
            ("credited", _) => Some(Became::Booked),
            (_, Some(Standing::Succeeded)) => Some(Became::Refunded),
            // One that was asked for before may go on once another one has failed.
            (_, Some(Standing::Failed | Standing::Pending)) => Some(Became::Returned),
            _ if self.version == 1 && self.reversal.is_empty() => Some(Became::Lost),
            _ => None,
        }
    }

    /// The id of the order that its payment becomes in this account.
    #[must_use]
    pub fn booked_as(&self, account: &str) -> String {
        bank::derived("ord_", &[account, "finding", &self.id])
    }
}

impl Step {
    /// The finding whose payment is booked as an order of its own.
    pub(super) fn books(&self) -> Option<&FindingImage> {
        self.finding.as_ref().filter(|finding| finding.how() == "credited")
    }
}

impl Model {
    /// A finding is known by what it is about, and once; its payment leads to the first.
    pub(super) fn keep_finding(
        &mut self,
        finding: &FindingImage,
        step: &Step,
        back: &GoneBack,
    ) -> Result<(), String> {
        let FindingImage { id, order, payment, reversal, .. } = finding;
        let named = if reversal.is_empty() { order.as_str() } else { "" };
        if bank::derived("fnd_", &[named, payment, reversal]) != *id {
            return Err(format!("{id} is not the id of a finding about {payment} and {order}"));
        }
        if let Some((of, to)) = &step.pointer
            && (of != payment || to != id || !reversal.is_empty())
        {
            return Err(format!("{of} leads to {to} with the finding {id}"));
        }
        let credited = step.claim.as_ref().map(|claim| claim.payment.as_str());
        match self.findings.get(id) {
            Some(known) => self.finding_goes_on(known, finding, back, credited)?,
            None if finding.version != 1 || finding.closed.is_some() => {
                return Err(format!("{id} does not begin open: {finding:?}"));
            }
            None => self.must_be_so(finding, back)?,
        }
        for refund in finding.refunds() {
            let kept = (payment.clone(), refund.clone());
            self.set_aside.insert(refund.id.clone(), kept);
        }
        if finding.how() == "resolved" {
            let reason = finding.closed.as_ref().map(|(_, reason)| reason.clone());
            self.resolved.insert((id.clone(), reason.unwrap_or_default()));
        }
        self.pointers.extend(step.pointer.clone());
        let before = self.findings.insert(id.clone(), finding.clone());
        let opened = finding.closed.is_none() && before.is_some_and(|one| one.closed.is_some());
        self.opened_again += u64::from(opened);
        Ok(())
    }

    /// Whether there is a finding about a payment that named an order.
    #[must_use]
    pub fn is_found(&self, order: &str, payment: &str) -> bool {
        self.finding_of(order, payment).is_some()
    }

    fn finding_of(&self, order: &str, payment: &str) -> Option<&FindingImage> {
        self.findings.get(&bank::derived("fnd_", &[order, payment, ""]))
    }

    /// Whether a payment is on its way back from the finding that it leads to, or went back, or a person has settled
    /// it: nothing of it is credited by itself.
    pub(super) fn is_decided(&self, payment: &str) -> bool {
        let finding = self.pointers.get(payment).and_then(|id| self.findings.get(id));
        finding.is_some_and(|finding| finding.goes_back() || self.was_resolved(&finding.id))
    }

    /// Whether a payment went back or was on its way, or a person has settled it, so that no order took it: what
    /// becomes of it is decided with the finding that it leads to.
    pub(super) fn was_decided(&self, payment: &str) -> bool {
        let finding = self.pointers.get(payment).and_then(|id| self.findings.get(id));
        finding.is_some_and(|finding| finding.refund.is_some() || self.was_resolved(&finding.id))
    }

    /// Whether a person has ever closed a finding.
    fn was_resolved(&self, finding: &str) -> bool {
        self.resolved.iter().any(|(id, _)| id == finding)
    }

    /// A payment that was credited to the order of its finding: the order could take it later, or the
    /// provider has another amount than was told.
    pub(super) fn must_be_overtaken(&self, order: &str, payment: &str) -> Result<(), String> {
        let finding = self.finding_of(order, payment);
        let overtaken = finding.is_some_and(|finding| {
            let differs = finding.expected.as_ref().map(|money| money.0)
                == self.credited_as(payment)
                && finding.expected != finding.actual;
            finding.how() == "cured" || differs
        });
        match overtaken {
            true => Ok(()),
            false => Err(format!("{payment} was credited and is a finding: {finding:?}")),
        }
    }

    /// What is found, or found again, is so.
    fn must_be_so(&self, finding: &FindingImage, back: &GoneBack) -> Result<(), String> {
        match finding.reversal.is_empty() {
            true => self.must_be_paid(finding, back),
            false => self.must_have_gone_back(finding, back),
        }
    }

    fn must_be_paid(&self, finding: &FindingImage, back: &GoneBack) -> Result<(), String> {
        let FindingImage { kind, order, payment, .. } = finding;
        let about = |known: &Payment| known.id == *payment && known.order == *order;
        let paid = self.payments.iter().any(about);
        let taken = back.of(payment);
        // An operator may have credited what was told, and not what was taken.
        let otherwise = self.credited.get(payment) == Some(order)
            && self
                .credited_as(payment)
                .is_some_and(|credited| !taken.is_some_and(|taken| taken.is(credited)));
        let right = match kind.as_str() {
            "credited_not_paid" => otherwise,
            "amount_differs" | "currency_differs" if otherwise => taken.is_some(),
            "payment_already_used" => paid,
            _ => paid && finding.is_lost(),
        };
        match right {
            true => Ok(()),
            false => Err(format!("{finding:?} is a finding for nothing, and {taken:?} was paid")),
        }
    }

    /// A finding about a refund or a dispute that the provider has, of a payment whose order was not
    /// known, or in another currency than that was credited in.
    fn must_have_gone_back(&self, finding: &FindingImage, back: &GoneBack) -> Result<(), String> {
        let FindingImage { id, kind, payment, order, reversal, actual, .. } = finding;
        let refund = back.refund(reversal).map(|one| (&one.payment, one.cents, one.currency));
        let dispute = back.dispute(reversal).map(|one| (&one.payment, one.cents, one.currency));
        let right = refund.or(dispute).is_some_and(|(of, cents, currency)| {
            let is = (micros::from_cents(cents), currency.to_uppercase());
            of == payment && actual.as_ref() == Some(&is)
        });
        // It may just have been credited: whoever gave up looked before.
        let lately = self.credits.iter().rev().take(READ_BEHIND).any(|lately| lately == payment);
        let unknown = match (kind.as_str(), order.is_empty()) {
            ("unknown_payment", true) => !self.credited.contains_key(payment) || lately,
            ("unknown_payment", false) => self.pointers.contains_key(payment),
            ("reversal_differs", _) => {
                let dollars = actual.as_ref().is_some_and(|(_, currency)| currency == "USD");
                self.credited.get(payment) == Some(order) && !dollars
            }
            _ => false,
        };
        match right && unknown {
            true => Ok(()),
            false => Err(format!("{id} is a finding for nothing: {finding:?}")),
        }
    }

    /// A finding that was written again: the same one, closed or opened for a reason.
    fn finding_goes_on(
        &self,
        known: &FindingImage,
        finding: &FindingImage,
        back: &GoneBack,
        credited: Option<&str>,
    ) -> Result<(), String> {
        let again = known.how() == "cured" && finding.closed.is_none();
        let said = if again { finding } else { known };
        let same = FindingImage {
            version: known.version + 1,
            refund: finding.refund.clone(),
            others: finding.others.clone(),
            closed: finding.closed.clone(),
            opened_again: said.opened_again
                || known.how() == "resolved" && finding.closed.is_none(),
            ..said.clone()
        };
        if same != *finding {
            return Err(format!("{known:?} became {finding:?}"));
        }
        if !known.refunds().eq(finding.refunds()) {
            let moved = self.refund_goes_on(known, finding, back);
            moved.map_err(|wrong| format!("{finding:?} was {known:?}, and {wrong}"))?;
        }
        let stands = finding.refund.as_ref().and_then(RefundImage::stands);
        let right = match (known.how(), finding.how()) {
            ("", "resolved") => finding.closed.as_ref().is_some_and(|(_, reason)| {
                self.resolutions.contains(&(finding.id.clone(), reason.clone()))
            }),
            ("", "cured") => self.is_cured(finding, back, credited),
            ("", "credited") => credited == Some(finding.payment.as_str()),
            ("", "refunded") => stands == Some(Standing::Succeeded),
            ("refunded", "") => stands != Some(Standing::Succeeded),
            // What a person knew was another thing.
            ("resolved", "") => {
                let failed = back.refund(&finding.reversal);
                let failed = failed.is_some_and(|one| one.standing == Standing::Failed);
                let apart = finding.kind == "unknown_payment" && failed && !known.opened_again;
                apart || stands == Some(Standing::Failed) && known.refund != finding.refund
            }
            ("cured", "") => return self.must_be_so(finding, back),
            (before, after) => before == after && known.closed == finding.closed,
        };
        right.then_some(()).ok_or_else(|| format!("{known:?} ended as {finding:?}"))
    }

    /// What was found is not so any more.
    fn is_cured(&self, finding: &FindingImage, back: &GoneBack, credited: Option<&str>) -> bool {
        match finding.kind.as_str() {
            "credited_not_paid" => {
                let taken = back.of(&finding.payment);
                let expected = finding.expected.as_ref().map(|money| money.0);
                taken.zip(expected).is_some_and(|(taken, expected)| taken.is(expected))
            }
            "unknown_payment" => self.knows_back(&finding.payment, &finding.reversal),
            // An order can take it now.
            _ => credited == Some(finding.payment.as_str()),
        }
    }

    /// Whether an order that takes a payment knows the refunds of it that failed before, and nothing else.
    pub(super) fn is_remembered(&self, order: &OrderImage) -> bool {
        let payment = order.settled.as_ref().and_then(|settled| settled.payment.as_ref());
        let finding = payment.and_then(|payment| self.pointers.get(payment));
        let finding = finding.and_then(|id| self.findings.get(id));
        let failed = finding.into_iter().flat_map(FindingImage::refunds);
        let failed = failed.filter(|refund| refund.provider.is_some()).cloned();
        order.reversals == ReversalsImage { refunds: failed.collect(), ..ReversalsImage::default() }
    }

    /// Whether whoever has a payment, an order or a finding, knows a refund or dispute of it.
    pub(super) fn knows_back(&self, payment: &str, reversal: &str) -> bool {
        let named = |refund: &RefundImage| refund.provider.as_deref() == Some(reversal);
        if let Some(order) = self.credited.get(payment).and_then(|id| self.orders.get(id)) {
            let books = &order.now().reversals;
            return books.refunds.iter().any(named)
                || books.disputes.iter().any(|dispute| dispute.id == reversal);
        }
        let finding = self.pointers.get(payment).and_then(|id| self.findings.get(id));
        finding.is_some_and(|finding| finding.refunds().any(named))
    }

    /// One of the refunds of a finding moved, or came: each is of the whole payment, and is asked for here or made
    /// elsewhere. The one that is told decides.
    fn refund_goes_on(
        &self,
        known: &FindingImage,
        finding: &FindingImage,
        back: &GoneBack,
    ) -> Result<(), String> {
        let deciding = finding.refund.as_ref().ok_or("forgot its refunds")?;
        if finding.others.iter().any(|other| other.rank() > deciding.rank()) {
            return Err("another refund decides".to_owned());
        }
        let before: BTreeMap<_, _> = known.refunds().map(|one| (&one.id, one)).collect();
        let after: BTreeMap<_, _> = finding.refunds().map(|one| (&one.id, one)).collect();
        if after.len() != finding.refunds().count() {
            return Err("a refund is there twice".to_owned());
        }
        if before.keys().any(|id| !after.contains_key(id)) {
            return Err("forgot a refund".to_owned());
        }
        let mut news = after.values().filter(|one| before.get(&one.id) != Some(one));
        let (Some(refund), None) = (news.next(), news.next()) else {
            return Err("more than one of its refunds is another one".to_owned());
        };
        let whole = (refund.amount, refund.currency.clone());
        if finding.actual.as_ref() != Some(&whole) {
            return Err("it is not the whole payment".to_owned());
        }
        let truth = refund.provider.as_deref().and_then(|name| back.refund(name));
        let is_true = refund.is_true(Some(&finding.payment), truth);
        let right = match before.get(&refund.id) {
            Some(before) => refund.has_gone_on(before, is_true, back),
            None => {
                self.begins_here(known, refund)
                    || is_true && is_another(known.refunds(), refund, truth)
            }
        };
        right.then_some(()).ok_or_else(|| "its refund is not so".to_owned())
    }

    /// Whether a refund was just asked for here, after all others had failed.
    fn begins_here(&self, known: &FindingImage, refund: &RefundImage) -> bool {
        let FindingImage { id, payment, .. } = known;
        let failed = known.refund.as_ref().map_or("", |failed| failed.id.as_str());
        let begun = RefundImage {
            id: bank::derived("rfd_", &["finding", id, failed]),
            status: "pending".to_owned(),
            provider: None,
            bank_reference: None,
            attempt: 1,
            ..refund.clone()
        };
        let here = self.pointers.get(payment).is_none_or(|first| first == id);
        let open = known.closed.is_none() && !self.credited.contains_key(payment);
        let asked = known.is_lost() && self.refunds_asked.contains(id);
        begun == *refund && !known.goes_back() && here && open && asked
    }

    /// The lines of a payment that is booked as an order of its own: an operator said so, it leads to
    /// this finding, and it has no other place.
    pub(super) fn must_be_booked(
        &mut self,
        order: &OrderImage,
        step: &Step,
    ) -> Result<BTreeMap<(String, String), Micros>, String> {
        let finding = step.books().ok_or("nothing is booked")?;
        let claim = claim_of(order, step.claim.as_ref())?;
        let known = self.findings.get(&finding.id).ok_or("a finding that nobody stored")?;
        let asked = (finding.id.clone(), order.account.clone(), order.target.clone());
        let settled = order.settled.as_ref().map(|settled| settled.received);
        let right = known.closed.is_none()
            && known.is_lost()
            && !known.goes_back()
            && finding.payment == claim.payment
            && self.pointers.get(&claim.payment) == Some(&finding.id)
            && finding.actual == Some((order.amount, "USD".to_owned()))
            && settled == Some(order.amount)
            && order.id == finding.booked_as(&order.account)
            && order.version == 1
            && self.credits_asked.contains(&asked);
        if !right {
            return Err(format!("{known:?} was booked as {order:?}"));
        }
        self.credit_once(claim)?;
        let debt_paid = order.settled.as_ref().map_or(0, |settled| settled.debt_paid);
        Ok(bank::incoming("external:card", &order.target, order.amount, debt_paid))
    }

    /// The order that could not take a payment is cancelled once that is booked as another one.
    pub(super) fn must_follow(&self, step: &Step) -> Result<(), String> {
        let booked = step.books().filter(|_| step.claim.is_some());
        let waits = booked.and_then(|finding| self.orders.get(&finding.order));
        // It waits for the payment that made it so, and for no other.
        let further = booked.is_some_and(|finding| finding.kind == "order_in_exception");
        let waits = waits.map(super::model::Order::now);
        let waits = waits.filter(|order| order.status() == "exception" && !further);
        match (&step.follower, waits) {
            (None, None) => Ok(()),
            (Some(follower), Some(waits)) if follower.id == waits.id => {
                let same = OrderImage {
                    version: follower.version,
                    statuses: follower.statuses.clone(),
                    reasons: follower.reasons.clone(),
                    ..waits.clone()
                };
                match same == *follower && follower.status() == "cancelled" {
                    true => self.follows(step, follower),
                    false => Err(format!("{waits:?} was booked elsewhere, and is {follower:?}")),
                }
            }
            (follower, waits) => Err(format!("{waits:?} is followed by {follower:?}")),
        }
    }
}

/// Whether a refund that was not asked for here is none of those that are known.
fn is_another<'known>(
    mut known: impl Iterator<Item = &'known RefundImage>,
    refund: &RefundImage,
    truth: Option<&Refund>,
) -> bool {
    let Some(name) = &refund.provider else { return false };
    let asked = truth.and_then(Refund::asked);
    let same = |known: &RefundImage| {
        let waits = known.status == "pending" && known.provider.is_none();
        known.provider.as_ref() == Some(name) || waits && asked == Some(&known.id)
    };
    refund.id == bank::derived("rfd_", &["provider", name]) && !known.any(same)
}

impl RefundImage {
    /// What has arrived decides, then what is under way.
    fn rank(&self) -> u8 {
        match self.status.as_str() {
            "succeeded" => 2,
            "pending" => 1,
            _ => 0,
        }
    }

    /// Whether a refund of a finding has moved on: asked for with another key, named, arrived, failed,
    /// or given up.
    fn has_gone_on(&self, before: &Self, is_true: bool, back: &GoneBack) -> bool {
        let unknown = before.status == "pending" && before.provider.is_none();
        let next = Self { attempt: before.attempt + 1, ..before.clone() };
        if unknown && next == *self {
            return true;
        }
        let moved =
            Self { status: self.status.clone(), provider: self.provider.clone(), ..before.clone() };
        if moved != *self || before.stands() > self.stands() {
            return false;
        }
        match (&before.provider, &self.provider) {
            (None, None) => unknown && self.status == "failed" && back.made_for(&self.id).is_none(),
            (None, Some(name)) => {
                is_true && back.made_for(&self.id).is_some_and(|made| made.id == *name)
            }
            (Some(known), Some(name)) => is_true && known == name,
            (Some(_), None) => false,
        }
    }
}
