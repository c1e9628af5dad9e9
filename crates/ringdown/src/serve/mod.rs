//! `ringdown serve`: puts the exchange, its sockets, its store and its ways in together, and takes them apart again.

mod backend;
mod core;
mod first_start;
mod folder;
mod lag;
mod media;

use crate::Failure;
use crate::config::Config;
use api::Administrator;
use backend::Roof;
use core::{Core, CoreInput, Doors};
use exchange::Exchange;
use net::{Clock, Identity, StreamLimits, StreamListener, Streams, Udp};
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use store::Opened;
use tokio::runtime::Runtime;

/// What may wait for the core from other threads.
const MAILBOX: usize = 65_536;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The configuration; the embedded defaults without it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) fn run(data: &Path, arguments: &Arguments) -> Result<(), Failure> {
    crate::log::start("info");
    let config = match &arguments.config {
        Some(path) => Config::read(path)?,
        None => Config::default(),
    };
    let folder = folder::claim(data)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let clock = Clock::start();
    let mut opened = Opened::open(folder.path())?;
    let realm = first_start::realm(&mut opened)?;
    let (sender, mailbox) = net::mailbox(MAILBOX)?;
    let udp = bind_udp(&config)?;
    let streams = Streams::new(StreamLimits::default());
    let tls = tls(&config, data)?;
    let (listeners, own) = bind_streams(&runtime, &config, tls.as_ref())?;
    let own_addresses: Vec<SocketAddr> =
        udp.iter().map(Udp::bound).chain(own.iter().map(|(_, at)| *at)).collect();
    let workers = media::start(&config.media, clock, &sender)?;
    let http = runtime.block_on(bind_http(&config))?;
    // Only now, when nothing can stop the start any more: the secrets are shown once.
    let lines = match arguments.config {
        None => first_start::ready_accounts(&mut opened, &realm)?,
        Some(_) => Vec::new(),
    };
    let exchange_config = exchange_config(&config, &realm, own_addresses);
    let snapshot = std::mem::take(&mut opened.snapshot);
    let exchange = Exchange::new(clock.now(), exchange_config, first_start::seed()?, snapshot);
    let answers = sender.clone();
    let store = opened.start(move |sequence, answer| {
        // The core is gone only when nobody waits for the answer any more.
        let _ = answers.send_waiting(CoreInput::Stored { sequence, answer });
    })?;
    let roof = Roof::new(sender.clone(), store.records(), &realm);
    let (link, visit) = (first_start::secret()?, first_start::secret()?);
    let administrator = Administrator::new(link.clone(), visit);
    let ready = ready_line(&udp, &own, &http);
    let base = http.first().map(|listener| listener.local_addr()).transpose()?;
    for listener in http {
        let router = api::router(roof.clone(), administrator.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
    }
    runtime.spawn(control(&runtime, folder.path(), roof)?);
    let deliver = core::Deliver::new(sender.clone());
    for listener in listeners {
        runtime.spawn(listener.serve(streams.clone(), deliver.clone()));
    }
    let doors = Doors { udp, streams, store, workers, mailbox, clock };
    let core =
        std::thread::Builder::new().name("core".into()).spawn(move || Core::new(exchange, doors).run())?;
    announce(&lines, base, &link, &ready)?;
    runtime.block_on(told_to_stop(tls.as_ref()))?;
    tracing::info!("stopping");
    let _ = sender.send_waiting(CoreInput::Stop);
    let ended = core.join().map_err(|_| "the core ended by a fault of ours; see the log above")?;
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    drop(folder);
    Ok(ended?)
}

fn exchange_config(config: &Config, realm: &str, own_addresses: Vec<SocketAddr>) -> exchange::Config {
    let echo_number = Some(config.calls.echo_number.as_str()).filter(|number| !number.is_empty());
    exchange::Config {
        realm: realm.into(),
        domain: config.sip.domain.as_deref().map(Into::into),
        echo_number: echo_number.map(Into::into),
        ring_limit: config.calls.ring_limit(),
        challenge: config.sip.challenge.into(),
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
    let hint = match error.kind() {
        std::io::ErrorKind::AddrInUse => "; another program, perhaps another exchange, listens there",
        std::io::ErrorKind::PermissionDenied => "; ports below 1024 need the right to use them",
        std::io::ErrorKind::AddrNotAvailable => "; this machine has no such address",
        _ => "",
    };
    format!("cannot listen on {what} {address}: {error}{hint}").into()
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

/// What TLS listeners speak with, and where that comes from.
struct Tls {
    identity: Identity,
    current: Arc<RwLock<Arc<net::ServerConfig>>>,
}

impl Tls {
    /// Reads the certificate anew; connections keep what they began with, so no call drops.
    fn reload(&self) {
        match net::server_config(&self.identity) {
            Ok(config) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
                tracing::info!("certificate read anew");
            }
            Err(error) => tracing::error!(%error, "the old certificate stays in use"),
        }
    }
}

fn tls(config: &Config, data: &Path) -> Result<Option<Tls>, Failure> {
    if config.sip.tls.0.is_empty() {
        return Ok(None);
    }
    let identity = identity(config, data)?;
    let current = Arc::new(RwLock::new(net::server_config(&identity)?));
    Ok(Some(Tls { identity, current }))
}

fn identity(config: &Config, data: &Path) -> Result<Identity, Failure> {
    if let (Some(certificate), Some(key)) = (&config.sip.certificate, &config.sip.key) {
        return Ok(Identity { certificate: certificate.clone(), key: key.clone() });
    }
    let named = config.sip.tls.0.iter().map(|address| address.ip()).filter(|ip| !ip.is_unspecified());
    let mut names: Vec<String> = named.chain(config.sip.advertise).map(|ip| ip.to_string()).collect();
    names.extend(["localhost".to_owned(), IpAddr::from([127, 0, 0, 1]).to_string()]);
    names.extend(config.sip.domain.clone());
    names.dedup();
    Ok(Identity::self_signed(data, names)?)
}

async fn bind_http(config: &Config) -> Result<Vec<tokio::net::TcpListener>, Failure> {
    let mut listeners = Vec::new();
    for address in &config.http.listen.0 {
        let listener = tokio::net::TcpListener::bind(address).await;
        listeners.push(listener.map_err(|error| cannot_listen("http", *address, &error))?);
    }
    Ok(listeners)
}

fn control(
    runtime: &Runtime,
    folder: &Path,
    roof: Roof,
) -> Result<impl Future<Output = ()> + use<>, Failure> {
    let _inside = runtime.enter();
    let path = folder.join(api::control::SOCKET);
    api::control::serve(&path, roof).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// `ready sip=udp:ADDR tcp=tcp:ADDR tls=tls:ADDR http=ADDR`, for programs that start us.
fn ready_line(udp: &[Udp], streams: &[Bound], http: &[tokio::net::TcpListener]) -> String {
    let mut line = String::from("ready");
    if let Some(udp) = udp.first() {
        line += &format!(" sip=udp:{}", udp.bound());
    }
    for kind in ["tcp", "tls"] {
        if let Some((_, address)) = streams.iter().find(|(known, _)| *known == kind) {
            line += &format!(" {kind}={kind}:{address}");
        }
    }
    if let Some(Ok(address)) = http.first().map(tokio::net::TcpListener::local_addr) {
        line += &format!(" http={address}");
    }
    line
}

fn announce(lines: &[String], http: Option<SocketAddr>, link: &str, ready: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    if let Some(http) = http {
        writeln!(out, "administrator (works once): http://{http}/admin/{link}")?;
    }
    writeln!(out, "{ready}")?;
    out.flush()?;
    Ok(())
}

/// Until somebody asks us to stop. SIGHUP reads the certificate anew.
async fn told_to_stop(tls: Option<&Tls>) -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            interrupted = tokio::signal::ctrl_c() => return Ok(interrupted?),
            _ = hang_up.recv() => {
                if let Some(tls) = tls {
                    tls.reload();
                }
            }
        }
    }
}
