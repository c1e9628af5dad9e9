//! A call's messages as a capture file.

use exchange::Captured;
use sip::Transport;
use wire::pcap::{Carrier, PcapWriter};

/// The file. What travelled by TLS or a WebSocket is here without it, as datagrams: as a stream on those ports, readers
/// would look for the encryption.
#[must_use]
pub fn file(messages: &[Captured]) -> Vec<u8> {
    let mut writer = PcapWriter::new();
    for Captured { at, sent, flow, octets } in messages {
        let (from, to) = if *sent { (flow.local, flow.remote) } else { (flow.remote, flow.local) };
        let carrier = if flow.transport == Transport::Tcp { Carrier::Stream } else { Carrier::Datagram };
        writer.push(at.0, from, to, carrier, octets);
    }
    writer.finish()
}
