//! The side of a directory that apps without an exchange see: they enrol, say how they are woken, ask for calls, and are woken
//! (S4.3, S4.8, S4.24). The texts are told in docs/directory-protocol.md.

pub(super) mod connection;
mod folder;
pub(crate) mod protocol;
mod waking;

pub(crate) use folder::{AppFolder, AppLink};
pub(super) use waking::{WakeArguments, Wakers};

use super::folder::{Folder, hex, octets, random};
use super::server::Event;
use crate::Failure;
use clock::Now;
use directory::{
    AccountName, Device, DeviceId, Directory, Fingerprint, Input, Kind, Message, Named as _, Origin, Push,
    Request, Way, limits,
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
    /// Somebody with an invitation proved to have this key.
    Enrol { key: String, public_key: String, texts: mpsc::Sender<Arc<str>>, answer: oneshot::Sender<Known> },
    /// Which key an app has to prove.
    KeyOf { device: DeviceId, answer: oneshot::Sender<Option<String>> },
    /// An app proved to be it.
    Opened { device: DeviceId, texts: mpsc::Sender<Arc<str>>, answer: oneshot::Sender<Known> },
    /// An app said something.
    Said { device: DeviceId, connection: u64, said: FromApp },
    /// A connection ended.
    Closed { device: DeviceId, connection: u64 },
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
}

impl Apps {
    pub(super) fn open(folder: AppFolder, wakers: Wakers) -> Result<Apps, Failure> {
        let mut apps = Apps {
            folder,
            wakers,
            enrolled: BTreeMap::new(),
            of_account: BTreeMap::new(),
            connections: BTreeMap::new(),
            next: 0,
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

    /// An exchange told of an account: the book learns of its apps.
    pub(super) fn account_told(&self, now: Now, directory: &mut Directory, account: &AccountName) {
        for device in self.of_account.get(account).into_iter().flatten() {
            if directory.book().device(device).is_none() {
                self.tell_book(now, directory, device);
            }
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
            AppEvent::Enrol { key, public_key, texts, answer } => {
                let known = match self.enrol(now, directory, office, &key, public_key) {
                    Ok(enrolled) => {
                        let device = enrolled.device.clone();
                        send(&texts, &ToApp::Enrolled(enrolled));
                        Ok(self.opened(now, directory, device, texts, None))
                    }
                    Err(error) => Err(error.to_string()),
                };
                // Whoever asked may be gone; the invitation is used up all the same.
                let _ = answer.send(known);
            }
            AppEvent::KeyOf { device, answer } => {
                let known = self.enrolled.get(&device).filter(|_| self.folder.has(&device));
                let _ = answer.send(known.map(|enrolment| enrolment.public_key.clone()));
            }
            AppEvent::Opened { device, texts, answer } => {
                let known = match self.renewed(now, office, &device) {
                    Ok(certificate) => Ok(self.opened(now, directory, device, texts, certificate)),
                    Err(error) => Err(error.to_string()),
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
        }
    }

    /// The app is kept before it is told that it enrolled.
    fn enrol(
        &mut self,
        now: Now,
        directory: &Directory,
        office: &Folder,
        key: &str,
        public_key: String,
    ) -> Result<Enrolled, Failure> {
        let account = self.folder.redeem(key, now.wall)?;
        if self.of_account.get(&account).map_or(0, BTreeSet::len) >= limits::DEVICES_OF_ONE
            || self.enrolled.len() >= limits::DEVICES
        {
            return Err(format!("{account} has as many apps as there is room for").into());
        }
        let device = DeviceId::parse(&format!("app-{}", hex(&random::<8>()?)))?;
        let (certificate, fingerprint, until) = vouch(office, &device, &public_key, now)?;
        let ways = Vec::new();
        let enrolment =
            Enrolment { device: device.clone(), account, public_key, fingerprint, until, ways, media: None };
        self.folder.keep(&enrolment)?;
        let account = enrolment.account.clone();
        tracing::info!(%device, %account, %fingerprint, "an app enrolled");
        self.remember(enrolment);
        let root = office.root().into();
        Ok(Enrolled { device, account, certificate, root, directory: hex(&directory.public()) })
    }

    /// A newer certificate, when it is time.
    fn renewed(&mut self, now: Now, office: &Folder, device: &DeviceId) -> Result<Option<String>, Failure> {
        let enrolment = self.enrolled.get_mut(device).ok_or("there is no such app")?;
        if enrolment.until - now.wall.seconds() > RENEWED_BEFORE {
            return Ok(None);
        }
        let (certificate, fingerprint, until) = vouch(office, device, &enrolment.public_key, now)?;
        (enrolment.fingerprint, enrolment.until) = (fingerprint, until);
        self.folder.keep(enrolment)?;
        Ok(Some(certificate))
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
            FromApp::Decline { ticket } => directory.handle(now, Input::Declined(device, ticket)),
        }
    }

    /// What is answered to an app is true from now on.
    fn speaks_by(&mut self, device: &DeviceId, fingerprint: Fingerprint) -> Result<(), Failure> {
        let Some(enrolment) = self.enrolled.get_mut(device) else { return Ok(()) };
        if enrolment.media == Some(fingerprint) {
            return Ok(());
        }
        enrolment.media = Some(fingerprint);
        self.folder.keep(enrolment)
    }

    fn woken_by(&mut self, device: &DeviceId, ways: Vec<Way>) -> Result<(), String> {
        if ways.len() > limits::WAYS {
            return Err(format!("a device has {} ways to be woken at most", limits::WAYS));
        }
        ways.iter().try_for_each(|way| self.wakers.takes(way))?;
        let Some(enrolment) = self.enrolled.get_mut(device) else { return Ok(()) };
        if enrolment.ways == ways {
            return Ok(());
        }
        enrolment.ways = ways;
        self.folder.keep(enrolment).map_err(|error| error.to_string())
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

    /// Apps whose files were taken away are none any more.
    pub(super) fn look_at_folder(&mut self, now: Now, directory: &mut Directory) {
        let gone: Vec<DeviceId> =
            self.enrolled.keys().filter(|device| !self.folder.has(device)).cloned().collect();
        for device in gone {
            tracing::info!(%device, "an app is no more");
            if let Some(enrolment) = self.enrolled.remove(&device)
                && let Some(others) = self.of_account.get_mut(&enrolment.account)
            {
                others.remove(&device);
            }
            self.connections.remove(&device);
            directory.handle(now, Input::DeviceGone(device));
        }
    }
}

fn vouch(
    office: &Folder,
    device: &DeviceId,
    public_key: &str,
    now: Now,
) -> Result<(String, Fingerprint, i64), Failure> {
    let key = octets(public_key).ok_or("the public key is not in hexadecimal")?;
    let certificate = office.vouch(&[device.as_str()], &key, now.wall)?;
    let fingerprint = Fingerprint(net::fingerprint_of_pem(&certificate)?);
    let life = i64::try_from(net::LEAF_LIFE.as_secs()).unwrap_or(0);
    Ok((certificate, fingerprint, now.wall.seconds() + life))
}

/// False when it found no room.
fn send(texts: &mpsc::Sender<Arc<str>>, what: &ToApp) -> bool {
    serde_json::to_string(what).is_ok_and(|text| texts.try_send(text.into()).is_ok())
}
