//! The sans-IO executor of media orders; one value per worker thread, which owns the sockets.

use crate::order::{LegKey, MediaEvent, MediaOrder};
use crate::sounds::Sounds;
use clock::Mono;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How often a leg's figures are reported.
pub const REPORT_EVERY: Duration = Duration::from_secs(30);

/// Which socket of a leg: with `rtcp-mux` everything is on [`Kind::Rtp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The RTP socket.
    Rtp,
    /// The RTCP socket.
    Rtcp,
}

/// Send the first `length` bytes of the buffer just handed in, from that leg's socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    /// Whose socket.
    pub leg: LegKey,
    /// Where to.
    pub to: SocketAddr,
    /// Which socket.
    pub kind: Kind,
    /// How many bytes.
    pub length: usize,
}

/// Takes what is to be sent: whose socket, which one, where to, the datagram.
pub type Out<'a> = dyn FnMut(LegKey, Kind, SocketAddr, &[u8]) + 'a;

/// All legs of one worker.
#[derive(Debug)]
pub struct Engine {
    _sounds: Arc<Sounds>,
}

impl Engine {
    /// An engine without legs.
    #[must_use]
    pub fn new(sounds: Arc<Sounds>) -> Engine {
        Engine { _sounds: sounds }
    }

    /// Makes a leg be as ordered; an order that is not newer than the last one is ignored.
    pub fn apply(&mut self, _now: Mono, _order: MediaOrder) {}

    /// Forgets a leg, after a last [`MediaEvent::Report`].
    pub fn release(&mut self, _leg: LegKey) {}

    /// Presses a key towards a leg (a key that came by signalling).
    pub fn send_dtmf(&mut self, _leg: LegKey, _digit: char) {}

    /// Takes a datagram. When it is to be relayed it was rewritten in place, and the caller sends it.
    pub fn receive(
        &mut self,
        _now: Mono,
        _leg: LegKey,
        _kind: Kind,
        _from: SocketAddr,
        _packet: &mut [u8],
    ) -> Option<Forward> {
        None
    }

    /// To be called every 10 ms; hands out what is due.
    pub fn tick(&mut self, _now: Mono, _out: &mut Out<'_>) {}

    /// The next event, oldest first.
    pub fn next_event(&mut self) -> Option<MediaEvent> {
        None
    }
}
