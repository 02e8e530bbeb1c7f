//! What runs by the clock, called by hand.

use crate::common::{Deployment, FAILED, FOUND, WELL, printed};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_and_a_comparison_are_made_by_the_functions() {
    let deployment = Deployment::start().await;
    let (swept, code) = deployment.json(&["reconcile"]);
    assert_eq!((code, &swept["complete"], &swept["left"]), (WELL, &json!(true), &json!(0)));
    assert!(printed(&deployment.admin(&["reconcile"])).starts_with("0 open orders"));

    let (run, code) = deployment.json(&["reconcile", "--day", "2026-01-02"]);
    assert_eq!((code, &run["green"], &run["day"]), (WELL, &json!(true), &json!("2026-01-02")));
    let text = printed(&deployment.admin(&["reconcile", "--day", "2026-01-02"]));
    assert!(text.contains("_2)") && text.ends_with("Green."), "{text}");
    let (refused, code) = deployment.json(&["reconcile", "--day", "yesterday"]);
    assert_eq!(code, FAILED);
    let why = "--day must be a day such as 2026-11-23, not yesterday";
    assert_eq!(refused["error"], why);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_that_is_not_green_is_not_well() {
    let deployment = Deployment::start().await;
    let sms = json!({"target": "product", "product": "sms", "method": "card", "amount": "20.00"});
    let order = deployment.as_customer("/v1/orders", "order", &sms);
    let page = order["checkout_url"].as_str().unwrap();
    let session = page.rsplit('/').next().unwrap();
    deployment.provider("/_control/webhooks", &json!({"mode": "drop"}));
    // Half of what was ordered: nobody credits that.
    let pay = json!({"card_number": "4242424242424242", "amount": 1_000});
    deployment.provider(&format!("/_control/sessions/{session}/pay"), &pay);
    let today = order["created_at"].as_str().unwrap().split('T').next().unwrap();
    let (run, code) = deployment.json(&["reconcile", "--day", today]);
    assert_eq!((code, &run["green"]), (FOUND, &json!(false)), "{run}");
}
