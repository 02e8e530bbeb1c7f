//! Customers who pay by bank transfer, and the operators who look at the bank account.

use serde_json::{Value, json};

use super::actors::{Act, Actors, Asking, Request, recent, within};
use super::bank::Received;
use super::desk_answers as answers;
use super::micros::{self, Micros};
use super::model::{Wish, order_id};
use crate::Answer;

/// No later than any history begins.
const DAY: &str = "2026-11-18";
/// Operators look at so many of the newest orders.
const LATELY: usize = 12;
/// Most lines of a statement.
const MAX_LINES: usize = 6;

/// What an operator says about an order, kept to be said again.
#[derive(Debug, Clone)]
pub(super) struct Acceptance {
    order: String,
    account: String,
    key: String,
    found: Received,
    /// Whether it was answered for good.
    pub(super) answered: bool,
}

/// An uploaded statement.
#[derive(Debug, Clone)]
pub(super) struct Uploaded {
    csv: String,
    /// Its id, once that was told.
    id: Option<String>,
}

/// How what arrived is related to what was ordered.
#[derive(Debug, Clone, Copy)]
pub enum Arrival {
    /// The same.
    Exactly,
    /// A tenth less: within what needs no confirmation.
    Short,
    /// Half of it, and nobody confirms that.
    Half,
    /// Half of it, confirmed.
    HalfConfirmed,
    /// As many of the other currency, confirmed.
    OtherCurrency,
}

impl Arrival {
    /// What arrives for this.
    fn received(self, payable: Micros, currency: &str, reference: &str) -> Received {
        let other = if currency == "USD" { "CNY" } else { "USD" };
        let cents = payable / micros::from_cents(1);
        let (cents, currency, confirmed) = match self {
            Self::Exactly => (cents, currency, false),
            Self::Short => (cents - cents / 10, currency, false),
            Self::Half => (cents / 2, currency, false),
            Self::HalfConfirmed => (cents / 2, currency, true),
            Self::OtherCurrency => (cents, other, true),
        };
        let amount = cents.max(100) * micros::from_cents(1);
        let (currency, reference) = (currency.to_owned(), reference.to_owned());
        Received { amount, currency, reference, confirmed }
    }
}

fn body_of(found: &Received) -> Value {
    json!({
        "received_amount": micros::dollars(found.amount),
        "received_currency": found.currency,
        "bank_reference": found.reference,
        "received_on": DAY,
        "confirm_difference": found.confirmed,
    })
}

/// How a customer asks for an order by bank transfer.
fn order_offline(customer: usize, key: &str, wish: Wish) -> Asking {
    let ((_, account, target, _), (payable, currency)) = (wish.parts(), wish.payable());
    let order = order_id(account, "order", key);
    let mut body = json!({
        "target": "wallet", "method": "offline", "currency": currency,
        "amount": micros::dollars(payable),
    });
    if let Some((_, product)) = target.split_once(':') {
        body["target"] = json!("product");
        body["product"] = json!(product);
    }
    let (path, key, body) = ("/v1/orders".to_owned(), key.to_owned(), body.to_string());
    Asking { customer: Some(customer), path, key, body, order, wish }
}

impl Actors {
    pub(super) async fn perform_at_the_desk(&self, act: &Act, calm: bool) -> Option<Answer> {
        match act {
            Act::OrderOffline { customer, target, payable, currency, key } => {
                let account = self.deployment.customers[*customer].account.clone();
                let (target, currency) = (target.clone(), currency.clone());
                let wish = Wish::Offline { account, target, payable: *payable, currency };
                self.ask_for(order_offline(*customer, key, wish), calm).await
            }
            Act::Book { customer, target, found, key } => {
                let account = self.deployment.customers[*customer].account.clone();
                let order = order_id(&account, "received-payment", key);
                let mut body = body_of(found);
                body.as_object_mut()?.remove("confirm_difference");
                if let Some((_, product)) = target.split_once(':') {
                    body["product"] = json!(product);
                }
                let path = format!("/v1/admin/accounts/{account}/received-payments");
                let (target, received) = (target.clone(), found.clone());
                self.say_found(&order, found);
                let wish = Wish::Booked { account, target, received };
                let (customer, body, key) = (None, body.to_string(), key.clone());
                self.ask_for(Asking { customer, path, key, body, order, wish }, calm).await
            }
            Act::Report(choice) => self.report(*choice, calm).await,
            Act::Upload(choice) => self.upload(*choice, calm).await,
            Act::Accept { choice, arrival, reference, key } => {
                let (_, account, order) = self.recent_order(*choice)?;
                let (payable, currency) = self.payable_of(&order)?;
                let found = arrival.received(payable, &currency, reference);
                let (key, answered) = (key.clone(), false);
                let said = Acceptance { order, account, key, found, answered };
                self.books().acceptances.push(said);
                let index = self.books().acceptances.len() - 1;
                self.accept(index, calm).await
            }
            Act::AcceptAgain(choice) => {
                let index = recent(*choice, self.books().acceptances.len(), calm)?;
                self.accept(index, calm).await
            }
            Act::Reject { choice, reason } => self.reject(*choice, reason).await,
            Act::Sweep => {
                self.sweep_and_verify(calm).await;
                None
            }
            Act::Import { choice, number } => {
                self.draw_statement(*choice, *number);
                let index = self.books().statements.len().checked_sub(1)?;
                self.import(index, calm).await
            }
            Act::AcceptStatement(choice) => {
                let index = recent(*choice, self.books().statements.len(), false)?;
                self.accept_statement(index, calm).await
            }
            _ => None,
        }
    }

    /// What runs by the clock runs.
    async fn sweep_and_verify(&self, calm: bool) {
        if !self.deployment.sweep().await && calm {
            let failed = Err("a sweep failed in calm weather".to_owned());
            self.deployment.network.cloud().must(failed);
        }
        // It reads everything: now and then is enough.
        if self.deployment.clock.now().unix_seconds().rem_euclid(5) != 0 {
            return;
        }
        if let Some(verified) = self.deployment.verify().await {
            let mut cloud = self.deployment.network.cloud();
            cloud.saw("accounts that were verified while they were used");
            cloud.must(match verified.broken {
                0 => Ok(()),
                _ => Err(format!("accounts were called broken: {verified:?}")),
            });
        }
    }

    /// Writes down what an operator is about to say.
    fn say_found(&self, order: &str, found: &Received) {
        let mut cloud = self.deployment.network.cloud();
        cloud.model.found.entry(order.to_owned()).or_default().insert(found.clone());
    }

    /// Customer, account and id of an order that was asked for lately.
    fn recent_order(&self, choice: usize) -> Option<(usize, String, String)> {
        let books = self.books();
        let by_bank = |request: &&Request| request.asking.wish.parts().0 == "offline";
        let lately: Vec<_> = books.requests.iter().rev().filter(by_bank).take(LATELY).collect();
        // Now and then an order that no bank transfer can pay.
        let request = match choice.is_multiple_of(23) || lately.is_empty() {
            true => &books.requests[recent(choice, books.requests.len(), false)?],
            false => lately[choice % lately.len()],
        };
        let account = request.asking.wish.parts().1.to_owned();
        let customers = &self.deployment.customers;
        let customer = customers.iter().position(|customer| customer.account == account)?;
        Some((customer, account, request.asking.order.clone()))
    }

    /// What is to be paid for an order, as its customer wished.
    fn payable_of(&self, order: &str) -> Option<(Micros, String)> {
        let cloud = self.deployment.network.cloud();
        let (payable, currency) = cloud.model.wishes.get(order)?.first()?.payable();
        Some((payable, currency.to_owned()))
    }

    async fn report(&self, choice: usize, calm: bool) -> Option<Answer> {
        let (customer, account, order) = self.recent_order(choice)?;
        let before = self.before(&account, &order);
        let body = json!({
            "payer_name": "Li Lei", "bank_reference": format!("T-{}", choice % 3), "paid_on": DAY,
            "amount": "100.00",
        });
        let path = format!("/v1/orders/{order}/transfer-report");
        let key = self.deployment.key_of(customer);
        let json = ("application/json", body.to_string());
        let answer =
            self.deployment.ask(key, ("POST", &path), "none", (json.0, json.1.as_bytes())).await;
        let mut cloud = self.deployment.network.cloud();
        let checked = answers::reported(&cloud, &before, &order, &answer);
        cloud.must(within(calm, &answer, checked, &path));
        drop(cloud);
        Some(answer)
    }

    async fn upload(&self, choice: usize, calm: bool) -> Option<Answer> {
        let (customer, account, order) = self.recent_order(choice)?;
        let before = self.before(&account, &order);
        let path = format!("/v1/orders/{order}/proofs");
        let content = format!("%PDF-1.7 {}", choice % 4);
        let key = self.deployment.key_of(customer);
        let pdf = ("application/pdf", content.as_bytes());
        let answer = self.deployment.ask(key, ("POST", &path), "none", pdf).await;
        let mut cloud = self.deployment.network.cloud();
        let checked = answers::reported(&cloud, &before, &order, &answer);
        cloud.must(within(calm, &answer, checked, &path));
        drop(cloud);
        Some(answer)
    }

    async fn accept(&self, index: usize, calm: bool) -> Option<Answer> {
        let said = self.books().acceptances[index].clone();
        let Acceptance { order, account, key, found, .. } = &said;
        self.say_found(order, found);
        let before = self.before(account, order);
        let path = format!("/v1/admin/orders/{order}/accept");
        let body = body_of(found).to_string();
        let answer = self.deployment.admin("POST", &path, key, &body).await;
        let mut cloud = self.deployment.network.cloud();
        let checked = answers::accepted(&mut cloud, &before, (order, key), found, &answer);
        cloud.must(within(calm, &answer, checked, &format!("{path} {body} with {key}")));
        drop(cloud);
        if answer.status < 500 {
            self.books().acceptances[index].answered = true;
        }
        Some(answer)
    }

    async fn reject(&self, choice: usize, reason: &str) -> Option<Answer> {
        let (_, account, order) = self.recent_order(choice)?;
        let before = self.before(&account, &order);
        let path = format!("/v1/admin/orders/{order}/reject");
        let body = json!({"reason": reason}).to_string();
        let answer = self.deployment.admin("POST", &path, "none", &body).await;
        let mut cloud = self.deployment.network.cloud();
        let checked = answers::rejected(&cloud, &before, &order, &answer);
        cloud.must(within(false, &answer, checked, &path));
        drop(cloud);
        Some(answer)
    }

    /// Draws a statement of dollars that arrived for orders of lately, and of nothing that was
    /// ordered.
    fn draw_statement(&self, choice: usize, number: u64) {
        let mut csv =
            "booked_on,amount,currency,bank_reference,payer_name,information\n".to_owned();
        for line in 0..1 + choice % MAX_LINES {
            let Some((_, _, order)) = self.recent_order(choice / 7 + line) else { continue };
            let Some((payable, currency)) = self.payable_of(&order) else { continue };
            let known = self.deployment.network.cloud().model.orders.get(&order).cloned();
            let code = known.and_then(|known| known.now().reference.clone()).unwrap_or_default();
            if currency != "USD" {
                continue;
            }
            let reference = format!("S-{number}-{line}");
            let amount = payable;
            let text = micros::dollars(amount);
            csv.push_str(&format!("{DAY},{text},USD,{reference},Somebody,thanks {code}\n"));
            self.say_found(&order, &Received { amount, currency, reference, confirmed: false });
        }
        csv.push_str(&format!("{DAY},77.00,USD,S-{number}-x,Nobody,a present\n"));
        self.books().statements.push(Uploaded { csv, id: None });
    }

    async fn import(&self, index: usize, calm: bool) -> Option<Answer> {
        let csv = self.books().statements[index].csv.clone();
        let path = "/v1/admin/statements";
        let (key, file) = (&self.deployment.operator, ("text/csv", csv.as_bytes()));
        let answer = self.deployment.ask(key, ("POST", path), "none", file).await;
        let fits = [200, 201].contains(&answer.status);
        let checked = fits.then_some(()).ok_or_else(|| format!("answered {}", answer.json()));
        self.deployment.network.cloud().must(within(calm, &answer, checked, path));
        if answer.status < 500 {
            self.books().statements[index].id = Some(answer.text("statement_id"));
        }
        Some(answer)
    }

    async fn accept_statement(&self, index: usize, calm: bool) -> Option<Answer> {
        let Some(id) = self.books().statements[index].id.clone() else {
            return self.import(index, calm).await;
        };
        let path = format!("/v1/admin/statements/{id}/accept");
        let answer = self.deployment.admin("POST", &path, "none", r#"{"exact":true}"#).await;
        let mut cloud = self.deployment.network.cloud();
        let checked = match answer.status {
            200 => answers::accepted_lines(&cloud, &answer),
            _ => Err(format!("answered {}", answer.json())),
        };
        cloud.must(within(calm, &answer, checked, &path));
        drop(cloud);
        Some(answer)
    }
}
