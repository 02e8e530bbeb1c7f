//! Lines of a statement that fit, and that a person must look at all the same.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Answer, World, story};

use super::camt::{booked, entry, imported, transaction};
use super::statements::{accept, code, csv, lines};

/// Longer than any function keeps the configuration.
const A_MINUTE: Duration = Duration::from_secs(61);

async fn accept_exact(world: &World, statement: &Answer) -> Value {
    accept(world, statement, &json!({"exact": true})).await.expect(200).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_that_was_credited_for_another_amount_hides_no_payment() {
    story(async |world| {
        let first = world.order_offline("wallet", "USD 200.00", "first").await.expect(201);
        drop(world.accept(&first, "USD 200.00", "SAME", "desk").await.expect(201));
        let second = world.order_offline("wallet", "USD 300.00", "second").await.expect(201);
        let day = world.today();
        let content = [
            format!("{day},300.00,USD,SAME,Whoever,{}", code(&second)),
            format!("{day},200.00,USD,same,Whoever,{}", code(&first)),
            format!("{day},200.00,USD,SAME,Whoever,again"),
        ];
        let statement = csv(world, &content).await.expect(201);
        assert_eq!(
            lines(&statement),
            ["proposed reference_code+amount+date", "credited", "unmatched"]
        );
        let shown = statement.json();
        let used = json!({
            "order_id": first.text("order_id"), "account_id": "demo", "amount": "200.00", "currency": "USD",
        });
        for (line, doubt, used) in
            [(0, json!("reference_used"), &used), (1, Value::Null, &Value::Null), (2, json!("reference_used"), &used)]
        {
            let line = &shown["lines"][line];
            assert_eq!((&line["doubt"], &line["used_for"]), (&doubt, used), "{line}");
        }
        assert_eq!(accept_exact(world, &statement).await["accepted"], 0);
        let chosen = json!({"lines": [{"line": 1, "order_id": second.text("order_id")}]});
        let refused = accept(world, &statement, &chosen).await.expect(200).json();
        assert_eq!(refused["results"][0]["code"], "bank_reference_used");
        world.assert_balances("wallet 200.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_says_it_has_no_reference_gave_none() {
    story(async |world| {
        let order = world.order_offline("wallet", "CNY 720.00", "order").await.expect(201);
        let single = || [transaction("720.00", "Li Lei", &code(&order))];
        let none = ["NONREF", "notprovided", "-", "工行2026"];
        for reference in none {
            let (_, shown) =
                imported(world, &[entry(world, booked("720.00"), reference, &single())]).await;
            assert_eq!(shown, ["720.00 none proposed reference_code+amount+date"], "{reference}");
        }
        let content = none.map(|reference| {
            format!("{},720.00,CNY,{reference},Li Lei,{}", world.today(), code(&order))
        });
        let statement = csv(world, &content).await.expect(201);
        for (line, reference) in statement.json()["lines"].as_array().unwrap().iter().zip(none) {
            assert_eq!(line["bank_reference"], Value::Null, "{line}");
            assert_eq!(line["information"], format!("{reference}\n{}", code(&order)));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_left_again_is_not_exact() {
    story(async |world| {
        let order = world.order_offline("wallet", "CNY 720.00", "order").await.expect(201);
        let other = world.order_offline("wallet", "CNY 500.00", "other").await.expect(201);
        let paid = |reference: &str| {
            entry(
                world,
                booked("720.00"),
                reference,
                &[transaction("720.00", "Li Lei", &code(&order))],
            )
        };
        let fine = entry(
            world,
            booked("500.00"),
            "FINE",
            &[transaction("500.00", "Li Lei", &code(&other))],
        );
        let out = |reference: &str| entry(world, ("720.00", "DBIT", "BOOK"), reference, &[]);
        let reversal = |entry: String| entry.replace("<Sts>", "<RvslInd>true</RvslInd><Sts>");
        let by_transaction = |entry: String| {
            let entry = entry.replace("<AcctSvcrRef>none</AcctSvcrRef>", "");
            entry.replace("<TxDtls>", "<TxDtls><Refs><AcctSvcrRef>TX-20261123</AcctSvcrRef></Refs>")
        };
        let out_by_transaction = entry(
            world,
            ("720.00", "DBIT", "BOOK"),
            "none",
            &[transaction("720.00", "Li Lei", "back")],
        );
        let quoted =
            |entry: String| reversal(entry).replace("true", "<!-- it is --><![CDATA[true]]>");
        for (number, entries) in [
            vec![paid("A"), out("A")],
            vec![reversal(out("Z")), paid("B")],
            vec![reversal(paid("C"))],
            vec![quoted(paid("E"))],
            vec![by_transaction(paid("none")), by_transaction(out_by_transaction)],
        ]
        .into_iter()
        .enumerate()
        {
            let entries = [entries, vec![fine.replace("FINE", &format!("FINE{number}"))]].concat();
            let (statement, shown) = imported(world, &entries).await;
            let doubted = statement.json()["lines"][0]["doubt"].clone();
            assert_eq!(
                (doubted, &statement.json()["lines"][1]["doubt"]),
                (json!("reversed"), &Value::Null)
            );
            assert!(shown[0].ends_with("proposed reference_code+amount+date"), "{shown:?}");
            assert!(shown[1].contains("exact"), "{shown:?}");
        }
        // A reversal that names its payment says nothing of another of that amount, and a fee is no reversal.
        let fee = entry(world, ("5.00", "DBIT", "BOOK"), "F", &[]);
        for entries in [
            vec![paid("F"), fee.clone()],
            vec![paid("G"), entry(world, booked("720.00"), "H", &[]), reversal(out("H"))],
        ] {
            let (statement, shown) = imported(world, &entries).await;
            assert!(shown[0].contains("exact"), "{shown:?}");
            assert_eq!(statement.json()["lines"][0]["doubt"], Value::Null);
        }
        // Of two that say the same, one that is in doubt does not make the other certain.
        let (_, shown) = imported(world, &[paid("I"), out("I"), paid("J")]).await;
        assert!(shown.iter().all(|line| line.contains("proposed")), "{shown:?}");
        // Money that goes to somebody else is none that left again.
        let (_, shown) = imported(world, &[paid("D"), out("OTHER")]).await;
        assert_eq!(shown, ["720.00 D exact reference_code+amount+date"]);
        let day = world.today();
        let content = [
            format!("{day},720.00,CNY,R-1,Li Lei,{}", code(&order)),
            format!("{day},-720.00,CNY,r-1,Li Lei,returned"),
        ];
        let statement = csv(world, &content).await.expect(201);
        assert_eq!(lines(&statement), ["proposed reference_code+amount+date"]);
        assert_eq!(accept_exact(world, &statement).await["accepted"], 0);
        world.assert_balances("wallet 0.00").await;
        // A person who has looked can accept it.
        let chosen = json!({"lines": [{"line": 1, "order_id": order.text("order_id")}]});
        let accepted = accept(world, &statement, &chosen).await.expect(200).json();
        assert_eq!(accepted["accepted"], 1);
        world.assert_balances("wallet 100.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_on_a_statement_is_credited_once_though_its_bank_account_was_replaced() {
    story(async |world| {
        let order = world.order_offline("wallet", "USD 200.00", "order").await.expect(201);
        let content = [format!("{},200.00,USD,R-1,Whoever,{}", world.today(), code(&order))];
        let statement = csv(world, &content).await.expect(201);
        let account = json!({"holder": "Topup", "bank": "Other", "number": "99990000111122"});
        drop(world.admin_put("/v1/admin/bank-accounts/USD", &account).await.expect(200));
        world.clock.advance(A_MINUTE);
        let mut found = world.found("USD 200.00", "R-1");
        for (id, detail) in [("stm_none", "no such statement"), ("a b", "no such statement")] {
            found["statement_id"] = json!(id);
            let refused =
                world.admin_post("/v1/admin/accounts/demo/received-payments", "bad", &found).await;
            let refused = refused.expect_problem(422, "invalid_field");
            assert!(refused.text("detail").contains(detail));
        }
        found["statement_id"] = json!(statement.text("statement_id"));
        let path = "/v1/admin/accounts/demo/received-payments";
        drop(world.admin_post(path, "booked", &found).await.expect(201));
        drop(world.admin_post(path, "booked", &found).await.expect(200));
        // Of the account that the currency has now it would be another transfer.
        let elsewhere = csv(world, &content).await.expect(201);
        found["statement_id"] = json!(elsewhere.text("statement_id"));
        let other = world.admin_post(path, "booked", &found).await;
        other.expect_problem(409, "idempotency_key_reused");
        let path = format!("/v1/admin/statements/{}", statement.text("statement_id"));
        assert_eq!(lines(&world.admin_get(&path).await.expect(200)), ["credited"]);
        assert_eq!(accept_exact(world, &statement).await["accepted"], 0);
        world.assert_balances("wallet 200.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_batch_that_was_credited_under_another_reference_is_in_doubt() {
    story(async |world| {
        let order = world.order_offline("wallet", "CNY 720.00", "order").await.expect(201);
        let path = "/v1/admin/accounts/demo/received-payments";
        for reference in ["FT/1", "TX-20261123"] {
            let found = world.found("CNY 300.00", reference);
            drop(world.admin_post(path, reference, &found).await.expect(201));
        }
        let referred = |reference: &str, transaction: String| {
            let refs = format!("<TxDtls><Refs><AcctSvcrRef>{reference}</AcctSvcrRef></Refs>");
            transaction.replace("<TxDtls>", &refs)
        };
        let batch = referred("T1", transaction("720.00", "Li Lei", &code(&order)))
            + &referred("TX-20261123", transaction("300.00", "Han", "x"))
            + &referred("T3", transaction("300.00", "Han", "x"));
        let (statement, shown) =
            imported(world, &[entry(world, booked("1320.00"), "FT", &[batch])]).await;
        assert_eq!(
            shown,
            [
                "720.00 FT/T1 proposed reference_code+amount+date",
                "300.00 FT/TX-20261123 unmatched",
                "300.00 FT/T3 unmatched",
            ]
        );
        let doubts = statement.json()["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["doubt"].clone())
            .collect::<Vec<_>>();
        assert_eq!(doubts, [json!("reference_used"), json!("reference_used"), Value::Null]);
    })
    .await;
}
