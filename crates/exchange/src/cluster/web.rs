//! Web phones of other exchanges over the same store. Each is in the memory of the exchange that its page is at, and that one tells the
//! others of it: so a call finds somebody who sits in a browser, whichever exchange it comes to.

use super::{ClusterOutput, Member};
use crate::exchange::Exchange;
use crate::limits;
use crate::people::{Device, PeopleChange, is_web_name};
use clock::{Now, Wall};
use sip::Flow;
use sip::bindings::StoredBinding;
use sip::digest::Secret;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;
use std::time::Duration;

/// Web phones in one message at most.
const IN_ONE: usize = 500;
/// How much longer a way is believed than it lives: its renewal is told a moment later.
const LATE: Duration = Duration::from_secs(10);

/// A web phone, as its exchange tells the others of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldWebPhone {
    /// Its name.
    pub device: Box<str>,
    /// Whose it is; none when its session is over.
    pub account: Option<Box<str>>,
    /// Where it is reached, if it is registered: the Contact's URI, the way there, and until when.
    pub way: Option<(Box<str>, Flow, Wall)>,
}

/// What is known of web phones of others, and what others are to know of ours.
#[derive(Debug, Default)]
pub(crate) struct WebElsewhere {
    /// Which exchange's they are.
    of: BTreeMap<Box<str>, NonZeroU8>,
    /// Ours that something happened to.
    stirred: BTreeSet<Box<str>>,
}

impl Exchange {
    /// Something happened to a web phone; the others are told of it if it is ours.
    pub(crate) fn web_phone_stirred(&mut self, device: &str) {
        let web = &mut self.cluster.web;
        if self.cluster.place.is_some() && is_web_name(device) && !web.of.contains_key(device) {
            web.stirred.insert(device.into());
        }
    }

    /// Whether it was another exchange's, and is ours from now on: the same session has a page here.
    pub(crate) fn web_phone_comes_here(&mut self, device: &str) -> bool {
        self.cluster.web.of.remove(device).is_some()
    }

    /// Whether a message comes from a web phone that its own exchange has asked for its token, and carried here.
    pub(crate) fn web_phone_proved_itself_there(&self, device: &str) -> bool {
        let by = self.cluster.carried_by;
        by.is_some() && self.cluster.web.of.get(device).copied() == by
    }

    /// Tells the others of ours that something happened to.
    pub(crate) fn tell_web_phones(&mut self, now: Now) {
        let stirred = std::mem::take(&mut self.cluster.web.stirred);
        if stirred.is_empty() {
            return;
        }
        let phones = stirred.iter().map(|device| self.told_web_phone(now, device)).collect();
        self.tell_others(ClusterOutput::WebPhones { to: None, all: None, phones });
    }

    /// Tells one all of ours.
    pub(super) fn tell_all_web_phones(&mut self, now: Now, to: NonZeroU8) {
        let all: Vec<Box<str>> = self.web_phones.devices().map(Box::from).collect();
        let to = Some(to);
        self.tell_others(ClusterOutput::WebPhones { to, all: Some(all.clone()), phones: Vec::new() });
        for part in all.chunks(IN_ONE) {
            let phones = part.iter().map(|device| self.told_web_phone(now, device)).collect();
            self.tell_others(ClusterOutput::WebPhones { to, all: None, phones });
        }
    }

    fn told_web_phone(&self, now: Now, device: &str) -> ToldWebPhone {
        let known = self.people.device(device).filter(|_| self.web_phones.has(device));
        let bindings = self.registrar.bindings(device);
        let here = bindings.iter().find(|binding| !self.cluster.is_elsewhere(binding.flow));
        let way = here.filter(|_| known.is_some()).map(|binding| {
            let left = binding.expires.until.since(now.mono) + LATE;
            (binding.contact.clone(), Flow { connection: 0, ..binding.flow }, now.after(left).wall)
        });
        ToldWebPhone { device: device.into(), account: known.map(|device| device.account.clone()), way }
    }

    /// One tells of its web phones, and perhaps which ones it has at all.
    pub(super) fn hear_web_phones(
        &mut self,
        now: Now,
        from: NonZeroU8,
        all: Option<Vec<Box<str>>>,
        phones: Vec<ToldWebPhone>,
    ) {
        if let Some(all) = all {
            let told: BTreeSet<&str> = all.iter().map(|device| &**device).collect();
            let of = self.cluster.web.of.iter();
            let gone: Vec<Box<str>> = of
                .filter(|(device, owner)| **owner == from && !told.contains(&***device))
                .map(|(device, _)| device.clone())
                .collect();
            gone.iter().for_each(|device| self.end_web_phone_elsewhere(now, device));
        }
        for phone in phones.into_iter().filter(|phone| is_web_name(&phone.device)) {
            self.hear_web_phone(now, from, phone);
        }
    }

    fn hear_web_phone(&mut self, now: Now, from: NonZeroU8, phone: ToldWebPhone) {
        let ToldWebPhone { device, account, way } = phone;
        // The same session may have a page here as well: then it rings here.
        if self.web_phones.has(&device) {
            return;
        }
        let Some(account) = account.filter(|account| self.people.account(account).is_some()) else {
            if self.cluster.web.of.get(&device) == Some(&from) {
                self.end_web_phone_elsewhere(now, &device);
            }
            return;
        };
        if self.people.device(&device).is_none() {
            if self.cluster.web.of.len() >= limits::WEB_PHONES_ELSEWHERE {
                return;
            }
            self.put_web_device(now, &device, &account);
        }
        self.cluster.web.of.insert(device.clone(), from);
        let binding = |(contact, flow, expires)| StoredBinding {
            contact,
            instance: None,
            reg_id: 0,
            q: 1_000,
            path: Vec::new(),
            flow,
            behind_nat: false,
            expires,
            call_id: "".into(),
            sequence: 0,
        };
        let way = way.filter(|(_, flow, _)| self.cluster.door(*flow) == Some(from));
        self.bound_elsewhere(now, &device, way.map(binding).into_iter().collect());
    }

    /// A device of a session. Nobody knows its secret: a web phone proves itself by its token alone.
    pub(crate) fn put_web_device(&mut self, now: Now, device: &str, account: &str) {
        let password =
            format!("{:016x}{:016x}", self.switch.endpoint().random(), self.switch.endpoint().random());
        let secret = Secret::new(device, &self.config.realm, &password);
        let change = PeopleChange::PutDevice { name: device.into(), device: Device::new(account, secret) };
        self.tell_people(now, &change);
        self.people.apply(&change);
    }

    /// Those of exchanges that left are gone with them.
    pub(super) fn forget_web_phones(&mut self, now: Now, before: &BTreeMap<NonZeroU8, Member>) {
        let left =
            |number: &NonZeroU8| before.contains_key(number) && !self.cluster.members.contains_key(number);
        let of = self.cluster.web.of.iter();
        let gone: Vec<Box<str>> =
            of.filter(|(_, number)| left(number)).map(|(device, _)| device.clone()).collect();
        gone.iter().for_each(|device| self.end_web_phone_elsewhere(now, device));
    }

    /// A session is over at another exchange, or that one is gone.
    pub(crate) fn end_web_phone_elsewhere(&mut self, now: Now, device: &str) {
        if self.cluster.web.of.remove(device).is_some() {
            self.forget_web_device(now, device);
        }
    }
}
