//! Personal data is erased, and the books stay whole.

use aws_sdk_dynamodb::Client;
use serde_json::json;

use crate::common::{Deployment, FAILED, FOUND, WELL};

impl Deployment {
    /// Everything that is in the table, as text.
    async fn everything(&self) -> String {
        let sdk = local::cloud::sdk(Some(self.cloud.table_url.clone())).await;
        let scanned = Client::new(&sdk).scan().table_name("topup-local").send().await;
        format!("{:?}", scanned.expect("the table answers").items.expect("items"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_in_exception_is_closed_with_its_finding() {
    let deployment = Deployment::start().await;
    let order = json!({
        "target": "wallet", "amount": "100.00", "method": "card", "email": "li@example.com",
    });
    let order = deployment.as_customer("/v1/orders", "one", &order);
    let (_, session) = order["checkout_url"].as_str().unwrap().rsplit_once('/').unwrap();
    let paid = format!("/_control/sessions/{session}/pay");
    deployment.provider(&paid, &json!({"amount": 9_000}));
    deployment.freeze("demo");
    let (open, code) = deployment.json(&["erase", "--account", "demo", "--yes"]);
    assert_eq!((code, &open["open"]), (FOUND, &json!([order["order_id"]])), "{open}");
    let findings = deployment.get("/v1/admin/findings");
    let finding = findings["data"][0]["finding_id"].as_str().unwrap();
    let resolve = format!("/v1/admin/findings/{finding}/resolve");
    drop(deployment.post(&resolve, "", &json!({"reason": "put right by hand"})));
    let (erased, code) = deployment.json(&["erase", "--account", "demo", "--yes"]);
    assert_eq!((code, &erased["orders"]), (WELL, &json!([order["order_id"]])), "{erased}");
    assert!(!deployment.everything().await.contains("li@example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_alone_is_personal_too() {
    let deployment = Deployment::start().await;
    drop(deployment.admin(&["keys", "create", "--account", "li-lei"]));
    deployment.change("li-lei", &json!({"name": "Li Lei"}));
    let (look, code) = deployment.json(&["erase", "--account", "li-lei"]);
    assert_eq!((code, &look["named"], &look["orders"]), (FOUND, &json!(true), &json!([])));
    deployment.freeze("li-lei");
    let (erased, code) = deployment.json(&["erase", "--account", "li-lei", "--yes"]);
    assert_eq!((code, &erased["erased"]), (WELL, &json!(true)));
    let (look, code) = deployment.json(&["erase", "--account", "li-lei"]);
    assert_eq!((code, &look["named"]), (WELL, &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_customers_wrote_is_erased_and_the_books_hold_as_before() {
    let deployment = Deployment::start().await;
    let order = |words: serde_json::Value| {
        let mut order = json!({
            "target": "wallet", "amount": "100.00", "metadata": {"person": "Li Lei"},
            "email": "li@example.com",
        });
        order.as_object_mut().unwrap().extend(words.as_object().unwrap().clone());
        order
    };
    let transfer =
        deployment.as_customer("/v1/orders", "one", &order(json!({"method": "offline"})));
    let id = transfer["order_id"].as_str().unwrap();
    let report = json!({
        "payer_name": "Li Lei", "bank_reference": "REF-1", "paid_on": "2026-11-23",
        "amount": "100.00", "note": "from Li Lei",
    });
    let reported = format!("/v1/orders/{id}/transfer-report");
    drop(deployment.as_customer(&reported, "", &report));
    let accepted = json!({
        "received_amount": "100.00", "received_currency": "USD", "bank_reference": "REF-1",
        "received_on": "2026-11-23",
    });
    drop(deployment.post(&format!("/v1/admin/orders/{id}/accept"), "accept", &accepted));
    let card = json!({"method": "card", "return_url": "http://127.0.0.1/for/li-lei"});
    let open = deployment.as_customer("/v1/orders", "two", &order(card));
    let open = open["order_id"].as_str().unwrap();

    let (look, code) = deployment.json(&["erase", "--account", "demo"]);
    assert_eq!((code, &look["orders"], &look["open"]), (FOUND, &json!([id]), &json!([open])));
    assert_eq!(look["erased"], json!(false));
    let (refused, code) = deployment.json(&["erase", "--account", "demo", "--yes"]);
    assert_eq!(code, FAILED);
    assert!(refused["error"].as_str().unwrap().contains("freeze it first"), "{refused}");
    assert!(deployment.everything().await.contains("Li Lei"), "nothing was erased");

    deployment.freeze("demo");
    let (erased, code) = deployment.json(&["erase", "--account", "demo", "--yes"]);
    assert_eq!((code, &erased["orders"]), (FOUND, &json!([id])), "{erased}");
    assert_eq!(erased["erased"], json!(false), "an order was left");
    drop(deployment.as_customer(&format!("/v1/orders/{open}/cancel"), "", &json!({})));
    let (look, code) = deployment.json(&["erase", "--account", "demo"]);
    assert_eq!((code, &look["orders"]), (FOUND, &json!([open])), "{look}");
    let (erased, code) = deployment.json(&["erase", "--account", "demo", "--yes"]);
    assert_eq!((code, &erased["orders"]), (WELL, &json!([open])), "{erased}");
    assert_eq!(erased["erased"], json!(true));
    assert_eq!(deployment.json(&["erase", "--account", "demo"]).1, WELL, "nothing is left");
    let everything = deployment.everything().await;
    for person in ["Li Lei", "li@example.com", "li-lei"] {
        assert!(!everything.contains(person), "{person} is still there");
    }
    assert!(everything.contains("REF-1"), "what was credited is still claimed");
    let (again, code) = deployment.json(&["erase", "--account", "demo", "--yes"]);
    assert_eq!((code, &again["orders"]), (WELL, &json!([])));
    let (holds, code) = deployment.json(&["verify"]);
    assert_eq!((code, &holds["orders"], &holds["entries"]), (WELL, &json!(2), &json!(1)));
}
