//! How the stacks are put together: functions, queues, schedules and alarms.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use tests::template::{
    NESTED, TEMPLATE, events, fields, functions, number, pollers, resource, resources, root,
    templates, text, texts,
};

use crate::{assert_none, assert_same, source};

/// AWS's advice for a queue that feeds a function: a batch must not come back while it is still
/// at work, and a passing fault must not send a message to the dead letters.
const VISIBILITY_PER_TIMEOUT: u64 = 6;
const RECEIVES_AT_LEAST: u64 = 5;

#[test]
fn what_goes_from_stack_to_stack_keeps_its_name() {
    let own = |value: &Value| {
        let resource = value.get("Ref").or_else(|| value.pointer("/Fn::GetAtt/0"));
        let resource = resource.and_then(Value::as_str).unwrap_or_default();
        match value.pointer("/Fn::GetAtt/1").and_then(Value::as_str) {
            Some("Arn") => format!("{resource}Arn"),
            Some("QueueName") => format!("{resource}Name"),
            Some(output) => output.trim_start_matches("Outputs.").to_owned(),
            None => resource.to_owned(),
        }
    };
    for nested in &*NESTED {
        let given = fields(nested.given).map(|(name, value)| (name, own(value)));
        let asked = fields(nested.template.get("Parameters"));
        let asked = asked.map(|(name, _)| (name, name.to_owned()));
        assert_same(("template.yaml", given.collect()), (nested.file, asked.collect()));
    }
    let outputs = NESTED.iter().flat_map(|one| fields(one.template.get("Outputs")));
    let renamed = outputs.filter(|(name, output)| {
        // What it only shows is its own business.
        let value = output.get("Value").filter(|value| value.get("Fn::Sub").is_none());
        value.is_some_and(|value| own(value) != *name)
    });
    assert_none("an output is not called what it is", renamed.map(|(name, _)| name));
}

#[test]
fn a_function_is_configured_alike_in_whatever_stack_it_is() {
    let differing = templates().filter(|(_, template)| {
        let globals = template.get("Globals");
        globals.is_some() && globals != TEMPLATE.get("Globals")
    });
    assert_none("these have globals of their own", differing.map(|(file, _)| file));
}

#[test]
fn every_variable_that_is_set_is_one_that_the_service_reads() {
    let variables = functions().flat_map(|(name, function)| {
        let variables = fields(function.pointer("/Environment/Variables"));
        variables.map(move |(variable, _)| (variable, name))
    });
    let read = service::config::VARIABLES;
    let unread = variables.filter(|(variable, _)| !read.contains(variable));
    let unread = unread.map(|(variable, name)| format!("{variable} of {name}"));

    assert_none("nothing reads these variables", unread);
}

#[test]
fn an_event_is_listed_when_nobody_can_commit_an_older_one() {
    let longest = service::events::LISTED_AFTER.as_secs();
    let timeouts = functions().filter_map(|(name, function)| {
        let own = function.pointer("/Timeout").and_then(Value::as_u64);
        let timeout = own.unwrap_or_else(|| number(&TEMPLATE, "/Globals/Function/Timeout"));
        (timeout >= longest).then(|| format!("{name} runs for {timeout} s"))
    });
    assert_none("events are listed before all older ones are there", timeouts);
}

#[test]
fn what_runs_by_the_clock_ends_before_it_runs_again() {
    let mut broken = Vec::new();
    let mut scheduled = BTreeSet::new();
    for (name, function) in functions() {
        for event in events(function, "Schedule") {
            scheduled.insert(name);
            let rate = text(event, "/Properties/Schedule");
            let rate = rate.strip_prefix("rate(").and_then(|rate| rate.strip_suffix(')'));
            let (count, unit) = rate.and_then(|rate| rate.split_once(' ')).unwrap_or_default();
            let unit_seconds = match unit.trim_end_matches('s') {
                "minute" => 60,
                "hour" => 3_600,
                "day" => 86_400,
                _ => 0,
            };
            let count = u64::from_str_radix(count, 10).unwrap_or_default();
            if number(function, "/Timeout") >= count.saturating_mul(unit_seconds) {
                broken.push(format!("{name}: {event}"));
            }
        }
    }

    assert_same(
        ("template.yaml", scheduled),
        ("scheduled", BTreeSet::from(["compare-payments", "reconcile", "verify-accounts"])),
    );
    assert_none("two runs at once would be usual", broken);
}

#[test]
fn a_queue_is_patient_with_the_function_that_it_feeds() {
    let mut broken = Vec::new();
    let mut fed = BTreeSet::new();
    for (name, function, poller) in pollers() {
        fed.insert(name);
        let queue = resource(&source(poller)).get("Properties").expect("a queue has properties");
        let needed = number(function, "/Timeout").saturating_mul(VISIBILITY_PER_TIMEOUT);
        if number(queue, "/VisibilityTimeout") < needed {
            broken.push(format!("{name}: the visibility must be {needed} s or more"));
        }
        if number(queue, "/RedrivePolicy/maxReceiveCount") < RECEIVES_AT_LEAST {
            broken.push(format!("{name}: a message needs {RECEIVES_AT_LEAST} receives"));
        }
        let mut responses = texts(poller, "/FunctionResponseTypes");
        if !responses.any(|response| response == "ReportBatchItemFailures") {
            broken.push(format!("{name}: one bad message would fail its whole batch"));
        }
    }

    assert_same(
        ("template.yaml", fed),
        ("fed by a queue", BTreeSet::from(["confirm-payment", "deliver-event", "meter-usage"])),
    );
    assert_none("a queue does not suit its function", broken);
}

#[test]
fn every_function_that_finds_an_error_rings_an_alarm() {
    let filters = resources("AWS::Logs::MetricFilter");
    let watched = filters.map(|(_, one)| text(one, "/Properties/LogGroupName/Ref")).collect();
    let logs = functions().map(|(_, function)| text(function, "/LoggingConfig/LogGroup/Ref"));

    assert_same(("watched for errors", watched), ("logs of functions", logs.collect()));
}

#[test]
fn every_alarm_is_heard_and_is_in_the_runbook() {
    let alarms: Vec<_> = resources("AWS::CloudWatch::Alarm").collect();
    let unheard = alarms.iter().filter(|(_, alarm)| {
        let actions = alarm.pointer("/Properties/AlarmActions/Fn::If/1/0/Ref");
        actions.is_none_or(|topic| topic != "AlarmTopic")
    });
    let unheard: Vec<&str> = unheard.map(|(name, _)| *name).collect();
    let runbook = fs::read_to_string(root().join("docs/runbook.md")).expect("there is a runbook");
    let titles = runbook.lines().filter_map(|line| line.strip_prefix("## ")?.split(':').next());
    let words = titles.flat_map(|title| title.split([' ', ',']));
    let explained = words.filter(|word| word.ends_with("Alarm")).collect();
    let rung = alarms.iter().map(|(name, _)| *name).collect();

    assert_none("nobody hears these alarms", unheard);
    assert_same(("infra/alarms.yaml", rung), ("docs/runbook.md", explained));
}

#[test]
fn whoever_builds_anew_deploys_what_was_built() {
    // SAM would keep a function of whose folder nothing has changed, though its code is in shared/.
    let profiles = fs::read_to_string(root().join("samconfig.toml")).expect("there are profiles");
    assert!(profiles.lines().all(|line| !line.trim_start().starts_with("cached")), "{profiles}");
}
