//! What went over the wire, in one line a message: for ladders and for people who wonder.

use super::{Agent, Output};
use crate::words::CallId;
use clock::Now;
use wire::sip::{Message, StartLine};

/// One message that the phone sent or received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// When.
    pub at: Now,
    /// Sent by the phone, else received.
    pub sent: bool,
    /// `INVITE`, `180 Ringing`, ...
    pub what: String,
    /// The method of the request that it is, or answers.
    pub method: String,
    /// Its CSeq number.
    pub sequence: u32,
    /// Its Call-ID.
    pub call_id: String,
    /// The call that it is of.
    pub call: Option<CallId>,
    /// The direction that its SDP asks for, when that is not both.
    pub direction: Option<media::Direction>,
}

impl Agent {
    pub(super) fn trace(&mut self, at: Now, sent: bool, message: &Message<'_>) {
        let what = match message.start() {
            StartLine::Request { method, .. } => method.as_str().to_owned(),
            StartLine::Response { code, .. } => format!("{code} {}", super::register::reason_of(message)),
        };
        let call_id = message.call_id().unwrap_or_default();
        let call = self.calls.values().find(|call| *call.dialog.call_id == *call_id).map(|call| call.id);
        let direction = super::sdp_of(message)
            .and_then(|sdp| {
                let session = wire::sdp::Session::parse(sdp).ok()?;
                session.media().next().map(|media| media.direction())
            })
            .filter(|direction| *direction != media::Direction::SendRecv);
        self.outputs.push_back(Output::Trace(Trace {
            at,
            sent,
            what,
            method: message.method().as_str().to_owned(),
            sequence: message.cseq().map_or(0, |cseq| cseq.number),
            call_id: call_id.to_owned(),
            call,
            direction,
        }));
    }
}
