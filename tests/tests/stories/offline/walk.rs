//! Steps 6 and 7 of the walk: finance credits what arrived.

use tests::story;

#[tokio::test(flavor = "multi_thread")]
async fn the_walk_by_bank_transfer() {
    story(async |world| {
        drop(world.top_up("40", "funds").await);

        // 6. CNY 720.00 at 7.2000: the order shows USD 100.00, the CNY account and a reference.
        let order = world.order_offline("wallet", "CNY 720.00", "yuan").await.expect(201);
        let shown = order.json();
        assert_eq!(shown["status"], "pending_payment");
        assert_eq!(
            (shown["amount"].as_str(), shown["currency"].as_str()),
            (Some("100.00"), Some("USD"))
        );
        assert_eq!(order.text("pay_amount"), "720.00");
        assert_eq!(order.text("pay_currency"), "CNY");
        assert_eq!(order.text("fx_rate"), "7.2000");
        let instructions = &shown["transfer_instructions"];
        assert_eq!(instructions["amount"], "720.00");
        assert_eq!(instructions["currency"], "CNY");
        assert_eq!(instructions["deadline"], shown["expires_at"]);
        assert_eq!(instructions["receiving_account"]["cnaps"], "100000000001");
        let reference = instructions["reference_code"].as_str().unwrap();
        assert_eq!(reference.len(), 11);
        assert!(!reference.contains(['0', 'O', '1', 'I']), "{reference}");

        let reported = world.report(&order, "ICBC 2026/1123-7").await.expect(200);
        assert_eq!(reported.text("status"), "pending_review");
        assert_eq!(reported.json()["transfer_report"]["payer_name"], "Li Lei");
        world.assert_balances("wallet 40.00").await;

        let accepted =
            world.accept(&order, "CNY 720.00", "ICBC 2026/1123-7", "a").await.expect(201);
        assert_eq!(accepted.text("status"), "completed");
        assert_eq!(accepted.text("credited_amount"), "100.00");
        world.assert_balances("wallet 140.00").await;
        let again = world.accept(&order, "CNY 720.00", "ICBC 2026/1123-8", "b").await;
        let again = again.expect_problem(409, "already_reviewed");
        assert_eq!(again.text("reviewed_by"), "demo operator");
        assert!(again.text("reviewed_at").starts_with("2026-11-23T12:"));
        world.assert_balances("wallet 140.00").await;

        // 7. Offline USD: declared 200.00, received 185.00 because of a bank fee.
        let order = world.order_offline("wallet", "USD 200.00", "dollars").await.expect(201);
        assert!(order.json()["fx_rate"].is_null());
        drop(world.report(&order, "WIRE-1").await.expect(200));
        let accepted = world.accept(&order, "USD 185.00", "WIRE-1", "c").await.expect(201);
        world.assert_balances("wallet 325.00").await;
        for (field, amount) in
            [("pay_amount", "200.00"), ("received_amount", "185.00"), ("credited_amount", "185.00")]
        {
            assert_eq!(accepted.text(field), amount, "{field}");
        }

        let orders = world.get("/v1/orders?method=offline").await.expect(200).json();
        let listed: Vec<_> = orders["data"].as_array().unwrap().iter().collect();
        assert_eq!(listed.len(), 2);
        assert!(listed.iter().all(|order| order["status"] == "completed"));
    })
    .await;
}
