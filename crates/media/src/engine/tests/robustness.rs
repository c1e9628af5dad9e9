//! Whatever comes from the network is heard or refused.

use super::*;
use proptest::prelude::*;

/// Legs in every relation to each other.
fn crowded() -> Office {
    let mut office = Office::new();
    let all = |order: &mut MediaOrder| {
        order.receive = Voice::ALL.iter().map(|voice| payload(*voice)).chain([events(Voice::Pcmu)]).collect();
    };
    office.order_with(1, Voice::Pcmu, Source::Leg(LegKey(2)), all);
    office.order_with(2, Voice::Opus, Source::Leg(LegKey(1)), all);
    office.order_with(3, Voice::G722, Source::Leg(LegKey(1)), all);
    office.order_with(4, Voice::Pcma, Source::Echo, all);
    office.order_with(5, Voice::Pcma, Source::Leg(LegKey(4)), all);
    office
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn sec_06_any_datagrams_are_heard_or_refused(
        datagrams in proptest::collection::vec(
            (1_u64..6, any::<[u8; 12]>(), 0_usize..8, proptest::collection::vec(any::<u8>(), 0..400)), 1..60),
    ) {
        let mut office = crowded();
        for (leg, mut head, number, body) in datagrams {
            // Most look like RTP of a number that is known; all else is as it comes.
            if number < 7 {
                head[0] = 0x80;
                head[1] = head[1] & 0x80 | [0, 8, 9, 111, 101, 101, 0][number];
                head[2] = 0;
                head[8..].fill(1);
            }
            let mut packet = [&head[..], &body].concat();
            let length = packet.len();
            let (now, leg) = (office.mono(), LegKey(leg));
            for kind in [Kind::Rtp, Kind::Rtcp] {
                let _ = office.engine.receive(now, leg, kind, address(leg), &mut packet, length);
            }
            office.run(10);
            office.got.clear();
        }
    }
}

#[test]
fn sec_06_a_flood_is_bounded() {
    let mut office = crowded();
    let mut state = 1_u32;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    let mut packet = [0_u8; 1400];
    for n in 0..100_000_u32 {
        let leg = LegKey(u64::from(random() % 5 + 1));
        let header = Header {
            payload_type: [0, 8, 9, 111, 101][random() as usize % 5],
            sequence: if n % 3 == 0 { random() as u16 } else { n as u16 },
            timestamp: random(),
            ssrc: random() % 3,
            marker: false,
        };
        packet[..12].copy_from_slice(&header.to_bytes());
        packet[12..16].copy_from_slice(&random().to_be_bytes());
        let length = 12 + random() as usize % 1388;
        let _ = office.engine.receive(office.mono(), leg, Kind::Rtp, address(leg), &mut packet, length);
        if n % 5000 == 0 {
            office.run(10);
            let sent = office.got.len();
            office.got.clear();
            assert!(sent < 10_000, "{sent}");
        }
    }
    assert!(office.engine.copied.capacity() <= super::super::COPIES_MAX * 2);
    assert!(office.engine.events.len() <= super::super::EVENTS_MAX);
    assert!(office.engine.stage.len() <= 5);
}
