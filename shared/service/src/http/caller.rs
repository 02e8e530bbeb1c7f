//! Who calls, as the gateway and the authorizer say.

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use ledger::{AccountId, Actor, IdempotencyKey, Timestamp};
use serde_json::{Map, Value};

use crate::error::{Error, Invalid};
use crate::keys::{ApiKey, KeyOwner, Scope};
use crate::log;
use crate::stamp;

/// The field of the authorizer's answer that says that it was asked about a token of the console.
const CONSOLE: &str = "console";

/// What the gateway says about a request.
#[derive(Debug, Clone)]
pub struct Call {
    /// The gateway's id of the request: in every answer and every log line.
    pub request_id: String,
    fields: BTreeMap<String, String>,
}

/// An operator that calls, as the authorizer found.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Who uses the key: a person at the console, or the key's name.
    pub by: Actor,
    /// What the key may be used for.
    pub scopes: Vec<Scope>,
    /// The id of the key; at the console, of the key that opened the session. None where nobody needs one.
    pub key_id: Option<String>,
}

/// A customer that calls, as the authorizer found.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The customer's account.
    pub account: AccountId,
    /// Who uses the key.
    pub by: Actor,
}

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
        let by = self.granted(scope, now)?;
        let account = self.field("account_id").and_then(|id| AccountId::parse(id).ok());
        let account = account.ok_or(Error::MissingScope { scope: scope.name() })?;
        log::about(&account, None);
        Ok(Caller { account, by })
    }

    /// Who charges what was used: a customer its own account, or the operator any. The account is none
    /// for the operator.
    ///
    /// # Errors
    /// As [`Call::customer`].
    pub fn meter(&self, now: Timestamp) -> Result<(Option<AccountId>, Actor), Error> {
        if self.field("account_id").is_some() {
            let caller = self.customer(Scope::UsageWrite, now)?;
            return Ok((Some(caller.account), caller.by));
        }
        Ok((None, self.operator(Scope::OperatorMoney, now)?.by))
    }

    /// The operator that calls, if the key has the scope.
    ///
    /// # Errors
    /// As [`Call::customer`].
    pub fn operator(&self, scope: Scope, now: Timestamp) -> Result<Operator, Error> {
        let by = self.granted(scope, now)?;
        if self.field("account_id").is_some() {
            return Err(Error::MissingScope { scope: scope.name() });
        }
        let scopes = self.field("scopes").unwrap_or_default().split(' ');
        let key_id = self.field("key_id").map(str::to_owned);
        Ok(Operator { by, scopes: scopes.filter_map(Scope::parse).collect(), key_id })
    }

    /// Who uses the key, if it has the scope.
    fn granted(&self, scope: Scope, now: Timestamp) -> Result<Actor, Error> {
        let missing = || Error::MissingScope { scope: scope.name() };
        let granted = self.field("scopes").unwrap_or_default();
        let ended = self.field("expires_at").and_then(stamp::parse).is_some_and(|end| now >= end);
        if ended {
            return Err(Error::KeyExpired);
        }
        if !granted.split(' ').any(|granted| granted == scope.name()) {
            return Err(missing());
        }
        let by = self.field("name").and_then(|name| BASE64URL_NOPAD.decode(name.as_bytes()).ok());
        by.and_then(|name| Actor::parse(&String::from_utf8(name).ok()?).ok()).ok_or_else(missing)
    }

    /// Refuses a token of the console: it ends by itself, and so must all that is done with it.
    ///
    /// # Errors
    /// [`Error::TokenNotKey`].
    pub fn must_be_a_key(&self) -> Result<(), Error> {
        match self.field(CONSOLE) {
            Some(_) => Err(Error::TokenNotKey),
            None => Ok(()),
        }
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// The idempotency key that a request which makes something must carry.
    ///
    /// # Errors
    /// `idempotency_key_required` or `invalid_idempotency_key`.
    pub fn idempotency_key(request: &Request) -> Result<IdempotencyKey, Error> {
        let invalid = |code, detail: &str| Invalid { code, field: None, detail: detail.to_owned() };
        let value = request.headers().get("idempotency-key").ok_or_else(|| {
            let detail = "send a header Idempotency-Key: the same one when you repeat the request";
            invalid("idempotency_key_required", detail)
        })?;
        // The gateway makes one header of several: with a comma between, they would be a key that nobody chose.
        let text = value.to_str().ok().filter(|text| !text.contains(','));
        let key = text.and_then(|text| IdempotencyKey::parse(text).ok());
        let detail =
            "Idempotency-Key must be 1 to 255 visible ASCII characters without a comma, once";
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
    // What is done with a token is done by whoever was given one by that key.
    let key_id = if key.is_console_token { key.created_by_key.as_ref() } else { Some(&key.id) };
    if let Some(id) = key_id {
        tell("key_id", id.clone());
    }
    tell("name", BASE64URL_NOPAD.encode(key.name.as_str().as_bytes()));
    tell("scopes", scopes.join(" "));
    if let KeyOwner::Account(account) = &key.owner {
        tell("account_id", account.to_string());
    }
    if key.is_console_token {
        tell(CONSOLE, "token".to_owned());
    }
    if let Some(end) = key.ends_at() {
        tell("expires_at", stamp::format(end));
    }
    context
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
