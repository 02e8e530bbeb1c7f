//! The table behind the simulated network: the embedded one, or Amazon's DynamoDB Local.

use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A DynamoDB that answers at once: nothing else happens while it works, so that one seed has one
/// history.
#[derive(Clone)]
pub enum Engine {
    /// In this process.
    Embedded(Database),
    /// At this address, over one connection.
    Remote(Remote),
}

/// An answer as it goes over the wire.
#[derive(Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: Vec<u8>,
}

/// A DynamoDB on this machine, asked over one connection that blocks this thread: virtual time stands
/// still until it has answered.
#[derive(Clone)]
pub struct Remote {
    agent: ureq::Agent,
    endpoint: String,
    /// DynamoDB Local keeps one database for each of these.
    access_key: String,
}

impl Engine {
    /// A fresh table in this process.
    ///
    /// # Panics
    /// If `SQLite` cannot start.
    #[must_use]
    pub fn embedded() -> Self {
        Self::Embedded(Database::memory().expect("a database in memory"))
    }

    /// A fresh database of a DynamoDB Local at `http://127.0.0.1:8000` or the like.
    #[must_use]
    pub fn remote(endpoint: &str, access_key: String) -> Self {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build();
        let (agent, endpoint) = (agent.new_agent(), endpoint.to_owned());
        Self::Remote(Remote { agent, endpoint, access_key })
    }

    /// Does what a request asks for.
    ///
    /// # Panics
    /// If the product asks for an operation that it must not use, or the connection breaks.
    #[must_use]
    pub fn answer(&self, operation: &str, body: &[u8]) -> Reply {
        match self {
            Self::Embedded(database) => embedded(database, operation, body),
            Self::Remote(remote) => remote.answer(operation, body).expect("DynamoDB answers"),
        }
    }
}

fn embedded(database: &Database, operation: &str, body: &[u8]) -> Reply {
    fn call<Q: DeserializeOwned, A: Serialize>(
        body: &[u8],
        work: impl FnOnce(Q) -> Result<A, DynoxideError>,
    ) -> Result<Vec<u8>, DynoxideError> {
        let request = serde_json::from_slice(body).expect("a request as the SDK writes it");
        work(request).map(|answer| serde_json::to_vec(&answer).expect("an answer"))
    }
    let answer = match operation {
        "GetItem" => call(body, |request| database.get_item(request)),
        "BatchGetItem" => call(body, |request| database.batch_get_item(request)),
        "Query" => call(body, |request| database.query(request)),
        "Scan" => call(body, |request| database.scan(request)),
        "TransactWriteItems" => call(body, |request| database.transact_write_items(request)),
        "CreateTable" => call(body, |request| database.create_table(request)),
        other => panic!("{other} must not be used"),
    };
    match answer {
        Ok(body) => Reply { status: 200, body },
        Err(error) => Reply { status: error.status_code(), body: error.to_json().into_bytes() },
    }
}

impl Remote {
    fn answer(&self, operation: &str, body: &[u8]) -> Result<Reply, ureq::Error> {
        let credential = format!("{}/20261123/us-east-1/dynamodb/aws4_request", self.access_key);
        // The signature is not looked at.
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0");
        let mut answer = self
            .agent
            .post(&self.endpoint)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("x-amz-date", "20261123T000000Z")
            .header("authorization", authorization)
            .send(body)?;
        let body = answer.body_mut().read_to_vec()?;
        Ok(Reply { status: answer.status().as_u16(), body })
    }
}
