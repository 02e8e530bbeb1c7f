//! Messages on their way in and out: what is stored of one, and what is told about it.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::settings::{ACCOUNT, arn_of};
use super::store::{NewMessage, Received};
use super::wire::{Attribute, Members, Outgoing, Receive, receipt_handle, seconds};
use super::{QueueError, StoreError};

const MAXIMUM_DELAY_SECONDS: u32 = 900;

/// The message as it will be stored, and what its sender is told.
pub(super) fn prepared(message: Outgoing) -> Result<(NewMessage, Members), QueueError> {
    message.check()?;
    let delay = message.delay_seconds.unwrap_or(0);
    let delay = seconds("DelaySeconds", delay, MAXIMUM_DELAY_SECONDS)?;
    let id = unique_id().map_err(StoreError::Randomness)?;
    let mut answer = Members::new();
    answer.insert("MessageId".to_owned(), json!(id));
    answer.insert("MD5OfMessageBody".to_owned(), json!(digest(message.message_body.as_bytes())));
    if !message.message_attributes.is_empty() {
        let digest = digest_of_attributes(&message.message_attributes);
        answer.insert("MD5OfMessageAttributes".to_owned(), json!(digest));
    }
    let attributes =
        serde_json::to_string(&message.message_attributes).map_err(StoreError::from)?;
    let stored = NewMessage {
        id,
        body: message.message_body,
        attributes,
        group_id: message.message_group_id,
        delay,
    };
    Ok((stored, answer))
}

/// The message as its receiver sees it.
pub(super) fn shown(
    queue: &str,
    message: Received,
    request: &Receive,
) -> Result<Value, StoreError> {
    let handle = receipt_handle(queue, &message.id, message.receive_count);
    let known = [
        ("SenderId", Some(ACCOUNT.to_owned())),
        ("SentTimestamp", Some(message.sent_at.to_string())),
        ("ApproximateReceiveCount", Some(message.receive_count.to_string())),
        ("ApproximateFirstReceiveTimestamp", Some(message.first_received_at.to_string())),
        ("MessageGroupId", message.group_id),
        ("DeadLetterQueueSourceArn", message.dead_letter_source.as_deref().map(arn_of)),
    ];
    let asked = [&request.attribute_names[..], &request.message_system_attribute_names].concat();
    let mut shown = Members::new();
    shown.insert("MD5OfBody".to_owned(), json!(digest(message.body.as_bytes())));
    shown.insert("MessageId".to_owned(), json!(message.id));
    shown.insert("ReceiptHandle".to_owned(), json!(handle));
    shown.insert("Body".to_owned(), json!(message.body));
    shown.insert("Attributes".to_owned(), json!(chosen(known, &asked)));
    let mut attributes: BTreeMap<String, Attribute> = serde_json::from_str(&message.attributes)?;
    attributes.retain(|name, _| is_asked_for(name, &request.message_attribute_names));
    if !attributes.is_empty() {
        let digest = digest_of_attributes(&attributes);
        shown.insert("MD5OfMessageAttributes".to_owned(), json!(digest));
        shown.insert("MessageAttributes".to_owned(), json!(attributes));
    }
    Ok(Value::Object(shown))
}

/// The attributes that are asked for and that have a value.
pub(super) fn chosen<const COUNT: usize>(
    known: [(&str, Option<String>); COUNT],
    asked: &[String],
) -> BTreeMap<String, String> {
    known
        .into_iter()
        .filter(|(name, _)| asked.iter().any(|asked| asked == name || asked == "All"))
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

/// Message attributes can be asked for by name, by the beginning of the name, or all at once.
fn is_asked_for(name: &str, asked: &[String]) -> bool {
    asked.iter().any(|asked| match asked.strip_suffix(".*") {
        Some(beginning) => name.starts_with(beginning),
        None => asked == "All" || asked == name,
    })
}

/// A random UUID (version 4).
pub(super) fn unique_id() -> Result<String, getrandom::Error> {
    let (high, low) = (getrandom::u64()?, getrandom::u64()?);
    Ok(format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff
    ))
}

fn digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Md5::digest(bytes))
}

/// The digest that the SDKs compute too: each attribute's name, type and value in the order of
/// the names, each with its length before it, and one byte that says how the value travels.
fn digest_of_attributes(attributes: &BTreeMap<String, Attribute>) -> String {
    let with_length = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        [&length.to_be_bytes(), bytes].concat()
    };
    let mut text = Vec::new();
    for (name, attribute) in attributes {
        text.extend(with_length(name.as_bytes()));
        text.extend(with_length(attribute.data_type().as_bytes()));
        text.push(if attribute.is_binary() { 2 } else { 1 });
        text.extend(with_length(&attribute.value()));
    }
    digest(&text)
}
