//! What the operator configures: products, the wallet, rates and bank accounts.

use lambda_http::{Body, Request, RequestExt, Response};
use ledger::{Currency, ProductCode, Timestamp};
use service::bank_account::BankAccount;
use service::catalogue::Product;
use service::config::ConfigError;
use service::configuration::{CatalogueChange, catalogue, catalogue_at, change_catalogue};
use service::error::{Error, Invalid};
use service::http::{self, Parameters, Reply, answer, json_body};
use service::keys::Scope;
use service::lambda::Runtime;
use service::table::Table;

/// The function `configure`.
#[derive(Debug)]
pub struct Configure(pub Table);

impl Configure {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        Ok(Self(runtime.table()?))
    }

    /// Answers one request.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |call| async move {
            if request.method().as_str() == "GET" {
                call.operator(Scope::OperatorRead, now)?;
                return self.show(request, now).await;
            }
            let operator = call.operator(Scope::OperatorConfigure, now)?;
            let change = change(request)?;
            let changed = change_catalogue(&self.0, &change, &operator.by, now).await?;
            Ok(Reply::Ok(http::catalogue(&changed)))
        })
        .await
    }

    /// The catalogue as it is, or as it was at a version.
    async fn show(&self, request: &Request, now: Timestamp) -> Result<Reply, Error> {
        let mut parameters = Parameters::of(request);
        let number = |text: &str| u64::from_str_radix(text, 10).ok();
        let version = parameters.take("version", "the number of a version", number)?;
        parameters.finish()?;
        let known = match version {
            Some(version) => catalogue_at(&self.0, version).await?,
            None => catalogue(&self.0, now).await?,
        };
        Ok(Reply::Ok(http::catalogue(&known)))
    }
}

fn change(request: &Request) -> Result<CatalogueChange, Error> {
    let path = request.path_parameters();
    let mut fields = json_body(request)?;
    let change = if let Some(code) = path.first("product") {
        let code = ProductCode::parse(code)
            .map_err(|error| Invalid::field("invalid_field", "product", error.to_string()))?;
        CatalogueChange::Product(Product {
            product: code.to_string(),
            name: fields.value("name")?,
            enabled: fields.optional_value("enabled")?.unwrap_or(true),
            methods: fields.value("methods")?,
        })
    } else if let Some(pair) = path.first("pair") {
        CatalogueChange::rate(pair, &fields.text("rate")?, fields.flag("confirm_difference")?)?
    } else if let Some(code) = path.first("currency") {
        let currency = Currency::parse(code)
            .map_err(|error| Invalid::field("unknown_currency", "currency", error.to_string()))?;
        let account = BankAccount {
            holder: fields.text("holder")?,
            bank: fields.text("bank")?,
            branch: fields.optional_text("branch")?,
            number: fields.text("number")?,
            swift: fields.optional_text("swift")?,
            cnaps: fields.optional_text("cnaps")?,
        };
        let wrong =
            |(field, detail): (&str, String)| Invalid::field("invalid_field", field, detail);
        account.check(currency).map_err(wrong)?;
        CatalogueChange::BankAccount { currency, account }
    } else {
        CatalogueChange::Wallet(fields.value("methods")?)
    };
    fields.finish()?;
    Ok(change)
}
