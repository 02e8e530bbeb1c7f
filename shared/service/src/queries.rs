//! Reading: balances, orders and the journal, for the customer and for the operator.

use ledger::{
    AccountId, Entry, Method, OrderId, OrderStatus, Place, ProductCode, Target, Timestamp,
};

use crate::accounts::KnownAccount;
use crate::catalogue::{Catalogue, CatalogueCache};
use crate::cursor::{CursorScope, Cursors, OPERATOR};
use crate::error::Error;
use crate::http::Parameters;
use crate::record::{OrderRecord, Page};
use crate::table::{OrderRange, Table};

/// Everything that reading touches.
#[derive(Debug)]
pub struct Queries {
    /// Where everything is.
    pub table: Table,
    /// What can be topped up.
    pub catalogue: CatalogueCache,
    /// What makes and checks cursors.
    pub cursors: Cursors,
}

/// A page of a list that a client asks for.
#[derive(Debug, Clone)]
pub struct PageRequest<Filter> {
    /// Which items.
    pub filter: Filter,
    /// How many at most, 1 to 100.
    pub limit: u8,
    /// Where the page starts: the `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Which orders.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    /// In this state.
    pub status: Option<OrderStatus>,
    /// Of the wallet, or of any product.
    pub target: Option<TargetKind>,
    /// Of this product.
    pub product: Option<ProductCode>,
    /// Paid in this way.
    pub method: Option<Method>,
    /// Not older.
    pub from: Option<Timestamp>,
    /// Not newer.
    pub to: Option<Timestamp>,
}

/// Which entries of the journal.
#[derive(Debug, Clone, Default)]
pub struct EntryFilter {
    /// That touch this balance.
    pub balance: Option<Target>,
    /// Not older.
    pub from: Option<Timestamp>,
    /// Not newer.
    pub to: Option<Timestamp>,
}

/// The word `target` of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// The wallet.
    Wallet,
    /// A product.
    Product,
}

impl TargetKind {
    /// The kind of a target.
    #[must_use]
    pub const fn of(target: &Target) -> Self {
        match target {
            Target::Wallet => Self::Wallet,
            Target::Product(_) => Self::Product,
        }
    }

    /// The word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wallet => "wallet",
            Self::Product => "product",
        }
    }
}

impl Queries {
    /// The account as it is now, and the catalogue that its balances are listed by.
    ///
    /// # Errors
    /// The table did not answer, or the account does not exist.
    pub async fn balances(
        &self,
        account: &AccountId,
        now: Timestamp,
    ) -> Result<(ledger::Account, Catalogue), Error> {
        let catalogue = self.catalogue.get(&self.table, now).await?;
        Ok((self.account(account).await?, catalogue))
    }

    /// The account as it is now.
    ///
    /// # Errors
    /// The table did not answer, or the account does not exist.
    pub async fn account(&self, id: &AccountId) -> Result<ledger::Account, Error> {
        let found = self.table.account(id).await?;
        found.ok_or(Error::NotFound { what: "account" })
    }

    /// The catalogue, at most a minute old.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn products(&self, now: Timestamp) -> Result<Catalogue, Error> {
        self.catalogue.get(&self.table, now).await
    }

    /// One order of the account, as it is now.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for somebody else's order.
    pub async fn order(&self, account: &AccountId, id: &OrderId) -> Result<OrderRecord, Error> {
        self.table.owned_order(account, id).await
    }

    /// A page of the account's orders, newest first, each as it is now. A new order may take a
    /// second to appear; a filtered page may be short and still have a next one.
    ///
    /// # Errors
    /// `invalid_cursor`, or the table did not answer.
    pub async fn orders(
        &self,
        account: &AccountId,
        wanted: &PageRequest<OrderFilter>,
        now: Timestamp,
    ) -> Result<Page<OrderRecord>, Error> {
        let filters = format!("{:?}", wanted.filter);
        let scope = CursorScope { owner: account.as_str(), list: "orders", filters: &filters };
        let after = self.cursors.position(&scope, wanted.cursor.as_deref(), now).await?;
        let range = OrderRange { from: wanted.filter.from, to: wanted.filter.to };
        let page = self.table.orders(account, range, after.as_ref(), wanted.limit).await?;
        let items = page
            .items
            .into_iter()
            .filter(|record| record.order.account == *account && wanted.filter.admits(record));
        let items = items.collect();
        Ok(Page { items, next: self.cursors.sealed(&scope, page.next, now).await? })
    }

    /// A page of the account's journal, newest first.
    ///
    /// # Errors
    /// `invalid_cursor`, or the table did not answer.
    pub async fn entries(
        &self,
        account: &AccountId,
        wanted: &PageRequest<EntryFilter>,
        now: Timestamp,
    ) -> Result<Page<Entry>, Error> {
        let filters = format!("{:?}", wanted.filter);
        let scope = CursorScope { owner: account.as_str(), list: "entries", filters: &filters };
        let cursor = wanted.cursor.as_deref();
        let below = self.entries_below(&scope, account, &wanted.filter, cursor, now).await?;
        let page = self.table.entries(account, below, wanted.limit.into()).await?;
        // Entries are in order of time: below the oldest that is asked for there is nothing more.
        let from = wanted.filter.from;
        let passed = page.items.last().is_some_and(|last| from.is_some_and(|from| last.at < from));
        let next = page.next.filter(|_| !passed);
        let items = page.items.into_iter().filter(|entry| wanted.filter.admits(entry)).collect();
        Ok(Page { items, next: self.cursors.sealed(&scope, next, now).await? })
    }
}

impl Queries {
    /// One order, whoever's it is: for the operator.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the table did not answer.
    pub async fn any_order(&self, id: &OrderId) -> Result<OrderRecord, Error> {
        self.table.order(id).await?.ok_or(Error::NotFound { what: "order" })
    }

    /// A page of the bank transfers that a person must look at, oldest first.
    ///
    /// # Errors
    /// `invalid_cursor`, or the table did not answer.
    pub async fn reviews(
        &self,
        wanted: &PageRequest<()>,
        now: Timestamp,
    ) -> Result<Page<OrderRecord>, Error> {
        let scope = CursorScope { owner: OPERATOR, list: "reviews", filters: "" };
        let table = &self.table;
        self.cursors
            .page(&scope, wanted.cursor.as_deref(), now, |after| async move {
                table.reviews(after.as_ref(), wanted.limit).await
            })
            .await
    }

    /// A page of all accounts, newest first.
    ///
    /// # Errors
    /// `invalid_cursor`, or the table did not answer.
    pub async fn accounts(
        &self,
        wanted: &PageRequest<()>,
        now: Timestamp,
    ) -> Result<Page<KnownAccount>, Error> {
        let scope = CursorScope { owner: OPERATOR, list: "accounts", filters: "" };
        let table = &self.table;
        self.cursors
            .page(&scope, wanted.cursor.as_deref(), now, |after| async move {
                table.accounts(after.as_ref(), wanted.limit).await
            })
            .await
    }
}

impl OrderFilter {
    /// The filter that these parameters of a list ask for.
    ///
    /// # Errors
    /// `invalid_parameter` with its name and the rule.
    pub fn of(parameters: &mut Parameters) -> Result<Self, Error> {
        Ok(Self {
            status: parameters.take("status", "a status of an order", OrderStatus::parse)?,
            target: parameters.take("target", "'wallet' or 'product'", |name| {
                [TargetKind::Wallet, TargetKind::Product]
                    .into_iter()
                    .find(|target| target.name() == name)
            })?,
            product: parameters
                .take("product", "the code of a product", |code| ProductCode::parse(code).ok())?,
            method: parameters.take("method", "'card', 'offline' or 'balance'", Method::parse)?,
            from: parameters.moment("from")?,
            to: parameters.moment("to")?,
        })
    }

    pub(crate) fn admits(&self, record: &OrderRecord) -> bool {
        let order = &record.order;
        self.status.is_none_or(|status| order.status() == status)
            && self.target.is_none_or(|target| TargetKind::of(&order.target) == target)
            && self.method.is_none_or(|method| order.method == method)
            && self.product.as_ref().is_none_or(|product| order.target.product() == Some(product))
    }
}

impl EntryFilter {
    /// The filter that these parameters of a list ask for.
    ///
    /// # Errors
    /// `invalid_parameter` with its name and the rule.
    pub fn of(parameters: &mut Parameters) -> Result<Self, Error> {
        Ok(Self {
            balance: parameters
                .take("balance", "'wallet' or 'product:<code>'", |text| Target::parse(text).ok())?,
            from: parameters.moment("from")?,
            to: parameters.moment("to")?,
        })
    }

    pub(crate) fn admits(&self, entry: &Entry) -> bool {
        let touches = |target: &Target| {
            let places = [Place::Available(target.clone()), Place::Held(target.clone())];
            entry.lines.iter().any(|line| places.contains(&line.place))
        };
        self.from.is_none_or(|from| entry.at >= from)
            && self.to.is_none_or(|to| entry.at <= to)
            && self.balance.as_ref().is_none_or(touches)
    }
}
