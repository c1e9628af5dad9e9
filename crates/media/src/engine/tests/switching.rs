//! What a leg hears, and how it changes (R2).

use super::*;
use crate::order::Tone;
use crate::sounds::SoundId;

fn prompt(sound: SoundId, then: Option<Source>) -> Source {
    Source::Prompt { sound, then: then.map(Box::new), repeat: false }
}

#[test]
fn r2_ten_source_changes_leave_no_gap() {
    for voice in [Voice::Pcmu, Voice::Opus, Voice::G722, Voice::Pcma] {
        let mut office = Office::new();
        office.order(2, voice, Source::Leg(LegKey(1)));
        office.phone(2, voice, 440.0);
        office.phone(1, voice, 440.0);
        let phone = || Source::Leg(LegKey(2));
        let music = || Source::Music(SoundId::MUSIC);
        let sources = [
            prompt(SoundId::ECHO, Some(Source::Tone(Tone::Dial))),
            music(),
            phone(),
            music(),
            phone(),
            Source::Echo,
            Source::Tone(Tone::RingBack),
            prompt(SoundId::BEEP, Some(phone())),
            music(),
            Source::Tone(Tone::Busy),
            phone(),
        ];
        let mut switches = Vec::new();
        for (number, source) in sources.into_iter().enumerate() {
            office.order(1, voice, source);
            switches.push(office.now);
            // Not in step with the packets.
            office.run(470 + number as u64 * 10);
        }
        let got = office.heard(1);
        assert_one_stream(&got);
        assert!(got.iter().all(|got| got.header.payload_type == payload(voice).number));
        for at in switches {
            let first = got.iter().find(|got| got.at > at).unwrap();
            assert!(first.header.marker, "{voice:?} at {at}");
            assert!(first.at - at <= 40, "{voice:?} {} ms after the switch", first.at - at);
        }
        // Time goes on by the clock: nothing was left out or put in on the whole.
        let (first, last) = (&got[0], &got[got.len() - 1]);
        let clock = last.header.timestamp.wrapping_sub(first.header.timestamp) / (voice.clock_rate() / 1000);
        assert!(clock.abs_diff((last.at - first.at) as u32) <= 40, "{clock}");
    }
}

#[test]
fn prompts_end_and_tell_it_once() {
    let mut office = Office::new();
    office.order(1, Voice::Pcma, prompt(SoundId::BEEP, None));
    office.run(1000);
    let ended = MediaEvent::SoundEnded { leg: LegKey(1), epoch: 1 };
    assert_eq!(office.told(), std::slice::from_ref(&ended));
    let got = office.heard(1);
    assert_eq!(got.iter().map(|got| got.payload.len()).sum::<usize>(), 200 * 8);
    assert_one_stream(&got);
    // The same order again, with a newer epoch, starts nothing.
    office.order(1, Voice::Pcma, prompt(SoundId::BEEP, None));
    office.run(500);
    assert_eq!((office.told().len(), office.heard(1).len()), (0, got.len()));
    // Without end, until something else is ordered.
    office.order(1, Voice::Pcma, Source::Prompt { sound: SoundId::BEEP, then: None, repeat: true });
    office.run(2000);
    assert_eq!(office.told(), []);
    assert_eq!(office.heard(1).len() - got.len(), 100);
    // A sound that is not there ends at once, and what follows is heard.
    office.order(1, Voice::Pcma, prompt(SoundId(999), Some(Source::Music(SoundId::MUSIC))));
    office.run(100);
    assert_eq!(office.told(), [MediaEvent::SoundEnded { leg: LegKey(1), epoch: 4 }]);
    assert!(office.got.last().unwrap().1.at >= office.now - 20);
}

#[test]
fn each_prompt_of_a_chain_tells_its_end_with_the_number_of_the_newest_order() {
    let mut office = Office::new();
    let chain = || prompt(SoundId::BEEP, Some(prompt(SoundId::BEEP, Some(prompt(SoundId::BEEP, None)))));
    office.order(1, Voice::Pcma, chain());
    office.run(250);
    // The leg was asked to change something else meanwhile; the chain goes on where it was.
    office.order(1, Voice::Pcma, chain());
    office.run(1000);
    let epochs = office.told().into_iter().map(|event| match event {
        MediaEvent::SoundEnded { epoch, .. } => epoch,
        other => panic!("{other:?}"),
    });
    assert_eq!(epochs.collect::<Vec<_>>(), [1, 2, 2]);
    let got = office.heard(1);
    assert_one_stream(&got);
    assert_eq!(got.iter().map(|got| got.payload.len()).sum::<usize>(), 3 * 200 * 8, "without a gap");
}

#[test]
fn a_prompt_ends_for_a_leg_that_cannot_be_spoken_to() {
    let mut office = Office::new();
    let g729 = || Payload { number: 18, codec: Codec::of_static_number(18).unwrap() };
    let only_g729 = |order: &mut MediaOrder| order.send.as_mut().unwrap().payload = g729();
    office.order_with(1, Voice::Pcmu, prompt(SoundId::ECHO, None), only_g729);
    office.order_with(2, Voice::Pcmu, prompt(SoundId::ECHO, None), |order| order.send = None);
    office.run(2500);
    assert_eq!(office.heard(1).len() + office.heard(2).len(), 0);
    assert_eq!(office.told().len(), 2);
    // Another codec that it takes will do.
    office.order_with(3, Voice::Pcmu, prompt(SoundId::ECHO, None), |order| {
        let send = order.send.as_mut().unwrap();
        send.also = vec![std::mem::replace(&mut send.payload, g729())];
    });
    office.run(500);
    assert!(office.heard(3).iter().all(|got| got.header.payload_type == 0 && got.payload.len() == 160));
    assert!(!office.heard(3).is_empty());
}

#[test]
fn all_who_hold_hear_music_at_the_same_place() {
    let mut office = Office::new();
    for leg in 1..4 {
        office.order(leg, Voice::Pcmu, Source::Music(SoundId::MUSIC));
        office.run(330);
    }
    office.got.clear();
    office.run(40);
    let (one, three) = (office.heard(1), office.heard(3));
    assert!(one.len() >= 2 && three.len() >= 2);
    // Packets need not be cut at the same place, but the sound in them is the same.
    let sound = |got: &[Got]| got.iter().flat_map(|got| got.payload.clone()).collect::<Vec<u8>>();
    let (one, three) = (sound(&one), sound(&three));
    assert!(
        (0..160)
            .any(|shift| one[shift..160] == three[..160 - shift] || three[shift..160] == one[..160 - shift])
    );
    // A day later nothing has drifted or ended.
    office.now += 86_400_000;
    office.run(100);
    assert!(office.told().iter().all(|event| !matches!(event, MediaEvent::SoundEnded { .. })));
}

#[test]
fn packets_have_the_length_that_was_wished_for() {
    for ptime in [10, 20, 30, 60] {
        let mut office = Office::new();
        let wish = move |order: &mut MediaOrder| order.send.as_mut().unwrap().ptime_ms = ptime;
        office.order_with(1, Voice::G722, Source::Music(SoundId::MUSIC), wish);
        office.run(1800);
        let got = office.heard(1);
        assert!(got.iter().all(|got| got.payload.len() == usize::from(ptime) * 8));
        assert_eq!(got.len(), 1800 / usize::from(ptime));
        assert_one_stream(&got);
    }
}

#[test]
fn echo_returns_what_came() {
    let mut office = Office::new();
    office.order(1, Voice::Opus, Source::Echo);
    office.phone(1, Voice::Opus, 440.0);
    office.run(1000);
    let got = office.heard(1);
    assert_eq!(got.len(), 50);
    assert_one_stream(&got);
    assert_eq!(got[0].header.ssrc, 0x1001);
}

#[test]
fn a_leg_behind_a_nat_hears_its_prompt_from_the_beginning() {
    let mut office = Office::new();
    let ip = address(LegKey(1)).ip();
    office.order_with(1, Voice::Pcmu, prompt(SoundId::ECHO, None), |order| {
        order.accept = AcceptFrom::Learn { ip, generation: 1 };
        order.send.as_mut().unwrap().remote = "192.168.0.1:4000".parse().unwrap();
    });
    office.run(500);
    assert!(office.heard(1).is_empty());
    office.phone(1, Voice::Pcmu, 440.0);
    office.run(2000);
    let length = sounds().length_ms(SoundId::ECHO).unwrap();
    assert_eq!(office.heard(1).len() as u32, length / 20);
}

#[test]
fn r2_changes_to_a_transcoded_phone_leave_no_gap() {
    for (here, there) in [(Voice::Opus, Voice::Pcmu), (Voice::Pcma, Voice::Opus), (Voice::G722, Voice::Pcma)]
    {
        let mut office = Office::new();
        office.order(2, there, Source::Leg(LegKey(1)));
        office.phone(1, here, 440.0);
        office.phone(2, there, 440.0);
        for round in 0..10_u64 {
            let held = round % 2 == 0;
            office.order(1, here, if held { Source::Music(SoundId::MUSIC) } else { Source::Leg(LegKey(2)) });
            office.run(430 + round * 10);
        }
        assert_one_stream(&office.heard(1));
        assert_one_stream(&office.heard(2));
    }
}

#[test]
fn a_held_leg_hears_music_and_whoever_holds_hears_nothing_of_it() {
    let mut office = Office::new();
    for (leg, other) in [(1, 2), (2, 1)] {
        office.order(leg, Voice::Pcmu, Source::Leg(LegKey(other)));
        office.phone(leg, Voice::Pcmu, 440.0);
    }
    office.run(500);
    // Leg 2 holds: it neither hears nor is heard, and the figures of leg 1 do not suffer.
    office.order_with(2, Voice::Pcmu, Source::Nothing, |order| order.send = None);
    office.order(1, Voice::Pcmu, Source::Music(SoundId::MUSIC));
    let before = office.heard(2).len();
    office.run(2000);
    assert_eq!(office.heard(2).len(), before);
    office.order(1, Voice::Pcmu, Source::Leg(LegKey(2)));
    office.order(2, Voice::Pcmu, Source::Leg(LegKey(1)));
    office.run(500);
    assert_one_stream(&office.heard(1));
    let resumed = office.heard(2);
    assert!(resumed[before].header.marker);
    assert_eq!(resumed[before].header.sequence, resumed[before - 1].header.sequence.wrapping_add(1));
}
