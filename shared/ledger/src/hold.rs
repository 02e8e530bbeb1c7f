//! Holds: money of a product that is set aside for what is going to be used.
//!
//! The account carries what its open holds still keep and until when, so that every rule sees it: a
//! hold whose time is over keeps nothing, whether or not an entry has released its money yet. What was
//! asked for, and how the hold ended, is in the hold's own document.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rust_decimal::Decimal;

use crate::spending::Spending;
use crate::{
    Account, AccountId, Actor, Amount, Balance, Charge, ChargeId, Decision, Entry, EntryKind,
    External, FromHold, HoldId, Money, Movement, Place, ProductCode, Refusal, Target, Timestamp,
};

/// The most holds of an account that are open at a time.
pub const MAX_HOLDS: usize = 100;
/// The shortest time that money can be set aside for.
pub const MIN_HOLD_TIME: Duration = Duration::from_secs(60);
/// The longest time that money can be set aside for: 31 days.
pub const MAX_HOLD_TIME: Duration = Duration::from_secs(31 * 86_400);

/// What a hold still keeps, as its account carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenHold {
    /// The product whose money it is.
    pub product: ProductCode,
    /// How much, in the account's currency.
    pub left: Amount,
    /// From then on it keeps nothing.
    pub expires_at: Timestamp,
}

/// Where a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldStatus {
    /// It keeps money.
    Open,
    /// It was captured for the last time.
    Captured,
    /// It was released.
    Released,
    /// Its time is over.
    Expired,
}

/// What is to be set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedHold {
    /// Derived from the idempotency key.
    pub id: HoldId,
    /// Whose money.
    pub product: ProductCode,
    /// How much, in the account's currency.
    pub amount: Amount,
    /// For how long: [`MIN_HOLD_TIME`] to [`MAX_HOLD_TIME`].
    pub time: Duration,
    /// Who asks.
    pub by: Actor,
}

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Derived from account and idempotency key.
    pub id: HoldId,
    /// Whose.
    pub account: AccountId,
    /// Whose money was set aside.
    pub product: ProductCode,
    /// How much of what was set aside.
    pub money: Money,
    /// What was captured of it so far.
    pub captured: Balance,
    /// Where it stands. One that is still open here is expired once its account does not carry it any
    /// more: see [`Hold::as_of`].
    pub status: HoldStatus,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it ended, if it did not end by itself.
    pub closed_at: Option<Timestamp>,
    /// Who placed it.
    pub by: Actor,
}

/// What is to be captured of a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// The charge that it becomes.
    pub id: ChargeId,
    /// How much, in the account's currency.
    pub amount: Amount,
    /// Whether it is the last one: what the hold keeps after it is released.
    pub last: bool,
    /// Who asks.
    pub by: Actor,
}

impl HoldStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Captured, Self::Released, Self::Expired];

    /// The name that is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Captured => "captured",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl OpenHold {
    fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }

    fn place(&self) -> Place {
        Place::Held(Target::Product(self.product.clone()))
    }
}

impl Hold {
    /// This hold as it stands now: expired, if its time is over and nobody has written that down.
    #[must_use]
    pub fn as_of(&self, account: &Account, now: Timestamp) -> Self {
        let over = self.status == HoldStatus::Open && account.open_hold(&self.id, now).is_none();
        let status = if over { HoldStatus::Expired } else { self.status };
        Self { status, ..self.clone() }
    }

    /// What it keeps as long as it is open.
    #[must_use]
    pub fn left(&self) -> Balance {
        let left = self.money.amount.decimal().saturating_sub(self.captured.decimal());
        match self.status {
            HoldStatus::Open => Balance::new(left).unwrap_or_default(),
            HoldStatus::Captured | HoldStatus::Released | HoldStatus::Expired => Balance::ZERO,
        }
    }
}

impl Account {
    /// What can be used of a balance: with the money of holds whose time is over.
    #[must_use]
    pub fn available(&self, target: &Target, now: Timestamp) -> Balance {
        let there = self.balance(&Place::Available(target.clone())).decimal();
        Balance::new(there.saturating_add(self.overdue(target, now))).unwrap_or_default()
    }

    /// What is set aside of a balance: without the money of holds whose time is over.
    #[must_use]
    pub fn held(&self, target: &Target, now: Timestamp) -> Balance {
        let there = self.balance(&Place::Held(target.clone())).decimal();
        Balance::new(there.saturating_sub(self.overdue(target, now))).unwrap_or_default()
    }

    /// A hold that keeps money now.
    #[must_use]
    pub fn open_hold(&self, id: &HoldId, now: Timestamp) -> Option<&OpenHold> {
        self.holds.get(id).filter(|hold| !hold.is_over(now))
    }

    /// The money of holds whose time is over, until an entry releases it.
    fn overdue(&self, target: &Target, now: Timestamp) -> Decimal {
        let over = self.holds.values().filter(|hold| hold.is_over(now));
        let of_target = over.filter(|hold| target.product() == Some(&hold.product));
        of_target.fold(Decimal::ZERO, |sum, hold| sum.saturating_add(hold.left.decimal()))
    }

    /// Releases every hold whose time is over, in one entry.
    pub(crate) fn release_expired_holds(
        &mut self,
        now: Timestamp,
    ) -> Result<Option<Entry>, Refusal> {
        let holds = std::mem::take(&mut self.holds);
        let (over, open): (BTreeMap<_, _>, _) =
            holds.into_iter().partition(|(_, hold)| hold.is_over(now));
        self.holds = open;
        if over.is_empty() {
            return Ok(None);
        }
        let mut over: Vec<(HoldId, OpenHold)> = over.into_iter().collect();
        over.sort_by_key(|(id, hold)| (hold.expires_at, id.clone()));
        let movements: Vec<_> = over.iter().map(|(_, hold)| self.freed(hold)).collect();
        let ids: Vec<_> = over.iter().map(|(id, _)| id.as_str()).collect();
        self.append(EntryKind::HoldExpired, &ids.join(" "), &movements, now).map(Some)
    }

    /// The money of a hold, back where it came from.
    fn freed(&self, hold: &OpenHold) -> Movement {
        let to = Place::Available(Target::Product(hold.product.clone()));
        let money = Money { amount: hold.left, currency: self.currency };
        Movement { from: hold.place(), to, money }
    }

    /// What the holds that it carries keep, by place, also those whose time is over.
    #[must_use]
    pub fn kept_by_holds(&self) -> BTreeMap<Place, Decimal> {
        let mut kept: BTreeMap<Place, Decimal> = BTreeMap::new();
        for hold in self.holds.values() {
            let sum = kept.entry(hold.place()).or_default();
            *sum = sum.saturating_add(hold.left.decimal());
        }
        kept
    }
}

/// Decides to set money of a product aside, with what its automatic top-up moves from the wallet for
/// it, unless the product is one of those that are closed to top-ups.
///
/// # Errors
/// [`Refusal::AccountFrozen`]; [`Refusal::InsufficientBalance`] of the product;
/// [`Refusal::TooManyHolds`].
pub fn place_hold(
    account: &Account,
    wanted: &WantedHold,
    closed: &BTreeSet<ProductCode>,
    now: Timestamp,
) -> Result<(Hold, Decision), Refusal> {
    account.must_be_active()?;
    if account.holds.values().filter(|hold| !hold.is_over(now)).count() >= MAX_HOLDS {
        return Err(Refusal::TooManyHolds { most: MAX_HOLDS });
    }
    let mut spending = Spending::of(account, closed, now);
    let money = spending.admit(&wanted.product, wanted.amount, wanted.id.as_str())?;
    let begun = spending.top_ups()?;
    let before = begun.as_ref().map_or(account, |begun| &begun.account);
    let product = wanted.product.clone();
    let expires_at = now.plus(wanted.time);
    let open = OpenHold { product: product.clone(), left: wanted.amount, expires_at };
    let from = Place::Available(Target::Product(product.clone()));
    let movement = Movement { from, to: open.place(), money };
    let mut decision = before.post(EntryKind::HoldPlaced, wanted.id.as_str(), &[movement], now)?;
    decision.account.holds.insert(wanted.id.clone(), open);
    let decision = match begun {
        Some(begun) => begun.and(decision, account, now),
        None => decision,
    };
    let hold = Hold {
        id: wanted.id.clone(),
        account: account.id.clone(),
        product,
        money,
        captured: Balance::ZERO,
        status: HoldStatus::Open,
        created_at: now,
        expires_at,
        closed_at: None,
        by: wanted.by.clone(),
    };
    Ok((hold, decision))
}

/// Decides to take what was used out of a hold. A hold can be captured in parts, until the last one
/// or until nothing is left. The account may be frozen: its money was set aside before.
///
/// # Errors
/// [`Refusal::HoldClosed`]; [`Refusal::CaptureTooLarge`].
pub fn capture_hold(
    account: &Account,
    hold: &Hold,
    wanted: &Capture,
    now: Timestamp,
) -> Result<(Hold, Charge, Decision), Refusal> {
    let open = still_open(account, hold, now)?;
    let in_currency = |amount| Money { amount, currency: account.currency };
    let money = in_currency(wanted.amount);
    let too_large = || Refusal::CaptureTooLarge { left: in_currency(open.left), wanted: money };
    if wanted.amount > open.left {
        return Err(too_large());
    }
    let rest = Amount::new(open.left.decimal().saturating_sub(wanted.amount.decimal())).ok();
    let used = Movement { from: open.place(), to: Place::External(External::Usage), money };
    let kept = rest.filter(|_| !wanted.last).map(|left| OpenHold { left, ..open.clone() });
    let freed = rest.filter(|_| wanted.last);
    let freed = freed.map(|left| account.freed(&OpenHold { left, ..open.clone() }));
    let movements: Vec<_> = [used].into_iter().chain(freed).collect();
    let mut decision =
        account.post(EntryKind::HoldCaptured, wanted.id.as_str(), &movements, now)?;
    let is_over = kept.is_none();
    match kept {
        Some(kept) => decision.account.holds.insert(hold.id.clone(), kept),
        None => decision.account.holds.remove(&hold.id),
    };
    let captured = hold.captured.decimal().saturating_add(wanted.amount.decimal());
    let charge = Charge {
        id: wanted.id.clone(),
        account: account.id.clone(),
        product: hold.product.clone(),
        money,
        from_hold: Some(FromHold { id: hold.id.clone(), last: wanted.last }),
        entry: decision.account.entries,
        by: wanted.by.clone(),
        at: now,
    };
    let hold = Hold {
        captured: Balance::new(captured).map_err(|_| too_large())?,
        status: if is_over { HoldStatus::Captured } else { HoldStatus::Open },
        closed_at: is_over.then_some(now),
        ..hold.clone()
    };
    Ok((hold, charge, decision))
}

/// Decides to give up a hold: what it keeps is free again. `None` if its money is free already.
///
/// # Errors
/// [`Refusal::HoldClosed`] if it was captured for the last time.
pub fn release_hold(
    account: &Account,
    hold: &Hold,
    now: Timestamp,
) -> Result<Option<(Hold, Decision)>, Refusal> {
    let open = match still_open(account, hold, now) {
        Ok(open) => open,
        Err(Refusal::HoldClosed { status: HoldStatus::Released | HoldStatus::Expired }) => {
            return Ok(None);
        }
        Err(refused) => return Err(refused),
    };
    let freed = account.freed(open);
    let mut decision = account.post(EntryKind::HoldReleased, hold.id.as_str(), &[freed], now)?;
    decision.account.holds.remove(&hold.id);
    let hold = Hold { status: HoldStatus::Released, closed_at: Some(now), ..hold.clone() };
    Ok(Some((hold, decision)))
}

/// Writes down that the time of a hold is over: the hold, and the release of all expired holds of its
/// account unless another entry has released them before. `None` if it has ended, or its time is not
/// over.
///
/// # Errors
/// [`Refusal::InsufficientBalance`] if less is set aside than the holds keep: a broken invariant.
pub fn expire_hold(
    account: &Account,
    hold: &Hold,
    now: Timestamp,
) -> Result<Option<(Hold, Option<Decision>)>, Refusal> {
    if hold.status != HoldStatus::Open || now < hold.expires_at {
        return Ok(None);
    }
    let mut next = account.clone();
    let entry = next.release_expired_holds(now)?;
    let decision = entry.map(|entry| next.decided(account, vec![entry], now));
    Ok(Some((Hold { status: HoldStatus::Expired, ..hold.clone() }, decision)))
}

fn still_open<'account>(
    account: &'account Account,
    hold: &Hold,
    now: Timestamp,
) -> Result<&'account OpenHold, Refusal> {
    let status = hold.as_of(account, now).status;
    let open = account.open_hold(&hold.id, now).filter(|_| status == HoldStatus::Open);
    open.ok_or(Refusal::HoldClosed { status })
}
