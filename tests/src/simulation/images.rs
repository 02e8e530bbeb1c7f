//! What the items of the table say, read without the product's code.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::comparing::{ComparisonImage, comparison};
use super::events::{EventImage, event};
use super::micros::{self, Micros};
use super::thresholds::{ThresholdImage, thresholds};
use super::usage_images::{ChargeImage, HoldImage, OpenHoldImage, charge, hold, open_holds};

/// What one transaction put into the table.
#[derive(Debug, Default)]
pub struct Step {
    /// The claim of a reference code: code and order.
    pub reference: Option<(String, String)>,
    /// What the operator made of an account that has no money of its own to tell.
    pub profile: Option<String>,
    /// Keys, sessions, the catalogue, statements and records of changes: nothing of money.
    pub others: usize,
    /// The order, if it wrote one.
    pub order: Option<OrderImage>,
    /// The order that could not take its payment, if that was booked as an order of its own.
    pub follower: Option<OrderImage>,
    /// The claim of a payment.
    pub claim: Option<ClaimImage>,
    /// Claims of refunds and disputes whose money is taken.
    pub taken: Vec<TakenImage>,
    /// What is claimed, and when that was, in milliseconds.
    pub settled: Vec<(String, u64)>,
    /// A finding.
    pub finding: Option<FindingImage>,
    /// What leads from a payment to its finding: payment and finding.
    pub pointer: Option<(String, String)>,
    /// An adjustment.
    pub adjustment: Option<AdjustmentImage>,
    /// A comparison with the provider.
    pub comparison: Option<ComparisonImage>,
    /// Charges, each put once.
    pub charges: Vec<ChargeImage>,
    /// A hold.
    pub hold: Option<HoldImage>,
    /// Events.
    pub events: Vec<EventImage>,
    /// The entry that releases holds whose time is over, before any other one.
    pub released: Option<EntryImage>,
    /// The orders and entries by which products are topped up from the wallet, before the entry.
    pub top_ups: Vec<(OrderImage, EntryImage)>,
    /// The entry.
    pub entry: Option<EntryImage>,
    /// The account.
    pub account: Option<AccountImage>,
}

/// An account.
#[derive(Debug, Clone)]
pub struct AccountImage {
    /// Its id.
    pub id: String,
    /// The number of its writes.
    pub version: u64,
    /// The number of its last entry.
    pub entries: u64,
    /// The hash of its last entry.
    pub head: String,
    /// What is in which place.
    pub balances: BTreeMap<String, Micros>,
    /// What the customer owes.
    pub debt: Micros,
    /// What open holds keep, by their ids.
    pub holds: BTreeMap<String, OpenHoldImage>,
    /// What is to happen when a balance runs low, by balance.
    pub thresholds: BTreeMap<String, ThresholdImage>,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryImage {
    /// Whose.
    pub account: String,
    /// Its number.
    pub number: u64,
    /// When, in milliseconds.
    pub at: u64,
    /// Why.
    pub kind: String,
    /// For which order, charges or holds.
    pub document: String,
    /// What moved.
    pub lines: Vec<LineImage>,
    /// Where that led.
    pub balances_after: BTreeMap<String, Micros>,
    /// The hash before.
    pub previous_hash: String,
    /// Its hash.
    pub hash: String,
}

/// A line of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineImage {
    /// The place.
    pub place: String,
    /// The currency.
    pub currency: String,
    /// What was added to it.
    pub amount: Micros,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderImage {
    /// Its id.
    pub id: String,
    /// The number of its writes.
    pub version: u64,
    /// Whose.
    pub account: String,
    /// `card`, `offline` or `balance`.
    pub method: String,
    /// Where its money goes.
    pub target: String,
    /// How much, in dollars.
    pub amount: Micros,
    /// What is to be paid.
    pub payable: Micros,
    /// In what.
    pub payable_currency: String,
    /// What the payer writes into a bank transfer.
    pub reference: Option<String>,
    /// The id of the review by which its transfer was accepted.
    pub acceptance: Option<String>,
    /// Every status it had, oldest first.
    pub statuses: Vec<String>,
    /// Why it got each of them.
    pub reasons: Vec<String>,
    /// Whether its customer has called it off.
    pub cancel_requested: bool,
    /// When it was made, in milliseconds.
    pub created_at: u64,
    /// The payment page that is shown.
    pub session: Option<String>,
    /// The attempt at making that page.
    pub attempt: u64,
    /// What was credited, if it was.
    pub settled: Option<SettledImage>,
    /// What of it went back.
    pub reversals: ReversalsImage,
}

/// What of an order went back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReversalsImage {
    /// What was taken for good.
    pub taken: Micros,
    /// What is set aside.
    pub held: Micros,
    /// Refunds, oldest first.
    pub refunds: Vec<RefundImage>,
    /// Disputes, oldest first.
    pub disputes: Vec<DisputeImage>,
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundImage {
    /// Its id.
    pub id: String,
    /// How much.
    pub amount: Micros,
    /// Of what.
    pub currency: String,
    /// `pending`, `succeeded` or `failed`.
    pub status: String,
    /// The provider's name for it.
    pub provider: Option<String>,
    /// The bank's reference.
    pub bank_reference: Option<String>,
    /// Counts the keys with which the provider was asked.
    pub attempt: u64,
}

/// A dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeImage {
    /// The provider's name for it.
    pub id: String,
    /// How much.
    pub amount: Micros,
    /// Of what.
    pub currency: String,
    /// What is known: `contested`, `closed`, `withdrawn`, `reinstated`, `won`, `lost`.
    pub facts: BTreeSet<String>,
}

/// An adjustment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AdjustmentImage {
    /// Its id.
    pub id: String,
    /// Whose balance.
    pub account: String,
    /// Which balance.
    pub balance: String,
    /// What is put in, or taken out if it is below zero.
    pub amount: Micros,
}

/// What was credited for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledImage {
    /// By which payment; none for a transfer.
    pub payment: Option<String>,
    /// What arrived.
    pub received: Micros,
    /// Of what.
    pub received_currency: String,
    /// What that was worth.
    pub credited: Micros,
    /// How much of it went into a debt.
    pub debt_paid: Micros,
}

/// The claim of a payment.
#[derive(Debug, Clone)]
pub struct ClaimImage {
    /// The payment.
    pub payment: String,
    /// The order that it paid.
    pub order: String,
}

/// The claim of a refund or dispute of the provider.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TakenImage {
    /// The provider's name for it.
    pub reversal: String,
    /// The payment that went back.
    pub payment: String,
    /// The order that it had paid.
    pub order: String,
    /// How much.
    pub amount: Micros,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingImage {
    /// Its id.
    pub id: String,
    /// The number of its writes.
    pub version: u64,
    /// What disagrees.
    pub kind: String,
    /// The account; empty if nobody knows.
    pub account: String,
    /// The order; empty if nobody knows.
    pub order: String,
    /// The payment.
    pub payment: String,
    /// The refund or dispute; empty if it is about the payment itself.
    pub reversal: String,
    /// How much our records say, and of what.
    pub expected: Option<(Micros, String)>,
    /// How much the outside says, and of what.
    pub actual: Option<(Micros, String)>,
    /// The refund of the whole payment that decides where it is.
    pub refund: Option<RefundImage>,
    /// Its other refunds.
    pub others: Vec<RefundImage>,
    /// How it ended, and why.
    pub closed: Option<(String, String)>,
    /// Whether a person had closed it before it was opened again.
    pub opened_again: bool,
}

/// Money that one transaction moved from the wallet.
#[derive(Debug, Default)]
struct Moved {
    orders: Vec<OrderImage>,
    entries: Vec<EntryImage>,
}

impl ReversalsImage {
    /// The refund of that id.
    #[must_use]
    pub fn refund(&self, id: &str) -> Option<&RefundImage> {
        self.refunds.iter().find(|refund| refund.id == id)
    }
}

impl OrderImage {
    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> &str {
        self.statuses.last().map_or("", String::as_str)
    }
}

impl EntryImage {
    /// The amount of each line by place and currency.
    #[must_use]
    pub fn lines_by_name(&self) -> BTreeMap<(String, String), Micros> {
        let lines = self.lines.iter();
        lines.map(|line| ((line.place.clone(), line.currency.clone()), line.amount)).collect()
    }
}

impl Step {
    /// Reads the items that one transaction put.
    ///
    /// # Errors
    /// An item that does not read, or that a movement of money never writes.
    pub fn read<'item>(items: impl Iterator<Item = &'item Value>) -> Result<Self, String> {
        let mut step = Self::default();
        let mut moved = Moved::default();
        for item in items {
            let added = step.add(item, &mut moved);
            added.ok_or_else(|| format!("an item that cannot be read: {item}"))?;
        }
        step.add_moved(moved)?;
        // Of two orders, one is paid by the payment that the other one could not take.
        let claimed = step.claim.as_ref().map(|claim| claim.order.as_str());
        if step.follower.as_ref().is_some_and(|order| claimed == Some(&order.id)) {
            std::mem::swap(&mut step.order, &mut step.follower);
        }
        Ok(step)
    }

    /// What was moved from the wallet is what the step is about, unless money is used in it.
    fn add_moved(&mut self, mut moved: Moved) -> Result<(), String> {
        let uses = self.entry.is_some();
        if !uses {
            self.entry = moved.entries.pop();
            self.order = self.order.take().or(moved.orders.pop());
        }
        moved.entries.sort_by_key(|entry| entry.number);
        for entry in moved.entries {
            let found = moved.orders.iter().position(|order| order.id == entry.document);
            let found = found.ok_or_else(|| format!("{entry:?} is of no order"))?;
            self.top_ups.push((moved.orders.remove(found), entry));
        }
        match moved.orders.pop() {
            Some(order) => Err(format!("{order:?} moves nothing")),
            None => Ok(()),
        }
    }

    fn add(&mut self, item: &Value, moved: &mut Moved) -> Option<()> {
        let (kind, id) = text(item, "pk")?.split_once('#').unwrap_or(("CATALOGUE", ""));
        match kind {
            "REFERENCE" => {
                self.reference = Some((id.to_owned(), text(item, "order_id")?.to_owned()));
            }
            "ACCOUNT" if text(item, "sk")? == "PROFILE" => self.profile = Some(id.to_owned()),
            "KEY" | "CONSOLE" | "CATALOGUE" | "CHANGE" | "STATEMENT" | "CURSOR" | "CHECKPOINT" => {
                self.others += 1;
            }
            "ORDER" if text(item, "method") == Some("balance") => {
                moved.orders.push(order(id, item)?)
            }
            "ORDER" => {
                let before = self.order.replace(order(id, item)?);
                if self.follower.is_some() {
                    return None;
                }
                self.follower = before;
            }
            "PAYMENT" if text(item, "sk")? == "FOUND" => {
                self.pointer = Some((id.to_owned(), text(item, "finding_id")?.to_owned()));
            }
            "PAYMENT" => {
                let order = text(item, "order_id")?.to_owned();
                self.claim = Some(ClaimImage { payment: id.to_owned(), order });
                self.settled.push((id.to_owned(), number(item, "settled_at")?));
            }
            "REVERSAL" => {
                self.taken.push(TakenImage {
                    reversal: id.to_owned(),
                    payment: text(item, "payment_id")?.to_owned(),
                    order: text(item, "order_id")?.to_owned(),
                    amount: micros::parse(text(item, "amount")?)?,
                });
                self.settled.push((id.to_owned(), number(item, "settled_at")?));
            }
            "COMPARISON" => self.comparison = Some(comparison(id, item)?),
            "FINDING" => self.finding = Some(finding(id, item)?),
            "ADJUSTMENT" => self.adjustment = Some(adjustment(id, item)?),
            "CHARGE" => self.charges.push(charge(id, item)?),
            "HOLD" if self.hold.is_none() => self.hold = Some(hold(id, item)?),
            "EVENT" => self.events.push(event(id, item)?),
            "JOURNAL" => {
                let entry = entry(id, item)?;
                let place = match entry.kind.as_str() {
                    "transfer" => {
                        moved.entries.push(entry);
                        return Some(());
                    }
                    "hold_expired" => &mut self.released,
                    _ => &mut self.entry,
                };
                if place.replace(entry).is_some() {
                    return None;
                }
            }
            "ACCOUNT" => self.account = Some(account(id, item)?),
            _ => return None,
        }
        Some(())
    }
}

fn account(id: &str, item: &Value) -> Option<AccountImage> {
    Some(AccountImage {
        id: id.to_owned(),
        version: number(item, "version")?,
        entries: number(item, "entries")?,
        head: text(item, "head")?.to_owned(),
        balances: amounts(item, "balances")?,
        debt: micros::parse(text(item, "debt")?)?,
        holds: open_holds(item)?,
        thresholds: thresholds(item)?,
    })
}

fn entry(account: &str, item: &Value) -> Option<EntryImage> {
    let lines = item["lines"]["L"].as_array()?.iter().map(|line| {
        let line = &line["M"];
        Some(LineImage {
            place: text(line, "place")?.to_owned(),
            currency: text(line, "currency")?.to_owned(),
            amount: micros::parse(text(line, "amount")?)?,
        })
    });
    let number = number(item, "number")?;
    if text(item, "sk")? != format!("{number:012}") {
        return None;
    }
    Some(EntryImage {
        account: account.to_owned(),
        number,
        at: self::number(item, "at")?,
        kind: text(item, "kind")?.to_owned(),
        document: text(item, "document_id")?.to_owned(),
        lines: lines.collect::<Option<_>>()?,
        balances_after: amounts(item, "balances_after")?,
        previous_hash: text(item, "previous_hash")?.to_owned(),
        hash: text(item, "hash")?.to_owned(),
    })
}

fn finding(id: &str, item: &Value) -> Option<FindingImage> {
    let own = |name: &str| text(item, name).unwrap_or_default().to_owned();
    Some(FindingImage {
        id: id.to_owned(),
        version: number(item, "version")?,
        kind: text(item, "kind")?.to_owned(),
        account: own("account_id"),
        order: own("order_id"),
        payment: own("payment_id"),
        reversal: own("reversal_id"),
        expected: match &item["expected"]["M"] {
            Value::Null => None,
            expected => Some(money(expected)?),
        },
        actual: match &item["actual"]["M"] {
            Value::Null => None,
            actual => Some(money(actual)?),
        },
        refund: match &item["refund"]["M"] {
            Value::Null => None,
            _ => Some(refund(&item["refund"])?),
        },
        others: match item["other_refunds"]["L"].as_array() {
            Some(others) => others.iter().map(refund).collect::<Option<_>>()?,
            None => Vec::new(),
        },
        opened_again: item["resolved_before"]["M"].is_object(),
        closed: match &item["closed"]["M"] {
            Value::Null => None,
            closed => {
                let reason = text(closed, "reason").unwrap_or_default();
                Some((text(closed, "how")?.to_owned(), reason.to_owned()))
            }
        },
    })
}

fn money(item: &Value) -> Option<(Micros, String)> {
    Some((micros::parse(text(item, "amount")?)?, text(item, "currency")?.to_owned()))
}

fn adjustment(id: &str, item: &Value) -> Option<AdjustmentImage> {
    let amount = micros::parse(text(item, "amount")?)?;
    let taken_out = item["taken_out"]["BOOL"].as_bool()?;
    Some(AdjustmentImage {
        id: id.to_owned(),
        account: text(item, "account_id")?.to_owned(),
        balance: text(item, "balance")?.to_owned(),
        amount: if taken_out { -amount } else { amount },
    })
}

fn reversals(item: &Value) -> Option<ReversalsImage> {
    let item = &item["reversals"]["M"];
    if item.is_null() {
        return Some(ReversalsImage::default());
    }
    let list = |name: &str| item[name]["L"].as_array().cloned().unwrap_or_default();
    Some(ReversalsImage {
        taken: micros::parse(text(item, "taken")?)?,
        held: micros::parse(text(item, "held")?)?,
        refunds: list("refunds").iter().map(refund).collect::<Option<_>>()?,
        disputes: list("disputes").iter().map(dispute).collect::<Option<_>>()?,
    })
}

fn refund(item: &Value) -> Option<RefundImage> {
    let item = &item["M"];
    Some(RefundImage {
        id: text(item, "id")?.to_owned(),
        amount: micros::parse(text(item, "amount")?)?,
        currency: text(item, "currency")?.to_owned(),
        status: text(item, "status")?.to_owned(),
        provider: text(item, "provider_id").map(str::to_owned),
        bank_reference: text(item, "bank_reference").map(str::to_owned),
        attempt: number(item, "attempt")?,
    })
}

fn dispute(item: &Value) -> Option<DisputeImage> {
    let item = &item["M"];
    let told = ["contested", "closed", "withdrawn", "reinstated"].into_iter();
    let told = told.filter(|fact| item[*fact]["BOOL"] == true).map(str::to_owned);
    Some(DisputeImage {
        id: text(item, "id")?.to_owned(),
        amount: micros::parse(text(item, "amount")?)?,
        currency: text(item, "currency")?.to_owned(),
        facts: told.chain(text(item, "outcome").map(str::to_owned)).collect(),
    })
}

fn order(id: &str, item: &Value) -> Option<OrderImage> {
    let timeline = item["timeline"]["L"].as_array()?;
    let of_each = |name: &str| -> Option<Vec<String>> {
        timeline.iter().map(|change| text(&change["M"], name).map(str::to_owned)).collect()
    };
    let settled = &item["settled"]["M"];
    let settled = match settled.is_null() {
        true => None,
        false => Some(SettledImage {
            payment: text(settled, "payment_id").map(str::to_owned),
            received: micros::parse(text(settled, "received")?)?,
            received_currency: text(settled, "received_currency")?.to_owned(),
            credited: micros::parse(text(settled, "credited")?)?,
            debt_paid: micros::parse(text(settled, "debt_paid")?)?,
        }),
    };
    Some(OrderImage {
        id: id.to_owned(),
        version: number(item, "version")?,
        account: text(item, "account_id")?.to_owned(),
        method: text(item, "method")?.to_owned(),
        target: text(item, "target")?.to_owned(),
        amount: micros::parse(text(item, "amount")?)?,
        payable: micros::parse(text(item, "payable")?)?,
        payable_currency: text(item, "payable_currency")?.to_owned(),
        reference: text(&item["bank_transfer"]["M"], "reference").map(str::to_owned),
        acceptance: acceptance(item),
        statuses: of_each("to")?,
        reasons: of_each("reason")?,
        cancel_requested: !item["cancel_requested_at"].is_null(),
        created_at: number(item, "created_at")?,
        session: text(&item["checkout"]["M"], "session_id").map(str::to_owned),
        attempt: number(&item["checkout"]["M"], "attempt").unwrap_or_default(),
        settled,
        reversals: reversals(item)?,
    })
}

fn acceptance(item: &Value) -> Option<String> {
    let reviews = item["bank_transfer"]["M"]["reviews"]["L"].as_array()?;
    let mut accepted = reviews.iter().map(|review| &review["M"]["accepted"]["M"]);
    accepted.find_map(|accepted| text(accepted, "id")).map(str::to_owned)
}

fn amounts(item: &Value, name: &str) -> Option<BTreeMap<String, Micros>> {
    let amounts = item[name]["M"].as_object()?.iter();
    let amounts =
        amounts.map(|(place, amount)| Some((place.clone(), micros::parse(amount["S"].as_str()?)?)));
    amounts.collect()
}

pub(super) fn text<'item>(item: &'item Value, name: &str) -> Option<&'item str> {
    item[name]["S"].as_str()
}

pub(super) fn number(item: &Value, name: &str) -> Option<u64> {
    u64::from_str_radix(item[name]["N"].as_str()?, 10).ok()
}
