//! Which addresses events may be sent to: public ones.
//!
//! A name is resolved once for a connection, what it resolves to is checked, and the connection goes to a
//! checked address: a name that answers differently the next time gains nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use tokio::net::lookup_host;
use tower_service::Service;

use crate::endpoints::Reach;

/// What is not public of IPv4: the networks that are not "globally reachable" in IANA's registry of
/// special-purpose addresses (RFC 6890), those of former use (192.88.99.0/24), multicast and what is
/// reserved.
const NOT_PUBLIC_V4: [([u8; 4], u32); 15] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

/// Of IPv6 only 2000::/3 is given out (IANA, IPv6 global unicast). Everything outside of it is refused, with
/// it addresses of IPv4 in another form (`::ffff:0:0/96`, NAT64's `64:ff9b::/96`), and this inside of it:
/// protocol assignments and Teredo, documentation, 6to4.
const NOT_PUBLIC_V6: [([u16; 2], u32); 4] =
    [([0x2001, 0], 23), ([0x2001, 0xdb8], 32), ([0x2002, 0], 16), ([0x3fff, 0], 20)];

/// Resolves names to addresses that may be sent to.
#[derive(Debug, Clone, Copy)]
pub(super) struct CheckedNames(pub(super) Reach);

impl Reach {
    pub(super) fn covers(self, address: IpAddr) -> bool {
        let here = self == Self::ThisMachineToo && address.is_loopback();
        here || match address {
            IpAddr::V4(address) => is_public_v4(address),
            IpAddr::V6(address) => is_public_v6(address),
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    let differs = |(network, length): &([u8; 4], u32)| {
        let differing = bits ^ Ipv4Addr::from(*network).to_bits();
        differing.leading_zeros() < *length
    };
    NOT_PUBLIC_V4.iter().all(differs)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let bits = address.to_bits();
    let differs = |[first, second]: [u16; 2], length: u32| {
        let network = Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0);
        (bits ^ network.to_bits()).leading_zeros() < length
    };
    !differs([0x2000, 0], 3)
        && NOT_PUBLIC_V6.iter().all(|(network, length)| differs(*network, *length))
}

impl Service<Name> for CheckedNames {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = std::io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let reach = self.0;
        Box::pin(async move {
            // Whoever connects puts the port of the address in its place.
            let found = lookup_host((name.as_str(), 0)).await?;
            let checked: Vec<_> = found.filter(|found| reach.covers(found.ip())).collect();
            match checked.is_empty() {
                true => Err(std::io::Error::other("the name has no public address")),
                false => Ok(checked.into_iter()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::str::FromStr;

    use crate::endpoints::Reach;

    const NOT_PUBLIC: &str = "\
        0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.8.8.8 \
        169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.1.1 \
        198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 \
        255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1 64:ff9b::a00:1 \
        64:ff9b::808:808 64:ff9b:1::1 100::1 2001::1 2001:db8::1 2001:10::1 2002:a00:1::1 \
        3fff:1::1 4000::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1";
    const PUBLIC: &str = "\
        1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 \
        128.0.0.0 169.253.255.255 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 \
        192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 2001:200::1 2001:4860:4860::8888 \
        2606:4700::1111 2a00:1450::1 3ffe::1";

    #[expect(clippy::disallowed_methods, reason = "an address, not an amount")]
    fn reaches(reach: Reach, text: &str) -> bool {
        reach.covers(IpAddr::from_str(text).unwrap())
    }

    #[test]
    fn every_address_that_is_not_public_is_refused() {
        for text in NOT_PUBLIC.split_whitespace() {
            assert!(!reaches(Reach::Public, text), "{text} would be sent to");
        }
        for text in PUBLIC.split_whitespace() {
            assert!(reaches(Reach::Public, text), "{text} would not be sent to");
        }
        assert!(reaches(Reach::ThisMachineToo, "127.0.0.1"));
        assert!(!reaches(Reach::ThisMachineToo, "10.0.0.1"));
    }
}
