//! What is deployed, as `template.yaml` and the stacks that are nested in it say it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;

/// The template.
pub static TEMPLATE: LazyLock<Value> = LazyLock::new(|| read(ROOT_FILE));

/// The stacks that are nested in it.
pub static NESTED: LazyLock<Vec<Nested>> = LazyLock::new(|| {
    let stacks = fields(TEMPLATE.get("Resources"))
        .filter(|(_, resource)| text(resource, "/Type") == "AWS::CloudFormation::Stack");
    let nested = stacks.map(|(name, stack)| {
        let file = text(stack, "/Properties/TemplateURL");
        let given = stack.pointer("/Properties/Parameters");
        Nested { name, file, given, template: read(file) }
    });
    nested.collect()
});

const ROOT_FILE: &str = "template.yaml";

/// A stack that is nested in the template.
#[derive(Debug)]
pub struct Nested {
    /// Its name in the template.
    pub name: &'static str,
    /// Its file, from the folder of the workspace.
    pub file: &'static str,
    /// The values of its parameters.
    pub given: Option<&'static Value>,
    /// What stands in the file.
    pub template: Value,
}

/// Every template, with the file it is in.
pub fn templates() -> impl Iterator<Item = (&'static str, &'static Value)> {
    let nested = NESTED.iter().map(|one| (one.file, &one.template));
    [(ROOT_FILE, &*TEMPLATE)].into_iter().chain(nested)
}

/// A resource by its name, wherever it is deployed.
///
/// # Panics
/// If there is none, or more than one.
#[must_use]
pub fn resource(name: &str) -> &'static Value {
    let mut found = templates().filter_map(|(_, one)| one.get("Resources")?.get(name));
    let first = found.next();
    assert!(found.next().is_none(), "{name} is more than one resource");
    first.unwrap_or_else(|| panic!("there is no resource {name}"))
}

/// The name of the resource that an address leads to, and what follows its own address: `Table/index/by_due`.
///
/// A template says `Fn::GetAtt: [Table, Arn]` of what stands in it, and `Ref: TableArn` of what it is given.
#[must_use]
pub fn named(address: &Value) -> String {
    let output = address.pointer("/Fn::GetAtt/1").and_then(Value::as_str);
    let output = output.and_then(|attribute| attribute.strip_prefix("Outputs."));
    let whole = address.pointer("/Fn::GetAtt/0").or_else(|| address.get("Ref"));
    let found = whole.or_else(|| address.get("Fn::Sub")).and_then(Value::as_str);
    let found = output.or(found).unwrap_or_default().replace("${", "");
    let (resource, rest) = found.split_once('}').unwrap_or((&found, ""));
    let resource = resource.trim_end_matches(".Arn");
    format!("{}{rest}", resource.strip_suffix("Arn").unwrap_or(resource))
}

/// The folder of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = package.parent();
    workspace.expect("the package is in a workspace").to_owned()
}

/// The resources of a kind, such as `AWS::SQS::Queue`, with their names, wherever they are deployed.
pub fn resources(kind: &str) -> impl Iterator<Item = (&'static str, &'static Value)> {
    let all = templates().flat_map(|(_, template)| fields(template.get("Resources")));
    all.filter(move |(_, resource)| text(resource, "/Type") == kind)
}

/// The functions' names, which are their binaries' and folders' names, with their properties.
pub fn functions() -> impl Iterator<Item = (&'static str, &'static Value)> {
    resources("AWS::Serverless::Function").map(|(_, one)| {
        let name = text(one, "/Metadata/BuildProperties/Binary");
        let properties = one.get("Properties");
        (name, properties.expect("a function has properties"))
    })
}

/// What takes from a queue for a function: the function's name and properties, and its own.
pub fn pollers() -> impl Iterator<Item = (&'static str, &'static Value, &'static Value)> {
    resources("AWS::Lambda::EventSourceMapping").map(|(_, one)| {
        let poller = one.get("Properties").expect("a mapping has properties");
        let fed = resource(text(poller, "/FunctionName/Ref"));
        let function = fed.get("Properties").expect("a function has properties");
        (text(fed, "/Metadata/BuildProperties/Binary"), function, poller)
    })
}

/// What calls a function, by its kind, such as `Schedule`.
pub fn events<'a>(function: &'a Value, kind: &str) -> impl Iterator<Item = &'a Value> {
    let events = fields(function.get("Events")).map(|(_, event)| event);
    events.filter(move |event| text(event, "/Type") == kind)
}

/// Every statement of every policy at or below `value`, wherever it stands.
#[must_use]
pub fn statements(value: &Value) -> Vec<&Value> {
    if value.get("Effect").is_some() {
        return vec![value];
    }
    let fields = fields(Some(value)).map(|(_, field)| field);
    fields.chain(items(Some(value))).flat_map(statements).collect()
}

/// The fields of an object, with their names.
pub fn fields(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    let fields = value.and_then(Value::as_object).into_iter().flatten();
    fields.map(|(name, field)| (name.as_str(), field))
}

/// The items of a list.
pub fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// The texts of a field that may hold one or a list of them.
pub fn texts<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a str> {
    let field = value.pointer(pointer);
    field.into_iter().chain(items(field)).filter_map(Value::as_str)
}

/// The text of a field.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let Some(text) = value.pointer(pointer).and_then(Value::as_str) else {
        panic!("no text at {pointer} of {value}");
    };
    text
}

/// The whole number of a field.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn number(value: &Value, pointer: &str) -> u64 {
    let Some(number) = value.pointer(pointer).and_then(Value::as_u64) else {
        panic!("no number at {pointer} of {value}");
    };
    number
}

fn read(path: &str) -> Value {
    let text = fs::read_to_string(root().join(path)).expect("there is a template");
    serde_saphyr::from_str(&text).expect("the template is YAML")
}
