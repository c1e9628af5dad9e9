//! Registrations: which device is reached where (R11, R12).

use crate::admission::Sender;
use crate::change::{Change, Owned};
use crate::cluster::Cluster;
use crate::exchange::{Exchange, Promise};
use crate::limits::{CLUSTER_EXPIRES, CLUSTER_SPREAD, GONE_FLOWS, RETURN, WEB_EXPIRES};
use crate::people::{PeopleChange, is_web_name};
use crate::silence::Silence;
use clock::{Mono, Now, TimerId, Wheel};
use sip::bindings::{Binding, Bindings, Lifetimes, Refused, Registered, StoredBinding};
use sip::{Flow, ServerKey, Transport};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use wire::sip::{HeaderName, Message, Writer};
use wire::text::hex;

/// All devices that are registered.
#[derive(Debug, Default)]
pub(crate) struct Registrar {
    devices: HashMap<Arc<str>, Entry>,
    /// The devices behind each stream, so that its end finds them.
    streams: HashMap<Flow, Vec<Arc<str>>>,
    expiries: Wheel<Arc<str>>,
    /// Devices whose connection broke, or was there before a restart: they are on their way back until then (R12).
    awaited: BTreeMap<Box<str>, Mono>,
    /// Devices with a new or changed binding that is not stored yet, and the first commit that can have it: until
    /// that is answered, nothing about them is confirmed (R12).
    unsaved: BTreeMap<Box<str>, u64>,
    /// Who was at the connections that broke: the instance, and until when somebody may miss it (R11).
    gone: BTreeMap<Flow, (Option<Box<str>>, Mono)>,
    lifetimes: Lifetimes,
    /// Doors of other exchanges over the same store that cannot be reached now.
    pub(crate) away: BTreeSet<(Transport, SocketAddr)>,
    /// Contacts that answer nothing.
    pub(crate) silence: Silence,
}

#[derive(Debug)]
struct Entry {
    bindings: Bindings,
    expiry: Option<TimerId>,
}

impl Registrar {
    /// The bindings of a device, the most preferred first.
    pub(crate) fn bindings(&self, device: &str) -> Vec<&Binding> {
        let mut list: Vec<&Binding> =
            self.devices.get(device).map(|entry| entry.bindings.list().iter().collect()).unwrap_or_default();
        list.sort_by(|a, b| b.q.cmp(&a.q).then(b.expires.cmp(&a.expires)));
        list
    }

    /// The bindings of a device that a request goes to, each list one target: several flows of one instance are tried
    /// in turn, the one that was registered last, which is the liveliest, first (R11, RFC 5626 section 7). Contacts that
    /// answered nothing for a while are passed over.
    pub(crate) fn targets(&self, device: &str) -> Vec<Vec<&Binding>> {
        let mut targets: Vec<Vec<&Binding>> = Vec::new();
        for binding in self.bindings(device) {
            let door = (binding.flow.transport, binding.flow.local);
            if self.silence.is_dead(binding.flow) || self.away.contains(&door) {
                continue;
            }
            let same = |ways: &&mut Vec<&Binding>| {
                ways.iter().any(|known| known.instance.is_some() && known.instance == binding.instance)
            };
            match targets.iter_mut().find(same) {
                Some(ways) => ways.push(binding),
                None => targets.push(vec![binding]),
            }
        }
        targets
    }

    /// Where a device is registered from, for lists.
    pub(crate) fn flows(&self, device: &str) -> Vec<String> {
        self.bindings(device).iter().map(|binding| binding.flow.to_string()).collect()
    }

    /// Whether a device is on its way back (R12).
    pub(crate) fn is_awaited(&self, device: &str, now: Mono) -> bool {
        self.awaited.get(device).is_some_and(|until| *until > now)
    }

    /// Whether there is a way to a device that may live.
    pub(crate) fn is_reachable(&self, device: &str) -> bool {
        !self.targets(device).is_empty()
    }

    /// Whether a device is registered at all.
    pub(crate) fn is_registered(&self, device: &str) -> bool {
        self.devices.contains_key(device)
    }

    /// The devices behind a stream.
    pub(crate) fn behind_flow(&self, flow: Flow) -> impl Iterator<Item = &str> {
        self.streams.get(&flow).into_iter().flatten().map(|device| &**device)
    }

    /// Whether a device is registered by this very path.
    pub(crate) fn is_at(&self, device: &str, flow: Flow) -> bool {
        let entry = self.devices.get(device);
        entry.is_some_and(|entry| entry.bindings.list().iter().any(|binding| binding.flow == flow))
    }

    /// How many devices are registered.
    pub(crate) fn count(&self) -> usize {
        self.devices.len()
    }

    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.expiries.next_deadline()
    }

    /// What the store had of a device.
    pub(crate) fn restore(&mut self, now: Now, device: &str, stored: Vec<StoredBinding>) {
        if stored.iter().any(|binding| binding.flow.transport.reliable() && binding.expires.0 > now.wall.0) {
            self.awaited.insert(device.into(), now.mono + RETURN);
        }
        self.set(device.into(), Bindings::restored(now, stored));
    }

    /// Where a device is registered at other exchanges over the same store. Returns its bindings before and after, and
    /// whether one of ours went because the phone is there now.
    pub(crate) fn merge(
        &mut self,
        now: Now,
        device: &str,
        others: Vec<StoredBinding>,
        cluster: &Cluster,
    ) -> (Bindings, Bindings, bool) {
        let before = self.take(device);
        let mut after = before.clone();
        let ours_went = after.merge(now, others, |flow| !cluster.is_elsewhere(flow));
        self.set(device.into(), after.clone());
        (before, after, ours_went)
    }

    /// The ways to devices by doors that are away and were not before, and the devices behind doors that were away and are
    /// not any more. The first are on their way back (R12).
    pub(crate) fn behind(
        &mut self,
        now: Now,
        before: &BTreeSet<(Transport, SocketAddr)>,
    ) -> (Vec<Flow>, BTreeSet<Box<str>>) {
        let (mut lost, mut returned) = (BTreeSet::new(), BTreeSet::new());
        #[expect(
            clippy::iter_over_hash_type,
            reason = "what is found is put in an order that a seed replays"
        )]
        for (device, entry) in &self.devices {
            for binding in entry.bindings.list() {
                let door = (binding.flow.transport, binding.flow.local);
                match (before.contains(&door), self.away.contains(&door)) {
                    (false, true) => {
                        lost.insert(binding.flow);
                        self.awaited.insert(device.as_ref().into(), now.mono + RETURN);
                    }
                    (true, false) => {
                        returned.insert(device.as_ref().into());
                    }
                    _ => {}
                }
            }
        }
        (lost.into_iter().collect(), returned)
    }

    /// All devices that are registered.
    pub(crate) fn devices(&self) -> Vec<Box<str>> {
        let mut devices = BTreeSet::<Box<str>>::new();
        #[expect(
            clippy::iter_over_hash_type,
            reason = "what is found is put in an order that a seed replays"
        )]
        for entry in &self.devices {
            devices.insert(entry.0.as_ref().into());
        }
        devices.into_iter().collect()
    }

    /// Directory data changed: a device that is gone is reached no more (S1.13).
    pub(crate) fn people_changed(&mut self, change: &PeopleChange) {
        if let PeopleChange::RemoveDevice { name } = change {
            self.unsaved.remove(name);
            self.set(name.as_ref().into(), Bindings::default());
        }
    }

    /// The store has these changes.
    pub(crate) fn committed(&mut self, sequence: u64, changes: &[Owned]) {
        for owned in changes {
            if let Change::Bindings { device, .. } = &owned.change
                && self.unsaved.get(device).is_some_and(|&first| first <= sequence)
            {
                self.unsaved.remove(device);
            }
        }
    }

    /// A stream is gone; returns the devices that lost a binding by it.
    pub(crate) fn flow_closed(&mut self, now: Mono, flow: Flow) -> Vec<Arc<str>> {
        let behind = self.streams.remove(&flow).unwrap_or_default();
        self.awaited.retain(|_, until| *until > now);
        self.gone.retain(|_, (_, until)| *until > now);
        self.awaited.extend(behind.iter().map(|device| (device.as_ref().into(), now + RETURN)));
        for device in &behind {
            if let Some(entry) = self.devices.get_mut(device) {
                let mut bindings = std::mem::take(&mut entry.bindings);
                let lost = bindings.list().iter().find(|binding| binding.flow == flow);
                if let Some(lost) = lost.filter(|_| self.gone.len() < GONE_FLOWS) {
                    self.gone.insert(flow, (lost.instance.clone(), now + RETURN));
                }
                bindings.flow_closed(flow);
                self.set(Arc::clone(device), bindings);
            }
        }
        behind
    }

    /// Whether who registers as this instance can be who was at a flow that broke.
    fn may_return(&self, flow: Flow, instance: Option<&str>) -> bool {
        match self.gone.get(&flow) {
            Some((Some(was), _)) => instance == Some(&**was),
            Some((None, _)) | None => true,
        }
    }

    /// Drops what is over; returns the devices that changed.
    fn expire(&mut self, now: Mono) -> Vec<Arc<str>> {
        let mut changed = Vec::new();
        while let Some(device) = self.expiries.expire(now) {
            let Some(entry) = self.devices.get_mut(&device) else { continue };
            entry.expiry = None;
            let mut bindings = std::mem::take(&mut entry.bindings);
            if bindings.expire(now) {
                changed.push(Arc::clone(&device));
            }
            self.set(device, bindings);
        }
        changed
    }

    fn take(&mut self, device: &str) -> Bindings {
        self.devices.get_mut(device).map(|entry| std::mem::take(&mut entry.bindings)).unwrap_or_default()
    }

    fn set(&mut self, device: Arc<str>, bindings: Bindings) {
        let old = self.devices.get_mut(&device).and_then(|entry| entry.expiry.take());
        if let Some(timer) = old {
            self.expiries.cancel(timer);
        }
        let Some(when) = bindings.next_expiry() else {
            self.devices.remove(&device);
            return;
        };
        let device = self.devices.get_key_value(&device).map_or(device, |(known, _)| Arc::clone(known));
        for binding in bindings.list().iter().filter(|binding| binding.flow.transport.reliable()) {
            let behind = self.streams.entry(binding.flow).or_default();
            if !behind.contains(&device) {
                behind.push(Arc::clone(&device));
            }
        }
        let expiry = Some(self.expiries.insert(when, Arc::clone(&device)));
        self.devices.insert(device, Entry { bindings, expiry });
    }
}

impl Exchange {
    /// A REGISTER (RFC 3261 10.3). The device is who its credentials say; To may only name the same one.
    pub(crate) fn register(&mut self, now: Now, flow: Flow, message: &Message<'_>) {
        let Some(Sender::Device(device)) = self.sender(now, flow, message) else { return };
        let named = message.to().ok().and_then(|to| to.uri().ok()).and_then(|uri| uri.user_decoded());
        if named.as_deref() != Some(&*device) {
            return self.refuse(flow, message, 403);
        }
        if self.cannot_wake(message, &device) {
            return self.refuse(flow, message, 555);
        }
        let server = self.switch.endpoint().accept(flow, message, calls::Owner::Above(0));
        let mut bindings = self.registrar.take(&device);
        let before = bindings.clone();
        let mut lifetimes = self.registrar.lifetimes;
        let is_web = is_web_name(&device);
        if is_web {
            lifetimes.most = WEB_EXPIRES;
        } else if self.cluster.place().is_some() && !has_two_flows(&bindings) {
            // R28: who has one way alone finds out soon that it leads nowhere, and not all at the same moment.
            let spread = self.switch.endpoint().random() % u64::from(CLUSTER_SPREAD + 1);
            lifetimes.most = CLUSTER_EXPIRES - u32::try_from(spread).unwrap_or_default();
        }
        let done = match bindings.register(now, flow, message, lifetimes, &self.config.own_addresses) {
            // What is not stored yet is as good as new.
            Ok(_) if self.registrar.unsaved.contains_key(&device) => Ok(Registered::Changed),
            done => done,
        };
        // Two tabs are one phone: the one that registered last rings (decision 7).
        let replaced = is_web && done.is_ok() && bindings.keep_only(flow);
        let stored = match done {
            // A web phone is in memory alone.
            Ok(_) if is_web => None,
            Ok(Registered::Changed | Registered::Refreshed) => {
                Some(bindings.to_store(now, |flow| !self.cluster.is_elsewhere(flow)))
            }
            Ok(Registered::Unchanged) | Err(_) => None,
        };
        if done.is_ok() {
            self.follow_flows(&device, &before, &bindings);
            self.bindings_live(&bindings);
        }
        self.registrar.set(device.as_ref().into(), bindings);
        let change = |bindings| vec![Change::Bindings { device: device.clone(), bindings }];
        match (done, stored) {
            (Err(refused), _) => self.refuse_register(now, server, refused),
            (Ok(Registered::Changed), Some(stored)) => {
                let promise = Promise::Registration { server, device: device.clone() };
                self.registrar.unsaved.insert(device.clone(), self.next_sequence());
                self.commit(now, change(stored), promise);
                self.reachability_changed(now, &device);
            }
            (Ok(done), stored) => {
                self.confirm_registration(now, server, &device);
                self.web_phone_stirred(&device);
                if is_web && (replaced || done == Registered::Changed) {
                    self.reachability_changed(now, &device);
                }
                if let Some(stored) = stored {
                    self.commit(now, change(stored), Promise::Nothing);
                }
            }
        }
    }

    /// R11: requests inside running calls go to the flow that the device has now.
    pub(crate) fn follow_flows(&mut self, device: &str, before: &Bindings, after: &Bindings) {
        for new in after.list() {
            let known = |old: &&Binding| match (&old.instance, &new.instance) {
                (Some(old_instance), Some(instance)) => old_instance == instance && old.reg_id == new.reg_id,
                _ => old.contact == new.contact,
            };
            match before.list().iter().find(known) {
                Some(old) if old.flow != new.flow => self.switch.device_moved(device, old.flow, new.flow),
                Some(_) => {}
                None => {
                    let instance = new.instance.as_deref();
                    let registrar = &self.registrar;
                    self.switch.device_returned(device, new.flow, |was| registrar.may_return(was, instance));
                }
            }
        }
    }

    /// The 200 with all that is bound now (RFC 3261 10.3 step 8); then calls that wait for the device reach it.
    pub(crate) fn confirm_registration(&mut self, now: Now, server: ServerKey, device: &str) {
        let bindings = self.registrar.bindings(device);
        let wakes = self.tells_of_waking(&bindings, device);
        let tag = hex(self.switch.endpoint().random());
        self.switch.endpoint().respond(now.mono, server, 200, Some(&tag), |mut writer| {
            for binding in bindings {
                write_contact(&mut writer, now, binding);
            }
            writer.header(HeaderName::Supported, "path, outbound");
            if wakes {
                writer.header(HeaderName::FeatureCaps, "*;+sip.pns=\"mqtt\"");
            }
            writer.finish()
        });
        self.is_back(now, device);
    }

    /// A device can be reached: calls that wait for it do so.
    pub(crate) fn is_back(&mut self, now: Now, device: &str) {
        self.registrar.awaited.remove(device);
        self.wakes_up(now, device);
        self.background_phone_is_back(now, device);
    }

    /// The store cannot keep it: 503 (R20).
    pub(crate) fn refuse_registration(&mut self, now: Now, server: ServerKey) {
        self.refuse_accepted(now, server, 503);
    }

    fn refuse_register(&mut self, now: Now, server: ServerKey, refused: Refused) {
        let least = self.registrar.lifetimes.least;
        let tag = hex(self.switch.endpoint().random());
        self.switch.endpoint().respond(now.mono, server, refused.status(), Some(&tag), |mut writer| {
            if refused == Refused::TooBrief {
                writer.header_number(HeaderName::MinExpires, u64::from(least));
            }
            writer.finish()
        });
    }

    pub(crate) fn expire_registrations(&mut self, now: Now) {
        for device in self.registrar.expire(now.mono) {
            self.store_bindings(now, &device);
            self.reachability_changed(now, &device);
        }
    }

    /// A stream is gone, and with it the way to the devices behind it.
    pub(crate) fn flow_closed(&mut self, now: Now, flow: Flow) {
        self.fall_asleep(flow);
        let devices = self.registrar.flow_closed(now.mono, flow);
        self.watchers_flow_closed(flow);
        self.switch.flow_failed(now, flow);
        for device in devices {
            self.reachability_changed(now, &device);
        }
    }

    /// A device came or went: those who watch its owner are told.
    pub(crate) fn reachability_changed(&mut self, now: Now, device: &str) {
        self.listening.touch_device(device);
        self.agents.phone_stirred(device);
        self.web_phone_stirred(device);
        if let Some(account) = self.people.device(device).map(|device| device.account.clone()) {
            self.tell_watchers(now, &account);
        }
    }

    fn store_bindings(&mut self, now: Now, device: &str) {
        if is_web_name(device) {
            return;
        }
        let change = self.bindings_change(now, device);
        self.commit(now, vec![change], Promise::Nothing);
    }

    /// A device's bindings as they are now, for the store.
    pub(crate) fn bindings_change(&mut self, now: Now, device: &str) -> Change {
        let mut bindings = self.registrar.take(device);
        let stored = bindings.to_store(now, |flow| !self.cluster.is_elsewhere(flow));
        self.registrar.set(device.into(), bindings);
        Change::Bindings { device: device.into(), bindings: stored }
    }
}

/// Whether a phone is reached by two flows (RFC 5626): one is there when the other is not.
fn has_two_flows(bindings: &Bindings) -> bool {
    let list = bindings.list();
    let second = |one: &Binding| {
        let same = |other: &&Binding| other.instance == one.instance && other.reg_id != one.reg_id;
        one.instance.is_some() && one.reg_id > 0 && list.iter().any(|other| same(&other))
    };
    list.iter().any(second)
}

fn write_contact(writer: &mut Writer<'_>, now: Now, binding: &Binding) {
    // Rounded up: a phone takes a second less for a registrar that is slow to say what it meant.
    let left = binding.expires.until.since(now.mono).as_millis().div_ceil(1_000);
    let mut text = format!("<{}>;expires={left}", binding.contact);
    if binding.q != 1_000 {
        let _ = write!(text, ";q={}.{:03}", binding.q / 1_000, binding.q % 1_000);
    }
    if let Some(instance) = &binding.instance {
        let _ = write!(text, ";+sip.instance=\"{instance}\"");
    }
    if binding.reg_id != 0 {
        let _ = write!(text, ";reg-id={}", binding.reg_id);
    }
    writer.header(HeaderName::Contact, text);
}
