//! Suggests to keep calling whom somebody calls in vain: at the end of a call by voice, else by a text (S2.5, S2.10).

use super::NewTask;
use crate::codes::{CodeAct, Step, tongue};
use crate::dialogue::{Collect, Dialogue, Line, Outcome as Told, Script};
use crate::exchange::Exchange;
use crate::people::Right;
use crate::permissions::{Act, Verdict};
use calls::{CallId, CallRecord, Cause};
use clock::{Mono, Now};
use media::Prompt;
use std::time::Duration;
use wire::sip::{Contact, Message};

/// Calls that are farther apart are not in a row.
const APART: Duration = Duration::from_secs(30 * 60);
/// What a phone says of itself that counts and suggests by itself, as `ringdown phone` does (RFC 3840).
const COUNTS: &str = "+ringdown.keep-calling";
/// How long somebody has to say yes.
const YES: Duration = Duration::from_secs(6);

/// Calls in a row that one number did not answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unanswered {
    count: u8,
    last: Mono,
    /// It was offered to keep calling: once is enough.
    offered: bool,
}

/// Whether a phone that calls counts calls in vain itself: then nobody else suggests the same to its user.
pub(crate) fn suggests_itself(invite: &Message<'_>) -> bool {
    let mut contacts = invite.contacts().flatten();
    contacts.any(|contact| matches!(contact, Contact::Addr(addr) if addr.params.value(COUNTS).is_some()))
}

impl Exchange {
    /// A person's own call was not answered: background mode takes it over, or it is offered. True when the end of the
    /// call is dealt with.
    pub(crate) fn offers_background(&mut self, now: Now, call: CallId, cause: Cause, detail: &str) -> bool {
        let again = matches!(cause, Cause::Busy | Cause::NoAnswer | Cause::Offline | Cause::CalleeFailed);
        if !again || !self.hears_refusals(call) || self.background.trying.contains_key(&call) {
            return false;
        }
        let Some((account, number)) = self.who_called_whom(call) else { return false };
        if self.may(now, Some(&account), Act::Use(Right::Background)) != Verdict::Allow {
            return false;
        }
        let mode = self.people.account(&account).is_some_and(|account| account.settings.background);
        if mode {
            let new = NewTask { account, number, ..NewTask::default() };
            if self.start_task(now, new, None).is_err() {
                return false;
            }
            self.refuse_spoken(now, call, Prompt::NotReached, cause, detail);
            return true;
        }
        let offered = self.background.unanswered.peek(&(account.clone(), number.clone()));
        let again = offered.is_some_and(|known| known.offered);
        let enough = self.count_of(now, &account, &number).saturating_add(1) >= self.threshold();
        let phone_does = self.ongoing.call(call).is_some_and(|ongoing| ongoing.suggests);
        if again || phone_does || !enough || self.services.is_full() || !self.switch.answer_early(now, call) {
            return false;
        }
        self.background.unanswered.touch(&(account.clone(), number.clone())).offered = true;
        let collect = Collect { most: 1, terminator: None, first: YES, tries: 1, ..Collect::default() };
        let script = Script {
            say: vec![Line::Prompt(Prompt::OfferKeepCalling)],
            collect: Some(collect),
            again: Vec::new(),
            give_up: vec![Line::Prompt(Prompt::Goodbye)],
        };
        let language = self.people.account(&account).map(|account| account.settings.language);
        let dialogue = Dialogue::new(now.mono, script, tongue(language.unwrap_or_default()));
        let step = Step::Offer { account, number, cause, detail: detail.into() };
        self.converse_early(now, call, dialogue, step);
        true
    }

    /// What came of an offer: only a yes starts anything.
    pub(crate) fn offer_answered(
        &mut self,
        now: Now,
        call: CallId,
        (account, number): (Box<str>, Box<str>),
        (cause, detail): (Cause, Box<str>),
        told: &Told,
    ) {
        let yes = matches!(told, Told::Collected(key) if **key == *"1");
        let started = yes && {
            let new = NewTask { account, number, ..NewTask::default() };
            self.start_task(now, new, None).is_ok()
        };
        let said = if started { Prompt::Done } else { Prompt::Goodbye };
        let script = Script::say(vec![Line::Prompt(said)]);
        self.converse_on(now, call, script, Step::Refuse { cause, detail });
    }

    /// A call is over: it counts, or an answer makes all before it count no more.
    pub(crate) fn count_unanswered(&mut self, now: Now, record: &CallRecord) {
        let Some((account, number)) = self.who_called_whom(record.call) else { return };
        if self.background.trying.contains_key(&record.call) {
            return;
        }
        let key = (account.clone(), number.clone());
        if record.answered.is_some() {
            if self.background.unanswered.peek(&key).is_some() {
                *self.background.unanswered.touch(&key) = Unanswered::default();
            }
            return;
        }
        if !matches!(
            record.cause,
            Cause::Busy | Cause::NoAnswer | Cause::Offline | Cause::CalleeFailed | Cause::Cancelled
        ) {
            return;
        }
        let count = self.count_of(now, &account, &number).saturating_add(1);
        let known = self.background.unanswered.touch(&key);
        let offers = count >= self.config.background.suggest_after && !known.offered;
        *known = Unanswered { count, last: now.mono, offered: known.offered };
        *self.background.last_missed.touch(&account) = number.clone();
        // Who hangs up while it rings hears nothing more; a text can still be read.
        if record.cause == Cause::Cancelled && offers && self.config.background.suggest_after > 0 {
            self.offer_by_text(now, record.call, &account, &number);
        }
    }

    fn offer_by_text(&mut self, now: Now, call: CallId, account: &str, number: &str) {
        if self.may(now, Some(account), Act::Use(Right::Background)) != Verdict::Allow {
            return;
        }
        let code = self.config.codes.iter().find(|(_, act)| *act == CodeAct::KeepCalling);
        let Some(code) = code.map(|(code, _)| code.to_owned()) else { return };
        let caller = self.ongoing.call(call).filter(|ongoing| !ongoing.suggests);
        let Some(device) = caller.and_then(|ongoing| ongoing.device.clone()) else { return };
        let language = self.people.account(account).map(|account| account.settings.language);
        let text = super::words::offer(language.unwrap_or_default(), number, &code);
        self.background.unanswered.touch(&(account.into(), number.into())).offered = true;
        self.show_at(now, &device, &text);
    }

    /// Calls in vain after which a phone that counts itself suggests it to its user; never to who may not have it.
    pub(crate) fn suggests_after(&mut self, now: Now, account: &str) -> Option<u8> {
        let may = self.may(now, Some(account), Act::Use(Right::Background)) == Verdict::Allow;
        Some(self.config.background.suggest_after).filter(|calls| may && *calls > 0)
    }

    fn threshold(&self) -> u8 {
        match self.config.background.suggest_after {
            0 => u8::MAX,
            calls => calls,
        }
    }

    /// How many calls in a row this number did not answer, before this one.
    fn count_of(&self, now: Now, account: &str, number: &str) -> u8 {
        let known = self.background.unanswered.peek(&(account.into(), number.into()));
        match known.filter(|known| now.mono.since(known.last) < APART) {
            Some(known) => known.count,
            None => 0,
        }
    }

    /// Who called whom, for a call that a person of the office made.
    fn who_called_whom(&self, call: CallId) -> Option<(Box<str>, Box<str>)> {
        let ongoing = self.ongoing.call(call).filter(|ongoing| !ongoing.emergency)?;
        ongoing.device.as_ref()?;
        let first = ongoing.asked.first().unwrap_or(&ongoing.callee.number);
        Some((ongoing.caller_account.clone()?, (**first).into()))
    }
}
