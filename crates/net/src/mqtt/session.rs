//! One connection to a broker: what is under way, what keeps it alive, what came.

use super::packet::{self, Heard, Hello, Limits};
use super::{MqttMessage, MqttRules, Outgoing, Stream};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{sleep_until, timeout};

/// How often the broker hears from us at least, in seconds.
const KEEP_ALIVE: u16 = 30;
/// Publishes under way at most; a broker may want fewer.
const WINDOW: u16 = 32;
/// Octets that are read at once.
const READ: usize = 4_096;
/// How long a broker may take nothing.
const WRITE: Duration = Duration::from_secs(10);
/// The name of our subscription; those of publishes come after it.
const SUBSCRIPTION: u16 = 1;

pub(super) struct Session {
    stream: Box<dyn Stream>,
    read: Vec<u8>,
    limits: Limits,
    under_way: BTreeMap<u16, Outgoing>,
    next: u16,
    /// When we are to say something, and when the broker must have.
    speak_by: Instant,
    heard_by: Instant,
    every: Duration,
}

/// What came of listening.
#[derive(Default)]
pub(super) struct News {
    pub(super) delivered: u64,
    pub(super) refused: u64,
    pub(super) messages: Vec<MqttMessage>,
}

impl Session {
    pub(super) fn new(stream: Box<dyn Stream>) -> Session {
        let every = Duration::from_secs(u64::from(KEEP_ALIVE));
        let now = Instant::now();
        Session {
            stream,
            read: Vec::new(),
            limits: Limits::default(),
            under_way: BTreeMap::new(),
            next: SUBSCRIPTION,
            speak_by: now + every / 2,
            heard_by: now + every * 2,
            every,
        }
    }

    /// CONNECT and SUBSCRIBE, until the broker has said yes to both.
    pub(super) async fn begin(&mut self, rules: &MqttRules) -> Result<(), String> {
        let hello = Hello {
            client: &rules.client,
            keep_alive: KEEP_ALIVE,
            user: rules.user.as_deref(),
            password: rules.password.as_deref(),
        };
        self.write(&packet::connect(hello)).await?;
        loop {
            match self.packet().await? {
                Heard::Connected { reason: 0, limits } if limits.quality == 0 => {
                    return Err("the broker takes no QoS 1".into());
                }
                Heard::Connected { reason: 0, limits } => {
                    self.limits = limits;
                    if let Some(seconds) = limits.keep_alive.filter(|seconds| *seconds > 0) {
                        self.every = Duration::from_secs(u64::from(seconds));
                    }
                    self.write(&packet::subscribe(SUBSCRIPTION, &rules.hears)).await?;
                }
                Heard::Connected { reason, .. } => return Err(refusal("the broker refuses us", reason)),
                Heard::Subscribed { reason } if reason >= 128 => {
                    return Err(refusal("the broker lets us hear nothing", reason));
                }
                Heard::Subscribed { .. } => return Ok(()),
                Heard::Disconnected { reason } => return Err(refusal("the broker closed", reason)),
                _ => {}
            }
        }
    }

    /// Whether one more may be under way.
    pub(super) fn has_room(&self) -> bool {
        self.under_way.len() < usize::from(self.limits.receive.min(WINDOW))
    }

    pub(super) async fn publish(&mut self, outgoing: Outgoing) -> Result<(), String> {
        self.next = if self.next == u16::MAX { SUBSCRIPTION + 1 } else { self.next + 1 };
        let left = outgoing.until.saturating_duration_since(Instant::now()).as_secs().max(1);
        let expires = u32::try_from(left).unwrap_or(u32::MAX);
        let bytes = packet::publish(self.next, &outgoing.topic, &outgoing.payload, expires);
        // It may be lost on the way, and is tried again with the next connection.
        self.under_way.insert(self.next, outgoing);
        if bytes.len() > usize::try_from(self.limits.packet).unwrap_or(usize::MAX) {
            self.under_way.remove(&self.next);
            tracing::warn!("a notice is longer than the MQTT broker takes");
            return Ok(());
        }
        self.write(&bytes).await
    }

    /// Waits until there is something to do: something came, or it is time. May be dropped while it waits.
    pub(super) async fn wait(&mut self) -> Result<(), String> {
        let until = self.speak_by.min(self.heard_by);
        tokio::select! {
            more = read_more(&mut self.stream, &mut self.read) => {
                self.heard_by = Instant::now() + self.every * 3 / 2;
                more
            }
            () = sleep_until(until.into()) => Ok(()),
        }
    }

    /// Does it.
    pub(super) async fn work(&mut self) -> Result<News, String> {
        let mut news = News::default();
        while let Some(heard) = self.next_packet()? {
            self.take(heard, &mut news).await?;
        }
        let now = Instant::now();
        if now >= self.heard_by {
            return Err("the broker is silent".into());
        }
        if now >= self.speak_by {
            self.write(&packet::ping()).await?;
        }
        Ok(news)
    }

    async fn take(&mut self, heard: Heard, news: &mut News) -> Result<(), String> {
        match heard {
            Heard::Acknowledged { id, reason } => {
                if self.under_way.remove(&id).is_some() {
                    let count = if reason < 128 { &mut news.delivered } else { &mut news.refused };
                    *count += 1;
                }
            }
            Heard::Published { topic, payload, quality, id } => {
                // 4.3.2: acknowledged, whatever becomes of it.
                if quality == 1 {
                    self.write(&packet::acknowledge(id)).await?;
                }
                news.messages.push(MqttMessage { topic, payload });
            }
            Heard::Disconnected { reason } => return Err(refusal("the broker closed", reason)),
            Heard::Connected { .. } | Heard::Subscribed { .. } | Heard::Alive | Heard::Other => {}
        }
        Ok(())
    }

    /// The end, told to the broker.
    pub(super) async fn end(&mut self) -> Result<(), String> {
        let _ = self.write(&packet::disconnect()).await;
        Ok(())
    }

    /// What was not acknowledged, in its order.
    pub(super) fn left(self) -> Vec<Outgoing> {
        self.under_way.into_values().collect()
    }

    async fn packet(&mut self) -> Result<Heard, String> {
        loop {
            if let Some(heard) = self.next_packet()? {
                return Ok(heard);
            }
            read_more(&mut self.stream, &mut self.read).await?;
        }
    }

    fn next_packet(&mut self) -> Result<Option<Heard>, String> {
        let Some((octets, heard)) =
            packet::next(&self.read).map_err(|why| format!("the broker sent {why}"))?
        else {
            return Ok(None);
        };
        self.read.drain(..octets);
        Ok(Some(heard))
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let written = timeout(WRITE, async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        });
        written.await.map_err(|_| "the broker takes nothing")?.map_err(|error| format!("lost: {error}"))?;
        self.speak_by = Instant::now() + self.every / 2;
        Ok(())
    }
}

/// What is read stays, if this is dropped while it waits.
async fn read_more(stream: &mut Box<dyn Stream>, read: &mut Vec<u8>) -> Result<(), String> {
    read.reserve(READ);
    match stream.read_buf(read).await {
        Ok(0) => Err("the broker closed".into()),
        Ok(_) => Ok(()),
        Err(error) => Err(format!("lost: {error}")),
    }
}

/// The reasons that an operator can do something about (2.4).
fn refusal(what: &str, reason: u8) -> String {
    let why = match reason {
        0x80 => "unspecified error",
        0x84 => "it does not speak MQTT 5",
        0x85 => "client name not valid",
        0x86 => "wrong user or password",
        0x87 => "not authorised",
        0x88 => "not available",
        0x8B => "it stops",
        0x8E => "another client has our name",
        0x97 => "quota exceeded",
        _ => "",
    };
    if why.is_empty() { format!("{what} ({reason:#04x})") } else { format!("{what}: {why} ({reason:#04x})") }
}
