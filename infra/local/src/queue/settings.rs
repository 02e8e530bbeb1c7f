//! The settings of a queue, and its names.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::Value;

use super::QueueError;

/// The account that owns every queue here.
pub(super) const ACCOUNT: &str = "000000000000";
const ARN_PREFIX: &str = "arn:aws:sqs:us-east-1:000000000000:";

/// A queue, as its owner declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSettings {
    /// 1 to 80 letters, digits, hyphens and underscores; the last part of the queue's URL.
    pub name: String,
    /// How long a received message stays out of sight.
    pub visibility_timeout: Duration,
    /// How long after it was sent a message is kept.
    pub retention: Duration,
    /// Where messages go that are received again and again.
    pub redrive: Option<Redrive>,
}

/// When a message moves to which dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redrive {
    /// The name of the dead-letter queue.
    pub dead_letter_queue: String,
    /// A message received so many times moves when it would be received once more.
    pub max_receive_count: u32,
}

impl QueueSettings {
    /// What SQS gives a queue that is created without attributes.
    pub(super) fn of_new_queue(name: String) -> QueueSettings {
        QueueSettings {
            name,
            visibility_timeout: Duration::from_secs(30),
            retention: Duration::from_secs(345_600),
            redrive: None,
        }
    }

    /// These settings, with those that the attributes give in their place.
    pub(super) fn with_attributes(
        mut self,
        attributes: BTreeMap<String, String>,
    ) -> Result<QueueSettings, QueueError> {
        for (name, value) in attributes {
            let seconds_within = |name, allowed: RangeInclusive<u64>| {
                let seconds = serde_json::from_str(&value).ok();
                let seconds = seconds.filter(|seconds| allowed.contains(seconds));
                seconds.map(Duration::from_secs).ok_or(QueueError::InvalidAttributeValue(name))
            };
            match name.as_str() {
                "VisibilityTimeout" => {
                    self.visibility_timeout = seconds_within("VisibilityTimeout", 0..=43_200)?;
                }
                "MessageRetentionPeriod" => {
                    self.retention = seconds_within("MessageRetentionPeriod", 60..=1_209_600)?;
                }
                "RedrivePolicy" => {
                    let redrive = redrive_of(&value);
                    self.redrive =
                        Some(redrive.ok_or(QueueError::InvalidAttributeValue("RedrivePolicy"))?);
                }
                _ => return Err(QueueError::InvalidAttributeName(name)),
            }
        }
        Ok(self)
    }
}

/// The address of the queue, on the host that the client called.
pub(super) fn url_of(queue: &str, host: &str) -> String {
    format!("http://{host}/{ACCOUNT}/{queue}")
}

/// The name of the queue in the whole of AWS.
pub(super) fn arn_of(queue: &str) -> String {
    format!("{ARN_PREFIX}{queue}")
}

/// The queue that this name in the whole of AWS stands for.
pub(super) fn name_of(arn: &str) -> Option<&str> {
    arn.strip_prefix(ARN_PREFIX)
}

/// Reads a redrive policy, whose count SQS takes as a number and as a text.
fn redrive_of(policy: &str) -> Option<Redrive> {
    let policy: Value = serde_json::from_str(policy).ok()?;
    let target = policy.get("deadLetterTargetArn")?.as_str()?;
    let count = match policy.get("maxReceiveCount")? {
        Value::String(text) => serde_json::from_str(text).ok()?,
        number => number.as_u64()?,
    };
    Some(Redrive {
        dead_letter_queue: target.strip_prefix(ARN_PREFIX)?.to_owned(),
        max_receive_count: u32::try_from(count).ok().filter(|count| (1..=1_000).contains(count))?,
    })
}
