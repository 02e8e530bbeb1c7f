//! What the queue refuses, and the two names that each refusal has on the wire.

use axum::http::StatusCode;
use thiserror::Error;

/// The queue's database could not be read or written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("the database of the queue failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// A row holds something that this version did not write.
    #[error("the database of the queue holds an unreadable row: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// The operating system gave no random bytes for a message id.
    #[error("no randomness for a message id: {0}")]
    Randomness(getrandom::Error),
    /// The thread that held the database stopped before it answered.
    #[error("the queue is stopping")]
    Stopping(#[from] tokio::task::JoinError),
}

/// A request that the queue refuses, in the words of SQS.
#[derive(Debug, Error)]
pub enum QueueError {
    /// No queue has the name at the end of the queue URL.
    #[error("The specified queue does not exist.")]
    QueueDoesNotExist,
    /// A queue of that name exists with other attributes.
    #[error("A queue already exists with the same name and a different value for an attribute.")]
    QueueNameExists,
    /// The handle was not issued by this queue.
    #[error("The input receipt handle is invalid.")]
    ReceiptHandleIsInvalid,
    /// The message is waiting to be received, so it has no visibility timeout to change.
    #[error("The message referred to isn't in flight.")]
    MessageNotInflight,
    /// The body holds characters outside those of XML 1.0.
    #[error("Invalid binary character was found in the message body.")]
    InvalidMessageContents,
    /// A parameter is out of its range.
    #[error("{0}")]
    InvalidParameterValue(String),
    /// A parameter that must be there is not, or is empty.
    #[error("The request must contain the parameter {0}.")]
    MissingParameter(&'static str),
    /// No attribute has that name, or this queue does not implement it.
    #[error("Unknown Attribute {0}.")]
    InvalidAttributeName(String),
    /// An attribute's value is out of its range.
    #[error("Invalid value for the parameter {0}.")]
    InvalidAttributeValue(&'static str),
    /// A batch without entries.
    #[error("There should be at least one batch entry in the request.")]
    EmptyBatchRequest,
    /// A batch of more than ten entries.
    #[error("Maximum number of entries per request are 10. You have sent {0}.")]
    TooManyEntriesInBatchRequest(usize),
    /// Two entries of a batch have one id.
    #[error("Id {0} repeated.")]
    BatchEntryIdsNotDistinct(String),
    /// The id of an entry is not 1 to 80 letters, digits, hyphens and underscores.
    #[error("A batch entry id can only contain alphanumeric characters, hyphens and underscores.")]
    InvalidBatchEntryId,
    /// The entries of a batch together are larger than one message may be.
    #[error("Batch requests cannot be longer than {limit} bytes. You have sent {sent} bytes.")]
    BatchRequestTooLong {
        /// The most that one request may carry, in bytes.
        limit: usize,
        /// What this one carries, in bytes.
        sent: usize,
    },
    /// No queue has that ARN.
    #[error("The resource that you specified for the SourceArn parameter doesn't exist.")]
    ResourceNotFound,
    /// The messages of this queue are being moved already.
    #[error(
        "There is already a task running. Only one active task is allowed for a source queue arn \
         at a given time."
    )]
    TaskRuns,
    /// The action is not one of SQS, or not one of those implemented here.
    #[error("The action {0} is not valid for this endpoint.")]
    UnknownOperation(String),
    /// The body of the request is not the JSON of its action.
    #[error("The request cannot be read: {0}")]
    Malformed(#[source] serde_json::Error),
    /// The queue itself failed; the client may try again.
    #[error("We encountered an internal error. Please try again. ({0})")]
    Store(#[from] StoreError),
}

impl QueueError {
    /// The name of the error in the JSON body, and its code in the older Query protocol. The SDKs
    /// match on the latter when it is in the header, and failed entries of a batch carry it.
    pub(super) fn names(&self) -> (&'static str, &'static str) {
        match self {
            Self::QueueDoesNotExist => {
                ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")
            }
            Self::QueueNameExists => ("QueueNameExists", "QueueAlreadyExists"),
            Self::ReceiptHandleIsInvalid => ("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid"),
            Self::MessageNotInflight => {
                ("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight")
            }
            Self::InvalidMessageContents => ("InvalidMessageContents", "InvalidMessageContents"),
            Self::InvalidParameterValue(_) => {
                ("InvalidParameterValueException", "InvalidParameterValue")
            }
            Self::MissingParameter(_) => ("MissingRequiredParameterException", "MissingParameter"),
            Self::InvalidAttributeName(_) => ("InvalidAttributeName", "InvalidAttributeName"),
            Self::InvalidAttributeValue(_) => ("InvalidAttributeValue", "InvalidAttributeValue"),
            Self::EmptyBatchRequest => {
                ("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest")
            }
            Self::TooManyEntriesInBatchRequest(_) => (
                "TooManyEntriesInBatchRequest",
                "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            ),
            Self::BatchEntryIdsNotDistinct(_) => {
                ("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct")
            }
            Self::InvalidBatchEntryId => {
                ("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId")
            }
            Self::BatchRequestTooLong { .. } => {
                ("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong")
            }
            Self::ResourceNotFound => ("ResourceNotFoundException", "ResourceNotFoundException"),
            Self::TaskRuns => {
                ("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation")
            }
            Self::UnknownOperation(_) => ("UnknownOperationException", "InvalidAction"),
            Self::Malformed(_) => ("SerializationException", "MalformedInput"),
            Self::Store(_) => ("InternalFailure", "InternalFailure"),
        }
    }

    /// Whether the sender or the queue is at fault; the SDKs repeat only the latter.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            QueueError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}
