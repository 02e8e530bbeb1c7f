//! The functions, deployed into a simulated cloud: the real handlers, behind the real gateway, with
//! the real SDK clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_smithy_runtime::client::retries::RetryPartition;
use axum::body::Body;
use axum::http::Request;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use ledger::{AccountId, Actor, Currency, Day};
use local::clock::Clock;
use local::functions::{Functions, SameClients, Surroundings};
use local::gateway::Gateway;
use local::pump;
use serde_json::Value;
use service::catalogue::Catalogue;
use service::comparison::Comparison;
use service::configuration::{CatalogueChange, change_catalogue};
use service::delivery::Sender;
use service::endpoints::Reach;
use service::error::Unavailable;
use service::keys::{self, KeyOwner, NewKey, Scope};
use service::objects::Objects;
use service::queue::ConfirmationQueue;
use service::return_urls::ReturnUrls;
use service::table::Table;
use service::verification::Verified;
use sha2::Sha256;
use url::Url;

use super::cloud::{Cloud, TABLE};
use super::engine::Engine;
use super::network::{Network, SdkWire};
use super::provider::Provider;
use super::queue::Queue;
use super::stripe_wire::StripeWire;
use crate::Answer;

/// When every history begins: shortly after a midnight, so that a day is compared soon.
const BEGINNING: i64 = 1_795_046_700_000;
const BUCKET: &str = "files";
const QUEUE_URL: &str = "http://queue/000000000000/confirmations";
const WEBHOOK_SECRET: &str = "whsec_simulated";
const CATALOGUE: &str = include_str!("../../../infra/catalogue.json");

/// A customer of the platform.
#[derive(Debug, Clone)]
pub struct Customer {
    /// Its account.
    pub account: String,
    key: String,
}

/// The functions and everything around them.
pub struct Deployment {
    /// What is between the functions and the cloud.
    pub network: Network,
    /// The time of functions and provider.
    pub clock: Clock,
    /// Everybody with an account.
    pub customers: Vec<Customer>,
    /// The operator's key, with every scope.
    pub operator: String,
    gateway: Gateway<StripeWire>,
    queue: aws_sdk_sqs::Client,
}

impl Deployment {
    /// Deploys everything onto an empty table and opens accounts.
    ///
    /// # Panics
    /// If that fails, in calm weather.
    pub async fn start(random: &mut fastrand::Rng, engine: Engine, accounts: usize) -> Self {
        let clock = Clock::manual(BEGINNING);
        let cloud = Cloud::new(engine, Queue::new(random.fork()), Provider::new(clock.clone()));
        let network = Network::new(cloud, random.fork());
        let (client, queue, objects) = clients(&network);
        local::table::create_table(&client).await.expect("a table");
        let table = Table::new(client, TABLE);
        let catalogue = Catalogue::parse(CATALOGUE).expect("a catalogue");
        let everything = CatalogueChange::Everything { catalogue, confirmed: false };
        let by = Actor::parse("simulated").expect("a name");
        let changed = change_catalogue(&table, &everything, &by, clock.now()).await;
        drop(changed.expect("a commit"));
        let operator = new_key(random, &table, KeyOwner::Operator, &clock).await;
        let mut customers = Vec::new();
        for number in 1..=accounts {
            let account = format!("customer-{number}");
            let owner = KeyOwner::Account(AccountId::parse(&account).expect("an id"));
            let key = new_key(random, &table, owner, &clock).await;
            network.cloud().model.open(&account);
            customers.push(Customer { account, key });
        }
        let default = Url::parse("https://platform.example/paid").expect("an address");
        let functions = Functions::new(&Surroundings {
            clients: Box::new(SameClients {
                table,
                queue: ConfirmationQueue::new(queue.clone(), QUEUE_URL),
                objects: Objects::new(objects, BUCKET),
            }),
            stage: "local".to_owned(),
            live_mode: false,
            wire: StripeWire(network.clone()),
            stripe_key: "sk_test_simulated".to_owned(),
            webhook_secret: WEBHOOK_SECRET.to_owned(),
            cursor_secret: "simulated".to_owned(),
            endpoint_secret: "simulated".to_owned(),
            sender: Sender::new(Reach::Public),
            return_urls: ReturnUrls { default, hosts: Vec::new() },
            console: Url::parse("https://console.example/").expect("an address"),
            draw: drawn_from_the_seed,
        });
        network.cloud().begin();
        let gateway = Gateway { functions: Arc::new(functions), clock: clock.clone() };
        Self { network, clock, customers, operator, gateway, queue }
    }

    /// `GET` as a customer.
    pub async fn get(&self, customer: &Customer, path: &str) -> Answer {
        let request = Request::get(path)
            .header("authorization", format!("Bearer {}", customer.key))
            .body(Body::empty());
        self.send(request.expect("a request")).await
    }

    /// `POST` as a customer.
    pub async fn post(&self, customer: &Customer, path: &str, key: &str, body: &str) -> Answer {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {}", customer.key))
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(Body::from(body.to_owned()));
        self.send(request.expect("a request")).await
    }

    /// `PUT` as a customer.
    pub async fn put(&self, customer: &Customer, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let sent = ("application/json", body.as_bytes());
        self.ask(&customer.key, ("PUT", path), "none", sent).await
    }

    /// A request as whoever holds this key.
    pub async fn ask(
        &self,
        bearer: &str,
        (method, path): (&str, &str),
        key: &str,
        (media_type, body): (&str, &[u8]),
    ) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {bearer}"))
            .header("content-type", media_type)
            .header("idempotency-key", key)
            .body(Body::from(body.to_vec()));
        self.send(request.expect("a request")).await
    }

    /// A JSON request as the operator.
    pub async fn admin(&self, method: &str, path: &str, key: &str, body: &str) -> Answer {
        let json = ("application/json", body.as_bytes());
        self.ask(&self.operator, (method, path), key, json).await
    }

    /// What runs by the clock runs once; whether it came to its end.
    pub async fn sweep(&self) -> bool {
        self.gateway.functions.reconcile.handle(self.clock.now()).await.is_ok()
    }

    /// A whole round of the verification; none if it did not come to its end.
    pub async fn verify(&self) -> Option<Verified> {
        self.gateway.functions.verify_accounts.whole_round(self.clock.now()).await.ok()
    }

    /// A day is compared for so long, and for at least an hour of it; or what is due, as by the clock.
    /// Whether it came to its end; none if it was stopped.
    pub async fn compare(&self, day: Option<u64>, time: Duration) -> Option<bool> {
        let (function, now) = (&self.gateway.functions.compare_payments, self.clock.now());
        let Some(day) = day else {
            let ended = |run: Comparison| run.finished_at.is_some();
            return function.handle(&Value::Null, now).await.ok().map(|run| run.is_none_or(ended));
        };
        let day = Day::from_unix_days(i32::try_from(day).unwrap_or(i32::MAX));
        let run = Box::pin(function.0.compare(day, time, now)).await;
        run.ok().map(|run| run.finished_at.is_some())
    }

    /// The key of a customer.
    #[must_use]
    pub fn key_of(&self, customer: usize) -> &str {
        &self.customers[customer].key
    }

    /// A webhook, signed by whoever knows this secret.
    pub async fn deliver(&self, body: &str, secret: &str) -> Answer {
        let seconds = self.clock.now().unix_seconds();
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
        let mac = mac.chain_update(format!("{seconds}.")).chain_update(body);
        let signature = HEXLOWER.encode(&mac.finalize().into_bytes());
        let request = Request::post("/v1/webhooks/stripe")
            .header("stripe-signature", format!("t={seconds},v1={signature}"))
            .body(Body::from(body.to_owned()));
        self.send(request.expect("a request")).await
    }

    /// A webhook as the provider sends it.
    pub async fn tell(&self, body: &str) -> Answer {
        self.deliver(body, WEBHOOK_SECRET).await
    }

    /// Lets `confirm-payment` take one batch out of the queue.
    pub async fn feed(&self) {
        let function = &self.gateway.functions.confirm_payment;
        // An outage of the queue: the poller asks again.
        drop(pump::feed(function, &self.queue, QUEUE_URL, &self.clock).await);
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.gateway.answer(request).await.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

/// The SDK clients, with the time limits of production and retry budgets of their own.
fn clients(
    network: &Network,
) -> (aws_sdk_dynamodb::Client, aws_sdk_sqs::Client, aws_sdk_s3::Client) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // The SDK keeps the budget of retries for the whole process, by this name.
    let partition = format!("simulation-{}", NEXT.fetch_add(1, Ordering::SeqCst));
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(5))
        .build();
    let base = |wire: SdkWire| {
        aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::new("us-east-1"))
            .credentials_provider(credentials())
            .timeout_config(timeouts.clone())
            .http_client(wire)
            .build()
    };
    let table = aws_sdk_dynamodb::config::Builder::from(&base(network.wire("table")))
        .retry_partition(RetryPartition::new(format!("{partition}-table")));
    let queue = aws_sdk_sqs::config::Builder::from(&base(network.wire("queue")))
        .retry_partition(RetryPartition::new(format!("{partition}-queue")));
    let objects = aws_sdk_s3::config::Builder::from(&base(network.wire("objects")))
        .retry_partition(RetryPartition::new(format!("{partition}-objects")))
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .force_path_style(true);
    (
        aws_sdk_dynamodb::Client::from_conf(table.build()),
        aws_sdk_sqs::Client::from_conf(queue.build()),
        aws_sdk_s3::Client::from_conf(objects.build()),
    )
}

/// 256 bits of this history.
fn drawn_from_the_seed() -> Result<[u8; keys::SECRET_BYTES], Unavailable> {
    let mut secret = [0; keys::SECRET_BYTES];
    secret.fill_with(|| fastrand::u8(..));
    Ok(secret)
}

fn credentials() -> aws_sdk_dynamodb::config::SharedCredentialsProvider {
    let credentials = aws_sdk_dynamodb::config::Credentials::new("id", "secret", None, None, "");
    aws_sdk_dynamodb::config::SharedCredentialsProvider::new(credentials)
}

/// Makes a key with every scope of its owner; a customer's also opens the account.
async fn new_key(
    random: &mut fastrand::Rng,
    table: &Table,
    owner: KeyOwner,
    clock: &Clock,
) -> String {
    let mut bytes = [0; keys::ID_BYTES + keys::SECRET_BYTES];
    random.fill(&mut bytes);
    let scopes = match owner {
        KeyOwner::Account(_) => Scope::CUSTOMER,
        KeyOwner::Operator => Scope::OPERATOR,
    };
    let name = Actor::parse("simulated").expect("a name");
    let new = NewKey::new(&bytes, owner, name, scopes.to_vec(), clock.now());
    keys::store(table, &new.key, Currency::USD).await.expect("a stored key");
    new.text
}
