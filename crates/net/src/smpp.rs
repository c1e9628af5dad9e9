//! A client of one SMPP 3.4 server: hands texts over, hears what became of them, connects again for ever.
//!
//! ```text
//! submit --bounded queue--> task: submit_sm ... submit_sm_resp --> answer
//! receipts <--bounded queue-- deliver_sm      deliver_sm_resp <-- kept
//! ```
//! Whoever submits while there is no connection hears so at once: what waits, waits in the store.

use crate::dial::{Stream, connect};
use crate::locate::Locator;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use rustls::ClientConfig;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};
pub use wire::smpp::{Address as SmppAddress, Receipt as SmppReceipt};
use wire::smpp::{
    BIND_TRANSCEIVER, Command, DELIVER_SM, ENQUIRE_LINK, GENERIC_NACK, RESPONSE, SUBMIT_SM, Submission,
    UNBIND, bind_transceiver, bodiless, deliver_sm_response, message_id, receipt, split, submit_sm,
};

/// Texts on their way to the task, and receipts on their way from it.
const QUEUE: usize = 64;
/// Texts whose answer is waited for.
const WINDOW: usize = 16;
/// To connect and be bound, and for the answer to a question.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a silent server is asked whether it lives.
const ENQUIRE: Duration = Duration::from_secs(30);
/// Between two attempts to connect; doubled up to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// `command_status` (5.1.3): not now.
const BUSY: [u32; 4] = [0x08, 0x14, 0x58, 0x64];
/// Our own: a receipt that could not be kept comes once more.
const TEMPORARY: u32 = 0x64;
const UNKNOWN_COMMAND: u32 = 0x03;

/// How the server is spoken to.
#[derive(Clone, Debug)]
pub struct SmppRules {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who vouches for it, or why nobody does; `None` for a connection in clear.
    pub tls: Option<Result<Arc<ClientConfig>, String>>,
    /// Who we are there.
    pub system_id: String,
    /// How we prove it.
    pub password: String,
    /// Who texts come from.
    pub source: SmppAddress,
    /// Type and plan of the numbers that they go to.
    pub destination: (u8, u8),
}

/// Why a text was not taken, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmppRefusal {
    /// Not now, or nobody knows.
    Later(String),
    /// Never.
    Never(String),
}

/// A receipt, and who hears whether it was kept: then the server forgets it.
#[derive(Debug)]
pub struct SmppTold {
    /// What became of a part.
    pub receipt: SmppReceipt,
    /// True when it is kept.
    pub kept: oneshot::Sender<bool>,
}

/// The names of the parts, or why there are none.
type Answer = oneshot::Sender<Result<Vec<String>, SmppRefusal>>;

struct Order {
    to: String,
    text: String,
    answer: Answer,
}

/// The way to the server.
#[derive(Clone, Debug)]
pub struct Smpp {
    orders: mpsc::Sender<Order>,
}

impl Smpp {
    /// Connects, for as long as anybody has this; receipts come out of the other end. To be called inside of the runtime.
    #[must_use]
    pub fn start(servers: &[SocketAddr], rules: SmppRules) -> (Smpp, mpsc::Receiver<SmppTold>) {
        let (orders, ordered) = mpsc::channel(QUEUE);
        let (told, receipts) = mpsc::channel(QUEUE);
        tokio::spawn(Task { locator: Locator::new(servers), rules, ordered, told, texts: 0 }.run());
        (Smpp { orders }, receipts)
    }

    /// Hands a text over, and waits for the names that the server gives to its parts.
    ///
    /// # Errors
    /// [`SmppRefusal`] when it is not taken.
    pub async fn submit(&self, to: &str, text: &str) -> Result<Vec<String>, SmppRefusal> {
        let (answer, answered) = oneshot::channel();
        let order = Order { to: to.to_owned(), text: text.to_owned(), answer };
        let gone = || SmppRefusal::Later("the connection is gone".into());
        self.orders.send(order).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

struct Task {
    locator: Result<Locator, String>,
    rules: SmppRules,
    ordered: mpsc::Receiver<Order>,
    told: mpsc::Sender<SmppTold>,
    /// Texts so far: tells the parts of one from those of another.
    texts: u8,
}

impl Task {
    async fn run(mut self) {
        let mut pause = PAUSES.0;
        let server = format!("{}:{}", self.rules.host, self.rules.port);
        let mut complained = String::new();
        loop {
            let why = match timeout(PATIENCE, self.bound()).await {
                Ok(Ok(link)) => {
                    tracing::info!(server, "the SMPP server has us");
                    (pause, complained) = (PAUSES.0, String::new());
                    match self.serve(link).await {
                        Ok(()) => return,
                        Err(why) => why,
                    }
                }
                Ok(Err(why)) => why,
                Err(_) => "nobody answers".into(),
            };
            if complained != why {
                tracing::warn!(server, why, "no SMPP server; tried again");
                complained.clone_from(&why);
            }
            let until = Instant::now() + pause;
            pause = (pause * 2).min(PAUSES.1);
            loop {
                tokio::select! {
                    () = sleep_until(until) => break,
                    order = self.ordered.recv() => {
                        let Some(order) = order else { return };
                        // Who asked may be gone.
                        let _ = order.answer.send(Err(SmppRefusal::Later(why.clone())));
                    }
                }
            }
        }
    }

    async fn bound(&self) -> Result<Link, String> {
        let locator = self.locator.as_ref().map_err(Clone::clone)?;
        let tls = self.rules.tls.clone().transpose()?;
        let stream = connect(locator, &self.rules.host, self.rules.port, tls).await?;
        let mut link = Link { stream, heard: Vec::new(), sequence: 0 };
        let sequence = link.next();
        link.write(&bind_transceiver(sequence, &self.rules.system_id, &self.rules.password)).await?;
        loop {
            let Some((command, length)) = first(&link.heard)? else {
                link.read().await?;
                continue;
            };
            let (id, status) = (command.id, command.status);
            link.heard.drain(..length);
            match (id, status) {
                (id, 0) if id == BIND_TRANSCEIVER | RESPONSE => return Ok(link),
                (id, status) if id & RESPONSE != 0 => {
                    return Err(format!("it does not let us in: status {status:#x}"));
                }
                _ => {}
            }
        }
    }

    /// Until the connection breaks; `Ok` when nobody has us any more.
    async fn serve(&mut self, link: Link) -> Result<(), String> {
        let mut session = Session {
            link,
            open: BTreeMap::new(),
            parts: BTreeMap::new(),
            receipts: FuturesUnordered::new(),
            told: self.told.clone(),
            enquired: None,
            heard_at: Instant::now(),
        };
        loop {
            let room = session.open.len() < WINDOW;
            tokio::select! {
                order = self.ordered.recv(), if room => match order {
                    Some(order) => {
                        self.texts = self.texts.wrapping_add(1);
                        session.submit(&self.rules, order, self.texts).await?;
                    }
                    None => {
                        let sequence = session.link.next();
                        return session.link.write(&bodiless(UNBIND, 0, sequence)).await;
                    }
                },
                Some((sequence, kept)) = session.receipts.next() => {
                    let status = if kept { 0 } else { TEMPORARY };
                    session.link.write(&deliver_sm_response(status, sequence)).await?;
                }
                read = session.link.read() => {
                    read?;
                    session.heard().await?;
                }
                () = sleep(Duration::from_secs(1)) => session.look().await?,
            }
        }
    }
}

fn first(octets: &[u8]) -> Result<Option<(Command<'_>, usize)>, String> {
    Command::first(octets).map_err(|_| "it sends what is no SMPP".to_owned())
}

/// A connection and what was heard of the next PDU.
struct Link {
    stream: Box<dyn Stream>,
    heard: Vec<u8>,
    sequence: u32,
}

impl Link {
    /// 5.1.4: from 1 to 0x7FFFFFFF.
    fn next(&mut self) -> u32 {
        self.sequence = self.sequence % 0x7fff_ffff + 1;
        self.sequence
    }

    async fn write(&mut self, octets: &[u8]) -> Result<(), String> {
        let written = timeout(PATIENCE, self.stream.write_all(octets)).await;
        written.map_err(|_| "it takes nothing".to_owned())?.map_err(|error| error.to_string())
    }

    /// Loses nothing when it is given up half way.
    async fn read(&mut self) -> Result<(), String> {
        match self.stream.read_buf(&mut self.heard).await {
            Ok(0) => Err("it hung up".into()),
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// A text whose parts are on their way.
struct Open {
    names: Vec<Option<String>>,
    answer: Answer,
    since: Instant,
}

struct Session {
    link: Link,
    /// By the sequence number of the first part.
    open: BTreeMap<u32, Open>,
    /// Text and place of each part, by its sequence number.
    parts: BTreeMap<u32, (u32, usize)>,
    receipts: FuturesUnordered<BoxFuture<'static, (u32, bool)>>,
    told: mpsc::Sender<SmppTold>,
    enquired: Option<Instant>,
    heard_at: Instant,
}

impl Session {
    async fn submit(&mut self, rules: &SmppRules, order: Order, text: u8) -> Result<(), String> {
        let (ton, npi) = rules.destination;
        let destination = SmppAddress { ton, npi, text: order.to.trim_start_matches('+').to_owned() };
        let parts = split(&order.text, text);
        let mut octets = Vec::new();
        let mut named = None;
        for (place, part) in parts.iter().enumerate() {
            let sequence = self.link.next();
            let of = *named.get_or_insert(sequence);
            self.parts.insert(sequence, (of, place));
            let submission = Submission { source: &rules.source, destination: &destination, part };
            octets.extend(submit_sm(sequence, submission));
        }
        let open = Open { names: vec![None; parts.len()], answer: order.answer, since: Instant::now() };
        self.open.insert(named.unwrap_or_default(), open);
        self.link.write(&octets).await
    }

    async fn heard(&mut self) -> Result<(), String> {
        (self.heard_at, self.enquired) = (Instant::now(), None);
        loop {
            let Some((command, length)) = first(&self.link.heard)? else { return Ok(()) };
            let (id, sequence) = (command.id, command.sequence);
            let answer = match id {
                ENQUIRE_LINK => Some(bodiless(ENQUIRE_LINK | RESPONSE, 0, sequence)),
                UNBIND => return Err("it ends the session".into()),
                DELIVER_SM => match receipt(command.body) {
                    Some(receipt) => self.tell(receipt, sequence),
                    // A text from a telephone: nobody here reads it.
                    None => Some(deliver_sm_response(0, sequence)),
                },
                id if id == SUBMIT_SM | RESPONSE || id == GENERIC_NACK => {
                    let (status, name) = (command.status, message_id(command.body));
                    submitted(&mut self.open, &mut self.parts, sequence, status, name);
                    None
                }
                id if id & RESPONSE != 0 => None,
                _ => Some(bodiless(GENERIC_NACK, UNKNOWN_COMMAND, sequence)),
            };
            self.link.heard.drain(..length);
            if let Some(answer) = answer {
                self.link.write(&answer).await?;
            }
        }
    }

    /// Tells what became of a part. It is answered when that is kept; at once when there is no room, or nothing to keep.
    fn tell(&self, receipt: SmppReceipt, sequence: u32) -> Option<Vec<u8>> {
        if receipt.delivered.is_none() {
            return Some(deliver_sm_response(0, sequence));
        }
        let (kept, told) = oneshot::channel();
        if self.told.try_send(SmppTold { receipt, kept }).is_err() {
            return Some(deliver_sm_response(TEMPORARY, sequence));
        }
        self.receipts.push(Box::pin(async move { (sequence, told.await.unwrap_or(false)) }));
        None
    }

    /// Whether the server lives, and who has waited long enough.
    async fn look(&mut self) -> Result<(), String> {
        let now = Instant::now();
        if self.enquired.is_some_and(|since| now - since > PATIENCE) {
            return Err("it does not answer".into());
        }
        let late: Vec<u32> = self
            .open
            .iter()
            .filter(|(_, open)| now - open.since > PATIENCE)
            .map(|(first, _)| *first)
            .collect();
        for first in late {
            end(&mut self.open, &mut self.parts, first, Err(SmppRefusal::Later("no answer in time".into())));
        }
        if now - self.heard_at > ENQUIRE && self.enquired.is_none() {
            self.enquired = Some(now);
            let sequence = self.link.next();
            self.link.write(&bodiless(ENQUIRE_LINK, 0, sequence)).await?;
        }
        Ok(())
    }
}

/// The server's answer about a part; a text is taken when all of its parts are.
fn submitted(
    open: &mut BTreeMap<u32, Open>,
    parts: &mut BTreeMap<u32, (u32, usize)>,
    sequence: u32,
    status: u32,
    name: Option<String>,
) {
    let Some((first, place)) = parts.remove(&sequence) else { return };
    let Some(text) = open.get_mut(&first) else { return };
    let words = format!("status {status:#x}");
    match (status, name) {
        (0, Some(name)) => {
            text.names[place] = Some(name);
            if let Some(names) = text.names.iter().cloned().collect::<Option<Vec<_>>>() {
                end(open, parts, first, Ok(names));
            }
        }
        (0, None) => end(open, parts, first, Err(SmppRefusal::Later("an answer without a name".into()))),
        (status, _) if BUSY.contains(&status) => end(open, parts, first, Err(SmppRefusal::Later(words))),
        _ => end(open, parts, first, Err(SmppRefusal::Never(words))),
    }
}

fn end(
    open: &mut BTreeMap<u32, Open>,
    parts: &mut BTreeMap<u32, (u32, usize)>,
    first: u32,
    answer: Result<Vec<String>, SmppRefusal>,
) {
    parts.retain(|_, (of, _)| *of != first);
    if let Some(text) = open.remove(&first) {
        // Who asked may be gone.
        let _ = text.answer.send(answer);
    }
}
