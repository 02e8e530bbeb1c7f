//! Dead letters: looked at, sent back, sent back again.

use std::time::Duration;

use crate::common::{ASKED_WRONGLY, Deployment, WELL, printed, said, until};
use local::embedded_queue::{DEAD_LETTER_QUEUE, USAGE_DEAD_LETTER_QUEUE};
use serde_json::{Value, json};

impl Deployment {
    /// Puts usage among the dead letters: so many charges of a cent each.
    async fn dead_usage(&self, messages: u32) {
        for number in 0..messages {
            let charge = json!({
                "key": format!("dead-{number}"), "account_id": "demo", "product": "sms",
                "amount": "0.01",
            });
            self.dead(USAGE_DEAD_LETTER_QUEUE, &json!({"charges": [charge]}).to_string()).await;
        }
    }

    async fn dead(&self, queue: &str, body: &str) {
        let url = format!("{}/000000000000/{queue}", self.cloud.queues_url);
        let sent = self.cloud.queue.send_message().queue_url(url).message_body(body).send().await;
        drop(sent.expect("the queue takes it"));
    }

    /// How many dead letters of usage there are.
    fn dead_letters(&self) -> u64 {
        let (found, code) = self.json(&["dead-letters", "usage", "--show", "0"]);
        assert_eq!(code, WELL);
        found["queues"][0]["messages"].as_u64().expect("a count")
    }

    fn entries(&self) -> Value {
        self.json(&["verify", "--account", "demo"]).0["entries"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_looked_at_and_stay_where_they_are() {
    let deployment = Deployment::start().await;
    deployment.dead_usage(12).await;
    deployment.dead(DEAD_LETTER_QUEUE, r#"{"unreadable":"why","event":"evt_1"}"#).await;
    // As often as one likes, and at once again.
    for _ in 0..2 {
        let (found, code) = deployment.json(&["dead-letters", "--show", "100"]);
        assert_eq!(code, WELL);
        let counts = [0, 1, 2].map(|queue: usize| found["queues"][queue]["messages"].as_u64());
        assert_eq!(counts, [Some(1), Some(12), Some(0)], "{found}");
        let shown = found["queues"][1]["shown"].as_array().unwrap();
        assert_eq!(shown.len(), 12, "{found}");
        assert!(shown[0]["body"].as_str().unwrap().contains("dead-0"), "{found}");
    }
    let text = printed(&deployment.admin(&["dead-letters", "confirmation"]));
    assert!(text.contains("1 dead letters") && text.contains("evt_1"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_go_back_and_are_taken_once_however_often_they_go_back() {
    let deployment = Deployment::start().await;
    deployment.give("demo", "product:sms", "5.00", "money");
    deployment.dead_usage(3).await;
    let (moved, code) = deployment.json(&["redrive", "usage"]);
    assert_eq!(code, WELL);
    let expected = json!({"queue": "usage", "status": "completed", "moved": 3, "out_of_sight": 0, "problem": null});
    assert_eq!(moved["queues"], json!([expected]));
    until("the usage is charged", || deployment.dead_letters() == 0 && deployment.entries() != 1);
    // The same messages once more: their charges were made.
    deployment.dead_usage(3).await;
    let text = printed(&deployment.admin(&["redrive", "usage", "usage", "events"]));
    assert_eq!(text, "usage: 3 messages went back.\nevents: 0 messages went back.");
    let wallet = deployment.post("/_control/verify", "verify", &json!({}));
    assert_eq!(wallet["broken"], 0);
    until("all is taken", || deployment.dead_letters() == 0);
    assert_eq!(deployment.balance_of_sms(), "4.97");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redrive_that_was_interrupted_is_watched_on_and_can_be_repeated() {
    let deployment = Deployment::start().await;
    deployment.give("demo", "product:sms", "5.00", "money");
    deployment.dead_usage(6).await;
    let mut slow = deployment.command(&["redrive", "usage", "--per-second", "1"]);
    let mut slow = slow.spawn().expect("the command runs");
    until("the first go back", || deployment.dead_letters() < 6);
    slow.kill().expect("it is killed");
    drop(slow.wait());
    // The task goes on without its watcher; who comes again joins it.
    let again = deployment.admin(&["redrive", "usage", "--json"]);
    assert!(again.status.success() && said(&again).contains("going back already"), "{again:?}");
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(again["queues"][0]["moved"], 6, "{again}");
    until("all is charged", || deployment.balance_of_sms() == "4.94");
    assert_eq!(deployment.json(&["redrive", "usage"]).0["queues"][0]["moved"], 0);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!((deployment.dead_letters(), deployment.balance_of_sms().as_str()), (0, "4.94"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redrive_says_which_queue() {
    let deployment = Deployment::start().await;
    for (arguments, why) in [
        (&["redrive"] as &[&str], "<QUEUES>"),
        (&["redrive", "payments"], "confirmation"),
        (&["redrive", "usage", "--per-second", "501"], "500"),
    ] {
        let output = deployment.admin(arguments);
        assert_eq!(output.status.code(), Some(ASKED_WRONGLY));
        assert!(said(&output).contains(why), "{}", said(&output));
    }
}
