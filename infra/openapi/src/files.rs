//! Files that are sent and answered, and what each looks like.
//!
//! The stories send the examples as they are, and hold the columns against those of the answers.

use ledger::ProofType;
use serde_json::{Map, Value, json};

/// A file: what it is, and an example of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File {
    media_type: &'static str,
    example: Example,
}

#[derive(Debug, Clone, Copy)]
enum Example {
    Text(&'static str),
    Json(fn() -> Value),
    /// What may be no text, as a `data:` address (RFC 2397).
    Bytes(&'static str),
}

/// What a proof of a bank transfer may be.
pub(crate) const PROOFS: &[File] = &[
    File { media_type: ProofType::Jpeg.name(), example: Example::Bytes(JPEG) },
    File { media_type: ProofType::Png.name(), example: Example::Bytes(PNG) },
    File { media_type: ProofType::Pdf.name(), example: Example::Bytes(PDF) },
];

/// What a bank statement may be.
pub(crate) const STATEMENTS: &[File] = &[
    csv(STATEMENT),
    File { media_type: "application/xml", example: Example::Text(CAMT_053) },
    File { media_type: "text/xml", example: Example::Text(CAMT_053) },
];

/// What the provider tells.
pub(crate) const STRIPE_EVENT: &[File] =
    &[File { media_type: "application/json", example: Example::Json(stripe_event) }];

/// An export of orders.
pub(crate) const ORDERS: File = csv(
    "order_id,account_id,created_at,target,product,method,status,status_reason,amount,currency,pay_amount,pay_currency,fx_rate,received_amount,received_currency,credited_amount,debt_paid,refunded_amount,payment_id,late,expires_at,paid_at,completed_at,email,reference_code,payer_name,bank_reference,paid_on,note,metadata,taken_back_amount\r\n\
     ord_0123456789abcdefghjk,demo,2026-11-23T13:07:44.000Z,wallet,,offline,completed,transfer_accepted,100.00,USD,\
     720.00,CNY,7.2000,720.00,CNY,100.00,0.00,0.00,bank_0123456789abcdefghjk,false,2026-11-30T13:07:44.000Z,\
     2026-11-23T00:00:00.000Z,2026-11-24T02:11:09.000Z,,\
     GWY-RW5-X33,李雷,ICBC20261123-0007,2026-11-23,,\"{\"\"invoice\"\":\"\"2026-0042\"\"}\",0.00\r\n",
);

/// An export of entries.
pub(crate) const ENTRIES: File =
    csv("number,at,kind,document_id,place,currency,amount,balance_after,hash\r\n\
     2,2026-11-24T02:30:00.000Z,transfer,ord_1123456789abcdefghjk,wallet,USD,-12.50,87.50,\
     a1cd1909926f7ede6a9b830c52e58c72b4ed18b3b29c81bbaa3585c19bf96c1b\r\n\
     2,2026-11-24T02:30:00.000Z,transfer,ord_1123456789abcdefghjk,product:sms,USD,12.50,12.50,\
     a1cd1909926f7ede6a9b830c52e58c72b4ed18b3b29c81bbaa3585c19bf96c1b\r\n");

/// The report of a comparison with the provider.
pub(crate) const COMPARISON: File = csv("day,line,name,currency,count,amount,fee,net\r\n\
     2026-11-23,total,charge,USD,3,300.00,9.60,290.40\r\n\
     2026-11-23,drift,,USD,,100.00,,\r\n\
     2026-11-23,finding,paid_not_credited fnd_0123456789abcdefghjk,,,,,\r\n");

/// This document, as far as an example shows it.
pub(crate) const DOCUMENT: File =
    File { media_type: "application/json", example: Example::Json(document) };

fn document() -> Value {
    json!({"openapi": "3.1.1", "info": {"title": "Topup", "version": "1"}, "paths": {}})
}

const STATEMENT: &str = "booked_on,amount,currency,bank_reference,payer_name,information\r\n\
     2026-11-23,720.00,CNY,ICBC20261123-0007,李雷,充值 GWY-RW5-X33\r\n";

const CAMT_053: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
  <BkToCstmrStmt>
    <GrpHdr><MsgId>20261123-1</MsgId><CreDtTm>2026-11-23T23:00:00</CreDtTm></GrpHdr>
    <Stmt>
      <Id>20261123</Id>
      <Acct><Id><Othr><Id>6222000000000001</Id></Othr></Id><Ccy>CNY</Ccy></Acct>
      <Ntry>
        <Amt Ccy="CNY">720.00</Amt>
        <CdtDbtInd>CRDT</CdtDbtInd>
        <Sts><Cd>BOOK</Cd></Sts>
        <BookgDt><Dt>2026-11-23</Dt></BookgDt>
        <AcctSvcrRef>ICBC20261123-0007</AcctSvcrRef>
        <NtryDtls><TxDtls>
          <RltdPties><Dbtr><Pty><Nm>李雷</Nm></Pty></Dbtr></RltdPties>
          <RmtInf><Ustrd>充值 GWY-RW5-X33</Ustrd></RmtInf>
        </TxDtls></NtryDtls>
      </Ntry>
    </Stmt>
  </BkToCstmrStmt>
</Document>
"#;

/// An empty page.
const PDF: &str = "data:application/pdf;base64,\
     JVBERi0xLjQKMSAwIG9iago8PCAvVHlwZSAvQ2F0YWxvZyAvUGFnZXMgMiAwIFIgPj4KZW5kb2JqCjIgMCBv\
     YmoKPDwgL1R5cGUgL1BhZ2VzIC9LaWRzIFszIDAgUl0gL0NvdW50IDEgPj4KZW5kb2JqCjMgMCBvYmoKPDwg\
     L1R5cGUgL1BhZ2UgL1BhcmVudCAyIDAgUiAvTWVkaWFCb3ggWzAgMCA1OTUgODQyXSA+PgplbmRvYmoKeHJl\
     ZgowIDQKMDAwMDAwMDAwMCA2NTUzNSBmIAowMDAwMDAwMDA5IDAwMDAwIG4gCjAwMDAwMDAwNTggMDAwMDAg\
     biAKMDAwMDAwMDExNSAwMDAwMCBuIAp0cmFpbGVyCjw8IC9TaXplIDQgL1Jvb3QgMSAwIFIgPj4Kc3RhcnR4\
     cmVmCjE4NgolJUVPRgo=";

/// One white pixel.
const PNG: &str = "data:image/png;base64,\
     iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mP4DwABAQEAHLCMmQAAAABJRU5E\
     rkJggg==";

/// One grey pixel.
const JPEG: &str = "data:image/jpeg;base64,\
     /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////\
     ////////////////////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//E\
     ABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AR//Z";

/// <https://docs.stripe.com/api/events/object>, of which most fields are left out.
fn stripe_event() -> Value {
    json!({
        "id": "evt_1SWvYk2eZvKYlo2C0a1b2c3d",
        "object": "event",
        "api_version": "2026-09-30.endive",
        "created": 1_795_439_264,
        "livemode": false,
        "type": "checkout.session.completed",
        "data": {"object": {
            "id": "cs_test_a1b2c3d4e5f6",
            "object": "checkout.session",
            "amount_total": 10_000,
            "currency": "usd",
            "payment_intent": "pi_3SWvYk2eZvKYlo2C0a1b2c3d",
            "payment_status": "paid",
            "status": "complete",
            "metadata": {
                "topup_stage": "prod",
                "account_id": "demo",
                "order_id": "ord_0123456789abcdefghjk",
            },
        }},
    })
}

const fn csv(example: &'static str) -> File {
    File { media_type: "text/csv", example: Example::Text(example) }
}

impl File {
    /// What OpenAPI says of it, by its media type. Any bytes: in 3.1 a file has no schema.
    pub(crate) fn content(self) -> (String, Value) {
        let example = match self.example {
            Example::Text(text) => json!({"value": text}),
            Example::Json(value) => json!({"value": value()}),
            Example::Bytes(address) => json!({"externalValue": address}),
        };
        (self.media_type.to_owned(), json!({"examples": {"file": example}}))
    }
}

/// What OpenAPI says of a file that is one of these.
pub(crate) fn content(files: &[File]) -> Map<String, Value> {
    files.iter().map(|file| file.content()).collect()
}
