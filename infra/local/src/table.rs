//! The embedded DynamoDB, and the table as `template.yaml` declares it.

use std::net::SocketAddr;
use std::path::Path;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use dynoxide::Database;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The name of the table in the local cloud.
pub const TABLE_NAME: &str = "topup-local";

/// The keys of the table and of its two indexes.
const INDEXES: [(&str, &str, &str); 2] =
    [("by_time", "listed_under", "listed_at"), ("by_due", "due_queue", "due_at")];

/// A running DynamoDB. It stops when this is dropped.
#[derive(Debug)]
pub struct EmbeddedTable {
    /// Where it listens.
    pub address: SocketAddr,
    server: JoinHandle<()>,
}

impl EmbeddedTable {
    /// Starts it on the file, or in memory.
    ///
    /// # Errors
    /// The file or the port cannot be used.
    pub async fn start(path: Option<&Path>) -> Result<Self, String> {
        let database = match path {
            Some(path) => Database::new(&path.to_string_lossy()),
            None => Database::memory(),
        };
        let database = database.map_err(|error| format!("the table's file: {error}"))?;
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let server = tokio::spawn(dynoxide::server::serve_on(listener, database));
        Ok(Self { address, server })
    }

    /// The endpoint for an SDK client.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for EmbeddedTable {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Makes the table, unless it is there.
///
/// # Errors
/// The endpoint did not answer or refused.
pub async fn create_table(client: &Client) -> Result<(), String> {
    let texts = ["pk", "sk", "listed_under", "listed_at", "due_queue", "due_at"];
    let mut request = client
        .create_table()
        .table_name(TABLE_NAME)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(keys("pk", "sk")?));
    for name in texts {
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .map_err(|error| error.to_string())?;
        request = request.attribute_definitions(attribute);
    }
    for (name, hash, range) in INDEXES {
        let projection = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
        let index = GlobalSecondaryIndex::builder()
            .index_name(name)
            .set_key_schema(Some(keys(hash, range)?))
            .projection(projection)
            .build()
            .map_err(|error| error.to_string())?;
        request = request.global_secondary_indexes(index);
    }
    match request.send().await {
        Ok(_) => Ok(()),
        Err(error) => match error.as_service_error() {
            Some(refused) if refused.is_resource_in_use_exception() => Ok(()),
            _ => Err(format!("the table could not be made: {}", DisplayErrorContext(error))),
        },
    }
}

fn keys(hash: &str, range: &str) -> Result<Vec<KeySchemaElement>, String> {
    [(hash, KeyType::Hash), (range, KeyType::Range)]
        .into_iter()
        .map(|(name, kind)| {
            let element = KeySchemaElement::builder().attribute_name(name).key_type(kind);
            element.build().map_err(|error| error.to_string())
        })
        .collect()
}
