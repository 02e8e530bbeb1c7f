//! Which certificates the clients of AWS trust.
//!
//! Reading the hundred and more that a machine trusts took two thirds of a cold start. AWS's own endpoints
//! need five: Amazon Trust Services asks whoever keeps a trust store of its own to have all of them
//! (<https://www.amazontrust.com/repository/>). They are in `amazon_roots.pem`, as Mozilla distributes
//! them, and the first of them ends in 2037. Whoever else is called, Stripe and the platform's endpoints,
//! is held against Mozilla's whole list, which is in the crate `webpki-roots` as code, so that nothing has
//! to be read.

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::shared::IntoShared;

const AMAZON_ROOTS: &[u8] = include_bytes!("amazon_roots.pem");

/// What every client of AWS sends its requests through, in this region. In China, which has a
/// partition and certificates of its own, it trusts what the machine does.
pub(crate) fn http_client(region: &str) -> SharedHttpClient {
    let trusted = match region.starts_with("cn-") {
        true => TrustStore::default(),
        false => TrustStore::empty().with_pem_certificate(AMAZON_ROOTS),
    };
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    let client = match TlsContext::builder().with_trust_store(trusted).build() {
        Ok(context) => builder.tls_context(context).build_https(),
        // No reason for this is known; what the machine trusts would do as well.
        Err(_) => builder.build_https(),
    };
    ParsedOnce(client).into_shared()
}

/// Whoever makes a client has its HTTP client validated, and this one would read all certificates for each, beside the
/// time that it needs them, which all clients share. It cannot be wrong in another way for one of them.
#[derive(Debug)]
struct ParsedOnce(SharedHttpClient);

impl HttpClient for ParsedOnce {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}
