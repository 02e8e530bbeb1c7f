//! Bank transfers as customers report them: words, and files that show the transfer.

use ledger::{
    AccountId, Actor, BankReference, Day, Name, Note, OrderId, Proof, ProofId, ProofType, Refusal,
    Report, Timestamp,
};

use crate::error::{Error, Invalid, Unavailable};
use crate::objects::{Objects, content_hash};
use crate::record::{OrderRecord, WrittenAmount, proof_folder};
use crate::table::{Commit, Committed, MAX_COMMIT_TRIES, Stale, Table, pause_before_retry};

/// Longest file.
pub const MAX_PROOF_BYTES: usize = 4 * 1024 * 1024;

/// Everything that reporting a transfer touches.
#[derive(Debug)]
pub struct BankTransfers {
    /// Where orders are.
    pub table: Table,
    /// Where files are.
    pub objects: Objects,
}

/// What a customer says about a transfer.
#[derive(Debug, Clone)]
pub struct WantedReport {
    /// In whose name it was sent.
    pub payer_name: Name,
    /// The reference that the payer's bank gave it.
    pub bank_reference: BankReference,
    /// When it was sent.
    pub paid_on: Day,
    /// How much was sent, in the currency of the order.
    pub amount: WrittenAmount,
    /// Anything else.
    pub note: Option<Note>,
    /// The files that belong to it; all that were uploaded if it does not say.
    pub proofs: Option<Vec<ProofId>>,
}

impl BankTransfers {
    /// Reports the transfer of an order, or corrects the report until somebody has decided on it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Refusal::OrderNotReportable`] and its like; [`Error::Invalid`];
    /// [`Error::Unavailable`].
    pub async fn report(
        &self,
        account: &AccountId,
        id: &OrderId,
        wanted: &WantedReport,
        by: &Actor,
        now: Timestamp,
    ) -> Result<OrderRecord, Error> {
        if !wanted.paid_on.has_begun(now) {
            let detail = "must not be in the future";
            return Err(Invalid::field("invalid_field", "paid_on", detail).into());
        }
        self.change(account, id, now, |record| {
            let currency = record.order.payable.currency;
            let report = Report {
                payer_name: wanted.payer_name.clone(),
                bank_reference: wanted.bank_reference.clone(),
                paid_on: wanted.paid_on,
                amount: wanted.amount.in_currency("amount", currency)?,
                note: wanted.note.clone(),
                by: by.clone(),
                at: now,
            };
            let next =
                ledger::report_transfer(&record.order, report, wanted.proofs.as_deref(), now);
            Ok(next?)
        })
        .await
    }

    /// Adds a file to the report of an order: first to the storage, then to the order, so that an
    /// order never names a file that is not there.
    ///
    /// # Errors
    /// `unsupported_media_type` for what is no JPEG, PNG or PDF by its content;
    /// [`Error::NotFound`]; [`Refusal::TooManyProofs`]; [`Error::Unavailable`].
    pub async fn add_proof(
        &self,
        account: &AccountId,
        id: &OrderId,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<ProofId, Error> {
        let media_type = media_type(bytes).ok_or_else(|| Invalid {
            code: "unsupported_media_type",
            field: None,
            detail: "the file must be a JPEG, a PNG or a PDF".to_owned(),
        })?;
        let hash = content_hash(bytes);
        let proof = Proof {
            id: ProofId::parse(&hash).map_err(|_| Error::NotFound { what: "file" })?,
            media_type,
            size: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        };
        // Refused before anything is stored, if it will be refused.
        let record = self.table.owned_order(account, id).await?;
        if ledger::attach_proof(&record.order, proof.clone())?.is_some() {
            self.objects.put(&proof_folder(id), bytes).await?;
        }
        let attach = |record: &OrderRecord| -> Result<_, Refusal> {
            ledger::attach_proof(&record.order, proof.clone())
        };
        self.change_from(record, now, |record| Ok(attach(record)?)).await?;
        Ok(proof.id)
    }

    async fn change(
        &self,
        account: &AccountId,
        id: &OrderId,
        now: Timestamp,
        decide: impl Fn(&OrderRecord) -> Result<Option<ledger::Order>, Error>,
    ) -> Result<OrderRecord, Error> {
        let record = self.table.owned_order(account, id).await?;
        self.change_from(record, now, decide).await
    }

    /// Commits what `decide` makes of an order; `None` leaves it as it is.
    async fn change_from(
        &self,
        record: OrderRecord,
        now: Timestamp,
        decide: impl Fn(&OrderRecord) -> Result<Option<ledger::Order>, Error>,
    ) -> Result<OrderRecord, Error> {
        let mut record = record;
        for tries in 0..MAX_COMMIT_TRIES {
            let Some(order) = decide(&record)? else { return Ok(record) };
            let next = OrderRecord { order, ..record.clone() };
            record = match self.table.commit(Commit::default().order(&next, now)).await? {
                Committed::Yes => return Ok(next.written(now)),
                Committed::No(Stale::Order(current)) if tries == 0 => *current,
                Committed::No(_) => {
                    pause_before_retry(tries).await;
                    let order = &record.order;
                    self.table.owned_order(&order.account, &order.id).await?
                }
            };
        }
        Err(Unavailable::Busy.into())
    }
}

/// What a file is, by how its content begins: PNG (ISO/IEC 15948, 5.2), JPEG (a start of image and
/// the next marker, ITU-T T.81, B.1.1.3) and PDF (ISO 32000-1, 7.5.2; not somewhere in the first
/// kilobyte, where other formats could hide it).
fn media_type(bytes: &[u8]) -> Option<ProofType> {
    const SIGNATURES: [(&[u8], ProofType); 3] = [
        (b"\x89PNG\r\n\x1a\n", ProofType::Png),
        (b"\xff\xd8\xff", ProofType::Jpeg),
        (b"%PDF-", ProofType::Pdf),
    ];
    let known = SIGNATURES.into_iter().find(|(signature, _)| bytes.starts_with(signature));
    known.map(|(_, media_type)| media_type)
}
