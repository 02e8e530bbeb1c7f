//! What can be topped up, by which method, and within which limits. Configuration, not code.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use ledger::{Amount, Currency, Method, Money, MoneyError, ProductCode, Target, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Invalid};
use crate::stripe::is_chargeable;
use crate::table::Table;

/// How long a function answers from the catalogue that it read last.
const CACHE_TIME: Duration = Duration::from_secs(60);

/// Most products of a catalogue: all of them are in every answer about balances.
const MAX_PRODUCTS: usize = 50;

/// The products of a platform, and the limits of every way to pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// How the wallet can be topped up.
    pub wallet: Methods,
    /// What the platform sells, in the order in which it is shown.
    pub products: Vec<Product>,
}

/// One product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Its code, such as `whatsapp`.
    pub product: String,
    /// Its name for people.
    pub name: ProductName,
    /// Whether it can be topped up now.
    pub enabled: bool,
    /// How it can be topped up.
    pub methods: Methods,
}

/// A name in both languages of the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductName {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// Limits by method and currency. A method or currency that is not listed is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Methods {
    /// By card.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub card: BTreeMap<String, Limits>,
    /// From the wallet; only for products.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub balance: BTreeMap<String, Limits>,
}

/// The smallest and the largest amount; none means that there is no largest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The smallest amount, as money is written in the API.
    pub min_amount: String,
    /// The largest amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_amount: Option<String>,
}

/// The catalogue as a function last read it.
#[derive(Debug, Default)]
pub struct CatalogueCache(Mutex<Option<(Catalogue, Timestamp)>>);

impl Catalogue {
    /// Reads a catalogue and checks every rule, so that no order meets a limit that is no number.
    ///
    /// # Errors
    /// A sentence that names the place and what is wrong with it.
    pub fn parse(json: &str) -> Result<Self, String> {
        let catalogue: Self = serde_json::from_str(json).map_err(|error| error.to_string())?;
        if catalogue.products.len() > MAX_PRODUCTS {
            return Err(format!("at most {MAX_PRODUCTS} products"));
        }
        if !catalogue.wallet.balance.is_empty() {
            return Err("wallet: cannot be topped up from itself".to_owned());
        }
        catalogue.wallet.check("wallet")?;
        for (position, product) in catalogue.products.iter().enumerate() {
            let code = &product.product;
            ProductCode::parse(code).map_err(|error| format!("product {code:?} {error}"))?;
            let earlier = catalogue.products.iter().take(position);
            if earlier.into_iter().any(|earlier| earlier.product == *code) {
                return Err(format!("{code}: is listed twice"));
            }
            product.methods.check(code)?;
        }
        Ok(catalogue)
    }

    /// The product of that code.
    #[must_use]
    pub fn product(&self, code: &ProductCode) -> Option<&Product> {
        self.products.iter().find(|product| product.product == code.as_str())
    }

    /// Whether so much may be put there in this way.
    ///
    /// # Errors
    /// `unknown_product`, `product_disabled`, `method_not_allowed`, `unknown_currency` or
    /// `amount_out_of_range`.
    pub fn admit(&self, target: &Target, method: Method, money: Money) -> Result<(), Error> {
        let methods = match target {
            Target::Wallet => &self.wallet,
            Target::Product(code) => &self.enabled(code)?.methods,
        };
        let currencies = methods.of(method);
        if currencies.is_empty() {
            let detail = format!("{target} cannot be topped up by {}", method.name());
            return Err(Invalid::field("method_not_allowed", "method", detail).into());
        }
        let limits = currencies.get(money.currency.code()).ok_or_else(|| {
            let known: Vec<_> = currencies.keys().map(String::as_str).collect();
            let detail = format!("{} is paid in {}", method.name(), known.join(", "));
            Invalid::field("unknown_currency", "currency", detail)
        })?;
        limits.admit(money).map_err(Error::from)
    }

    /// The name of a target for the payment page.
    #[must_use]
    pub fn describe(&self, target: &Target) -> String {
        match target.product().and_then(|code| self.product(code)) {
            Some(product) => format!("{} top-up", product.name.en),
            None => "Wallet top-up".to_owned(),
        }
    }

    fn enabled(&self, code: &ProductCode) -> Result<&Product, Invalid> {
        let product = self.product(code).ok_or_else(|| {
            let detail = format!("there is no product '{code}'; GET /v1/products lists them");
            Invalid::field("unknown_product", "product", detail)
        })?;
        if product.enabled {
            return Ok(product);
        }
        let detail = format!("product '{code}' cannot be topped up at the moment");
        Err(Invalid::field("product_disabled", "product", detail))
    }
}

impl Methods {
    /// The limits of a method by currency.
    #[must_use]
    pub const fn of(&self, method: Method) -> &BTreeMap<String, Limits> {
        match method {
            Method::Card => &self.card,
            Method::Balance => &self.balance,
        }
    }

    fn check(&self, place: &str) -> Result<(), String> {
        for method in [Method::Card, Method::Balance] {
            for (code, limits) in self.of(method) {
                let checked = limits.check(code, method);
                checked.map_err(|what| format!("{place} {} {code}: {what}", method.name()))?;
            }
        }
        Ok(())
    }
}

impl Limits {
    fn check(&self, code: &str, method: Method) -> Result<(), String> {
        let wrong = |error: MoneyError| error.to_string();
        let currency = Currency::parse(code).map_err(wrong)?;
        let smallest = Money::parse(&self.min_amount, currency).map_err(wrong)?;
        let largest = self.max_amount.as_deref().map(|text| Money::parse(text, currency));
        let largest = largest.transpose().map_err(wrong)?;
        if method == Method::Card && !largest.is_some_and(is_chargeable) {
            return Err("a card needs a max_amount that Stripe can charge".to_owned());
        }
        if largest.is_some_and(|largest| largest.amount < smallest.amount) {
            return Err("max_amount is below min_amount".to_owned());
        }
        Ok(())
    }

    /// Refuses an amount outside of the limits.
    fn admit(&self, money: Money) -> Result<(), Invalid> {
        let parse = |text: &str| Amount::parse(text, money.currency.decimals()).ok();
        let largest = self.max_amount.as_deref();
        let inside = parse(&self.min_amount).is_some_and(|smallest| money.amount >= smallest)
            && largest
                .is_none_or(|text| parse(text).is_some_and(|largest| money.amount <= largest));
        if inside {
            return Ok(());
        }
        let (code, smallest) = (money.currency, &self.min_amount);
        let detail = match largest {
            Some(largest) => format!("must be from {code} {smallest} to {code} {largest}"),
            None => format!("must be at least {code} {smallest}"),
        };
        Err(Invalid::field("amount_out_of_range", "amount", detail))
    }
}

impl CatalogueCache {
    /// The catalogue, at most a minute old. A deployment without one sells nothing.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn get(&self, table: &Table, now: Timestamp) -> Result<Catalogue, Error> {
        if let Some(catalogue) = self.fresh(now) {
            return Ok(catalogue);
        }
        let stored = table.catalogue().await?.map(|(catalogue, _)| catalogue);
        let catalogue = stored
            .unwrap_or_else(|| Catalogue { wallet: Methods::default(), products: Vec::new() });
        *self.lock() = Some((catalogue.clone(), now));
        Ok(catalogue)
    }

    fn fresh(&self, now: Timestamp) -> Option<Catalogue> {
        let cached = self.lock();
        let (catalogue, read_at) = cached.as_ref()?;
        (now.since(*read_at) < CACHE_TIME).then(|| catalogue.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Catalogue, Timestamp)>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
