//! The link that the network's DHCP server names (S3.3). Nothing is taken from it but that: addresses stay as they are.

mod message;

use message::Asker;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long an answer is waited for, each time that is asked (RFC 2131 4.1).
const PATIENCE: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];
/// Octets of an answer.
const ANSWER: usize = 1_500;

/// Asks on an interface, or on the one that leads to the world; blocks for some seconds at most.
///
/// # Errors
/// In words, when nobody answers, or nobody with a link.
pub fn link_by_dhcp(interface: Option<&str>) -> Result<String, String> {
    let interface = match interface {
        Some(name) => name.to_owned(),
        None => std::fs::read_to_string("/proc/net/route")
            .ok()
            .and_then(|table| to_the_world(&table))
            .ok_or("dhcp: no interface leads to the world: name one, as in dhcp:eth0")?,
    };
    ask(&interface).map_err(|why| format!("dhcp:{interface}: {why}"))
}

fn ask(interface: &str) -> Result<String, String> {
    let told = |error: io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!(
                "{error}; answers come to port 68, for which one has to be root or have CAP_NET_BIND_SERVICE"
            )
        }
        _ => error.to_string(),
    };
    let socket = socket(interface).map_err(told)?;
    let asker = Asker {
        transaction: u32::from_ne_bytes(drawn()),
        hardware: hardware(interface)?,
        address: address(interface).map_err(told)?,
    };
    let question = asker.inform();
    let mut answered = false;
    for patience in PATIENCE {
        socket.send_to(&question, (Ipv4Addr::BROADCAST, 67)).map_err(told)?;
        let until = Instant::now() + patience;
        while let Some(answer) = hear(&socket, until).map_err(told)? {
            let Some(options) = asker.answer(&answer) else { continue };
            if let Some(link) = options.link() {
                return Ok(link);
            }
            answered = true;
        }
    }
    Err(match answered {
        true => "the DHCP server names no link in options 160, 66, 67, 43 and 125".to_owned(),
        false => "no DHCP server answers".to_owned(),
    })
}

/// A socket at the port of DHCP clients, on one interface; another client of the machine may have the port, too.
fn socket(interface: &str) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    socket.set_broadcast(true)?;
    socket.bind_device(Some(interface.as_bytes()))?;
    socket.bind(&SockAddr::from(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 68))))?;
    Ok(socket.into())
}

fn hear(socket: &UdpSocket, until: Instant) -> io::Result<Option<Vec<u8>>> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Ok(None);
    }
    socket.set_read_timeout(Some(left))?;
    let mut answer = vec![0; ANSWER];
    match socket.recv(&mut answer) {
        Ok(octets) => {
            answer.truncate(octets);
            Ok(Some(answer))
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The address that we have there: the one that the system would send from.
fn address(interface: &str) -> io::Result<Ipv4Addr> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_broadcast(true)?;
    socket.bind_device(Some(interface.as_bytes()))?;
    socket.connect(&SockAddr::from(SocketAddr::from((Ipv4Addr::BROADCAST, 67))))?;
    match socket.local_addr()?.as_socket_ipv4() {
        Some(at) if !at.ip().is_unspecified() => Ok(*at.ip()),
        _ => Err(io::Error::other("the interface has no IPv4 address")),
    }
}

fn hardware(interface: &str) -> Result<[u8; 6], String> {
    let path = Path::new("/sys/class/net").join(interface).join("address");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    hardware_of(&text)
        .ok_or_else(|| format!("{}: \"{}\" is no hardware address", path.display(), text.trim()))
}

fn hardware_of(text: &str) -> Option<[u8; 6]> {
    let octets: Option<Vec<u8>> =
        text.trim().split(':').map(|octet| u8::from_str_radix(octet, 16).ok()).collect();
    octets?.try_into().ok()
}

/// The interface of the default route with the least metric, of `/proc/net/route`.
fn to_the_world(table: &str) -> Option<String> {
    let routes = table.lines().skip(1).filter_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [interface, "00000000", _, _, _, _, metric, "00000000", ..] = columns[..] else { return None };
        Some((metric.parse::<u32>().ok()?, interface))
    });
    routes.min().map(|(_, interface)| interface.to_owned())
}

/// Octets that nobody guesses.
fn drawn() -> [u8; 4] {
    let [a, b, c, d, ..] = RandomState::new().hash_one(Instant::now()).to_ne_bytes();
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_of_interfaces_is_read() {
        let table = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
                     wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n\
                     eth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
                     eth1\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
        assert_eq!(to_the_world(table).as_deref(), Some("eth0"));
        assert_eq!(to_the_world("Iface\n"), None);
        assert_eq!(hardware_of("02:00:00:00:00:0f\n"), Some([2, 0, 0, 0, 0, 15]));
        assert_eq!(hardware_of("00:00:00"), None);
    }
}
