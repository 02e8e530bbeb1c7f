//! Keys: listed, replaced and stopped by the real command.

use crate::common::{ASKED_WRONGLY, Deployment, FAILED, WELL, printed, said};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_listed_replaced_and_stopped() {
    let deployment = Deployment::start().await;
    let (made, code) = deployment.json(&[
        "keys",
        "create",
        "--name",
        "ann, finance",
        "--scope",
        "operator:read",
        "--days",
        "30",
    ]);
    assert_eq!(code, WELL);
    let (id, text) = (made["key_id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert!(text.starts_with(&format!("tk_{id}_")), "{made}");
    assert_eq!(made["scopes"], json!(["operator:read"]));
    assert!(made["expires_at"].is_string(), "{made}");

    let (listed, _) = deployment.json(&["keys", "list"]);
    let all = listed["data"].as_array().unwrap();
    // Beside the one that the runner made.
    assert_eq!((all.len(), all[0]["key_id"].as_str()), (2, Some(id)));
    assert!(!listed.to_string().contains(text), "a list shows no secret");
    assert!(printed(&deployment.admin(&["keys", "list"])).contains("ann, finance"));

    let successor = printed(&deployment.admin(&["keys", "rotate", id]));
    assert!(successor.starts_with("tk_") && successor != text);
    // Who has lost that answer finds it by what it replaces.
    let lost = deployment.admin(&["keys", "rotate", id]);
    assert!(said(&lost).contains("the one that replaces it"), "{}", said(&lost));
    let row =
        |line: &&str| line.contains(id) && line.contains(successor.split('_').nth(1).unwrap());
    let listed = printed(&deployment.admin(&["keys", "list"]));
    assert_eq!(listed.lines().filter(row).count(), 1, "{listed}");
    // A whole key, as somebody finds it in a leak, is as good as its id.
    let (revoked, code) = deployment.json(&["keys", "revoke", &successor]);
    assert!(code == WELL && revoked["revoked_at"].is_string(), "{revoked}");
    let listed = printed(&deployment.admin(&["keys", "list"]));
    assert!(listed.contains("ended") && listed.contains("until"), "{listed}");
    // Of a name that is mistyped it is not said that there are none.
    let (none, code) = deployment.json(&["keys", "list", "--account", "nobody"]);
    assert_eq!((code, &none["error"]), (FAILED, &json!("there is no account 'nobody'")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_s_key_has_its_account_s_name_and_a_new_account_is_told_of() {
    let deployment = Deployment::start().await;
    let made = deployment.admin(&["keys", "create", "--account", "acme", "--currency", "EUR"]);
    assert!(said(&made).contains("Account 'acme' is new, in EUR."), "{}", said(&made));
    let (key, code) = deployment.json(&["keys", "create", "--account", "acme"]);
    assert_eq!((code, &key["name"]), (WELL, &json!("acme")));
    let again = deployment.admin(&["keys", "create", "--account", "acme"]);
    assert!(!said(&again).contains("is new"), "{}", said(&again));
    let other = ["keys", "create", "--account", "acme", "--currency", "USD"];
    let (refused, code) = deployment.json(&other);
    assert_eq!(code, FAILED);
    assert!(refused["error"].as_str().unwrap().contains("is kept in EUR"), "{refused}");
    let (keys, _) = deployment.json(&["keys", "list", "--account", "acme"]);
    assert_eq!(keys["data"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_nobody_could_read_is_no_success_and_a_list_that_nobody_read_is_one() {
    let deployment = Deployment::start().await;
    for (arguments, code) in [(["keys", "create"], FAILED), (["keys", "list"], WELL)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = deployment.command(&arguments).stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        assert!(!said(&output).contains("Keep it"), "{}", said(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_and_says_why() {
    let deployment = Deployment::start().await;
    for (arguments, code, why) in [
        (&["keys", "revoke", "00000000000000000000"] as &[&str], FAILED, "no such API key"),
        (&["keys", "create", "--scope", "usage:write"], FAILED, "must be one of operator:read"),
        (&["keys", "create", "--account", "A C M E"], FAILED, "--account"),
        (&["keys", "create", "--days", "0"], ASKED_WRONGLY, "--days"),
        (&["keys"], ASKED_WRONGLY, "Usage"),
        (&["catalogue", "show", "--version", "9"], FAILED, "no such version"),
        (&["catalogue", "set", "/nonexistent/file"], FAILED, "/nonexistent/file"),
    ] {
        let output = deployment.admin(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(why), "{arguments:?}: {}", said(&output));
    }
    let (document, code) = deployment.json(&["keys", "revoke", "00000000000000000000"]);
    assert_eq!(code, FAILED);
    assert_eq!(document["error"], "there is no such API key");
}
