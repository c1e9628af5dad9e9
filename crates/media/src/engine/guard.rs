//! SRTP of one leg: what comes is opened before anything else looks at it, what goes is closed last (R14).

use crate::order::Protection;
use crate::srtp::{OVERHEAD_MAX, Receiver, Sender, SrtpKeys};

/// The protection of one leg.
#[derive(Debug, Default)]
pub(super) enum Guard {
    /// Packets are as they are on the wire; or the owner of the socket protects them.
    #[default]
    Clear,
    /// SRTP. Boxed, so that a leg in clear fits in few cache lines.
    Srtp(Box<Srtp>),
}

#[derive(Debug)]
pub(super) struct Srtp {
    keys: SrtpKeys,
    sender: Sender,
    receiver: Receiver,
}

/// What came out of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) length: usize,
    /// It may move the address of its leg.
    pub(super) newest: bool,
}

impl Guard {
    /// Takes over an order's protection. A key that stays keeps its rollover counter and what was seen under it.
    pub(super) fn set(&mut self, protection: &Protection) {
        match (&mut *self, protection) {
            (Guard::Srtp(srtp), Protection::Srtp(keys)) => {
                if srtp.keys.send != keys.send {
                    srtp.sender = Sender::new(&keys.send);
                }
                if srtp.keys.receive != keys.receive {
                    srtp.receiver = Receiver::new(&keys.receive);
                }
                srtp.keys = (**keys).clone();
            }
            (Guard::Clear, Protection::Srtp(keys)) => {
                let (sender, receiver) = (Sender::new(&keys.send), Receiver::new(&keys.receive));
                *self = Guard::Srtp(Box::new(Srtp { keys: (**keys).clone(), sender, receiver }));
            }
            (_, Protection::Clear | Protection::Webrtc(_)) => *self = Guard::Clear,
        }
    }

    /// Opens a datagram in place; `None` when it is not authentic, or came before.
    #[inline]
    pub(super) fn open(&mut self, is_rtcp: bool, datagram: &mut [u8]) -> Option<Opened> {
        match self {
            Guard::Clear => Some(Opened { length: datagram.len(), newest: true }),
            Guard::Srtp(srtp) if is_rtcp => {
                srtp.receiver.open_rtcp(datagram).ok().map(|length| Opened { length, newest: true })
            }
            Guard::Srtp(srtp) => {
                srtp.receiver.open(datagram).ok().map(|(length, newest)| Opened { length, newest })
            }
        }
    }

    /// Closes the RTP packet in the first `length` bytes of `buffer`; its new length.
    #[inline]
    pub(super) fn close(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        match self {
            Guard::Clear => Some(length),
            Guard::Srtp(srtp) => srtp.sender.protect(buffer, length),
        }
    }

    /// Closes the RTP packet that `buffer` holds from `start` on; false when it may not leave.
    pub(super) fn close_tail(&mut self, buffer: &mut Vec<u8>, start: usize) -> bool {
        let Guard::Srtp(srtp) = self else { return true };
        let length = buffer.len() - start;
        buffer.resize(buffer.len() + OVERHEAD_MAX, 0);
        let closed = srtp.sender.protect(&mut buffer[start..], length);
        buffer.truncate(start + closed.unwrap_or(0));
        closed.is_some()
    }

    /// Closes an RTCP compound.
    pub(super) fn close_rtcp(&mut self, packet: &mut Vec<u8>) {
        if let Guard::Srtp(srtp) = self {
            srtp.sender.protect_rtcp(packet);
        }
    }
}
