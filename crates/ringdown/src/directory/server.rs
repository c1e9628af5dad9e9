//! The one task that owns the directory by value: whatever is decided is decided here, one after another.

use super::apps::{AppEvent, Apps};
use super::doors::Doors;
use super::folder::{Folder, Known, octets, random};
use super::protocol::{FromExchange, ToExchange};
use clock::{Mono, Now};
use directory::{
    Account, AccountName, Confirmation, Directory, ExchangeName, Fingerprint, Input, Message, Named as _,
    Origin, Output, Report, Request, RequestId, SiteHealth, limits,
};
use exchange::DIRECTORY;
use net::Clock;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How often all are told the time: clocks are set, and drift; and by that they know that there is a way to us.
const TIME_TOLD: Duration = Duration::from_secs(1);
/// How often it is looked what commands have put into the folder.
const FOLDER_SEEN: Duration = Duration::from_secs(30);
/// How often all are told how all are at most, and how much less often for each that there is.
const HEALTH_TOLD: Duration = Duration::from_millis(900);
/// See there.
const HEALTH_OF_EACH: Duration = Duration::from_millis(20);
/// How often it is looked whether our own certificate ends soon.
const CERTIFICATE_SEEN: Duration = Duration::from_secs(12 * 3_600);
/// An exchange renews its certificate not more often than this.
const RENEWED_AT_MOST: Duration = Duration::from_secs(60);
/// Milliseconds after which a claim is made again that nobody may answer now.
const HELD: i64 = 5_000;
/// Changes of the book are published together, this long after the first.
const PUBLISHED_AFTER: Duration = Duration::from_millis(200);

/// What connections tell.
pub(super) enum Event {
    /// An exchange joined, and is kept.
    Joined { known: Known, answer: oneshot::Sender<()> },
    /// Somebody proved to hold a certificate of ours; whose it is, and which of its connections this is.
    Opened {
        fingerprint: Fingerprint,
        lines: mpsc::Sender<Arc<str>>,
        answer: oneshot::Sender<Result<(ExchangeName, u64), ()>>,
    },
    /// An exchange said something.
    Said { exchange: ExchangeName, connection: u64, said: FromExchange },
    /// A connection ended.
    Closed { exchange: ExchangeName, connection: u64 },
    /// Something of an app.
    App(AppEvent),
}

struct Server {
    folder: Arc<Folder>,
    clock: Clock,
    doors: Doors,
    directory: Directory,
    apps: Apps,
    /// Newer certificates that nobody has shown yet.
    renewed: BTreeMap<Fingerprint, ExchangeName>,
    renewed_at: BTreeMap<ExchangeName, Mono>,
    certificate_at: Mono,
    /// The newest connection of each exchange.
    connections: BTreeMap<ExchangeName, (u64, mpsc::Sender<Arc<str>>)>,
    /// Of whom each has told since it connected, until it says that those are all.
    telling: BTreeMap<ExchangeName, BTreeSet<AccountName>>,
    next: u64,
    /// The version that all were given.
    published: u64,
    publish_at: Option<Mono>,
    time_at: Mono,
    folder_at: Mono,
    /// How all are, as they were told last, and when that may be told again.
    health: Vec<SiteHealth>,
    health_at: Mono,
}

/// Serves until all connections' tasks are gone.
pub(super) async fn run(
    folder: Arc<Folder>,
    apps: Apps,
    doors: Doors,
    clock: Clock,
    origins: Vec<Box<str>>,
    mut heard: mpsc::Receiver<Event>,
) {
    let mut server = match Server::new(folder, apps, doors, clock) {
        Ok(server) => server,
        Err(error) => return tracing::error!(%error, "the directory's folder cannot be read"),
    };
    server.directory.handle(server.now(), Input::WebApp(origins));
    loop {
        let deadlines = [server.directory.next_deadline(), server.publish_at, Some(server.time_at)];
        let deadline = deadlines.into_iter().flatten().min();
        let wait = deadline.map_or(Duration::from_secs(3_600), |at| at.since(server.now().mono));
        tokio::select! {
            event = heard.recv() => match event {
                Some(event) => server.hear(event),
                None => return,
            },
            () = tokio::time::sleep(wait) => server.directory.handle(server.now(), Input::Timeout),
        }
        server.carry();
        server.publish();
        server.tell_time();
        server.look_at_folder();
        server.tell_health();
        server.renew_own();
    }
}

impl Server {
    fn new(folder: Arc<Folder>, apps: Apps, doors: Doors, clock: Clock) -> Result<Server, crate::Failure> {
        let mut directory = Directory::new(DIRECTORY, folder.issuer()?, random()?);
        let mut renewed = BTreeMap::new();
        for Known { exchange, fingerprint, next, key } in folder.members()? {
            renewed.extend(next.map(|next| (next, exchange.clone())));
            directory.handle(clock.now(), Input::Joined { exchange, fingerprint, key });
        }
        let now = clock.now().mono;
        Ok(Server {
            folder,
            clock,
            doors,
            directory,
            apps,
            renewed,
            renewed_at: BTreeMap::new(),
            certificate_at: now + CERTIFICATE_SEEN,
            connections: BTreeMap::new(),
            telling: BTreeMap::new(),
            next: 0,
            published: 0,
            publish_at: None,
            time_at: now + TIME_TOLD,
            folder_at: now + FOLDER_SEEN,
            health: Vec::new(),
            health_at: now,
        })
    }

    fn now(&self) -> Now {
        self.clock.now()
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Joined { known: Known { exchange, fingerprint, key, .. }, answer } => {
                tracing::info!(%exchange, %fingerprint, "an exchange joined");
                self.directory.handle(self.now(), Input::Joined { exchange, fingerprint, key });
                // Whoever asked may be gone; the exchange has joined all the same.
                let _ = answer.send(());
            }
            Event::Opened { fingerprint, lines, answer } => {
                let Some(exchange) = self.whose(fingerprint) else {
                    let _ = answer.send(Err(()));
                    return;
                };
                self.next += 1;
                self.connections.insert(exchange.clone(), (self.next, lines));
                self.telling.insert(exchange.clone(), BTreeSet::new());
                let _ = answer.send(Ok((exchange.clone(), self.next)));
                self.say(&exchange, &ToExchange::Welcome { time: self.now().wall.0 });
                let copy = ToExchange::Copy(self.directory.copy(self.now().wall));
                self.say(&exchange, &copy);
                self.say(&exchange, &ToExchange::Health(self.health.clone()));
            }
            Event::Said { exchange, connection, said } => {
                if self.connections.get(&exchange).is_some_and(|(newest, _)| *newest == connection) {
                    self.said(exchange, said);
                }
            }
            Event::Closed { exchange, connection } => {
                if self.connections.get(&exchange).is_some_and(|(newest, _)| *newest == connection) {
                    self.connections.remove(&exchange);
                    self.telling.remove(&exchange);
                }
            }
            Event::App(event) => {
                let now = self.now();
                self.apps.hear(now, &mut self.directory, &self.folder, event);
            }
        }
    }

    /// Whose certificate this is. A newer one that is shown for the first time takes the place of the last.
    fn whose(&mut self, fingerprint: Fingerprint) -> Option<ExchangeName> {
        if let Some(exchange) = self.renewed.get(&fingerprint).cloned() {
            match self.replace(&exchange, fingerprint) {
                Ok(()) => tracing::info!(%exchange, %fingerprint, "an exchange shows its newer certificate"),
                Err(error) => {
                    tracing::error!(%exchange, %error, "a newer certificate cannot be kept");
                    return None;
                }
            }
        }
        let found = self.directory.book().exchanges().find(|(_, known)| known.fingerprint == fingerprint);
        found.map(|(name, _)| name.clone())
    }

    fn replace(&mut self, exchange: &ExchangeName, fingerprint: Fingerprint) -> Result<(), crate::Failure> {
        let known = self.folder.members()?.into_iter().find(|known| known.exchange == *exchange);
        let key = known.ok_or("it is no member any more")?.key;
        self.folder.keep(exchange, fingerprint, &key)?;
        self.renewed.remove(&fingerprint);
        self.directory.handle(self.now(), Input::Joined { exchange: exchange.clone(), fingerprint, key });
        Ok(())
    }

    /// The newer certificate is kept before it is given away.
    fn renew(&mut self, exchange: &ExchangeName, public_key: &str) {
        let now = self.now();
        if self.renewed_at.get(exchange).is_some_and(|at| now.mono.since(*at) < RENEWED_AT_MOST) {
            tracing::warn!(%exchange, "it asks for a newer certificate again and again");
            return;
        }
        self.renewed_at.insert(exchange.clone(), now.mono);
        let vouch = || -> Result<(String, Fingerprint), crate::Failure> {
            let public_key = octets(public_key).ok_or("the public key is not in hexadecimal")?;
            let certificate = self.folder.vouch(&[exchange.as_str()], &public_key, now.wall)?;
            let next = Fingerprint(net::fingerprint_of_pem(&certificate)?);
            self.folder.keep_next(exchange, next)?;
            Ok((certificate, next))
        };
        match vouch() {
            Ok((certificate, next)) => {
                self.renewed.retain(|_, whose| whose != exchange);
                self.renewed.insert(next, exchange.clone());
                self.say(exchange, &ToExchange::Renewed(certificate));
            }
            Err(error) => tracing::warn!(%exchange, %error, "no newer certificate for it"),
        }
    }

    fn renew_own(&mut self) {
        let now = self.now();
        if now.mono < self.certificate_at {
            return;
        }
        self.certificate_at = now.mono + CERTIFICATE_SEEN;
        // Browsers' certificate may be a file that somebody else made anew.
        let renewed = self.folder.renew_own(now.wall).and_then(|renewed| {
            self.doors.renew(&self.folder, now.wall)?;
            Ok(renewed)
        });
        match renewed {
            Ok(true) => tracing::info!("the directory's own certificate is renewed"),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the directory's own certificate cannot be renewed"),
        }
    }

    fn said(&mut self, exchange: ExchangeName, said: FromExchange) {
        let input = match said {
            // It has joined; another name takes another invitation, and that a connection without a certificate.
            FromExchange::Join { .. } => return,
            FromExchange::Renew { public_key } => return self.renew(&exchange, &public_key),
            FromExchange::Report { address, web, region, version, load, draining, calls } => {
                Input::Report(exchange, Report { address, web, region, version, load, draining, calls })
            }
            FromExchange::Account { name, numbers, phones } => {
                let told = Account { home: exchange.clone(), numbers, enabled: true, phones };
                let now = self.now();
                match self.telling.get_mut(&exchange) {
                    Some(telling) if telling.len() < limits::ACCOUNTS => _ = telling.insert(name.clone()),
                    // More than there is room for: who is none of them cannot be said.
                    _ => _ = self.telling.remove(&exchange),
                }
                self.directory.handle(now, Input::Account(exchange, name.clone(), Some(told)));
                return self.apps.account_told(now, &mut self.directory, &name);
            }
            FromExchange::Gone { name } => {
                self.apps.account_gone(self.now(), &mut self.directory, &exchange, &name);
                Input::Account(exchange, name, None)
            }
            FromExchange::Everybody {} => {
                let Some(these) = self.telling.remove(&exchange) else { return };
                self.apps.these_are_all(self.now(), &mut self.directory, &exchange, &these);
                Input::Everybody(exchange, these)
            }
            FromExchange::Call { id, caller, callee, session, shown } => {
                // Who asks will be at the other end of the call: the key is that of this connection.
                let Some(known) = self.directory.book().exchange(&exchange) else { return };
                let cnf = Confirmation::Tls(known.fingerprint);
                let shown = shown[..shown.floor_char_boundary(limits::SHOWN_OCTETS)].into();
                let origin = Origin::Exchange(exchange);
                Input::Asked(Request { origin, id, caller, callee, session, cnf, shown })
            }
            FromExchange::Cancelled { id } => Input::Cancelled(Origin::Exchange(exchange), id),
            FromExchange::Said { caller, id, said } => Input::Said { exchange, caller, id, said },
            FromExchange::Claim { id, number } if self.folder.is_ours() => {
                Input::Claim { exchange, id, number }
            }
            FromExchange::Claim { id, .. } => return self.hold(&exchange, id),
            FromExchange::Attempted { number, attempted } => Input::Attempted(exchange, number, attempted),
            FromExchange::Free { number } => Input::Free(exchange, number),
        };
        self.directory.handle(self.now(), input);
    }

    /// Another may be the directory now, and give the number away (R25).
    fn hold(&mut self, exchange: &ExchangeName, id: RequestId) {
        let held = Some(self.now().wall.0 + HELD);
        if id != RequestId(0) {
            self.say(exchange, &ToExchange::Told(Message::Claimed { id, held, attempts: Vec::new() }));
        }
    }

    fn carry(&mut self) {
        while let Some(output) = self.directory.poll_output() {
            match output {
                Output::ToExchange(exchange, message) => self.say(&exchange, &ToExchange::Told(message)),
                Output::Decided(request, decided) => {
                    let why =
                        decided.map_or_else(|invalid| invalid.to_string(), |decision| decision.to_string());
                    tracing::info!(from = %request.origin, callee = %request.callee, session = %request.session, why, "designated");
                }
                Output::Complained(exchange, refused) => {
                    tracing::warn!(%exchange, %refused, "what an exchange tells is refused");
                }
                Output::Changed(exchange) => {
                    let health = self
                        .directory
                        .book()
                        .exchange(&exchange)
                        .map_or("unknown", |known| known.health.name());
                    tracing::info!(%exchange, health, "an exchange is different");
                }
                Output::ToDevice(device, message) => {
                    self.apps.tell(&mut self.directory, self.clock.now(), &device, message);
                }
                Output::Push { device, ways, push, signed, .. } => {
                    self.apps.push(&mut self.directory, self.clock.now(), &device, &ways, &push, signed);
                }
            }
        }
    }

    /// An exchange that does not read loses its connection, and is told everything at the next.
    fn say(&mut self, exchange: &ExchangeName, what: &ToExchange) {
        let Some((_, lines)) = self.connections.get(exchange) else { return };
        let Ok(line) = serde_json::to_string(what) else { return };
        if lines.try_send(line.into()).is_err() {
            tracing::warn!(%exchange, "it does not read what it is told");
            self.connections.remove(exchange);
        }
    }

    fn tell_time(&mut self) {
        let now = self.now();
        if now.mono < self.time_at {
            return;
        }
        self.time_at = now.mono + TIME_TOLD;
        self.say_to_all(&ToExchange::Clock { time: now.wall.0 });
    }

    fn look_at_folder(&mut self) {
        let now = self.now();
        if now.mono >= self.folder_at {
            self.folder_at = now.mono + FOLDER_SEEN;
            self.apps.look_at_folder();
        }
    }

    /// Whoever hears it reports each second, so this is looked at often enough.
    fn tell_health(&mut self) {
        let now = self.now();
        if now.mono < self.health_at {
            return;
        }
        let health = self.directory.health();
        let size = u32::try_from(health.len()).unwrap_or(u32::MAX);
        self.health_at = now.mono + HEALTH_TOLD + HEALTH_OF_EACH.saturating_mul(size);
        if health != self.health {
            self.say_to_all(&ToExchange::Health(health.clone()));
            self.health = health;
        }
    }

    fn say_to_all(&mut self, what: &ToExchange) {
        let everybody: Vec<ExchangeName> = self.connections.keys().cloned().collect();
        for exchange in everybody {
            self.say(&exchange, what);
        }
    }

    fn publish(&mut self) {
        let now = self.now();
        if self.directory.version() == self.published {
            return;
        }
        match self.publish_at {
            None => self.publish_at = Some(now.mono + PUBLISHED_AFTER),
            Some(at) if at <= now.mono => {
                (self.published, self.publish_at) = (self.directory.version(), None);
                let copy = ToExchange::Copy(self.directory.copy(now.wall));
                self.say_to_all(&copy);
            }
            Some(_) => {}
        }
    }
}
