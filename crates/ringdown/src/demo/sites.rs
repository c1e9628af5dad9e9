//! Two exchanges of one office and their directory, for a scene.

use super::app::App;
use super::exchange::{Exchange, Folder, Part};
use super::stage::Stage;
use crate::directory::{self, AppLink};
use crate::membership::Link;
use crate::{Failure, talk};
use ::directory::{AccountName, ExchangeName, Named as _};
use api::control::Request;
use net::Clock;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An exchange that has just started takes no ticket that might have been used before (R27): clocks may be 2 s apart.
const YOUNG: Duration = Duration::from_millis(2_100);
/// How long news take from one exchange to the other.
const NEWS: Duration = Duration::from_secs(10);

/// A running directory; stops and leaves nothing behind when dropped.
pub(super) struct Directory {
    child: Child,
    folder: Folder,
    address: String,
    /// Where apps reach it.
    apps: String,
}

impl Directory {
    fn start() -> Result<Directory, Failure> {
        let folder = Folder::new("-directory")?;
        let log = std::fs::File::create(folder.0.join("log.txt"))?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--data")
            .arg(folder.0.join("data"))
            .args(["directory", "--listen", "127.0.0.1:0", "--apps", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let out = child.stdout.take().ok_or("the directory has no output")?;
        let mut lines = BufReader::new(out).lines().map_while(Result::ok);
        let mut told = |name: &str| lines.find_map(|line| line.strip_prefix(name).map(str::to_owned));
        let (apps, address) = (told("apps=wss:"), told("ready directory="));
        let mut directory = Directory { child, folder, address: String::new(), apps: String::new() };
        let late = "the directory did not start";
        (directory.apps, directory.address) = (apps.ok_or(late)?, address.ok_or(late)?);
        Ok(directory)
    }

    /// An app of somebody.
    fn invite_app(&self, account: &str) -> Result<AppLink, Failure> {
        let now = Clock::start().now().wall;
        let home = Arc::new(directory::Home::folder(&self.data())?);
        let key =
            directory::AppFolder::within(Arc::clone(&home)).invite(&AccountName::parse(account)?, now)?;
        let fingerprint = directory::Folder::open(home, now)?.fingerprint()?;
        Ok(AppLink { directory: self.apps.clone(), key, fingerprint })
    }

    fn invite(&self, name: &str) -> Result<Link, Failure> {
        let now = Clock::start().now().wall;
        let folder = directory::Folder::open(Arc::new(directory::Home::folder(&self.data())?), now)?;
        let key = folder.invite(&ExchangeName::parse(name)?, now)?;
        Ok(Link { directory: self.address.clone(), key, fingerprint: folder.fingerprint()? })
    }

    fn data(&self) -> PathBuf {
        self.folder.0.join("data")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

impl Stage<'_> {
    /// An office with two exchanges: the scene's own is the north one, the far one the south.
    pub(super) fn two_exchanges(&mut self) -> Result<(), Failure> {
        let directory = Directory::start()?;
        self.own = Some(Exchange::join(Part::North, &directory.invite("north")?)?);
        self.provider = Some(Exchange::join(Part::South, &directory.invite("south")?)?);
        (self.directory, self.far) = (Some(directory), "south");
        std::thread::sleep(YOUNG);
        Ok(())
    }

    /// Until the north exchange has heard of a number of the south one.
    pub(super) fn wait_until_listed(&self, number: &str) -> Result<(), Failure> {
        let copy = self.own.as_ref().map(|north| north.data().join("membership/directory.copy"));
        let copy = copy.ok_or("there is no other exchange")?;
        let limit = Instant::now() + NEWS;
        while !lists(&copy, number) {
            if Instant::now() > limit {
                return Err(format!("the north exchange did not hear of {number}").into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Somebody at the south exchange, with a number and no phone.
    pub(super) fn person_far(&self, account: &str, number: &str) -> Result<(), Failure> {
        let data = self.provider.as_ref().map(Exchange::data).ok_or("there is no other exchange")?;
        talk::ask(&data, &Request::AccountAdd { name: account.into(), display: String::new() })?;
        talk::ask(&data, &Request::NumberAdd { number: number.into(), account: account.into() })?;
        Ok(())
    }

    /// An app that enrolled for somebody, and says this tone.
    pub(super) fn app(&self, account: &str, tone: f64) -> Result<App, Failure> {
        let directory = self.directory.as_ref().ok_or("there is no directory")?;
        App::start(&directory.invite_app(account)?, tone)
    }

    /// The directory is gone.
    pub(super) fn stop_directory(&mut self) {
        self.directory = None;
    }
}

/// Whether a copy, whose signature the exchange has verified, lists a number.
fn lists(copy: &Path, number: &str) -> bool {
    std::fs::read_to_string(copy)
        .is_ok_and(|text| ::directory::Copy::peek(&text).is_some_and(|copy| copy.lists(number)))
}
