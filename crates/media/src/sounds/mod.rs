//! Recordings and tones, encoded once per codec at load (R3).

mod information;
mod music;
mod prompts;
mod signals;
mod track;
mod wav;

pub use information::{Announced, InformationTones};
pub use prompts::{Prompt, Tongue};
pub use wav::WavError;

use crate::order::Tone;
use std::collections::BTreeMap;
use std::sync::Arc;
use track::Track;

/// How many sounds there may be.
const SOUNDS_MAX: usize = 10_000;
/// Before resampling to what the codecs want, everything is at this rate.
const RATE: u32 = 16_000;

/// Names a sound of [`Sounds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SoundId(pub u16);

impl SoundId {
    /// Music on hold, generated.
    pub const MUSIC: SoundId = SoundId(0);
    /// What the echo number says first: three short beeps.
    pub const ECHO: SoundId = SoundId(1);
    /// One short beep.
    pub const BEEP: SoundId = SoundId(2);
    /// The first of the prompts, see [`Prompt::sound`].
    pub(crate) const FIRST_PROMPT: SoundId = SoundId(3);
}

/// The sound of a RIFF file with 16-bit PCM or mu-law, mono or stereo, in mono at 16 kHz.
///
/// # Errors
/// [`WavError`] says what is wrong with the file.
pub fn read_wav(file: &[u8]) -> Result<Vec<i16>, WavError> {
    wav::read(file)
}

/// All sounds, shared by the workers.
#[derive(Clone, Debug, Default)]
pub struct Sounds {
    /// A sound that was taken out leaves its place to the next.
    sounds: Vec<Option<Arc<Track>>>,
    tones: Vec<Arc<Track>>,
    names: BTreeMap<Box<str>, SoundId>,
}

impl Sounds {
    /// The built-in sounds, named `music`, `echo` and `beep`.
    #[must_use]
    pub fn built_in() -> Sounds {
        let sounds = [music::compose(), signals::three_beeps(), signals::beep()];
        let names = [("music", SoundId::MUSIC), ("echo", SoundId::ECHO), ("beep", SoundId::BEEP)];
        Sounds {
            sounds: sounds.iter().map(|sound| Some(Arc::new(Track::new(sound)))).collect(),
            tones: TONES.iter().map(|tone| Arc::new(Track::new(&signals::tone(*tone)))).collect(),
            names: names.into_iter().map(|(name, id)| (name.into(), id)).collect(),
        }
    }

    /// Adds the spoken prompts in all languages, named `en/done` and so on. They take a while to encode, so
    /// whoever says nothing goes without; recordings are added after them.
    pub fn add_prompts(&mut self) {
        self.sounds.truncate(usize::from(SoundId::FIRST_PROMPT.0));
        for (name, track) in prompts::load() {
            let id = SoundId(self.sounds.len() as u16);
            self.sounds.push(Some(Arc::new(track)));
            self.names.insert(name.into(), id);
        }
    }

    /// Adds a recording: a RIFF file with 16-bit PCM or mu-law, mono or stereo.
    ///
    /// # Errors
    /// [`WavError`] says what is wrong with the file, or that there are too many sounds.
    pub fn add_wav(&mut self, file: &[u8]) -> Result<SoundId, WavError> {
        let free = self.sounds.iter().position(Option::is_none).unwrap_or(self.sounds.len());
        if free >= SOUNDS_MAX {
            return Err(WavError::TooMany);
        }
        let id = u16::try_from(free).map_err(|_| WavError::TooMany)?;
        let track = Some(Arc::new(Track::new(&wav::read(file)?)));
        match self.sounds.get_mut(free) {
            Some(place) => *place = track,
            None => self.sounds.push(track),
        }
        Ok(SoundId(id))
    }

    /// Takes a recording out again; whoever still hears it hears nothing from now on.
    pub fn remove(&mut self, id: SoundId) {
        let recorded = SoundId::FIRST_PROMPT.0 as usize + prompts::count();
        if let Some(place) = self.sounds.get_mut(usize::from(id.0)).filter(|_| usize::from(id.0) >= recorded)
        {
            *place = None;
            self.names.retain(|_, known| *known != id);
        }
    }

    /// Gives a sound a name by which [`Sounds::find`] finds it; the newest bearer of a name has it.
    pub fn set_name(&mut self, id: SoundId, name: &str) {
        if self.sound(id).is_some() {
            self.names.insert(name.into(), id);
        }
    }

    /// The sound of a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<SoundId> {
        self.names.get(name).copied()
    }

    /// How long a sound lasts in ms, filled up to whole packets of 20 ms.
    #[must_use]
    pub fn length_ms(&self, id: SoundId) -> Option<u32> {
        self.sound(id).map(Track::length_ms)
    }

    pub(crate) fn sound(&self, id: SoundId) -> Option<&Track> {
        self.sounds.get(usize::from(id.0))?.as_deref()
    }

    pub(crate) fn tone(&self, tone: Tone) -> Option<&Track> {
        self.tones.get(TONES.iter().position(|known| *known == tone)?).map(AsRef::as_ref)
    }
}

const TONES: [Tone; 4] = [Tone::RingBack, Tone::Busy, Tone::Congestion, Tone::Dial];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_sounds_have_names_and_lengths() {
        let sounds = Sounds::built_in();
        for (name, id, lengths) in [
            ("music", SoundId::MUSIC, 20_000..=30_000),
            ("echo", SoundId::ECHO, 500..=1500),
            ("beep", SoundId::BEEP, 100..=500),
        ] {
            assert_eq!(sounds.find(name), Some(id));
            assert!(lengths.contains(&sounds.length_ms(id).unwrap()), "{name}");
        }
        assert_eq!(sounds.find("nothing"), None);
        assert_eq!(TONES.map(|tone| sounds.tone(tone).unwrap().length_ms()), [5000, 1000, 400, 1000]);
    }

    #[test]
    fn a_recording_is_added_and_named() {
        let mut sounds = Sounds::built_in();
        let id = sounds.add_wav(&wav::tests::file(44_100, 2, 22_050)).unwrap();
        sounds.set_name(id, "welcome");
        assert_eq!((sounds.find("welcome"), sounds.length_ms(id)), (Some(id), Some(500)));
        assert!(sounds.add_wav(b"RIFF").is_err());
    }

    #[test]
    fn a_recording_that_is_taken_out_leaves_its_place_and_what_is_built_in_stays() {
        let mut sounds = Sounds::built_in();
        sounds.add_prompts();
        let file = wav::tests::file(8_000, 1, 8_000);
        let ids = [0; 3].map(|_| sounds.add_wav(&file).unwrap());
        sounds.set_name(ids[1], "welcome");
        let before = sounds.clone();
        sounds.remove(ids[1]);
        assert_eq!((sounds.length_ms(ids[1]), sounds.find("welcome")), (None, None));
        assert_eq!(before.length_ms(ids[1]), Some(1_000), "whoever has the sounds of before has it still");
        sounds.remove(SoundId::MUSIC);
        assert!(sounds.length_ms(SoundId::MUSIC).is_some());
        assert_eq!(sounds.add_wav(&file).unwrap(), ids[1]);
    }
}
