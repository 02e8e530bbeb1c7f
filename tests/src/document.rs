//! The OpenAPI document as a witness: what a story sends and is answered must be what it says.
//!
//! Answers are held against it more strictly than clients should: a field that it does not list is an
//! error here, or the document would fall behind. A story may cut the wires behind the gateway as it
//! likes, since what comes of that is documented too. What is not part of the API (the runner's own
//! pages and controls) is not looked at.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::http::request::Parts;
use data_encoding::BASE64;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::http::Answer;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document: Value = serde_json::from_str(openapi::COMMITTED).expect("it is JSON");
    document["components"]["schemas"].as_object_mut().unwrap().values_mut().for_each(close);
    document
});

/// By where the schema is. Compiled when it is first needed: a story needs few of them.
static VALIDATORS: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());

/// Stops the test unless the document says that this request can be answered so.
///
/// # Panics
/// With the call and everything that does not fit.
pub fn check(request: &Parts, body: &[u8], answer: &Answer) {
    let path = request.uri.path();
    if !path.starts_with("/v1/") {
        return;
    }
    let method = request.method.as_str().to_lowercase();
    let Some((form, operation)) = operation(&method, path) else {
        let unknown = answer.status == 404 && answer.json() == json!({"message": "Not Found"});
        assert!(unknown, "{method} {path} is in no document, and answers {}", answer.status);
        return;
    };
    let call = format!("{method} {form}, answered with {}", answer.status);
    let at = format!("/paths/{}/{method}", escaped(form));
    let response = operation["responses"].get(answer.status.to_string());
    let response = response.unwrap_or_else(|| panic!("{call}: the status is not documented"));
    let (at_response, response) = match response["$ref"].as_str() {
        Some(reference) => (reference[1..].to_owned(), DOCUMENT.pointer(&reference[1..]).unwrap()),
        None => (format!("{at}/responses/{}", answer.status), response),
    };
    check_answer(&call, &at_response, response, answer);
    if (200..300).contains(&answer.status) {
        check_request(&call, &at, operation, request, body, answer);
    }
}

fn check_answer(call: &str, at: &str, response: &Value, answer: &Answer) {
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        let header = DOCUMENT.pointer(&header["$ref"].as_str().unwrap()[1..]).unwrap();
        let there = answer.headers.contains_key(name.as_str());
        assert!(there || header["required"] != true, "{call}: no header {name}");
    }
    let content = response["content"].as_object();
    let media_type = answer.header("content-type");
    let media_type = media_type.split(';').next().unwrap_or_default();
    let Some(content) = content else {
        assert!(answer.body.is_empty(), "{call}: a body that is not documented");
        return;
    };
    assert!(content.contains_key(media_type), "{call}: {media_type} is not documented");
    if content[media_type].get("schema").is_some() {
        let at = format!("{at}/content/{}/schema", escaped(media_type));
        must_be_valid(call, &at, &answer.json());
    }
    if media_type == "text/csv" && !answer.header("content-type").contains("absent") {
        let shown = String::from_utf8(file(&content[media_type])).expect("text");
        let columns = shown.split_inclusive('\n').next().unwrap().as_bytes();
        assert!(answer.body.starts_with(columns), "{call}: the columns are not {shown}");
    }
}

/// Whether the document has a call with this method, in lower case, at this path.
#[must_use]
pub fn knows(method: &str, path: &str) -> bool {
    operation(method, path).is_some()
}

/// The files that the document shows as what a call with this method, in lower case, takes: their media types and contents.
///
/// # Panics
/// If it knows no such call.
#[must_use]
pub fn files(method: &str, path: &str) -> Vec<(&'static str, Vec<u8>)> {
    let content = &DOCUMENT["paths"][path][method]["requestBody"]["content"];
    let types = content.as_object().unwrap_or_else(|| panic!("{method} {path} takes nothing"));
    types.iter().map(|(media_type, content)| (media_type.as_str(), file(content))).collect()
}

/// The file that is shown as an example of this content.
fn file(content: &Value) -> Vec<u8> {
    let shown = &content["examples"]["file"];
    match (&shown["value"], shown["externalValue"].as_str()) {
        (Value::String(text), None) => text.as_bytes().to_vec(),
        (Value::Null, Some(address)) => {
            let (_, bytes) = address.split_once(";base64,").expect("an address of data");
            BASE64.decode(bytes.as_bytes()).expect("base64")
        }
        (value, None) => value.to_string().into_bytes(),
        _ => panic!("two examples in one: {shown}"),
    }
}

/// What was taken must be what the document says can be sent.
fn check_request(
    call: &str,
    at: &str,
    operation: &Value,
    request: &Parts,
    body: &[u8],
    answer: &Answer,
) {
    let parameters = operation["parameters"].as_array().unwrap().iter();
    let parameters: Vec<&Value> = parameters
        .map(|one| DOCUMENT.pointer(&one["$ref"].as_str().unwrap()[1..]).unwrap())
        .collect();
    let query = request.uri.query().unwrap_or_default();
    for (name, _) in url::form_urlencoded::parse(query.as_bytes()) {
        let known = parameters.iter().any(|one| one["in"] == "query" && one["name"] == *name);
        assert!(known, "{call}: the parameter {name} is not documented");
    }
    for header in parameters.iter().filter(|one| one["in"] == "header") {
        let name = header["name"].as_str().unwrap();
        let there = request.headers.contains_key(name);
        assert!(there, "{call}: {name} is said to be required");
    }
    // Each charge of a batch has an answer of its own: those that were not taken need not be valid.
    let outcomes = answer.json();
    let refused = |outcome: &Value| !outcome["problem"].is_null() && outcome["charge"].is_null();
    let refused = outcomes["data"].as_array().is_some_and(|all| all.iter().any(refused));
    let content = "/requestBody/content/application~1json/schema";
    if operation.pointer(content).is_some() && !refused {
        let body = serde_json::from_slice(body).expect("a JSON body");
        must_be_valid(&format!("what was sent to {call}"), &format!("{at}{content}"), &body);
    }
}

/// The call of the document that a path belongs to: one without parameters before others.
fn operation(method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    let matching = paths.filter(|(form, calls)| calls.get(method).is_some() && fits(form, path));
    let found = matching.min_by_key(|(form, _)| form.matches('{').count());
    found.map(|(form, calls)| (form.as_str(), &calls[method]))
}

fn fits(form: &str, path: &str) -> bool {
    let parts: Vec<_> = form.split('/').zip(path.split('/')).collect();
    let as_long = form.split('/').count() == path.split('/').count();
    let same =
        |(form, part): &(&str, &str)| form == part || (form.starts_with('{') && !part.is_empty());
    as_long && parts.iter().all(same)
}

fn must_be_valid(call: &str, at: &str, value: &Value) {
    let validator = {
        let mut known = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(at.to_owned()).or_insert_with(|| Arc::new(compiled(at))))
    };
    let wrong: Vec<_> = validator
        .iter_errors(value)
        .map(|error| format!("{} {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{call}:\n{}\nin {value}", wrong.join("\n"));
}

fn compiled(at: &str) -> Validator {
    let mut schema = DOCUMENT.pointer(at).expect("there is a schema").clone();
    schema["components"] = json!({"schemas": DOCUMENT["components"]["schemas"]});
    let options = jsonschema::draft202012::options().should_validate_formats(true);
    options.build(&schema).expect("the schema is one")
}

/// Takes no other fields than those that are listed.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(close);
            if fields.get("type").is_some_and(|kind| kind == "object") {
                fields.entry("additionalProperties").or_insert(json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// What the platform is sent must be what the document says of its kind; of kinds that only a newer program tells
/// it says nothing.
///
/// # Panics
/// If it is not.
pub fn check_told(event: &Value) {
    let kind = event["type"].as_str().unwrap_or_default();
    let at = format!("/webhooks/{kind}/post/requestBody/content/application~1json/schema");
    if DOCUMENT.pointer(&at).is_some() {
        must_be_valid(kind, &at, event);
    }
}

/// A name as a part of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_what_its_schema_says() {
        let mut seen = 0;
        each_content(&DOCUMENT, "", &mut |at, content| {
            for example in content["examples"].as_object().into_iter().flatten() {
                let example = DOCUMENT.pointer(&example.1["$ref"].as_str().unwrap()[1..]).unwrap();
                must_be_valid(at, &format!("{at}/schema"), &example["value"]);
                seen += 1;
            }
        });
        assert!(seen > 100, "only {seen} examples");
    }

    #[test]
    fn every_row_of_an_example_has_a_cell_for_each_column() {
        let mut seen = 0;
        for (path, calls) in DOCUMENT["paths"].as_object().unwrap() {
            let sheet = &calls["get"]["responses"]["200"]["content"]["text/csv"];
            if !sheet.is_null() {
                let shown = file(sheet);
                let rows = csv::Reader::from_reader(&shown[..]).into_records();
                let rows: Vec<_> = rows.map(|row| row.expect(path)).collect();
                assert!(!rows.is_empty(), "{path}");
                seen += 1;
            }
        }
        assert_eq!(seen, 5);
    }

    /// Everything below here that has a schema and examples.
    fn each_content(value: &Value, at: &str, look: &mut impl FnMut(&str, &Value)) {
        if value.get("schema").is_some() && value.get("examples").is_some() {
            look(at, value);
        }
        for (name, value) in value.as_object().into_iter().flatten() {
            each_content(value, &format!("{at}/{}", escaped(name)), look);
        }
    }
}
