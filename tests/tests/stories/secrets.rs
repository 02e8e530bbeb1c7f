//! Secrets: kept for a while, loaded again when one was rotated, and never shown.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use ledger::{
    Currency, Money, OrderId, PaymentId, ProviderId, Refund, RefundStatus, Timestamp, ToldRefund,
};
use serde_json::json;
use service::config::{
    CONSOLE_URL, CURRENCY, Environment, RETURN_URL, RETURN_URL_HOSTS, STRIPE_LIVE_MODE, TABLE_NAME,
};
use service::secret::Secret;
use service::stripe::{Https, Stripe, StripeSettings};
use tokio::sync::Notify;

const START: Timestamp = Timestamp::from_unix_millis(1_795_435_200_000);

/// Secrets Manager, as far as one secret goes.
#[derive(Clone, Default)]
struct Keeper {
    text: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

async fn give(State(keeper): State<Keeper>) -> impl IntoResponse {
    keeper.asked.fetch_add(1, Ordering::SeqCst);
    let text = keeper.text.lock().unwrap().clone();
    let body = json!({"ARN": "arn:secret", "Name": "secret", "SecretString": text});
    ([(header::CONTENT_TYPE, "application/x-amz-json-1.1")], body.to_string())
}

impl Keeper {
    async fn start(&self) -> Secret {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(give).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let sdk = local::cloud::sdk(Some(endpoint)).await;
        Secret::managed(aws_sdk_secretsmanager::Client::new(&sdk), "arn:secret")
    }

    fn becomes(&self, text: &str) {
        text.clone_into(&mut self.text.lock().unwrap());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_kept_for_five_minutes_and_loaded_again_when_it_seems_wrong() {
    let keeper = Keeper::default();
    keeper.becomes("first");
    let secret = keeper.start().await;
    let after = |seconds| START.plus(Duration::from_secs(seconds));
    assert_eq!(secret.get(START).await.unwrap(), "first");
    keeper.becomes("second");
    assert_eq!(secret.get(after(299)).await.unwrap(), "first");
    assert_eq!(keeper.asked(), 1);
    assert_eq!(secret.get(after(300)).await.unwrap(), "second");
    assert_eq!(keeper.asked(), 2);

    keeper.becomes("third");
    for _ in 0..10 {
        // Wrong signatures by the dozen do not ask by the dozen.
        assert_eq!(secret.get_again(after(310)).await.unwrap(), "second");
    }
    assert_eq!(keeper.asked(), 2);
    assert_eq!(secret.get_again(after(330)).await.unwrap(), "third");
    assert_eq!(keeper.asked(), 3);
    assert_eq!(format!("{secret:?}"), "Secret");
}

/// Counts the errors that one thread logs.
#[derive(Clone, Default)]
struct Errors(Arc<AtomicUsize>);

impl tracing::Subscriber for Errors {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::ERROR
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::Id {
        tracing::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::Id, _: &tracing::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn enter(&self, _: &tracing::Id) {}

    fn exit(&self, _: &tracing::Id) {}
}

/// Stripe, which knows the new key only. What comes with the old one about the payment `pi_late` is refused once
/// somebody has used the new one.
#[derive(Clone, Default)]
struct Rotated {
    used: Arc<Notify>,
}

async fn no_refunds(
    State(rotated): State<Rotated>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> impl IntoResponse {
    let json = [(header::CONTENT_TYPE, "application/json")];
    if headers[header::AUTHORIZATION] == "Bearer sk_test_new" {
        rotated.used.notify_one();
        let page = json!({"object": "list", "data": [], "has_more": false, "url": "/v1/refunds"});
        return (StatusCode::OK, json, page.to_string());
    }
    if query.unwrap_or_default().contains("pi_late") {
        rotated.used.notified().await;
    }
    let refused = json!({"error": {"type": "invalid_request_error", "message": "no such key"}});
    (StatusCode::UNAUTHORIZED, json, refused.to_string())
}

#[tokio::test]
async fn a_rotated_key_is_no_error_though_calls_with_both_run_side_by_side() {
    let errors = Errors::default();
    let _logs = tracing::subscriber::set_default(errors.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = Some(format!("http://{}/", listener.local_addr().unwrap()));
    let router = axum::Router::new().fallback(no_refunds).with_state(Rotated::default());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let keeper = Keeper::default();
    keeper.becomes("sk_test_old");
    let (secret, stage) = (keeper.start().await, "test".to_owned());
    let settings = StripeSettings { secret, stage, live_mode: false };
    let stripe = Stripe::new(settings, Https { base_url });
    let refund = Refund {
        provider_id: None,
        ..Refund::made_elsewhere(&ToldRefund {
            id: None,
            provider_id: ProviderId::parse("re_1").unwrap(),
            money: Money::parse("1.00", Currency::USD).unwrap(),
            status: RefundStatus::Pending,
            failure: None,
            at: START,
        })
    };
    let look = async |payment: &str, seconds| {
        let (payment, now) = (PaymentId::parse(payment).unwrap(), Duration::from_secs(seconds));
        stripe
            .find_refund(&payment, &refund, START.plus(now))
            .await
            .map_err(|error| error.to_string())
    };
    assert!(look("pi_first", 0).await.unwrap_err().contains("401"));
    assert_eq!(errors.0.load(Ordering::SeqCst), 1, "its secret holds no other");
    keeper.becomes("sk_test_new");
    let (late, early) = futures_util::future::join(look("pi_late", 40), async {
        look("pi_early", 41).await.unwrap_err();
        look("pi_early", 42).await
    })
    .await;
    assert_eq!((late.is_err(), early), (true, Ok(None)));
    assert_eq!(errors.0.load(Ordering::SeqCst), 1, "a key that was rotated is no error");
}

#[test]
fn a_wrong_environment_is_named() {
    let check = |variables: &[(&str, &str)], expected: &str| {
        let environment = Environment::of(variables);
        let wrong = [
            environment.text(TABLE_NAME).err(),
            environment.truth(STRIPE_LIVE_MODE).err(),
            environment.return_urls().err(),
        ];
        let first = wrong.into_iter().flatten().next().map(|error| error.to_string());
        assert_eq!(first.unwrap_or_default(), expected);
    };
    let table = (TABLE_NAME, "topup");
    let mode = (STRIPE_LIVE_MODE, "false");
    check(&[], "environment variable TABLE_NAME is not set");
    check(&[(TABLE_NAME, "  ")], "environment variable TABLE_NAME is not set");
    check(
        &[table, (STRIPE_LIVE_MODE, "no")],
        "environment variable STRIPE_LIVE_MODE must be 'true' or 'false'",
    );
    check(
        &[table, mode, (RETURN_URL, "example.com")],
        "environment variable RETURN_URL must be an absolute address, such as \
         'https://example.com/paid'",
    );
    check(
        &[table, mode, (RETURN_URL, "http://example.com")],
        "environment variable RETURN_URL must be an https address",
    );
    let paid = (RETURN_URL, "https://example.com/paid");
    check(&[table, mode, paid], "environment variable CONSOLE_URL is not set");
    check(&[table, mode, paid, (CONSOLE_URL, "https://console.example/")], "");
    let currency = |code| Environment::of(&[(CURRENCY, code)]).currency(CURRENCY);
    assert_eq!(currency("EUR").unwrap(), Currency::parse("EUR").unwrap());
    let problem = currency("EURO").unwrap_err().to_string();
    assert!(problem.starts_with("environment variable CURRENCY cannot be used: "), "{problem}");
}

#[test]
fn whoever_orders_at_the_console_comes_back_to_it() {
    let environment = Environment::of(&[
        (RETURN_URL, "https://platform.example/paid"),
        (RETURN_URL_HOSTS, "shop.example"),
        (CONSOLE_URL, "https://console.example/"),
    ]);
    let urls = environment.return_urls().unwrap();
    let id = OrderId::parse("ord_00000000000000000000").unwrap();
    for host in ["console.example", "platform.example", "shop.example"] {
        assert!(urls.resolve(Some(&format!("https://{host}/")), &id).is_ok(), "{host}");
    }
    assert!(urls.resolve(Some("https://other.example/"), &id).is_err());
}
