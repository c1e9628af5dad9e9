//! The sans-IO executor of media orders; one value per worker thread, which owns the sockets.
//!
//! ```text
//! datagram -> receive -> gate (R16) -> count -> for each listener: route by codec
//!                                                 relay: 12 bytes rewritten in place -> Forward
//!                                                 transcode, key press: kept for the next tick
//! every 10 ms -> tick -> prompts, tones, transcoded sound, key presses, RTCP
//! ```

mod gate;
mod guard;
mod incoming;
mod jitter;
mod keys;
mod leg;
mod mute;
mod outgoing;
mod player;
mod quality;
mod reports;
mod route;
mod slab;
mod stage;
#[cfg(test)]
mod tests;
mod ticks;
mod transcoder;

use crate::order::{LegKey, MediaEvent, MediaOrder, Quality, Source};
use crate::sounds::Sounds;
use clock::Mono;
use gate::Verdict;
use leg::Leg;
use mute::Mute;
use player::Player;
use route::{Route, Routes};
use slab::Slab;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use wire::rtp::{self, Header};

/// A leg's figures are first reported so soon, for whoever looks at a call that has just begun.
pub const REPORT_FIRST: Duration = Duration::from_secs(5);
/// How often a leg's figures are reported after that.
pub const REPORT_EVERY: Duration = Duration::from_secs(30);
/// How long nothing comes before [`MediaEvent::Silence`].
pub const SILENCE_AFTER: Duration = Duration::from_secs(5);
/// How many events wait at most; further reports are left out, and then everything else.
pub const EVENTS_MAX: usize = 8192;
/// How many bytes of copies for second and further listeners wait for a tick at most.
const COPIES_MAX: usize = 1 << 20;
/// A packet that is due within this time leaves now, so that unpunctual ticks do not make it late.
const HALF_TICK: Duration = Duration::from_millis(5);
/// A worker that did not tick for so long goes on by the clock and leaves out what it missed.
const STALL: Duration = Duration::from_millis(100);
/// After a switch sound of our own follows what was sent before at this distance.
const SWITCH_PACE: Duration = Duration::from_millis(20);
/// Each tick looks after one leg in so many.
const SHIFTS: u32 = 100;

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
    sounds: Arc<Sounds>,
    legs: Slab,
    /// Who wants to hear a leg that is not there yet.
    awaiting: BTreeMap<LegKey, Vec<LegKey>>,
    events: VecDeque<MediaEvent>,
    /// Packets for second and further listeners: leg, destination, length in `copied`.
    copies: Vec<(LegKey, SocketAddr, usize)>,
    copied: Vec<u8>,
    /// Legs that want ticks.
    stage: Vec<u32>,
    shift: u32,
    scratch: Vec<u8>,
    /// The latest instant that was handed in.
    latest: Mono,
}

impl Engine {
    /// An engine without legs.
    #[must_use]
    pub fn new(sounds: Arc<Sounds>) -> Engine {
        Engine {
            sounds,
            legs: Slab::default(),
            awaiting: BTreeMap::new(),
            events: VecDeque::new(),
            copies: Vec::new(),
            copied: Vec::new(),
            stage: Vec::new(),
            shift: 0,
            scratch: Vec::with_capacity(1500),
            latest: Mono(0),
        }
    }

    /// There are other sounds now; whoever hears one that is still there hears it on.
    pub fn set_sounds(&mut self, sounds: Arc<Sounds>) {
        self.sounds = sounds;
    }

    /// Makes a leg be as ordered; an order that is not newer than the last one is ignored.
    pub fn apply(&mut self, now: Mono, order: MediaOrder) {
        self.latest = now;
        let index = match self.legs.find(order.leg) {
            Some(index) if self.legs[index].epoch >= order.epoch => return,
            Some(index) => index,
            None => self.legs.insert(Leg::new(now, &order)),
        };
        let leg = &mut self.legs[index];
        leg.set(now, &order);
        if leg.ordered != order.source {
            leg.ordered = order.source.clone();
            self.switch(now, index, order.source);
        }
        self.reroute(index);
        // Who waited for this leg, and who hears it already, must know its payload numbers.
        for key in self.awaiting.remove(&order.leg).unwrap_or_default() {
            if let Some(waiting) = self.legs.find(key) {
                self.link(waiting);
            }
        }
        for position in 0..self.legs[index].listeners.len() {
            let listener = self.legs[index].listeners[position];
            self.reroute(listener);
        }
    }

    /// Forgets a leg, after a last [`MediaEvent::Report`].
    pub fn release(&mut self, leg: LegKey) {
        let Some(index) = self.legs.find(leg) else { return };
        let quality = self.legs[index].quality(self.latest);
        self.push(MediaEvent::Report { leg, quality });
        self.unlink(index);
        for listener in std::mem::take(&mut self.legs[index].listeners) {
            self.legs[listener].heard_from = None;
            self.legs[listener].keys_out.let_go(0);
            self.reroute(listener);
        }
        self.leave_stage(index);
        self.legs.remove(index);
    }

    /// Takes the datagram in the first `length` bytes of `buffer`. When it is to be relayed it was rewritten in place,
    /// and the caller sends it. A leg with SRTP needs [`OVERHEAD_MAX`] bytes of room behind it.
    ///
    /// [`OVERHEAD_MAX`]: crate::srtp::OVERHEAD_MAX
    #[inline]
    pub fn receive(
        &mut self,
        now: Mono,
        leg: LegKey,
        kind: Kind,
        from: SocketAddr,
        buffer: &mut [u8],
        length: usize,
    ) -> Option<Forward> {
        self.latest = now;
        let index = self.legs.find(leg)?;
        let is_rtcp = kind == Kind::Rtcp || wire::rtcp::is_rtcp(&buffer[..length]);
        let Some(opened) = self.legs[index].guard.open(is_rtcp, &mut buffer[..length]) else {
            self.legs[index].refused += 1;
            return None;
        };
        let packet = &mut buffer[..opened.length];
        if is_rtcp {
            self.receive_rtcp(now, index, kind, from, packet);
            return None;
        }
        let (header, length, has_sound) = self.admit(now, index, from, opened.newest, packet)?;
        if !has_sound && self.take_key(now, index, &header, packet) {
            return None;
        }
        let listeners = self.legs[index].listeners.len();
        for position in 1..listeners {
            self.copy_to(now, index, position, &header, length, packet);
        }
        if listeners == 0 {
            return None;
        }
        let listener = self.legs[index].listeners[0];
        let (leg, to, header) = self.deliver(now, listener, &header, length, packet)?;
        rtp::rewrite(packet, &header);
        let length = self.legs[listener].guard.close(buffer, opened.length)?;
        Some(Forward { leg, to, kind: Kind::Rtp, length })
    }

    /// To be called every 10 ms; hands out what is due.
    pub fn tick(&mut self, now: Mono, out: &mut Out<'_>) {
        self.latest = now;
        self.send_copies(out);
        self.perform(now, out);
        self.look_after(now, out);
    }

    /// What the remote of a leg reported of our stream to whoever owns its socket (R15: there RTCP ends).
    pub fn remote_report(&mut self, leg: LegKey, loss: f32, jitter_ticks: u32, round_trip: Option<Duration>) {
        if let Some(index) = self.legs.find(leg) {
            let leg = &mut self.legs[index];
            leg.reports.remote.told(loss, jitter_ticks, round_trip, &leg.outgoing);
        }
    }

    /// The next event, oldest first.
    pub fn next_event(&mut self) -> Option<MediaEvent> {
        self.events.pop_front()
    }

    /// The leg's figures so far.
    #[must_use]
    pub fn quality(&self, leg: LegKey) -> Option<Quality> {
        self.legs.find(leg).map(|index| self.legs[index].quality(self.latest))
    }

    /// How many legs there are.
    #[must_use]
    pub fn leg_count(&self) -> usize {
        self.legs.len()
    }

    /// Checks and counts an RTP packet; when it may be heard its header, its payload length, and whether it
    /// carries sound.
    #[inline]
    fn admit(
        &mut self,
        now: Mono,
        index: u32,
        from: SocketAddr,
        newest: bool,
        packet: &[u8],
    ) -> Option<(Header, usize, bool)> {
        let leg = &mut self.legs[index];
        // In this order, so that a malformed or unasked packet teaches no address.
        let parsed = rtp::Packet::parse(packet).ok();
        let known = parsed.and_then(|packet| Some((packet, leg.clock_of(packet.header.payload_type)?)));
        let verdict = match known {
            Some(_) if newest => leg.gate.admit(now, from),
            // Authentic, but late: it moves nothing.
            Some(_) if leg.gate.is_open() => Verdict::Accept,
            _ => Verdict::Refuse,
        };
        let Some((packet, clock)) = known.filter(|_| verdict != Verdict::Refuse) else {
            leg.refused += 1;
            return None;
        };
        leg.incoming.count(now, &packet.header, clock);
        if Mute::wants(packet.header.sequence) && clock != 0 {
            leg.look(packet.header.payload_type, packet.payload());
        }
        if verdict == Verdict::Learned {
            leg.aim();
        }
        if !leg.heard {
            leg.heard = true;
            leg.silence_said = false;
            let leg = leg.key;
            self.push(MediaEvent::FirstPacket { leg, from });
        }
        Some((packet.header, packet.payload().len(), clock != 0))
    }

    /// Where a source's packet goes to be heard by `listener`, and its new fixed fields.
    #[inline]
    fn deliver(
        &mut self,
        now: Mono,
        listener: u32,
        header: &Header,
        length: usize,
        packet: &[u8],
    ) -> Option<(LegKey, SocketAddr, Header)> {
        let leg = &mut self.legs[listener];
        match leg.routes.of(header.payload_type) {
            // While a key is pressed, sound is silent.
            Route::Relay(_) if leg.pressing => None,
            Route::Relay(number) => {
                let to = leg.to?;
                if let Some(transcoder) = &mut leg.transcoder {
                    transcoder.stop();
                }
                leg.prepare(now, number);
                let ptime_ms = leg.send.as_ref().map_or(20, |send| send.ptime_ms);
                let header = leg.outgoing.relay(now, header, number, length, ptime_ms)?;
                Some((leg.key, to, header))
            }
            Route::Transcode => {
                self.keep(now, listener, header, packet);
                None
            }
            Route::Event | Route::Drop => None,
        }
    }

    /// Keeps a copy for a second or further listener until the next tick.
    fn copy_to(
        &mut self,
        now: Mono,
        index: u32,
        position: usize,
        header: &Header,
        length: usize,
        packet: &[u8],
    ) {
        let listener = self.legs[index].listeners[position];
        if self.copied.len() + packet.len() > COPIES_MAX {
            return;
        }
        if let Some((leg, to, header)) = self.deliver(now, listener, header, length, packet) {
            let start = self.copied.len();
            self.copied.extend_from_slice(packet);
            rtp::rewrite(&mut self.copied[start..], &header);
            if self.legs[listener].guard.close_tail(&mut self.copied, start) {
                self.copies.push((leg, to, self.copied.len() - start));
            }
        }
    }

    fn send_copies(&mut self, out: &mut Out<'_>) {
        let mut rest = self.copied.as_slice();
        for &(leg, to, length) in &self.copies {
            let (packet, after) = rest.split_at(length);
            out(leg, Kind::Rtp, to, packet);
            rest = after;
        }
        self.copies.clear();
        self.copied.clear();
    }

    fn receive_rtcp(&mut self, now: Mono, index: u32, kind: Kind, from: SocketAddr, packet: &[u8]) {
        let leg = &mut self.legs[index];
        if !leg.gate.admit_rtcp(from, kind == Kind::Rtp) || !leg.reports.read(now, packet, &leg.outgoing) {
            leg.refused += 1;
            return;
        }
        leg.aim();
    }

    /// RTCP, silence and figures of the legs whose turn it is: each about once a second.
    fn look_after(&mut self, now: Mono, out: &mut Out<'_>) {
        self.shift = (self.shift + 1) % SHIFTS;
        let mut index = self.shift;
        while index < self.legs.end() {
            if self.legs.holds(index) {
                self.look_after_leg(now, index, out);
            }
            index += SHIFTS;
        }
    }

    fn look_after_leg(&mut self, now: Mono, index: u32, out: &mut Out<'_>) {
        let leg = &mut self.legs[index];
        if let Some(to) = leg.rtcp_to.filter(|_| leg.reports.is_due(now)) {
            self.scratch.clear();
            leg.write_report(now, &mut self.scratch);
            leg.guard.close_rtcp(&mut self.scratch);
            let mux = leg.send.as_ref().is_some_and(|send| send.rtcp_mux);
            out(leg.key, if mux { Kind::Rtp } else { Kind::Rtcp }, to, &self.scratch);
        }
        let silent_for = now.since(leg.last_heard());
        if leg.gate.is_open() && !leg.silence_said && silent_for >= SILENCE_AFTER {
            leg.silence_said = true;
            leg.heard = false;
            let since_ms = u32::try_from(silent_for.as_millis()).unwrap_or(u32::MAX);
            let event = MediaEvent::Silence { leg: leg.key, since_ms };
            self.push(event);
        }
        let leg = &mut self.legs[index];
        if now >= leg.report_at {
            leg.report_at = now + REPORT_EVERY;
            let event = MediaEvent::Report { leg: leg.key, quality: leg.quality(now) };
            if self.events.len() < EVENTS_MAX / 2 {
                self.push(event);
            }
        }
    }

    /// Gives a leg another source.
    fn switch(&mut self, now: Mono, index: u32, source: Source) {
        self.unlink(index);
        let leg = &mut self.legs[index];
        leg.outgoing.switch();
        leg.keys_out.let_go(0);
        leg.transcoder = None;
        // What was sent last is still being heard.
        let heard_until = leg.outgoing.sent_at + SWITCH_PACE;
        let due = if leg.outgoing.started { heard_until.max(now) } else { now };
        leg.player = Player::of(&source, now, due).map(Box::new);
        let plays = leg.player.is_some();
        leg.current = source;
        self.link(index);
        self.reroute(index);
        if plays {
            self.wake(index);
        }
    }

    /// Joins a leg to the leg that it hears, now or as soon as that one is there.
    fn link(&mut self, index: u32) {
        let leg = &self.legs[index];
        let (own, wanted) = match leg.current {
            Source::Leg(key) => (leg.key, key),
            Source::Echo => (leg.key, leg.key),
            _ => return,
        };
        match self.legs.find(wanted) {
            Some(source) => {
                self.legs[source].listeners.push(index);
                self.legs[index].heard_from = Some(source);
            }
            None => self.awaiting.entry(wanted).or_default().push(own),
        }
        self.reroute(index);
    }

    fn unlink(&mut self, index: u32) {
        if let Some(source) = self.legs[index].heard_from.take() {
            self.legs[source].listeners.retain(|&listener| listener != index);
        }
        let own = self.legs[index].key;
        if let Source::Leg(wanted) = self.legs[index].current
            && let Some(waiting) = self.awaiting.get_mut(&wanted)
        {
            waiting.retain(|&key| key != own);
            if waiting.is_empty() {
                self.awaiting.remove(&wanted);
            }
        }
    }

    /// Works out anew which payload numbers of its source a leg hears, and how.
    fn reroute(&mut self, index: u32) {
        let leg = &self.legs[index];
        let routes = match (leg.heard_from, &leg.send) {
            (Some(source), Some(send)) => Routes::new(&self.legs[source].received, send),
            _ => Routes::NONE,
        };
        self.legs[index].routes = routes;
        self.fit_transcoder(index);
    }

    fn push(&mut self, event: MediaEvent) {
        if self.events.len() < EVENTS_MAX {
            self.events.push_back(event);
        }
    }
}
