//! What is missing or wrong is said before anything is done, with what to do about it.

use std::process::Command;

use crate::common::{Deployment, FAILED, command, said};

fn refused(mut command: Command, why: &str) {
    let output = command.output().expect("the command runs");
    assert_eq!(output.status.code(), Some(FAILED), "{}", said(&output));
    assert!(said(&output).contains(why), "{}", said(&output));
    assert!(output.stdout.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_say_which_deployment_is_asked() {
    refused(command(&["verify"]), "--stage");
    refused(command(&["--table", "topup-prod", "redrive", "usage"]), "--stage");
    let mut nowhere = command(&["--stage", "prod", "verify"]);
    nowhere.env_remove("AWS_REGION");
    refused(nowhere, "AWS_REGION");
    let mut nobody = command(&["--stage", "prod", "dead-letters"]);
    nobody.env_remove("AWS_ACCESS_KEY_ID");
    refused(nobody, "no AWS credentials");
    let mut unreachable = command(&["--stage", "prod", "verify"]);
    unreachable.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    refused(unreachable, "did not answer");
    let mut empty = command(&["--stage", "local", "verify"]);
    empty.env("AWS_ENDPOINT_URL_DYNAMODB", "");
    refused(empty, "AWS_ENDPOINT_URL_DYNAMODB is set to nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_named() {
    let deployment = Deployment::start().await;
    let with = |arguments: &[&str]| deployment.command(arguments);
    refused(with(&["--table", "elsewhere", "verify"]), "no table 'elsewhere' in us-east-1");
    refused(with(&["--stage", "prod", "verify"]), "no table 'topup-prod'");
    refused(with(&["--stage", "prod", "dead-letters"]), "no queue 'topup-prod-confirmation-dead'");
    refused(with(&["--stage", "prod", "redrive", "usage"]), "no queue 'topup-prod-usage-dead'");
    refused(with(&["--stage", "prod", "reconcile"]), "no function 'topup-prod-reconcile'");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_goes_before_what_is_set() {
    let deployment = Deployment::start().await;
    let mut left_over = deployment.command(&["--stage", "local", "verify"]);
    left_over.env("TABLE_NAME", "topup-of-another-day");
    assert!(left_over.output().unwrap().status.success());
    let mut set = deployment.command(&["verify"]);
    set.env("TABLE_NAME", "topup-of-another-day");
    refused(set, "topup-of-another-day");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_as_for_the_aws_cli() {
    let deployment = Deployment::start().await;
    let config = std::env::temp_dir().join(format!("topup-admin-{}.config", std::process::id()));
    let profiles = "[profile program]\n\
        credential_process = echo '{\"Version\":1,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\"}'\n\
        [profile company]\nsso_session = company\nsso_account_id = 123456789012\nsso_role_name = finance\n\
        [sso-session company]\nsso_region = us-east-1\nsso_start_url = https://company.example/start\n";
    std::fs::write(&config, profiles).unwrap();
    let with = |profile: &str| {
        let mut command = deployment.command(&["--stage", "local", "keys", "list"]);
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        command.env("PATH", "/usr/bin:/bin").env("AWS_CONFIG_FILE", &config);
        command.env("AWS_PROFILE", profile);
        command
    };
    let listed = with("program").output().unwrap();
    assert!(listed.status.success(), "{}", said(&listed));
    // Nobody has signed in to this one: it says what is missing, and not that it cannot be done here.
    refused(with("company"), "token");
    std::fs::remove_file(&config).unwrap();
}

/// The command finds queues and functions by the names that the template gives them.
#[test]
fn the_template_names_what_the_command_looks_for() {
    let template = concat!(
        include_str!("../../../../template.yaml"),
        include_str!("../../../../infra/queues.yaml"),
        include_str!("../../../../infra/schedules.yaml"),
    );
    for name in [
        "TableName: { Fn::Sub: 'topup-${Stage}' }",
        "QueueName: { Fn::Sub: 'topup-${Stage}-confirmation' }",
        "QueueName: { Fn::Sub: 'topup-${Stage}-confirmation-dead' }",
        "QueueName: { Fn::Sub: 'topup-${Stage}-usage' }",
        "QueueName: { Fn::Sub: 'topup-${Stage}-usage-dead' }",
        "QueueName: { Fn::Sub: 'topup-${Stage}-events' }",
        "QueueName: { Fn::Sub: 'topup-${Stage}-events-dead' }",
        "FunctionName: { Fn::Sub: 'topup-${Stage}-reconcile' }",
        "FunctionName: { Fn::Sub: 'topup-${Stage}-compare-payments' }",
    ] {
        assert!(template.contains(name), "{name}");
    }
}
