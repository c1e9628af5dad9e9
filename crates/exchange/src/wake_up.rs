//! Phones that sleep (RFC 8599, R29): their connection is gone, or nobody is behind it, and a message by the office's broker wakes them.
//!
//! ```text
//! REGISTER with pn-provider=mqtt --> 200 with Feature-Caps; another provider: 555
//! a call, its connection gone --> WakeUp, 182 --> REGISTER accepted --> INVITE on that flow --> its 180 is the caller's
//! a call by a connection on which nothing is said for 2 s --> the same
//!      answered elsewhere, given up --> WakeUp says that nobody waits any more
//! ```
//! One message a call and phone. A phone that does not come in time is as if it had not been woken.

use crate::exchange::Exchange;
use crate::input::Output;
use crate::limits;
use crate::ongoing::Reach;
use crate::routing::target;
use calls::{CallId, Cause, Target};
use clock::{Mono, Now};
use sip::Flow;
use sip::bindings::{Binding, StoredBinding};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use wire::sip::{Contact, Message, Uri};

/// The one provider that there is: the broker of `[notices]`.
const PROVIDER: &str = "mqtt";

/// What a phone that sleeps is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WakeUp {
    /// Which.
    pub device: Box<str>,
    /// The call's Session-ID: what else the phone may know comes with the INVITE.
    pub session_id: Box<str>,
    /// A call waits for it, or does not any more.
    pub waits: bool,
    /// How long that is of any use.
    pub lives: Duration,
}

/// Phones that sleep, and calls that wait for some.
#[derive(Debug, Default)]
pub(crate) struct Sleepers {
    /// Until when their registrations last; of each device once.
    asleep: BTreeMap<Box<str>, Mono>,
    waking: BTreeMap<CallId, Waking>,
    /// When calls are looked at: whether nothing was said, or nobody came.
    due: BTreeSet<(Mono, CallId)>,
}

/// A call for which phones are woken, or are to be.
#[derive(Debug, Default)]
struct Waking {
    /// Those that ring by a connection behind which nobody may be.
    doubted: BTreeSet<Box<str>>,
    /// Those that were woken and have not come.
    woken: BTreeSet<Box<str>>,
    /// When it is looked at next.
    due: Mono,
    /// Nothing rings, for this cause: the call waits for those alone.
    waits: Option<Cause>,
}

impl Sleepers {
    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.due.first().map(|(at, _)| *at)
    }

    fn is_asleep(&self, device: &str, now: Mono) -> bool {
        self.asleep.get(device).is_some_and(|until| *until > now)
    }

    /// It is no device any more.
    pub(crate) fn forget(&mut self, device: &str) {
        self.asleep.remove(device);
    }

    fn look_at(&mut self, call: CallId, at: Mono) {
        let waking = self.waking.entry(call).or_default();
        self.due.remove(&(waking.due, call));
        waking.due = at;
        self.due.insert((at, call));
    }

    fn end(&mut self, call: CallId) -> Option<Waking> {
        let waking = self.waking.remove(&call)?;
        self.due.remove(&(waking.due, call));
        Some(waking)
    }
}

/// What a Contact says of how its phone is woken (RFC 8599 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Push {
    /// Nothing.
    Not,
    /// It wants to know what there is.
    Asks,
    /// By us.
    ByBroker,
    /// By somebody whom we do not know.
    ByOthers,
}

/// The same of a URI of ours, as it is kept.
pub(crate) fn push_of(contact: &str, device: &str) -> Push {
    Uri::parse(contact).map_or(Push::Not, |uri| push_of_uri(&uri, device))
}

fn push_of_uri(uri: &Uri<'_>, device: &str) -> Push {
    let param = |wanted: &str| uri.params.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    match param("pn-provider") {
        None => Push::Not,
        Some((_, None | Some(""))) => Push::Asks,
        // The topic is the phone's own, so nobody makes us talk to another's.
        Some((_, Some(PROVIDER))) if param("pn-prid").is_some_and(|(_, prid)| prid == Some(device)) => {
            Push::ByBroker
        }
        Some(_) => Push::ByOthers,
    }
}

impl Exchange {
    /// Whether a REGISTER names a way to be woken that there is not: 555 (RFC 8599 5.3).
    pub(crate) fn cannot_wake(&self, message: &Message<'_>, device: &str) -> bool {
        message.contacts().flatten().any(|contact| {
            let Contact::Addr(addr) = contact else { return false };
            let push = addr.uri().map_or(Push::Not, |uri| push_of_uri(&uri, device));
            push == Push::ByOthers || (push == Push::ByBroker && !self.config.wakes)
        })
    }

    /// Whether the answer to a REGISTER says by what phones can be woken: only who asks is told.
    pub(crate) fn tells_of_waking(&self, bindings: &[&Binding], device: &str) -> bool {
        self.config.wakes && bindings.iter().any(|binding| push_of(&binding.contact, device) != Push::Not)
    }

    /// A connection is about to be gone: who is behind it, and can be woken, sleeps.
    pub(crate) fn fall_asleep(&mut self, flow: Flow) {
        if !self.config.wakes {
            return;
        }
        let devices: Vec<Box<str>> = self.registrar.behind_flow(flow).map(Box::from).collect();
        for device in devices {
            let bindings = self.registrar.bindings(&device);
            let other = bindings.iter().any(|binding| binding.flow != flow);
            let lost = bindings.iter().find(|one| push_of(&one.contact, &device) == Push::ByBroker);
            if let Some(until) = lost.filter(|lost| lost.flow == flow && !other).map(|one| one.expires.until)
            {
                self.sleepers.asleep.insert(device, until);
            }
        }
    }

    /// What the store had of a phone: its connection did not outlive us.
    pub(crate) fn sleeps_since_before(&mut self, now: Now, device: &str, stored: &[StoredBinding]) {
        let sleeps = |one: &&StoredBinding| {
            one.flow.transport.reliable() && push_of(&one.contact, device) == Push::ByBroker
        };
        let left = stored.iter().filter(sleeps).map(|one| one.expires.0.saturating_sub(now.wall.0)).max();
        if let Some(left) = left.and_then(|left| u64::try_from(left).ok()).filter(|_| self.config.wakes) {
            self.sleepers.asleep.insert(device.into(), now.mono + Duration::from_millis(left));
        }
    }

    /// Somebody is called: those of their phones that sleep are woken, and those by whose connection nothing comes will be.
    pub(crate) fn wake_phones(&mut self, now: Now, call: CallId, account: &str, but: Option<&str>) {
        if !self.config.wakes {
            return;
        }
        for device in self.phones_of(account) {
            if Some(&*device) == but {
                continue;
            }
            if self.sleepers.is_asleep(&device, now.mono) {
                self.wake(now, call, &device);
            } else if self.switch.rings_at(call, &device)
                && self
                    .registrar
                    .bindings(&device)
                    .iter()
                    .any(|b| push_of(&b.contact, &device) == Push::ByBroker)
            {
                if !self.sleepers.waking.contains_key(&call) {
                    self.sleepers.look_at(call, now.mono + limits::SAYS_NOTHING);
                }
                if let Some(waking) = self.sleepers.waking.get_mut(&call) {
                    waking.doubted.insert(device);
                }
            }
        }
    }

    fn wake(&mut self, now: Now, call: CallId, device: &str) {
        let known = self.sleepers.waking.get(&call);
        if known.is_some_and(|waking| waking.woken.contains(device)) {
            return;
        }
        self.sleepers.look_at(call, now.mono + limits::WAKE_PATIENCE);
        if let Some(waking) = self.sleepers.waking.get_mut(&call) {
            waking.doubted.remove(device);
            waking.woken.insert(device.into());
        }
        self.note_call(now, call, "phone.woken", format!("{device} sleeps, and is woken"));
        self.tell_sleeper(call, device, true);
        // R29: 180 comes when one rings.
        self.switch.caller_waits(now, call);
    }

    fn tell_sleeper(&mut self, call: CallId, device: &str, waits: bool) {
        let Some(ongoing) = self.ongoing.call(call) else { return };
        let session_id = (*ongoing.session_id).into();
        let wake = WakeUp { device: device.into(), session_id, waits, lives: limits::WAKE_PATIENCE };
        self.outputs.push_back(Output::WakeUp(Box::new(wake)));
    }

    /// Whether a call that rings nowhere waits for phones that were woken.
    pub(crate) fn waits_for_phones(&mut self, call: CallId, cause: Cause) -> bool {
        let waking = self.sleepers.waking.get_mut(&call).filter(|waking| !waking.woken.is_empty());
        let Some(waking) = waking else { return false };
        waking.waits = Some(cause);
        true
    }

    /// A phone registered: it is awake, and rings for the calls that wait for it.
    pub(crate) fn wakes_up(&mut self, now: Now, device: &str) {
        self.sleepers.asleep.remove(device);
        let wanted = |(call, waking): (&CallId, &Waking)| waking.woken.contains(device).then_some(*call);
        let calls: Vec<CallId> = self.sleepers.waking.iter().filter_map(wanted).collect();
        for call in &calls {
            if self.sleepers.waking.get(call).is_some_and(|waking| waking.waits.is_some()) {
                self.switch.try_anew(*call);
            }
        }
        self.ring_late(now, device);
        for call in calls {
            let rings = self.switch.rings_at(call, device) || self.ring_woken(now, call, device);
            let Some(waking) = self.sleepers.waking.get_mut(&call).filter(|_| rings) else { continue };
            waking.woken.remove(device);
            waking.waits = None;
            let all_came = waking.woken.is_empty() && waking.doubted.is_empty();
            self.note_call(now, call, "phone.came", format!("{device} came"));
            if all_came {
                self.sleepers.end(call);
            }
        }
    }

    /// Rings a phone of a hunt group's member.
    fn ring_woken(&mut self, now: Now, call: CallId, device: &str) -> bool {
        let callee = match self.ongoing.call(call).map(|ongoing| (&ongoing.reach, &ongoing.callee)) {
            Some((Reach::Group { .. }, callee)) => callee.clone(),
            _ => return false,
        };
        let domain = self.config.domain.as_deref();
        let ways = self.registrar.targets(device);
        let targets: Vec<Target> =
            ways.iter().filter_map(|ways| target(device, ways, &callee, domain)).collect();
        let ringing =
            targets.into_iter().filter_map(|target| self.switch.add_branch(now, call, target)).count();
        if ringing > 0 {
            self.switch.limit_ringing(now, call, self.config.ring_limit);
            self.call_progresses(now, call);
        }
        ringing > 0
    }

    /// The call was answered, or is over: whoever was woken for it and has not come is told so.
    pub(crate) fn phones_sleep_on(&mut self, call: CallId) {
        let Some(waking) = self.sleepers.end(call) else { return };
        for device in waking.woken {
            self.tell_sleeper(call, &device, false);
        }
    }

    /// Nothing was said by a connection for too long, or nobody came.
    pub(crate) fn sleepers_due(&mut self, now: Now) {
        while let Some((_, call)) = self.sleepers.due.first().copied().filter(|(at, _)| *at <= now.mono) {
            let Some(waking) = self.sleepers.waking.get_mut(&call) else {
                self.sleepers.due.pop_first();
                continue;
            };
            let doubted = std::mem::take(&mut waking.doubted);
            if doubted.is_empty() {
                let waits = self.sleepers.end(call).and_then(|waking| waking.waits);
                if let Some(cause) = waits {
                    self.note_call(now, call, "phone.away", "no phone came that was woken".into());
                    self.nobody_answered(now, call, cause, cause.status());
                }
                continue;
            }
            // Those that said something are awake.
            let is_silent =
                |device: &str| self.switch.rings_at(call, device) && !self.switch.is_heard(call, device);
            let silent: Vec<Box<str>> = doubted.into_iter().filter(|device| is_silent(device)).collect();
            let waking = self.sleepers.waking.get(&call);
            if silent.is_empty() && waking.is_some_and(|waking| waking.woken.is_empty()) {
                self.sleepers.end(call);
            } else {
                self.sleepers.look_at(call, now.mono + limits::WAKE_PATIENCE);
            }
            for device in silent {
                self.wake(now, call, &device);
            }
        }
    }
}
