//! The table without sockets: the SDK's requests are handed to the embedded database in this
//! process, so that a history of 100,000 orders is written in a minute or two.

use std::fmt;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A database as the SDK's client for HTTP.
#[derive(Clone)]
pub(crate) struct InProcess(pub(crate) Database);

impl fmt::Debug for InProcess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("InProcess")
    }
}

impl HttpClient for InProcess {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let body = request.body().bytes().unwrap_or_default();
        let database = &self.0;
        let answer = match operation {
            "GetItem" => answer(body, |request| database.get_item(request)),
            "BatchGetItem" => answer(body, |request| database.batch_get_item(request)),
            "TransactWriteItems" => answer(body, |request| database.transact_write_items(request)),
            other => panic!("a history is written without {other}"),
        };
        let (status, body) =
            answer.unwrap_or_else(|error| (error.status_code(), error.to_json().into_bytes()));
        let status = status.try_into().expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, body.into())))
    }
}

fn answer<Request: DeserializeOwned, Answer: Serialize>(
    body: &[u8],
    work: impl FnOnce(Request) -> Result<Answer, DynoxideError>,
) -> Result<(u16, Vec<u8>), DynoxideError> {
    let request = serde_json::from_slice(body).expect("a request as the SDK writes it");
    let answer = work(request)?;
    Ok((200, serde_json::to_vec(&answer).expect("an answer")))
}
