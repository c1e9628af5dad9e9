//! Bindings that were stored where we listened before: after a move to another address or port, as by a restored
//! backup, a UDP phone is rung from where we listen now (R12). A NAT before the phone may drop that; nothing is lost.

use sip::bindings::StoredBinding;
use sip::{Flow, Transport};
use std::net::SocketAddr;

/// Bindings as they can be reached from `own` addresses.
pub(crate) fn rehome(
    own: &[(Transport, SocketAddr)],
    mut bindings: Vec<StoredBinding>,
) -> Vec<StoredBinding> {
    for binding in &mut bindings {
        binding.flow = reachable(own, binding.flow);
    }
    bindings
}

fn reachable(own: &[(Transport, SocketAddr)], flow: Flow) -> Flow {
    let of_datagrams =
        || own.iter().filter(|(transport, _)| !transport.reliable()).map(|(_, address)| address);
    let family = || of_datagrams().filter(|address| address.is_ipv6() == flow.local.is_ipv6());
    // Behind a NAT of our own, or on a wildcard, the local address is another than the listener's; the port tells.
    if flow.transport.reliable() || family().any(|address| address.port() == flow.local.port()) {
        return flow;
    }
    let Some(first) = family().next() else { return flow };
    let ip = if first.ip().is_unspecified() { flow.local.ip() } else { first.ip() };
    Flow { local: SocketAddr::new(ip, first.port()), ..flow }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_follow_the_listener() {
        let at = |text: &str| text.parse::<SocketAddr>().expect(text);
        let phone = at("192.0.2.99:5060");
        for (own, before, after) in [
            ("192.0.2.1:5060", "192.0.2.1:5060", "192.0.2.1:5060"),
            ("0.0.0.0:5060", "192.0.2.1:5060", "192.0.2.1:5060"),
            ("192.0.2.7:5070", "192.0.2.1:5060", "192.0.2.7:5070"),
            ("0.0.0.0:5070", "192.0.2.1:5060", "192.0.2.1:5070"),
            ("[::]:5070", "192.0.2.1:5060", "192.0.2.1:5060"),
        ] {
            let flow = reachable(
                &[(Transport::Tcp, at("192.0.2.1:5060")), (Transport::Udp, at(own))],
                Flow::udp(at(before), phone),
            );
            assert_eq!(flow.local, at(after), "{own}");
        }
    }
}
