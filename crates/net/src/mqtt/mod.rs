//! A client of one MQTT 5 broker: publishes with QoS 1, hears one kind of topic, connects again for ever.
//!
//! ```text
//! publish --bounded queue--> task: waiting --> under way --PUBACK--> done
//!                                     ^--------- connection lost
//! ```
//! Whoever publishes waits for nothing: without a broker what waits gets old and is dropped, and that is counted.

mod packet;
mod session;

use crate::dial::{Stream, connect};
use crate::locate::Locator;
use rustls::ClientConfig;
use session::Session;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// Messages that wait for the broker; beyond, the oldest are dropped.
const WAITING: usize = 1_024;
/// Messages on their way to the task, and from it.
const QUEUE: usize = 256;
/// To connect, with TLS and the broker's word.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two attempts to connect; doubled up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// A broker's address, as in `mqtts://broker.example:8883`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Whether by TLS.
    pub secure: bool,
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl FromStr for Broker {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Broker, &'static str> {
        let wrong = "is no broker; write it as in \"mqtts://broker.example:8883\"";
        let (secure, host, port) =
            crate::address::of_server(text, ("mqtts", 8883), ("mqtt", 1883)).ok_or(wrong)?;
        Ok(Broker { secure, host, port })
    }
}

impl std::fmt::Display for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.secure { "mqtts" } else { "mqtt" };
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

/// How a broker is spoken to. There may be a secret in it, so nothing prints it.
#[derive(Clone)]
pub struct MqttRules {
    /// Where it is.
    pub broker: Broker,
    /// The name that we give ourselves.
    pub client: String,
    /// Who we are there.
    pub user: Option<String>,
    /// How we prove it.
    pub password: Option<String>,
    /// Who vouches for it, or why nobody does.
    pub tls: Result<Arc<ClientConfig>, String>,
    /// The topics that we hear, with wildcards.
    pub hears: String,
}

/// Something that came from the broker; hostile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttMessage {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
}

struct Outgoing {
    topic: String,
    payload: Vec<u8>,
    until: Instant,
}

/// How it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MqttState {
    /// Whether the broker has taken us.
    pub connected: bool,
    /// Why not, or what went wrong last.
    pub trouble: Option<String>,
    /// Messages that the broker has.
    pub delivered: u64,
    /// Messages that it refused, that got too old, or that found no room.
    pub dropped: u64,
}

#[derive(Debug, Default)]
struct Shared {
    connected: AtomicBool,
    trouble: Mutex<Option<String>>,
    delivered: AtomicU64,
    dropped: AtomicU64,
}

/// The way to a broker, one for all who publish.
#[derive(Clone)]
pub struct Mqtt {
    queue: mpsc::Sender<Outgoing>,
    shared: Arc<Shared>,
}

impl Mqtt {
    /// Begins to connect, for as long as the runtime runs. To be called inside of it. What is heard comes out of the second
    /// value; when nobody takes it, it is dropped.
    #[must_use]
    pub fn start(servers: &[SocketAddr], rules: MqttRules) -> (Mqtt, mpsc::Receiver<MqttMessage>) {
        let (queue, outgoing) = mpsc::channel(QUEUE);
        let (heard, incoming) = mpsc::channel(QUEUE);
        let shared = Arc::<Shared>::default();
        let task = Task {
            locator: Locator::new(servers),
            rules,
            outgoing,
            heard,
            waiting: VecDeque::new(),
            shared: Arc::clone(&shared),
        };
        tokio::spawn(task.run());
        (Mqtt { queue, shared }, incoming)
    }

    /// Publishes, or drops: who calls never waits. After `lives` nobody wants it any more.
    pub fn publish(&self, topic: String, payload: Vec<u8>, lives: Duration) {
        if self.queue.try_send(Outgoing { topic, payload, until: Instant::now() + lives }).is_err() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How it goes now.
    #[must_use]
    pub fn state(&self) -> MqttState {
        let shared = &self.shared;
        MqttState {
            connected: shared.connected.load(Ordering::Relaxed),
            trouble: shared.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            delivered: shared.delivered.load(Ordering::Relaxed),
            dropped: shared.dropped.load(Ordering::Relaxed),
        }
    }
}

struct Task {
    locator: Result<Locator, String>,
    rules: MqttRules,
    outgoing: mpsc::Receiver<Outgoing>,
    heard: mpsc::Sender<MqttMessage>,
    waiting: VecDeque<Outgoing>,
    shared: Arc<Shared>,
}

impl Task {
    async fn run(mut self) {
        let mut pause = PAUSES.0;
        loop {
            match self.talk().await {
                // Nobody publishes any more.
                Ok(()) => return,
                Err(why) => {
                    let was_connected = self.shared.connected.swap(false, Ordering::Relaxed);
                    if was_connected {
                        pause = PAUSES.0;
                    }
                    self.complain(why);
                }
            }
            if !self.wait(sleep(pause)).await {
                return;
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// One connection, from its beginning to its end.
    async fn talk(&mut self) -> Result<(), String> {
        let (locator, rules) = (self.locator.clone(), self.rules.clone());
        let (sender, mut opened) = mpsc::channel(1);
        let opening = tokio::spawn(async move {
            let _ = sender.send(open(locator, rules).await).await;
        });
        // What comes meanwhile must not fill the queue.
        let stream = loop {
            tokio::select! {
                stream = opened.recv() => break stream.ok_or("a fault of ours")??,
                more = self.outgoing.recv() => match more {
                    Some(more) => self.enter(more),
                    None => {
                        opening.abort();
                        return Ok(());
                    }
                },
            }
        };
        let mut session = Session::new(stream);
        timeout(PATIENCE, session.begin(&self.rules)).await.map_err(|_| "the broker says nothing")??;
        self.shared.connected.store(true, Ordering::Relaxed);
        *self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
        tracing::info!(broker = %self.rules.broker, "the MQTT broker has us");
        let ended = self.serve(&mut session).await;
        // What the broker did not acknowledge goes again, in its order.
        for outgoing in session.left().into_iter().rev() {
            self.waiting.push_front(outgoing);
        }
        ended
    }

    async fn serve(&mut self, session: &mut Session) -> Result<(), String> {
        loop {
            while session.has_room() {
                let Some(next) = self.next() else { break };
                session.publish(next).await?;
            }
            tokio::select! {
                more = self.outgoing.recv() => match more {
                    Some(more) => self.enter(more),
                    None => return session.end().await,
                },
                waited = session.wait() => {
                    waited?;
                    let heard = session.work().await?;
                    self.shared.delivered.fetch_add(heard.delivered, Ordering::Relaxed);
                    self.shared.dropped.fetch_add(heard.refused, Ordering::Relaxed);
                    for message in heard.messages {
                        if self.heard.try_send(message).is_err() {
                            tracing::debug!("a message of the MQTT broker found no room");
                        }
                    }
                }
            }
        }
    }

    /// Waits, and keeps the queue short meanwhile; false when nobody publishes any more.
    async fn wait(&mut self, time: tokio::time::Sleep) -> bool {
        tokio::pin!(time);
        loop {
            tokio::select! {
                () = &mut time => return true,
                more = self.outgoing.recv() => match more {
                    Some(more) => self.enter(more),
                    None => return false,
                },
            }
        }
    }

    fn enter(&mut self, outgoing: Outgoing) {
        let now = Instant::now();
        let before = self.waiting.len();
        self.waiting.retain(|one| one.until > now);
        let mut dropped = before - self.waiting.len();
        self.waiting.push_back(outgoing);
        while self.waiting.len() > WAITING {
            self.waiting.pop_front();
            dropped += 1;
        }
        self.shared.dropped.fetch_add(dropped as u64, Ordering::Relaxed);
    }

    /// The next that is not too old.
    fn next(&mut self) -> Option<Outgoing> {
        let now = Instant::now();
        while let Some(next) = self.waiting.pop_front() {
            if next.until > now {
                return Some(next);
            }
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
        None
    }

    /// In the log once, however often the same goes wrong.
    fn complain(&self, why: String) {
        let mut trouble = self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.as_ref() != Some(&why) {
            tracing::warn!(broker = %self.rules.broker, why, "notices do not reach the MQTT broker; tried again");
        }
        *trouble = Some(why);
    }
}

async fn open(locator: Result<Locator, String>, rules: MqttRules) -> Result<Box<dyn Stream>, String> {
    let late = |_| "no connection: nobody answers".to_owned();
    let (Broker { secure, host, port }, locator) = (&rules.broker, locator?);
    let tls = secure.then(|| rules.tls.clone()).transpose()?;
    timeout(PATIENCE, connect(&locator, host, *port, tls)).await.map_err(late)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_read_and_written() {
        for (text, secure, host, port) in [
            ("mqtts://broker.example", true, "broker.example", 8883),
            ("mqtt://127.0.0.1:1884", false, "127.0.0.1", 1884),
            ("mqtts://[::1]:8884/", true, "::1", 8884),
            ("mqtt://[::1]", false, "::1", 1883),
        ] {
            let broker: Broker = text.parse().unwrap();
            assert_eq!((broker.secure, &*broker.host, broker.port), (secure, host, port), "{text}");
            assert_eq!(broker.to_string().parse(), Ok(broker));
        }
        for bad in
            ["", "broker", "http://x", "mqtt://", "mqtt://a b", "mqtts://u:p@host", "mqtt://host:99999"]
        {
            assert!(bad.parse::<Broker>().is_err(), "{bad}");
        }
    }
}
