//! What one account has of the system: its way to the server and its ports for sound.

use super::line::Line;
use super::ports::RtpPort;
use super::run::Post;
use super::{Account, Server};
use clock::Mono;
use net::Sender;
use sip::Flow;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

/// One account's.
pub(super) struct Seat {
    account: Arc<Account>,
    pub(super) name: Arc<str>,
    pub(super) line: Option<Line>,
    pub(super) keep_alive_at: Option<Mono>,
    /// Connections until now.
    number: u64,
    /// Which server is tried first: the one after the last that was reached.
    begin: usize,
    pub(super) ports: Vec<RtpPort>,
    /// Where the ports are.
    address: Option<IpAddr>,
}

/// What came of connecting.
pub(super) struct Opened {
    pub(super) place: usize,
    number: u64,
    pub(super) outcome: io::Result<Ways>,
}

/// A way to the server, and ports where it begins, unless there are some.
pub(super) struct Ways {
    pub(super) line: Line,
    pub(super) flow: Flow,
    pub(super) server: usize,
    pub(super) ports: Option<Vec<RtpPort>>,
}

impl Seat {
    pub(super) fn new(account: Account) -> Seat {
        Seat {
            name: account.name.as_str().into(),
            account: Arc::new(account),
            line: None,
            keep_alive_at: None,
            number: 0,
            begin: 0,
            ports: Vec::new(),
            address: None,
        }
    }

    /// Begins to connect on a thread of its own: whoever talks by another account hears nothing of a server that is away.
    pub(super) fn connect(&mut self, place: usize, post: &Sender<Post>) -> io::Result<()> {
        (self.line, self.keep_alive_at) = (None, None);
        self.number += 1;
        // Who talks keeps the ports.
        let talks = self.ports.iter().any(|port| port.talk.is_some());
        let (number, has, account) = (self.number, self.address, Arc::clone(&self.account));
        let (post, begin) = (post.clone(), self.begin);
        let connect = move || {
            let outcome = open_next(&account, begin, number).and_then(|(server, line, flow)| {
                let own = flow.local.ip();
                let ports = if talks || has == Some(own) { None } else { Some(RtpPort::open_all(own)?) };
                Ok(Ways { line, flow, server, ports })
            });
            let opened = Opened { place, number, outcome };
            // The phone may have ended meanwhile.
            let _ = post.send_waiting(Post::Opened(Box::new(opened)));
        };
        std::thread::Builder::new().name("connect".into()).spawn(connect).map(drop)
    }

    /// Whether that is what was asked for last.
    pub(super) fn waits_for(&self, opened: &Opened) -> bool {
        self.line.is_none() && self.number == opened.number
    }

    /// A server was reached.
    pub(super) fn reached(&mut self, server: usize) {
        self.begin = server + 1;
    }

    pub(super) fn take_ports(&mut self, address: IpAddr, ports: Vec<RtpPort>) {
        (self.ports, self.address) = (ports, Some(address));
    }
}

/// Tries each server once, from this one on; which one it was.
fn open_next(account: &Account, begin: usize, number: u64) -> io::Result<(usize, Line, Flow)> {
    let servers: Vec<&Server> = std::iter::once(&account.server).chain(&account.further).collect();
    let mut last = io::ErrorKind::NotFound.into();
    for place in (begin..begin + servers.len()).map(|place| place % servers.len()) {
        match Line::open(account, servers[place], number) {
            Ok((line, flow)) => return Ok((place, line, flow)),
            Err(error) => last = named(servers[place], &error),
        }
    }
    Err(last)
}

fn named(server: &Server, error: &io::Error) -> io::Error {
    let words = error.to_string();
    // The number of an error says nothing to people.
    let words = words.split(" (os error").next().unwrap_or_default();
    io::Error::new(error.kind(), format!("{server}: {words}"))
}
