//! Customers and the provider's webhooks, as they meet the product, and what they must be answered.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::answers::{self, Before};
use super::cloud::{Cloud, is_poison};
use super::deployment::Deployment;
use super::micros::{self, Micros};
use super::model::{Wish, order_id};
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
struct Books {
    /// What customers asked for that must lead to one record, in the order of asking.
    requests: Vec<Request>,
    /// Orders that customers called off without being told how that went.
    cancels: Vec<(usize, String)>,
}

#[derive(Debug, Clone)]
struct Request {
    customer: usize,
    path: &'static str,
    key: String,
    body: String,
    order: String,
    wish: Wish,
    /// Whether it was answered for good.
    answered: bool,
}

impl Act {
    /// What it is.
    const fn name(&self) -> &'static str {
        match self {
            Self::Order { .. } => "order",
            Self::Transfer { .. } => "transfer",
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
        let cancels = (0..books.cancels.len()).map(Act::Cancel);
        let events = cloud.provider.events.iter().enumerate();
        let events = events.filter(|(_, event)| !event.taken);
        let events = events.map(|(index, _)| Act::Deliver(index));
        requests.chain(cancels).chain(events).collect()
    }

    async fn perform(&self, act: &Act, calm: bool) -> Option<Answer> {
        match act {
            Act::Order { customer, target, amount, key } => {
                let body = order_body(target, *amount);
                let account = self.deployment.customers[*customer].account.clone();
                let order = order_id(&account, "order", key);
                let (target, amount) = (target.clone(), *amount);
                let wish = Wish::Card { account, target, amount };
                self.ask(self.remember(*customer, "/v1/orders", key, body, order, wish), calm).await
            }
            Act::Transfer { customer, target, amount, key } => {
                let product = target.trim_start_matches("product:");
                let body = json!({"product": product, "amount": micros::dollars(*amount)});
                let account = self.deployment.customers[*customer].account.clone();
                let order = order_id(&account, "transfer", key);
                let (target, amount) = (target.clone(), *amount);
                let wish = Wish::Transfer { account, target, amount };
                let body = body.to_string();
                let index = self.remember(*customer, "/v1/transfers", key, body, order, wish);
                self.ask(index, calm).await
            }
            Act::Repeat(choice) => {
                let count = self.books().requests.len();
                let index = recent(*choice, count, calm)?;
                self.ask(index, calm).await
            }
            Act::Cancel(choice) => self.cancel(*choice, calm).await,
            Act::Balances(choice) => self.look(*choice, "/v1/balances", answers::balances).await,
            Act::List(choice) => {
                self.look(*choice, "/v1/orders?limit=50", answers::order_list).await
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
        }
    }

    /// Writes down what will be asked for, before it is asked for.
    fn remember(
        &self,
        customer: usize,
        path: &'static str,
        key: &str,
        body: String,
        order: String,
        wish: Wish,
    ) -> usize {
        self.deployment.network.cloud().model.wish(&order, wish.clone());
        let mut books = self.books();
        let (key, answered) = (key.to_owned(), false);
        books.requests.push(Request { customer, path, key, body, order, wish, answered });
        books.requests.len() - 1
    }

    async fn ask(&self, index: usize, calm: bool) -> Option<Answer> {
        let request = self.books().requests[index].clone();
        let customer = &self.deployment.customers[request.customer];
        let before = self.before(&customer.account, &request.order);
        let answer =
            self.deployment.post(customer, request.path, &request.key, &request.body).await;
        let mut cloud = self.deployment.network.cloud();
        let checked = answers::made(&mut cloud, &before, &request.order, &request.wish, &answer);
        let said = format!("{} {} with {}", request.path, request.body, request.key);
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
                (request.customer, request.order.clone())
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
            (request.customer, request.order.clone())
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
            (index, cloud.provider.events[index].body.clone())
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

    fn before(&self, account: &str, order: &str) -> Before {
        Before::now(&self.deployment.network.cloud(), account, order)
    }

    fn note(&self, line: &str) {
        self.deployment.network.cloud().note(line);
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In bad weather nobody needs to be served; everybody must be told so in the right way.
fn within(
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
fn recent(choice: usize, count: usize, exactly: bool) -> Option<usize> {
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
