//! What clients are answered, held against every state that was true while they waited.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::time::Instant;

use super::bank::Received;
use super::cloud::Cloud;
use super::journal::Account;
use super::micros;
use super::model::{Order, Wish};
use super::network::LONGEST_INDEX_LAG;
use crate::Answer;

/// What was true before a client asked.
pub struct Before {
    account: String,
    version: u64,
    /// The version of the order, the charge or the hold; 0 if there was none.
    pub(super) order_version: u64,
    at: Instant,
    /// In milliseconds, as functions read the clock.
    clock: u64,
}

impl Before {
    /// This moment, for an account and an order, a charge or a hold of it.
    ///
    /// # Panics
    /// If nobody opened the account.
    #[must_use]
    pub fn now(cloud: &Cloud, account: &str, order: &str) -> Self {
        Self {
            account: account.to_owned(),
            version: cloud.model.accounts[account].version,
            order_version: cloud.model.orders.get(order).map_or(0, Order::version)
                + cloud.model.usage.version(order),
            at: Instant::now(),
            clock: cloud.provider.now_millis(),
        }
    }

    /// The account's version.
    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    /// The account, as it is now.
    pub(super) fn account<'cloud>(&self, cloud: &'cloud Cloud) -> &'cloud Account {
        &cloud.model.accounts[&self.account]
    }

    /// Whether something was so of a version of the account, at one of the times that make a
    /// difference to it, since this moment and before this entry.
    pub(super) fn some_moment(
        &self,
        cloud: &Cloud,
        entry: Option<u64>,
        was: impl Fn(u64, u64) -> bool,
    ) -> bool {
        let account = self.account(cloud);
        let until = entry.map_or(account.version, |entry| account.version_before(entry));
        (self.version..=until).any(|version| {
            let holds = account.at(version).into_iter().flat_map(|moment| moment.holds.values());
            let ends = holds.map(|hold| hold.expires_at);
            let ends = ends.filter(|end| (self.clock..=cloud.provider.now_millis()).contains(end));
            ends.chain([self.clock]).any(|now| was(version, now))
        })
    }

    fn versions(&self, cloud: &Cloud) -> std::ops::RangeInclusive<u64> {
        self.version..=cloud.model.accounts[&self.account].version
    }
}

/// The answer to what makes an order: an order by card, or a transfer.
///
/// # Errors
/// What it must not be.
pub fn made(
    cloud: &mut Cloud,
    before: &Before,
    id: &str,
    wish: &Wish,
    answer: &Answer,
) -> Result<(), String> {
    let known = cloud.model.orders.get(id);
    let (method, _, _, amount) = wish.parts();
    let same = known.is_some_and(|known| wish.is_of(known.now()));
    let there_before = before.order_version > 0;
    let code = answer.text("code");
    match (answer.status, code.as_str()) {
        (200 | 201, _) => {
            let replay = answer.is_replay() == (answer.status == 200);
            if !same || !replay || answer.text("order_id") != id {
                return Err(format!("answered {}, and the table has {known:?}", answer.json()));
            }
            is_current(known, before.order_version, &answer.json())?;
            if answer.status == 201 && !cloud.model.made.insert(id.to_owned()) {
                return Err(format!("{id} was made twice"));
            }
            Ok(())
        }
        (409, "idempotency_key_reused") if known.is_some() && !same => Ok(()),
        (402, "insufficient_balance") if method == "balance" && !there_before => {
            let told = |field: &str| micros::parse(&answer.text(field));
            let account = &cloud.model.accounts[&before.account];
            // If it was made meanwhile, by a repetition: refused is only what came before.
            let made = account.entries.iter().find(|entry| entry.document == id);
            let until = made.map_or(account.version, |made| account.version_before(made.number));
            let mut was =
                (before.version..=until).filter_map(|at| account.balance_at(at, "wallet"));
            let true_once = told("available").is_some_and(|told| was.any(|was| was == told));
            match true_once && told("required") == Some(amount) && told("available") < Some(amount)
            {
                true => Ok(()),
                false => Err(format!("refused with {}", answer.json())),
            }
        }
        (422, "amount_out_of_range") if !is_allowed(wish) && !there_before => Ok(()),
        (409, "bank_reference_used") => match wish {
            Wish::Booked { received, .. } if is_used_by_another(cloud, received, id) => Ok(()),
            _ => Err("the bank reference is not used".to_owned()),
        },
        (status, code) => {
            Err(format!("answered {status} {code}; it was there before: {there_before}"))
        }
    }
}

/// Whether a transfer was credited to another order.
pub(super) fn is_used_by_another(cloud: &Cloud, received: &Received, order: &str) -> bool {
    cloud.model.credited.get(&received.payment()).is_some_and(|other| other != order)
}

/// The limits of the catalogue.
fn is_allowed(wish: &Wish) -> bool {
    let cents = micros::from_cents;
    match (wish, wish.payable()) {
        (Wish::Card { amount, .. }, _) => (cents(1_000)..=cents(1_000_000)).contains(amount),
        (Wish::Transfer { amount, .. }, _) => *amount >= cents(100),
        (Wish::Offline { .. }, (payable, "CNY")) => payable >= cents(50_000),
        (Wish::Offline { .. }, (payable, _)) => payable >= cents(10_000),
        (Wish::Booked { .. } | Wish::Found { .. }, _) => true,
    }
}

/// An order as it is shown is one of the states that it had meanwhile.
pub(super) fn is_current(known: Option<&Order>, since: u64, shown: &Value) -> Result<(), String> {
    let known = known.ok_or_else(|| format!("{shown} is not in the table"))?;
    let first = usize::try_from(since.saturating_sub(1)).unwrap_or(usize::MAX);
    let status = shown["status"].as_str().unwrap_or_default();
    let mut meanwhile = known.history.iter().skip(first);
    let credited = shown["credited_amount"].as_str();
    let fits = meanwhile.any(|was| {
        let settled = was.settled.as_ref().map(|settled| settled.credited);
        // A page is only shown while it may be paid.
        let page =
            shown["checkout_url"].is_null() || status == "pending_payment" && !was.cancel_requested;
        was.status() == status && settled == credited.and_then(micros::parse) && page
    });
    match fits {
        true => Ok(()),
        false => Err(format!("{shown} was not true after version {since}: {:?}", known.now())),
    }
}

/// The answer to a cancellation.
///
/// # Errors
/// What it must not be.
pub fn cancelled(cloud: &Cloud, before: &Before, id: &str, answer: &Answer) -> Result<(), String> {
    let known = cloud.model.orders.get(id);
    let was = |status: &str| {
        known.is_some_and(|known| known.now().statuses.iter().any(|was| was == status))
    };
    match (answer.status, answer.text("code").as_str()) {
        (200, _) if answer.text("status") == "cancelled" && was("cancelled") => Ok(()),
        (409, "order_not_cancellable")
            if known.is_some_and(|known| {
                !["pending_payment", "cancelled"].contains(&known.now().status())
            }) =>
        {
            Ok(())
        }
        (404, "order_not_found") if before.order_version == 0 => Ok(()),
        _ => Err(format!("answered {}, and the table has {known:?}", answer.json())),
    }
}

/// The balances, all of one version that the account had meanwhile.
///
/// # Errors
/// What they must not be.
pub fn balances(cloud: &Cloud, before: &Before, answer: &Answer) -> Result<(), String> {
    let shown = answer.json();
    let version = shown["version"].as_u64().unwrap_or_default();
    let account = &cloud.model.accounts[&before.account];
    let mut places = BTreeMap::from([
        ("wallet".to_owned(), &shown["wallet"]["available"]),
        ("wallet:held".to_owned(), &shown["wallet"]["held"]),
    ]);
    for product in shown["products"].as_array().into_iter().flatten() {
        let code = product["product"].as_str().unwrap_or_default();
        places.insert(format!("product:{code}"), &product["available"]);
        places.insert(format!("product:{code}:held"), &product["held"]);
    }
    let fits = before.some_moment(cloud, None, |at, now| {
        at == version
            && places.iter().all(|(place, shown)| {
                let there = account.at(version).map(|moment| moment.shown(place, now));
                shown.as_str().and_then(micros::parse) == there
            })
    });
    match fits && places.len() == 10 {
        true => Ok(()),
        false => Err(format!("{shown} was not true since version {}", before.version)),
    }
}

/// One order.
///
/// # Errors
/// What it must not be.
pub fn order(
    cloud: &Cloud,
    before: &Before,
    id: &str,
    by_stranger: bool,
    answer: &Answer,
) -> Result<(), String> {
    match answer.status {
        404 if by_stranger || before.order_version == 0 => Ok(()),
        200 if !by_stranger => {
            is_current(cloud.model.orders.get(id), before.order_version, &answer.json())
        }
        status => Err(format!("answered {status}; somebody else asked: {by_stranger}")),
    }
}

/// A page of Order Details: the newest orders, each as it is, without what an index may not show
/// yet.
///
/// # Errors
/// What it must not be.
pub fn order_list(cloud: &Cloud, before: &Before, answer: &Answer) -> Result<(), String> {
    let shown = answer.json();
    let shown: Vec<&Value> = shown["data"].as_array().into_iter().flatten().collect();
    let mut times = Vec::new();
    let mut ids = Vec::new();
    for order in &shown {
        let id = order["order_id"].as_str().unwrap_or_default();
        let known = cloud.model.orders.get(id);
        if known.is_none_or(|known| known.now().account != before.account) {
            return Err(format!("lists {id}, which is not of {}", before.account));
        }
        // How it stood at the beginning of this request is not kept for all orders.
        is_current(known, 1, order)?;
        times.push(known.map_or(0, |known| known.now().created_at));
        ids.push(id);
    }
    if !times.is_sorted_by(|newer, older| newer >= older) {
        return Err(format!("is not sorted: {times:?}"));
    }
    let oldest = match answer.json()["next_cursor"].is_null() {
        true => 0,
        false => times.last().copied().unwrap_or(u64::MAX),
    };
    let missing = cloud.model.orders.iter().find(|(id, order)| {
        let made = cloud.made_at(id);
        order.now().account == before.account
            && order.now().created_at > oldest
            && made.is_some_and(|made| made + LONGEST_INDEX_LAG < before.at)
            && !ids.contains(&id.as_str())
    });
    match missing {
        Some((id, _)) => Err(format!("does not list {id}")),
        None => Ok(()),
    }
}

/// The newest entries, in their order and without a gap.
///
/// # Errors
/// What they must not be.
pub fn journal(cloud: &Cloud, before: &Before, answer: &Answer) -> Result<(), String> {
    let shown = answer.json();
    let shown: Vec<&Value> = shown["data"].as_array().into_iter().flatten().collect();
    let account = &cloud.model.accounts[&before.account];
    let newest = shown.first().and_then(|entry| entry["number"].as_u64()).unwrap_or_default();
    let mut ends = before.versions(cloud).filter_map(|version| account.at(version));
    if !ends.any(|moment| moment.entries == newest) {
        return Err(format!("ends at entry {newest}, after version {}", before.version));
    }
    for (entry, number) in shown.iter().zip((1..=newest).rev()) {
        let known = usize::try_from(number - 1).ok().and_then(|index| account.entries.get(index));
        let fits = known.is_some_and(|known| {
            entry["number"].as_u64() == Some(known.number)
                && entry["hash"] == known.hash.as_str()
                && entry["document_id"] == known.document.as_str()
        });
        if !fits {
            return Err(format!("shows {entry} as entry {number}"));
        }
    }
    Ok(())
}
