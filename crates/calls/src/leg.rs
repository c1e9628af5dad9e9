//! One leg: one INVITE's worth of relation between the exchange and one device.

use crate::attempt::Attempt;
use crate::ports::PortLease;
use clock::TimerId;
use media::{Negotiation, Source, StreamIdentity};
use sip::{ClientKey, Dialog, Flow, ServerKey};
use slotmap::{Key, KeyData, new_key_type};
use std::net::IpAddr;
use std::sync::Arc;
use wire::text::Short;

new_key_type! {
    /// Names a leg for as long as it lives.
    pub struct LegId;
    /// Names a call for as long as it lives.
    pub struct CallId;
}

impl CallId {
    /// The call as a number, for its name in other places.
    #[must_use]
    pub fn number(self) -> u64 {
        self.data().as_ffi()
    }

    /// The call with that number, if there is one.
    #[must_use]
    pub fn of_number(number: u64) -> CallId {
        CallId::from(KeyData::from_ffi(number))
    }
}

/// Who called whom on a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// They called us.
    Caller,
    /// We called them.
    Branch,
}

/// Where a leg stands; each state holds only what is legal in it.
#[derive(Debug)]
pub(crate) enum LegState {
    /// They called, and have no final response yet.
    Incoming(Incoming),
    /// We called, and have no final response yet.
    Outgoing(Box<Outgoing>),
    /// We called and gave up, for this reason if there is one to tell (a Reason header value); a 2xx that crosses the
    /// CANCEL is answered with ACK and BYE.
    Cancelled(Option<Box<str>>),
    /// Answered on both sides of the leg.
    Up(Up),
    /// BYE sent, or the last response; nothing more is expected of this leg.
    Ended,
}

/// A caller who waits.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) invite: ServerKey,
    /// The INVITE's CSeq number.
    pub(crate) number: u32,
    /// The last provisional status; 100 at first.
    pub(crate) progress: u16,
    /// The INVITE carried no SDP: our 2xx makes the offer.
    pub(crate) late_offer: bool,
    /// The one SDP answer of this INVITE was sent in a provisional response (R1).
    pub(crate) answered_early: bool,
    /// The caller can do 100rel (RFC 3262).
    pub(crate) reliable: Option<sip::reliable::Sender>,
    /// The winner is known, and the 200 waits for the PRACK of our reliable answer (RFC 3262 section 5).
    pub(crate) answer_waits: bool,
    /// Told with 182: 1 is next.
    pub(crate) place: Option<u32>,
}

/// A device that rings, or is about to.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) invite: ClientKey,
    /// The best provisional status so far; zero before any.
    pub(crate) progress: u16,
    /// Dialogs that its provisional responses made, by remote tag.
    pub(crate) early: Vec<EarlyDialog>,
    /// Our offer, before any answer; each early dialog answers it anew.
    pub(crate) offered: Negotiation,
    /// What its INVITE is made of.
    pub(crate) attempt: Attempt,
}

/// One dialog among those that a forking proxy behind a branch may make.
#[derive(Debug)]
pub(crate) struct EarlyDialog {
    pub(crate) dialog: Dialog,
    /// The last RSeq that we acknowledged (RFC 3262 section 4).
    pub(crate) reliable: sip::reliable::Receiver,
}

/// An answered leg.
#[derive(Debug, Default)]
pub(crate) struct Up {
    /// An incoming INVITE whose 2xx has no ACK yet.
    pub(crate) unacknowledged: Option<Unacknowledged>,
    /// That 2xx carried our offer; the ACK brings the answer.
    pub(crate) answer_in_ack: bool,
    /// A re-INVITE or UPDATE of ours without a final response.
    pub(crate) modifying: Option<(ClientKey, Purpose)>,
    /// What to offer once nothing is pending any more.
    pub(crate) wanted: Option<Purpose>,
    /// The number of a REFER that is under way.
    pub(crate) referral: Option<u32>,
    /// BYE as soon as the ACK has come (RFC 3261 15: not before).
    pub(crate) end_after_ack: bool,
}

/// An INVITE of theirs that we answered 2xx; its ACK has the same number (RFC 3261 13.2.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unacknowledged {
    pub(crate) server: ServerKey,
    pub(crate) number: u32,
}

/// Why we re-INVITE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Speak the codecs of the other side (R1, R3).
    Codecs(Vec<media::Codec>),
    /// Send to another port of ours, in the codec in use.
    Rehome(Vec<media::Codec>),
    /// Keep the session alive (R7, RFC 4028).
    Refresh,
}

impl Purpose {
    /// Whether it makes an offer that a refusal takes back.
    pub(crate) fn offers(&self) -> bool {
        matches!(self, Purpose::Codecs(_) | Purpose::Rehome(_))
    }
}

/// What a leg has to do with a service of ours.
#[derive(Debug, Default)]
pub(crate) struct Served {
    /// The order with which it began to hear what it is told; what ended before that is of no interest.
    pub(crate) told_epoch: u32,
    /// The last key that counted.
    pub(crate) last_key: Option<crate::keys::Press>,
}

/// One leg.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) call: CallId,
    pub(crate) role: Role,
    /// It speaks for the one who called, whoever made the dialog: blame goes by this.
    pub(crate) of_caller: bool,
    pub(crate) state: LegState,
    pub(crate) dialog: Dialog,
    pub(crate) flow: Flow,
    /// Who is at the other end, in the words of the floor above: a device, a trunk.
    pub(crate) label: Box<str>,
    pub(crate) media: Negotiation,
    pub(crate) lease: PortLease,
    pub(crate) stream: StreamIdentity,
    pub(crate) order_epoch: u32,
    /// Grows with each authenticated offer or answer: only those may start learning an address again (R16).
    pub(crate) media_generation: u32,
    pub(crate) source: Source,
    /// What it was told, and what it keyed.
    pub(crate) served: Served,
    /// A NAT stands between us and the device: media addresses in its SDP mean nothing (R16).
    pub(crate) behind_nat: bool,
    /// Other addresses that its media may come from (R16).
    pub(crate) media_from: Arc<[IpAddr]>,
    /// The CSeq number and the ACK of our last INVITE's 2xx, kept for the 2xx's repeats.
    pub(crate) ack: Option<(u32, Arc<[u8]>)>,
    pub(crate) session: crate::timers::Session,
    /// The one timer of the leg that is running, whatever it is for.
    pub(crate) timer: Option<TimerId>,
    /// What a leg to the outside remembers.
    pub(crate) line: Option<Box<crate::line::LegLine>>,
    /// Its connection is gone; the timer that ends the wait for the phone's return.
    pub(crate) lost: Option<TimerId>,
}

impl Leg {
    /// Its packets are protected under keys that stand in its descriptions.
    pub(crate) fn has_keys(&self) -> bool {
        self.media.agreed().is_some_and(|agreed| matches!(agreed.protection, media::Protection::Srtp(_)))
    }

    /// What is only there while its INVITE has no final response.
    pub(crate) fn outgoing(&mut self) -> Option<&mut Outgoing> {
        match &mut self.state {
            LegState::Outgoing(outgoing) => Some(outgoing),
            _ => None,
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        matches!(self.state, LegState::Up(_))
    }
}

/// The tag of a leg: it finds its leg without a table, and half of it is random.
pub(crate) fn tag(id: LegId, nonce: u64) -> Arc<str> {
    let mut tag = Short::<32>::new();
    tag.push_hex(id.data().as_ffi());
    tag.push_hex(nonce);
    (*tag).into()
}

/// The leg in a tag of ours, yet to be compared whole.
pub(crate) fn parse_tag(tag: &str) -> Option<LegId> {
    if tag.len() != 32 {
        return None;
    }
    let number = u64::from_str_radix(tag.get(..16)?, 16).ok()?;
    Some(LegId::from(KeyData::from_ffi(number)))
}

/// A leg's name in media orders.
pub(crate) fn media_key(id: LegId) -> media::LegKey {
    media::LegKey(id.data().as_ffi())
}

/// The leg that a media event names.
pub(crate) fn from_media_key(key: media::LegKey) -> LegId {
    LegId::from(KeyData::from_ffi(key.0))
}
