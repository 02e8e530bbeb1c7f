//! Whether a product can pay for a use, with what its automatic top-up would move from the wallet.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use rust_decimal::prelude::RoundingStrategy;

use crate::transfer::{Transfer, transfer};
use crate::{
    Account, Actor, Amount, AutomaticTopUp, Balance, Decision, HeldBack, MAX_AMOUNT, MAX_BALANCE,
    Money, Moved, OrderId, Place, ProductCode, Refusal, Target, Timestamp, TopUpSize,
};

/// What an automatic top-up moves to a product for a use.
struct TopUp {
    /// Up to a balance, as much as wallet and cap allow; nothing, if that is less than the fixed amount.
    moved: Decimal,
    /// What keeps it from moving more.
    bound: HeldBack,
}

/// Uses of an account's products that are decided together, in order.
#[derive(Debug)]
pub(crate) struct Spending<'account> {
    account: &'account Account,
    now: Timestamp,
    /// The products that cannot be topped up now.
    closed: &'account BTreeSet<ProductCode>,
    /// What is left of the balances that were asked.
    left: BTreeMap<Target, Decimal>,
    /// What is moved from the wallet, and the use that it is moved for first.
    top_ups: BTreeMap<ProductCode, (Decimal, String)>,
}

impl<'account> Spending<'account> {
    pub(crate) const fn of(
        account: &'account Account,
        closed: &'account BTreeSet<ProductCode>,
        now: Timestamp,
    ) -> Self {
        Self { account, now, closed, left: BTreeMap::new(), top_ups: BTreeMap::new() }
    }

    /// Admits a use if its product can pay for it, by itself or with an automatic top-up. One that is
    /// refused moves nothing.
    ///
    /// # Errors
    /// [`Refusal::AccountFrozen`]; [`Refusal::InsufficientBalance`] of the product.
    pub(crate) fn admit(
        &mut self,
        product: &ProductCode,
        amount: Amount,
        document_id: &str,
    ) -> Result<Money, Refusal> {
        self.account.must_be_active()?;
        let required = Money { amount, currency: self.account.currency };
        let target = Target::Product(product.clone());
        let left = self.left(&target);
        let after = left.saturating_sub(amount.decimal());
        let top_up = self.top_up(&target, after);
        let moved = top_up.as_ref().map_or(Decimal::ZERO, |top_up| top_up.moved);
        let after = after.saturating_add(moved);
        if after < Decimal::ZERO {
            let available = Balance::new(left).unwrap_or_default();
            let place = Place::Available(target);
            let held_back = top_up.map(|top_up| top_up.bound);
            return Err(Refusal::InsufficientBalance { place, available, required, held_back });
        }
        self.left.insert(target, after);
        if !moved.is_zero() {
            let wallet = self.left(&Target::Wallet);
            self.left.insert(Target::Wallet, wallet.saturating_sub(moved));
            let first = || (Decimal::ZERO, document_id.to_owned());
            let (sum, _) = self.top_ups.entry(product.clone()).or_insert_with(first);
            *sum = sum.saturating_add(moved);
        }
        Ok(required)
    }

    /// The transfers from the wallet that the admitted uses need, one a product, and the account after
    /// them. `None` if they need none.
    ///
    /// # Errors
    /// Those of [`transfer`]: what was admitted has room.
    pub(crate) fn top_ups(self) -> Result<Option<Decision>, Refusal> {
        let mut begun: Option<Decision> = None;
        for (product, (sum, document_id)) in self.top_ups {
            let account = begun.as_ref().map_or(self.account, |begun| &begun.account);
            let target = Target::Product(product.clone());
            let too_large =
                |_| Refusal::BalanceTooLarge { place: Place::Available(target.clone()) };
            let command = Transfer {
                order_id: OrderId::of_automatic_top_up(&account.id, &document_id),
                product,
                amount: Amount::new(sum).map_err(too_large)?,
                by: Actor::automatic(),
            };
            let (order, mut decision) = transfer(account, &command, self.now)?;
            let before = account.moved_this_month(&target, self.now).decimal();
            let sum = Balance::new(before.saturating_add(sum)).map_err(too_large)?;
            if let Some(thresholds) = decision.account.thresholds.get_mut(&target) {
                let last = thresholds.moved.map_or(self.now, |moved| moved.at.max(self.now));
                thresholds.moved = Some(Moved { sum, at: last });
            }
            decision.top_ups.push(order);
            begun = Some(match begun {
                Some(begun) => begun.and(decision, self.account, self.now),
                None => decision,
            });
        }
        Ok(begun)
    }

    /// What is left of a balance.
    fn left(&self, target: &Target) -> Decimal {
        let left = self.left.get(target).copied();
        left.unwrap_or_else(|| self.account.available(target, self.now).decimal())
    }

    /// What is moved to a product that a use would leave with so much, below zero if it has too
    /// little for it. `None` if its automatic top-up is off or not due.
    fn top_up(&self, target: &Target, after: Decimal) -> Option<TopUp> {
        let product = target.product()?;
        let automatic = self.account.automatic_top_up(target)?;
        if after >= automatic.below.decimal() {
            return None;
        }
        if self.closed.contains(product) {
            return Some(TopUp { moved: Decimal::ZERO, bound: HeldBack::Product });
        }
        let before = self.top_ups.get(product).map_or(Decimal::ZERO, |(sum, _)| *sum);
        let (wallet, cap) =
            (self.left(&Target::Wallet), self.left_of_cap(target, automatic, before));
        let bound = if cap < wallet { HeldBack::MonthlyCap } else { HeldBack::Wallet };
        let allowed = wallet.min(cap);
        let moved = match automatic.size {
            TopUpSize::Fixed(amount) => {
                let lacking = (-after).max(Decimal::ZERO);
                let times = lacking.checked_div(amount.decimal())?.ceil().max(Decimal::ONE);
                let wanted = times.checked_mul(amount.decimal())?;
                if wanted <= allowed { wanted } else { Decimal::ZERO }
            }
            // Orders are in whole coins of the currency; balances have fractions of them.
            TopUpSize::UpTo(balance) => {
                let wanted = self.in_coins(
                    balance.decimal().saturating_sub(after),
                    RoundingStrategy::AwayFromZero,
                );
                wanted.min(self.in_coins(allowed, RoundingStrategy::ToZero))
            }
        };
        let aside = self.account.balance(&Place::Held(target.clone())).decimal();
        let fits = before.saturating_add(moved) <= MAX_AMOUNT
            && after.saturating_add(aside).saturating_add(moved) <= MAX_BALANCE;
        Some(match fits {
            true => TopUp { moved, bound },
            false => TopUp { moved: Decimal::ZERO, bound: HeldBack::Limit },
        })
    }

    /// What can still be moved this month, when so much more is moved already.
    fn left_of_cap(&self, target: &Target, automatic: &AutomaticTopUp, moved: Decimal) -> Decimal {
        let before = self.account.moved_this_month(target, self.now).decimal();
        let cap = automatic.monthly_cap.map_or(MAX_BALANCE, Amount::decimal);
        cap.saturating_sub(before).saturating_sub(moved).max(Decimal::ZERO)
    }

    fn in_coins(&self, value: Decimal, strategy: RoundingStrategy) -> Decimal {
        value.round_dp_with_strategy(self.account.currency.decimals(), strategy)
    }
}
