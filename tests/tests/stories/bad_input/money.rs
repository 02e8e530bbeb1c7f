//! Amounts that are none, or too small, or too large.

use serde_json::{Value, json};
use tests::story;

use super::{assert_orders_refused, assert_transfers_refused, order_with};

const MALFORMED: &str = "422 invalid_amount amount";
const OUT_OF_RANGE: &str = "422 amount_out_of_range amount";

/// What no amount can be, whatever it is for.
fn never() -> Vec<(Value, &'static str)> {
    let thirty = "123456789012345678901234567890";
    let malformed = [
        "",
        " ",
        "-1",
        "-100",
        "+1",
        "+100",
        "10.001",
        "100.000001",
        "100.0000001",
        "1e3",
        "1E3",
        "NaN",
        "nan",
        "Infinity",
        "-Infinity",
        "inf",
        " 10",
        "10 ",
        "1 000",
        "10\n",
        "10\u{0}",
        "\u{a0}10",
        "1,000",
        "1,000.00",
        "10,00",
        "1_000",
        "0x10",
        "0b11",
        "010",
        "00",
        ".5",
        "10.",
        "10..0",
        "1.0.0",
        "$10",
        "10 USD",
        "USD",
        "\u{ff11}\u{ff10}",
        "\u{661}\u{660}",
        "\u{4e00}\u{5341}",
        "1/2",
        "--10",
        "10-",
        "true",
        "null",
        "\u{2212}10",
    ];
    let malformed = malformed.map(|text| (json!(text), MALFORMED));
    let numbers = [json!(100), json!(0), json!(-1), json!(18_446_744_073_709_551_615_u64)];
    let numbers = numbers.map(|number| (number, MALFORMED));
    let fractions = ["100.00", "1e2"].map(|text| {
        let number: Value = serde_json::from_str(text).unwrap();
        (number, MALFORMED)
    });
    let far = ["0", "0.0", "0.00", "1000000000001", thirty].map(|text| (json!(text), OUT_OF_RANGE));
    let longest = (json!("9".repeat(10_000)), OUT_OF_RANGE);
    let all = malformed.into_iter().chain(numbers).chain(fractions).chain(far);
    all.chain([longest]).collect()
}

fn named(
    amounts: Vec<(Value, &'static str)>,
    body: impl Fn(Value) -> Value,
) -> Vec<(String, Value, &'static str)> {
    let shown = |amount: &Value| amount.to_string().chars().take(60).collect::<String>();
    amounts.into_iter().map(|(amount, expected)| (shown(&amount), body(amount), expected)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_takes_plain_digits_within_its_limits() {
    story(async |world| {
        let mut amounts = never();
        let limits = ["0.01", "9.99", "10000.01", "1000000000000"];
        amounts.extend(limits.map(|text| (json!(text), OUT_OF_RANGE)));
        let bad = named(amounts, |amount| order_with(json!({"amount": amount})));
        assert_orders_refused(world, bad).await;
        for (amount, shown) in [("10", "10.00"), ("10.5", "10.50"), ("10000.00", "10000.00")] {
            let order = world.order("wallet", amount, amount).await.expect(201);
            assert_eq!(order.text("amount"), shown);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_takes_plain_digits_within_its_limits() {
    story(async |world| {
        drop(world.top_up("40", "funds").await);
        let mut amounts = never();
        amounts.extend(["0.01", "0.99"].map(|text| (json!(text), OUT_OF_RANGE)));
        let too_much = ["40.01", "1000000000000"];
        amounts.extend(too_much.map(|text| (json!(text), "402 insufficient_balance")));
        let bad = named(amounts, |amount| json!({"product": "sms", "amount": amount}));
        assert_transfers_refused(world, bad).await;
        world.assert_balances("wallet 39.00, sms 1.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn zeros_beyond_the_decimals_of_the_currency_are_too_many_decimals() {
    story(async |world| {
        drop(world.top_up("40", "funds").await);
        let amounts = || vec![(json!("10.000"), MALFORMED), (json!("10.000000"), MALFORMED)];
        let transfer = |amount| json!({"product": "sms", "amount": amount});
        assert_transfers_refused(world, named(amounts(), transfer)).await;
        let order = |amount| order_with(json!({"amount": amount}));
        assert_orders_refused(world, named(amounts(), order)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_amount_says_what_would_be_taken() {
    story(async |world| {
        let refused = world.order("wallet", "9.99", "low").await;
        let detail = refused.expect_problem(422, "amount_out_of_range").text("detail");
        assert!(detail.contains("USD 10.00"), "{detail}");
        assert!(detail.contains("USD 10000.00"), "{detail}");
    })
    .await;
}
