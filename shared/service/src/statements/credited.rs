//! Which lines of a statement were credited before, and which have a reference that was credited for something else.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{
    Acceptance, BankReference, OrderId, PaymentId, ReceivedTransfer, StatementLine,
    TransferReference, Verdict,
};

use super::accepting::review_id;
use super::{Parsed, Statements};
use crate::error::Error;
use crate::record::{OrderRecord, PaymentClaim, Statement};

/// What became of the lines of a statement, by their numbers.
pub(super) struct Credited {
    /// For what a line was credited.
    pub credited: BTreeMap<u32, PaymentClaim>,
    /// For what else the reference of a line was credited, or another one under which it may have been.
    pub used: BTreeMap<u32, PaymentClaim>,
}

/// The lines that a claim may be of, and what they say.
struct Claimed<'lines> {
    claim: &'lines PaymentClaim,
    lines: Vec<&'lines StatementLine>,
}

impl Statements {
    /// Finds what was credited of a statement. `named` are the orders whose codes its lines carry.
    pub(super) async fn credited(
        &self,
        statement: &Statement,
        parsed: &Parsed,
        named: &[OrderRecord],
    ) -> Result<Credited, Error> {
        let lines = &parsed.lines;
        let of_others = |line: &StatementLine| {
            let others = parsed.others.get(&line.number).into_iter().flatten();
            others.map(|other| payment(statement, line, other.clone())).collect::<Vec<_>>()
        };
        let ids: BTreeSet<PaymentId> = lines
            .iter()
            .flat_map(|line| of_others(line).into_iter().chain(payment_of(statement, line)))
            .collect();
        let claims = self.table().payments(&ids.into_iter().collect::<Vec<_>>()).await?;
        let claims: BTreeMap<_, _> =
            claims.into_iter().map(|claim| (claim.payment.clone(), claim)).collect();
        let own = |line| payment_of(statement, line).and_then(|id| claims.get(&id));
        // Two lines with one reference are one transfer: one of that amount is what was credited.
        let mut claimed = BTreeMap::<&PaymentId, Claimed<'_>>::new();
        for line in lines {
            if let Some(claim) = own(line).filter(|claim| claim.money == line.money) {
                let known = claimed.entry(&claim.payment);
                known.or_insert_with(|| Claimed { claim, lines: Vec::new() }).lines.push(line);
            }
        }
        let credited = self.told_apart(statement, claimed, named).await?;
        // What another line here was credited for is that line's, whatever the references have in common.
        let of_lines: BTreeSet<&PaymentId> =
            credited.values().map(|claim: &PaymentClaim| &claim.payment).collect();
        let other = |id: &PaymentId| claims.get(id).filter(|_| !of_lines.contains(id));
        let used = lines.iter().filter(|line| !credited.contains_key(&line.number));
        let used = used.filter_map(|line| {
            let before = own(line).or_else(|| of_others(line).iter().find_map(other));
            Some((line.number, before?.clone()))
        });
        Ok(Credited { used: used.collect(), credited })
    }

    /// Which line each claim is of: the one that was accepted from this statement or else, as it may have been accepted
    /// elsewhere, the first that carries the code of no other order. Banks and spreadsheets give one reference to several
    /// transfers: the next customer's must not pass for what was credited.
    async fn told_apart(
        &self,
        statement: &Statement,
        claimed: BTreeMap<&PaymentId, Claimed<'_>>,
        named: &[OrderRecord],
    ) -> Result<BTreeMap<u32, PaymentClaim>, Error> {
        let code_of = |record: &OrderRecord| record.order.bank_transfer.as_ref()?.reference.clone();
        let by_code: BTreeMap<TransferReference, &OrderRecord> =
            named.iter().filter_map(|one| Some((code_of(one)?, one))).collect();
        // Of one that is paid no money is hidden: customers use its code once more.
        let names_another = |line: &StatementLine, order: &OrderId| {
            let codes = TransferReference::all_in(&line.information);
            let mut named = codes.iter().filter_map(|code| by_code.get(code));
            let names_it = named.clone().any(|one| one.order.id == *order);
            !names_it && named.any(|one| one.order.credited.is_none())
        };
        let unclear = claimed.values().filter(|one| {
            let order = &one.claim.order;
            one.lines.len() > 1 || one.lines.iter().any(|line| names_another(line, order))
        });
        let unclear: BTreeSet<OrderId> = unclear.map(|one| one.claim.order.clone()).collect();
        let orders = self.table().orders_of(&unclear.into_iter().collect::<Vec<_>>()).await?;
        let credited = claimed.into_values().filter_map(|Claimed { claim, lines }| {
            let record = orders.iter().find(|record| record.order.id == claim.order);
            let accepted = |line: &&&StatementLine| {
                let review = review_id(&statement.id, line.number, &claim.order);
                record.is_some_and(|record| acceptances(record).any(|one| one.id == review))
            };
            // What was recorded without an order is of no code, whatever the payer wrote, and of about that day.
            let recorded = |line: &StatementLine| {
                let mut booked =
                    record.filter(|one| code_of(one).is_none()).into_iter().flat_map(acceptances);
                booked
                    .any(|one| (-1..=1).contains(&one.transfer.received_on.days_to(line.booked_on)))
            };
            let fits =
                |line: &&&StatementLine| !names_another(line, &claim.order) || recorded(line);
            let line = lines.iter().find(accepted).or_else(|| lines.iter().find(fits))?;
            Some((line.number, claim.clone()))
        });
        Ok(credited.collect())
    }
}

/// What was accepted for an order.
fn acceptances(record: &OrderRecord) -> impl Iterator<Item = &Acceptance> {
    let reviews = record.order.bank_transfer.iter().flat_map(|transfer| &transfer.reviews);
    reviews.filter_map(|known| match &known.verdict {
        Verdict::Accepted(acceptance) => Some(&**acceptance),
        Verdict::Rejected(_) => None,
    })
}

/// The id that the payment of a line has, if the bank gave it a reference.
fn payment_of(statement: &Statement, line: &StatementLine) -> Option<PaymentId> {
    Some(payment(statement, line, line.bank_reference.clone()?))
}

/// The id that the payment of a line has under a reference.
fn payment(
    statement: &Statement,
    line: &StatementLine,
    bank_reference: BankReference,
) -> PaymentId {
    let transfer = ReceivedTransfer {
        money: line.money,
        bank_reference,
        receiving_account: statement.account.clone(),
        received_on: line.booked_on,
        rate: None,
        difference_confirmed: false,
    };
    transfer.payment_id()
}
