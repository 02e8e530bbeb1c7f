//! What the use cases of bank transfers and of the operator do in their scenes.

use std::time::Duration;

use serde_json::json;
use tests::Answer;
use tests::simulation::bank::Received;
use tests::simulation::micros;
use tests::simulation::model::{Wish, order_id};

use super::every_step::Scene;

const DAY: &str = "2026-11-18";
/// An order of CNY 720.00 in dollars is 100.00.
const PAYABLE_CENTS: u64 = 72_000;

impl Scene {
    /// An order of CNY 720.00 for the wallet.
    pub(super) async fn order_offline(&mut self) {
        self.order = self.create_offline().await.text("order_id");
    }

    pub(super) async fn create_offline(&self) -> Answer {
        let account = self.deployment.customers[0].account.clone();
        let id = order_id(&account, "order", "offline");
        let (payable, currency) = (micros::from_cents(PAYABLE_CENTS), "CNY".to_owned());
        let wish = Wish::Offline { account, target: "wallet".to_owned(), payable, currency };
        self.deployment.network.cloud().model.wish(&id, wish);
        let body = r#"{"target":"wallet","method":"offline","amount":"720.00","currency":"CNY"}"#;
        self.post("/v1/orders", "offline", body).await
    }

    pub(super) async fn report(&self) -> Answer {
        let path = format!("/v1/orders/{}/transfer-report", self.order);
        let body = json!({
            "payer_name": "Li Lei", "bank_reference": "T-1", "paid_on": DAY, "amount": "720.00",
        });
        self.post(&path, "none", &body.to_string()).await
    }

    pub(super) async fn upload(&self) -> Answer {
        let path = format!("/v1/orders/{}/proofs", self.order);
        let file = ("application/pdf", b"%PDF-1.7 a receipt".as_slice());
        self.deployment.ask(self.deployment.key_of(0), ("POST", &path), "none", file).await
    }

    pub(super) async fn accept(&self) -> Answer {
        self.found(&self.order);
        let path = format!("/v1/admin/orders/{}/accept", self.order);
        self.deployment.admin("POST", &path, "accept", &arrived().to_string()).await
    }

    pub(super) async fn reject(&self) -> Answer {
        let path = format!("/v1/admin/orders/{}/reject", self.order);
        self.deployment.admin("POST", &path, "none", r#"{"reason":"not found"}"#).await
    }

    pub(super) async fn book(&self) -> Answer {
        let account = self.deployment.customers[0].account.clone();
        let id = order_id(&account, "received-payment", "book");
        self.found(&id);
        let wish = Wish::Booked {
            account: account.clone(),
            target: "wallet".to_owned(),
            received: received(),
        };
        self.deployment.network.cloud().model.wish(&id, wish);
        let path = format!("/v1/admin/accounts/{account}/received-payments");
        self.deployment.admin("POST", &path, "book", &arrived().to_string()).await
    }

    /// A statement whose one line pays the order exactly.
    pub(super) async fn import(&self) -> Answer {
        let code = {
            let cloud = self.deployment.network.cloud();
            cloud.model.orders[&self.order].now().reference.clone().unwrap()
        };
        self.found(&self.order);
        let file = format!(
            "booked_on,amount,currency,bank_reference,information\n{DAY},720.00,CNY,B-1,{code}\n"
        );
        let file = ("text/csv", file.as_bytes());
        let path = "/v1/admin/statements";
        self.deployment.ask(&self.deployment.operator, ("POST", path), "none", file).await
    }

    pub(super) async fn accept_statement(&self) -> Answer {
        let path = format!("/v1/admin/statements/{}/accept", self.event);
        self.deployment.admin("POST", &path, "none", r#"{"exact":true}"#).await
    }

    pub(super) async fn put_rate(&self) -> Answer {
        let path = "/v1/admin/rates/EUR-USD";
        self.deployment.admin("PUT", path, "none", r#"{"rate":"0.9"}"#).await
    }

    pub(super) async fn freeze(&self) -> Answer {
        let path = format!("/v1/admin/accounts/{}", self.deployment.customers[0].account);
        let body = r#"{"name":"A customer","status":"frozen"}"#;
        self.deployment.admin("PUT", &path, "none", body).await
    }

    /// The first key of a new account.
    pub(super) async fn mint(&self) -> Answer {
        let body = r#"{"account_id":"newcomer","name":"backend"}"#;
        self.deployment.admin("POST", "/v1/admin/api-keys", "mint", body).await
    }

    pub(super) async fn rotate(&self) -> Answer {
        let path = format!("/v1/admin/api-keys/{}/rotate", self.event);
        self.deployment.admin("POST", &path, "rotate", "{}").await
    }

    pub(super) async fn revoke(&self) -> Answer {
        let path = format!("/v1/admin/api-keys/{}", self.event);
        self.deployment.admin("DELETE", &path, "none", "").await
    }

    pub(super) async fn open_session(&self) -> Answer {
        let account = &self.deployment.customers[0].account;
        let body = json!({"role": "customer", "account_id": account, "person": "Ann"});
        let path = "/v1/admin/console-sessions";
        self.deployment.admin("POST", path, "session", &body.to_string()).await
    }

    pub(super) async fn exchange(&self) -> Answer {
        let body = json!({"code": self.event}).to_string();
        let json = ("application/json", body.as_bytes());
        self.deployment.ask("nobody", ("POST", "/v1/console-tokens"), "none", json).await
    }

    /// More than a week passes.
    pub(super) fn week(&self) {
        self.deployment.clock.advance(Duration::from_secs(8 * 24 * 3_600));
    }

    fn found(&self, order: &str) {
        let mut cloud = self.deployment.network.cloud();
        cloud.model.found.entry(order.to_owned()).or_default().insert(received());
    }
}

fn received() -> Received {
    let (amount, currency) = (micros::from_cents(PAYABLE_CENTS), "CNY".to_owned());
    Received { amount, currency, reference: "B-1".to_owned(), confirmed: false }
}

fn arrived() -> serde_json::Value {
    json!({
        "received_amount": "720.00", "received_currency": "CNY", "bank_reference": "B-1",
        "received_on": DAY,
    })
}
