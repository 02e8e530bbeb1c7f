//! The roles of the functions, as the templates grant them: whether a function may make a request, and
//! which grants any request needed.
//!
//! Every story runs under them: its wires refuse what IAM would refuse on AWS. What the stories made use of
//! is appended to the file that `TOPUP_GRANTS_USED` names, and `unused_grants` says which grants were not.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::{LazyLock, Mutex, PoisonError};

use axum::http::HeaderMap;
use local::embedded_queue::{CONFIRMATION_QUEUE, EVENT_QUEUE, USAGE_QUEUE};
use serde_json::Value;

use crate::template::{fields, functions, items, named, statements, texts};

/// Names the file that grants are written to once they are used.
pub const USED_VARIABLE: &str = "TOPUP_GRANTS_USED";

/// The local queues, and what they are in the template.
const QUEUES: [(&str, &str); 3] = [
    (CONFIRMATION_QUEUE, "ConfirmationQueue"),
    (USAGE_QUEUE, "UsageQueue"),
    (EVENT_QUEUE, "EventQueue"),
];

/// What a story cannot show: secrets are given to the functions locally, and Lambda's poller of a queue uses
/// the role of the function that it feeds. `tests/tests/shape` looks at these.
const NOT_ON_THE_WIRE: [&str; 4] = [
    "secretsmanager:GetSecretValue",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
];

/// The smallest thing that a role grants.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// Whose role it is.
    pub function: String,
    /// What may be done, such as `dynamodb:PutItem`.
    pub action: String,
    /// To what: a name of the template, and what follows its address.
    pub resource: String,
    /// To which partition keys; `*` if the role does not say.
    pub key: String,
}

/// A request, as far as IAM looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Who asks.
    pub function: String,
    /// What is to be done.
    pub action: String,
    /// To what.
    pub resource: String,
    /// The partition keys that it touches; none if they do not matter.
    pub keys: BTreeSet<String>,
    /// Whether it is part of a transaction.
    pub in_transaction: bool,
}

/// A statement of a role: some grants, which hold for a request as a whole.
#[derive(Debug)]
struct Statement {
    function: &'static str,
    actions: Vec<&'static str>,
    resources: Vec<String>,
    keys: Vec<&'static str>,
    only_in_transactions: bool,
}

static STATEMENTS: LazyLock<Vec<Statement>> = LazyLock::new(|| {
    let of_function = |(function, properties): (&'static str, &'static Value)| {
        let policies = properties.get("Policies");
        let found = items(policies).flat_map(statements);
        found.map(move |statement| Statement::read(function, statement)).collect::<Vec<_>>()
    };
    functions().flat_map(of_function).collect()
});

static USED: Mutex<BTreeSet<Grant>> = Mutex::new(BTreeSet::new());

impl Grant {
    /// Everything that the roles grant and a story can need.
    #[must_use]
    pub fn all() -> BTreeSet<Self> {
        let grants = STATEMENTS.iter().flat_map(Statement::grants);
        grants.filter(|grant| !NOT_ON_THE_WIRE.contains(&grant.action.as_str())).collect()
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { function, action, resource, key } = self;
        write!(formatter, "{function} {action} {resource} {key}")
    }
}

impl Statement {
    fn read(function: &'static str, statement: &'static Value) -> Self {
        assert_eq!(statement["Effect"], "Allow", "{statement}");
        let condition = statement.get("Condition");
        let known = ["ForAllValues:StringLike", "ForAnyValue:StringEquals"];
        let mut operators = fields(condition).map(|(operator, _)| operator);
        assert!(operators.all(|operator| known.contains(&operator)), "{statement}");
        let keys = condition.map(|condition| {
            texts(condition, "/ForAllValues:StringLike/dynamodb:LeadingKeys").collect()
        });
        let operations = condition.map(|condition| {
            texts(condition, "/ForAnyValue:StringEquals/dynamodb:EnclosingOperation").collect()
        });
        let operations: Vec<&str> = operations.unwrap_or_default();
        assert!(matches!(operations[..], [] | ["TransactWriteItems"]), "{statement}");
        let resource = &statement["Resource"];
        let resources: Vec<String> = match resource.as_array() {
            Some(several) => several.iter().map(named).collect(),
            None => vec![named(resource)],
        };
        Self {
            function,
            actions: texts(statement, "/Action").collect(),
            resources,
            keys: keys.unwrap_or_default(),
            only_in_transactions: !operations.is_empty(),
        }
    }

    fn grants(&self) -> Vec<Grant> {
        let keys = if self.keys.is_empty() { &["*"][..] } else { &self.keys[..] };
        let mut grants = Vec::new();
        for action in &self.actions {
            for resource in &self.resources {
                grants.extend(keys.iter().map(|key| Grant {
                    function: self.function.to_owned(),
                    action: (*action).to_owned(),
                    resource: resource.clone(),
                    key: (*key).to_owned(),
                }));
            }
        }
        grants
    }

    /// The grants that the request needs, if this statement allows it.
    fn allows(&self, asked: &Asked) -> Option<Vec<Grant>> {
        if self.only_in_transactions && !asked.in_transaction {
            return None;
        }
        let about = |grant: &Grant| {
            grant.function == asked.function
                && grant.action == asked.action
                && is_like(&asked.resource, &grant.resource)
        };
        let about: Vec<Grant> = self.grants().into_iter().filter(about).collect();
        if self.keys.is_empty() || about.is_empty() {
            return about.into_iter().next().map(|grant| vec![grant]);
        }
        let of_key = |key: &String| about.iter().find(|grant| is_like(key, &grant.key)).cloned();
        asked.keys.iter().map(of_key).collect()
    }
}

impl Asked {
    /// What a function of this deployment asks for on a wire; none if somebody else asks.
    #[must_use]
    pub fn read(wire: &str, operation: &str, headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let agent = headers.get("user-agent")?.to_str().ok()?;
        let function = agent.split(' ').find_map(|word| word.strip_prefix("app/"))?.to_owned();
        let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let (action, resource, keys) = match wire {
            "table" => of_table(operation, &body),
            "queue" => {
                let url = body["QueueUrl"].as_str().unwrap_or_default();
                let local = url.rsplit('/').next().unwrap_or_default();
                let known = QUEUES.iter().find(|(name, _)| *name == local);
                let queue = known.map_or(local, |(_, name)| *name);
                // A batch is granted by the action that sends one.
                let action = operation.strip_suffix("Batch").unwrap_or(operation);
                (format!("sqs:{action}"), queue.to_owned(), BTreeSet::new())
            }
            "objects" => {
                let (method, path) = operation.split_once(' ').unwrap_or_default();
                let verb = match method {
                    "PUT" => "Put",
                    "GET" => "Get",
                    _ => method,
                };
                let key = path.trim_start_matches('/').split_once('/').map_or("", |(_, key)| key);
                (format!("s3:{verb}Object"), format!("Files/{key}"), BTreeSet::new())
            }
            _ => return None,
        };
        let in_transaction = operation == "TransactWriteItems";
        Some(Self { function, action, resource, keys, in_transaction })
    }

    /// Makes use of the grants that it needs, if the role of the function has them.
    ///
    /// # Errors
    /// Says what would have to be granted.
    pub fn check(&self) -> Result<(), String> {
        match self.granted() {
            Some(grants) => {
                grants.into_iter().for_each(use_up);
                Ok(())
            }
            None => Err(format!("the role does not allow: {self:?}")),
        }
    }

    fn granted(&self) -> Option<Vec<Grant>> {
        STATEMENTS.iter().find_map(|statement| statement.allows(self))
    }
}

/// What a request to the table does, to which part of it, and with which partition keys.
fn of_table(operation: &str, body: &Value) -> (String, String, BTreeSet<String>) {
    let text = |value: &Value| value["S"].as_str().unwrap_or_default().to_owned();
    let own = |action: &str| format!("dynamodb:{action}");
    match operation {
        "TransactWriteItems" => {
            let writes = items(body.get("TransactItems"));
            let puts = writes.map(|write| text(&write["Put"]["Item"]["pk"]));
            (own("PutItem"), "Table".to_owned(), puts.collect())
        }
        "BatchGetItem" => {
            let tables = fields(body.get("RequestItems"));
            let keys = tables.flat_map(|(_, table)| items(table.get("Keys")));
            (own(operation), "Table".to_owned(), keys.map(|key| text(&key["pk"])).collect())
        }
        "Query" => match body["IndexName"].as_str() {
            Some(index) => (own(operation), format!("Table/index/{index}"), BTreeSet::new()),
            None => {
                let condition = body["KeyConditionExpression"].as_str().unwrap_or_default();
                let partition = condition.split(' ').nth(2).unwrap_or_default();
                let key = text(&body["ExpressionAttributeValues"][partition]);
                (own(operation), "Table".to_owned(), BTreeSet::from([key]))
            }
        },
        _ => (own(operation), "Table".to_owned(), BTreeSet::from([text(&body["Key"]["pk"])])),
    }
}

/// Whether a text is one that the pattern names, which may end with a star.
fn is_like(text: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => text.starts_with(beginning),
        None => text == pattern,
    }
}

/// Writes down that a grant was used, the first time.
fn use_up(grant: Grant) {
    let Ok(path) = std::env::var(USED_VARIABLE) else { return };
    let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
    if used.contains(&grant) {
        return;
    }
    let file = OpenOptions::new().create(true).append(true).open(path);
    let written = file.and_then(|mut file| file.write_all(format!("{grant}\n").as_bytes()));
    written.expect("the file of used grants can be written");
    used.insert(grant);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(function: &str, action: &str, resource: &str, keys: &[&str]) -> Asked {
        Asked {
            function: function.to_owned(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            in_transaction: action == "dynamodb:PutItem",
        }
    }

    #[test]
    fn a_role_allows_what_it_names_and_nothing_else() {
        for (function, action, resource, keys, allowed) in [
            ("charge", "dynamodb:PutItem", "Table", &["ACCOUNT#a", "CHARGE#1"][..], true),
            // One key that is not named spoils the whole request.
            ("charge", "dynamodb:PutItem", "Table", &["ACCOUNT#a", "KEY#1"], false),
            ("charge", "dynamodb:GetItem", "Table", &["CATALOGUE"], true),
            ("charge", "dynamodb:GetItem", "Table", &["CATALOGUE2"], false),
            ("charge", "dynamodb:Query", "Table/index/by_time", &[], false),
            ("charge", "dynamodb:UpdateItem", "Table", &["ACCOUNT#a"], false),
            ("charge", "sqs:SendMessage", "EventQueue", &[], true),
            ("charge", "sqs:SendMessage", "ConfirmationQueue", &[], false),
            ("query-orders", "dynamodb:Query", "Table/index/by_time", &[], true),
            ("query-orders", "dynamodb:Query", "Table/index/by_due", &[], false),
            ("report-transfer", "s3:PutObject", "Files/proofs/1", &[], true),
            ("report-transfer", "s3:PutObject", "Files/statements/1", &[], false),
            ("nobody", "dynamodb:GetItem", "Table", &["CATALOGUE"], false),
        ] {
            let asked = asked(function, action, resource, keys);
            assert_eq!(asked.granted().is_some(), allowed, "{asked:?}");
        }
    }

    #[test]
    fn nothing_is_written_outside_of_a_transaction() {
        let alone = Asked {
            in_transaction: false,
            ..asked("charge", "dynamodb:PutItem", "Table", &["CHARGE#1"])
        };
        assert!(alone.granted().is_none());
    }
}
