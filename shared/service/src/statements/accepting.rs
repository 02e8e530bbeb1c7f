//! Accepting lines of a statement: each as at the review desk, one after the other.

use ledger::{OrderId, StatementLine, derive_id};
use tracing::error;

use super::{AcceptedLines, Choice, ChosenLine, MAX_ACCEPTED, MatchedStatement, Statements};
use crate::error::{Error, Invalid};
use crate::record::{Made, WrittenAmount};
use crate::reviews::{ArrivedAt, FoundTransfer, Reviewer};

impl Statements {
    /// Accepts lines of a statement; whatever becomes of one, the others are tried. Repeating the
    /// request continues it: a line that was accepted is accepted once.
    ///
    /// # Errors
    /// [`Error::NotFound`]; `invalid_field` for a line that there is not, or that cannot be told from
    /// another for want of a bank reference; [`Error::Unavailable`].
    pub async fn accept(
        &self,
        id: &str,
        choice: &Choice,
        reviewer: &Reviewer,
    ) -> Result<AcceptedLines, Error> {
        let shown = self.show(id).await?;
        let chosen = match choice {
            Choice::Exact => exact(&shown),
            Choice::Lines(lines) => lines.clone(),
        };
        let remaining = chosen.len().saturating_sub(MAX_ACCEPTED);
        for one in &chosen {
            line_of(&shown, one.line)?;
        }
        let mut outcomes = Vec::new();
        for one in chosen.into_iter().take(MAX_ACCEPTED) {
            let line = line_of(&shown, one.line)?;
            let outcome = self.accept_line(&shown, line, &one, reviewer).await;
            if let Err(Error::Broken(cause)) = &outcome {
                let (order_id, line) = (&one.order, one.line);
                error!(%order_id, line, %cause, "a line cannot be accepted");
            }
            outcomes.push((one.line, one.order, outcome));
        }
        Ok(AcceptedLines { outcomes, remaining })
    }

    async fn accept_line(
        &self,
        shown: &MatchedStatement,
        line: &StatementLine,
        chosen: &ChosenLine,
        reviewer: &Reviewer,
    ) -> Result<Made, Error> {
        let missing = || Invalid::field("invalid_field", "lines", "the line has no bank reference");
        let decimals = line.money.currency.decimals();
        let found = FoundTransfer {
            amount: WrittenAmount { amount: line.money.amount, decimals },
            currency: line.money.currency,
            bank_reference: line.bank_reference.clone().ok_or_else(missing)?,
            received_on: line.booked_on,
            arrived_at: ArrivedAt::Account(shown.statement.account.clone()),
            difference_confirmed: chosen.difference_confirmed,
            report_seen: None,
        };
        let review = review_id(&shown.statement.id, chosen.line, &chosen.order);
        self.reviews.accept(&chosen.order, &found, &review, reviewer).await
    }
}

fn exact(shown: &MatchedStatement) -> Vec<ChosenLine> {
    let lines = shown.lines.iter().filter(|line| line.credited.is_none());
    let exact = lines.filter_map(|line| {
        let proposal = line.proposals.iter().find(|proposal| proposal.exact)?;
        let (order, difference_confirmed) = (proposal.order.clone(), false);
        Some(ChosenLine { line: line.line.number, order, difference_confirmed })
    });
    exact.collect()
}

fn line_of(shown: &MatchedStatement, number: u32) -> Result<&StatementLine, Invalid> {
    let found = shown.lines.iter().find(|line| line.line.number == number);
    let detail = || format!("the statement has no line {number}");
    let found = found.ok_or_else(|| Invalid::field("invalid_field", "lines", detail()))?;
    Ok(&found.line)
}

/// The id of the review of a line, so that accepting it again is recognised.
pub(super) fn review_id(statement: &str, line: u32, order: &OrderId) -> String {
    derive_id("rev_", &[order.as_str(), statement, &line.to_string()])
}
