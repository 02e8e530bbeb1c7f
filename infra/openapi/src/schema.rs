//! The vocabulary that schemas are written in (JSON Schema 2020-12), and examples made of them.

use serde_json::{Map, Value, json};

/// A field: its name, what it is, and what it means.
pub(crate) type Field = (&'static str, Value, &'static str);

/// The object with a member that it had not, or had otherwise.
pub(crate) fn with(mut object: Value, name: &str, value: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
    object
}

/// That object, and no other field in it.
pub(crate) fn closed(object: Value) -> Value {
    with(object, "additionalProperties", json!(false))
}

/// The schema of that name.
pub(crate) fn named(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// A text of a form.
pub(crate) fn form(pattern: &str, example: &str, about: &str) -> Value {
    json!({"type": "string", "pattern": pattern, "examples": [example], "description": about})
}

/// A text of so many characters, not only blanks.
pub(crate) fn words(longest: usize, example: &str, about: &str) -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": longest,
        "pattern": "\\S",
        "examples": [example],
        "description": about,
    })
}

/// Any text.
pub(crate) fn text(example: &str) -> Value {
    json!({"type": "string", "examples": [example]})
}

/// One of these words.
pub(crate) fn one_of<Name: AsRef<str>>(names: impl IntoIterator<Item = Name>) -> Value {
    let names: Vec<_> = names.into_iter().map(|name| json!(name.as_ref())).collect();
    json!({"type": "string", "enum": names})
}

/// A whole number from `least` on.
pub(crate) fn count(least: u32, example: u32) -> Value {
    json!({"type": "integer", "minimum": least, "examples": [example]})
}

/// True or false.
pub(crate) fn flag(example: bool) -> Value {
    json!({"type": "boolean", "examples": [example]})
}

/// That, or null.
pub(crate) fn or_null(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

/// A list of those.
pub(crate) fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// An object with a value of that kind under each name of that kind.
pub(crate) fn by_name(names: Value, values: Value) -> Value {
    json!({"type": "object", "propertyNames": names, "additionalProperties": values})
}

/// An object that this service answers with: every field is always there. Fields may be added one
/// day, so a client must take others too.
pub(crate) fn answer(about: &str, fields: impl IntoIterator<Item = Field>) -> Value {
    let (required, properties) = described(fields);
    json!({
        "type": "object",
        "description": about,
        "required": required,
        "properties": properties,
    })
}

/// An object of an answer some of whose fields are not always there.
pub(crate) fn answer_with(about: &str, always: Vec<Field>, sometimes: Vec<Field>) -> Value {
    let mut object = answer(about, always);
    let (_, more) = described(sometimes);
    if let Some(properties) = object.pointer_mut("/properties").and_then(Value::as_object_mut) {
        properties.extend(more);
    }
    object
}

/// An object that a client sends: what is optional may also be null, and no other field is taken.
pub(crate) fn body(about: &str, needed: Vec<Field>, optional: Vec<Field>) -> Value {
    let optional = optional.into_iter().map(|(name, schema, about)| (name, or_null(schema), about));
    closed(answer_with(about, needed, optional.collect()))
}

/// A page of a list.
pub(crate) fn page(item: &str) -> Value {
    let next = or_null(text("eyJ2IjoxfQ.c2lnbmVk"));
    answer(
        "A page of a list. It may be short, or empty, and still have a next one.",
        [
            ("data", list(named(item)), "What is on this page."),
            ("next_cursor", next, "The `cursor` of the next page; null on the last one."),
        ],
    )
}

/// The names that must be there, and the properties.
fn described(fields: impl IntoIterator<Item = Field>) -> (Vec<&'static str>, Map<String, Value>) {
    let mut names = Vec::new();
    let mut properties = Map::new();
    for (name, schema, about) in fields {
        names.push(name);
        properties.insert(name.to_owned(), with(schema, "description", json!(about)));
    }
    (names, properties)
}

/// A value of a schema, made of the examples of its parts; null if it has none.
pub(crate) fn example(schema: &Value, named: &Map<String, Value>) -> Value {
    if let Some(given) = schema.pointer("/examples/0").or(schema.pointer("/enum/0")) {
        return given.clone();
    }
    let part = |name: &str| schema.get(name).map_or(Value::Null, |part| example(part, named));
    let word = |name: &str| schema.get(name).and_then(Value::as_str);
    if let Some(name) = word("$ref").and_then(|path| path.rsplit('/').next()) {
        return named.get(name).map_or(Value::Null, |found| example(found, named));
    }
    if let Some(first) = schema.pointer("/anyOf/0").or(schema.pointer("/oneOf/0")) {
        return example(first, named);
    }
    match word("type") {
        Some("array") => json!([part("items")]),
        Some("object") => {
            let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
            let shown = fields.map(|(name, field)| (name.clone(), example(field, named)));
            let mut shown: Map<_, _> = shown.collect();
            if let Some(name) = part("propertyNames").as_str() {
                shown.insert(name.to_owned(), part("additionalProperties"));
            }
            Value::Object(shown)
        }
        _ => Value::Null,
    }
}
