//! Files that customers and operators upload: kept under the hash of their content, so that what a
//! person looked at cannot become something else.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::error::{BrokenRecord, Error, Unavailable, in_words};

/// The bucket of a deployment.
#[derive(Debug, Clone)]
pub struct Objects {
    client: Client,
    bucket: String,
}

impl Objects {
    /// The bucket of that name, reached by that client.
    #[must_use]
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into() }
    }

    /// Stores bytes below a folder. Storing them again changes nothing.
    ///
    /// # Errors
    /// [`Unavailable::Objects`]: they may or may not be stored.
    pub async fn put(&self, folder: &str, bytes: &[u8]) -> Result<(), Unavailable> {
        let key = format!("{folder}/{}", content_hash(bytes));
        let request = self.client.put_object().bucket(&self.bucket).key(key);
        let sent = request.body(ByteStream::from(bytes.to_vec())).send().await;
        sent.map(drop).map_err(|error| Unavailable::Objects(in_words(&error)))
    }

    /// The bytes of this hash below a folder.
    ///
    /// # Errors
    /// [`Unavailable::Objects`]; [`BrokenRecord`] if they are gone, or are not what was stored.
    pub async fn get(&self, folder: &str, hash: &str) -> Result<Vec<u8>, Error> {
        let key = format!("{folder}/{hash}");
        let asked = self.client.get_object().bucket(&self.bucket).key(&key).send().await;
        let answer = asked.map_err(|error| match &error {
            SdkError::ServiceError(refused)
                if matches!(refused.err(), GetObjectError::NoSuchKey(_)) =>
            {
                Error::from(BrokenRecord::Missing(key.clone()))
            }
            // No role may list the bucket, and to such a one S3 says no more of a file that is gone
            // (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html). Trying again helps with neither.
            SdkError::ServiceError(refused) if refused.err().code() == Some("AccessDenied") => {
                let problem = "it is gone, or this function may not read it".to_owned();
                BrokenRecord::Unreadable { key: key.clone(), problem }.into()
            }
            _ => Unavailable::Objects(in_words(&error)).into(),
        })?;
        let bytes = answer.body.collect().await;
        let bytes = bytes.map_err(|error| Unavailable::Objects(in_words(&error)))?.to_vec();
        if content_hash(&bytes) != hash {
            let problem = "its content is not what was stored".to_owned();
            return Err(BrokenRecord::Unreadable { key, problem }.into());
        }
        Ok(bytes)
    }
}

/// SHA-256 in lower-case hexadecimal.
#[must_use]
pub fn content_hash(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}
