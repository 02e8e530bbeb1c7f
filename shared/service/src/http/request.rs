//! Requests: who calls, and what they send, every part of it bounded.

use std::collections::BTreeMap;
use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use lambda_http::http::header;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use ledger::{AccountId, Actor, Amount, IdempotencyKey, MAX_DECIMALS, MoneyError, Timestamp};
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::error::{Error, Invalid};
use crate::keys::{ApiKey, KeyOwner, Scope};
use crate::log;
use crate::record::WrittenAmount;
use crate::stamp;

/// Longest body of a JSON request.
const MAX_BODY: usize = 64 * 1024;
/// Longest object of texts, so that a page of a hundred orders fits into Lambda's 6 MB.
const MAX_TEXTS: usize = 8 * 1024;
/// The error that names the field that a list of fields does not have.
const UNKNOWN_FIELD: &str = "unknown_field";

/// What the gateway says about a request.
#[derive(Debug, Clone)]
pub struct Call {
    /// The gateway's id of the request: in every answer and every log line.
    pub request_id: String,
    fields: BTreeMap<String, String>,
}

/// Who calls, as the authorizer found.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The customer's account.
    pub account: AccountId,
    /// Who uses the key.
    pub by: Actor,
}

/// The fields of a JSON body, taken one by one; what is left over is an error.
#[derive(Debug)]
pub struct Fields(Map<String, Value>);

/// The query parameters of a request, taken one by one; what is left over is an error.
#[derive(Debug)]
pub struct Parameters(BTreeMap<String, String>);

/// Reads a JSON object whose fields are each there once: of two amounts, neither is meant.
struct EachOnce;

impl Call {
    /// Reads what the gateway put beside the request.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else {
            return Self { request_id: String::new(), fields: BTreeMap::new() };
        };
        let fields = context.authorizer.as_ref().map(|authorizer| &authorizer.fields);
        let texts = fields
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Self { request_id: context.request_id.clone().unwrap_or_default(), fields: texts.collect() }
    }

    /// The customer that calls, if the key has the scope.
    ///
    /// The gateway keeps the authorizer's answer for up to a minute, so the key's own end is
    /// checked here again.
    ///
    /// # Errors
    /// [`Error::KeyExpired`], or [`Error::MissingScope`] for a key without the scope or of another
    /// kind.
    pub fn customer(&self, scope: Scope, now: Timestamp) -> Result<Caller, Error> {
        let field = |name: &str| self.fields.get(name).map(String::as_str);
        let missing = || Error::MissingScope { scope: scope.name() };
        let granted = field("scopes").unwrap_or_default();
        let ended = field("expires_at").and_then(stamp::parse).is_some_and(|end| now >= end);
        if ended {
            return Err(Error::KeyExpired);
        }
        if !granted.split(' ').any(|granted| granted == scope.name()) {
            return Err(missing());
        }
        let account = field("account_id").and_then(|id| AccountId::parse(id).ok());
        let by = field("name").and_then(|name| BASE64URL_NOPAD.decode(name.as_bytes()).ok());
        let by = by.and_then(|name| Actor::parse(&String::from_utf8(name).ok()?).ok());
        let (Some(account), Some(by)) = (account, by) else {
            return Err(missing());
        };
        log::about(&account, None);
        Ok(Caller { account, by })
    }

    /// The idempotency key that a request which makes something must carry.
    ///
    /// # Errors
    /// `idempotency_key_required` or `invalid_idempotency_key`.
    pub fn idempotency_key(request: &Request) -> Result<IdempotencyKey, Error> {
        let mut values = request.headers().get_all("idempotency-key").iter();
        let invalid = |code, detail: &str| Invalid { code, field: None, detail: detail.to_owned() };
        let value = values.next().ok_or_else(|| {
            let detail = "send a header Idempotency-Key: the same one when you repeat the request";
            invalid("idempotency_key_required", detail)
        })?;
        let text = value.to_str().unwrap_or_default();
        let key = IdempotencyKey::parse(text).ok().filter(|_| values.next().is_none());
        let detail = "Idempotency-Key must be 1 to 255 visible ASCII characters, once";
        Ok(key.ok_or_else(|| invalid("invalid_idempotency_key", detail))?)
    }
}

/// What the authorizer tells the functions about a key, through the gateway: texts only.
///
/// The name is in base64, because the gateway puts these texts into JSON of its own and is known to
/// stumble over quotes in them.
#[must_use]
pub fn authorizer_context(key: &ApiKey) -> Map<String, Value> {
    let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.name()).collect();
    let mut context = Map::new();
    let mut tell = |name: &str, text: String| context.insert(name.to_owned(), Value::String(text));
    tell("key_id", key.id.clone());
    tell("name", BASE64URL_NOPAD.encode(key.name.as_str().as_bytes()));
    tell("scopes", scopes.join(" "));
    if let KeyOwner::Account(account) = &key.owner {
        tell("account_id", account.to_string());
    }
    if let Some(end) = key.expires_at {
        tell("expires_at", stamp::format(end));
    }
    context
}

/// The fields of a request's JSON body.
///
/// # Errors
/// `unsupported_media_type`, `body_too_large`, `invalid_json`.
pub fn json_body(request: &Request) -> Result<Fields, Error> {
    let invalid = |code, detail: String| Error::from(Invalid { code, field: None, detail });
    let media_type = request.headers().get(header::CONTENT_TYPE);
    let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        let detail = "send Content-Type: application/json".to_owned();
        return Err(invalid("unsupported_media_type", detail));
    }
    let body: &[u8] = request.body().as_ref();
    if body.len() > MAX_BODY {
        return Err(invalid("body_too_large", format!("at most {MAX_BODY} bytes")));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let fields = json.deserialize_map(EachOnce).and_then(|fields| json.end().map(|()| fields));
    fields.map(Fields).map_err(|error| invalid("invalid_json", format!("the body: {error}")))
}

impl<'de> Visitor<'de> for EachOnce {
    type Value = Map<String, Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<Json: MapAccess<'de>>(self, mut json: Json) -> Result<Self::Value, Json::Error> {
        let mut fields = Map::new();
        while let Some((name, value)) = json.next_entry::<String, Value>()? {
            if fields.insert(name, value).is_some() {
                return Err(de::Error::custom("a field is there twice"));
            }
        }
        Ok(fields)
    }
}

impl Fields {
    /// A text that must be there.
    ///
    /// # Errors
    /// `missing_field`, or `invalid_field` if it is no text.
    pub fn text(&mut self, name: &str) -> Result<String, Error> {
        self.optional_text(name)?
            .ok_or_else(|| Invalid::field("missing_field", name, "is required").into())
    }

    /// A text that may be missing or null.
    ///
    /// # Errors
    /// `invalid_field` if it is there and no text.
    pub fn optional_text(&mut self, name: &str) -> Result<Option<String>, Error> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Invalid::field("invalid_field", name, "must be a string").into()),
        }
    }

    /// An amount of money: a string, because a JSON number would be read as a float.
    ///
    /// # Errors
    /// `missing_field`; `invalid_amount` for a number or anything that is not plain digits;
    /// `amount_out_of_range` for zero and for what no account can hold.
    pub fn amount(&mut self, name: &str) -> Result<WrittenAmount, Error> {
        if self.0.get(name).is_some_and(Value::is_number) {
            let detail = "must be a string, such as \"100.00\", not a number";
            return Err(Invalid::field("invalid_amount", name, detail).into());
        }
        let text = self.text(name)?;
        let amount = Amount::parse(&text, MAX_DECIMALS).map_err(|error| {
            let code = match error {
                MoneyError::NotPositive | MoneyError::TooLarge => "amount_out_of_range",
                _ => "invalid_amount",
            };
            Invalid::field(code, name, error.to_string())
        })?;
        let decimals = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        Ok(WrittenAmount { amount, decimals: u32::try_from(decimals).unwrap_or(u32::MAX) })
    }

    /// Names and texts, at most `most` of them.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn texts(&mut self, name: &str, most: usize) -> Result<BTreeMap<String, String>, Error> {
        let wrong = |detail: String| Error::from(Invalid::field("invalid_field", name, detail));
        let fields = match self.0.remove(name) {
            None | Some(Value::Null) => return Ok(BTreeMap::new()),
            Some(Value::Object(fields)) if fields.len() <= most => fields,
            Some(_) => {
                return Err(wrong(format!("must be an object of at most {most} strings")));
            }
        };
        let rule = "keys have 1 to 40 characters, values are strings of at most 500";
        if Value::Object(fields.clone()).to_string().len() > MAX_TEXTS {
            return Err(wrong(format!("must be at most {MAX_TEXTS} bytes of JSON")));
        }
        let texts = fields.into_iter().map(|(key, value)| match value {
            Value::String(text)
                if (1..=40).contains(&key.chars().count()) && text.chars().count() <= 500 =>
            {
                Ok((key, text))
            }
            _ => Err(wrong(rule.to_owned())),
        });
        texts.collect()
    }

    /// Refuses what nobody asked for: a misspelt field must not be dropped in silence.
    ///
    /// # Errors
    /// `unknown_field` with its name.
    pub fn finish(self) -> Result<(), Error> {
        finished(self.0.keys().next())
    }
}

impl Parameters {
    /// The parameters of a request.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let mut parameters = BTreeMap::new();
        for (name, value) in request.query_string_parameters().iter() {
            // One that is there twice is joined, as the gateway joins headers: no rule takes that.
            parameters
                .entry(name.to_owned())
                .and_modify(|known: &mut String| known.extend([",", value]))
                .or_insert_with(|| value.to_owned());
        }
        Self(parameters)
    }

    /// A parameter that `parse` understands.
    ///
    /// # Errors
    /// `invalid_parameter` with its name and the rule.
    pub fn take<T>(
        &mut self,
        name: &str,
        rule: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(text) => parse(&text).map(Some).ok_or_else(|| {
                Invalid::field("invalid_parameter", name, format!("must be {rule}")).into()
            }),
        }
    }

    /// How many items a page may have, 1 to 100; 20 if nothing is said.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn limit(&mut self) -> Result<u8, Error> {
        let number = |text: &str| serde_json::from_str(text).ok();
        let limit = self.take("limit", "a number from 1 to 100", |text| {
            number(text).filter(|limit| (1..=100).contains(limit))
        })?;
        Ok(limit.unwrap_or(20))
    }

    /// A moment.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn moment(&mut self, name: &str) -> Result<Option<Timestamp>, Error> {
        self.take(name, "a time such as 2026-11-23T13:00:00Z", stamp::parse)
    }

    /// Refuses what nobody asked for.
    ///
    /// # Errors
    /// `unknown_field` with its name.
    pub fn finish(self) -> Result<(), Error> {
        finished(self.0.keys().next())
    }
}

fn finished(left_over: Option<&String>) -> Result<(), Error> {
    match left_over {
        None => Ok(()),
        Some(name) => {
            let name: String = name.chars().take(64).collect();
            Err(Invalid::field(UNKNOWN_FIELD, &name, "is not a field of this request").into())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::keys::NewKey;

    const NOW: Timestamp = Timestamp::from_unix_millis(1_795_435_200_000);

    /// The call of a key that the gateway let in, perhaps a minute ago.
    fn call_of(key: &ApiKey) -> Call {
        let texts = authorizer_context(key).into_iter();
        let fields = texts.map(|(name, text)| (name, text.as_str().unwrap().to_owned()));
        Call { request_id: String::new(), fields: fields.collect() }
    }

    #[test]
    fn a_key_that_ended_while_the_gateway_knew_it_is_refused_by_the_function() {
        let owner = KeyOwner::Account(AccountId::parse("acme").unwrap());
        let name = Actor::parse("Ann \"ops\" 客户").unwrap();
        let key = NewKey::new(&[7; 42], owner, name.clone(), vec![Scope::OrdersRead], NOW).key;
        let end = NOW.plus(Duration::from_secs(30));
        let call = call_of(&ApiKey { expires_at: Some(end), ..key });
        let caller = call.customer(Scope::OrdersRead, NOW).unwrap();
        assert_eq!((caller.account.as_str(), caller.by), ("acme", name));
        let ended = call.customer(Scope::OrdersRead, end);
        assert!(matches!(ended, Err(Error::KeyExpired)));
        let missing = call.customer(Scope::OrdersWrite, NOW);
        assert!(matches!(missing, Err(Error::MissingScope { scope: "orders:write" })));
    }
}
