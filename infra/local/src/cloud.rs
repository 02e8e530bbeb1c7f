//! Starting and stopping the local cloud.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use axum::Router;
use axum::serve::ListenerExt;
use serde_json::Value;
use service::delivery::Sender;
use service::endpoints::Reach;
use service::keys::draw_secret;
use service::objects::Objects;
use service::queue::{ConfirmationQueue, EventQueue};
use service::return_urls::ReturnUrls;
use service::stripe::Https;
use service::table::Table;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use url::Url;

use crate::clock::Clock;
use crate::demo::{self, DemoKeys, Secrets};
use crate::embedded_objects::{self, BUCKET_NAME, EmbeddedObjects};
use crate::embedded_queue::{CONFIRMATION_QUEUE, EVENT_QUEUE, EmbeddedQueue, USAGE_QUEUE};
use crate::functions::{Clients, Functions, Surroundings};
use crate::gateway::Gateway;
use crate::provider::{Provider, ProviderSettings};
use crate::sign_in::{self, SignInLinks};
use crate::table::{EmbeddedTable, TABLE_NAME, create_table};
use crate::{invoking, items, paid_page, pump};

/// Where events may be sent to: a platform that is being written is on this machine too.
const REACH: Reach = Reach::ThisMachineToo;
/// The name of the deployment that this is.
pub const STAGE: &str = "local";
/// How often what runs by the clock runs here, unless the settings say otherwise; `infra/schedules.yaml` has five
/// minutes.
pub const SWEEP_PAUSE: Duration = Duration::from_secs(60);
/// How often the verification goes on, here as in `infra/schedules.yaml`.
const VERIFY_PAUSE: Duration = Duration::from_secs(15 * 60);
/// The files that [`remove_data`] removes, each by its beginning.
const DATA_FILES: [&str; 4] = ["table.sqlite", "queue.sqlite", "provider.sqlite", "secrets"];

/// What a local cloud is made of.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The port of the API; 0 takes any free one. The payment provider takes the next one.
    pub port: u16,
    /// Where the data is kept; none keeps it in memory.
    pub data_dir: Option<PathBuf>,
    /// What time it is.
    pub clock: Clock,
    /// How often what runs by the clock runs, in real time.
    pub sweep_pause: Duration,
    /// Whether events are told as they happen; if not, whoever runs this lets `deliver-event` take them.
    pub tell_events: bool,
    /// Another DynamoDB than the embedded one.
    pub table_endpoint: Option<String>,
    /// Another SQS than the embedded one.
    pub queue_endpoint: Option<String>,
    /// Another S3 than the embedded one.
    pub objects_endpoint: Option<String>,
    /// The real Stripe in place of the stand-in.
    pub stripe: Option<RealStripe>,
    /// Another address of the stand-in than its own, to put something in between.
    pub provider_endpoint: Option<String>,
}

/// The two secrets of a Stripe account.
#[derive(Clone)]
pub struct RealStripe {
    /// `sk_test_…` or `sk_live_…`.
    pub secret_key: String,
    /// `whsec_…`.
    pub webhook_secret: String,
}

/// A running local cloud. It stops when this is dropped.
#[derive(Debug)]
pub struct Cloud {
    /// Where the API is.
    pub base_url: String,
    /// Where the stand-in for Stripe is; none with the real one.
    pub provider_url: Option<String>,
    /// Where the table is, for who operates this deployment.
    pub table_url: String,
    /// Where the queues are.
    pub queues_url: String,
    /// Where functions are called by hand.
    pub functions_url: String,
    /// The keys of the demo account.
    pub keys: DemoKeys,
    /// Where a person comes to the console.
    pub sign_in: SignInLinks,
    /// What the stand-in signs webhooks with.
    pub webhook_secret: String,
    /// The way to the queues.
    pub queue: aws_sdk_sqs::Client,
    /// Where events wait to be told.
    pub event_queue_url: String,
    /// Where usage is sent that nobody waits for.
    pub usage_queue_url: String,
    /// The deployed functions.
    pub functions: Arc<Functions>,
    tasks: JoinSet<()>,
    _embedded_table: Option<EmbeddedTable>,
    _embedded_queue: Option<EmbeddedQueue>,
    _embedded_objects: Option<EmbeddedObjects>,
    _lock: Option<File>,
}

impl RealStripe {
    /// The secrets of the stand-in, in their place.
    fn stand_in(secrets: &Secrets) -> Self {
        let (secret_key, webhook_secret) = (secrets.provider.clone(), secrets.webhook.clone());
        Self { secret_key, webhook_secret }
    }
}

impl Settings {
    /// A cloud in memory on free ports.
    #[must_use]
    pub const fn in_memory(clock: Clock) -> Self {
        Self {
            port: 0,
            data_dir: None,
            clock,
            sweep_pause: SWEEP_PAUSE,
            tell_events: true,
            table_endpoint: None,
            queue_endpoint: None,
            objects_endpoint: None,
            stripe: None,
            provider_endpoint: None,
        }
    }

    async fn start_table(
        &self,
    ) -> Result<(aws_sdk_dynamodb::Client, String, Option<EmbeddedTable>), String> {
        let file = self.file("table.sqlite");
        let embedded = match self.table_endpoint {
            Some(_) => None,
            None => Some(EmbeddedTable::start(file.as_deref()).await?),
        };
        let endpoint = self.table_endpoint.clone();
        let endpoint = endpoint.or_else(|| embedded.as_ref().map(EmbeddedTable::endpoint));
        let client = aws_sdk_dynamodb::Client::new(&sdk(endpoint.clone()).await);
        let named = |cause| match &self.table_endpoint {
            // As left over from a runner that is gone.
            Some(url) => format!("AWS_ENDPOINT_URL_DYNAMODB is {url}, so there: {cause}"),
            None => cause,
        };
        create_table(&client).await.map_err(named)?;
        Ok((client, endpoint.unwrap_or_default(), embedded))
    }

    async fn start_queue(&self) -> Result<StartedQueues, String> {
        let file = self.file("queue.sqlite");
        let embedded = match self.queue_endpoint {
            Some(_) => None,
            None => Some(EmbeddedQueue::start(file.as_deref(), &self.clock).await?),
        };
        let endpoint = self.queue_endpoint.clone();
        let endpoint = endpoint.or_else(|| embedded.as_ref().map(EmbeddedQueue::endpoint));
        let client = aws_sdk_sqs::Client::new(&sdk(endpoint.clone()).await);
        let mut urls = [CONFIRMATION_QUEUE, USAGE_QUEUE, EVENT_QUEUE].map(str::to_owned);
        for url in &mut urls {
            let found = client.get_queue_url().queue_name(url.as_str()).send().await;
            *url = found.ok().and_then(|answer| answer.queue_url).ok_or_else(|| {
                format!("AWS_ENDPOINT_URL_SQS: there is no queue '{url}': make it first")
            })?;
        }
        Ok(StartedQueues { client, urls, endpoint: endpoint.unwrap_or_default(), embedded })
    }

    async fn start_objects(&self) -> Result<(aws_sdk_s3::Client, Option<EmbeddedObjects>), String> {
        let folder = self.file(embedded_objects::FOLDER);
        let embedded = match self.objects_endpoint {
            Some(_) => None,
            None => Some(EmbeddedObjects::start(folder.as_deref()).await?),
        };
        let endpoint = self.objects_endpoint.clone();
        let endpoint = endpoint.or_else(|| embedded.as_ref().map(EmbeddedObjects::endpoint));
        Ok((objects_client(endpoint).await, embedded))
    }

    /// Starts the stand-in for Stripe and returns its address, unless the real one is used.
    async fn start_provider(
        &self,
        secrets: &Secrets,
        base_url: &str,
        tasks: &mut JoinSet<()>,
    ) -> Result<Option<String>, String> {
        if self.stripe.is_some() {
            return Ok(None);
        }
        let port = self.port.checked_add(1).filter(|_| self.port != 0).unwrap_or_default();
        let listener = bind(port, "the payment provider takes the port after --port").await?;
        let public_url = format!("http://{}", address(&listener)?);
        let settings = ProviderSettings {
            public_url: public_url.clone(),
            webhook_url: format!("{base_url}/v1/webhooks/stripe"),
            webhook_secret: secrets.webhook.clone(),
            secret_key: secrets.provider.clone(),
        };
        let file = self.file("provider.sqlite");
        let provider = Provider::open(file.as_deref(), self.clock.clone(), settings);
        let provider = provider.map_err(|error| format!("the provider's file: {error}"))?;
        tasks.spawn(serve(listener, provider.router()));
        tasks.spawn(async move { provider.run_deliveries().await });
        Ok(Some(public_url))
    }

    fn file(&self, name: &str) -> Option<PathBuf> {
        self.data_dir.as_ref().map(|folder| folder.join(name))
    }
}

/// The queues, once they can be used.
struct StartedQueues {
    client: aws_sdk_sqs::Client,
    /// Of the confirmations, the usage and the events.
    urls: [String; 3],
    endpoint: String,
    embedded: Option<EmbeddedQueue>,
}

/// Clients whose requests name the function that they come from, as the application in their `User-Agent`.
struct NamedClients {
    table: aws_sdk_dynamodb::Client,
    queue: aws_sdk_sqs::Client,
    objects: aws_sdk_s3::Client,
    queue_url: String,
    event_queue_url: String,
}

/// Every function's name is one that AWS takes for an application.
#[expect(
    clippy::expect_used,
    reason = "the names are in the code; without one no role would be held"
)]
fn name_of(function: &'static str) -> AppName {
    AppName::new(function).expect("a name of an application")
}

impl NamedClients {
    fn queues(&self, function: &'static str) -> aws_sdk_sqs::Client {
        let mut configuration = self.queue.config().to_builder();
        configuration.set_app_name(Some(name_of(function)));
        aws_sdk_sqs::Client::from_conf(configuration.build())
    }
}

impl Clients for NamedClients {
    fn table(&self, function: &'static str) -> Table {
        let mut configuration = self.table.config().to_builder();
        configuration.set_app_name(Some(name_of(function)));
        let client = aws_sdk_dynamodb::Client::from_conf(configuration.build());
        let outbox = EventQueue::new(self.queues(function), &self.event_queue_url);
        Table::new(client, TABLE_NAME).with_outbox(outbox)
    }

    fn queue(&self, function: &'static str) -> ConfirmationQueue {
        ConfirmationQueue::new(self.queues(function), &self.queue_url)
    }

    fn objects(&self, function: &'static str) -> Objects {
        let mut configuration = self.objects.config().to_builder();
        configuration.set_app_name(Some(name_of(function)));
        Objects::new(aws_sdk_s3::Client::from_conf(configuration.build()), BUCKET_NAME)
    }
}

impl std::fmt::Debug for RealStripe {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RealStripe")
    }
}

/// Removes the data of a local cloud, and nothing else that may be in its folder.
///
/// # Errors
/// A file cannot be removed.
pub fn remove_data(folder: &Path) -> Result<(), String> {
    let _lock = lock(folder)?;
    let shown = folder.display();
    let files = fs::read_dir(folder).map_err(|error| format!("{shown}: {error}"))?;
    for file in files.flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        let failed = |error: std::io::Error| format!("{shown}/{name}: {error}");
        if DATA_FILES.iter().any(|beginning| name.starts_with(beginning)) {
            fs::remove_file(file.path()).map_err(failed)?;
        } else if name == embedded_objects::FOLDER {
            fs::remove_dir_all(file.path()).map_err(failed)?;
        }
    }
    Ok(())
}

impl Cloud {
    /// Starts everything and returns when all of it is ready.
    ///
    /// # Errors
    /// A sentence that says what cannot be used, and what to do about it.
    pub async fn start(settings: Settings) -> Result<Self, String> {
        let held = settings.data_dir.as_deref().map(lock).transpose()?;
        let secrets = Secrets::load(settings.data_dir.as_deref())?;
        let clock = settings.clock.clone();
        let mut tasks = JoinSet::new();
        let (database, table_url, embedded_table) = settings.start_table().await?;
        let seeded = Table::new(database.clone(), TABLE_NAME);
        let keys = demo::seed(&seeded, &secrets, clock.now()).await?;
        let queues = settings.start_queue().await?;
        let queue = queues.client;
        let [queue_url, usage_queue_url, event_queue_url] = queues.urls;
        let sender = Sender::new(REACH);
        let (objects, embedded_objects) = settings.start_objects().await?;
        let api = bind(settings.port, "--port").await?;
        let base_url = format!("http://{}", address(&api)?);
        let provider_url = settings.start_provider(&secrets, &base_url, &mut tasks).await?;

        let stripe = settings.stripe.clone().unwrap_or_else(|| RealStripe::stand_in(&secrets));
        let stripe_url = settings.provider_endpoint.or_else(|| provider_url.clone());
        let functions = Arc::new(Functions::new(&Surroundings {
            clients: Box::new(NamedClients {
                table: database.clone(),
                queue: queue.clone(),
                objects,
                queue_url: queue_url.clone(),
                event_queue_url: event_queue_url.clone(),
            }),
            stage: STAGE.to_owned(),
            live_mode: stripe.secret_key.contains("_live_"),
            stripe_key: stripe.secret_key,
            wire: Https { base_url: stripe_url.map(|url| format!("{url}/")) },
            webhook_secret: stripe.webhook_secret.clone(),
            cursor_secret: secrets.cursor,
            // Drawn once and kept, as it must be; what it is for stands before it.
            endpoint_secret: format!("endpoints {}", secrets.webhook),
            sender,
            return_urls: return_urls(&base_url)?,
            console: Url::parse(&base_url).map_err(|error| error.to_string())?,
            draw: draw_secret,
        }));
        let url = usage_queue_url.clone();
        tasks.spawn(confirm(Arc::clone(&functions), queue.clone(), queue_url, clock.clone()));
        tasks.spawn(meter(Arc::clone(&functions), queue.clone(), url, clock.clone()));
        if settings.tell_events {
            let url = event_queue_url.clone();
            tasks.spawn(tell(Arc::clone(&functions), queue.clone(), url, clock.clone()));
        }
        start_the_clock(&functions, settings.sweep_pause, &clock, &mut tasks);
        let functions_url = start_invoking(&functions, &clock, &mut tasks).await?;
        let gateway = Gateway { functions: Arc::clone(&functions), clock };
        let sign_in = start_the_api(api, &base_url, gateway, database, &mut tasks)?;
        Ok(Self {
            base_url,
            provider_url,
            table_url,
            queues_url: queues.endpoint,
            functions_url,
            keys,
            sign_in,
            webhook_secret: stripe.webhook_secret,
            queue,
            event_queue_url,
            usage_queue_url,
            functions,
            tasks,
            _embedded_table: embedded_table,
            _embedded_queue: queues.embedded,
            _embedded_objects: embedded_objects,
            _lock: held,
        })
    }

    /// Waits until a part of it has stopped, which none does by itself.
    pub async fn run(&mut self) {
        self.tasks.join_next().await;
    }
}

/// Feeds `confirm-payment`, for ever.
async fn confirm(functions: Arc<Functions>, queue: aws_sdk_sqs::Client, url: String, clock: Clock) {
    pump::run(&functions.confirm_payment, queue, url, clock).await;
}

/// Feeds `meter-usage`, for ever.
async fn meter(functions: Arc<Functions>, queue: aws_sdk_sqs::Client, url: String, clock: Clock) {
    pump::run(&functions.meter_usage, queue, url, clock).await;
}

/// Feeds `deliver-event`, for ever.
async fn tell(functions: Arc<Functions>, queue: aws_sdk_sqs::Client, url: String, clock: Clock) {
    pump::run(&functions.deliver_event, queue, url, clock).await;
}

/// Starts the API with what the local runner has beside it, and returns where people sign in.
fn start_the_api(
    listener: TcpListener,
    base_url: &str,
    gateway: Gateway,
    database: aws_sdk_dynamodb::Client,
    tasks: &mut JoinSet<()>,
) -> Result<SignInLinks, String> {
    let (links, signing_in) = sign_in::open(base_url, &gateway.functions, &gateway.clock)?;
    let router = gateway.router().merge(items::router(database)).merge(signing_in);
    tasks.spawn(serve(listener, router));
    Ok(links)
}

/// Starts what lets functions be called by hand, and returns its address.
async fn start_invoking(
    functions: &Arc<Functions>,
    clock: &Clock,
    tasks: &mut JoinSet<()>,
) -> Result<String, String> {
    let listener = bind(0, "what calls functions by hand").await?;
    let url = format!("http://{}", address(&listener)?);
    tasks.spawn(serve(listener, invoking::router(Arc::clone(functions), clock.clone())));
    Ok(url)
}

/// Starts what runs by the clock.
fn start_the_clock(
    functions: &Arc<Functions>,
    sweep_pause: Duration,
    clock: &Clock,
    tasks: &mut JoinSet<()>,
) {
    tasks.spawn(by_the_clock(Arc::clone(functions), sweep_pause, clock.clone()));
    tasks.spawn(verify(Arc::clone(functions), clock.clone()));
}

/// Calls what runs by the clock, for ever. What goes wrong is logged where it does.
async fn by_the_clock(functions: Arc<Functions>, pause: Duration, clock: Clock) {
    loop {
        tokio::time::sleep(pause).await;
        drop(functions.reconcile.handle(clock.now()).await);
        drop(functions.compare_payments.handle(&Value::Null, clock.now()).await);
    }
}

/// Goes on with the verification, for ever.
async fn verify(functions: Arc<Functions>, clock: Clock) {
    loop {
        tokio::time::sleep(VERIFY_PAUSE).await;
        drop(functions.verify_accounts.handle(&Value::Null, clock.now()).await);
    }
}

/// A client of an S3 on this machine, whose buckets are folders and not names of hosts.
pub async fn objects_client(endpoint: Option<String>) -> aws_sdk_s3::Client {
    let configuration = aws_sdk_s3::config::Builder::from(&sdk(endpoint).await);
    aws_sdk_s3::Client::from_conf(configuration.force_path_style(true).build())
}

/// An SDK configuration for something that speaks AWS's protocols on this machine.
pub async fn sdk(endpoint: Option<String>) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(20))
        .operation_timeout(Duration::from_secs(60))
        .build();
    let configuration = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .timeout_config(timeouts)
        .test_credentials();
    match endpoint {
        Some(endpoint) => configuration.endpoint_url(endpoint).load().await,
        None => configuration.load().await,
    }
}

/// Serves a router for ever.
pub async fn serve(listener: TcpListener, router: Router) {
    // Without this, small answers wait for the client's delayed acknowledgement: 44 ms.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    drop(axum::serve(listener, router).await);
}

/// Takes a port of this machine for a server; 0 takes any free one.
///
/// # Errors
/// A sentence that begins with `what`, which asked for the port.
pub async fn bind(port: u16, what: &str) -> Result<TcpListener, String> {
    let bound = TcpListener::bind(("127.0.0.1", port)).await;
    bound.map_err(|error| format!("{what}: port {port} of 127.0.0.1 cannot be used: {error}"))
}

/// The address that was taken.
///
/// # Errors
/// The system does not say.
pub fn address(listener: &TcpListener) -> Result<SocketAddr, String> {
    listener.local_addr().map_err(|error| error.to_string())
}

fn return_urls(base_url: &str) -> Result<ReturnUrls, String> {
    let default = format!("{base_url}{}", paid_page::PATH);
    let default = Url::parse(&default).map_err(|error| error.to_string())?;
    let hosts = ["127.0.0.1", "localhost"].map(str::to_owned).to_vec();
    Ok(ReturnUrls { default, hosts })
}

/// Makes sure that no other runner uses the same data.
fn lock(folder: &Path) -> Result<File, String> {
    let shown = folder.display();
    private_folder().create(folder).map_err(|error| format!("{shown}: {error}"))?;
    let file = File::create(folder.join("lock")).map_err(|error| format!("{shown}: {error}"))?;
    file.try_lock().map_err(|_| {
        format!("{shown} is used by another runner: stop it, or name another --data-dir")
    })?;
    Ok(file)
}

/// What makes a folder that only its owner can look into, as far as this system can.
fn private_folder() -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}
