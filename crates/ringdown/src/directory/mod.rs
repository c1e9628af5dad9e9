//! `ringdown directory`: the server that designates the exchange of each call and steps aside (S4). What it decides is
//! `crates/directory`; here are its files, its listener and its connections. The lines are told in docs/directory-protocol.md.

mod connection;
mod folder;
pub(crate) mod protocol;
mod server;

pub(crate) use folder::{Folder, hex, papers_in, random, renewal_is_due, unhex, write};

use crate::{Failure, log, serve};
use net::{Clock, LineListener};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, RwLock};
use tokio::sync::mpsc;

/// What may wait for the one task that decides.
const WAITING: usize = 4_096;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where exchanges connect
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:5063")]
    listen: SocketAddr,
    /// How much is logged: error, warn, info or debug
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log: String,
}

pub(crate) fn run(data: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let _level = log::start(&arguments.log);
    let claimed = serve::claim(data)?;
    let clock = Clock::start();
    let folder = Folder::open(claimed.path(), clock.now().wall)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let tls = Arc::new(RwLock::new(folder.papers().server(true)?));
    let bind = LineListener::bind(arguments.listen, Arc::clone(&tls));
    let listener =
        runtime.block_on(bind).map_err(|error| format!("cannot listen on {}: {error}", arguments.listen))?;
    let bound = listener.bound()?;
    let (events, heard) = mpsc::channel(WAITING);
    runtime.spawn(connection::serve(listener, events));
    println!(
        "authority (SHA-256 of the certificate to import once): {}",
        net::fingerprint(&folder.papers().root)?
    );
    println!("ready directory={bound}");
    runtime.block_on(async {
        tokio::select! {
            () = server::run(folder, clock, tls, heard) => {}
            () = serve::asked_to_stop() => {}
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    Ok(())
}
