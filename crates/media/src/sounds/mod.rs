//! Recordings and tones, encoded once per codec at load (R3).

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
}

/// All sounds, shared by the workers.
#[derive(Debug, Default)]
pub struct Sounds {}

impl Sounds {
    /// The built-in sounds.
    #[must_use]
    pub fn built_in() -> Sounds {
        Sounds {}
    }
}
