//! One leg of the engine: its gate, its two streams, and how an order changes them.

use super::gate::Gate;
use super::guard::Guard;
use super::incoming::Incoming;
use super::keys::{KeysIn, KeysOut};
use super::mute::Mute;
use super::outgoing::Outgoing;
use super::player::Player;
use super::quality;
use super::reports::Reports;
use super::route::{Routes, Spoken};
use super::transcoder::{Plan, Transcoder};
use crate::codec::{CodecName, Payload, Voice};
use crate::order::{LegKey, MediaOrder, Quality, SendTo, Source};
use clock::Mono;
use std::net::SocketAddr;

/// A leg as it is.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) key: LegKey,
    pub(super) epoch: u32,
    pub(super) gate: Gate,
    pub(super) guard: Guard,
    pub(super) incoming: Incoming,
    pub(super) outgoing: Outgoing,
    /// Whose packets this leg hears, once that leg is known.
    pub(super) heard_from: Option<u32>,
    /// Who hears this leg.
    pub(super) listeners: Vec<u32>,
    /// From the payload numbers of `heard_from` to ours.
    pub(super) routes: Routes,
    /// Where RTP and RTCP go now, learned or signalled.
    pub(super) to: Option<SocketAddr>,
    pub(super) rtcp_to: Option<SocketAddr>,
    pub(super) send: Option<SendTo>,
    /// What we say when we make the sound.
    pub(super) spoken: Option<Spoken>,
    pub(super) received: Vec<Payload>,
    /// The number and clock of the last packet, before the list is searched.
    last_number: (u8, u32),
    last_sent_number: u8,
    /// As ordered, to tell a repeated order from a change.
    pub(super) ordered: Source,
    /// What is heard now: `ordered`, or what follows a prompt.
    pub(super) current: Source,
    /// The sound that is heard now, if `current` is one.
    pub(super) player: Option<Box<Player>>,
    /// Made while `routes` ask for it.
    pub(super) transcoder: Option<Box<Transcoder>>,
    /// What the transcoder is to do, once a packet needs it.
    pub(super) plan: Option<Plan>,
    /// Boxed like the player, so that a leg that is only relayed fits in few cache lines.
    pub(super) keys_in: Box<KeysIn>,
    pub(super) keys_out: Box<KeysOut>,
    /// A key is being sent: sound is silent.
    pub(super) pressing: bool,
    pub(super) on_stage: bool,
    mute: Mute,
    pub(super) reports: Reports,
    cname: std::sync::Arc<str>,
    pub(super) wants_events: bool,
    /// A packet came since the leg began, was learned anew, or fell silent.
    pub(super) heard: bool,
    pub(super) silence_said: bool,
    pub(super) refused: u64,
    pub(super) report_at: Mono,
    pub(super) since: Mono,
}

impl Leg {
    pub(super) fn new(now: Mono, order: &MediaOrder) -> Leg {
        Leg {
            key: order.leg,
            epoch: order.epoch,
            gate: Gate::closed(),
            guard: Guard::Clear,
            incoming: Incoming::new(now),
            outgoing: Outgoing::new(&order.identity, now),
            heard_from: None,
            listeners: Vec::new(),
            routes: Routes::NONE,
            to: None,
            rtcp_to: None,
            send: None,
            spoken: None,
            received: Vec::new(),
            last_number: (u8::MAX, 0),
            last_sent_number: u8::MAX,
            ordered: Source::Nothing,
            current: Source::Nothing,
            player: None,
            transcoder: None,
            plan: None,
            keys_in: Box::default(),
            keys_out: Box::default(),
            pressing: false,
            on_stage: false,
            mute: Mute::default(),
            reports: Reports::new(now, order.identity.ssrc),
            cname: order.identity.cname.clone(),
            wants_events: order.events,
            heard: false,
            silence_said: false,
            refused: 0,
            report_at: now + super::REPORT_FIRST,
            since: now,
        }
    }

    /// Takes over all of an order but its source.
    pub(super) fn set(&mut self, now: Mono, order: &MediaOrder) {
        self.epoch = order.epoch;
        self.guard.set(&order.protection);
        let was_open = self.gate.is_open();
        if self.gate.set(now, order.accept.clone(), order.send.as_ref().map(|send| send.remote)) {
            self.heard = false;
        }
        if !was_open {
            self.since = now;
            self.silence_said = false;
        }
        self.wants_events = order.events;
        self.received.clone_from(&order.receive);
        self.last_number = (u8::MAX, 0);
        self.last_sent_number = u8::MAX;
        self.send.clone_from(&order.send);
        self.spoken = order.send.as_ref().and_then(Spoken::to);
        self.aim();
    }

    /// Settles where packets go.
    pub(super) fn aim(&mut self) {
        let send = self.send.as_ref();
        self.to = send.and_then(|send| self.gate.rtp_destination(send.remote));
        self.rtcp_to =
            send.and_then(|send| send.rtcp.and_then(|rtcp| self.gate.rtcp_destination(rtcp, send.rtcp_mux)));
    }

    /// The RTP clock of a payload number that may arrive; 0 for key presses.
    #[inline]
    pub(super) fn clock_of(&mut self, number: u8) -> Option<u32> {
        if self.last_number.0 != number {
            let payload = self.received.iter().find(|payload| payload.number == number)?;
            let clock = if payload.codec.is_voice() { payload.codec.clock_rate } else { 0 };
            self.last_number = (number, clock);
        }
        Some(self.last_number.1)
    }

    /// The clock of key presses with this number, if that is what it means.
    pub(super) fn event_clock(&self, number: u8) -> Option<u32> {
        let payload = self.received.iter().find(|payload| payload.number == number)?;
        (payload.codec.name == CodecName::TelephoneEvent).then_some(payload.codec.clock_rate)
    }

    /// Looks whether a packet is silent.
    #[inline(never)]
    pub(super) fn look(&mut self, number: u8, sound: &[u8]) {
        let payload = self.received.iter().find(|payload| payload.number == number);
        self.mute.look(payload.and_then(|payload| Voice::of(&payload.codec.name)), sound);
    }

    /// Whether anything is to be done at the next tick.
    pub(super) fn wants_ticks(&self) -> bool {
        self.player.is_some()
            || self.keys_out.is_busy()
            || self.keys_in.is_pressed()
            || self.transcoder.as_ref().is_some_and(|transcoder| !transcoder.is_idle())
    }

    /// Before a packet with this number leaves: the stream's clock follows its codec.
    #[inline]
    pub(super) fn prepare(&mut self, now: Mono, number: u8) {
        if self.last_sent_number == number {
            return;
        }
        self.last_sent_number = number;
        let Some(send) = &self.send else { return };
        let mut voices = std::iter::once(&send.payload).chain(&send.also);
        if let Some(voice) = voices.find(|voice| voice.number == number && voice.codec.is_voice()) {
            self.outgoing.set_rate(now, voice.codec.clock_rate);
        }
    }

    /// Appends the RTCP compound that is due.
    pub(super) fn write_report(&mut self, now: Mono, out: &mut Vec<u8>) {
        self.reports.write(now, &mut self.incoming, &self.outgoing, &self.cname, out);
    }

    /// The figures since the leg began.
    pub(super) fn quality(&self, now: Mono) -> Quality {
        let (received, lost) = (self.incoming.total_received(), self.incoming.total_lost());
        let jitter_ms = self.incoming.jitter_ms();
        let remote = self.reports.remote;
        let loss = if received + lost == 0 { 0.0 } else { lost as f32 / (received + lost) as f32 };
        // A phone's jitter buffer holds about twice the jitter, and one packet.
        let delay = remote.round_trip_ms.unwrap_or(0.0) / 2.0 + 2.0 * jitter_ms + 20.0;
        let codec = self.received.first().map(|payload| &payload.codec).filter(|_| received > 0);
        let nothing_comes = self.gate.is_open() && now.since(self.last_heard()) >= super::SILENCE_AFTER;
        let we_send = self.outgoing.packets > 0 && now.since(self.outgoing.sent_at) < super::SILENCE_AFTER;
        Quality {
            received,
            lost,
            jitter_ms,
            sent: self.outgoing.packets,
            remote_loss: remote.loss,
            remote_jitter_ms: remote.jitter_ms,
            round_trip_ms: remote.round_trip_ms,
            mos: codec.map(|codec| quality::mos(codec, loss, delay)),
            one_way: we_send && (nothing_comes || remote.hears_nothing),
            muted: self.mute.is_muted(),
            refused: self.refused,
        }
    }

    /// When the last packet came, or since when one could.
    pub(super) fn last_heard(&self) -> Mono {
        self.incoming.last_at.max(self.since)
    }
}
