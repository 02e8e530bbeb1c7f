//! The table behind the simulated network: the embedded one, or Amazon's DynamoDB Local.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};

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
    Remote(Arc<Mutex<Remote>>),
}

/// An answer as it goes over the wire.
#[derive(Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: Vec<u8>,
}

/// A connection to a DynamoDB on this machine.
pub struct Remote {
    stream: BufReader<TcpStream>,
    host: String,
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

    /// A fresh database of a DynamoDB Local at `127.0.0.1:8000` or the like.
    ///
    /// # Panics
    /// If nothing listens there.
    #[must_use]
    pub fn remote(host: &str, access_key: String) -> Self {
        let stream = TcpStream::connect(host).expect("a DynamoDB listens there");
        stream.set_nodelay(true).expect("a socket");
        let (host, stream) = (host.to_owned(), BufReader::new(stream));
        Self::Remote(Arc::new(Mutex::new(Remote { stream, host, access_key })))
    }

    /// Does what a request asks for.
    ///
    /// # Panics
    /// If the product asks for an operation that it must not use, or the connection breaks.
    #[must_use]
    pub fn answer(&self, operation: &str, body: &[u8]) -> Reply {
        match self {
            Self::Embedded(database) => embedded(database, operation, body),
            Self::Remote(remote) => {
                let mut remote = remote.lock().unwrap_or_else(PoisonError::into_inner);
                remote.answer(operation, body).expect("DynamoDB answers")
            }
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
    fn answer(&mut self, operation: &str, body: &[u8]) -> std::io::Result<Reply> {
        let (host, key) = (&self.host, &self.access_key);
        let length = body.len();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-amz-json-1.0\r\n\
             X-Amz-Target: DynamoDB_20120810.{operation}\r\nContent-Length: {length}\r\n\
             X-Amz-Date: 20261123T000000Z\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential={key}/20261123/us-east-1/dynamodb/\
             aws4_request, SignedHeaders=host, Signature=0\r\n\r\n"
        );
        let stream = self.stream.get_mut();
        stream.write_all(&[head.as_bytes(), body].concat())?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|text| serde_json::from_str(text).ok());
        let mut length = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = serde_json::from_str(value.trim()).expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Reply { status: status.expect("a status"), body })
    }
}
