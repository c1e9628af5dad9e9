//! Where a request may go whose address somebody else named: this machine and the network behind it are no destination
//! unless the operator says so, and what hands out a machine's own credentials never is (sec_14, sec_18).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A block of addresses, as in `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

const fn v4(octets: [u8; 4], bits: u8) -> Network {
    let [a, b, c, d] = octets;
    Network { address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), bits }
}

const fn v6(front: [u16; 2], last: u16, bits: u8) -> Network {
    let [a, b] = front;
    Network { address: IpAddr::V6(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, last)), bits }
}

/// No setting leads here.
const NEVER: [(Network, &str); 11] = [
    (v4([0, 0, 0, 0], 8), "names no machine"),
    (v4([169, 254, 0, 0], 16), "is link-local, where machines find their own credentials"),
    (v4([100, 100, 100, 200], 32), "is where machines find their own credentials"),
    (v4([224, 0, 0, 0], 4), "is for many at once (multicast)"),
    (v4([240, 0, 0, 0], 4), "is no machine's address"),
    (v6([0, 0], 0, 128), "names no machine"),
    (v6([0xFE80, 0], 0, 10), "is link-local"),
    (v6([0xFD00, 0x0EC2], 0x0254, 128), "is where machines find their own credentials"),
    (v6([0xFF00, 0], 0, 8), "is for many at once (multicast)"),
    (v6([0x0100, 0], 0, 64), "is no machine's address"),
    // Teredo hides the address of its far end.
    (v6([0x2001, 0], 0, 32), "is a tunnel"),
];

/// Only where the configuration says so.
const INSIDE: [(Network, &str); 16] = [
    (v4([127, 0, 0, 0], 8), "is this machine"),
    (v6([0, 0], 1, 128), "is this machine"),
    (v4([10, 0, 0, 0], 8), "is of a private network"),
    (v4([172, 16, 0, 0], 12), "is of a private network"),
    (v4([192, 168, 0, 0], 16), "is of a private network"),
    (v4([100, 64, 0, 0], 10), "is of a provider's own network"),
    (v6([0xFC00, 0], 0, 7), "is of a private network"),
    (v6([0xFEC0, 0], 0, 10), "is of a private network"),
    (v6([0x0064, 0xFF9B], 0, 32), "is of a translator's own network"),
    (v4([192, 0, 0, 0], 24), "is set aside"),
    (v4([192, 0, 2, 0], 24), "is set aside for examples"),
    (v4([198, 51, 100, 0], 24), "is set aside for examples"),
    (v4([203, 0, 113, 0], 24), "is set aside for examples"),
    (v4([198, 18, 0, 0], 15), "is set aside for measurements"),
    (v6([0x2001, 0x0DB8], 0, 32), "is set aside for examples"),
    (v6([0, 0], 0, 64), "is set aside"),
];

impl Network {
    /// Whether an address is one of the block's.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let differs = number(self.address) ^ number(address);
        self.address.is_ipv4() == address.is_ipv4()
            && differs.checked_shr(128 - u32::from(self.bits)).unwrap_or(0) == 0
    }

    /// Why no setting leads to any address of the block; `None` where one does.
    #[must_use]
    pub fn is_never(&self) -> Option<&'static str> {
        let within = |(never, _): &&(Network, _)| never.bits <= self.bits && never.contains(self.address);
        NEVER.iter().find(within).map(|(_, why)| *why)
    }
}

/// Its bits from the left, so that the front of both kinds is compared in one way.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => u128::from(address),
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Network, &'static str> {
        let wrong = "is no network; write an address, or a network as in \"10.0.0.0/8\"";
        let (address, bits) = text.split_once('/').map_or((text, None), |(front, bits)| (front, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits: u8 = bits.map_or(Ok(most), str::parse).map_err(|_| wrong)?;
        let rest = number(address).checked_shl(u32::from(bits)).unwrap_or(0);
        match bits <= most && rest == 0 {
            true => Ok(Network { address, bits }),
            false => Err(wrong),
        }
    }
}

/// Why nothing is sent to an address, in words that go on after it; `None` where it may be.
pub(crate) fn refusal(address: IpAddr, allowed: &[Network]) -> Option<&'static str> {
    let meant = meant(address);
    let why = |list: &[(Network, &'static str)]| {
        list.iter().find(|(network, _)| network.contains(meant)).map(|(_, why)| *why)
    };
    why(&NEVER).or_else(|| why(&INSIDE).filter(|_| !allowed.iter().any(|network| network.contains(meant))))
}

/// The address that is reached in the end: an IPv4 address may be written inside of an IPv6 one (sec_18).
fn meant(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address.to_canonical() else { return address.to_canonical() };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let inner = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match (a, b) {
        // RFC 4291 2.5.5.1; :: and ::1 are themselves.
        (0, 0) if [c, d, e, f] == [0; 4] && (g, h) != (0, 0) && (g, h) != (0, 1) => inner(g, h),
        // RFC 6052 2.1.
        (0x64, 0xFF9B) if [c, d, e, f] == [0; 4] => inner(g, h),
        // RFC 3056 2.
        (0x2002, _) => inner(b, c),
        _ => IpAddr::V6(v6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str, allowed: &[&str]) -> bool {
        let allowed: Vec<Network> = allowed.iter().map(|text| text.parse().unwrap()).collect();
        refusal(address.parse().unwrap(), &allowed).is_some()
    }

    #[test]
    fn sec_14_this_machine_and_its_network_are_reached_only_where_it_is_allowed() {
        for (address, network) in [
            ("127.0.0.1", "127.0.0.0/8"),
            ("127.9.9.9", "127.0.0.0/8"),
            ("::1", "::1"),
            ("::ffff:127.0.0.1", "127.0.0.0/8"),
            ("64:ff9b::10.1.2.3", "10.0.0.0/8"),
            ("2002:0a01:0203::1", "10.1.0.0/16"),
            ("::10.1.2.3", "10.0.0.0/8"),
            ("10.255.0.1", "10.0.0.0/8"),
            ("172.31.0.1", "172.16.0.0/12"),
            ("192.168.1.1", "192.168.1.1"),
            ("100.64.0.1", "100.64.0.0/10"),
            ("fd12::1", "fc00::/7"),
            ("198.18.0.1", "198.18.0.0/15"),
        ] {
            assert!(refused(address, &[]), "{address}");
            assert!(refused(address, &["11.0.0.0/8"]), "{address}");
            assert!(!refused(address, &["11.0.0.0/8", network]), "{address} in {network}");
        }
        for address in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::8.8.8.8"] {
            assert!(!refused(address, &[]), "{address}");
        }
    }

    #[test]
    fn sec_18_what_hands_out_credentials_is_reached_by_no_setting_and_in_no_writing() {
        let all = ["0.0.0.0/0", "::/0"];
        for address in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::",
            "::169.254.169.254",
            "100.100.100.200",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "255.255.255.255",
            "ff02::1",
            "2001::1",
        ] {
            assert!(refused(address, &all), "{address}");
        }
        assert!(!refused("127.0.0.1", &all) && !refused("fd12::1", &all));
    }

    #[test]
    fn networks_are_read_and_written_and_the_useless_are_known() {
        for text in ["10.0.0.0/8", "127.0.0.1/32", "fd00::/8", "0.0.0.0/0", "::/0"] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
        for bad in ["", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10/8", "::/129", "localhost", "1.2.3.4/-1"]
        {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
        let never = |text: &str| text.parse::<Network>().unwrap().is_never().is_some();
        assert!(never("169.254.0.0/16") && never("169.254.169.254") && never("fe80::/64"));
        assert!(!never("0.0.0.0/0") && !never("10.0.0.0/8"));
    }
}
