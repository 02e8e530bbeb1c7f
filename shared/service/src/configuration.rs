//! What the operator configures: products, the wallet, rates and bank accounts.
//!
//! All of it is one catalogue. A change replaces one part, is checked as a whole, and is on record
//! with its author and time; orders that were made before keep what they showed.

use ledger::{Actor, Currency, Rate, Timestamp};

use crate::bank_account::BankAccount;
use crate::catalogue::{Catalogue, CatalogueVersion, Methods, Product, parse_pair};
use crate::error::{BrokenRecord, Error, Invalid, Unavailable};
use crate::table::{Commit, Committed, MAX_COMMIT_TRIES, Table, pause_before_retry};

/// One change of the catalogue.
#[derive(Debug, Clone)]
pub enum CatalogueChange {
    /// A product, new or as it is from now on.
    Product(Product),
    /// How the wallet can be topped up.
    Wallet(Methods),
    /// A rate, by its pair.
    Rate {
        /// `CNY-USD`.
        pair: String,
        /// How many of the first one of the second costs.
        rate: String,
        /// Whether whoever sets it saw that it is far from the one before.
        confirmed: bool,
    },
    /// Where transfers of a currency arrive.
    BankAccount {
        /// The currency.
        currency: Currency,
        /// The account.
        account: BankAccount,
    },
    /// Everything at once.
    Everything {
        /// The whole catalogue.
        catalogue: Catalogue,
        /// Whether whoever sets it saw which rates are far from those before, and which products are gone.
        confirmed: bool,
    },
}

impl CatalogueChange {
    /// A rate, checked.
    ///
    /// # Errors
    /// `invalid_field` for a pair that is none, or a rate that is none.
    pub fn rate(pair: &str, rate: &str, confirmed: bool) -> Result<Self, Invalid> {
        let detail = "the pair must be two currencies, such as CNY-USD";
        parse_pair(pair).ok_or_else(|| Invalid::field("invalid_field", "pair", detail))?;
        let rate = Rate::parse(rate)
            .map_err(|error| Invalid::field("invalid_field", "rate", error.to_string()))?;
        Ok(Self::Rate { pair: pair.to_owned(), rate: rate.to_string(), confirmed })
    }

    /// Refuses a rate that is far from the one before, and products that are gone, unless that was seen.
    fn check(&self, before: &Catalogue) -> Result<(), Invalid> {
        let differences = match self {
            Self::Rate { pair, rate, confirmed: false } => {
                far_rate(before, pair, rate).into_iter().collect()
            }
            Self::Everything { catalogue, confirmed: false } => differences(before, catalogue),
            _ => Vec::new(),
        };
        match differences.is_empty() {
            true => Ok(()),
            false => {
                let detail = format!("{}: send true if that is right", differences.join("; "));
                Err(Invalid::field("difference_not_confirmed", "confirm_difference", detail))
            }
        }
    }

    fn apply(&self, catalogue: &Catalogue) -> Catalogue {
        let mut next = catalogue.clone();
        match self {
            Self::Product(product) => {
                match next.products.iter_mut().find(|known| known.product == product.product) {
                    Some(known) => known.clone_from(product),
                    None => next.products.push(product.clone()),
                }
            }
            Self::Wallet(methods) => next.wallet.clone_from(methods),
            Self::Rate { pair, rate, .. } => {
                next.rates.insert(pair.clone(), rate.clone());
            }
            Self::BankAccount { currency, account } => {
                next.bank_accounts.insert(currency.code().to_owned(), account.clone());
            }
            Self::Everything { catalogue, .. } => next.clone_from(catalogue),
        }
        next
    }
}

/// What somebody may have overlooked of a whole catalogue.
fn differences(before: &Catalogue, after: &Catalogue) -> Vec<String> {
    let rates = after.rates.iter().filter_map(|(pair, rate)| {
        far_rate(before, pair, rate).map(|difference| format!("the rate {pair} of {difference}"))
    });
    let kept = |code: &String| after.products.iter().any(|product| product.product == *code);
    let gone = before.products.iter().map(|known| &known.product).filter(|code| !kept(code));
    let gone = gone.map(|code| format!("product '{code}' is gone, and its charges are refused"));
    rates.chain(gone).collect()
}

/// That a rate is far from the one before, if it is.
fn far_rate(catalogue: &Catalogue, pair: &str, rate: &str) -> Option<String> {
    let before = Rate::parse(catalogue.rates.get(pair)?).ok()?;
    let rate = Rate::parse(rate).ok()?;
    rate.is_far_from(before).then(|| format!("{rate} is far from {before}"))
}

/// The catalogue as it is, not as a function remembers it.
///
/// # Errors
/// The table did not answer.
pub async fn catalogue(table: &Table, now: Timestamp) -> Result<CatalogueVersion, Error> {
    let none = || CatalogueVersion::none(Actor::operator(), now);
    Ok(table.catalogue().await?.unwrap_or_else(none))
}

/// The catalogue as it was from one version to the next.
///
/// # Errors
/// [`Error::NotFound`] for a version that there was not; the table did not answer.
pub async fn catalogue_at(table: &Table, version: u64) -> Result<CatalogueVersion, Error> {
    let changed = table.change("catalogue", version).await?;
    let changed = changed.ok_or(Error::NotFound { what: "version" })?;
    let unreadable = |error: serde_json::Error| BrokenRecord::Unreadable {
        key: format!("catalogue {version}"),
        problem: error.to_string(),
    };
    Ok(CatalogueVersion {
        catalogue: serde_json::from_value(changed.value).map_err(unreadable)?,
        version,
        changed_at: changed.at,
        changed_by: changed.by,
    })
}

/// Changes the catalogue; functions see it within a minute. What is so already stays untouched.
///
/// # Errors
/// `invalid_field` if the catalogue would break a rule; `difference_not_confirmed`; [`Error::Unavailable`].
pub async fn change_catalogue(
    table: &Table,
    change: &CatalogueChange,
    by: &Actor,
    now: Timestamp,
) -> Result<CatalogueVersion, Error> {
    for tries in 0..MAX_COMMIT_TRIES {
        let seen = catalogue(table, now).await?;
        change.check(&seen.catalogue)?;
        let next = change.apply(&seen.catalogue);
        next.check()?;
        if next == seen.catalogue && seen.version > 0 {
            return Ok(seen);
        }
        let (changed_at, changed_by) = (now, by.clone());
        let next = CatalogueVersion { catalogue: next, changed_at, changed_by, ..seen };
        match table.commit(Commit::default().catalogue(&next)).await? {
            Committed::Yes => {
                let version = next.version.saturating_add(1);
                return Ok(CatalogueVersion { version, ..next });
            }
            Committed::No(_) => pause_before_retry(tries).await,
        }
    }
    Err(Unavailable::Busy.into())
}
