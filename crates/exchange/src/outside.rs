//! Calls to the outside: allowed by a rule, sent out by the first trunk that takes them, and by the next when one does not.

use crate::exchange::Exchange;
use crate::limits;
use crate::ongoing::{Outside, Reach};
use crate::permissions::{Act, Verdict};
use crate::trunks::{account, trunk_uri};
use calls::{CallId, Cause, Line, Party, Target};
use clock::Now;
use media::Prompt;
use std::collections::VecDeque;
use std::sync::Arc;

impl Exchange {
    /// A number of the outside: whoever pays must be allowed to (default deny).
    pub(crate) fn call_outside(&mut self, now: Now, call: CallId, number: &str, route: &str) {
        let payer = self.ongoing.call(call).and_then(|ongoing| ongoing.payer.clone());
        let class = self.config.numbering.class(number);
        let queue = self.background.trying.get(&call).and_then(|trying| trying.queue.clone());
        let rule = match queue {
            Some(queue) => self.queue_may_not_call(&queue, class),
            None => match self.may(now, payer.as_deref(), Act::Call(class)) {
                Verdict::Deny(rule) => Some(rule),
                Verdict::Allow => None,
            },
        };
        if let Some(rule) = rule {
            return self.forbid(now, call, rule, number);
        }
        let Some(known) = self.people.route(route) else { return };
        let compared = if known.prefix.starts_with('+') {
            self.config.numbering.e164(number).unwrap_or_else(|| number.to_owned())
        } else {
            number.to_owned()
        };
        let outside = Outside {
            number: known.rewrite(&compared).into(),
            caller: known.caller.clone(),
            trunks: self.living_first(known.trunks.clone()),
            flow: None,
            trunk: None,
        };
        if let Some(payer) = &payer {
            self.day_counts.count(now, payer);
        }
        self.begin_outside(now, call, outside);
    }

    /// An emergency (R31): by the trunks that are set for it, then by any; nothing limits it.
    pub(crate) fn call_emergency(&mut self, now: Now, call: CallId, number: &str) {
        let mut trunks: VecDeque<Box<str>> = self.config.emergency.trunks.iter().cloned().collect();
        trunks.extend(self.people.trunks().map(|(name, _)| name.into()));
        let mut seen = std::collections::BTreeSet::new();
        trunks.retain(|name| self.people.trunk(name).is_some() && seen.insert(name.clone()));
        let trunks = self.living_first(trunks.into());
        let device = self.ongoing.call(call).and_then(|ongoing| ongoing.device.clone());
        if let Some(device) = &device {
            self.expect_call_back(now, device);
        }
        let device = device.and_then(|name| self.people.device(&name));
        // The number that is called back belongs to the telephone, whoever uses it.
        let caller = device.and_then(|device| device.call_back.clone());
        let place = device.map(|device| device.location.to_string()).unwrap_or_default();
        if let Some(ongoing) = self.ongoing.call_mut(call) {
            ongoing.emergency = true;
        }
        let words = if place.is_empty() {
            "an emergency call".to_owned()
        } else {
            format!("an emergency call from {place}")
        };
        self.note_call(now, call, "emergency", words);
        self.begin_outside(
            now,
            call,
            Outside { number: number.into(), caller, trunks, flow: None, trunk: None },
        );
    }

    fn begin_outside(&mut self, now: Now, call: CallId, outside: Outside) {
        if let Some(ongoing) = self.ongoing.call_mut(call) {
            ongoing.reach = Reach::Outside(Box::new(outside));
        }
        self.next_line(now, call, Cause::NoLine);
    }

    /// What a line said that took the call, or did not (`status` as in [`calls::CallEvent::Exhausted`]).
    pub(crate) fn line_failed(&mut self, now: Now, call: CallId, cause: Cause, status: u16) {
        // What the far end says of itself is final; what the line says of itself is not.
        let of_the_line = matches!(status, 408 | 430 | 500..=599);
        let Some(Reach::Outside(outside)) = self.ongoing.call(call).map(|ongoing| &ongoing.reach) else {
            return;
        };
        if !of_the_line {
            return self.not_answered(now, call, cause, "");
        }
        let (trunk, flow) = (outside.trunk.clone().unwrap_or_default(), outside.flow);
        if let (408 | 503, Some(flow)) = (status, flow) {
            self.trunk_is_dead(now, &trunk, flow);
        }
        let words = match status {
            408 => format!("trunk {trunk} did not answer"),
            status => format!("trunk {trunk} said {status}"),
        };
        self.note_call(now, call, "trunk.fail-over", words);
        self.next_line(now, call, cause);
    }

    /// Sends the call out by the next trunk that can take it; ends it with `cause` when there is none.
    fn next_line(&mut self, now: Now, call: CallId, cause: Cause) {
        loop {
            let Some(ongoing) = self.ongoing.call_mut(call) else { return };
            let emergency = ongoing.emergency;
            let Reach::Outside(outside) = &mut ongoing.reach else { return };
            let Some(name) = outside.trunks.pop_front() else {
                let why = "no trunk took the call";
                return self.refuse_spoken(now, call, Prompt::LinesBusy, cause, why);
            };
            let most = self.people.trunk(&name).and_then(|trunk| trunk.channels);
            if !emergency && most.is_some_and(|most| self.trunks.calls(&name) >= most) {
                self.note_call(now, call, "trunk.channels", format!("trunk {name} is full"));
                continue;
            }
            if self.try_line(now, call, &name) {
                return;
            }
        }
    }

    fn try_line(&mut self, now: Now, call: CallId, name: &str) -> bool {
        let Some(flow) = self.trunks.flow(now, name) else { return false };
        let Some(trunk) = self.people.trunk(name) else { return false };
        let Some(ongoing) = self.ongoing.call_mut(call) else { return false };
        let (from, emergency) = (ongoing.caller.clone(), ongoing.emergency);
        let Reach::Outside(outside) = &mut ongoing.reach else { return false };
        (outside.trunk, outside.flow) = (Some(name.into()), Some(flow));
        // R32: who wants to be hidden is hidden behind the company's number, too.
        let number = outside.caller.as_deref().filter(|_| emergency || !from.is_anonymous());
        let shown = number.map(|number| Party { number: number.into(), name: from.name });
        let line = Line {
            login: account(trunk).map(Arc::new),
            caller: shown,
            media_from: trunk.sources.as_slice().into(),
            patience: limits::TRUNK_PATIENCE,
            pass: None,
        };
        let target = Target {
            label: name.into(),
            flow,
            uri: trunk_uri(trunk, Some(&outside.number)).into(),
            routes: Vec::new(),
            callee: Party::new(&outside.number, ""),
            domain: trunk.host.to_string().into(),
            behind_nat: false,
            further: Vec::new(),
            line: Some(Box::new(line)),
            at_once: None,
            shown: None,
        };
        self.switch.try_anew(call);
        if self.switch.add_branch(now, call, target).is_none() {
            return false;
        }
        self.use_line(call, name);
        self.switch.limit_ringing(now, call, self.config.outside_limit);
        self.call_progresses(now, call);
        true
    }

    /// A call begins or ends on a trunk.
    pub(crate) fn count_line(&mut self, trunk: &str, begins: bool) {
        self.trunks.count(trunk, begins);
        self.listening.touch_trunk(trunk);
    }

    /// From now on the call takes one of a trunk's channels, and no other's.
    fn use_line(&mut self, call: CallId, name: &str) {
        let Some(ongoing) = self.ongoing.call_mut(call) else { return };
        if let Some(before) = ongoing.line.replace(name.into()) {
            self.count_line(&before, false);
        }
        self.count_line(name, true);
    }

    /// Trunks in their order, but those that are down last.
    fn living_first(&self, names: Vec<Box<str>>) -> VecDeque<Box<str>> {
        let (up, down): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| self.trunks.lives(name));
        up.into_iter().chain(down).collect()
    }

    /// Refuses a call by a rule, and says so in its record and its facts.
    pub(crate) fn forbid(&mut self, now: Now, call: CallId, rule: &str, number: &str) {
        let words = match rule {
            "trunk-to-trunk" => format!("a caller from outside may not call {number}, which is outside, too"),
            "calls-a-day" => format!("{number} was refused: the day's calls to the outside are used up"),
            _ => format!("{number} was refused: the account lacks a right"),
        };
        self.note_call(now, call, rule, words);
        self.refuse_spoken(now, call, Prompt::NotAllowed, Cause::Forbidden, rule);
    }
}
