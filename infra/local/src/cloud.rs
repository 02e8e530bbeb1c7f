//! Starting and stopping the local cloud.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use axum::Router;
use axum::serve::ListenerExt;
use service::queue::ConfirmationQueue;
use service::return_urls::ReturnUrls;
use service::table::Table;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use url::Url;

use crate::clock::Clock;
use crate::demo::{self, DemoKeys, Secrets};
use crate::functions::{Functions, Surroundings};
use crate::gateway::Gateway;
use crate::provider::{Provider, ProviderSettings};
use crate::queue::{QueueService, QueueSettings, Redrive};
use crate::table::{EmbeddedTable, TABLE_NAME, create_table};
use crate::{paid_page, pump};

/// The queue that `confirm-payment` takes from.
pub const CONFIRMATION_QUEUE: &str = "topup-local-confirmations";
/// Where messages end that could not be confirmed.
pub const DEAD_LETTER_QUEUE: &str = "topup-local-confirmations-dead";
/// How long a message that could not be confirmed stays invisible: `template.yaml` has six times
/// the function's timeout; here nothing runs for so long.
pub const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a message is received before it is given up, as in `template.yaml`.
pub const MAX_RECEIVE_COUNT: u32 = 10;

const STAGE: &str = "local";
const RETENTION: Duration = Duration::from_secs(14 * 24 * 3_600);
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
    /// Another DynamoDB than the embedded one.
    pub table_endpoint: Option<String>,
    /// Another SQS than the embedded one.
    pub queue_endpoint: Option<String>,
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
    /// The keys of the demo account.
    pub keys: DemoKeys,
    /// What the stand-in signs webhooks with.
    pub webhook_secret: String,
    /// The confirmation queue.
    pub queue: aws_sdk_sqs::Client,
    /// The table.
    pub table: Table,
    tasks: JoinSet<()>,
    _embedded_table: Option<EmbeddedTable>,
    _lock: Option<File>,
}

impl Settings {
    /// A cloud in memory on free ports.
    #[must_use]
    pub const fn in_memory(clock: Clock) -> Self {
        Self {
            port: 0,
            data_dir: None,
            clock,
            table_endpoint: None,
            queue_endpoint: None,
            stripe: None,
            provider_endpoint: None,
        }
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
        if DATA_FILES
            .iter()
            .any(|beginning| name.starts_with(beginning))
        {
            fs::remove_file(file.path()).map_err(|error| format!("{shown}/{name}: {error}"))?;
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
        let folder = settings.data_dir.as_deref();
        let held = folder.map(lock).transpose()?;
        let secrets = Secrets::load(folder)?;
        let clock = settings.clock.clone();
        let mut tasks = JoinSet::new();

        let embedded_table = match settings.table_endpoint {
            Some(_) => None,
            None => Some(EmbeddedTable::start(file(folder, "table.sqlite").as_deref()).await?),
        };
        let table_endpoint = settings
            .table_endpoint
            .or_else(|| embedded_table.as_ref().map(EmbeddedTable::endpoint));
        let dynamodb = aws_sdk_dynamodb::Client::new(&sdk(table_endpoint).await);
        create_table(&dynamodb).await?;
        let table = Table::new(dynamodb, TABLE_NAME);
        let keys = demo::seed(&table, &secrets, clock.now()).await?;

        let queue_endpoint = match settings.queue_endpoint {
            Some(endpoint) => endpoint,
            None => start_queue(folder, &clock, &mut tasks).await?,
        };
        let sqs = aws_sdk_sqs::Client::new(&sdk(Some(queue_endpoint.clone())).await);
        let queue_url = sqs
            .get_queue_url()
            .queue_name(CONFIRMATION_QUEUE)
            .send()
            .await;
        let queue_url = queue_url
            .ok()
            .and_then(|answer| answer.queue_url)
            .ok_or_else(|| {
                format!("{queue_endpoint} has no queue '{CONFIRMATION_QUEUE}': make it there first")
            })?;

        let api = bind(settings.port, "--port").await?;
        let base_url = format!("http://{}", address(&api)?);
        let stand_in = match &settings.stripe {
            Some(_) => None,
            None => {
                let port = settings.port.checked_add(1).filter(|_| settings.port != 0);
                Some(
                    bind(
                        port.unwrap_or_default(),
                        "--port (the provider takes the next one)",
                    )
                    .await?,
                )
            }
        };
        let provider_url = match &stand_in {
            Some(listener) => Some(format!("http://{}", address(listener)?)),
            None => None,
        };
        if let (Some(listener), Some(public_url)) = (stand_in, provider_url.clone()) {
            let provider = Provider::open(
                file(folder, "provider.sqlite").as_deref(),
                clock.clone(),
                ProviderSettings {
                    public_url,
                    webhook_url: format!("{base_url}/v1/webhooks/stripe"),
                    webhook_secret: secrets.webhook.clone(),
                    secret_key: secrets.provider.clone(),
                },
            );
            let provider = provider.map_err(|error| format!("provider.sqlite: {error}"))?;
            serve(listener, provider.router(), &mut tasks);
            tasks.spawn(async move { provider.run_deliveries().await });
        }

        let real = settings.stripe.as_ref();
        let stripe_url = settings.provider_endpoint.or_else(|| provider_url.clone());
        let webhook_secret = real.map_or_else(
            || secrets.webhook.clone(),
            |stripe| stripe.webhook_secret.clone(),
        );
        let functions = Arc::new(Functions::new(Surroundings {
            table: table.clone(),
            queue: ConfirmationQueue::new(sqs.clone(), &queue_url),
            stage: STAGE.to_owned(),
            stripe_key: real.map_or_else(
                || secrets.provider.clone(),
                |stripe| stripe.secret_key.clone(),
            ),
            stripe_url: stripe_url.map(|url| format!("{url}/")),
            webhook_secret: webhook_secret.clone(),
            live_mode: real.is_some_and(|stripe| stripe.secret_key.contains("_live_")),
            cursor_secret: secrets.cursor.clone(),
            return_urls: return_urls(&base_url)?,
        }));
        tasks.spawn(pump::run(
            Arc::clone(&functions),
            sqs.clone(),
            queue_url,
            clock.clone(),
        ));
        serve(api, Gateway { functions, clock }.router(), &mut tasks);
        Ok(Self {
            base_url,
            provider_url,
            keys,
            webhook_secret,
            queue: sqs,
            table,
            tasks,
            _embedded_table: embedded_table,
            _lock: held,
        })
    }

    /// Waits until a part of it has stopped, which none does by itself.
    pub async fn run(&mut self) {
        self.tasks.join_next().await;
    }
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

async fn start_queue(
    folder: Option<&Path>,
    clock: &Clock,
    tasks: &mut JoinSet<()>,
) -> Result<String, String> {
    let opened = QueueService::open(file(folder, "queue.sqlite").as_deref(), clock.clone());
    let queues = opened.map_err(|error| format!("queue.sqlite: {error}"))?;
    let settings = |name: &str, redrive| QueueSettings {
        name: name.to_owned(),
        visibility_timeout: VISIBILITY_TIMEOUT,
        retention: RETENTION,
        redrive,
    };
    let redrive = Redrive {
        dead_letter_queue: DEAD_LETTER_QUEUE.to_owned(),
        max_receive_count: MAX_RECEIVE_COUNT,
    };
    for queue in [
        settings(DEAD_LETTER_QUEUE, None),
        settings(CONFIRMATION_QUEUE, Some(redrive)),
    ] {
        queues
            .create_queue(queue)
            .map_err(|error| format!("queue.sqlite: {error}"))?;
    }
    let listener = bind(0, "a port for the queue").await?;
    let endpoint = format!("http://{}", address(&listener)?);
    serve(listener, queues.router(), tasks);
    Ok(endpoint)
}

fn serve(listener: TcpListener, router: Router, tasks: &mut JoinSet<()>) {
    // Without this, small answers wait for the client's delayed acknowledgement: 44 ms.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    tasks.spawn(async move { drop(axum::serve(listener, router).await) });
}

async fn bind(port: u16, what: &str) -> Result<TcpListener, String> {
    let bound = TcpListener::bind(("127.0.0.1", port)).await;
    bound.map_err(|error| format!("{what}: port {port} of 127.0.0.1 cannot be used: {error}"))
}

fn address(listener: &TcpListener) -> Result<SocketAddr, String> {
    listener.local_addr().map_err(|error| error.to_string())
}

fn return_urls(base_url: &str) -> Result<ReturnUrls, String> {
    let default = format!("{base_url}{}", paid_page::PATH);
    let default = Url::parse(&default).map_err(|error| error.to_string())?;
    let hosts = ["127.0.0.1", "localhost"].map(str::to_owned).to_vec();
    Ok(ReturnUrls { default, hosts })
}

fn file(folder: Option<&Path>, name: &str) -> Option<PathBuf> {
    folder.map(|folder| folder.join(name))
}

/// Makes sure that no other runner uses the same data.
fn lock(folder: &Path) -> Result<File, String> {
    let shown = folder.display();
    fs::create_dir_all(folder).map_err(|error| format!("{shown}: {error}"))?;
    let file = File::create(folder.join("lock")).map_err(|error| format!("{shown}: {error}"))?;
    file.try_lock().map_err(|_| {
        format!("{shown} is used by another runner: stop it, or name another --data-dir")
    })?;
    Ok(file)
}
