//! The reading calls: one object, or a page of a list, with expanded references.

use serde_json::{Value, json};

use super::events::Announcer;
use super::failure::Failure;
use super::objects::{
    BalanceTransaction, Charge, Dispute, Document, Event, PaymentIntent, Refund, Session,
};
use super::parameters::Parameters;
use super::store::{Page, StoreError};
use super::{movement_shapes, shapes};

/// The names of what can stand in a reference and be expanded.
const EXPANDABLE: &[&str] = &[
    "payment_intent",
    "latest_charge",
    "charge",
    "balance_transaction",
    "failure_balance_transaction",
    "source",
    "line_items",
];

/// One stored object in Stripe's shape, and where it is listed.
pub(super) trait Shape: Document {
    const LIST: &'static str;
    const FILTERS: &'static [&'static str];
    fn shape(&self, announcer: &Announcer<'_>) -> Result<Value, StoreError>;
}

impl Shape for Session {
    const LIST: &'static str = "/v1/checkout/sessions";
    const FILTERS: &'static [&'static str] = &["payment_intent", "status"];
    fn shape(&self, announcer: &Announcer<'_>) -> Result<Value, StoreError> {
        Ok(shapes::session(self, announcer.public_url))
    }
}

impl Shape for PaymentIntent {
    const LIST: &'static str = "/v1/payment_intents";
    const FILTERS: &'static [&'static str] = &[];
    fn shape(&self, _: &Announcer<'_>) -> Result<Value, StoreError> {
        Ok(shapes::payment_intent(self))
    }
}

impl Shape for Charge {
    const LIST: &'static str = "/v1/charges";
    const FILTERS: &'static [&'static str] = &["payment_intent"];
    fn shape(&self, _: &Announcer<'_>) -> Result<Value, StoreError> {
        Ok(shapes::charge(self))
    }
}

impl Shape for Refund {
    const LIST: &'static str = "/v1/refunds";
    const FILTERS: &'static [&'static str] = &["charge", "payment_intent"];
    fn shape(&self, _: &Announcer<'_>) -> Result<Value, StoreError> {
        Ok(movement_shapes::refund(self))
    }
}

impl Shape for Dispute {
    const LIST: &'static str = "/v1/disputes";
    const FILTERS: &'static [&'static str] = &["charge", "payment_intent"];
    fn shape(&self, announcer: &Announcer<'_>) -> Result<Value, StoreError> {
        let mut movements = Vec::new();
        for id in &self.balance_transactions {
            movements.extend(referenced(announcer, id)?);
        }
        Ok(movement_shapes::dispute(self, &movements))
    }
}

impl Shape for BalanceTransaction {
    const LIST: &'static str = "/v1/balance_transactions";
    const FILTERS: &'static [&'static str] = &["currency", "source", "type"];
    fn shape(&self, announcer: &Announcer<'_>) -> Result<Value, StoreError> {
        Ok(movement_shapes::balance_transaction(self, announcer.now))
    }
}

impl Shape for Event {
    const LIST: &'static str = "/v1/events";
    const FILTERS: &'static [&'static str] = &["type"];
    fn shape(&self, announcer: &Announcer<'_>) -> Result<Value, StoreError> {
        Ok(shapes::event(self, announcer.books.is_pending(self)?.into()))
    }
}

/// Answers a `GET` of the path with these segments. Nothing if there is no such call.
pub(super) fn answer(
    announcer: &Announcer<'_>,
    segments: &[&str],
    parameters: Parameters,
) -> Option<Result<Value, Failure>> {
    Some(match segments {
        ["checkout", "sessions"] => list::<Session>(announcer, parameters),
        ["checkout", "sessions", id] => one::<Session>(announcer, id, "session", parameters),
        ["payment_intents", id] => one::<PaymentIntent>(announcer, id, "intent", parameters),
        ["charges"] => list::<Charge>(announcer, parameters),
        ["charges", id] => one::<Charge>(announcer, id, "id", parameters),
        ["refunds"] => list::<Refund>(announcer, parameters),
        ["refunds", id] => one::<Refund>(announcer, id, "id", parameters),
        ["disputes"] => list::<Dispute>(announcer, parameters),
        ["disputes", id] => one::<Dispute>(announcer, id, "dispute", parameters),
        ["events"] => list::<Event>(announcer, parameters),
        ["events", id] => one::<Event>(announcer, id, "id", parameters),
        ["balance_transactions"] => list::<BalanceTransaction>(announcer, parameters),
        ["balance_transactions", id] => one::<BalanceTransaction>(announcer, id, "id", parameters),
        _ => return None,
    })
}

/// One object; `parameter` is what Stripe calls its id.
fn one<D: Shape>(
    announcer: &Announcer<'_>,
    id: &str,
    parameter: &str,
    mut parameters: Parameters,
) -> Result<Value, Failure> {
    let paths = parameters.list("expand");
    parameters.finish(&["expand"])?;
    let document: D =
        announcer.books.get(id)?.ok_or_else(|| Failure::no_such(D::KIND, id, parameter))?;
    expanded(announcer, document.shape(announcer)?, &paths)
}

/// A page of a list, newest first.
fn list<D: Shape>(announcer: &Announcer<'_>, mut parameters: Parameters) -> Result<Value, Failure> {
    let limit = parameters.integer("limit")?.unwrap_or(10);
    let limit = usize::try_from(limit).ok().filter(|limit| (1..=100).contains(limit));
    let paths = parameters.list("expand");
    let page = Page {
        limit: limit.ok_or_else(|| {
            Failure::invalid("Invalid limit: must be between 1 and 100.").parameter("limit")
        })?,
        starting_after: parameters.text("starting_after"),
        created: created(&mut parameters)?,
        filters: D::FILTERS
            .iter()
            .filter_map(|field| Some((*field, parameters.text(field)?)))
            .collect(),
    };
    parameters.finish(&["created", "expand"])?;
    if let Some(id) = &page.starting_after
        && announcer.books.get::<D>(id)?.is_none()
    {
        return Err(Failure::no_such(D::KIND, id, "starting_after"));
    }
    let (documents, has_more) = announcer.books.list::<D>(&page)?;
    let data = documents
        .iter()
        .map(|document| document.shape(announcer))
        .collect::<Result<Vec<_>, _>>()?;
    let list = json!({ "object": "list", "data": data, "has_more": has_more, "url": D::LIST });
    expanded(announcer, list, &paths)
}

/// Puts the objects in place of the references that `paths` name.
pub(super) fn expanded(
    announcer: &Announcer<'_>,
    mut shape: Value,
    paths: &[String],
) -> Result<Value, Failure> {
    for path in paths {
        let refuse = || {
            let message = format!("This property cannot be expanded ({path}).");
            Failure::invalid(message).parameter("expand")
        };
        let names: Vec<&str> = path.split('.').collect();
        let known = |name: &&str| *name == "data" || EXPANDABLE.contains(name);
        if names.len() > 4 || !names.iter().all(known) {
            return Err(refuse());
        }
        expand(announcer, &mut shape, &names, "", &refuse)?;
    }
    Ok(shape)
}

/// Goes one name further. `below` is the name that led here.
fn expand(
    announcer: &Announcer<'_>,
    shape: &mut Value,
    names: &[&str],
    below: &str,
    refuse: &dyn Fn() -> Failure,
) -> Result<(), Failure> {
    let (Some((name, rest)), Some(fields)) = (names.split_first(), shape.as_object_mut()) else {
        return Ok(());
    };
    if *name == "line_items"
        && let Some(id) = fields.get("id").and_then(Value::as_str)
        && let Some(session) = announcer.books.get::<Session>(id)?
    {
        fields.insert("line_items".to_owned(), shapes::line_items(&session));
    }
    let place = match fields.get_mut(*name) {
        Some(place) => place,
        // Sources are of several kinds: it is enough if one of them has the property.
        None if below == "source" => return Ok(()),
        None => return Err(refuse()),
    };
    if let Value::Array(items) = place {
        return items.iter_mut().try_for_each(|item| expand(announcer, item, rest, name, refuse));
    }
    if let Some(id) = place.as_str() {
        *place = referenced(announcer, id)?.ok_or_else(refuse)?;
    }
    expand(announcer, place, rest, name, refuse)
}

fn referenced(announcer: &Announcer<'_>, id: &str) -> Result<Option<Value>, StoreError> {
    fn find<D: Shape>(announcer: &Announcer<'_>, id: &str) -> Result<Option<Value>, StoreError> {
        let document: Option<D> = announcer.books.get(id)?;
        document.map(|document| document.shape(announcer)).transpose()
    }
    match id.split('_').next() {
        Some("pi") => find::<PaymentIntent>(announcer, id),
        Some("ch") => find::<Charge>(announcer, id),
        Some("re") => find::<Refund>(announcer, id),
        Some("dp") => find::<Dispute>(announcer, id),
        Some("txn") => find::<BalanceTransaction>(announcer, id),
        _ => Ok(None),
    }
}

/// The seconds that `created`, or its bounds, leave over: from, inclusive, and to, exclusive.
fn created(parameters: &mut Parameters) -> Result<(i64, i64), Failure> {
    let after = |bound: Option<i64>| bound.map(|bound| bound.saturating_add(1));
    let exactly = parameters.integer("created")?;
    let from =
        [exactly, parameters.integer("created[gte]")?, after(parameters.integer("created[gt]")?)];
    let to = [
        after(exactly),
        parameters.integer("created[lt]")?,
        after(parameters.integer("created[lte]")?),
    ];
    Ok((
        from.into_iter().flatten().max().unwrap_or(i64::MIN),
        to.into_iter().flatten().min().unwrap_or(i64::MAX),
    ))
}
