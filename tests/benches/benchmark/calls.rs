//! What is measured: the operations of a customer and of Stripe, as HTTP requests and as events.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use ledger::{AccountId, IdempotencyKey};
use local::clock::Clock;
use serde_json::{Value, json};
use sha2::Sha256;
use tests::world::card_order;

/// Charges of a batch: as many as fit into one commit.
pub(crate) const BATCH: usize = 92;

/// Orders on a page.
pub(crate) const PAGE: usize = 10;

/// An operation that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A card order of 10.00 for the wallet.
    Create,
    /// The webhook by which the order of the same number is credited.
    Webhook,
    /// 1.00 from the wallet to a product.
    Transfer,
    /// 0.01 of a product.
    Charge,
    /// So much, [`BATCH`] times.
    ChargeBatch,
    /// All balances.
    Balances,
    /// The newest orders.
    OrderPage,
}

/// A customer with an account.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    /// The account.
    pub(crate) account: String,
    /// The API key.
    pub(crate) key: String,
    /// What the authorizer says about it.
    pub(crate) context: Value,
}

/// What Stripe signs webhooks with.
#[derive(Debug, Clone)]
pub(crate) struct Webhooks {
    /// What time it is.
    pub(crate) clock: Clock,
    /// The secret.
    pub(crate) secret: String,
}

/// A request that is ready to be sent.
pub(crate) struct Call {
    /// What it asks for.
    pub(crate) operation: Operation,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// What an event says about its HTTP request.
pub(crate) struct Parts<'a> {
    /// The method.
    pub(crate) method: &'a str,
    /// The path, which is also the route: no route of these has parameters.
    pub(crate) path: &'a str,
    /// What follows the question mark.
    pub(crate) query: &'a str,
    /// The headers.
    pub(crate) headers: BTreeMap<&'a str, &'a str>,
    /// The body.
    pub(crate) body: &'a str,
    /// What the authorizer said.
    pub(crate) context: &'a Value,
}

impl Operation {
    /// In an order in which each finds what it needs.
    pub(crate) const ALL: [Self; 5] =
        [Self::Create, Self::Webhook, Self::Transfer, Self::Balances, Self::OrderPage];

    /// Its name in a table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Webhook => "webhook credit",
            Self::Transfer => "transfer",
            Self::Charge => "charge",
            Self::ChargeBatch => "batch of charges",
            Self::Balances => "balances",
            Self::OrderPage => "order page",
        }
    }

    /// The request of a customer who does it for this number, which is new.
    pub(crate) fn call(self, webhooks: &Webhooks, customer: &Customer, number: usize) -> Call {
        let key = number.to_string();
        match self {
            Self::Create => Call::order(customer, "wallet", &key, "10.00"),
            Self::Webhook => Call::webhook(webhooks, customer, &key, 1_000),
            Self::Transfer => Call::transfer(customer, &key),
            Self::Charge => Call::charge(customer, &key, "0.01"),
            Self::ChargeBatch => Call::charge_batch(customer, &key),
            Self::Balances | Self::OrderPage => Call::of(self, customer, None),
        }
    }

    /// The status of its answer.
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::Create | Self::Transfer | Self::Charge => 201,
            Self::Webhook | Self::ChargeBatch | Self::Balances | Self::OrderPage => 200,
        }
    }

    const fn route(self) -> (&'static str, &'static str) {
        match self {
            Self::Create => ("POST", "/v1/orders"),
            Self::Webhook => ("POST", "/v1/webhooks/stripe"),
            Self::Transfer => ("POST", "/v1/transfers"),
            Self::Charge => ("POST", "/v1/charges"),
            Self::ChargeBatch => ("POST", "/v1/charges/batch"),
            Self::Balances => ("GET", "/v1/balances"),
            Self::OrderPage => ("GET", "/v1/orders"),
        }
    }

    fn query(self) -> String {
        if self == Self::OrderPage { format!("limit={PAGE}") } else { String::new() }
    }
}

impl Webhooks {
    /// Stripe's signature of this body.
    fn signature(&self, body: &str) -> String {
        let seconds = self.clock.now().unix_seconds();
        let mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).expect("any key");
        let mac = mac.chain_update(format!("{seconds}.{body}"));
        format!("t={seconds},v1={}", HEXLOWER.encode(&mac.finalize().into_bytes()))
    }
}

impl Call {
    /// A card order for the wallet or a product.
    pub(crate) fn order(customer: &Customer, target: &str, key: &str, amount: &str) -> Self {
        Self::of(Operation::Create, customer, Some((key, card_order(target, amount))))
    }

    /// A transfer of 1.00.
    pub(crate) fn transfer(customer: &Customer, key: &str) -> Self {
        let body = json!({"product": "sms", "amount": "1.00"});
        Self::of(Operation::Transfer, customer, Some((key, body)))
    }

    /// A charge.
    pub(crate) fn charge(customer: &Customer, key: &str, amount: &str) -> Self {
        let body = json!({"product": "sms", "amount": amount});
        Self::of(Operation::Charge, customer, Some((key, body)))
    }

    /// A batch of charges of 0.01.
    fn charge_batch(customer: &Customer, key: &str) -> Self {
        let one =
            |number| json!({"key": format!("{key}-{number}"), "product": "sms", "amount": "0.01"});
        let body = json!({"charges": (0..BATCH).map(one).collect::<Vec<_>>()});
        Self::of(Operation::ChargeBatch, customer, Some((key, body)))
    }

    /// Stripe's word that the order with this key was paid.
    pub(crate) fn webhook(webhooks: &Webhooks, customer: &Customer, key: &str, cents: u32) -> Self {
        let account = AccountId::parse(&customer.account).expect("an account");
        let idempotency_key = IdempotencyKey::parse(key).expect("a key");
        let order = ledger::OrderId::of_request(&account, &idempotency_key);
        let body = json!({
            "id": format!("evt_{order}"),
            "object": "event",
            "api_version": "2026-09-30.endive",
            "created": webhooks.clock.now().unix_seconds(),
            "livemode": false,
            "type": "checkout.session.completed",
            "data": {"object": {
                "id": format!("cs_test_{order}"),
                "object": "checkout.session",
                "amount_total": cents,
                "currency": "usd",
                "payment_intent": format!("pi_{order}"),
                "payment_status": "paid",
                "status": "complete",
                "metadata": {
                    "topup_stage": "local",
                    "account_id": customer.account,
                    "order_id": order.as_str(),
                },
            }},
        })
        .to_string();
        let signature = ("stripe-signature", webhooks.signature(&body));
        Self { operation: Operation::Webhook, headers: vec![signature], body }
    }

    fn of(operation: Operation, customer: &Customer, json: Option<(&str, Value)>) -> Self {
        let mut headers = vec![("authorization", format!("Bearer {}", customer.key))];
        let Some((key, body)) = json else {
            return Self { operation, headers, body: String::new() };
        };
        headers.push(("content-type", "application/json".to_owned()));
        headers.push(("idempotency-key", key.to_owned()));
        Self { operation, headers, body: body.to_string() }
    }

    /// The same as an HTTP request to a server.
    pub(crate) fn request(&self, base_url: &str) -> Request<Body> {
        let (method, path) = self.operation.route();
        let uri = format!("{base_url}{path}?{}", self.operation.query());
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.body(Body::from(self.body.clone())).expect("a request")
    }

    /// The same as the event that a function gets.
    pub(crate) fn event(&self, customer: &Customer) -> String {
        let (method, path) = self.operation.route();
        event(&Parts {
            method,
            path,
            query: &self.operation.query(),
            headers: self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect(),
            body: &self.body,
            context: &customer.context,
        })
    }
}

/// The event of a request, as API Gateway sends it.
pub(crate) fn event(parts: &Parts<'_>) -> String {
    let route_key = format!("{} {}", parts.method, parts.path);
    let query: BTreeMap<&str, &str> =
        parts.query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": parts.path,
        "rawQueryString": parts.query,
        "headers": parts.headers,
        "queryStringParameters": query,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "authorizer": {"lambda": parts.context},
            "domainName": "127.0.0.1",
            "domainPrefix": "127",
            "http": {
                "method": parts.method,
                "path": parts.path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "",
            },
            "requestId": "benchmark",
            "routeKey": route_key,
            "stage": "$default",
            "timeEpoch": 0,
        },
        "body": parts.body,
        "isBase64Encoded": false,
    })
    .to_string()
}
