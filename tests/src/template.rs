//! What is deployed, as `template.yaml` and the stack that is nested in it say it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;

/// The template.
pub static TEMPLATE: LazyLock<Value> = LazyLock::new(|| read("template.yaml"));

/// The template of the stack that is nested in it: alarms, and what they are made of.
pub static ALARMS: LazyLock<Value> =
    LazyLock::new(|| read(text(&TEMPLATE, "/Resources/Alarms/Properties/TemplateURL")));

/// The folder of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = package.parent();
    workspace.expect("the package is in a workspace").to_owned()
}

/// The resources of a kind, such as `AWS::SQS::Queue`, with their names, wherever they are deployed.
pub fn resources(kind: &str) -> impl Iterator<Item = (&'static str, &'static Value)> {
    let templates = [&*TEMPLATE, &*ALARMS].into_iter();
    let all = templates.flat_map(|template| fields(template.get("Resources")));
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
        let fed = text(poller, "/FunctionName/Ref");
        let fed = TEMPLATE.pointer(&format!("/Resources/{fed}")).expect("its function is here");
        let function = fed.get("Properties").expect("a function has properties");
        (text(fed, "/Metadata/BuildProperties/Binary"), function, poller)
    })
}

/// What calls a function, by its kind, such as `HttpApi`.
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
