//! Encoders and decoders of the four codecs that we speak, one closed enum each.
//!
//! Opus is opened at 16 kHz: whatever we transcode or play has no more, and its RTP clock is 48000 whatever
//! it carries (RFC 7587 4.1).

use super::conceal::Memory;
use super::{CodecName, g711, g722};
use opus::{Application, Bitrate, Channels};

/// The most samples of one packet: 120 ms at 16 kHz, which is the longest that Opus may be.
pub const MAX_SAMPLES: usize = 1920;
/// Wide-band speech through a terminal is transparent at this rate (RFC 6716 2.1.1).
const OPUS_BITS: i32 = 28_000;
/// Enough for FEC to be spent on, in percent.
const OPUS_LOSS: i32 = 10;

/// A codec that we can encode and decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Voice {
    /// G.711 mu-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722 at 64 kbit/s.
    G722,
    /// Opus, mono.
    Opus,
}

impl Voice {
    /// All four.
    pub const ALL: [Voice; 4] = [Voice::Pcmu, Voice::Pcma, Voice::G722, Voice::Opus];

    /// The one of that name, if we have it.
    #[must_use]
    pub fn of(name: &CodecName) -> Option<Voice> {
        match name {
            CodecName::Pcmu => Some(Voice::Pcmu),
            CodecName::Pcma => Some(Voice::Pcma),
            CodecName::G722 => Some(Voice::G722),
            CodecName::Opus => Some(Voice::Opus),
            CodecName::TelephoneEvent | CodecName::Other(_) => None,
        }
    }

    /// Samples a second of what is encoded and decoded.
    #[must_use]
    pub fn sample_rate(self) -> u32 {
        match self {
            Voice::Pcmu | Voice::Pcma => 8000,
            Voice::G722 | Voice::Opus => 16_000,
        }
    }

    /// Ticks a second of the RTP clock.
    #[must_use]
    pub fn clock_rate(self) -> u32 {
        if self == Voice::Opus { 48_000 } else { 8000 }
    }

    /// How much sound a packet of ours has when the remote wishes for `ptime_ms`. Opus cannot be cut at
    /// will, and 20 ms is what everybody expects of it.
    #[must_use]
    pub fn packet_ms(self, ptime_ms: u16) -> u32 {
        if self == Voice::Opus { 20 } else { u32::from(ptime_ms).clamp(10, 60) / 10 * 10 }
    }
}

/// From sound to payloads.
#[derive(Debug)]
pub struct Encoder {
    voice: Voice,
    state: EncoderState,
}

#[derive(Debug)]
enum EncoderState {
    None,
    G722(Box<g722::Encoder>),
    Opus(opus::Encoder),
}

impl Encoder {
    /// For live speech. `None` when there is no memory for it.
    #[must_use]
    pub fn new(voice: Voice) -> Option<Encoder> {
        Encoder::with(voice, Application::Voip)
    }

    /// For recordings and music, where start-up time counts more than octets: no speech model.
    pub(crate) fn of_recordings(voice: Voice) -> Option<Encoder> {
        Encoder::with(voice, Application::LowDelay)
    }

    fn with(voice: Voice, application: Application) -> Option<Encoder> {
        let state = match voice {
            Voice::Pcmu | Voice::Pcma => EncoderState::None,
            Voice::G722 => EncoderState::G722(Box::new(g722::Encoder::new())),
            Voice::Opus => EncoderState::Opus(open_opus(application).ok()?),
        };
        Some(Encoder { voice, state })
    }

    /// Appends the payload of one frame: 10, 20, 40 or 60 ms for Opus, any even number of samples for the
    /// others. Returns how many octets it has; 0 when Opus refused the frame.
    pub fn encode(&mut self, frame: &[i16], out: &mut Vec<u8>) -> usize {
        let start = out.len();
        match (&mut self.state, self.voice) {
            (EncoderState::G722(g722), _) => {
                out.extend(frame.as_chunks::<2>().0.iter().map(|pair| g722.encode(pair[0], pair[1])));
            }
            (EncoderState::Opus(opus), _) => {
                out.resize(start + 1000, 0);
                let length = opus.encode(frame, &mut out[start..]).unwrap_or(0);
                out.truncate(start + length);
            }
            (EncoderState::None, Voice::Pcma) => out.extend(frame.iter().map(|&sample| g711::to_a(sample))),
            (EncoderState::None, _) => out.extend(frame.iter().map(|&sample| g711::to_mu(sample))),
        }
        out.len() - start
    }
}

fn open_opus(application: Application) -> opus::Result<opus::Encoder> {
    let mut encoder = opus::Encoder::new(16_000, Channels::Mono, application)?;
    encoder.set_bitrate(Bitrate::Bits(OPUS_BITS))?;
    if application == Application::Voip {
        encoder.set_complexity(5)?;
        encoder.set_inband_fec(true)?;
        encoder.set_packet_loss_perc(OPUS_LOSS)?;
    } else {
        encoder.set_complexity(2)?;
    }
    Ok(encoder)
}

/// From payloads to sound.
#[derive(Debug)]
pub struct Decoder {
    voice: Voice,
    state: DecoderState,
}

#[derive(Debug)]
enum DecoderState {
    G711(Memory),
    G722(Box<g722::Decoder>, Memory),
    Opus(opus::Decoder),
}

impl Decoder {
    /// `None` when there is no memory for it.
    #[must_use]
    pub fn new(voice: Voice) -> Option<Decoder> {
        let memory = || Memory::new(voice.sample_rate());
        let state = match voice {
            Voice::Pcmu | Voice::Pcma => DecoderState::G711(memory()),
            Voice::G722 => DecoderState::G722(Box::new(g722::Decoder::new()), memory()),
            Voice::Opus => DecoderState::Opus(opus::Decoder::new(16_000, Channels::Mono).ok()?),
        };
        Some(Decoder { voice, state })
    }

    /// Which codec.
    #[must_use]
    pub fn voice(&self) -> Voice {
        self.voice
    }

    /// Decodes a payload and returns how many samples it had; what is over [`MAX_SAMPLES`] is cut, and what
    /// is no payload of the codec gives none.
    pub fn decode(&mut self, payload: &[u8], out: &mut [i16; MAX_SAMPLES]) -> usize {
        match &mut self.state {
            DecoderState::G711(memory) => {
                let expand = if self.voice == Voice::Pcma { g711::from_a } else { g711::from_mu };
                let count = payload.len().min(MAX_SAMPLES);
                for (sample, &code) in out.iter_mut().zip(payload) {
                    *sample = expand(code);
                }
                memory.keep(&out[..count]);
                count
            }
            DecoderState::G722(g722, memory) => {
                let pairs = out.as_chunks_mut::<2>().0;
                let count = pairs.len().min(payload.len());
                for (pair, &code) in pairs.iter_mut().zip(payload) {
                    *pair = g722.decode(code);
                }
                memory.keep(&out[..count * 2]);
                count * 2
            }
            // Without octets Opus would conceal.
            DecoderState::Opus(_) if payload.is_empty() => 0,
            DecoderState::Opus(opus) => opus.decode(payload, out, false).unwrap_or(0),
        }
    }

    /// Sound in place of a lost packet; `next` is the payload after it, if it is already here, for it may
    /// carry the lost one again (RFC 6716 2.1.7).
    pub fn conceal(&mut self, next: Option<&[u8]>, out: &mut [i16]) {
        match &mut self.state {
            DecoderState::G711(memory) | DecoderState::G722(_, memory) => memory.fill(out),
            DecoderState::Opus(opus) => {
                let (payload, fec) =
                    next.filter(|next| !next.is_empty()).map_or((&[][..], false), |n| (n, true));
                if opus.decode(payload, out, fec).is_err() {
                    out.fill(0);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Resampler;
    use super::*;

    const LEVEL: f64 = 8000.0;

    fn sine(voice: Voice, hertz: f64) -> Vec<i16> {
        let rate = f64::from(voice.sample_rate());
        (0..voice.sample_rate())
            .map(|n| ((f64::from(n) * hertz * std::f64::consts::TAU / rate).sin() * LEVEL) as i16)
            .collect()
    }

    /// Through a codec, in frames of 20 ms.
    fn through(voice: Voice, sound: &[i16]) -> Vec<i16> {
        let (mut encoder, mut decoder) = (Encoder::new(voice).unwrap(), Decoder::new(voice).unwrap());
        let (mut out, mut payload, mut decoded) = (Vec::new(), Vec::new(), [0; MAX_SAMPLES]);
        for frame in sound.chunks_exact(voice.sample_rate() as usize / 50) {
            payload.clear();
            assert!(encoder.encode(frame, &mut payload) > 0);
            let count = decoder.decode(&payload, &mut decoded);
            assert_eq!(count, frame.len());
            out.extend_from_slice(&decoded[..count]);
        }
        out
    }

    /// How much of a frequency is in a sound, as an amplitude.
    fn amplitude(sound: &[i16], rate: u32, hertz: f64) -> f64 {
        let sum = sound.iter().enumerate().fold((0.0, 0.0), |(re, im), (n, &sample)| {
            let angle = n as f64 * hertz * std::f64::consts::TAU / f64::from(rate);
            (re + f64::from(sample) * angle.cos(), im + f64::from(sample) * angle.sin())
        });
        2.0 * sum.0.hypot(sum.1) / sound.len() as f64
    }

    #[test]
    fn a_tone_keeps_pitch_and_level_in_all_16_pairs() {
        for (from, to) in Voice::ALL.into_iter().flat_map(|a| Voice::ALL.map(|b| (a, b))) {
            for hertz in [440.0, 1000.0] {
                let first = through(from, &sine(from, hertz));
                let mut between = Vec::new();
                match from.sample_rate() == to.sample_rate() {
                    true => between = first,
                    false => Resampler::new(from.sample_rate(), to.sample_rate())
                        .unwrap()
                        .convert(&first, &mut between),
                }
                let last = through(to, &between);
                // Half a second of whole periods, once everything has settled.
                let rate = to.sample_rate();
                let settled = &last[rate as usize / 4..][..rate as usize / 2];
                let gain = 20.0 * (amplitude(settled, rate, hertz) / LEVEL).log10();
                assert!(gain.abs() < 1.0, "{from:?} {to:?} {hertz}: {gain} dB");
                let power = settled.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / settled.len() as f64;
                let total = 20.0 * ((2.0 * power).sqrt() / LEVEL).log10();
                assert!(
                    total.abs() < 1.0,
                    "{from:?} {to:?} {hertz}: {total} dB with all that is not the tone"
                );
            }
        }
    }

    #[test]
    fn lost_packets_are_concealed() {
        for voice in Voice::ALL {
            let (mut encoder, mut decoder) = (Encoder::new(voice).unwrap(), Decoder::new(voice).unwrap());
            let frames = voice.sample_rate() as usize / 50;
            let sound = sine(voice, 440.0);
            let (mut payload, mut out) = (Vec::new(), [0; MAX_SAMPLES]);
            for frame in sound.chunks_exact(frames).take(20) {
                payload.clear();
                encoder.encode(frame, &mut payload);
                decoder.decode(&payload, &mut out);
            }
            let mut hole = vec![0; frames];
            decoder.conceal(None, &mut hole);
            let level = (hole.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / frames as f64).sqrt();
            assert!(level > 2000.0, "{voice:?} {level}");
        }
    }

    #[test]
    fn any_octets_are_decoded_or_refused() {
        let mut state = 7_u32;
        let mut decoders = Voice::ALL.map(|voice| Decoder::new(voice).unwrap());
        let mut out = [0; MAX_SAMPLES];
        for length in (0..1500).step_by(3) {
            let junk: Vec<u8> = (0..length)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            for decoder in &mut decoders {
                assert!(decoder.decode(&junk, &mut out) <= MAX_SAMPLES);
                decoder.conceal(Some(&junk), &mut out[..320]);
            }
        }
    }
}
