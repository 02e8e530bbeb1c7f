//! Customers and the provider's webhooks, as they meet the product, and what they must be answered.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::answers::{self, Before};
use super::bank::Received;
use super::cloud::{Cloud, is_poison};
use super::deployment::Deployment;
pub use super::desk::Arrival;
use super::desk::{Acceptance, Uploaded};
pub use super::desk_back::Share;
use super::desk_back::{AskedAdjustment, AskedRefund};
use super::desk_findings::Decided;
use super::micros::{self, Micros};
use super::model::{Wish, order_id};
pub use super::using::Use;
use super::using::Used;
use crate::Answer;

/// One thing that somebody does.
#[derive(Debug, Clone)]
pub enum Act {
    /// A customer orders a top-up by card.
    Order {
        /// Which customer.
        customer: usize,
        /// `wallet` or `product:<code>`.
        target: String,
        /// How much.
        amount: Micros,
        /// The idempotency key.
        key: String,
    },
    /// A customer orders a top-up by bank transfer.
    OrderOffline {
        /// Which customer.
        customer: usize,
        /// `wallet` or `product:<code>`.
        target: String,
        /// How much is to be paid.
        payable: Micros,
        /// Of what.
        currency: String,
        /// The idempotency key.
        key: String,
    },
    /// A customer reports the transfer of an order.
    Report(usize),
    /// A customer uploads a file for an order.
    Upload(usize),
    /// An operator accepts a transfer for an order.
    Accept {
        /// Which order.
        choice: usize,
        /// What arrived.
        arrival: Arrival,
        /// The bank's reference.
        reference: String,
        /// The idempotency key.
        key: String,
    },
    /// An operator says again what was found.
    AcceptAgain(usize),
    /// An operator rejects a transfer.
    Reject {
        /// Which order.
        choice: usize,
        /// Why.
        reason: String,
    },
    /// An operator books a transfer that came without an order.
    Book {
        /// For whom.
        customer: usize,
        /// `wallet` or `product:<code>`.
        target: String,
        /// What arrived.
        found: Received,
        /// The idempotency key.
        key: String,
    },
    /// What runs by the clock runs.
    Sweep,
    /// An operator uploads a bank statement.
    Import {
        /// Of which orders.
        choice: usize,
        /// Which one it is.
        number: u64,
    },
    /// An operator accepts the exact lines of a statement.
    AcceptStatement(usize),
    /// An operator gives money of an order back.
    Refund {
        /// Which order.
        choice: usize,
        /// How much.
        share: Share,
        /// The bank's reference.
        reference: String,
        /// The idempotency key.
        key: String,
    },
    /// An operator asks for an earlier refund again.
    RefundAgain(usize),
    /// An operator corrects a balance.
    Adjust {
        /// Whose.
        customer: usize,
        /// `wallet` or `product:<code>`.
        balance: String,
        /// What is put in, or taken out if it is below zero.
        amount: Micros,
        /// The idempotency key.
        key: String,
    },
    /// An operator asks for an earlier adjustment again.
    AdjustAgain(usize),
    /// An operator closes a finding.
    Resolve(usize),
    /// An operator credits the payment of a finding.
    CreditFinding {
        /// Which finding.
        choice: usize,
        /// To whom, if it is not whose payment it was.
        customer: usize,
        /// `wallet` or `product:<code>`.
        balance: String,
    },
    /// An operator gives the payment of a finding back.
    GiveBack(usize),
    /// An operator says again what is to become of a payment.
    DecideAgain(usize),
    /// A day is compared for a while; or what is due, as by the clock.
    Compare {
        /// Which day, counted from 1970.
        day: Option<u64>,
        /// For how long.
        time: Duration,
    },
    /// A customer moves money from the wallet to a product.
    Transfer {
        /// Which customer.
        customer: usize,
        /// `product:<code>`.
        target: String,
        /// How much.
        amount: Micros,
        /// The idempotency key.
        key: String,
    },
    /// A customer uses money of a product.
    Use(Use),
    /// A customer sends an earlier request again.
    Repeat(usize),
    /// A customer cancels an order.
    Cancel(usize),
    /// A customer looks at the balances.
    Balances(usize),
    /// A customer looks at an order.
    LookUp(usize),
    /// A customer looks at Order Details.
    List(usize),
    /// A customer looks at the journal.
    Journal(usize),
    /// The provider tells something, perhaps again.
    Deliver(usize),
    /// `confirm-payment` takes a batch out of the queue.
    Feed,
    /// Somebody who is not the provider tells something.
    Forge(usize),
}

/// How long an actor waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Until there is an answer.
    Endless,
    /// The instance is killed after this time.
    Killed(Duration),
    /// Until there is an answer, and nothing is out of order: it must be a good one.
    Calm,
}

/// Everybody who uses a deployment.
pub struct Actors {
    /// What they use.
    pub deployment: Deployment,
    books: Mutex<Books>,
}

#[derive(Default)]
pub(super) struct Books {
    /// What was asked for that must lead to one record, in the order of asking.
    pub(super) requests: Vec<Request>,
    /// What operators said to have found.
    pub(super) acceptances: Vec<Acceptance>,
    /// What operators uploaded.
    pub(super) statements: Vec<Uploaded>,
    /// What operators gave back.
    pub(super) refunds: Vec<AskedRefund>,
    /// What operators put into balances and took out of them.
    pub(super) adjustments: Vec<AskedAdjustment>,
    /// What operators decided about findings.
    pub(super) decided: Vec<Decided>,
    /// What customers used and set aside.
    pub(super) used: Vec<Used>,
    /// Orders that customers called off without being told how that went.
    cancels: Vec<(usize, String)>,
}

/// A request that must lead to one record.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    /// Which customer asks; none is the operator.
    pub(super) customer: Option<usize>,
    pub(super) path: String,
    pub(super) key: String,
    pub(super) body: String,
    /// The id that the record must get.
    pub(super) order: String,
    pub(super) wish: Wish,
}

#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) asking: Asking,
    /// Whether it was answered for good.
    answered: bool,
}

impl Act {
    /// What it is.
    const fn name(&self) -> &'static str {
        match self {
            Self::Order { .. } => "order",
            Self::OrderOffline { .. } => "offline order",
            Self::Report(_) => "report",
            Self::Upload(_) => "upload",
            Self::Accept { .. } | Self::AcceptAgain(_) => "accept",
            Self::Reject { .. } => "reject",
            Self::Book { .. } => "book",
            Self::Sweep => "sweep",
            Self::Import { .. } => "import",
            Self::AcceptStatement(_) => "accept statement",
            Self::Refund { .. } | Self::RefundAgain(_) => "refund",
            Self::Adjust { .. } | Self::AdjustAgain(_) => "adjust",
            Self::Resolve(_) => "resolve",
            Self::CreditFinding { .. } => "credit finding",
            Self::GiveBack(_) => "refund finding",
            Self::DecideAgain(_) => "decide again",
            Self::Compare { .. } => "compare",
            Self::Transfer { .. } => "transfer",
            Self::Use(what) => what.name(),
            Self::Repeat(_) => "repeat",
            Self::Cancel(_) => "cancel",
            Self::Balances(_) => "balances",
            Self::LookUp(_) => "look up",
            Self::List(_) => "list",
            Self::Journal(_) => "journal",
            Self::Deliver(_) => "webhook",
            Self::Feed => "queue",
            Self::Forge(_) => "forged webhook",
        }
    }
}

impl Actors {
    /// Nobody has done anything yet.
    #[must_use]
    pub fn new(deployment: Deployment) -> Self {
        Self { deployment, books: Mutex::default() }
    }

    /// Somebody does something, and is answered as the contract says.
    pub async fn act(&self, number: u64, act: Act, patience: Patience) {
        self.note(&format!("{number} {act:?} {patience:?}"));
        let acting = self.perform(&act, patience == Patience::Calm);
        let answered = match patience {
            Patience::Killed(after) => timeout(after, acting).await.unwrap_or(None),
            Patience::Endless | Patience::Calm => acting.await,
        };
        let (status, code) = answered.map_or((0, String::new()), |answer| {
            let code = answer.text(if answer.status == 200 { "outcome" } else { "code" });
            (answer.status, code)
        });
        let mut cloud = self.deployment.network.cloud();
        cloud.saw(format!("answer: {} {status} {code}", act.name()).trim_end());
        cloud.note(&format!("{number} {status}"));
    }

    /// The balance that a customer has.
    #[must_use]
    pub fn balance(&self, customer: usize, place: &str) -> Micros {
        let account = &self.deployment.customers[customer].account;
        self.deployment.network.cloud().model.accounts[account].balance(place)
    }

    /// Puts back what was given up, and counts it.
    pub fn redrive(&self) -> usize {
        let mut cloud = self.deployment.network.cloud();
        let count = cloud.queue.redrive(is_poison);
        (0..count).for_each(|_| cloud.saw("a message that was given up and put back"));
        count
    }

    /// What was asked or told, and not answered for good.
    #[must_use]
    pub fn left_to_do(&self) -> Vec<Act> {
        let cloud = self.deployment.network.cloud();
        self.left_to_do_of(&cloud)
    }

    /// The same, for who holds the cloud already.
    #[must_use]
    pub fn left_to_do_of(&self, cloud: &Cloud) -> Vec<Act> {
        let books = self.books();
        let requests = books.requests.iter().enumerate();
        let requests = requests.filter(|(_, request)| !request.answered);
        let requests = requests.map(|(index, _)| Act::Repeat(index));
        let said = books.acceptances.iter().enumerate();
        let said = said.filter(|(_, acceptance)| !acceptance.answered);
        let said = said.map(|(index, _)| Act::AcceptAgain(index));
        let refunds = books.refunds.iter().enumerate();
        let refunds = refunds.filter(|(_, refund)| !refund.answered);
        let refunds = refunds.map(|(index, _)| Act::RefundAgain(index));
        let adjustments = books.adjustments.iter().enumerate();
        let adjustments = adjustments.filter(|(_, adjustment)| !adjustment.answered);
        let adjustments = adjustments.map(|(index, _)| Act::AdjustAgain(index));
        let cancels = (0..books.cancels.len()).map(Act::Cancel);
        let events = cloud.provider.events.iter().enumerate();
        let events = events.filter(|(_, event)| !event.taken);
        let events = events.map(|(index, _)| Act::Deliver(index));
        let decided = books.decided.iter().enumerate();
        let decided = decided.filter(|(_, decided)| !decided.answered);
        let decided = decided.map(|(index, _)| Act::DecideAgain(index));
        let used = books.used.iter().enumerate();
        let used = used.filter(|(_, used)| !used.answered);
        let used = used.map(|(index, _)| Act::Use(Use::Again(index)));
        let by_operators = said.chain(refunds).chain(adjustments).chain(decided);
        requests.chain(by_operators).chain(used).chain(cancels).chain(events).collect()
    }

    async fn perform(&self, act: &Act, calm: bool) -> Option<Answer> {
        match act {
            Act::Order { customer, target, amount, key } => {
                let body = order_body(target, *amount);
                let account = self.deployment.customers[*customer].account.clone();
                let order = order_id(&account, "order", key);
                let (target, amount) = (target.clone(), *amount);
                let wish = Wish::Card { account, target, amount };
                let (path, key) = ("/v1/orders".to_owned(), key.clone());
                let customer = Some(*customer);
                self.ask_for(Asking { customer, path, key, body, order, wish }, calm).await
            }
            Act::Transfer { customer, target, amount, key } => {
                let product = target.trim_start_matches("product:");
                let body = json!({"product": product, "amount": micros::dollars(*amount)});
                let account = self.deployment.customers[*customer].account.clone();
                let order = order_id(&account, "transfer", key);
                let (target, amount) = (target.clone(), *amount);
                let wish = Wish::Transfer { account, target, amount };
                let (path, key) = ("/v1/transfers".to_owned(), key.clone());
                let (customer, body) = (Some(*customer), body.to_string());
                self.ask_for(Asking { customer, path, key, body, order, wish }, calm).await
            }
            Act::Repeat(choice) => {
                let count = self.books().requests.len();
                let index = recent(*choice, count, calm)?;
                self.ask(index, calm).await
            }
            Act::Cancel(choice) => self.cancel(*choice, calm).await,
            Act::Balances(choice) => self.look(*choice, "/v1/balances", answers::balances).await,
            Act::List(choice) => {
                // Of a short page, the index may not show anything yet.
                let limit = [2, 10, 50][choice / 100 % 3];
                let path = format!("/v1/orders?limit={limit}");
                self.look(*choice, &path, answers::order_list).await
            }
            Act::Journal(choice) => {
                self.look(*choice, "/v1/entries?limit=50", answers::journal).await
            }
            Act::LookUp(choice) => self.look_up(*choice).await,
            Act::Deliver(choice) => self.deliver(*choice, calm).await,
            Act::Feed => {
                self.deployment.feed().await;
                None
            }
            Act::Forge(choice) => self.forge(*choice).await,
            Act::Refund { .. }
            | Act::RefundAgain(_)
            | Act::Adjust { .. }
            | Act::AdjustAgain(_)
            | Act::Resolve(_) => self.perform_going_back(act, calm).await,
            Act::CreditFinding { .. } | Act::GiveBack(_) | Act::DecideAgain(_) => {
                self.perform_on_findings(act, calm).await
            }
            Act::Compare { day, time } => {
                self.compare(*day, *time).await;
                None
            }
            Act::Use(what) => self.use_money(what, calm).await,
            act => self.perform_at_the_desk(act, calm).await,
        }
    }

    /// Writes down what will be asked for, before it is asked for.
    pub(super) async fn ask_for(&self, asking: Asking, calm: bool) -> Option<Answer> {
        self.deployment.network.cloud().model.wish(&asking.order, asking.wish.clone());
        self.books().requests.push(Request { asking, answered: false });
        let index = self.books().requests.len() - 1;
        self.ask(index, calm).await
    }

    async fn ask(&self, index: usize, calm: bool) -> Option<Answer> {
        let Asking { customer, path, key, body, order, wish } =
            self.books().requests[index].asking.clone();
        let before = self.before(wish.parts().1, &order);
        let bearer = match customer {
            Some(customer) => self.deployment.key_of(customer),
            None => &self.deployment.operator,
        };
        let json = ("application/json", body.as_bytes());
        let answer = self.deployment.ask(bearer, ("POST", &path), &key, json).await;
        let mut cloud = self.deployment.network.cloud();
        let checked = answers::made(&mut cloud, &before, &order, &wish, &answer);
        let said = format!("{path} {body} with {key}");
        cloud.must(within(calm, &answer, checked, &said));
        drop(cloud);
        if answer.status < 500 {
            self.books().requests[index].answered = true;
        }
        Some(answer)
    }

    async fn cancel(&self, choice: usize, calm: bool) -> Option<Answer> {
        let (customer, order) = match calm {
            true => self.books().cancels.get(choice).cloned()?,
            false => {
                let books = self.books();
                let request = &books.requests[recent(choice, books.requests.len(), false)?];
                (request.asking.customer?, request.asking.order.clone())
            }
        };
        let owner = &self.deployment.customers[customer];
        let before = self.before(&owner.account, &order);
        self.books().cancels.push((customer, order.clone()));
        let path = format!("/v1/orders/{order}/cancel");
        let answer = self.deployment.post(owner, &path, "none", "{}").await;
        let mut cloud = self.deployment.network.cloud();
        let checked = answers::cancelled(&cloud, &before, &order, &answer);
        cloud.must(within(calm, &answer, checked, &path));
        drop(cloud);
        if answer.status < 500 {
            self.books().cancels.retain(|(_, other)| *other != order);
        }
        Some(answer)
    }

    async fn look(
        &self,
        choice: usize,
        path: &str,
        check: fn(&Cloud, &Before, &Answer) -> Result<(), String>,
    ) -> Option<Answer> {
        let customers = &self.deployment.customers;
        let customer = &customers[choice % customers.len()];
        let before = self.before(&customer.account, "");
        let answer = self.deployment.get(customer, path).await;
        let mut cloud = self.deployment.network.cloud();
        let checked = match answer.status {
            200 => check(&cloud, &before, &answer),
            _ => within(false, &answer, Err(format!("{path}: {}", answer.status)), path),
        };
        cloud.must(checked);
        drop(cloud);
        Some(answer)
    }

    async fn look_up(&self, choice: usize) -> Option<Answer> {
        let (customer, order) = {
            let books = self.books();
            let request = &books.requests[recent(choice, books.requests.len(), false)?];
            (request.asking.customer?, request.asking.order.clone())
        };
        // Now and then somebody else's order.
        let customers = &self.deployment.customers;
        let stranger = choice.is_multiple_of(7) && customers.len() > 1;
        let owner = customers[customer].account.clone();
        let customer = if stranger { (customer + 1) % customers.len() } else { customer };
        let before = self.before(&owner, &order);
        let path = format!("/v1/orders/{order}");
        let answer = self.deployment.get(&customers[customer], &path).await;
        let mut cloud = self.deployment.network.cloud();
        let checked = answers::order(&cloud, &before, &order, stranger, &answer);
        cloud.must(within(false, &answer, checked, &path));
        drop(cloud);
        Some(answer)
    }

    async fn deliver(&self, choice: usize, calm: bool) -> Option<Answer> {
        let (index, body) = {
            let cloud = self.deployment.network.cloud();
            let index = match calm {
                true => choice,
                false => recent(choice, cloud.provider.events.len(), false)?,
            };
            let event = &cloud.provider.events[index];
            if event.lost {
                return None;
            }
            (index, event.body.clone())
        };
        let answer = self.deployment.tell(&body).await;
        let mut cloud = self.deployment.network.cloud();
        match answer.status {
            200 => cloud.provider.events[index].taken = true,
            _ => {
                let wrong = Err(format!("a genuine event was answered {}", answer.status));
                cloud.must(within(calm, &answer, wrong, &body));
            }
        }
        drop(cloud);
        Some(answer)
    }

    async fn forge(&self, choice: usize) -> Option<Answer> {
        let session = {
            let cloud = self.deployment.network.cloud();
            let count = cloud.provider.sessions.len();
            cloud.provider.sessions[recent(choice, count, false)?].clone()
        };
        let event = json!({
            "id": "evt_forged", "object": "event", "livemode": false,
            "type": "checkout.session.completed",
            "data": {"object": {
                "id": session.id, "payment_status": "paid", "payment_intent": "pi_forged",
                "amount_total": session.cents, "currency": "usd",
                "metadata": {
                    "topup_stage": "local", "account_id": session.account, "order_id": session.order,
                },
            }},
        });
        let answer = self.deployment.deliver(&event.to_string(), "whsec_guessed").await;
        if answer.status != 400 {
            let wrong = Err(format!("a forged event was answered {}", answer.status));
            self.deployment.network.cloud().must(wrong);
        }
        Some(answer)
    }

    pub(super) fn before(&self, account: &str, order: &str) -> Before {
        Before::now(&self.deployment.network.cloud(), account, order)
    }

    fn note(&self, line: &str) {
        self.deployment.network.cloud().note(line);
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In bad weather nobody needs to be served; everybody must be told so in the right way.
pub(super) fn within(
    calm: bool,
    answer: &Answer,
    checked: Result<(), String>,
    asked: &str,
) -> Result<(), String> {
    let code = answer.text("code");
    let unavailable = ["unavailable", "not_taken"].contains(&code.as_str());
    // The gateway's own words when the authorizer fails.
    let refused = answer.status == 500 && answer.text("message") == "Internal Server Error";
    match (answer.status, unavailable || refused) {
        (500.., true) if !calm => Ok(()),
        (500.., _) => Err(format!("{asked} was answered {} {code}", answer.status)),
        _ => checked.map_err(|wrong| format!("{asked}: {wrong}")),
    }
}

/// One of the recent ones; in calm weather exactly this one.
pub(super) fn recent(choice: usize, count: usize, exactly: bool) -> Option<usize> {
    match exactly {
        true => Some(choice),
        false => (count > 0).then(|| count - 1 - choice % count.min(40)),
    }
}

fn order_body(target: &str, amount: Micros) -> String {
    let amount = micros::dollars(amount);
    let body = match target.split_once(':') {
        Some((_, product)) => {
            json!({"target": "product", "product": product, "method": "card", "amount": amount})
        }
        None => json!({"target": "wallet", "method": "card", "amount": amount}),
    };
    body.to_string()
}
