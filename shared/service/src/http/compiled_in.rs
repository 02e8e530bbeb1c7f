//! Bodies that are compiled in: files of a build, which are the same for everybody.

use lambda_http::Body;
use lambda_http::http::HeaderMap;
use lambda_http::http::header::{self, HeaderValue};

/// A body, as it is and compressed.
#[derive(Debug)]
pub struct CompiledIn {
    /// What it is, for `Content-Type`.
    pub media_type: &'static str,
    /// Its content.
    pub identity: &'static [u8],
    /// Its content, compressed by gzip when this was compiled.
    pub gzip: &'static [u8],
}

impl CompiledIn {
    /// The body in the form that the client takes, and in `headers` what it is. The answer varies by
    /// `Accept-Encoding`, which is for the caller to say.
    pub fn answer(&self, asked: &HeaderMap, headers: &mut HeaderMap) -> Body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        if !takes_gzip(asked) {
            return Body::from(self.identity);
        }
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        Body::from(self.gzip)
    }
}

/// Whether the client has what this ETag stands for. The comparison is weak: compressed or not is the
/// same.
#[must_use]
pub fn has(asked: &HeaderMap, etag: &str) -> bool {
    let known = asked.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    known.unwrap_or_default().split(',').any(|known| opaque(known.trim()) == opaque(etag))
}

fn opaque(etag: &str) -> &str {
    etag.trim_start_matches("W/")
}

/// Whether the client takes gzip. `gzip;q=0` says that it does not, and `*` stands for it unless it
/// is named.
fn takes_gzip(asked: &HeaderMap) -> bool {
    let asked = asked.get_all(header::ACCEPT_ENCODING).iter();
    let asked = asked.filter_map(|value| value.to_str().ok());
    let codings: Vec<(&str, bool)> = asked.flat_map(|value| value.split(',')).map(coding).collect();
    let about = |name: &str| {
        let found = codings.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, taken)| *taken)
    };
    about("gzip").or_else(|| about("*")).unwrap_or(false)
}

/// A coding that a client names, and whether it takes it: the weight is a number without a sign,
/// and nothing but zero says no.
fn coding(text: &str) -> (&str, bool) {
    let (name, parameters) = text.split_once(';').unwrap_or((text, ""));
    let weight = parameters.trim().strip_prefix(['q', 'Q']).unwrap_or_default().trim_start();
    let weight = weight.strip_prefix('=').unwrap_or("1").trim();
    (name.trim(), !weight.bytes().all(|byte| matches!(byte, b'0' | b'.')))
}
