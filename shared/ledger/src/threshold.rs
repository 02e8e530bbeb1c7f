//! Thresholds of a balance: below one the platform is told, below another a product is topped up from
//! the wallet.
//!
//! The account carries them, so that they are decided on in the commit that crosses them.

use crate::{Account, Actor, Amount, Balance, Decision, Money, Target, Timestamp};

/// What is to happen when a balance runs low.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thresholds {
    /// The platform is told.
    pub alert: Option<Alert>,
    /// The balance is topped up from the wallet: a product's only.
    pub automatic: Option<AutomaticTopUp>,
    /// What was moved by that, also if it is off now.
    pub moved: Option<Moved>,
    /// Who set them last.
    pub set_by: Actor,
    /// When.
    pub set_at: Timestamp,
}

/// A balance whose running low is told once: when it falls below the threshold, and not again until
/// it was above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The threshold, in the account's currency.
    pub below: Amount,
    /// Whether it was told, and the balance was not above the threshold since.
    pub given: bool,
}

/// How a product is topped up from the wallet by itself. It never takes money from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutomaticTopUp {
    /// The threshold, in the account's currency: below it, money is moved.
    pub below: Amount,
    /// How much is moved.
    pub size: TopUpSize,
    /// The most that is moved in a calendar month (UTC); no limit without it.
    pub monthly_cap: Option<Amount>,
}

/// What automatic top-ups of a product have moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// How much in the calendar month (UTC) of the last time.
    pub sum: Balance,
    /// The last time.
    pub at: Timestamp,
}

/// How much is moved when a product is topped up by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopUpSize {
    /// This much each time; several times this much if a use needs it; nothing if the wallet or the
    /// monthly cap has too little for it.
    Fixed(Amount),
    /// What is missing to this balance, or what wallet and monthly cap still allow of it.
    UpTo(Amount),
}

/// A balance that has run low.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LowBalance {
    /// Which.
    pub target: Target,
    /// Its threshold.
    pub below: Money,
    /// What is available of it.
    pub available: Balance,
    /// When it was decided.
    pub at: Timestamp,
}

/// What somebody wants to happen when a balance runs low.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WantedThresholds {
    /// Below which balance the platform is told; never without it.
    pub alert_below: Option<Amount>,
    /// Below which balance how much is moved from the wallet; never without it.
    pub automatic: Option<AutomaticTopUp>,
}

impl Thresholds {
    /// What they were set to.
    #[must_use]
    pub fn wanted(&self) -> WantedThresholds {
        WantedThresholds {
            alert_below: self.alert.as_ref().map(|alert| alert.below),
            automatic: self.automatic.clone(),
        }
    }
}

impl Account {
    /// How a balance is topped up by itself.
    #[must_use]
    pub fn automatic_top_up(&self, target: &Target) -> Option<&AutomaticTopUp> {
        self.thresholds.get(target)?.automatic.as_ref()
    }

    /// What automatic top-ups have moved to a balance in the month of this moment. A clock that is behind
    /// does not open an earlier month again.
    #[must_use]
    pub fn moved_this_month(&self, target: &Target, now: Timestamp) -> Balance {
        let moved = self.thresholds.get(target).and_then(|thresholds| thresholds.moved);
        let counts = |moved: &Moved| moved.at.max(now).is_in_month_of(moved.at);
        moved.filter(counts).map(|moved| moved.sum).unwrap_or_default()
    }

    /// Takes it that only those alerts were given that were given there.
    pub(crate) fn alerts_as_in(&mut self, other: &Self) {
        for (target, thresholds) in &mut self.thresholds {
            let theirs = other.thresholds.get(target).and_then(|theirs| theirs.alert.as_ref());
            if let (Some(alert), Some(theirs)) = (&mut thresholds.alert, theirs) {
                alert.given = theirs.given;
            }
        }
    }

    /// Tells each balance that is below its threshold, once, and is ready to tell again those that are
    /// above it, or were before the decision, with the money of holds that have expired since. Comes after
    /// the entries of a decision: what a balance was between two of them, nobody has seen.
    pub(crate) fn tell_low_balances(&mut self, before: &Self, now: Timestamp) -> Vec<LowBalance> {
        let mut thresholds = std::mem::take(&mut self.thresholds);
        let mut told = Vec::new();
        for (target, thresholds) in &mut thresholds {
            let Some(alert) = &mut thresholds.alert else { continue };
            let available = self.available(target, now);
            let was_given = alert.given && before.available(target, now) <= alert.below.into();
            alert.given = was_given && available <= alert.below.into();
            if available < alert.below.into() && !was_given {
                alert.given = true;
                let below = Money { amount: alert.below, currency: self.currency };
                told.push(LowBalance { target: target.clone(), below, available, at: now });
            }
        }
        self.thresholds = thresholds;
        told
    }
}

/// Decides what is to happen when a balance runs low, in place of what was to happen before. A balance
/// that is below its new threshold already is told at once. `None` if it is so already.
#[must_use]
pub fn set_thresholds(
    account: &Account,
    target: &Target,
    wanted: &WantedThresholds,
    by: &Actor,
    now: Timestamp,
) -> Option<Decision> {
    let seen = account.thresholds.get(target);
    if seen.map(Thresholds::wanted).unwrap_or_default() == *wanted {
        return None;
    }
    let mut next = account.clone();
    next.thresholds.remove(target);
    let moved = seen.and_then(|seen| seen.moved);
    if *wanted != WantedThresholds::default() || moved.is_some() {
        let set = Thresholds {
            alert: wanted.alert_below.map(|below| Alert { below, given: was_given(seen, below) }),
            automatic: wanted.automatic.clone(),
            moved,
            set_by: by.clone(),
            set_at: now,
        };
        next.thresholds.insert(target.clone(), set);
    }
    Some(next.decided(account, Vec::new(), now))
}

/// Whether an alert of this threshold was given: one whose threshold stays is not given again.
fn was_given(seen: Option<&Thresholds>, below: Amount) -> bool {
    let alert = seen.and_then(|seen| seen.alert.as_ref());
    alert.is_some_and(|alert| alert.given && alert.below == below)
}
