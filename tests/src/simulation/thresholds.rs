//! Balances that run low, as the auditor knows it: what is told, and what is moved from the wallet.
//! Written from the contract and without the product's code.

use std::collections::BTreeMap;

use serde_json::Value;

use super::bank::derived;
use super::images::{AccountImage, EntryImage, OrderImage, SettledImage, Step, number, text};
use super::journal::{Account, Moment, matches_journal};
use super::micros::{self, Micros};
use super::model::{Model, Order};

/// The smallest coin.
const CENT: Micros = 10_000;
const DAY: u64 = 86_400_000;

/// What a customer wants to happen when a balance runs low.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct WantedThresholds {
    /// Below it the platform is told.
    pub alert_below: Option<Micros>,
    /// Below it money is moved from the wallet.
    pub top_up_below: Option<Micros>,
    /// So much each time.
    pub top_up_amount: Option<Micros>,
    /// Or what is missing to so much.
    pub top_up_to: Option<Micros>,
    /// At most so much in a month.
    pub monthly_cap: Option<Micros>,
}

/// What an account carries of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThresholdImage {
    /// What was wanted.
    pub wanted: WantedThresholds,
    /// Whether the platform was told.
    pub given: bool,
    /// What was moved in the month in which money was last moved, and when that was.
    pub moved: (Micros, Option<u64>),
}

/// A use of a product: which, how much, and the id of its charge or hold.
pub type Spent<'step> = (&'step str, Micros, &'step str);

/// What an account has left after some uses, and what was moved for them.
#[derive(Debug, Default)]
pub struct Spending {
    /// What is left, by balance.
    pub left: BTreeMap<String, Micros>,
    /// What was moved to a product, and the use that it was moved for first.
    pub moved: BTreeMap<String, (Micros, String)>,
}

impl WantedThresholds {
    /// The body of the request.
    #[must_use]
    pub fn body(&self) -> Value {
        let fields = self.fields().into_iter();
        let fields =
            fields.filter_map(|(name, amount)| Some((name, micros::normal(amount?).into())));
        fields.map(|(name, amount): (&str, Value)| (name.to_owned(), amount)).collect()
    }

    /// Whether an answer shows them.
    #[must_use]
    pub fn are_shown(&self, shown: &Value) -> bool {
        let amount = |name: &str| shown[name].as_str().and_then(micros::parse);
        self.fields().into_iter().all(|(name, wanted)| amount(name) == wanted)
    }

    fn fields(&self) -> [(&'static str, Option<Micros>); 5] {
        [
            ("alert_below", self.alert_below),
            ("top_up_below", self.top_up_below),
            ("top_up_amount", self.top_up_amount),
            ("top_up_to", self.top_up_to),
            ("monthly_cap", self.monthly_cap),
        ]
    }
}

/// The thresholds that an account carries; none if it has none.
pub(super) fn thresholds(item: &Value) -> Option<BTreeMap<String, ThresholdImage>> {
    let all = item["thresholds"]["M"].as_object().into_iter().flatten();
    let all = all.map(|(target, one)| {
        let (alert, automatic) = (&one["M"]["alert"]["M"], &one["M"]["automatic"]["M"]);
        let amount = |item: &Value, name: &str| text(item, name).and_then(micros::parse);
        let wanted = WantedThresholds {
            alert_below: amount(alert, "below"),
            top_up_below: amount(automatic, "below"),
            top_up_amount: amount(automatic, "amount"),
            top_up_to: amount(automatic, "up_to"),
            monthly_cap: amount(automatic, "monthly_cap"),
        };
        let moved = &one["M"]["moved"]["M"];
        let moved = (amount(moved, "sum").unwrap_or_default(), number(moved, "at"));
        let given = alert["given"]["BOOL"] == true;
        Some((target.clone(), ThresholdImage { wanted, given, moved }))
    });
    all.collect()
}

impl ThresholdImage {
    /// What was moved in the month of this moment; a clock that is behind opens no month again.
    fn moved_in_month_of(&self, now: u64) -> Micros {
        match self.moved {
            (moved, Some(at)) if month(at.max(now)) == month(at) => moved,
            _ => 0,
        }
    }
}

/// Months since 1970, in UTC.
fn month(millis: u64) -> u64 {
    let (mut days, mut year) = (millis / DAY, 1970);
    let leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let length = |year: u64| if leap(year) { 366 } else { 365 };
    while days >= length(year) {
        days -= length(year);
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 0;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year - 1970) * 12 + month
}

impl Moment {
    /// What uses, one after the other, leave of the balances, with what must be moved from the wallet for
    /// them; or what was available for the first one that could not be paid.
    ///
    /// # Errors
    /// What was available.
    pub fn spend(&self, uses: &[Spent<'_>], now: u64) -> Result<Spending, Micros> {
        let mut spending = Spending::default();
        for (target, amount, document) in uses {
            let there = |spending: &Spending, place: &str| {
                spending.left.get(place).copied().unwrap_or_else(|| self.shown(place, now))
            };
            let before = there(&spending, target);
            let wallet = there(&spending, "wallet");
            let already = spending.moved.get(*target).map_or(0, |(moved, _)| *moved);
            let moved = self.moves(target, before - amount, (wallet, already), now);
            if before - amount + moved < 0 {
                return Err(before);
            }
            spending.left.insert((*target).to_owned(), before - amount + moved);
            if moved > 0 {
                spending.left.insert("wallet".to_owned(), wallet - moved);
                let first = (0, (*document).to_owned());
                spending.moved.entry((*target).to_owned()).or_insert(first).0 += moved;
            }
        }
        Ok(spending)
    }

    /// How much must be moved to a product that a use would leave with `after`.
    fn moves(
        &self,
        target: &str,
        after: Micros,
        (wallet, already): (Micros, Micros),
        now: u64,
    ) -> Micros {
        let Some(image) = self.thresholds.get(target) else { return 0 };
        let wanted = &image.wanted;
        if wanted.top_up_below.is_none_or(|below| after >= below) {
            return 0;
        }
        let cap = wanted
            .monthly_cap
            .map_or(wallet, |cap| (cap - image.moved_in_month_of(now) - already).max(0));
        let allowed = wallet.min(cap);
        match (wanted.top_up_amount, wanted.top_up_to) {
            (Some(each), _) => {
                let mut needed = each;
                while after + needed < 0 {
                    needed += each;
                }
                if needed <= allowed { needed } else { 0 }
            }
            (None, Some(to)) => {
                let missing = to - after;
                let coins = missing / CENT * CENT + if missing % CENT > 0 { CENT } else { 0 };
                coins.min(allowed / CENT * CENT)
            }
            (None, None) => 0,
        }
    }
}

impl Account {
    /// As it is now, between two entries of a commit too.
    fn moment(&self) -> Moment {
        Moment {
            balances: self.balances().clone(),
            holds: self.holds.clone(),
            thresholds: self.thresholds.clone(),
            entries: 0,
        }
    }

    /// A balance that is above its threshold may be told again.
    pub(super) fn is_above_again(&mut self) {
        let balances = self.balances().clone();
        for (target, image) in &mut self.thresholds {
            let there = balances.get(target).copied().unwrap_or_default();
            if image.wanted.alert_below.is_some_and(|below| there > below) {
                image.given = false;
            }
        }
    }

    /// Holds whose time is over are available, and nothing says when thresholds were set: a balance that is above its
    /// threshold with what its holds keep may have been.
    fn may_have_seen_holds_over(&mut self, written: &AccountImage) {
        let balances = self.balances().clone();
        for (target, image) in &mut self.thresholds {
            let told = written.thresholds.get(target).is_some_and(|image| image.given);
            let kept = self.holds.values().filter(|hold| hold.target == *target);
            let there = balances.get(target).copied().unwrap_or_default();
            let with_holds = kept.fold(there, |sum, hold| sum + hold.left);
            if !told && image.given && image.wanted.alert_below.is_some_and(|low| with_holds > low)
            {
                image.given = false;
                self.low.retain(|(low, ..)| low != target);
            }
        }
    }

    /// A balance that has fallen below its threshold is told, once, and again after it was above it.
    pub(super) fn tell_low_balances(&mut self) {
        let balances = self.balances().clone();
        for (target, image) in &mut self.thresholds {
            let Some(below) = image.wanted.alert_below else { continue };
            let available = balances.get(target).copied().unwrap_or_default();
            if available > below {
                image.given = false;
            } else if available < below && !image.given {
                image.given = true;
                self.low.push((target.clone(), below, available));
            }
        }
    }
}

impl Model {
    /// What charges and holds need first is moved from the wallet, in the same commit and not more.
    pub(super) fn top_up(&mut self, step: &Step, entry: &EntryImage) -> Result<(), String> {
        let uses: Vec<Spent<'_>> = match (entry.kind.as_str(), &step.hold) {
            ("charge", _) => {
                let charges = entry.document.split(' ').filter_map(|id| {
                    let charge = step.charges.iter().find(|charge| charge.id == id)?;
                    Some((charge.made.target.as_str(), charge.made.amount, id))
                });
                charges.collect()
            }
            ("hold_placed", Some(hold)) => {
                vec![(&hold.placed.target, hold.placed.amount, hold.id.as_str())]
            }
            _ => Vec::new(),
        };
        let now = step.used_at().unwrap_or(entry.at);
        let account = self.accounts.get_mut(&entry.account).ok_or("an account nobody made")?;
        let spending = account.moment().spend(&uses, now);
        let spending = spending.map_err(|there| format!("{uses:?} were paid out of {there}"))?;
        if spending.moved.len() != step.top_ups.len() {
            return Err(format!("{:?} are moved for {uses:?}", step.top_ups));
        }
        for ((target, (amount, document)), (order, moved)) in
            spending.moved.iter().zip(&step.top_ups)
        {
            is_top_up(order, &entry.account, target, *amount, document)?;
            let lines = vec![("wallet".to_owned(), -*amount), (target.clone(), *amount)];
            super::usage::moves(moved, lines)?;
            if moved.document != order.id || moved.account != entry.account {
                return Err(format!("{moved:?} is not of {}", order.id));
            }
            account.precede(moved)?;
            if let Some(image) = account.thresholds.get_mut(target) {
                let before = image.moved_in_month_of(now);
                image.moved = (before + amount, image.moved.1.max(Some(now)));
            }
            let history = vec![order.clone()];
            if self.orders.insert(order.id.clone(), Order { history }).is_some() {
                return Err(format!("{} was moved twice", order.id));
            }
        }
        Ok(())
    }

    /// The customer set what is to happen when a balance runs low: no money may have moved.
    pub(super) fn set_thresholds(&mut self, written: &AccountImage) -> Result<(), String> {
        let account = self.accounts.get_mut(&written.id).ok_or("an account nobody made")?;
        let none = ThresholdImage::default();
        let of = |all: &BTreeMap<String, ThresholdImage>, target: &str| all.get(target).cloned();
        let mut targets = account.thresholds.keys().chain(written.thresholds.keys());
        let wanted = |image: Option<ThresholdImage>| image.unwrap_or_default().wanted;
        let changed = targets.find(|target| {
            wanted(of(&account.thresholds, target)) != wanted(of(&written.thresholds, target))
        });
        let target = changed.ok_or("an account was written without an entry")?.clone();
        let wanted = wanted(of(&written.thresholds, &target));
        let said = (written.id.clone(), target.clone(), wanted.clone());
        if !self.usage.wanted_thresholds.contains(&said) {
            return Err(format!("nobody set {said:?}"));
        }
        let known = account.thresholds.remove(&target).unwrap_or_else(|| none.clone());
        if wanted != none.wanted || known.moved != none.moved {
            let given = known.given && known.wanted.alert_below == wanted.alert_below;
            let moved = known.moved;
            account.thresholds.insert(target, ThresholdImage { wanted, given, moved });
        }
        if written.version != account.version + 1 {
            return Err(format!("{} went to version {}", written.id, written.version));
        }
        account.tell_low_balances();
        account.may_have_seen_holds_over(written);
        account.write(written.version);
        matches_journal(account, written)
    }
}

/// An order by which a product is topped up by itself: what was needed first, and nothing else.
fn is_top_up(
    order: &OrderImage,
    account: &str,
    target: &str,
    amount: Micros,
    document: &str,
) -> Result<(), String> {
    let settled = SettledImage {
        payment: None,
        received: amount,
        received_currency: "USD".to_owned(),
        credited: amount,
        debt_paid: 0,
    };
    let fits = order.id == derived("ord_", &[account, "automatic", document])
        && (order.account.as_str(), order.target.as_str()) == (account, target)
        && (order.method.as_str(), order.version) == ("balance", 1)
        && (order.amount, order.payable) == (amount, amount)
        && order.statuses == ["completed"]
        && order.settled.as_ref() == Some(&settled);
    match fits {
        true => Ok(()),
        false => Err(format!("{amount} was to be moved to {target} for {document}: {order:?}")),
    }
}
