//! The engines under test, and the items and writes that checks are made of.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Debug;
use std::io::Write;
use std::sync::Once;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Builder, Credentials};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::{
    TransactWriteItemsError, TransactWriteItemsOutput,
};
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use data_encoding::HEXLOWER;
use local::table::{EmbeddedTable, TABLE_NAME, create_table};
use service::table::Table;

/// Says where DynamoDB Local answers, if it is held too.
const ENDPOINT_VARIABLE: &str = "TOPUP_DYNAMODB_LOCAL";

static HELD: Once = Once::new();

/// The outcome of a check.
pub(crate) type Checked<T = ()> = Result<T, Box<dyn Error>>;

/// The outcome of a transaction.
pub(crate) type Sent = Result<TransactWriteItemsOutput, SdkError<TransactWriteItemsError>>;

/// What a table keeps under a key.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A DynamoDB with an empty table of the product's shape, which no other check sees.
pub(crate) struct Engine {
    pub(crate) client: Client,
    is_amazons: bool,
    _embedded: Option<EmbeddedTable>,
}

/// Makes a check on the embedded table and, where there is one, on DynamoDB Local.
pub(crate) async fn on_each(check: impl AsyncFn(&Engine) -> Checked) -> Checked {
    let endpoint = std::env::var(ENDPOINT_VARIABLE).ok();
    HELD.call_once(|| say_what_is_held(endpoint.as_deref()));
    // Shown only beside a surprise.
    println!("on the embedded table");
    check(&Engine::embedded().await?).await?;
    if let Some(endpoint) = endpoint {
        println!("on DynamoDB Local");
        check(&Engine::amazons(&endpoint).await?).await?;
    }
    Ok(())
}

impl Engine {
    async fn embedded() -> Checked<Self> {
        let embedded = EmbeddedTable::start(None).await?;
        let client = Client::new(&local::cloud::sdk(Some(embedded.endpoint())).await);
        create_table(&client).await?;
        Ok(Self { client, is_amazons: false, _embedded: Some(embedded) })
    }

    /// DynamoDB Local has one database for each access key, so each check takes a new one.
    async fn amazons(endpoint: &str) -> Checked<Self> {
        let mut random = [0; 10];
        getrandom::fill(&mut random)?;
        let key = Credentials::new(HEXLOWER.encode(&random), "secret", None, None, "check");
        let sdk = local::cloud::sdk(Some(endpoint.to_owned())).await;
        let client = Client::from_conf(Builder::from(&sdk).credentials_provider(key).build());
        create_table(&client).await?;
        Ok(Self { client, is_amazons: true, _embedded: None })
    }

    /// What is expected of this engine where the two differ.
    pub(crate) fn differs<T>(&self, embedded: T, amazons: T) -> T {
        if self.is_amazons { amazons } else { embedded }
    }

    /// The product's own view of the table.
    pub(crate) fn table(&self) -> Table {
        Table::new(self.client.clone(), TABLE_NAME)
    }

    /// The same, through a client of its own: as another function would.
    pub(crate) fn table_of_another_function(&self) -> Table {
        let client = Client::from_conf(self.client.config().to_builder().build());
        Table::new(client, TABLE_NAME)
    }

    /// Puts an item, whatever stands there; the code with which it was refused, or `accepted`.
    pub(crate) async fn put(&self, item: Item) -> String {
        let put = self.client.put_item().table_name(TABLE_NAME).set_item(Some(item));
        code_of(&put.send().await)
    }

    /// What is stored under a key.
    pub(crate) async fn get(&self, key: Item) -> Checked<Option<Item>> {
        let get = self.client.get_item().table_name(TABLE_NAME).set_key(Some(key));
        Ok(get.consistent_read(true).send().await?.item)
    }

    /// Sends a transaction.
    pub(crate) async fn transact(&self, puts: Vec<TransactWriteItem>) -> Sent {
        self.client.transact_write_items().set_transact_items(Some(puts)).send().await
    }
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// An item of these attributes.
pub(crate) fn item<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Item {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The key of a thing, as the product makes it.
pub(crate) fn key(kind: &str, id: &str) -> Item {
    item([("pk", text(format!("{kind}#{id}"))), ("sk", text(kind))])
}

/// A thing with these attributes.
pub(crate) fn thing<const N: usize>(
    kind: &str,
    id: &str,
    attributes: [(&str, AttributeValue); N],
) -> Item {
    key(kind, id).into_iter().chain(item(attributes)).collect()
}

/// A thing at a version.
pub(crate) fn versioned(kind: &str, id: &str, version: u64) -> Item {
    thing(kind, id, [("version", number(version))])
}

/// The product's put of what must not be there.
pub(crate) fn absent(item: Item) -> TransactWriteItem {
    guarded(item, |put| put.condition_expression("attribute_not_exists(pk)"))
}

/// The product's put of what must have this version.
pub(crate) fn at_version(item: Item, seen: impl ToString) -> TransactWriteItem {
    guarded(item, |put| {
        let put = put.condition_expression("version = :seen");
        put.expression_attribute_values(":seen", number(seen))
    })
}

/// Why a transaction was cancelled, part by part: the code, and what stood in the way.
pub(crate) fn reasons(sent: Sent) -> Vec<(String, Option<Item>)> {
    let error = sent.map_err(SdkError::into_service_error);
    let Err(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error else {
        panic!("not cancelled: {error:?}");
    };
    let reasons = cancelled.cancellation_reasons.unwrap_or_default().into_iter();
    reasons.map(|reason| (reason.code.expect("a code"), reason.item)).collect()
}

/// The codes of [`reasons`].
pub(crate) fn codes(sent: Sent) -> Vec<String> {
    reasons(sent).into_iter().map(|(code, _)| code).collect()
}

/// The code with which a request was refused, or `accepted`.
pub(crate) fn code_of<T: Debug, E: ProvideErrorMetadata>(outcome: &Result<T, E>) -> String {
    match outcome {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.code().unwrap_or("no code").to_owned(),
    }
}

fn guarded(item: Item, guard: impl FnOnce(PutBuilder) -> PutBuilder) -> TransactWriteItem {
    let put = Put::builder()
        .table_name(TABLE_NAME)
        .set_item(Some(item))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    TransactWriteItem::builder().put(guard(put).build().expect("a whole put")).build()
}

/// Written past what the test harness captures: a green run must not hide what it did not hold.
fn say_what_is_held(endpoint: Option<&str>) {
    let held = match endpoint {
        Some(endpoint) => format!("the embedded table, and DynamoDB Local at {endpoint}"),
        None => format!("the embedded table alone, as {ENDPOINT_VARIABLE} is not set"),
    };
    drop(writeln!(std::io::stdout(), "\nHeld: {held}"));
}
