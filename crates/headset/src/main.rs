//! `ringdown-headset`: the microphone and the loudspeaker of a phone.

mod card;

use card::{Loudspeaker, Way};
use clap::Parser;
use cpal::Stream;
use headset::{Order, Tone, read_order};
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Frames of 20 ms that may wait until the phone takes them; a phone that sleeps hears the newest.
const WAITING: usize = 10;

/// The microphone and the loudspeaker of a phone.
///
/// `ringdown phone --headset` starts it, and tells it when to open the microphone: with the dialling, until the call is over. It ends
/// when its input ends. Sound is 16-bit PCM at 16 kHz, one channel.
#[derive(Parser)]
#[command(name = "ringdown-headset", version)]
struct Arguments {
    /// The microphone, by its name or a part of it [default: the system's]
    #[arg(long, value_name = "NAME", default_value = "")]
    microphone: String,
    /// The loudspeaker, by its name or a part of it [default: the system's]
    #[arg(long, value_name = "NAME", default_value = "")]
    speaker: String,
    /// Name the devices of this machine, and end
    #[arg(long)]
    list: bool,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("ringdown-headset: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let host = cpal::default_host();
    if arguments.list {
        for (what, way) in [("microphone", Way::In), ("loudspeaker", Way::Out)] {
            for name in card::names(&host, way)? {
                writeln!(io::stdout(), "{what:<12}{name}")?;
            }
        }
        return Ok(());
    }
    let microphone = card::device(&host, Way::In, &arguments.microphone)?;
    let speaker = card::device(&host, Way::Out, &arguments.speaker)?;
    let (frames, heard) = sync_channel(WAITING);
    std::thread::Builder::new().name("microphone".into()).spawn(move || carry(&heard))?;
    let mut headset = Headset { frames, listens: None, plays: None, loudspeaker: Arc::default() };
    let mut orders = io::stdin().lock();
    while let Some(order) = read_order(&mut orders)? {
        headset.obey(order, &microphone, &speaker)?;
    }
    Ok(())
}

/// Carries what the microphone hears to the phone; a phone that is gone hears nothing.
fn carry(heard: &Receiver<Vec<i16>>) {
    let mut out = io::stdout().lock();
    for frame in heard {
        let octets: Vec<u8> = frame.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        if out.write_all(&octets).and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

/// Streams are open only while they are needed.
struct Headset {
    frames: SyncSender<Vec<i16>>,
    listens: Option<Stream>,
    plays: Option<Stream>,
    loudspeaker: Arc<Mutex<Loudspeaker>>,
}

impl Headset {
    fn loudspeaker(&self) -> MutexGuard<'_, Loudspeaker> {
        self.loudspeaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn obey(
        &mut self,
        order: Order,
        microphone: &cpal::Device,
        speaker: &cpal::Device,
    ) -> Result<(), Failure> {
        match order {
            Order::Play(samples) => self.loudspeaker().playout.push(&samples),
            Order::Tone(tone) => {
                self.loudspeaker().sound(tone);
                if tone == Tone::None && self.listens.is_none() {
                    self.plays = None;
                }
                if tone != Tone::None {
                    self.open_loudspeaker(speaker)?;
                }
            }
            Order::Microphone(true) => {
                self.open_loudspeaker(speaker)?;
                if self.listens.is_none() {
                    let opened = card::listen(microphone, self.frames.clone());
                    self.listens = Some(opened.map_err(|why| format!("the microphone: {why}"))?);
                }
            }
            Order::Microphone(false) => {
                (self.listens, self.plays) = (None, None);
                *self.loudspeaker() = Loudspeaker::default();
            }
        }
        Ok(())
    }

    fn open_loudspeaker(&mut self, speaker: &cpal::Device) -> Result<(), Failure> {
        if self.plays.is_none() {
            self.loudspeaker().playout.clear();
            let opened = card::play(speaker, &self.loudspeaker);
            self.plays = Some(opened.map_err(|why| format!("the loudspeaker: {why}"))?);
        }
        Ok(())
    }
}
