//! The switch: owns the endpoint, the legs and the calls, and finds the leg a message belongs to.
//!
//! The contract is that of every machine here: call one of the methods that take `now`, then drain
//! [`Switch::next_transmit`], [`Switch::next_action`] and [`Switch::next_event`]; wake the switch with
//! [`Switch::handle_timeout`] when [`Switch::next_deadline`] has passed.

use crate::call::{Call, CallEvent, CallRecord, Stage};
use crate::keys::{KeyWay, Press};
use crate::leg::{self, CallId, Leg, LegId, LegState};
use crate::ports::{PortLease, PortPool};
use crate::setup::Setup;
use crate::timers::Wake;
use crate::{Cause, caller};
use clock::{Mono, Now, Wheel};
use media::{MediaEvent, MediaOrder, StreamIdentity};
use sip::{ClientKey, Endpoint, Event, Flow, Received, Transmit};
use slotmap::SlotMap;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use wire::sip::Message;
use wire::text::{Short, hex};

/// Who started a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A leg of a call.
    Leg(LegId),
    /// The floor above; the number is its own business.
    Above(u64),
    /// Nobody waits for what becomes of it.
    Nobody,
}

/// What the switch asks of the media workers.
#[derive(Debug)]
pub enum Action {
    /// The whole desired media graph of a leg (idempotent).
    Media {
        /// The port whose worker carries it out.
        lease: PortLease,
        /// The order.
        order: Box<MediaOrder>,
    },
    /// A key press for a leg, which came by signalling.
    Digit {
        /// The port.
        lease: PortLease,
        /// Who shall hear it.
        leg: media::LegKey,
        /// 0-9, A-D, * or #.
        digit: char,
    },
    /// The leg is gone; its port is free again.
    ReleaseMedia {
        /// The port.
        lease: PortLease,
        /// The leg.
        leg: media::LegKey,
    },
}

/// What a message is to the floor above, after the legs took theirs.
#[derive(Debug, PartialEq, Eq)]
pub enum Leftover {
    /// A leg, or the transaction layer, has dealt with it.
    Nothing,
    /// A request that belongs to no leg: accept it, or answer it without state.
    Request,
    /// The response to a request of the floor above.
    Response {
        /// Its transaction.
        client: ClientKey,
        /// The number it was started with.
        owner: u64,
    },
    /// A request of the floor above found no answer.
    Failed {
        /// The number it was started with.
        owner: u64,
    },
}

/// All calls of one exchange.
#[derive(Debug)]
pub struct Switch {
    pub(crate) endpoint: Endpoint<Owner>,
    pub(crate) legs: SlotMap<LegId, Leg>,
    pub(crate) calls: SlotMap<CallId, Call>,
    pub(crate) ports: PortPool,
    pub(crate) media_policy: crate::MediaPolicy,
    /// The certificate that the media of each of these browsers must show (S4.25).
    pub(crate) pinned: BTreeMap<Flow, media::webrtc::Fingerprint>,
    pub(crate) timers: Wheel<Wake>,
    pub(crate) actions: VecDeque<Action>,
    pub(crate) events: VecDeque<CallEvent>,
    failed_above: VecDeque<u64>,
    up: usize,
    pub(crate) setup: Setup,
}

impl Switch {
    /// A switch without calls or ports; everything it draws follows from `seed`.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Switch {
        Switch {
            endpoint: Endpoint::new(seed),
            legs: SlotMap::with_key(),
            calls: SlotMap::with_key(),
            ports: PortPool::default(),
            media_policy: crate::MediaPolicy::default(),
            pinned: BTreeMap::new(),
            timers: Wheel::new(),
            actions: VecDeque::new(),
            events: VecDeque::new(),
            failed_above: VecDeque::new(),
            up: 0,
            setup: Setup::default(),
        }
    }

    /// The transaction layer, for requests that are no business of calls.
    pub fn endpoint(&mut self) -> &mut Endpoint<Owner> {
        &mut self.endpoint
    }

    /// The ports, to add new ones and to count them.
    pub fn ports(&mut self) -> &mut PortPool {
        &mut self.ports
    }

    /// Calls that are not over yet, and legs.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        (self.up, self.legs.len())
    }

    /// Client and server transactions that are alive.
    #[must_use]
    pub fn transactions(&self) -> (usize, usize) {
        self.endpoint.load()
    }

    /// The two legs of each call whose parties talk to each other.
    #[must_use]
    pub fn talking(&self) -> Vec<(media::LegKey, media::LegKey)> {
        let winner = |call: &Call| match call.stage {
            // A side that let go talks no more, even while its BYE waits for its ACK.
            Stage::Talking { .. } if call.replacing.is_some_and(|replacing| replacing.old_left) => None,
            Stage::Talking { winner } => winner,
            Stage::Reaching | Stage::Over => None,
        };
        let up = |leg: LegId| self.legs.get(leg).is_some_and(Leg::is_up);
        let pairs = self.calls.iter().filter_map(|(_, call)| Some((call.caller, winner(call)?)));
        pairs.filter(|&(a, b)| up(a) && up(b)).map(|(a, b)| (leg::media_key(a), leg::media_key(b))).collect()
    }

    /// Gives a message to the leg it belongs to.
    pub fn receive(&mut self, now: Now, flow: Flow, message: &Message<'_>) -> Leftover {
        match self.endpoint.receive(now.mono, flow, message) {
            Received::Absorbed => Leftover::Nothing,
            Received::Request => match self.leg_of(message) {
                Some(leg) => {
                    self.request_from_leg(now, leg, flow, message);
                    Leftover::Nothing
                }
                None => Leftover::Request,
            },
            Received::Ack => {
                if let Some(leg) = self.leg_of(message) {
                    self.ack_from_leg(now, leg, message);
                }
                Leftover::Nothing
            }
            Received::Cancel { invite, user: Owner::Leg(leg) } => {
                self.cancelled_by_caller(now, leg, invite);
                Leftover::Nothing
            }
            Received::Cancel { .. } => Leftover::Nothing,
            Received::Response { client, user: Owner::Leg(leg) } => {
                self.response_to_leg(now, leg, client, message);
                Leftover::Nothing
            }
            Received::Response { client, user: Owner::Above(owner) } => Leftover::Response { client, owner },
            Received::Response { user: Owner::Nobody, .. } => Leftover::Nothing,
        }
    }

    /// Runs what is due.
    pub fn handle_timeout(&mut self, now: Now) {
        self.endpoint.handle_timeout(now.mono);
        while let Some(wake) = self.timers.expire(now.mono) {
            self.handle_wake(now, wake);
        }
        self.drain_endpoint(now);
    }

    /// A media worker saw something.
    pub fn media_event(&mut self, now: Now, event: &MediaEvent) {
        match *event {
            MediaEvent::Dtmf { leg, digit, duration_ms } => {
                let down = now.mono - Duration::from_millis(duration_ms.into());
                self.key_pressed(leg::from_media_key(leg), Press { digit, way: KeyWay::Media, down });
            }
            MediaEvent::SoundEnded { leg, epoch } => self.sound_ended(leg, epoch),
            MediaEvent::FirstPacket { leg, .. } => {
                self.media_seen(leg);
                self.side_is_ready(now, leg::from_media_key(leg));
            }
            MediaEvent::Report { leg, .. } => self.media_seen(leg),
            _ => {}
        }
    }

    fn media_seen(&mut self, leg: media::LegKey) {
        if let Some(entry) = self.legs.get_mut(leg::from_media_key(leg)) {
            entry.session.media_seen = true;
        }
    }

    /// The earliest moment at which [`Switch::handle_timeout`] has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        match (self.endpoint.next_deadline(), self.timers.next_deadline()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// The next bytes to send.
    pub fn next_transmit(&mut self) -> Option<Transmit> {
        self.endpoint.next_transmit()
    }

    /// The next order for the media workers.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The next thing that the floor above should know.
    pub fn next_event(&mut self) -> Option<CallEvent> {
        self.events.pop_front()
    }

    /// The next request of the floor above that found no answer.
    pub fn next_failure(&mut self) -> Option<u64> {
        self.failed_above.pop_front()
    }

    /// Records what is running, as a stopping exchange must: each call leaves its one record.
    pub fn abandon_all(&mut self, now: Now) {
        let running: Vec<CallId> =
            self.calls.iter().filter(|(_, call)| call.stage != Stage::Over).map(|(id, _)| id).collect();
        for call in running {
            self.hang_up(now, call, Cause::NodeLost);
        }
    }

    /// Whom the legs of a call reach, for lists of running calls: the caller's label first.
    pub fn labels(&self, call: CallId) -> impl Iterator<Item = &str> {
        let legs = self
            .calls
            .get(call)
            .map(|call| std::iter::once(call.caller).chain(call.branches.iter().copied()));
        legs.into_iter().flatten().filter_map(|leg| self.legs.get(leg)).map(|leg| &*leg.label)
    }

    /// What happened in the transaction layer without a message.
    pub(crate) fn drain_endpoint(&mut self, now: Now) {
        while let Some(event) = self.endpoint.next_event() {
            match event {
                Event::Unanswered { client, user: Owner::Leg(leg) } => {
                    if let Some(flow) = self.legs.get(leg).map(|leg| leg.flow) {
                        self.events.push_back(CallEvent::Silent { flow });
                    }
                    self.client_failed(now, leg, client, 408);
                }
                Event::Unreachable { client, user: Owner::Leg(leg) } => {
                    self.client_failed(now, leg, client, 503);
                }
                Event::Unanswered { user: Owner::Above(owner), .. }
                | Event::Unreachable { user: Owner::Above(owner), .. } => self.failed_above.push_back(owner),
                Event::Unacknowledged { user: Owner::Leg(leg), .. } => self.unacknowledged(now, leg),
                Event::Unacknowledged { .. }
                | Event::Unanswered { user: Owner::Nobody, .. }
                | Event::Unreachable { user: Owner::Nobody, .. } => {}
            }
        }
    }

    /// RFC 3261 13.3.1.4: a 2xx without its ACK ends the session, by a BYE.
    fn unacknowledged(&mut self, now: Now, id: LegId) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let caller = leg.of_caller;
        let LegState::Up(up) = &mut leg.state else { return };
        up.unacknowledged = None;
        if up.end_after_ack {
            return self.send_bye(now, id, None);
        }
        self.end_leg_and_call(now, id, Cause::Lost { caller });
    }

    /// The leg whose dialog a request is in, by our tag in To.
    fn leg_of(&self, message: &Message<'_>) -> Option<LegId> {
        let to = message.to().ok()?;
        let ours = to.tag()?;
        let id = leg::parse_tag(ours)?;
        let from = message.from().ok()?;
        let known = self.legs.get(id)?;
        let call_id = message.call_id().ok()?;
        if known.dialog.matches(call_id, ours, from.tag()) {
            return Some(id);
        }
        // A PRACK or BYE may come in an early dialog that is not the one we chose.
        let LegState::Outgoing(outgoing) = &known.state else { return None };
        outgoing.early.iter().any(|early| early.dialog.matches(call_id, ours, from.tag())).then_some(id)
    }

    pub(crate) fn new_stream(&mut self, leg: LegId) -> StreamIdentity {
        let words = [self.endpoint.random(), self.endpoint.random()];
        StreamIdentity {
            ssrc: words[0] as u32,
            // The first sequence number is small, so that no receiver sees a wrap in the first seconds (RFC 3550 5.1).
            first_sequence: (words[0] >> 32) as u16 & 0x7FFF,
            first_timestamp: words[1] as u32,
            cname: (*hex(words[1].rotate_left(32) ^ leg::media_key(leg).0)).into(),
        }
    }

    /// Notes that a call began or ended, for [`Switch::load`].
    pub(crate) fn count(&mut self, begun: bool) {
        self.up = if begun { self.up + 1 } else { self.up.saturating_sub(1) };
    }

    pub(crate) fn emit_record(&mut self, record: CallRecord) {
        self.events.push_back(CallEvent::Ended(Box::new(record)));
    }

    /// Where our side of a leg is reached: the Contact of our messages on a flow.
    pub(crate) fn contact(flow: Flow) -> Short<96> {
        caller::contact(flow)
    }
}

/// Stands in a leg until its key, and with it its stream, is known.
pub(crate) fn no_stream() -> StreamIdentity {
    StreamIdentity { ssrc: 0, first_sequence: 0, first_timestamp: 0, cname: "".into() }
}
