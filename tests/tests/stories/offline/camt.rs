//! Bank statements as camt.053: which lines they have, and that nobody is credited what others paid.

use serde_json::json;
use tests::{Answer, World, story};

use super::statements::{accept, code, import, lines};

/// A transaction: how much, of whom, and what they wrote.
pub(super) fn transaction(amount: &str, payer: &str, text: &str) -> String {
    format!(
        "<TxDtls>{}<RltdPties><Dbtr><Pty><Nm>{payer}</Nm></Pty></Dbtr></RltdPties>\
         <RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls>",
        of_cny(amount)
    )
}

fn of_cny(amount: &str) -> String {
    match amount {
        "" => String::new(),
        amount => format!("<Amt Ccy=\"CNY\">{amount}</Amt>"),
    }
}

/// An entry of these blocks of details.
pub(super) fn entry(
    world: &World,
    said: (&str, &str, &str),
    reference: &str,
    blocks: &[String],
) -> String {
    let (amount, sign, status) = said;
    let blocks: Vec<_> =
        blocks.iter().map(|block| format!("<NtryDtls>{block}</NtryDtls>")).collect();
    format!(
        "<Ntry>{}<CdtDbtInd>{sign}</CdtDbtInd><Sts><Cd>{status}</Cd></Sts>\
         <BookgDt><Dt>{}</Dt></BookgDt><AcctSvcrRef>{reference}</AcctSvcrRef>{}</Ntry>",
        of_cny(amount),
        world.today(),
        // Banks write them in lines, with what they like between.
        blocks.join("\n  <!-- next -->\n")
    )
}

pub(super) fn document(number: &str, entries: &[String]) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document \
         xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><GrpHdr>\
         <MsgId>1</MsgId><CreDtTm>2026-11-23T23:00:00</CreDtTm></GrpHdr><Stmt><Id>S1</Id>\
         <Acct><Id><Othr><Id>{number}</Id></Othr></Id><Ccy>CNY</Ccy></Acct>{}</Stmt>\
         </BkToCstmrStmt></Document>",
        entries.concat()
    )
}

/// What the lines of an imported statement are: amount, bank reference, state and reasons.
pub(super) async fn imported(world: &World, entries: &[String]) -> (Answer, Vec<String>) {
    let statement = import(world, "application/xml", &document("6222000000000001", entries)).await;
    let statement = statement.expect(201);
    let shown = statement.json();
    let shown = shown["lines"].as_array().unwrap().iter().zip(lines(&statement));
    let shown = shown.map(|(line, state)| {
        let reference = line["bank_reference"].as_str().unwrap_or("none").to_owned();
        format!("{} {reference} {state}", line["amount"].as_str().unwrap())
    });
    (statement.clone(), shown.collect())
}

pub(super) fn booked(amount: &str) -> (&str, &str, &str) {
    (amount, "CRDT", "BOOK")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_character_that_the_bank_has_lost_stops_no_statement() {
    story(async |world| {
        let words = "<TxDtls><RmtInf><Ustrd>M\u{fffd}ller</Ustrd></RmtInf></TxDtls>".to_owned();
        let spoilt = entry(world, ("10.00", "CRDT", "BOOK"), "R-\u{fffd}", &[words]);
        let spoilt = document("6222000000000001", &[spoilt]);
        // One that says that it is of another encoding has lost it on its way.
        let other = spoilt.replace("UTF-8", "ISO-8859-1");
        let refused = import(world, "application/xml", &other).await;
        let refused = refused.expect_problem(422, "invalid_statement");
        assert!(refused.text("detail").contains("line 1: a character was lost"));
        let line = import(world, "application/xml", &spoilt).await.expect(201).json();
        let line = &line["lines"][0];
        assert_eq!(line["bank_reference"], json!(null), "what cannot be read is no reference");
        assert!(line["information"].as_str().unwrap().contains("M\u{fffd}ller"), "{line}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camt_053_statement_is_read() {
    story(async |world| {
        let order = world.order_offline("wallet", "CNY 720.00", "order").await.expect(201);
        let batched = world.order_offline("wallet", "CNY 500.00", "batched").await.expect(201);
        let single = transaction("720.00", "李雷", &format!("充值 {}", code(&order)));
        let batch = transaction("500.00", "韩梅梅", &code(&batched))
            + &transaction("30.00", "Nobody", "other business");
        let entries = [
            entry(world, booked("720.00"), "20261123-0001", &[single]),
            entry(world, booked("530.00"), "20261123-0002", &[batch]),
            entry(world, ("12.00", "DBIT", "BOOK"), "20261123-0003", &[]),
            entry(world, ("99.00", "CRDT", "PDNG"), "20261123-0004", &[]),
        ];
        let (statement, shown) = imported(world, &entries).await;
        assert_eq!(
            shown,
            [
                "720.00 20261123-0001 exact reference_code+amount+date",
                "500.00 20261123-0002/1 exact reference_code+amount+date",
                "30.00 20261123-0002/2 unmatched",
            ]
        );
        assert_eq!(statement.json()["skipped"], 2);
        assert_eq!(statement.json()["lines"][0]["payer_name"], "李雷");
        let accepted = accept(world, &statement, &json!({"exact": true})).await.expect(200).json();
        assert_eq!(accepted["accepted"], 2);
        world.assert_balances("wallet 169.44").await;

        let other = import(world, "text/xml", &document("6222000000009999", &entries)).await;
        let other = other.expect_problem(422, "invalid_statement");
        assert!(other.text("detail").contains("not of the bank account for CNY"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_read_whole_in_however_many_blocks_its_bank_writes_it() {
    story(async |world| {
        let anna = world.order_offline("wallet", "CNY 1000.00", "anna").await.expect(201);
        let bert = world.order_offline("wallet", "CNY 1700.00", "bert").await.expect(201);
        let blocks = [
            transaction("1000.00", "Anna", &code(&anna)) + &transaction("300.00", "Nobody", "rent"),
            "<Btch><NbOfTxs>2</NbOfTxs></Btch>".to_owned(),
            transaction("1700.00000", "Bert", &code(&bert))
                + "<TxDtls><Amt Ccy=\"CNY\">200.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>",
        ];
        let (statement, shown) =
            imported(world, &[entry(world, booked("2800.00000"), "REF1", &blocks)]).await;
        assert_eq!(
            shown,
            [
                "1000.00 REF1/1 exact reference_code+amount+date",
                "300.00 REF1/2 unmatched",
                "1700.00 REF1/3 exact reference_code+amount+date",
            ]
        );
        assert_eq!(statement.json()["skipped"], 1, "what was taken back");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_cannot_be_taken_apart_is_shown_and_credited_to_nobody() {
    story(async |world| {
        let order = world.order_offline("wallet", "CNY 3000.00", "order").await.expect(201);
        let anna = |amount: &str| transaction(amount, "Anna", &code(&order));
        let bert = |amount: &str| transaction(amount, "Bert", "invoice 7");
        let count = |count: &str| format!("<Btch><NbOfTxs>{count}</NbOfTxs></Btch>");
        for (number, blocks) in [
            vec![anna("") + &bert("")],
            vec![anna(""), bert("")],
            vec![anna("1000.00"), bert("")],
            vec![anna("1000.00") + &bert("1000.00")],
            vec![anna("2000.00") + &bert("2000.00")],
            vec![anna("1000.00")],
            vec![count("3") + &anna("1000.00")],
            vec![count("2") + &anna("")],
            vec![count("2"), anna("3000.00")],
            vec![count("1") + &anna(""), count("2")],
            vec![anna(""), "<Btch><MsgId>M</MsgId></Btch>".to_owned()],
            vec!["<Btch><PmtInfId>P</PmtInfId></Btch>".to_owned() + &anna("")],
            vec!["<TxDtls/>".to_owned(), anna("")],
            vec![anna("").replace("<TxDtls>", "<TxDtls><CdtDbtInd>DBIT</CdtDbtInd>")],
        ]
        .iter()
        .enumerate()
        {
            let reference = format!("REF{number}");
            let entries = [entry(world, booked("3000.00"), &reference, blocks)];
            let (statement, shown) = imported(world, &entries).await;
            let proposed = "3000.00 none proposed reference_code+amount+date";
            assert_eq!(shown, [proposed], "{blocks:?}");
            let line = &statement.json()["lines"][0];
            assert_eq!(line["payer_name"], json!(null));
            let information = line["information"].as_str().unwrap();
            assert!(information.starts_with(&reference), "{information}");
            let chosen = json!({"lines": [{"line": 1, "order_id": order.text("order_id")}]});
            for choice in [json!({"exact": true}), chosen] {
                let answer = accept(world, &statement, &choice).await.expect(200).json();
                assert_eq!(answer["accepted"], 0, "{answer}");
            }
        }
        world.assert_balances("wallet 0.00").await;
        // One payer, of whom the bank says nothing else: the entry is theirs.
        let of_one = [anna(""), anna("3000.00"), anna("3000"), count("1") + &anna("")];
        for (number, block) in of_one.iter().enumerate() {
            let reference = format!("SOLE{number}");
            let (_, shown) = imported(
                world,
                &[entry(world, booked("3000.00"), &reference, std::slice::from_ref(block))],
            )
            .await;
            let exact = format!("3000.00 {reference} exact reference_code+amount+date");
            assert_eq!(shown, [exact]);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_the_same_however_its_document_is_written() {
    story(async |world| {
        let order = world.order_offline("wallet", "CNY 3000.00", "order").await.expect(201);
        let details = transaction("1000.00", "Anna", &code(&order)) + "</NtryDtls>";
        let rest = transaction("2000.00", "Bert", "é € invoice");
        let joined = |between: &str| {
            let details = format!("{details}{between}{rest}");
            entry(world, booked("3000.00"), "REF", &[details])
        };
        for between in
            ["<NtryDtls>", "\r\n<NtryDtls >", "<!-- </NtryDtls> --><NtryDtls>", "<?x y?><NtryDtls>"]
        {
            let (_, shown) = imported(world, &[joined(between)]).await;
            assert_eq!(shown.len(), 2, "{between}");
            let spelled = joined(between).replace("<NtryDtls>", "<NtryDtls/><NtryDtls>");
            let (_, shown) = imported(world, &[spelled]).await;
            assert_eq!(shown.len(), 2, "an empty one before each, {between}");
        }
        let prefixed = document("6222000000000001", &[joined("<NtryDtls>")]);
        let prefixed = prefixed.replace("</", "<\u{1}").replace('<', "<c:");
        let prefixed =
            prefixed.replace("<c:\u{1}", "</c:").replace("<c:?", "<?").replace("<c:!", "<!");
        let prefixed = prefixed.replace("xmlns=", "xmlns:c=");
        let statement = import(world, "application/xml", &prefixed).await.expect(201);
        assert_eq!(lines(&statement).len(), 2);
        // What is not beside the others is nobody's to guess.
        let apart = joined("<AddtlNtryInf>x</AddtlNtryInf><NtryDtls>");
        let refused = import(world, "text/xml", &document("6222000000000001", &[apart])).await;
        let refused = refused.expect_problem(422, "invalid_statement");
        assert!(refused.text("detail").contains("something between its NtryDtls"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bank_writes_that_is_of_no_use_does_not_make_its_statement_useless() {
    story(async |world| {
        let entries = [
            entry(world, booked("0.00"), "NOTICE", &[]),
            entry(world, booked("50.000"), "ZEROS", &[]),
            entry(world, booked("60.00"), "2026 – 7", &[]),
            // XML Schema has these for 70, 0.5 and nothing.
            entry(world, booked("+0070."), "PLUS", &[]),
            entry(world, booked(".5"), "HALF", &[]),
            entry(world, booked(".0"), "NOTHING", &[]),
            entry(world, booked("-0.00"), "NOTHING BELOW", &[]),
            entry(world, booked("80.00"), "VALUE", &[]).replace("BookgDt", "ValDt"),
        ];
        let (statement, shown) = imported(world, &entries).await;
        assert_eq!(
            shown,
            [
                "50.00 ZEROS unmatched",
                "60.00 none unmatched",
                "70.00 PLUS unmatched",
                "0.50 HALF unmatched",
                "80.00 VALUE unmatched",
            ]
        );
        assert_eq!(statement.json()["skipped"], 3);
        assert_eq!(statement.json()["lines"][4]["booked_on"], world.today());
        for (amount, why) in [
            ("50.005", "must have at most 2 decimals"),
            ("50.00.0", "must be"),
            ("50..", "must be"),
            (".", "must be"),
            ("++50", "must be"),
            ("-0.01", "must be"),
        ] {
            let entries = [entry(world, booked(amount), "AMOUNT", &[])];
            let refused =
                import(world, "application/xml", &document("6222000000000001", &entries)).await;
            let refused = refused.expect_problem(422, "invalid_statement").text("detail");
            assert!(refused.contains(&format!("statement S1, entry 1: Amt {why}")), "{refused}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_of_a_batch_is_known_by_the_reference_that_its_bank_gave_it() {
    story(async |world| {
        let anna = world.order_offline("wallet", "CNY 1000.00", "anna").await.expect(201);
        let bert = world.order_offline("wallet", "CNY 2000.00", "bert").await.expect(201);
        let referred = |reference: &str, transaction: String| {
            let refs = format!("<TxDtls><Refs><AcctSvcrRef>{reference}</AcctSvcrRef></Refs>");
            transaction.replace("<TxDtls>", &refs)
        };
        let of_anna =
            |reference: &str| referred(reference, transaction("1000.00", "Anna", &code(&anna)));
        let of_bert =
            |reference: &str| referred(reference, transaction("2000.00", "Bert", &code(&bert)));
        let batch = |parts: [String; 2]| [entry(world, booked("3000.00"), "FT", &[parts.concat()])];
        let (_, shown) = imported(world, &batch([of_anna("T&amp;1"), of_bert("T2")])).await;
        let exact = "exact reference_code+amount+date";
        assert_eq!(shown, [format!("1000.00 FT/T&1 {exact}"), format!("2000.00 FT/T2 {exact}")]);
        // What does not tell them apart is not theirs.
        for references in [["FT", "FT"], ["T1", "t1"], ["T1", "NOTPROVIDED"], ["T1", "ft"]] {
            let parts = [of_anna(references[0]), of_bert(references[1])];
            let (_, shown) = imported(world, &batch(parts)).await;
            let numbered = [format!("1000.00 FT/1 {exact}"), format!("2000.00 FT/2 {exact}")];
            assert_eq!(shown, numbered, "{references:?}");
        }
        // In whatever order the bank lists them, each stays who it is.
        let (statement, _) = imported(world, &batch([of_anna("A"), of_bert("B")])).await;
        let chosen = json!({"lines": [{"line": 1, "order_id": anna.text("order_id")}]});
        assert_eq!(accept(world, &statement, &chosen).await.expect(200).json()["accepted"], 1);
        let (statement, shown) = imported(world, &batch([of_bert("B"), of_anna("A")])).await;
        assert_eq!(shown, [format!("2000.00 FT/B {exact}"), "1000.00 FT/A credited".to_owned()]);
        // Counters begin anew in each batch.
        let next = entry(world, booked("3000.00"), "FT-2", &[of_anna("A") + &of_bert("B")]);
        let (_, shown) = imported(world, &[next]).await;
        assert!(shown[0].starts_with("1000.00 FT-2/A proposed"), "{shown:?}");
        let accepted = accept(world, &statement, &json!({"exact": true})).await.expect(200).json();
        assert_eq!(accepted["accepted"], 1);
        world.assert_balances("wallet 416.67").await;
        // Together they may be too long for a reference.
        let long = |letter: &str| letter.repeat(35);
        let parts = of_anna(&long("A")) + &of_bert(&long("B"));
        let (_, shown) =
            imported(world, &[entry(world, booked("3000.00"), &long("F"), &[parts])]).await;
        assert!(shown[0].starts_with(&format!("1000.00 {}/1 ", long("F"))), "{shown:?}");
        // Of the one transaction of an entry, if only that has one.
        for (own, known) in [
            ("<![CDATA[TX-20261123]]>", "TX-20261123"),
            ("A<!-- -->LONE&#49;23", "ALONE123"),
            ("000001", "none"),
        ] {
            let alone = entry(world, booked("1000.00"), "", &[of_anna(own)]);
            let alone = alone.replace("<AcctSvcrRef></AcctSvcrRef>", "");
            let (_, shown) = imported(world, &[alone]).await;
            assert_eq!(shown, [format!("1000.00 {known} proposed reference_code+amount+date")]);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bank_kept_of_a_payment_did_not_arrive() {
    story(async |world| {
        let order = world.order_offline("wallet", "CNY 720.00", "order").await.expect(201);
        let sent = transaction("720.00", "Li Lei", &code(&order));
        let charges = "<Chrgs><TtlChrgsAndTaxAmt Ccy=\"CNY\">15.00</TtlChrgsAndTaxAmt><Rcrd>\
             <Amt Ccy=\"CNY\">15.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></Rcrd></Chrgs>";
        let taken = "<TxDtls><Amt Ccy=\"CNY\">15.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>";
        let charged = |charges: &str| sent.replace("<RltdPties>", &format!("{charges}<RltdPties>"));
        let total = "<Chrgs><TtlChrgsAndTaxAmt Ccy=\"CNY\">15.00</TtlChrgsAndTaxAmt></Chrgs>";
        let unsigned = charges.replace("<CdtDbtInd>DBIT</CdtDbtInd>", "");
        let of_entry = |charges: &str, entry: String| {
            entry.replace("<NtryDtls>", &format!("{charges}<NtryDtls>"))
        };
        for (number, (block, above)) in [
            (sent.clone() + taken, ""),
            (charged(charges), ""),
            // As banks write it, too: of the entry, the total alone, and without saying that a charge takes.
            (sent.clone(), charges),
            (charged(total), ""),
            (charged(&unsigned), ""),
        ]
        .into_iter()
        .enumerate()
        {
            let reference = format!("LESS{number}");
            let entry = of_entry(above, entry(world, booked("705.00"), &reference, &[block]));
            let (statement, shown) = imported(world, &[entry]).await;
            assert_eq!(shown, [format!("705.00 {reference} proposed reference_code+date")]);
            assert_eq!(statement.json()["lines"][0]["payer_name"], "Li Lei");
        }
        // What is returned to somebody is no fee: the payment arrived whole.
        let returned = transaction("15.00", "Bert", "return")
            .replace("<RltdPties>", "<CdtDbtInd>DBIT</CdtDbtInd><RltdPties>");
        let netted = entry(world, booked("705.00"), "NETTED", &[sent.clone() + &returned]);
        let (_, shown) = imported(world, &[netted]).await;
        assert_eq!(shown, ["720.00 NETTED/1 exact reference_code+amount+date"]);
        // Charges that do not explain it explain nothing.
        let (_, shown) =
            imported(world, &[entry(world, booked("700.00"), "ODD", &[charged(charges)])]).await;
        assert_eq!(shown, ["700.00 none proposed reference_code+date"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_which_some_transactions_are_missing_is_not_taken_apart() {
    story(async |world| {
        let order = world.order_offline("wallet", "CNY 1000.00", "order").await.expect(201);
        let parts =
            transaction("1000.00", "Anna", &code(&order)) + &transaction("500.00", "B", "x");
        for (count, state) in [("3", "1500.00 none proposed reference_code+date"), ("2", "")] {
            let block = format!("<Btch><NbOfTxs>{count}</NbOfTxs></Btch>{parts}");
            let (_, shown) =
                imported(world, &[entry(world, booked("1500.00"), count, &[block])]).await;
            match state {
                "" => assert_eq!(shown.len(), 2),
                state => assert_eq!(shown, [state]),
            }
        }
    })
    .await;
}
