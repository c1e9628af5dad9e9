//! The offer/answer state of one leg.
//!
//! ```text
//!              offer                receive_answer
//!   settled ----------> offered ---------------------> settled, new agreement
//!      |                   |  refuse_offer
//!      |                   +---------------------------> settled, as before
//!      |  receive_offer               answer
//!      +--------------> received ----------------------> settled, new agreement
//!                          |  refuse_offer
//!                          +---------------------------> settled, as before
//! ```

use super::describe::{Stream, describe};
use super::protect::{Drawer, OurSecurity, Security};
use super::remote::{OtherLine, Profile, RemoteDescription, RemoteMedia, parse_remote};
use super::{Agreed, Direction, LocalMedia, MediaError};
use crate::Protection;
use crate::codec::{Codec, CodecName, Payload};
use std::sync::Arc;
use wire::sdp::Description;

/// Without a wish of the remote; what every phone expects.
const PTIME_MS: u16 = 20;

/// One leg's side of offer and answer. Cloned, it follows one of several early dialogs of the same offer.
#[derive(Clone, Debug)]
pub struct Negotiation {
    local: LocalMedia,
    /// The highest `o=` version that was written.
    version: u64,
    /// Numbers in our descriptions, in order of first use; none ever means another codec (RFC 3264 8.3.2).
    bound: Vec<Payload>,
    /// The `m=` lines of the session: they may become more, never fewer (RFC 3264 section 8).
    lines: Arc<[OtherLine]>,
    audio_index: usize,
    remote: Option<Arc<RemoteDescription>>,
    ours: Option<Arc<Ours>>,
    agreed: Option<Arc<Agreed>>,
    pending: Pending,
    security: Security,
    drawer: Drawer,
}

/// A description of ours, as it was sent.
#[derive(Debug)]
struct Ours {
    sdp: Vec<u8>,
    description: Description,
    payloads: Vec<Payload>,
    direction: Direction,
    is_offer: bool,
    ptime_ms: u16,
    rtcp_mux: bool,
    security: OurSecurity,
}

#[derive(Clone, Debug)]
enum Pending {
    Settled,
    Offered(Arc<Ours>),
    Received(Arc<RemoteDescription>),
}

impl Negotiation {
    /// A leg about which nothing is said yet, whose packets go in clear.
    #[must_use]
    pub fn new(local: LocalMedia) -> Self {
        Negotiation::secured(local, Security::Clear, [0; 32])
    }

    /// A leg about which nothing is said yet. `seed` is random and secret: all keys of the leg come from it.
    #[must_use]
    pub fn secured(local: LocalMedia, security: Security, seed: [u8; 32]) -> Self {
        Negotiation {
            local,
            version: 0,
            bound: Vec::new(),
            lines: Arc::default(),
            audio_index: 0,
            remote: None,
            ours: None,
            agreed: None,
            pending: Pending::Settled,
            security,
            drawer: Drawer::new(seed),
        }
    }

    /// What this leg may offer and take.
    #[must_use]
    pub fn security(&self) -> Security {
        self.security
    }

    /// Offers something else from now on; what is agreed stays (R14: a device that refused keys may be asked in clear).
    pub fn set_security(&mut self, security: Security) {
        self.security = security;
    }

    /// Another address or port of ours from the next offer or answer on; what is agreed stays.
    pub fn move_to(&mut self, local: LocalMedia) {
        self.local = local;
    }

    /// The `o=` session of our descriptions, the same for a leg's life (RFC 3264 section 8).
    #[must_use]
    pub fn session_id(&self) -> u64 {
        self.local.session_id
    }

    /// Our offer of `codecs` in order of preference; key presses are added when missing.
    ///
    /// Numbers: those already used in this leg, else the static ones, else the remote's when its
    /// description is known, else free ones from 96.
    pub fn offer(&mut self, codecs: &[Codec], direction: Direction) -> Vec<u8> {
        let mut payloads: Vec<Payload> = Vec::with_capacity(codecs.len() + 2);
        for codec in codecs {
            let wishes = [self.bound_number(codec), codec.static_number(), self.remote_number(codec)];
            self.place(&mut payloads, codec, wishes);
        }
        self.complete_events(&mut payloads);
        self.send_offer(payloads, direction)
    }

    /// Our offer with the caller's numbering: an offer passed through to another leg.
    ///
    /// A number that this leg already bound to another codec gives way; key presses are added when missing.
    pub fn offer_with(&mut self, payloads: &[Payload], direction: Direction) -> Vec<u8> {
        let mut placed: Vec<Payload> = Vec::with_capacity(payloads.len() + 2);
        for payload in payloads {
            let wishes = [self.bound_number(&payload.codec), Some(payload.number), None];
            self.place(&mut placed, &payload.codec, wishes);
        }
        self.complete_events(&mut placed);
        self.send_offer(placed, direction)
    }

    /// Takes the answer to our offer. The same answer again (183, then 200) changes nothing; another one
    /// replaces it, as phones do that ring on one device and answer on the next.
    ///
    /// # Errors
    /// [`MediaError::UnexpectedAnswer`] without an offer or with other `m=` lines, [`MediaError::NoAudio`]
    /// when the stream is declined, [`MediaError::NoCommonCodec`]. The last agreement stays in force.
    pub fn receive_answer(&mut self, sdp: &[u8]) -> Result<Arc<Agreed>, MediaError> {
        let ours = match &self.pending {
            Pending::Offered(ours) => Arc::clone(ours),
            Pending::Settled => {
                let answered = self.ours.as_ref().filter(|ours| ours.is_offer);
                Arc::clone(answered.ok_or(MediaError::UnexpectedAnswer)?)
            }
            Pending::Received(_) => return Err(MediaError::UnexpectedAnswer),
        };
        let mut remote = parse_remote(sdp, self.security)?;
        if remote.lines.len() > ours.description.media.len() {
            return Err(MediaError::UnexpectedAnswer);
        }
        let audio = remote.audio.as_mut().filter(|_| remote.audio_index == Some(self.audio_index));
        let audio = audio.ok_or(MediaError::NoAudio)?;
        if audio.port == 0 {
            return Err(MediaError::NoAudio);
        }
        if !self.security.admits(&audio.security) {
            return Err(MediaError::OtherKey);
        }
        // RFC 3264 section 6: an answer may not change the profile; SAVP for SAVPF is the same to us.
        let offered = ours.description.media.get(self.audio_index).map(|line| Profile::parse(&line.proto));
        if offered.is_none_or(|offered| !offered.protects_like(audio.profile)) {
            return Err(MediaError::Profile);
        }
        let named = remote.lines.get(self.audio_index).map_or(0, |line| line.formats.split(' ').count());
        if audio.payloads.len() < named {
            name_bare_numbers(sdp, audio, &ours.payloads, self.audio_index);
        }
        let agreed = agree(&ours, audio, |payload| {
            ours.payloads.iter().any(|offered| offered.codec.matches(&payload.codec))
        })?;
        let agreed = Arc::new(agreed);
        self.remote = Some(Arc::new(remote));
        self.ours = Some(ours);
        self.pending = Pending::Settled;
        self.agreed = Some(Arc::clone(&agreed));
        Ok(agreed)
    }

    /// Takes an offer and holds it until [`Negotiation::answer`] or [`Negotiation::refuse_offer`].
    ///
    /// # Errors
    /// [`MediaError::Glare`] while our own offer waits, else what is wrong with the description. Nothing
    /// has changed then.
    pub fn receive_offer(&mut self, sdp: &[u8]) -> Result<&RemoteDescription, MediaError> {
        if matches!(self.pending, Pending::Offered(_)) {
            return Err(MediaError::Glare);
        }
        let remote = parse_remote(sdp, self.security)?;
        let audio = remote.audio.as_ref().ok_or(MediaError::NoAudio)?;
        if audio.port == 0 {
            return Err(MediaError::NoAudio);
        }
        if self.security.rank(audio.profile).is_none() {
            return Err(MediaError::Profile);
        }
        if !self.security.admits(&audio.security) {
            return Err(MediaError::OtherKey);
        }
        self.pending = Pending::Received(Arc::new(remote));
        self.received_offer().ok_or(MediaError::NoOffer)
    }

    /// Answers the offer that was received.
    ///
    /// `allowed` is what may be spoken, in order of preference: the first that the remote offered is what
    /// we send. Key presses are accepted whenever the remote offers them.
    ///
    /// # Errors
    /// [`MediaError::NoOffer`] when there is none, [`MediaError::NoCommonCodec`]; the offer stays pending.
    pub fn answer(
        &mut self,
        allowed: &[Codec],
        direction: Direction,
    ) -> Result<(Vec<u8>, Arc<Agreed>), MediaError> {
        let Pending::Received(remote) = &self.pending else { return Err(MediaError::NoOffer) };
        let remote = Arc::clone(remote);
        let audio = remote.audio.as_ref().ok_or(MediaError::NoAudio)?;
        let payloads = self.choose(audio, allowed)?;
        // RFC 3264 6.1: the mirror of the offer, and no more than we want.
        let direction = audio.direction.reversed().and(direction);
        let index = remote.audio_index.unwrap_or(0);
        // RFC 3264 section 6: the profile of the offer, as it was written.
        let proto = remote.lines.get(index).map_or("RTP/AVP", |line| &line.proto);
        let last = self.remote.as_ref().and_then(|remote| remote.audio.as_ref()).map(|audio| &audio.security);
        let before =
            self.ours.as_ref().zip(last).map(|(ours, last)| (&ours.security, last, self.is_active()));
        let mut drawer = self.drawer.clone();
        let security =
            OurSecurity::answer(self.security, audio.profile, &audio.security, before, &mut drawer)?;
        self.drawer = drawer;
        self.lines = Arc::clone(&remote.lines);
        self.audio_index = index;
        let stream = Stream {
            payloads: &payloads,
            direction,
            proto,
            ptime_ms: ptime(audio),
            rtcp_mux: audio.rtcp_mux || audio.profile == Profile::Dtls,
            security: &security,
        };
        let ours = self.write(&stream, false);
        let agreed = agree(&ours, audio, |payload| {
            payloads.iter().any(|chosen| chosen.codec.matches(&payload.codec))
        })?;
        self.bind(&payloads);
        let (sdp, agreed) = (ours.sdp.clone(), Arc::new(agreed));
        self.remote = Some(remote);
        self.ours = Some(Arc::new(ours));
        self.pending = Pending::Settled;
        self.agreed = Some(Arc::clone(&agreed));
        Ok((sdp, agreed))
    }

    /// Forgets the pending offer, ours or theirs: the last agreement stays in force (RFC 6337 3.4).
    pub fn refuse_offer(&mut self) {
        self.pending = Pending::Settled;
    }

    /// Our last description that is in force: what a session refresh repeats, version and all.
    #[must_use]
    pub fn current_sdp(&self) -> Option<&[u8]> {
        self.ours.as_ref().map(|ours| ours.sdp.as_slice())
    }

    /// What was agreed last.
    #[must_use]
    pub fn agreed(&self) -> Option<&Agreed> {
        self.agreed.as_deref()
    }

    /// The remote description that is in force.
    #[must_use]
    pub fn remote(&self) -> Option<&RemoteDescription> {
        self.remote.as_deref()
    }

    /// The offer of the remote that waits for our answer.
    #[must_use]
    pub fn received_offer(&self) -> Option<&RemoteDescription> {
        match &self.pending {
            Pending::Received(remote) => Some(remote),
            _ => None,
        }
    }

    /// Whether an offer of ours waits for its answer.
    #[must_use]
    pub fn is_offering(&self) -> bool {
        matches!(self.pending, Pending::Offered(_))
    }

    /// Our end.
    #[must_use]
    pub fn local(&self) -> &LocalMedia {
        &self.local
    }

    fn send_offer(&mut self, payloads: Vec<Payload>, direction: Direction) -> Vec<u8> {
        let in_force = self.ours.as_ref().and_then(|ours| ours.description.media.get(self.audio_index));
        let proto = in_force.map_or(self.security.offered().as_str(), |line| &line.proto).to_owned();
        // What is in force is said again, so that only what the caller changed is a change.
        let (ptime_ms, rtcp_mux) =
            self.ours.as_ref().map_or((PTIME_MS, true), |ours| (ours.ptime_ms, ours.rtcp_mux));
        let profile = Profile::parse(&proto);
        let last = self.ours.as_ref().map(|ours| &ours.security);
        let security = OurSecurity::offer(self.security, profile, last, &mut self.drawer);
        let stream =
            Stream { payloads: &payloads, direction, proto: &proto, ptime_ms, rtcp_mux, security: &security };
        let ours = self.write(&stream, true);
        self.bind(&payloads);
        let sdp = ours.sdp.clone();
        self.pending = Pending::Offered(Arc::new(ours));
        sdp
    }

    /// Writes a description; the version grows only if it differs from the one in force.
    fn write(&mut self, stream: &Stream<'_>, is_offer: bool) -> Ours {
        let in_force = self.ours.as_ref().map(|ours| ours.description.version);
        let version = in_force.unwrap_or(self.version + 1);
        let mut description = describe(&self.local, version, &self.lines, self.audio_index, stream);
        if self.ours.as_ref().is_some_and(|ours| ours.description != description) {
            // Above a refused offer too: a phone may have remembered its version.
            description.version = self.version + 1;
        }
        self.version = self.version.max(description.version);
        let mut sdp = Vec::with_capacity(512);
        description.write_to(&mut sdp);
        Ours {
            sdp,
            description,
            payloads: stream.payloads.to_vec(),
            direction: stream.direction,
            is_offer,
            ptime_ms: stream.ptime_ms,
            rtcp_mux: stream.rtcp_mux,
            security: stream.security.clone(),
        }
    }

    /// Whether we began the DTLS handshake of what is in force.
    fn is_active(&self) -> bool {
        match self.agreed.as_ref().map(|agreed| &agreed.protection) {
            Some(Protection::Webrtc(link)) => link.active,
            _ => false,
        }
    }

    /// The codecs of an answer: `allowed`'s order, the offer's numbers.
    fn choose(&self, audio: &RemoteMedia, allowed: &[Codec]) -> Result<Vec<Payload>, MediaError> {
        let mut payloads: Vec<Payload> = Vec::with_capacity(allowed.len() + 2);
        for codec in allowed.iter().filter(|codec| codec.name != CodecName::TelephoneEvent) {
            let offered = audio.payloads.iter().find(|offered| offered.codec.matches(codec));
            let Some(offered) = offered else { continue };
            let mut codec = codec.clone();
            if codec.fmtp.is_none() && !codec.is_ours() {
                codec.fmtp.clone_from(&offered.codec.fmtp);
            }
            // RFC 3264 6.1: the numbers of the offer, even where we used others before.
            let wishes = [Some(offered.number), self.bound_number(&codec), None];
            self.place(&mut payloads, &codec, wishes);
        }
        if !payloads.iter().any(|payload| payload.codec.is_voice()) {
            return Err(MediaError::NoCommonCodec);
        }
        let events = audio.payloads.iter().filter(|offered| offered.codec.name == CodecName::TelephoneEvent);
        for event in events {
            if payloads.iter().any(|payload| payload.codec.clock_rate == event.codec.clock_rate) {
                let wishes = [Some(event.number), self.bound_number(&event.codec), None];
                self.place(&mut payloads, &event.codec, wishes);
            }
        }
        Ok(payloads)
    }

    /// Adds a codec under the first number of `wishes` that is free, else under its usual or the next free
    /// one; a codec that is already there is left out.
    fn place(&self, payloads: &mut Vec<Payload>, codec: &Codec, wishes: [Option<u8>; 3]) {
        if payloads.iter().any(|placed| placed.codec.matches(codec)) {
            return;
        }
        let free = |number: &u8| {
            let taken = |payload: &Payload| payload.number == *number;
            let foreign = |bound: &Payload| taken(bound) && !bound.codec.matches(codec);
            !payloads.iter().any(taken) && !self.bound.iter().any(foreign)
        };
        let usual = codec.matches(&Codec::TELEPHONE_EVENT).then_some(101);
        let first = wishes.into_iter().chain([codec.static_number(), usual]).flatten().find(free);
        // RFC 3551 section 6: 96 to 127 are dynamic; 35 to 63 follow when those are used up.
        let number = first.or_else(|| (96..=127).filter(|&number| number != 101).find(free));
        if let Some(number) = number.or_else(|| (35..=63).find(free)) {
            payloads.push(Payload { number, codec: codec.clone() });
        }
    }

    /// Key presses on the clock of each voice codec that we offer.
    fn complete_events(&self, payloads: &mut Vec<Payload>) {
        for rate in [8000, 48_000] {
            let spoken =
                payloads.iter().any(|payload| payload.codec.is_voice() && payload.codec.clock_rate == rate);
            let event = Codec::new(CodecName::TelephoneEvent, rate, 1);
            if spoken {
                self.place(payloads, &event, [self.bound_number(&event), self.remote_number(&event), None]);
            }
        }
    }

    fn bound_number(&self, codec: &Codec) -> Option<u8> {
        self.bound.iter().find(|bound| bound.codec.matches(codec)).map(|bound| bound.number)
    }

    fn remote_number(&self, codec: &Codec) -> Option<u8> {
        let audio = self.remote.as_ref()?.audio.as_ref()?;
        audio.payloads.iter().find(|payload| payload.codec.matches(codec)).map(|payload| payload.number)
    }

    fn bind(&mut self, payloads: &[Payload]) {
        for payload in payloads {
            if self.bound.iter().all(|bound| bound.number != payload.number) {
                self.bound.push(payload.clone());
            }
        }
    }
}

/// An answer may name a dynamic number without its `rtpmap`; it can only mean what we offered under it.
fn name_bare_numbers(sdp: &[u8], audio: &mut RemoteMedia, offered: &[Payload], index: usize) {
    let Ok(session) = wire::sdp::Session::parse(sdp) else { return };
    let Some(media) = session.media_at(index) else { return };
    for number in media.payload_numbers().filter(|&number| media.rtpmap(number).is_none()) {
        let known = audio.payloads.iter().any(|payload| payload.number == number);
        if let Some(payload) = offered.iter().find(|payload| payload.number == number && !known) {
            audio.payloads.push(payload.clone());
        }
    }
}

/// The agreement between a description of ours and the remote's stream; `shared` picks the remote's
/// payloads that both have.
fn agree(ours: &Ours, audio: &RemoteMedia, shared: impl Fn(&Payload) -> bool) -> Result<Agreed, MediaError> {
    let mut voices: Vec<Payload> = audio
        .payloads
        .iter()
        .filter(|p| shared(p) && p.codec.name != CodecName::TelephoneEvent)
        .cloned()
        .collect();
    // In an answer of ours the order is ours; in an answer of theirs, theirs (RFC 3264 6.1, 7).
    if !ours.is_offer {
        let rank = |payload: &Payload| ours.payloads.iter().position(|own| own.codec.matches(&payload.codec));
        voices.sort_by_key(rank);
    }
    let chosen =
        voices.iter().position(|payload| payload.codec.is_voice()).ok_or(MediaError::NoCommonCodec)?;
    let codec = voices.remove(chosen);
    let event = Codec::new(CodecName::TelephoneEvent, codec.codec.clock_rate, 1);
    let telephone_event =
        audio.payloads.iter().find(|payload| payload.codec.matches(&event) && shared(payload)).cloned();
    let rtcp_mux = ours.rtcp_mux && audio.rtcp_mux;
    let flow = ours.direction.and(audio.direction.reversed());
    let remote = audio.rtp();
    Ok(Agreed {
        codec,
        also: voices,
        receive: ours.payloads.clone(),
        telephone_event,
        remote,
        remote_rtcp: if rtcp_mux { remote } else { audio.rtcp },
        send: flow.sends() && remote.is_some(),
        receive_allowed: flow.receives(),
        rtcp_mux,
        ptime_ms: ptime(audio),
        protection: ours.security.agree(&audio.security)?,
    })
}

/// In steps of 10 ms from 10 to 60, which every codec of ours can fill.
fn ptime(audio: &RemoteMedia) -> u16 {
    audio.ptime_ms.map_or(PTIME_MS, |wished| (wished / 10 * 10).clamp(10, 60))
}
