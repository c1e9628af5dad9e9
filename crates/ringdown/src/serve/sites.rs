//! An exchange among others (S4): its connection to the directory, its ways to other exchanges, and the listener at which they come.

use super::Bound;
use super::core::{CoreInput, Deliver};
use super::media::own_address;
use crate::Failure;
use crate::config::Config;
use crate::directory::protocol::{FromExchange, LONGEST_COPY, NAME, ToExchange};
use crate::directory::write;
use crate::membership::Member;
use clock::Wall;
use directory::{Copy, ExchangeName, Fingerprint};
use exchange::{Answer, Command, Membership, SiteInput, SiteOutput, SiteWord};
use net::{Clock, LineReader, LineWriter, Lines, Papers, Sender, StreamListener, Streams};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::{mpsc, oneshot};

/// Words that may wait for the directory. When more do, the connection is begun anew, and everybody is told of again.
const WORDS: usize = 65_536;
/// How often the directory is told how we are (it believes for 4 s).
const REPORTED: Duration = Duration::from_secs(1);
/// From a lost connection to the next try, at first and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(8));
/// The directory tells us something at least so often: its copy expires, and we report.
const LINES: usize = 256;

/// What the core has of all this.
pub(crate) struct Sites {
    ways: Option<Ways>,
}

struct Ways {
    words: mpsc::Sender<SiteWord>,
    runtime: Handle,
    papers: Papers,
    streams: Streams,
    core: Sender<CoreInput>,
    port: u16,
}

impl Sites {
    /// Carries what the exchange asks for.
    pub(crate) fn carry(&self, output: SiteOutput) {
        let Some(ways) = &self.ways else { return };
        match output {
            // Full: the connection's task finds out by what is missing, and says goodbye; nothing here waits.
            SiteOutput::Tell(word) => {
                let _ = ways.words.try_send(word);
            }
            SiteOutput::Reach { exchange, address, fingerprint } => {
                ways.reach(exchange, address, fingerprint);
            }
        }
    }
}

impl Ways {
    fn reach(&self, exchange: ExchangeName, address: Box<str>, fingerprint: Fingerprint) {
        let (papers, streams, core, port) =
            (self.papers.clone(), self.streams.clone(), self.core.clone(), self.port);
        self.runtime.spawn(async move {
            let way = connect(&papers, &streams, &core, port, &address, fingerprint).await;
            tell(&core, SiteInput::Reached { exchange, way }).await;
        });
    }
}

async fn connect(
    papers: &Papers,
    streams: &Streams,
    core: &Sender<CoreInput>,
    port: u16,
    address: &str,
    fingerprint: Fingerprint,
) -> Result<sip::Flow, String> {
    let tls = papers.client_of(fingerprint.0).map_err(|error| error.to_string())?;
    let found = tokio::net::lookup_host(address).await.map_err(|error| error.to_string())?;
    let mut last = "it has no address".to_owned();
    for remote in found {
        let host = remote.ip().to_string();
        match streams
            .connect(remote, Some(port), Some((&host, Arc::clone(&tls))), Deliver::new(core.clone()))
            .await
        {
            Ok(flow) => return Ok(flow),
            Err(why) => last = why,
        }
    }
    Err(last)
}

/// What is needed to begin.
pub(crate) struct Beginning<'a> {
    pub(crate) runtime: &'a Runtime,
    pub(crate) config: &'a Config,
    pub(crate) streams: &'a Streams,
    pub(crate) core: &'a Sender<CoreInput>,
    pub(crate) clock: Clock,
}

/// What the listener for other exchanges is called.
pub(super) const DOOR: &str = "exchanges";

/// Opens a door for other exchanges, and looks for the directory; nothing of both when we joined none.
pub(super) fn start(
    data: &Path,
    with: &Beginning<'_>,
    listeners: &mut Vec<StreamListener>,
    own: &mut Vec<Bound>,
) -> Result<(Sites, Option<Membership>), Failure> {
    let Some(member) = Member::read(data)? else { return Ok((Sites { ways: None }, None)) };
    let membership = member.membership()?;
    let papers = member.papers();
    let tls = Arc::new(RwLock::new(papers.server(false)?));
    let listen = with.config.directory.listen;
    let listener = with
        .runtime
        .block_on(StreamListener::bind(listen, with.config.sip.advertise, Some(tls)))
        .map_err(|error| format!("cannot listen on tls {listen} for other exchanges: {error}"))?;
    let bound = listener.bound();
    let (words, queue) = mpsc::channel(WORDS);
    let address = with.config.directory.address.clone().unwrap_or_else(|| {
        let ip = if bound.ip().is_unspecified() { own_address() } else { bound.ip() };
        SocketAddr::new(with.config.sip.advertise.unwrap_or(ip), bound.port()).to_string()
    });
    let talk = Talk {
        member,
        address: address.into(),
        region: with.config.directory.region.as_str().into(),
        core: with.core.clone(),
        clock: with.clock,
    };
    with.runtime.spawn(talk.for_ever(queue));
    let ways = Ways {
        words,
        runtime: with.runtime.handle().clone(),
        papers,
        streams: with.streams.clone(),
        core: with.core.clone(),
        port: bound.port(),
    };
    listeners.push(listener);
    own.push((DOOR, bound));
    Ok((Sites { ways: Some(ways) }, Some(membership)))
}

/// The connection to the directory.
struct Talk {
    member: Member,
    address: Box<str>,
    region: Box<str>,
    core: Sender<CoreInput>,
    clock: Clock,
}

impl Talk {
    async fn for_ever(self, mut words: mpsc::Receiver<SiteWord>) {
        self.kept_copy().await;
        let mut wait = AGAIN.0;
        loop {
            let began = self.clock.mono();
            let why = match self.once(&mut words).await {
                Ok(()) => "it closed the connection".to_owned(),
                Err(why) => why,
            };
            tracing::warn!(directory = self.member.directory, why, "no connection to the directory");
            tell(&self.core, SiteInput::Disconnected { why: why.into() }).await;
            // One that stood for a while is not one that never did.
            wait = if self.clock.mono().since(began) > AGAIN.1 { AGAIN.0 } else { (wait * 2).min(AGAIN.1) };
            tokio::time::sleep(wait).await;
        }
    }

    async fn once(&self, words: &mut mpsc::Receiver<SiteWord>) -> Result<(), String> {
        let papers = self.member.papers();
        let tls = papers.client().map_err(|error| error.to_string())?;
        let lines = Lines::connect(&*self.member.directory, NAME, tls, LONGEST_COPY).await;
        let Lines { reader, mut writer, .. } = lines.map_err(|error| error.to_string())?;
        let (heard, mut hears) = mpsc::channel(LINES);
        let reading = AbortOnDrop(tokio::spawn(read(reader, self.clock, heard)));
        // What was said before is told again after the welcome.
        while words.try_recv().is_ok() {}
        let mut tick = tokio::time::interval(REPORTED);
        loop {
            tokio::select! {
                line = hears.recv() => match line {
                    Some(line) => self.hear(line?).await?,
                    None => return Ok(()),
                },
                word = words.recv() => match word {
                    Some(word) => say(&mut writer, &line_of(word)).await?,
                    None => return Ok(()),
                },
                _ = tick.tick() => {
                    if let Some(report) = self.report().await {
                        say(&mut writer, &report).await?;
                    }
                    // The queue was full once: what did not fit is lost, and all of it is told anew.
                    if words.len() >= WORDS {
                        return Err("more is to be told than it takes".into());
                    }
                }
            }
            let _alive = &reading;
        }
    }

    async fn hear(&self, Heard { line, at }: Heard) -> Result<(), String> {
        match serde_json::from_str(&line).map_err(|error| format!("it says what makes no sense: {error}"))? {
            ToExchange::Welcome { time } => {
                tracing::info!(directory = self.member.directory, exchange = %self.member.exchange, "connected to the directory");
                self.set_clock(time, at).await;
                tell(&self.core, SiteInput::Connected).await;
            }
            ToExchange::Clock { time } => self.set_clock(time, at).await,
            ToExchange::Copy(text) => {
                let copy = self.open(&text)?;
                if let Err(error) = write(&self.member.copy(), text.as_bytes()) {
                    tracing::warn!(%error, "the copy of the directory cannot be kept");
                }
                tell(&self.core, SiteInput::Copy(Box::new(copy))).await;
            }
            ToExchange::Told(message) => tell(&self.core, SiteInput::Said(Box::new(message))).await,
            ToExchange::Refused(why) => return Err(why),
            ToExchange::Joined(_) => {}
        }
        Ok(())
    }

    /// By when the line came, because whoever hears of it may be busy for a while.
    async fn set_clock(&self, time: i64, at: Wall) {
        tell(&self.core, SiteInput::Clock(time.saturating_sub(at.0))).await;
    }

    fn open(&self, text: &str) -> Result<Copy, String> {
        let key = self.member.signing_key().map_err(|error| error.to_string())?;
        Copy::open(&key, self.clock.now().wall, text)
            .map_err(|error| format!("its copy is not believed: {error}"))
    }

    /// What the last connection left, for as long as it may be believed.
    async fn kept_copy(&self) {
        let Ok(text) = std::fs::read_to_string(self.member.copy()) else { return };
        match self.open(&text) {
            Ok(copy) => tell(&self.core, SiteInput::Copy(Box::new(copy))).await,
            Err(why) => tracing::warn!(why, "the kept copy of the directory"),
        }
    }

    async fn report(&self) -> Option<FromExchange> {
        let (reply, answered) = oneshot::channel();
        self.core.send(CoreInput::Command { command: Command::Status, reply }).ok()?;
        let Ok(Answer::Status(status)) = answered.await else { return None };
        let used = status.ports_total.saturating_sub(status.ports_free);
        let load = u16::try_from(1_000 * used / status.ports_total.max(1)).unwrap_or(1_000);
        Some(FromExchange::Report {
            address: self.address.clone(),
            region: self.region.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            load,
            draining: status.draining,
        })
    }
}

/// A line, and when it came by our clock.
struct Heard {
    line: String,
    at: Wall,
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn read(mut reader: LineReader, clock: Clock, heard: mpsc::Sender<Result<Heard, String>>) {
    loop {
        let line = match reader.next().await {
            Ok(Some(line)) => Ok(Heard { line, at: clock.now().wall }),
            Ok(None) => return,
            Err(error) => Err(error.to_string()),
        };
        let last = line.is_err();
        if heard.send(line).await.is_err() || last {
            return;
        }
    }
}

async fn say(writer: &mut LineWriter, what: &FromExchange) -> Result<(), String> {
    let line = serde_json::to_string(what).map_err(|error| error.to_string())?;
    writer.send(&line).await.map_err(|error| error.to_string())
}

fn line_of(word: SiteWord) -> FromExchange {
    match word {
        SiteWord::Account(name, numbers, phones) => FromExchange::Account { name, numbers, phones },
        SiteWord::Call(request) => FromExchange::Call {
            id: request.id,
            caller: request.caller,
            callee: request.callee,
            session: request.session,
        },
        SiteWord::Cancelled(id) => FromExchange::Cancelled { id },
        SiteWord::Said(caller, id, said) => FromExchange::Said { caller, id, said },
    }
}

/// The core may be busy; it is gone only when nobody asks any more.
async fn tell(core: &Sender<CoreInput>, said: SiteInput) {
    let mut value = CoreInput::Site(Box::new(said));
    while let Err(net::Full(back)) = core.send(value) {
        value = back;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
