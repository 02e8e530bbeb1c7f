//! A local deployment, and the real command with it.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use local::clock::Clock;
use local::cloud::{Cloud, STAGE, Settings};
use serde_json::{Value, json};

/// It did what it was asked.
pub(crate) const WELL: i32 = 0;
/// It could not.
pub(crate) const FAILED: i32 = 1;
/// It was asked wrongly.
pub(crate) const ASKED_WRONGLY: i32 = 2;
/// It did, and a person must look.
pub(crate) const FOUND: i32 = 3;

/// A local deployment, in memory.
pub(crate) struct Deployment {
    pub(crate) cloud: Cloud,
    http: ureq::Agent,
}

impl Deployment {
    pub(crate) async fn start() -> Self {
        let cloud = Cloud::start(Settings::in_memory(Clock::system())).await.expect("it starts");
        let configuration = ureq::Agent::config_builder().http_status_as_error(false).build();
        Self { cloud, http: configuration.into() }
    }

    /// The command with the environment that the runner prints.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command
            .env("STAGE", STAGE)
            .env("AWS_ENDPOINT_URL_DYNAMODB", &self.cloud.table_url)
            .env("AWS_ENDPOINT_URL_SQS", &self.cloud.queues_url)
            .env("AWS_ENDPOINT_URL_LAMBDA", &self.cloud.functions_url);
        command
    }

    pub(crate) fn admin(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the command runs")
    }

    /// The one document that `--json` prints, and the exit code.
    pub(crate) fn json(&self, arguments: &[&str]) -> (Value, i32) {
        let output = self.admin(&[arguments, &["--json"]].concat());
        let document = serde_json::from_slice(&output.stdout).expect("one JSON document");
        (document, output.status.code().expect("an exit code"))
    }

    /// A call of the API as the operator.
    pub(crate) fn post(&self, path: &str, key: &str, body: &Value) -> Value {
        let (status, body) = self.call(path, key, body);
        assert!((200..300).contains(&status), "{path}: {body}");
        body
    }

    /// Whether the table has this item.
    pub(crate) fn exists(&self, pk: &str, sk: &str) -> bool {
        let (status, body) = self.call("/_control/items", "look", &json!({"pk": pk, "sk": sk}));
        assert!([200, 404].contains(&status), "{body}");
        status == 200
    }

    /// A call of the API as the demo account's customer.
    pub(crate) fn as_customer(&self, path: &str, key: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.cloud.base_url);
        let (status, body) = self.send(&url, &self.cloud.keys.customer, key, body);
        assert!((200..300).contains(&status), "{path}: {body}");
        body
    }

    /// What the stand-in for Stripe is told.
    pub(crate) fn provider(&self, path: &str, body: &Value) {
        let url = format!("{}{path}", self.cloud.provider_url.as_deref().expect("a stand-in"));
        let (status, body) = self.send(&url, "", "", body);
        assert!((200..300).contains(&status), "{path}: {body}");
    }

    /// What the demo account can use of the product.
    pub(crate) fn balance_of_sms(&self) -> String {
        let balances = self.read("/v1/balances", &self.cloud.keys.customer);
        let mut products = balances["products"].as_array().expect("products").iter();
        let sms = products.find(|product| product["product"] == "sms").expect("sms is one");
        sms["available"].as_str().expect("money").to_owned()
    }

    /// What the API shows to the operator.
    pub(crate) fn get(&self, path: &str) -> Value {
        self.read(path, &self.cloud.keys.operator)
    }

    fn read(&self, path: &str, key: &str) -> Value {
        let asked = self
            .http
            .get(format!("{}{path}", self.cloud.base_url))
            .header("Authorization", format!("Bearer {key}"))
            .call();
        let text = asked.expect("the API answers").body_mut().read_to_string().expect("a body");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Nothing is spent from this account any more.
    pub(crate) fn freeze(&self, account: &str) {
        self.change(account, &json!({"status": "frozen"}));
    }

    /// An account is so from now on.
    pub(crate) fn change(&self, account: &str, change: &Value) {
        let answer = self
            .http
            .put(format!("{}/v1/admin/accounts/{account}", self.cloud.base_url))
            .header("Authorization", format!("Bearer {}", self.cloud.keys.operator))
            .header("Content-Type", "application/json")
            .send(change.to_string());
        assert_eq!(answer.expect("the API answers").status().as_u16(), 200);
    }

    fn call(&self, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}{path}", self.cloud.base_url);
        self.send(&url, &self.cloud.keys.operator, key, body)
    }

    fn send(&self, url: &str, bearer: &str, key: &str, body: &Value) -> (u16, Value) {
        let answer = self
            .http
            .post(url)
            .header("Authorization", format!("Bearer {bearer}"))
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", key)
            .send(body.to_string());
        let mut answer = answer.expect("the API answers");
        let body = answer.body_mut().read_to_string().expect("a body");
        (answer.status().as_u16(), serde_json::from_str(&body).unwrap_or_default())
    }

    /// Gives an account money, by an entry.
    pub(crate) fn give(&self, account: &str, balance: &str, amount: &str, key: &str) {
        let path = format!("/v1/admin/accounts/{account}/adjustments");
        let body = json!({"balance": balance, "amount": amount, "reason": "for a test"});
        drop(self.post(&path, key, &body));
    }
}

/// The command in an environment that has no deployment.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_topup-admin"));
    command
        .args(arguments)
        .env_clear()
        // No file and no machine lends its credentials.
        .env("HOME", "/nonexistent")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test");
    command
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Waits until something is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
