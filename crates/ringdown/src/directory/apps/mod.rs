//! The side of a directory that apps without an exchange see: they enrol, say how they are woken, ask for calls, and are woken
//! (S4.3, S4.8, S4.24). The texts are told in docs/directory-protocol.md.

pub(super) mod connection;
mod desk;
mod folder;
pub(crate) mod protocol;
mod waking;

pub(super) use desk::Desk;
pub(crate) use folder::{AppFolder, AppLink};
pub(super) use waking::{WakeArguments, Wakers};

use super::folder::{Folder, octets};
use super::server::Event;
use crate::Failure;
use clock::{Now, Wall};
use directory::{
    AccountName, Device, DeviceId, Directory, ExchangeName, Fingerprint, Input, Kind, Message, Named as _,
    Origin, Push, Request, Way, limits,
};
use folder::Enrolment;
use protocol::{Enrolled, FromApp, ToApp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// How long before its end an app's certificate is made anew, in seconds.
const RENEWED_BEFORE: i64 = 30 * 86_400;

/// A connection's name, or why it is none.
type Known = Result<(DeviceId, u64), String>;

/// What connections of apps tell.
pub(super) enum AppEvent {
    /// Whether one more app of this account finds room.
    Room { account: AccountName, answer: oneshot::Sender<bool> },
    /// Somebody with an invitation proved to have a key, and is kept.
    Enrolled {
        enrolment: Enrolment,
        enrolled: Enrolled,
        texts: mpsc::Sender<Arc<str>>,
        answer: oneshot::Sender<Known>,
    },
    /// Which key an app has to prove.
    KeyOf { device: DeviceId, answer: oneshot::Sender<Option<String>> },
    /// An app proved to be it.
    Opened { device: DeviceId, texts: mpsc::Sender<Arc<str>>, answer: oneshot::Sender<Known> },
    /// An app said something.
    Said { device: DeviceId, connection: u64, said: FromApp },
    /// A connection ended.
    Closed { device: DeviceId, connection: u64 },
    /// These are none of the office any more.
    Gone(Vec<DeviceId>),
}

impl From<AppEvent> for Event {
    fn from(event: AppEvent) -> Event {
        Event::App(event)
    }
}

/// The apps that enrolled, and their connections.
pub(super) struct Apps {
    folder: AppFolder,
    wakers: Wakers,
    enrolled: BTreeMap<DeviceId, Enrolment>,
    of_account: BTreeMap<AccountName, BTreeSet<DeviceId>>,
    /// The newest connection of each.
    connections: BTreeMap<DeviceId, (u64, mpsc::Sender<Arc<str>>)>,
    next: u64,
    /// What is asked of the folder comes back by this.
    events: mpsc::Sender<Event>,
}

impl Apps {
    pub(super) fn open(
        folder: AppFolder,
        wakers: Wakers,
        events: mpsc::Sender<Event>,
    ) -> Result<Apps, Failure> {
        let mut apps = Apps {
            folder,
            wakers,
            enrolled: BTreeMap::new(),
            of_account: BTreeMap::new(),
            connections: BTreeMap::new(),
            next: 0,
            events,
        };
        for enrolment in apps.folder.enrolled()? {
            apps.remember(enrolment);
        }
        Ok(apps)
    }

    fn remember(&mut self, enrolment: Enrolment) {
        let device = enrolment.device.clone();
        self.of_account.entry(enrolment.account.clone()).or_default().insert(device.clone());
        self.enrolled.insert(device, enrolment);
    }

    /// An exchange told of an account: the book learns of its apps, if that is its home.
    pub(super) fn account_told(&mut self, now: Now, directory: &mut Directory, account: &AccountName) {
        let Some(home) = directory.book().account(account).map(|known| known.home.clone()) else { return };
        for device in self.of_account.get(account).cloned().unwrap_or_default() {
            if directory.book().device(&device).is_none() {
                self.tell_book(now, directory, &device);
            }
            let elsewhere = |known: &&Enrolment| known.home.as_ref() != Some(&home);
            if let Some(known) = self.enrolled.get(&device).filter(elsewhere).cloned()
                && let Err(error) = self.put(Enrolment { home: Some(home.clone()), ..known })
            {
                tracing::warn!(%device, %error, "where its account has its home cannot be kept");
            }
        }
    }

    /// Whoever has their home at an exchange and is none of these is one of the office no more, nor are their apps.
    pub(super) fn these_are_all(
        &mut self,
        now: Now,
        directory: &mut Directory,
        home: &ExchangeName,
        these: &BTreeSet<AccountName>,
    ) {
        let theirs =
            |known: &&Enrolment| known.home.as_ref() == Some(home) && !these.contains(&known.account);
        let gone: Vec<DeviceId> =
            self.enrolled.values().filter(theirs).map(|known| known.device.clone()).collect();
        self.take_away(now, directory, &gone);
    }

    /// Somebody is one of the office no more, as their home says.
    pub(super) fn account_gone(
        &mut self,
        now: Now,
        directory: &mut Directory,
        home: &ExchangeName,
        account: &AccountName,
    ) {
        let of_home = |device: &DeviceId| {
            self.enrolled.get(device).is_some_and(|known| known.home.as_ref() == Some(home))
        };
        let apps = self.of_account.get(account).into_iter().flatten();
        let gone: Vec<DeviceId> = apps.filter(|device| of_home(device)).cloned().collect();
        self.take_away(now, directory, &gone);
    }

    /// An app that could not be taken away is none all the same until this ends.
    fn take_away(&mut self, now: Now, directory: &mut Directory, devices: &[DeviceId]) {
        for device in devices {
            if let Err(error) = self.folder.remove(device) {
                tracing::error!(%device, %error, "an app of somebody who left cannot be taken away");
            }
            self.forget(now, directory, device);
        }
    }

    fn tell_book(&self, now: Now, directory: &mut Directory, device: &DeviceId) {
        let Some(enrolment) = self.enrolled.get(device) else { return };
        let told = Device {
            account: enrolment.account.clone(),
            kind: Kind::App,
            at: None,
            ways: enrolment.ways.clone(),
            key: Some(enrolment.cnf()),
            connected: self.connections.contains_key(device),
        };
        directory.handle(now, Input::Device(device.clone(), told));
    }

    pub(super) fn hear(&mut self, now: Now, directory: &mut Directory, office: &Folder, event: AppEvent) {
        match event {
            AppEvent::Room { account, answer } => {
                let apps = self.of_account.get(&account).map_or(0, BTreeSet::len);
                let room = apps < limits::DEVICES_OF_ONE && self.enrolled.len() < limits::DEVICES;
                let _ = answer.send(room);
            }
            AppEvent::Enrolled { enrolment, enrolled, texts, answer } => {
                let (device, account) = (enrolment.device.clone(), enrolment.account.clone());
                tracing::info!(%device, %account, fingerprint = %enrolment.fingerprint, "an app enrolled");
                self.remember(enrolment);
                self.account_told(now, directory, &account);
                send(&texts, &ToApp::Enrolled(enrolled));
                // Whoever asked may be gone; the app is enrolled all the same.
                let _ = answer.send(Ok(self.opened(now, directory, device, texts, None)));
            }
            AppEvent::KeyOf { device, answer } => {
                let known = self.enrolled.get(&device);
                let _ = answer.send(known.map(|enrolment| enrolment.public_key.clone()));
            }
            AppEvent::Opened { device, texts, answer } => {
                let known = match self.enrolled.contains_key(&device) {
                    true => {
                        let certificate = self.renewed(now, office, &device);
                        Ok(self.opened(now, directory, device, texts, certificate))
                    }
                    false => Err(connection::NO_APP.to_owned()),
                };
                let _ = answer.send(known);
            }
            AppEvent::Said { device, connection, said } => {
                if self.connections.get(&device).is_some_and(|(newest, _)| *newest == connection) {
                    self.said(now, directory, device, said);
                }
            }
            AppEvent::Closed { device, connection } => {
                if self.connections.get(&device).is_some_and(|(newest, _)| *newest == connection) {
                    self.connections.remove(&device);
                    directory.handle(now, Input::Connected(device, false));
                }
            }
            AppEvent::Gone(devices) => devices.iter().for_each(|device| self.forget(now, directory, device)),
        }
    }

    /// A newer certificate, when it is time. The last one does for a while yet if that cannot be kept now.
    fn renewed(&mut self, now: Now, office: &Folder, device: &DeviceId) -> Option<String> {
        let due = |enrolment: &&Enrolment| enrolment.until - now.wall.seconds() <= RENEWED_BEFORE;
        let mut enrolment = self.enrolled.get(device).filter(due)?.clone();
        let made = vouch(office, device, &enrolment.public_key, now.wall).and_then(|made| {
            (enrolment.fingerprint, enrolment.until) = (made.1, made.2);
            self.put(enrolment)?;
            Ok(made.0)
        });
        match made {
            Ok(certificate) => Some(certificate),
            Err(error) => {
                tracing::warn!(%device, %error, "no newer certificate for it");
                None
            }
        }
    }

    /// What is answered to an app is true from now on.
    fn put(&mut self, enrolment: Enrolment) -> Result<(), Failure> {
        self.folder.keep(&enrolment)?;
        self.enrolled.insert(enrolment.device.clone(), enrolment);
        Ok(())
    }

    fn opened(
        &mut self,
        now: Now,
        directory: &mut Directory,
        device: DeviceId,
        texts: mpsc::Sender<Arc<str>>,
        certificate: Option<String>,
    ) -> (DeviceId, u64) {
        let web_push = self.wakers.push_key();
        send(&texts, &ToApp::Welcome { time: now.wall.0, web_push, certificate });
        self.next += 1;
        self.connections.insert(device.clone(), (self.next, texts));
        self.tell_book(now, directory, &device);
        (device, self.next)
    }

    fn said(&mut self, now: Now, directory: &mut Directory, device: DeviceId, said: FromApp) {
        match said {
            // The connection's own task answers these.
            FromApp::Enrol { .. } | FromApp::Prove { .. } => {}
            FromApp::Ways(ways) => {
                let count = ways.len();
                if let Err(why) = self.woken_by(&device, ways) {
                    return self.say(directory, now, &device, &ToApp::Error(why));
                }
                self.tell_book(now, directory, &device);
                self.say(directory, now, &device, &ToApp::Ways(count));
            }
            FromApp::Media(fingerprint) => {
                if let Err(error) = self.speaks_by(&device, fingerprint) {
                    return self.say(directory, now, &device, &ToApp::Error(error.to_string()));
                }
                self.tell_book(now, directory, &device);
                self.say(directory, now, &device, &ToApp::Media(fingerprint));
            }
            FromApp::Call { id, callee, session } => {
                let Some(cnf) = self.enrolled.get(&device).map(Enrolment::cnf) else { return };
                let (origin, caller) = (Origin::Cloud(device.clone()), device);
                let request = Request { origin, id, caller, callee, session, cnf, shown: "".into() };
                directory.handle(now, Input::Asked(request));
            }
            FromApp::Cancel { id } => directory.handle(now, Input::Cancelled(Origin::Cloud(device), id)),
            FromApp::WhenFree { id, callee } => {
                directory.handle(now, Input::WhenFree { caller: device, id, callee });
            }
            FromApp::Decline { ticket } => directory.handle(now, Input::Declined(device, ticket)),
        }
    }

    fn speaks_by(&mut self, device: &DeviceId, fingerprint: Fingerprint) -> Result<(), Failure> {
        match self.enrolled.get(device) {
            Some(known) if known.media != Some(fingerprint) => {
                self.put(Enrolment { media: Some(fingerprint), ..known.clone() })
            }
            _ => Ok(()),
        }
    }

    fn woken_by(&mut self, device: &DeviceId, ways: Vec<Way>) -> Result<(), String> {
        if ways.len() > limits::WAYS {
            return Err(format!("a device has {} ways to be woken at most", limits::WAYS));
        }
        ways.iter().try_for_each(|way| self.wakers.takes(way))?;
        match self.enrolled.get(device) {
            Some(known) if known.ways != ways => {
                self.put(Enrolment { ways, ..known.clone() }).map_err(|error| error.to_string())
            }
            _ => Ok(()),
        }
    }

    /// Something for a device that is connected.
    pub(super) fn tell(&mut self, directory: &mut Directory, now: Now, device: &DeviceId, message: Message) {
        self.say(directory, now, device, &ToApp::Told(message));
    }

    /// Something for a device that may sleep.
    pub(super) fn push(
        &mut self,
        directory: &mut Directory,
        now: Now,
        device: &DeviceId,
        ways: &[Way],
        push: &Push,
        signed: Box<str>,
    ) {
        if self.connections.contains_key(device) {
            return self.say(directory, now, device, &ToApp::Push(signed));
        }
        let lives = u64::try_from(push.expires().saturating_sub(now.wall.0)).unwrap_or(0);
        let lives = std::time::Duration::from_millis(lives);
        self.wakers.wake(ways, &signed, lives);
    }

    /// An app that does not read loses its connection.
    fn say(&mut self, directory: &mut Directory, now: Now, device: &DeviceId, what: &ToApp) {
        let Some((_, texts)) = self.connections.get(device) else { return };
        if !send(texts, what) {
            tracing::warn!(%device, "it does not read what it is told");
            self.connections.remove(device);
            directory.handle(now, Input::Connected(device.clone(), false));
        }
    }

    /// Apps that were taken away are none any more; what is kept is looked at beside.
    pub(super) fn look_at_folder(&self) {
        let (folder, events) = (self.folder.clone(), self.events.clone());
        let known: Vec<DeviceId> = self.enrolled.keys().cloned().collect();
        tokio::task::spawn_blocking(move || match folder.gone(known) {
            Ok(gone) if gone.is_empty() => {}
            // Full: those who are gone are still so the next time.
            Ok(gone) => drop(events.try_send(AppEvent::Gone(gone).into())),
            Err(error) => tracing::warn!(%error, "which apps there are cannot be looked at"),
        });
    }

    fn forget(&mut self, now: Now, directory: &mut Directory, device: &DeviceId) {
        tracing::info!(%device, "an app is no more");
        if let Some(enrolment) = self.enrolled.remove(device)
            && let Some(others) = self.of_account.get_mut(&enrolment.account)
        {
            others.remove(device);
        }
        self.connections.remove(device);
        directory.handle(now, Input::DeviceGone(device.clone()));
    }
}

fn vouch(
    office: &Folder,
    device: &DeviceId,
    public_key: &str,
    now: Wall,
) -> Result<(String, Fingerprint, i64), Failure> {
    let key = octets(public_key).ok_or("the public key is not in hexadecimal")?;
    let certificate = office.vouch(&[device.as_str()], &key, now)?;
    let fingerprint = Fingerprint(net::fingerprint_of_pem(&certificate)?);
    let life = i64::try_from(net::LEAF_LIFE.as_secs()).unwrap_or(0);
    Ok((certificate, fingerprint, now.seconds() + life))
}

/// False when it found no room.
fn send(texts: &mpsc::Sender<Arc<str>>, what: &ToApp) -> bool {
    serde_json::to_string(what).is_ok_and(|text| texts.try_send(text.into()).is_ok())
}
