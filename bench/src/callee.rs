//! Phones that answer: 180 and 200 at once, the 200 again until the ACK, and 200 to BYE.

use crate::line::Line;
use crate::login::phone_of;
use crate::tally::Tally;
use clock::{Mono, Wheel};
use media::srtp::MasterKey;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use wire::sdp::write_crypto;
use wire::sip::{HeaderName, Message, Method, Uri, Writer};

/// RFC 3261 T1.
pub(crate) const T1: Duration = Duration::from_millis(500);
/// The 200 is not sent longer than this; RFC 3261 says 64 times T1, but a bench ends sooner.
const PATIENCE: Duration = Duration::from_secs(8);

struct Answered {
    from: SocketAddr,
    /// None once the ACK is here.
    ok: Option<Arc<[u8]>>,
    wait: Duration,
}

/// All answering phones; they share a line.
#[derive(Default)]
pub(crate) struct Callees {
    calls: HashMap<u64, Answered>,
    timers: Wheel<u64>,
    buffer: Vec<u8>,
    /// Where media is to be sent; nobody reads it unless a test of media says so.
    pub(crate) media_port: Option<fn(u64) -> u16>,
    /// Answers and their SDP, for the test of media.
    pub(crate) seen: Vec<(u16, Vec<u8>)>,
    answered: u64,
    /// When each phone rang first, if somebody wants to know.
    pub(crate) rang: Option<HashMap<u32, Mono>>,
    /// Phones that ring until they are cancelled.
    pub(crate) only_ring: HashSet<u32>,
    /// What those say then.
    ringing: HashMap<u64, Arc<[u8]>>,
}

impl Callees {
    pub(crate) fn request(
        &mut self,
        now: Mono,
        line: &mut Line,
        from: SocketAddr,
        message: &Message<'_>,
        tally: &mut Tally,
    ) {
        let Ok(call_id) = message.call_id() else { return };
        let mut hasher = DefaultHasher::new();
        call_id.hash(&mut hasher);
        let key = hasher.finish();
        match message.method() {
            Method::Invite => self.invite(now, line, from, key, message, tally),
            Method::Ack => {
                if let Some(call) = self.calls.get_mut(&key) {
                    call.ok = None;
                }
            }
            Method::Cancel => {
                let ok = self.response(message, 200, line.address, "", 0);
                line.push(from, ok);
                if let Some(terminated) = self.ringing.remove(&key) {
                    line.push(from, terminated);
                }
            }
            Method::Bye => {
                self.calls.remove(&key);
                let ok = self.response(message, 200, line.address, "", 0);
                line.push(from, ok);
            }
            _ => {
                let ok = self.response(message, 200, line.address, "", 0);
                line.push(from, ok);
            }
        }
    }

    fn invite(
        &mut self,
        now: Mono,
        line: &mut Line,
        from: SocketAddr,
        key: u64,
        message: &Message<'_>,
        tally: &mut Tally,
    ) {
        if let Some(call) = self.calls.get(&key) {
            tally.again += 1;
            if let Some(ok) = &call.ok {
                line.push(from, Arc::clone(ok));
            }
            return;
        }
        let uri = Uri::parse(message.request_uri().unwrap_or_default()).ok();
        let phone = uri.and_then(|uri| phone_of(&uri.user_decoded()?));
        if let (Some(rang), Some(phone)) = (&mut self.rang, phone) {
            rang.entry(phone).or_insert(now);
        }
        let tag = format!("{key:016x}");
        if phone.is_some_and(|phone| self.only_ring.contains(&phone)) {
            let terminated = self.response(message, 487, line.address, &tag, 0);
            self.ringing.insert(key, terminated);
            let ringing = self.response(message, 180, line.address, &tag, 0);
            return line.push(from, ringing);
        }
        let port = self.media_port.map_or(9, |port| port(self.answered));
        if self.media_port.is_some() {
            self.seen.push((port, message.body().to_vec()));
        }
        self.answered += 1;
        let ringing = self.response(message, 180, line.address, &tag, 0);
        line.push(from, ringing);
        let ok = self.response(message, 200, line.address, &tag, port);
        line.push(from, Arc::clone(&ok));
        self.calls.insert(key, Answered { from, ok: Some(ok), wait: T1 });
        self.timers.insert(now + T1, key);
    }

    fn response(
        &mut self,
        request: &Message<'_>,
        code: u16,
        address: SocketAddr,
        tag: &str,
        media_port: u16,
    ) -> Arc<[u8]> {
        self.buffer.clear();
        let mut writer = Writer::response(&mut self.buffer, code, "");
        for name in [HeaderName::Via, HeaderName::RecordRoute, HeaderName::From] {
            writer.copy(request, name);
        }
        let to = request.value(HeaderName::To).unwrap_or_default();
        let parts: &[&[u8]] = if tag.is_empty() { &[to] } else { &[to, b";tag=", tag.as_bytes()] };
        writer.header_parts(HeaderName::To, parts);
        writer.copy(request, HeaderName::CallId).copy(request, HeaderName::CSeq);
        if !tag.is_empty() {
            writer.header_fmt(HeaderName::Contact, format_args!("<sip:bench@{address}>"));
        }
        if media_port == 0 {
            writer.finish();
        } else {
            writer.body("application/sdp", description(address, media_port, None).as_bytes());
        }
        self.buffer.as_slice().into()
    }

    /// Sends again what nobody confirmed.
    pub(crate) fn timeout(&mut self, now: Mono, line: &mut Line, tally: &mut Tally) {
        while let Some(key) = self.timers.expire(now) {
            let Some(call) = self.calls.get_mut(&key) else { continue };
            let Some(ok) = &call.ok else { continue };
            if call.wait > PATIENCE {
                tally.timed_out += 1;
                self.calls.remove(&key);
                continue;
            }
            tally.again += 1;
            line.push(call.from, Arc::clone(ok));
            call.wait *= 2;
            self.timers.insert(now + call.wait, key);
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.timers.next_deadline()
    }
}

/// What a phone with G.711 offers or answers; with a key, it sends SRTP.
pub(crate) fn description(address: SocketAddr, port: u16, key: Option<&MasterKey>) -> String {
    let ip = address.ip();
    let (profile, line) = match key {
        None => ("RTP/AVP", String::new()),
        Some(key) => {
            let line = write_crypto(1, key.suite.as_str(), key.bytes());
            ("RTP/SAVP", format!("a=crypto:{line}\r\n"))
        }
    };
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} {profile} 0 101\r\n{line}\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n"
    )
}
