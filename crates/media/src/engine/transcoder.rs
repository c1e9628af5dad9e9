//! What a leg hears of a source with which it shares no codec (R3): ordered, decoded, resampled, encoded.

use super::jitter::{JitterBuffer, Next};
use super::route::Spoken;
use super::{HALF_TICK, STALL};
use crate::codec::{Decoder, Encoder, MAX_SAMPLES, Resampler, Voice};
use clock::Mono;
use std::time::Duration;

/// The first packet waits at least and at most this long for others.
const DELAY_MS: (f32, f32) = (20.0, 60.0);
/// Beyond the wished delay, this much may wait before a packet is left out.
const SPARE_MS: u32 = 60;
/// After so long without a packet the source has stopped.
const DRY_MAX_MS: u32 = 60;
/// What is assumed of a source's packets before the first was decoded.
const PACKET_MS: u32 = 20;

/// From which payload numbers to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) from: Vec<(u8, Voice)>,
    pub(super) to: Spoken,
}

/// What a tick gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// Nothing is due.
    Nothing,
    /// A payload.
    Packet,
    /// The source stopped.
    Pause,
}

/// The state of one direction.
#[derive(Debug)]
pub(super) struct Transcoder {
    pub(super) plan: Plan,
    buffer: JitterBuffer,
    inputs: Vec<Input>,
    /// The input whose packet came last.
    current: usize,
    encoder: Encoder,
    decoded: Box<[i16; MAX_SAMPLES]>,
    /// Sound at the encoder's rate that waits for a whole packet.
    sound: Vec<i16>,
    due: Mono,
    /// Of the source's last packet, at its own rate.
    packet_samples: usize,
    dry_ms: u32,
}

#[derive(Debug)]
struct Input {
    number: u8,
    decoder: Decoder,
    resampler: Option<Resampler>,
}

impl Transcoder {
    /// `None` when there is nothing to decode, or no memory.
    pub(super) fn new(plan: Plan) -> Option<Transcoder> {
        let rate = plan.to.voice.sample_rate();
        let input = |&(number, voice): &(u8, Voice)| {
            let from = voice.sample_rate();
            let resampler = if from == rate { None } else { Some(Resampler::new(from, rate)?) };
            Some(Input { number, decoder: Decoder::new(voice)?, resampler })
        };
        let inputs: Vec<Input> = plan.from.iter().filter_map(input).collect();
        let first = inputs.first()?.decoder.voice().sample_rate();
        Some(Transcoder {
            buffer: JitterBuffer::new(),
            inputs,
            current: 0,
            encoder: Encoder::new(plan.to.voice)?,
            decoded: Box::new([0; MAX_SAMPLES]),
            sound: Vec::with_capacity(4 * MAX_SAMPLES),
            due: Mono(0),
            packet_samples: (first * PACKET_MS / 1000) as usize,
            dry_ms: 0,
            plan,
        })
    }

    /// Takes a packet of the source; `payload` is `None` when it carries no sound.
    pub(super) fn put(&mut self, now: Mono, ssrc: u32, sequence: u16, number: u8, payload: Option<&[u8]>) {
        self.buffer.put(now, ssrc, sequence, number, payload);
    }

    /// Whether ticks are wanted.
    pub(super) fn is_idle(&self) -> bool {
        self.buffer.is_idle()
    }

    /// The source is heard otherwise now.
    pub(super) fn stop(&mut self) {
        self.buffer.stop();
        self.sound.clear();
    }

    /// Appends a payload, if one is due. `jitter_ms` is that of the source.
    pub(super) fn make(&mut self, now: Mono, jitter_ms: f32, out: &mut Vec<u8>) -> Made {
        let packet_ms = self.plan.to.packet_ms;
        let delay_ms = self.delay_ms(jitter_ms);
        if !self.buffer.is_playing() {
            if !self.buffer.begin(now, Duration::from_millis(u64::from(delay_ms))) {
                return Made::Nothing;
            }
            self.due = now;
            self.dry_ms = 0;
        }
        if self.due > now + HALF_TICK {
            return Made::Nothing;
        }
        if now.since(self.due) > STALL {
            self.due = now;
        }
        self.due = self.due + Duration::from_millis(u64::from(packet_ms));
        let frame = (self.plan.to.voice.sample_rate() * packet_ms / 1000) as usize;
        if self.waiting_ms() > delay_ms + packet_ms + SPARE_MS {
            // The remote's clock is faster than ours, or a burst came: one packet is not heard.
            let before = self.sound.len();
            self.pull();
            self.sound.truncate(before);
        }
        while self.sound.len() < frame && self.pull() {}
        if self.sound.is_empty() {
            return Made::Pause;
        }
        let ready = self.sound.len().max(frame);
        self.sound.resize(ready, 0);
        self.encoder.encode(&self.sound[..frame], out);
        self.sound.drain(..frame);
        Made::Packet
    }

    /// Twice the jitter, within bounds, and what longer packets of ours need at once.
    fn delay_ms(&self, jitter_ms: f32) -> u32 {
        let wished = (DELAY_MS.0 + 2.0 * jitter_ms).clamp(DELAY_MS.0, DELAY_MS.1);
        wished as u32 + self.plan.to.packet_ms.saturating_sub(self.source_packet_ms())
    }

    fn source_packet_ms(&self) -> u32 {
        let rate = self.inputs[self.current].decoder.voice().sample_rate();
        (self.packet_samples as u32 * 1000 / rate).max(1)
    }

    fn waiting_ms(&self) -> u32 {
        let sound_ms = self.sound.len() as u32 * 1000 / self.plan.to.voice.sample_rate();
        u32::from(self.buffer.held()) * self.source_packet_ms() + sound_ms
    }

    /// Brings in the sound of one packet, or what is heard instead of it; `false` when the source stopped.
    fn pull(&mut self) -> bool {
        let packet_ms = self.source_packet_ms();
        let mut count = 0;
        match self.buffer.take() {
            Next::Other => return true,
            Next::Sound(slot) => {
                self.dry_ms = 0;
                let known = self.inputs.iter().position(|input| input.number == slot.number);
                self.current = known.unwrap_or(self.current);
                count = self.inputs[self.current].decoder.decode(&slot.payload, &mut self.decoded);
                if count > 0 {
                    self.packet_samples = count;
                }
            }
            Next::Lost(following) => {
                let input = &mut self.inputs[self.current];
                let next = following.filter(|slot| slot.number == input.number);
                let next = next.map(|slot| slot.payload.as_slice());
                input.decoder.conceal(next, &mut self.decoded[..self.packet_samples]);
                count = self.packet_samples;
            }
            Next::Dry => {
                self.dry_ms += packet_ms;
                if self.dry_ms > DRY_MAX_MS {
                    self.buffer.stop();
                    return false;
                }
            }
        }
        let input = &mut self.inputs[self.current];
        if count == 0 {
            // Late, or no sound of that codec: the hole is filled, and what comes late is heard later.
            count = self.packet_samples;
            input.decoder.conceal(None, &mut self.decoded[..count]);
        }
        match &mut input.resampler {
            Some(resampler) => resampler.convert(&self.decoded[..count], &mut self.sound),
            None => self.sound.extend_from_slice(&self.decoded[..count]),
        }
        true
    }
}
