//! The sound of one call: a paced stream out, and what a stream in holds (RFC 3550, RFC 4733).

use super::keys::{Arrivals, Presses};
use super::{RATE, Source};
use clock::Mono;
use media::codec::{Decoder, Encoder, MAX_SAMPLES, Resampler, Voice};
use media::srtp::{OVERHEAD_MAX, Receiver, Sender, SrtpKeys};
use media::{Agreed, Announced, CodecName, InformationTones, Payload, Protection};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use wire::rtp::{Header, Packet};

/// Packets that a busy machine may send late; what is later is left out.
const LATE: u64 = 10;
/// Lost packets that are concealed; after a longer hole the sound begins anew.
const CONCEALED: u16 = 10;

/// What a packet held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// Sound at 16 kHz.
    Sound(Vec<i16>),
    /// A key.
    Key(char),
    /// Nothing for us: late, doubled, or of another codec.
    Nothing,
}

/// One call's sound.
#[derive(Debug)]
pub struct Talk {
    source: Source,
    position: u64,
    speaker: Option<Speaker>,
    ear: Option<Ear>,
    receive: Vec<Payload>,
    from: Option<IpAddr>,
    muted: bool,
    presses: Presses,
    arrivals: Arrivals,
    header: Header,
    next: Mono,
    secret: Option<Box<Secret>>,
    tones: InformationTones,
    announced: Option<Announced>,
}

/// Packets go encrypted (RFC 3711), under keys that came by SDP.
#[derive(Debug)]
struct Secret {
    keys: SrtpKeys,
    sender: Sender,
    receiver: Receiver,
}

impl Secret {
    fn new(keys: &SrtpKeys) -> Secret {
        let (sender, receiver) = (Sender::new(&keys.send), Receiver::new(&keys.receive));
        Secret { keys: keys.clone(), sender, receiver }
    }
}

/// The way out.
#[derive(Debug)]
struct Speaker {
    to: SocketAddr,
    voice: Voice,
    payload: u8,
    events: Option<u8>,
    encoder: Encoder,
    thinner: Option<Resampler>,
    packet_ms: u32,
    key_down: u32,
}

/// The way in.
#[derive(Debug)]
struct Ear {
    decoder: Decoder,
    widener: Option<Resampler>,
    ssrc: u32,
    expected: Option<u16>,
}

impl Talk {
    /// A call that has no codec yet. `random` makes source, sequence and timestamp (RFC 3550 5.1).
    #[must_use]
    pub fn new(now: Mono, source: Source, random: u64) -> Talk {
        let header = Header {
            marker: true,
            payload_type: 0,
            sequence: (random >> 48) as u16 & 0x7fff,
            timestamp: (random >> 16) as u32,
            ssrc: random as u32 ^ 0x5249_4e47,
        };
        Talk {
            source,
            position: 0,
            speaker: None,
            ear: None,
            receive: Vec::new(),
            from: None,
            muted: false,
            presses: Presses::default(),
            arrivals: Arrivals::default(),
            header,
            next: now,
            secret: None,
            tones: InformationTones::default(),
            announced: None,
        }
    }

    /// Talks so from now on.
    pub fn agree(&mut self, now: Mono, agreed: &Agreed, muted: bool) {
        self.receive.clone_from(&agreed.receive);
        self.from = agreed.remote.map(|remote| remote.ip());
        self.muted = muted;
        self.secret = match (&agreed.protection, self.secret.take()) {
            (Protection::Srtp(keys), Some(kept)) if kept.keys == **keys => Some(kept),
            (Protection::Srtp(keys), _) => Some(Box::new(Secret::new(keys))),
            (Protection::Clear | Protection::Webrtc(_), _) => None,
        };
        let target = agreed.remote.filter(|_| agreed.send);
        let voice = Voice::of(&agreed.codec.codec.name);
        self.speaker = match (target, voice, self.speaker.take()) {
            (Some(to), Some(voice), kept) => speaker(to, voice, agreed, kept),
            _ => None,
        };
        self.next = self.next.max(now);
    }

    /// What the network has announced since it was asked last.
    pub fn announced(&mut self) -> Option<Announced> {
        self.announced.take()
    }

    /// Presses a key.
    pub fn press(&mut self, key: char) {
        self.presses.push(key);
    }

    /// When [`Talk::packet`] is due.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        self.speaker.as_ref().map(|_| self.next)
    }

    /// The packet that is due now, and where it goes.
    pub fn packet(&mut self, now: Mono) -> Option<(SocketAddr, Vec<u8>)> {
        let (to, mut bytes) = self.clear_packet(now)?;
        if let Some(secret) = &mut self.secret {
            let length = bytes.len();
            bytes.resize(length + OVERHEAD_MAX, 0);
            let length = secret.sender.protect(&mut bytes, length)?;
            bytes.truncate(length);
        }
        Some((to, bytes))
    }

    fn clear_packet(&mut self, now: Mono) -> Option<(SocketAddr, Vec<u8>)> {
        let speaker = self.speaker.as_mut().filter(|_| self.next <= now)?;
        let length = Duration::from_millis(u64::from(speaker.packet_ms));
        let ticks = speaker.voice.clock_rate() / 1_000 * speaker.packet_ms;
        self.next = self.next + length;
        // A machine that slept for long does not make up for it.
        if now.since(self.next) > length * u32::try_from(LATE).unwrap_or(10) {
            self.next = now;
        }
        let mut samples = vec![0; (RATE / 1_000 * speaker.packet_ms) as usize];
        let source = if self.muted { &Source::Silence } else { &self.source };
        source.fill(self.position, &mut samples);
        self.position += samples.len() as u64;
        let mut header = Header { payload_type: speaker.payload, ..self.header };
        self.header.sequence = self.header.sequence.wrapping_add(1);
        self.header.timestamp = self.header.timestamp.wrapping_add(ticks);
        self.header.marker = false;
        let report = speaker
            .events
            .and_then(|number| Some((number, self.presses.next(u16::try_from(ticks).unwrap_or(u16::MAX))?)));
        if let Some((number, report)) = report {
            if report.first {
                speaker.key_down = header.timestamp;
            }
            // RFC 4733 2.5.1.1: the timestamp is the beginning's, the marker the first packet's.
            header =
                Header { marker: report.first, payload_type: number, timestamp: speaker.key_down, ..header };
            let bytes = [&header.to_bytes()[..], &report.event.to_bytes()].concat();
            return Some((speaker.to, bytes));
        }
        let mut bytes = header.to_bytes().to_vec();
        speaker.encode(&samples, &mut bytes);
        Some((speaker.to, bytes))
    }

    /// Takes a datagram from `from`.
    pub fn receive(&mut self, from: SocketAddr, datagram: &[u8]) -> Arrived {
        // Sound is taken from the address that the far side named (R16), RTCP beside it is not read (RFC 5761 4).
        let stranger = self.from.is_none_or(|ip| ip != from.ip());
        let rtcp = datagram.get(1).is_some_and(|kind| (192..=223).contains(kind));
        if stranger || rtcp {
            return Arrived::Nothing;
        }
        let mut opened = datagram.to_vec();
        if let Some(secret) = &mut self.secret {
            let Ok((length, _)) = secret.receiver.open(&mut opened) else { return Arrived::Nothing };
            opened.truncate(length);
        }
        let Ok(packet) = Packet::parse(&opened) else { return Arrived::Nothing };
        let number = packet.header.payload_type;
        let Some(payload) = self.receive.iter().find(|payload| payload.number == number) else {
            return Arrived::Nothing;
        };
        if payload.codec.name == CodecName::TelephoneEvent {
            if let Some(ear) = &mut self.ear {
                ear.count(&packet);
            }
            let key = self.arrivals.take(packet.header.timestamp, packet.payload());
            return key.map_or(Arrived::Nothing, Arrived::Key);
        }
        let Some(voice) = Voice::of(&payload.codec.name) else { return Arrived::Nothing };
        let fresh = self
            .ear
            .as_ref()
            .is_none_or(|ear| ear.decoder.voice() != voice || ear.ssrc != packet.header.ssrc);
        if fresh {
            self.ear = Ear::new(voice, packet.header.ssrc);
        }
        let arrived = self.ear.as_mut().map_or(Arrived::Nothing, |ear| ear.hear(&packet));
        if let Arrived::Sound(samples) = &arrived {
            self.announced = self.tones.take(samples).or(self.announced);
        }
        arrived
    }
}

fn speaker(to: SocketAddr, voice: Voice, agreed: &Agreed, kept: Option<Speaker>) -> Option<Speaker> {
    let (payload, events) = (agreed.codec.number, agreed.telephone_event.as_ref().map(|event| event.number));
    let packet_ms = voice.packet_ms(agreed.ptime_ms);
    if let Some(kept) = kept.filter(|kept| kept.voice == voice) {
        return Some(Speaker { to, payload, events, packet_ms, ..kept });
    }
    Some(Speaker {
        to,
        voice,
        payload,
        events,
        encoder: Encoder::new(voice)?,
        thinner: (voice.sample_rate() != RATE).then(|| Resampler::new(RATE, voice.sample_rate())).flatten(),
        packet_ms,
        key_down: 0,
    })
}

impl Speaker {
    fn encode(&mut self, samples: &[i16], out: &mut Vec<u8>) {
        match &mut self.thinner {
            Some(thinner) => {
                let mut thin = Vec::with_capacity(samples.len());
                thinner.convert(samples, &mut thin);
                self.encoder.encode(&thin, out);
            }
            None => {
                self.encoder.encode(samples, out);
            }
        }
    }
}

impl Ear {
    fn new(voice: Voice, ssrc: u32) -> Option<Ear> {
        let rate = voice.sample_rate();
        let widener = (rate != RATE).then(|| Resampler::new(rate, RATE)).flatten();
        Some(Ear { decoder: Decoder::new(voice)?, widener, ssrc, expected: None })
    }

    /// How many packets are missing before this one; `None` when it is late or doubled.
    fn count(&mut self, packet: &Packet<'_>) -> Option<u16> {
        let sequence = packet.header.sequence;
        let missing = self.expected.map_or(0, |expected| sequence.wrapping_sub(expected));
        if missing >= 0x8000 {
            return None;
        }
        self.expected = Some(sequence.wrapping_add(1));
        Some(missing)
    }

    fn hear(&mut self, packet: &Packet<'_>) -> Arrived {
        let Some(missing) = self.count(packet) else { return Arrived::Nothing };
        let mut room = [0; MAX_SAMPLES];
        let mut sound = Vec::new();
        if (1..=CONCEALED).contains(&missing) {
            let frame = self.decoder.voice().sample_rate() as usize / 50;
            for place in 0..missing {
                let next = (place + 1 == missing).then(|| packet.payload());
                self.decoder.conceal(next, &mut room[..frame]);
                sound.extend_from_slice(&room[..frame]);
            }
        }
        let count = self.decoder.decode(packet.payload(), &mut room);
        sound.extend_from_slice(&room[..count]);
        let Some(widener) = &mut self.widener else { return Arrived::Sound(sound) };
        let mut wide = Vec::with_capacity(sound.len() * 2);
        widener.convert(&sound, &mut wide);
        Arrived::Sound(wide)
    }
}
