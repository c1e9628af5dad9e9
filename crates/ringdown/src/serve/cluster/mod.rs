//! The ways to other exchanges over the same store (R24): one line of text a message, over TLS in which each shows the
//! certificate that its row in the store names. Each opens one connection to each other, sends by it, and hears by those that others opened.

mod audience;
mod handed_on;
mod lines;
mod standing;

use self::audience::Audience;
use self::handed_on::{Answering, Questions};
use super::Bound;
use super::backend::Roof;
use super::core::CoreInput;
use super::media::own_address;
use crate::Failure;
use crate::config::Config;
use crate::directory::protocol::LONGEST_COPY;
use ::directory::SiteHealth;
use api::Api;
use exchange::cluster::{ClusterInput, ClusterOutput, Member, Place, Standing};
use net::{
    Authority, ClientConfig, KnownCertificates, LineListener, LineWriter, Lines, Nats, Papers, Sender,
};
use sip::{Flow, Transport};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::NonZeroU8;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use store::{Joining, News, Opened, Peer};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// Where our certificate among exchanges lies, in the data folder.
const FOLDER: &str = "cluster";
/// Octets of a line at most: the copy of a directory is the longest.
const LONGEST: u64 = LONGEST_COPY;
/// Messages that wait for a connection to another; more are lost, as packets are.
const QUEUE: usize = 4_096;
/// How often the other end is asked whether it is there, and how long it may be silent.
const PING: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3));
/// How long a lost connection is waited for before the next try.
const AGAIN: Duration = Duration::from_millis(300);
/// How long a guest waits whose certificate we do not know yet: it may have joined since we looked.
const STRANGER: Duration = Duration::from_secs(3);

/// What another told us, or what became of the way to it.
#[derive(Debug)]
pub(crate) enum Told {
    /// The store has news of the others.
    News(News),
    /// There is a way to one now, or none any more.
    Way(NonZeroU8, Option<mpsc::Sender<String>>),
    /// Something for the core.
    Said(ClusterInput),
    /// Something is to be asked of one, and whoever wants to know the answer.
    Ask(NonZeroU8, String, oneshot::Sender<String>),
    /// One asks something, under this number.
    Asked(NonZeroU8, u64, String),
    /// One answered.
    Answered(NonZeroU8, u64, String),
    /// What one is to be answered.
    Answer(NonZeroU8, u64, String),
    /// The store has something of one for us.
    Look,
    /// How this one is.
    Stands(Box<Standing>),
    /// Somebody hears live events at one, or nobody does.
    Listens(NonZeroU8, bool),
    /// An event for those who listen at others; without one, they missed some.
    Spread(Option<String>),
    /// An event of another for those who listen here.
    Heard(Option<String>),
    /// What the directory told us is for the others as well.
    PassOn(Relayed),
    /// What the directory told another.
    Relayed(Relayed),
    /// A message for somebody at our door.
    Out(NonZeroU8, Flow, Arc<[u8]>),
}

/// What who has the connection to the directory passes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Relayed {
    /// Its copy, signed.
    Copy(Arc<str>),
    /// How all exchanges are; nothing while it cannot be reached.
    Health(Vec<SiteHealth>),
}

/// The others, as the core thread knows them.
pub(crate) struct Others {
    here: Option<Here>,
    peers: HashMap<NonZeroU8, Known>,
    doors: HashMap<(Transport, SocketAddr), NonZeroU8>,
    questions: Questions,
    audience: Audience,
    /// How this one is, as it was told last.
    standing: Option<Box<Standing>>,
    /// By which hints go as well, so that they arrive where there is no way of ours.
    nats: Option<Nats>,
    /// The last that the directory told us, while we have the connection: its copy, and how all exchanges are.
    passed_on: [Option<String>; 2],
}

struct Known {
    peer: Peer,
    connecting: AbortHandle,
    way: Option<mpsc::Sender<String>>,
}

struct Here {
    number: NonZeroU8,
    runtime: Handle,
    core: Sender<CoreInput>,
    papers: Papers,
    guests: Guests,
    answering: Answering,
    /// Where phones reach us.
    doors: Vec<(Transport, SocketAddr)>,
}

/// Whose certificate is whose number.
#[derive(Clone, Default)]
struct Guests {
    numbers: Arc<RwLock<HashMap<[u8; 32], NonZeroU8>>>,
    certificates: KnownCertificates,
}

impl Others {
    /// Nobody: the office is ours alone.
    pub(crate) fn none() -> Others {
        let (peers, doors) = (HashMap::new(), HashMap::new());
        Others {
            here: None,
            peers,
            doors,
            questions: Questions::default(),
            audience: Audience::default(),
            standing: None,
            nats: None,
            passed_on: [None, None],
        }
    }

    /// With another way for hints.
    pub(crate) fn hinting_by(self, nats: Nats) -> Others {
        Others { nats: Some(nats), ..self }
    }

    /// Who hears live events.
    pub(crate) fn audience(&self) -> &Audience {
        &self.audience
    }

    /// Somebody hears live events here, or nobody does any more: what only others know is asked for.
    pub(crate) fn listen(&mut self, on: bool) {
        self.audience.ours = on;
        self.say_all(&lines::listens(on));
    }

    /// What the others ask is answered by these from now on.
    pub(super) fn answer_by(&self, roof: &Roof, api: &Api) {
        if let Some(here) = &self.here {
            here.answering.begin(roof, api);
        }
    }

    /// Tells others what the exchange wants them to know.
    pub(crate) fn tell(&self, said: &ClusterOutput) {
        match said {
            ClusterOutput::Carry(carry) => {
                self.say(carry.to, lines::message("in", carry.flow, &carry.bytes));
            }
            ClusterOutput::Calls { to: Some(to), news } => self.say(*to, lines::calls(news)),
            ClusterOutput::Calls { to: None, news } => {
                self.say_all(&lines::calls(news));
            }
            ClusterOutput::WebPhones { to, all, phones } => {
                let line = lines::web(all.as_ref(), phones);
                match to {
                    Some(to) => self.say(*to, line),
                    None => self.say_all(&line),
                }
            }
            ClusterOutput::TellAll(to) => self.say(*to, lines::all()),
            ClusterOutput::MayPickUp { to, call, watch, device, name } => {
                self.say(*to, lines::name(*call, *watch, device, name));
            }
            ClusterOutput::Take { to, account, device, means } => {
                self.say(*to, lines::take(account, device, *means));
            }
            ClusterOutput::HangUp { to, call, who } => self.say(*to, lines::end(call, who)),
        }
    }

    /// Sends by another's door, if this flow is by one; whether it was.
    pub(crate) fn send(&self, flow: Flow, bytes: &[u8]) -> bool {
        let Some(number) = self.doors.get(&(flow.transport, flow.local)) else { return false };
        self.say(*number, lines::message("out", flow, bytes));
        true
    }

    /// Tells one that nobody is at this door of ours any more.
    pub(crate) fn gone(&self, to: NonZeroU8, flow: Flow) {
        self.say(to, lines::gone(flow));
    }

    fn say(&self, to: NonZeroU8, line: String) {
        let way = self.peers.get(&to).and_then(|known| known.way.as_ref());
        if way.is_none_or(|way| way.try_send(line).is_err()) {
            tracing::debug!(to, "a message for another exchange is lost: there is no way to it");
        }
    }

    fn say_all(&self, line: &str) {
        self.peers.keys().for_each(|to| self.say(*to, line.to_owned()));
    }

    /// Tells an event to those who listen at others.
    fn spread(&mut self, event: Option<&str>) {
        let peers = &self.peers;
        self.audience.tell(event, |to, event| {
            let way = peers.get(&to).and_then(|known| known.way.as_ref());
            way.is_some_and(|way| way.try_send(lines::event(event)).is_ok())
        });
    }

    /// An event of another; without one, something may have happened there.
    fn heard(&self, event: Option<&str>) {
        if let Some(here) = &self.here {
            here.answering.heard_event(event);
        }
    }

    /// What the exchange is told of it, and in which order.
    pub(crate) fn told(&mut self, told: Told) -> Option<ClusterInput> {
        match told {
            Told::News(news) => self.news(news),
            Told::Way(number, way) => self.way(number, way),
            Told::Stands(standing) => {
                self.say_all(&lines::stands(&standing));
                self.standing = Some(standing.clone());
                let of = self.here.as_ref()?.number;
                Some(ClusterInput::Stands { of, standing: *standing })
            }
            Told::Listens(number, on) => {
                self.audience.listens(number, on);
                None
            }
            Told::Spread(event) => {
                self.spread(event.as_deref());
                None
            }
            Told::Heard(event) => {
                self.heard(event.as_deref());
                None
            }
            Told::Said(said) => Some(said),
            Told::Ask(to, text, reply) => {
                let way = self.peers.get(&to).and_then(|known| known.way.as_ref());
                self.questions.ask(to, way, &text, reply);
                None
            }
            Told::Asked(from, number, text) => {
                if let Some(here) = &self.here {
                    here.ask_us(from, number, text);
                }
                None
            }
            Told::Answer(to, number, text) => {
                self.say(to, lines::answer(number, &text));
                None
            }
            Told::Answered(from, number, text) => {
                self.questions.answered(from, number, text);
                None
            }
            Told::PassOn(relayed) => {
                let line = lines::relayed(&relayed);
                self.say_all(&line);
                let [copy, health] = &mut self.passed_on;
                let last = if matches!(relayed, Relayed::Copy(_)) { copy } else { health };
                *last = Some(line);
                None
            }
            // The core's own.
            Told::Relayed(_) | Told::Out(..) | Told::Look => None,
        }
    }

    /// There is a way to one now, or none any more.
    fn way(&mut self, number: NonZeroU8, way: Option<mpsc::Sender<String>>) -> Option<ClusterInput> {
        let known = self.peers.get_mut(&number)?;
        tracing::info!(exchange = known.peer.told.name, reachable = way.is_some(), "another exchange");
        if way.is_none() {
            self.questions.lost(number);
        }
        let is_there = way.is_some();
        known.way = way;
        if is_there {
            self.say(number, lines::listens(self.audience.ours));
            if let Some(standing) = &self.standing {
                self.say(number, lines::stands(standing));
            }
            self.passed_on.iter().flatten().for_each(|line| self.say(number, line.clone()));
            self.heard(None);
        }
        Some(self.members())
    }

    /// What the store says of the others, and of what they did.
    fn news(&mut self, news: News) -> Option<ClusterInput> {
        match news {
            News::Peers(peers) => Some(self.peers_are(peers)),
            News::Told => {
                self.say_all(&lines::look());
                if let Some(nats) = &self.nats {
                    nats.hint();
                }
                None
            }
            News::Fed(position, changes) => Some(ClusterInput::Fed { position, changes }),
            News::Keep(epoch, lasts, changes) => {
                if changes.is_some() {
                    tracing::info!(
                        epoch = epoch.0,
                        "this exchange keeps agents, queues, tasks and lists from now on"
                    );
                    // What happened between two keepers nobody told.
                    self.heard(None);
                    self.spread(None);
                }
                Some(ClusterInput::Keep { epoch, lasts, changes })
            }
            News::Documents(documents) => {
                if let Some(here) = &self.here {
                    here.answering.heard(documents);
                }
                None
            }
            News::Lose => {
                tracing::warn!("another exchange keeps agents, queues, tasks and lists now");
                self.passed_on = [None, None];
                Some(ClusterInput::Lose)
            }
            News::Homes(trunks, lasts) => {
                let trunks = trunks.into_iter().map(String::into_boxed_str).collect();
                Some(ClusterInput::Homes { trunks, lasts })
            }
            News::Forgotten => Some(ClusterInput::Forgotten),
            // The core stops before it asks what that means.
            News::Missed => None,
        }
    }

    fn peers_are(&mut self, peers: Vec<Peer>) -> ClusterInput {
        let Some(here) = &self.here else { return self.members() };
        let known = |peer: &Peer| fingerprint(&peer.told.fingerprint).map(|shown| (shown, peer.number));
        here.guests.are(peers.iter().filter_map(known).collect());
        let mut before = std::mem::take(&mut self.peers);
        for peer in peers {
            let same = |known: &Known| {
                let (old, new) = (&known.peer.told, &peer.told);
                (&old.address, &old.fingerprint) == (&new.address, &new.fingerprint)
            };
            let known = match before.remove(&peer.number).filter(same) {
                Some(known) => Known { peer, ..known },
                None => here.meet(peer),
            };
            // Several may have a door at the same address of loopback: what we have there is ours.
            for door in known.peer.told.doors.iter().filter(|door| !here.doors.contains(door)) {
                self.doors.insert(*door, known.peer.number);
            }
            self.peers.insert(known.peer.number, known);
        }
        before.into_values().for_each(|gone| gone.connecting.abort());
        let peers = &self.peers;
        self.doors.retain(|_, number| peers.contains_key(number));
        self.audience.retain(|number| peers.contains_key(&number));
        self.members()
    }

    fn members(&self) -> ClusterInput {
        let mut members: Vec<Member> = self
            .peers
            .values()
            .map(|known| Member {
                number: known.peer.number,
                name: known.peer.told.name.as_str().into(),
                doors: known.peer.told.doors.clone(),
                reachable: known.way.is_some(),
                keeps: known.peer.keeps,
            })
            .collect();
        members.sort_by_key(|member| member.number);
        ClusterInput::Members(members)
    }
}

impl Guests {
    fn are(&self, known: HashMap<[u8; 32], NonZeroU8>) {
        *self.certificates.write().unwrap_or_else(PoisonError::into_inner) = known.keys().copied().collect();
        *self.numbers.write().unwrap_or_else(PoisonError::into_inner) = known;
    }

    fn number(&self, shown: &[u8; 32]) -> Option<NonZeroU8> {
        self.numbers.read().unwrap_or_else(PoisonError::into_inner).get(shown).copied()
    }
}

impl Here {
    /// Another asks what we keep.
    fn ask_us(&self, from: NonZeroU8, number: u64, text: String) {
        let _inside = self.runtime.enter();
        self.answering.answer(&self.core, from, number, text);
    }

    /// Opens a connection to one that is new, again and again.
    fn meet(&self, peer: Peer) -> Known {
        let (core, papers, known) = (self.core.clone(), self.papers.clone(), peer.clone());
        let connecting = self.runtime.spawn(async move { keep_connected(&core, &papers, &known).await });
        Known { peer, connecting: connecting.abort_handle(), way: None }
    }
}

async fn keep_connected(core: &Sender<CoreInput>, papers: &Papers, peer: &Peer) {
    let tls = fingerprint(&peer.told.fingerprint)
        .ok_or_else(|| "its certificate is not named".to_owned())
        .and_then(|shown| papers.client_of(shown).map_err(|error| error.to_string()));
    let tls = match tls {
        Ok(tls) => tls,
        Err(why) => {
            return tracing::error!(exchange = peer.told.name, why, "cannot connect to another exchange");
        }
    };
    let mut last = String::new();
    loop {
        let (sender, queue) = mpsc::channel(QUEUE);
        let why = match connect(peer, Arc::clone(&tls)).await {
            Ok(lines) => {
                tell(core, Told::Way(peer.number, Some(sender))).await;
                let why = carry_lines(lines, queue).await;
                tell(core, Told::Way(peer.number, None)).await;
                why
            }
            Err(why) => why,
        };
        // One that joins knows us a moment later than we know it: the first refusal is no news.
        if why == last {
            tracing::debug!(exchange = peer.told.name, why, "no way to another exchange");
        } else if !last.is_empty() {
            tracing::warn!(exchange = peer.told.name, why, "no way to another exchange");
        }
        last = why;
        sleep(AGAIN).await;
    }
}

async fn connect(peer: &Peer, tls: Arc<ClientConfig>) -> Result<Lines, String> {
    let address = peer.told.address.as_str();
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    let connecting = Lines::connect(address, host, tls, LONGEST);
    let met = async {
        let mut lines = connecting.await?;
        // Whether it takes our certificate shows only now (TLS 1.3).
        lines.writer.send("ping").await?;
        match lines.reader.next().await? {
            Some(_) => Ok(lines),
            None => Err(std::io::ErrorKind::UnexpectedEof.into()),
        }
    };
    let met = timeout(PING.1, met).await.map_err(|_| "it does not answer".to_owned())?;
    met.map_err(|error: std::io::Error| error.to_string())
}

/// Sends what is queued, until the other end is silent for too long or gone.
async fn carry_lines(lines: Lines, mut queue: mpsc::Receiver<String>) -> String {
    let Lines { mut reader, mut writer, .. } = lines;
    let hear = async {
        loop {
            match reader.next_unless_silent(PING.1).await {
                Ok(Some(_)) => {}
                Ok(None) => return "it closed the connection".to_owned(),
                Err(error) => return error.to_string(),
            }
        }
    };
    let say = async {
        let mut ping = interval(PING.0);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let said = tokio::select! {
                line = queue.recv() => match line {
                    Some(line) => writer.send(&line).await,
                    None => return "it is no exchange of ours any more".to_owned(),
                },
                _ = ping.tick() => writer.send("ping").await,
            };
            if let Err(error) = said {
                return error.to_string();
            }
        }
    };
    tokio::select! { why = hear => why, why = say => why }
}

/// Hears what one says who connected.
async fn hear(core: &Sender<CoreInput>, guests: &Guests, lines: Lines) -> Result<(), String> {
    let Lines { mut reader, mut writer, fingerprint, .. } = lines;
    let number = fingerprint.and_then(|shown| guests.number(&shown)).ok_or("nobody that we know")?;
    loop {
        let next = reader.next_unless_silent(PING.1).await;
        let Some(line) = next.map_err(|error| error.to_string())? else { return Ok(()) };
        if line == "ping" {
            pong(&mut writer).await?;
            continue;
        }
        let told = lines::read(number, &line).ok_or("it says what makes no sense")?;
        tell(core, told).await;
    }
}

async fn pong(writer: &mut LineWriter) -> Result<(), String> {
    writer.send("pong").await.map_err(|error| error.to_string())
}

async fn tell(core: &Sender<CoreInput>, told: Told) {
    let mut value = CoreInput::Cluster(Box::new(told));
    // The core takes what waits in milliseconds; when it does not, the sender waits with what it has.
    while let Err(net::Full(back)) = core.send(value) {
        value = back;
        sleep(Duration::from_millis(5)).await;
    }
}

fn fingerprint(hex: &str) -> Option<[u8; 32]> {
    let mut octets = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (octet, digits) in octets.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(octets)
}

/// What is prepared before the store is opened: a door for the others, and what they are told of us.
pub(super) struct Prepared {
    listener: LineListener,
    papers: Papers,
    guests: Guests,
    told: Joining,
}

/// Opens a door for other exchanges, if the configuration wants to share the office with any.
pub(super) fn prepare(data: &Path, config: &Config, runtime: &Runtime) -> Result<Option<Prepared>, Failure> {
    let Some(listen) = config.cluster.listen else { return Ok(None) };
    let papers = make_papers(&data.join(FOLDER))?;
    let guests = Guests::default();
    let tls = Arc::new(RwLock::new(papers.server_for(guests.certificates.clone())?));
    let listener = runtime
        .block_on(LineListener::bind(listen, tls))
        .map_err(|error| format!("cannot listen on {listen} for other exchanges of the cluster: {error}"))?;
    let bound = listener.bound()?;
    let address = config.cluster.address.clone().unwrap_or_else(|| at(bound, config).to_string());
    let shown = papers.fingerprint()?.iter().map(|octet| format!("{octet:02x}")).collect();
    let told = Joining { name: config.cluster.known_as(), address, fingerprint: shown, doors: Vec::new() };
    Ok(Some(Prepared { listener, papers, guests, told }))
}

/// Where a listener is for others.
fn at(bound: SocketAddr, config: &Config) -> SocketAddr {
    let ip = if bound.ip().is_unspecified() { own_address() } else { bound.ip() };
    SocketAddr::new(config.sip.advertise.unwrap_or(ip), bound.port())
}

/// A key and a certificate for this run: the others know it by its fingerprint, so nobody need vouch for it.
fn make_papers(folder: &Path) -> Result<Papers, Failure> {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let authority = Authority::open(folder, seconds)?;
    let (key, public) = net::new_key()?;
    let certificate = authority.vouch(&["exchange"], &public, seconds)?;
    let papers = Papers {
        certificate: folder.join("certificate.pem"),
        key: folder.join("key.pem"),
        root: folder.join("authority.pem"),
    };
    crate::directory::write(&papers.key, key.as_bytes())?;
    crate::directory::write(&papers.certificate, certificate.as_bytes())?;
    Ok(papers)
}

impl Prepared {
    /// What the others are told of us, but for our doors, which are not open yet.
    pub(super) fn told(&self) -> &Joining {
        &self.told
    }

    /// Tells the others where phones reach us, and listens to them.
    fn start(
        mut self,
        opened: &mut Opened,
        config: &Config,
        doors: &[(Transport, SocketAddr)],
        (runtime, core): (&Runtime, &Sender<CoreInput>),
    ) -> Result<Others, Failure> {
        self.told.doors = doors.iter().map(|(transport, bound)| (*transport, at(*bound, config))).collect();
        opened.tell_others(&self.told)?;
        let number = place(opened).ok_or("the store gave this exchange no number")?.number;
        runtime.spawn(standing::report(core.clone(), self.told.name.clone(), self.told.address.clone()));
        runtime.spawn(welcome(self.listener, core.clone(), self.guests.clone()));
        let here = Here {
            number,
            runtime: runtime.handle().clone(),
            core: core.clone(),
            papers: self.papers,
            guests: self.guests,
            answering: Answering::default(),
            doors: self.told.doors,
        };
        Ok(Others { here: Some(here), ..Others::none() })
    }
}

/// Begins to be one of several, if that was prepared.
pub(super) fn start(
    prepared: Option<Prepared>,
    opened: &mut Opened,
    config: &Config,
    doors: &[(Transport, SocketAddr)],
    with: (&Runtime, &Sender<CoreInput>),
) -> Result<Others, Failure> {
    match prepared {
        None => Ok(Others::none()),
        Some(prepared) => prepared.start(opened, config, doors, with),
    }
}

async fn welcome(listener: LineListener, core: Sender<CoreInput>, guests: Guests) {
    loop {
        let guest = match listener.accept().await {
            Ok(guest) => guest,
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection of another exchange");
                sleep(AGAIN).await;
                continue;
            }
        };
        let (core, guests) = (core.clone(), guests.clone());
        tokio::spawn(async move {
            let ended = async {
                let lines = timeout(STRANGER, guest.welcome(LONGEST)).await.map_err(|_| "no handshake")?;
                hear(&core, &guests, lines.map_err(|error| error.to_string())?).await
            };
            if let Err(why) = ended.await {
                tracing::debug!(why, "a connection of another exchange ended");
            }
        });
    }
}

/// Our place among the others, for the exchange.
pub(super) fn place(opened: &Opened) -> Option<Place> {
    opened.place_among_others().map(|(number, keeps, position)| Place { number, keeps, position })
}

/// Whether no other exchange has shown how to get in: a link of ours would end the one that it showed.
pub(super) fn is_first(opened: &Opened) -> bool {
    place(opened).is_none_or(|place| place.keeps)
}

/// Where phones reach us.
pub(super) fn doors(
    udp: &[net::Udp],
    streams: &[Bound],
    web: &super::web::Listeners,
) -> Vec<(Transport, SocketAddr)> {
    let udp = udp.iter().map(|udp| (Transport::Udp, udp.bound()));
    let streams = streams.iter().filter_map(|(kind, at)| match *kind {
        "tcp" => Some((Transport::Tcp, *at)),
        "tls" => Some((Transport::Tls, *at)),
        _ => None,
    });
    udp.chain(streams).chain(web.doors()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_64_digits() {
        assert_eq!(fingerprint(&"0a".repeat(32)), Some([10; 32]));
        assert_eq!(fingerprint("0a"), None);
        assert_eq!(fingerprint(&"é".repeat(32)), None);
    }
}
