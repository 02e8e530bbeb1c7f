//! The console, walked in a real browser: the tests in `tests/browser`, in front of a local cloud.
//!
//! They need Chromium, Node and what `npm ci` installs there. Where something of it is missing, this
//! says so and holds nothing; `.ci/run` has all of it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use axum::body::Body;
use axum::http::Request;
use local::clock::Clock;
use local::cloud::{Cloud, Settings};
use serde_json::{Value, json};
use tests::http::HttpClient;

/// Where Debian has it, unless this variable says otherwise.
const CHROMIUM: &str = "/usr/bin/chromium";
const CHROMIUM_VARIABLE: &str = "CHROMIUM";

#[tokio::test(flavor = "multi_thread")]
async fn the_console_is_walked_in_a_browser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    if let Err(missing) = needed(&folder) {
        return say(&format!("Not walked: the console, as {missing}"));
    }
    // People and browsers live by the real time.
    let mut cloud = Cloud::start(Settings::in_memory(Clock::system())).await.unwrap();
    let base_url = cloud.base_url.clone();
    let ready = ready_file(&cloud);
    let walking = tokio::task::spawn_blocking(move || walk(&folder, &ready));
    tokio::select! {
        walked = walking => assert!(walked.unwrap().unwrap().success(), "the console's tests failed"),
        () = cloud.run() => panic!("a part of the local cloud has stopped"),
    }
    // Whatever was clicked: every journal still gives its account.
    let verified = verify(&base_url).await.unwrap();
    assert_eq!(
        (&verified["broken"], &verified["complete"]),
        (&json!(0), &json!(true)),
        "{verified}"
    );
    say("Walked: the console, in Chromium");
}

/// What has to be here first, and how to get it.
fn needed(folder: &Path) -> Result<(), String> {
    let chromium = std::env::var(CHROMIUM_VARIABLE).unwrap_or_else(|_| CHROMIUM.to_owned());
    if !Path::new(&chromium).exists() {
        return Err(format!("there is no Chromium at {chromium} ({CHROMIUM_VARIABLE} says where)"));
    }
    for program in ["node", "npm"] {
        if Command::new(program).arg("--version").stdout(Stdio::null()).status().is_err() {
            return Err(format!("there is no {program} on the PATH"));
        }
    }
    match folder.join("node_modules").exists() {
        true => Ok(()),
        false => Err("tests/browser has nothing installed (`npm ci` there)".to_owned()),
    }
}

/// What the tests read of a runner's ready file.
fn ready_file(cloud: &Cloud) -> Value {
    json!({
        "base_url": cloud.base_url,
        "provider_url": cloud.provider_url,
        "operator_key": cloud.keys.operator,
    })
}

/// Runs the tests. What they say is shown as they say it: it is the only trace of a failure.
fn walk(folder: &Path, ready: &Value) -> std::io::Result<ExitStatus> {
    let mut tests = Command::new("npm");
    tests.args(["test", "--silent"]).current_dir(folder).env("TOPUP_READY", ready.to_string());
    tests.status()
}

async fn verify(base_url: &str) -> Result<Value, String> {
    let request = Request::post(format!("{base_url}/_control/verify"));
    let request = request.body(Body::empty()).map_err(|error| error.to_string())?;
    Ok(HttpClient::default().send(request).await?.json())
}

/// Written past what the test harness captures: a green run must not hide that nothing was walked.
fn say(what: &str) {
    drop(writeln!(std::io::stdout(), "\n{what}"));
}
