//! Legs that talk: 172 octets every 20 ms each, on a few sockets, so that our side sends and reads in batches. Legs with
//! keys send SRTP, and take nothing that is not authentic.

use crate::Failure;
use crate::line::{self, Line};
use media::srtp::{OVERHEAD_MAX, Receiver, Sender, SrtpKeys};
use net::{Clock, Poll, ReceiveBatch};
use std::collections::HashMap;
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
const HEADER: usize = 12;
/// The sound of a caller and of a callee: each must hear the other.
const SOUNDS: [u8; 2] = [0x55, 0xaa];

struct Leg {
    line: usize,
    to: SocketAddr,
    sequence: u16,
    packet: [u8; OCTETS],
    secret: Option<Box<(Sender, Receiver)>>,
}

/// What went out and came in.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// Came, and was not what the other side had sent.
    pub(crate) wrong: u64,
}

/// All legs, and the sockets that they share.
pub(crate) struct Legs {
    lines: Vec<Line>,
    /// Bound so that reports find somebody.
    _reports: Vec<UdpSocket>,
    legs: Vec<Leg>,
    /// The legs with keys, by where their packets come from.
    secret: HashMap<SocketAddr, usize>,
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
            secret: HashMap::new(),
            counts: Counts::default(),
        })
    }

    /// The offset from the first port at which a leg listens; callers have even numbers, callees odd ones.
    pub(crate) fn offset(leg: u64) -> u16 {
        2 * (leg % u64::from(SOCKETS)) as u16
    }

    /// A leg that listens at `port` and sends to `to`; with keys it speaks SRTP.
    pub(crate) fn add(&mut self, port: u16, to: SocketAddr, keys: Option<&SrtpKeys>) -> Result<(), Failure> {
        let line = self.lines.iter().position(|line| line.address.port() == port);
        let line = line.ok_or("a leg on a port that is not ours")?;
        let mut packet = [SOUNDS[line % 2]; OCTETS];
        packet[..2].copy_from_slice(&[0x80, 0]);
        packet[8..12].copy_from_slice(&(self.legs.len() as u32 + 1).to_be_bytes());
        if keys.is_some() {
            self.secret.insert(to, self.legs.len());
        }
        let secret = keys.map(|keys| Box::new((Sender::new(&keys.send), Receiver::new(&keys.receive))));
        self.legs.push(Leg { line, to, sequence: 0, packet, secret });
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
        let bytes: Arc<[u8]> = match &mut leg.secret {
            None => Arc::from(leg.packet),
            Some(secret) => {
                let mut room = [0; OCTETS + OVERHEAD_MAX];
                room[..OCTETS].copy_from_slice(&leg.packet);
                let length = secret.0.protect(&mut room, OCTETS).unwrap_or(OCTETS);
                Arc::from(&room[..length])
            }
        };
        self.lines[leg.line].push(leg.to, bytes);
        self.counts.sent += 1;
    }

    fn read(&mut self, index: usize, batch: &mut ReceiveBatch) -> Result<(), Failure> {
        let Legs { lines, legs, secret, counts, .. } = self;
        let of_callers = index.is_multiple_of(2);
        let theirs = SOUNDS[usize::from(of_callers)];
        for _ in 0..16 {
            let count = lines[index].receive(batch, |from, bytes| {
                let right = if of_callers && !secret.is_empty() {
                    let leg = secret.get(&from).and_then(|&leg| legs[leg].secret.as_mut());
                    leg.is_some_and(|leg| opens(&mut leg.1, bytes, theirs))
                } else {
                    bytes.len() == OCTETS && bytes[HEADER..].iter().all(|&byte| byte == theirs)
                };
                let count = if right { &mut counts.received } else { &mut counts.wrong };
                *count += 1;
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

/// Whether a packet is authentic, came once, and holds that sound.
fn opens(receiver: &mut Receiver, bytes: &[u8], sound: u8) -> bool {
    let mut room = [0; OCTETS + OVERHEAD_MAX];
    let Some(packet) = room.get_mut(..bytes.len()) else { return false };
    packet.copy_from_slice(bytes);
    let Ok((length, _)) = receiver.open(packet) else { return false };
    length == OCTETS && packet[HEADER..length].iter().all(|&byte| byte == sound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::srtp::{MasterKey, Suite};

    #[test]
    fn only_what_is_authentic_and_right_is_counted() {
        let key = |byte| MasterKey::new(Suite::Sha1Tag80, [byte; MasterKey::LEN]);
        let mut sender = Sender::new(&key(1));
        let mut protected = |sequence: u8, sound: u8| {
            let mut room = [sound; OCTETS + OVERHEAD_MAX];
            room[..HEADER].copy_from_slice(&[0x80, 0, 0, sequence, 0, 0, 0, 0, 0, 0, 0, 1]);
            let length = sender.protect(&mut room, OCTETS).unwrap();
            room[..length].to_vec()
        };
        let (first, second, other) = (protected(1, 0x55), protected(2, 0x55), protected(3, 0xaa));
        let mut receiver = Receiver::new(&key(1));
        assert!(opens(&mut receiver, &first, 0x55));
        assert!(!opens(&mut receiver, &first, 0x55), "came twice");
        assert!(!opens(&mut receiver, &other, 0x55), "another sound");
        assert!(!opens(&mut Receiver::new(&key(2)), &second, 0x55), "another key");
        assert!(!opens(&mut receiver, &second[..OCTETS], 0x55), "no tag");
        assert!(!opens(&mut receiver, &[0; 4_096], 0x55));
    }
}
