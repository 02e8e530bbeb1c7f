//! An order that is paid by bank transfer, until a person decides on it: reported, shown, rejected,
//! overdue. None of it moves money; [`crate::accept`] does.

use crate::{
    Actor, BankReference, Day, IllegalMove, InvalidId, Method, Money, Name, Note, Order,
    OrderStatus, Rate, Reason, ReceivedTransfer, ReceivingAccount, Refusal, Timestamp,
    TransferReference,
};

/// Files that a report can have.
pub const MAX_PROOFS: usize = 3;
/// Files that can be uploaded for one order, those included that others took the place of.
pub const MAX_UPLOADS: u32 = 20;
/// An order can be decided on so often; each rejection keeps what was reported.
pub const MAX_REVIEWS: usize = 20;

/// What an order knows about its bank transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankTransfer {
    /// What the payer writes into it; none for a transfer that came without an order.
    pub reference: Option<TransferReference>,
    /// Where it is to arrive.
    pub receiving_account: ReceivingAccount,
    /// What the customer says about it.
    pub report: Option<Report>,
    /// The files that show it. They prove nothing to the rules.
    pub proofs: Vec<Proof>,
    /// How many files were uploaded.
    pub uploads: u32,
    /// What persons decided, oldest first.
    pub reviews: Vec<Review>,
}

/// What a customer says about a transfer that is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// In whose name it was sent.
    pub payer_name: Name,
    /// The reference that the payer's bank gave it.
    pub bank_reference: BankReference,
    /// When it was sent.
    pub paid_on: Day,
    /// How much was sent, in the currency of the order.
    pub amount: Money,
    /// Anything else.
    pub note: Option<Note>,
    /// Who reported it.
    pub by: Actor,
    /// When this was reported.
    pub at: Timestamp,
}

/// A file that shows a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The SHA-256 of its bytes, so that what was looked at cannot become something else.
    pub id: ProofId,
    /// What it is, by its content.
    pub media_type: ProofType,
    /// How many bytes it has.
    pub size: u32,
}

/// 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProofId(String);

/// What a proof can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofType {
    /// A photograph.
    Jpeg,
    /// A screenshot.
    Png,
    /// A document.
    Pdf,
}

/// What a person decided about a bank transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// What.
    pub verdict: Verdict,
}

/// The two ways in which a review can end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The transfer arrived and was credited.
    Accepted(Box<Acceptance>),
    /// It was not found.
    Rejected(Box<Rejection>),
}

/// A transfer that was not found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Why, for the customer.
    pub reason: Note,
    /// What had been reported.
    pub report: Option<Report>,
    /// The files that had been looked at.
    pub proofs: Vec<Proof>,
}

/// A transfer that was credited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// Derived from the idempotency key of who accepted it, so that a repetition is recognised.
    pub id: String,
    /// What arrived.
    pub transfer: ReceivedTransfer,
    /// By which rate it was credited; none for money in the account's currency.
    pub rate: Option<Rate>,
}

impl Report {
    /// Whether both say the same, whoever says it and when.
    fn says_the_same_as(&self, other: &Self) -> bool {
        let words = |report: &Self| {
            let Self { payer_name, bank_reference, paid_on, amount, note, by: _, at: _ } =
                report.clone();
            (payer_name, bank_reference, paid_on, amount, note)
        };
        words(self) == words(other)
    }
}

impl ProofId {
    /// Reads 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`InvalidId`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let valid = text.len() == 64 && text.bytes().all(digit);
        valid
            .then(|| Self(text.to_owned()))
            .ok_or(InvalidId { rule: "64 lower-case hexadecimal digits" })
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ProofType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Jpeg, Self::Png, Self::Pdf];

    /// The media type, as RFC 6838 registers it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Pdf => "application/pdf",
        }
    }

    /// The type of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// The end of a file name.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Pdf => "pdf",
        }
    }
}

impl BankTransfer {
    /// A transfer that nobody has seen yet.
    #[must_use]
    pub const fn awaited(reference: TransferReference, account: ReceivingAccount) -> Self {
        Self {
            reference: Some(reference),
            receiving_account: account,
            report: None,
            proofs: Vec::new(),
            uploads: 0,
            reviews: Vec::new(),
        }
    }

    /// What the customer reported last, and its files, also when it was rejected since.
    #[must_use]
    pub fn last_report(&self) -> Option<(&Report, &[Proof])> {
        let rejected = self.reviews.iter().rev().find_map(|review| match &review.verdict {
            Verdict::Rejected(rejection) => {
                Some((rejection.report.as_ref()?, rejection.proofs.as_slice()))
            }
            Verdict::Accepted(_) => None,
        });
        self.report.as_ref().map(|report| (report, self.proofs.as_slice())).or(rejected)
    }
}

impl Order {
    /// The last decision of a person about its bank transfer.
    #[must_use]
    pub fn last_review(&self) -> Option<&Review> {
        self.bank_transfer.as_ref()?.reviews.last()
    }

    /// Refuses what was decided on another report than the last one; `seen` is when that was sent.
    ///
    /// # Errors
    /// [`Refusal::ReportChanged`].
    pub fn must_have_report_of(&self, seen: Timestamp) -> Result<(), Refusal> {
        match self.bank_transfer.as_ref().and_then(BankTransfer::last_report) {
            Some((report, _)) if report.at == seen => Ok(()),
            _ => Err(Refusal::ReportChanged),
        }
    }
}

/// The customer uploaded a file. `None` if the order has it already.
///
/// # Errors
/// [`Refusal::OrderNotReportable`]; [`Refusal::TooManyProofs`].
pub fn attach_proof(order: &Order, proof: Proof) -> Result<Option<Order>, Refusal> {
    let mut transfer = reportable(order)?.clone();
    if transfer.proofs.iter().any(|known| known.id == proof.id) {
        return Ok(None);
    }
    if transfer.proofs.len() >= MAX_PROOFS {
        return Err(Refusal::TooManyProofs { most: MAX_PROOFS });
    }
    if transfer.uploads >= MAX_UPLOADS {
        return Err(Refusal::TooManyProofs { most: MAX_UPLOADS as usize });
    }
    transfer.uploads = transfer.uploads.saturating_add(1);
    transfer.proofs.push(proof);
    Ok(Some(Order { bank_transfer: Some(transfer), ..order.clone() }))
}

/// The customer reports the transfer, or corrects the report that nobody has decided on yet. `None`
/// if that is what the order says already.
///
/// `proofs` names the files that belong to it; without it, all that were uploaded do.
///
/// # Errors
/// [`Refusal::OrderNotReportable`]; [`Refusal::UnknownProof`]; [`Refusal::TooManyReports`].
pub fn report_transfer(
    order: &Order,
    report: Report,
    proofs: Option<&[ProofId]>,
    now: Timestamp,
) -> Result<Option<Order>, Refusal> {
    let mut transfer = reportable(order)?.clone();
    if transfer.reviews.len() >= MAX_REVIEWS {
        return Err(Refusal::TooManyReports);
    }
    if let Some(named) = proofs {
        let uploaded = |id: &ProofId| transfer.proofs.iter().any(|proof| proof.id == *id);
        if let Some(unknown) = named.iter().find(|id| !uploaded(id)) {
            return Err(Refusal::UnknownProof(unknown.as_str().to_owned()));
        }
        transfer.proofs.retain(|proof| named.contains(&proof.id));
    }
    let known = order.bank_transfer.as_ref();
    let same = known.is_some_and(|known| {
        known.proofs == transfer.proofs
            && known.report.as_ref().is_some_and(|known| known.says_the_same_as(&report))
    });
    let waits = order.status() == OrderStatus::PendingReview;
    if waits && same {
        return Ok(None);
    }
    let timeline = match waits {
        true => order.timeline.clone(),
        false => order
            .timeline
            .advance(OrderStatus::PendingReview, now, Reason::TransferReported, report.by.clone())
            .map_err(|_| Refusal::OrderNotReportable { status: order.status() })?,
    };
    transfer.report = Some(Report { at: report.at.max(timeline.changed_at()), ..report });
    Ok(Some(Order { timeline, bank_transfer: Some(transfer), ..order.clone() }))
}

/// A person did not find the transfer. `None` if this person rejected it for this reason already.
///
/// # Errors
/// [`Refusal::AlreadyReviewed`] with who and when; [`Refusal::OrderNotReviewable`].
pub fn reject_transfer(
    order: &Order,
    reason: &Note,
    by: &Actor,
    now: Timestamp,
) -> Result<Option<Order>, Refusal> {
    let refused = Refusal::OrderNotReviewable { status: order.status(), method: order.method };
    let Some(transfer) = &order.bank_transfer else { return Err(refused) };
    if let Some(review) = decided(order) {
        let again = matches!(&review.verdict, Verdict::Rejected(known) if known.reason == *reason)
            && review.by == *by;
        let (by, at) = (review.by.clone(), review.at);
        return if again { Ok(None) } else { Err(Refusal::AlreadyReviewed { by, at }) };
    }
    let timeline = order
        .timeline
        .advance(OrderStatus::Rejected, now, Reason::TransferRejected, by.clone())
        .map_err(|_| refused)?;
    let mut transfer = transfer.clone();
    let rejection = Rejection {
        reason: reason.clone(),
        report: transfer.report.take(),
        proofs: transfer.proofs.clone(),
    };
    let verdict = Verdict::Rejected(Box::new(rejection));
    transfer.reviews.push(Review { at: timeline.changed_at(), by: by.clone(), verdict });
    Ok(Some(Order { timeline, bank_transfer: Some(transfer), ..order.clone() }))
}

/// No transfer was reported in time. `None` if that is not so, or not any more.
///
/// # Errors
/// [`IllegalMove`]: never for an order that awaits its payment.
pub fn transfer_overdue(order: &Order, now: Timestamp) -> Result<Option<Order>, IllegalMove> {
    if !is_overdue(order, now) {
        return Ok(None);
    }
    let timeline = order.timeline.advance(
        OrderStatus::Expired,
        now,
        Reason::TransferOverdue,
        Actor::schedule(),
    )?;
    Ok(Some(Order { timeline, ..order.clone() }))
}

/// Whether the order's time is over and nobody reported a transfer for it.
pub(crate) fn is_overdue(order: &Order, now: Timestamp) -> bool {
    order.method == Method::Offline
        && order.status() == OrderStatus::PendingPayment
        && order.expires_at.is_some_and(|end| end <= now)
}

/// The review that holds: the one that credited the order, or rejected it and was not answered by
/// another report.
pub(crate) fn decided(order: &Order) -> Option<&Review> {
    let holds = order.credited.is_some() || order.status() == OrderStatus::Rejected;
    order.last_review().filter(|_| holds)
}

fn reportable(order: &Order) -> Result<&BankTransfer, Refusal> {
    let open = matches!(
        order.status(),
        OrderStatus::PendingPayment | OrderStatus::PendingReview | OrderStatus::Rejected
    );
    let transfer = order.bank_transfer.as_ref().filter(|_| open);
    transfer.ok_or(Refusal::OrderNotReportable { status: order.status() })
}
