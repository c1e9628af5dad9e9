//! What this machine does not give: addresses that cannot be had, too few descriptors, small buffers.

use super::file::Places;
use super::finding::Finding;
use crate::config::Config;
use rustix::process::{Resource, getrlimit};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};

/// What limits a receive buffer.
const RMEM_MAX: &str = "/proc/sys/net/core/rmem_max";

/// All that an exchange with this configuration would miss here. `running`: one runs already and holds its ports.
pub(crate) fn judge(config: &Config, places: Places<'_>, running: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    if !running {
        listeners(config, places, &mut found);
        media_ports(config, places, &mut found);
    }
    descriptors(config, places, &mut found);
    receive_buffer(&mut found);
    found
}

fn listeners(config: &Config, places: Places<'_>, found: &mut Vec<Finding>) {
    let udp = |address: &SocketAddr| UdpSocket::bind(address).map(drop);
    let tcp = |address: &SocketAddr| TcpListener::bind(address).map(drop);
    let mut try_all = |section, key, list: &[SocketAddr], bind: &dyn Fn(&SocketAddr) -> io::Result<()>| {
        for address in list {
            if let Err(error) = bind(address) {
                let what = format!("cannot listen on {key} {address}: {error}");
                found.push(Finding::error(places.of(section, key), what, bind_advice(&error)));
            }
        }
    };
    try_all("sip", "udp", &config.sip.udp.0, &udp);
    try_all("sip", "tcp", &config.sip.tcp.0, &tcp);
    try_all("sip", "tls", &config.sip.tls.0, &tcp);
    try_all("sip", "ws", &config.sip.ws.0, &tcp);
    try_all("sip", "wss", &config.sip.wss.0, &tcp);
    try_all("http", "listen", &config.http.listen.0, &tcp);
    try_all("http", "tls", &config.http.tls.0, &tcp);
}

/// What to do when an address cannot be had.
pub(crate) fn bind_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::AddrInUse => {
            "another program, perhaps another exchange, listens there: end it (`ss -lnp` names it), or take another port"
        }
        ErrorKind::PermissionDenied => {
            "ports below 1024 need the right to use them: take a higher one, or give CAP_NET_BIND_SERVICE"
        }
        ErrorKind::AddrNotAvailable => {
            "this machine has no such address: `ip address` lists those that it has; behind a NAT the public one belongs \
             in advertise"
        }
        _ => "take another address or port",
    }
}

fn media_ports(config: &Config, places: Places<'_>, found: &mut Vec<Finding>) {
    let own = crate::serve::own_address();
    let addresses: &[IpAddr] =
        if config.media.address.0.is_empty() { &[own] } else { &config.media.address.0 };
    for address in addresses {
        let (mut free, mut taken) = (0u32, Vec::new());
        for port in config.media.ports.0.iter().flat_map(|ports| ports.0.clone()) {
            match UdpSocket::bind((*address, port)) {
                Ok(_) => free += 1,
                Err(error) if error.kind() == ErrorKind::AddrInUse => taken.push(port),
                Err(error) => {
                    let what = format!("cannot receive sound on {address}: {error}");
                    return found.push(Finding::error(
                        places.of("media", "address"),
                        what,
                        bind_advice(&error),
                    ));
                }
            }
        }
        let Some(first) = taken.first() else { continue };
        let count = taken.len();
        let what = format!(
            "{count} of {} ports for sound on {address} are taken, the first is {first}",
            free + count as u32
        );
        let advice = "end the programs that hold them, or name other ranges";
        let place = places.of("media", "ports");
        found.push(match free {
            0..4 => Finding::error(place, what, advice),
            _ => Finding::warning(place, what, advice),
        });
    }
}

fn descriptors(config: &Config, places: Places<'_>, found: &mut Vec<Finding>) {
    let ports: u64 = config.media.ports.0.iter().map(|ports| ports.0.len() as u64).sum();
    let wanted = ports * (config.media.address.0.len().max(1) as u64) + crate::serve::OTHER_DESCRIPTORS;
    let Some(allowed) = getrlimit(Resource::Nofile).maximum else { return };
    if allowed < wanted {
        let calls = allowed.saturating_sub(crate::serve::OTHER_DESCRIPTORS) / 4;
        found.push(Finding::warning(
            places.of("media", "ports"),
            format!("the ports want {wanted} open files, this user may have {allowed}: enough for {calls} calls"),
            format!("raise the limit to {wanted} (LimitNOFILE= of the service, or `ulimit -Hn`), or name fewer ports"),
        ));
    }
}

/// R17: bursts of registrations are lost in a small buffer.
fn receive_buffer(found: &mut Vec<Finding>) {
    let text = std::fs::read_to_string(RMEM_MAX).unwrap_or_default();
    let Ok(most) = text.trim().parse::<usize>() else { return };
    let wanted = net::WANTED_BUFFER;
    if most < wanted {
        found.push(Finding::warning(
            String::new(),
            format!("receive buffers are at most {most} octets here: bursts of messages may be lost"),
            format!("`sysctl -w net.core.rmem_max={wanted}`, and a file in /etc/sysctl.d to keep it"),
        ));
    }
}
