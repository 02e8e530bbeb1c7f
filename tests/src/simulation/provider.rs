//! A payment provider that says and does what Stripe may, at the worst moment.
//!
//! Written without the stand-in of the local runner, so that the two can disagree. It keeps answers
//! under their idempotency keys, refuses what Stripe refuses, and makes events out of what payers
//! do. Who delivers them, when, how often and in which order is the history's business.

use std::collections::BTreeMap;

use local::clock::Clock;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::engine::Reply;
use super::going_back::{GoneBack, Taken};
use super::model::{Model, Order, Payment};
use super::movements::{Category, Movement};
use super::network::Call;
use crate::wire::Fault;

/// Stripe takes pages that are open for so many seconds.
const PAGE_SECONDS: std::ops::RangeInclusive<i64> = 1_800..=86_400;

/// Of the pages that close, so many are told of but one.
const LOST_ENDS: usize = 4;

/// A key is known for so many seconds.
const KEPT_SECONDS: i64 = 86_400;

/// The provider's books.
pub struct Provider {
    clock: Clock,
    /// All payment pages, oldest first.
    pub sessions: Vec<Session>,
    /// Everything that happened, oldest first.
    pub events: Vec<Event>,
    /// What went back of what was paid.
    pub back: GoneBack,
    pub(super) movements: Vec<Movement>,
    kept: BTreeMap<String, Kept>,
    payments: u64,
}

/// The form of a request: what was asked, in whatever order.
pub(super) type Form = BTreeMap<String, String>;

/// What was asked under a key, the answer, and when.
struct Kept {
    form: Form,
    reply: Reply,
    at: i64,
}

/// A payment page.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Whose.
    pub account: String,
    /// For which order.
    pub order: String,
    /// How much it takes, in cents.
    pub cents: u64,
    /// In what, in lower case.
    pub currency: &'static str,
    /// When it closes, in seconds.
    pub expires_at: i64,
    /// Where it stands.
    pub status: SessionStatus,
    /// The payment that was begun on it.
    pub payment: Option<String>,
    /// Whether it was paid and nobody will ever be told.
    pub untold: bool,
}

/// Where a payment page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionStatus {
    /// It can be paid.
    Open,
    /// It was paid.
    Paid,
    /// It was filled in; the money comes later, or not.
    Delayed,
    /// It was paid late, or the late payment failed for good.
    DelayedFailed,
    /// It closed unpaid.
    Expired,
}

/// Something that the provider tells.
#[derive(Debug, Clone)]
pub struct Event {
    /// The signed body.
    pub body: String,
    /// Whether the endpoint has taken it.
    pub taken: bool,
    /// Whether no code can read it: it ends in the dead-letter queue.
    pub unreadable: bool,
    /// Whether it is never delivered.
    pub lost: bool,
}

/// A payment as the payer makes it.
#[derive(Debug, Clone)]
pub struct Money {
    /// How much, in cents.
    pub cents: u64,
    /// In what, in lower case.
    pub currency: &'static str,
}

impl Provider {
    /// A provider without any history.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let (sessions, events, movements) = (Vec::new(), Vec::new(), Vec::new());
        let (back, kept) = (GoneBack::default(), BTreeMap::new());
        Self { clock, sessions, events, back, movements, kept, payments: 0 }
    }

    /// Whether a request is one that the product may make: its parameters were stored before it
    /// was sent, and its key belongs to them alone.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, call: &Call, model: &Model) -> Result<(), String> {
        match call.operation.as_str() {
            "POST /checkout/sessions" => {}
            "POST /refunds" => return self.check_refund(call, model),
            _ => return Ok(()),
        }
        let form = read_form(&call.body);
        let order = field(&form, "metadata[order_id]");
        let image = model.orders.get(order).map(Order::now);
        let image = image.ok_or_else(|| format!("a page for {order}, which is not stored"))?;
        let key = call.key.as_deref().unwrap_or_default();
        let (prefix, attempt) = key.rsplit_once(':').unwrap_or_default();
        if prefix != order || number(attempt).is_none_or(|attempt| attempt > image.attempt) {
            return Err(format!("a page for {order} was asked for with the key {key}"));
        }
        Ok(())
    }

    /// Does what a request asks for.
    #[must_use]
    pub fn answer(&mut self, call: &Call) -> Reply {
        let (method, path) = call.operation.split_once(' ').unwrap_or_default();
        match (method, path) {
            ("GET", "/balance_transactions") => return self.list_movements(call),
            ("GET", "/charges") => return self.list_charges(call),
            _ => {}
        }
        if let Some(path) = path.strip_prefix("/refunds") {
            return self.answer_refunds(call, method, path);
        }
        if let Some(id) = path.strip_prefix("/disputes/") {
            return self.back.answer_dispute(id);
        }
        let parts: Vec<_> = path.trim_start_matches("/checkout/sessions").split('/').collect();
        match (method, parts.as_slice()) {
            ("POST", [""]) => self.create(call),
            ("POST", ["", id, "expire"]) => self.expire(id),
            ("GET", ["", id]) => match self.session(id) {
                Some(session) => reply(200, &shape(session)),
                None => refuse("no such session"),
            },
            _ => refuse("no such call"),
        }
    }

    /// Fails in the provider's own way: a 5xx answer is kept under its key, and may have done it.
    #[must_use]
    pub fn fail(&mut self, call: &Call, fault: Fault) -> Reply {
        match fault {
            Fault::Throttled => {
                let error =
                    json!({"error": {"type": "invalid_request_error", "code": "rate_limit"}});
                reply(429, &error)
            }
            _ => {
                let did = self.payments.is_multiple_of(2);
                if did != call.operation.ends_with("/refunds") {
                    drop(self.answer(call));
                }
                let down = reply(500, &json!({"error": {"type": "api_error"}}));
                if let Some(key) = &call.key {
                    self.keep(key.clone(), read_form(&call.body), &down);
                }
                down
            }
        }
    }

    fn create(&mut self, call: &Call) -> Reply {
        let key = call.key.clone().unwrap_or_default();
        let form = read_form(&call.body);
        if let Some(kept) = self.kept(&key, &form) {
            return kept;
        }
        let expires_at = number(field(&form, "expires_at")).unwrap_or_default();
        let expires_at = i64::try_from(expires_at).unwrap_or(i64::MAX);
        if !PAGE_SECONDS.contains(&(expires_at - self.now())) {
            return refuse("expires_at");
        }
        let session = Session {
            id: format!("cs_test_{}", self.sessions.len() + 1),
            account: field(&form, "metadata[account_id]").to_owned(),
            order: field(&form, "metadata[order_id]").to_owned(),
            cents: number(field(&form, "line_items[0][price_data][unit_amount]"))
                .unwrap_or_default(),
            currency: "usd",
            expires_at,
            status: SessionStatus::Open,
            payment: None,
            untold: false,
        };
        let made = reply(200, &shape(&session));
        self.sessions.push(session);
        self.keep(key, form, &made);
        made
    }

    /// The answer that is kept under a key, if it was used lately.
    pub(super) fn kept(&self, key: &str, form: &Form) -> Option<Reply> {
        let kept = self.kept.get(key).filter(|kept| self.now() - kept.at < KEPT_SECONDS)?;
        Some(match kept.form == *form {
            true => kept.reply.clone(),
            false => reply(400, &json!({"error": {"type": "idempotency_error"}})),
        })
    }

    pub(super) fn keep(&mut self, key: String, form: Form, answer: &Reply) {
        let kept = Kept { form, reply: answer.clone(), at: self.now() };
        self.kept.insert(key, kept);
    }

    fn expire(&mut self, id: &str) -> Reply {
        let Some(index) = self.sessions.iter().position(|session| session.id == id) else {
            return refuse("no such session");
        };
        if self.sessions[index].status != SessionStatus::Open {
            return refuse("the session is not open");
        }
        self.close(index);
        reply(200, &shape(&self.sessions[index]))
    }

    /// Closes every page whose time is over.
    pub fn expire_overdue(&mut self) {
        let now = self.now();
        for index in 0..self.sessions.len() {
            let session = &self.sessions[index];
            if session.status == SessionStatus::Open && session.expires_at <= now {
                self.close(index);
            }
        }
    }

    fn close(&mut self, index: usize) {
        self.sessions[index].status = SessionStatus::Expired;
        let object = shape(&self.sessions[index]);
        self.tell("checkout.session.expired", object);
        if self.loses() {
            self.lose_last();
        }
    }

    /// Whether what happens now is never told.
    pub(super) fn loses(&self) -> bool {
        self.events.len().is_multiple_of(LOST_ENDS)
    }

    /// What happened last is never told.
    pub(super) fn lose_last(&mut self) {
        if let Some(event) = self.events.last_mut() {
            (event.taken, event.lost) = (true, true);
        }
    }

    /// A payer fills in a page, and nobody is ever told. Returns what was taken.
    pub fn pay_untold(&mut self, index: usize, money: &Money) -> Payment {
        let payment = self.pay(index, money);
        self.sessions[index].untold = true;
        self.lose_last();
        payment
    }

    /// A payer fills in a page. Returns what was taken.
    pub fn pay(&mut self, index: usize, money: &Money) -> Payment {
        let payment = self.begin(index);
        self.sessions[index].status = SessionStatus::Paid;
        self.take(index, &payment, money, "checkout.session.completed")
    }

    /// A card is refused; the page stays open.
    pub fn decline(&mut self, index: usize) {
        let payment = self.begin(index);
        let session = &self.sessions[index];
        let object = json!({
            "id": payment, "object": "payment_intent", "metadata": marks(session),
            "last_payment_error": {"decline_code": "insufficient_funds"},
        });
        self.tell("payment_intent.payment_failed", object);
    }

    /// A payer chooses a way to pay that takes days.
    pub fn delay(&mut self, index: usize) {
        drop(self.begin(index));
        self.sessions[index].status = SessionStatus::Delayed;
        let object = shape(&self.sessions[index]);
        self.tell("checkout.session.completed", object);
    }

    /// The delayed money arrives. Returns what was taken.
    pub fn arrive(&mut self, index: usize) -> Payment {
        let payment = self.begin(index);
        self.sessions[index].status = SessionStatus::Paid;
        let money = self.price(index);
        self.take(index, &payment, &money, "checkout.session.async_payment_succeeded")
    }

    /// The delayed money will not come.
    pub fn fail_delayed(&mut self, index: usize) {
        self.sessions[index].status = SessionStatus::DelayedFailed;
        let object = shape(&self.sessions[index]);
        self.tell("checkout.session.async_payment_failed", object);
    }

    /// The same money is said to have paid this order as well. Returns what is said; nothing for money
    /// of another currency, as a payment only ever has one.
    pub fn pay_with(&mut self, index: usize, payment: &str) -> Option<Payment> {
        let money = self.price(index);
        let same = self.back.of(payment).is_some_and(|taken| taken.currency == money.currency);
        same.then(|| self.take(index, payment, &money, "checkout.session.completed"))
    }

    /// A payer pays once more what was paid, or what was closed. Returns what was taken.
    pub fn pay_again(&mut self, index: usize) -> Payment {
        self.sessions[index].payment = None;
        let money = self.price(index);
        self.pay(index, &money)
    }

    /// An event that this or another code cannot read, or that is for somebody else.
    pub fn tell_strangely(&mut self, kind: &str, object: Value, unreadable: bool) {
        self.tell(kind, object);
        if let Some(event) = self.events.last_mut() {
            event.unreadable = unreadable;
        }
    }

    /// What a page takes.
    fn price(&self, index: usize) -> Money {
        let session = &self.sessions[index];
        Money { cents: session.cents, currency: session.currency }
    }

    fn session(&self, id: &str) -> Option<&Session> {
        self.sessions.iter().find(|session| session.id == id)
    }

    fn begin(&mut self, index: usize) -> String {
        if let Some(payment) = &self.sessions[index].payment {
            return payment.clone();
        }
        self.payments += 1;
        let payment = format!("pi_{}", self.payments);
        self.sessions[index].payment = Some(payment.clone());
        payment
    }

    fn take(&mut self, index: usize, payment: &str, money: &Money, kind: &str) -> Payment {
        self.really_take(&Taken {
            payment: payment.to_owned(),
            account: self.sessions[index].account.clone(),
            order: self.sessions[index].order.clone(),
            cents: money.cents,
            currency: money.currency,
            created: self.now(),
        });
        let session = &mut self.sessions[index];
        let order = session.order.clone();
        (session.cents, session.currency) = (money.cents, money.currency);
        let mut object = shape(session);
        object["payment_status"] = json!("paid");
        object["status"] = json!("complete");
        object["payment_intent"] = json!(payment);
        self.tell(kind, object);
        let (id, currency) = (payment.to_owned(), money.currency.to_owned());
        Payment { id, order, cents: money.cents, currency }
    }

    /// Payments are taken once, whatever is said of them later.
    pub(super) fn really_take(&mut self, taken: &Taken) {
        if self.back.of(&taken.payment).is_none() {
            self.back.taken.push(taken.clone());
            self.book(Category::Charge, &taken.payment, taken.cents, taken.currency);
        }
    }

    pub(super) fn tell(&mut self, kind: &str, object: Value) {
        let body = json!({
            "id": format!("evt_{}", self.events.len() + 1),
            "object": "event",
            "api_version": "2026-09-30.endive",
            "created": self.now(),
            "livemode": false,
            "type": kind,
            "data": {"object": object},
        });
        let body = body.to_string();
        self.events.push(Event { body, taken: false, unreadable: false, lost: false });
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.unix_millis().div_euclid(1_000)
    }

    /// The time of functions and provider, in milliseconds.
    pub(super) fn now_millis(&self) -> u64 {
        u64::try_from(self.clock.unix_millis()).unwrap_or_default()
    }
}

fn shape(session: &Session) -> Value {
    let status = match session.status {
        SessionStatus::Open => "open",
        SessionStatus::Expired => "expired",
        _ => "complete",
    };
    let paid = session.status == SessionStatus::Paid;
    json!({
        "id": session.id,
        "object": "checkout.session",
        "amount_total": session.cents,
        "automatic_tax": {"enabled": false},
        "created": 0,
        "currency": session.currency,
        "custom_fields": [],
        "custom_text": {},
        "expires_at": session.expires_at,
        "livemode": false,
        "metadata": marks(session),
        "mode": "payment",
        "payment_intent": session.payment,
        "payment_method_types": ["card"],
        "payment_status": if paid { "paid" } else { "unpaid" },
        "shipping_options": [],
        "status": status,
        "url": (status == "open").then(|| format!("http://provider/pay/{}", session.id)),
    })
}

fn marks(session: &Session) -> Value {
    json!({
        "topup_stage": "local",
        "account_id": session.account,
        "order_id": session.order,
    })
}

pub(super) fn read_form(body: &[u8]) -> Form {
    form_urlencoded::parse(body).into_owned().collect()
}

pub(super) fn field<'form>(form: &'form Form, name: &str) -> &'form str {
    form.get(name).map_or("", String::as_str)
}

pub(super) fn number(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 10).ok()
}

pub(super) fn reply(status: u16, body: &Value) -> Reply {
    Reply { status, body: body.to_string().into_bytes() }
}

/// A refusal that has a code of its own.
pub(super) fn refuse_for(code: &str) -> Reply {
    reply(400, &json!({"error": {"type": "invalid_request_error", "code": code}}))
}

fn refuse(why: &str) -> Reply {
    reply(400, &json!({"error": {"type": "invalid_request_error", "message": why}}))
}
