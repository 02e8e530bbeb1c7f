//! The deployed functions, with the clients of the local cloud.

use authorizer::Authorizer;
use cancel_order::CancelOrder;
use confirm_payment::ConfirmPayment;
use create_order::CreateOrder;
use payment_webhook::PaymentWebhook;
use query_orders::QueryOrders;
use service::cancellations::Cancellations;
use service::catalogue::CatalogueCache;
use service::cursor::Cursors;
use service::orders::CardOrders;
use service::queries::Queries;
use service::queue::ConfirmationQueue;
use service::return_urls::ReturnUrls;
use service::secret::Secret;
use service::stripe::{Https, Stripe, StripeSettings, Wire};
use service::table::Table;
use service::transfers::Transfers;
use service::webhook::WebhookReceiver;
use transfer::TransferMoney;

/// All functions of `template.yaml`.
#[derive(Debug)]
pub struct Functions<W: Wire = Https> {
    /// Asked before any other.
    pub authorizer: Authorizer,
    /// Cancels orders.
    pub cancel_order: CancelOrder<W>,
    /// Takes the confirmation queue.
    pub confirm_payment: ConfirmPayment,
    /// Makes card orders.
    pub create_order: CreateOrder<W>,
    /// Takes Stripe's webhooks.
    pub payment_webhook: PaymentWebhook,
    /// Answers every question.
    pub query_orders: QueryOrders,
    /// Moves money from the wallet to a product.
    pub transfer: TransferMoney,
}

/// What the functions get from their surroundings.
pub struct Surroundings<W: Wire = Https> {
    /// Where the money is.
    pub table: Table,
    /// Where payments wait that could not be confirmed at once.
    pub queue: ConfirmationQueue,
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
    /// Where customers may be sent after paying.
    pub return_urls: ReturnUrls,
}

impl<W: Wire> Functions<W> {
    /// All functions in these surroundings.
    #[must_use]
    pub fn new(around: Surroundings<W>) -> Self {
        let table = || around.table.clone();
        let stripe = || {
            let settings = StripeSettings {
                secret: Secret::given(&around.stripe_key),
                stage: around.stage.clone(),
                live_mode: around.live_mode,
            };
            Stripe::new(settings, around.wire.clone())
        };
        Self {
            authorizer: Authorizer(table()),
            cancel_order: CancelOrder(Cancellations { table: table(), stripe: stripe() }),
            confirm_payment: ConfirmPayment(table()),
            create_order: CreateOrder(CardOrders {
                table: table(),
                stripe: stripe(),
                catalogue: CatalogueCache::default(),
                return_urls: around.return_urls.clone(),
            }),
            payment_webhook: PaymentWebhook(WebhookReceiver {
                table: table(),
                queue: around.queue.clone(),
                secrets: Secret::given(&around.webhook_secret),
                stage: around.stage.clone(),
                live_mode: around.live_mode,
            }),
            query_orders: QueryOrders(Queries {
                table: table(),
                catalogue: CatalogueCache::default(),
                cursors: Cursors::new(Secret::given(&around.cursor_secret)),
            }),
            transfer: TransferMoney(Transfers {
                table: table(),
                catalogue: CatalogueCache::default(),
            }),
        }
    }
}
