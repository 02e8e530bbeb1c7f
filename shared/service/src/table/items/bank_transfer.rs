//! The part of an order's item that belongs to a bank transfer.

use ledger::{
    Acceptance, Actor, BankReference, BankTransfer, Currency, Day, Name, Note, Proof, ProofId,
    ProofType, Rate, ReceivedTransfer, ReceivingAccount, Rejection, Report, Review, Timestamp,
    TransferReference, Verdict,
};
use serde::{Deserialize, Serialize};

use super::{money, optional};
use crate::bank_account::BankAccount;

#[derive(Serialize, Deserialize)]
pub(super) struct BankTransferItem {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    account_currency: String,
    account_number: String,
    /// The account as it was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instructions: Option<BankAccount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    report: Option<ReportItem>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    proofs: Vec<ProofItem>,
    uploads: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reviews: Vec<ReviewItem>,
}

#[derive(Serialize, Deserialize)]
struct ReportItem {
    payer_name: String,
    bank_reference: String,
    paid_on: i32,
    amount: String,
    currency: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    by: String,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct ProofItem {
    id: String,
    media_type: String,
    size: u32,
}

#[derive(Serialize, Deserialize)]
struct ReviewItem {
    at: i64,
    by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted: Option<AcceptanceItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rejected: Option<RejectionItem>,
}

#[derive(Serialize, Deserialize)]
struct RejectionItem {
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    report: Option<ReportItem>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    proofs: Vec<ProofItem>,
}

#[derive(Serialize, Deserialize)]
struct AcceptanceItem {
    id: String,
    received: String,
    received_currency: String,
    bank_reference: String,
    account_currency: String,
    account_number: String,
    received_on: i32,
    difference_confirmed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate_of_the_day: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate: Option<String>,
}

pub(super) fn from_bank_transfer(
    transfer: &BankTransfer,
    instructions: Option<&BankAccount>,
) -> BankTransferItem {
    BankTransferItem {
        reference: transfer.reference.as_ref().map(|reference| reference.as_str().to_owned()),
        account_currency: transfer.receiving_account.currency().code().to_owned(),
        account_number: transfer.receiving_account.number().to_owned(),
        instructions: instructions.cloned(),
        report: transfer.report.as_ref().map(from_report),
        proofs: transfer.proofs.iter().map(from_proof).collect(),
        uploads: transfer.uploads,
        reviews: transfer.reviews.iter().map(from_review).collect(),
    }
}

/// The transfer, and the account as it was shown.
pub(super) fn to_bank_transfer(
    item: BankTransferItem,
) -> Option<(BankTransfer, Option<BankAccount>)> {
    let transfer = BankTransfer {
        reference: optional(item.reference, |reference| TransferReference::parse(&reference))?,
        receiving_account: to_account(&item.account_currency, &item.account_number)?,
        report: optional(item.report, to_report)?,
        proofs: item.proofs.iter().map(to_proof).collect::<Option<_>>()?,
        uploads: item.uploads,
        reviews: item.reviews.into_iter().map(to_review).collect::<Option<_>>()?,
    };
    Some((transfer, item.instructions))
}

fn from_report(report: &Report) -> ReportItem {
    ReportItem {
        payer_name: report.payer_name.to_string(),
        bank_reference: report.bank_reference.to_string(),
        paid_on: report.paid_on.unix_days(),
        amount: report.amount.to_string(),
        currency: report.amount.currency.code().to_owned(),
        note: report.note.as_ref().map(ToString::to_string),
        by: report.by.to_string(),
        at: report.at.unix_millis(),
    }
}

fn to_report(item: ReportItem) -> Option<Report> {
    Some(Report {
        payer_name: Name::parse(&item.payer_name).ok()?,
        bank_reference: BankReference::parse(&item.bank_reference).ok()?,
        paid_on: Day::from_unix_days(item.paid_on),
        amount: money(&item.amount, &item.currency)?,
        note: optional(item.note, |note| Note::parse(&note).ok())?,
        by: Actor::parse(&item.by).ok()?,
        at: Timestamp::from_unix_millis(item.at),
    })
}

fn from_proof(proof: &Proof) -> ProofItem {
    ProofItem {
        id: proof.id.as_str().to_owned(),
        media_type: proof.media_type.name().to_owned(),
        size: proof.size,
    }
}

fn to_proof(item: &ProofItem) -> Option<Proof> {
    let id = ProofId::parse(&item.id).ok()?;
    Some(Proof { id, media_type: ProofType::parse(&item.media_type)?, size: item.size })
}

fn from_review(review: &Review) -> ReviewItem {
    let (accepted, rejected) = match &review.verdict {
        Verdict::Accepted(acceptance) => (Some(from_acceptance(acceptance)), None),
        Verdict::Rejected(rejection) => {
            let item = RejectionItem {
                reason: rejection.reason.to_string(),
                report: rejection.report.as_ref().map(from_report),
                proofs: rejection.proofs.iter().map(from_proof).collect(),
            };
            (None, Some(item))
        }
    };
    ReviewItem { at: review.at.unix_millis(), by: review.by.to_string(), accepted, rejected }
}

fn to_review(item: ReviewItem) -> Option<Review> {
    let verdict = match (item.accepted, item.rejected) {
        (Some(acceptance), None) => Verdict::Accepted(Box::new(to_acceptance(&acceptance)?)),
        (None, Some(item)) => Verdict::Rejected(Box::new(Rejection {
            reason: Note::parse(&item.reason).ok()?,
            report: optional(item.report, to_report)?,
            proofs: item.proofs.iter().map(to_proof).collect::<Option<_>>()?,
        })),
        _ => return None,
    };
    Some(Review {
        at: Timestamp::from_unix_millis(item.at),
        by: Actor::parse(&item.by).ok()?,
        verdict,
    })
}

fn from_acceptance(acceptance: &Acceptance) -> AcceptanceItem {
    let transfer = &acceptance.transfer;
    AcceptanceItem {
        id: acceptance.id.clone(),
        received: transfer.money.to_string(),
        received_currency: transfer.money.currency.code().to_owned(),
        bank_reference: transfer.bank_reference.to_string(),
        account_currency: transfer.receiving_account.currency().code().to_owned(),
        account_number: transfer.receiving_account.number().to_owned(),
        received_on: transfer.received_on.unix_days(),
        difference_confirmed: transfer.difference_confirmed,
        rate_of_the_day: transfer.rate.map(|rate| rate.to_string()),
        rate: acceptance.rate.map(|rate| rate.to_string()),
    }
}

fn to_acceptance(item: &AcceptanceItem) -> Option<Acceptance> {
    let transfer = ReceivedTransfer {
        money: money(&item.received, &item.received_currency)?,
        bank_reference: BankReference::parse(&item.bank_reference).ok()?,
        receiving_account: to_account(&item.account_currency, &item.account_number)?,
        received_on: Day::from_unix_days(item.received_on),
        rate: optional(item.rate_of_the_day.as_deref(), |rate| Rate::parse(rate).ok())?,
        difference_confirmed: item.difference_confirmed,
    };
    Some(Acceptance {
        id: item.id.clone(),
        transfer,
        rate: optional(item.rate.as_deref(), |rate| Rate::parse(rate).ok())?,
    })
}

fn to_account(currency: &str, number: &str) -> Option<ReceivingAccount> {
    ReceivingAccount::new(Currency::parse(currency).ok()?, number).ok()
}
