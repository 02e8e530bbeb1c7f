//! Logs: one JSON object a line, with the names that matter and none of the secrets.

use serde_json::Value;
use tests::story;
use tests::world::{DECLINED_CARD, GOOD_CARD};

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_walk_logs_no_secret_and_no_personal_data() {
    story(async |world| {
        let body = serde_json::json!({
            "target": "wallet", "method": "card", "amount": "100", "email": "ann@example.com",
            "metadata": {"note": "a private word"},
        });
        let order = world.post("/v1/orders", "walk", &body).await.expect(201);
        drop(world.pay(&order, DECLINED_CARD).await);
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
        drop(world.transfer("sms", "5", "move").await.expect(201));
        drop(world.transfer("sms", "5000", "refused").await.expect(402));
        drop(world.deliver_signed(b"{\"word\":\"unmistakable\"}", "t=1,v1=00").await.expect(400));
        let event = world.paid_event(&order, "pi_second");
        let seconds = world.clock.now().unix_seconds();
        let signature = world.signature(event.to_string().as_bytes(), seconds);
        drop(world.deliver(&event).await.expect(200));
        // A charge that its sender forgot to put into a list, and one that is no object.
        world.meter(r#"{"description": "for ann@example.com", "key": "k"}"#).await;
        world.meter(r#"{"charges": ["a private word"]}"#).await;
        for unread in ["usage that cannot be read", "a charge that cannot be read"] {
            world.until(async || tests::logs::so_far().contains(unread)).await;
        }

        let logs = tests::logs::so_far();
        let secret = world.customer.key.rsplit('_').next().unwrap();
        let signature = signature.rsplit('=').next().unwrap();
        for forbidden in [
            secret,
            signature,
            GOOD_CARD,
            DECLINED_CARD,
            "ann@example.com",
            "a private word",
            "unmistakable",
            &world.cloud.webhook_secret,
            "sk_test_",
            "Bearer",
        ] {
            assert!(!logs.contains(forbidden), "{forbidden} is in the logs");
        }
        let id = order.text("order_id");
        let mut about_order = 0;
        for line in logs.lines() {
            let line: Value = serde_json::from_str(line).expect("every line is one JSON object");
            assert!(line["level"].is_string() && line["message"].is_string(), "{line}");
            if line["span"]["order_id"] == id {
                assert_eq!(line["span"]["account_id"], "demo", "{line}");
                assert!(line["span"]["request_id"].is_string(), "{line}");
                about_order += 1;
            }
        }
        assert!(about_order >= 3, "order, decline and credit are logged under the order's id");
    })
    .await;
}
