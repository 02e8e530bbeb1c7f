//! `GET /` and `GET /assets/{version}/{proxy+}`: the console, a page and the files that it is made
//! of.
//!
//! Nobody is authorized: the files are the same for everybody and say nothing of anybody. What the
//! page shows it asks the API for, with a token. This function reaches nothing.

use lambda_http::http::header::{self, HeaderName, HeaderValue};
use lambda_http::http::{HeaderMap, StatusCode};
use lambda_http::{Body, Request, RequestExt, Response};
use service::http::{self, Call, CompiledIn};
use tracing::info;

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The page names the version of its files, so it is asked for each time; mostly the answer is 304.
const CACHE_PAGE: &str = "no-cache";
/// A file never changes: with another content it has another address.
const CACHE_ASSET: &str = "public, max-age=31536000, immutable";
/// What is not there may be there after the next deployment.
const CACHE_NOTHING: &str = "no-store";

/// What every answer has, whatever is asked for.
const ALWAYS: [(&str, &str); 7] = [
    // The page may do nothing but what it needs, whatever somebody gets into it: run and show what
    // comes from here, and ask this API. A file that was uploaded is shown from memory (`blob:`).
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
         font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'none'; \
         base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("referrer-policy", "no-referrer"),
    // Browsers heed it over https alone, so it says nothing on a laptop.
    ("strict-transport-security", "max-age=31536000"),
    ("vary", "accept-encoding"),
    ("x-content-type-options", "nosniff"),
];

/// A file of the console.
struct File {
    /// Where it is below the folder of its version.
    path: &'static str,
    /// What it is.
    body: CompiledIn,
}

/// What is answered, before it is known how the client wants it.
enum Found {
    /// The page.
    Page,
    /// The page, which the client has.
    SamePage,
    /// One of its files.
    Asset(&'static File),
    /// No file of this version.
    Nothing,
}

/// Answers one request.
#[must_use]
pub fn handle(request: &Request) -> Response<Body> {
    let request_id = Call::of(request).request_id;
    let (status, cache, file) = match find(request) {
        Found::Page => (StatusCode::OK, CACHE_PAGE, Some(&PAGE)),
        Found::SamePage => (StatusCode::NOT_MODIFIED, CACHE_PAGE, None),
        Found::Asset(file) => (StatusCode::OK, CACHE_ASSET, Some(file)),
        Found::Nothing => (StatusCode::NOT_FOUND, CACHE_NOTHING, None),
    };
    info!(%request_id, status = status.as_u16(), "answered");
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if cache == CACHE_PAGE {
        headers.insert(header::ETAG, HeaderValue::from_static(PAGE_ETAG));
    }
    if let Ok(request_id) = HeaderValue::from_str(&request_id) {
        headers.insert("x-request-id", request_id);
    }
    *response.body_mut() = body(status, file, request.headers(), headers);
    response
}

/// What the request asks for: what is below the folder of the files has a name, the page has none.
fn find(request: &Request) -> Found {
    let parameters = request.path_parameters();
    let Some(path) = parameters.first("proxy") else {
        let same = http::has(request.headers(), PAGE_ETAG);
        return if same { Found::SamePage } else { Found::Page };
    };
    // Not even a file that is the same in both is given to a page of another version: the other
    // files that it is going to ask for are not.
    let asset = ASSETS.iter().find(|asset| asset.path == path);
    let asset = asset.filter(|_| parameters.first("version") == Some(VERSION));
    asset.map_or(Found::Nothing, Found::Asset)
}

/// The body of an answer, and in `headers` what it is.
fn body(
    status: StatusCode,
    file: Option<&'static File>,
    asked: &HeaderMap,
    headers: &mut HeaderMap,
) -> Body {
    let Some(file) = file else {
        if status == StatusCode::NOT_MODIFIED {
            return Body::Empty;
        }
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, text);
        return Body::from("There is no such file in this version of the console.\n");
    };
    file.body.answer(asked, headers)
}
