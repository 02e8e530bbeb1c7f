//! A control that changes the table past the product, for demonstrations of what notices that: the
//! verification of accounts and the comparison with the payment provider. The local runner alone has
//! it; no deployment does.
//!
//! `POST /_control/items {"pk","sk","set"?,"remove"?}` sets attributes of an item, each in DynamoDB's own
//! JSON, and removes others. The answer is the item as it was `before`, and as `undo` the request that
//! makes it so again. Without `set` and `remove` nothing is changed.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_dynamo::{AttributeValue, Item};
use serde_json::json;

use crate::table::TABLE_NAME;

/// The attributes of a key.
const KEY: [&str; 2] = ["pk", "sk"];

/// What is to be changed of an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    pk: String,
    sk: String,
    #[serde(default)]
    set: HashMap<String, AttributeValue>,
    #[serde(default)]
    remove: BTreeSet<String>,
}

pub(crate) fn router(table: Client) -> Router {
    Router::new().route("/_control/items", post(answer)).with_state(table)
}

async fn answer(State(table): State<Client>, Json(edit): Json<Edit>) -> Response {
    if KEY.iter().any(|name| edit.set.contains_key(*name) || edit.remove.contains(*name)) {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, "pk and sk name the item");
    }
    match edit.apply(&table).await {
        Ok(Some(before)) => {
            Json(json!({"undo": edit.undone(&before), "before": before})).into_response()
        }
        Ok(None) => refused(StatusCode::NOT_FOUND, "there is no such item"),
        Err(why) => refused(StatusCode::SERVICE_UNAVAILABLE, &why),
    }
}

impl Edit {
    /// Changes the item and gives it as it was before; nothing if there is none.
    async fn apply(&self, table: &Client) -> Result<Option<Item>, String> {
        let key = KEY.map(str::to_owned).into_iter().zip([self.pk.clone(), self.sk.clone()]);
        let key: HashMap<_, _> = key.map(|(name, text)| (name, AttributeValue::S(text))).collect();
        let asked = table.get_item().table_name(TABLE_NAME).consistent_read(true);
        let found = asked.set_key(Some(Item::from(key).into())).send().await;
        let found = found.map_err(|error| DisplayErrorContext(error).to_string())?;
        let Some(before) = found.item.map(Item::from) else { return Ok(None) };
        let mut after = before.clone();
        after.extend(self.set.clone());
        after.retain(|name, _| !self.remove.contains(name));
        let put = table.put_item().table_name(TABLE_NAME).set_item(Some(after.into()));
        put.send().await.map_err(|error| DisplayErrorContext(error).to_string())?;
        Ok(Some(before))
    }

    /// What makes the item again as it was before.
    fn undone(&self, before: &Item) -> Self {
        let touched = || self.set.keys().chain(&self.remove);
        let was = |name: &String| Some((name.clone(), before.get(name)?.clone()));
        Self {
            pk: self.pk.clone(),
            sk: self.sk.clone(),
            set: touched().filter_map(was).collect(),
            remove: touched().filter(|name| !before.contains_key(*name)).cloned().collect(),
        }
    }
}

fn refused(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"message": message}))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::sdk;
    use crate::table::{EmbeddedTable, create_table};

    fn edit(edit: serde_json::Value) -> Edit {
        serde_json::from_value(edit).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_item_is_changed_and_put_back() {
        let embedded = EmbeddedTable::start(None).await.unwrap();
        let client = Client::new(&sdk(Some(embedded.endpoint())).await);
        create_table(&client).await.unwrap();
        let item = json!({
            "pk": {"S": "ACCOUNT#demo"}, "sk": {"S": "ACCOUNT"}, "debt": {"N": "0"},
            "balances": {"M": {"wallet": {"N": "100"}}},
        });
        let item: Item = serde_json::from_value(item).unwrap();
        let put = client.put_item().table_name(TABLE_NAME).set_item(Some(item.clone().into()));
        drop(put.send().await.unwrap());

        let damage = edit(json!({
            "pk": "ACCOUNT#demo", "sk": "ACCOUNT",
            "set": {"debt": {"N": "5"}, "odd": {"L": [{"BOOL": true}]}}, "remove": ["balances"],
        }));
        assert_eq!(damage.apply(&client).await.unwrap().as_ref(), Some(&item));
        let undo = damage.undone(&item);
        let expected = json!({
            "pk": "ACCOUNT#demo", "sk": "ACCOUNT",
            "set": {"debt": {"N": "0"}, "balances": {"M": {"wallet": {"N": "100"}}}},
            "remove": ["odd"],
        });
        assert_eq!(undo, edit(expected));
        let damaged = undo.apply(&client).await.unwrap().unwrap();
        assert_eq!((damaged.len(), &damaged["debt"]), (4, &AttributeValue::N("5".to_owned())));
        let look = edit(json!({"pk": "ACCOUNT#demo", "sk": "ACCOUNT"}));
        assert_eq!(look.apply(&client).await.unwrap(), Some(item));

        let nobody = edit(json!({"pk": "ACCOUNT#nobody", "sk": "ACCOUNT"}));
        assert_eq!(nobody.apply(&client).await.unwrap(), None);
        let key = edit(json!({"pk": "A", "sk": "A", "remove": ["pk"]}));
        assert_eq!(answer(State(client), Json(key)).await.status(), 422);
    }
}
