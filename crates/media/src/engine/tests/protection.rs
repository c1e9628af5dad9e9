//! SRTP on one side, on both, and what forgers get (R14, R16).

use super::*;
use crate::srtp::{MasterKey, OVERHEAD_MAX, Receiver, Sender, SrtpKeys, Suite};

fn key(seed: u8) -> MasterKey {
    MasterKey::new(Suite::Sha1Tag80, [seed; MasterKey::LEN])
}

/// The exchange sends with `ours`, the phone with `theirs`.
fn protect(ours: u8, theirs: u8) -> impl Fn(&mut MediaOrder) {
    move |order| {
        order.accept = AcceptFrom::Authentic;
        order.protection = Protection::Srtp(Box::new(SrtpKeys { send: key(ours), receive: key(theirs) }));
    }
}

fn rtp(sequence: u16) -> Vec<u8> {
    let header =
        Header { payload_type: 0, sequence, timestamp: u32::from(sequence) * 160, ssrc: 77, marker: false };
    [&header.to_bytes()[..], &[0x55; 160]].concat()
}

fn sealed(sender: &mut Sender, sequence: u16) -> Vec<u8> {
    let mut packet = rtp(sequence);
    packet.resize(172 + OVERHEAD_MAX, 0);
    let length = sender.protect(&mut packet, 172).unwrap();
    packet.truncate(length);
    packet
}

impl Office {
    /// What leaves when this arrives: for whom, whereto, the datagram.
    fn through(&mut self, leg: u64, from: SocketAddr, datagram: &[u8]) -> Option<(u64, SocketAddr, Vec<u8>)> {
        let mut buffer = datagram.to_vec();
        buffer.resize(datagram.len() + OVERHEAD_MAX, 0);
        let sent =
            self.engine.receive(self.mono(), LegKey(leg), Kind::Rtp, from, &mut buffer, datagram.len())?;
        buffer.truncate(sent.length);
        Some((sent.leg.0, sent.to, buffer))
    }
}

#[test]
fn r14_srtp_is_bridged_to_rtp_and_back() {
    let mut office = Office::new();
    office.order_with(1, Voice::Pcmu, Source::Leg(LegKey(2)), protect(10, 20));
    office.order_with(2, Voice::Pcmu, Source::Leg(LegKey(1)), |_| ());
    let (mut phone_out, mut phone_in) = (Sender::new(&key(20)), Receiver::new(&key(10)));
    for sequence in 1..50 {
        let (leg, _, clear) =
            office.through(1, address(LegKey(1)), &sealed(&mut phone_out, sequence)).unwrap();
        assert_eq!((leg, &clear[12..]), (2, &[0x55; 160][..]));
        let (leg, to, mut closed) = office.through(2, address(LegKey(2)), &rtp(sequence)).unwrap();
        assert_eq!((leg, to, closed.len()), (1, address(LegKey(1)), 182));
        let (length, _) = phone_in.open(&mut closed).unwrap();
        assert_eq!(closed[12..length], [0x55; 160]);
    }
}

#[test]
fn r14_srtp_is_bridged_to_srtp_and_a_kept_key_keeps_its_count() {
    let mut office = Office::new();
    office.order_with(1, Voice::Pcmu, Source::Leg(LegKey(2)), protect(10, 20));
    office.order_with(2, Voice::Pcmu, Source::Leg(LegKey(1)), protect(30, 40));
    let (mut one, mut two) = (Sender::new(&key(20)), Receiver::new(&key(30)));
    // Over the wrap of both numberings, with a repeated order in between.
    for count in 0..140_000_u32 {
        if count == 100_000 {
            office.order_with(2, Voice::Pcmu, Source::Leg(LegKey(1)), protect(30, 40));
        }
        let (_, _, mut closed) =
            office.through(1, address(LegKey(1)), &sealed(&mut one, count as u16)).unwrap();
        assert!(two.open(&mut closed).is_ok(), "{count}");
    }
    // A new key of ours begins anew, as whoever gets it begins.
    office.order_with(2, Voice::Pcmu, Source::Leg(LegKey(1)), protect(31, 40));
    let mut two = Receiver::new(&key(31));
    let (_, _, mut closed) = office.through(1, address(LegKey(1)), &sealed(&mut one, 40_000)).unwrap();
    assert!(two.open(&mut closed).is_ok());
}

#[test]
fn sec_06_replayed_and_forged_srtp_changes_nothing() {
    let mut office = Office::new();
    office.order_with(1, Voice::Pcmu, Source::Leg(LegKey(2)), protect(10, 20));
    office.order_with(2, Voice::Pcmu, Source::Leg(LegKey(1)), |_| ());
    let mut phone = Sender::new(&key(20));
    let first = sealed(&mut phone, 1);
    let stranger: SocketAddr = "203.0.113.66:6000".parse().unwrap();
    assert!(office.through(1, address(LegKey(1)), &first).is_some());
    assert!(office.through(1, stranger, &first).is_none(), "replayed");
    let mut bent = sealed(&mut phone, 2);
    bent[20] ^= 1;
    assert!(office.through(1, stranger, &bent).is_none(), "forged");
    assert!(office.through(1, stranger, &rtp(3)).is_none(), "in clear");
    assert!(office.through(1, address(LegKey(1)), &[0x80, 0, 0]).is_none(), "short");
    let (_, to, _) = office.through(2, address(LegKey(2)), &rtp(1)).unwrap();
    assert_eq!(to, address(LegKey(1)), "no forger moved the address");
    assert_eq!(office.engine.quality(LegKey(1)).unwrap().refused, 4);
    let (_, _, clear) = office.through(1, address(LegKey(1)), &sealed(&mut phone, 3)).unwrap();
    assert_eq!(clear[12..], [0x55; 160], "the call goes on");
}

#[test]
fn r16_an_authentic_packet_moves_the_address_and_a_late_one_does_not() {
    let mut office = Office::new();
    office.order_with(1, Voice::Pcmu, Source::Leg(LegKey(2)), protect(10, 20));
    office.order_with(2, Voice::Pcmu, Source::Leg(LegKey(1)), |_| ());
    let mut phone = Sender::new(&key(20));
    let (old, late, new) = (sealed(&mut phone, 1), sealed(&mut phone, 2), sealed(&mut phone, 3));
    let moved: SocketAddr = "198.51.100.7:7000".parse().unwrap();
    assert!(office.through(1, address(LegKey(1)), &old).is_some());
    assert!(office.through(1, moved, &new).is_some());
    assert_eq!(office.through(2, address(LegKey(2)), &rtp(1)).unwrap().1, moved);
    assert!(office.through(1, "203.0.113.66:6000".parse().unwrap(), &late).is_some());
    assert_eq!(office.through(2, address(LegKey(2)), &rtp(2)).unwrap().1, moved);
}

#[test]
fn r14_sounds_keys_and_reports_of_ours_are_protected_too() {
    let mut office = Office::new();
    let with_rtcp = |order: &mut MediaOrder| {
        protect(10, 20)(order);
        order.send.as_mut().unwrap().rtcp = Some(address(LegKey(1)));
    };
    office.order_with(1, Voice::Pcmu, Source::Tone(crate::order::Tone::Dial), with_rtcp);
    let mut phone = Receiver::new(&key(10));
    let (mut sounds, mut keys, mut reports) = (0, 0, 0);
    for tick in 0..1200_u32 {
        if tick == 300 {
            office.engine.send_dtmf(LegKey(1), '5');
        }
        office.now += 10;
        let mut sent = Vec::new();
        office.engine.tick(office.mono(), &mut |_, _, _, packet| sent.push(packet.to_vec()));
        for mut packet in sent {
            if wire::rtcp::is_rtcp(&packet) {
                let length = phone.open_rtcp(&mut packet).unwrap();
                assert!(wire::rtcp::Compound::parse(&packet[..length]).is_ok());
                reports += 1;
            } else {
                let (length, _) = phone.open(&mut packet).unwrap();
                let number = Packet::parse(&packet[..length]).unwrap().header.payload_type;
                if number == 0 { sounds += 1 } else { keys += 1 }
            }
        }
    }
    assert!(sounds > 550 && keys >= 5 && reports >= 1, "{sounds} {keys} {reports}");
}
