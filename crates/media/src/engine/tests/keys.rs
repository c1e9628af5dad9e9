//! Key presses through the engine (RFC 4733).

use super::*;
use wire::telephone_event::Event;

/// The presses in what was heard: digit, ticks, end packets; each checked to be one event.
fn presses(got: &[Got]) -> Vec<(char, u16, usize)> {
    let events: Vec<_> = got.iter().filter(|got| got.header.payload_type == 101).collect();
    let groups = events.chunk_by(|a, b| a.header.timestamp == b.header.timestamp);
    let press = |group: &[&Got]| {
        let read: Vec<Event> = group.iter().map(|got| Event::parse(&got.payload).unwrap()).collect();
        assert!(group[0].header.marker && group[1..].iter().all(|got| !got.header.marker));
        assert!(read.windows(2).all(|pair| pair[0].duration <= pair[1].duration));
        let last = read[read.len() - 1];
        (last.digit().unwrap(), last.duration, read.iter().filter(|event| event.end).count())
    };
    groups.map(press).collect()
}

fn press(office: &mut Office, code: u8, ticks: u16, lose_end: bool) {
    let phone = &mut office.phones[0];
    let timestamp = phone.header.timestamp;
    for n in 1..=ticks / 160 {
        let end = n == ticks / 160;
        for _ in 0..if end { 3 } else { 1 } {
            let phone = &mut office.phones[0];
            let header = Header { payload_type: 101, timestamp, marker: n == 1, ..phone.header };
            phone.header.sequence = phone.header.sequence.wrapping_add(1);
            let event = Event { code, end, volume: 10, duration: n * 160 };
            let mut packet = [&header.to_bytes()[..], &event.to_bytes()].concat();
            if !(end && lose_end) {
                office.receive(LegKey(1), &mut packet);
            }
        }
        let phones = std::mem::take(&mut office.phones);
        office.run(20);
        office.phones = phones;
    }
    let phone = &mut office.phones[0];
    phone.header.timestamp = timestamp.wrapping_add(u32::from(ticks));
}

fn digits(office: &mut Office) -> Vec<(char, u32)> {
    let told = office.told();
    told.iter()
        .filter_map(|event| match event {
            MediaEvent::Dtmf { leg: LegKey(1), digit, duration_ms } => Some((*digit, *duration_ms)),
            _ => None,
        })
        .collect()
}

#[test]
fn presses_are_told_once_and_made_anew() {
    for to in [Voice::Pcmu, Voice::Opus] {
        let mut office = Office::new();
        office.order(1, Voice::Pcmu, Source::Nothing);
        office.order(2, to, Source::Leg(LegKey(1)));
        office.phone(1, Voice::Pcmu, 440.0);
        office.run(500);
        press(&mut office, 5, 800, false);
        office.run(300);
        press(&mut office, 11, 800, false);
        office.run(300);
        press(&mut office, 1, 800, true);
        office.run(500);
        assert_eq!(digits(&mut office), [('5', 100), ('#', 100), ('1', 80)]);
        let got = office.heard(2);
        let made = presses(&got);
        assert_eq!(
            made.iter().map(|(digit, _, ends)| (*digit, *ends)).collect::<Vec<_>>(),
            [('5', 3), ('#', 3), ('1', 3)]
        );
        let ms = (to.clock_rate() / 1000) as u16;
        assert!(made.iter().all(|(_, ticks, _)| (80 * ms..=320 * ms).contains(ticks)), "{made:?}");
        assert_eq!((made[0].1, made[1].1), (100 * ms, 100 * ms));
        one_stream_of_sound_and_keys(&got);
    }
}

/// Numbers without a gap, and no sound between the packets of one press.
fn one_stream_of_sound_and_keys(got: &[Got]) {
    for pair in got.windows(2) {
        assert_eq!(pair[1].header.sequence.wrapping_sub(pair[0].header.sequence), 1);
        assert!(
            pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp).cast_signed() >= 0,
            "{pair:?}"
        );
        assert!(pair[1].at - pair[0].at <= 60, "{pair:?}");
    }
    let kinds: Vec<_> = got.chunk_by(|a, b| a.header.payload_type == b.header.payload_type).collect();
    let pressed = kinds.iter().filter(|run| run[0].header.payload_type == 101).count();
    assert_eq!(pressed, presses(got).len(), "sound between the packets of a press");
}

#[test]
fn keys_that_came_by_signalling_are_sent_in_turn() {
    for source in [Source::Nothing, Source::Music(crate::SoundId::MUSIC), Source::Leg(LegKey(2))] {
        let talks = source != Source::Nothing;
        let mut office = Office::new();
        office.order(1, Voice::Pcma, source);
        office.order(2, Voice::Pcma, Source::Nothing);
        office.phone(2, Voice::Pcma, 440.0);
        office.run(200);
        "4*d?".chars().for_each(|digit| office.engine.send_dtmf(LegKey(1), digit));
        office.run(1000);
        let got = office.heard(1);
        assert_eq!(presses(&got), [('4', 800, 3), ('*', 800, 3), ('D', 800, 3)]);
        if talks {
            one_stream_of_sound_and_keys(&got);
        }
        // No more than a bound waits, and nothing for a leg that is not there.
        (0..1000).for_each(|_| office.engine.send_dtmf(LegKey(1), '1'));
        office.engine.send_dtmf(LegKey(77), '1');
        office.run(20_000);
        assert_eq!(presses(&office.heard(1)).len(), 3 + 32);
    }
}

#[test]
fn a_prompt_is_left_out_while_a_key_is_pressed_and_still_ends() {
    let mut office = Office::new();
    let source = Source::Prompt { sound: crate::SoundId::ECHO, then: None, repeat: false };
    office.order(1, Voice::Pcmu, source);
    office.run(100);
    office.engine.send_dtmf(LegKey(1), '1');
    office.run(2000);
    one_stream_of_sound_and_keys(&office.heard(1));
    assert_eq!(office.told(), [MediaEvent::SoundEnded { leg: LegKey(1), epoch: 1 }]);
}
