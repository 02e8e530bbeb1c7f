//! Operators who give money back, correct balances and look into findings.

use serde_json::json;

use super::actors::{Act, Actors, recent, within};
use super::back_answers as answers;
use super::bank::derived;
use super::images::AdjustmentImage;
use super::micros::{self, Micros};
use super::reversals::WantedRefund;
use crate::Answer;

/// Operators give back so many of the newest orders.
const LATELY: usize = 20;
/// Why, as every operator says.
const REASON: &str = "asked for it";

/// How much of an order an operator gives back.
#[derive(Debug, Clone, Copy)]
pub enum Share {
    /// All that is left.
    Rest,
    /// So many parts of a hundred of what is left.
    Part(u8),
    /// A cent more than is left.
    TooMuch,
}

/// A refund that an operator asked for, kept to be asked for again.
#[derive(Debug, Clone)]
pub(super) struct AskedRefund {
    account: String,
    id: String,
    key: String,
    wanted: WantedRefund,
    /// Whether it was answered for good.
    pub(super) answered: bool,
}

/// An adjustment that an operator asked for, kept to be asked for again.
#[derive(Debug, Clone)]
pub(super) struct AskedAdjustment {
    key: String,
    wanted: AdjustmentImage,
    /// Whether it was answered for good.
    pub(super) answered: bool,
}

/// How an amount is written that may be below zero.
fn signed(amount: Micros) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let amount = micros::dollars(Micros::try_from(amount.unsigned_abs()).unwrap_or(Micros::MAX));
    format!("{sign}{amount}")
}

impl Actors {
    pub(super) async fn perform_going_back(&self, act: &Act, calm: bool) -> Option<Answer> {
        match act {
            Act::Refund { choice, share, reference, key } => {
                let wanted = self.refund_of(*choice, *share, reference)?;
                let id = derived("rfd_", &[&wanted.order, "refund", key]);
                let account = {
                    let mut cloud = self.deployment.network.cloud();
                    let wishes = cloud.model.wanted_refunds.entry(id.clone()).or_default();
                    wishes.push(wanted.clone());
                    cloud.model.orders.get(&wanted.order)?.now().account.clone()
                };
                let (key, answered) = (key.clone(), false);
                self.books().refunds.push(AskedRefund { account, id, key, wanted, answered });
                let index = self.books().refunds.len() - 1;
                self.refund(index, calm).await
            }
            Act::RefundAgain(choice) => {
                let index = recent(*choice, self.books().refunds.len(), calm)?;
                self.refund(index, calm).await
            }
            Act::Adjust { customer, balance, amount, key } => {
                let account = self.deployment.customers[*customer].account.clone();
                let id = derived("adj_", &[&account, "adjustment", key]);
                let (balance, amount) = (balance.clone(), *amount);
                let wanted = AdjustmentImage { id: id.clone(), account, balance, amount };
                {
                    let mut cloud = self.deployment.network.cloud();
                    cloud.model.wanted_adjustments.entry(id).or_default().push(wanted.clone());
                }
                let (key, answered) = (key.clone(), false);
                self.books().adjustments.push(AskedAdjustment { key, wanted, answered });
                let index = self.books().adjustments.len() - 1;
                self.adjust(index, calm).await
            }
            Act::AdjustAgain(choice) => {
                let index = recent(*choice, self.books().adjustments.len(), calm)?;
                self.adjust(index, calm).await
            }
            Act::Resolve(choice) => self.resolve(*choice, calm).await,
            _ => None,
        }
    }

    /// What an operator wants back of one of the newest orders; now and then of one that has nothing
    /// to give back.
    fn refund_of(&self, choice: usize, share: Share, reference: &str) -> Option<WantedRefund> {
        let ids: Vec<String> = {
            let books = self.books();
            books.requests.iter().rev().map(|request| request.asking.order.clone()).collect()
        };
        let cloud = self.deployment.network.cloud();
        let known = ids.iter().filter_map(|id| cloud.model.orders.get(id));
        let has_money = |known: &&super::model::Order| {
            let now = known.now();
            choice.is_multiple_of(11) || now.settled.is_some() && now.method != "balance"
        };
        let lately: Vec<_> = known.filter(has_money).take(LATELY).collect();
        // The rest of what was given back in part ends an order, which is rare otherwise.
        let begun = |known: &&&super::model::Order| known.now().status() == "partially_refunded";
        let begun = match share {
            Share::Rest if choice.is_multiple_of(2) => lately.iter().find(begun),
            _ => None,
        };
        let order = begun.or(lately.get(choice % lately.len().max(1)))?.now();
        let cent = micros::from_cents(1);
        let left = order.refundable() / cent;
        let cents = match share {
            Share::Rest => left,
            Share::Part(percent) => left * Micros::from(percent) / 100,
            Share::TooMuch => left + 1,
        };
        // Now and then in the way of the other method.
        let by_bank = (order.method != "card") != choice.is_multiple_of(29);
        Some(WantedRefund {
            order: order.id.clone(),
            amount: cents.max(1) * cent,
            bank_reference: by_bank.then(|| reference.to_owned()),
        })
    }

    async fn refund(&self, index: usize, calm: bool) -> Option<Answer> {
        let AskedRefund { account, id, key, wanted, .. } = self.books().refunds[index].clone();
        let before = self.before(&account, &wanted.order);
        let path = format!("/v1/admin/orders/{}/refunds", wanted.order);
        let mut body = json!({"amount": micros::dollars(wanted.amount), "reason": REASON});
        if let Some(reference) = &wanted.bank_reference {
            body["bank_reference"] = json!(reference);
        }
        let body = body.to_string();
        let answer = self.deployment.admin("POST", &path, &key, &body).await;
        let mut cloud = self.deployment.network.cloud();
        let checked = answers::refunded(&mut cloud, &before, &id, &wanted, &answer);
        cloud.must(within(calm, &answer, checked, &format!("{path} {body} with {key}")));
        drop(cloud);
        if answer.status < 500 {
            self.books().refunds[index].answered = true;
        }
        Some(answer)
    }

    async fn adjust(&self, index: usize, calm: bool) -> Option<Answer> {
        let AskedAdjustment { key, wanted, .. } = self.books().adjustments[index].clone();
        let before = self.before(&wanted.account, "");
        let path = format!("/v1/admin/accounts/{}/adjustments", wanted.account);
        let body =
            json!({"balance": wanted.balance, "amount": signed(wanted.amount), "reason": REASON});
        let body = body.to_string();
        let answer = self.deployment.admin("POST", &path, &key, &body).await;
        let mut cloud = self.deployment.network.cloud();
        let checked = answers::adjusted(&mut cloud, &before, &wanted, &answer);
        cloud.must(within(calm, &answer, checked, &format!("{path} {body} with {key}")));
        drop(cloud);
        if answer.status < 500 {
            self.books().adjustments[index].answered = true;
        }
        Some(answer)
    }

    /// An operator has looked into a finding.
    async fn resolve(&self, choice: usize, calm: bool) -> Option<Answer> {
        let reason = ["the customer was called", "it was refunded"][choice % 2];
        let id = {
            let mut cloud = self.deployment.network.cloud();
            let findings: Vec<&String> = cloud.model.findings.keys().collect();
            let id = (*findings.get(choice / 2 % findings.len().max(1))?).clone();
            cloud.model.resolutions.insert((id.clone(), reason.to_owned()));
            id
        };
        let path = format!("/v1/admin/findings/{id}/resolve");
        let body = json!({"reason": reason}).to_string();
        let answer = self.deployment.admin("POST", &path, "none", &body).await;
        let mut cloud = self.deployment.network.cloud();
        let checked = answers::resolved(&cloud, &id, reason, &answer);
        cloud.must(within(calm, &answer, checked, &path));
        drop(cloud);
        Some(answer)
    }
}
