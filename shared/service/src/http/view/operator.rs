//! What only the operator sees: accounts, keys, the catalogue, statements.

#[cfg(feature = "objects")]
use ledger::Doubt;
use ledger::{Adjustment, Currency, Direction, Money, Timestamp};
use serde_json::{Value, json};

use super::order;
use crate::accounts::KnownAccount;
use crate::catalogue::CatalogueVersion;
use crate::comparison::{Comparison, in_units};
use crate::console::{IssuedToken, Opened};
use crate::findings::{FindingRecord, next_step};
use crate::http::sheet::{Column, Sheet};
use crate::keys::{ApiKey, Scope};
use crate::record::{OrderRecord, Page};
use crate::stamp;
#[cfg(feature = "objects")]
use crate::{
    http::Problem,
    record::{PaymentClaim, Statement},
    statements::{AcceptedLines, MatchedLine, MatchedStatement},
};

/// An account.
#[must_use]
pub fn account(known: &KnownAccount) -> Value {
    let KnownAccount { profile, account } = known;
    json!({
        "account_id": account.id.as_str(),
        "name": profile.name.as_str(),
        "currency": account.currency.code(),
        "status": account.status.name(),
        "entries": account.entries,
        "version": account.version,
        "created_at": stamp::format(profile.created_at),
        "created_by": profile.created_by.as_str(),
    })
}

/// A page of accounts.
#[must_use]
pub fn accounts(page: &Page<KnownAccount>) -> Value {
    listed(page, account)
}

/// An API key, with its secret at the only moment at which that exists.
#[must_use]
pub fn api_key(key: &ApiKey, secret: Option<&str>) -> Value {
    let scopes: Vec<_> = key.scopes.iter().map(|scope| Scope::name(*scope)).collect();
    json!({
        "key_id": key.id,
        "account_id": key.owner.account().map(|account| account.as_str()),
        "name": key.name.as_str(),
        "scopes": scopes,
        "secret": secret,
        "created_at": stamp::format(key.created_at),
        "created_by": key.created_by.as_str(),
        "created_by_key": key.created_by_key,
        "replaces": key.replaces,
        "expires_at": key.expires_at.map(stamp::format),
        "retires_at": key.retires_at.map(stamp::format),
        "revoked_at": key.revoked_at.map(stamp::format),
    })
}

/// A page of API keys, without their secrets.
#[must_use]
pub fn api_keys(page: &Page<ApiKey>) -> Value {
    listed(page, |key| {
        let mut shown = api_key(key, None);
        shown.as_object_mut().and_then(|shown| shown.remove("secret"));
        shown
    })
}

/// An adjustment.
#[must_use]
pub fn adjustment(adjustment: &Adjustment, currency: Currency) -> Value {
    let amount = Money { amount: adjustment.amount, currency };
    let sign = if adjustment.direction == Direction::Out { "-" } else { "" };
    json!({
        "adjustment_id": adjustment.id.as_str(),
        "account_id": adjustment.account.as_str(),
        "balance": adjustment.target.to_string(),
        "amount": format!("{sign}{amount}"),
        "currency": currency.code(),
        "reason": adjustment.reason.as_str(),
        "by": adjustment.by.as_str(),
        "at": stamp::format(adjustment.at),
    })
}

/// A page of the adjustments of an account.
#[must_use]
pub fn adjustments(page: &Page<Adjustment>, currency: Currency) -> Value {
    listed(page, |one| adjustment(one, currency))
}

/// A finding, and what a person can do about it.
#[must_use]
pub fn finding(record: &FindingRecord) -> Value {
    let finding = &record.finding;
    let money =
        |money: Money| json!({"amount": money.to_string(), "currency": money.currency.code()});
    let closed = record.state.closed.as_ref();
    json!({
        "finding_id": finding.id(),
        "type": finding.kind.name(),
        "status": if closed.is_none() { "open" } else { "closed" },
        "account_id": finding.account.as_ref().map(|id| id.as_str()),
        "order_id": finding.order.as_ref().map(|id| id.as_str()),
        "payment_id": finding.payment.as_ref().map(|id| id.as_str()),
        "reversal_id": finding.reversal.as_ref().map(|id| id.as_str()),
        "expected": finding.expected.map(money),
        "actual": finding.actual.map(money),
        "refund": record.state.refunds.deciding().map(|refund| json!({
            "refund_id": refund.id.as_str(),
            "status": refund.status.name(),
            "failure_reason": refund.failure,
        })),
        "next_step": closed.is_none().then(|| next_step(finding.kind)),
        "found_at": stamp::format(finding.found_at),
        "closed_at": closed.map(|closed| stamp::format(closed.at)),
        "closed_by": closed.map(|closed| closed.by.as_str()),
        "closed_how": closed.map(|closed| closed.how.name()),
        "reason": closed.and_then(|closed| closed.reason.as_ref()).map(|reason| reason.as_str()),
        "resolved_before": record.state.resolved_before.as_ref().map(|closed| json!({
            "at": stamp::format(closed.at),
            "by": closed.by.as_str(),
            "reason": closed.reason.as_ref().map(|reason| reason.as_str()),
        })),
    })
}

/// A finding whose payment was credited, and the order that it is now.
#[must_use]
pub fn credited_finding(record: &FindingRecord, made: &OrderRecord, now: Timestamp) -> Value {
    let mut shown = finding(record);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("order".to_owned(), order(made, now));
    }
    shown
}

/// A page of findings.
#[must_use]
pub fn findings(page: &Page<FindingRecord>) -> Value {
    listed(page, finding)
}

/// A comparison with the provider, and its report.
#[must_use]
pub fn reconciliation(run: &Comparison) -> Value {
    let report = &run.report;
    let totals = report.totals.iter().map(|(key, total)| {
        let (category, currency) = key.split_once(' ').unwrap_or((key, ""));
        json!({
            "category": category,
            "currency": currency,
            "count": total.count,
            "amount": in_units(total.amount, currency),
            "fee": in_units(total.fee, currency),
            "net": in_units(total.net, currency),
        })
    });
    let drift = report.drift.iter().map(
        |(currency, units)| json!({"currency": currency, "amount": in_units(*units, currency)}),
    );
    let findings =
        report.findings.iter().map(|one| json!({"finding_id": one.id, "type": one.kind}));
    json!({
        "run_id": run.id(),
        "day": stamp::format_day(run.day),
        "status": if run.finished_at.is_some() { "finished" } else { "running" },
        "green": run.is_green(),
        // Of a day that is not over: what came after it was begun is not promised.
        "compared_until": stamp::format(run.next.min(run.started_at.max(run.day.begins()))),
        "started_at": stamp::format(run.started_at),
        "finished_at": run.finished_at.map(stamp::format),
        "worked_ms": run.worked_millis,
        "movements": report.movements,
        "payments": report.payments,
        "reversals": report.reversals,
        "claims": report.claims,
        "credited": report.credited,
        "taken": report.taken,
        "unreadable": report.unreadable,
        "totals": totals.collect::<Vec<_>>(),
        "drift": drift.collect::<Vec<_>>(),
        "finding_count": report.finding_count,
        "findings": findings.collect::<Vec<_>>(),
    })
}

/// A page of comparisons.
#[must_use]
pub fn reconciliations(page: &Page<Comparison>) -> Value {
    listed(page, reconciliation)
}

/// The columns of a report.
const REPORT_COLUMNS: [Column; 8] = [
    Column::words("day"),
    Column::words("line"),
    Column::words("name"),
    Column::words("currency"),
    Column::numbers("count"),
    Column::numbers("amount"),
    Column::numbers("fee"),
    Column::numbers("net"),
];

/// A report as comma-separated values (RFC 4180): a line for each total, drift and finding.
#[must_use]
pub fn reconciliation_csv(run: &Comparison) -> String {
    let report = &run.report;
    let day = stamp::format_day(run.day);
    let mut sheet = Sheet::new(&REPORT_COLUMNS).with_header();
    for (key, total) in &report.totals {
        let (category, currency) = key.split_once(' ').unwrap_or((key, ""));
        let [amount, fee, net] =
            [total.amount, total.fee, total.net].map(|units| in_units(units, currency));
        let count = total.count.to_string();
        sheet.row([&day, "total", category, currency, &count, &amount, &fee, &net]);
    }
    for (currency, units) in &report.drift {
        sheet.row([&day, "drift", "", currency, "", &in_units(*units, currency), "", ""]);
    }
    for named in &report.findings {
        let name = format!("{} {}", named.kind, named.id);
        sheet.row([&day, "finding", &name, "", "", "", "", ""]);
    }
    sheet.into_text()
}

/// The address of a console session; null when it was shown before.
#[must_use]
pub fn console_session(opened: &Opened) -> Value {
    match opened {
        Opened::Now(url) => json!({"url": url.as_str()}),
        Opened::Before => json!({"url": null}),
    }
}

/// A token of the console.
#[must_use]
pub fn issued_token(token: &IssuedToken) -> Value {
    let session = &token.session;
    let account = session.owner.account();
    let scopes: Vec<_> = session.scopes.iter().map(|scope| Scope::name(*scope)).collect();
    json!({
        "token": token.text,
        "token_type": "Bearer",
        "expires_at": stamp::format(token.expires_at),
        "role": if account.is_some() { "customer" } else { "operator" },
        "account_id": account.map(|account| account.as_str()),
        "person": session.person.as_str(),
        "scopes": scopes,
    })
}

/// What is answered to who has left the console, whatever the token was.
#[must_use]
pub fn revoked_token() -> Value {
    json!({"revoked": true})
}

/// The catalogue with its version, author and time.
#[must_use]
pub fn catalogue(known: &CatalogueVersion) -> Value {
    json!({
        "version": known.version,
        "changed_at": stamp::format(known.changed_at),
        "changed_by": known.changed_by.as_str(),
        "wallet": known.catalogue.wallet,
        "products": known.catalogue.products,
        "rates": known.catalogue.rates,
        "bank_accounts": known.catalogue.bank_accounts,
    })
}

/// An uploaded statement, without its lines.
#[cfg(feature = "objects")]
fn uploaded(statement: &Statement) -> Value {
    json!({
        "statement_id": statement.id,
        "format": statement.format.name(),
        "currency": statement.account.currency().code(),
        "receiving_account": statement.account.number(),
        "line_count": statement.lines,
        "imported_at": stamp::format(statement.imported_at),
        "imported_by": statement.imported_by.as_str(),
    })
}

/// A statement with what its lines may pay.
#[cfg(feature = "objects")]
#[must_use]
pub fn statement(matched: &MatchedStatement) -> Value {
    let exact = matched.lines.iter().filter(|line| is_exact(line));
    let matches = json!({
        "skipped": matched.skipped,
        "complete": matched.complete,
        "exact": exact.count(),
        "lines": matched.lines.iter().map(line).collect::<Vec<_>>(),
    });
    let parts = [uploaded(&matched.statement), matches].into_iter();
    parts.filter_map(|part| part.as_object().cloned()).flatten().collect()
}

/// A page of uploaded statements.
#[cfg(feature = "objects")]
#[must_use]
pub fn statements(page: &Page<Statement>) -> Value {
    listed(page, uploaded)
}

/// What became of the lines that were to be accepted.
#[cfg(feature = "objects")]
#[must_use]
pub fn accepted_lines(accepted: &AcceptedLines) -> Value {
    let results = accepted.outcomes.iter().map(|(line, order, outcome)| {
        let (line, order) = (line, order.as_str());
        match outcome {
            Ok(_) => json!({"line": line, "order_id": order, "outcome": "accepted"}),
            Err(error) => {
                let Problem { code, detail, .. } = Problem::of(error);
                json!({
                    "line": line,
                    "order_id": order,
                    "outcome": "refused",
                    "code": code,
                    "detail": detail,
                })
            }
        }
    });
    let count = accepted.outcomes.iter().filter(|(_, _, outcome)| outcome.is_ok()).count();
    json!({
        "accepted": count,
        "remaining": accepted.remaining,
        "results": results.collect::<Vec<_>>(),
    })
}

#[cfg(feature = "objects")]
fn line(matched: &MatchedLine) -> Value {
    let line = &matched.line;
    let credited = |claim: &PaymentClaim| json!({"order_id": claim.order.as_str(), "account_id": claim.account.as_str()});
    let used_for = |claim: &PaymentClaim| {
        json!({
            "order_id": claim.order.as_str(),
            "account_id": claim.account.as_str(),
            "amount": claim.money.to_string(),
            "currency": claim.money.currency.code(),
        })
    };
    let proposals = matched.proposals.iter().map(|proposal| {
        let evidence: Vec<_> = proposal.evidence.iter().map(|evidence| evidence.name()).collect();
        json!({
            "order_id": proposal.order.as_str(),
            "status": proposal.status.name(),
            "score": proposal.score,
            "reasons": evidence,
            "exact": proposal.exact,
        })
    });
    let state = match (&matched.credited, matched.proposals.is_empty()) {
        (Some(_), _) => "credited",
        (None, true) => "unmatched",
        (None, false) if is_exact(matched) => "exact",
        (None, false) => "proposed",
    };
    json!({
        "line": line.number,
        "state": state,
        "booked_on": stamp::format_day(line.booked_on),
        "amount": line.money.to_string(),
        "currency": line.money.currency.code(),
        "bank_reference": line.bank_reference.as_ref().map(|reference| reference.as_str()),
        "payer_name": line.payer.as_ref().map(|payer| payer.as_str()),
        "information": line.information,
        "doubt": line.doubt.map(Doubt::name),
        "credited": matched.credited.as_ref().map(credited),
        "used_for": matched.used.as_ref().map(used_for),
        "proposals": proposals.collect::<Vec<_>>(),
    })
}

#[cfg(feature = "objects")]
fn is_exact(line: &MatchedLine) -> bool {
    line.proposals.iter().any(|proposal| proposal.exact)
}

fn listed<T>(page: &Page<T>, show: impl Fn(&T) -> Value) -> Value {
    json!({"data": page.items.iter().map(show).collect::<Vec<_>>(), "next_cursor": page.next})
}
