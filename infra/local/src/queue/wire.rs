//! The requests of the AmazonSQS JSON 1.0 protocol: their shapes, and the limits of SQS on them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use data_encoding::BASE64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::QueueError;

/// The most that a message, and all messages of a batch together, may weigh: 1 MiB.
pub(super) const MAXIMUM_MESSAGE_BYTES: usize = 1_048_576;
const MAXIMUM_BATCH_ENTRIES: usize = 10;
const MAXIMUM_ATTRIBUTES: usize = 10;

/// A request, or one entry of a batch, whose members are not yet read.
pub(super) type Members = Map<String, Value>;

/// A message to send.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Outgoing {
    #[serde(default)]
    pub(super) message_body: String,
    pub(super) delay_seconds: Option<i64>,
    #[serde(default)]
    pub(super) message_attributes: BTreeMap<String, Attribute>,
    pub(super) message_group_id: Option<String>,
}

/// The value of one message attribute.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Attribute {
    data_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<String>,
}

/// What a receiver asks for.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Receive {
    pub(super) max_number_of_messages: Option<i64>,
    pub(super) visibility_timeout: Option<i64>,
    pub(super) wait_time_seconds: Option<i64>,
    /// The older name of `message_system_attribute_names`.
    #[serde(default)]
    pub(super) attribute_names: Vec<String>,
    #[serde(default)]
    pub(super) message_system_attribute_names: Vec<String>,
    #[serde(default)]
    pub(super) message_attribute_names: Vec<String>,
}

/// A message to delete.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Deletion {
    #[serde(default)]
    pub(super) receipt_handle: String,
}

/// A message in flight and its new visibility timeout.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct VisibilityChange {
    #[serde(default)]
    pub(super) receipt_handle: String,
    pub(super) visibility_timeout: Option<i64>,
}

/// The queue attributes that are asked for.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct AttributeQuery {
    #[serde(default)]
    pub(super) attribute_names: Vec<String>,
}

/// The queue to create or to look up.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct NamedQueue {
    #[serde(default)]
    pub(super) queue_name: String,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, String>,
}

/// The dead letters to move.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct MoveTask {
    #[serde(default)]
    pub(super) source_arn: String,
    pub(super) destination_arn: Option<String>,
    pub(super) max_number_of_messages_per_second: Option<i64>,
}

/// The queue whose tasks are asked for.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct MoveTasks {
    #[serde(default)]
    pub(super) source_arn: String,
    pub(super) max_results: Option<i64>,
}

/// Which queues to list.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Listing {
    #[serde(default)]
    pub(super) queue_name_prefix: String,
}

impl Outgoing {
    /// Refuses what SQS refuses about a single message.
    pub(super) fn check(&self) -> Result<(), QueueError> {
        if self.message_body.is_empty() {
            return Err(QueueError::MissingParameter("MessageBody"));
        }
        if !self.message_body.chars().all(is_xml_character) {
            return Err(QueueError::InvalidMessageContents);
        }
        if self.weight() > MAXIMUM_MESSAGE_BYTES {
            return Err(refused(format!(
                "One or more parameters are invalid. Reason: Message must be shorter than \
                 {MAXIMUM_MESSAGE_BYTES} bytes."
            )));
        }
        if self.message_group_id.as_deref().is_some_and(|group| !is_group_id(group)) {
            return Err(refused("The request includes an invalid MessageGroupId.".to_owned()));
        }
        if self.message_attributes.len() > MAXIMUM_ATTRIBUTES {
            return Err(refused("A message can have at most 10 attributes.".to_owned()));
        }
        match self.message_attributes.iter().find(|(_, attribute)| !attribute.is_whole()) {
            Some((name, _)) => {
                Err(refused(format!("The message attribute '{name}' has no value of its type.")))
            }
            None => Ok(()),
        }
    }

    /// The bytes that count against the limit: the body, and the attributes' names, types, values.
    pub(super) fn weight(&self) -> usize {
        self.message_attributes.iter().fold(self.message_body.len(), |weight, (name, attribute)| {
            weight
                .saturating_add(name.len())
                .saturating_add(attribute.data_type.len())
                .saturating_add(attribute.value().len())
        })
    }
}

impl Attribute {
    /// The data type, which may go on after a dot with a label of the sender's.
    pub(super) fn data_type(&self) -> &str {
        &self.data_type
    }

    /// Whether the value travels as bytes and not as text.
    pub(super) fn is_binary(&self) -> bool {
        self.data_type.split('.').next() == Some("Binary")
    }

    /// The bytes of the value; none when it is missing or not in Base64.
    pub(super) fn value(&self) -> Vec<u8> {
        let bytes = match self.is_binary() {
            true => self.binary_value.as_ref().and_then(|text| BASE64.decode(text.as_bytes()).ok()),
            false => self.string_value.as_ref().map(|text| text.clone().into_bytes()),
        };
        bytes.unwrap_or_default()
    }

    fn is_whole(&self) -> bool {
        let kind = self.data_type.split('.').next();
        matches!(kind, Some("String" | "Number" | "Binary")) && !self.value().is_empty()
    }
}

/// What a receiver shows to delete a message or to change its visibility. The count of receives
/// makes it a new one each time.
pub(super) fn receipt_handle(queue: &str, message_id: &str, receive_count: i64) -> String {
    BASE64.encode(json!([queue, message_id, receive_count]).to_string().as_bytes())
}

/// The id of the message for which `queue` issued the handle.
pub(super) fn message_of_handle(handle: &str, queue: &str) -> Result<String, QueueError> {
    BASE64
        .decode(handle.as_bytes())
        .ok()
        .and_then(|bytes| serde_json::from_slice::<(String, String, i64)>(&bytes).ok())
        .filter(|(issuer, _, _)| issuer == queue)
        .map(|(_, message_id, _)| message_id)
        .ok_or(QueueError::ReceiptHandleIsInvalid)
}

/// Reads the members as one of the requests above; one that it does not have is refused, so that
/// nothing a sender asks for is silently left out.
pub(super) fn read<T: DeserializeOwned>(members: Members) -> Result<T, QueueError> {
    T::deserialize(Value::Object(members)).map_err(QueueError::Malformed)
}

/// Takes a text out of the members.
pub(super) fn take_text(members: &mut Members, name: &'static str) -> Result<String, QueueError> {
    match members.remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => Err(QueueError::MissingParameter(name)),
    }
}

/// Takes the entries of a batch out of the members: their ids, and what each asks for.
pub(super) fn take_entries<T: DeserializeOwned>(
    members: &mut Members,
) -> Result<(Vec<String>, Vec<T>), QueueError> {
    let entries = match members.remove("Entries") {
        Some(Value::Array(entries)) if !entries.is_empty() => entries,
        _ => return Err(QueueError::EmptyBatchRequest),
    };
    if entries.len() > MAXIMUM_BATCH_ENTRIES {
        return Err(QueueError::TooManyEntriesInBatchRequest(entries.len()));
    }
    let (mut ids, mut requests) = (Vec::new(), Vec::new());
    for entry in entries {
        let mut members = Members::deserialize(entry).map_err(QueueError::Malformed)?;
        let id = take_text(&mut members, "Id")?;
        if !is_name(&id) {
            return Err(QueueError::InvalidBatchEntryId);
        }
        if ids.contains(&id) {
            return Err(QueueError::BatchEntryIdsNotDistinct(id));
        }
        ids.push(id);
        requests.push(read(members)?);
    }
    Ok((ids, requests))
}

/// The number, when it is one of those allowed.
pub(super) fn in_range(
    name: &str,
    value: i64,
    allowed: RangeInclusive<u32>,
) -> Result<u32, QueueError> {
    u32::try_from(value).ok().filter(|value| allowed.contains(value)).ok_or_else(|| {
        let (least, most) = allowed.into_inner();
        refused(format!(
            "Value {value} for parameter {name} is invalid. Reason: Must be between {least} and \
             {most}."
        ))
    })
}

/// A time in whole seconds of which at most `most` are allowed.
pub(super) fn seconds(name: &str, value: i64, most: u32) -> Result<Duration, QueueError> {
    in_range(name, value, 0..=most).map(|seconds| Duration::from_secs(seconds.into()))
}

/// Whether the text can name a queue or an entry of a batch.
pub(super) fn is_name(text: &str) -> bool {
    (1..=80).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// A parameter that SQS calls invalid, with the reason.
pub(super) fn refused(reason: String) -> QueueError {
    QueueError::InvalidParameterValue(reason)
}

/// The answer to a batch, from the outcome of each entry.
pub(super) fn batch_answer(ids: Vec<String>, outcomes: Vec<Result<Members, QueueError>>) -> Value {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, outcome) in ids.into_iter().zip(outcomes) {
        match outcome {
            Ok(mut members) => {
                members.insert("Id".to_owned(), Value::String(id));
                successful.push(members);
            }
            Err(error) => failed.push(json!({
                "Id": id,
                "SenderFault": error.status().is_client_error(),
                "Code": error.names().1,
                "Message": error.to_string(),
            })),
        }
    }
    json!({ "Successful": successful, "Failed": failed })
}

fn is_group_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// XML 1.0 leaves out the control characters, and two code points that are never characters.
fn is_xml_character(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        _ => character >= ' ',
    }
}
