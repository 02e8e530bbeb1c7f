//! Bank statements: uploaded, matched, accepted, and imported twice.

use aws_sdk_dynamodb::types::AttributeValue;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tests::world::Item;
use tests::{Answer, World, story};

use super::camt::document;

const HEADER: &str = "booked_on,amount,currency,bank_reference,payer_name,information";

pub(super) async fn import(world: &World, media_type: &str, content: &str) -> Answer {
    let request = Request::post("/v1/admin/statements")
        .header("authorization", format!("Bearer {}", world.cloud.keys.operator))
        .header("content-type", media_type);
    world.send(request.body(Body::from(content.to_owned())).unwrap()).await
}

pub(super) async fn csv(world: &World, lines: &[String]) -> Answer {
    import(world, "text/csv", &format!("{HEADER}\n{}\n", lines.join("\n"))).await
}

pub(super) async fn accept(world: &World, statement: &Answer, body: &Value) -> Answer {
    let path = format!("/v1/admin/statements/{}/accept", statement.text("statement_id"));
    world.admin_post(&path, "unused", body).await
}

pub(super) fn code(order: &Answer) -> String {
    order.json()["transfer_instructions"]["reference_code"].as_str().unwrap().to_owned()
}

/// State, best order and reasons of each line.
pub(super) fn lines(statement: &Answer) -> Vec<String> {
    let shown = statement.json();
    let lines = shown["lines"].as_array().unwrap().iter();
    let line = |line: &Value| {
        let best = &line["proposals"][0];
        let reasons = best["reasons"].as_array().map_or_else(Vec::new, |reasons| {
            reasons.iter().map(|reason| reason.as_str().unwrap().to_owned()).collect()
        });
        format!("{} {}", line["state"].as_str().unwrap(), reasons.join("+")).trim().to_owned()
    };
    lines.map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_finds_its_orders_and_the_exact_ones_are_accepted_in_one_call() {
    story(async |world| {
        drop(world.admin_put("/v1/admin/accounts/demo", &json!({"name": "Demo GmbH"})).await);
        let exact = world.order_offline("wallet", "USD 200.00", "exact").await.expect(201);
        let short = world.order_offline("wallet", "USD 300.00", "short").await.expect(201);
        let reported = world.order_offline("sms", "USD 400.00", "reported").await.expect(201);
        drop(world.report(&reported, "their ref 7").await.expect(200));
        let by_name = world.order_offline("wallet", "USD 500.00", "by-name").await.expect(201);
        let day = world.today();
        let content = [
            format!("{day},200.00,USD,B-1,Whoever,{} thank you", code(&exact).to_lowercase()),
            format!("{day},285.00,USD,B-2,Whoever,\"{}, less fees\"", code(&short)),
            format!("{day},400.00,USD,THEIR REF 7,Somebody Else,invoice"),
            format!("{day},500.00,USD,B-4,DEMO GMBH,invoice 12"),
            format!("{day},77.00,USD,B-5,Nobody,present"),
            format!("{day},-10.00,USD,B-6,Bank,fees"),
        ];
        let statement = csv(world, &content).await.expect(201);
        assert_eq!(
            lines(&statement),
            [
                "exact reference_code+amount+date",
                "proposed reference_code+date",
                "proposed bank_reference+amount+date",
                "proposed amount+payer+date",
                "unmatched",
            ]
        );
        assert_eq!(statement.json()["skipped"], 1);
        assert_eq!(statement.json()["exact"], 1);
        world.assert_balances("wallet 0.00").await;

        let accepted = accept(world, &statement, &json!({"exact": true})).await.expect(200).json();
        assert_eq!(
            (accepted["accepted"].as_u64(), accepted["remaining"].as_u64()),
            (Some(1), Some(0))
        );
        world.assert_balances("wallet 200.00").await;
        assert_eq!(world.look_up(&exact).await.text("status"), "completed");

        // A person accepts others by hand, each for the order that it pays.
        let chosen = json!({"lines": [
            {"line": 2, "order_id": short.text("order_id")},
            {"line": 3, "order_id": reported.text("order_id")},
            {"line": 5, "order_id": by_name.text("order_id")},
        ]});
        let accepted = accept(world, &statement, &chosen).await.expect(200).json();
        assert_eq!(accepted["accepted"], 2);
        assert_eq!(accepted["results"][2]["code"], "difference_not_confirmed");
        world.assert_balances("wallet 485.00, sms 400.00").await;

        // The same file again is the same statement, and nothing of it is credited again.
        let again = csv(world, &content).await.expect(200);
        assert_eq!(again.text("statement_id"), statement.text("statement_id"));
        assert_eq!(
            lines(&again),
            ["credited", "credited", "credited", "proposed amount+payer+date", "unmatched"]
        );
        for choice in [json!({"exact": true}), chosen] {
            drop(accept(world, &statement, &choice).await.expect(200));
        }
        world.assert_balances("wallet 485.00, sms 400.00").await;
        let path = format!("/v1/admin/statements/{}", statement.text("statement_id"));
        assert_eq!(world.admin_get(&path).await.expect(200).json(), again.json());
        let listed = world.admin_get("/v1/admin/statements").await.expect(200).json();
        assert_eq!(listed["data"].as_array().unwrap().len(), 1);
        assert_eq!(listed["data"][0]["imported_by"], "demo operator");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_was_accepted_at_the_desk_is_credited_in_the_statement() {
    story(async |world| {
        let order = world.order_offline("wallet", "USD 200.00", "order").await.expect(201);
        let other = world.order_offline("wallet", "USD 200.00", "other").await.expect(201);
        drop(world.accept(&order, "USD 200.00", "b 1", "a").await.expect(201));
        let line = format!("{},200.00,USD,B1,Whoever,{}", world.today(), code(&order));
        let statement = csv(world, &[line]).await.expect(201);
        assert_eq!(lines(&statement), ["credited"]);
        let chosen = json!({"lines": [{"line": 1, "order_id": other.text("order_id")}]});
        let refused = accept(world, &statement, &chosen).await.expect(200).json();
        assert_eq!(refused["results"][0]["code"], "bank_reference_used");
        world.assert_balances("wallet 200.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_says_where() {
    story(async |world| {
        let csv = |text: &str| format!("{HEADER}\n{text}");
        for (media_type, content, said) in [
            ("text/csv", String::new(), "no column 'booked_on'"),
            ("text/csv", HEADER.to_owned(), "no line below the column names"),
            ("text/csv", "date,amount,currency\n".to_owned(), "column 'date' is not one of"),
            ("text/csv", "booked_on,amount\n".to_owned(), "no column 'currency'"),
            (
                "text/csv",
                "amount,amount,currency,booked_on\n".to_owned(),
                "'amount' is there twice",
            ),
            (
                "text/csv",
                csv("2026-11-23,1.00,USD,R"),
                "line 2: it has 4 values, and there are 6 columns",
            ),
            ("text/csv", "booked_on;amount;currency\n".to_owned(), "by commas, and not by ';'"),
            ("text/csv", csv("\n\n23/11/2026,1.00,USD,R,,"), "line 4: booked_on must be"),
            (
                "text/csv",
                csv("2026-11-23,1.00,USD,R,,\n\n23/11/2026,1.00,USD,R,,\n").replace('\n', "\r\n"),
                "line 4: booked_on must be",
            ),
            // What may take back another line is not passed over.
            ("text/csv", csv("2026-11-23,\"-720,00\",USD,R,,"), "line 2: amount must be"),
            ("text/csv", csv("2026-11-23,\"-1,720.00\",USD,R,,"), "line 2: amount must be"),
            ("text/csv", csv("2026-11-23,-,USD,R,,"), "line 2: amount must be"),
            ("text/csv", csv("23/11/2026,-1.00,USD,R,,"), "line 2: booked_on must be"),
            ("text/csv", csv("2099-01-01,1.00,USD,R,,"), "payment 1: 2099-01-01"),
            (
                "text/csv",
                csv("2026-11-23,1.00,USD,R,,\"cut off\n2026-11-23,2.00,USD,S,,whole\n"),
                "the quote in line 2 is not closed",
            ),
            (
                "text/csv",
                csv("2026-11-23,1.00,USD,R,,\"cut off\n2026-11-23,2.00,USD,S,,\"whole\"\n"),
                "line 3: text after a closing quote",
            ),
            (
                "text/csv",
                csv("2026-11-23,1.00,USD,R,,\n2026-11-23,1.00,USD,S,,a 5\" pipe\n"),
                "line 3: a quote in a value that does not begin with one",
            ),
            ("text/csv", csv("23/11/2026,1.00,USD,R,,"), "line 2: booked_on must be"),
            ("text/csv", csv("2026-11-23,\"1,000.00\",USD,R,,"), "line 2: amount must be"),
            ("text/csv", csv("2026-11-23,1.001,USD,R,,"), "line 2: amount must have at most 2"),
            ("text/csv", csv("2026-11-23,1.00,RMB,R,,"), "line 2: currency must be"),
            (
                "text/csv",
                csv("2026-11-23,1.00,USD,R,,\n2026-11-23,1.00,CNY,R,,"),
                "line 3: currency is",
            ),
            ("text/csv", csv("2026-11-23,1.00,EUR,R,,"), "no bank account for EUR"),
            ("text/csv", csv(&"2026-11-23,1.00,USD,R,,\n".repeat(2_001)), "at most 2000 lines"),
            ("application/xml", "<a>".to_owned(), "no camt.053"),
            (
                "application/xml",
                document("1", &[]).replace("UTF-8", "ISO-8859-1"),
                "the file must be UTF-8",
            ),
            (
                "application/xml",
                document(
                    "1",
                    &["<SplmtryData><x:Ntry xmlns:x=\"urn:x\">1</x:Ntry></SplmtryData>".to_owned()],
                ),
                "its entries cannot be told apart",
            ),
            ("application/xml", "<Document/>".to_owned(), "no camt.053"),
            (
                "application/xml",
                "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><Document>&b;</Document>"
                    .to_owned(),
                "no camt.053",
            ),
        ] {
            let answer = import(world, media_type, &content).await;
            let answer = answer.expect_problem(422, "invalid_statement");
            let detail = answer.text("detail");
            assert!(detail.contains(said), "{detail}, not {said}");
        }
        // A table as Windows saves it, and what the gateway of AWS may make of one.
        let file = async |bytes: Vec<u8>| {
            let request = Request::post("/v1/admin/statements")
                .header("authorization", format!("Bearer {}", world.cloud.keys.operator))
                .header("content-type", "text/csv");
            world.send(request.body(Body::from(bytes)).unwrap()).await
        };
        let table = |line: &[u8]| [csv("2026-11-23,1.00,USD,").as_bytes(), line].concat();
        for (bytes, said) in [
            (vec![0xff, 0xfe, 0x31], "line 1: a character was lost"),
            (table(b"R,M\xfcller,\n"), "line 2: a character was lost"),
            (table("R,M\u{fffd}ller,\n".as_bytes()), "the file must be UTF-8"),
        ] {
            let answer = file(bytes).await.expect_problem(422, "invalid_statement");
            let detail = answer.text("detail");
            assert!(detail.contains(said), "{detail}, not {said}");
        }
        let answer = import(world, "application/json", "{}").await;
        drop(answer.expect_problem(415, "unsupported_media_type"));
        let answer = import(world, "text/csv", &"x".repeat(4 * 1024 * 1024 + 1)).await;
        drop(answer.expect_problem(413, "body_too_large"));
        assert_eq!(world.admin_get("/v1/admin/statements").await.json()["data"], json!([]));
        for id in ["stm_00000000000000000000", "../x"] {
            let answer = world.admin_get(&format!("/v1/admin/statements/{id}")).await;
            assert_eq!(answer.status, 404);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_on_which_nothing_arrived_has_a_statement_too() {
    story(async |world| {
        drop(world.order_offline("wallet", "USD 100.00", "open").await.expect(201));
        for (media_type, content, skipped) in [
            ("text/csv", format!("{HEADER}\n2026-11-23,-1.00,USD,FEE,,\n"), 1),
            ("application/xml", document("6222000000000001", &[]), 0),
        ] {
            let statement = import(world, media_type, &content).await.expect(201);
            let again = import(world, media_type, &content).await.expect(200);
            let path = format!("/v1/admin/statements/{}", statement.text("statement_id"));
            let read = world.admin_get(&path).await.expect(200);
            for shown in [&statement, &again, &read].map(Answer::json) {
                assert_eq!((&shown["lines"], &shown["line_count"]), (&json!([]), &json!(0)));
                assert_eq!(
                    (&shown["skipped"], &shown["complete"]),
                    (&json!(skipped), &json!(true))
                );
            }
            let accepted = accept(world, &statement, &json!({"exact": true})).await;
            assert_eq!(accepted.expect(200).json()["accepted"], 0);
        }
        let list = world.admin_get("/v1/admin/statements").await.json();
        assert_eq!(list["data"].as_array().unwrap().len(), 2);
        world.assert_balances("wallet 0.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_of_lines_that_cannot_be_meant_is_refused() {
    story(async |world| {
        let order = world.order_offline("wallet", "USD 200.00", "order").await.expect(201);
        let line = format!("{},200.00,USD,,Whoever,{}", world.today(), code(&order));
        let statement = csv(world, &[line]).await.expect(201);
        let id = order.text("order_id");
        for body in [
            json!({}),
            json!({"exact": false}),
            json!({"lines": []}),
            json!({"exact": true, "lines": [{"line": 1, "order_id": id}]}),
            json!({"lines": [{"line": 9, "order_id": id}]}),
            json!({"lines": [{"line": 1, "order_id": "x"}]}),
            json!({"lines": [{"line": 1}]}),
        ] {
            let answer = accept(world, &statement, &body).await;
            assert_eq!((answer.status, answer.text("field").as_str()), (422, "lines"), "{body}");
        }
        // Without a bank reference it cannot be told from another, so it is never exact.
        let chosen = json!({"lines": [{"line": 1, "order_id": id}]});
        let refused = accept(world, &statement, &chosen).await.expect(200).json();
        assert_eq!(refused["results"][0]["outcome"], "refused");
        world.assert_balances("wallet 0.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_of_one_customer_keeps_no_line_of_another_from_being_accepted() {
    story(async |world| {
        let key = json!({"account_id": "gamma", "name": "gamma backend"});
        let key = world.admin_post("/v1/admin/api-keys", "key", &key).await.expect(201);
        let body = json!({
            "target": "wallet", "method": "offline", "amount": "100.00", "currency": "USD",
        });
        let theirs = world.post_as(&key.text("secret"), "/v1/orders", "theirs", &body).await;
        let theirs = theirs.expect(201);
        let ours = world.order_offline("wallet", "USD 200.00", "ours").await.expect(201);
        let day = world.today();
        let content = [
            format!("{day},100.00,USD,B-1,Whoever,{}", code(&theirs)),
            format!("{day},200.00,USD,B-2,Whoever,{}", code(&ours)),
        ];
        let spoilt = |mut item: Item| {
            for name in ["version", "created_at"] {
                drop(item.insert(name.to_owned(), AttributeValue::S("of tomorrow".to_owned())));
            }
            Some(item)
        };
        // Who they are; what they ordered; what they have.
        let order = format!("ORDER#{}", theirs.text("order_id"));
        for (pk, sk, first) in [
            ("ACCOUNT#gamma", "PROFILE", "exact reference_code+amount+date"),
            (order.as_str(), "ORDER", "unmatched"),
        ] {
            let damage = world.damage(pk, sk, spoilt).await;
            let statement = csv(world, &content).await;
            assert_eq!(lines(&statement), [first, "exact reference_code+amount+date"]);
            drop(world.admin_get("/v1/admin/accounts").await.expect(200));
            world.undo(damage).await;
        }
        let damage = world.damage("ACCOUNT#gamma", "ACCOUNT", spoilt).await;
        drop(world.admin_get("/v1/admin/accounts").await.expect(200));
        let statement = csv(world, &content).await.expect(200);
        let accepted = accept(world, &statement, &json!({"exact": true})).await.expect(200).json();
        assert_eq!(accepted["accepted"], 1, "{accepted}");
        assert_eq!(accepted["results"][0]["code"], "internal_error");
        world.assert_balances("wallet 200.00").await;
        world.undo(damage).await;
        let accepted = accept(world, &statement, &json!({"exact": true})).await.expect(200).json();
        assert_eq!(accepted["accepted"], 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_strangers_stop_no_statement() {
    story(async |world| {
        let order = world.order_offline("wallet", "USD 200.00", "order").await.expect(201);
        let day = world.today();
        let long = "N".repeat(200);
        let content = [
            format!("{day},200.00,USD,B-1,Whoever,{}", code(&order)),
            format!("{day},0.00,USD,B-2,Bank,notice"),
            format!("{day},10.00,USD,工行2026,{long},invoice"),
            format!("{day},20.00,USD,B-4,\"two\nlines\",invoice"),
        ];
        let statement = csv(world, &content).await.expect(201);
        assert_eq!(
            lines(&statement),
            ["exact reference_code+amount+date", "unmatched", "unmatched"]
        );
        let shown = statement.json();
        assert_eq!(shown["skipped"], 1);
        let of = |line: usize, field: &str| shown["lines"][line][field].clone();
        assert_eq!((of(1, "bank_reference"), of(1, "payer_name")), (Value::Null, Value::Null));
        assert_eq!(of(1, "information"), format!("工行2026\n{long}\ninvoice"));
        assert_eq!((of(2, "bank_reference"), of(2, "payer_name")), (json!("B-4"), Value::Null));
        // What is no amount at all is a mistake in the file.
        let refused = csv(world, &[format!("{day},much,USD,B-1,Whoever,x")]).await;
        let refused = refused.expect_problem(422, "invalid_statement");
        assert!(refused.text("detail").starts_with("line 2: amount"));
    })
    .await;
}
