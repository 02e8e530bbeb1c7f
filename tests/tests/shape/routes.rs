//! The calls that there are: deployed, run locally, and described.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use tests::template::{
    NESTED, fields, functions, items, resource, resources, root, templates, text, texts,
};

use crate::{assert_none, assert_same};

/// Calls on which something else than a key authorizes, a signature or a one-time code, and the console
/// and the document of the API, which say nothing of anybody.
const OPEN_TO_EVERYBODY: [&str; 6] = [
    "/",
    "/assets/{version}/{proxy+}",
    "/v1/console-tokens",
    "/v1/console-tokens/revoke",
    "/v1/openapi.json",
    "/v1/webhooks/stripe",
];

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

/// The gateway refuses to change an API in two ways at once, and CloudFormation would.
#[test]
fn the_gateway_is_asked_for_one_thing_after_the_other() {
    let waits = |name: &'static str, one: &'static Value| {
        let said = one.get("DependsOn").and_then(Value::as_str);
        let target = one.pointer("/Properties/Target/Fn::Sub").and_then(Value::as_str);
        let target = target.and_then(|target| target.strip_prefix("integrations/${"));
        (name, said.or(target.and_then(|target| target.strip_suffix('}'))))
    };
    for (file, template) in templates() {
        let parts = fields(template.get("Resources")).filter(|(_, one)| {
            let kind = text(one, "/Type");
            kind == "AWS::ApiGatewayV2::Route" || kind == "AWS::ApiGatewayV2::Integration"
        });
        assert_chain(file, &parts.map(|(name, one)| waits(name, one)).collect::<Vec<_>>());
    }
    let stacks = NESTED.iter().filter(|stack| {
        let parts = fields(stack.template.get("Resources"));
        parts.into_iter().any(|(_, one)| text(one, "/Type") == "AWS::ApiGatewayV2::Route")
    });
    let stacks: Vec<_> = stacks.map(|stack| waits(stack.name, resource(stack.name))).collect();
    assert_chain("template.yaml", &stacks);
    // Its settings name routes, which must be there.
    let stage = resource("HttpApiStage");
    let last =
        stacks.iter().filter(|(name, _)| stacks.iter().all(|(_, awaited)| *awaited != Some(name)));
    let last = last.map(|(name, _)| *name).collect();
    assert_same(
        ("the last of them", last),
        ("the stage waits", texts(stage, "/DependsOn").collect()),
    );
}

#[test]
fn what_has_limits_of_its_own_is_a_route() {
    let settings = resource("HttpApiStage").pointer("/Properties/RouteSettings");
    let known: BTreeSet<_> =
        routes().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    let unknown = fields(settings).filter(|(key, _)| !known.contains(*key));
    assert_none("the stage would be refused", unknown.map(|(key, _)| key));
}

/// Each waits for another one of them, and no two for the same, but for the first, which waits for none.
fn assert_chain(what: &str, waiting: &[(&str, Option<&str>)]) {
    let known: BTreeSet<_> = waiting.iter().map(|(name, _)| *name).collect();
    let awaited: BTreeSet<_> = waiting.iter().filter_map(|(_, other)| *other).collect();
    let links = waiting.len().saturating_sub(1);
    let unknown = awaited.difference(&known);
    assert_none("somebody waits for what is not there", unknown);
    assert_eq!(awaited.len(), links, "{what}: {waiting:?}");
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
