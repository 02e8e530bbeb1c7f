//! Bank statements: uploaded, matched with the orders that are open, and accepted line by line.
//!
//! The file is kept under the hash of its content, so importing it again changes nothing. Proposals
//! are made anew whenever somebody looks, from the orders as they are then. Nothing is credited but
//! by a person who says so, and then by the same rule and the same claim as at the review desk
//! ([`crate::reviews`]), at the account that the statement is of.

mod accepting;
mod camt;
mod credited;
mod csv;
mod matching;
mod outgoing;
mod references;

use std::collections::BTreeMap;

use ledger::{
    BankReference, Currency, OrderId, Proposal, ReceivingAccount, StatementLine, Timestamp,
    derive_id,
};

use crate::cursor::{CursorScope, Cursors, OPERATOR};
use crate::error::{BrokenRecord, Error, Invalid, Unavailable};
use crate::objects::{Objects, content_hash};
use crate::record::{Made, Page, PaymentClaim, Statement, StatementFormat};
use crate::reviews::{Reviewer, Reviews};
use crate::stamp;
use crate::table::{Commit, Committed, MAX_COMMIT_TRIES, Table, pause_before_retry};

/// Longest file.
pub const MAX_STATEMENT_BYTES: usize = 4 * 1024 * 1024;
/// Most lines of a statement.
pub const MAX_LINES: usize = 2_000;
/// Most lines that one request accepts.
pub const MAX_ACCEPTED: usize = 100;
/// Where the files are.
const FOLDER: &str = "statements";

/// A statement as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Parsed {
    /// The account's number, if the statement says it.
    number: Option<String>,
    currency: Currency,
    lines: Vec<StatementLine>,
    /// Under which other references a line may have been credited, by its number.
    others: BTreeMap<u32, Vec<BankReference>>,
    /// Lines that are no money that arrived: outgoing, or not booked yet.
    skipped: u32,
}

/// Everything that a statement touches.
#[derive(Debug)]
pub struct Statements {
    /// Where the files are.
    pub objects: Objects,
    /// The desk at which lines are accepted, with its table and catalogue.
    pub reviews: Reviews,
    /// What makes and checks cursors.
    pub cursors: Cursors,
}

/// A statement and what its lines may pay.
#[derive(Debug)]
pub struct MatchedStatement {
    /// The statement.
    pub statement: Statement,
    /// Lines that are no money that arrived.
    pub skipped: u32,
    /// The others.
    pub lines: Vec<MatchedLine>,
    /// Whether all open orders were looked at; there may be more than the bound.
    pub complete: bool,
}

/// A line and what it may pay.
#[derive(Debug)]
pub struct MatchedLine {
    /// The line.
    pub line: StatementLine,
    /// The order that it was credited to, if it was.
    pub credited: Option<PaymentClaim>,
    /// What its bank reference was credited for, if that was another amount, or another line.
    pub used: Option<PaymentClaim>,
    /// The orders that it may pay, the best first.
    pub proposals: Vec<Proposal>,
}

/// A line that is to be accepted, for the order that a person names.
#[derive(Debug, Clone)]
pub struct ChosenLine {
    /// The number of the line.
    pub line: u32,
    /// The order that it pays.
    pub order: OrderId,
    /// Whether the person accepts that it is not what was ordered.
    pub difference_confirmed: bool,
}

/// Which lines are to be accepted.
#[derive(Debug, Clone)]
pub enum Choice {
    /// All that are exact and not credited yet.
    Exact,
    /// These.
    Lines(Vec<ChosenLine>),
}

/// What became of the lines that were to be accepted.
#[derive(Debug)]
pub struct AcceptedLines {
    /// Line, order and outcome.
    pub outcomes: Vec<(u32, OrderId, Result<Made, Error>)>,
    /// Exact lines that are left for the next request.
    pub remaining: usize,
}

/// For what a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To be stored: what left must be readable, as it may be what takes back another line.
    Import,
    /// To be shown: it was stored, maybe by an earlier program that passed over what left and could not be read.
    Show,
}

impl Purpose {
    /// What left; of what is shown, as far as it can be read.
    fn of_outgoing<T>(self, read: Result<Option<T>, Invalid>) -> Result<Option<T>, Invalid> {
        match self {
            Self::Import => read,
            Self::Show => Ok(read.ok().flatten()),
        }
    }
}

/// Reads a file.
fn read(format: StatementFormat, bytes: &[u8], purpose: Purpose) -> Result<Parsed, Invalid> {
    let not_text = || flaw("the file must be UTF-8 text: a spreadsheet saves it as 'CSV UTF-8'");
    let text = std::str::from_utf8(bytes).map_err(|_| not_text())?;
    if purpose == Purpose::Import {
        nothing_lost(format, text)?;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match format {
        StatementFormat::Csv => csv::read(text, purpose),
        StatementFormat::Camt053 => camt::read(text, purpose),
    }
}

/// Refuses a file of another encoding: the gateway passes it on as text, with a character that says so in place of each one
/// that it could not read. One that says that it is UTF-8 has such a character from the bank itself.
fn nothing_lost(format: StatementFormat, text: &str) -> Result<(), Invalid> {
    let Some((before, _)) = text.split_once(char::REPLACEMENT_CHARACTER) else { return Ok(()) };
    if format == StatementFormat::Camt053 && camt::declares_utf_8(text) {
        return Ok(());
    }
    let line = before.matches('\n').count().saturating_add(1);
    let detail = format!(
        "line {line}: a character was lost (\u{fffd}), as the file must be UTF-8 text: a spreadsheet saves it as 'CSV UTF-8'; \
         what the bank itself has lost is replaced by hand"
    );
    Err(flaw(detail))
}

impl Statements {
    /// Stores a statement and proposes what its lines pay. One that was imported before is the same
    /// statement; the second value says whether this one is new.
    ///
    /// # Errors
    /// `invalid_statement` with the line that cannot be read, or for an account that is not the
    /// configured one; [`Error::Unavailable`].
    pub async fn import(
        &self,
        bytes: &[u8],
        format: StatementFormat,
        reviewer: &Reviewer,
    ) -> Result<(MatchedStatement, bool), Error> {
        let Reviewer { by, now } = reviewer;
        let parsed = read(format, bytes, Purpose::Import)?;
        if let Some(line) = parsed.lines.iter().find(|line| !line.booked_on.has_begun(*now)) {
            let (number, day) = (line.number, stamp::format_day(line.booked_on));
            return Err(flaw(format!(
                "payment {number}: {day}, when it was booked, is yet to come"
            ))
            .into());
        }
        let account = self.account_of(&parsed, *now).await?;
        let content_hash = content_hash(bytes);
        let statement = Statement {
            id: derive_id("stm_", &[account.currency().code(), account.number(), &content_hash]),
            version: 0,
            content_hash,
            account,
            format,
            lines: u32::try_from(parsed.lines.len()).unwrap_or(u32::MAX),
            imported_at: *now,
            imported_by: by.clone(),
        };
        for tries in 0..MAX_COMMIT_TRIES {
            if let Some(known) = self.table().statement(&statement.id).await? {
                return Ok((self.matched(known, parsed).await?, false));
            }
            // First the file, so that a statement never names one that is not there.
            self.objects.put(FOLDER, bytes).await?;
            match self.table().commit(Commit::default().statement(&statement)).await? {
                Committed::Yes => return Ok((self.matched(statement, parsed).await?, true)),
                Committed::No(_) => pause_before_retry(tries).await,
            }
        }
        Err(Unavailable::Busy.into())
    }

    /// A statement that was imported, with the proposals of this moment.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn show(&self, id: &str) -> Result<MatchedStatement, Error> {
        let missing = Error::NotFound { what: "statement" };
        if !Statement::is_id(id) {
            return Err(missing);
        }
        let statement = self.table().statement(id).await?.ok_or(missing)?;
        let bytes = self.objects.get(FOLDER, &statement.content_hash).await?;
        let parsed = read(statement.format, &bytes, Purpose::Show).map_err(|flaw| {
            BrokenRecord::Unreadable { key: statement.id.clone(), problem: flaw.detail }
        })?;
        self.matched(statement, parsed).await
    }

    /// A page of the statements that were imported, newest first.
    ///
    /// # Errors
    /// `invalid_cursor`, or the table did not answer.
    pub async fn list(
        &self,
        cursor: Option<&str>,
        limit: u8,
        now: Timestamp,
    ) -> Result<Page<Statement>, Error> {
        let scope = CursorScope { owner: OPERATOR, list: "statements", filters: "" };
        let table = self.table();
        self.cursors
            .page(&scope, cursor, now, |after| async move {
                table.statements(after.as_ref(), limit).await
            })
            .await
    }

    fn table(&self) -> &Table {
        &self.reviews.table
    }

    /// The configured account of a statement's currency, which must be the one that it is of.
    async fn account_of(&self, parsed: &Parsed, now: Timestamp) -> Result<ReceivingAccount, Error> {
        let currency = parsed.currency;
        // Not what is kept for a minute: the account may have been replaced since, and what arrived at the new one would be
        // taken for the old one's.
        let catalogue = self.reviews.catalogue.read(self.table(), now).await?;
        let account = catalogue.bank_account(currency);
        let account = account.and_then(|account| account.receiving_account(currency));
        let account =
            account.ok_or_else(|| flaw(format!("there is no bank account for {currency}")))?;
        let said = parsed.number.as_deref().map(|number| ReceivingAccount::new(currency, number));
        match said {
            Some(said) if said.as_ref() != Ok(&account) => {
                let said = parsed.number.as_deref().unwrap_or_default();
                let detail = format!(
                    "the statement is of {said}, and not of the bank account for {currency}, {}",
                    account.number()
                );
                Err(flaw(detail).into())
            }
            _ => Ok(account),
        }
    }
}

/// What is wrong with a file.
fn flaw(detail: impl Into<String>) -> Invalid {
    Invalid { code: "invalid_statement", field: None, detail: detail.into() }
}
