//! A stand-in for Stripe: the API calls that Topup makes, a payment page for people, signed
//! webhooks, and controls that make it misbehave. It speaks API version 2026-09-30.endive.
//!
//! It knows one account, cards only, Checkout in payment mode, and refunds and disputes of what was
//! paid. Its webhook endpoint listens to `checkout.session.completed`, `checkout.session.expired`,
//! `payment_intent.succeeded`, `payment_intent.payment_failed`, `charge.succeeded`,
//! `charge.refunded`, `refund.created`, `refund.updated`, `refund.failed`, `charge.dispute.created`,
//! `charge.dispute.updated`, `charge.dispute.funds_withdrawn`, `charge.dispute.funds_reinstated` and
//! `charge.dispute.closed`; no other events come into being, and nothing here makes
//! `charge.dispute.updated`, which at Stripe follows evidence. Money settles in the currency it is
//! paid in. The controls are described in `control`.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::Notify;

use crate::clock::Clock;

use self::control::Controls;
use self::events::Announcer;
use self::store::Store;
pub use self::store::StoreError;
use self::webhooks::Sender;

mod api;
mod cards;
mod control;
mod control_money;
mod control_payments;
mod copies;
mod deliveries;
#[cfg(test)]
mod dispute_tests;
mod disputes;
mod events;
mod failure;
mod forgetting;
mod idempotency;
mod money;
mod movement_shapes;
mod movements;
mod objects;
mod parameters;
mod payment_page;
#[cfg(test)]
mod payment_tests;
mod payments;
mod reading;
#[cfg(test)]
mod refund_tests;
mod refunds;
mod sessions;
mod shapes;
mod store;
#[cfg(test)]
mod tests;
mod webhooks;

const API_VERSION: &str = "2026-09-30.endive";

/// The stand-in. Clones share everything.
#[derive(Clone)]
pub struct Provider(Arc<Shared>);

/// Where the stand-in is reached, where it sends webhooks, and its two secrets.
pub struct ProviderSettings {
    /// The base of payment pages, without a slash at the end: `http://127.0.0.1:8788`.
    pub public_url: String,
    /// Where events are sent.
    pub webhook_url: String,
    /// What they are signed with.
    pub webhook_secret: String,
    /// The only API key that is accepted.
    pub secret_key: String,
}

struct Shared {
    store: Store,
    /// The business time: of sessions, events and idempotency keys.
    clock: Clock,
    /// The real time, by which webhooks are tried again.
    wall: Clock,
    settings: ProviderSettings,
    controls: Mutex<Controls>,
    keys_in_use: Mutex<HashSet<String>>,
    sender: Sender,
    /// Something may be due for delivery.
    wake: Notify,
    /// The endpoint has answered, or not in time.
    answered: Notify,
}

impl Provider {
    /// Opens the stand-in on a file, or in memory without a path.
    ///
    /// # Errors
    /// If the file cannot be opened or is not a store of this version.
    pub fn open(
        path: Option<&Path>,
        clock: Clock,
        settings: ProviderSettings,
    ) -> Result<Self, StoreError> {
        let shared = Shared {
            store: Store::open(path)?,
            clock,
            wall: Clock::system(),
            settings,
            controls: Mutex::default(),
            keys_in_use: Mutex::default(),
            sender: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http(),
            wake: Notify::new(),
            answered: Notify::new(),
        };
        // The mode of the last run is over, and with it the reason to hold events.
        let now = shared.wall.unix_millis();
        shared.store.transaction(|books| books.release_held(now))?;
        Ok(Self(Arc::new(shared)))
    }

    /// The API, the payment pages and the controls.
    pub fn router(&self) -> Router {
        Router::new()
            .merge(api::router())
            .merge(payment_page::router())
            .merge(control::router())
            .merge(control_money::router())
            .merge(control_payments::router())
            .with_state(self.clone())
    }

    /// Sends webhooks until the future is dropped. What was not delivered then is kept, and the
    /// next run goes on with it.
    pub async fn run_deliveries(&self) {
        self.deliver().await;
    }

    /// Runs `work` in one transaction that first closes the sessions whose time is over, so that
    /// nobody ever sees one of them open.
    fn transact<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Announcer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mode = self.controls().mode();
        self.0.store.transaction(|books| {
            let announcer = Announcer {
                books,
                now: self.now(),
                wall: self.0.wall.unix_millis(),
                mode,
                public_url: &self.0.settings.public_url,
            };
            sessions::expire_overdue(&announcer)?;
            let value = work(&announcer)?;
            books.release_full_group(announcer.wall)?;
            Ok::<T, E>(value)
        })
    }

    /// The business time in seconds.
    fn now(&self) -> i64 {
        self.0.clock.unix_millis().div_euclid(1000)
    }

    fn controls(&self) -> MutexGuard<'_, Controls> {
        self.0.controls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
