//! `ringdown serve`: puts the exchange, its sockets, its store and its ways in together, and takes them apart again.

mod backend;
mod cluster;
mod core;
mod figures;
mod first_start;
mod folder;
mod foreign;
mod lag;
mod media;
mod messages;
mod music;
mod nats;
mod notices;
mod outside_lists;
mod pins;
mod platforms;
mod profiles;
mod reach;
mod reload;
mod shown;
mod sites;
pub(crate) mod standby;
mod stop;
mod tls;
mod web;

pub(crate) use folder::claim;
pub(crate) use media::{OTHER_DESCRIPTORS, own_address};
pub(crate) use stop::asked_to_stop;

use crate::config::{Config, Source};
use crate::{Failure, check, log, membership};
use api::rest::EventSink;
use backend::Roof;
use core::{Carriers, Core, CoreInput, Doors};
use exchange::lists::ListAsking;
use exchange::{Command, Exchange};
use net::{Clock, HttpClient, Nats, Origins, Sender, StreamLimits, StreamListener, Streams, Udp};
use pins::Pins;
use platforms::Platforms;
use reach::{Own, Reacher};
use reload::Reload;
use shown::Place;
use sip::Transport;
use sites::{Beginning, Sites};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{Opened, Store};
use tls::Tls;
use tokio::runtime::Runtime;
use tokio::sync::{Mutex, oneshot, watch};

/// What may wait for the core from other threads.
const MAILBOX: usize = 65_536;

#[derive(Clone, clap::Args)]
pub(crate) struct Arguments {
    /// The configuration; the embedded defaults without it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Wait until the office on the server of `[store] url` is nobody's, then take it over
    #[arg(long)]
    standby: bool,
}

/// What is read at the start is made on the thread that changes it ever after: an allocator gives back what its own thread frees.
pub(crate) fn run(data: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let (data, arguments) = (data.to_owned(), arguments.clone());
    let core = std::thread::Builder::new().name("core".into()).spawn(move || serve(&data, &arguments))?;
    core.join().map_err(|_| "the core ended by a fault of ours; see the log above")?
}

fn serve(data: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let (config, level) = configured(arguments.config.as_deref())?;
    let folder = claim(data)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let clock = Clock::start();
    let among = cluster::prepare(data, &config, &runtime)?;
    let mut opened = open(&config, folder.path(), among.as_ref(), arguments.standby)?;
    let realm = first_start::realm(&mut opened)?;
    let (sender, mailbox) = net::mailbox(MAILBOX)?;
    let (udp, streams) = (bind_udp(&config)?, Streams::new(StreamLimits::default()));
    let tls = Tls::start(&config, data)?.map(Arc::new);
    let (mut listeners, mut own) = bind_streams(&runtime, &config, tls.as_deref())?;
    let http = runtime.block_on(web::bind(&config, tls.as_deref()))?;
    let origins = Origins::new(config.http.listed_origins());
    let with = Beginning::new(&runtime, &config, &streams, &sender, clock, &origins, http.secure());
    let (mut sites, membership) =
        sites::start(data, &with, cluster::place(&opened), &mut listeners, &mut own)?;
    let workers = media::start(&config.media, clock, &sender, data)?;
    // Only now, when nothing can stop the start any more: the secrets are shown once.
    let lines = first_start::ready_accounts(&mut opened, &realm, arguments.config.is_none())?;
    let administrator = first_start::administrator(&mut opened)?.filter(|_| cluster::is_first(&opened));
    let documents = std::mem::take(&mut opened.documents);
    let others = (membership, cluster::place(&opened));
    let exchange_config = exchange_config(&config, &realm, own_addresses(&udp, &own, &http), others);
    let doors = cluster::doors(&udp, &own, &http);
    let others = cluster::start(among, &mut opened, &config, &doors, (&runtime, &sender))?;
    let (profiles, seen) = profiles::first(data);
    let exchange = office(&mut opened, clock, exchange_config, &workers.music)?.with_profiles(profiles);
    let store = start_store(opened, &sender, &mut sites)?;
    let reload = Arc::new(Reload {
        path: arguments.config.clone(),
        data: data.into(),
        current: Mutex::new(config.clone()),
        origins: origins.clone(),
        core: sender.clone(),
        administrators_anywhere: Arc::default(),
        client: http_client(&runtime, &config),
        tls,
        level,
    });
    let figures = Arc::default();
    let place = Place::of(&config, &udp, &own, &http);
    tell_address(&sender, place.https.as_deref());
    let roof = Roof::new(sender.clone(), &store, &realm, place, &figures, &reload, &workers.music)
        .among_others(config.cluster.listen.is_some());
    let (others, roof, nats) = nats::start(&runtime, &config, &sender, (others, roof))?;
    let (roof, heard, waker) = notices::start(&runtime, &config, roof)?;
    let api = ways_in(&roof, documents, &config, &reload, &others);
    let link = administrator.map(|name| runtime.block_on(api.link(&name))).transpose()?;
    let ready = ready_line(&udp, &own, &http);
    let lines = [lines, console_lines(&http, link.as_deref(), &config, data)?].concat();
    let deliver = core::Deliver::new(sender.clone());
    listen(&runtime, listeners, &streams, &deliver);
    let sockets = web::Sockets { streams: streams.clone(), deliver, origins };
    web::serve(&runtime, http, &roof, &api, &sockets);
    let events = carry_events(&runtime, &api, &sender, nats);
    notices::deliver(&runtime, &api, heard);
    look_for_files(&runtime, &reload, seen, &api)?;
    runtime.spawn(control(&runtime, folder.path(), roof, api)?);
    messages::start(&runtime, &config, store.outbox(), &sender)?;
    let carriers = carriers(&runtime, &config, &streams, &sender, (&udp, &own), (sites, others, waker))?;
    let (calls_left, left) = watch::channel(None);
    let doors = Doors { udp, streams, store, workers, mailbox, clock, calls_left, carriers, figures, events };
    announce(&lines, &ready)?;
    let stopping = runtime.spawn(stop::until_stopped(sender, reload, left));
    let ended = Core::new(exchange, doors).run();
    end(runtime, stopping)?;
    drop(folder);
    Ok(ended?)
}

/// What is kept, and nothing left of calls that died with the exchange before us.
fn open(
    config: &Config,
    folder: &Path,
    among: Option<&cluster::Prepared>,
    standby: bool,
) -> Result<Opened, Failure> {
    let place = config.store.place(folder)?;
    let mut opened = standby::open(&place, among.map(cluster::Prepared::told), standby)?;
    if opened.documents.iter().any(crate::directory::is_of_a_directory) {
        opened.close();
        return Err(
            format!("{place}: a directory is kept there; an office needs a database of its own").into()
        );
    }
    close_open_calls(&mut opened)?;
    if among.is_some()
        && let Err(error) = membership::shared::settle(folder, &mut opened)
    {
        opened.close();
        return Err(error);
    }
    Ok(opened)
}

/// The API, which answers other exchanges of the cluster as well.
fn ways_in(
    roof: &Roof,
    documents: Vec<store::Document>,
    config: &Config,
    reload: &Reload,
    others: &cluster::Others,
) -> api::Api {
    let api = web::api(roof, documents, config, &reload.administrators_anywhere);
    others.answer_by(roof, &api);
    api
}

/// Takes connections of phones.
fn listen(runtime: &Runtime, listeners: Vec<StreamListener>, streams: &Streams, deliver: &core::Deliver) {
    for listener in listeners {
        runtime.spawn(listener.serve(streams.clone(), deliver.clone()));
    }
}

/// Ends what was begun for the core, once it is known why that ended.
fn end(runtime: Runtime, stopping: tokio::task::JoinHandle<Result<(), Failure>>) -> Result<(), Failure> {
    runtime.block_on(stopping)??;
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    Ok(())
}

/// Phones that work through lists are told where their files are.
fn tell_address(core: &Sender<CoreInput>, https: Option<&str>) {
    let address = ListAsking::Address(https.unwrap_or_default().into());
    // Nobody waits for the answer, and the core takes what comes before it runs.
    let (reply, _) = oneshot::channel();
    let _ = core.send(CoreInput::Command { command: Command::Lists(Box::new(address)), reply });
}

/// The exchange with all that was kept.
fn office(
    opened: &mut Opened,
    clock: Clock,
    config: exchange::Config,
    music: &music::Music,
) -> Result<Exchange, Failure> {
    let snapshot = std::mem::take(&mut opened.snapshot);
    let exchange =
        Exchange::new(clock.now(), config, first_start::seed()?, snapshot).in_epoch(opened.epoch());
    Ok(exchange.with_music(music.first()).warmed_up())
}

/// The store, whose answers go to the core; now that others can be told of it, the directory is looked for.
fn start_store(opened: Opened, core: &Sender<CoreInput>, sites: &mut Sites) -> Result<Store, Failure> {
    let is_one_of_several = cluster::place(&opened).is_some();
    let (answers, others) = (core.clone(), core.clone());
    let answer = move |sequence, answer| {
        // The core is gone only when nobody waits for the answer any more.
        let _ = answers.send_waiting(CoreInput::Stored { sequence, answer });
    };
    let store = opened.start_among_others(answer, move |news| {
        let _ = others.send_waiting(CoreInput::Cluster(Box::new(cluster::Told::News(news))));
    })?;
    sites.begin(is_one_of_several.then(|| store.documents()));
    Ok(store)
}

/// What posts to webhooks.
fn http_client(runtime: &Runtime, config: &Config) -> HttpClient {
    let _inside = runtime.enter();
    HttpClient::new(&config.dns.servers.0, config.webhooks.rules())
}

/// Profiles of telephones, and lists that lie elsewhere, are read again when they change.
fn look_for_files(
    runtime: &Runtime,
    reload: &Arc<Reload>,
    seen: Vec<profiles::Mark>,
    api: &api::Api,
) -> Result<(), Failure> {
    runtime.spawn(profiles::watch(Arc::clone(reload), seen));
    outside_lists::start(Arc::clone(reload), api.clone())
}

/// Events from the core to whoever hears them, webhooks and NATS among them; the core is told when somebody does.
fn carry_events(
    runtime: &Runtime,
    api: &api::Api,
    core: &Sender<CoreInput>,
    nats: Option<Nats>,
) -> EventSink {
    nats::publish(runtime, api, nats);
    let (listener, spreader) = (core.clone(), core.clone());
    let listen = move |on| listener.send(CoreInput::Listen(on)).is_ok();
    let spread =
        move |event| spreader.send(CoreInput::Cluster(Box::new(cluster::Told::Spread(event)))).is_ok();
    runtime.spawn(api.clone().deliver_webhooks());
    runtime.spawn(api.clone().carry_events(listen, spread));
    api.events()
}

/// Reads the configuration, begins to log as it says, and refuses what cannot work anywhere.
fn configured(path: Option<&Path>) -> Result<(Config, log::Level), Failure> {
    let (config, source) = match path {
        Some(path) => {
            let (config, source) = Config::read(path)?;
            (config, Some(source))
        }
        None => (Config::default(), None::<Source>),
    };
    let findings = check::file::judge(&config, check::file::Places(source.as_ref()));
    if let Some(refusal) = check::refusal(&findings) {
        return Err(refusal.into());
    }
    if let Some(point) = store::failpoint::misnamed() {
        return Err(format!("RINGDOWN_FAILPOINT: there is no point \"{point}\"").into());
    }
    let level = log::start(&config.log.level);
    Ok((config, level))
}

/// What works for the core on other threads.
fn carriers(
    runtime: &Runtime,
    config: &Config,
    streams: &Streams,
    core: &Sender<CoreInput>,
    (udp, own): (&[Udp], &[Bound]),
    (sites, others, waker): (Sites, cluster::Others, notices::Waker),
) -> Result<Carriers, Failure> {
    let reacher = reacher(runtime, config, streams, core, udp, own);
    let (pins, platforms) = (Pins::start(core.clone())?, Platforms::start(runtime, config, core)?);
    Ok(Carriers { reacher, pins, platforms, sites, others, waker })
}

/// What finds the way to trunks, off the core.
fn reacher(
    runtime: &Runtime,
    config: &Config,
    streams: &Streams,
    core: &Sender<CoreInput>,
    udp: &[Udp],
    own: &[Bound],
) -> Reacher {
    let listening = |wanted: &str| own.iter().find(|(kind, _)| *kind == wanted).map(|(_, at)| at.port());
    let reached_at = Own {
        udp: udp.iter().map(Udp::bound).collect(),
        public: config.sip.advertise,
        tcp: listening("tcp"),
        tls: listening("tls"),
    };
    Reacher::new(
        runtime.handle().clone(),
        &config.dns.servers.0,
        streams.clone(),
        core.clone(),
        reached_at,
        config.sip.authorities.clone(),
    )
}

/// R20: calls that died with the exchange before us get their record.
fn close_open_calls(opened: &mut Opened) -> Result<(), Failure> {
    let closed = opened.close_open_calls()?;
    if closed > 0 {
        tracing::warn!(calls = closed, "the exchange died with calls; they are recorded as lost");
    }
    Ok(())
}

/// Where we listen; of streams any transport will do.
fn own_addresses(udp: &[Udp], streams: &[Bound], http: &web::Listeners) -> Vec<(Transport, SocketAddr)> {
    let streams = streams.iter().map(|(_, at)| *at).chain(http.all());
    let udp = udp.iter().map(|udp| (Transport::Udp, udp.bound()));
    udp.chain(streams.map(|at| (Transport::Tcp, at))).collect()
}

fn exchange_config(
    config: &Config,
    realm: &str,
    own_addresses: Vec<(Transport, SocketAddr)>,
    (membership, cluster): (Option<exchange::Membership>, Option<exchange::cluster::Place>),
) -> exchange::Config {
    let live = reload::live(config);
    exchange::Config {
        realm: realm.into(),
        codes: live.codes,
        domain: live.domain,
        echo_number: live.echo_number,
        ring_limit: live.ring_limit,
        challenge: live.challenge,
        no_answer_limit: live.no_answer_limit,
        outside_limit: live.outside_limit,
        park: live.park,
        park_limit: live.park_limit,
        seats: live.seats,
        numbering: live.numbering,
        emergency: live.emergency,
        badges: live.badges,
        background: live.background,
        agents: live.agents,
        lists: live.lists,
        wakes: config.notices.broker.is_some(),
        membership,
        cluster,
        pickup_from: config.directory.pickup_from.clone(),
        platforms: config
            .platforms
            .iter()
            .map(|(name, platform)| (name.as_str().into(), platform.every()))
            .collect(),
        own_addresses,
    }
}

fn bind_udp(config: &Config) -> Result<Vec<Udp>, Failure> {
    let bind = |address: &SocketAddr| {
        Udp::bind(*address, config.sip.advertise).map_err(|error| cannot_listen("udp", *address, &error))
    };
    config.sip.udp.0.iter().map(bind).collect()
}

fn cannot_listen(what: &str, address: SocketAddr, error: &std::io::Error) -> Failure {
    let advice = check::machine::bind_advice(error);
    format!("cannot listen on {what} {address}: {error}; {advice}").into()
}

type Bound = (&'static str, SocketAddr);

fn bind_streams(
    runtime: &Runtime,
    config: &Config,
    tls: Option<&Tls>,
) -> Result<(Vec<StreamListener>, Vec<Bound>), Failure> {
    let mut listeners = Vec::new();
    let mut bound = Vec::new();
    for address in &config.sip.tcp.0 {
        let listener = runtime
            .block_on(StreamListener::bind(*address, config.sip.advertise, None))
            .map_err(|error| cannot_listen("tcp", *address, &error))?;
        bound.push(("tcp", listener.bound()));
        listeners.push(listener);
    }
    let Some(tls) = tls else { return Ok((listeners, bound)) };
    for address in &config.sip.tls.0 {
        let listener = runtime
            .block_on(StreamListener::bind(*address, config.sip.advertise, Some(Arc::clone(&tls.current))))
            .map_err(|error| cannot_listen("tls", *address, &error))?;
        bound.push(("tls", listener.bound()));
        listeners.push(listener);
    }
    Ok((listeners, bound))
}

fn control(
    runtime: &Runtime,
    folder: &Path,
    roof: Roof,
    api: api::Api,
) -> Result<impl Future<Output = ()> + use<>, Failure> {
    let _inside = runtime.enter();
    let path = folder.join(api::control::SOCKET);
    api::control::serve(&path, roof, api).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// `ready sip=udp:ADDR tcp=tcp:ADDR tls=tls:ADDR exchanges=tls:ADDR http=ADDR https=ADDR ws=ADDR wss=ADDR`, for programs that start us.
fn ready_line(udp: &[Udp], streams: &[Bound], web: &web::Listeners) -> String {
    let mut line = String::from("ready");
    if let Some(udp) = udp.first() {
        line += &format!(" sip=udp:{}", udp.bound());
    }
    for (kind, transport) in [("tcp", "tcp"), ("tls", "tls"), (sites::DOOR, "tls")] {
        if let Some((_, address)) = streams.iter().find(|(known, _)| *known == kind) {
            line += &format!(" {kind}={transport}:{address}");
        }
    }
    for kind in ["http", "https", "ws", "wss"] {
        if let Some(address) = web.bound(kind) {
            line += &format!(" {kind}={address}");
        }
    }
    line
}

/// Where people find the console, and how they know its certificate for ours.
fn console_lines(
    web: &web::Listeners,
    link: Option<&str>,
    config: &Config,
    data: &Path,
) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    let secure = web.bound("https");
    let clear = web.bound("http").map(|address| format!("http://{address}"));
    if let Some(address) = secure {
        let ip = if address.ip().is_unspecified() { own_address() } else { address.ip() };
        lines.push(format!("console: https://{}", SocketAddr::new(ip, address.port())));
        let certificate = tls::identity(config, data)?.certificate;
        lines.push(format!("its certificate (SHA-256): {}", net::fingerprint(&certificate)?));
    }
    // Administrators are let in on this very machine, where nothing needs to be encrypted.
    let base = clear.or(secure.map(|address| format!("https://{address}")));
    if let (Some(base), Some(link)) = (base, link) {
        lines.push(format!("administrator (works once): {base}{link}"));
    }
    Ok(lines)
}

/// `lines` are for people, `ready` for programs.
fn announce(lines: &[String], ready: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{ready}")?;
    out.flush()?;
    Ok(())
}
