//! Seats by codes: whoever has no badge keys number and PIN, and takes by it what a badge would take; whoever sits at a
//! phone leaves it, or pulls their own talk to it.

use super::{Means, Taken};
use crate::codes::{CodeAct, Step};
use crate::dialogue::{Collect, Line, Script};
use crate::exchange::{Exchange, Promise};
use crate::people::Right;
use crate::permissions::{Act, Verdict};
use crate::pin::Purpose;
use calls::CallId;
use clock::Now;
use media::Prompt;

impl Exchange {
    /// Somebody wants to be known at this phone: whose number, and which PIN?
    pub(crate) fn sign_in_by_code(&mut self, now: Now, call: CallId) {
        let script = Script::ask(Prompt::EnterNumber, Collect::default());
        self.begin_code(now, call, CodeAct::SignIn, script, Step::Owner(Purpose::SignIn));
    }

    /// Number and PIN were right: as with a badge at this phone.
    pub(crate) fn signed_in_by_pin(&mut self, now: Now, call: CallId, account: &str) {
        let Some(device) = self.ongoing.call(call).and_then(|ongoing| ongoing.device.clone()) else { return };
        match self.take_by(now, account, &device, Means::Pin, Some(call)) {
            Taken::SignedIn { who_called, .. } => {
                let mut said = vec![Line::Prompt(Prompt::SignedIn)];
                if let Some(caller) = who_called {
                    said.push(Line::Prompt(Prompt::YouMissed));
                    said.push(Line::Spelled((*caller.number).into()));
                }
                self.commit(now, Vec::new(), Promise::Spoken { call, said });
            }
            Taken::SignedOut => {
                let said = vec![Line::Prompt(Prompt::SignedOut)];
                self.commit(now, Vec::new(), Promise::Spoken { call, said });
            }
            Taken::Refused { rule: "seats.in-use", words } => {
                self.say_why(now, call, Prompt::PhoneInUse, &words);
            }
            Taken::Refused { words, .. } => self.say_why(now, call, Prompt::NobodyAvailable, &words),
            // The call is at this phone, and the dialogue is over.
            Taken::Ringing { .. } | Taken::Moving { .. } | Taken::Here { .. } | Taken::Comes { .. } => {}
        }
    }

    /// Whoever sits at this phone leaves it.
    pub(crate) fn sign_out_by_code(&mut self, now: Now, call: CallId, account: &str) {
        let device = self.ongoing.call(call).and_then(|ongoing| ongoing.device.clone()).unwrap_or_default();
        self.begin_code(now, call, CodeAct::SignOut, Script::default(), Step::Store);
        self.leave_seat(now, &device, "seats.sign-out", &format!("{account} signed out by {}", Means::Code));
        let said = vec![Line::Prompt(Prompt::SignedOut)];
        self.commit(now, Vec::new(), Promise::Spoken { call, said });
    }

    /// The talk of whoever is at this phone comes here from another. A code proves nothing about who stands there, so it
    /// takes a right, as a badge or a PIN does not.
    pub(crate) fn pull_by_code(&mut self, now: Now, call: CallId, account: &str) {
        if let Verdict::Deny(rule) = self.may(now, Some(account), Act::Use(Right::Pull)) {
            return self.no_pull(now, call, Prompt::NotAllowed, rule);
        }
        let device = self.ongoing.call(call).and_then(|ongoing| ongoing.device.clone()).unwrap_or_default();
        match self.talk_elsewhere(account, &device, Some(call)) {
            Some(talk) => {
                let taken = self.take_talk(now, account, &device, talk, Some(call));
                if let Taken::Refused { words, .. } = taken {
                    self.no_pull(now, call, Prompt::NoCall, &words);
                }
            }
            None => self.no_pull(now, call, Prompt::NoCall, "there is no talk at another phone"),
        }
    }

    fn no_pull(&mut self, now: Now, call: CallId, reason: Prompt, words: &str) {
        self.begin_code(now, call, CodeAct::Pull, Script::default(), Step::Store);
        self.say_why(now, call, reason, words);
    }
}
