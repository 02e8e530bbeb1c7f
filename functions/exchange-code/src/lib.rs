//! `POST /v1/console-tokens`: a one-time code becomes a token of the console; and `POST
//! /v1/console-tokens/revoke`, when whoever was given it leaves.
//!
//! Nobody is authorized here: the code is what authorizes, and so is the token. The role of this function
//! reaches sessions of the console and nothing else.

use lambda_http::{Body, Request, Response};
use ledger::Timestamp;
use service::config::ConfigError;
use service::console::{exchange_code, revoke_token};
use service::http::{self, Reply, answer, json_body};
use service::keys::{Draw, draw_secret};
use service::lambda::Runtime;
use service::table::Table;

/// The function `exchange-code`.
#[derive(Debug)]
pub struct ExchangeCode {
    /// Where sessions are.
    pub table: Table,
    /// Where secrets come from.
    pub draw: Draw,
}

impl ExchangeCode {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        Ok(Self { table: runtime.table()?, draw: draw_secret })
    }

    /// Answers one request.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |_| async move {
            let mut fields = json_body(request)?;
            if http::last_part(request) == "revoke" {
                let token = fields.text("token")?;
                fields.finish()?;
                revoke_token(&self.table, &token, now).await?;
                return Ok(Reply::Ok(http::revoked_token()));
            }
            let code = fields.text("code")?;
            fields.finish()?;
            let token = exchange_code(&self.table, self.draw, &code, now).await?;
            Ok(Reply::Created(http::issued_token(&token)))
        })
        .await
    }
}
