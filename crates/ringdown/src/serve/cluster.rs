//! The ways to other exchanges over the same store (R24): one line of text a message, over TLS in which each shows the
//! certificate that its row in the store names.
//!
//! ```text
//! in TRANSPORT LOCAL REMOTE BASE64     came by the sender's door, and is for us
//! out TRANSPORT LOCAL REMOTE BASE64    is for somebody at our door
//! gone TRANSPORT LOCAL REMOTE          nobody is there any more, at the sender's door
//! ping, pong                           each second, to find out that a network is split
//! ```
//! Each opens one connection to each other, sends by it, and hears by those that others opened.

use super::Bound;
use super::core::CoreInput;
use super::media::own_address;
use crate::Failure;
use crate::config::Config;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use exchange::Membership;
use exchange::cluster::{Carry, ClusterInput, Member, Place};
use net::{Authority, ClientConfig, KnownCertificates, LineListener, LineWriter, Lines, Papers, Sender};
use sip::{Flow, Transport};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::NonZeroU8;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use store::{Joining, News, Opened, Peer};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// Where our certificate among exchanges lies, in the data folder.
const FOLDER: &str = "cluster";
/// Octets of a line at most: a SIP message, and what is around it.
const LONGEST: u64 = 128 * 1024;
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
    /// A message that came by another's door.
    In(Flow, Arc<[u8]>),
    /// A message for somebody at our door.
    Out(NonZeroU8, Flow, Arc<[u8]>),
    /// Nobody is there any more.
    Gone(Flow),
}

/// The others, as the core thread knows them.
pub(crate) struct Others {
    here: Option<Here>,
    peers: HashMap<NonZeroU8, Known>,
    doors: HashMap<(Transport, SocketAddr), NonZeroU8>,
}

struct Known {
    peer: Peer,
    connecting: AbortHandle,
    way: Option<mpsc::Sender<String>>,
}

struct Here {
    runtime: Handle,
    core: Sender<CoreInput>,
    papers: Papers,
    guests: Guests,
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
        Others { here: None, peers: HashMap::new(), doors: HashMap::new() }
    }

    /// Hands a message to the one that it is for.
    pub(crate) fn carry(&self, carry: &Carry) {
        self.say(carry.to, line("in", carry.flow, &carry.bytes));
    }

    /// Sends by another's door, if this flow is by one; whether it was.
    pub(crate) fn send(&self, flow: Flow, bytes: &[u8]) -> bool {
        let Some(number) = self.doors.get(&(flow.transport, flow.local)) else { return false };
        self.say(*number, line("out", flow, bytes));
        true
    }

    /// Tells one that nobody is at this door of ours any more.
    pub(crate) fn gone(&self, to: NonZeroU8, flow: Flow) {
        self.say(to, format!("gone {} {} {}", flow.transport.name(), flow.local, flow.remote));
    }

    fn say(&self, to: NonZeroU8, line: String) {
        let way = self.peers.get(&to).and_then(|known| known.way.as_ref());
        if way.is_none_or(|way| way.try_send(line).is_err()) {
            tracing::debug!(to, "a message for another exchange is lost: there is no way to it");
        }
    }

    /// What the exchange is told of it, and in which order.
    pub(crate) fn told(&mut self, told: Told) -> Option<ClusterInput> {
        match told {
            Told::News(News::Peers(peers)) => Some(self.peers_are(peers)),
            Told::News(News::Fed(position, changes)) => Some(ClusterInput::Fed { position, changes }),
            Told::News(News::Keep(epoch, lasts, changes)) => {
                if changes.is_some() {
                    tracing::info!(
                        epoch = epoch.0,
                        "this exchange keeps agents, queues, tasks and lists from now on"
                    );
                }
                Some(ClusterInput::Keep { epoch, lasts, changes })
            }
            Told::News(News::Lose) => {
                tracing::warn!("another exchange keeps agents, queues, tasks and lists now");
                Some(ClusterInput::Lose)
            }
            Told::News(News::Forgotten) => Some(ClusterInput::Forgotten),
            // The core stops before it asks what that means.
            Told::News(News::Missed) => None,
            Told::Way(number, way) => {
                let known = self.peers.get_mut(&number)?;
                tracing::info!(
                    exchange = known.peer.told.name,
                    reachable = way.is_some(),
                    "another exchange"
                );
                known.way = way;
                Some(self.members())
            }
            Told::In(flow, bytes) => Some(ClusterInput::Carried { flow, bytes }),
            Told::Gone(flow) => Some(ClusterInput::Gone(flow)),
            Told::Out(..) => None,
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
            match timeout(PING.1, reader.next()).await {
                Ok(Ok(Some(_))) => {}
                Ok(Ok(None)) => return "it closed the connection".to_owned(),
                Ok(Err(error)) => return error.to_string(),
                Err(_) => return "it is silent".to_owned(),
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
        let next = timeout(PING.1, reader.next()).await.map_err(|_| "it is silent")?;
        let Some(line) = next.map_err(|error| error.to_string())? else { return Ok(()) };
        if line == "ping" {
            pong(&mut writer).await?;
            continue;
        }
        let told = read(number, &line).ok_or("it says what makes no sense")?;
        tell(core, told).await;
    }
}

async fn pong(writer: &mut LineWriter) -> Result<(), String> {
    writer.send("pong").await.map_err(|error| error.to_string())
}

fn line(what: &str, flow: Flow, bytes: &[u8]) -> String {
    format!("{what} {} {} {} {}", flow.transport.name(), flow.local, flow.remote, BASE64.encode(bytes))
}

fn read(from: NonZeroU8, line: &str) -> Option<Told> {
    let mut words = line.split(' ');
    let what = words.next()?;
    let name = words.next()?;
    let transport = Transport::ALL.into_iter().find(|known| known.name() == name)?;
    let (local, remote) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let flow = Flow { transport, local, remote, connection: 0 };
    let bytes = words.next().map(|text| BASE64.decode(text));
    match (what, bytes, words.next()) {
        ("in", Some(Ok(bytes)), None) => Some(Told::In(flow, bytes.into())),
        ("out", Some(Ok(bytes)), None) => Some(Told::Out(from, flow, bytes.into())),
        ("gone", None, None) => Some(Told::Gone(flow)),
        _ => None,
    }
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
        runtime.spawn(welcome(self.listener, core.clone(), self.guests.clone()));
        let here = Here {
            runtime: runtime.handle().clone(),
            core: core.clone(),
            papers: self.papers,
            guests: self.guests,
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

/// A directory would give each number of the office to the one that told it last.
pub(super) fn only_one_of(
    prepared: Option<&Prepared>,
    membership: Option<&Membership>,
) -> Result<(), Failure> {
    if prepared.is_some() && membership.is_some() {
        return Err("this exchange has joined a directory, and exchanges of a [cluster] cannot; take [cluster] out of its \
                    configuration, or give it a data folder that has joined none"
            .into());
    }
    Ok(())
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
    fn a_line_is_read_as_it_was_written() {
        let flow = Flow {
            transport: Transport::Tls,
            local: "192.0.2.1:5061".parse().expect("an address"),
            remote: "[2001:db8::7]:40000".parse().expect("an address"),
            connection: 0,
        };
        let from = NonZeroU8::MIN;
        match read(from, &line("out", flow, b"OPTIONS\r\n\xff")) {
            Some(Told::Out(by, at, bytes)) => {
                assert_eq!((by, at, &*bytes), (from, flow, &b"OPTIONS\r\n\xff"[..]));
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(read(from, "gone udp 192.0.2.1:5060 192.0.2.7:5060"), Some(Told::Gone(_))));
        for wrong in [
            "",
            "in",
            "in udp 192.0.2.1:5060 192.0.2.7:5060",
            "in smoke 192.0.2.1:5060 192.0.2.7:5060 AAAA",
            "in udp 192.0.2.1 192.0.2.7:5060 AAAA",
            "in udp 192.0.2.1:5060 192.0.2.7:5060 %%%%",
            "in udp 192.0.2.1:5060 192.0.2.7:5060 AAAA more",
            "gone udp 192.0.2.1:5060 192.0.2.7:5060 AAAA",
        ] {
            assert!(read(from, wrong).is_none(), "{wrong}");
        }
        assert_eq!(fingerprint(&"0a".repeat(32)), Some([10; 32]));
        assert_eq!(fingerprint("0a"), None);
        assert_eq!(fingerprint(&"é".repeat(32)), None);
    }
}
