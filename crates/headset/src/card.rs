//! The sound card, by the system's own library.
#![expect(
    clippy::disallowed_methods,
    reason = "what is no card is held to real time on the library's own threads"
)]

use cpal::traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _};
use cpal::{
    BufferSize, Device, FromSample, Host, Sample as _, SampleFormat, SizedSample, Stream, StreamConfig,
    SupportedStreamConfigRange,
};
use headset::{FRAME, Pace, Playout, RATE, Tone};
use media::codec::Resampler;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The rates that are used of what a card can, best first.
const RATES: [u32; 2] = [RATE, 48_000];
/// Formats likewise.
const FORMATS: [SampleFormat; 2] = [SampleFormat::I16, SampleFormat::F32];

/// Which way a device is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

/// What the loudspeaker plays.
#[derive(Debug, Default)]
pub(super) struct Loudspeaker {
    pub(super) playout: Playout,
    tone: Tone,
    position: u64,
}

impl Loudspeaker {
    /// A tone from its beginning; the same goes on.
    pub(super) fn sound(&mut self, tone: Tone) {
        if self.tone != tone {
            (self.tone, self.position) = (tone, 0);
        }
    }

    fn fill(&mut self, out: &mut [i16]) {
        if !self.playout.take(out) {
            self.tone.fill(self.position, out);
        }
        self.position += out.len() as u64;
    }
}

/// The devices of this machine, by name.
pub(super) fn names(host: &Host, way: Way) -> Result<Vec<String>, cpal::Error> {
    Ok(devices(host, way)?.into_iter().map(|(name, _)| name).collect())
}

fn devices(host: &Host, way: Way) -> Result<Vec<(String, Device)>, cpal::Error> {
    let named = |device: Device| Some((device.description().ok()?.name().to_owned(), device));
    Ok(match way {
        Way::In => host.input_devices()?.filter_map(named).collect(),
        Way::Out => host.output_devices()?.filter_map(named).collect(),
    })
}

/// A device by a part of its name, or the usual one.
pub(super) fn device(host: &Host, way: Way, wanted: &str) -> Result<Device, String> {
    let what = match way {
        Way::In => "microphone",
        Way::Out => "loudspeaker",
    };
    let found = match (way, wanted) {
        (Way::In, "") => host.default_input_device(),
        (Way::Out, "") => host.default_output_device(),
        _ => {
            let all = devices(host, way).map_err(|error| error.to_string())?;
            all.into_iter().find(|(name, _)| name.contains(wanted)).map(|(_, device)| device)
        }
    };
    found.ok_or_else(|| match wanted {
        "" => format!("this machine has no {what}"),
        name => format!("no {what} is called \"{name}\"; --list names them"),
    })
}

/// The first of our rates and formats that a device can.
fn setting(
    ranges: impl Iterator<Item = SupportedStreamConfigRange>,
) -> Result<(StreamConfig, SampleFormat), String> {
    let ranges: Vec<SupportedStreamConfigRange> = ranges.collect();
    let fits = |rate: u32, format: SampleFormat| {
        let mut fitting: Vec<_> = ranges
            .iter()
            .filter(|range| range.sample_format() == format)
            .filter(|range| (range.min_sample_rate()..=range.max_sample_rate()).contains(&rate))
            .collect();
        fitting.sort_by_key(|range| range.channels());
        let channels = fitting.first()?.channels();
        let config = StreamConfig { channels, sample_rate: rate, buffer_size: BufferSize::Default };
        Some((config, format))
    };
    let all = RATES.into_iter().flat_map(|rate| FORMATS.map(|format| (rate, format)));
    all.into_iter()
        .find_map(|(rate, format)| fits(rate, format))
        .ok_or_else(|| "it has none of 16 and 48 kHz".to_owned())
}

/// Plays until the stream is dropped.
pub(super) fn play(device: &Device, speaker: &Arc<Mutex<Loudspeaker>>) -> Result<Stream, String> {
    let ranges = device.supported_output_configs().map_err(|error| error.to_string())?;
    let (config, format) = setting(ranges)?;
    let stream = match format {
        SampleFormat::F32 => output::<f32>(device, config, Arc::clone(speaker)),
        _ => output::<i16>(device, config, Arc::clone(speaker)),
    }?;
    stream.play().map_err(|error| error.to_string())?;
    Ok(stream)
}

fn output<T: SizedSample + FromSample<i16>>(
    device: &Device,
    config: StreamConfig,
    speaker: Arc<Mutex<Loudspeaker>>,
) -> Result<Stream, String> {
    let channels = usize::from(config.channels);
    let mut widener = resampler(RATE, config.sample_rate)?;
    let (mut pace, began) = (Pace::default(), Instant::now());
    let mut ready: Vec<i16> = Vec::new();
    let fill = move |out: &mut [T], _: &cpal::OutputCallbackInfo| {
        let wanted = out.len() / channels;
        let mut frame = [0; FRAME];
        while ready.len() < wanted {
            speaker.lock().unwrap_or_else(PoisonError::into_inner).fill(&mut frame);
            match &mut widener {
                Some(widener) => widener.convert(&frame, &mut ready),
                None => ready.extend_from_slice(&frame),
            }
            std::thread::sleep(pace.asked(began.elapsed(), FRAME));
        }
        for (all, sample) in out.chunks_mut(channels).zip(ready.drain(..wanted)) {
            all.fill(T::from_sample(sample));
        }
    };
    device.build_output_stream(config, fill, complain("loudspeaker"), None).map_err(|error| error.to_string())
}

/// Listens until the stream is dropped; frames that nobody takes are lost.
pub(super) fn listen(device: &Device, frames: SyncSender<Vec<i16>>) -> Result<Stream, String> {
    let ranges = device.supported_input_configs().map_err(|error| error.to_string())?;
    let (config, format) = setting(ranges)?;
    let stream = match format {
        SampleFormat::F32 => input::<f32>(device, config, frames),
        _ => input::<i16>(device, config, frames),
    }?;
    stream.play().map_err(|error| error.to_string())?;
    Ok(stream)
}

fn input<T: SizedSample>(
    device: &Device,
    config: StreamConfig,
    frames: SyncSender<Vec<i16>>,
) -> Result<Stream, String>
where
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels);
    let mut thinner = resampler(config.sample_rate, RATE)?;
    let (mut pace, began) = (Pace::default(), Instant::now());
    let mut heard: Vec<i16> = Vec::new();
    let take = move |all: &[T], _: &cpal::InputCallbackInfo| {
        let one = all.chunks(channels).map(|together| {
            let sum: f32 = together.iter().map(|sample| f32::from_sample(*sample)).sum();
            i16::from_sample(sum / channels as f32)
        });
        match &mut thinner {
            Some(thinner) => thinner.convert(&one.collect::<Vec<i16>>(), &mut heard),
            None => heard.extend(one),
        }
        while heard.len() >= FRAME {
            let frame = heard.drain(..FRAME).collect();
            let _ = frames.try_send(frame);
            std::thread::sleep(pace.asked(began.elapsed(), FRAME));
        }
    };
    device.build_input_stream(config, take, complain("microphone"), None).map_err(|error| error.to_string())
}

fn resampler(from: u32, to: u32) -> Result<Option<Resampler>, String> {
    if from == to {
        return Ok(None);
    }
    Resampler::new(from, to).map(Some).ok_or_else(|| format!("{from} Hz cannot be made {to} Hz"))
}

fn complain(what: &'static str) -> impl FnMut(cpal::Error) + Send + 'static {
    move |error| eprintln!("ringdown-headset: the {what}: {error}")
}
