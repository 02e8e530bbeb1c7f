//! The first steps of a deployment, taken with the real command against a table.

use std::process::Output;

use crate::common::{FOUND, command, printed, said};
use ledger::Timestamp;
use local::table::{EmbeddedTable, TABLE_NAME, create_table};
use service::keys::{KeyOwner, Scope, authenticate};
use service::table::Table;

const NOW: Timestamp = Timestamp::from_unix_millis(1_795_435_200_000);

struct Deployment {
    embedded: EmbeddedTable,
    table: Table,
}

impl Deployment {
    async fn new() -> Self {
        let embedded = EmbeddedTable::start(None).await.expect("a table");
        let sdk = local::cloud::sdk(Some(embedded.endpoint())).await;
        create_table(&aws_sdk_dynamodb::Client::new(&sdk)).await.expect("a table");
        Self { table: Table::connect(&sdk, TABLE_NAME), embedded }
    }

    fn admin(&self, arguments: &[&str]) -> Output {
        let mut command = command(arguments);
        command.env("TABLE_NAME", TABLE_NAME).env("AWS_ENDPOINT_URL", self.embedded.endpoint());
        command.output().expect("the command runs")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_operator_key_works_and_only_its_hash_is_stored() {
    let deployment = Deployment::new().await;
    let text = printed(&deployment.admin(&["keys", "create"]));
    let key = authenticate(&deployment.table, &text, NOW).await.unwrap().expect("the key works");
    assert_eq!(key.owner, KeyOwner::Operator);
    assert_eq!(key.scopes, Scope::OPERATOR);
    let secret = text.rsplit('_').next().unwrap();
    assert!(!key.secret_hash.contains(secret));
    let wrong = text.replace(secret, &"0".repeat(secret.len()));
    assert_eq!(authenticate(&deployment.table, &wrong, NOW).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_comes_into_being_with_its_first_key() {
    let deployment = Deployment::new().await;
    let first =
        printed(&deployment.admin(&["keys", "create", "--account", "acme", "--currency", "EUR"]));
    let second = printed(&deployment.admin(&["keys", "create", "--account", "acme"]));
    for text in [first, second] {
        let key = authenticate(&deployment.table, &text, NOW).await.unwrap().expect("it works");
        let KeyOwner::Account(id) = key.owner else { unreachable!("a customer's key") };
        let account = deployment.table.account(&id).await.unwrap().expect("an account");
        assert_eq!((account.currency.code(), account.version), ("EUR", 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_is_checked_before_it_is_stored() {
    let deployment = Deployment::new().await;
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../catalogue.json");
    assert!(printed(&deployment.admin(&["catalogue", "set", example])).starts_with("4 products"));
    assert!(printed(&deployment.admin(&["catalogue", "set", example])).starts_with("4 products"));
    // What is shown is a file that can be set.
    let shown = printed(&deployment.admin(&["catalogue", "show"]));
    let parsed = service::catalogue::Catalogue::parse(&shown).unwrap();
    // The same again is no other version.
    let stored = deployment.table.catalogue().await.unwrap().expect("a catalogue");
    assert_eq!((stored.version, stored.catalogue), (1, parsed));

    let folder = std::env::temp_dir().join(format!("topup-admin-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("catalogue.json");
    let text = std::fs::read_to_string(example).unwrap();
    for (from, to, complaint) in [
        ("\"10.00\"", "\"ten\"", "decimal number"),
        ("\"USD\"", "\"DOLLARS\"", "ISO 4217"),
        ("\"product\": \"sms\"", "\"product\": \"whatsapp\"", "listed twice"),
        ("\"product\": \"sms\"", "\"product\": \"S M S\"", "lower-case"),
        ("\"enabled\"", "\"enable\"", "missing field `enabled`"),
        ("\"enabled\"", "\"from\": 1, \"enabled\"", "unknown field 'products.0.from'"),
        ("\"10000.00\"", "\"1.00\"", "below min_amount"),
    ] {
        std::fs::write(&file, text.replace(from, to)).unwrap();
        let output = deployment.admin(&["catalogue", "set", file.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(complaint), "{to}: {said}");
    }
    let stored = deployment.table.catalogue().await.unwrap().expect("a catalogue");
    assert_eq!(stored.version, 1, "nothing wrong was stored");

    // A slip that would give money away, and one that would refuse what is used, are shown first.
    let slip = text
        .replace("\"7.2000\"", "\"72\"")
        .replace("\"product\": \"sms\"", "\"product\": \"text\"");
    std::fs::write(&file, slip).unwrap();
    let path = file.to_str().unwrap();
    let refused = said(&deployment.admin(&["catalogue", "set", path]));
    for part in ["72.0000 is far from 7.2000", "product 'sms' is gone", "--confirm-difference"] {
        assert!(refused.contains(part), "{refused}");
    }
    let version = async || deployment.table.catalogue().await.unwrap().unwrap().version;
    assert_eq!(version().await, 1);
    let meant = ["catalogue", "set", path, "--confirm-difference"];
    assert!(printed(&deployment.admin(&meant)).contains("version 2"));
    assert_eq!(version().await, 2);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_accounts_is_none_that_holds() {
    let deployment = Deployment::new().await;
    let found = deployment.admin(&["verify"]);
    let text = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(text.contains("nothing was verified"), "{text}");
    assert_eq!(found.status.code(), Some(FOUND));
}
