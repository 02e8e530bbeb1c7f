//! The embedded object storage: S3's wire format over a folder.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::error_handling::HandleError;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::cloud::{address, bind, serve};

/// The name of the bucket in the local cloud.
pub const BUCKET_NAME: &str = "topup-local";
/// The folder of the files below the data folder.
pub const FOLDER: &str = "objects";

/// What the SDK clients of the local cloud sign with.
const TEST_ACCESS_KEY: &str = "ANOTREAL";
const TEST_SECRET_KEY: &str = "notrealrnrELgWzOk3IfjzDKtFBhDby";

/// A running object storage. It stops when this is dropped.
#[derive(Debug)]
pub struct EmbeddedObjects {
    /// Where it listens.
    pub address: SocketAddr,
    server: JoinHandle<()>,
    _temporary: Option<TempDir>,
}

impl EmbeddedObjects {
    /// Starts it on a folder, or on one that goes with it.
    ///
    /// # Errors
    /// The folder or the port cannot be used.
    pub async fn start(folder: Option<&Path>) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("the folder of files: {error}");
        let temporary = match folder {
            Some(_) => None,
            None => Some(tempfile::tempdir().map_err(|error| failed(&error))?),
        };
        let root = folder.or(temporary.as_ref().map(TempDir::path));
        let root: PathBuf = root.map(Path::to_owned).unwrap_or_default();
        std::fs::create_dir_all(root.join(BUCKET_NAME)).map_err(|error| failed(&error))?;
        let files = FileSystem::new(root).map_err(|error| failed(&format!("{error:?}")))?;
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(TEST_ACCESS_KEY, TEST_SECRET_KEY));
        let service =
            HandleError::new(service.build(), async |_| StatusCode::INTERNAL_SERVER_ERROR);
        let listener = bind(0, "the object storage").await?;
        let address = address(&listener)?;
        let router =
            Router::new().fallback_service(service).layer(map_response(as_without_listing));
        Ok(Self { address, server: tokio::spawn(serve(listener, router)), _temporary: temporary })
    }

    /// The endpoint for an SDK client.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// As S3 answers whoever may not list the bucket, which no role may: a file that is not there is denied.
async fn as_without_listing(answer: Response) -> Response {
    if answer.status() != StatusCode::NOT_FOUND {
        return answer;
    }
    let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    (StatusCode::FORBIDDEN, [(CONTENT_TYPE, "application/xml")], denied).into_response()
}

impl Drop for EmbeddedObjects {
    fn drop(&mut self) {
        self.server.abort();
    }
}
