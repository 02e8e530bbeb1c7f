//! The shape of the project, so that it cannot drift apart unseen: what is deployed
//! (`template.yaml` and what is nested in it), what runs locally (`local::gateway::ROUTES`), what there is to build
//! (`functions/`), and which module may speak of what.
//!
//! Every test gathers all that breaks its rule before it fails, one line each.

#![expect(clippy::expect_used, reason = "unreadable input is a failed test")]

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::fs;
use std::path::Path;

use serde_json::Value;
use tests::template::{
    NESTED, TEMPLATE, events, fields, functions, items, named, number, pollers, resource,
    resources, root, statements, templates, text, texts,
};

/// Words of somebody else's, and the only places that may use them: `(words, owners)`. Main
/// functions may too, since they build the clients. Our own module is called `stripe` as well, so
/// that crate is known by the names in it.
const VOCABULARIES: [(&[&str], &[&str]); 5] = [
    (&["aws_sdk_dynamodb", "serde_dynamo"], &["shared/service/src/table/"]),
    (&["aws_sdk_s3"], &["shared/service/src/objects.rs", "shared/service/src/lambda.rs"]),
    (&["sepa", "csv::"], &["shared/service/src/statements/"]),
    (
        &["stripe_checkout", "stripe_shared", "stripe_types", "stripe::Client", "stripe::Request"],
        &["shared/service/src/stripe", "shared/service/src/provider"],
    ),
    (&["StatusCode"], &["shared/service/src/http/", "functions/"]),
];

/// What the pure crate may be built from: nothing that can do I/O, serialise, or wait.
/// `time` knows the calendar; that it could read the clock is banned in `clippy.toml`.
const LEDGER_DEPENDENCIES: [&str; 6] =
    ["data-encoding", "rust_decimal", "sha2", "thiserror", "time", "unicode-normalization"];

/// Calls on which something else than a key authorizes, a signature or a one-time code, and the console
/// and the document of the API, which say nothing of anybody.
const OPEN_TO_EVERYBODY: [&str; 5] = [
    "/",
    "/assets/{version}/{proxy+}",
    "/v1/console-tokens",
    "/v1/openapi.json",
    "/v1/webhooks/stripe",
];

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

/// AWS's advice for a queue that feeds a function: a batch must not come back while it is still
/// at work, and a passing fault must not send a message to the dead letters.
const VISIBILITY_PER_TIMEOUT: u64 = 6;
const RECEIVES_AT_LEAST: u64 = 5;

/// A call as the gateway sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Route {
    method: &'static str,
    path: &'static str,
    function: &'static str,
    authorized: bool,
}

#[test]
fn the_template_and_the_folders_name_the_same_functions() {
    let folders = fs::read_dir(root().join("functions")).expect("functions/ can be listed");
    let folders = folders
        .map(|entry| entry.expect("an entry can be read"))
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let deployed = functions().map(|(name, _)| name.to_owned()).collect();

    assert_same(("template.yaml", deployed), ("functions/", folders));
    // Built elsewhere, the features of the whole workspace would unite in it.
    let elsewhere: Vec<String> = functions()
        .filter(|(name, function)| {
            let folder = text(function, "/CodeUri");
            folder.trim_start_matches("../") != format!("functions/{name}")
        })
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_none("a function is not built in its own folder", elsewhere);
}

#[test]
fn the_template_and_the_local_runner_have_the_same_routes() {
    let local = local::gateway::ROUTES.iter().map(|route| Route {
        method: route.method,
        path: route.path,
        function: route.function,
        authorized: route.authorized,
    });

    assert_same(("template.yaml", routes()), ("ROUTES", local.collect()));
}

#[test]
fn the_openapi_document_and_the_local_runner_have_the_same_routes() {
    let document = openapi::document();
    let described = fields(document.get("paths")).flat_map(|(path, calls)| {
        fields(Some(calls)).map(move |(method, call)| {
            let open = items(call.get("security")).all(|one| one.get("key").is_none());
            (method.to_uppercase(), path.to_owned(), !open)
        })
    });
    // What is not below it is the console, which is for people.
    let local = local::gateway::ROUTES
        .iter()
        .filter(|route| route.path.starts_with("/v1/"))
        .map(|route| (route.method.to_owned(), route.path.to_owned(), route.authorized));

    assert_same(("openapi.json", described.collect()), ("ROUTES", local.collect()));
}

#[test]
fn only_a_signature_a_code_or_nothing_to_guard_stands_in_for_a_key() {
    let routes = routes().into_iter();
    let open = routes.filter(|route| !route.authorized && !OPEN_TO_EVERYBODY.contains(&route.path));

    assert_none("these routes ask for no API key", open.map(|route| route.path));
}

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
fn an_event_is_listed_when_nobody_can_commit_an_older_one() {
    let longest = service::events::LISTED_AFTER.as_secs();
    let timeouts = functions().filter_map(|(name, function)| {
        let own = function.pointer("/Timeout").and_then(Value::as_u64);
        let timeout = own.unwrap_or_else(|| number(&TEMPLATE, "/Globals/Function/Timeout"));
        (timeout >= longest).then(|| format!("{name} runs for {timeout} s"))
    });
    assert_none("events are listed before all older ones are there", timeouts);
}

#[test]
fn what_runs_by_the_clock_ends_before_it_runs_again() {
    let mut broken = Vec::new();
    let mut scheduled = BTreeSet::new();
    for (name, function) in functions() {
        for event in events(function, "Schedule") {
            scheduled.insert(name);
            let rate = text(event, "/Properties/Schedule");
            let rate = rate.strip_prefix("rate(").and_then(|rate| rate.strip_suffix(')'));
            let (count, unit) = rate.and_then(|rate| rate.split_once(' ')).unwrap_or_default();
            let unit_seconds = match unit.trim_end_matches('s') {
                "minute" => 60,
                "hour" => 3_600,
                "day" => 86_400,
                _ => 0,
            };
            let count = u64::from_str_radix(count, 10).unwrap_or_default();
            if number(function, "/Timeout") >= count.saturating_mul(unit_seconds) {
                broken.push(format!("{name}: {event}"));
            }
        }
    }

    assert_same(
        ("template.yaml", scheduled),
        ("scheduled", BTreeSet::from(["compare-payments", "reconcile", "verify-accounts"])),
    );
    assert_none("two runs at once would be usual", broken);
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
fn every_function_that_finds_an_error_rings_an_alarm() {
    let filters = resources("AWS::Logs::MetricFilter");
    let watched = filters.map(|(_, one)| text(one, "/Properties/LogGroupName/Ref")).collect();
    let logs = functions().map(|(_, function)| text(function, "/LoggingConfig/LogGroup/Ref"));

    assert_same(("watched for errors", watched), ("logs of functions", logs.collect()));
}

#[test]
fn what_goes_from_stack_to_stack_keeps_its_name() {
    let own = |value: &Value| {
        let resource = value.get("Ref").or_else(|| value.pointer("/Fn::GetAtt/0"));
        let resource = resource.and_then(Value::as_str).unwrap_or_default();
        match value.pointer("/Fn::GetAtt/1").and_then(Value::as_str) {
            Some("Arn") => format!("{resource}Arn"),
            Some("QueueName") => format!("{resource}Name"),
            Some(output) => output.trim_start_matches("Outputs.").to_owned(),
            None => resource.to_owned(),
        }
    };
    for nested in &*NESTED {
        let given = fields(nested.given).map(|(name, value)| (name, own(value)));
        let asked = fields(nested.template.get("Parameters"));
        let asked = asked.map(|(name, _)| (name, name.to_owned()));
        assert_same(("template.yaml", given.collect()), (nested.file, asked.collect()));
    }
    let outputs = NESTED.iter().flat_map(|one| fields(one.template.get("Outputs")));
    let renamed = outputs.filter(|(name, output)| {
        // What it only shows is its own business.
        let value = output.get("Value").filter(|value| value.get("Fn::Sub").is_none());
        value.is_some_and(|value| own(value) != *name)
    });
    assert_none("an output is not called what it is", renamed.map(|(name, _)| name));
}

#[test]
fn a_function_is_configured_alike_in_whatever_stack_it_is() {
    let differing = templates().filter(|(_, template)| {
        let globals = template.get("Globals");
        globals.is_some() && globals != TEMPLATE.get("Globals")
    });
    assert_none("these have globals of their own", differing.map(|(file, _)| file));
}

#[test]
fn the_gateway_may_call_what_its_routes_lead_to_and_its_authorizer() {
    let routes = routes().into_iter().map(|route| route.function);
    let called = routes.chain(["authorizer"]).collect();
    let allowed = resources("AWS::Lambda::Permission").map(|(_, permission)| {
        let by = text(permission, "/Properties/SourceArn/Fn::Sub");
        assert!(by.contains(":${HttpApi}/"), "the source is this API: {permission}");
        let function = resource(text(permission, "/Properties/FunctionName/Ref"));
        text(function, "/Metadata/BuildProperties/Binary")
    });
    assert_same(("called", called), ("allowed", allowed.collect()));
}

#[test]
fn every_alarm_is_heard_and_is_in_the_runbook() {
    let alarms: Vec<_> = resources("AWS::CloudWatch::Alarm").collect();
    let unheard = alarms.iter().filter(|(_, alarm)| {
        let actions = alarm.pointer("/Properties/AlarmActions/Fn::If/1/0/Ref");
        actions.is_none_or(|topic| topic != "AlarmTopic")
    });
    let unheard: Vec<&str> = unheard.map(|(name, _)| *name).collect();
    let runbook = fs::read_to_string(root().join("docs/runbook.md")).expect("there is a runbook");
    let titles = runbook.lines().filter_map(|line| line.strip_prefix("## ")?.split(':').next());
    let words = titles.flat_map(|title| title.split([' ', ',']));
    let explained = words.filter(|word| word.ends_with("Alarm")).collect();
    let rung = alarms.iter().map(|(name, _)| *name).collect();

    assert_none("nobody hears these alarms", unheard);
    assert_same(("infra/alarms.yaml", rung), ("docs/runbook.md", explained));
}

#[test]
fn a_queue_is_patient_with_the_function_that_it_feeds() {
    let mut broken = Vec::new();
    let mut fed = BTreeSet::new();
    for (name, function, poller) in pollers() {
        fed.insert(name);
        let queue = resource(&source(poller)).get("Properties").expect("a queue has properties");
        let needed = number(function, "/Timeout").saturating_mul(VISIBILITY_PER_TIMEOUT);
        if number(queue, "/VisibilityTimeout") < needed {
            broken.push(format!("{name}: the visibility must be {needed} s or more"));
        }
        if number(queue, "/RedrivePolicy/maxReceiveCount") < RECEIVES_AT_LEAST {
            broken.push(format!("{name}: a message needs {RECEIVES_AT_LEAST} receives"));
        }
        let mut responses = texts(poller, "/FunctionResponseTypes");
        if !responses.any(|response| response == "ReportBatchItemFailures") {
            broken.push(format!("{name}: one bad message would fail its whole batch"));
        }
    }

    assert_same(
        ("template.yaml", fed),
        ("fed by a queue", BTreeSet::from(["confirm-payment", "deliver-event", "meter-usage"])),
    );
    assert_none("a queue does not suit its function", broken);
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

#[test]
fn every_variable_that_is_set_is_one_that_the_service_reads() {
    let variables = functions().flat_map(|(name, function)| {
        let variables = fields(function.pointer("/Environment/Variables"));
        variables.map(move |(variable, _)| (variable, name))
    });
    let read = service::config::VARIABLES;
    let unread = variables.filter(|(variable, _)| !read.contains(variable));
    let unread = unread.map(|(variable, name)| format!("{variable} of {name}"));

    assert_none("nothing reads these variables", unread);
}

#[test]
fn the_ledger_is_built_from_nothing_that_can_do_anything() {
    let manifest = fs::read_to_string(root().join("shared/ledger/Cargo.toml"));
    let manifest = manifest.expect("the ledger has a manifest");
    let lines = manifest.lines().map(str::trim);
    let mut section = "";
    let mut broken = Vec::new();
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line.starts_with('[') {
            section = line;
            continue;
        }
        let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
        let allowed = match section {
            "[dependencies]" => LEDGER_DEPENDENCIES.contains(&name),
            "[dev-dependencies]" => true,
            other => !other.contains("dependencies"),
        };
        if !allowed {
            broken.push(format!("{section} {line}"));
        }
    }

    assert_none("the ledger depends on more than values and hashes", broken);
}

#[test]
fn every_vocabulary_has_one_owner() {
    let sources = ["shared", "functions"].map(|folder| sources(&root().join(folder)));
    let mut broken = Vec::new();
    for (path, source) in sources.iter().flatten() {
        if path.ends_with("/main.rs") {
            continue;
        }
        for (words, owners) in VOCABULARIES {
            if owners.iter().any(|owner| path.starts_with(owner)) {
                continue;
            }
            let mut lines = source.lines();
            if let Some(line) = lines.find(|line| words.iter().any(|word| mentions(line, word))) {
                broken.push(format!("{path}: `{}` belongs in {owners:?}", line.trim()));
            }
        }
    }

    assert_none("a module speaks of what is another's", broken);
}

fn assert_none(problem: &str, broken: impl IntoIterator<Item: Display>) {
    let broken = broken.into_iter().map(|one| format!("\n  {one}"));
    let broken = broken.collect::<String>();
    assert!(broken.is_empty(), "{problem}:{broken}");
}

fn assert_same<T: Ord + Debug>(
    (one_name, one): (&str, BTreeSet<T>),
    (other_name, other): (&str, BTreeSet<T>),
) {
    let only = |name, item: &T| format!("only in {name}: {item:?}");
    let ones = one.difference(&other).map(|item| only(one_name, item));
    let others = other.difference(&one).map(|item| only(other_name, item));
    assert_none("two lists of the same differ", ones.chain(others));
}

/// The queue that a poller takes from.
fn source(poller: &Value) -> String {
    named(poller.get("EventSourceArn").expect("a poller takes from a queue"))
}

fn routes() -> BTreeSet<Route> {
    let routes = resources("AWS::ApiGatewayV2::Route").map(|(_, one)| {
        let route = one.get("Properties").expect("a route has properties");
        let key = text(route, "/RouteKey").split_once(' ');
        let (method, path) = key.expect("a route is a method and a path");
        let target = text(route, "/Target/Fn::Sub").strip_prefix("integrations/${");
        let integration = target.and_then(|target| target.strip_suffix('}'));
        let integration = resource(integration.expect("a route leads to an integration"));
        let called = resource(text(integration, "/Properties/IntegrationUri/Fn::GetAtt/0"));
        let authorizer = route.pointer("/AuthorizerId/Ref");
        let authorized = text(route, "/AuthorizationType") == "CUSTOM"
            && authorizer.is_some_and(|authorizer| authorizer == "ApiKeyAuthorizer");
        let function = text(called, "/Metadata/BuildProperties/Binary");
        Route { method, path, function, authorized }
    });
    routes.collect()
}

/// The Rust sources below a folder, with their paths from the root of the workspace.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a source folder can be listed") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("a source is text");
            let path = path.strip_prefix(root()).expect("it is below the root");
            found.push((path.to_string_lossy().into_owned(), source));
        }
    }
    found
}

/// Whether a line of code, not a comment, has the word, and not as the end of a longer one.
fn mentions(line: &str, word: &str) -> bool {
    let continues = |last: char| last.is_alphanumeric() || last == '_';
    let mut before = line.match_indices(word).map(|(at, _)| line.split_at(at).0);
    !line.trim_start().starts_with("//") && before.any(|before| !before.ends_with(continues))
}
