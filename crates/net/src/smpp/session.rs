//! One connection to a server: what is under way on it, what it tells, whether it lives.

use super::{Answer, Order, PATIENCE, SmppAddress, SmppReceipt, SmppRefusal, SmppRules, SmppTold};
use crate::dial::Stream;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use wire::smpp::{
    BIND_TRANSCEIVER, Command, DELIVER_SM, ENQUIRE_LINK, GENERIC_NACK, RESPONSE, SUBMIT_SM, Submission,
    UNBIND, bind_transceiver, bodiless, deliver_sm_response, message_id, receipt, split, submit_sm,
};

/// Texts whose answer is waited for.
const WINDOW: usize = 16;
/// How often a silent server is asked whether it lives, and how often we look.
const ENQUIRE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_secs(1);
/// `command_status` (5.1.3): not now.
const BUSY: [u32; 4] = [0x08, 0x14, 0x58, 0x64];
/// Our own: a receipt that could not be kept comes once more.
const TEMPORARY: u32 = 0x64;
const UNKNOWN_COMMAND: u32 = 0x03;

fn first(octets: &[u8]) -> Result<Option<(Command<'_>, usize)>, String> {
    Command::first(octets).map_err(|_| "it sends what is no SMPP".to_owned())
}

/// A connection and what was heard of the next PDU.
pub(super) struct Link {
    stream: Box<dyn Stream>,
    heard: Vec<u8>,
    sequence: u32,
}

impl Link {
    /// Has us let in.
    pub(super) async fn bound(stream: Box<dyn Stream>, rules: &SmppRules) -> Result<Link, String> {
        let mut link = Link { stream, heard: Vec::new(), sequence: 0 };
        let sequence = link.next();
        link.write(&bind_transceiver(sequence, &rules.system_id, &rules.password)).await?;
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
    /// What the server says of each part: that it is taken, and its name if it gives one.
    taken: Vec<Option<Option<String>>>,
    answer: Answer,
    since: Instant,
}

pub(super) struct Session {
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
    pub(super) fn new(link: Link, told: mpsc::Sender<SmppTold>) -> Session {
        Session {
            link,
            open: BTreeMap::new(),
            parts: BTreeMap::new(),
            receipts: FuturesUnordered::new(),
            told,
            enquired: None,
            heard_at: Instant::now(),
        }
    }

    /// Until the connection breaks; `Ok` when nobody has us any more. `texts` counts those that were handed over.
    pub(super) async fn serve(
        mut self,
        rules: &SmppRules,
        ordered: &mut mpsc::Receiver<Order>,
        texts: &mut u8,
    ) -> Result<(), String> {
        // It may have said more than that we are let in.
        self.heard().await?;
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let room = self.open.len() < WINDOW;
            tokio::select! {
                order = ordered.recv(), if room => match order {
                    Some(order) => {
                        *texts = texts.wrapping_add(1);
                        self.submit(rules, order, *texts).await?;
                    }
                    None => {
                        let sequence = self.link.next();
                        return self.link.write(&bodiless(UNBIND, 0, sequence)).await;
                    }
                },
                Some((sequence, kept)) = self.receipts.next() => {
                    let status = if kept { 0 } else { TEMPORARY };
                    self.link.write(&deliver_sm_response(status, sequence)).await?;
                }
                read = self.link.read() => {
                    read?;
                    self.heard().await?;
                }
                _ = looks.tick() => self.look().await?,
            }
        }
    }

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
        let open = Open { taken: vec![None; parts.len()], answer: order.answer, since: Instant::now() };
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
                UNBIND => {
                    self.link.write(&bodiless(UNBIND | RESPONSE, 0, sequence)).await?;
                    return Err("it ends the session".into());
                }
                DELIVER_SM => match receipt(command.body) {
                    Some(receipt) => self.tell(receipt, sequence),
                    // A text from a telephone: nobody here reads it.
                    None => Some(deliver_sm_response(0, sequence)),
                },
                id if id == SUBMIT_SM | RESPONSE || id == GENERIC_NACK => {
                    // One that says that all is well takes nothing either.
                    let status = command.status.max((id == GENERIC_NACK).into());
                    let name = message_id(command.body);
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
    match status {
        0 => {
            text.taken[place] = Some(name);
            if let Some(names) = text.taken.iter().cloned().collect::<Option<Vec<_>>>() {
                // Of what it does not name it tells nothing: better no receipt than one for half of a text.
                let names = names.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default();
                end(open, parts, first, Ok(names));
            }
        }
        status if BUSY.contains(&status) => end(open, parts, first, Err(SmppRefusal::Later(words))),
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
