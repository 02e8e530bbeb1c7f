//! What is to happen when a balance runs low, as the customer sets it.

use ledger::{
    Account, AccountId, Actor, AutomaticTopUp, Currency, Method, Money, Target, Timestamp,
    TopUpSize, WantedThresholds, set_thresholds,
};

use crate::catalogue::{Catalogue, CatalogueCache};
use crate::error::{Error, Invalid, Unavailable};
use crate::record::WrittenAmount;
use crate::table::{
    Commit, Committed, MAX_COMMIT_TRIES, Stale, Table, must_exist, pause_before_retry,
};

/// Everything that setting thresholds touches.
#[derive(Debug)]
pub struct SetThresholds {
    /// Where accounts are.
    pub table: Table,
    /// Which products there are.
    pub catalogue: CatalogueCache,
}

/// Thresholds of a balance as a client wrote them; what is missing is off.
#[derive(Debug, Clone, Copy, Default)]
pub struct WrittenThresholds {
    /// Below it the platform is told.
    pub alert_below: Option<WrittenAmount>,
    /// Below it the product is topped up from the wallet.
    pub top_up_below: Option<WrittenAmount>,
    /// With so much each time.
    pub top_up_amount: Option<WrittenAmount>,
    /// Or up to so much.
    pub top_up_to: Option<WrittenAmount>,
    /// And with no more than this in a calendar month.
    pub monthly_cap: Option<WrittenAmount>,
}

impl SetThresholds {
    /// Sets the thresholds of a balance in place of those that it had. Doing it again changes nothing.
    /// Returns the account after it.
    ///
    /// # Errors
    /// `unknown_product`; what [`WrittenThresholds`] cannot mean; [`Error::Unavailable`].
    pub async fn set(
        &self,
        account_id: &AccountId,
        target: &Target,
        written: &WrittenThresholds,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Account, Error> {
        let catalogue = self.catalogue.get(&self.table, now).await?;
        let mut account = self.table.account(account_id).await?;
        for tries in 0..MAX_COMMIT_TRIES {
            let current = must_exist(account, account_id)?;
            let wanted = written.wanted(target, current.currency)?;
            let known = catalogue.must_know(target);
            let Some(decision) = set_thresholds(&current, target, &wanted, by, now) else {
                return Ok(current);
            };
            // They can be turned off for what is not for sale any more.
            if wanted != WantedThresholds::default() {
                known?;
            }
            let before = current.thresholds.get(target).and_then(|known| known.automatic.as_ref());
            // What was set before stands, whatever the catalogue says by now.
            if let Some(automatic) = &wanted.automatic
                && before.map(|before| before.size) != Some(automatic.size)
            {
                admit(target, automatic.size, current.currency, &catalogue)?;
            }
            match self.table.commit(Commit::default().decision(&decision)).await? {
                Committed::Yes => return Ok(decision.account),
                // The refusal carries the account as it is now: one more try without a read.
                Committed::No(Stale::Account(now)) if tries == 0 => account = Some(*now),
                Committed::No(_) => {
                    pause_before_retry(tries).await;
                    account = self.table.account(account_id).await?;
                }
            }
        }
        Err(Unavailable::Busy.into())
    }
}

impl WrittenThresholds {
    /// What they mean for a balance in this currency.
    fn wanted(&self, target: &Target, currency: Currency) -> Result<WantedThresholds, Error> {
        let money = |name: &str, written: Option<WrittenAmount>| {
            written.map(|written| written.in_currency(name, currency)).transpose()
        };
        let alert_below = money("alert_below", self.alert_below)?.map(|below| below.amount);
        let below = money("top_up_below", self.top_up_below)?;
        let fixed = money("top_up_amount", self.top_up_amount)?;
        let up_to = money("top_up_to", self.top_up_to)?;
        let cap = money("monthly_cap", self.monthly_cap)?;
        let Some(below) = below else {
            let others = [("top_up_amount", fixed), ("top_up_to", up_to), ("monthly_cap", cap)];
            let detail = "means nothing without top_up_below";
            return match others.into_iter().find(|(_, money)| money.is_some()) {
                Some((name, _)) => Err(Invalid::field("invalid_field", name, detail).into()),
                None => Ok(WantedThresholds { alert_below, automatic: None }),
            };
        };
        if *target == Target::Wallet {
            let detail = "the wallet cannot be topped up by itself: only a product can, from it";
            return Err(Invalid::field("invalid_field", "top_up_below", detail).into());
        }
        let size = size(below, (fixed, up_to))?;
        if let (TopUpSize::Fixed(amount), Some(cap)) = (size, cap)
            && cap.amount < amount
        {
            let detail = "is less than top_up_amount: nothing would ever be moved";
            return Err(Invalid::field("invalid_field", "monthly_cap", detail).into());
        }
        let monthly_cap = cap.map(|cap| cap.amount);
        let automatic = Some(AutomaticTopUp { below: below.amount, size, monthly_cap });
        Ok(WantedThresholds { alert_below, automatic })
    }
}

/// Refuses what the catalogue does not let move: the amount, or any.
fn admit(
    target: &Target,
    size: TopUpSize,
    currency: Currency,
    catalogue: &Catalogue,
) -> Result<(), Error> {
    let limits = catalogue.limits(target, Method::Balance, currency)?;
    let TopUpSize::Fixed(amount) = size else { return Ok(()) };
    let admitted = limits.admit(Money { amount, currency });
    admitted
        .map_err(|refused| Invalid { field: Some("top_up_amount".to_owned()), ..refused }.into())
}

/// How much is moved: an amount, or what is missing to a balance.
fn size(below: Money, written: (Option<Money>, Option<Money>)) -> Result<TopUpSize, Error> {
    let wrong = |code, name, detail: &str| Error::from(Invalid::field(code, name, detail));
    match written {
        (Some(amount), None) => Ok(TopUpSize::Fixed(amount.amount)),
        (None, Some(up_to)) if up_to.amount > below.amount => Ok(TopUpSize::UpTo(up_to.amount)),
        (None, Some(_)) => Err(wrong("invalid_field", "top_up_to", "must be above top_up_below")),
        (Some(_), Some(_)) => {
            let detail = "cannot be there together with top_up_amount: send one of the two";
            Err(wrong("invalid_field", "top_up_to", detail))
        }
        (None, None) => {
            let detail = "is required, or top_up_to: how much is to be moved";
            Err(wrong("missing_field", "top_up_amount", detail))
        }
    }
}
