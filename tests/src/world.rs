//! The world of a story: a platform, its customers, and what they do.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::QueueAttributeName::{
    self, ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible,
};
use axum::body::Body;
use axum::http::Request;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use ledger::{Account, AccountId, Actor, Currency, Entry, verify};
use local::clock::Clock;
use local::cloud::{Cloud, Settings};
use local::demo::DEMO_ACCOUNT;
use local::embedded_objects::EmbeddedObjects;
use local::embedded_queue::{
    CONFIRMATION_QUEUE, DEAD_LETTER_QUEUE, EVENT_DEAD_LETTER_QUEUE, EVENT_QUEUE, EmbeddedQueue,
    USAGE_DEAD_LETTER_QUEUE, USAGE_QUEUE, VISIBILITY_TIMEOUT,
};
use local::pump;
use local::table::{EmbeddedTable, TABLE_NAME};
use serde_json::{Value, json};
use service::comparison::Comparison;
use service::keys::{ApiKey, KeyOwner, NewKey, Scope, store};
use service::sweep::Swept;
use service::table::Table;
use service::verification::Verified;
use sha2::Sha256;

use crate::document;
use crate::http::{Answer, HttpClient};
use crate::logs;
use crate::wire::{Upstream, Wires};

/// When every story begins: 2026-11-23T12:00:00Z.
const BEGINNING: i64 = 1_795_435_200_000;

/// Visa's test cards, by what Stripe does with them.
pub const GOOD_CARD: &str = "4242424242424242";
/// Is declined.
pub const DECLINED_CARD: &str = "4000000000000002";

/// Says where DynamoDB Local answers, if stories are to be told on it.
const TABLE_VARIABLE: &str = "TOPUP_STORIES_TABLE";

/// A running local cloud with watched wires, and a clock that only the story moves.
#[derive(Debug)]
pub struct World {
    /// The cloud.
    pub cloud: Cloud,
    /// What time it is.
    pub clock: Clock,
    /// The wires to the table, the queue and the provider.
    pub wires: Wires,
    /// The table, past the wires.
    pub table: Table,
    /// The customer that the story is about.
    pub customer: Customer,
    http: HttpClient,
    items: aws_sdk_dynamodb::Client,
    _embedded: Option<EmbeddedTable>,
    _queues: EmbeddedQueue,
    _objects: EmbeddedObjects,
}

/// An item of the table.
pub type Item = HashMap<String, AttributeValue>;

/// An item as it was before somebody damaged it.
#[derive(Debug)]
#[must_use = "the damage is to be undone"]
pub struct Damage {
    key: Item,
    before: Option<Item>,
}

/// Who holds a key.
#[derive(Debug, Clone)]
pub struct Customer {
    /// The account.
    pub account: String,
    /// The whole key.
    pub key: String,
}

/// Tells a story, and then checks that the account follows from its journal and that every function could
/// do on AWS what it did.
///
/// # Panics
/// Where the story does, or where an invariant does not hold at its end.
pub async fn story(tell: impl AsyncFnOnce(&World)) {
    let world = World::start().await;
    tell(&world).await;
    world.wires.heal();
    world.audit().await;
}

impl World {
    /// A fresh world.
    ///
    /// # Panics
    /// If this machine cannot run one.
    pub async fn start() -> Self {
        logs::keep();
        let clock = Clock::manual(BEGINNING);
        let wires = Wires::default();
        let (database, embedded) = database().await;
        let queues = EmbeddedQueue::start(None, &clock).await.expect("an embedded queue");
        let objects = EmbeddedObjects::start(None).await.expect("an embedded object storage");
        let provider = Upstream::default();
        let settings = Settings {
            table_endpoint: Some(wires.tap("table", database.clone()).await),
            queue_endpoint: Some(wires.tap("queue", Upstream::to(queues.endpoint())).await),
            objects_endpoint: Some(wires.tap("objects", Upstream::to(objects.endpoint())).await),
            provider_endpoint: Some(wires.tap("provider", provider.clone()).await),
            // A story sweeps when it says so: on a busy machine it takes longer than the pause.
            sweep_pause: Duration::from_secs(86_400),
            tell_events: false,
            ..Settings::in_memory(clock.clone())
        };
        let cloud = Cloud::start(settings).await.expect("a local cloud");
        provider.lead_to(cloud.provider_url.clone().expect("a stand-in"));
        // A wire of the story's own, on which nothing is counted or fails.
        let own = Wires::default().tap("table", database).await;
        let sdk = local::cloud::sdk(Some(own)).await;
        let items = aws_sdk_dynamodb::Client::new(&sdk);
        let table = Table::new(items.clone(), TABLE_NAME);
        let customer =
            Customer { account: DEMO_ACCOUNT.to_owned(), key: cloud.keys.customer.clone() };
        wires.forget();
        let http = HttpClient::default();
        Self {
            cloud,
            clock,
            wires,
            table,
            customer,
            http,
            items,
            _embedded: embedded,
            _queues: queues,
            _objects: objects,
        }
    }

    /// A customer with a fresh account.
    pub async fn new_customer(&self, account: &str) -> Customer {
        let key = self.new_key(Some(account), &Scope::CUSTOMER, |key| key).await;
        Customer { account: account.to_owned(), key }
    }

    /// A key of an account, or of the operator, changed before it is stored.
    pub async fn new_key(
        &self,
        account: Option<&str>,
        scopes: &[Scope],
        change: impl FnOnce(ApiKey) -> ApiKey,
    ) -> String {
        let mut random = [0; 42];
        getrandom::fill(&mut random).expect("randomness");
        let owner = match account {
            Some(account) => KeyOwner::Account(AccountId::parse(account).unwrap()),
            None => KeyOwner::Operator,
        };
        let name = Actor::parse("test key").unwrap();
        let new = NewKey::new(&random, owner, name, scopes.to_vec(), self.clock.now());
        store(&self.table, &change(new.key), Currency::USD).await.expect("a stored key");
        new.text
    }

    /// Sends a request to the API as it is, and holds both against the OpenAPI document. Ten
    /// milliseconds pass.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        self.clock.advance(Duration::from_millis(10));
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let uri = format!("{}{path}", self.cloud.base_url);
        parts.uri = axum::http::Uri::try_from(uri).expect("an address");
        let body =
            axum::body::to_bytes(body, usize::MAX).await.expect("a body of a story is there");
        let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
        let answer = self.http.send(request).await.expect("the gateway answers");
        document::check(&parts, &body, &answer);
        answer
    }

    /// `GET` without a key, as a browser does with what it is led to.
    pub async fn browse(&self, address: &str, headers: &[(&str, &str)]) -> Answer {
        let request = headers
            .iter()
            .fold(Request::get(address), |request, (name, value)| request.header(*name, *value));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// `GET` as the story's customer.
    pub async fn get(&self, path: &str) -> Answer {
        self.get_as(&self.customer.key, path).await
    }

    /// `GET` with a key.
    pub async fn get_as(&self, key: &str, path: &str) -> Answer {
        let request = Request::get(path).header("authorization", format!("Bearer {key}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// `POST` as the story's customer, with an idempotency key.
    pub async fn post(&self, path: &str, idempotency_key: &str, body: &Value) -> Answer {
        self.post_as(&self.customer.key, path, idempotency_key, body).await
    }

    /// `POST` with a key.
    pub async fn post_as(
        &self,
        key: &str,
        path: &str,
        idempotency_key: &str,
        body: &Value,
    ) -> Answer {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json")
            .header("idempotency-key", idempotency_key);
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Orders a card top-up of `wallet` or of a product.
    pub async fn order(&self, target: &str, amount: &str, idempotency_key: &str) -> Answer {
        self.post("/v1/orders", idempotency_key, &card_order(target, amount)).await
    }

    /// Moves money from the wallet to a product.
    pub async fn transfer(&self, product: &str, amount: &str, idempotency_key: &str) -> Answer {
        let body = json!({"product": product, "amount": amount});
        self.post("/v1/transfers", idempotency_key, &body).await
    }

    /// Cancels an order.
    pub async fn cancel(&self, order_id: &str) -> Answer {
        self.post(&format!("/v1/orders/{order_id}/cancel"), "unused", &json!({})).await
    }

    /// `GET` as the operator.
    pub async fn admin_get(&self, path: &str) -> Answer {
        self.get_as(&self.cloud.keys.operator, path).await
    }

    /// `POST` as the operator, with an idempotency key.
    pub async fn admin_post(&self, path: &str, idempotency_key: &str, body: &Value) -> Answer {
        self.post_as(&self.cloud.keys.operator, path, idempotency_key, body).await
    }

    /// `PUT` as the operator.
    pub async fn admin_put(&self, path: &str, body: &Value) -> Answer {
        self.put_as(&self.cloud.keys.operator, path, body).await
    }

    /// `DELETE` as the operator.
    pub async fn admin_delete(&self, path: &str) -> Answer {
        let key = &self.cloud.keys.operator;
        let request = Request::delete(path).header("authorization", format!("Bearer {key}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// `PUT` as the story's customer.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.put_as(&self.customer.key, path, body).await
    }

    /// `PUT` with a key.
    pub async fn put_as(&self, key: &str, path: &str, body: &Value) -> Answer {
        let request = Request::put(path)
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Orders a top-up by bank transfer: `CNY 720.00` for the wallet.
    pub async fn order_offline(&self, target: &str, money: &str, idempotency_key: &str) -> Answer {
        let (currency, amount) = money.split_once(' ').unwrap();
        let mut body = card_order(target, amount);
        body["method"] = json!("offline");
        body["currency"] = json!(currency);
        self.post("/v1/orders", idempotency_key, &body).await
    }

    /// The customer reports the transfer of an order.
    pub async fn report(&self, order: &Answer, bank_reference: &str) -> Answer {
        let body = json!({
            "payer_name": "Li Lei",
            "bank_reference": bank_reference,
            "paid_on": self.today(),
            "amount": order.text("pay_amount"),
        });
        self.report_with(order, &body).await
    }

    /// The customer reports the transfer of an order in these words.
    pub async fn report_with(&self, order: &Answer, body: &Value) -> Answer {
        let path = format!("/v1/orders/{}/transfer-report", order.text("order_id"));
        self.post(&path, "unused", body).await
    }

    /// The customer uploads a file for the report of an order.
    pub async fn upload(&self, order: &Answer, content: &[u8]) -> Answer {
        let path = format!("/v1/orders/{}/proofs", order.text("order_id"));
        let request = Request::post(path)
            .header("authorization", format!("Bearer {}", self.customer.key))
            .header("content-type", "application/octet-stream");
        self.send(request.body(Body::from(content.to_vec())).unwrap()).await
    }

    /// Finance accepts what arrived for an order: `CNY 720.00`.
    pub async fn accept(&self, order: &Answer, money: &str, reference: &str, key: &str) -> Answer {
        self.accept_with(order, &self.found(money, reference), key).await
    }

    /// Finance accepts what arrived for an order, in these words.
    pub async fn accept_with(&self, order: &Answer, body: &Value, key: &str) -> Answer {
        let path = format!("/v1/admin/orders/{}/accept", order.text("order_id"));
        self.admin_post(&path, key, body).await
    }

    /// What finance found at the bank.
    #[must_use]
    pub fn found(&self, money: &str, reference: &str) -> Value {
        let (currency, amount) = money.split_once(' ').unwrap();
        json!({
            "received_amount": amount,
            "received_currency": currency,
            "bank_reference": reference,
            "received_on": self.today(),
        })
    }

    /// Finance rejects what was reported for an order.
    pub async fn reject(&self, order: &Answer, reason: &str) -> Answer {
        let path = format!("/v1/admin/orders/{}/reject", order.text("order_id"));
        self.admin_post(&path, "unused", &json!({"reason": reason})).await
    }

    /// What runs by the clock runs once.
    pub async fn sweep(&self) -> Swept {
        let swept = self.cloud.functions.reconcile.handle(self.clock.now()).await;
        swept.expect("the sweep ends")
    }

    /// The day it is in the story is compared with the payment provider, as long as that takes.
    pub async fn compare(&self) -> Comparison {
        let compared = self.compare_for(Duration::from_secs(600)).await;
        compared.expect("the comparison ends")
    }

    /// The day it is in the story is compared for so long, and for at least an hour of it.
    ///
    /// # Errors
    /// What stopped the comparison.
    pub async fn compare_for(&self, time: Duration) -> Result<Comparison, service::error::Error> {
        let (day, now) = (ledger::Day::of(self.clock.now()), self.clock.now());
        self.cloud.functions.compare_payments.0.compare(day, time, now).await
    }

    /// The verification goes on, as by the clock.
    pub async fn verify(&self) -> Verified {
        let verifying = &self.cloud.functions.verify_accounts;
        let verified = verifying.handle(&Value::Null, self.clock.now()).await;
        verified.expect("the verification ends")
    }

    /// A whole round of the verification.
    pub async fn verify_whole(&self) -> Verified {
        let verifying = &self.cloud.functions.verify_accounts;
        let verified = verifying.handle(&json!({"round": "whole"}), self.clock.now()).await;
        verified.expect("the verification ends")
    }

    /// An item of the table as it is stored.
    pub async fn item(&self, pk: &str, sk: &str) -> Option<Item> {
        let asked = self.items.get_item().table_name(TABLE_NAME).set_key(Some(item_key(pk, sk)));
        asked.consistent_read(true).send().await.expect("the table answers").item
    }

    /// Somebody changes an item past the API, or takes it away.
    pub async fn damage(
        &self,
        pk: &str,
        sk: &str,
        change: impl FnOnce(Item) -> Option<Item>,
    ) -> Damage {
        let damage = Damage { key: item_key(pk, sk), before: self.item(pk, sk).await };
        let found = damage.before.clone().unwrap_or_else(|| damage.key.clone());
        self.put_item(&damage.key, change(found)).await;
        damage
    }

    /// Puts an item back as it was.
    pub async fn undo(&self, damage: Damage) {
        self.put_item(&damage.key, damage.before).await;
    }

    async fn put_item(&self, key: &Item, item: Option<Item>) {
        match item {
            Some(item) => {
                let put = self.items.put_item().table_name(TABLE_NAME).set_item(Some(item));
                drop(put.send().await.expect("the table takes it"));
            }
            None => {
                let key = Some(key.clone());
                let delete = self.items.delete_item().table_name(TABLE_NAME).set_key(key);
                drop(delete.send().await.expect("the table takes it"));
            }
        }
    }

    /// The day it is in the story.
    #[must_use]
    pub fn today(&self) -> String {
        self.days_ago(0)
    }

    /// The day that it was so many days ago; every story is told in November 2026.
    #[must_use]
    pub fn days_ago(&self, days: i32) -> String {
        let first = 20_758; // 2026-11-01
        let day = ledger::Day::of(self.clock.now()).unix_days() - days - first + 1;
        assert!((1..=30).contains(&day), "still November");
        format!("2026-11-{day:02}")
    }

    /// Fills in the payment page of an order as a person would.
    pub async fn pay(&self, order: &Answer, card: &str) -> Answer {
        let form = format!("email=ann%40example.com&card_number={card}&expiry=12%2F34&cvc=123");
        let request = Request::post(order.text("checkout_url"))
            .header("content-type", "application/x-www-form-urlencoded");
        let request = request.body(Body::from(form)).unwrap();
        self.http.send(request).await.expect("the payment page answers")
    }

    /// Orders a top-up of the wallet and pays it.
    pub async fn top_up(&self, amount: &str, idempotency_key: &str) -> Answer {
        let order = self.order("wallet", amount, idempotency_key).await.expect(201);
        drop(self.pay(&order, GOOD_CARD).await.expect(303));
        self.look_up(&order).await
    }

    /// An order as it is now.
    pub async fn look_up(&self, order: &Answer) -> Answer {
        self.get(&format!("/v1/orders/{}", order.text("order_id"))).await.expect(200)
    }

    /// Sends something to the controls of the payment provider.
    pub async fn control(&self, path: &str, body: &Value) -> Answer {
        let url = format!("{}/_control/{path}", self.provider_url());
        let request = Request::post(url).header("content-type", "application/json");
        let request = request.body(Body::from(body.to_string())).unwrap();
        self.http.send(request).await.expect("the stand-in answers")
    }

    /// Sends something to the controls of the local runner itself.
    pub async fn runner(&self, path: &str, body: &Value) -> Answer {
        let request = Request::post(format!("/_control/{path}"));
        let request = request.header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Calls of the payment provider's API that arrived so far, with this method and path.
    pub async fn provider_calls(&self, call: &str) -> usize {
        self.provider_requests(call).await.len()
    }

    /// The same calls as the stand-in logged them, oldest first: `params`, `idempotency_key`,
    /// `status` and more.
    pub async fn provider_requests(&self, call: &str) -> Vec<Value> {
        let request = Request::get(format!("{}/_control/requests", self.provider_url()));
        let request = request.body(Body::empty()).unwrap();
        let answer = self.http.send(request).await.expect("the stand-in answers");
        let made = answer.expect(200).json()["data"].as_array().cloned();
        let name = |made: &Value| {
            let [method, path] = ["method", "path"].map(|name| made[name].as_str().unwrap());
            format!("{method} {path}")
        };
        let made = made.expect("a list").into_iter();
        made.filter(|made| name(made).starts_with(call)).collect()
    }

    /// Waits until something is so that happens by itself.
    ///
    /// # Panics
    /// If it does not within ten seconds.
    pub async fn until(&self, holds: impl AsyncFn() -> bool) {
        for _ in 0..500 {
            if holds().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it does not happen");
    }

    /// The event by which Stripe says that an order's session was completed and paid.
    #[must_use]
    pub fn paid_event(&self, order: &Answer, payment: &str) -> Value {
        let cents = order.text("amount").replace('.', "");
        json!({
            "id": format!("evt_{payment}"),
            "object": "event",
            "api_version": "2026-09-30.endive",
            "created": self.clock.now().unix_seconds(),
            "livemode": false,
            "type": "checkout.session.completed",
            "data": {"object": {
                "id": format!("cs_test_{payment}"),
                "object": "checkout.session",
                "amount_total": serde_json::from_str::<u64>(&cents).unwrap(),
                "currency": order.text("currency").to_lowercase(),
                "payment_intent": payment,
                "payment_status": "paid",
                "status": "complete",
                "metadata": {
                    "topup_stage": "local",
                    "account_id": order.text("account_id"),
                    "order_id": order.text("order_id"),
                },
            }},
        })
    }

    /// Delivers an event as Stripe would, signed now.
    pub async fn deliver(&self, event: &Value) -> Answer {
        self.deliver_bytes(event.to_string().as_bytes()).await
    }

    /// Delivers any bytes, signed now.
    pub async fn deliver_bytes(&self, body: &[u8]) -> Answer {
        let signature = self.signature(body, self.clock.now().unix_seconds());
        self.deliver_signed(body, &signature).await
    }

    /// Delivers any bytes with any signature.
    pub async fn deliver_signed(&self, body: &[u8], signature: &str) -> Answer {
        let request = Request::post("/v1/webhooks/stripe").header("stripe-signature", signature);
        self.send(request.body(Body::from(body.to_vec())).unwrap()).await
    }

    /// Stripe's signature of these bytes at this second.
    #[must_use]
    pub fn signature(&self, body: &[u8], seconds: i64) -> String {
        let secret = self.cloud.webhook_secret.as_bytes();
        let mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        let mac = mac.chain_update(format!("{seconds}.")).chain_update(body);
        format!("t={seconds},v1={}", HEXLOWER.encode(&mac.finalize().into_bytes()))
    }

    /// Puts a message into the confirmation queue.
    pub async fn enqueue(&self, body: &str) {
        self.put_message(&self.queue_url(CONFIRMATION_QUEUE).await, body).await;
    }

    /// Sends usage that nobody waits for.
    pub async fn meter(&self, body: &str) {
        self.put_message(&self.cloud.usage_queue_url, body).await;
    }

    /// Lets `deliver-event` take what the queue of events has at this moment.
    pub async fn tell(&self) {
        while self.visible(EVENT_QUEUE).await > 0 {
            let (queue, url) = (&self.cloud.queue, &self.cloud.event_queue_url);
            let function = &self.cloud.functions.deliver_event;
            pump::feed(function, queue, url, &self.clock).await.expect("the queue answers");
        }
    }

    /// Puts a message into the queue of events.
    pub async fn enqueue_event(&self, body: &str) {
        self.put_message(&self.cloud.event_queue_url, body).await;
    }

    async fn put_message(&self, url: &str, body: &str) {
        let sent = self.cloud.queue.send_message().queue_url(url).message_body(body).send().await;
        drop(sent.expect("the queue takes it"));
    }

    /// Messages that are waiting among the events that could not even be tried.
    pub async fn dead_events(&self) -> u64 {
        self.waiting(EVENT_DEAD_LETTER_QUEUE).await
    }

    /// Waits until the usage queue is empty, as [`World::drain`] does.
    pub async fn drain_usage(&self) {
        self.drain_queue(USAGE_QUEUE).await;
    }

    /// Messages whose usage could not be charged.
    pub async fn dead_usage(&self) -> u64 {
        self.waiting(USAGE_DEAD_LETTER_QUEUE).await
    }

    /// Waits until the confirmation queue is empty, moving the clock so that messages which could
    /// not be confirmed become visible again.
    pub async fn drain(&self) {
        self.drain_queue(CONFIRMATION_QUEUE).await;
    }

    async fn drain_queue(&self, queue: &str) {
        for _ in 0..200 {
            if self.waiting(queue).await == 0 {
                return;
            }
            self.clock.advance(VISIBILITY_TIMEOUT + Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        panic!("{queue} does not drain");
    }

    /// Messages that could not be confirmed.
    pub async fn dead_letters(&self) -> u64 {
        self.waiting(DEAD_LETTER_QUEUE).await
    }

    async fn waiting(&self, queue: &str) -> u64 {
        self.visible(queue).await + self.count(queue, ApproximateNumberOfMessagesNotVisible).await
    }

    async fn visible(&self, queue: &str) -> u64 {
        self.count(queue, ApproximateNumberOfMessages).await
    }

    async fn count(&self, queue: &str, what: QueueAttributeName) -> u64 {
        let url = self.queue_url(queue).await;
        let asked = self.cloud.queue.get_queue_attributes().queue_url(url);
        let attributes =
            asked.attribute_names(what).send().await.expect("the queue answers").attributes;
        let counts = attributes.unwrap_or_default();
        counts.values().fold(0, |sum, count| sum + serde_json::from_str::<u64>(count).unwrap())
    }

    async fn queue_url(&self, queue: &str) -> String {
        let asked = self.cloud.queue.get_queue_url().queue_name(queue).send().await;
        asked.expect("the queue answers").queue_url.expect("a queue")
    }

    /// Stops the story unless the customer's balances are these: `wallet 40.00, whatsapp 60.00`,
    /// without the empty products.
    pub async fn assert_balances(&self, expected: &str) {
        let balances = self.get("/v1/balances").await.expect(200).json();
        let mut shown =
            vec![format!("wallet {}", balances["wallet"]["available"].as_str().unwrap())];
        for product in balances["products"].as_array().unwrap() {
            let available = product["available"].as_str().unwrap();
            if available != "0.00" {
                shown.push(format!("{} {available}", product["product"].as_str().unwrap()));
            }
        }
        assert_eq!(shown.join(", "), expected);
    }

    /// The provider's name for the refund of a finding.
    pub async fn finding_refund(&self, id: &str) -> String {
        let record = self.table.finding(id).await.expect("the table answers");
        let record = record.expect("a finding");
        let refund = record.state.refunds.deciding().expect("a refund");
        refund.provider_id.as_ref().expect("the provider has made it").to_string()
    }

    /// The findings that are stored, by their kind.
    pub async fn findings(&self) -> Vec<String> {
        let found = self
            .items
            .scan()
            .table_name(TABLE_NAME)
            .filter_expression("sk = :finding")
            .expression_attribute_values(":finding", AttributeValue::S("FINDING".to_owned()))
            .send()
            .await
            .expect("the table answers");
        let kinds = found.items.unwrap_or_default().into_iter();
        let mut kinds: Vec<_> = kinds.map(|item| item["kind"].as_s().unwrap().clone()).collect();
        kinds.sort();
        kinds
    }

    /// An account and its whole journal, oldest first.
    pub async fn journal(&self, account: &str) -> (Account, Vec<Entry>) {
        let id = AccountId::parse(account).unwrap();
        let found = self.table.account(&id).await.expect("the table answers");
        let mut entries = Vec::new();
        let mut below = None;
        loop {
            let page = self.table.entries(&id, below, 100).await.expect("the table answers");
            entries.extend(page.items);
            match page.next {
                Some(next) => below = Some(serde_json::from_str(&next).unwrap()),
                None => break,
            }
        }
        entries.reverse();
        (found.expect("an account"), entries)
    }

    /// Checks that the customer's account follows from its journal.
    ///
    /// # Panics
    /// If it does not.
    pub async fn audit(&self) {
        let (account, entries) = self.journal(&self.customer.account).await;
        assert_eq!(verify(&entries, &account), Ok(()), "the account follows from its journal");
        assert_eq!(self.wires.denied(), [""; 0], "the roles of the templates allow it all");
    }

    fn provider_url(&self) -> &str {
        self.cloud.provider_url.as_deref().expect("a stand-in")
    }
}

/// A fresh database: the embedded one, or one in the DynamoDB Local of `TOPUP_STORIES_TABLE`.
async fn database() -> (Upstream, Option<EmbeddedTable>) {
    if let Ok(endpoint) = std::env::var(TABLE_VARIABLE) {
        let mut random = [0; 10];
        getrandom::fill(&mut random).expect("randomness");
        return (Upstream::to_database(endpoint, HEXLOWER.encode(&random)), None);
    }
    let embedded = EmbeddedTable::start(None).await.expect("an embedded table");
    (Upstream::to(embedded.endpoint()), Some(embedded))
}

fn item_key(pk: &str, sk: &str) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

/// The body of a card order for `wallet` or for a product.
#[must_use]
pub fn card_order(target: &str, amount: &str) -> Value {
    match target {
        "wallet" => json!({"target": "wallet", "method": "card", "amount": amount}),
        product => {
            json!({"target": "product", "product": product, "method": "card", "amount": amount})
        }
    }
}
