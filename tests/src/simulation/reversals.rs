//! Where the money of an order belongs that went back, or may go back, and who may say so: written
//! from the contract and without the product's code.

use std::collections::{BTreeMap, BTreeSet};

use super::bank;
use super::going_back::{Dispute, GoneBack, Refund, Standing};
use super::images::{
    AccountImage, AdjustmentImage, DisputeImage, EntryImage, FindingImage, OrderImage, RefundImage,
    ReversalsImage, Step, TakenImage,
};
use super::journal::Account;
use super::micros::{self, Micros};
use super::model::Model;

/// Between a read and the commit that follows from it, so many others may have written at most.
pub(super) const READ_BEHIND: usize = 24;

/// A refund that an operator asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedRefund {
    /// Of which order.
    pub order: String,
    /// How much.
    pub amount: Micros,
    /// The bank's reference of the outgoing transfer.
    pub bank_reference: Option<String>,
}

/// Something new about an order: a refund or a dispute.
struct Fact {
    document: String,
    is_refund: bool,
}

/// Where money belongs, and what moves it there.
struct Belongs {
    taken: Micros,
    held: Micros,
    what: &'static str,
    lines: BTreeMap<(String, String), Micros>,
}

impl OrderImage {
    fn refunds_in(&self, status: &str) -> Micros {
        let refunds = self.reversals.refunds.iter();
        refunds.filter(|refund| refund.status == status).fold(0, |sum, refund| sum + refund.amount)
    }

    fn disputed(&self, counts: impl Fn(&DisputeImage) -> bool) -> Micros {
        let disputes = self.reversals.disputes.iter().filter(|dispute| counts(dispute));
        disputes.fold(0, |sum, dispute| sum + dispute.amount)
    }

    fn gone(&self) -> Micros {
        self.refunds_in("succeeded") + self.disputed(DisputeImage::takes)
    }

    fn at_risk(&self) -> Micros {
        self.refunds_in("pending") + self.disputed(DisputeImage::may_take)
    }

    fn credited(&self) -> Micros {
        self.settled.as_ref().map_or(0, |settled| settled.credited)
    }

    /// What can still be given back.
    #[must_use]
    pub fn refundable(&self) -> Micros {
        (self.credited() - self.gone() - self.at_risk()).max(0)
    }

    /// The status that follows from what was given back.
    fn status_after(&self) -> &'static str {
        match self.refunds_in("succeeded") {
            0 => "completed",
            given if given >= self.credited() => "refunded",
            _ => "partially_refunded",
        }
    }

    /// What a part of the credit was when it was paid: yuan at 7.2, half to even, and all of it is
    /// what arrived.
    fn as_paid(&self, part: Micros) -> Micros {
        let Some(settled) = &self.settled else { return part };
        match settled.received_currency.as_str() {
            "USD" => part,
            _ if part == settled.credited => settled.received,
            _ => bank::yuan(part),
        }
    }

    /// Where the money belongs, of which this much is available and so much is owed.
    fn belongs(&self, before: &ReversalsImage, available: Micros, debt: Micros) -> Belongs {
        let credited = self.credited();
        let taken = self.gone().min(credited);
        let wanted = self.at_risk().min(credited - taken);
        let free = available + before.held;
        let out = (taken - before.taken).max(0);
        let back = (before.taken - taken).max(0);
        let (there, paid_off) = (out.min(free), back.min(debt));
        let left = free - there + back - paid_off;
        let held = wanted.min(left);
        let what = match (out > 0, back > 0, held < before.held) {
            (true, ..) => "taken",
            (_, true, _) => "returned",
            (.., true) => "released",
            _ => "held",
        };
        let paid_in = self.settled.as_ref().map_or("USD", |settled| &settled.received_currency);
        let outside = if self.method == "card" { "external:card" } else { "external:bank" };
        let crossed = self.as_paid(taken) - self.as_paid(before.taken);
        let mut lines = BTreeMap::new();
        let mut line = |place: &str, currency: &str, amount: Micros| {
            *lines.entry((place.to_owned(), currency.to_owned())).or_default() += amount;
        };
        line(&self.target, "USD", left - held - available);
        line(&format!("{}:held", self.target), "USD", held - before.held);
        line("external:debt", "USD", paid_off - (out - there));
        line(outside, paid_in, crossed);
        if paid_in != "USD" {
            line("external:fx", paid_in, -crossed);
            line("external:fx", "USD", taken - before.taken);
        }
        lines.retain(|_, amount| *amount != 0);
        Belongs { taken, held, what, lines }
    }
}

impl DisputeImage {
    fn is(&self, fact: &str) -> bool {
        self.facts.contains(fact)
    }

    /// Its money is gone.
    fn takes(&self) -> bool {
        self.is("lost") || self.is("withdrawn") && !self.is("won") && !self.is("reinstated")
    }

    /// Its money may go.
    fn may_take(&self) -> bool {
        self.is("contested")
            && ["withdrawn", "reinstated", "won", "lost"].iter().all(|fact| !self.is(fact))
    }

    /// Whether the provider has such a dispute of this payment, and all of this is true of it.
    fn is_true(&self, payment: Option<&str>, truth: Option<&Dispute>) -> bool {
        truth.is_some_and(|truth| {
            payment == Some(truth.payment.as_str())
                && micros::from_cents(truth.cents) == self.amount
                && truth.currency == self.currency.to_lowercase()
                && self.facts.iter().all(|fact| truth.facts.contains(fact.as_str()))
        })
    }
}

impl RefundImage {
    pub(super) fn stands(&self) -> Option<Standing> {
        let all = [Standing::Pending, Standing::Succeeded, Standing::Failed];
        all.into_iter().find(|standing| standing.name() == self.status)
    }

    /// Whether the provider has such a refund of this payment, and it is at least so far.
    pub(super) fn is_true(&self, payment: Option<&str>, truth: Option<&Refund>) -> bool {
        truth.is_some_and(|truth| {
            payment == Some(truth.payment.as_str())
                && micros::from_cents(truth.cents) == self.amount
                && truth.currency == self.currency.to_lowercase()
                && self.stands().is_some_and(|stands| stands <= truth.standing)
        })
    }
}

impl OrderImage {
    /// The refunds and disputes of the provider whose money was ever taken, by name.
    fn ever_taken(&self) -> BTreeMap<&str, Micros> {
        let reversals = &self.reversals;
        let made = reversals.refunds.iter().filter(|refund| refund.status == "succeeded");
        let made = made.filter_map(|refund| Some((refund.provider.as_deref()?, refund.amount)));
        let taken = reversals.disputes.iter();
        let taken = taken.filter(|dispute| dispute.is("withdrawn") || dispute.is("lost"));
        made.chain(taken.map(|dispute| (dispute.id.as_str(), dispute.amount))).collect()
    }
}

impl Model {
    /// Every refund and dispute whose money is taken is claimed in that commit, once for ever.
    pub(super) fn claim_taken(&mut self, step: &Step) -> Result<(), String> {
        let order = step.order.as_ref();
        let before = order.and_then(|order| self.orders.get(&order.id));
        let before = before.map(|known| known.now().ever_taken()).unwrap_or_default();
        let mut expected = Vec::new();
        if let Some(order) = order {
            let settled = order.settled.as_ref();
            let payment = settled.and_then(|settled| settled.payment.as_deref());
            for (name, amount) in order.ever_taken() {
                if !before.contains_key(name) {
                    expected.push(TakenImage {
                        reversal: name.to_owned(),
                        payment: payment.unwrap_or_default().to_owned(),
                        order: order.id.clone(),
                        amount,
                    });
                }
            }
        }
        let mut claimed = step.taken.clone();
        claimed.sort();
        expected.sort();
        if claimed != expected {
            return Err(format!("{claimed:?} is claimed, and {expected:?} was taken"));
        }
        for claim in claimed {
            if !self.taken.insert(claim.reversal.clone()) {
                return Err(format!("{} is claimed twice", claim.reversal));
            }
        }
        Ok(())
    }

    /// A commit that moves money because it went back, or because it may.
    pub(super) fn move_back(
        &mut self,
        step: &Step,
        entry: &EntryImage,
        written: &AccountImage,
        back: &GoneBack,
    ) -> Result<(), String> {
        let order = step.order.as_ref().ok_or("money went back without an order")?;
        let known = self.orders.get(&order.id).map(|known| known.now().clone());
        let known = known.ok_or_else(|| format!("{} is not known", order.id))?;
        self.follows(step, order)?;
        if entry.account != order.account || written.id != order.account || step.claim.is_some() {
            return Err(format!("{} gave back money of {}", order.id, entry.account));
        }
        let account = self.accounts.get(&order.account).ok_or("an account nobody made")?;
        let available = account.balance(&order.target);
        let fact = self.new_fact(&known, order, available, back)?;
        let Belongs { taken, held, what, lines } =
            order.belongs(&known.reversals, available, account.debt);
        let kind = match (fact.is_refund, what) {
            (true, "taken") => "refund".to_owned(),
            (true, what) => format!("refund_{what}"),
            (false, what) => format!("dispute_{what}"),
        };
        if (entry.kind.as_str(), &entry.document) != (&kind, &fact.document) {
            let EntryImage { kind: was, document, .. } = entry;
            return Err(format!("{was} for {document}, not {kind} for {}", fact.document));
        }
        if lines.is_empty() || entry.lines_by_name() != lines {
            return Err(format!("{} moved {:?}, not {lines:?}", order.id, entry.lines));
        }
        order.must_be_after(&known, taken, held)?;
        let account = self.accounts.get_mut(&order.account).ok_or("an account nobody made")?;
        account.append(entry, written)
    }

    /// A commit of an order that moves no money, though it may tell of a refund or a dispute.
    pub(super) fn tell_only(&self, order: &OrderImage, back: &GoneBack) -> Result<(), String> {
        let Some(known) = self.orders.get(&order.id).map(|known| known.now()) else {
            let none = order.reversals == ReversalsImage::default();
            return none.then_some(()).ok_or_else(|| format!("{} begins given back", order.id));
        };
        if known.reversals == order.reversals || is_next_attempt(known, order) {
            return Ok(());
        }
        self.new_fact(known, order, 0, back)?;
        let account = self.accounts.get(&order.account).ok_or("an account nobody made")?;
        // The account is not part of the commit: it is as it was when it was read.
        let read = account.history.iter().rev().take(READ_BEHIND);
        let mut moves = read.map(|moment| {
            let available = moment.balances.get(&order.target).copied().unwrap_or_default();
            order.belongs(&known.reversals, available, account.debt)
        });
        let Some(Belongs { taken, held, .. }) = moves.find(|moves| moves.lines.is_empty()) else {
            return Err(format!("{} moved nothing, and should: {order:?}", order.id));
        };
        order.must_be_after(known, taken, held)
    }

    /// What an order tells that it did not tell before: one refund or one dispute, which somebody
    /// wanted or the provider made.
    fn new_fact(
        &self,
        known: &OrderImage,
        order: &OrderImage,
        available: Micros,
        back: &GoneBack,
    ) -> Result<Fact, String> {
        let (was, is) = (&known.reversals, &order.reversals);
        // Listed by their time, so that a new one may stand between others.
        let refunds = is.refunds.iter();
        let refunds = refunds.map(|is| (was.refunds.iter().find(|was| was.id == is.id), is));
        let refunds: Vec<_> = refunds.filter(|(was, is)| *was != Some(*is)).collect();
        let disputes = is.disputes.iter();
        let disputes = disputes.map(|is| (was.disputes.iter().find(|was| was.id == is.id), is));
        let disputes: Vec<_> = disputes.filter(|(was, is)| *was != Some(*is)).collect();
        let keeps = was.refunds.iter().all(|was| is.refunds.iter().any(|is| is.id == was.id))
            && was.disputes.iter().all(|was| is.disputes.iter().any(|is| is.id == was.id));
        match (refunds.as_slice(), disputes.as_slice()) {
            ([(before, refund)], []) if keeps => {
                let checked = match before {
                    None if refund.provider.is_none() => self.is_wanted(known, refund, available),
                    None => is_made_elsewhere(known, refund, back),
                    Some(before) => has_moved(known, before, refund, back),
                };
                checked.map_err(|wrong| format!("{}: {refund:?} {wrong}", order.id))?;
                Ok(Fact { document: refund.id.clone(), is_refund: true })
            }
            ([], [(before, dispute)]) if keeps => {
                let payment = known.settled.as_ref().and_then(|settled| settled.payment.as_deref());
                let same = before.is_none_or(|before| {
                    before.id == dispute.id && before.facts.is_subset(&dispute.facts)
                });
                match same && dispute.is_true(payment, back.dispute(&dispute.id)) {
                    true => Ok(Fact { document: dispute.id.clone(), is_refund: false }),
                    false => Err(format!("{}: {dispute:?} is not true", order.id)),
                }
            }
            _ => Err(format!("{} tells of {refunds:?} and {disputes:?} at once", order.id)),
        }
    }

    /// A refund that an operator asked for: no more than came in, and than is there.
    fn is_wanted(
        &self,
        order: &OrderImage,
        refund: &RefundImage,
        available: Micros,
    ) -> Result<(), String> {
        let wishes = self.wanted_refunds.get(&refund.id).into_iter().flatten();
        let wanted = wishes.into_iter().any(|wish| {
            (&wish.order, wish.amount, &wish.bank_reference)
                == (&order.id, refund.amount, &refund.bank_reference)
        });
        let begins = match order.method.as_str() {
            "card" => refund.status == "pending" && refund.bank_reference.is_none(),
            _ => refund.status == "succeeded" && refund.bank_reference.is_some(),
        };
        match (wanted && refund.attempt == 1 && refund.currency == "USD", begins) {
            (false, _) => Err("was not asked for".to_owned()),
            (_, false) => Err(format!("begins wrongly, for {}", order.method)),
            _ if refund.amount > order.refundable() => {
                Err(format!("is more than {}", micros::normal(order.refundable())))
            }
            _ if refund.amount > available => {
                Err(format!("is more than there is: {}", micros::normal(available)))
            }
            _ => Ok(()),
        }
    }

    /// An adjustment is what somebody asked for, exactly, and once.
    pub(super) fn adjust(
        &mut self,
        adjustment: &AdjustmentImage,
        entry: &EntryImage,
        written: &AccountImage,
    ) -> Result<(), String> {
        let AdjustmentImage { id, account, balance, amount } = adjustment;
        let wanted = self.wanted_adjustments.get(id).into_iter().flatten();
        if !wanted.into_iter().any(|wanted| wanted == adjustment) {
            return Err(format!("nobody asked for {adjustment:?}"));
        }
        if entry.kind != "adjustment" || entry.document != *id {
            return Err(format!("{id} is the entry {} for {}", entry.kind, entry.document));
        }
        if [&entry.account, &written.id] != [account, account] {
            return Err(format!("{id} adjusted {}", entry.account));
        }
        let dollar = |place: &str, amount| ((place.to_owned(), "USD".to_owned()), amount);
        let lines =
            BTreeMap::from([dollar("external:adjustment", -amount), dollar(balance, *amount)]);
        if entry.lines_by_name() != lines {
            return Err(format!("{id} moved {:?}, not {lines:?}", entry.lines));
        }
        if self.adjustments.insert(id.clone(), adjustment.clone()).is_some() {
            return Err(format!("{id} was made twice"));
        }
        let account = self.accounts.get_mut(account).ok_or("an account nobody made")?;
        account.append(entry, written)
    }

    /// In the end no refund is under way, and whatever the provider made and told is in the books or
    /// a finding.
    ///
    /// # Errors
    /// What is not.
    pub fn everything_went_back(&self, back: &GoneBack) -> Result<(), String> {
        for (id, order) in &self.orders {
            let mut refunds = order.now().reversals.refunds.iter();
            if let Some(refund) = refunds.find(|refund| refund.status == "pending") {
                return Err(format!("{id} waits for {refund:?}"));
            }
        }
        let mut open = self.findings.values().filter(|finding| finding.closed.is_none());
        let waits = |finding: &&FindingImage| {
            finding.refund.as_ref().is_some_and(|refund| refund.status == "pending")
        };
        if let Some(finding) = open.find(waits) {
            return Err(format!("{finding:?} waits for its refund"));
        }
        self.everything_moved_went_back(back, |refund| refund.asked().is_none())
    }

    /// Whatever the provider made and told, or moved its balance by, is in the books or a finding; and
    /// so is any other refund, unless it `may_be_unknown`.
    ///
    /// # Errors
    /// What is not.
    pub fn everything_moved_went_back(
        &self,
        back: &GoneBack,
        may_be_unknown: impl Fn(&Refund) -> bool,
    ) -> Result<(), String> {
        let books = |payment: &str| {
            let order = self.credited.get(payment).and_then(|id| self.orders.get(id));
            order.map(|order| &order.now().reversals)
        };
        for refund in &back.refunds {
            let known = books(&refund.payment).and_then(|books| {
                books.refunds.iter().find(|known| known.provider.as_ref() == Some(&refund.id))
            });
            // What never moved the balance can only be told.
            let moved = refund.moved.then_some(refund.standing).max(refund.told);
            let well = match known.map(RefundImage::stands) {
                Some(stands) => {
                    let stands = stands.ok_or("a status nobody knows")?;
                    let told = moved.is_none_or(|moved| moved <= stands);
                    stands <= refund.standing && (told || self.is_found_back(&refund.id))
                }
                // Who asked for it finds out; what was made elsewhere must be told.
                None => {
                    self.is_found_back(&refund.id)
                        || moved.is_none() && may_be_unknown(refund)
                        || refund.standing == Standing::Failed
                            && self.pointers.contains_key(&refund.payment)
                }
            };
            if !well {
                return Err(format!("{refund:?} is known as {known:?}"));
            }
        }
        for dispute in &back.disputes {
            let known = books(&dispute.payment)
                .and_then(|books| books.disputes.iter().find(|known| known.id == dispute.id));
            let moves = ["withdrawn", "reinstated"];
            let moved = dispute.facts.iter().filter(|fact| moves.contains(fact));
            let told: BTreeSet<_> = dispute.told.iter().chain(moved).collect();
            let has = |known: &DisputeImage| told.iter().all(|fact| known.is(fact));
            // A question that was never more than that moves nothing.
            let well = known.map_or(told.is_empty(), has) || self.is_found_back(&dispute.id);
            if !well {
                return Err(format!("{dispute:?} is known as {known:?}"));
            }
        }
        Ok(())
    }

    /// Whether there is a finding about a refund or a dispute, or one that it is the refund of.
    fn is_found_back(&self, id: &str) -> bool {
        self.findings.values().any(|finding| {
            let named = |refund: &RefundImage| refund.provider.as_deref() == Some(id);
            // One that was cured says that it is in its place.
            let about = finding.reversal == id && finding.how() != "cured";
            about || finding.refunds().any(named)
        })
    }
}

impl OrderImage {
    fn must_be_after(&self, known: &OrderImage, taken: Micros, held: Micros) -> Result<(), String> {
        let (id, is) = (&self.id, &self.reversals);
        if self.settled != known.settled || self.settled.is_none() {
            return Err(format!("{id} changed what was credited: {:?}", self.settled));
        }
        if (is.taken, is.held) != (taken, held) || taken < 0 || held < 0 {
            return Err(format!("{id} says {is:?}; taken is {taken}, held is {held}"));
        }
        match self.status_after() {
            status if status == self.status() => Ok(()),
            status => Err(format!("{id} is {}, and should be {status}", self.status())),
        }
    }
}

/// A refund that nobody asked for here: the provider has it, and it belongs to no other.
fn is_made_elsewhere(
    order: &OrderImage,
    refund: &RefundImage,
    back: &GoneBack,
) -> Result<(), String> {
    let name = refund.provider.as_deref().unwrap_or_default();
    let truth = back.refund(name);
    let payment = order.settled.as_ref().and_then(|settled| settled.payment.as_deref());
    let refunds = &order.reversals.refunds;
    let known = |known: &RefundImage| known.provider.as_deref() == Some(name);
    let waits = |known: &RefundImage| {
        let asked = truth.and_then(Refund::asked);
        asked == Some(&known.id) && known.status == "pending" && known.provider.is_none()
    };
    match refund.id == bank::derived("rfd_", &["provider", name]) {
        _ if !refund.is_true(payment, truth) => Err(format!("is not true: {truth:?}")),
        _ if refunds.iter().any(known) => Err("is known".to_owned()),
        _ if refunds.iter().any(waits) => Err("is waited for".to_owned()),
        true if refund.bank_reference.is_none() && refund.attempt == 1 => Ok(()),
        _ => Err("is not what the provider made".to_owned()),
    }
}

/// A refund moved on: its provider was named, or it arrived, or it failed.
fn has_moved(
    order: &OrderImage,
    was: &RefundImage,
    is: &RefundImage,
    back: &GoneBack,
) -> Result<(), String> {
    let same =
        RefundImage { status: is.status.clone(), provider: is.provider.clone(), ..was.clone() };
    if same != *is || was.stands() > is.stands() {
        return Err(format!("was {was:?}"));
    }
    let payment = order.settled.as_ref().and_then(|settled| settled.payment.as_deref());
    match (&was.provider, &is.provider) {
        (None, None) => {
            let given_up = (was.status.as_str(), is.status.as_str()) == ("pending", "failed");
            match given_up && back.made_for(&is.id).is_none() {
                true => Ok(()),
                false => Err("was given up, and is made".to_owned()),
            }
        }
        (was, Some(name)) => {
            let truth = back.refund(name);
            let ours = was.is_some() || truth.and_then(Refund::asked) == Some(&is.id);
            let named = was.as_ref().is_none_or(|was| was == name);
            match ours && named && is.is_true(payment, truth) {
                true => Ok(()),
                false => Err(format!("is not true: {truth:?}")),
            }
        }
        (Some(_), None) => Err("forgot its provider".to_owned()),
    }
}

/// Whether an order only says that the provider is asked with another key.
fn is_next_attempt(known: &OrderImage, order: &OrderImage) -> bool {
    let mut expected = known.reversals.clone();
    let pairs = expected.refunds.iter_mut().zip(&order.reversals.refunds);
    let mut differing = pairs.filter(|(was, is)| *was != *is);
    let (Some((was, _)), None) = (differing.next(), differing.next()) else { return false };
    let waits = was.status == "pending" && was.provider.is_none();
    was.attempt += 1;
    waits && expected == order.reversals && known.statuses == order.statuses
}

impl Account {
    /// Whether so much was not there at one of the versions from this one on.
    #[must_use]
    pub fn lacked(&self, since: u64, place: &str, amount: Micros) -> bool {
        let mut versions = since..=self.version;
        versions.any(|at| self.balance_at(at, place).is_some_and(|was| was < amount))
    }
}
