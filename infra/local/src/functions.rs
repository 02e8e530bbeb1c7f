//! The deployed functions, with the clients of the local cloud.

use adjust_balance::AdjustBalance;
use authorizer::Authorizer;
use cancel_order::CancelOrder;
use charge::ChargeUsage;
use compare_payments::ComparePayments;
use configure::Configure;
use confirm_payment::ConfirmPayment;
use create_order::CreateOrder;
use deliver_event::DeliverEvent;
use exchange_code::ExchangeCode;
use hold::HoldMoney;
use import_statement::ImportStatement;
use ledger::Currency;
use manage_accounts::ManageAccounts;
use manage_endpoints::ChangeEndpoints;
use meter_usage::MeterUsage;
use payment_webhook::PaymentWebhook;
use query_accounts::QueryAccounts;
use query_orders::QueryOrders;
use reconcile::Reconcile;
use refund_order::RefundOrder;
use report_transfer::ReportTransfer;
use resolve_finding::ResolveFinding;
use review_order::ReviewOrder;
use service::adjustments::Adjustments;
use service::api_keys::ApiKeys;
use service::bank_transfers::BankTransfers;
use service::cancellations::Cancellations;
use service::catalogue::CatalogueCache;
use service::charges::Charges;
use service::comparing::Comparisons;
use service::comparison::Reports;
use service::console::ConsoleSessions;
use service::cursor::Cursors;
use service::delivery::{Deliveries, Sender};
use service::endpoints::{EndpointSecrets, ManageEndpoints};
use service::events::Events;
use service::findings::Findings;
use service::holds::Holds;
use service::keys::Draw;
use service::objects::Objects;
use service::orders::Orders;
use service::queries::Queries;
use service::queue::ConfirmationQueue;
use service::refunds::Refunds;
use service::return_urls::ReturnUrls;
use service::reviews::Reviews;
use service::secret::Secret;
use service::statements::Statements;
use service::stripe::{Https, Stripe, StripeSettings, Wire};
use service::sweep::Sweeps;
use service::table::Table;
use service::thresholds::SetThresholds;
use service::transfers::Transfers;
use service::verification::Verifications;
use service::webhook::WebhookReceiver;
use set_thresholds::ChangeThresholds;
use transfer::TransferMoney;
use url::Url;
use verify_accounts::VerifyAccounts;

/// All functions that are deployed.
#[derive(Debug)]
pub struct Functions<W: Wire = Https> {
    /// Corrects balances.
    pub adjust_balance: AdjustBalance,
    /// Asked before any other.
    pub authorizer: Authorizer,
    /// Cancels orders.
    pub cancel_order: CancelOrder<W>,
    /// Charges what is used.
    pub charge: ChargeUsage,
    /// Compares the provider's books with ours.
    pub compare_payments: ComparePayments<W>,
    /// Changes the catalogue.
    pub configure: Configure,
    /// Takes the confirmation queue.
    pub confirm_payment: ConfirmPayment,
    /// Makes orders.
    pub create_order: CreateOrder<W>,
    /// Takes the queue of events.
    pub deliver_event: DeliverEvent,
    /// Gives tokens of the console.
    pub exchange_code: ExchangeCode,
    /// Sets money aside for what is going to be used.
    pub hold: HoldMoney,
    /// Takes bank statements.
    pub import_statement: ImportStatement,
    /// Makes accounts, keys and sessions of the console.
    pub manage_accounts: ManageAccounts,
    /// Changes where the platform is told of events.
    pub manage_endpoints: ChangeEndpoints,
    /// Takes the usage queue.
    pub meter_usage: MeterUsage,
    /// Takes Stripe's webhooks.
    pub payment_webhook: PaymentWebhook,
    /// Answers every question of the operator.
    pub query_accounts: QueryAccounts,
    /// Answers every question of a customer.
    pub query_orders: QueryOrders,
    /// Runs by the clock.
    pub reconcile: Reconcile<W>,
    /// Gives money of an order back.
    pub refund_order: RefundOrder<W>,
    /// Takes reports of bank transfers.
    pub report_transfer: ReportTransfer,
    /// Shows findings and closes them.
    pub resolve_finding: ResolveFinding,
    /// Decides on bank transfers.
    pub review_order: ReviewOrder,
    /// Sets what is to happen when a balance runs low.
    pub set_thresholds: ChangeThresholds,
    /// Moves money from the wallet to a product.
    pub transfer: TransferMoney,
    /// Runs by the clock: derives every account again from its journal.
    pub verify_accounts: VerifyAccounts,
}

/// Where the functions get their clients from, each by its own name: what a function may do is a matter of
/// its role, and only who knows the function behind a request can say whether the role allows it.
pub trait Clients {
    /// Where the money is.
    fn table(&self, function: &'static str) -> Table;
    /// Where payments wait that could not be confirmed at once.
    fn queue(&self, function: &'static str) -> ConfirmationQueue;
    /// Where uploaded files are.
    fn objects(&self, function: &'static str) -> Objects;
}

/// The same clients for every function.
#[derive(Debug)]
pub struct SameClients {
    /// Where the money is.
    pub table: Table,
    /// Where payments wait that could not be confirmed at once.
    pub queue: ConfirmationQueue,
    /// Where uploaded files are.
    pub objects: Objects,
}

impl Clients for SameClients {
    fn table(&self, _: &'static str) -> Table {
        self.table.clone()
    }

    fn queue(&self, _: &'static str) -> ConfirmationQueue {
        self.queue.clone()
    }

    fn objects(&self, _: &'static str) -> Objects {
        self.objects.clone()
    }
}

/// What the functions get from their surroundings.
pub struct Surroundings<W: Wire = Https> {
    /// What leads to the table, the queue and the files.
    pub clients: Box<dyn Clients>,
    /// The name of the deployment.
    pub stage: String,
    /// Whether real money is expected.
    pub live_mode: bool,
    /// What leads to Stripe.
    pub wire: W,
    /// The API key for it.
    pub stripe_key: String,
    /// What its webhooks are signed with.
    pub webhook_secret: String,
    /// What cursors are authenticated with.
    pub cursor_secret: String,
    /// What the secrets of endpoints are derived from.
    pub endpoint_secret: String,
    /// What sends events.
    pub sender: Sender,
    /// Where customers may be sent after paying.
    pub return_urls: ReturnUrls,
    /// Where the console is.
    pub console: Url,
    /// Where the secrets of keys come from.
    pub draw: Draw,
}

impl<W: Wire> Surroundings<W> {
    fn stripe(&self) -> Stripe<W> {
        let settings = StripeSettings {
            secret: Secret::given(&self.stripe_key),
            stage: self.stage.clone(),
            live_mode: self.live_mode,
        };
        Stripe::new(settings, self.wire.clone())
    }

    fn endpoint_secrets(&self) -> EndpointSecrets {
        EndpointSecrets(Secret::given(&self.endpoint_secret))
    }

    fn deliveries(&self, function: &'static str) -> Deliveries {
        let (table, sender) = (self.clients.table(function), self.sender.clone());
        Deliveries { table, secrets: self.endpoint_secrets(), sender }
    }

    fn endpoints(&self) -> ChangeEndpoints {
        let function = "manage-endpoints";
        let (table, secrets) = (self.clients.table(function), self.endpoint_secrets());
        let endpoints = ManageEndpoints { table, secrets };
        ChangeEndpoints { endpoints, deliveries: self.deliveries(function) }
    }

    fn cursors(&self) -> Cursors {
        Cursors::new(Secret::given(&self.cursor_secret))
    }

    fn reviews(&self, function: &'static str) -> Reviews {
        Reviews { table: self.clients.table(function), catalogue: CatalogueCache::default() }
    }

    fn create_order(&self) -> CreateOrder<W> {
        let function = "create-order";
        CreateOrder(Orders {
            table: self.clients.table(function),
            stripe: self.stripe(),
            catalogue: CatalogueCache::default(),
            return_urls: self.return_urls.clone(),
            draw: self.draw,
        })
    }

    fn import_statement(&self) -> ImportStatement {
        let function = "import-statement";
        ImportStatement(Statements {
            objects: self.clients.objects(function),
            reviews: self.reviews(function),
            cursors: self.cursors(),
        })
    }

    fn query_accounts(&self) -> QueryAccounts {
        let function = "query-accounts";
        QueryAccounts {
            queries: self.queries(function),
            objects: self.clients.objects(function),
            events: Events(self.clients.table(function)),
            reports: Reports { table: self.clients.table(function), cursors: self.cursors() },
            charges: self.charges(function),
            holds: self.holds(function),
        }
    }

    fn charges(&self, function: &'static str) -> Charges {
        Charges { table: self.clients.table(function), catalogue: CatalogueCache::default() }
    }

    fn holds(&self, function: &'static str) -> Holds {
        Holds {
            table: self.clients.table(function),
            catalogue: CatalogueCache::default(),
            cursors: self.cursors(),
        }
    }

    fn queries(&self, function: &'static str) -> Queries {
        Queries {
            table: self.clients.table(function),
            catalogue: CatalogueCache::default(),
            cursors: self.cursors(),
        }
    }

    fn payment_webhook(&self) -> PaymentWebhook {
        let function = "payment-webhook";
        PaymentWebhook(WebhookReceiver {
            table: self.clients.table(function),
            queue: self.clients.queue(function),
            secrets: Secret::given(&self.webhook_secret),
            stage: self.stage.clone(),
            live_mode: self.live_mode,
        })
    }
}

impl<W: Wire> Functions<W> {
    /// All functions in these surroundings.
    #[must_use]
    pub fn new(around: &Surroundings<W>) -> Self {
        let (clients, draw) = (&around.clients, around.draw);
        let table = |function| clients.table(function);
        let cursors = || around.cursors();
        let catalogue = CatalogueCache::default;
        let charges = |function| around.charges(function);
        let objects = |function| clients.objects(function);
        let stripe = || around.stripe();
        let refunds = |function| Refunds { table: table(function), stripe: stripe() };
        Self {
            adjust_balance: AdjustBalance(Adjustments {
                table: table("adjust-balance"),
                catalogue: catalogue(),
                cursors: cursors(),
            }),
            authorizer: Authorizer(table("authorizer")),
            cancel_order: CancelOrder(Cancellations {
                table: table("cancel-order"),
                stripe: stripe(),
            }),
            charge: ChargeUsage(charges("charge")),
            compare_payments: ComparePayments(Comparisons { refunds: refunds("compare-payments") }),
            configure: Configure(table("configure")),
            confirm_payment: ConfirmPayment(table("confirm-payment")),
            create_order: around.create_order(),
            deliver_event: DeliverEvent(around.deliveries("deliver-event")),
            exchange_code: ExchangeCode { table: table("exchange-code"), draw },
            hold: HoldMoney(around.holds("hold")),
            import_statement: around.import_statement(),
            manage_accounts: ManageAccounts {
                keys: ApiKeys {
                    table: table("manage-accounts"),
                    draw,
                    cursors: cursors(),
                    currency: Currency::USD,
                },
                sessions: ConsoleSessions {
                    table: table("manage-accounts"),
                    draw,
                    console: around.console.clone(),
                },
            },
            manage_endpoints: around.endpoints(),
            meter_usage: MeterUsage(charges("meter-usage")),
            payment_webhook: around.payment_webhook(),
            query_accounts: around.query_accounts(),
            query_orders: QueryOrders(around.queries("query-orders")),
            reconcile: Reconcile(Sweeps { refunds: refunds("reconcile") }),
            refund_order: RefundOrder(refunds("refund-order")),
            report_transfer: ReportTransfer(BankTransfers {
                table: table("report-transfer"),
                objects: objects("report-transfer"),
            }),
            resolve_finding: ResolveFinding(Findings {
                table: table("resolve-finding"),
                catalogue: catalogue(),
                cursors: cursors(),
            }),
            review_order: ReviewOrder(around.reviews("review-order")),
            set_thresholds: ChangeThresholds(SetThresholds {
                table: table("set-thresholds"),
                catalogue: catalogue(),
            }),
            transfer: TransferMoney(Transfers { table: table("transfer"), catalogue: catalogue() }),
            verify_accounts: VerifyAccounts(Verifications { table: table("verify-accounts") }),
        }
    }
}
