//! `POST /v1/orders/{order_id}/transfer-report` and `/proofs`: a customer reports a bank transfer.

use lambda_http::{Body, Request, Response};
use ledger::{BankReference, MAX_PROOFS, Name, Note, OrderId, ProofId, Timestamp};
use serde_json::json;
use service::bank_transfers::{BankTransfers, MAX_PROOF_BYTES, WantedReport};
use service::config::ConfigError;
use service::error::{Error, Invalid};
use service::http::{self, Caller, Fields, Reply, answer, json_body};
use service::keys::Scope;
use service::lambda::Runtime;
use service::log;

/// The function `report-transfer`.
#[derive(Debug)]
pub struct ReportTransfer(pub BankTransfers);

impl ReportTransfer {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        Ok(Self(BankTransfers { table: runtime.table()?, objects: runtime.objects()? }))
    }

    /// Answers one request.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |call| async move {
            let caller = call.customer(Scope::OrdersWrite, now)?;
            let id = http::order_id(request)?;
            log::about(&caller.account, Some(&id));
            match http::last_part(request) {
                "transfer-report" => self.report(request, &caller, &id, now).await,
                "proofs" => self.add_proof(request, &caller, &id, now).await,
                _ => Err(Error::NotFound { what: "route" }),
            }
        })
        .await
    }

    async fn report(
        &self,
        request: &Request,
        caller: &Caller,
        id: &OrderId,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let mut fields = json_body(request)?;
        let wanted = WantedReport {
            payer_name: fields.parsed("payer_name", Name::parse)?,
            bank_reference: fields.parsed("bank_reference", BankReference::parse)?,
            paid_on: fields.day("paid_on")?,
            amount: fields.amount("amount")?,
            note: fields.optional_parsed("note", Note::parse)?,
            proofs: proofs(&mut fields)?,
        };
        fields.finish()?;
        let record = self.0.report(&caller.account, id, &wanted, &caller.by, now).await?;
        Ok(Reply::Ok(http::order(&record, now)))
    }

    async fn add_proof(
        &self,
        request: &Request,
        caller: &Caller,
        id: &OrderId,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let bytes = http::binary(request, MAX_PROOF_BYTES)?;
        let proof = self.0.add_proof(&caller.account, id, bytes, now).await?;
        Ok(Reply::Ok(json!({"proof_id": proof.as_str()})))
    }
}

fn proofs(fields: &mut Fields) -> Result<Option<Vec<ProofId>>, Error> {
    let wrong = |detail: String| Error::from(Invalid::field("invalid_field", "proofs", detail));
    let Some(named) = fields.optional_value::<Vec<String>>("proofs")? else { return Ok(None) };
    if named.len() > MAX_PROOFS {
        return Err(wrong(format!("must be at most {MAX_PROOFS} files")));
    }
    let ids = named.iter().map(|id| ProofId::parse(id).map_err(|error| wrong(error.to_string())));
    ids.collect::<Result<_, _>>().map(Some)
}
