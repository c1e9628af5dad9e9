//! Where a call goes: number, account, devices (S1.3, S1.4), and what happens when nobody answers.
//!
//! Everything is looked up when the call comes, so a change of people, numbers or devices takes effect on the next
//! call without touching a phone (S1.10, S1.12 to S1.14).

use crate::admission::{Sender, is_behind_nat};
use crate::background::suggests_itself;
use crate::dial_plan::Destination;
use crate::exchange::Exchange;
use crate::limits;
use crate::ongoing::{Ongoing, Reach};
use crate::people::clean_display;
use crate::seats::form_at_once;
use crate::sites::Guest;
use calls::{CallId, Cause, Incoming, Party, Target, Way};
use clock::Now;
use media::Prompt;
use sip::Flow;
use sip::bindings::Binding;
use sip::subscription::DialogState;
use std::sync::Arc;
use wire::sip::{HeaderName, Message, Uri};
use wire::text::Short;

impl Exchange {
    /// A new call. What an emergency asks for is known before anything could stop it (R31).
    pub(crate) fn invite(&mut self, now: Now, flow: Flow, message: &Message<'_>, uri: &Uri<'_>) {
        let emergency = self.emergency(uri);
        if emergency.is_none()
            && let Some(why) = self.refuses_new_call_by(flow)
        {
            return self.refuse_because(flow, message, 503, why);
        }
        let known = emergency.as_ref().and_then(|_| self.device_at(flow)).map(Sender::Device);
        let Some(sender) = known.or_else(|| self.sender(now, flow, message)) else { return };
        if message.max_forwards().ok().flatten() == Some(0) {
            return self.refuse(flow, message, 483);
        }
        if sip::session_timer::answer(message).is_err() {
            return self.refuse(flow, message, 422);
        }
        let asked = uri.user_decoded().unwrap_or_default();
        let dialled = match &emergency {
            Some(number) => (**number).into(),
            None => self.asked_by(&sender, &asked, message),
        };
        let guest = self.guest(now, &sender, &asked, uri);
        let (caller, label) = self.caller(&sender, message, emergency.is_some());
        // R32: masked everywhere but in an emergency and in the trace.
        let hides = emergency.is_none() && wants_privacy(message);
        let caller = if hides { Party::anonymous() } else { caller };
        let session_id = self.session_id(message);
        self.ladder.link(&session_id, message.call_id().unwrap_or_default());
        let incoming = Incoming {
            flow,
            invite: message,
            caller: caller.clone(),
            dialled: Arc::clone(&dialled),
            label: &label,
            behind_nat: is_behind_nat(flow, message),
            media_from: self.media_from(&sender),
            session_id: Arc::clone(&session_id),
            emergency: emergency.is_some(),
        };
        let call = match self.switch.incoming(now, &incoming) {
            Ok(call) => call,
            Err(cause) => return self.refuse(flow, message, cause.status()),
        };
        let ongoing = self.new_ongoing(now, sender, caller, &dialled, session_id);
        let ongoing = self.as_the_phone(ongoing, emergency.is_some());
        let ongoing = Ongoing { suggests: suggests_itself(message), ..ongoing };
        let entry = ongoing.entry.clone();
        if !self.begins(call, ongoing, &guest) {
            // R9: the call came back to us and asks for the same number again.
            return self.fail(now, call, Cause::Loop, "the call came back to us");
        }
        if let Some(trunk) = entry {
            self.count_line(&trunk, true);
            let most = self.people.trunk(&trunk).and_then(|trunk| trunk.channels);
            if emergency.is_none() && most.is_some_and(|most| self.trunks.calls(&trunk) > most) {
                self.note_call(now, call, "trunk.channels", format!("trunk {trunk} is full"));
                // R31: a trunk's limit is not the server's.
                return self.fail(now, call, Cause::Busy, "trunk.channels");
            }
        }
        self.journal_call(now, call);
        self.background_call_begins(now, call);
        if emergency.is_some() {
            return self.route(now, call, &dialled);
        }
        if guest != Guest::No {
            return self.route_from_guest(now, call, &dialled, &guest);
        }
        self.begin(now, call, &dialled, message.value(HeaderName::Replaces));
    }

    /// False for a call that came back to us (R9). Whoever stands at a phone of the caller's exchange is called by it once more.
    fn begins(&mut self, call: CallId, ongoing: Ongoing, guest: &Guest) -> bool {
        if let Guest::Visits(_) = guest {
            self.ongoing.go_on(call, ongoing);
            return true;
        }
        self.ongoing.begin(call, ongoing)
    }

    /// The number that is asked for, as the office writes it.
    fn asked_by(&self, sender: &Sender, asked: &str, message: &Message<'_>) -> Arc<str> {
        match sender {
            Sender::Trunk(trunk) => {
                self.asked_from_outside(trunk, &asked_of_us(trunk, asked, message, self)).into()
            }
            Sender::Exchange(_) => Exchange::asked_by_exchange(asked, message),
            Sender::Device(_) | Sender::App { .. } => asked.into(),
        }
    }

    /// What a person dialled, or the key that they pressed. Only here a number is a code: not where a call is forwarded
    /// to, and never in an emergency (R31).
    fn begin(&mut self, now: Now, call: CallId, dialled: &str, replaces: Option<&[u8]>) {
        let trunk = self.ongoing.call(call).and_then(|ongoing| ongoing.entry.as_deref());
        if self.draining && !self.is_still_called_by(trunk) {
            return self.refuse_spoken(now, call, Prompt::Stopping, Cause::Overload, "draining");
        }
        if !self.picks_up_by_lamp(now, call, replaces) && !self.answer_code(now, call, dialled) {
            self.route(now, call, dialled);
        }
    }

    /// Where else the media of a caller may come from: a trunk lists it (R16).
    fn media_from(&self, sender: &Sender) -> Arc<[std::net::IpAddr]> {
        match sender {
            Sender::Trunk(trunk) => self.people.trunk(trunk).map(|trunk| trunk.sources.as_slice().into()),
            Sender::Device(_) | Sender::Exchange(_) | Sender::App { .. } => None,
        }
        .unwrap_or_default()
    }

    /// An emergency call is the phone's own, whoever sits there: its number is called back (R31).
    fn as_the_phone(&self, mut ongoing: Ongoing, emergency: bool) -> Ongoing {
        if emergency {
            let owner = ongoing.device.as_deref().and_then(|device| self.people.device(device));
            ongoing.caller_account = owner.map(|device| device.account.clone());
        }
        ongoing
    }

    fn new_ongoing(
        &self,
        now: Now,
        sender: Sender,
        caller: Party,
        dialled: &str,
        session_id: Arc<str>,
    ) -> Ongoing {
        let (device, entry, owner) = match sender {
            Sender::Device(device) => (Some(device), None, None),
            Sender::Trunk(trunk) => (None, Some(trunk), None),
            Sender::Exchange(_) => (None, None, None),
            Sender::App { device, account } => (Some(device), None, Some(account)),
        };
        let caller_account = match owner {
            Some(owner) => self.people.account(&owner).map(|_| owner),
            None => device.as_deref().and_then(|device| self.person_at(device)).map(Box::from),
        };
        let (callee, callee_account) = self.callee(dialled);
        Ongoing {
            since: now.mono,
            caller,
            payer: caller_account.clone(),
            caller_account,
            device,
            callee,
            callee_account,
            suggests: false,
            session_id,
            state: DialogState::Trying,
            asked: Vec::new(),
            forwards: 0,
            emergency: false,
            entry,
            line: None,
            reach: Reach::Service,
            moving: None,
            heard: [None; 2],
        }
    }

    /// Who has a number, and whose account that is.
    pub(crate) fn callee(&self, number: &str) -> (Party, Option<Box<str>>) {
        let account = self.people.account_of(number);
        let group = || self.people.group_of(number).map(|(_, group)| &*group.display);
        let queue = || self.people.queue_of(number).map(|(_, queue)| &*queue.display);
        let name = account.map(|(_, account)| &*account.display).or_else(group).or_else(queue);
        let name = name.unwrap_or_default();
        (Party::new(number, name), account.map(|(name, _)| name.into()))
    }

    /// Reaches whoever has the number.
    pub(crate) fn route(&mut self, now: Now, call: CallId, dialled: &str) {
        match self.destination(dialled) {
            Destination::Echo => self.answer_with_echo(now, call),
            Destination::Emergency(number) => self.call_emergency(now, call, &number),
            Destination::Account(account) => self.call_account(now, call, &account, dialled),
            Destination::Group(group) => self.call_group(now, call, &group),
            Destination::Queue(queue) => self.call_queue(now, call, &queue),
            Destination::Outside { number, route } => self.call_outside(now, call, &number, &route),
            Destination::Elsewhere => self.call_elsewhere(now, call, dialled),
            Destination::Parked => self.retrieve(now, call, dialled),
            Destination::Unknown => self.fail(now, call, Cause::UnknownNumber, ""),
        }
    }

    /// Rings all devices of an account but one (S1.4); returns how many.
    pub(crate) fn ring_account(
        &mut self,
        now: Now,
        call: CallId,
        account: &str,
        callee: &Party,
        but: Option<&str>,
    ) -> usize {
        if self.notices.is_dismissed(call, account) {
            return 0;
        }
        let targets = self.targets_of(account, callee, but);
        // A phone at which one member of a group sits may be another's: it rings once.
        let targets = targets.into_iter().filter(|target| !self.switch.rings_at(call, &target.label));
        let targets: Vec<Target> = targets.collect();
        let ringing =
            targets.into_iter().filter_map(|target| self.switch.add_branch(now, call, target)).count();
        self.wake_phones(now, call, account, but);
        ringing
    }

    /// A branch for each device of an account but one.
    pub(crate) fn targets_of(&self, account: &str, callee: &Party, but: Option<&str>) -> Vec<Target> {
        let devices = self.phones_of(account);
        devices
            .iter()
            .filter(|device| Some(&***device) != but)
            .flat_map(|device| self.registrar.targets(device).into_iter().map(move |ways| (device, ways)))
            .take(limits::BRANCHES)
            .filter_map(|(device, ways)| target(device, &ways, callee, self.config.domain.as_deref()))
            .collect()
    }

    /// Rings those devices of an account that answer by themselves, and asks them to (R5); returns how many.
    pub(crate) fn ring_at_once(
        &mut self,
        now: Now,
        call: CallId,
        account: &str,
        callee: &Party,
        but: Option<&str>,
    ) -> usize {
        // Who sits at another's phone is not spoken to as if they were the other.
        let mut devices = self.phones_of(account);
        devices.retain(|device| self.person_at(device) == Some(account) && Some(&**device) != but);
        let mut ringing = 0;
        for device in &devices {
            let Some(form) = self.people.device(device).and_then(|device| device.auto_answer) else {
                continue;
            };
            let at_once = form_at_once(form);
            for ways in self.registrar.targets(device) {
                let Some(mut target) = target(device, &ways, callee, self.config.domain.as_deref()) else {
                    continue;
                };
                target.at_once = Some(at_once);
                ringing += usize::from(self.switch.add_branch(now, call, target).is_some());
            }
        }
        ringing
    }

    /// A device registered while its owner is called: it rings, too (S1.10, R12).
    pub(crate) fn ring_late(&mut self, now: Now, device: &str) {
        let accounts: Vec<Box<str>> = self.rung_at(device).collect();
        for account in accounts {
            self.ring_late_for(now, device, &account);
        }
    }

    fn ring_late_for(&mut self, now: Now, device: &str, account: &str) {
        let waits = |(call, ongoing): (CallId, &Ongoing)| {
            let silent = self.services.has(call)
                || self.notices.is_dismissed(call, account)
                || self.sites.line.holds(call);
            let called = ongoing.callee_account.as_deref() == Some(account) && !silent;
            let rings = called
                && ongoing.state != DialogState::Confirmed
                && ongoing.device.as_deref() != Some(device);
            rings.then(|| (call, ongoing.callee.clone()))
        };
        let calls: Vec<(CallId, Party)> = self.ongoing.of(account).filter_map(waits).collect();
        for (call, callee) in calls {
            let domain = self.config.domain.as_deref();
            let ways = self.registrar.targets(device);
            let mut targets: Vec<Target> =
                ways.iter().filter_map(|ways| target(device, ways, &callee, domain)).collect();
            // R11: a device that rings by one flow learns of the others, and rings once.
            targets.retain(|target| !self.switch.rings(call, target));
            if !targets.is_empty() {
                for target in targets {
                    self.switch.add_branch(now, call, target);
                }
                self.switch.limit_ringing(now, call, self.config.ring_limit);
                self.call_moved_to(now, call, DialogState::Early);
            }
        }
    }

    /// Somebody answered.
    pub(crate) fn call_answered(&mut self, now: Now, call: CallId) {
        self.apps_sleep_on(call);
        self.phones_sleep_on(call);
        self.member_answered(call);
        self.call_moved_to(now, call, DialogState::Confirmed);
    }

    /// A call is over.
    pub(crate) fn call_ended(&mut self, now: Now, call: CallId) {
        self.apps_sleep_on(call);
        self.phones_sleep_on(call);
        self.leave_line(now, call);
        self.sites.picking_up.remove(&call);
        let Some(ongoing) = self.ongoing.end(call) else { return };
        let active = ongoing.state == DialogState::Confirmed;
        let caller = ongoing.caller_account.clone();
        for trunk in ongoing.entry.iter().chain(&ongoing.line) {
            self.count_line(trunk, false);
        }
        for account in ongoing.accounts() {
            self.tell_watchers(now, account);
            self.line_moves(now, account);
            // Who talked, or called, is there, and may be free now.
            if active || caller.as_deref() == Some(account) {
                self.background_hears_of(now, account);
            }
        }
    }

    pub(crate) fn call_moved_to(&mut self, now: Now, call: CallId, state: DialogState) {
        let Some(ongoing) = self.ongoing.call_mut(call) else { return };
        ongoing.state = state;
        if self.watchers.count() == 0 {
            return;
        }
        let accounts: Vec<Box<str>> = ongoing.accounts().map(Box::from).collect();
        for account in accounts {
            self.tell_watchers(now, &account);
        }
    }

    /// The host under which a peer knows us.
    pub(crate) fn domain(&self, flow: Flow) -> String {
        self.config.domain.as_deref().map_or_else(|| flow.local.to_string(), str::to_owned)
    }

    /// Nothing rings any more and nobody answered.
    pub(crate) fn nobody_answered(&mut self, now: Now, call: CallId, cause: Cause, status: u16) {
        let moves = self.switch.is_replacing(call)
            && self.ongoing.call(call).is_some_and(|ongoing| ongoing.moving.is_none());
        // Nobody is looked for who is talking already, and only moves.
        if moves {
            if !self.park_is_over(now, call) {
                self.fail(now, call, cause, "");
            }
            return;
        }
        if self.waits_for_apps(call, cause) || self.waits_for_phones(call, cause) {
            return;
        }
        match self.ongoing.call(call).map(|ongoing| &ongoing.reach) {
            Some(Reach::Account) => self.account_exhausted(now, call, cause),
            Some(Reach::Group { .. }) => self.group_exhausted(now, call),
            Some(Reach::Queue { .. }) => self.queue_exhausted(now, call),
            Some(Reach::Outside(_)) => self.line_failed(now, call, cause, status),
            Some(Reach::Elsewhere { .. }) => self.site_failed(now, call, cause, status),
            Some(Reach::Service) | None => self.fail(now, call, cause, ""),
        }
    }

    /// Who calls, as the callee sees it: our directory's word for devices, the trunk's for the outside.
    /// In an emergency, a phone is its owner's, whoever sits there (R31).
    pub(crate) fn caller(
        &self,
        sender: &Sender,
        message: &Message<'_>,
        emergency: bool,
    ) -> (Party, Box<str>) {
        match sender {
            Sender::Device(device) => {
                let owner = || self.people.device(device).map(|device| &*device.account);
                let person = if emergency { owner() } else { self.person_at(device) };
                let account = person.and_then(|person| self.people.account(person));
                let number = account.and_then(|account| account.numbers.first()).unwrap_or(device);
                let name = account.map(|account| &*account.display).unwrap_or_default();
                (Party::new(number, name), device.clone())
            }
            Sender::App { device, account } => {
                let known = self.people.account(account);
                let own = known.and_then(|known| known.numbers.first().cloned());
                let number = own.or_else(|| self.sites.number_of(account));
                let name = known.map(|known| &*known.display).unwrap_or_default();
                (Party::new(number.as_deref().unwrap_or(account), name), device.clone())
            }
            Sender::Trunk(label) | Sender::Exchange(label) => {
                let from = message.from().ok();
                let number = from.and_then(|from| from.uri().ok()).and_then(|uri| uri.user_decoded());
                let name = from.map(|from| from.display_name()).unwrap_or_default();
                let number = clean_display(number.as_deref().unwrap_or("anonymous"));
                (Party::new(&number, &clean_display(&String::from_utf8_lossy(&name))), label.clone())
            }
        }
    }

    /// The caller's half of the Session-ID, or a new one if it has none (RFC 7989 section 6).
    fn session_id(&mut self, message: &Message<'_>) -> Arc<str> {
        let sent = message.value(HeaderName::SessionId).and_then(|value| std::str::from_utf8(value).ok());
        let half = sent.and_then(|text| text.split(';').next()).map(str::trim).unwrap_or_default();
        let right = half.len() == 32
            && half.bytes().all(|byte| byte.is_ascii_hexdigit())
            && half.bytes().any(|b| b != b'0');
        if right {
            return half.to_ascii_lowercase().into();
        }
        self.new_session_id()
    }

    /// A Session-ID of our own.
    pub(crate) fn new_session_id(&mut self) -> Arc<str> {
        let endpoint = self.switch.endpoint();
        let mut name = Short::<32>::new();
        name.push_hex(endpoint.random() | 1);
        name.push_hex(endpoint.random());
        (*name).into()
    }
}

/// Whether a caller asks not to be shown: `id` (RFC 3325 9.3), or the like of RFC 3323 4.2.
fn wants_privacy(message: &Message<'_>) -> bool {
    let asks = |value: &[u8]| {
        value
            .split(|&octet| matches!(octet, b';' | b','))
            .map(<[u8]>::trim_ascii)
            .any(|word| [&b"id"[..], b"user", b"header"].iter().any(|known| word.eq_ignore_ascii_case(known)))
    };
    message.values(HeaderName::Privacy).any(asks)
}

/// The number that a trunk asks for. Where we are registered, its Request-URI may be our own contact, and the number
/// stands in To.
fn asked_of_us(trunk: &str, asked: &str, message: &Message<'_>, exchange: &Exchange) -> String {
    let login = exchange.people.trunk(trunk).and_then(|trunk| trunk.login.as_ref());
    let is_us = login.is_some_and(|login| *login.user == *asked);
    let to = || message.to().ok()?.uri().ok()?.user_decoded().map(|user| user.into_owned());
    if is_us { to().unwrap_or_else(|| asked.to_owned()) } else { asked.to_owned() }
}

/// One branch: the flows of one instance of a device, to be tried in turn (R11).
pub(crate) fn target(
    device: &str,
    ways: &[&Binding],
    callee: &Party,
    domain: Option<&str>,
) -> Option<Target> {
    let (binding, further) = ways.split_first()?;
    let way = |binding: &&Binding| Way {
        flow: binding.flow,
        uri: binding.contact.clone(),
        routes: binding.path.clone(),
        behind_nat: binding.behind_nat,
    };
    Some(Target {
        label: device.into(),
        flow: binding.flow,
        uri: binding.contact.clone(),
        routes: binding.path.clone(),
        callee: callee.clone(),
        domain: domain.map_or_else(|| binding.flow.local.to_string().into(), Box::from),
        behind_nat: binding.behind_nat,
        further: further.iter().map(way).collect(),
        line: None,
        at_once: None,
        shown: None,
    })
}
