//! What happens at a tick: legs that hear sound of our own making, or key presses, are on the stage; all
//! others cost nothing.

use super::keys::{Heard, Up};
use super::leg::Leg;
use super::route::{Route, Spoken};
use super::transcoder::Made;
use super::{Engine, Kind, Out, ticks};
use crate::codec::Voice;
use crate::order::{MediaEvent, Source};
use clock::Mono;
use wire::rtp::{HEADER_LEN, Header, Packet};
use wire::telephone_event::{self, Event};

/// Packets and ends of prompts of one leg in one tick at most.
const TURNS: usize = 16;
/// How long a key is down that came by signalling.
const PRESS_MS: u32 = 100;
/// In dB below full scale (RFC 4733 2.5.2.3 wants no more than -8).
const PRESS_VOLUME: u8 = 10;

impl Engine {
    /// Presses a key towards a leg (a key that came by signalling).
    pub fn send_dtmf(&mut self, leg: crate::order::LegKey, digit: char) {
        if let (Some(index), Some(code)) = (self.legs.find(leg), telephone_event::code_of(digit)) {
            self.legs[index].keys_out.press(code, PRESS_VOLUME, Some(PRESS_MS));
            self.wake(index);
        }
    }

    /// A leg wants ticks.
    pub(super) fn wake(&mut self, index: u32) {
        if !std::mem::replace(&mut self.legs[index].on_stage, true) {
            self.stage.push(index);
        }
    }

    /// A leg is gone.
    pub(super) fn leave_stage(&mut self, index: u32) {
        if self.legs[index].on_stage {
            self.stage.retain(|&other| other != index);
        }
    }

    pub(super) fn perform(&mut self, now: Mono, out: &mut Out<'_>) {
        let mut place = 0;
        while let Some(&index) = self.stage.get(place) {
            if let Some(up) = self.legs[index].keys_in.expire(now) {
                self.key_up(index, up);
            }
            self.press(now, index, out);
            self.play(now, index, out);
            self.transcode(now, index, out);
            if self.legs[index].wants_ticks() {
                place += 1;
            } else {
                self.legs[index].on_stage = false;
                self.stage.swap_remove(place);
            }
        }
    }

    /// The key press that is due.
    fn press(&mut self, now: Mono, index: u32, out: &mut Out<'_>) {
        let leg = &mut self.legs[index];
        if !leg.keys_out.is_busy() {
            return;
        }
        let event = leg.send.as_ref().and_then(|send| send.telephone_event.as_ref());
        let (Some(to), Some(payload)) = (leg.to, event) else {
            leg.pressing = false;
            return leg.keys_out.clear();
        };
        let (number, rate) = (payload.number, payload.codec.clock_rate);
        // Before any sound the stream's clock is still open.
        if !leg.outgoing.started {
            leg.outgoing.set_rate(now, rate);
        }
        if let Some((header, event)) = leg.keys_out.step(now, &mut leg.outgoing, number, rate) {
            self.scratch.clear();
            self.scratch.extend_from_slice(&header.to_bytes());
            self.scratch.extend_from_slice(&event);
            leg.pressing = leg.keys_out.is_sending();
            if leg.guard.close_tail(&mut self.scratch, 0) {
                out(leg.key, Kind::Rtp, to, &self.scratch);
            }
        }
    }

    /// The sound that is due, and what follows when it ends.
    fn play(&mut self, now: Mono, index: u32, out: &mut Out<'_>) {
        for _ in 0..TURNS {
            let leg = &mut self.legs[index];
            let Some(player) = &mut leg.player else { return };
            if player.due > now + super::HALF_TICK {
                return;
            }
            if leg.to.is_none() && leg.send.is_some() && player.waits(now) {
                player.due = now;
                return;
            }
            if player.catch_up(now) {
                leg.outgoing.switch();
            }
            // A leg that cannot be spoken to gets to the end of a prompt all the same.
            let (voice, ms) = leg.spoken.map_or((Voice::Pcmu, 20), |to| (to.voice, to.packet_ms));
            self.scratch.clear();
            self.scratch.extend_from_slice(&[0; HEADER_LEN]);
            match player.next(&self.sounds, voice, ms, &mut self.scratch) {
                Some(ms) => send_own(now, leg, ms, &mut self.scratch, out),
                None => self.end_sound(now, index),
            }
        }
    }

    fn end_sound(&mut self, now: Mono, index: u32) {
        let leg = &mut self.legs[index];
        let next = match &mut leg.current {
            Source::Prompt { then, repeat: false, .. } => then.take().map_or(Source::Nothing, |next| *next),
            // Of what cannot be played there is no end to tell, but nothing is to be heard either.
            _ => Source::Nothing,
        };
        if let Source::Prompt { repeat: false, .. } = leg.current {
            let (leg, epoch) = (leg.key, leg.epoch);
            self.push(MediaEvent::SoundEnded { leg, epoch });
        }
        self.switch(now, index, next);
    }

    /// The transcoded sound that is due.
    fn transcode(&mut self, now: Mono, index: u32, out: &mut Out<'_>) {
        let source = self.legs[index].heard_from;
        let jitter_ms = source.map_or(0.0, |source| self.legs[source].incoming.jitter_ms());
        for _ in 0..TURNS {
            let leg = &mut self.legs[index];
            let Some(transcoder) = leg.transcoder.as_mut().filter(|transcoder| !transcoder.is_idle()) else {
                return;
            };
            self.scratch.clear();
            self.scratch.extend_from_slice(&[0; HEADER_LEN]);
            match transcoder.make(now, jitter_ms, &mut self.scratch) {
                Made::Nothing => return,
                Made::Pause => return leg.outgoing.switch(),
                Made::Packet => {
                    let ms = transcoder.plan.to.packet_ms;
                    send_own(now, leg, ms, &mut self.scratch, out);
                }
            }
        }
    }

    /// Keeps a packet until it is decoded.
    #[inline(never)]
    pub(super) fn keep(&mut self, now: Mono, listener: u32, header: &Header, packet: &[u8]) {
        let Ok(packet) = Packet::parse(packet) else { return };
        let leg = &mut self.legs[listener];
        if leg.transcoder.is_none() {
            // Made when the first packet needs it: most legs never do, and an Opus coder costs more than a call.
            leg.transcoder = leg.plan.clone().and_then(super::transcoder::Transcoder::new).map(Box::new);
        }
        if let Some(transcoder) = &mut leg.transcoder {
            transcoder.put(now, header.ssrc, header.sequence, header.payload_type, Some(packet.payload()));
            self.wake(listener);
        }
    }

    /// Takes a packet without sound: a key press, which ends here. Whether it was one.
    #[inline(never)]
    pub(super) fn take_key(&mut self, now: Mono, index: u32, header: &Header, packet: &[u8]) -> bool {
        let leg = &mut self.legs[index];
        let Some(rate) = leg.event_clock(header.payload_type) else { return false };
        let event = Packet::parse(packet).ok().and_then(|packet| Event::parse(packet.payload()));
        // Tones, fax and line signals have codes above those of keys.
        if let Some(event) = event.filter(|event| event.code <= 16) {
            let heard = leg.keys_in.take(now, header, event, rate);
            if heard != Heard::default() {
                self.heard_key(index, heard);
            }
        }
        for position in 0..self.legs[index].listeners.len() {
            let listener = self.legs[index].listeners[position];
            if let Some(transcoder) = &mut self.legs[listener].transcoder {
                transcoder.put(now, header.ssrc, header.sequence, header.payload_type, None);
            }
        }
        true
    }

    fn heard_key(&mut self, index: u32, heard: Heard) {
        if let Some(up) = heard.before {
            self.key_up(index, up);
        }
        if let Some((code, volume)) = heard.down {
            self.wake(index);
            self.for_each_other(index, |leg| leg.keys_out.press(code, volume, None));
        }
        if let Some(up) = heard.up {
            self.key_up(index, up);
        }
    }

    fn key_up(&mut self, index: u32, (code, duration_ms): Up) {
        self.for_each_other(index, |leg| leg.keys_out.let_go(duration_ms));
        let leg = &self.legs[index];
        if let Some(digit) = telephone_event::digit_of(code).filter(|_| leg.wants_events) {
            let event = MediaEvent::Dtmf { leg: leg.key, digit, duration_ms };
            self.push(event);
        }
    }

    /// Does something to all who hear a leg, but to that leg itself: an echo of keys would press them twice.
    fn for_each_other(&mut self, index: u32, mut act: impl FnMut(&mut Leg)) {
        for position in 0..self.legs[index].listeners.len() {
            let listener = self.legs[index].listeners[position];
            if listener != index {
                act(&mut self.legs[listener]);
                self.wake(listener);
            }
        }
    }

    /// Plans the transcoder that a leg's routes ask for; one that fits goes on undisturbed.
    pub(super) fn fit_transcoder(&mut self, index: u32) {
        let leg = &self.legs[index];
        let plan = match (leg.heard_from, leg.spoken) {
            (Some(source), Some(to)) => plan(&self.legs[source], leg, to),
            _ => None,
        };
        let leg = &mut self.legs[index];
        if leg.transcoder.as_ref().map(|transcoder| &transcoder.plan) != plan.as_ref() {
            leg.transcoder = None;
        }
        leg.plan = plan;
    }
}

fn plan(source: &Leg, leg: &Leg, to: Spoken) -> Option<super::transcoder::Plan> {
    let transcoded =
        source.received.iter().filter(|payload| leg.routes.of(payload.number) == Route::Transcode);
    let from: Vec<_> =
        transcoded.filter_map(|payload| Some((payload.number, Voice::of(&payload.codec.name)?))).collect();
    if from.is_empty() { None } else { Some(super::transcoder::Plan { from, to }) }
}

/// Sends a packet of our own making, whose payload follows the place for its header.
fn send_own(now: Mono, leg: &mut Leg, ms: u32, packet: &mut Vec<u8>, out: &mut Out<'_>) {
    let (Some(to), Some(spoken)) = (leg.to, leg.spoken) else { return leg.outgoing.switch() };
    // While a key is pressed, sound is silent; Opus may have nothing to send.
    if leg.pressing || packet.len() <= HEADER_LEN {
        return leg.outgoing.switch();
    }
    leg.prepare(now, spoken.number);
    let length = packet.len() - HEADER_LEN;
    let sound = ticks::of_ms(ms, spoken.voice.clock_rate());
    let header = leg.outgoing.own(now, spoken.number, sound, length);
    packet[..HEADER_LEN].copy_from_slice(&header.to_bytes());
    if leg.guard.close_tail(packet, 0) {
        out(leg.key, Kind::Rtp, to, packet);
    }
}
