//! What can be topped up, by which method, within which limits, at which rates and at which bank
//! accounts. Configuration, not code: one value with one version, so that every change of it has a
//! number, an author and a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use ledger::{
    Actor, Amount, Currency, Method, Money, MoneyError, Name, ProductCode, Rate, Target, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::bank_account::BankAccount;
use crate::error::{Error, Invalid};
use crate::exact::exact;
use crate::record::Changed;
use crate::stripe::is_chargeable;
use crate::table::Table;

/// How long a function answers from the catalogue that it read last.
const CACHE_TIME: Duration = Duration::from_secs(60);

/// Most products of a catalogue: all of them are in every answer about balances.
const MAX_PRODUCTS: usize = 50;

/// The products of a platform, and the limits of every way to pay.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Catalogue {
    /// How the wallet can be topped up.
    pub wallet: Methods,
    /// What the platform sells, in the order in which it is shown.
    pub products: Vec<Product>,
    /// By pair, `CNY-USD`: how many of the first one of the second costs.
    #[serde(default)]
    pub rates: BTreeMap<String, String>,
    /// By currency: where bank transfers arrive.
    #[serde(default)]
    pub bank_accounts: BTreeMap<String, BankAccount>,
}

/// A catalogue, and when it was made what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueVersion {
    /// The catalogue.
    pub catalogue: Catalogue,
    /// How often it was written; 0 before the first time.
    pub version: u64,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// Who changed it.
    pub changed_by: Actor,
}

/// One product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct ProductName {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// Limits by method and currency. A method or currency that is not listed is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Methods {
    /// By card.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub card: BTreeMap<String, Limits>,
    /// By bank transfer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub offline: BTreeMap<String, Limits>,
    /// From the wallet; only for products.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub balance: BTreeMap<String, Limits>,
}

/// The smallest and the largest amount; none means that there is no largest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
        let mut json = serde_json::Deserializer::from_str(json);
        let catalogue: Self = exact(&mut json)?;
        json.end().map_err(|error| error.to_string())?;
        let checked = catalogue.check();
        checked
            .map_err(|wrong| format!("{}: {}", wrong.field.unwrap_or_default(), wrong.detail))?;
        Ok(catalogue)
    }

    /// Checks every rule of a catalogue.
    ///
    /// # Errors
    /// `invalid_field` with the place.
    pub fn check(&self) -> Result<(), Invalid> {
        let wrong = |field: &str, detail: String| Invalid::field("invalid_field", field, detail);
        if self.products.len() > MAX_PRODUCTS {
            return Err(wrong("products", format!("must be at most {MAX_PRODUCTS}")));
        }
        if !self.wallet.balance.is_empty() {
            let detail = "the wallet cannot be topped up from itself".to_owned();
            return Err(wrong("wallet.balance", detail));
        }
        self.check_methods("wallet", &self.wallet)?;
        for (position, product) in self.products.iter().enumerate() {
            let code = &product.product;
            ProductCode::parse(code).map_err(|error| wrong("product", error.to_string()))?;
            let earlier = self.products.iter().take(position);
            if earlier.into_iter().any(|earlier| earlier.product == *code) {
                return Err(wrong(code, "is listed twice".to_owned()));
            }
            for (language, name) in [("en", &product.name.en), ("zh", &product.name.zh)] {
                let field = format!("{code}.name.{language}");
                Name::parse(name).map_err(|error| wrong(&field, error.to_string()))?;
            }
            self.check_methods(code, &product.methods)?;
        }
        for (pair, rate) in &self.rates {
            let field = format!("rates.{pair}");
            parse_pair(pair)
                .ok_or_else(|| wrong(&field, "must be a pair as CNY-USD".to_owned()))?;
            Rate::parse(rate).map_err(|error| wrong(&field, error.to_string()))?;
        }
        for (code, account) in &self.bank_accounts {
            let currency = Currency::parse(code);
            let currency = currency.map_err(|error| wrong("bank_accounts", error.to_string()))?;
            let named = |(part, detail): (&str, String)| {
                wrong(&format!("bank_accounts.{code}.{part}"), detail)
            };
            account.check(currency).map_err(named)?;
        }
        Ok(())
    }

    /// What `payable` is in the currency of an account, and the rate that says so if there are two
    /// currencies.
    ///
    /// # Errors
    /// `unknown_currency` if there is no rate; `amount_out_of_range` for less than the smallest coin.
    pub fn quote(
        &self,
        payable: Money,
        currency: Currency,
    ) -> Result<(Money, Option<Rate>), Invalid> {
        if payable.currency == currency {
            return Ok((payable, None));
        }
        let rate = self.rate(payable.currency, currency).ok_or_else(|| {
            let detail = format!("there is no rate from {} to {currency}", payable.currency);
            Invalid::field("unknown_currency", "currency", detail)
        })?;
        let amount = rate.convert(payable, currency).map_err(|error| {
            Invalid::field("amount_out_of_range", "amount", format!("in {currency} it {error}"))
        })?;
        Ok((amount, Some(rate)))
    }

    /// The rate from one currency to another.
    #[must_use]
    pub fn rate(&self, from: Currency, to: Currency) -> Option<Rate> {
        Rate::parse(self.rates.get(&format!("{from}-{to}"))?).ok()
    }

    /// Where transfers of a currency arrive.
    #[must_use]
    pub fn bank_account(&self, currency: Currency) -> Option<&BankAccount> {
        self.bank_accounts.get(currency.code())
    }

    /// The product of that code.
    #[must_use]
    pub fn product(&self, code: &ProductCode) -> Option<&Product> {
        self.products.iter().find(|product| product.product == code.as_str())
    }

    /// The products that cannot be topped up from a wallet of this currency at the moment.
    #[must_use]
    pub fn closed_products(&self, wallet: Currency) -> BTreeSet<ProductCode> {
        let closed = self.products.iter().filter(|product| {
            let methods = product.methods.of(Method::Balance);
            !product.enabled || !methods.contains_key(wallet.code())
        });
        closed.filter_map(|product| ProductCode::parse(&product.product).ok()).collect()
    }

    /// Whether so much may be put there in this way.
    ///
    /// # Errors
    /// `unknown_product`, `product_disabled`, `method_not_allowed`, `unknown_currency` or
    /// `amount_out_of_range`.
    pub fn admit(&self, target: &Target, method: Method, money: Money) -> Result<(), Error> {
        self.limits(target, method, money.currency)?.admit(money).map_err(Error::from)
    }

    /// How much may be put there in this way and currency.
    ///
    /// # Errors
    /// `unknown_product`, `product_disabled`, `method_not_allowed` or `unknown_currency`.
    pub fn limits(
        &self,
        target: &Target,
        method: Method,
        currency: Currency,
    ) -> Result<&Limits, Error> {
        let methods = match target {
            Target::Wallet => &self.wallet,
            Target::Product(code) => &self.enabled(code)?.methods,
        };
        let currencies = methods.of(method);
        if currencies.is_empty() {
            let detail = format!("{target} cannot be topped up by {}", method.name());
            return Err(Invalid::field("method_not_allowed", "method", detail).into());
        }
        Ok(currencies.get(currency.code()).ok_or_else(|| {
            let known: Vec<_> = currencies.keys().map(String::as_str).collect();
            let known = known.join(", ");
            // What is moved is in the currency of the account, which nobody can choose.
            match method {
                Method::Balance => {
                    let detail = format!(
                        "{target} is topped up from balances in {known}, and not in {currency}"
                    );
                    Invalid::field("unknown_currency", "product", detail)
                }
                Method::Card | Method::Offline => {
                    let detail = format!("{} is paid in {known}", method.name());
                    Invalid::field("unknown_currency", "currency", detail)
                }
            }
        })?)
    }

    /// Refuses a product that there is not, whether or not it can be topped up now.
    ///
    /// # Errors
    /// `unknown_product`.
    pub fn must_know(&self, target: &Target) -> Result<(), Invalid> {
        target.product().map_or(Ok(()), |code| self.known(code).map(drop))
    }

    /// The name of a target for the payment page.
    #[must_use]
    pub fn describe(&self, target: &Target) -> String {
        match target.product().and_then(|code| self.product(code)) {
            Some(product) => format!("{} top-up", product.name.en),
            None => "Wallet top-up".to_owned(),
        }
    }

    fn check_methods(&self, place: &str, methods: &Methods) -> Result<(), Invalid> {
        for method in Method::ALL {
            for (code, limits) in methods.of(method) {
                let unpayable = method == Method::Offline && !self.bank_accounts.contains_key(code);
                let checked = match unpayable {
                    true => Err(format!("there is no bank account for {code}: set it first")),
                    false => limits.check(code, method),
                };
                checked.map_err(|detail| {
                    let field = format!("{place}.{}.{code}", method.name());
                    Invalid::field("invalid_field", &field, detail)
                })?;
            }
        }
        Ok(())
    }

    fn known(&self, code: &ProductCode) -> Result<&Product, Invalid> {
        self.product(code).ok_or_else(|| {
            let detail = format!(
                "there is no product '{code}'; GET /v1/products lists them, or GET /v1/admin/catalogue"
            );
            Invalid::field("unknown_product", "product", detail)
        })
    }

    fn enabled(&self, code: &ProductCode) -> Result<&Product, Invalid> {
        let product = self.known(code)?;
        if product.enabled {
            return Ok(product);
        }
        let detail = format!("product '{code}' cannot be topped up at the moment");
        Err(Invalid::field("product_disabled", "product", detail))
    }
}

impl CatalogueVersion {
    /// What precedes the first catalogue of a deployment.
    #[must_use]
    pub fn none(by: Actor, now: Timestamp) -> Self {
        Self { catalogue: Catalogue::default(), version: 0, changed_at: now, changed_by: by }
    }

    /// The record of this change.
    #[must_use]
    pub fn changed(&self) -> Changed {
        let (at, by) = (self.changed_at, self.changed_by.clone());
        Changed { at, by, value: json!(self.catalogue) }
    }
}

/// The two currencies of `CNY-USD`.
#[must_use]
pub fn parse_pair(pair: &str) -> Option<(Currency, Currency)> {
    let (from, to) = pair.split_once('-')?;
    let (from, to) = (Currency::parse(from).ok()?, Currency::parse(to).ok()?);
    (from != to).then_some((from, to))
}

impl Methods {
    /// The limits of a method by currency.
    #[must_use]
    pub const fn of(&self, method: Method) -> &BTreeMap<String, Limits> {
        match method {
            Method::Card => &self.card,
            Method::Offline => &self.offline,
            Method::Balance => &self.balance,
        }
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
    pub(crate) fn admit(&self, money: Money) -> Result<(), Invalid> {
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
        match self.fresh(now) {
            Some(catalogue) => Ok(catalogue),
            None => self.read(table, now).await,
        }
    }

    /// The catalogue as it is now.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn read(&self, table: &Table, now: Timestamp) -> Result<Catalogue, Error> {
        let stored = table.catalogue().await?;
        let catalogue = stored.map(|stored| stored.catalogue).unwrap_or_default();
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
