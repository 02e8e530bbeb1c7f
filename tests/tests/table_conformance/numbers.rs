//! Numbers: what is stored of what was written. Versions, counters and moments are numbers; money
//! is text, which is kept as it is.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::engine::{Checked, Engine, key, number, on_each, text, thing};

/// What is read back of what was written.
async fn read_back(engine: &Engine, written: AttributeValue) -> Checked<Option<AttributeValue>> {
    match engine.put(thing("X", "x", [("value", written)])).await.as_str() {
        "accepted" => {
            Ok(engine.get(key("X", "x")).await?.and_then(|mut item| item.remove("value")))
        }
        code => {
            assert_eq!(code, "ValidationException");
            Ok(None)
        }
    }
}

#[tokio::test]
async fn a_number_is_kept_in_its_shortest_form() -> Checked {
    let cases = [
        ("1.10", "1.1"),
        ("100", "100"),
        ("100.00", "100"),
        ("1E2", "100"),
        ("1e+2", "100"),
        ("1.50E1", "15"),
        ("123E-2", "1.23"),
        ("0.000", "0"),
        ("0E5", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("00012", "12"),
        ("+5", "5"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("5.", "5"),
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("18446744073709551615", "18446744073709551615"),
    ];
    on_each(async |engine| {
        for (written, kept) in cases {
            assert_eq!(read_back(engine, number(written)).await?, Some(number(kept)), "{written}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_number_has_38_digits_that_count() -> Checked {
    let digits = "12345678901234567890123456789012345678";
    let cases = [
        (digits.to_owned(), true),
        (format!("{digits}9"), false),
        (format!("{digits}0"), true),
        (format!("0.{digits}"), true),
        (format!("0.0000{digits}"), true),
        (format!("1.{digits}"), false),
        (format!("1{}", "0".repeat(60)), true),
    ];
    on_each(async |engine| {
        for (written, is_kept) in &cases {
            let expected = is_kept.then(|| number(written));
            assert_eq!(read_back(engine, number(written)).await?, expected, "{written}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_number_reaches_from_1e_130_to_just_below_1e126() -> Checked {
    let nines = "9".repeat(38);
    let largest = format!("9.{}E125", "9".repeat(37));
    let cases = [
        (largest.as_str(), Some(format!("{nines}{}", "0".repeat(88)))),
        ("1E126", None),
        ("-1E126", None),
        ("1E-130", Some(format!("0.{}1", "0".repeat(129)))),
        ("-1E-130", Some(format!("-0.{}1", "0".repeat(129)))),
        ("1E-131", None),
    ];
    on_each(async |engine| {
        for (written, kept) in &cases {
            let kept = kept.as_ref().map(number);
            assert_eq!(read_back(engine, number(written)).await?, kept, "{written}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_not_a_number_is_refused() -> Checked {
    let cases = ["", " ", "1 ", " 1", "abc", "1e", "0x10", "1_000", "1,000", "NaN", "Infinity"];
    on_each(async |engine| {
        for written in cases {
            assert_eq!(read_back(engine, number(written)).await?, None, "{written:?}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn money_as_text_keeps_every_character() -> Checked {
    let cases = ["1.10", "0.00", "-0.000001", "1000000000000000.000000", "", "é\u{0}\u{10ffff}"];
    on_each(async |engine| {
        for written in cases {
            assert_eq!(read_back(engine, text(written)).await?, Some(text(written)), "{written:?}");
        }
        Ok(())
    })
    .await
}
