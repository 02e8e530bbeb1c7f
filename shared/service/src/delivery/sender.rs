//! One attempt to tell an endpoint of an event: a signed POST, as Standard Webhooks has it.

use std::sync::OnceLock;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Request, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use ledger::Timestamp;
use standardwebhooks::{
    HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook,
};
use tokio::time::timeout;
use url::Url;

use super::address::CheckedNames;
use crate::endpoints::{Health, Reach};
use crate::error::{Invalid, in_words};

/// How long an endpoint has to answer, from the look for its name on.
pub const ATTEMPT_TIME: Duration = Duration::from_secs(10);
/// How long all of its addresses together have to take the connection: one that is dead leaves time for the others.
const CONNECT_TIME: Duration = Duration::from_secs(4);

/// Longest reason that is kept, in characters.
const MAX_REASON: usize = 200;

type HttpClient = Client<HttpsConnector<HttpConnector<CheckedNames>>, Full<Bytes>>;

/// What sends events.
#[derive(Debug, Clone)]
pub struct Sender {
    /// Made by the first attempt: whoever changes endpoints needs no list of certificates to check an address.
    client: OnceLock<HttpClient>,
    reach: Reach,
}

/// What is sent.
#[derive(Debug)]
pub(super) struct Message {
    /// The same at each attempt: whoever gets it twice knows it by this.
    pub(super) id: String,
    pub(super) body: String,
    pub(super) at: Timestamp,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint answered with this status.
    Answered(u16),
    /// It did not answer in time.
    Slow,
    /// It was not reached, for this reason.
    Unreachable(String),
}

impl Outcome {
    /// What it says about the endpoint. A redirect is not followed: it is not what was asked for.
    #[must_use]
    pub const fn health(&self) -> Health {
        match self {
            Self::Answered(200..=299) => Health::Well,
            Self::Answered(410) => Health::Gone,
            Self::Answered(_) | Self::Slow | Self::Unreachable(_) => Health::Failing,
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answered(status) => write!(formatter, "HTTP {status}"),
            Self::Slow => write!(formatter, "no answer within {} s", ATTEMPT_TIME.as_secs()),
            Self::Unreachable(why) => write!(formatter, "not reached: {why}"),
        }
    }
}

impl Sender {
    /// What reaches so far.
    #[must_use]
    pub const fn new(reach: Reach) -> Self {
        Self { client: OnceLock::new(), reach }
    }

    /// An address that this reaches.
    ///
    /// # Errors
    /// `invalid_field` that says what it must be.
    pub fn check(&self, url: &str) -> Result<Url, Invalid> {
        self.reach.check(url)
    }

    /// Sends it once, signed with each of these secrets.
    pub(super) async fn send(&self, url: &Url, secrets: &[String], message: &Message) -> Outcome {
        // What was taken once may not be any more, after an update of this service.
        if let Err(cause) = self.check(url.as_str()) {
            return Outcome::Unreachable(cause.detail);
        }
        let request = match request(url, secrets, message) {
            Ok(request) => request,
            Err(cause) => return Outcome::Unreachable(cause),
        };
        let client = self.client.get_or_init(|| client(self.reach));
        match timeout(ATTEMPT_TIME, client.request(request)).await {
            // What the body says is of no use to anybody: it is not read.
            Ok(Ok(answer)) => Outcome::Answered(answer.status().as_u16()),
            // What a stranger's certificate says can be long.
            Ok(Err(cause)) => {
                Outcome::Unreachable(in_words(&cause).chars().take(MAX_REASON).collect())
            }
            Err(_) => Outcome::Slow,
        }
    }
}

fn client(reach: Reach) -> HttpClient {
    let mut connector = HttpConnector::new_with_resolver(CheckedNames(reach));
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(CONNECT_TIME));
    let tls = HttpsConnectorBuilder::new().with_webpki_roots();
    let schemes = match reach {
        Reach::Public => tls.https_only(),
        Reach::ThisMachineToo => tls.https_or_http(),
    };
    let connector = schemes.enable_http1().wrap_connector(connector);
    // A connection that is kept is dead when the function thaws.
    Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector)
}

fn request(
    url: &Url,
    secrets: &[String],
    message: &Message,
) -> Result<Request<Full<Bytes>>, String> {
    let seconds = message.at.unix_millis().div_euclid(1000);
    let sign =
        |secret: &String| Webhook::new(secret)?.sign(&message.id, seconds, message.body.as_bytes());
    let signatures: Result<Vec<_>, _> = secrets.iter().map(sign).collect();
    let signatures = signatures.map_err(|error| error.to_string())?.join(" ");
    let request = Request::post(url.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("topup/", env!("CARGO_PKG_VERSION")))
        .header(HEADER_WEBHOOK_ID, &message.id)
        .header(HEADER_WEBHOOK_TIMESTAMP, seconds)
        .header(HEADER_WEBHOOK_SIGNATURE, signatures)
        .body(Full::new(Bytes::from(message.body.clone())));
    request.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use url::Url;

    use super::{Message, Outcome, Sender};
    use crate::endpoints::Reach;
    use ledger::Timestamp;

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = Url::parse(&format!("https://localhost:{port}/events")).unwrap();
        let at = Timestamp::from_unix_millis(0);
        let message = Message { id: "evt_1".to_owned(), body: "{}".to_owned(), at };
        let sent = Sender::new(Reach::Public).send(&url, &[], &message).await;
        let Outcome::Unreachable(why) = &sent else { panic!("{sent}") };
        assert!(why.contains("the name has no public address"), "{why}");
    }
}
