//! What the functions depend on, behind the network: the table, the queue and the payment provider.
//! Each answers at once, one request at a time.
//!
//! The auditor sits here. After every transaction that took effect it reads what was written back
//! out of the table and asks the [`Model`] whether that may be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::engine::{Engine, Reply};
use super::images::Step;
use super::journal::matches_journal;
use super::model::Model;
use super::network::Call;
use super::provider::Provider;
use super::queue::Queue;

/// Table, queue, provider, and the auditor between them.
pub struct Cloud {
    /// Where the money is.
    pub engine: Engine,
    /// Where payments wait that could not be confirmed at once.
    pub queue: Queue,
    /// Who takes the customers' money.
    pub provider: Provider,
    /// Uploaded files by their path: only ever the same bytes.
    pub objects: BTreeMap<String, Vec<u8>>,
    /// What must be true.
    pub model: Model,
    /// The first thing that must not be.
    pub broken: Option<String>,
    /// Commits that the auditor has looked at.
    pub commits: u64,
    /// What has happened, and how often: a simulation in which it never does proves nothing.
    pub seen: BTreeMap<String, u64>,
    audits: bool,
    tokens: BTreeSet<String>,
    made_at: BTreeMap<String, Instant>,
    history: Sha256,
    lines: Option<Vec<String>>,
}

/// The name of the table.
pub const TABLE: &str = "topup-local";

/// Whether a message is one that no code can confirm.
#[must_use]
pub fn is_poison(body: &str) -> bool {
    body == "nobody sent this" || body.contains("\"unreadable\"")
}

/// Whether a read is one of what is there now; an index can only tell what was there.
fn is_consistent(call: &Call) -> Result<(), String> {
    let request: Value = serde_json::from_slice(&call.body).map_err(|error| error.to_string())?;
    let consistent = match call.operation.as_str() {
        "GetItem" => request["ConsistentRead"] == true,
        "BatchGetItem" => request["RequestItems"][TABLE]["ConsistentRead"] == true,
        "Query" => request["IndexName"].is_string() || request["ConsistentRead"] == true,
        _ => true,
    };
    match consistent {
        true => Ok(()),
        false => Err(format!("a {} that may show what was", call.operation)),
    }
}

impl Cloud {
    /// A cloud around a table; the auditor looks at what comes after [`Cloud::begin`].
    #[must_use]
    pub fn new(engine: Engine, queue: Queue, provider: Provider) -> Self {
        Self {
            engine,
            queue,
            provider,
            objects: BTreeMap::new(),
            model: Model::default(),
            broken: None,
            commits: 0,
            seen: BTreeMap::new(),
            audits: false,
            tokens: BTreeSet::new(),
            made_at: BTreeMap::new(),
            history: Sha256::new(),
            lines: None,
        }
    }

    /// From here on, everything that is written is looked at.
    pub fn begin(&mut self) {
        self.audits = true;
    }

    /// Keeps the history to be read, not only its fingerprint.
    pub fn keep_history(&mut self) {
        self.lines = Some(Vec::new());
    }

    /// The history, if it was kept.
    pub fn take_history(&mut self) -> Vec<String> {
        self.lines.take().unwrap_or_default()
    }

    /// What everything that happened so far adds up to.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let digest = self.history.clone().finalize();
        data_encoding::HEXLOWER.encode(&digest[..8])
    }

    /// Writes a line of the history.
    pub fn note(&mut self, line: &str) {
        self.history.update(line.as_bytes());
        self.history.update(b"\n");
        if let Some(lines) = &mut self.lines {
            lines.push(line.to_owned());
        }
    }

    /// Counts something that has happened.
    pub fn saw(&mut self, what: &str) {
        match self.seen.get_mut(what) {
            Some(count) => *count += 1,
            None => drop(self.seen.insert(what.to_owned(), 1)),
        }
    }

    /// Something is as it must not be. The first one counts.
    pub fn must(&mut self, checked: Result<(), String>) {
        if let Err(violation) = checked {
            self.note(&violation);
            self.broken.get_or_insert(violation);
        }
    }

    /// Does what a request asks for.
    #[must_use]
    pub fn answer(&mut self, call: &Call, index_lag: Duration) -> Reply {
        let reply = match call.wire {
            "table" => self.ask_table(call, index_lag),
            "queue" => {
                self.saw(&format!("queue {}", call.operation));
                self.queue.answer(&call.operation, &call.body)
            }
            "objects" => self.ask_objects(call),
            _ => {
                let checked = self.provider.check(call, &self.model);
                self.must(checked);
                self.provider.answer(call)
            }
        };
        self.note(&format!("{} {} {}", call.wire, call.operation, reply.status));
        reply
    }

    /// An object storage in which nothing may ever be overwritten by something else.
    fn ask_objects(&mut self, call: &Call) -> Reply {
        let (method, path) = call.operation.split_once(' ').unwrap_or_default();
        let known = self.objects.get(path);
        match (method, known) {
            ("PUT", known) => {
                let name = path.rsplit('/').next().unwrap_or_default();
                let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(&call.body));
                let same = known.is_none_or(|known| *known == call.body) && name == hash;
                self.must(same.then_some(()).ok_or_else(|| format!("{path} is not its hash")));
                self.objects.insert(path.to_owned(), call.body.clone());
                Reply { status: 200, body: Vec::new() }
            }
            ("GET", Some(body)) => Reply { status: 200, body: body.clone() },
            _ => Reply { status: 403, body: b"<Error><Code>AccessDenied</Code></Error>".to_vec() },
        }
    }

    fn ask_table(&mut self, call: &Call, index_lag: Duration) -> Reply {
        self.must(is_consistent(call));
        let reply = self.engine.answer(&call.operation, &call.body);
        if call.operation == "TransactWriteItems" && reply.status == 400 {
            self.saw("a commit that lost a race");
        }
        match call.operation.as_str() {
            "TransactWriteItems" if reply.status == 200 && self.audits => {
                let audited = self.audit(&call.body);
                self.must(audited);
                reply
            }
            "Query" if index_lag > Duration::ZERO => self.lagging(reply, index_lag),
            _ => reply,
        }
    }

    /// Looks at a transaction that took effect, in the table.
    fn audit(&mut self, body: &[u8]) -> Result<(), String> {
        let request: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let token = request["ClientRequestToken"].as_str().unwrap_or_default();
        if !self.tokens.insert(token.to_owned()) {
            return Ok(());
        }
        let mut keys = Vec::new();
        for action in request["TransactItems"].as_array().into_iter().flatten() {
            let put = &action["Put"];
            let condition = put["ConditionExpression"].as_str().unwrap_or_default();
            if condition != "attribute_not_exists(pk)" && condition != "version = :seen" {
                return Err(format!("a write that is no conditional put: {action}"));
            }
            keys.push(json!({"pk": put["Item"]["pk"], "sk": put["Item"]["sk"]}));
        }
        self.commits += 1;
        let read = json!({"RequestItems": {TABLE: {"Keys": keys, "ConsistentRead": true}}});
        let reply = self.engine.answer("BatchGetItem", read.to_string().as_bytes());
        let answer: Value =
            serde_json::from_slice(&reply.body).map_err(|error| error.to_string())?;
        let items = answer["Responses"][TABLE].as_array().cloned().unwrap_or_default();
        if items.len() != keys.len() {
            return Err(format!("{} items were written, {} are there", keys.len(), items.len()));
        }
        let step = Step::read(items.iter())?;
        for what in self.model.meaning(&step) {
            self.saw(&what);
        }
        for (order, _) in &step.top_ups {
            self.made_at.insert(format!("ORDER#{}", order.id), Instant::now());
        }
        if let Some(order) = &step.order {
            self.made_at.entry(format!("ORDER#{}", order.id)).or_insert_with(Instant::now);
            self.note(&format!("{} {} {:?}", order.id, order.version, order.statuses));
        }
        self.model.commit(&step, &self.provider)
    }

    /// An index page without what is too new for it.
    fn lagging(&mut self, reply: Reply, lag: Duration) -> Reply {
        let mut answer: Value = serde_json::from_slice(&reply.body).expect("JSON");
        let horizon = Instant::now().checked_sub(lag);
        let made_at = &self.made_at;
        let shown = |item: &Value| {
            let made = item["pk"]["S"].as_str().and_then(|pk| made_at.get(pk));
            made.is_none_or(|made| horizon.is_some_and(|horizon| *made <= horizon))
        };
        if let Some(items) = answer["Items"].as_array_mut() {
            let before = items.len();
            items.retain(shown);
            if items.len() < before {
                self.saw("an order that its index did not show yet");
            }
        }
        Reply { body: answer.to_string().into_bytes(), ..reply }
    }

    /// When an order was first written.
    #[must_use]
    pub fn made_at(&self, order: &str) -> Option<Instant> {
        self.made_at.get(&format!("ORDER#{order}")).copied()
    }

    /// Only what can never be confirmed was given up.
    ///
    /// # Errors
    /// What else was.
    pub fn only_poison_is_dead(&self) -> Result<(), String> {
        match self.queue.dead().iter().find(|body| !is_poison(body)) {
            Some(body) => Err(format!("was given up: {body}")),
            None => Ok(()),
        }
    }

    /// How many items of each kind there are.
    ///
    /// # Panics
    /// If the table is larger than one page.
    #[must_use]
    pub fn kinds(&self) -> BTreeMap<String, usize> {
        let scan = json!({"TableName": TABLE, "ConsistentRead": true});
        let reply = self.engine.answer("Scan", scan.to_string().as_bytes());
        let page: Value = serde_json::from_slice(&reply.body).expect("JSON");
        assert!(page["LastEvaluatedKey"].is_null(), "a small table");
        let mut kinds = BTreeMap::new();
        for item in page["Items"].as_array().into_iter().flatten() {
            let kind = item["pk"]["S"].as_str().unwrap_or_default().split('#').next();
            *kinds.entry(kind.unwrap_or_default().to_owned()).or_default() += 1;
        }
        kinds
    }

    /// The model has what an item says that is written once.
    fn must_know(&self, step: &Step) -> Result<(), String> {
        let model = &self.model;
        let known = [
            step.claim
                .as_ref()
                .is_none_or(|claim| model.credited.get(&claim.payment) == Some(&claim.order)),
            step.reference
                .as_ref()
                .is_none_or(|(code, order)| model.references.get(code) == Some(order)),
            step.pointer
                .as_ref()
                .is_none_or(|(payment, finding)| model.pointers.get(payment) == Some(finding)),
            step.adjustment
                .as_ref()
                .is_none_or(|adjustment| model.adjustments.get(&adjustment.id) == Some(adjustment)),
            step.finding
                .as_ref()
                .is_none_or(|finding| model.findings.get(&finding.id) == Some(finding)),
            step.charges.iter().all(|charge| model.usage.charges.get(&charge.id) == Some(charge)),
            step.hold.as_ref().is_none_or(|hold| model.usage.hold(&hold.id) == Some(hold)),
            step.events.iter().all(|event| model.events.get(&event.id) == Some(event)),
            step.comparison.as_ref().is_none_or(|run| model.comparisons.get(&run.id) == Some(run)),
        ];
        match known.iter().all(|known| *known) {
            true => Ok(()),
            false => Err(format!("nobody knows {step:?}")),
        }
    }

    /// Reads the whole table and holds all of it against the model.
    ///
    /// # Errors
    /// The first thing that is in one and not in the other.
    pub fn audit_everything(&mut self) -> Result<(), String> {
        let mut left = self.model.orders.keys().cloned().collect::<BTreeSet<_>>();
        let (mut accounts, mut entries, mut claims, mut findings) = (0, 0, 0, 0);
        let (mut references, mut pointers, mut adjustments, mut compared) = (0, 0, 0, 0);
        let (mut charges, mut holds, mut events) = (0, 0, 0);
        let mut start = Value::Null;
        loop {
            let mut scan = json!({"TableName": TABLE, "ConsistentRead": true});
            if !start.is_null() {
                scan["ExclusiveStartKey"] = start;
            }
            let reply = self.engine.answer("Scan", scan.to_string().as_bytes());
            let page: Value = serde_json::from_slice(&reply.body).expect("JSON");
            for item in page["Items"].as_array().into_iter().flatten() {
                let step = Step::read(std::iter::once(item))?;
                if let Some(order) = &step.order {
                    let known = self.model.orders.get(&order.id).map(|known| known.version());
                    if known != Some(order.version) || !left.remove(&order.id) {
                        return Err(format!("{} is in the table, {known:?}", order.id));
                    }
                }
                if let Some(account) = &step.account {
                    accounts += 1;
                    let known = self.model.accounts.get(&account.id);
                    matches_journal(known.ok_or("an account nobody made")?, account)?;
                }
                for entry in step.entry.iter().chain(&step.released) {
                    entries += 1;
                    let known = self.model.accounts.get(&entry.account);
                    if !known.is_some_and(|known| known.entries.contains(entry)) {
                        return Err(format!("entry {} of {}", entry.number, entry.account));
                    }
                }
                self.must_know(&step)?;
                claims += usize::from(step.claim.is_some());
                references += usize::from(step.reference.is_some());
                pointers += usize::from(step.pointer.is_some());
                adjustments += usize::from(step.adjustment.is_some());
                findings += usize::from(step.finding.is_some());
                compared += usize::from(step.comparison.is_some());
                charges += step.charges.len();
                holds += usize::from(step.hold.is_some());
                events += step.events.len();
            }
            start = page["LastEvaluatedKey"].clone();
            if start.is_null() {
                break;
            }
        }
        let model = &self.model;
        let known = model.accounts.values().fold(0, |sum, account| sum + account.entries.len());
        let counted =
            (left.len(), accounts, entries, claims, findings, references, pointers, adjustments);
        if compared != model.comparisons.len() {
            return Err(format!("the table has {compared} comparisons"));
        }
        if (charges, holds) != (model.usage.charges.len(), model.usage.holds.len()) {
            return Err(format!("the table has {charges} charges and {holds} holds"));
        }
        if events != model.events.len() {
            return Err(format!("the table has {events} events, not {}", model.events.len()));
        }
        let (credited, found) = (model.credited.len(), model.findings.len());
        let (accounts, references) = (model.accounts.len(), model.references.len());
        let (pointers, adjustments) = (model.pointers.len(), model.adjustments.len());
        let expected = (0, accounts, known, credited, found, references, pointers, adjustments);
        match counted == expected {
            true => Ok(()),
            false => Err(format!("the table has {counted:?}, and should have {expected:?}")),
        }
    }
}
