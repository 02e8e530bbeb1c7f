//! What customers are answered who use money, or set it aside.

use std::collections::BTreeSet;

use serde_json::Value;

use super::answers::Before;
use super::cloud::Cloud;
use super::journal::Moment;
use super::micros::{self, Micros};
use super::thresholds::WantedThresholds;
use super::usage::MAX_HOLDS;
use super::usage_images::{HoldImage, WantedCharge, WantedHold};
use crate::Answer;

/// What one charge was answered, by itself or as one of a batch.
#[derive(Debug)]
pub struct Told {
    /// The status.
    pub status: u64,
    /// The charge, or why there is none.
    pub shown: Value,
}

impl Told {
    /// The answer to a request, whose key makes one thing if it is `keyed`.
    ///
    /// # Errors
    /// A repetition that does not say so.
    pub fn of(answer: &Answer, keyed: bool) -> Result<Self, String> {
        let told = Self { status: answer.status.into(), shown: answer.json() };
        let made = [200, 201].contains(&told.status);
        match !made || answer.is_replay() == (keyed && told.status == 200) {
            true => Ok(told),
            false => Err(format!("answered {} again: {}", told.status, told.shown)),
        }
    }

    /// The code of a problem.
    #[must_use]
    pub fn code(&self) -> &str {
        self.shown["code"].as_str().unwrap_or_default()
    }

    fn says(&self, name: &str) -> Option<Micros> {
        amount(&self.shown, name)
    }

    fn wrong(&self, known: impl std::fmt::Debug) -> String {
        format!("answered {} {}, and the table has {known:?}", self.status, self.shown)
    }
}

/// The answer to a charge. `sooner`: what of its batch is decided before it.
///
/// # Errors
/// What it must not be.
pub fn charged(
    cloud: &mut Cloud,
    before: &Before,
    (id, wanted): (&str, &WantedCharge),
    sooner: &[(&str, &WantedCharge)],
    told: &Told,
) -> Result<(), String> {
    let known = cloud.model.usage.charges.get(id);
    match (told.status, told.code()) {
        (200 | 201, _) => must_be_made(cloud, (id, wanted), told),
        (409, "idempotency_key_reused")
            if known.is_some_and(|known| !wanted.is_of(&known.made)) =>
        {
            Ok(())
        }
        (402, "insufficient_balance") if before.order_version == 0 => {
            let until = known.map(|known| known.entry);
            let account = before.account(cloud);
            let this = (wanted.target.as_str(), wanted.amount, id);
            // Refused by itself, or after those of its batch that the next commit made.
            let lacked = before.some_moment(cloud, until, |version, now| {
                let Some(moment) = account.at(version) else { return false };
                let entry = account.at(version + 1).map(|after| after.entries);
                // A key that is there twice makes one charge, of what was asked first.
                let mut seen = BTreeSet::new();
                let with = sooner.iter().filter(|(id, one)| {
                    let made = cloud.model.usage.charges.get(*id);
                    let so =
                        made.is_some_and(|made| Some(made.entry) == entry && one.is_of(&made.made));
                    so && seen.insert(*id)
                });
                let with = with.map(|(id, one)| (one.target.as_str(), one.amount, *id));
                let after: Vec<_> = with.chain([this]).collect();
                let refused = |uses: &[_]| moment.spend(uses, now).err();
                let there = [refused(&[this]), refused(&after)];
                there.iter().any(|there| there.is_some() && *there == told.says("available"))
            });
            must_lack(lacked, &wanted.target, wanted.amount, told)
        }
        _ => Err(told.wrong(known)),
    }
}

/// The answer to who sets money aside.
///
/// # Errors
/// What it must not be.
pub fn placed(
    cloud: &mut Cloud,
    before: &Before,
    (id, wanted): (&str, &WantedHold),
    told: &Told,
) -> Result<(), String> {
    let known = cloud.model.usage.hold(id);
    let same = known.is_some_and(|known| known.placed == *wanted);
    let entries = &before.account(cloud).entries;
    let entry = entries.iter().find(|entry| entry.document == id);
    let until = entry.map(|entry| entry.number);
    match (told.status, told.code()) {
        (200 | 201, _) if same => {
            is_shown(cloud, before, id, &told.shown)?;
            done_once(cloud, id, told)
        }
        (409, "idempotency_key_reused") if known.is_some() && !same => Ok(()),
        (402, "insufficient_balance") if before.order_version == 0 => {
            let account = before.account(cloud);
            let this = (wanted.target.as_str(), wanted.amount, id);
            let lacked = before.some_moment(cloud, until, |version, now| {
                let there = account.at(version).and_then(|at| at.spend(&[this], now).err());
                there.is_some() && there == told.says("available")
            });
            must_lack(lacked, &wanted.target, wanted.amount, told)
        }
        (409, "too_many_holds") if before.order_version == 0 => {
            let account = before.account(cloud);
            let many = before.some_moment(cloud, until, |version, now| {
                account.at(version).is_some_and(|at| at.open_holds(now) >= MAX_HOLDS)
            });
            many.then_some(()).ok_or_else(|| told.wrong(known))
        }
        _ => Err(told.wrong(known)),
    }
}

/// The answer to who captures a part of a hold, which was as `before_hold` tells.
///
/// # Errors
/// What it must not be.
pub fn captured(
    cloud: &mut Cloud,
    (before, before_hold): (&Before, &Before),
    (id, wanted): (&str, &WantedCharge),
    told: &Told,
) -> Result<(), String> {
    let known = cloud.model.usage.charges.get(id);
    let hold = wanted.from.as_ref().map(|(hold, _)| hold.as_str()).unwrap_or_default();
    match (told.status, told.code()) {
        (200 | 201, _) => {
            is_shown(cloud, before_hold, hold, &told.shown["hold"])?;
            must_be_made(cloud, (id, wanted), told)
        }
        (409, "idempotency_key_reused")
            if known.is_some_and(|known| !wanted.is_of(&known.made)) =>
        {
            Ok(())
        }
        (409, "hold_closed") if before.order_version == 0 => {
            let ended = states(cloud, before_hold, hold).iter().any(|state| state.status != "open");
            let ended = ended || is_over(cloud, before_hold, hold);
            ended.then_some(()).ok_or_else(|| told.wrong(cloud.model.usage.hold(hold)))
        }
        (409, "capture_too_large") if before.order_version == 0 => {
            let (account, until) = (before.account(cloud), known.map(|known| known.entry));
            let small = before.some_moment(cloud, until, |version, _| {
                let open = account.at(version).and_then(|at| at.holds.get(hold));
                open.is_some_and(|open| told.says("available") == Some(open.left))
            });
            let told_so = told.says("required") == Some(wanted.amount)
                && told.says("available") < Some(wanted.amount);
            (small && told_so).then_some(()).ok_or_else(|| told.wrong(known))
        }
        (404, "not_found") if before_hold.order_version == 0 => Ok(()),
        _ => Err(told.wrong(known)),
    }
}

/// The answer to who gives up a hold.
///
/// # Errors
/// What it must not be.
pub fn released(cloud: &Cloud, before: &Before, id: &str, told: &Told) -> Result<(), String> {
    let ended = ["released", "expired"].map(|status| told.shown["status"] == status);
    match (told.status, told.code()) {
        (200, _) if ended.contains(&true) => is_shown(cloud, before, id, &told.shown),
        (409, "hold_closed")
            if states(cloud, before, id).iter().any(|state| state.status == "captured") =>
        {
            Ok(())
        }
        (404, "not_found") if before.order_version == 0 => Ok(()),
        _ => Err(told.wrong(cloud.model.usage.hold(id))),
    }
}

/// The answer to who sets what is to happen when a balance runs low.
///
/// # Errors
/// What it must not be.
pub fn set(
    cloud: &Cloud,
    before: &Before,
    (target, wanted): (&str, &WantedThresholds),
    told: &Told,
) -> Result<(), String> {
    let account = before.account(cloud);
    let was_so = (before.version()..=account.version).any(|version| {
        let image = account.at(version).and_then(|at| at.thresholds.get(target).cloned());
        image.unwrap_or_default().wanted == *wanted
    });
    match told.status == 200 && was_so && wanted.are_shown(&told.shown) {
        true => Ok(()),
        false => Err(told.wrong(account.thresholds.get(target))),
    }
}

impl Moment {
    /// A balance as it is shown: a hold whose time is over keeps nothing, released or not.
    #[must_use]
    pub fn shown(&self, place: &str, now: u64) -> Micros {
        let over = self.holds.values().filter(|hold| hold.expires_at <= now);
        let balance = self.balances.get(place).copied().unwrap_or_default();
        over.fold(balance, |balance, hold| match place.strip_prefix(&hold.target) {
            Some("") => balance + hold.left,
            Some(":held") => balance - hold.left,
            _ => balance,
        })
    }

    fn open_holds(&self, now: u64) -> usize {
        self.holds.values().filter(|hold| hold.expires_at > now).count()
    }
}

/// Every state that a hold had since somebody asked, the one of then included.
fn states<'cloud>(cloud: &'cloud Cloud, before: &Before, id: &str) -> &'cloud [HoldImage] {
    let states = cloud.model.usage.holds.get(id).map_or(&[][..], Vec::as_slice);
    let first = usize::try_from(before.order_version.saturating_sub(1)).unwrap_or(usize::MAX);
    states.get(first..).unwrap_or_default()
}

/// Whether a hold keeps nothing, though its document may not say so yet.
fn is_over(cloud: &Cloud, before: &Before, id: &str) -> bool {
    let hold = cloud.model.usage.hold(id);
    let carried = before.account(cloud).holds.contains_key(id);
    hold.is_some_and(|hold| !carried || hold.expires_at() <= cloud.provider.now_millis())
}

/// A hold as it is shown is one of the states that it had meanwhile.
fn is_shown(cloud: &Cloud, before: &Before, id: &str, shown: &Value) -> Result<(), String> {
    let over = is_over(cloud, before, id);
    let status = shown["status"].as_str().unwrap_or_default();
    let mut meanwhile = states(cloud, before, id).iter();
    let fits = meanwhile.any(|state| {
        let same = state.status == status;
        let expired = over && state.status == "open" && status == "expired";
        let left = if status == "open" { state.placed.amount - state.captured } else { 0 };
        (same || expired)
            && amount(shown, "captured_amount") == Some(state.captured)
            && amount(shown, "remaining_amount") == Some(left)
            && amount(shown, "amount") == Some(state.placed.amount)
    });
    match fits && shown["hold_id"] == id {
        true => Ok(()),
        false => Err(format!("{shown} was not true since {}", before.order_version)),
    }
}

/// A charge that is told of is in the table as it was wanted, and was made once.
fn must_be_made(
    cloud: &mut Cloud,
    (id, wanted): (&str, &WantedCharge),
    told: &Told,
) -> Result<(), String> {
    let known = cloud.model.usage.charges.get(id);
    let from = wanted.from.as_ref().map(|(hold, _)| hold.as_str());
    let fits = known.is_some_and(|known| {
        wanted.is_of(&known.made) && told.shown["entry"].as_u64() == Some(known.entry)
    });
    let shown = told.shown["charge_id"] == id
        && told.says("amount") == Some(wanted.amount)
        && told.shown["hold_id"].as_str() == from;
    match fits && shown {
        true => done_once(cloud, id, told),
        false => Err(told.wrong(known)),
    }
}

/// What is refused for want of money says what there is and what is needed.
fn must_lack(lacked: bool, target: &str, amount: Micros, told: &Told) -> Result<(), String> {
    let product = told.shown["product"].as_str();
    let fits = told.says("required") == Some(amount)
        && told.says("available") < Some(amount)
        && product == target.strip_prefix("product:");
    match lacked && fits {
        true => Ok(()),
        false => Err(format!("refused with {}", told.shown)),
    }
}

/// What is made is answered 201 once.
fn done_once(cloud: &mut Cloud, id: &str, told: &Told) -> Result<(), String> {
    match told.status == 201 && !cloud.model.done.insert(id.to_owned()) {
        true => Err(format!("{id} was made twice")),
        false => Ok(()),
    }
}

fn amount(shown: &Value, name: &str) -> Option<Micros> {
    micros::parse(shown[name].as_str()?)
}
