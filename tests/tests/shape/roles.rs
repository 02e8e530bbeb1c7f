//! What the roles of the functions allow.

use std::collections::BTreeSet;

use serde_json::Value;
use tests::template::{
    TEMPLATE, events, fields, functions, items, named, pollers, resource, statements, templates,
    text, texts,
};

use crate::{assert_none, assert_same, source};

/// Partition keys that are not everybody's, who may read them, and who may write them.
const GUARDED_KEYS: [(&str, &[&str], &[&str]); 7] = [
    ("KEY#*", &["authorizer", "manage-accounts"], &["manage-accounts"]),
    (
        "CONSOLE#*",
        &["authorizer", "exchange-code", "manage-accounts"],
        &["exchange-code", "manage-accounts"],
    ),
    (
        "CATALOGUE",
        &[
            "adjust-balance",
            "charge",
            "configure",
            "create-order",
            "hold",
            "import-statement",
            "meter-usage",
            "query-accounts",
            "query-orders",
            "resolve-finding",
            "review-order",
            "set-thresholds",
            "transfer",
        ],
        &["configure"],
    ),
    ("CHANGE#*", &["configure"], &["configure", "manage-accounts", "manage-endpoints"]),
    ("ENDPOINTS", &["deliver-event", "manage-endpoints"], &["deliver-event", "manage-endpoints"]),
    ("CHECKPOINT#*", &["verify-accounts"], &["verify-accounts"]),
    ("CURSOR#*", &["reconcile", "verify-accounts"], &["reconcile", "verify-accounts"]),
];

/// Who writes orders and has nothing to tell of them: an order that is made, and a transfer that is reported,
/// are no news for the platform (`EventKind::of_change`). The stories run without the grants, so whoever makes
/// them news is told here.
const TELLS_NOTHING: [&str; 2] = ["create-order", "report-transfer"];

/// Parts of IAM actions, in lower case, that no role has: everything is a conditional put.
const FORBIDDEN_ACTIONS: [&str; 5] = ["*", "updateitem", "deleteitem", "batchwriteitem", "partiql"];

/// Actions of a service without resources: they can be granted everywhere or not at all.
const ANYWHERE_ACTIONS: [&str; 2] = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"];

/// The one action that writes.
const PUT: &str = "dynamodb:PutItem";

#[test]
fn the_console_can_be_loaded_by_everybody_and_reaches_nothing() {
    let (_, console) = functions().find(|(name, _)| *name == "console").expect("it is deployed");
    let given = ["Policies", "Environment"].into_iter().filter(|what| console.get(what).is_some());

    assert_none("what is open to everybody is given", given);
}

#[test]
fn every_policy_names_its_actions_and_resources_and_no_update_or_delete() {
    let inherited = functions().flat_map(|(name, function)| {
        let elsewhere = |policy: &&Value| policy.get("Statement").is_none();
        let policies = items(function.get("Policies")).filter(elsewhere);
        policies.map(move |policy| format!("{name} takes over {policy}"))
    });
    let mut broken = inherited.collect::<Vec<_>>();
    let all = templates().flat_map(|(_, template)| statements(template));
    let granting = all.filter(|one| text(one, "/Effect") != "Deny");
    for statement in granting {
        let forbidden = texts(statement, "/Action").any(|action| {
            let action = action.to_lowercase();
            FORBIDDEN_ACTIONS.iter().any(|part| action.contains(part))
        });
        let inverted = statement.get("NotAction").or(statement.get("NotResource"));
        let mut actions = texts(statement, "/Action");
        let everywhere = texts(statement, "/Resource").any(|resource| resource == "*")
            && !actions.all(|action| ANYWHERE_ACTIONS.contains(&action));
        if forbidden || everywhere || inverted.is_some() {
            broken.push(format!("too much is granted by {statement}"));
        }
    }
    for (name, function) in functions() {
        if function.get("Role").or(function.get("PermissionsBoundary")).is_some() {
            broken.push(format!("{name} has a role or a ceiling of its own"));
        }
    }
    let ceiling = TEMPLATE.pointer("/Globals/Function/PermissionsBoundary");
    if ceiling.is_none() {
        broken.push("SAM's own additions to the roles have no ceiling".to_owned());
    }

    assert_none("a role can do more than it needs", broken);
}

#[test]
fn keys_sessions_and_the_catalogue_are_reached_by_those_who_must() {
    const KEYS: &str = "/Condition/ForAllValues:StringLike/dynamodb:LeadingKeys";
    const ENCLOSING: &str = "/Condition/ForAnyValue:StringEquals/dynamodb:EnclosingOperation";
    let mut broken = Vec::new();
    for (name, function) in functions() {
        for statement in statements(function) {
            if statement.get("Resource").is_none_or(|resource| named(resource) != "Table") {
                continue;
            }
            let writes = texts(statement, "/Action").any(|action| action == PUT);
            let mut enclosing = texts(statement, ENCLOSING);
            if writes && enclosing.next() != Some("TransactWriteItems") {
                broken.push(format!("{name} writes outside of transactions: {statement}"));
            }
            let mut keys = texts(statement, KEYS).peekable();
            let allowed = keys.peek().is_some()
                && keys.all(|key| {
                    match GUARDED_KEYS.iter().find(|(guarded, _, _)| *guarded == key) {
                        Some((_, _, writers)) if writes => writers.contains(&name),
                        Some((_, readers, _)) => readers.contains(&name),
                        None => key.len() > "#*".len() && key.ends_with("#*"),
                    }
                });
            if !allowed {
                broken.push(format!("{name}: {statement}"));
            }
        }
    }

    assert_none("a role reaches partition keys that are not its own", broken);
}

#[test]
fn a_role_reads_the_secrets_that_its_function_is_told_of_and_no_other() {
    let secret = |address: &'static Value| address.get("Ref").and_then(Value::as_str);
    let told = functions().flat_map(|(name, function)| {
        let variables = fields(function.pointer("/Environment/Variables"));
        // No other address is given by its ARN.
        let secrets = variables.filter(|(variable, _)| variable.ends_with("_ARN"));
        secrets.filter_map(move |(_, address)| secret(address).map(|secret| (name, secret)))
    });
    let granted = functions().flat_map(|(name, function)| {
        let reading = statements(function).into_iter().filter(|statement| {
            texts(statement, "/Action").any(|action| action == "secretsmanager:GetSecretValue")
        });
        let addresses = reading.filter_map(|statement| statement.get("Resource"));
        let addresses = addresses.flat_map(|one| match one.as_array() {
            Some(several) => several.iter().collect(),
            None => vec![one],
        });
        addresses.filter_map(secret).map(move |secret| (name, secret)).collect::<Vec<_>>()
    });

    assert_same(("the environment", told.collect()), ("the role", granted.collect()));
}

#[test]
fn whoever_changes_orders_holds_or_balances_stores_what_is_told_of_it_and_sends_it() {
    const KEYS: &str = "/Condition/ForAllValues:StringLike/dynamodb:LeadingKeys";
    const TOLD_OF: [&str; 3] = ["HOLD#*", "JOURNAL#*", "ORDER#*"];
    let writes = |function, keys: &[&str]| {
        let mut writing = statements(function).into_iter();
        writing.any(|statement| {
            texts(statement, "/Action").any(|action| action == PUT)
                && texts(statement, KEYS).any(|key| keys.contains(&key))
        })
    };
    let sends = |function| {
        let mut sending = statements(function).into_iter();
        sending.any(|statement| {
            statement.get("Resource").is_some_and(|queue| named(queue) == "EventQueue")
                && texts(statement, "/Action").any(|action| action == "sqs:SendMessage")
        })
    };
    let broken = functions().filter(|(name, function)| {
        let knows = function.pointer("/Environment/Variables/EVENT_QUEUE_URL/Ref");
        let able = writes(function, &["EVENT#*"])
            && sends(function)
            && knows.is_some_and(|queue| queue == "EventQueue");
        writes(function, &TOLD_OF) && !able && !TELLS_NOTHING.contains(name)
    });
    assert_none("what is told would not be, or the commit refused", broken.map(|(name, _)| name));
}

#[test]
fn who_finds_what_is_still_to_be_told_can_read_it() {
    const KEYS: &str = "/Condition/ForAllValues:StringLike/dynamodb:LeadingKeys";
    for (name, read) in
        [("reconcile", "dynamodb:BatchGetItem"), ("deliver-event", "dynamodb:GetItem")]
    {
        let function = functions().find(|(known, _)| *known == name).map(|(_, function)| function);
        let mut reading = statements(function.expect("it is in the template")).into_iter();
        let reads = reading.any(|statement| {
            texts(statement, "/Action").any(|action| action == read)
                && texts(statement, KEYS).any(|key| key == "EVENT#*")
        });
        assert!(reads, "{name} needs {read} of EVENT#*");
    }
}

#[test]
fn whoever_talks_to_strangers_reaches_no_money() {
    let all = functions().find(|(name, _)| *name == "deliver-event");
    let (_, function) = all.expect("deliver-event is in the template");
    let reached = statements(function).into_iter().flat_map(|statement| {
        texts(statement, "/Condition/ForAllValues:StringLike/dynamodb:LeadingKeys")
    });
    let reached: BTreeSet<_> = reached.collect();
    assert_same(
        ("template.yaml", reached),
        ("needed to deliver", BTreeSet::from(["ENDPOINTS", "EVENT#*"])),
    );
}

#[test]
fn whoever_checks_money_cannot_move_any() {
    const KEYS: &str = "/Condition/ForAllValues:StringLike/dynamodb:LeadingKeys";
    let checking = functions().filter(|(name, _)| *name == "verify-accounts");
    let statements = checking.flat_map(|(_, function)| statements(function));
    let writing = statements.filter(|one| texts(one, "/Action").any(|action| action == PUT));
    let written: BTreeSet<_> = writing.flat_map(|one| texts(one, KEYS)).collect();

    let own = BTreeSet::from(["CHECKPOINT#*", "CURSOR#*", "FINDING#*"]);
    assert_same(("template.yaml", written), ("its own keys", own));
}

#[test]
fn the_ceiling_of_the_roles_is_above_every_queue_that_feeds_a_function() {
    let ceiling = resource("FunctionBoundary");
    let allowed: Vec<String> = statements(ceiling)
        .into_iter()
        .flat_map(|statement| items(statement.get("Resource")).map(named))
        .collect();
    let fed = pollers().map(|(_, _, poller)| source(poller));
    let missing = fed.filter(|queue| !allowed.contains(queue));
    assert_none("no function can take from these queues", missing);
}

#[test]
fn a_role_takes_from_the_queue_that_feeds_its_function_and_from_no_other() {
    let fed = pollers().map(|(name, _, poller)| (name, source(poller)));
    let granted = functions().flat_map(|(name, function)| {
        let taking = statements(function).into_iter().filter(|statement| {
            texts(statement, "/Action").any(|action| action == "sqs:ReceiveMessage")
        });
        taking
            .filter_map(|statement| Some((name, named(statement.get("Resource")?))))
            .collect::<Vec<_>>()
    });

    // For an event of a function SAM would let its role take from every queue.
    let events = functions().filter(|(_, function)| events(function, "SQS").next().is_some());

    assert_same(("fed by", fed.collect()), ("the role", granted.collect()));
    assert_none("SAM would make these roles wider", events.map(|(name, _)| name));
}
