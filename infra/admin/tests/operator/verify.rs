//! Journals that hold and journals that do not, as the real command sees them.

use crate::common::{Deployment, FAILED, FOUND, WELL, printed, said};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_journal_is_found_and_named_and_nothing_is_written() {
    let deployment = Deployment::start().await;
    for account in ["acme", "beta"] {
        drop(printed(&deployment.admin(&["keys", "create", "--account", account])));
        for number in 1..=3 {
            let key = format!("{account}-{number}");
            deployment.give(account, "wallet", "10.00", &key);
        }
    }
    let healthy = deployment.admin(&["verify"]);
    let told = "3 accounts, 6 entries and 0 orders were verified: everything holds.";
    assert_eq!(printed(&healthy), told);
    assert!(!said(&healthy).contains('\u{1b}'), "no bar is drawn for a program");

    let entry = json!({"pk": "JOURNAL#beta", "sk": "000000000002", "set": {"at": {"N": "1"}}});
    let undo = deployment.post("/_control/items", "damage", &entry)["undo"].clone();
    let (found, code) = deployment.json(&["verify"]);
    assert_eq!(code, FOUND, "{found}");
    assert_eq!((&found["holds"], &found["accounts"]), (&json!(false), &json!(3)));
    let broken = found["broken"].as_array().unwrap();
    assert_eq!((broken.len(), broken[0]["account_id"].as_str()), (1, Some("beta")), "{found}");
    assert_eq!(broken[0]["type"], "journal_broken");
    // The other account alone is well.
    let twice = ["verify", "--account", "acme", "--account", "acme"];
    let (alone, code) = deployment.json(&twice);
    assert_eq!((code, &alone["accounts"], &alone["entries"]), (WELL, &json!(1), &json!(3)));
    let text = deployment.admin(&["verify", "--account", "beta"]);
    assert!(String::from_utf8_lossy(&text.stdout).contains("beta: journal_broken"));

    drop(deployment.post("/_control/items", "repair", &undo));
    assert_eq!(deployment.json(&["verify"]).1, WELL);
    // Whoever only looks leaves no trace.
    assert!(!deployment.exists("CHECKPOINT#beta", "CHECKPOINT"));
    assert!(!deployment.exists("CURSOR#verify-00", "CURSOR"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_cannot_be_read_is_found_whether_it_is_named_or_not() {
    let deployment = Deployment::start().await;
    drop(printed(&deployment.admin(&["keys", "create", "--account", "beta"])));
    let damage = json!({"pk": "ACCOUNT#beta", "sk": "ACCOUNT", "set": {"version": {"S": "none"}}});
    drop(deployment.post("/_control/items", "damage", &damage));
    for arguments in [&["verify", "--account", "beta"][..], &["verify"]] {
        let (found, code) = deployment.json(arguments);
        assert_eq!(code, FOUND, "{found}");
        assert_eq!(found["broken"][0]["account_id"], "beta", "{found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_works_with_functions_and_queues_does_not_take_another_table() {
    let deployment = Deployment::start().await;
    for command in ["reconcile", "dead-letters"] {
        let (answer, code) = deployment.json(&["--table", "topup-local-restored", command]);
        let said = answer["error"].as_str().unwrap_or_default();
        assert!(code == FAILED && said.contains("its own table"), "{command}: {answer}");
    }
    let (answer, code) = deployment.json(&["--table", "restored", "redrive", "events"]);
    assert!(code == FAILED && answer["error"].as_str().unwrap().contains("its own table"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_not_there_is_no_account_that_holds() {
    let deployment = Deployment::start().await;
    let (answer, code) = deployment.json(&["verify", "--account", "nobody"]);
    assert_eq!(
        (code, &answer["error"]),
        (FAILED, &json!("there is no account 'nobody' in topup-local"))
    );
}
