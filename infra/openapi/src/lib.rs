//! The OpenAPI 3.1 document of the HTTP API, made from tables: a row for each call, a schema for each
//! body.
//!
//! It is plain `serde_json`, not `utoipa`: bodies are parsed by `Fields` and answers are made with
//! `json!`, so there are no types for it to derive from, and its builders would say the same as the
//! JSON in three times the lines. What the code knows is taken from it: scopes, statuses, kinds, limits,
//! and of every problem the status, the code and the text ([`service::http::Problem`] makes the
//! examples). The rest is held against the running service: every answer of every story in `tests` must
//! be one that the document knows.

// An order has more fields than `json!` takes unasked.
#![recursion_limit = "256"]

mod answers;
mod bodies;
mod customer;
mod files;
mod operation;
mod operator;
mod operator_answers;
mod parameters;
mod parts;
mod problems;
mod schema;
mod webhooks;
mod whole_examples;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use operation::Operation;
use problems::Samples;
use whole_examples::whole_examples;

/// The document as it is committed, and served by `describe-api`.
pub const COMMITTED: &str = include_str!("../openapi.json");

/// Calls that are about the same: their name, what it means, and they.
type Group = (&'static str, &'static str, &'static [Operation]);

/// The document.
#[must_use]
pub fn document() -> Value {
    let samples = problems::samples();
    let schemas = schemas();
    let (mut paths, mut tags) = (BTreeMap::<_, Map<_, _>>::new(), Vec::new());
    for (tag, about, operations) in groups() {
        tags.push(json!({"name": tag, "description": about}));
        for operation in operations {
            let described = operation.described(tag, &samples);
            let calls = paths.entry(operation.path).or_default();
            calls.insert(operation.method.to_ascii_lowercase(), described);
        }
    }
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Topup",
            "version": "1",
            "summary": "Prepaid balances for platforms that sell by API.",
            "description": ABOUT,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "Where this document was read."}],
        "tags": tags,
        "paths": paths,
        "webhooks": webhooks::webhooks(&schemas),
        "components": {
            "securitySchemes": security_schemes(),
            "headers": headers(),
            "parameters": parameters::parameters(&schemas),
            "responses": operation::shared_failures(),
            "examples": examples(&samples, &schemas),
            "schemas": schemas,
        },
    })
}

fn schemas() -> Map<String, Value> {
    let whole: BTreeMap<_, _> = whole_examples().into_iter().collect();
    let all = [parts::parts(), answers::answers(), operator_answers::answers(), bodies::bodies()];
    let all = all.into_iter().flatten().map(|(name, schema)| {
        let schema = match whole.get(name) {
            Some(example) => schema::with(schema, "examples", json!([example])),
            None => schema,
        };
        (name.to_owned(), schema)
    });
    all.collect()
}

/// An example of each problem by its code, and of each body by the name of its schema.
fn examples(samples: &Samples, schemas: &Map<String, Value>) -> Map<String, Value> {
    let operations = groups().flat_map(|(_, _, operations)| operations);
    let bodies: BTreeSet<_> = operations.flat_map(Operation::bodies).collect();
    let bodies = bodies.into_iter().map(|name| {
        let shown = schema::example(&schema::named(name), schemas);
        (name.to_owned(), json!({"summary": name, "value": shown}))
    });
    problems::examples(samples).into_iter().chain(bodies).collect()
}

fn groups() -> impl Iterator<Item = Group> {
    customer::GROUPS.into_iter().chain(operator::GROUPS)
}

/// The document as it is committed: two blanks a level, and a line end.
#[must_use]
pub fn text() -> String {
    format!("{:#}\n", document())
}

/// What is the same for all calls.
const ABOUT: &str = "\
Money is a decimal **string** with at least the digits of its currency, never a JSON number. Times are \
RFC 3339, UTC, with milliseconds.\n\n\
A call that makes something takes a header `Idempotency-Key`. The same key with the same request answers \
with the document as it is now, 200 and `Idempotent-Replayed: true`; with another request of the same kind, 409 \
`idempotency_key_reused`. A key counts for its kind of call within its account; single charges, batches and the \
usage queue share theirs.\n\n\
A failure is `application/problem+json` (RFC 9457): decide by `code`, and by `retry` what becomes of the \
idempotency key. The gateway answers by itself with `{\"message\": …}`: 401 without a key, 403 for a key \
that it does not know, 404 for a call that there is not, 429 for too many at once.\n\n\
Fields may be added to answers at any time; none is changed or dropped. In a body, a field that nobody \
asked for is refused.";

fn security_schemes() -> Value {
    json!({
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, `tk_<id>_<secret>`, or a token of the console.",
        },
        "signature": {
            "type": "apiKey",
            "in": "header",
            "name": "Stripe-Signature",
            "description": "HMAC-SHA256 over the time and the raw body, as Stripe signs webhooks.",
        },
    })
}

fn headers() -> Value {
    let text = |about: &str| json!({"description": about, "schema": {"type": "string"}});
    json!({
        "X-Request-Id": text("The id of the request, also in every log line of it."),
        "Idempotent-Replayed": {
            "description": "It was made before, by a request with this key.",
            "required": true,
            "schema": {"type": "string", "const": "true"},
        },
        "ETag": text("What this document is told from another one by."),
        "X-Next-Cursor": text("The `cursor` of the next part; not there on the last one."),
        "Content-Disposition": text("That it is a file, and what it is saved as."),
        "Retry-After": text("In how many seconds to ask again."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_and_every_parameter_has_an_example() {
        let document = document();
        let (mut without, mut seen) = (Vec::new(), 0);
        let parameters = document["components"]["parameters"].as_object().unwrap();
        for (name, parameter) in parameters {
            if parameter["example"].is_null() {
                without.push(name.clone());
            }
        }
        each_content(&document, "", &mut |at, content| {
            seen += 1;
            if content["example"].is_null() && content["examples"].is_null() {
                without.push(at.to_owned());
            }
        });
        assert_eq!(without, [""; 0]);
        assert!(seen > 200 && parameters.len() > 20, "only {seen} and {}", parameters.len());
    }

    /// Everything below here that is the content of a request or an answer, by its media type.
    fn each_content(value: &Value, at: &str, look: &mut impl FnMut(&str, &Value)) {
        for (name, value) in value.as_object().into_iter().flatten() {
            let at = format!("{at}/{name}");
            match (name.as_str(), value.as_object()) {
                ("content", Some(types)) => {
                    types.iter().for_each(|(name, one)| look(&format!("{at}/{name}"), one));
                }
                _ => each_content(value, &at, look),
            }
        }
    }

    #[test]
    fn every_whole_example_is_of_a_schema() {
        let schemas = schemas();
        for (name, _) in whole_examples() {
            assert!(schemas.contains_key(name), "{name}");
        }
    }

    #[test]
    fn the_committed_document_is_the_one_that_the_code_makes() {
        assert!(
            COMMITTED == text(),
            "infra/openapi/openapi.json has drifted from the code. Write it again: \
             cargo run -p openapi > infra/openapi/openapi.json"
        );
    }

    #[test]
    fn every_problem_is_of_some_call_and_every_code_of_a_call_is_a_problem() {
        let samples = problems::samples();
        let known: BTreeSet<_> = samples.keys().copied().collect();
        let operations = groups().flat_map(|(_, _, operations)| operations);
        let named: BTreeSet<_> = operations.flat_map(Operation::all_codes).collect();
        assert_eq!(named, known);
    }
}
