//! Accounts, API keys and sessions of the console, as the operator makes and stops them.

use lambda_http::{Body, Request, RequestExt, Response};
use ledger::{AccountId, AccountStatus, Actor, Currency, InvalidId, Name, Timestamp};
use service::accounts::{AccountChange, change_account};
use service::api_keys::{ApiKeys, Minted, Minter, WantedKey};
use service::config::{CONSOLE_URL, CURRENCY, CURSOR_SECRET_ARN, ConfigError};
use service::console::{ConsoleSessions, Opened, WantedSession};
use service::cursor::Cursors;
use service::error::{Error, Invalid};
use service::http::{self, Call, Fields, Operator, Parameters, Reply, answer, json_body};
use service::keys::{KeyOwner, Scope, draw_secret};
use service::lambda::Runtime;

/// The scope by which all of the operator's are meant.
const ALL_OF_OPERATOR: &str = "operator";

/// The function `manage-accounts`.
#[derive(Debug)]
pub struct ManageAccounts {
    /// Makes and stops keys, and knows the table.
    pub keys: ApiKeys,
    /// Opens sessions of the console.
    pub sessions: ConsoleSessions,
}

impl ManageAccounts {
    /// The function as its environment configures it.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn new(runtime: &Runtime) -> Result<Self, ConfigError> {
        let cursors = Cursors::new(runtime.secret(CURSOR_SECRET_ARN)?);
        let table = runtime.table()?;
        Ok(Self {
            keys: ApiKeys {
                table: table.clone(),
                draw: draw_secret,
                cursors,
                currency: runtime.environment.currency(CURRENCY)?,
            },
            sessions: ConsoleSessions {
                table,
                draw: draw_secret,
                console: runtime.environment.url(CONSOLE_URL)?,
            },
        })
    }

    /// Answers one request.
    pub async fn handle(&self, request: &Request, now: Timestamp) -> Response<Body> {
        answer(request, |call| async move {
            let path = request.path_parameters();
            let (key, last) = (path.first("key_id"), http::last_part(request));
            if request.method().as_str() == "PUT" {
                let operator = call.operator(Scope::OperatorConfigure, now)?;
                return self.change_account(request, &operator, now).await;
            }
            let operator = call.operator(Scope::OperatorKeys, now)?;
            match (request.method().as_str(), last, key) {
                ("POST", "api-keys", None) => self.mint(request, operator, now).await,
                ("POST", "console-sessions", None) => {
                    call.must_be_a_key()?;
                    self.open(request, operator, now).await
                }
                ("POST", "rotate", Some(id)) => {
                    let idempotency_key = Call::idempotency_key(request)?;
                    let minter = minter(operator);
                    minted(&self.keys.rotate(&minter, id, &idempotency_key, now).await?)
                }
                ("DELETE", _, Some(id)) => {
                    Ok(Reply::Ok(http::api_key(&self.keys.revoke(id, now).await?, None)))
                }
                ("GET", _, None) => {
                    let owner = match path.first("account_id") {
                        Some(_) => KeyOwner::Account(http::account_id(request)?),
                        None => KeyOwner::Operator,
                    };
                    let wanted = Parameters::of(request).page(())?;
                    let (cursor, limit) = (wanted.cursor.as_deref(), wanted.limit);
                    let page = self.keys.list(&owner, cursor, limit, now).await?;
                    Ok(Reply::Ok(http::api_keys(&page)))
                }
                _ => Err(Error::NotFound { what: "route" }),
            }
        })
        .await
    }

    async fn change_account(
        &self,
        request: &Request,
        operator: &Operator,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        // This is how an account is made: a name that cannot be one is no account that is not there.
        let path = request.path_parameters();
        let id = AccountId::parse(path.first("account_id").unwrap_or_default());
        let wrong =
            |error: InvalidId| Invalid::field("invalid_field", "account_id", error.to_string());
        let id = id.map_err(wrong)?;
        let mut fields = json_body(request)?;
        let change = AccountChange {
            name: fields.optional_parsed("name", Name::parse)?,
            currency: fields.optional_parsed("currency", Currency::parse)?,
            status: fields.optional_parsed("status", |name| {
                AccountStatus::parse(name).ok_or("must be 'active' or 'frozen'")
            })?,
        };
        fields.finish()?;
        let ApiKeys { table, currency, .. } = &self.keys;
        let known = change_account(table, &id, &change, *currency, &operator.by, now).await?;
        Ok(Reply::Ok(http::account(&known)))
    }

    async fn mint(
        &self,
        request: &Request,
        operator: Operator,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let key = Call::idempotency_key(request)?;
        let mut fields = json_body(request)?;
        let account = fields.optional_parsed("account_id", AccountId::parse)?;
        let owner = account.map_or(KeyOwner::Operator, KeyOwner::Account);
        let wanted = WantedKey {
            scopes: scopes(&mut fields, &owner)?,
            owner,
            name: fields.parsed("name", Actor::parse)?,
            expires_at: fields.optional_moment("expires_at")?,
        };
        fields.finish()?;
        let minter = minter(operator);
        minted(&self.keys.mint(&minter, &wanted, &key, now).await?)
    }

    async fn open(
        &self,
        request: &Request,
        operator: Operator,
        now: Timestamp,
    ) -> Result<Reply, Error> {
        let key = Call::idempotency_key(request)?;
        let mut fields = json_body(request)?;
        let role = fields.text("role")?;
        let account = fields.optional_parsed("account_id", AccountId::parse)?;
        let person = fields.parsed("person", Actor::parse)?;
        fields.finish()?;
        let wrong = |field: &str, what: &str| Invalid::field("invalid_field", field, what);
        let owner = match (role.as_str(), account) {
            ("operator", None) => KeyOwner::Operator,
            ("customer", Some(account)) => KeyOwner::Account(account),
            ("customer", None) => {
                return Err(Invalid::field("missing_field", "account_id", "is required").into());
            }
            ("operator", Some(_)) => {
                return Err(wrong("account_id", "belongs to role 'customer' only").into());
            }
            _ => return Err(wrong("role", "must be 'customer' or 'operator'").into()),
        };
        let Operator { by, scopes, key_id } = operator;
        let wanted = WantedSession { owner, person, by, key_id, scopes };
        let opened = self.sessions.open(&wanted, &key, now).await?;
        let shown = http::console_session(&opened);
        Ok(match opened {
            Opened::Now(_) => Reply::Created(shown),
            Opened::Before => Reply::Replayed(shown),
        })
    }
}

/// The scopes that are asked for: a customer's key has all of a customer's unless it says so.
fn scopes(fields: &mut Fields, owner: &KeyOwner) -> Result<Vec<Scope>, Error> {
    let named = fields.optional_value::<Vec<String>>("scopes")?;
    let named = match (named, owner) {
        (Some(named), _) => named,
        (None, KeyOwner::Account(_)) => return Ok(Scope::CUSTOMER.to_vec()),
        (None, KeyOwner::Operator) => {
            return Err(Invalid::field("missing_field", "scopes", "is required").into());
        }
    };
    let mut scopes = Vec::new();
    for name in named {
        if name == ALL_OF_OPERATOR {
            scopes.extend(Scope::OPERATOR);
            continue;
        }
        let detail = || format!("there is no scope '{name}'");
        let scope = Scope::parse(&name);
        scopes.push(scope.ok_or_else(|| Invalid::field("invalid_field", "scopes", detail()))?);
    }
    scopes.sort_unstable();
    scopes.dedup();
    Ok(scopes)
}

fn minter(Operator { by, scopes, key_id }: Operator) -> Minter {
    Minter { by, key_id, scopes }
}

fn minted(minted: &Minted) -> Result<Reply, Error> {
    Ok(match minted {
        Minted::Now(key, text) => Reply::Created(http::api_key(key, Some(text))),
        Minted::Before(key) => Reply::Replayed(http::api_key(key, None)),
    })
}
