//! Lines of a statement that fit, and that a person must look at all the same.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Answer, World, story};

use super::camt::{booked, document, entry, imported, transaction};
use super::statements::{accept, code, csv, import, lines};

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
            format!("{day},250.00,USD,SAME,Whoever,no code"),
            format!("{day},300.00,USD,SAME,Whoever,{}", code(&second)),
            format!("{day},200.00,USD,same,Whoever,{}", code(&first)),
            format!("{day},200.00,USD,SAME,Whoever,again"),
        ];
        let statement = csv(world, &content).await.expect(201);
        assert_eq!(
            lines(&statement),
            ["unmatched", "proposed reference_code+amount+date", "credited", "unmatched"]
        );
        let shown = statement.json();
        let used = json!({
            "order_id": first.text("order_id"), "account_id": "demo", "amount": "200.00", "currency": "USD",
        });
        for (line, doubt, used) in
            [(0, json!("reference_used"), &used), (1, json!("reference_used"), &used), (2, Value::Null, &Value::Null), (3, json!("reference_used"), &used)]
        {
            let line = &shown["lines"][line];
            assert_eq!((&line["doubt"], &line["used_for"]), (&doubt, used), "{line}");
        }
        assert_eq!(accept_exact(world, &statement).await["accepted"], 0);
        let chosen = json!({"lines": [{"line": 2, "order_id": second.text("order_id")}]});
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
        let none =
            ["NONREF", "notprovided", "-", "0000", "#N/A", "null", "2.02611E+19", "工行2026"];
        for reference in none {
            let (_, shown) =
                imported(world, &[entry(world, booked("720.00"), reference, &single())]).await;
            assert_eq!(shown, ["720.00 none proposed reference_code+amount+date"], "{reference}");
        }
        let content = none.map(|reference| {
            format!("{},1000.00,CNY,{reference},Li Lei,{}", world.today(), code(&order))
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
            vec![
                paid("K")
                    .replace("<RltdPties>", "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf><RltdPties>"),
            ],
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

/// What each line is in doubt for.
fn doubts(statement: &Answer) -> Vec<String> {
    let shown = statement.json();
    let lines = shown["lines"].as_array().unwrap().iter();
    lines.map(|line| line["doubt"].as_str().unwrap_or("none").to_owned()).collect()
}

/// A batch of two parts of CNY 500.00 each, and what the bank counts of them.
fn batch(world: &World, reference: &str, count: u8, orders: [&Answer; 2]) -> String {
    let parts = orders.map(|order| transaction("500.00", "Li Lei", &code(order)));
    let block = format!("<Btch><NbOfTxs>{count}</NbOfTxs></Btch>{}", parts.concat());
    entry(world, booked("1000.00"), reference, &[block])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_credited_whole_is_not_credited_again_in_parts_and_not_whole_after_its_parts() {
    story(async |world| {
        let order = async |key: &str| world.order_offline("wallet", "CNY 500.00", key).await;
        let first = order("first").await.expect(201);
        let second = order("second").await.expect(201);
        let line = |reference: &str, order: &Answer| {
            [format!("{},1000.00,CNY,{reference},Li Lei,{}", world.today(), code(order))]
        };
        // The bank's table has one line, which a person accepts; its statement has the two parts of it.
        let table = csv(world, &line("FT-1", &first)).await.expect(201);
        let chosen = json!({"lines": [
            {"line": 1, "order_id": first.text("order_id"), "confirm_difference": true},
        ]});
        assert_eq!(accept(world, &table, &chosen).await.expect(200).json()["accepted"], 1);
        let (statement, _) = imported(world, &[batch(world, "FT-1", 2, [&first, &second])]).await;
        assert_eq!(doubts(&statement), ["reference_used", "reference_used"]);
        assert_eq!(accept_exact(world, &statement).await["accepted"], 0);
        // A batch that cannot be taken apart, and a line that pays two orders, are split by hand, as the docs say.
        for (reference, part) in [("FT-2", "FT-2/1"), ("FT-3", "ft-3/2")] {
            let third = order(reference).await.expect(201);
            let (statement, _) =
                imported(world, &[batch(world, reference, 3, [&third, &second])]).await;
            let whole = world.order_offline("wallet", "CNY 1000.00", part).await.expect(201);
            let table = csv(world, &line(reference, &whole)).await.expect(201);
            assert_eq!(doubts(&table), ["none"]);
            drop(world.accept(&third, "CNY 500.00", part, part).await.expect(201));
            for shown in [statement, table] {
                let path = format!("/v1/admin/statements/{}", shown.text("statement_id"));
                let shown = world.admin_get(&path).await.expect(200);
                assert_eq!(doubts(&shown), ["reference_used"]);
                let used = &shown.json()["lines"][0]["used_for"];
                assert_eq!(used["order_id"], third.json()["order_id"]);
                assert_eq!(accept_exact(world, &shown).await["accepted"], 0);
            }
        }
        world.assert_balances("wallet 277.77").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_names_another_order_does_not_pass_for_what_was_credited() {
    story(async |world| {
        let order = async |key: &str| world.order_offline("wallet", "USD 200.00", key).await;
        let (paid, next) = (order("1").await.expect(201), order("2").await.expect(201));
        let day = world.today();
        let line = |code: &str| format!("{day},200.00,USD,SAME,Whoever,{code}");
        let today = csv(world, &[line(&code(&paid))]).await.expect(201);
        assert_eq!(accept_exact(world, &today).await["accepted"], 1);
        // The next customer's payment has the same reference, as from a bank that counts.
        let tomorrow = csv(world, &[line(&code(&next))]).await.expect(201);
        assert_eq!(lines(&tomorrow), ["proposed reference_code+amount+date"]);
        assert_eq!(doubts(&tomorrow), ["reference_used"]);
        assert_eq!(tomorrow.json()["lines"][0]["used_for"]["order_id"], paid.json()["order_id"]);
        // One that names nobody, or the same one, is the same.
        for said in ["thank you".to_owned(), code(&paid), code(&paid) + " " + &code(&next)] {
            let again = csv(world, &[line(&said)]).await;
            assert!(again.status < 300);
            assert_eq!(lines(&again), ["credited"], "{said}");
        }
        // A code is used once more by a customer who has paid by it; a person accepts it for another order.
        let (used, other) = (order("5").await.expect(201), order("6").await.expect(201));
        drop(world.accept(&used, "USD 200.00", "DESK", "desk").await.expect(201));
        let once_more = format!("{day},200.00,USD,MORE,Whoever,{}", code(&used));
        let shown = csv(world, std::slice::from_ref(&once_more)).await.expect(201);
        let chosen = json!({"lines": [{"line": 1, "order_id": other.text("order_id")}]});
        assert_eq!(accept(world, &shown, &chosen).await.expect(200).json()["accepted"], 1);
        let overlapping = csv(world, &[once_more, format!("{day},1.00,USD,ONE,,")]).await;
        assert_eq!(lines(&overlapping.expect(201)), ["credited", "unmatched"]);
        // And one that a person has accepted for another order than it names.
        let (named, meant) = (order("3").await.expect(201), order("4").await.expect(201));
        let other = |code: &str| format!("{day},200.00,USD,OTHER,Whoever,{code}");
        let both = csv(world, &[other(""), other(&code(&named))]).await.expect(201);
        let chosen = json!({"lines": [{"line": 2, "order_id": meant.text("order_id")}]});
        assert_eq!(accept(world, &both, &chosen).await.expect(200).json()["accepted"], 1);
        let path = format!("/v1/admin/statements/{}", both.text("statement_id"));
        let shown = world.admin_get(&path).await.expect(200);
        assert_eq!(lines(&shown), ["unmatched", "credited"]);
        assert_eq!(shown.json()["lines"][1]["credited"]["order_id"], meant.json()["order_id"]);
        // It is accepted, with or without another confirmation.
        let chosen = json!({"lines": [
            {"line": 2, "order_id": meant.text("order_id"), "confirm_difference": true},
        ]});
        let again = accept(world, &shown, &chosen).await.expect(200).json();
        assert_eq!(again["results"][0]["outcome"], "accepted", "{again}");
        world.assert_balances("wallet 800.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_one_statement_are_different_payments_whatever_their_references_have_in_common() {
    story(async |world| {
        let order = async |key: &str| world.order_offline("wallet", "USD 200.00", key).await;
        let day = world.today();
        let mut content = Vec::new();
        for reference in ["X", "X/1", "X/2"] {
            let order = order(reference).await.expect(201);
            content.push(format!("{day},200.00,USD,{reference},Whoever,{}", code(&order)));
        }
        let statement = csv(world, &content).await.expect(201);
        let shown = statement.json();
        let second = &shown["lines"][1]["proposals"][0]["order_id"];
        let chosen = json!({"lines": [{"line": 2, "order_id": second}]});
        assert_eq!(accept(world, &statement, &chosen).await.expect(200).json()["accepted"], 1);
        assert_eq!(accept_exact(world, &statement).await["accepted"], 2);
        world.assert_balances("wallet 600.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debit_that_cannot_be_read_stops_the_import_of_its_statement() {
    story(async |world| {
        let order = world.order_offline("wallet", "CNY 720.00", "order").await.expect(201);
        let block = transaction("720.00", "Li Lei", &code(&order));
        let paid = entry(world, booked("720.00"), "A", &[block]);
        let statement = |amount: &str, status: &str| {
            let out = entry(world, (amount, "DBIT", status), "A", &[]);
            document("6222000000000001", &[paid.clone(), out])
        };
        for amount in ["720.001", "7e2", "-720.00"] {
            let refused = import(world, "application/xml", &statement(amount, "BOOK")).await;
            let refused = refused.expect_problem(422, "invalid_statement").text("detail");
            assert!(refused.contains("statement S1, entry 2: Amt"), "{refused}");
        }
        // What is not booked, and what is of nothing, takes nothing back.
        for (amount, status) in [("7e2", "PDNG"), ("-0.00", "BOOK")] {
            let fine = import(world, "application/xml", &statement(amount, status)).await;
            assert_eq!(lines(&fine.expect(201)), ["exact reference_code+amount+date"]);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_proposed_says_whether_it_is_paid() {
    story(async |world| {
        let order = world.order_offline("wallet", "USD 200.00", "order").await.expect(201);
        let line = [format!("{},200.00,USD,BANK-1,Whoever,{}", world.today(), code(&order))];
        let status = |statement: &Answer| {
            let proposal = statement.json()["lines"][0]["proposals"][0].clone();
            (proposal["status"].clone(), proposal["exact"].clone())
        };
        let statement = csv(world, &line).await.expect(201);
        assert_eq!(status(&statement), (json!("pending_payment"), json!(true)));
        // At the desk it was accepted by the reference that the payer has.
        drop(world.accept(&order, "USD 200.00", "PAYER-1", "desk").await.expect(201));
        let statement = csv(world, &line).await.expect(200);
        assert_eq!(status(&statement), (json!("completed"), json!(false)));
    })
    .await;
}
