//! Which order a line of a bank statement pays: proposals for a person, each with its evidence.
//!
//! Nothing here credits anything. A line is proposed for an order whose reference code or bank
//! reference it carries, or whose amount, payer and time it shares. It is *exact* if it carries the
//! code by itself, pays exactly what is due at the account that was shown, and neither another line nor
//! another order says the same, nor has another line its bank reference; and if nothing casts doubt on it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use rust_decimal::Decimal;
use unicode_normalization::UnicodeNormalization;

use crate::{
    BankReference, BankTransfer, Day, Money, Name, Order, OrderId, OrderStatus, ReceivingAccount,
    TransferReference,
};

/// At most so many orders are proposed for a line.
pub const MAX_PROPOSALS: usize = 5;

/// Days after a transfer was sent in which a bank may book it; it may also date it a day earlier.
const BOOKED_WITHIN_DAYS: RangeInclusive<i32> = -1..=10;

/// Money that arrived, as a bank statement has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    /// Its place in the statement, from 1.
    pub number: u32,
    /// When the bank booked it.
    pub booked_on: Day,
    /// How much of what.
    pub money: Money,
    /// The bank's reference of it; without one it cannot be told from another.
    pub bank_reference: Option<BankReference>,
    /// Who sent it.
    pub payer: Option<Name>,
    /// What the payer wrote.
    pub information: String,
    /// Why a person must look, whatever it fits.
    pub doubt: Option<Doubt>,
}

/// What casts doubt on a line of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Its bank reference was credited before: of another amount, or for another line.
    ReferenceUsed,
    /// The bank took the money back, or says that this is money that it gives back.
    Reversed,
}

/// An order that a line may pay.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The order.
    pub order: Order,
    /// The customer's own name, for an order whose transfer was not reported.
    pub customer: Option<Name>,
}

/// What speaks for a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// The line carries the order's reference code.
    ReferenceCode,
    /// The customer reported this bank reference.
    BankReference,
    /// The line pays exactly what is due.
    Amount,
    /// The line's payer is the one who was reported, or the customer.
    Payer,
    /// The bank booked it when it could have.
    Date,
}

/// An order that a line may pay, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The order.
    pub order: OrderId,
    /// Where it stands: one that is completed was paid by something else.
    pub status: OrderStatus,
    /// What speaks for it, the strongest first.
    pub evidence: Vec<Evidence>,
    /// The sum of the evidence, at most 100.
    pub score: u8,
    /// Whether a person needs to look at nothing else.
    pub exact: bool,
}

impl Doubt {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::ReferenceUsed, Self::Reversed];

    /// The name that is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReferenceUsed => "reference_used",
            Self::Reversed => "reversed",
        }
    }
}

impl Evidence {
    /// The name that is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReferenceCode => "reference_code",
            Self::BankReference => "bank_reference",
            Self::Amount => "amount",
            Self::Payer => "payer",
            Self::Date => "date",
        }
    }

    /// What it adds to a score.
    const fn weight(self) -> u8 {
        match self {
            Self::ReferenceCode => 60,
            Self::BankReference => 50,
            Self::Amount => 25,
            Self::Payer => 10,
            Self::Date => 5,
        }
    }
}

/// Proposes orders for each line of a statement of this account, the best first.
#[must_use]
pub fn match_statement(
    account: &ReceivingAccount,
    lines: &[StatementLine],
    candidates: &[Candidate],
) -> BTreeMap<u32, Vec<Proposal>> {
    let all: Vec<Known<'_>> = candidates.iter().filter_map(Known::of).collect();
    let open = Open::of(&all);
    let mut proposed: BTreeMap<u32, Vec<Proposal>> = BTreeMap::new();
    for line in lines {
        let codes = Codes {
            all: TransferReference::all_in(&line.information),
            alone: TransferReference::alone_in(&line.information),
        };
        let mut proposals: Vec<Proposal> = open
            .worth_a_look(line, &codes.all)
            .into_iter()
            .filter_map(|known| propose(account, line, &codes, known))
            .collect();
        proposals.sort_by(|one, other| {
            other.score.cmp(&one.score).then_with(|| one.order.cmp(&other.order))
        });
        // Two orders that are both paid exactly: neither is.
        if proposals.iter().filter(|proposal| proposal.exact).nth(1).is_some() {
            proposals.iter_mut().for_each(|proposal| proposal.exact = false);
        }
        proposals.truncate(MAX_PROPOSALS);
        proposed.insert(line.number, proposals);
    }
    // Two lines with one bank reference are one transfer, which pays one order.
    let references = lines.iter().filter_map(|line| line.bank_reference.as_ref());
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for reference in references {
        let known = times.entry(reference.compared()).or_default();
        *known = known.saturating_add(1);
    }
    for line in lines {
        let reference = line.bank_reference.as_ref().map(BankReference::compared);
        if reference.is_some_and(|reference| times.get(reference).is_some_and(|times| *times > 1)) {
            let proposals = proposed.get_mut(&line.number).into_iter().flatten();
            proposals.for_each(|proposal| proposal.exact = false);
        }
    }
    // Two lines that both pay one order exactly: a person looks at both.
    let exact = proposed.values().flatten().filter(|proposal| proposal.exact);
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<OrderId> = exact
        .filter(|proposal| !seen.insert(proposal.order.clone()))
        .map(|proposal| proposal.order.clone())
        .collect();
    for proposal in proposed.values_mut().flatten() {
        proposal.exact = proposal.exact && !twice.contains(&proposal.order);
    }
    // After that: a line that is in doubt says the same as its twin all the same.
    for line in lines.iter().filter(|line| line.doubt.is_some()) {
        let proposals = proposed.get_mut(&line.number).into_iter().flatten();
        proposals.for_each(|proposal| proposal.exact = false);
    }
    proposed
}

/// The reference codes that a line carries.
struct Codes {
    all: Vec<TransferReference>,
    /// Those that begin and end where a word does.
    alone: Vec<TransferReference>,
}

/// A candidate, with what is compared of it.
struct Known<'a> {
    candidate: &'a Candidate,
    transfer: &'a BankTransfer,
    /// The name that its money should come from.
    payer: Option<String>,
}

impl<'a> Known<'a> {
    fn of(candidate: &'a Candidate) -> Option<Self> {
        let transfer = candidate.order.bank_transfer.as_ref()?;
        let reported = transfer.report.as_ref().map(|report| &report.payer_name);
        let payer = reported.or(candidate.customer.as_ref()).and_then(compared_name);
        Some(Self { candidate, transfer, payer })
    }
}

/// An amount of a currency from somebody of that name.
type FromWhom<'a> = (&'static str, Decimal, &'a str);

/// The candidates by what a line can be matched with.
struct Open<'a> {
    by_code: BTreeMap<&'a str, Vec<&'a Known<'a>>>,
    by_name: BTreeMap<FromWhom<'a>, Vec<&'a Known<'a>>>,
    by_report: BTreeMap<&'a str, Vec<&'a Known<'a>>>,
}

impl<'a> Open<'a> {
    fn of(all: &'a [Known<'a>]) -> Self {
        let (mut by_code, mut by_name) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::new());
        let mut by_report = BTreeMap::<_, Vec<_>>::new();
        for known in all {
            if let Some(reference) = &known.transfer.reference {
                by_code.entry(reference.as_str()).or_default().push(known);
            }
            if let Some(payer) = &known.payer {
                let key = from_whom(known.candidate.order.payable, payer);
                by_name.entry(key).or_insert_with(Vec::new).push(known);
            }
            if let Some(report) = &known.transfer.report {
                by_report.entry(report.bank_reference.compared()).or_default().push(known);
            }
        }
        Self { by_code, by_name, by_report }
    }

    /// The candidates that share something with a line, each once.
    fn worth_a_look(
        &self,
        line: &StatementLine,
        codes: &[TransferReference],
    ) -> Vec<&'a Known<'a>> {
        let named = codes.iter().filter_map(|code| self.by_code.get(code.as_str())).flatten();
        let payer = line.payer.as_ref().and_then(compared_name);
        let equal =
            payer.as_deref().and_then(|payer| self.by_name.get(&from_whom(line.money, payer)));
        let reference = line.bank_reference.as_ref().map(BankReference::compared);
        let told = reference.and_then(|reference| self.by_report.get(reference)).into_iter();
        let mut seen = BTreeSet::new();
        named
            .chain(equal.into_iter().flatten())
            .chain(told.flatten())
            .filter(|known| seen.insert(&known.candidate.order.id))
            .copied()
            .collect()
    }
}

const fn from_whom(money: Money, payer: &str) -> FromWhom<'_> {
    (money.currency.code(), money.amount.decimal(), payer)
}

fn propose(
    account: &ReceivingAccount,
    line: &StatementLine,
    codes: &Codes,
    known: &Known<'_>,
) -> Option<Proposal> {
    let (order, transfer) = (&known.candidate.order, known.transfer);
    let is_in = |codes: &[TransferReference]| {
        transfer.reference.as_ref().is_some_and(|reference| codes.contains(reference))
    };
    let report = transfer.report.as_ref();
    let payer = line.payer.as_ref().and_then(compared_name);
    let sent = report.map_or_else(|| Day::of(order.created_at), |report| report.paid_on);
    let evidence = [
        (Evidence::ReferenceCode, is_in(&codes.all)),
        (Evidence::BankReference, is_reported(line, order)),
        (Evidence::Amount, line.money == order.payable),
        (Evidence::Payer, payer.is_some() && payer == known.payer),
        (Evidence::Date, BOOKED_WITHIN_DAYS.contains(&sent.days_to(line.booked_on))),
    ];
    let evidence: Vec<Evidence> =
        evidence.into_iter().filter_map(|(evidence, holds)| holds.then_some(evidence)).collect();
    let has = |wanted: Evidence| evidence.contains(&wanted);
    let by_name = has(Evidence::Amount) && has(Evidence::Payer) && has(Evidence::Date);
    if !has(Evidence::ReferenceCode) && !has(Evidence::BankReference) && !by_name {
        return None;
    }
    let status = order.status();
    let awaited = matches!(status, OrderStatus::PendingPayment | OrderStatus::PendingReview);
    let exact = is_in(&codes.alone)
        && has(Evidence::Amount)
        && awaited
        && line.bank_reference.is_some()
        && transfer.receiving_account == *account;
    let score = evidence.iter().fold(0_u8, |sum, one| sum.saturating_add(one.weight())).min(100);
    Some(Proposal { order: order.id.clone(), status, evidence, score, exact })
}

fn is_reported(line: &StatementLine, order: &Order) -> bool {
    let report = order.bank_transfer.as_ref().and_then(|transfer| transfer.report.as_ref());
    report
        .zip(line.bank_reference.as_ref())
        .is_some_and(|(report, reference)| report.bank_reference.is_same_as(reference))
}

/// A name without what two writings of it differ in: capitals, blanks and punctuation. None if nothing is left.
fn compared_name(name: &Name) -> Option<String> {
    let letters = name.as_str().nfkc().filter(|character| character.is_alphanumeric());
    let compared = letters.collect::<String>().to_uppercase();
    (!compared.is_empty()).then_some(compared)
}
