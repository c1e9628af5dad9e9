//! Watchers: phones that show whether others talk, can be reached, or left a message (RFC 6665, 4235, 3856, 3842).
//!
//! One NOTIFY a watcher is under way at a time; what changes meanwhile goes into the next, which always tells all.

use crate::admission::Sender;
use crate::exchange::Exchange;
use crate::limits;
use crate::park::lamp;
use crate::permissions::Verdict;
use calls::{CallId, Owner};
use clock::{Mono, Now, TimerId, Wheel};
use sip::subscription::{
    DialogInfo, DialogState, Ended, LEAST, Package, Party, Presence, Subscription, message_summary, presence,
    wanted,
};
use sip::{Dialog, Flow};
use std::collections::BTreeMap;
use wire::sip::{HeaderName, Message, Method, Uri};

/// Marks the tags of watchers, which look like those of legs but for this.
const TAG: &str = "w";

#[derive(Debug)]
struct Watch {
    subscription: Subscription,
    flow: Flow,
    /// The device that watches.
    watcher: Box<str>,
    /// The account that is watched.
    account: Box<str>,
    /// As the watcher named it.
    entity: Box<str>,
    /// May see who talks with whom (R32).
    sees_parties: bool,
    expiry: TimerId,
    /// A NOTIFY has no answer yet.
    waits: bool,
    /// Something changed meanwhile.
    stale: bool,
}

/// All watchers.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    watches: BTreeMap<u64, Watch>,
    by_account: BTreeMap<Box<str>, Vec<u64>>,
    /// How many each device has.
    by_watcher: BTreeMap<Box<str>, usize>,
    /// Phones that are told for whom they work.
    profiles: BTreeMap<Box<str>, u64>,
    expiries: Wheel<u64>,
    next: u64,
}

impl Watchers {
    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.expiries.next_deadline()
    }

    /// How many watchers there are.
    pub(crate) fn count(&self) -> usize {
        self.watches.len()
    }

    fn remove(&mut self, id: u64) -> Option<Watch> {
        let watch = self.watches.remove(&id)?;
        self.expiries.cancel(watch.expiry);
        if let Some(list) = self.by_account.get_mut(&watch.account) {
            list.retain(|known| *known != id);
            if list.is_empty() {
                self.by_account.remove(&watch.account);
            }
        }
        if self.profiles.get(&watch.watcher) == Some(&id) {
            self.profiles.remove(&watch.watcher);
        }
        if let Some(count) = self.by_watcher.get_mut(&watch.watcher) {
            *count -= 1;
            if *count == 0 {
                self.by_watcher.remove(&watch.watcher);
            }
        }
        Some(watch)
    }

    /// The watch by which a phone is told for whom it works.
    pub(crate) fn profile_of(&self, device: &str) -> Option<u64> {
        self.profiles.get(device).copied()
    }

    /// The watcher in a tag of ours.
    fn find(&self, tag: &str) -> Option<u64> {
        let id = u64::from_str_radix(tag.strip_prefix(TAG)?.get(..16)?, 16).ok()?;
        self.watches.contains_key(&id).then_some(id)
    }
}

impl Exchange {
    /// A SUBSCRIBE outside of any dialog: a new watcher.
    pub(crate) fn subscribe(&mut self, now: Now, flow: Flow, message: &Message<'_>, uri: &Uri<'_>) {
        let Some(Sender::Device(watcher)) = self.sender(now, flow, message) else { return };
        let Some((package, id)) = Package::of(message) else { return self.refuse_event(flow, message) };
        let Ok(seconds) = wanted(message) else { return self.refuse_brief(flow, message) };
        let named = uri.user_decoded().unwrap_or_default();
        let Some(account) = self.account_behind(&named) else { return self.refuse(flow, message, 404) };
        let own = self.people.device(&watcher).is_some_and(|device| *device.account == *account);
        // Messages are their owner's alone, and so is whom they work for.
        if matches!(package, Package::MessageSummary | Package::UaProfile) && !own {
            return self.refuse(flow, message, 403);
        }
        let own_watches = self.watchers.by_watcher.get(&watcher).copied().unwrap_or(0);
        if self.watchers.count() >= limits::WATCHERS || own_watches >= limits::WATCHES_PER_DEVICE {
            return self.refuse(flow, message, 503);
        }
        self.watchers.next += 1;
        let number = self.watchers.next;
        let tag = format!("{TAG}{number:016x}{:016x}", self.switch.endpoint().nonce());
        let Ok(dialog) = Dialog::from_request(message, &tag) else { return self.refuse(flow, message, 400) };
        let subscription = Subscription::new(package, id, dialog, now.mono, seconds);
        let server = self.switch.endpoint().accept(flow, message, Owner::Above(0));
        self.confirm_subscription(now, server, &tag, seconds, flow);
        let expiry = self.watchers.expiries.insert(subscription.expires, number);
        *self.watchers.by_watcher.entry(watcher.clone()).or_default() += 1;
        let watch = Watch {
            subscription,
            flow: sip::reply_flow(flow, message),
            watcher: watcher.clone(),
            account: account.clone(),
            entity: format!("sip:{named}@{}", self.domain(flow)).into(),
            sees_parties: own,
            expiry,
            waits: false,
            stale: false,
        };
        self.watchers.watches.insert(number, watch);
        self.watchers.by_account.entry(account).or_default().push(number);
        // RFC 6665 4.2.1.2: the first NOTIFY at once; with a life of zero it is the last one, too.
        let ended = (seconds == 0).then_some(Ended::Timeout);
        self.notify(now, number, ended);
        if package == Package::UaProfile && ended.is_none() {
            self.watchers.profiles.insert(watcher.clone(), number);
            self.serve_profile(now, &watcher);
        }
    }

    /// A phone is told for whom it works, if it asked for that.
    pub(crate) fn notify_profile(&mut self, now: Now, device: &str) {
        if let Some(id) = self.watchers.profile_of(device) {
            self.notify(now, id, None);
        }
    }

    /// A SUBSCRIBE in a dialog of ours: a refresh or an end. False when the dialog is not a watcher's.
    pub(crate) fn resubscribe(&mut self, now: Now, flow: Flow, message: &Message<'_>) -> bool {
        let tag = message.to().ok().and_then(|to| to.tag()).unwrap_or_default();
        let Some(id) = self.watchers.find(tag) else { return false };
        let Some(Sender::Device(device)) = self.sender(now, flow, message) else { return true };
        let Some(watch) = self.watchers.watches.get_mut(&id) else { return false };
        if watch.watcher != device || !watch.subscription.accept(message) {
            return false;
        }
        let Ok(seconds) = wanted(message) else {
            self.refuse_brief(flow, message);
            return true;
        };
        watch.subscription.renew(now.mono, seconds);
        watch.subscription.dialog.refresh_target(message);
        watch.flow = sip::reply_flow(flow, message);
        let (expires, old) = (watch.subscription.expires, watch.expiry);
        self.watchers.expiries.cancel(old);
        watch.expiry = self.watchers.expiries.insert(expires, id);
        let server = self.switch.endpoint().accept(flow, message, Owner::Above(0));
        self.confirm_subscription(now, server, tag, seconds, flow);
        self.notify(now, id, (seconds == 0).then_some(Ended::Timeout));
        // What it works by may be over.
        self.serve_profile(now, &device);
        true
    }

    /// Something about an account changed: all who watch it are told.
    pub(crate) fn tell_watchers(&mut self, now: Now, account: &str) {
        let Some(watchers) = self.watchers.by_account.get(account) else { return };
        // For whom a phone works has nothing to do with calls.
        let watches = &self.watchers.watches;
        let of_calls =
            |id: &u64| watches.get(id).is_some_and(|watch| watch.subscription.package != Package::UaProfile);
        let watchers: Vec<u64> = watchers.iter().copied().filter(of_calls).collect();
        for id in watchers {
            self.notify(now, id, None);
        }
    }

    /// A NOTIFY, or a text, has its final response, or none (`status` 408).
    pub(crate) fn notified(&mut self, now: Now, id: u64, status: u16) {
        if self.text_answered(now, id, status) {
            return;
        }
        let Some(watch) = self.watchers.watches.get_mut(&id) else { return };
        watch.waits = false;
        let again = std::mem::take(&mut watch.stale);
        // RFC 6665 4.2.2: whoever refuses or answers no more is no watcher any more.
        if status >= 300 {
            self.watchers.remove(id);
        } else if again {
            self.notify(now, id, None);
        }
    }

    /// Watchers that did not refresh.
    pub(crate) fn expire_watchers(&mut self, now: Now) {
        while let Some(id) = self.watchers.expiries.expire(now.mono) {
            self.notify(now, id, Some(Ended::Timeout));
        }
    }

    /// Whoever watched by a stream that is gone subscribes again by the next.
    pub(crate) fn watchers_flow_closed(&mut self, flow: Flow) {
        let gone: Vec<u64> =
            self.watchers.watches.iter().filter(|(_, watch)| watch.flow == flow).map(|(id, _)| *id).collect();
        for id in gone {
            self.watchers.remove(id);
        }
    }

    /// A device is no more.
    pub(crate) fn watcher_gone(&mut self, device: &str) {
        let of_device = |(_, watch): &(&u64, &Watch)| *watch.watcher == *device;
        let gone: Vec<u64> = self.watchers.watches.iter().filter(of_device).map(|(id, _)| *id).collect();
        for id in gone {
            self.watchers.remove(id);
        }
    }

    fn notify(&mut self, now: Now, id: u64, ended: Option<Ended>) {
        let Some(watch) = self.watchers.watches.get_mut(&id) else { return };
        if watch.waits && ended.is_none() {
            watch.stale = true;
            return;
        }
        let (account, entity, package) =
            (watch.account.clone(), watch.entity.clone(), watch.subscription.package);
        let (version, own, watcher) =
            (watch.subscription.next_version(), watch.sees_parties, watch.watcher.clone());
        let document = match package {
            Package::Dialog => {
                // R32: who may answer a call may know whose it is.
                let sees = own || self.may_see_calls(now, &watcher, &account);
                let mut calls = self.dialogs(&account, &entity, sees);
                if sees {
                    self.name_pickups(id, &watcher, &account, &mut calls);
                }
                DialogInfo::document(&entity, version, &calls)
            }
            Package::Presence => {
                let told = self.agent_note(now, &account);
                presence(&entity, self.presence_of(&account), told.as_deref())
            }
            Package::MessageSummary => message_summary(&entity, 0, 0),
            Package::UaProfile => self.profile_document(&watcher),
        };
        let Some(watch) = self.watchers.watches.get_mut(&id) else { return };
        watch.waits = true;
        let sequence = watch.subscription.dialog.next_sequence();
        let (flow, subscription) = (watch.flow, &watch.subscription);
        let dialog = &subscription.dialog;
        self.switch.endpoint().request(
            now.mono,
            flow,
            Owner::Above(id),
            Method::Notify,
            &dialog.target,
            70,
            |mut writer| {
                dialog.write(&mut writer, Method::Notify, sequence);
                writer.header(HeaderName::Contact, calls::contact(flow));
                subscription.finish_notify(now.mono, writer, ended, &document)
            },
        );
        if ended.is_some() {
            self.watchers.remove(id);
        }
    }

    /// The calls of an account, as a watcher may see them (R32).
    fn dialogs(&self, account: &str, entity: &str, sees_parties: bool) -> Vec<DialogInfo> {
        if let Some(lit) = self.lamp_is_lit(account) {
            let state = DialogState::Confirmed;
            return lit
                .then(|| DialogInfo { id: "0".into(), state, outgoing: false, remote: None, pickup: None })
                .into_iter()
                .collect();
        }
        let host = entity.rsplit('@').next().unwrap_or_default();
        let party = |party: &calls::Party| Party {
            display: (*party.name).into(),
            uri: format!("sip:{}@{}", party.number, host).into(),
        };
        let calls = self.ongoing.of(account).enumerate().map(|(place, (_, ongoing))| {
            let outgoing = ongoing.caller_account.as_deref() == Some(account);
            let remote = if outgoing { &ongoing.callee } else { &ongoing.caller };
            DialogInfo {
                id: place.to_string().into(),
                state: ongoing.state,
                outgoing,
                remote: sees_parties.then(|| party(remote)),
                pickup: None,
            }
        });
        let elsewhere = self.cluster.elsewhere.of(account).enumerate().map(|(place, (_, call))| DialogInfo {
            id: format!("e{place}").into(),
            state: call.dialog,
            outgoing: call.is_of_caller(account),
            remote: sees_parties.then(|| party(&call.far_of(account).party)),
            pickup: None,
        });
        // An agent to whom no caller comes is busy at the lamp of their number.
        let paused = self.agent_is_kept_from_calls(account).then(|| DialogInfo {
            id: "agent".into(),
            state: DialogState::Confirmed,
            outgoing: false,
            remote: None,
            pickup: None,
        });
        calls.chain(elsewhere).chain(paused).collect()
    }

    fn may_see_calls(&mut self, now: Now, watcher: &str, account: &str) -> bool {
        let person = self.person_at(watcher).map(Box::<str>::from);
        person.is_some_and(|person| self.may_pick_up(now, &person, account) == Verdict::Allow)
    }

    /// Each call that rings gets a name by which this watcher, and nobody else, may answer it once (R32).
    fn name_pickups(&mut self, watch: u64, watcher: &str, account: &str, calls: &mut [DialogInfo]) {
        let here = self.ongoing.of(account).map(|(call, ongoing)| {
            let rings = ongoing.state == DialogState::Early
                && !ongoing.emergency
                && ongoing.callee_account.as_deref() == Some(account);
            (rings, false, call)
        });
        let elsewhere = self.cluster.elsewhere.of(account).map(|(id, call)| {
            let rings = call.dialog == DialogState::Early && call.rings() && !call.is_of_caller(account);
            (rings, true, id)
        });
        let ringing: Vec<(bool, bool, CallId)> = here.chain(elsewhere).collect();
        for (info, (rings, is_elsewhere, call)) in calls.iter_mut().zip(ringing) {
            info.pickup = match (rings, is_elsewhere) {
                (false, _) => None,
                (true, true) => self.name_pickup_elsewhere(watch, call, watcher),
                (true, false) => {
                    let endpoint = self.switch.endpoint();
                    let name: Box<str> =
                        format!("{:016x}{:016x}", endpoint.random(), endpoint.random()).into();
                    self.pickups.name(watch, call, watcher, name.clone()).then_some(name)
                }
            };
        }
    }

    fn presence_of(&self, account: &str) -> Presence {
        let here = self.ongoing.of(account).any(|(_, ongoing)| ongoing.state == DialogState::Confirmed);
        let talks = here || self.cluster.elsewhere.talks(account);
        match self.phones_of(account).iter().any(|device| self.registrar.is_registered(device)) {
            _ if talks => Presence::OnThePhone,
            true => Presence::Available,
            false => Presence::Offline,
        }
    }

    /// The account of a number, or of a device: phones watch their own messages by their user name.
    fn account_behind(&self, named: &str) -> Option<Box<str>> {
        match self.people.account_of(named) {
            Some((account, _)) => Some(account.into()),
            None if self.is_park(named) => Some(lamp(named)),
            None => self.people.device(named).map(|device| device.account.clone()),
        }
    }

    fn confirm_subscription(
        &mut self,
        now: Now,
        server: sip::ServerKey,
        tag: &str,
        seconds: u32,
        flow: Flow,
    ) {
        self.switch.endpoint().respond(now.mono, server, 200, Some(tag), |mut writer| {
            writer.header(HeaderName::Contact, calls::contact(flow));
            writer.header_number(HeaderName::Expires, u64::from(seconds));
            writer.finish()
        });
    }

    fn refuse_event(&mut self, flow: Flow, message: &Message<'_>) {
        self.switch.endpoint().respond_stateless(flow, message, 489, |mut writer| {
            writer.header(HeaderName::AllowEvents, Package::NAMES);
            writer.finish()
        });
    }

    fn refuse_brief(&mut self, flow: Flow, message: &Message<'_>) {
        self.switch.endpoint().respond_stateless(flow, message, 423, |mut writer| {
            writer.header_number(HeaderName::MinExpires, u64::from(LEAST));
            writer.finish()
        });
    }
}
