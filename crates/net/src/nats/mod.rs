//! NATS: hints from one exchange to the others of its cluster, and live events for other programs.
//!
//! ```text
//! hint --bell--> task --SUBJECT.look--> the others: they look into the store now, and not in half a second
//! keep --SUBJECT.event.KIND--> a stream (JetStream) --> whoever may read it, for as long as it keeps events
//! ```
//! Nobody believes what comes from here: a hint makes an exchange look, which it does anyway, and no more often than it likes.
//! So a hint that is lost, forged or told twice does no harm, and without a server everything goes on (R24).

mod judge;
#[cfg(test)]
mod tests;

use crate::http_client::{HttpClient, HttpLine, Method};
use async_nats::jetstream::context::{Context, ContextBuilder};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, Info, StorageType};
use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use futures_util::StreamExt as _;
use rustls::ClientConfig;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

/// To connect, or to get an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a silent server is asked whether it is there.
const PING: Duration = Duration::from_secs(2);
/// From a lost connection to the next try: doubled from the first to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(4));
/// What is said while nobody has us.
const AWAY: &str = "no server can be reached";
/// How soon a server that was refused, or whose stream was not to be had, is looked at again.
const AGAIN: Duration = Duration::from_secs(10);
/// What the connection has to tell us and we have not heard yet.
const QUEUE: usize = 64;
/// Octets of what a monitor shows.
const MONITOR: usize = 1 << 20;
/// Octets that a stream keeps at most, whatever their age.
const STREAM: i64 = 1 << 30;
/// How long a stream knows what it has by its name: what is told twice within it is there once.
const TWICE: Duration = Duration::from_secs(120);

/// Where a server is, as in `tls://nats.example:4222`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatsServer {
    /// Whether by TLS.
    pub secure: bool,
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl FromStr for NatsServer {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<NatsServer, &'static str> {
        let wrong = "is no NATS server; write it as in \"tls://nats.example:4222\"";
        let (secure, host, port) =
            crate::address::of_server(text, ("tls", 4222), ("nats", 4222)).ok_or(wrong)?;
        Ok(NatsServer { secure, host, port })
    }
}

impl fmt::Display for NatsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "tls" } else { "nats" };
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

/// Where events are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatsStream {
    /// Its name.
    pub name: String,
    /// For how long.
    pub keeps: Duration,
}

/// How NATS is spoken to. There may be a secret in it, so nothing prints it.
#[derive(Clone)]
pub struct NatsRules {
    /// Where; any of them will do.
    pub servers: Vec<NatsServer>,
    /// The name that we give ourselves.
    pub client: String,
    /// Who we are there, and how we prove it.
    pub user: Option<(String, String)>,
    /// Who vouches for the servers, or why nobody does.
    pub tls: Result<Arc<ClientConfig>, String>,
    /// What our subjects begin with.
    pub subject: String,
    /// Whether hints are told and heard.
    pub hints: bool,
    /// Where events are kept; without, whoever is not there misses them.
    pub stream: Option<NatsStream>,
    /// Where the server shows its settings (`http://host:8222`), and by whom it is asked.
    pub monitor: Option<(String, HttpClient)>,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatsEvent {
    /// By this name it is told from all others.
    pub id: String,
    /// What its subject ends with, as in `call.started`.
    pub kind: String,
    /// The event.
    pub text: String,
}

/// Why an event is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotKept {
    /// Not now; it can be tried again.
    Yet,
    /// However often it is tried.
    Ever,
}

/// How it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NatsState {
    /// Whether a server has us.
    pub connected: bool,
    /// Its name and version.
    pub server: String,
    /// Why not, why it keeps nothing, or what went wrong last.
    pub trouble: Option<String>,
    /// What can lose events that it has.
    pub warning: Option<String>,
    /// Events that it has.
    pub kept: u64,
    /// Hints that were told, and heard.
    pub hints: (u64, u64),
}

#[derive(Default)]
struct Shared {
    connected: AtomicBool,
    /// The server is one that may keep events, and has where to.
    keeps: AtomicBool,
    words: Mutex<Words>,
    kept: AtomicU64,
    told: AtomicU64,
    heard: AtomicU64,
    bell: Notify,
    client: OnceLock<(Client, Context)>,
}

#[derive(Clone, Default)]
struct Words {
    server: String,
    trouble: Option<String>,
    warning: Option<String>,
}

/// The way to NATS, one for all who tell something.
#[derive(Clone)]
pub struct Nats {
    shared: Arc<Shared>,
    subject: Arc<str>,
    stream: Option<Arc<str>>,
}

impl Nats {
    /// Begins to connect, for as long as the runtime runs. To be called inside of it. The second value has something whenever
    /// hints were heard.
    #[must_use]
    pub fn start(rules: NatsRules) -> (Nats, mpsc::Receiver<()>) {
        let (heard, hints) = mpsc::channel(1);
        let shared = Arc::<Shared>::default();
        let nats = Nats {
            shared: Arc::clone(&shared),
            subject: rules.subject.as_str().into(),
            stream: rules.stream.as_ref().map(|stream| stream.name.as_str().into()),
        };
        tokio::spawn(Task { rules, shared, heard }.run());
        (nats, hints)
    }

    /// Tells the others that there is something in the store. Never waits; without a server nobody hears it.
    pub fn hint(&self) {
        self.shared.bell.notify_one();
    }

    /// Has an event kept, and waits until it is.
    ///
    /// # Errors
    /// Whether it is to be tried again.
    pub async fn keep(&self, event: NatsEvent) -> Result<(), NotKept> {
        let NatsEvent { id, kind, text } = event;
        let plain = |octet: u8| octet.is_ascii_lowercase() || octet == b'_';
        if !kind.split('.').all(|part| !part.is_empty() && part.bytes().all(plain)) {
            return Err(NotKept::Ever);
        }
        let (connected, keeps) = (&self.shared.connected, &self.shared.keeps);
        if !connected.load(Ordering::Relaxed) || !keeps.load(Ordering::Relaxed) {
            return Err(NotKept::Yet);
        }
        let (client, streams) = self.shared.client.get().ok_or(NotKept::Yet)?;
        let subject = format!("{}.event.{kind}", self.subject);
        if text.len() + id.len() + 1_024 > client.max_payload() {
            return Err(NotKept::Ever);
        }
        let told = async {
            match &self.stream {
                None => {
                    client.publish(subject, text.into()).await.map_err(|error| error.to_string())?;
                    client.flush().await.map_err(|error| error.to_string())
                }
                Some(_) => {
                    let message = PublishMessage::build().payload(text.into()).message_id(id);
                    let sent = streams.send_publish(subject, message).await;
                    let kept = sent.map_err(|error| error.to_string())?.await;
                    kept.map(drop).map_err(|error| error.to_string())
                }
            }
        };
        let told = timeout(PATIENCE, told).await.unwrap_or_else(|_| Err("it does not answer".to_owned()));
        match told {
            Ok(()) => {
                self.shared.kept.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(why) => {
                // What waits behind it waits for its operator, too.
                self.shared.complain(format!("the server did not keep an event, which is told again: {why}"));
                Err(NotKept::Yet)
            }
        }
    }

    /// How it goes now.
    #[must_use]
    pub fn state(&self) -> NatsState {
        let shared = &self.shared;
        let Words { server, trouble, warning } = shared.words().clone();
        NatsState {
            connected: shared.connected.load(Ordering::Relaxed),
            server,
            trouble,
            warning,
            kept: shared.kept.load(Ordering::Relaxed),
            hints: (shared.told.load(Ordering::Relaxed), shared.heard.load(Ordering::Relaxed)),
        }
    }
}

/// How long it is waited for the next try, after so many.
fn pause(attempts: usize) -> Duration {
    let (first, last) = PAUSES;
    let doubled = u32::try_from(attempts.min(16)).unwrap_or(16);
    first.saturating_mul(1 << doubled).min(last)
}

impl Shared {
    fn words(&self) -> std::sync::MutexGuard<'_, Words> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In the log once, however often the same goes wrong.
    fn complain(&self, why: String) {
        let mut words = self.words();
        if words.trouble.as_ref() != Some(&why) {
            tracing::warn!(why, "NATS");
        }
        words.trouble = Some(why);
    }
}

struct Task {
    rules: NatsRules,
    shared: Arc<Shared>,
    heard: mpsc::Sender<()>,
}

impl Task {
    async fn run(self) {
        let (told, mut events) = mpsc::channel(QUEUE);
        let client = match self.connect(told).await {
            Ok(client) => client,
            Err(why) => return self.shared.complain(why),
        };
        let streams = ContextBuilder::new().timeout(PATIENCE).build(client.clone());
        let _ = self.shared.client.set((client.clone(), streams));
        let look = format!("{}.look", self.rules.subject);
        let mut hints = match self.rules.hints {
            true => client.subscribe(look.clone()).await.ok(),
            false => None,
        };
        let mut again = tokio::time::interval(AGAIN);
        loop {
            let hint = async {
                match &mut hints {
                    Some(hints) => hints.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.connection_is(&client, event).await,
                    None => return,
                },
                hint = hint => match hint {
                    Some(_) => {
                        self.shared.heard.fetch_add(1, Ordering::Relaxed);
                        // One that waits already says it all.
                        let _ = self.heard.try_send(());
                    }
                    None => hints = None,
                },
                () = self.shared.bell.notified() => self.tell(&client, &look).await,
                _ = again.tick() => {
                    let (connected, keeps) = (&self.shared.connected, &self.shared.keeps);
                    let is_well = keeps.load(Ordering::Relaxed) && self.shared.words().trouble.is_none();
                    if connected.load(Ordering::Relaxed) && !is_well {
                        self.look_at(&client).await;
                    }
                }
            }
        }
    }

    async fn connect(&self, told: mpsc::Sender<Event>) -> Result<Client, String> {
        let rules = &self.rules;
        let secure = rules.servers.iter().any(|server| server.secure);
        let mut options = ConnectOptions::new()
            .name(&rules.client)
            .retry_on_initial_connect()
            .connection_timeout(PATIENCE)
            .reconnect_delay_callback(pause)
            .ping_interval(PING)
            .subscription_capacity(QUEUE)
            .no_echo()
            .require_tls(secure)
            .event_callback(move |event| {
                // What finds no room is found out by the next look.
                let _ = told.try_send(event);
                std::future::ready(())
            });
        if let Some((user, password)) = &rules.user {
            options = options.user_and_password(user.clone(), password.clone());
        }
        if secure {
            options = options.tls_client_config(ClientConfig::clone(&*rules.tls.clone()?));
        }
        let servers: Result<Vec<ServerAddr>, _> =
            rules.servers.iter().map(|server| server.to_string().parse()).collect();
        let servers = servers.map_err(|error| error.to_string())?;
        options.connect(servers).await.map_err(|error| error.to_string())
    }

    async fn tell(&self, client: &Client, look: &str) {
        if !self.rules.hints || !self.shared.connected.load(Ordering::Relaxed) {
            return;
        }
        let told = timeout(PING, client.publish(look.to_owned(), "".into())).await;
        if matches!(told, Ok(Ok(()))) {
            self.shared.told.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn connection_is(&self, client: &Client, event: Event) {
        match event {
            Event::Connected => {
                self.shared.connected.store(true, Ordering::Relaxed);
                self.look_at(client).await;
                // What happened while nobody heard hints.
                let _ = self.heard.try_send(());
            }
            Event::Disconnected | Event::Closed => {
                self.shared.connected.store(false, Ordering::Relaxed);
                self.shared.keeps.store(false, Ordering::Relaxed);
                self.shared.complain(format!("{AWAY}; tried again"));
            }
            Event::ServerError(error) => self.shared.complain(format!("the server says: {error}")),
            Event::ClientError(error) => {
                let why = error.to_string();
                let why = why.trim_start_matches("nats: ");
                self.shared.complain(match self.shared.connected.load(Ordering::Relaxed) {
                    true => why.to_owned(),
                    false => format!("{AWAY}: {why}; tried again"),
                });
            }
            Event::SlowConsumer(_) => _ = self.heard.try_send(()),
            Event::LameDuckMode | Event::Draining => {}
        }
    }

    /// Whether the server may keep events.
    async fn look_at(&self, client: &Client) {
        let server = client.server_info();
        let found = self.judge(&server.version, &server.server_id).await;
        self.shared.keeps.store(found.is_ok(), Ordering::Relaxed);
        let name = format!("{} {}", server.server_name, server.version);
        match found {
            Ok(warning) => {
                let mut words = self.shared.words();
                if words.trouble.is_some() || words.server != name {
                    tracing::info!(server = name, "NATS has us");
                }
                if let Some(warning) = &warning
                    && words.warning != Some(warning.clone())
                {
                    tracing::warn!(server = name, warning, "NATS can lose events that it has acknowledged");
                }
                *words = Words { server: name, trouble: None, warning };
            }
            Err(why) => {
                self.shared.complain(why);
                self.shared.words().server = name;
            }
        }
    }

    async fn judge(&self, version: &str, server: &str) -> Result<Option<String>, String> {
        let Some(stream) = &self.rules.stream else { return Ok(None) };
        judge::version(version)?;
        let (_, streams) = self.shared.client.get().ok_or("there is no connection yet")?;
        let subjects = format!("{}.event.>", self.rules.subject);
        let wanted = Config {
            name: stream.name.clone(),
            description: Some("Live events of Ringdown".into()),
            subjects: vec![subjects.clone()],
            max_age: stream.keeps,
            max_bytes: STREAM,
            duplicate_window: TWICE.min(stream.keeps),
            ..Config::default()
        };
        let made = timeout(PATIENCE, streams.get_or_create_stream(wanted)).await;
        let made = made.map_err(|_| "JetStream does not answer".to_owned())?;
        let made = made.map_err(|error| format!("the stream {} is not to be had: {error}", stream.name))?;
        of_stream(made.cached_info(), &subjects)?;
        if made.cached_info().config.storage == StorageType::Memory {
            return Ok(Some(format!("the stream {} is in memory, and gone with its server", stream.name)));
        }
        Ok(self.settings(server).await)
    }

    /// What its monitor says.
    async fn settings(&self, server: &str) -> Option<String> {
        let Some((monitor, client)) = &self.rules.monitor else {
            return Some(
                "how it writes to its disk is not known: set monitor below [nats] to where it shows that"
                    .to_owned(),
            );
        };
        let url = format!("{}/jsz?config=true", monitor.trim_end_matches('/'));
        let mut line = HttpLine::new(client.clone());
        match line.ask(Method::GET, &url, &[], "".into(), MONITOR, PATIENCE).await {
            Ok((200, shown)) => judge::settings(&shown, server),
            Ok((status, _)) => Some(format!("its monitor, {url}, answers with {status}")),
            Err(why) => Some(format!("its monitor, {url}: {why}")),
        }
    }
}

/// Whether a stream that was there takes our events, and says when it has them.
fn of_stream(info: &Info, subjects: &str) -> Result<(), String> {
    let Config { name, subjects: has, no_ack, sealed, .. } = &info.config;
    if !has.iter().any(|one| one == subjects || one == ">") {
        return Err(format!(
            "the stream {name} does not hear {subjects}; add that to it, or take another name"
        ));
    }
    if *no_ack {
        return Err(format!(
            "the stream {name} acknowledges nothing (no_ack); nobody would know what it has"
        ));
    }
    if *sealed {
        return Err(format!("the stream {name} is sealed, and takes nothing any more"));
    }
    Ok(())
}
