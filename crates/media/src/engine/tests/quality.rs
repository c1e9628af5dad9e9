//! The figures of a leg, and what is told of silence.

use super::*;

fn talking(voice: Voice) -> Office {
    let mut office = Office::new();
    office.order(1, voice, Source::Leg(LegKey(2)));
    office.order(2, voice, Source::Leg(LegKey(1)));
    office.phone(1, voice, 440.0);
    office.phone(2, voice, 440.0);
    office
}

#[test]
fn loss_lowers_the_estimated_quality() {
    let mut office = talking(Voice::Pcmu);
    office.phones[0].lose = |sequence| sequence % 20 == 7;
    office.run(10_000);
    let (poor, good) = (office.engine.quality(LegKey(1)).unwrap(), office.engine.quality(LegKey(2)).unwrap());
    assert_eq!((good.received, good.lost, good.sent), (500, 0, poor.received));
    assert_eq!(poor.received + poor.lost, 500);
    assert!((24..=26).contains(&poor.lost));
    assert!(good.mos.unwrap() > 4.3 && poor.mos.unwrap() < 4.1, "{good:?} {poor:?}");
    assert!(good.jitter_ms < 1.0 && !good.one_way && !good.muted);
}

#[test]
fn jitter_is_measured() {
    let mut office = talking(Voice::Pcma);
    let mut phone = office.phones.remove(0);
    for n in 0..400_u64 {
        office.run(20);
        let mut packet = phone.talk().unwrap();
        office.now += n % 2 * 8;
        office.receive(LegKey(1), &mut packet);
        office.now -= n % 2 * 8;
    }
    let jitter = office.engine.quality(LegKey(1)).unwrap().jitter_ms;
    assert!((jitter - 8.0).abs() < 1.0, "{jitter}");
}

#[test]
fn silence_is_told_once_and_makes_a_one_way_call() {
    let mut office = talking(Voice::Pcmu);
    office.run(1000);
    assert_eq!(office.told().len(), 2, "two first packets");
    office.phones.remove(0);
    office.run(12_000);
    let mut told = office.told();
    told.retain(|event| !matches!(event, MediaEvent::Report { .. }));
    assert!(matches!(told[..], [MediaEvent::Silence { leg: LegKey(1), since_ms: 5000..=6100 }]), "{told:?}");
    let (quiet, other) =
        (office.engine.quality(LegKey(1)).unwrap(), office.engine.quality(LegKey(2)).unwrap());
    assert!(quiet.one_way && !other.one_way, "leg 1 is sent to and says nothing");
    office.phone(1, Voice::Pcmu, 440.0);
    office.run(100);
    assert!(matches!(office.told()[..], [MediaEvent::FirstPacket { leg: LegKey(1), .. }]));
    assert!(!office.engine.quality(LegKey(1)).unwrap().one_way);
}

#[test]
fn a_muted_phone_is_seen() {
    for voice in [Voice::Pcmu, Voice::Pcma, Voice::Opus] {
        let mut office = talking(voice);
        office.phones[0].silent = true;
        office.run(8_000);
        let muted = |office: &Office, leg| office.engine.quality(LegKey(leg)).unwrap().muted;
        assert!(muted(&office, 1) && !muted(&office, 2), "{voice:?}");
        office.phones[0].silent = false;
        office.run(1000);
        assert!(!muted(&office, 1), "{voice:?}");
    }
}

#[test]
fn reports_come_after_five_seconds_every_half_minute_and_at_the_end() {
    let mut office = talking(Voice::Pcmu);
    office.run(60_000);
    let reports = |told: Vec<MediaEvent>| {
        told.iter().filter(|event| matches!(event, MediaEvent::Report { .. })).count()
    };
    assert_eq!(reports(office.told()), 4);
    office.engine.release(LegKey(1));
    assert_eq!(reports(office.told()), 1);
}
