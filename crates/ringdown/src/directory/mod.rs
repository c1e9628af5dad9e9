//! `ringdown directory`: the server that designates the exchange of each call and steps aside (S4). What it decides is
//! `crates/directory`; here are its files, its listener and its connections. The lines are told in docs/directory-protocol.md.

mod apps;
mod connection;
mod doors;
mod folder;
mod home;
mod invitations;
pub(crate) mod protocol;
mod server;
mod web;

pub(crate) use apps::{AppFolder, AppLink, protocol as app_protocol};
pub(crate) use folder::{Folder, hex, papers_in, random, renewal_is_due, unhex, write};
pub(crate) use home::{Home, is_of_a_directory};

use crate::{Failure, log, serve};
use ::directory::{AccountName, DeviceId, Named as _};
use apps::{Apps, Desk, WakeArguments, Wakers};
use clap::Subcommand;
use doors::Doors;
use net::{Clock, HttpListener, LineListener};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;
use web::WebArguments;

/// What may wait for the one task that decides.
const WAITING: usize = 4_096;

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    /// Where exchanges connect
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:5063")]
    listen: SocketAddr,
    /// Where apps connect, by WebSocket, and browsers find the web app
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:5064")]
    apps: SocketAddr,
    #[command(flatten)]
    web: WebArguments,
    #[command(flatten)]
    wake: WakeArguments,
    /// The configuration, if a server keeps the directory (`[store] url`); nothing else of it is read
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Wait until the directory on the server of `[store] url` is nobody's, then go on as it
    #[arg(long)]
    standby: bool,
    /// How much is logged: error, warn, info or debug
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log: String,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Let one more app of an account enrol: prints a link, and the same for a browser, that works once, within 24 hours
    InviteApp {
        /// Whose app it is, by the name of the account
        account: String,
        /// Where apps reach the directory
        #[arg(long, value_name = "HOST:PORT")]
        directory: String,
    },
    /// The apps that enrolled
    Apps,
    /// An app is one of the office no more, as when it is lost; the directory hears of it within 30 s
    RemoveApp {
        /// Its name, as `ringdown directory apps` tells it
        device: String,
    },
}

pub(crate) fn run(data: &Path, arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        None => serve_all(data, arguments),
        Some(command) => administer(data, arguments.config.as_deref(), command),
    }
}

fn administer(data: &Path, config: Option<&Path>, command: &Command) -> Result<(), Failure> {
    let now = Clock::start().now().wall;
    let home = Arc::new(Home::visit(data, config)?);
    let folder = AppFolder::within(Arc::clone(&home));
    match command {
        Command::InviteApp { account, directory } => {
            let account = AccountName::parse(account)?;
            let fingerprint = Folder::open(home, now)?.fingerprint()?;
            // A link that nobody could read is not made.
            let link = AppLink { directory: directory.clone(), key: "0".into(), fingerprint };
            link.to_string().parse::<AppLink>().map_err(|_| "--directory wants HOST:PORT")?;
            let link = AppLink { key: folder.invite(&account, now)?, ..link };
            println!("{link}\n{}", link.page());
        }
        Command::Apps => {
            for app in folder.enrolled()? {
                let ways: Vec<&str> = app.ways.iter().map(|way| way.provider.name()).collect();
                println!("{}  {}  {}  {}", app.device, app.account, app.fingerprint, ways.join(","));
            }
        }
        Command::RemoveApp { device } => folder.remove(&DeviceId::parse(device)?)?,
    }
    Ok(())
}

fn serve_all(data: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let _level = log::start(&arguments.log);
    let claimed = serve::claim(data)?;
    let clock = Clock::start();
    let (home, store) = Home::serve(claimed.path(), arguments.config.as_deref(), arguments.standby)?;
    let home = Arc::new(home);
    let folder = Arc::new(Folder::open(Arc::clone(&home), clock.now().wall)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let cannot = |address, error| format!("cannot listen on {address}: {error}");
    let (listen, apps_at) = (arguments.listen, arguments.apps);
    let papers = arguments.web.papers(claimed.path(), &arguments.web.origins(apps_at));
    let doors = Doors::open(&folder, papers, clock.now().wall)?;
    let listener = runtime
        .block_on(LineListener::bind(listen, Arc::clone(&doors.exchanges)))
        .map_err(|error| cannot(listen, error))?;
    let door = runtime
        .block_on(HttpListener::bind(apps_at, None, Some(Arc::clone(&doors.apps))))
        .map_err(|error| cannot(apps_at, error))?;
    let (bound, door_bound) = (listener.bound()?, door.bound());
    let origins = arguments.web.origins(door_bound);
    let found = origins.join(" ");
    let inside = runtime.enter();
    let (events, heard) = mpsc::channel(WAITING);
    let kept = AppFolder::within(Arc::clone(&home));
    let desk = Desk::new(Arc::clone(&folder), kept.clone(), clock);
    let apps = Apps::open(kept, Wakers::start(&arguments.wake, &folder, clock)?, events.clone())?;
    drop(inside);
    runtime.spawn(connection::serve(listener, (Arc::clone(&folder), clock), events.clone()));
    runtime.spawn(apps::connection::serve(door, desk, events));
    println!(
        "authority (SHA-256 of the certificate to import once): {}",
        net::fingerprint(&folder.papers().root)?
    );
    println!("apps=wss:{door_bound}");
    println!("the web app: {found}");
    println!("ready directory={bound}");
    let ended = runtime.block_on(async {
        tokio::select! {
            () = server::run(folder, apps, doors, clock, origins, heard) => Ok(()),
            () = serve::asked_to_stop() => Ok(()),
            () = home.lost() => Err("another directory has taken this one over".into()),
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    // Whoever comes next need not wait for the end of the lease.
    drop(store);
    ended
}
