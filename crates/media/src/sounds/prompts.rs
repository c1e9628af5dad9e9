//! Spoken prompts, in the languages of `sounds/prompts.json`; `scripts/prompts` makes their files.

use super::{SoundId, Track, wav};

/// A language that we speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tongue {
    /// English.
    #[default]
    En,
    /// Chinese, as spoken where characters are simplified.
    Zh,
}

/// What the catalogue calls the prompt of a variant, and where its files are.
macro_rules! prompts {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// Something that we can say.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Prompt {
            $($(#[$doc])* $variant,)+
        }

        impl Prompt {
            /// All of them, in the order of their sounds.
            pub const ALL: &[Prompt] = &[$(Prompt::$variant,)+];

            /// Its name in the catalogue.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Prompt::$variant => $name,)+
                }
            }
        }

        const FILES: [(Tongue, &[&[u8]]); 2] = [
            (Tongue::En, &[$(include_bytes!(concat!("../../sounds/en/", $name, ".wav")),)+]),
            (Tongue::Zh, &[$(include_bytes!(concat!("../../sounds/zh/", $name, ".wav")),)+]),
        ];
    };
}

prompts! {
    /// The digit 0.
    Digit0 = "digit-0",
    /// The digit 1.
    Digit1 = "digit-1",
    /// The digit 2.
    Digit2 = "digit-2",
    /// The digit 3.
    Digit3 = "digit-3",
    /// The digit 4.
    Digit4 = "digit-4",
    /// The digit 5.
    Digit5 = "digit-5",
    /// The digit 6.
    Digit6 = "digit-6",
    /// The digit 7.
    Digit7 = "digit-7",
    /// The digit 8.
    Digit8 = "digit-8",
    /// The digit 9.
    Digit9 = "digit-9",
    /// The key `*`.
    Star = "star",
    /// The key `#`.
    Pound = "pound",
    /// The `+` before an international number.
    Plus = "plus",
    /// What was asked for is done.
    Done = "done",
    /// Asks for a number, then pound.
    EnterNumber = "enter-number",
    /// Asks for the PIN, then pound.
    EnterPin = "enter-pin",
    /// The PIN is wrong.
    WrongPin = "wrong-pin",
    /// Asks for a feature code, then pound.
    EnterCode = "enter-code",
    /// Too many wrong PINs.
    PinLocked = "pin-locked",
    /// This phone may not do that.
    NotAllowed = "not-allowed",
    /// Nobody has this number.
    UnknownNumber = "unknown-number",
    /// Asks to try again.
    TryAgain = "try-again",
    /// The end of a dialogue.
    Goodbye = "goodbye",
    /// Do not disturb is on.
    DndOn = "dnd-on",
    /// Do not disturb is off.
    DndOff = "dnd-off",
    /// Forwarding of all calls is on.
    ForwardAlwaysOn = "forward-always-on",
    /// Forwarding of all calls is off.
    ForwardAlwaysOff = "forward-always-off",
    /// Forwarding of calls while busy is on.
    ForwardBusyOn = "forward-busy-on",
    /// Forwarding of calls while busy is off.
    ForwardBusyOff = "forward-busy-off",
    /// Forwarding of calls without an answer is on.
    ForwardNoAnswerOn = "forward-no-answer-on",
    /// Forwarding of calls without an answer is off.
    ForwardNoAnswerOff = "forward-no-answer-off",
    /// Forwarding of calls while offline is on.
    ForwardOfflineOn = "forward-offline-on",
    /// Forwarding of calls while offline is off.
    ForwardOfflineOff = "forward-offline-off",
    /// Before the digits of where calls are forwarded to.
    ToNumber = "to-number",
    /// Before the digits of the own number.
    YourNumberIs = "your-number-is",
    /// This phone may call.
    MayCall = "may-call",
    /// This phone may not call.
    MayNotCall = "may-not-call",
    /// Nobody is there to answer.
    NobodyAvailable = "nobody-available",
    /// All lines are busy.
    LinesBusy = "lines-busy",
    /// What was keyed makes no sense.
    NotUnderstood = "not-understood",
    /// The store cannot keep it now; nothing was changed (R20).
    NotStored = "not-stored",
    /// The exchange is being stopped.
    Stopping = "stopping",
    /// Whoever keyed the PIN sits at this phone now.
    SignedIn = "signed-in",
    /// Nobody sits at this phone any more.
    SignedOut = "signed-out",
    /// Before the digits of who called just before.
    YouMissed = "you-missed",
    /// There is no call that could be taken.
    NoCall = "no-call",
    /// Somebody else uses this phone.
    PhoneInUse = "phone-in-use",
    /// Before the digits of who is reached for.
    CallFrom = "call-from",
    /// The other side is being called; hold on.
    PleaseHold = "please-hold",
    /// The one who wanted the call does not answer.
    CallerGone = "caller-gone",
    /// One to be called back, nine to be left alone.
    CallBackOrNot = "call-back-or-not",
    /// Before the digits of who is called again and again.
    KeepCalling = "keep-calling",
    /// All background calls have ended.
    StoppedCalling = "stopped-calling",
    /// Background mode is on.
    BackgroundOn = "background-on",
    /// Background mode is off.
    BackgroundOff = "background-off",
    /// Nobody was reached, and the exchange keeps calling.
    NotReached = "not-reached",
    /// One to have the exchange keep calling.
    OfferKeepCalling = "offer-keep-calling",
    /// Before the digits of a caller's place in a queue.
    QueuePlace = "queue-place",
    /// Whoever dialled is signed in to work.
    WorkOn = "work-on",
    /// Whoever dialled is signed out from work.
    WorkOff = "work-off",
    /// They are ready for callers.
    Ready = "ready",
    /// They are not.
    NotReady = "not-ready",
    /// The wrap-up is longer now.
    WrapUpLonger = "wrap-up-longer",
    /// Before the key that asks to be called back.
    QueueCallback = "queue-callback",
    /// Asks for the number to call back, then pound.
    CallbackNumber = "callback-number",
    /// Before the digits of the number that is called back.
    CallbackAt = "callback-at",
    /// The place in the queue is kept.
    CallbackKept = "callback-kept",
    /// Whoever asked to be called back is called.
    CallbackHere = "callback-here",
    /// Before the minutes that a caller of a queue is expected to wait.
    ExpectedWait = "expected-wait",
    /// The same, when it is longer than the minutes that follow.
    WaitMoreThan = "wait-more-than",
    /// A minute.
    Minutes1 = "minutes-1",
    /// So many minutes: 2.
    Minutes2 = "minutes-2",
    /// So many minutes: 3.
    Minutes3 = "minutes-3",
    /// So many minutes: 4.
    Minutes4 = "minutes-4",
    /// So many minutes: 5.
    Minutes5 = "minutes-5",
    /// So many minutes: 6.
    Minutes6 = "minutes-6",
    /// So many minutes: 7.
    Minutes7 = "minutes-7",
    /// So many minutes: 8.
    Minutes8 = "minutes-8",
    /// So many minutes: 9.
    Minutes9 = "minutes-9",
    /// So many minutes: 10.
    Minutes10 = "minutes-10",
    /// So many minutes: 15.
    Minutes15 = "minutes-15",
    /// So many minutes: 20.
    Minutes20 = "minutes-20",
    /// So many minutes: 25.
    Minutes25 = "minutes-25",
    /// So many minutes: 30.
    Minutes30 = "minutes-30",
}

impl Prompt {
    /// What a key or a character of a number is called; `None` for one that cannot be dialled.
    #[must_use]
    pub fn of_key(key: char) -> Option<Prompt> {
        let digits = || key.to_digit(10).and_then(|digit| Prompt::ALL.get(digit as usize)).copied();
        match key {
            '*' => Some(Prompt::Star),
            '#' => Some(Prompt::Pound),
            '+' => Some(Prompt::Plus),
            _ => digits(),
        }
    }

    /// Its sound, if [`super::Sounds::add_prompts`] was called.
    #[must_use]
    pub fn sound(self, tongue: Tongue) -> SoundId {
        let language = FILES.iter().position(|(known, _)| *known == tongue).unwrap_or(0);
        SoundId(SoundId::FIRST_PROMPT.0 + (language * Prompt::ALL.len()) as u16 + self as u16)
    }
}

/// How many sounds they are in all languages.
pub(super) fn count() -> usize {
    FILES.len() * Prompt::ALL.len()
}

/// All sounds, in the order that [`Prompt::sound`] counts on, each with its name: `en/done`.
pub(super) fn load() -> impl Iterator<Item = (String, Track)> {
    FILES.iter().flat_map(|(tongue, files)| {
        let folder = match tongue {
            Tongue::En => "en",
            Tongue::Zh => "zh",
        };
        // A file that cannot be read is silent; the test below reads them all.
        let track = |file: &[u8]| Track::new(&wav::read(file).unwrap_or_default());
        Prompt::ALL
            .iter()
            .zip(*files)
            .map(move |(prompt, file)| (format!("{folder}/{}", prompt.name()), track(file)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sounds::{RATE, Sounds};

    #[test]
    fn each_prompt_is_speech_of_the_same_loudness_without_silence_around_it() {
        for (tongue, files) in FILES {
            for (prompt, file) in Prompt::ALL.iter().zip(files) {
                let sound = wav::read(file).unwrap();
                let power = |part: &[i16]| {
                    part.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / part.len() as f64
                };
                let powers: Vec<f64> = sound.chunks(RATE as usize / 50).map(power).collect();
                let loudest = powers.iter().fold(0.0_f64, |most, &power| most.max(power));
                let active: Vec<f64> = powers.iter().copied().filter(|&p| p > loudest / 300.0).collect();
                let level = (active.iter().sum::<f64>() / active.len() as f64).sqrt();
                assert!((2500.0..4200.0).contains(&level), "{tongue:?} {prompt:?}: {level}");
                let at_once = powers.iter().position(|&power| power > loudest / 300.0).unwrap();
                assert!(at_once < 10, "{tongue:?} {prompt:?} begins after {at_once} frames");
                assert!((0.15..7.0).contains(&(sound.len() as f64 / f64::from(RATE))), "{prompt:?}");
            }
        }
    }

    #[test]
    fn the_catalogue_names_the_same_prompts_in_the_same_order() {
        let catalogue = include_str!("../../sounds/prompts.json");
        let names: Vec<&str> = catalogue
            .lines()
            .filter_map(|line| line.trim().strip_prefix('"')?.split_once('"').map(|(name, _)| name))
            .collect();
        let ours: Vec<&str> = Prompt::ALL.iter().map(|prompt| prompt.name()).collect();
        assert_eq!(names, ours);
    }

    #[test]
    fn r3_prompts_are_sounds_by_number_and_by_name() {
        let mut sounds = Sounds::built_in();
        assert_eq!(sounds.find("en/done"), None);
        sounds.add_prompts();
        assert_eq!(sounds.find("en/digit-0"), Some(SoundId::FIRST_PROMPT));
        for (name, prompt, tongue) in [
            ("en/done", Prompt::Done, Tongue::En),
            ("zh/digit-7", Prompt::Digit7, Tongue::Zh),
            ("zh/stopping", Prompt::Stopping, Tongue::Zh),
        ] {
            assert_eq!(sounds.find(name), Some(prompt.sound(tongue)), "{name}");
            assert!(sounds.length_ms(prompt.sound(tongue)).unwrap() > 200);
        }
        assert_eq!(
            "7*#+x".chars().map(Prompt::of_key).collect::<Vec<_>>(),
            [Some(Prompt::Digit7), Some(Prompt::Star), Some(Prompt::Pound), Some(Prompt::Plus), None]
        );
    }
}
