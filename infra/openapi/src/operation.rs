//! A call of the API as a row of a table, and what OpenAPI says of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use service::keys::Scope;

use crate::files::{self, COMPARISON, DOCUMENT, File};
use crate::parameters::reference;
use crate::problems::Samples;
use crate::schema::{named, with};

/// A call. What all calls of its kind have in common is not said in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// What generated clients call it.
    pub(crate) id: &'static str,
    summary: &'static str,
    about: &'static str,
    access: Access,
    /// Whether a header `Idempotency-Key` is required.
    keyed: bool,
    query: &'static [&'static str],
    sent: Sent,
    answers: &'static [(u16, Content)],
    /// The codes of problems that not every call of its kind has.
    codes: &'static [&'static str],
}

/// Who may call.
#[derive(Debug, Clone, Copy)]
enum Access {
    /// A key with one of these scopes.
    Key(&'static [Scope]),
    /// Everybody: what is sent authorizes, or there is nothing to guard.
    Open,
    /// Whoever signs with the provider's secret.
    Signature,
}

/// What is sent.
#[derive(Debug, Clone, Copy)]
enum Sent {
    Nothing,
    /// A JSON body of that name.
    Json(&'static str),
    /// One of these files.
    File(&'static [File]),
}

/// What is answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Content {
    /// A JSON body of that name.
    Json(&'static str),
    /// A comparison, or the same as comma-separated values.
    Comparison,
    /// One of these files.
    File(&'static [File]),
    /// A part of this export.
    Export(File),
    /// This document.
    Document,
    /// No body: what the client has is good.
    Nothing,
}

/// The body of a comparison.
const RECONCILIATION: &str = "Reconciliation";

/// What the gateway says by itself, with a body of its own.
const OF_GATEWAY: [(u16, &str); 8] = [
    (401, "Unauthorized"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (413, "Request Entity Too Large"),
    (429, "Too Many Requests"),
    (431, "Request Header Fields Too Large"),
    (500, "Internal Server Error"),
    (503, "Service Unavailable"),
];

/// Failures that many calls have: a name, the status and the codes.
const SHARED: [(&str, u16, &[&str]); 12] = [
    ("IdempotencyKey", 400, &["idempotency_key_required", "invalid_idempotency_key"]),
    (
        "IdempotencyKeyOrJson",
        400,
        &["idempotency_key_required", "invalid_idempotency_key", "invalid_json"],
    ),
    ("NoKey", 401, &[]),
    ("Forbidden", 403, &["key_expired", "missing_scope"]),
    ("NotFound", 404, &["not_found"]),
    ("OrderNotFound", 404, &["order_not_found"]),
    ("BodyTooLarge", 413, &["body_too_large"]),
    ("UnsupportedMediaType", 415, &["unsupported_media_type"]),
    ("TooManyRequests", 429, &[]),
    ("HeadersTooLarge", 431, &[]),
    ("InternalError", 500, &["internal_error"]),
    ("Unavailable", 503, &["unavailable"]),
];

/// The failures that many calls have, by name.
pub(crate) fn shared_failures() -> Map<String, Value> {
    SHARED
        .iter()
        .map(|(name, status, codes)| ((*name).to_owned(), failure(*status, codes)))
        .collect()
}

/// What a call with a key can fail with.
const AUTHORIZED: &[&str] = &["missing_scope", "key_expired"];
/// What a call with an idempotency key can fail with.
const KEYED: &[&str] =
    &["idempotency_key_required", "invalid_idempotency_key", "idempotency_key_reused"];
/// What a call with a JSON body can fail with.
const WITH_JSON: &[&str] = &[
    "unsupported_media_type",
    "body_too_large",
    "invalid_json",
    "missing_field",
    "invalid_field",
    "unknown_field",
];
/// What a call with a file can fail with.
const WITH_FILE: &[&str] = &["unsupported_media_type", "body_too_large"];

impl Operation {
    const fn new(method: &'static str, path: &'static str, id: &'static str) -> Self {
        Self {
            method,
            path,
            id,
            summary: "",
            about: "",
            access: Access::Open,
            keyed: false,
            query: &[],
            sent: Sent::Nothing,
            answers: &[],
            codes: &[],
        }
    }

    /// A question.
    pub(crate) const fn get(path: &'static str, id: &'static str) -> Self {
        Self::new("GET", path, id)
    }

    /// Something to be done, or made once a key.
    pub(crate) const fn post(path: &'static str, id: &'static str) -> Self {
        Self::new("POST", path, id)
    }

    /// Something that is to be so from now on.
    pub(crate) const fn put(path: &'static str, id: &'static str) -> Self {
        Self::new("PUT", path, id)
    }

    /// Something that is to be no more.
    pub(crate) const fn delete(path: &'static str, id: &'static str) -> Self {
        Self::new("DELETE", path, id)
    }

    /// What it does: in a few words, and what a caller should know beside.
    pub(crate) const fn says(self, summary: &'static str, about: &'static str) -> Self {
        Self { summary, about, ..self }
    }

    /// It needs a key with one of these scopes.
    pub(crate) const fn needs(self, scopes: &'static [Scope]) -> Self {
        Self { access: Access::Key(scopes), ..self }
    }

    /// It needs the provider's signature.
    pub(crate) const fn signed(self) -> Self {
        Self { access: Access::Signature, ..self }
    }

    /// It makes something, once a key.
    pub(crate) const fn once_a_key(self) -> Self {
        Self { keyed: true, ..self }
    }

    /// It takes these parameters.
    pub(crate) const fn query(self, query: &'static [&'static str]) -> Self {
        Self { query, ..self }
    }

    /// It takes this JSON body.
    pub(crate) const fn takes(self, body: &'static str) -> Self {
        Self { sent: Sent::Json(body), ..self }
    }

    /// It takes one of these files.
    pub(crate) const fn takes_file(self, files: &'static [File]) -> Self {
        Self { sent: Sent::File(files), ..self }
    }

    /// It answers so when it went well.
    pub(crate) const fn answers(self, answers: &'static [(u16, Content)]) -> Self {
        Self { answers, ..self }
    }

    /// It can fail in these ways, too.
    pub(crate) const fn fails(self, codes: &'static [&'static str]) -> Self {
        Self { codes, ..self }
    }

    /// Its codes: its own, and those of every call of its kind.
    pub(crate) fn all_codes(&self) -> BTreeSet<&'static str> {
        let authorized = match self.access {
            Access::Key(_) => AUTHORIZED,
            Access::Open | Access::Signature => &[],
        };
        let sent = match self.sent {
            Sent::Nothing => &[],
            Sent::Json(_) => WITH_JSON,
            // The provider's own media type is not looked at: the signature is over the bytes.
            Sent::File(_) if matches!(self.access, Access::Signature) => &["body_too_large"],
            Sent::File(_) => WITH_FILE,
        };
        let keyed = if self.keyed { KEYED } else { &[] };
        let asks = self.method == "GET" && matches!(self.access, Access::Key(_));
        let asked: &[_] = match (asks, self.query) {
            (false, _) => &[],
            (true, []) => &["unknown_field"],
            (true, _) => &["unknown_field", "invalid_parameter"],
        };
        let paged = self.query.iter().any(|name| ["cursor", "next"].contains(name));
        let paged: &[_] = if paged { &["invalid_cursor"] } else { &[] };
        let about: &[_] = match self.path {
            path if path.contains("{order_id}") => &["order_not_found"],
            path if path.contains("{account_id}") => &["not_found"],
            _ => &[],
        };
        let always: &[_] = &["internal_error", "unavailable"];
        [authorized, sent, keyed, asked, paged, about, always, self.codes]
            .into_iter()
            .flatten()
            .copied()
            .collect()
    }

    /// The names of the JSON bodies that are sent and answered.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = &'static str> {
        let sent = match self.sent {
            Sent::Json(name) => Some(name),
            Sent::Nothing | Sent::File(_) => None,
        };
        let answered = self.answers.iter().filter_map(|(_, content)| match content {
            Content::Json(name) => Some(*name),
            Content::Comparison => Some(RECONCILIATION),
            Content::File(_) | Content::Export(_) | Content::Document | Content::Nothing => None,
        });
        sent.into_iter().chain(answered)
    }

    /// What OpenAPI says of it.
    pub(crate) fn described(&self, tag: &str, samples: &Samples) -> Value {
        let described = json!({
            "operationId": self.id,
            "tags": [tag],
            "summary": self.summary,
            "description": self.description(),
            "parameters": self.parameters(),
            "responses": self.responses(samples),
        });
        let described = match self.access {
            Access::Key(scopes) => {
                let scopes: Vec<_> = scopes.iter().map(|scope| scope.name()).collect();
                let described = with(described, "security", json!([{"key": scopes}]));
                with(described, "x-required-scope", json!(scopes))
            }
            Access::Signature => with(described, "security", json!([{"signature": []}])),
            Access::Open => with(described, "security", json!([])),
        };
        match self.request_body() {
            Some(body) => with(described, "requestBody", body),
            None => described,
        }
    }

    fn description(&self) -> String {
        let scopes = match self.access {
            Access::Key(scopes) => scopes,
            Access::Open | Access::Signature => return self.about.to_owned(),
        };
        let scopes: Vec<_> = scopes.iter().map(|scope| format!("`{}`", scope.name())).collect();
        format!("{} Needs the scope {}.", self.about, scopes.join(" or "))
    }

    fn parameters(&self) -> Vec<Value> {
        let parts = self.path.split('/');
        let in_path = parts
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| reference(&format!("path_{name}")));
        let in_query = self.query.iter().map(|name| reference(name));
        let key = self.keyed.then(|| reference("idempotency_key"));
        in_path.chain(in_query).chain(key).collect()
    }

    fn request_body(&self) -> Option<Value> {
        let content: Map<_, _> = match self.sent {
            Sent::Nothing => return None,
            Sent::Json(name) => {
                let body = of_schema(name);
                Map::from_iter([("application/json".to_owned(), body)])
            }
            Sent::File(possible) => files::content(possible),
        };
        Some(json!({"required": true, "content": content}))
    }

    fn responses(&self, samples: &Samples) -> Map<String, Value> {
        let mut responses = Map::new();
        for (status, content) in self.answers {
            let replayed = *status == 200 && self.answers.len() == 2 && self.keyed;
            responses.insert(status.to_string(), content.response(replayed));
        }
        let mut failures: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
        for code in self.all_codes() {
            if let Some(sample) = samples.get(code) {
                failures.entry(sample.status).or_default().push(code);
            }
        }
        let asks_for_key = matches!(self.access, Access::Key(_));
        for (status, _) in OF_GATEWAY {
            let possible = match status {
                401 | 403 => asks_for_key,
                404 => self.path.contains('{'),
                413 => !matches!(self.sent, Sent::Nothing),
                _ => true,
            };
            if possible {
                failures.entry(status).or_default();
            }
        }
        for (status, codes) in failures {
            let shared = SHARED.iter().find(|(_, known, same)| *known == status && *same == codes);
            let response = match shared {
                Some((name, ..)) => json!({"$ref": format!("#/components/responses/{name}")}),
                None => failure(status, &codes),
            };
            responses.insert(status.to_string(), response);
        }
        responses
    }
}

impl Content {
    fn response(self, replayed: bool) -> Value {
        let mut headers = vec!["X-Request-Id"];
        if replayed {
            headers.push("Idempotent-Replayed");
        }
        let (about, content) = match self {
            Self::Json(name) => {
                let about =
                    if replayed { "As it is now: this key made it before." } else { "Done." };
                (about, Map::from_iter([("application/json".to_owned(), of_schema(name))]))
            }
            Self::Comparison => {
                let json = ("application/json".to_owned(), of_schema(RECONCILIATION));
                ("Done.", Map::from_iter([json, COMPARISON.content()]))
            }
            Self::File(possible) => {
                headers.push("Content-Disposition");
                ("The file.", files::content(possible))
            }
            Self::Export(file) => {
                headers.push("Content-Disposition");
                headers.push("X-Next-Cursor");
                let about = "A part of the export. Only the first one has a row of names: the media type says so.";
                (about, Map::from_iter([file.content()]))
            }
            Self::Document => {
                headers.push("ETag");
                ("OpenAPI 3.1.", files::content(&[DOCUMENT]))
            }
            Self::Nothing => {
                headers.push("ETag");
                ("It has not changed.", Map::new())
            }
        };
        let headers: Map<_, _> = headers.into_iter().map(header).collect();
        let response = json!({"description": about, "headers": headers});
        match content.is_empty() {
            true => response,
            false => with(response, "content", Value::Object(content)),
        }
    }
}

/// What is answered when it did not go well: a problem with one of these codes, or what the gateway
/// says with this status.
fn failure(status: u16, codes: &[&'static str]) -> Value {
    let mut content = Map::new();
    let message = OF_GATEWAY.iter().find(|(known, _)| *known == status).map(|(_, message)| message);
    if !codes.is_empty() {
        let examples = codes.iter().map(|code| {
            ((*code).to_owned(), json!({"$ref": format!("#/components/examples/{code}")}))
        });
        let problem = json!({
            "schema": {"allOf": [named("Problem")], "properties": {"code": {"enum": codes}}},
            "examples": examples.collect::<Map<_, _>>(),
        });
        content.insert("application/problem+json".to_owned(), problem);
    }
    if let Some(message) = message {
        let said = json!({"schema": named("GatewayMessage"), "example": {"message": message}});
        content.insert("application/json".to_owned(), said);
    }
    let about = match (codes, message) {
        ([], Some(message)) => format!("The gateway: {message}."),
        _ => codes.join(", "),
    };
    // The gateway's own answers have the gateway's own headers.
    let mut headers = if codes.is_empty() { vec![] } else { vec!["X-Request-Id"] };
    if codes.contains(&"unavailable") {
        headers.push("Retry-After");
    }
    let headers = headers.into_iter().map(header);
    json!({"description": about, "headers": headers.collect::<Map<_, _>>(), "content": content})
}

/// A body of that schema, and the example of it.
fn of_schema(name: &str) -> Value {
    let shown = json!({"$ref": format!("#/components/examples/{name}")});
    json!({"schema": named(name), "examples": {name: shown}})
}

fn header(name: &str) -> (String, Value) {
    (name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")}))
}
