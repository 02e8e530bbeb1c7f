//! The place where everything is measured: the functions, the gateway in front of them, and their
//! surroundings in memory.

use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt;
use dynoxide::Database;
use lambda_http::{Body, Response};
use ledger::{AccountId, Actor, Currency};
use local::clock::Clock;
use local::demo::{self, Secrets};
use local::embedded_objects::BUCKET_NAME;
use local::functions::{Functions, SameClients, Surroundings};
use local::gateway::Gateway;
use local::provider::{Provider, ProviderSettings};
use local::table::{TABLE_NAME, create_table};
use serde_json::Value;
use service::delivery::Sender;
use service::endpoints::Reach;
use service::http::authorizer_context;
use service::keys::{KeyOwner, NewKey, Scope, draw_secret, store};
use service::objects::Objects;
use service::queue::ConfirmationQueue;
use service::return_urls::ReturnUrls;
use service::stripe::Https;
use service::table::Table;
use tests::http::HttpClient;
use tokio::net::TcpListener;
use url::Url;

use crate::bare;
use crate::calls::{Call, Customer, Operation, Webhooks};
use crate::in_process::InProcess;
use crate::tokens::Transactions;

/// Where nothing listens. A payment that would have to be queued is a failed sample.
const NOWHERE: &str = "http://127.0.0.1:1";

/// The place. Its servers run until the process ends.
pub(crate) struct Place {
    /// What time it is.
    pub(crate) clock: Clock,
    /// What Stripe signs with.
    pub(crate) webhooks: Webhooks,
    /// The functions, to be called directly.
    pub(crate) functions: Arc<Functions>,
    /// The address of the gateway in front of them.
    pub(crate) gateway: String,
    /// The address of the baseline.
    pub(crate) bare: String,
    /// The address of the table.
    pub(crate) table: String,
    /// What counts the transactions that are sent to it.
    pub(crate) transactions: Transactions,
    http: HttpClient,
    database: Database,
    secrets: Secrets,
    provider: String,
}

impl Place {
    /// A fresh place.
    pub(crate) async fn start() -> Arc<Self> {
        let clock = Clock::system();
        let secrets = Secrets::load(None).expect("randomness");
        let database = Database::memory().expect("a database in memory");
        let (listener, table) = listen().await;
        tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
        let plain = aws_sdk_dynamodb::Client::new(&local::cloud::sdk(Some(table.clone())).await);
        create_table(&plain).await.expect("a table");

        let (api, gateway) = listen().await;
        let (listener, provider) = listen().await;
        let settings = ProviderSettings {
            public_url: provider.clone(),
            webhook_url: format!("{gateway}/v1/webhooks/stripe"),
            webhook_secret: secrets.webhook.clone(),
            secret_key: secrets.provider.clone(),
        };
        let stripe = Provider::open(None, clock.clone(), settings).expect("a stand-in");
        serve(listener, stripe.router());
        let (listener, bare) = listen().await;
        serve(listener, bare::router());

        let transactions = Transactions::default();
        let client = connect(&table, &transactions).await;
        let seeded = Table::new(client.clone(), TABLE_NAME);
        drop(demo::seed(&seeded, &secrets, clock.now()).await.expect("a catalogue"));
        let functions = Arc::new(functions(client, &secrets, &provider).await);
        let answering = Gateway { functions: Arc::clone(&functions), clock: clock.clone() };
        serve(api, answering.router());
        let http = HttpClient::default();
        let webhooks = Webhooks { clock: clock.clone(), secret: secrets.webhook.clone() };
        Arc::new(Self {
            clock,
            webhooks,
            functions,
            gateway,
            bare,
            table,
            transactions,
            http,
            database,
            secrets,
            provider,
        })
    }

    /// The same functions, with another way to the table.
    pub(crate) async fn functions_over(&self, table: &str) -> Functions {
        let client = connect(table, &Transactions::default()).await;
        functions(client, &self.secrets, &self.provider).await
    }

    /// The table, without sockets and without waiting.
    pub(crate) async fn table_in_process(&self) -> Table {
        let configuration = local::cloud::sdk(Some(NOWHERE.to_owned())).await;
        let configuration = aws_sdk_dynamodb::config::Builder::from(&configuration)
            .http_client(InProcess(self.database.clone()))
            .interceptor(Transactions::default())
            .build();
        Table::new(aws_sdk_dynamodb::Client::from_conf(configuration), TABLE_NAME)
    }

    /// A customer with a fresh account.
    pub(crate) async fn customer(&self, account: &str) -> Customer {
        let mut random = [0; 42];
        getrandom::fill(&mut random).expect("randomness");
        let owner = KeyOwner::Account(AccountId::parse(account).expect("an account"));
        let name = Actor::parse("benchmark").expect("a name");
        let new = NewKey::new(&random, owner, name, Scope::CUSTOMER.to_vec(), self.clock.now());
        let table = self.table_in_process().await;
        store(&table, &new.key, Currency::USD).await.expect("a stored key");
        let context = Value::Object(authorizer_context(&new.key));
        Customer { account: account.to_owned(), key: new.text, context }
    }

    /// So many customers, each with an account.
    pub(crate) async fn customers(&self, name: &str, count: usize) -> Vec<Customer> {
        let mut customers = Vec::new();
        for number in 0..count {
            customers.push(self.customer(&format!("{name}-{number}")).await);
        }
        customers
    }

    /// Tops a wallet or a product up, through the order with this key.
    pub(crate) async fn fund(&self, customer: &Customer, target: &str, key: &str, dollars: u32) {
        let order = Call::order(customer, target, key, &format!("{dollars}.00"));
        assert!(self.direct(&self.functions, &order.event(customer), &order).await);
        let paid = Call::webhook(&self.webhooks, customer, key, dollars * 100);
        assert!(self.direct(&self.functions, &paid.event(customer), &paid).await);
    }

    /// Sends a request to a server; whether the answer has this status.
    pub(crate) async fn send(
        &self,
        request: axum::http::Request<axum::body::Body>,
        status: u16,
    ) -> bool {
        let answer = self.http.send(request).await;
        answer.is_ok_and(|answer| answer.status == status)
    }

    /// Hands an event to its function; the status of the answer.
    pub(crate) async fn status(&self, event: &str, call: &Call) -> u16 {
        self.answer(&self.functions, event, call).await.status().as_u16()
    }

    /// Hands an event to its function; whether the answer is as it should be.
    pub(crate) async fn direct(&self, functions: &Functions, event: &str, call: &Call) -> bool {
        let answer = self.answer(functions, event, call).await;
        // A batch is answered 200 whatever became of its charges.
        let problem = br#""problem":{"#;
        let body: &[u8] = answer.body().as_ref();
        answer.status().as_u16() == call.operation.status()
            && !body.windows(problem.len()).any(|part| part == problem)
    }

    async fn answer(&self, functions: &Functions, event: &str, call: &Call) -> Response<Body> {
        let request = lambda_http::request::from_str(event).expect("an event");
        let now = self.clock.now();
        match call.operation {
            Operation::Create => functions.create_order.handle(&request, now).await,
            Operation::Webhook => functions.payment_webhook.handle(&request, now).await,
            Operation::Transfer => functions.transfer.handle(&request, now).await,
            Operation::Charge | Operation::ChargeBatch => {
                functions.charge.handle(&request, now).await
            }
            Operation::Balances | Operation::OrderPage => {
                functions.query_orders.handle(&request, now).await
            }
        }
    }
}

async fn connect(table: &str, transactions: &Transactions) -> aws_sdk_dynamodb::Client {
    let configuration = local::cloud::sdk(Some(table.to_owned())).await;
    let configuration = aws_sdk_dynamodb::config::Builder::from(&configuration)
        .interceptor(transactions.clone())
        .build();
    aws_sdk_dynamodb::Client::from_conf(configuration)
}

async fn functions(
    table: aws_sdk_dynamodb::Client,
    secrets: &Secrets,
    provider: &str,
) -> Functions {
    let queue = aws_sdk_sqs::Client::new(&local::cloud::sdk(Some(NOWHERE.to_owned())).await);
    let default = Url::parse("http://127.0.0.1/paid").expect("an address");
    let console = Url::parse("http://127.0.0.1/").expect("an address");
    let objects = local::cloud::objects_client(Some(NOWHERE.to_owned())).await;
    Functions::new(&Surroundings {
        clients: Box::new(SameClients {
            table: Table::new(table, TABLE_NAME),
            queue: ConfirmationQueue::new(queue, NOWHERE),
            objects: Objects::new(objects, BUCKET_NAME),
        }),
        stage: "local".to_owned(),
        live_mode: false,
        wire: Https { base_url: Some(format!("{provider}/")) },
        stripe_key: secrets.provider.clone(),
        webhook_secret: secrets.webhook.clone(),
        cursor_secret: secrets.cursor.clone(),
        endpoint_secret: "measured".to_owned(),
        sender: Sender::new(Reach::Public),
        return_urls: ReturnUrls { default, hosts: Vec::new() },
        console,
        draw: draw_secret,
    })
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, format!("http://{address}"))
}

/// Serves as the runner does.
fn serve(listener: TcpListener, router: Router) {
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    tokio::spawn(async move { axum::serve(listener, router).await });
}
