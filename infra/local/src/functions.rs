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
use service::stripe::{Stripe, StripeSettings};
use service::table::Table;
use service::transfers::Transfers;
use service::webhook::WebhookReceiver;
use transfer::TransferMoney;

/// All functions of `template.yaml`.
#[derive(Debug)]
pub(crate) struct Functions {
    pub(crate) authorizer: Authorizer,
    pub(crate) cancel_order: CancelOrder,
    pub(crate) confirm_payment: ConfirmPayment,
    pub(crate) create_order: CreateOrder,
    pub(crate) payment_webhook: PaymentWebhook,
    pub(crate) query_orders: QueryOrders,
    pub(crate) transfer: TransferMoney,
}

/// What the functions get from their surroundings.
pub(crate) struct Surroundings {
    pub(crate) table: Table,
    pub(crate) queue: ConfirmationQueue,
    pub(crate) stage: String,
    pub(crate) stripe_key: String,
    pub(crate) stripe_url: Option<String>,
    pub(crate) webhook_secret: String,
    pub(crate) live_mode: bool,
    pub(crate) cursor_secret: String,
    pub(crate) return_urls: ReturnUrls,
}

impl Functions {
    pub(crate) fn new(around: Surroundings) -> Self {
        let table = || around.table.clone();
        let stripe = || {
            Stripe::new(StripeSettings {
                secret: Secret::given(&around.stripe_key),
                stage: around.stage.clone(),
                live_mode: around.live_mode,
                base_url: around.stripe_url.clone(),
            })
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
