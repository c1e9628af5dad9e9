//! One attempt: the call that is made for it, and who is rung first.

use super::{Known, Phase, Trying};
use crate::dial_plan::Destination;
use crate::exchange::Exchange;
use crate::facts::FactKind;
use crate::ongoing::{Ongoing, Reach};
use calls::{CallId, Cause, First, Party, Target};
use clock::Now;
use dialing::cause::{Finding, Outcome};
use dialing::{AttemptId, Dial, Input, LegOrder};
use sip::subscription::DialogState;
use std::sync::Arc;
use std::time::Duration;

/// The rule of the fact that says why the exchange itself made a call.
const OWN_CALL: &str = "task.call";
/// What a phone of the owner is told when the task is stopped.
pub(super) const STOPPED: &str = "SIP;cause=487;text=\"Background call stopped\"";

impl Exchange {
    /// The claim is written: whoever is first is rung now, unless the owner could not talk.
    pub(crate) fn make_attempt(&mut self, now: Now, dial: &Dial) {
        let task = dial.attempt.task;
        let known = self.background.tasks.get(&task).cloned();
        if let Some(known) = known.as_ref().filter(|known| known.wish().is_some()) {
            return self.make_callback(now, dial, known);
        }
        if let Some((known, dealt)) = known.as_ref().and_then(|known| Some((known, *known.dealt()?))) {
            return self.make_row_call(now, dial, known, dealt);
        }
        let there = known.filter(|known| !self.draining && self.can_talk(now, &known.account));
        let Some(known) = there else {
            // Nobody is called for somebody who is not there; it goes on when they are.
            self.background.dialing.handle(now, Input::Owner { owner: dial.owner, at_once: 0, gap: 0 });
            return self.finish_attempt(now, dial.attempt, Finding::sure(Outcome::NotDialled));
        };
        let because: Vec<String> = dial.because.iter().map(ToString::to_string).collect();
        let words =
            format!("attempt {} calls {}: {}", dial.attempt.ordinal, known.number, because.join(", "));
        self.note(now, FactKind::Task, &task.0.to_string(), "task.attempt", words);
        let caller = self.party_of(&known.account);
        let call = self.begin_attempt(now, &known, dial, (caller, &known.account));
        let ring = self.rings_for_attempt(dial, &known);
        match dial.legs {
            LegOrder::CalleeFirst => self.call_callee(now, call, &known.number, ring),
            LegOrder::OwnerFirst => {
                if self.ring_owner(now, call, &known.account) == 0 {
                    self.owner_is_away(now, call);
                }
            }
        }
        self.tell_task(now, task);
    }

    /// The call of an attempt, by this caller and for this account; nobody is rung yet.
    pub(crate) fn begin_attempt(
        &mut self,
        now: Now,
        known: &Known,
        dial: &Dial,
        (caller, account): (Party, &str),
    ) -> CallId {
        let session_id = self.new_session_id();
        let queue = known.wish().map(|wish| wish.queue.clone());
        let first = match dial.legs {
            LegOrder::CalleeFirst => First::Callee,
            LegOrder::OwnerFirst => First::Caller,
        };
        let dialled: Arc<str> = (*known.number).into();
        let call = self.switch.reach(
            now,
            calls::Reach {
                caller: caller.clone(),
                dialled,
                session_id: Arc::clone(&session_id),
                first,
                task: Some(dial.attempt.task.0),
            },
        );
        let (callee, callee_account) = self.callee(&known.number);
        self.ongoing.go_on(
            call,
            Ongoing {
                since: now.mono,
                device: None,
                caller,
                // S2.12: until the two talk, its owner's line is free.
                caller_account: None,
                callee,
                callee_account,
                suggests: false,
                session_id,
                state: DialogState::Trying,
                // A queue pays for itself.
                payer: queue.is_none().then(|| account.into()),
                asked: Vec::new(),
                forwards: 0,
                emergency: false,
                entry: None,
                line: None,
                reach: Reach::Service,
                moving: None,
                heard: [None; 2],
            },
        );
        self.background.trying.insert(
            call,
            Trying {
                attempt: dial.attempt,
                account: account.into(),
                queue,
                row: known.dealt().map(|dealt| dealt.row),
                legs: dial.legs,
                ring: self.rings_for_attempt(dial, known),
                phase: Phase::First,
                said: None,
                offered_all: false,
                told: false,
            },
        );
        self.journal_call(now, call);
        let words = format!("attempt {} of task {}", dial.attempt.ordinal, dial.attempt.task.0);
        self.note_call(now, call, OWN_CALL, words);
        call
    }

    /// How long the callee's phone rings: as the law demands at least.
    fn rings_for_attempt(&self, dial: &Dial, known: &Known) -> Duration {
        let own = match known.dealt() {
            Some(_) => Duration::from_secs(self.config.lists.assignment.ring_s.into()),
            None => self.config.background.rings,
        };
        own.max(Duration::from_secs(dial.ring.into()))
    }

    /// Calls the one who is to be reached, as any call to that number.
    pub(crate) fn call_callee(&mut self, now: Now, call: CallId, number: &str, ring: Duration) {
        if let Destination::Account(callee) = self.destination(number)
            && self.talks(&callee)
        {
            // They are called the moment they are free.
            return self.fail(now, call, Cause::Busy, "talks already");
        }
        self.route(now, call, number);
        // An agent who listens to it ringing waits no longer than their list says.
        let listens = self.background.trying.get(&call).is_some_and(|trying| trying.row.is_some());
        if self.switch.view(call).is_some() && (listens || !self.switch.is_half_up(call)) {
            self.switch.limit_ringing(now, call, ring);
        }
    }

    /// Rings all phones of the owner, who sees whom it is about, and wakes their apps; returns how many that is, apps as one.
    pub(super) fn ring_owner(&mut self, now: Now, call: CallId, account: &str) -> usize {
        let Some(shown) = self.ongoing.call(call).map(|ongoing| ongoing.callee.clone()) else { return 0 };
        let callee = self.party_of(account);
        let targets = self.targets_of(account, &callee, None);
        let shown = |target: Target| Target { shown: Some(shown.clone()), ..target };
        let targets: Vec<Target> = targets.into_iter().map(shown).collect();
        let ringing =
            targets.into_iter().filter_map(|target| self.switch.add_branch(now, call, target)).count();
        if ringing > 0 {
            self.switch.limit_ringing(now, call, self.config.background.waits);
        }
        let woken = self.wake_apps(now, call, account, &callee.number, ringing > 0);
        ringing + usize::from(woken)
    }

    /// The owner of an attempt who is rung now, or is to be: not the one whom it is to reach.
    pub(crate) fn rung_owner(&self, call: CallId) -> Option<&str> {
        let trying = self.background.trying.get(&call)?;
        let rung = matches!(
            (trying.phase, trying.legs),
            (Phase::First, LegOrder::OwnerFirst) | (Phase::Second, LegOrder::CalleeFirst)
        );
        rung.then_some(&*trying.account)
    }

    /// An account, as others see it calling.
    pub(crate) fn party_of(&self, account: &str) -> Party {
        let known = self.people.account(account);
        let number = known.and_then(|known| known.numbers.first()).map_or(account, |number| &**number);
        Party::new(number, known.map(|known| &*known.display).unwrap_or_default())
    }

    /// Its owner, or a rule, wants an attempt no more, wherever it stands (S2.8).
    pub(super) fn give_attempt_up(&mut self, now: Now, attempt: AttemptId) {
        if self.claim_given_up(now, attempt) {
            return;
        }
        let made = self.background.trying.iter().find(|(_, trying)| trying.attempt == attempt);
        let Some((call, trying)) = made.map(|(call, trying)| (*call, trying.clone())) else { return };
        match (trying.phase, trying.legs) {
            // Whoever waits for the owner is told.
            (Phase::Second, LegOrder::CalleeFirst) => {
                self.switch.stop_all_ringing(now, call, STOPPED);
                self.attempt_leaves(now, attempt.task, call);
                self.excuse(now, call, false);
            }
            (Phase::First | Phase::Second, _) => self.switch.hang_up(now, call, Cause::Cancelled),
            (Phase::Over, _) => {}
        }
    }
}
