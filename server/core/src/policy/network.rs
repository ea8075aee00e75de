//! Networks in CIDR notation (RFC 4632 section 3.1, RFC 4291 section 2.3).

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A network: an address and how many of its first bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// The text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotANetwork {
    /// Not an address, or an address and a number of bits.
    #[error("is no IP address or network")]
    Form,
    /// The address has bits behind the network's.
    #[error("has bits set behind its prefix")]
    HostBits,
    /// An IPv4 address in the clothes of IPv6: callers' addresses are compared as IPv4.
    #[error("is an IPv4 network written as IPv6")]
    Mapped,
}

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32`, or a single address.
    ///
    /// # Errors
    /// [`NotANetwork`].
    pub fn parse(text: &str) -> Result<Self, NotANetwork> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork::Form)?;
        if address.to_canonical() != address {
            return Err(NotANetwork::Mapped);
        }
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().map_err(|_| NotANetwork::Form)?,
            Some(_) => return Err(NotANetwork::Form),
        };
        if bits > most {
            return Err(NotANetwork::Form);
        }
        let network = Self { address, bits };
        if as_number(address) & !network.mask() == 0 { Ok(network) } else { Err(NotANetwork::HostBits) }
    }

    /// Whether an address belongs to it.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && as_number(address) & self.mask() == as_number(self.address)
    }

    /// The bits that count, of an address that is left-aligned.
    fn mask(self) -> u128 {
        u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0)
    }
}

/// The address, its first bit first.
fn as_number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => u128::from(address),
    }
}

impl TryFrom<String> for Network {
    type Error = NotANetwork;

    fn try_from(text: String) -> Result<Self, NotANetwork> {
        Self::parse(&text)
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}
