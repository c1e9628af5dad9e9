//! Legs without a codec in common (R3).

use super::*;
use crate::codec::{Decoder, MAX_SAMPLES};

/// The sound of what a leg heard.
fn sound(got: &[Got], voice: Voice) -> Vec<i16> {
    let mut decoder = Decoder::new(voice).unwrap();
    let (mut sound, mut out) = (Vec::new(), [0; MAX_SAMPLES]);
    for got in got {
        let count = decoder.decode(&got.payload, &mut out);
        sound.extend_from_slice(&out[..count]);
    }
    sound
}

/// The level of a tone against 8000, and of everything, in dB.
fn levels(sound: &[i16], rate: u32, hertz: f64) -> (f64, f64) {
    let sum = sound.iter().enumerate().fold((0.0, 0.0), |(re, im), (n, &sample)| {
        let angle = n as f64 * hertz * std::f64::consts::TAU / f64::from(rate);
        (re + f64::from(sample) * angle.cos(), im + f64::from(sample) * angle.sin())
    });
    let tone = 2.0 * f64::hypot(sum.0, sum.1) / sound.len() as f64;
    let power = sound.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / sound.len() as f64;
    (20.0 * (tone / 8000.0).log10(), 20.0 * ((2.0 * power).sqrt() / 8000.0).log10())
}

fn pair(from: Voice, to: Voice) -> Office {
    let mut office = Office::new();
    office.order(1, from, Source::Leg(LegKey(2)));
    office.order(2, to, Source::Leg(LegKey(1)));
    office
}

#[test]
fn r3_all_16_pairs_carry_a_tone() {
    for (from, to) in Voice::ALL.into_iter().flat_map(|a| Voice::ALL.map(|b| (a, b))) {
        for hertz in [440.0, 1000.0] {
            let mut office = pair(from, to);
            office.phone(1, from, hertz);
            office.run(2000);
            let got = office.heard(2);
            assert_one_stream(&got);
            assert!(got[0].at - 1000 <= 60, "{from:?} {to:?}: first after {} ms", got[0].at - 1000);
            assert!(got.iter().all(|got| got.header.payload_type == payload(to).number));
            let rate = to.sample_rate();
            let settled = &sound(&got, to)[rate as usize / 2..][..rate as usize];
            let (tone, all) = levels(settled, rate, hertz);
            assert!(tone.abs() < 1.0 && all.abs() < 1.0, "{from:?} {to:?} {hertz}: {tone} dB, {all} dB");
        }
    }
}

#[test]
fn loss_and_disorder_leave_a_continuous_stream() {
    for (from, to) in [(Voice::Pcmu, Voice::Opus), (Voice::Opus, Voice::Pcma), (Voice::G722, Voice::Pcmu)] {
        let mut office = pair(from, to);
        office.phone(1, from, 440.0).lose = |sequence| sequence % 10 == 3;
        office.run(4000);
        let got = office.heard(2);
        assert_one_stream(&got);
        assert!(got.len() >= 195, "{}", got.len());
        let rate = to.sample_rate();
        let (tone, _) = levels(&sound(&got, to)[rate as usize..], rate, 440.0);
        assert!(tone > -3.0, "{from:?} {to:?} {tone} dB");
    }
}

#[test]
fn packets_that_overtake_each_other_are_put_in_order() {
    let mut office = pair(Voice::Pcmu, Voice::Pcma);
    let mut phone = Office::new();
    phone.phone(1, Voice::Pcmu, 440.0);
    let talker = &mut phone.phones[0];
    for _ in 0..100 {
        let (mut first, mut second) = (talker.talk().unwrap(), talker.talk().unwrap());
        office.receive(LegKey(1), &mut second);
        office.receive(LegKey(1), &mut first);
        office.run(40);
    }
    let got = office.heard(2);
    assert_one_stream(&got);
    let (tone, all) = levels(&sound(&got, Voice::Pcma)[4000..12_000], 8000, 440.0);
    assert!(tone.abs() < 1.0 && all.abs() < 1.0, "{tone} {all}");
}

#[test]
fn a_source_that_pauses_is_followed_and_a_burst_is_shortened() {
    let mut office = pair(Voice::Pcmu, Voice::Opus);
    office.phone(1, Voice::Pcmu, 440.0);
    office.run(1000);
    let phones = std::mem::take(&mut office.phones);
    office.run(1000);
    let before = office.heard(2).len();
    assert!(before <= 54, "silence is not filled for ever: {before}");
    office.phones = phones;
    office.run(1000);
    let got = office.heard(2);
    let resumed = &got[before];
    assert!(resumed.header.marker);
    assert!((48..=51).contains(&(got.len() - before)));
    // Half a second at once: no more than a bounded delay is kept.
    for _ in 0..25 {
        let mut packet = office.phones[0].talk().unwrap();
        office.receive(LegKey(1), &mut packet);
    }
    office.phones.clear();
    let before = office.heard(2).len();
    office.run(1000);
    assert!(office.heard(2).len() - before <= 22, "{}", office.heard(2).len() - before);
}

#[test]
fn other_packet_lengths_are_filled() {
    for ptime in [10, 30, 60] {
        let mut office = pair(Voice::Opus, Voice::Pcmu);
        let wish = move |order: &mut MediaOrder| order.send.as_mut().unwrap().ptime_ms = ptime;
        office.order_with(2, Voice::Pcmu, Source::Leg(LegKey(1)), wish);
        office.phone(1, Voice::Opus, 440.0);
        office.run(3000);
        let got = office.heard(2);
        assert_one_stream(&got);
        assert!(got.iter().all(|got| got.payload.len() == usize::from(ptime) * 8));
        let (tone, all) = levels(&sound(&got, Voice::Pcmu)[8000..16_000], 8000, 440.0);
        assert!(tone.abs() < 1.0 && all.abs() < 1.0, "{ptime}: {tone} {all}");
    }
}

#[test]
fn a_source_that_changes_to_a_shared_codec_is_relayed() {
    let mut office = Office::new();
    office.order_with(1, Voice::Pcmu, Source::Nothing, |order| order.receive.push(payload(Voice::Opus)));
    office.order(2, Voice::Opus, Source::Leg(LegKey(1)));
    office.phone(1, Voice::Pcmu, 440.0);
    office.run(1000);
    let old = office.phones.pop().unwrap();
    let phone = office.phone(1, Voice::Opus, 440.0);
    phone.header = Header { payload_type: 111, ..old.header };
    office.run(1000);
    let got = office.heard(2);
    assert_one_stream(&got);
    assert!((97..=101).contains(&got.len()), "{}", got.len());
}
