//! An exchange among others (S4): its connection to the directory, its ways to other exchanges, and the listener at which they come.

use super::Bound;
use super::cluster::{Relayed, Told};
use super::core::{CoreInput, Deliver};
use super::media::own_address;
use crate::Failure;
use crate::config::Config;
use crate::directory::protocol::{FromExchange, LONGEST_COPY, NAME, ToExchange};
use crate::directory::{hex, renewal_is_due, write};
use crate::membership::Member;
use crate::membership::shared::{KIND, Shared};
use clock::{Mono, Wall};
use directory::limits::SILENCE;
use directory::{Copy, ExchangeName, Fingerprint};
use exchange::cluster::Place;
use exchange::{Answer, Command, Membership, SiteInput, SiteOutput, SiteWord, Tie};
use net::{Clock, LineReader, LineWriter, Lines, Papers, Sender, StreamListener, Streams, TlsConfig};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use store::{Document, Documents};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::{mpsc, oneshot, watch};

/// Words that may wait for the directory. When more do, the connection is begun anew, and everybody is told of again.
const WORDS: usize = 65_536;
/// How often the directory is told how we are (it believes for 4 s).
const REPORTED: Duration = Duration::from_secs(1);
/// How often it is looked whether our certificate ends soon.
const CERTIFICATE_SEEN: Duration = Duration::from_secs(3_600);
/// From a lost connection to the next try, at first and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(8));
/// How long others may have to wait for a newer certificate that we want to show.
const SHARED: Duration = Duration::from_secs(3);
/// The directory tells us something at least so often: its copy expires, and we report.
const LINES: usize = 256;

/// What the core has of all this.
pub(crate) struct Sites {
    ways: Option<Ways>,
    /// What is to begin when the store has.
    talk: Option<(Box<Talk>, mpsc::Receiver<SiteWord>)>,
}

struct Ways {
    words: mpsc::Sender<SiteWord>,
    tie: watch::Sender<Tie>,
    copy: watch::Sender<Option<Arc<str>>>,
    membership: watch::Sender<Option<Arc<str>>>,
    runtime: Handle,
    papers: Papers,
    streams: Streams,
    core: Sender<CoreInput>,
    port: u16,
}

impl Sites {
    /// Nothing of all this: this exchange has joined no directory.
    fn none() -> Sites {
        Sites { ways: None, talk: None }
    }

    /// Looks for the directory. `documents`: where exchanges over one store keep what they are of it together.
    pub(super) fn begin(&mut self, documents: Option<Documents>) {
        if let (Some(ways), Some((mut talk, words))) = (&self.ways, self.talk.take()) {
            talk.documents = documents;
            ways.runtime.spawn(talk.for_ever(words));
        }
    }

    /// Another over the same store passes on what the directory told it.
    pub(crate) fn hear_copy(&self, text: Arc<str>) {
        if let Some(ways) = &self.ways {
            ways.copy.send_replace(Some(text));
        }
    }

    /// Others over the same store kept these: the membership may be among them.
    pub(crate) fn hear_documents(&self, documents: &[Document]) {
        let found = documents.iter().find(|document| document.kind == KIND);
        let Some(text) = found.and_then(|document| document.text.as_deref()) else { return };
        match &self.ways {
            Some(ways) => drop(ways.membership.send_replace(Some(text.into()))),
            None => tracing::error!(
                "the exchanges of the cluster have joined a directory; start this exchange again, so that it is one of it, too"
            ),
        }
    }

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
            SiteOutput::Tie(tie) => drop(ways.tie.send_replace(tie)),
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
    runtime: &'a Runtime,
    config: &'a Config,
    streams: &'a Streams,
    core: &'a Sender<CoreInput>,
    clock: Clock,
    /// Who may open WebSockets here.
    origins: &'a net::Origins,
    /// Where browsers reach us, if they do.
    web: Option<SocketAddr>,
}

impl<'a> Beginning<'a> {
    pub(super) fn new(
        runtime: &'a Runtime,
        config: &'a Config,
        streams: &'a Streams,
        core: &'a Sender<CoreInput>,
        clock: Clock,
        origins: &'a net::Origins,
        web: Option<SocketAddr>,
    ) -> Beginning<'a> {
        Beginning { runtime, config, streams, core, clock, origins, web }
    }
}

/// What the listener for other exchanges is called.
pub(super) const DOOR: &str = "exchanges";

/// Opens a door for other exchanges, and looks for the directory; nothing of both when we joined none.
pub(super) fn start(
    data: &Path,
    with: &Beginning<'_>,
    place: Option<Place>,
    listeners: &mut Vec<StreamListener>,
    own: &mut Vec<Bound>,
) -> Result<(Sites, Option<Membership>), Failure> {
    let Some(member) = Member::read(data)? else { return Ok((Sites::none(), None)) };
    let membership = member.membership()?;
    let papers = member.papers();
    let tls = Arc::new(RwLock::new(papers.server(false)?));
    let listen = with.config.directory.listen;
    let listener = with
        .runtime
        .block_on(StreamListener::bind(listen, with.config.sip.advertise, Some(Arc::clone(&tls))))
        .map_err(|error| format!("cannot listen on tls {listen} for other exchanges: {error}"))?;
    let bound = listener.bound();
    let (words, queue) = mpsc::channel(WORDS);
    // As the exchange has it at its start.
    let (tie, whose) =
        watch::channel(if place.is_none_or(|place| place.keeps) { Tie::Ours } else { Tie::Anothers });
    let ((copy, copies), (shared, memberships)) = (watch::channel(None), watch::channel(None));
    let address = with.config.directory.address.clone().unwrap_or_else(|| {
        let ip = if bound.ip().is_unspecified() { own_address() } else { bound.ip() };
        SocketAddr::new(with.config.sip.advertise.unwrap_or(ip), bound.port()).to_string()
    });
    let talk = Talk {
        member,
        address: address.into(),
        web: web_address(with).into(),
        origins: with.origins.clone(),
        region: with.config.directory.region.as_str().into(),
        core: with.core.clone(),
        clock: with.clock,
        door: tls,
        door_shows: membership.fingerprint,
        listed: None,
        renewing: None,
        certificate_at: with.clock.mono(),
        documents: None,
        tie: whose,
        copies,
        memberships,
    };
    let ways = Ways {
        words,
        tie,
        copy,
        membership: shared,
        runtime: with.runtime.handle().clone(),
        papers,
        streams: with.streams.clone(),
        core: with.core.clone(),
        port: bound.port(),
    };
    listeners.push(listener);
    own.push((DOOR, bound));
    Ok((Sites { ways: Some(ways), talk: Some((Box::new(talk), queue)) }, Some(membership)))
}

/// Where pages of the web app find us.
fn web_address(with: &Beginning<'_>) -> String {
    let named = with.config.directory.web.clone();
    let found = || {
        let bound = with.web?;
        let ip = if bound.ip().is_unspecified() { own_address() } else { bound.ip() };
        let ip = with.config.sip.advertise.unwrap_or(ip);
        Some(format!("wss://{}{}", SocketAddr::new(ip, bound.port()), super::web::SIP))
    };
    named.or_else(found).unwrap_or_default()
}

/// The connection to the directory.
struct Talk {
    member: Member,
    address: Box<str>,
    web: Box<str>,
    origins: net::Origins,
    region: Box<str>,
    core: Sender<CoreInput>,
    clock: Clock,
    /// What the listener for other exchanges shows, and of which certificate that is.
    door: TlsConfig,
    door_shows: Fingerprint,
    /// What others want to see there, by the last copy.
    listed: Option<Fingerprint>,
    /// The key of a certificate that was asked for.
    renewing: Option<String>,
    certificate_at: Mono,
    /// Where exchanges over one store keep what they are together, if this is one of several.
    documents: Option<Documents>,
    /// Whose the connection is.
    tie: watch::Receiver<Tie>,
    /// What who has it passes on.
    copies: watch::Receiver<Option<Arc<str>>>,
    /// What another keeps of the membership.
    memberships: watch::Receiver<Option<Arc<str>>>,
}

/// Why a connection to the directory ended that did not break.
enum Ended {
    Closed,
    /// To be begun anew at once, with a newer certificate.
    Renewed,
    /// It is another's now.
    Anothers,
}

impl Talk {
    async fn for_ever(mut self: Box<Talk>, mut words: mpsc::Receiver<SiteWord>) {
        self.kept_copy().await;
        let mut wait = AGAIN.0;
        loop {
            self.until_ours().await;
            let began = self.clock.mono();
            let why = match self.once(&mut words).await {
                Ok(Ended::Closed) => "it closed the connection".to_owned(),
                Ok(Ended::Renewed) => {
                    self.disconnected("this exchange shows its newer certificate").await;
                    continue;
                }
                Ok(Ended::Anothers) => {
                    tracing::info!("another exchange of the cluster has the connection to the directory now");
                    self.disconnected("another exchange has the connection to it now").await;
                    continue;
                }
                Err(why) => why,
            };
            tracing::warn!(directory = self.member.directory, why, "no connection to the directory");
            self.disconnected(&why).await;
            // One that stood for a while is not one that never did.
            wait = if self.clock.mono().since(began) > AGAIN.1 { AGAIN.0 } else { (wait * 2).min(AGAIN.1) };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                Ok(()) = self.tie.changed() => wait = AGAIN.0,
            }
        }
    }

    /// Waits while the connection is another's, or may be; what that one hears comes here by it.
    async fn until_ours(&mut self) {
        while *self.tie.borrow_and_update() != Tie::Ours {
            tokio::select! {
                Ok(()) = self.tie.changed() => {}
                Ok(()) = self.copies.changed() => {
                    let copy = self.copies.borrow_and_update().clone();
                    if let Some(text) = copy && let Err(why) = self.believe(&text).await {
                        tracing::warn!(why, "the copy of the directory that another exchange passed on");
                    }
                }
                Ok(()) = self.memberships.changed() => {
                    let shared = self.memberships.borrow_and_update().clone();
                    if let Some(text) = shared && let Err(error) = self.adopt(&text).await {
                        tracing::error!(%error, "what the exchanges of the cluster share of the directory");
                    }
                }
                // The core has ended.
                else => return std::future::pending().await,
            }
        }
    }

    async fn disconnected(&self, why: &str) {
        tell(&self.core, SiteInput::Disconnected { why: why.into() }).await;
        self.pass_on(Relayed::Health(Vec::new())).await;
    }

    /// Others over the same store hear it from us.
    async fn pass_on(&self, relayed: Relayed) {
        if self.documents.is_some() {
            hand(&self.core, CoreInput::Cluster(Box::new(Told::PassOn(relayed)))).await;
        }
    }

    async fn once(&mut self, words: &mut mpsc::Receiver<SiteWord>) -> Result<Ended, String> {
        let papers = self.member.next_papers().unwrap_or_else(|| self.member.papers());
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
                    Some(line) => if let Some(ended) = self.hear(line?).await? {
                        return Ok(ended);
                    },
                    None => return Ok(Ended::Closed),
                },
                word = words.recv() => match word {
                    Some(word) => say(&mut writer, &line_of(word)).await?,
                    None => return Ok(Ended::Closed),
                },
                Ok(()) = self.tie.changed() => if *self.tie.borrow_and_update() == Tie::Anothers {
                    return Ok(Ended::Anothers);
                },
                _ = tick.tick() => {
                    if let Some(report) = self.report().await {
                        say(&mut writer, &report).await?;
                    }
                    if let Some(renew) = self.renew() {
                        say(&mut writer, &renew).await?;
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

    async fn hear(&mut self, Heard { line, at }: Heard) -> Result<Option<Ended>, String> {
        match serde_json::from_str(&line).map_err(|error| format!("it says what makes no sense: {error}"))? {
            ToExchange::Welcome { time } => {
                tracing::info!(directory = self.member.directory, exchange = %self.member.exchange, "connected to the directory");
                self.set_clock(time, at).await;
                self.welcomed().await?;
                tell(&self.core, SiteInput::Connected).await;
            }
            ToExchange::Clock { time } => self.set_clock(time, at).await,
            ToExchange::Copy(text) => {
                self.believe(&text).await?;
                self.pass_on(Relayed::Copy(text.into())).await;
            }
            ToExchange::Renewed(certificate) => {
                let Some(key) = self.renewing.take() else { return Ok(None) };
                let kept = self.member.keep_next(&key, &certificate);
                kept.map_err(|error| format!("its newer certificate for us is none: {error}"))?;
                // Whoever connects after us must have it, for the last is good for nothing once this one was shown.
                if let Err(why) = self.share().await {
                    tracing::warn!(
                        why,
                        "a newer certificate cannot be given to the others of the cluster; it is asked for later"
                    );
                    self.member.drop_next().map_err(|error| error.to_string())?;
                    return Ok(None);
                }
                return Ok(Some(Ended::Renewed));
            }
            ToExchange::Health(health) => {
                tell(&self.core, SiteInput::Health(health.clone())).await;
                self.pass_on(Relayed::Health(health)).await;
            }
            ToExchange::Told(message) => tell(&self.core, SiteInput::Said(Box::new(message))).await,
            ToExchange::Refused(why) => {
                // The last one may still do.
                if self.member.next_papers().is_some() {
                    self.member.drop_next().map_err(|error| error.to_string())?;
                    self.tell_shared().await;
                }
                return Err(why);
            }
            ToExchange::Joined(_) => {}
        }
        Ok(None)
    }

    /// Asks for a newer certificate when ours ends soon.
    fn renew(&mut self) -> Option<FromExchange> {
        let now = self.clock.now();
        if now.mono < self.certificate_at || !renewal_is_due(&self.member.papers(), now.wall) {
            return None;
        }
        self.certificate_at = now.mono + CERTIFICATE_SEEN;
        let (key, public_key) = net::new_key().ok()?;
        self.renewing = Some(key);
        Some(FromExchange::Renew { public_key: hex(&public_key) })
    }

    /// The directory knows us by the certificate that we showed.
    async fn welcomed(&mut self) -> Result<(), String> {
        if self.member.next_papers().is_none() {
            return Ok(());
        }
        let fingerprint =
            self.member.take_next().map_err(|error| format!("the newer certificate: {error}"))?;
        tracing::info!(%fingerprint, "the certificate of this exchange is renewed");
        tell(&self.core, SiteInput::Renewed(fingerprint)).await;
        self.tell_shared().await;
        Ok(())
    }

    /// Keeps what we are to the directory for the others over the same store, if there are any.
    async fn share(&self) -> Result<(), String> {
        let Some(documents) = &self.documents else { return Ok(()) };
        let shared = self.member.shared().and_then(|shared| shared.document());
        let (reply, answered) = oneshot::channel();
        // Whoever asked has given up.
        let kept = Box::new(move |kept| drop(reply.send(kept)));
        let asked = documents.keep(vec![shared.map_err(|error| error.to_string())?], kept);
        asked.map_err(|error| error.to_string())?;
        let answered = tokio::time::timeout(SHARED, answered).await;
        answered.map_err(|_| "the store does not answer")?.map_err(|_| "the store has ended")?
    }

    /// The same, of what they find out by themselves as well, should it not be kept.
    async fn tell_shared(&self) {
        if let Err(why) = self.share().await {
            tracing::warn!(why, "the others of the cluster are not told of the certificate");
        }
    }

    /// Another over the same store has a newer certificate for all of them, or has shown it.
    async fn adopt(&mut self, text: &str) -> Result<(), Failure> {
        let before = self.member.papers().fingerprint()?;
        self.member.adopt(&Shared::parse(text)?)?;
        let now = self.member.papers().fingerprint()?;
        if now != before {
            let fingerprint = Fingerprint(now);
            tracing::info!(%fingerprint, "the certificate of this exchange is renewed, by another of the cluster");
            tell(&self.core, SiteInput::Renewed(fingerprint)).await;
            self.change_door()?;
        }
        Ok(())
    }

    /// A copy, by the directory's signature.
    async fn believe(&mut self, text: &str) -> Result<(), String> {
        let copy = self.open(text)?;
        if let Err(error) = write(&self.member.copy(), text.as_bytes()) {
            tracing::warn!(%error, "the copy of the directory cannot be kept");
        }
        self.listed = copy.exchanges.get(&self.member.exchange).map(|listed| listed.fingerprint);
        self.change_door()?;
        self.origins.put_web_app(&copy.origins);
        tell(&self.core, SiteInput::Copy(Box::new(copy))).await;
        Ok(())
    }

    /// Other exchanges are told of a newer certificate when we are: from then on it is the one that they want to see.
    fn change_door(&mut self) -> Result<(), String> {
        let Some(listed) = self.listed.filter(|listed| *listed != self.door_shows) else { return Ok(()) };
        let papers = self.member.papers();
        let fingerprint = Fingerprint(papers.fingerprint().map_err(|error| error.to_string())?);
        if fingerprint == listed {
            let tls = papers.server(false).map_err(|error| error.to_string())?;
            *self.door.write().unwrap_or_else(PoisonError::into_inner) = tls;
            self.door_shows = fingerprint;
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
            Ok(copy) => {
                self.origins.put_web_app(&copy.origins);
                tell(&self.core, SiteInput::Copy(Box::new(copy))).await;
            }
            Err(why) => tracing::warn!(why, "the kept copy of the directory"),
        }
    }

    async fn report(&self) -> Option<FromExchange> {
        let (reply, answered) = oneshot::channel();
        self.core.send(CoreInput::Command { command: Command::Standing, reply }).ok()?;
        let Ok(Answer::Standing(is)) = answered.await else { return None };
        Some(FromExchange::Report {
            address: self.address.clone(),
            web: self.web.clone(),
            region: self.region.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            load: is.load,
            draining: is.draining,
            calls: is.between_sites,
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
        // It says what time it is each second: a network that is split tells nobody.
        let line = match reader.next_unless_silent(SILENCE).await {
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
        SiteWord::Gone(name) => FromExchange::Gone { name },
        SiteWord::Everybody => FromExchange::Everybody {},
        SiteWord::Call(request) => FromExchange::Call {
            id: request.id,
            caller: request.caller,
            callee: request.callee,
            session: request.session,
            shown: request.shown,
        },
        SiteWord::Cancelled(id) => FromExchange::Cancelled { id },
        SiteWord::Said(caller, id, said) => FromExchange::Said { caller, id, said },
        SiteWord::Claim(id, number) => FromExchange::Claim { id, number },
        SiteWord::Attempted(number, attempted) => FromExchange::Attempted { number, attempted },
        SiteWord::Free(number) => FromExchange::Free { number },
    }
}

/// The core may be busy; it is gone only when nobody asks any more.
async fn tell(core: &Sender<CoreInput>, said: SiteInput) {
    hand(core, CoreInput::Site(Box::new(said))).await;
}

async fn hand(core: &Sender<CoreInput>, mut value: CoreInput) {
    while let Err(net::Full(back)) = core.send(value) {
        value = back;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
