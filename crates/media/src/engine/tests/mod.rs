//! Whole engines, driven by ticks: legs with phones behind them, and what those phones hear.

mod keys;
mod protection;
mod quality;
mod robustness;
mod switching;
mod transcoding;

use super::{Engine, Forward, Kind};
use crate::codec::{Codec, Encoder, Payload, Voice};
use crate::order::{AcceptFrom, LegKey, MediaEvent, MediaOrder, Protection, SendTo, Source, StreamIdentity};
use crate::sounds::Sounds;
use clock::Mono;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use wire::rtp::{Header, Packet};

/// A packet that a phone got, and when, in ms.
#[derive(Clone, Debug)]
struct Got {
    at: u64,
    header: Header,
    payload: Vec<u8>,
}

/// An engine and the phones around it; time goes in steps of 10 ms.
struct Office {
    engine: Engine,
    now: u64,
    epoch: u32,
    got: Vec<(LegKey, Got)>,
    phones: Vec<Phone>,
}

/// A phone that talks all the time.
struct Phone {
    leg: LegKey,
    voice: Voice,
    encoder: Encoder,
    header: Header,
    hertz: f64,
    sample: u32,
    /// Packets to leave out.
    lose: fn(u16) -> bool,
    silent: bool,
}

fn sounds() -> Arc<Sounds> {
    static SOUNDS: OnceLock<Arc<Sounds>> = OnceLock::new();
    SOUNDS.get_or_init(|| Arc::new(Sounds::built_in())).clone()
}

fn address(leg: LegKey) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, leg.0 as u8], 4000))
}

fn payload(voice: Voice) -> Payload {
    match voice {
        Voice::Pcmu => Payload { number: 0, codec: Codec::PCMU },
        Voice::Pcma => Payload { number: 8, codec: Codec::PCMA },
        Voice::G722 => Payload { number: 9, codec: Codec::G722 },
        Voice::Opus => Payload { number: 111, codec: Codec::OPUS },
    }
}

fn events(voice: Voice) -> Payload {
    let codec = Codec { clock_rate: voice.clock_rate(), ..Codec::TELEPHONE_EVENT };
    Payload { number: 101, codec }
}

impl Office {
    fn new() -> Office {
        Office { engine: Engine::new(sounds()), now: 1000, epoch: 0, got: Vec::new(), phones: Vec::new() }
    }

    fn mono(&self) -> Mono {
        Mono(self.now * 1000)
    }

    /// A leg as ordered, with one codec.
    fn order(&mut self, leg: u64, voice: Voice, source: Source) {
        self.order_with(leg, voice, source, |_| ());
    }

    fn order_with(&mut self, leg: u64, voice: Voice, source: Source, change: impl Fn(&mut MediaOrder)) {
        let leg = LegKey(leg);
        self.epoch += 1;
        let mut order = MediaOrder {
            leg,
            epoch: self.epoch,
            send: Some(SendTo {
                remote: address(leg),
                rtcp: None,
                rtcp_mux: true,
                payload: payload(voice),
                also: Vec::new(),
                telephone_event: Some(events(voice)),
                ptime_ms: 20,
            }),
            accept: AcceptFrom::Exact(address(leg).ip()),
            receive: vec![payload(voice), events(voice)],
            protection: Protection::Clear,
            source,
            identity: StreamIdentity {
                ssrc: 0x1000 + leg.0 as u32,
                first_sequence: 65_500,
                first_timestamp: u32::MAX - 5000,
                cname: "c".into(),
            },
            events: true,
        };
        change(&mut order);
        self.engine.apply(self.mono(), order);
    }

    fn phone(&mut self, leg: u64, voice: Voice, hertz: f64) -> &mut Phone {
        let header = Header {
            payload_type: payload(voice).number,
            sequence: 65_530,
            timestamp: u32::MAX - 700,
            ssrc: leg as u32,
            marker: false,
        };
        let encoder = Encoder::new(voice).unwrap();
        let leg = LegKey(leg);
        self.phones.push(Phone {
            leg,
            voice,
            encoder,
            header,
            hertz,
            sample: 0,
            lose: |_| false,
            silent: false,
        });
        self.phones.last_mut().unwrap()
    }

    fn receive(&mut self, leg: LegKey, packet: &mut [u8]) {
        let length = packet.len();
        let forward = self.engine.receive(self.mono(), leg, Kind::Rtp, address(leg), packet, length);
        if let Some(Forward { leg, to, kind, length }) = forward {
            assert_eq!((to, kind), (address(leg), Kind::Rtp));
            self.note(leg, &packet[..length]);
        }
    }

    fn note(&mut self, leg: LegKey, packet: &[u8]) {
        let packet = Packet::parse(packet).unwrap();
        let got = Got { at: self.now, header: packet.header, payload: packet.payload().to_vec() };
        self.got.push((leg, got));
    }

    fn tick(&mut self) {
        let mut sent = Vec::new();
        self.engine.tick(self.mono(), &mut |leg, kind, to, packet| {
            assert_eq!((kind, to), (Kind::Rtp, address(leg)));
            sent.push((leg, packet.to_vec()));
        });
        sent.iter().for_each(|(leg, packet)| self.note(*leg, packet));
    }

    /// Lets time pass; phones talk every 20 ms.
    fn run(&mut self, ms: u64) {
        for _ in 0..ms / 10 {
            self.now += 10;
            if self.now.is_multiple_of(20) {
                let mut phones = std::mem::take(&mut self.phones);
                for phone in &mut phones {
                    if let Some(mut packet) = phone.talk() {
                        self.receive(phone.leg, &mut packet);
                    }
                }
                phones.append(&mut self.phones);
                self.phones = phones;
            }
            self.tick();
        }
    }

    fn heard(&self, leg: u64) -> Vec<Got> {
        self.got.iter().filter(|(key, _)| key.0 == leg).map(|(_, got)| got.clone()).collect()
    }

    fn told(&mut self) -> Vec<MediaEvent> {
        std::iter::from_fn(|| self.engine.next_event()).collect()
    }
}

impl Phone {
    fn talk(&mut self) -> Option<Vec<u8>> {
        let rate = self.voice.sample_rate();
        let sine =
            |n: u32| (f64::from(n) * self.hertz * std::f64::consts::TAU / f64::from(rate)).sin() * 8000.0;
        let loud = if self.silent { 0.0 } else { 1.0 };
        let frame: Vec<i16> =
            (self.sample..self.sample + rate / 50).map(|n| (sine(n) * loud) as i16).collect();
        self.sample += rate / 50;
        let mut packet = self.header.to_bytes().to_vec();
        self.encoder.encode(&frame, &mut packet);
        let lost = (self.lose)(self.header.sequence);
        self.header.sequence = self.header.sequence.wrapping_add(1);
        self.header.timestamp = self.header.timestamp.wrapping_add(self.voice.clock_rate() / 50);
        (!lost).then_some(packet)
    }
}

/// One stream (R2): one SSRC, each number once, time that never goes back, and no gap above 60 ms.
fn assert_one_stream(got: &[Got]) {
    assert!(got.len() > 1, "something was heard");
    for (number, pair) in got.windows(2).enumerate() {
        let (before, after) = (&pair[0], &pair[1]);
        assert_eq!(before.header.ssrc, after.header.ssrc);
        assert_eq!(after.header.sequence.wrapping_sub(before.header.sequence), 1, "packet {number} {pair:?}");
        let step = after.header.timestamp.wrapping_sub(before.header.timestamp).cast_signed();
        assert!(step > 0, "packet {number} {pair:?}");
        assert!(after.at - before.at <= 60, "packet {number} after {} ms", after.at - before.at);
    }
}
