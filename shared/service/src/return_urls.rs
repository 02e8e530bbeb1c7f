//! Where customers go after paying.

use ledger::OrderId;
use url::Url;

use crate::error::Invalid;

/// Longest address, with everything in it escaped.
const MAX_LENGTH: usize = 2_000;

/// Where customers go after paying.
#[derive(Debug, Clone)]
pub struct ReturnUrls {
    /// The address for orders that name none.
    pub default: Url,
    /// The hosts that an order may name.
    pub hosts: Vec<String>,
}

impl ReturnUrls {
    /// Where this order's customer goes: the address with `order_id` appended.
    ///
    /// # Errors
    /// `invalid_return_url` for an address that is not https, or not on a configured host.
    pub fn resolve(&self, wanted: Option<&str>, id: &OrderId) -> Result<String, Invalid> {
        let mut url = match wanted {
            None => self.default.clone(),
            Some(text) => {
                let refused = |why: &str| Invalid::field("invalid_return_url", "return_url", why);
                let url = Url::parse(text).map_err(|_| refused("must be an absolute address"))?;
                let host = url.host_str().unwrap_or_default();
                if !self.hosts.iter().any(|known| known == host) {
                    return Err(refused("its host is not on the configured list"));
                }
                if !url.username().is_empty() || url.password().is_some() {
                    return Err(refused("must not carry a name or a password"));
                }
                let loopback = matches!(host, "127.0.0.1" | "localhost");
                if url.scheme() != "https" && !(loopback && url.scheme() == "http") {
                    return Err(refused("must be an https address"));
                }
                url
            }
        };
        url.query_pairs_mut().append_pair("order_id", id.as_str());
        if url.as_str().len() > MAX_LENGTH {
            return Err(Invalid::field("invalid_return_url", "return_url", "is too long"));
        }
        Ok(url.into())
    }
}
