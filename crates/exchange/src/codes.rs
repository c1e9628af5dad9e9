//! Feature codes: what to dial at a phone of the office, what it does, and the spoken answer (R20).
//!
//! A code is answered by a spoken yes once what was asked for is stored, or by a spoken reason. Only the office's own
//! phones have codes; to everybody else they are numbers that nobody has.

use crate::change::Change;
use crate::dial_plan::Destination;
use crate::dialogue::{Collect, Dialogue, Line, Outcome, Script};
use crate::exchange::{Exchange, Promise};
use crate::people::{AccountEdit, ForwardWhen, Language, is_number};
use crate::permissions::{Act, Verdict};
use crate::pin::Purpose;
use calls::{CallId, Cause};
use clock::Now;
use media::{Prompt, SoundId, Source, Tongue};
use std::collections::BTreeMap;

/// What a code does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CodeAct {
    /// Says back what it hears.
    Echo,
    /// Says the number of the phone that dials it.
    SayNumber,
    /// Says whether the phone that dials it may call a number.
    MayCall,
    /// Acts on the caller's own account from another's phone: asks for number and PIN, then for a code.
    OwnAccount,
    /// Somebody is at this phone who has no badge: asks for number and PIN, then takes what a badge would take.
    SignIn,
    /// Whoever sits at this phone leaves it.
    SignOut,
    /// The talk that the person at this phone has elsewhere comes here.
    Pull,
    /// Answers a call that rings for a colleague.
    PickUp,
    /// Answers a call that rings for a number, dialled with the code.
    PickUpOf,
    /// What this phone talks in, or holds, waits at a number from now on.
    Park,
    /// Calls somebody whose telephone answers at once; the number is dialled with the code.
    Intercom,
    /// Keeps calling a number, dialled with the code, or the last one that did not answer.
    KeepCalling,
    /// Ends all background calls of whoever dials it.
    StopCalling,
    /// Signs whoever dials it in to work, at this phone.
    WorkOn,
    /// Signs them out from work.
    WorkOff,
    /// They are ready for callers; a wrap-up or a break ends.
    WorkReady,
    /// They are not; the digit of the reason is dialled with the code.
    WorkPause,
    /// Makes their wrap-up longer.
    WorkLonger,
    /// The exchange works through the call list of whoever dials it, at this phone.
    ListOn,
    /// It does so no more.
    ListOff,
    /// The row that is called, or is next, comes later.
    ListSkip,
    /// The last row is called again later; the digit of the time is dialled with the code.
    ListLater,
    /// What came of the last row; the digit of the result is dialled with the code.
    ListResult,
    /// Switches background mode.
    Background(bool),
    /// Switches do-not-disturb.
    DoNotDisturb(bool),
    /// Sets where calls go, asking for the number if it was not dialled with the code; or clears it.
    Forward(ForwardWhen, bool),
}

/// Each act with its name in the configuration, its code where nothing else is configured, and what it does.
const ACTS: [(CodeAct, &str, &str, &str); 35] = {
    use CodeAct::{
        Background, DoNotDisturb, Echo, Forward, Intercom, KeepCalling, ListLater, ListOff, ListOn,
        ListResult, ListSkip, MayCall, OwnAccount, Park, PickUp, PickUpOf, Pull, SayNumber, SignIn, SignOut,
        StopCalling, WorkLonger, WorkOff, WorkOn, WorkPause, WorkReady,
    };
    use ForwardWhen::{Always, Busy, NoAnswer, Offline};
    [
        (Echo, "echo", "*60", "says back what it hears"),
        (SayNumber, "say-number", "*61", "says the number of this phone"),
        (
            MayCall,
            "may-call",
            "*62",
            "says whether this phone may call a number; dial it after the code, or when asked",
        ),
        (
            SignIn,
            "sign-in",
            "*63",
            "takes your call to this phone, or signs you in here: asks for your number and your PIN",
        ),
        (SignOut, "sign-out", "*64", "signs out whoever signed in at this phone"),
        (Pull, "pull", "*65", "brings your talk from your other phone to this one (right pull)"),
        (
            OwnAccount,
            "own-account",
            "*67",
            "sets your own forwarding or do-not-disturb from another's phone: asks for your number, your PIN, and the code",
        ),
        (
            KeepCalling,
            "keep-calling",
            "*66",
            "keeps calling the number that did not answer last, or the one dialled after it, and connects you (right background)",
        ),
        (StopCalling, "stop-calling", "*68", "ends all your background calls"),
        (WorkOn, "work-on", "*40", "signs you in to work for your queues, at this phone"),
        (WorkOff, "work-off", "*41", "signs you out from work"),
        (WorkReady, "work-ready", "*42", "you are ready for callers; ends a break, and a wrap-up early"),
        (
            WorkPause,
            "work-pause",
            "*43",
            "you are not ready from now on, or after this call; dial the digit of the reason after it",
        ),
        (WorkLonger, "work-longer", "*44", "makes your wrap-up a little longer"),
        (ListOn, "list-on", "*45", "the exchange calls the people of your call list for you, at this phone"),
        (ListOff, "list-off", "*46", "it calls them no more"),
        (
            ListSkip,
            "list-skip",
            "*47",
            "not now: gives up what rings for your call list; without a call, the next one waits",
        ),
        (
            ListLater,
            "list-later",
            "*48",
            "calls the last one of your list again: dial 1 for a quarter of an hour, 2 for an hour, 3 for tomorrow, or minutes in two digits or more after it",
        ),
        (ListResult, "list-result", "*49", "what came of the last one of your list; dial the key after it"),
        (Background(true), "background", "*82", "your calls that nobody answers go on as background calls"),
        (Background(false), "background-off", "*83", "your calls that nobody answers end"),
        (
            Forward(Always, true),
            "forward-always",
            "*72",
            "forwards all calls; dial the number after it, or when asked",
        ),
        (Forward(Always, false), "forward-always-off", "*73", "ends the forwarding of all calls"),
        (DoNotDisturb(true), "do-not-disturb", "*78", "do not disturb: no call rings"),
        (DoNotDisturb(false), "do-not-disturb-off", "*79", "calls ring again"),
        (
            Park,
            "park",
            "*86",
            "parks what this phone talks in or holds, and says at which number; also by a transfer to it",
        ),
        (PickUp, "pick-up", "*84", "answers a call that rings for somebody of your hunt groups"),
        (
            PickUpOf,
            "pick-up-of",
            "*85",
            "answers a call that rings for a number; dial it after the code (right pickup, or a hunt group in common)",
        ),
        (
            Intercom,
            "intercom",
            "*80",
            "calls a phone that answers at once; dial the number after it (right intercom, or a hunt group in common)",
        ),
        (
            Forward(Busy, true),
            "forward-busy",
            "*90",
            "forwards calls while busy; dial the number after it, or when asked",
        ),
        (Forward(Busy, false), "forward-busy-off", "*91", "ends the forwarding while busy"),
        (
            Forward(NoAnswer, true),
            "forward-no-answer",
            "*92",
            "forwards calls that nobody answers; dial the number after it, or when asked",
        ),
        (
            Forward(NoAnswer, false),
            "forward-no-answer-off",
            "*93",
            "ends the forwarding of calls that nobody answers",
        ),
        (
            Forward(Offline, true),
            "forward-offline",
            "*94",
            "forwards calls while no phone is registered; dial the number after it, or when asked",
        ),
        (
            Forward(Offline, false),
            "forward-offline-off",
            "*95",
            "ends the forwarding while no phone is registered",
        ),
    ]
};

impl CodeAct {
    /// Its name in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        ACTS.iter().find(|(act, ..)| *act == self).map_or("", |(_, name, ..)| name)
    }

    /// What it does, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        ACTS.iter().find(|(act, ..)| *act == self).map_or("", |(.., words)| words)
    }

    fn takes_number(self) -> bool {
        use CodeAct::{Forward, Intercom, KeepCalling, ListLater, ListResult, MayCall, PickUpOf, WorkPause};
        matches!(
            self,
            Forward(_, true)
                | MayCall
                | Intercom
                | PickUpOf
                | KeepCalling
                | WorkPause
                | ListLater
                | ListResult
        )
    }
}

/// The codes of an office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codes {
    codes: BTreeMap<Box<str>, CodeAct>,
}

impl Default for Codes {
    fn default() -> Codes {
        Codes { codes: ACTS.iter().map(|(act, _, code, _)| ((*code).into(), *act)).collect() }
    }
}

impl Codes {
    /// No codes at all.
    #[must_use]
    pub fn none() -> Codes {
        Codes { codes: BTreeMap::new() }
    }

    /// Gives an act of that name another code; an empty one switches it off.
    ///
    /// # Errors
    /// In words: no such act, no number, or the code of another act.
    pub fn set(&mut self, name: &str, code: &str) -> Result<(), String> {
        let Some((act, ..)) = ACTS.iter().find(|(_, known, ..)| *known == name) else {
            let names: Vec<String> = ACTS.iter().map(|(_, name, ..)| format!("`{name}`")).collect();
            return Err(format!("no feature `{name}`; there are {}", names.join(", ")));
        };
        self.codes.retain(|_, known| known != act);
        if code.is_empty() {
            return Ok(());
        }
        if !is_number(code) {
            return Err(format!("\"{code}\" cannot be dialled"));
        }
        match self.codes.insert(code.into(), *act) {
            Some(other) => Err(format!("{code} is the code of both {} and {name}", other.name())),
            None => Ok(()),
        }
    }

    /// The codes and what they do, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, CodeAct)> {
        self.codes.iter().map(|(code, act)| (&**code, *act))
    }

    /// Whether this is a code.
    #[must_use]
    pub fn has(&self, number: &str) -> bool {
        self.codes.contains_key(number)
    }

    /// What was dialled: a code, or one with a number after it.
    #[must_use]
    pub fn find<'a>(&self, dialled: &'a str) -> Option<(CodeAct, Option<&'a str>)> {
        if let Some(act) = self.codes.get(dialled) {
            return Some((*act, None));
        }
        let begun = self.iter().filter(|(code, act)| act.takes_number() && dialled.starts_with(code));
        let (code, act) = begun.max_by_key(|(code, _)| code.len())?;
        dialled.get(code.len()..).filter(|number| is_number(number)).map(|number| (act, Some(number)))
    }
}

/// What the outcome of a dialogue means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// All was said: hang up.
    Farewell,
    /// The number to forward to is collected.
    Number(ForwardWhen),
    /// The number that may be called, or not, is collected.
    MayCall,
    /// The store, or the check of a PIN, has not answered yet.
    Store,
    /// The number of whoever wants to be known at another's phone is collected.
    Owner(Purpose),
    /// The PIN of the one who has a number is collected; so many were wrong.
    Pin {
        /// The number.
        number: Box<str>,
        /// Wrong ones before.
        tries: u8,
        /// What it is asked for.
        purpose: Purpose,
    },
    /// What shall be done for the one who proved the PIN is collected.
    Code,
    /// The number that is called again and again is collected.
    KeepCalling,
    /// The number at which a caller of a queue is called back is collected.
    CallbackNumber,
    /// Whether to keep calling is collected, at the end of a call that was not answered.
    Offer {
        /// Who called.
        account: Box<str>,
        /// Whom.
        number: Box<str>,
        /// How the call ends.
        cause: Cause,
        /// In the record.
        detail: Box<str>,
    },
    /// What somebody wants is collected who was called for one who is not there.
    Wish,
    /// The reason was said: the call is refused.
    Refuse {
        /// Why.
        cause: Cause,
        /// In the record.
        detail: Box<str>,
    },
}

impl Exchange {
    /// Answers a call to a code; false when it is none.
    pub(crate) fn answer_code(&mut self, now: Now, call: CallId, dialled: &str) -> bool {
        let Some((act, number)) = self.config.codes.find(dialled) else { return false };
        let Some(account) = self.caller_account(call) else { return false };
        // A number of the office that begins like a code.
        if number.is_some() && self.is_of_office(dialled) {
            return false;
        }
        if self.services.is_full() {
            self.fail(now, call, Cause::Overload, "too many dialogues");
            return true;
        }
        match (act, number) {
            (CodeAct::Echo, _) => self.answer_with_echo(now, call),
            (CodeAct::SayNumber, _) => {
                let own = self.people.account(&account).and_then(|account| account.numbers.first().cloned());
                let lines = match own {
                    Some(number) => vec![Line::Prompt(Prompt::YourNumberIs), Line::Spelled(number)],
                    None => vec![Line::Prompt(Prompt::UnknownNumber)],
                };
                self.begin_code(now, call, act, Script::say(farewell(lines)), Step::Farewell);
            }
            (CodeAct::MayCall, None) => {
                let script = Script::ask(Prompt::EnterNumber, Collect::default());
                self.begin_code(now, call, act, script, Step::MayCall);
            }
            (CodeAct::MayCall, Some(number)) => {
                self.begin_code(now, call, act, Script::default(), Step::Store);
                self.say_may_call(now, call, number);
            }
            (CodeAct::OwnAccount, _) => {
                let script = Script::ask(Prompt::EnterNumber, Collect::default());
                self.begin_code(now, call, act, script, Step::Owner(Purpose::OwnAccount));
            }
            (CodeAct::SignIn, _) => self.sign_in_by_code(now, call),
            (CodeAct::SignOut, _) => self.sign_out_by_code(now, call, &account),
            (CodeAct::Pull, _) => self.pull_by_code(now, call, &account),
            (CodeAct::Park, _) => self.park_by_code(now, call, &account),
            (CodeAct::PickUp, _) => self.pick_up(now, call, &account),
            (CodeAct::PickUpOf, number) => self.pick_up_of(now, call, &account, number),
            (CodeAct::Intercom, number) => self.intercom(now, call, &account, number),
            (CodeAct::KeepCalling, number) => self.keep_calling_by_code(now, call, &account, number),
            (CodeAct::StopCalling, _) => self.stop_calling_by_code(now, call, &account),
            (
                CodeAct::WorkOn
                | CodeAct::WorkOff
                | CodeAct::WorkReady
                | CodeAct::WorkPause
                | CodeAct::WorkLonger,
                digit,
            ) => self.work_by_code(now, call, &account, act, digit),
            (
                CodeAct::ListOn
                | CodeAct::ListOff
                | CodeAct::ListSkip
                | CodeAct::ListLater
                | CodeAct::ListResult,
                digits,
            ) => self.list_by_code(now, call, &account, act, digits),
            (CodeAct::Background(on), _) => self.background_mode_by_code(now, call, on),
            (CodeAct::Forward(..) | CodeAct::DoNotDisturb(_), number) => {
                self.begin_code(now, call, act, Script::default(), Step::Store);
                self.set_own(now, call, act, number);
            }
        }
        true
    }

    /// Changes the account that the caller acts for, within a dialogue.
    fn set_own(&mut self, now: Now, call: CallId, act: CodeAct, number: Option<&str>) {
        match (act, number) {
            (CodeAct::Forward(when, true), None) => {
                let script = Script::ask(Prompt::EnterNumber, Collect::default());
                self.converse_on(now, call, script, Step::Number(when));
            }
            (CodeAct::Forward(when, on), number) => {
                self.set_step(call, Step::Store);
                self.forward_own(now, call, when, number.filter(|_| on).map(Box::from));
            }
            (CodeAct::DoNotDisturb(on), _) => {
                self.set_step(call, Step::Store);
                let said = if on { Prompt::DndOn } else { Prompt::DndOff };
                self.edit(now, call, AccountEdit::DoNotDisturb(on), vec![Line::Prompt(said)]);
            }
            _ => self.say_why(now, call, Prompt::NotUnderstood, "no code that acts on an account"),
        }
    }

    pub(crate) fn answer_with_echo(&mut self, now: Now, call: CallId) {
        let source =
            Source::Prompt { sound: SoundId::ECHO, then: Some(Box::new(Source::Echo)), repeat: false };
        self.switch.answer_with(now, call, source, "echo");
    }

    /// A dialogue has the outcome that a step waited for.
    pub(crate) fn step_done(&mut self, now: Now, call: CallId, step: Step, outcome: Outcome) {
        match (step, outcome) {
            (Step::Number(when), Outcome::Collected(number)) => {
                self.set_step(call, Step::Store);
                self.forward_own(now, call, when, Some(number));
            }
            (Step::Owner(purpose), Outcome::Collected(number)) => self.ask_pin(now, call, number, 0, purpose),
            (Step::Pin { number, tries, purpose }, Outcome::Collected(pin)) => {
                self.check_pin(now, call, number, pin, (tries, purpose));
            }
            (Step::Code, Outcome::Collected(code)) => match self.config.codes.clone().find(&code) {
                Some((act, number)) => self.set_own(now, call, act, number),
                None => self.say_why(now, call, Prompt::NotUnderstood, "no code"),
            },
            (Step::MayCall, Outcome::Collected(number)) => self.say_may_call(now, call, &number),
            (Step::KeepCalling, Outcome::Collected(number)) => {
                let Some(account) = self.caller_account(call) else { return };
                self.set_step(call, Step::Store);
                self.keep_calling(now, call, &account, number);
            }
            (Step::Wish, outcome) => self.wish_heard(now, call, &outcome),
            (Step::Offer { account, number, cause, detail }, outcome) => {
                self.offer_answered(now, call, (account, number), (cause, detail), &outcome);
            }
            // Nothing is said while the store is asked.
            (step, _) => self.set_step(call, step),
        }
    }

    /// What the caller asked for is stored, and in force: it is said now (R20).
    pub(crate) fn say_done(&mut self, now: Now, call: CallId, said: Vec<Line>) {
        let mut lines = vec![Line::Prompt(Prompt::Done)];
        lines.extend(said);
        self.converse_on(now, call, Script::say(farewell(lines)), Step::Farewell);
    }

    /// The store could not keep it, and nothing has changed (R20).
    pub(crate) fn say_not_stored(&mut self, now: Now, call: CallId, why: &str) {
        self.say_why(now, call, Prompt::NotStored, why);
    }

    pub(crate) fn begin_code(&mut self, now: Now, call: CallId, act: CodeAct, script: Script, step: Step) {
        let language = self
            .caller_account(call)
            .and_then(|account| self.people.account(&account).map(|account| account.settings.language));
        let dialogue = Dialogue::new(now.mono, script, tongue(language.unwrap_or_default()));
        self.converse(now, call, act.name(), dialogue, step);
    }

    /// Whether somebody has this number: it is no code then, whatever it begins with.
    fn is_of_office(&self, dialled: &str) -> bool {
        match self.destination(dialled) {
            Destination::Unknown | Destination::Outside { .. } => false,
            // Anything else might be another exchange's; those that the directory lists are.
            Destination::Elsewhere => self.sites.lists(dialled),
            _ => true,
        }
    }

    fn caller_account(&self, call: CallId) -> Option<Box<str>> {
        self.ongoing.call(call).and_then(|ongoing| ongoing.caller_account.clone())
    }

    /// Whose account a dialogue is about: the caller's, or that of the one who proved a PIN.
    fn acting_account(&self, call: CallId) -> Option<Box<str>> {
        self.services.account(call).map(Box::from).or_else(|| self.caller_account(call))
    }

    fn forward_own(&mut self, now: Now, call: CallId, when: ForwardWhen, to: Option<Box<str>>) {
        if let Some(number) = &to
            && let Err((reason, why)) = self.reachable(now, call, number)
        {
            return self.say_why(now, call, reason, why);
        }
        let mut said = vec![Line::Prompt(forwarded(when, to.is_some()))];
        if let Some(number) = &to {
            said.push(Line::Prompt(Prompt::ToNumber));
            said.push(Line::Spelled(number.clone()));
        }
        self.edit(now, call, AccountEdit::Forward(when, to), said);
    }

    /// Whether the caller's account may have its calls go to a number, or which reason is said.
    fn reachable(&mut self, now: Now, call: CallId, number: &str) -> Result<(), (Prompt, &'static str)> {
        let own = self.acting_account(call);
        match self.destination(number) {
            Destination::Unknown => Err((Prompt::UnknownNumber, "nobody has the number")),
            Destination::Emergency(_) => Err((Prompt::NotAllowed, "emergency numbers are called by people")),
            Destination::Account(to) if Some(&to) == own.as_ref() => {
                Err((Prompt::NotAllowed, "calls cannot be forwarded to oneself"))
            }
            Destination::Outside { number, .. } => {
                let class = self.config.numbering.class(&number);
                match self.may(now, own.as_deref(), Act::Call(class)) {
                    Verdict::Allow => Ok(()),
                    Verdict::Deny(rule) => Err((Prompt::NotAllowed, rule)),
                }
            }
            Destination::Parked => {
                Err((Prompt::NotAllowed, "calls are not forwarded to where they are parked"))
            }
            Destination::Account(_)
            | Destination::Group(_)
            | Destination::Queue(_)
            | Destination::Elsewhere
            | Destination::Echo => Ok(()),
        }
    }

    /// Says whether this phone may call a number.
    fn say_may_call(&mut self, now: Now, call: CallId, number: &str) {
        let prompt = match self.destination(number) {
            Destination::Unknown => Prompt::UnknownNumber,
            Destination::Outside { number, .. } => {
                let class = self.config.numbering.class(&number);
                let account = self.caller_account(call);
                match self.may(now, account.as_deref(), Act::Call(class)) {
                    Verdict::Allow => Prompt::MayCall,
                    Verdict::Deny(_) => Prompt::MayNotCall,
                }
            }
            _ => Prompt::MayCall,
        };
        let lines = vec![Line::Spelled(number.into()), Line::Prompt(prompt)];
        self.converse_on(now, call, Script::say(farewell(lines)), Step::Farewell);
    }

    /// Stores an edit of the caller's account; `said` follows the yes.
    pub(crate) fn edit(&mut self, now: Now, call: CallId, edit: AccountEdit, said: Vec<Line>) {
        let Some(account) = self.acting_account(call) else { return };
        let Some(change) = self.edited_account(&account, [edit]) else { return };
        match self.people.check(&change) {
            Err(refusal) => self.say_why(now, call, Prompt::NotUnderstood, &refusal.to_string()),
            Ok(()) => self.commit(now, vec![Change::People(change)], Promise::Spoken { call, said }),
        }
    }

    pub(crate) fn say_why(&mut self, now: Now, call: CallId, reason: Prompt, words: &str) {
        self.note_call(now, call, "feature-code", format!("not done: {words}"));
        let lines = farewell(vec![Line::Prompt(reason)]);
        self.converse_on(now, call, Script::say(lines), Step::Farewell);
    }
}

fn farewell(mut lines: Vec<Line>) -> Vec<Line> {
    lines.push(Line::Prompt(Prompt::Goodbye));
    lines
}

pub(crate) fn tongue(language: Language) -> Tongue {
    match language {
        Language::English => Tongue::En,
        Language::Chinese => Tongue::Zh,
    }
}

fn forwarded(when: ForwardWhen, on: bool) -> Prompt {
    match (when, on) {
        (ForwardWhen::Always, true) => Prompt::ForwardAlwaysOn,
        (ForwardWhen::Always, false) => Prompt::ForwardAlwaysOff,
        (ForwardWhen::Busy, true) => Prompt::ForwardBusyOn,
        (ForwardWhen::Busy, false) => Prompt::ForwardBusyOff,
        (ForwardWhen::NoAnswer, true) => Prompt::ForwardNoAnswerOn,
        (ForwardWhen::NoAnswer, false) => Prompt::ForwardNoAnswerOff,
        (ForwardWhen::Offline, true) => Prompt::ForwardOfflineOn,
        (ForwardWhen::Offline, false) => Prompt::ForwardOfflineOff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_alone_and_with_a_number() {
        let codes = Codes::default();
        let table = [
            ("*60", Some((CodeAct::Echo, None))),
            ("*61", Some((CodeAct::SayNumber, None))),
            ("*78", Some((CodeAct::DoNotDisturb(true), None))),
            ("*72", Some((CodeAct::Forward(ForwardWhen::Always, true), None))),
            ("*72+4930123", Some((CodeAct::Forward(ForwardWhen::Always, true), Some("+4930123")))),
            ("*95", Some((CodeAct::Forward(ForwardWhen::Offline, false), None))),
            // Only what takes a number has one after it.
            ("*78100", None),
            ("*7", None),
            ("100", None),
            ("", None),
        ];
        for (dialled, found) in table {
            assert_eq!(codes.find(dialled), found, "{dialled}");
        }
        assert_eq!(Codes::none().find("*60"), None);
    }

    #[test]
    fn each_act_has_a_name_a_code_and_words_of_its_own() {
        let codes = Codes::default();
        assert_eq!(codes.iter().count(), ACTS.len());
        for (act, name, code, words) in ACTS {
            assert_eq!((act.name(), act.words()), (name, words));
            assert!(codes.has(code) && is_number(code));
        }
    }
}
