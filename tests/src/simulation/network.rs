//! The network between the functions and what they depend on: every request is late, and any of
//! them can be lost on its way there or back, refused, or torn.
//!
//! It carries the requests of the real SDK clients, in this process and without a socket. What a
//! request does happens at one moment in virtual time and does not need its sender any more: a
//! client that was dropped, or that has tried again, can still be overtaken by its own request.

use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use axum::body::Bytes;
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep};

use super::cloud::Cloud;
use super::engine::Reply;
use crate::wire::{Fault, refusal};

/// What a request is and where it goes.
#[derive(Debug, Clone)]
pub struct Call {
    /// `table`, `queue` or `provider`.
    pub wire: &'static str,
    /// The operation, such as `TransactWriteItems` or `POST /v1/checkout/sessions`.
    pub operation: String,
    /// The body.
    pub body: Vec<u8>,
    /// The provider's idempotency key.
    pub key: Option<String>,
}

/// How often what goes wrong, in requests of a thousand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    lost_before: u32,
    lost_after: u32,
    server_error: u32,
    throttled: u32,
    conflict: u32,
    unprocessed: u32,
    torn: u32,
    index_lag: u32,
    slow: u32,
}

/// One planned fault: at this request, counted from when it was planned.
#[derive(Debug, Clone, Copy)]
pub struct Strike {
    /// The position of the request.
    pub position: usize,
    /// What goes wrong with it.
    pub fault: Fault,
    /// Whether its client dies with it, whether it is tried again, or whether that fails too.
    pub then: Then,
}

/// What comes after a planned fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The next request passes.
    Passes,
    /// The same operation fails in the same way until the wires heal.
    Fails,
    /// The client is dropped.
    Dies,
}

/// The network of one simulation. Clones share it.
#[derive(Clone)]
pub struct Network(Arc<Shared>);

struct Shared {
    cloud: Mutex<Cloud>,
    state: Mutex<State>,
    /// A planned fault wants its client dropped.
    dies: Notify,
}

struct State {
    random: fastrand::Rng,
    weather: Weather,
    /// Until when which wire carries nothing.
    outage: Option<(&'static str, Instant)>,
    strike: Option<Strike>,
    /// The operation that fails until the wires heal.
    failing: Option<(String, Fault)>,
    /// Operations since the last strike was planned.
    seen: Vec<String>,
}

/// What happens to one request.
struct Fate {
    there: Duration,
    back: Duration,
    fault: Option<Fault>,
    torn: bool,
    index_lag: Duration,
    dies: bool,
}

/// The wire of one SDK client.
#[derive(Clone)]
pub struct SdkWire {
    network: Network,
    wire: &'static str,
}

/// The name of all wires together.
pub const EVERYTHING: &str = "everything";

/// So much less often anything goes wrong in milder weather.
const MILDER: u32 = 8;

/// The longest time for which an index may not show a new item.
pub const LONGEST_INDEX_LAG: Duration = Duration::from_millis(1_500);

impl Weather {
    /// What the weather is in this history: each kind of fault happens in about half of them.
    #[must_use]
    pub fn of(random: &mut fastrand::Rng) -> Self {
        let mut rate = |most: u32| if random.bool() { random.u32(1..=most) } else { 0 };
        Self {
            lost_before: rate(40),
            lost_after: rate(40),
            server_error: rate(60),
            throttled: rate(60),
            conflict: rate(150),
            unprocessed: rate(100),
            torn: rate(2_000),
            index_lag: rate(600),
            slow: rate(50),
        }
    }

    /// The same weather, in which everything happens less often.
    #[must_use]
    pub const fn milder(self) -> Self {
        Self {
            lost_before: self.lost_before / MILDER,
            lost_after: self.lost_after / MILDER,
            server_error: self.server_error / MILDER,
            throttled: self.throttled / MILDER,
            conflict: self.conflict / MILDER,
            unprocessed: self.unprocessed / MILDER,
            slow: self.slow / MILDER,
            ..self
        }
    }
}

impl Network {
    /// A calm network in front of a cloud.
    #[must_use]
    pub fn new(cloud: Cloud, random: fastrand::Rng) -> Self {
        let state = State {
            random,
            weather: Weather::default(),
            outage: None,
            strike: None,
            failing: None,
            seen: Vec::new(),
        };
        let (cloud, state) = (Mutex::new(cloud), Mutex::new(state));
        Self(Arc::new(Shared { cloud, state, dies: Notify::new() }))
    }

    /// What is behind the wires.
    pub fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.0.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The wire of an SDK client.
    #[must_use]
    pub fn wire(&self, wire: &'static str) -> SdkWire {
        SdkWire { network: self.clone(), wire }
    }

    /// Changes the weather.
    pub fn set_weather(&self, weather: Weather) {
        self.state().weather = weather;
    }

    /// Cuts a wire for a while.
    pub fn cut(&self, wire: &'static str, time: Duration) {
        self.state().outage = Some((wire, Instant::now() + time));
    }

    /// Ends everything that goes wrong.
    pub fn heal(&self) {
        let mut state = self.state();
        state.weather = Weather::default();
        (state.outage, state.strike, state.failing) = (None, None, None);
    }

    /// Plans a fault, or none, and counts requests from here.
    pub fn strike(&self, strike: Option<Strike>) {
        let mut state = self.state();
        state.strike = strike;
        state.seen.clear();
    }

    /// The requests since a strike was planned.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.state().seen.clone()
    }

    /// Waits until a planned fault wants its client dropped.
    pub async fn client_dies(&self) {
        self.0.dies.notified().await;
    }

    /// Sends a request; the answer comes, or never does.
    pub fn send(&self, call: Call) -> oneshot::Receiver<Reply> {
        let fate = self.state().fate(&call);
        if let Some(fault) = fate.fault {
            self.cloud().saw(&format!("fault: {} {fault:?}", call.wire));
        }
        let (answer, answered) = oneshot::channel();
        let network = self.clone();
        if fate.dies {
            self.0.dies.notify_one();
        }
        tokio::spawn(async move {
            sleep(fate.there).await;
            let reply = network.arrive(&call, &fate).await;
            sleep(fate.back).await;
            match (fate.fault, reply) {
                // Nothing comes back, and nothing says so: the client waits for its own time limit.
                (Some(Fault::LostBefore | Fault::LostAfter), _) | (_, None) => {
                    sleep(Duration::from_secs(3_600)).await;
                }
                (_, Some(reply)) => drop(answer.send(reply)),
            }
        });
        answered
    }

    async fn arrive(&self, call: &Call, fate: &Fate) -> Option<Reply> {
        match fate.fault {
            Some(Fault::LostBefore) => None,
            None | Some(Fault::LostAfter) if fate.torn && call.operation == "BatchGetItem" => {
                self.cloud().saw("fault: a batch read at several moments");
                Some(self.torn(call, fate.back * 4).await)
            }
            None | Some(Fault::LostAfter) => {
                let reply = self.cloud().answer(call, fate.index_lag);
                Some(if call.operation == "BatchGetItem" { self.shuffled(reply) } else { reply })
            }
            Some(fault) => {
                if call.wire == "provider" {
                    return Some(self.cloud().provider.fail(call, fault));
                }
                let (status, body) = refusal(call.wire, fault, &call.body);
                Some(Reply { status, body: body.to_string().into_bytes() })
            }
        }
    }

    /// Reads each item of a batch at another moment, as DynamoDB may.
    async fn torn(&self, call: &Call, pause: Duration) -> Reply {
        let request: Value = serde_json::from_slice(&call.body).expect("JSON");
        let (table, asked) =
            request["RequestItems"].as_object().and_then(|tables| tables.iter().next()).expect("");
        let mut found = Vec::new();
        for key in asked["Keys"].as_array().into_iter().flatten() {
            let one = json!({"RequestItems": {table: {"Keys": [key], "ConsistentRead": true}}});
            let part = Call { body: one.to_string().into_bytes(), ..call.clone() };
            let reply = self.cloud().answer(&part, Duration::ZERO);
            let answer: Value = serde_json::from_slice(&reply.body).expect("JSON");
            found.extend(answer["Responses"][table].as_array().into_iter().flatten().cloned());
            sleep(pause).await;
        }
        let body = json!({"Responses": {table: found}, "UnprocessedKeys": {}});
        Reply { status: 200, body: body.to_string().into_bytes() }
    }

    /// A batch comes in any order, which must not depend on the engine's.
    fn shuffled(&self, reply: Reply) -> Reply {
        let mut answer: Value = serde_json::from_slice(&reply.body).expect("JSON");
        for found in
            answer["Responses"].as_object_mut().into_iter().flat_map(|all| all.values_mut())
        {
            if let Some(items) = found.as_array_mut() {
                items.sort_by_key(|item| (item["pk"].to_string(), item["sk"].to_string()));
                self.state().random.shuffle(items);
            }
        }
        Reply { body: answer.to_string().into_bytes(), ..reply }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn fate(&mut self, call: &Call) -> Fate {
        let slowest = if self.happens(self.weather.slow) { 4_000 } else { 8 };
        let (there, back) = (self.random.u64(0..slowest), self.random.u64(0..slowest));
        let planned = self.planned(&call.operation);
        let dies = planned.is_some_and(|(_, then)| then == Then::Dies);
        let fault = planned.map(|(fault, _)| fault).or_else(|| self.by_chance(call));
        let lag = u64::try_from(LONGEST_INDEX_LAG.as_millis()).unwrap_or(u64::MAX);
        let lag = if self.happens(self.weather.index_lag) { self.random.u64(0..lag) } else { 0 };
        Fate {
            there: Duration::from_millis(there),
            back: Duration::from_millis(back),
            fault,
            torn: self.happens(self.weather.torn),
            index_lag: Duration::from_millis(lag),
            dies,
        }
    }

    fn planned(&mut self, operation: &str) -> Option<(Fault, Then)> {
        let position = self.seen.len();
        self.seen.push(operation.to_owned());
        if let Some((failing, fault)) = &self.failing
            && failing == operation
        {
            return Some((*fault, Then::Fails));
        }
        let strike = self.strike.filter(|strike| strike.position == position)?;
        if strike.then == Then::Fails {
            self.failing = Some((operation.to_owned(), strike.fault));
        }
        Some((strike.fault, strike.then))
    }

    fn by_chance(&mut self, call: &Call) -> Option<Fault> {
        let cut = |wire: &str| wire == call.wire || wire == EVERYTHING;
        if self.outage.is_some_and(|(wire, end)| cut(wire) && Instant::now() < end) {
            return Some(Fault::LostBefore);
        }
        let weather = self.weather;
        let mut kinds = vec![
            (weather.lost_before, Fault::LostBefore),
            (weather.lost_after, Fault::LostAfter),
            (weather.server_error, Fault::ServerError),
            (weather.throttled, Fault::Throttled),
        ];
        match call.operation.as_str() {
            "TransactWriteItems" => kinds.push((weather.conflict, Fault::Conflict)),
            "BatchGetItem" => kinds.push((weather.unprocessed, Fault::Unprocessed)),
            _ => {}
        }
        kinds.into_iter().find(|(rate, _)| self.happens(*rate)).map(|(_, fault)| fault)
    }

    fn happens(&mut self, rate: u32) -> bool {
        rate > 0 && self.random.u32(0..1_000) < rate
    }
}

/// The path of an address.
fn path_of(uri: &str) -> String {
    let path = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let path = path.find('/').map_or("", |start| &path[start..]);
    path.split('?').next().unwrap_or_default().to_owned()
}

impl fmt::Debug for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Network")
    }
}

impl fmt::Debug for SdkWire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SdkWire({})", self.wire)
    }
}

impl HttpClient for SdkWire {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for SdkWire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target");
        let operation = match target.and_then(|target| target.rsplit('.').next()) {
            Some(operation) => operation.to_owned(),
            None => format!("{} {}", request.method(), path_of(request.uri())),
        };
        let body = request.body().bytes().unwrap_or_default().to_vec();
        let answered = self.network.send(Call { wire: self.wire, operation, body, key: None });
        HttpConnectorFuture::new(async move {
            let Ok(reply) = answered.await else { return pending().await };
            let status = reply.status.try_into().expect("a status");
            Ok(HttpResponse::new(status, Bytes::from(reply.body).into()))
        })
    }
}
