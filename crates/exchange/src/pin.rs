//! PINs: who wants to act on their own account from another's phone says whose it is and proves it.
//!
//! ```text
//! *67 --> number? --> PIN? --> Output::VerifyPin ... Input::PinVerified --> code? --> as if dialled at home
//! *63 --> the same, and then as with a badge at this phone
//!                      ^------------- wrong, at most twice more ---------------'
//! ```
//!
//! A wrong PIN is a strike against the account together with the telephone, against the telephone, and against the
//! account; each has its patience, and beyond it nothing is checked for a growing time. A strike is counted before the
//! check and taken back when the PIN was right, so that many calls at once are no way around. A number that nobody has,
//! and an account without a PIN, are asked and refused like any other: the answer tells nothing about numbers.
//!
//! Checking costs some ten milliseconds by design (argon2id), so it is the shell's to do (R17).

use crate::codes::Step;
use crate::dialogue::{Collect, Line, Script};
use crate::exchange::Exchange;
use crate::facts::FactKind;
use crate::guesses::Strikes;
use crate::input::Output;
use crate::limits;
use crate::recent::Recent;
use calls::CallId;
use clock::{Mono, Now};
use media::Prompt;
use std::collections::BTreeMap;
use std::fmt;

/// Names a check until its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PinCheck(pub u64);

/// What a PIN is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To act on one's own account from another's phone.
    OwnAccount,
    /// To be known at another's phone.
    SignIn,
}

/// What somebody keyed as a PIN; no log shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(Box<str>);

impl Pin {
    /// What was keyed somewhere else than at a telephone. `None` for what is no PIN.
    #[must_use]
    pub fn of(text: &str) -> Option<Pin> {
        let digits =
            (1..=limits::PIN_DIGITS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| Pin(text.into()))
    }

    /// The digits, for the check alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(...)")
    }
}

/// A PIN that is being checked.
#[derive(Debug)]
struct Waiting {
    call: CallId,
    session_id: std::sync::Arc<str>,
    number: Box<str>,
    /// Whose number it is, and the hash that is compared.
    owner: Option<(Box<str>, Box<str>)>,
    device: Box<str>,
    tries: u8,
    purpose: Purpose,
}

/// All checks and all strikes.
#[derive(Debug)]
pub(crate) struct Pins {
    next: u64,
    waiting: BTreeMap<PinCheck, Waiting>,
    pairs: Recent<(Box<str>, Box<str>), Strikes>,
    devices: Recent<Box<str>, Strikes>,
    numbers: Recent<Box<str>, Strikes>,
}

impl Default for Pins {
    fn default() -> Pins {
        Pins {
            next: 0,
            waiting: BTreeMap::new(),
            pairs: Recent::new(limits::GUESSERS),
            devices: Recent::new(limits::GUESSERS),
            numbers: Recent::new(limits::GUESSERS),
        }
    }
}

impl Pins {
    /// The name of the next check.
    pub(crate) fn name_check(&mut self) -> PinCheck {
        self.next += 1;
        PinCheck(self.next)
    }

    /// Whether this telephone may try a PIN for this number now.
    pub(crate) fn may_try(&self, now: Mono, number: &str, device: &str) -> bool {
        let pair = (Box::from(number), Box::from(device));
        let held = [self.pairs.peek(&pair), self.devices.peek(&pair.1), self.numbers.peek(&pair.0)];
        !held.into_iter().flatten().any(|strikes| strikes.is_ignored(now))
    }

    fn each(&mut self, number: &str, device: &str, mut act: impl FnMut(&mut Strikes, u32)) {
        let pair = (Box::from(number), Box::from(device));
        act(self.pairs.touch(&pair), limits::PIN_STRIKES_OF_PAIR);
        act(self.devices.touch(&pair.1), limits::PIN_STRIKES_OF_DEVICE);
        act(self.numbers.touch(&pair.0), limits::PIN_STRIKES_OF_NUMBER);
    }

    pub(crate) fn strike(&mut self, now: Mono, number: &str, device: &str) {
        self.each(number, device, |strikes, free| {
            strikes.add_for(now, free, limits::PIN_IGNORED_LEAST);
        });
    }

    pub(crate) fn forgive(&mut self, now: Mono, number: &str, device: &str) {
        self.each(number, device, |strikes, _| strikes.take_back(now));
    }
}

impl Exchange {
    /// Asks for the PIN of whoever has a number.
    pub(crate) fn ask_pin(&mut self, now: Now, call: CallId, number: Box<str>, tries: u8, purpose: Purpose) {
        let mut script =
            Script::ask(Prompt::EnterPin, Collect { most: limits::PIN_DIGITS, ..Collect::default() });
        if tries > 0 {
            script.say.insert(0, Line::Prompt(Prompt::WrongPin));
        }
        self.converse_on(now, call, script, Step::Pin { number, tries, purpose });
    }

    /// A PIN was keyed.
    pub(crate) fn check_pin(
        &mut self,
        now: Now,
        call: CallId,
        number: Box<str>,
        pin: Box<str>,
        (tries, purpose): (u8, Purpose),
    ) {
        let Some(ongoing) = self.ongoing.call(call) else { return };
        let Some(device) = ongoing.device.clone() else { return };
        let session_id = ongoing.session_id.clone();
        if self.pin_checks() >= limits::PIN_CHECKS {
            return self.say_why(now, call, Prompt::LinesBusy, "too many PINs are being checked");
        }
        // A person has one PIN, whatever numbers lead there.
        let owner: Option<Box<str>> = self.people.account_of(&number).map(|(owner, _)| owner.into());
        let held = owner.clone().unwrap_or_else(|| number.clone());
        if !self.pins.may_try(now.mono, &held, &device) {
            let words = format!("no PIN is checked for {held} from {device}: too many were wrong");
            self.note_call(now, call, "pin.locked", words);
            let lines = vec![Line::Prompt(Prompt::PinLocked), Line::Prompt(Prompt::Goodbye)];
            return self.converse_on(now, call, Script::say(lines), Step::Farewell);
        }
        self.pins.strike(now.mono, &held, &device);
        let owner = owner.and_then(|owner| Some((owner.clone(), self.pin_hash(&owner)?)));
        let check = self.pins.name_check();
        let hash = owner.as_ref().map(|(_, hash)| hash.clone());
        let waiting = Waiting { call, session_id, number, owner, device, tries: tries + 1, purpose };
        self.pins.waiting.insert(check, waiting);
        self.set_step(call, Step::Store);
        self.outputs.push_back(Output::VerifyPin { check, hash, pin: Pin(pin) });
    }

    /// The shell has compared a PIN with its hash.
    pub(crate) fn pin_verified(&mut self, now: Now, check: PinCheck, right: bool) {
        let Some(waiting) = self.pins.waiting.remove(&check) else {
            return self.tap_pin_verified(now, check, right);
        };
        let Waiting { call, session_id, number, owner, device, tries, purpose } = waiting;
        // A PIN that was changed meanwhile is not right any more.
        let proved = owner.filter(|(owner, hash)| right && self.pin_hash(owner).as_ref() == Some(hash));
        if let Some((owner, _)) = proved {
            self.pins.forgive(now.mono, &owner, &device);
            let words = format!("{owner} proved the PIN at {device}");
            self.note(now, FactKind::Call, &session_id, "pin.right", words);
            if purpose == Purpose::SignIn {
                return self.signed_in_by_pin(now, call, &owner);
            }
            self.act_for(call, owner);
            // A code has a star in it, so that no key corrects.
            let script = Script::ask(Prompt::EnterCode, Collect { correction: None, ..Collect::default() });
            return self.converse_on(now, call, script, Step::Code);
        }
        let words = format!("a wrong PIN for {number} from {device}");
        self.note(now, FactKind::Call, &session_id, "pin.wrong", words);
        if tries < limits::PIN_TRIES {
            return self.ask_pin(now, call, number, tries, purpose);
        }
        let lines = vec![Line::Prompt(Prompt::WrongPin), Line::Prompt(Prompt::Goodbye)];
        self.converse_on(now, call, Script::say(lines), Step::Farewell);
    }

    /// PINs that are being checked, at telephones and at readers of badges.
    pub(crate) fn pin_checks(&self) -> usize {
        self.pins.waiting.len() + self.badges.checking()
    }

    pub(crate) fn pin_hash(&self, owner: &str) -> Option<Box<str>> {
        self.people.account(owner)?.settings.pin.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn guessing_is_limited_by_telephone_by_person_and_by_both() {
        let start = Mono(1_000_000);
        let mut pins = Pins::default();
        let guess = |pins: &mut Pins, number: &str, device: &str| {
            let may = pins.may_try(start, number, device);
            if may {
                pins.strike(start, number, device);
            }
            may
        };
        let by_pair = (0..50).filter(|_| guess(&mut pins, "ada", "d1")).count();
        assert_eq!(by_pair, limits::PIN_STRIKES_OF_PAIR as usize);
        // Another person from the same telephone, until the telephone is known for it.
        let by_device = (0..50).filter(|n| guess(&mut pins, &format!("p{n}"), "d1")).count();
        assert_eq!(by_pair + by_device, limits::PIN_STRIKES_OF_DEVICE as usize);
        // The same person from many telephones.
        let by_number = (0..50).filter(|n| guess(&mut pins, "ada", &format!("e{n}"))).count();
        assert_eq!(by_pair + by_number, limits::PIN_STRIKES_OF_NUMBER as usize);
        // It passes, and the next wrong one makes it longer.
        assert!(pins.may_try(start + limits::IGNORED_MOST, "ada", "d1"));
    }

    #[test]
    fn a_right_pin_takes_its_strike_back_and_no_other() {
        let start = Mono(1_000_000);
        let mut pins = Pins::default();
        for round in 0..100 {
            assert!(pins.may_try(start + Duration::from_secs(round), "ada", "d1"), "{round}");
            pins.strike(start, "ada", "d1");
            pins.forgive(start, "ada", "d1");
        }
        // Who knows one PIN gains no tries at another's by it.
        let mut wrong = 0;
        for _ in 0..100 {
            pins.strike(start, "ada", "d1");
            pins.forgive(start, "ada", "d1");
            if pins.may_try(start, "bob", "d1") {
                pins.strike(start, "bob", "d1");
                wrong += 1;
            }
        }
        assert!(wrong <= limits::PIN_STRIKES_OF_PAIR, "{wrong}");
        assert_eq!(format!("{:?}", Pin("1234".into())), "Pin(...)");
    }
}
