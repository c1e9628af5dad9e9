//! The exchange of a demonstration: this very program, started as `ringdown serve` in a folder of its own.

use crate::Failure;
use crate::membership::{self, Link};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long it may take to stop before it is ended.
const FAREWELL: Duration = Duration::from_secs(6);
/// Ports for sound: enough for a scene. Below what the system draws, so that phones do not meet them.
const PORTS: u16 = 200;
const FIRST_PORT: u16 = 14_000;
const LAST_PORT: u16 = 32_000;
/// Ranges that are tried, should others hold them.
const RANGES: u16 = 8;

/// A running exchange; stops and leaves nothing behind when dropped.
pub(super) struct Exchange {
    child: Child,
    folder: Folder,
    /// `HOST:PORT` of its UDP listener.
    pub(super) address: String,
    /// `HOST:PORT` of its HTTP listener.
    pub(super) http: String,
}

/// A folder that goes away.
pub(super) struct Folder(pub(super) PathBuf);

/// What an exchange is on the stage; each tries ranges of ports of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The office.
    Office,
    /// The telephone company outside.
    Provider,
    /// An exchange of an office with two.
    North,
    /// The other.
    South,
}

impl Part {
    /// What its folder ends with, so that each has one of its own.
    fn suffix(self) -> &'static str {
        match self {
            Part::Office => "",
            Part::Provider => "-far",
            Part::North => "-north",
            Part::South => "-south",
        }
    }
}

impl Exchange {
    pub(super) fn start(part: Part) -> Result<Exchange, Failure> {
        Exchange::start_in(part, Folder::new(part.suffix())?)
    }

    /// One that joins an office with several exchanges before it starts.
    pub(super) fn join(part: Part, link: &Link) -> Result<Exchange, Failure> {
        let folder = Folder::new(part.suffix())?;
        membership::join(&folder.0.join("data"), link)?;
        Exchange::start_in(part, folder)
    }

    fn start_in(part: Part, folder: Folder) -> Result<Exchange, Failure> {
        let first = part as u16 * RANGES;
        let mut last = String::new();
        for round in first..first + RANGES {
            match try_range(&folder.0, round) {
                Ok((child, address, http)) => return Ok(Exchange { child, folder, address, http }),
                Err(failure) => last = failure.to_string(),
            }
        }
        Err(format!("the exchange did not start: {last}").into())
    }

    /// Its data folder, for the commands that administer it.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.0.join("data")
    }

    /// The end of its log, for a scene that failed.
    pub(super) fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.folder.0.join("log.txt")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::TERM);
        }
        let limit = Instant::now() + FAREWELL;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < limit {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Folder {
    pub(super) fn new(suffix: &str) -> Result<Folder, Failure> {
        let path = std::env::temp_dir().join(format!("ringdown-demo-{}{suffix}", std::process::id()));
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Starts it once; a range of ports that others hold makes it fail.
fn try_range(folder: &Path, round: u16) -> Result<(Child, String, String), Failure> {
    let spread = std::process::id() % 89 * 7 + u32::from(round) * 13;
    let ranges = u32::from((LAST_PORT - FIRST_PORT) / PORTS);
    let first = FIRST_PORT + u16::try_from(spread % ranges).unwrap_or(0) * PORTS;
    let config = folder.join("ringdown.toml");
    let any = "127.0.0.1:0";
    let text = format!(
        "[sip]\nudp = \"{any}\"\ntcp = \"{any}\"\ntls = []\n[media]\naddress = \"127.0.0.1\"\n\
         ports = \"{first}-{}\"\nworkers = 1\n[http]\nlisten = \"{any}\"\ntls = []\n[calls]\n\
         drain_seconds = 0\n[directory]\nlisten = \"{any}\"\n[numbers]\ncountry = \"86\"\n[badges]\nallow = [\"ndef\"]\npin = []\n",
        first + PORTS - 1
    );
    fs::write(&config, text)?;
    let log = fs::File::create(folder.join("log.txt"))?;
    let mut child = Command::new(std::env::current_exe()?)
        .arg("--data")
        .arg(folder.join("data"))
        .arg("serve")
        .arg("--config")
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()?;
    match wait_ready(&mut child) {
        Some((address, http)) => Ok((child, address, http)),
        None => {
            let _ = child.kill();
            let _ = child.wait();
            let log = fs::read_to_string(folder.join("log.txt")).unwrap_or_default();
            Err(log.lines().last().unwrap_or("it said nothing").to_owned().into())
        }
    }
}

/// The addresses of `ready sip=udp:ADDR ... http=ADDR`.
fn wait_ready(child: &mut Child) -> Option<(String, String)> {
    let out = child.stdout.take()?;
    let (found, ready) = sync_channel(1);
    std::thread::spawn(move || {
        let address = BufReader::new(out).lines().map_while(Result::ok).find_map(|line| {
            let fields = line.strip_prefix("ready ")?;
            let of =
                |name: &str| fields.split(' ').find_map(|field| field.strip_prefix(name)).map(str::to_owned);
            of("sip=udp:").zip(of("http="))
        });
        let _ = found.send(address);
    });
    ready.recv_timeout(PATIENCE).ok().flatten()
}
