//! The shape of the project, so that it cannot drift apart unseen: what is deployed
//! (`template.yaml`), what runs locally (`local::gateway::ROUTES`), what there is to build
//! (`functions/`), and which module may speak of what.
//!
//! Every test gathers all that breaks its rule before it fails, one line each.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot read its input has failed"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Who may mention a word in the Rust sources below `folders`, main functions left out: those
/// build the clients and hand them over.
struct Ownership {
    words: &'static [&'static str],
    folders: &'static [&'static str],
    owners: &'static [&'static str],
    rule: &'static str,
}

const OWNERSHIPS: [Ownership; 3] = [
    Ownership {
        words: &["aws_sdk_dynamodb", "serde_dynamo"],
        folders: &["shared", "functions"],
        owners: &["shared/service/src/table/"],
        rule: "only the table module knows the table's requests and attribute names",
    },
    Ownership {
        words: &[
            "stripe::",
            "stripe_checkout",
            "stripe_core",
            "stripe_shared",
            "stripe_types",
        ],
        folders: &["shared", "functions"],
        owners: &["shared/service/src/stripe", "shared/service/src/provider"],
        rule: "only the provider module knows Stripe's words (ours are paths from `crate::`)",
    },
    Ownership {
        words: &["StatusCode"],
        folders: &["shared"],
        owners: &["shared/service/src/http/"],
        rule: "only the HTTP module knows status codes",
    },
];

/// What the pure crate may be built from: nothing that can do I/O, serialise, or wait.
const LEDGER_DEPENDENCIES: [&str; 4] = ["data-encoding", "rust_decimal", "sha2", "thiserror"];

/// Parts of IAM actions, in lower case, that no role has: everything is a conditional put.
const FORBIDDEN_ACTIONS: [&str; 5] = ["*", "updateitem", "deleteitem", "batchwriteitem", "partiql"];

/// Routes that anybody may call, because something else than a key authorizes there.
const OPEN_ROUTES: [&str; 1] = ["/v1/webhooks/stripe"];

/// AWS's advice for a queue that feeds a function: a batch must not come back while it is still
/// at work, and a passing fault must not send a message to the dead letters.
const VISIBILITY_PER_TIMEOUT: u64 = 6;
const RECEIVES_AT_LEAST: u64 = 5;

#[test]
fn the_template_has_a_function_for_every_folder() {
    let folders = fs::read_dir(root().join("functions"))
        .expect("functions/ can be listed")
        .map(|entry| entry.expect("an entry of functions/ can be read"))
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let template = template();
    let deployed = functions(&template)
        .into_keys()
        .map(str::to_owned)
        .collect();

    assert_none(
        "template.yaml and functions/ must name the same functions",
        differences(("template.yaml", deployed), ("functions/", folders)),
    );
}

#[test]
fn the_gateway_and_the_local_runner_have_the_same_routes() {
    let template = template();
    let local = local::gateway::ROUTES
        .iter()
        .map(|route| {
            (
                route.method,
                route.path,
                route.function,
                authorization(route.authorized),
            )
        })
        .collect();

    assert_none(
        "template.yaml and local::gateway::ROUTES must agree",
        differences(("template.yaml", routes(&template)), ("ROUTES", local)),
    );
}

#[test]
fn only_the_webhook_is_open_to_everybody() {
    let template = template();
    let open = routes(&template)
        .into_iter()
        .filter(|(.., authorization)| *authorization == self::authorization(false))
        .map(|(_, path, ..)| path)
        .collect();

    assert_none(
        "every other route needs an API key",
        differences(
            ("template.yaml", open),
            ("OPEN_ROUTES", BTreeSet::from(OPEN_ROUTES)),
        ),
    );
}

#[test]
fn no_role_can_change_or_remove_an_item() {
    let template = template();
    let mut broken = Vec::new();
    for statement in statements(&template) {
        let actions = texts(statement.get("Action"));
        for action in &actions {
            let lowered = action.to_lowercase();
            if FORBIDDEN_ACTIONS
                .iter()
                .any(|forbidden| lowered.contains(forbidden))
            {
                broken.push(format!("the action {action} is granted"));
            }
        }
        if texts(statement.get("Resource")).contains(&"*") {
            broken.push(format!("{actions:?} are granted on every resource"));
        }
        if statement
            .get("NotAction")
            .or(statement.get("NotResource"))
            .is_some()
        {
            broken.push(format!(
                "a statement grants all but what it names: {statement}"
            ));
        }
    }
    for (name, function) in functions(&template) {
        let policies = function
            .get("Policies")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for policy in policies.filter(|policy| policy.get("Statement").is_none()) {
            broken.push(format!(
                "{name} takes over a policy written elsewhere: {policy}"
            ));
        }
    }
    if template
        .pointer("/Globals/Function/PermissionsBoundary")
        .is_none()
    {
        broken.push("the functions' roles have no permissions boundary".to_owned());
    }

    assert_none(
        "roles hold named actions on named resources, and writing is a put",
        broken,
    );
}

#[test]
fn a_role_reaches_only_its_own_partition_keys() {
    let template = template();
    let mut broken = Vec::new();
    for (name, function) in functions(&template) {
        for statement in statements(function) {
            let actions = texts(statement.get("Action"));
            let of_an_index = statement.pointer("/Resource/Fn::Sub").is_some();
            if of_an_index || !actions.iter().any(|action| action.starts_with("dynamodb:")) {
                continue;
            }
            let writes = actions.contains(&"dynamodb:PutItem");
            let keys =
                texts(statement.pointer("/Condition/ForAllValues:StringLike/dynamodb:LeadingKeys"));
            if keys.is_empty() {
                broken.push(format!("{name} may {actions:?} under every partition key"));
            }
            for key in keys {
                let allowed = match key {
                    "KEY#*" => name == "authorizer" && !writes,
                    "CATALOGUE" => !writes,
                    prefix => prefix.len() > "#*".len() && prefix.ends_with("#*"),
                };
                if !allowed {
                    broken.push(format!("{name} may {actions:?} under {key}"));
                }
            }
        }
    }

    assert_none(
        "only the authorizer reads API keys; nobody here writes those or products",
        broken,
    );
}

#[test]
fn a_queue_is_patient_with_the_function_it_feeds() {
    let template = template();
    let mut broken = Vec::new();
    let mut fed = Vec::new();
    for (name, function) in functions(&template) {
        for event in events(function, "SQS") {
            fed.push(name);
            let queue = text(event, "/Properties/Queue/Fn::GetAtt/0");
            let number = |path: &str| number(&template, &format!("/Resources/{queue}{path}"));
            let timeout = function
                .get("Timeout")
                .or(template.pointer("/Globals/Function/Timeout"))
                .and_then(Value::as_u64)
                .expect("a function fed by a queue has a timeout");
            let needed = timeout.saturating_mul(VISIBILITY_PER_TIMEOUT);

            let visibility = number("/Properties/VisibilityTimeout");
            if visibility < needed {
                broken.push(format!(
                    "{queue}: visibility {visibility} s, {name} needs {needed} s"
                ));
            }
            let receives = number("/Properties/RedrivePolicy/maxReceiveCount");
            if receives < RECEIVES_AT_LEAST {
                broken.push(format!(
                    "{queue}: {receives} receives, not {RECEIVES_AT_LEAST}"
                ));
            }
            let responses = texts(event.pointer("/Properties/FunctionResponseTypes"));
            if !responses.contains(&"ReportBatchItemFailures") {
                broken.push(format!(
                    "{name}: one bad message would fail its whole batch"
                ));
            }
        }
    }
    if !fed.contains(&"confirm-payment") {
        broken.push("confirm-payment is fed by no queue".to_owned());
    }

    assert_none("queues must outwait the functions that they feed", broken);
}

#[test]
fn every_variable_that_is_set_is_one_that_the_service_reads() {
    let template = template();
    let mut broken = Vec::new();
    for (name, function) in functions(&template) {
        let variables = function
            .pointer("/Environment/Variables")
            .and_then(Value::as_object);
        for variable in variables.into_iter().flat_map(|variables| variables.keys()) {
            if !service::config::VARIABLES.contains(&variable.as_str()) {
                broken.push(format!("{name} is given {variable}, which nothing reads"));
            }
        }
    }

    assert_none(
        "template.yaml sets only what service::config::VARIABLES names",
        broken,
    );
}

#[test]
fn the_ledger_is_built_from_nothing_that_can_do_anything() {
    let manifest = fs::read_to_string(root().join("shared/ledger/Cargo.toml"))
        .expect("the ledger has a manifest");
    let mut broken = Vec::new();
    let mut section = "";
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        }
        let name = line.split(['=', '.', ' ', '\t']).next().unwrap_or_default();
        let is_entry = !name.is_empty() && !name.starts_with(['[', '#']);
        let allowed = match section {
            "[dependencies]" => !is_entry || LEDGER_DEPENDENCIES.contains(&name),
            "[dev-dependencies]" => true,
            other => !other.contains("dependencies"),
        };
        if !allowed {
            broken.push(format!("{section} {line}"));
        }
    }

    assert_none(
        &format!("the ledger depends on {LEDGER_DEPENDENCIES:?} alone"),
        broken,
    );
}

#[test]
fn one_module_owns_each_vocabulary() {
    for Ownership {
        words,
        folders,
        owners,
        rule,
    } in OWNERSHIPS
    {
        let mut broken = Vec::new();
        for (path, source) in folders
            .iter()
            .flat_map(|folder| sources(&root().join(folder)))
        {
            if owners.iter().any(|owner| path.starts_with(owner)) || path.ends_with("/main.rs") {
                continue;
            }
            for (number, line) in (1_usize..).zip(source.lines()) {
                if words.iter().any(|word| mentions(line, word)) {
                    broken.push(format!("{path}:{number}: {}", line.trim()));
                }
            }
        }

        assert_none(rule, broken);
    }
}

fn assert_none(rule: &str, broken: Vec<String>) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

fn differences<T: Ord + Debug>(
    (one_name, one): (&str, BTreeSet<T>),
    (other_name, other): (&str, BTreeSet<T>),
) -> Vec<String> {
    let only_one = one
        .difference(&other)
        .map(|item| format!("only in {one_name}: {item:?}"));
    let only_other = other
        .difference(&one)
        .map(|item| format!("only in {other_name}: {item:?}"));
    only_one.chain(only_other).collect()
}

fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .parent()
        .expect("the package is a folder of the workspace")
        .to_owned()
}

fn template() -> Value {
    let text = fs::read_to_string(root().join("template.yaml")).expect("there is a template");
    serde_saphyr::from_str(&text).expect("template.yaml is YAML")
}

/// The functions' properties by the binary that each one runs, which is its folder's name.
fn functions(template: &Value) -> BTreeMap<&str, &Value> {
    let resources = template.get("Resources").and_then(Value::as_object);
    resources
        .expect("the template has resources")
        .values()
        .filter(|resource| text(resource, "/Type") == "AWS::Serverless::Function")
        .map(|resource| {
            let properties = resource
                .get("Properties")
                .expect("a function has properties");
            (
                text(resource, "/Metadata/BuildProperties/Binary"),
                properties,
            )
        })
        .collect()
}

fn routes(template: &Value) -> BTreeSet<(&str, &str, &str, &'static str)> {
    let usual = template.pointer("/Resources/HttpApi/Properties/Auth/DefaultAuthorizer");
    let mut routes = BTreeSet::new();
    for (name, function) in functions(template) {
        for event in events(function, "HttpApi") {
            let authorizer = event.pointer("/Properties/Auth/Authorizer").or(usual);
            let authorized = authorizer.is_some_and(|authorizer| authorizer != "NONE");
            let (method, path) = (
                text(event, "/Properties/Method"),
                text(event, "/Properties/Path"),
            );
            routes.insert((method, path, name, authorization(authorized)));
        }
    }
    routes
}

fn authorization(authorized: bool) -> &'static str {
    if authorized { "with a key" } else { "open" }
}

fn events<'a>(function: &'a Value, kind: &str) -> impl Iterator<Item = &'a Value> {
    let events = function
        .get("Events")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    events
        .map(|(_, event)| event)
        .filter(move |event| text(event, "/Type") == kind)
}

/// Every statement of every policy at or below `value`, wherever it stands.
fn statements(value: &Value) -> Vec<&Value> {
    let mut found = Vec::new();
    let mut unseen = vec![value];
    while let Some(value) = unseen.pop() {
        match value {
            Value::Object(fields) if fields.contains_key("Effect") => found.push(value),
            Value::Object(fields) => unseen.extend(fields.values()),
            Value::Array(items) => unseen.extend(items),
            _ => {}
        }
    }
    found
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    assert!(found.is_some(), "no text at {pointer} of {value}");
    found.unwrap_or_default()
}

fn number(value: &Value, pointer: &str) -> u64 {
    let found = value.pointer(pointer).and_then(Value::as_u64);
    assert!(found.is_some(), "no number at {pointer} of the template");
    found.unwrap_or_default()
}

/// The texts of a field that may hold one or a list of them.
fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    }
}

/// The Rust sources below a folder, with their paths from the root of the workspace.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a source folder can be listed") {
        let path = entry
            .expect("an entry of a source folder can be read")
            .path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("a source file is text");
            let path = path
                .strip_prefix(root())
                .expect("sources are below the root");
            found.push((path.to_string_lossy().into_owned(), source));
        }
    }
    found
}

/// Whether a line of code, not a comment, has the word at the start of a path.
fn mentions(line: &str, word: &str) -> bool {
    let continues = |before: char| before.is_alphanumeric() || before == '_' || before == ':';
    !line.trim_start().starts_with("//")
        && line.match_indices(word).any(|(at, _)| {
            line.get(..at)
                .is_none_or(|before| !before.ends_with(continues))
        })
}
