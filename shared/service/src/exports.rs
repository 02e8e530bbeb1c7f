//! Exports: lists as comma-separated values, in bounded answers that can be put one after another.

use std::time::Duration;

use ledger::{AccountId, Timestamp};
use tokio::time::Instant;

use crate::cursor::{CursorScope, unreadable_cursor};
use crate::error::Error;
use crate::http::{Sheet, add_entry, add_order, entries_sheet, orders_sheet};
use crate::queries::{EntryFilter, OrderFilter, Queries};
use crate::table::{OrderRange, Position};

/// The most orders or entries of one answer.
pub const MAX_EXPORTED: u16 = 1_000;
/// The most bytes of one answer: in the base64 in which a function answers 2.7 MB, where Lambda takes
/// 6 MB. Only an order or entry that is larger by itself is larger.
const MAX_BYTES: usize = 2_000_000;
/// The most orders that are read at a time: as many as one batch reads.
const ORDERS_A_PAGE: u16 = 100;
/// The most entries that are read at a time.
const ENTRIES_A_PAGE: u16 = 500;
/// The most pages that are read for one answer: a filter may leave little of them.
const MAX_PAGES: u32 = 20;
/// After so long no more pages are read: the answer says where the next one goes on.
const TIME: Duration = Duration::from_secs(10);

/// A part of an export that a client asks for.
#[derive(Debug, Clone)]
pub struct ExportRequest<Filter> {
    /// What of it.
    pub filter: Filter,
    /// How many orders or entries at most, 1 to [`MAX_EXPORTED`].
    pub limit: u16,
    /// Where it starts: the `X-Next-Cursor` of the answer before.
    pub cursor: Option<String>,
}

/// A part of an export.
#[derive(Debug)]
pub struct Export {
    /// What it is an export of, and whose: the name of the file.
    pub name: String,
    /// Comma-separated values. Only the first part begins with the names of the columns, so that
    /// all parts after one another are one file.
    pub content: String,
    /// Whether it is the first part.
    pub first: bool,
    /// Whether it has no row.
    pub is_empty: bool,
    /// Where the next part starts; none at the end.
    pub next: Option<String>,
}

/// A part that is being filled.
struct Filling {
    sheet: Sheet,
    first: bool,
    /// How many more orders or entries it may hold.
    room: u16,
    empty: bool,
    pages: u32,
    ends: Instant,
}

impl Filling {
    fn begun(sheet: Sheet, limit: u16, first: bool) -> Self {
        let sheet = if first { sheet.with_header() } else { sheet };
        let ends = Instant::now().checked_add(TIME).unwrap_or_else(Instant::now);
        Self { sheet, first, room: limit, empty: true, pages: 0, ends }
    }

    /// Adds an order or an entry, unless it would be too many or too much.
    fn take(&mut self, add: impl FnOnce(&mut Sheet)) -> bool {
        if self.room == 0 {
            return false;
        }
        let before = self.sheet.bytes();
        add(&mut self.sheet);
        if !self.empty && self.sheet.bytes() > MAX_BYTES {
            self.sheet.shorten(before);
            return false;
        }
        (self.room, self.empty) = (self.room.saturating_sub(1), false);
        true
    }

    /// Whether one more page may be read.
    fn goes_on(&mut self, now: Instant) -> bool {
        self.pages = self.pages.saturating_add(1);
        self.pages < MAX_PAGES && now < self.ends
    }

    fn export(self, name: String, next: Option<String>) -> Export {
        let Self { sheet, first, empty: is_empty, .. } = self;
        Export { name, content: sheet.into_text(), first, is_empty, next }
    }
}

impl Queries {
    /// A part of the account's journal, newest first: a row for each line of an entry.
    ///
    /// # Errors
    /// `invalid_cursor`, or the table did not answer.
    pub async fn entries_csv(
        &self,
        account: &AccountId,
        wanted: &ExportRequest<EntryFilter>,
        now: Timestamp,
    ) -> Result<Export, Error> {
        let filters = format!("{:?}", wanted.filter);
        let scope = CursorScope { owner: account.as_str(), list: "entries.csv", filters: &filters };
        let cursor = wanted.cursor.as_deref();
        let mut below = self.entries_below(&scope, account, &wanted.filter, cursor, now).await?;
        let mut filling = Filling::begun(entries_sheet(), wanted.limit, wanted.cursor.is_none());
        let next = loop {
            let limit = wanted.limit.min(ENTRIES_A_PAGE);
            let page = self.table.entries(account, below, limit).await?;
            let mut ended = page.next.is_none();
            let mut full = false;
            for entry in &page.items {
                ended = ended || wanted.filter.from.is_some_and(|from| entry.at < from);
                let wanted = wanted.filter.admits(entry);
                full = wanted && !filling.take(|sheet| add_entry(sheet, entry));
                if full {
                    break;
                }
                below = Some(entry.number);
            }
            if full || (!ended && !filling.goes_on(Instant::now())) {
                break below.map(|below| below.to_string());
            }
            if ended {
                break None;
            }
        };
        let next = self.cursors.sealed(&scope, next, now).await?;
        Ok(filling.export(format!("entries-{account}.csv"), next))
    }

    /// The number below which the entries of a list are: that of its cursor or, at its beginning, the one above the
    /// newest entry that it asks for, so that nothing newer is read; none if it asks for all, or there is no account.
    ///
    /// # Errors
    /// `invalid_cursor`, or the table did not answer.
    pub(crate) async fn entries_below(
        &self,
        scope: &CursorScope<'_>,
        account: &AccountId,
        filter: &EntryFilter,
        cursor: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<u64>, Error> {
        if let Some(cursor) = cursor {
            let position = self.cursors.open(scope, cursor, now).await?;
            return Ok(Some(serde_json::from_str(&position).map_err(|_| unreadable_cursor())?));
        }
        let Some(to) = filter.to else { return Ok(None) };
        let Some(account) = self.table.account(account).await? else { return Ok(None) };
        Ok(Some(self.last_entry_by(&account, to).await?.saturating_add(1)))
    }

    /// A part of the account's orders, newest first, each as it is now.
    ///
    /// # Errors
    /// `invalid_cursor`, or the table did not answer.
    pub async fn orders_csv(
        &self,
        account: &AccountId,
        wanted: &ExportRequest<OrderFilter>,
        now: Timestamp,
    ) -> Result<Export, Error> {
        let filters = format!("{:?}", wanted.filter);
        let scope = CursorScope { owner: account.as_str(), list: "orders.csv", filters: &filters };
        let mut after = self.cursors.position(&scope, wanted.cursor.as_deref(), now).await?;
        let range = OrderRange { from: wanted.filter.from, to: wanted.filter.to };
        let mut filling = Filling::begun(orders_sheet(), wanted.limit, wanted.cursor.is_none());
        let limit = u8::try_from(wanted.limit.min(ORDERS_A_PAGE)).unwrap_or(u8::MAX);
        let next = loop {
            let page = self.table.orders(account, range, after.as_ref(), limit).await?;
            let mut full = false;
            for record in &page.items {
                let wanted = record.order.account == *account && wanted.filter.admits(record);
                full = wanted && !filling.take(|sheet| add_order(sheet, record, now));
                if full {
                    break;
                }
                let order = &record.order;
                after = Some(Position::of(order.created_at, order.id.as_str()));
            }
            if full {
                break after;
            }
            let Some(next) = page.next_position() else { break None };
            after = Some(next);
            if !filling.goes_on(Instant::now()) {
                break after;
            }
        };
        let next = next.map(|next| next.as_str().to_owned());
        let next = self.cursors.sealed(&scope, next, now).await?;
        Ok(filling.export(format!("orders-{account}.csv"), next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Column;

    const COLUMNS: [Column; 1] = [Column::words("said")];

    fn filling(limit: u16) -> Filling {
        Filling::begun(Sheet::new(&COLUMNS), limit, true)
    }

    fn row(bytes: usize) -> impl FnOnce(&mut Sheet) {
        move |sheet| sheet.row(["x".repeat(bytes)])
    }

    #[test]
    fn an_answer_ends_before_what_would_be_too_much() {
        let mut full = filling(10);
        assert!(full.take(row(900_000)) && full.take(row(900_000)));
        let before = full.sheet.bytes();
        assert!(!full.take(row(900_000)), "three are too much");
        assert_eq!(full.sheet.bytes(), before, "and nothing of the third is left");
        let mut exact = filling(10);
        let header = exact.sheet.bytes();
        assert!(exact.take(row(100)) && exact.take(row(MAX_BYTES - header - 104)));
        assert_eq!(exact.sheet.bytes(), MAX_BYTES);
        assert!(!exact.take(row(0)));
        // One that is too large by itself would never be handed out otherwise.
        let mut large = filling(10);
        assert!(large.take(row(MAX_BYTES)) && !large.take(row(1)));
    }

    #[test]
    fn an_answer_ends_after_so_many() {
        let mut two = filling(2);
        assert!(two.take(row(1)) && two.take(row(1)) && !two.take(row(1)));
    }

    #[test]
    fn an_answer_ends_after_so_many_pages_or_so_long() {
        let now = Instant::now();
        let mut many = filling(10);
        let read = std::iter::repeat_with(|| many.goes_on(now)).take_while(|goes_on| *goes_on);
        assert_eq!(read.count(), 19, "the twentieth page is the last");
        let mut slow = filling(10);
        assert!(slow.goes_on(now) && !slow.goes_on(now + 2 * TIME));
    }
}
