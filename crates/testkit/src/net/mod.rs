//! The network: links that delay, lose, repeat and reorder; NAT boxes; streams that may break.

pub mod nat;

pub use nat::{Nat, Reach};

use crate::dice::Dice;
use clock::Mono;
use std::net::SocketAddr;
use std::time::Duration;

/// What the way between a phone, or another exchange, and an exchange does to datagrams.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The least delay.
    pub latency: Duration,
    /// Up to so much more.
    pub jitter: Duration,
    /// Lost, in thousandths.
    pub loss: u32,
    /// Delivered twice, in thousandths.
    pub duplicates: u32,
    /// Delayed so that later ones overtake it, in thousandths.
    pub reordered: u32,
    /// Nothing passes until then.
    pub cut_until: Mono,
}

impl Link {
    /// A cable in the office: a fixed millisecond.
    #[must_use]
    pub fn cable() -> Link {
        Link {
            latency: Duration::from_millis(1),
            jitter: Duration::ZERO,
            loss: 0,
            duplicates: 0,
            reordered: 0,
            cut_until: Mono(0),
        }
    }

    /// The delays after which copies of a datagram arrive: none, one or two.
    pub fn deliveries(&self, now: Mono, dice: &mut Dice) -> [Option<Duration>; 2] {
        if now < self.cut_until || dice.permille(self.loss) {
            return [None; 2];
        }
        let first = self.delay(dice);
        let second = dice.permille(self.duplicates).then(|| self.delay(dice) + Duration::from_millis(3));
        [Some(first), second]
    }

    fn delay(&self, dice: &mut Dice) -> Duration {
        let jitter = self.jitter.as_micros() as u64;
        let wait = self.latency + Duration::from_micros(if jitter > 0 { dice.within(0..jitter) } else { 0 });
        if dice.permille(self.reordered) { wait + dice.millis(20..400) } else { wait }
    }
}

/// A stream connection from a phone to an exchange: in order and without loss, until it breaks.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Which phone.
    pub phone: usize,
    /// Which exchange.
    pub office: usize,
    /// The exchange's view of it.
    pub flow: sip::Flow,
    /// The phone's view of it.
    pub own: sip::Flow,
    /// Bytes still pass.
    pub open: bool,
    /// When the last bytes arrive, each way: later ones do not overtake them.
    pub arrived: [Mono; 2],
}

/// One datagram on its way.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// As the receiver sees it.
    pub from: SocketAddr,
    /// As the sender wrote it.
    pub to: SocketAddr,
    /// The bytes.
    pub bytes: std::sync::Arc<[u8]>,
}
