//! Legs that talk: 172 octets every 20 ms each, on a few sockets, so that our side sends and reads in batches.

use crate::Failure;
use crate::line::{self, Line};
use net::{Clock, Poll, ReceiveBatch};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

/// Sockets that the legs share; the two legs of a call never have the same one.
const SOCKETS: u16 = 16;
/// What is heard, in turns; packets of one turn leave in one batch.
const TURN: Duration = Duration::from_micros(250);
/// Packets of a leg are this far apart.
const PACE: Duration = Duration::from_millis(20);
/// Header and 20 ms of G.711.
const OCTETS: usize = 172;

struct Leg {
    line: usize,
    to: SocketAddr,
    sequence: u16,
    packet: [u8; OCTETS],
}

/// What went out and came in.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

/// All legs, and the sockets that they share.
pub(crate) struct Legs {
    lines: Vec<Line>,
    /// Bound so that reports find somebody.
    _reports: Vec<UdpSocket>,
    legs: Vec<Leg>,
    pub(crate) counts: Counts,
}

impl Legs {
    /// Binds even ports from `first` on.
    pub(crate) fn bind(first: u16) -> Result<Legs, Failure> {
        let on = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let ports = || (0..SOCKETS).map(|index| first + 2 * index);
        Ok(Legs {
            lines: ports().map(|port| Line::bind(on(port))).collect::<Result<_, _>>()?,
            _reports: ports().map(|port| line::bind(on(port + 1))).collect::<Result<_, _>>()?,
            legs: Vec::new(),
            counts: Counts::default(),
        })
    }

    /// The offset from the first port at which a leg listens.
    pub(crate) fn offset(leg: u64) -> u16 {
        2 * (leg % u64::from(SOCKETS)) as u16
    }

    /// A leg that listens at `port` and sends to `to`.
    pub(crate) fn add(&mut self, port: u16, to: SocketAddr) -> Result<(), Failure> {
        let line = self.lines.iter().position(|line| line.address.port() == port);
        let line = line.ok_or("a leg on a port that is not ours")?;
        let mut packet = [0xff; OCTETS];
        packet[..2].copy_from_slice(&[0x80, 0]);
        packet[8..12].copy_from_slice(&(self.legs.len() as u32 + 1).to_be_bytes());
        self.legs.push(Leg { line, to, sequence: 0, packet });
        Ok(())
    }

    /// Talks for `time`.
    pub(crate) fn talk(&mut self, time: Duration) -> Result<(), Failure> {
        let (clock, mut poll, mut batch) = (Clock::start(), Poll::new()?, ReceiveBatch::new());
        for (index, line) in self.lines.iter().enumerate() {
            poll.add(line.descriptor(), index as u64)?;
        }
        let start = clock.now().mono;
        let rate = self.legs.len() as f64 / PACE.as_secs_f64();
        let mut sent = 0u64;
        let mut turn = start;
        loop {
            let now = clock.now().mono;
            if now.since(start) >= time {
                return Ok(());
            }
            let wanted = (now.since(start).as_secs_f64() * rate) as u64;
            while sent < wanted {
                self.send((sent % self.legs.len() as u64) as usize);
                sent += 1;
            }
            self.lines.iter_mut().for_each(Line::flush);
            turn = (turn + TURN).max(now);
            let ready: Vec<u64> = poll.wait(Some(turn.since(clock.now().mono)))?.collect();
            for index in ready {
                self.read(index as usize, &mut batch)?;
            }
            // Reading more often than we send would only cost wake-ups.
            let left = turn.since(clock.now().mono);
            if !left.is_zero() {
                std::thread::sleep(left);
            }
        }
    }

    fn send(&mut self, index: usize) {
        let leg = &mut self.legs[index];
        leg.sequence = leg.sequence.wrapping_add(1);
        leg.packet[2..4].copy_from_slice(&leg.sequence.to_be_bytes());
        leg.packet[4..8].copy_from_slice(&(u32::from(leg.sequence) * 160).to_be_bytes());
        self.lines[leg.line].push(leg.to, Arc::from(leg.packet));
        self.counts.sent += 1;
    }

    fn read(&mut self, index: usize, batch: &mut ReceiveBatch) -> Result<(), Failure> {
        let received = &mut self.counts.received;
        for _ in 0..16 {
            let count = self.lines[index].receive(batch, |_, bytes| {
                if bytes.len() == OCTETS {
                    *received += 1;
                }
            })?;
            if count < 32 {
                break;
            }
        }
        Ok(())
    }

    /// Reads what is still under way, without sending.
    pub(crate) fn listen(&mut self, time: Duration) -> Result<(), Failure> {
        std::thread::sleep(time);
        let mut batch = ReceiveBatch::new();
        (0..self.lines.len()).try_for_each(|index| self.read(index, &mut batch))
    }
}
