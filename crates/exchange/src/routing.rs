//! Where a call goes: number, account, devices (S1.3, S1.4), and what happens when nobody answers.
//!
//! Everything is looked up when the call comes, so a change of people, numbers or devices takes effect on the next
//! call without touching a phone (S1.10, S1.12 to S1.14).

use crate::admission::{Sender, is_behind_nat};
use crate::exchange::Exchange;
use crate::limits;
use crate::ongoing::Ongoing;
use crate::people::clean_display;
use calls::{CallId, Cause, Incoming, Party, Target};
use clock::Now;
use media::{SoundId, Source};
use sip::Flow;
use sip::bindings::Binding;
use sip::subscription::DialogState;
use wire::sip::{HeaderName, Message, Uri};

impl Exchange {
    /// A new call.
    pub(crate) fn invite(&mut self, now: Now, flow: Flow, message: &Message<'_>, uri: &Uri<'_>) {
        if self.refuses_new_calls(uri) {
            return self.refuse(flow, message, 503);
        }
        let Some(sender) = self.sender(now, flow, message) else { return };
        if message.max_forwards().ok().flatten() == Some(0) {
            return self.refuse(flow, message, 483);
        }
        if sip::session_timer::answer(message).is_err() {
            return self.refuse(flow, message, 422);
        }
        let dialled = uri.user_decoded().unwrap_or_default();
        let (caller, label) = self.caller(&sender, message);
        let session_id = self.session_id(message);
        let incoming = Incoming {
            flow,
            invite: message,
            caller: caller.clone(),
            dialled: &dialled,
            label: &label,
            behind_nat: is_behind_nat(flow, message),
            session_id: &session_id,
        };
        let call = match self.switch.incoming(now, &incoming) {
            Ok(call) => call,
            Err(cause) => return self.refuse(flow, message, cause.status()),
        };
        let device = match sender {
            Sender::Device(device) => Some(device),
            Sender::Trunk(_) => None,
        };
        let owner = |device: &str| self.people.device(device).map(|device| device.account.clone());
        let callee = self.people.account_of(&dialled);
        let ongoing = Ongoing {
            caller,
            caller_account: device.as_deref().and_then(owner),
            device,
            callee: Party {
                number: dialled.as_ref().into(),
                name: callee.map(|(_, account)| account.display.clone()).unwrap_or_default(),
            },
            callee_account: callee.map(|(name, _)| name.into()),
            session_id: session_id.into(),
            state: DialogState::Trying,
            moving: None,
        };
        if !self.ongoing.begin(call, ongoing) {
            // R9: the call came back to us and asks for the same number again.
            return self.switch.reject(now, call, Cause::Loop, "the call came back to us");
        }
        self.journal_call(now, call);
        self.route(now, call, &dialled);
    }

    /// Rings whoever has the number.
    fn route(&mut self, now: Now, call: CallId, dialled: &str) {
        if self.config.echo_number.as_deref() == Some(dialled) {
            let source =
                Source::Prompt { sound: SoundId::ECHO, then: Some(Box::new(Source::Echo)), repeat: false };
            return self.switch.answer_with(now, call, source, "echo");
        }
        let Some((owner, account)) = self.people.account_of(dialled) else {
            return self.switch.reject(now, call, Cause::UnknownNumber, "");
        };
        let callee = Party { number: dialled.into(), name: account.display.clone() };
        let caller = self.ongoing.call(call).and_then(|ongoing| ongoing.device.clone());
        let others = || account.devices.iter().filter(|device| Some(*device) != caller.as_ref());
        let awaited = others().any(|device| self.registrar.is_awaited(device, now.mono));
        let registered = others().any(|device| self.registrar.is_registered(device));
        let owner = Box::<str>::from(owner);
        let ringing = self.ring_account(now, call, &owner, &callee, caller.as_deref());
        match (ringing, registered, awaited) {
            // R12: bounded; ends with 480 if the phone does not come back.
            (0, false, true) => self.switch.limit_ringing(now, call, limits::RETURN),
            (0, false, false) => self.switch.reject(now, call, Cause::Offline, "no device is registered"),
            (0, true, _) => self.switch.reject(now, call, Cause::Overload, "no media port is free"),
            _ => {
                self.switch.limit_ringing(now, call, self.config.ring_limit);
                self.call_moved_to(now, call, DialogState::Early);
            }
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
        let devices =
            self.people.account(account).map(|account| account.devices.as_slice()).unwrap_or_default();
        let targets: Vec<Target> = devices
            .iter()
            .filter(|device| Some(&***device) != but)
            .flat_map(|device| {
                self.registrar.targets(device).into_iter().map(move |binding| (device, binding))
            })
            .take(limits::BRANCHES)
            .map(|(device, binding)| target(device, binding, callee, self.config.domain.as_deref()))
            .collect();
        targets.iter().filter(|target| self.switch.add_branch(now, call, target).is_some()).count()
    }

    /// A device registered while its owner is called: it rings, too (S1.10, R12).
    pub(crate) fn ring_late(&mut self, now: Now, device: &str) {
        let Some(account) = self.people.device(device).map(|device| device.account.clone()) else { return };
        let waits = |(call, ongoing): (CallId, &Ongoing)| {
            let called = ongoing.callee_account.as_deref() == Some(&*account);
            let rings = called
                && ongoing.state != DialogState::Confirmed
                && ongoing.device.as_deref() != Some(device);
            rings.then(|| (call, ongoing.callee.clone()))
        };
        let calls: Vec<(CallId, Party)> = self.ongoing.of(&account).filter_map(waits).collect();
        for (call, callee) in calls {
            let new = |binding: &&Binding| !self.switch.rings(call, device, binding.flow);
            let bindings = self.registrar.targets(device);
            let targets: Vec<Target> = bindings
                .into_iter()
                .filter(new)
                .map(|binding| target(device, binding, &callee, self.config.domain.as_deref()))
                .collect();
            for target in &targets {
                self.switch.add_branch(now, call, target);
            }
            if !targets.is_empty() {
                self.switch.limit_ringing(now, call, self.config.ring_limit);
                self.call_moved_to(now, call, DialogState::Early);
            }
        }
    }

    /// Somebody answered.
    pub(crate) fn call_answered(&mut self, now: Now, call: CallId) {
        self.call_moved_to(now, call, DialogState::Confirmed);
    }

    /// A call is over.
    pub(crate) fn call_ended(&mut self, now: Now, call: CallId) {
        let Some(ongoing) = self.ongoing.end(call) else { return };
        for account in ongoing.accounts() {
            self.tell_watchers(now, account);
        }
    }

    fn call_moved_to(&mut self, now: Now, call: CallId, state: DialogState) {
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
    pub(crate) fn nobody_answered(&mut self, now: Now, call: CallId, cause: Cause) {
        self.switch.reject(now, call, cause, "");
    }

    /// Who calls, as the callee sees it: our directory's word for devices, the trunk's for the outside.
    pub(crate) fn caller(&self, sender: &Sender, message: &Message<'_>) -> (Party, Box<str>) {
        match sender {
            Sender::Device(device) => {
                let account =
                    self.people.device(device).and_then(|device| self.people.account(&device.account));
                let number = account.and_then(|account| account.numbers.first()).unwrap_or(device).clone();
                let name = account.map(|account| account.display.clone()).unwrap_or_default();
                (Party { number, name }, device.clone())
            }
            Sender::Trunk(trunk) => {
                let from = message.from().ok();
                let number = from.and_then(|from| from.uri().ok()).and_then(|uri| uri.user_decoded());
                let name = from.map(|from| from.display_name()).unwrap_or_default();
                let number = clean_display(number.as_deref().unwrap_or("anonymous"));
                (Party { number, name: clean_display(&String::from_utf8_lossy(&name)) }, trunk.clone())
            }
        }
    }

    /// The caller's half of the Session-ID, or a new one if it has none (RFC 7989 section 6).
    fn session_id(&mut self, message: &Message<'_>) -> String {
        let sent = message.value(HeaderName::SessionId).and_then(|value| std::str::from_utf8(value).ok());
        let half = sent.and_then(|text| text.split(';').next()).map(str::trim).unwrap_or_default();
        let right = half.len() == 32
            && half.bytes().all(|byte| byte.is_ascii_hexdigit())
            && half.bytes().any(|b| b != b'0');
        if right {
            return half.to_ascii_lowercase();
        }
        let endpoint = self.switch.endpoint();
        format!("{:016x}{:016x}", endpoint.random() | 1, endpoint.random())
    }
}

/// One branch.
fn target(device: &str, binding: &Binding, callee: &Party, domain: Option<&str>) -> Target {
    Target {
        label: device.into(),
        flow: binding.flow,
        uri: binding.contact.clone(),
        routes: binding.path.clone(),
        callee: callee.clone(),
        domain: domain.map_or_else(|| binding.flow.local.to_string().into(), Box::from),
        behind_nat: binding.behind_nat,
    }
}
