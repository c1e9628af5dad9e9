//! RIFF WAVE files with 16-bit PCM or mu-law, mono or stereo.
//!
//! ```text
//! "RIFF" length "WAVE"   { id length bytes, padded to even }*   of which "fmt " and "data" are read
//! ```

use super::RATE;
use crate::codec::Resampler;
use std::fmt;

/// The longest recording, in seconds.
const LONGEST_S: usize = 600;
/// `wFormatTag` of integers, of mu-law, and of a header that names the format further on.
const PCM: u16 = 1;
const MU_LAW: u16 = 7;
const EXTENSIBLE: u16 = 0xfffe;

/// Why a file cannot be a sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WavError {
    /// No RIFF WAVE file, or cut off before its sound.
    NotWave,
    /// Neither 16-bit PCM nor mu-law, in one or two channels.
    Format,
    /// A sample rate that cannot be converted from.
    Rate(u32),
    /// Without a sample.
    Empty,
    /// Longer than ten minutes.
    TooLong,
    /// There are too many sounds already.
    TooMany,
}

impl fmt::Display for WavError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WavError::NotWave => f.write_str("no RIFF WAVE file"),
            WavError::Format => f.write_str("neither 16-bit PCM nor mu-law, mono or stereo"),
            WavError::Rate(rate) => write!(f, "cannot convert from {rate} Hz"),
            WavError::Empty => f.write_str("no sound in the file"),
            WavError::TooLong => f.write_str("longer than ten minutes"),
            WavError::TooMany => f.write_str("too many sounds"),
        }
    }
}

impl std::error::Error for WavError {}

/// The sound of a file in mono at [`RATE`].
pub(super) fn read(file: &[u8]) -> Result<Vec<i16>, WavError> {
    let Sampled { channels, rate, octets, data } = chunks(file)?;
    let frame = usize::from(channels) * octets;
    let frames = data.len() / frame;
    if frames == 0 {
        return Err(WavError::Empty);
    }
    // The rate comes first: it bounds the division and the resampler's filters.
    let resampler = Resampler::new(rate, RATE).filter(|_| rate >= 8000);
    let mut resampler = resampler.ok_or(WavError::Rate(rate))?;
    if frames / rate as usize > LONGEST_S {
        return Err(WavError::TooLong);
    }
    let mean = if octets == 1 { mean_of_mu_law } else { mean };
    let mono: Vec<i16> = data.chunks_exact(frame).map(mean).collect();
    if rate == RATE {
        return Ok(mono);
    }
    let mut sound = Vec::with_capacity((frames * RATE as usize).div_ceil(rate as usize) + 1);
    resampler.convert(&mono, &mut sound);
    Ok(sound)
}

/// The samples of a file, and how to read them.
struct Sampled<'a> {
    channels: u16,
    rate: u32,
    /// Of one sample: 1 is mu-law.
    octets: usize,
    data: &'a [u8],
}

fn chunks(file: &[u8]) -> Result<Sampled<'_>, WavError> {
    let wave = file.get(..12).is_some_and(|head| head.starts_with(b"RIFF") && head.ends_with(b"WAVE"));
    let mut rest = file.get(12..).filter(|_| wave).ok_or(WavError::NotWave)?;
    let mut format = None;
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        // A recorder that was stopped hard leaves a length that is too long; what is there is taken.
        let body = &after[..length.min(after.len())];
        match &head[..4] {
            b"fmt " => format = Some(read_format(body)?),
            b"data" => {
                let (channels, rate, octets) = format.ok_or(WavError::NotWave)?;
                return Ok(Sampled { channels, rate, octets, data: body });
            }
            _ => {}
        }
        rest = after.get(length.saturating_add(length % 2)..).unwrap_or(&[]);
    }
    Err(WavError::NotWave)
}

fn read_format(body: &[u8]) -> Result<(u16, u32, usize), WavError> {
    let word = |at: usize| body.get(at..at + 2).map(|two| u16::from_le_bytes([two[0], two[1]]));
    let (Some(tag), Some(channels), Some(bits)) = (word(0), word(2), word(14)) else {
        return Err(WavError::NotWave);
    };
    let (Some(low), Some(high)) = (word(4), word(6)) else { return Err(WavError::NotWave) };
    let tag = if tag == EXTENSIBLE { word(24).unwrap_or(0) } else { tag };
    let octets = match (tag, bits) {
        (PCM, 16) => 2,
        (MU_LAW, 8) => 1,
        _ => return Err(WavError::Format),
    };
    if !(1..=2).contains(&channels) {
        return Err(WavError::Format);
    }
    Ok((channels, u32::from(high) << 16 | u32::from(low), octets))
}

/// One sample of all channels.
fn mean(frame: &[u8]) -> i16 {
    let samples = frame.as_chunks::<2>().0;
    let sum: i32 = samples.iter().map(|sample| i32::from(i16::from_le_bytes(*sample))).sum();
    (sum / samples.len().max(1) as i32) as i16
}

/// The same of mu-law (ITU-T G.711).
fn mean_of_mu_law(frame: &[u8]) -> i16 {
    let sum: i32 = frame.iter().map(|&octet| i32::from(mu_law(octet))).sum();
    (sum / frame.len().max(1) as i32) as i16
}

fn mu_law(octet: u8) -> i16 {
    let bits = !octet;
    let magnitude = (((i16::from(bits & 0x0F) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;
    if bits & 0x80 == 0 { magnitude } else { -magnitude }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A file with a tone of 1 kHz.
    pub(in super::super) fn file(rate: u32, channels: u16, frames: u32) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0\x01\0".to_vec();
        file.extend(channels.to_le_bytes());
        file.extend(rate.to_le_bytes());
        file.extend((rate * 2 * u32::from(channels)).to_le_bytes());
        file.extend((channels * 2).to_le_bytes());
        file.extend(16_u16.to_le_bytes());
        file.extend(b"data");
        file.extend((frames * 2 * u32::from(channels)).to_le_bytes());
        for n in 0..frames {
            let sample = (f64::from(n) * 1000.0 * std::f64::consts::TAU / f64::from(rate)).sin() * 8000.0;
            (0..channels).for_each(|_| file.extend((sample as i16).to_le_bytes()));
        }
        file
    }

    #[test]
    fn any_rate_becomes_ours_at_the_same_level() {
        for (rate, channels) in [(8000, 1), (11_025, 2), (16_000, 1), (22_050, 1), (44_100, 2), (48_000, 1)] {
            let sound = read(&file(rate, channels, rate)).unwrap();
            assert_eq!(sound.len(), 16_000, "{rate}");
            let level =
                (sound[2000..14_000].iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / 12_000.0).sqrt();
            assert!((level / 5657.0 - 1.0).abs() < 0.02, "{rate} {level}");
        }
    }

    #[test]
    fn wrong_files_are_named() {
        let good = file(8000, 1, 80);
        let with = |at: usize, byte: u8| {
            let mut file = good.clone();
            file[at] = byte;
            file
        };
        // LIST ends at 24, the format's body begins at 32.
        let table = [
            (Vec::new(), WavError::NotWave),
            (good[..50].to_vec(), WavError::NotWave),
            (with(8, b'X'), WavError::NotWave),
            (with(32, 6), WavError::Format),
            (with(34, 3), WavError::Format),
            (with(46, 8), WavError::Format),
            (with(36, 1), WavError::Rate(0x1f01)),
            (file(8000, 1, 0), WavError::Empty),
            (file(8000, 1, 8000 * 602), WavError::TooLong),
        ];
        for (file, error) in table {
            assert_eq!(read(&file).unwrap_err(), error);
        }
    }

    #[test]
    fn mu_law_is_read_as_the_codec_reads_it() {
        let mut file =
            b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x07\0\x01\0\x80\x3e\0\0\x80\x3e\0\0\x01\0\x08\0data\0\x01\0\0"
                .to_vec();
        file.extend(0..=255_u8);
        let mut decoder = crate::codec::Decoder::new(crate::codec::Voice::Pcmu).unwrap();
        let all: Vec<u8> = (0..=255).collect();
        let mut out = [0; crate::codec::MAX_SAMPLES];
        let samples = decoder.decode(&all, &mut out);
        assert_eq!(read(&file).unwrap(), out[..samples]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..60) {
            let _ = read(&bytes);
            let mut damaged = file(8000, 1, 80);
            for (place, byte) in damaged[at..].iter_mut().zip(bytes.iter().take(4)) {
                *place = *byte;
            }
            let _ = read(&damaged);
        }
    }
}
