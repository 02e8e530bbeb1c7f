//! The balance rules of Topup.
//!
//! Everything here is a pure function of its arguments: an [`Account`] and a command come in, the
//! next account and the [`Entry`] that explains it come out. Time and ids are arguments.
//!
//! **Architecture invariant:** this crate performs no I/O, reads no clock, draws no random number
//! and cannot await. Its `Cargo.toml` is the proof: no serde, no tokio, no AWS, no Stripe.
//!
//! Reading order: [`money`](crate::Amount) and ids, the [`Account`] and its journal, the
//! [`Timeline`] that holds every legal move of an [`Order`], and then the rules themselves:
//! [`settle()`] for card money and [`accept_transfer()`] for bank money that comes in,
//! [`transfer()`] for money that changes place, [`charge()`] and [`place_hold()`] for money that is
//! used, and [`request_refund()`], [`refund_told()`] and [`dispute_told()`] for money that goes back.
//! [`verify()`] checks that all of it was kept, and [`PastBalances`] is what it was at a moment.

mod accept;
mod account;
mod actor;
mod adjust;
mod bank;
mod bank_transfer;
mod cancel;
mod card;
mod charge;
mod credit;
mod credit_sum;
mod currency;
mod dispute;
mod finding;
mod finding_state;
mod fx;
mod hold;
mod ids;
mod journal;
mod moment;
mod money;
mod order;
mod place;
mod refund;
mod refusal;
mod reversal;
mod reversal_sum;
mod settle;
mod spending;
mod statement;
mod threshold;
mod time;
mod timeline;
mod transfer;
mod transfer_reference;
mod verify;
mod whole_refunds;

pub use accept::{Booking, accept_transfer, book_transfer};
pub use account::{Account, AccountStatus};
pub use actor::Actor;
pub use adjust::{Adjustment, Direction, adjust};
pub use bank::{BankReference, ReceivedTransfer, ReceivingAccount};
pub use bank_transfer::{
    Acceptance, BankTransfer, MAX_PROOFS, MAX_REVIEWS, MAX_UPLOADS, Proof, ProofId, ProofType,
    Rejection, Report, Review, Verdict, attach_proof, reject_transfer, report_transfer,
    transfer_overdue,
};
pub use cancel::{CancelStep, cancel};
pub use card::{
    FailedAttempt, attempt_failed, payment_failed, payment_processing, session_expired,
};
pub use charge::{Charge, Charged, FromHold, WantedCharge, charge};
pub use credit_sum::{Credit, CreditSum};
pub use currency::Currency;
pub use dispute::{Dispute, DisputeOutcome, DisputeStatus, ToldDispute, dispute_told};
pub use finding::{Finding, FindingKind};
pub use finding_state::{FindingEnd, FindingOutcome, FindingState};
pub use fx::{MAX_RATE, MAX_RATE_DECIMALS, Rate};
pub use hold::{
    Capture, Hold, HoldStatus, MAX_HOLD_TIME, MAX_HOLDS, MIN_HOLD_TIME, OpenHold, WantedHold,
    capture_hold, expire_hold, place_hold, release_hold,
};
pub use ids::{
    AccountId, AdjustmentId, ChargeId, EndpointId, EventId, HoldId, IdempotencyKey, InvalidId,
    Name, Note, OrderId, PaymentId, ProductCode, ProviderId, RefundId, derive_bytes, derive_id,
};
pub use journal::{Entry, EntryHash, EntryKind, Line, Movement};
pub use moment::{JournalEnd, MomentSearch, PastBalances, nearer_end};
pub use money::{Amount, Balance, MAX_AMOUNT, MAX_BALANCE, MAX_DECIMALS, Money, MoneyError};
pub use order::{Attempt, AttemptOutcome, CancelRequest, MAX_ATTEMPTS, Method, NewOrder, Order};
pub use place::{External, Place, Target};
pub use refund::{
    MAX_REFUNDS, Refund, RefundStatus, ToldRefund, UNCLEAR_FOR, WantedRefund, asked_otherwise,
    refund_refused, refund_told, request_refund,
};
pub use refusal::{HeldBack, Refusal};
pub use reversal::{Reversals, Reversed};
pub use reversal_sum::ReversalSum;
pub use settle::{
    LostPayment, Payment, Settlement, book_payment, follow_lost_payment, not_credited, settle,
};
pub use statement::{
    Candidate, Doubt, Evidence, MAX_PROPOSALS, Proposal, StatementLine, match_statement,
};
pub use threshold::{
    Alert, AutomaticTopUp, LowBalance, Moved, Thresholds, TopUpSize, WantedThresholds,
    set_thresholds,
};
pub use time::{Day, Timestamp};
pub use timeline::{Change, IllegalMove, OrderStatus, Reason, Timeline};
pub use transfer::{Transfer, transfer};
pub use transfer_reference::TransferReference;
pub use verify::{Broken, Checkpoint, Verification, verify};
pub use whole_refunds::WholeRefunds;

/// What a rule decided: the next account and the entries that explain the difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The account after the entries; its version is one above the account that was asked.
    pub account: Account,
    /// The journal records that explain the difference, in order; none if no money moves.
    pub entries: Vec<Entry>,
    /// The orders by which products are topped up from the wallet by themselves.
    pub top_ups: Vec<Order>,
    /// The balances that have run low.
    pub low: Vec<LowBalance>,
}

impl Decision {
    /// This decision, which was made about that account, and one that was made after it, as one.
    pub(crate) fn and(self, next: Self, before: &Account, now: Timestamp) -> Self {
        let version = self.account.version;
        let mut account = Account { version, ..next.account };
        account.alerts_as_in(before);
        let low = account.tell_low_balances(before, now);
        Self {
            account,
            entries: self.entries.into_iter().chain(next.entries).collect(),
            top_ups: self.top_ups.into_iter().chain(next.top_ups).collect(),
            low,
        }
    }
}
